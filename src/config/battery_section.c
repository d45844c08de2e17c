// SPDX-License-Identifier: Apache-2.0
/* Loads `battery:`. The simple keys are rows of fusion_keys.h, choices and curves those of
 * battery_rows.c; what cannot be true together is refused. Decides nothing itself. */
#include <string.h>

#include "onepack/err.h"
#include "onepack/fusion_config.h"

#define MAX_KEYS 96

static void check_keys(struct doc *doc, const yaml_node_t *battery)
{
	const char *keys[MAX_KEYS] = {NULL};
	int count = 0;

	for (int i = 0; i < fusion_key_count; i++)
		keys[count++] = fusion_keys[i].json;
	for (int i = 0; i < fusion_choice_count; i++)
		keys[count++] = fusion_choices[i].json;
	for (int i = 0; i < fusion_curve_count; i++)
		keys[count++] = fusion_curves[i].json;
	doc_check_keys(doc, battery, keys);
}

static void load_value(struct doc *doc, const yaml_node_t *node, const struct fusion_key *key,
		       struct fusion_config *config)
{
	int64_t value = 0;
	bool flag = false, good;
	int32_t stored;

	if (key->unit == UNIT_FLAG) {
		good = doc_flag(doc, node, &flag);
		value = flag;
	} else if (key->unit == UNIT_COUNT) {
		good = doc_integer(doc, node, key->low, key->high, &value);
	} else {
		good = doc_thousandths(doc, node, key->low, key->high, &value);
	}
	stored = (int32_t)value;
	if (good)
		memcpy((char *)config + key->offset, &stored, sizeof stored);
}

static void load_choice(struct doc *doc, const yaml_node_t *node, const struct fusion_choice *key,
			struct fusion_config *config)
{
	const char *const *words = key->words;
	const char *text = doc_text(node);

	for (int i = 0; words[i]; i++)
		if (text && strcmp(text, words[i]) == 0) {
			memcpy((char *)config + key->offset, &i, sizeof i);
			return;
		}
	doc_complain(doc, node, "'%s' is not possible here; one of: %s, %s%s%s",
		     text ? text : "this", words[0], words[1], words[2] ? ", " : "",
		     words[2] ? words[2] : "");
}

static bool load_point(struct doc *doc, const yaml_node_t *item, const struct fusion_curve *key,
		       int64_t *x, int64_t *y)
{
	if (doc_list_size(item) != 2) {
		doc_complain(doc, item, "a point is [position, part], for example [3.45, 0.5]");
		return false;
	}
	return doc_thousandths(doc, doc_list_item(doc, item, 0), key->x_low, key->x_high, x) &&
	       doc_thousandths(doc, doc_list_item(doc, item, 1), 0, key->y_high, y);
}

static void load_table(struct doc *doc, const yaml_node_t *node, const struct fusion_curve *key,
		       struct fusion_config *config)
{
	struct curve curve = {0};
	int64_t x, y;

	if (doc_list_size(node) < 1 || doc_list_size(node) > CURVE_MAX_POINTS) {
		doc_complain(doc, node, "%s is a list of 1 to %d points, [[position, part], ...]",
			     key->json, CURVE_MAX_POINTS);
		return;
	}
	for (int i = 0; i < doc_list_size(node); i++) {
		const yaml_node_t *item = doc_list_item(doc, node, i);

		if (!load_point(doc, item, key, &x, &y))
			return;
		if (i > 0 && x <= curve.point[i - 1].x) {
			doc_complain(doc, item, "the positions of %s must rise", key->json);
			return;
		}
		curve.point[curve.count].x = (int32_t)x;
		curve.point[curve.count++].y = (int32_t)y * 1000;
	}
	memcpy((char *)config + key->offset, &curve, sizeof curve);
}

/* Settings that are each possible but not together. */
static void check_together(struct doc *doc, const yaml_node_t *battery,
			   const struct fusion_config *config)
{
	if (config->float_target_cell_mv > config->charge_target_cell_mv)
		doc_complain(doc, battery,
			     "float_target_cell_v must not be above "
			     "charge_target_cell_v");
	if (config->charge_target_cell_mv >= config->cell_overvoltage_mv)
		doc_complain(doc, battery,
			     "charge_target_cell_v must be below "
			     "cell_overvoltage_v");
	if (config->cell_undervoltage_mv >= config->float_target_cell_mv)
		doc_complain(doc, battery,
			     "cell_undervoltage_v must be below "
			     "float_target_cell_v");
	if (config->refuse_voltage_mv < config->join_voltage_mv)
		doc_complain(doc, battery, "refuse_voltage_v must not be below join_voltage_v");
	if (config->held_ms < config->fresh_ms || config->lost_ms < config->held_ms)
		doc_complain(doc, battery, "fresh_s, held_s and lost_s must rise in this order");
	if (config->cell_possible_min_mv > config->cell_undervoltage_mv - config->critical_cell_mv)
		doc_complain(doc, battery,
			     "a critical cell must be possible: cell_possible_min_v is above "
			     "cell_undervoltage_v less critical_cell_v");
	if (config->cell_possible_max_mv < config->cell_overvoltage_mv + config->critical_cell_mv)
		doc_complain(doc, battery,
			     "a critical cell must be possible: cell_possible_max_v is below "
			     "cell_overvoltage_v plus critical_cell_v");
}

int fusion_config_load(struct doc *doc, const yaml_node_t *battery, struct fusion_config *out)
{
	const int before = doc_errors(doc);
	struct fusion_config config;
	const char *text = doc_text(battery);

	fusion_config_default(&config);
	if (battery && !doc_is_map(battery) && !(text && !text[0]))
		doc_complain(doc, battery, "battery is a mapping of settings");
	check_keys(doc, battery);
	for (int i = 0; i < fusion_key_count; i++) {
		const yaml_node_t *node = doc_get(doc, battery, fusion_keys[i].json);

		if (node)
			load_value(doc, node, &fusion_keys[i], &config);
	}
	check_together(doc, battery, &config);
	fusion_config_default_curves(&config); /* they follow the voltages just read */
	for (int i = 0; i < fusion_choice_count; i++) {
		const yaml_node_t *node = doc_get(doc, battery, fusion_choices[i].json);

		if (node)
			load_choice(doc, node, &fusion_choices[i], &config);
	}
	for (int i = 0; i < fusion_curve_count; i++) {
		const yaml_node_t *node = doc_get(doc, battery, fusion_curves[i].json);

		if (node)
			load_table(doc, node, &fusion_curves[i], &config);
	}
	if (doc_errors(doc) != before)
		return ERR_FORMAT;
	*out = config;
	return 0;
}

int fusion_config_load_file(const char *path, struct fusion_config *out, FILE *complaints)
{
	struct fusion_config config;
	struct doc *doc;
	int status;

	fusion_config_default(&config);
	if (path) {
		doc = doc_load(path, complaints);
		if (!doc)
			return ERR_FORMAT;
		status = fusion_config_load(doc, doc_get(doc, doc_root(doc), "battery"), &config);
		doc_free(doc);
		if (status < 0)
			return status;
	}
	*out = config;
	return 0;
}
