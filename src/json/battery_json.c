// SPDX-License-Identifier: Apache-2.0
/* Writing of the public JSON objects, driven by the vocabulary tables. Key names and their meaning:
 * contracts of the public API, docs/api.md. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "onepack/json.h"

static json_t *number(int32_t value, enum unit unit)
{
	const char *word;

	if (value == FIELD_UNKNOWN)
		return json_null();
	if (unit == UNIT_FLAG)
		return json_boolean(value != 0);
	if (unit_is_thousandths(unit))
		return json_real((double)value / 1000.0);
	word = unit_word(unit, value);
	return word ? json_string(word) : json_integer(value);
}

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

/* Text from a bus may be any bytes; what is not UTF-8 is shown as '?' rather than lost. */
static json_t *bus_text(const char *text)
{
	json_t *json = text_or_null(text);
	char clean[FIELD_TEXT_SIZE];

	if (json)
		return json;
	for (size_t i = 0; i < sizeof clean; i++)
		clean[i] = (unsigned char)text[i] > 126 ? '?' : text[i];
	clean[sizeof clean - 1] = '\0';
	return json_string(clean);
}

static void add_fields(json_t *json, const void *object, const struct field_table *table)
{
	for (size_t i = 0; i < table->text_count; i++)
		json_object_set_new(json, table->texts[i].name,
				    bus_text((const char *)object + table->texts[i].offset));
	for (size_t i = 0; i < table->field_count; i++)
		json_object_set_new(
			json, table->fields[i].json,
			number(field_get(object, &table->fields[i]), table->fields[i].unit));
}

static json_t *alarms(alarm_set set)
{
	json_t *list = json_array();

	for (int i = 0; i < ALARM_COUNT; i++)
		if (set & ALARM_BIT(i))
			json_array_append_new(list, json_string(alarm_name((enum alarm)i)));
	return list;
}

static json_t *values(const int32_t *value, int32_t count, enum unit unit)
{
	json_t *list = json_array();

	for (int32_t i = 0; i < count; i++)
		json_array_append_new(list, number(value[i], unit));
	return list;
}

static json_t *runner_up(const struct runner_up *next)
{
	json_t *json;

	if (!next->rule[0])
		return json_null();
	json = json_object();
	json_object_set_new(json, "value", number(next->value, UNIT_A));
	json_object_set_new(json, "rule", json_string(next->rule));
	json_object_set_new(json, "pack", number(next->pack, UNIT_COUNT));
	json_object_set_new(json, "cell", number(next->cell, UNIT_COUNT));
	json_object_set_new(json, "text", text_or_null(next->text));
	return json;
}

json_t *json_from_reason(const struct reason *reason)
{
	json_t *json = json_object();

	json_object_set_new(json, "limit", json_string(limit_name(reason->limit)));
	json_object_set_new(json, "value", number(reason->value, UNIT_A));
	json_object_set_new(json, "rule", text_or_null(reason->rule));
	json_object_set_new(json, "pack", number(reason->pack, UNIT_COUNT));
	json_object_set_new(json, "cell", number(reason->cell, UNIT_COUNT));
	json_object_set_new(json, "text", text_or_null(reason->text));
	json_object_set_new(json, "runner_up", runner_up(&reason->runner_up));
	return json;
}

static json_t *reasons(const struct battery *battery)
{
	json_t *list = json_array();

	for (int i = 0; i < battery->reason_count; i++)
		json_array_append_new(list, json_from_reason(&battery->reasons[i]));
	return list;
}

json_t *json_from_pack(const struct pack *pack)
{
	json_t *json = json_object();

	add_fields(json, pack, &field_pack);
	json_object_set_new(json, "cells_v", values(pack->cells_mv, pack->cell_count, UNIT_V));
	json_object_set_new(json, "temperatures_c",
			    values(pack->temperatures_mC, pack->temperature_count, UNIT_C));
	json_object_set_new(json, "protections", alarms(pack->protections));
	json_object_set_new(json, "warnings", alarms(pack->warnings));
	return json;
}

json_t *json_from_settings(const struct pack_settings *settings)
{
	json_t *json = json_object();

	json_add_known(json, settings, &field_settings);
	return json;
}

json_t *json_from_battery_without_packs(const struct battery *battery)
{
	json_t *json = json_object();
	char time[JSON_TIME_SIZE];

	json_time_text(battery->time_ms, time);
	json_object_set_new(json, "time", text_or_null(time));
	add_fields(json, battery, &field_battery);
	json_object_set_new(json, "protections", alarms(battery->protections));
	json_object_set_new(json, "warnings", alarms(battery->warnings));
	json_object_set_new(json, "reasons", reasons(battery));
	return json;
}

json_t *json_from_battery(const struct battery *battery)
{
	json_t *json = json_from_battery_without_packs(battery), *packs = json_array();

	for (int i = 0; i < battery->pack_count; i++)
		json_array_append_new(packs, json_from_pack(&battery->packs[i]));
	json_object_set_new(json, "packs", packs);
	return json;
}

int json_add_known(json_t *json, const void *object, const struct field_table *table)
{
	int added = 0;

	for (size_t i = 0; i < table->text_count; i++) {
		const char *text = (const char *)object + table->texts[i].offset;

		if (text[0])
			added += json_object_set_new(json, table->texts[i].name, bus_text(text)) ==
				 0;
	}
	for (size_t i = 0; i < table->field_count; i++) {
		const int32_t value = field_get(object, &table->fields[i]);

		if (value != FIELD_UNKNOWN)
			added += json_object_set_new(json, table->fields[i].json,
						     number(value, table->fields[i].unit)) == 0;
	}
	return added;
}

static void add_known_alarms(json_t *json, alarm_set protections, alarm_set warnings)
{
	if (protections)
		json_object_set_new(json, "protections", alarms(protections));
	if (warnings)
		json_object_set_new(json, "warnings", alarms(warnings));
}

json_t *json_known_pack(const struct pack *pack)
{
	json_t *json = json_object(), *settings = json_from_settings(&pack->settings);

	json_add_known(json, pack, &field_pack);
	if (pack->cell_count)
		json_object_set_new(json, "cells_v",
				    values(pack->cells_mv, pack->cell_count, UNIT_V));
	if (pack->temperature_count)
		json_object_set_new(json, "temperatures_c",
				    values(pack->temperatures_mC, pack->temperature_count, UNIT_C));
	add_known_alarms(json, pack->protections, pack->warnings);
	if (json_object_size(settings))
		json_object_set(json, "settings", settings);
	json_decref(settings);
	return json;
}

json_t *json_known_battery(const struct battery *battery)
{
	json_t *json = json_object(), *packs = json_array();

	json_add_known(json, battery, &field_battery);
	add_known_alarms(json, battery->protections, battery->warnings);
	for (int i = 0; i < battery->pack_count; i++)
		json_array_append_new(packs, json_known_pack(&battery->packs[i]));
	if (battery->pack_count)
		json_object_set(json, "packs", packs);
	json_decref(packs);
	return json;
}

void json_time_text(int64_t time_ms, char text[JSON_TIME_SIZE])
{
	const time_t seconds = (time_t)(time_ms / 1000);
	struct tm utc;
	size_t used;

	text[0] = '\0';
	if (time_ms <= 0 || !gmtime_r(&seconds, &utc))
		return;
	used = strftime(text, JSON_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + used, JSON_TIME_SIZE - used, ".%03dZ", (int)(time_ms % 1000));
}

int64_t json_time_parse(const char *text)
{
	struct tm utc = {0};
	double seconds = 0;

	if (!text || sscanf(text, "%d-%d-%dT%d:%d:%lfZ", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
			    &utc.tm_hour, &utc.tm_min, &seconds) != 6)
		return 0;
	utc.tm_year -= 1900;
	utc.tm_mon -= 1;
	return (int64_t)timegm(&utc) * 1000 + (int64_t)(seconds * 1000 + 0.5);
}
