// SPDX-License-Identifier: Apache-2.0
/* From a battery to a row of numbers. Pure: times are arguments. */
#include "sample.h"

#include <stdlib.h>
#include <string.h>

static int32_t lowest(const int32_t *values, int32_t count)
{
	int32_t found = FIELD_UNKNOWN;

	for (int32_t i = 0; i < count; i++)
		if (values[i] != FIELD_UNKNOWN && (found == FIELD_UNKNOWN || values[i] < found))
			found = values[i];
	return found;
}

static int32_t highest(const int32_t *values, int32_t count)
{
	int32_t found = FIELD_UNKNOWN; /* the lowest number there is */

	for (int32_t i = 0; i < count; i++)
		if (values[i] > found)
			found = values[i];
	return found;
}

#define FROM_FIELD(name)           field_get(pack, field_find(&field_pack, #name))
#define FROM_CELL_MIN(name)        lowest(pack->cells_mv, pack->cell_count)
#define FROM_CELL_MAX(name)        highest(pack->cells_mv, pack->cell_count)
#define FROM_TEMPERATURE_MIN(name) lowest(pack->temperatures_mC, pack->temperature_count)
#define FROM_TEMPERATURE_MAX(name) highest(pack->temperatures_mC, pack->temperature_count)

static void take_pack(const struct pack *pack, int32_t *values)
{
#define X(name, how) values[SAMPLE_PACK_##name] = FROM_##how(name);
	SAMPLE_PACK_COLUMNS(X)
#undef X
}

void sample_take(const struct battery *battery, int64_t monotonic_ms, int64_t wall_ms,
		 struct sample *out)
{
	out->monotonic_ms = monotonic_ms;
	out->wall_ms = wall_ms;
	for (size_t i = 0; i < SAMPLE_BATTERY_COUNT; i++)
		out->battery[i] = field_get(battery, &field_battery.fields[i]);
	out->pack_count = 0;
	for (int i = 0; i < battery->pack_count; i++) {
		const struct pack *pack = &battery->packs[i];

		if (pack->pack < 1 || pack->state == PACK_ABSENT)
			continue;
		out->pack_number[out->pack_count] = pack->pack;
		take_pack(pack, out->pack[out->pack_count]);
		out->pack_count++;
	}
}

static bool is_other_value(int32_t before, int32_t after)
{
	const int64_t difference = (int64_t)after - before;

	if (difference == 0)
		return false;
	return before == 0 || after == 0 || llabs(difference) * 20 > llabs((int64_t)before);
}

static bool is_news(const struct reason *before, const struct reason *after, bool thorough)
{
	if (strcmp(before->rule, after->rule) != 0)
		return true;
	return thorough && (before->pack != after->pack || before->cell != after->cell ||
			    is_other_value(before->value, after->value));
}

int reason_changes(struct reason_memory *memory, const struct battery *battery, bool thorough,
		   struct reason out[LIMIT_COUNT])
{
	int count = 0;

	for (int i = 0; i < battery->reason_count; i++) {
		const struct reason *reason = &battery->reasons[i];
		const unsigned limit = reason->limit;

		if (limit >= LIMIT_COUNT || count == LIMIT_COUNT)
			continue;
		if (memory->known[limit] && !is_news(&memory->last[limit], reason, thorough))
			continue;
		memory->known[limit] = true;
		memory->last[limit] = *reason;
		out[count++] = *reason;
	}
	return count;
}
