// SPDX-License-Identifier: Apache-2.0
/* Values come from the JSON of the public objects, so their names and units are the public ones;
 * nested objects become flat keys ("pack1.soc_pct"). */
#include "monitor_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onepack/json.h"

#define KEY_SIZE 96

int monitor_values_init(struct monitor_values *values, enum wire_scope scope)
{
	*values = (struct monitor_values){.scope = scope, .shown = json_object()};
	return values->shown ? 0 : ERR_SPACE;
}

void monitor_values_free(struct monitor_values *values)
{
	for (int i = 0; i < MONITOR_SUBJECTS; i++)
		free(values->held[i]);
	json_decref(values->shown);
}

/* --- flat texts --- */

static void append(char **text, const char *piece)
{
	char *grown = NULL;

	if (asprintf(&grown, "%s%s%s", *text ? *text : "", *text ? " " : "", piece) < 0)
		return;
	free(*text);
	*text = grown;
}

/* Words without quotes; lists with spaces between; an empty list as a dash. */
static char *text_of(const json_t *value)
{
	char *text = NULL;
	size_t i;
	json_t *item;

	if (json_is_string(value))
		return strdup(json_string_value(value));
	if (!json_is_array(value))
		return json_dumps(value, ONEPACK_JSON_FLAGS | JSON_ENCODE_ANY);
	json_array_foreach((json_t *)value, i, item)
	{
		char *one = text_of(item);

		append(&text, one ? one : "?");
		free(one);
	}
	return text ? text : strdup("-");
}

static void flatten(json_t *flat, const char *prefix, json_t *object);

static void flatten_packs(json_t *flat, json_t *packs)
{
	char prefix[KEY_SIZE];
	size_t i;
	json_t *pack;

	json_array_foreach(packs, i, pack)
	{
		snprintf(prefix, sizeof prefix, "pack%zu.", i + 1);
		flatten(flat, prefix, pack);
	}
}

static void flatten(json_t *flat, const char *prefix, json_t *object)
{
	char key[KEY_SIZE];
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		char *text;

		if (strcmp(name, "packs") == 0) {
			flatten_packs(flat, value);
			continue;
		}
		snprintf(key, sizeof key, "%s%s", prefix, name);
		if (json_is_object(value)) {
			strncat(key, ".", sizeof key - strlen(key) - 1);
			flatten(flat, key, value);
			continue;
		}
		text = text_of(value);
		json_object_set_new(flat, key, json_string(text ? text : "?"));
		free(text);
	}
}

static void add_alarms(json_t *json, const struct wire_values *values)
{
	if (values->said_protections && !json_object_get(json, "protections"))
		json_object_set_new(json, "protections", json_array());
	if (values->said_warnings && !json_object_get(json, "warnings"))
		json_object_set_new(json, "warnings", json_array());
}

static json_t *flat_values(const struct wire_values *values, enum wire_scope scope)
{
	json_t *flat = json_object();
	json_t *json = scope == WIRE_OF_PACK ? json_known_pack(&values->pack)
					     : json_known_battery(&values->battery);

	add_alarms(json, values);
	json_add_known(json, &values->inverter, &field_inverter);
	flatten(flat, "", json);
	json_decref(json);
	return flat;
}

/* --- what is news --- */

static struct wire_values *held(struct monitor_values *values, const struct wire_values *said)
{
	int32_t subject = values->scope == WIRE_OF_PACK ? said->pack.address : 0;
	struct wire_values **place;

	if (subject < 0 || subject >= MONITOR_SUBJECTS)
		subject = MONITOR_SUBJECTS - 1; /* nobody signed it */
	place = &values->held[subject];
	if (!*place) {
		*place = malloc(sizeof **place);
		if (*place)
			wire_values_clear(*place);
	}
	return *place;
}

static int subject_of(const struct monitor_values *values, const struct wire_values *all)
{
	for (int i = 0; i < MONITOR_SUBJECTS; i++)
		if (values->held[i] == all)
			return i;
	return 0;
}

static void tell_values(struct monitor_values *values, int subject, json_t *said, json_t *all,
			monitor_value *tell, void *listener)
{
	char place[KEY_SIZE + 16];
	const char *key;
	json_t *value;

	json_object_foreach(all, key, value)
	{
		const char *text = json_string_value(value), *before;
		bool changed;

		snprintf(place, sizeof place, "%d %s", subject, key);
		before = json_string_value(json_object_get(values->shown, place));
		changed = !before || strcmp(before, text) != 0;
		if (changed)
			json_object_set(values->shown, place, value);
		if (changed || json_object_get(said, key))
			tell(listener, key, text, changed);
	}
}

int monitor_values_take(struct monitor_values *values, monitor_decode *decode, void *decoder,
			monitor_value *tell, void *listener)
{
	struct wire_values *alone = malloc(sizeof *alone), *all;
	json_t *said = NULL, *known = NULL;
	int err;

	if (!alone)
		return ERR_SPACE;
	wire_values_clear(alone);
	err = decode(decoder, alone);
	if (err)
		goto out;
	all = held(values, alone);
	if (!all || decode(decoder, all))
		goto out;
	said = flat_values(alone, values->scope);
	known = flat_values(all, values->scope);
	tell_values(values, subject_of(values, all), said, known, tell, listener);
out:
	json_decref(said);
	json_decref(known);
	free(alone);
	return err;
}
