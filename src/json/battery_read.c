// SPDX-License-Identifier: Apache-2.0
/* Reading of the public JSON objects. Anything may come in: wrong types count as unknown, large
 * numbers saturate. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "onepack/err.h"
#include "onepack/json.h"

static int32_t saturate(double value)
{
	if (isnan(value))
		return FIELD_UNKNOWN;
	if (value >= INT32_MAX)
		return INT32_MAX;
	if (value <= -INT32_MAX)
		return -INT32_MAX; /* INT32_MIN is FIELD_UNKNOWN */
	return (int32_t)lround(value);
}

static int32_t read_number(const json_t *json, enum unit unit)
{
	if (json_is_boolean(json) && unit == UNIT_FLAG)
		return json_is_true(json);
	if (json_is_number(json)) {
		const double value = json_number_value(json);

		if (unit == UNIT_PCT && value > 99.999 && value < 100.0)
			return 99999; /* full means full: nothing below may round up to 100 % */
		return saturate(value * (unit_is_thousandths(unit) ? 1000.0 : 1.0));
	}
	if (json_is_string(json)) {
		const int value = unit_value(unit, json_string_value(json));

		return value < 0 ? FIELD_UNKNOWN : value;
	}
	return FIELD_UNKNOWN;
}

static void read_fields(const json_t *json, void *object, const struct field_table *table)
{
	for (size_t i = 0; i < table->field_count; i++) {
		const struct field *field = &table->fields[i];

		field_set(object, field,
			  read_number(json_object_get(json, field->json), field->unit));
	}
	for (size_t i = 0; i < table->text_count; i++) {
		const char *text = json_string_value(json_object_get(json, table->texts[i].name));

		snprintf((char *)object + table->texts[i].offset, FIELD_TEXT_SIZE, "%s",
			 text ? text : "");
	}
}

static alarm_set read_alarms(const json_t *list)
{
	alarm_set set = 0;
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		const int alarm =
			json_is_string(item) ? alarm_by_name(json_string_value(item)) : -1;

		if (alarm >= 0)
			set |= ALARM_BIT(alarm);
	}
	return set;
}

static int32_t read_values(const json_t *list, int32_t *out, int32_t max, enum unit unit)
{
	int32_t count = 0;
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		if (count == max)
			break;
		out[count++] = read_number(item, unit);
	}
	return count;
}

int json_to_pack(const json_t *json, struct pack *out)
{
	if (!json_is_object(json))
		return ERR_FORMAT;
	pack_clear(out);
	read_fields(json, out, &field_pack);
	out->cell_count = read_values(json_object_get(json, "cells_v"), out->cells_mv,
				      ONEPACK_MAX_CELLS, UNIT_V);
	out->temperature_count =
		read_values(json_object_get(json, "temperatures_c"), out->temperatures_mC,
			    ONEPACK_MAX_TEMPERATURES, UNIT_C);
	out->protections = read_alarms(json_object_get(json, "protections"));
	out->warnings = read_alarms(json_object_get(json, "warnings"));
	read_fields(json_object_get(json, "settings"), &out->settings, &field_settings);
	return 0;
}

int json_to_battery(const json_t *json, struct battery *out)
{
	size_t i;
	json_t *item;

	if (!json_is_object(json))
		return ERR_FORMAT;
	battery_clear(out);
	read_fields(json, out, &field_battery);
	out->time_ms = json_time_parse(json_string_value(json_object_get(json, "time")));
	out->protections = read_alarms(json_object_get(json, "protections"));
	out->warnings = read_alarms(json_object_get(json, "warnings"));
	json_array_foreach(json_object_get(json, "packs"), i, item)
	{
		if (out->pack_count == ONEPACK_MAX_PACKS)
			break;
		if (json_to_pack(item, &out->packs[out->pack_count]) == 0)
			out->pack_count++;
	}
	return 0;
}
