// SPDX-License-Identifier: Apache-2.0
/* The columns of both series. A row that is added to the vocabulary of the battery is a column here
 * without further ado; sample.c fills the pack's columns in the order of this table. */
#include "columns.h"

#include <string.h>

#include "sample.h"

/* Of a pack only what explains the battery: 16 of them cost 16 times the wear. */
static const char *const pack_names[] = {
#define X(name, source) #name,
	SAMPLE_PACK_COLUMNS(X)
#undef X
};

_Static_assert(sizeof pack_names / sizeof pack_names[0] == SAMPLE_PACK_COUNT, "one name each");

static int ends_with(const char *text, const char *end)
{
	const size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* Extremes stay extremes; counters and states keep their last value; the rest is averaged. */
static enum rollup rollup_of(const struct field *field)
{
	if (!unit_is_thousandths(field->unit) || field->unit == UNIT_KWH)
		return ROLLUP_LAST;
	if (ends_with(field->name, "_min"))
		return ROLLUP_MIN;
	if (ends_with(field->name, "_max"))
		return ROLLUP_MAX;
	return ROLLUP_MEAN;
}

static const struct field *field_of(enum store_series series, int index)
{
	const struct field *field;

	if (series == STORE_BATTERY)
		return &field_battery.fields[index];
	field = field_find(&field_pack, pack_names[index]);
	/* extremes are no field of a pack; the battery's mean the same */
	return field ? field : field_find(&field_battery, pack_names[index]);
}

int column_count(enum store_series series)
{
	return series == STORE_BATTERY ? (int)field_battery.field_count : SAMPLE_PACK_COUNT;
}

struct column column_at(enum store_series series, int index)
{
	const struct field *field = field_of(series, index);

	return (struct column){field->name, field->json, field->unit, rollup_of(field)};
}

int store_column_find(enum store_series series, const char *json)
{
	for (int i = 0; i < column_count(series); i++)
		if (strcmp(column_at(series, i).json, json) == 0)
			return i;
	return -1;
}

enum unit store_column_unit(enum store_series series, int column)
{
	return column_at(series, column).unit;
}
