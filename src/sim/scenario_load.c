// SPDX-License-Identifier: Apache-2.0
/* Reads a scenario file; docs/simulation.md describes the format with an example. What is not given
 * is as in scenario_default(). Every mistake is complained about at its place. */
#include <errno.h>
#include <string.h>

#include "firmware/core/measurement.h"
#include "onepack/doc.h"
#include "onepack/err.h"
#include "onepack/fusion_config.h"
#include "scenario_keys.h"

#define YEAR_MS    (INT64_C(366) * 86400000)
#define DAY_MS     INT64_C(86400000)
#define MAX_KEYS   12
#define MOST_POWER 1000000 /* W */

static void load_keys(struct doc *doc, const yaml_node_t *map, const struct scenario_key keys[],
		      void *object)
{
	for (int i = 0; keys[i].name; i++) {
		const yaml_node_t *node = doc_get(doc, map, keys[i].name);
		const struct scenario_key *key = &keys[i];
		int64_t value = 0;
		bool good;

		if (!node)
			continue;
		good = key->scale == 1 ? doc_integer(doc, node, key->low, key->high, &value)
				       : doc_thousandths(doc, node, key->low, key->high, &value);
		if (good)
			memcpy((char *)object + key->offset, &(int32_t){(int32_t)value},
			       sizeof(int32_t));
	}
}

/* Complains about keys that are neither in the table nor in `others`. */
static void check_keys(struct doc *doc, const yaml_node_t *map, const struct scenario_key keys[],
		       const char *const others[])
{
	const char *names[MAX_KEYS] = {NULL};
	int count = 0;

	for (int i = 0; keys[i].name; i++)
		names[count++] = keys[i].name;
	for (int i = 0; others[i]; i++)
		names[count++] = others[i];
	doc_check_keys(doc, map, names);
}

static void load_time(struct doc *doc, const yaml_node_t *map, const char *key, int64_t high_ms,
		      int64_t *out)
{
	const yaml_node_t *node = doc_get(doc, map, key);

	if (node)
		doc_thousandths(doc, node, 0, high_ms, out);
}

/* A list of the expected kind, or NULL after a complaint; NULL without one if it is not there. */
static const yaml_node_t *get_list(struct doc *doc, const yaml_node_t *map, const char *key,
				   int most)
{
	const yaml_node_t *list = doc_get(doc, map, key);

	if (!list || (doc_is_list(list) && doc_list_size(list) <= most))
		return list;
	doc_complain(doc, list, "%s is a list of at most %d", key, most);
	return NULL;
}

static const yaml_node_t *get_map(struct doc *doc, const yaml_node_t *map, const char *key)
{
	const yaml_node_t *node = doc_get(doc, map, key);

	if (!node || doc_is_map(node))
		return node;
	doc_complain(doc, node, "%s is a mapping", key);
	return NULL;
}

/* --- rack --- */

static void load_packs(struct doc *doc, const yaml_node_t *list, struct scenario *s)
{
	static const char *const others[] = {"count", NULL};

	s->pack_count = 0;
	for (int i = 0; i < doc_list_size(list); i++) {
		const yaml_node_t *item = doc_list_item(doc, list, i);
		const yaml_node_t *count_node = doc_get(doc, item, "count");
		struct scenario_pack pack;
		int64_t count = 1;

		check_keys(doc, item, scenario_pack_keys, others);
		scenario_default_pack(&pack);
		load_keys(doc, item, scenario_pack_keys, &pack);
		if (count_node)
			doc_integer(doc, count_node, 1, ONEPACK_MAX_PACKS, &count);
		if (s->pack_count + count > ONEPACK_MAX_PACKS) {
			doc_complain(doc, item, "%d packs are the most", ONEPACK_MAX_PACKS);
			return;
		}
		while (count-- > 0)
			s->packs[s->pack_count++] = pack;
	}
	if (s->pack_count == 0)
		doc_complain(doc, list, "a rack has at least one pack");
}

static void load_text(struct doc *doc, const yaml_node_t *map, const char *key, char *out,
		      size_t size)
{
	const yaml_node_t *node = doc_get(doc, map, key);
	const char *text;

	if (!node || !doc_string(doc, node, &text))
		return;
	if (strlen(text) >= size)
		doc_complain(doc, node, "%s: at most %zu characters", key, size - 1);
	else
		snprintf(out, size, "%s", text);
}

/* Our firmware serves so many cells at these speeds; JK's codec, whatever there is. */
static void load_protocol(struct doc *doc, const yaml_node_t *rack, struct scenario *s)
{
	load_text(doc, rack, "protocol", s->protocol, sizeof s->protocol);
	if (!scenario_has_firmware(s) && strcmp(s->protocol, "pack/jk-pb") != 0)
		doc_complain(doc, rack, "protocol: should be pack/jk-pb or pack/onepack");
	if (!scenario_has_firmware(s))
		return;
	if (s->cell_count < 7 || s->cell_count > FW_MAX_CELLS)
		doc_complain(doc, rack, "pack/onepack: 7 to %d cells", FW_MAX_CELLS);
	if (s->baud < 9600 || s->baud > 250000)
		doc_complain(doc, rack, "pack/onepack: baud 9600 to 250000");
}

static void load_rack(struct doc *doc, const yaml_node_t *rack, struct scenario *s)
{
	static const char *const keys[] = {"protocol", "cells", "baud", "packs", NULL};
	const yaml_node_t *cells = doc_get(doc, rack, "cells"), *baud = doc_get(doc, rack, "baud");
	const yaml_node_t *packs = get_list(doc, rack, "packs", ONEPACK_MAX_PACKS);
	int64_t value;

	doc_check_keys(doc, rack, keys);
	if (cells && doc_integer(doc, cells, 4, ONEPACK_MAX_CELLS, &value))
		s->cell_count = (int32_t)value;
	if (baud && doc_integer(doc, baud, 1200, 4000000, &value))
		s->baud = (uint32_t)value;
	load_protocol(doc, rack, s);
	if (packs)
		load_packs(doc, packs, s);
}

/* --- power --- */

static void load_steps(struct doc *doc, const yaml_node_t *list, struct scenario *s)
{
	s->step_count = 0;
	for (int i = 0; i < doc_list_size(list); i++) {
		const yaml_node_t *item = doc_list_item(doc, list, i);
		struct scenario_step *step = &s->steps[i];
		int64_t from_ms, power_w;

		if (doc_list_size(item) != 2) {
			doc_complain(doc, item,
				     "a step is [seconds, watts], for example [60, -2000]");
			return;
		}
		if (!doc_thousandths(doc, doc_list_item(doc, item, 0), 0, YEAR_MS, &from_ms) ||
		    !doc_integer(doc, doc_list_item(doc, item, 1), -MOST_POWER, MOST_POWER,
				 &power_w))
			return;
		if (i > 0 && from_ms <= s->steps[i - 1].from_ms) {
			doc_complain(doc, item, "the times of the steps must rise");
			return;
		}
		*step = (struct scenario_step){from_ms, (int32_t)power_w};
		s->step_count++;
	}
}

static void load_power(struct doc *doc, const yaml_node_t *power, struct scenario *s)
{
	static const char *const others[] = {"steps", "start_s", NULL};
	const yaml_node_t *steps = get_list(doc, power, "steps", SCENARIO_MAX_STEPS);

	check_keys(doc, power, scenario_power_keys, others);
	load_keys(doc, power, scenario_power_keys, s);
	load_time(doc, power, "start_s", DAY_MS, &s->start_ms);
	if (steps)
		load_steps(doc, steps, s);
}

/* --- faults --- */

static void load_number(struct doc *doc, const yaml_node_t *map, const char *key, int64_t high,
			int32_t *out)
{
	const yaml_node_t *node = doc_get(doc, map, key);
	int64_t value;

	if (node && doc_integer(doc, node, 0, high, &value))
		*out = (int32_t)value;
}

static void load_magnitude(struct doc *doc, const yaml_node_t *map, struct fault *fault)
{
	const struct fault_info *info = fault_info(fault->kind);
	const yaml_node_t *node = doc_get(doc, map, "magnitude");
	int64_t value;

	if (!info->unit[0]) {
		if (node)
			doc_complain(doc, node, "%s has no magnitude", info->name);
		return;
	}
	if (!node)
		doc_complain(doc, map, "%s needs a magnitude, %g to %g %s", info->name, info->low,
			     info->high, info->unit);
	else if (doc_thousandths(doc, node, (int64_t)(info->low * 1000),
				 (int64_t)(info->high * 1000), &value))
		fault->milli = (int32_t)value;
}

static void load_fault(struct doc *doc, const yaml_node_t *map, struct scenario *s)
{
	static const char *const keys[] = {"kind",  "pack",      "cell", "start_s",
					   "end_s", "magnitude", NULL};
	struct fault fault = {.end_ms = s->duration_ms};
	const char *kind = doc_text(doc_get(doc, map, "kind"));
	int found = kind ? fault_by_name(kind) : -1;

	doc_check_keys(doc, map, keys);
	if (found < 0) {
		doc_complain(doc, map,
			     "%s%s is no kind of fault; `onepack sim run --list` shows them",
			     kind ? kind : "", kind ? "" : "this");
		return;
	}
	fault.kind = (enum fault_kind)found;
	load_number(doc, map, "pack", s->pack_count, &fault.pack);
	load_number(doc, map, "cell", s->cell_count, &fault.cell);
	load_time(doc, map, "start_s", YEAR_MS, &fault.start_ms);
	load_time(doc, map, "end_s", YEAR_MS, &fault.end_ms);
	load_magnitude(doc, map, &fault);
	if (fault.end_ms <= fault.start_ms)
		doc_complain(doc, map, "end_s must be after start_s");
	s->faults[s->fault_count++] = fault;
}

static void load_faults(struct doc *doc, const yaml_node_t *list, struct scenario *s)
{
	for (int i = 0; i < doc_list_size(list); i++)
		load_fault(doc, doc_list_item(doc, list, i), s);
}

/* --- the whole --- */

static void load_root(struct doc *doc, const yaml_node_t *root, struct scenario *s)
{
	static const char *const keys[] = {"title", "seed",    "duration_s", "rack",   "inverter",
					   "power", "weather", "battery",    "faults", NULL};
	static const char *const none[] = {NULL};
	const yaml_node_t *rack = get_map(doc, root, "rack"), *power = get_map(doc, root, "power");
	const yaml_node_t *weather = get_map(doc, root, "weather");
	const yaml_node_t *seed = doc_get(doc, root, "seed");
	const yaml_node_t *faults = get_list(doc, root, "faults", SCENARIO_MAX_FAULTS);
	int64_t value;

	doc_check_keys(doc, root, keys);
	load_text(doc, root, "title", s->title, sizeof s->title);
	load_text(doc, root, "inverter", s->inverter, sizeof s->inverter);
	if (seed && doc_integer(doc, seed, 0, INT64_MAX, &value))
		s->seed = (uint64_t)value;
	load_time(doc, root, "duration_s", YEAR_MS, &s->duration_ms);
	if (rack)
		load_rack(doc, rack, s);
	if (power)
		load_power(doc, power, s);
	if (weather) {
		check_keys(doc, weather, scenario_weather_keys, none);
		load_keys(doc, weather, scenario_weather_keys, s);
	}
	fusion_config_load(doc, doc_get(doc, root, "battery"), &s->battery);
	if (faults)
		load_faults(doc, faults, s);
}

static int load(struct doc *doc, struct scenario *out)
{
	struct scenario scenario;
	int err = 0;

	if (!doc)
		return ERR_FORMAT;
	scenario_default(&scenario);
	if (doc_is_map(doc_root(doc)))
		load_root(doc, doc_root(doc), &scenario);
	else
		doc_complain(doc, doc_root(doc), "a scenario is a mapping");
	if (doc_errors(doc))
		err = ERR_FORMAT;
	else
		*out = scenario;
	doc_free(doc);
	return err;
}

int scenario_load(const char *path, FILE *errors, struct scenario *out)
{
	return load(doc_load(path, errors), out);
}

int scenario_parse(const char *name, const char *text, size_t length, FILE *errors,
		   struct scenario *out)
{
	return load(doc_parse(name, text, length, errors), out);
}
