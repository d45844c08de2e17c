// SPDX-License-Identifier: Apache-2.0
/* Values of a pack that are made from other values, the elements of `repeat:`, what a battery and a
 * pack have in common, and what the gateway knows about itself. */
#include <string.h>

#include "derived.h"

/* --- current in two parts --- */

static int32_t current_of(const struct layout *at)
{
	return at->scope == SCOPE_PACK ? pack_of(at)->current_ma : battery_of(at)->current_ma;
}

int32_t derived_charge_current(const struct layout *at)
{
	const int32_t current = current_of(at);

	return known(current) && current < 0 ? 0 : current;
}

int32_t derived_discharge_current(const struct layout *at)
{
	const int32_t current = current_of(at);

	if (!known(current))
		return current;
	return current < 0 ? -current : 0;
}

/* Charge and discharge are two magnitudes on the wire, at most one of them not zero. */
static void set_part_of_current(const struct layout *at, int32_t value)
{
	int32_t *current = at->scope == SCOPE_PACK ? &((struct pack *)at->target)->current_ma
						   : &((struct battery *)at->target)->current_ma;

	if (value || !known(*current))
		*current = value;
}

void derived_set_charge_current(const struct layout *at, int32_t value)
{
	set_part_of_current(at, value);
}

void derived_set_discharge_current(const struct layout *at, int32_t value)
{
	set_part_of_current(at, -value);
}

/* --- cells and sensors --- */

static int32_t get_element(const struct layout *at)
{
	return at->index < at->element_count ? at->elements[at->index] : FIELD_UNKNOWN;
}

struct pack *derived_pack_to_write(const struct layout *at)
{
	struct battery *battery = at->target;

	if (at->scope == SCOPE_PACK)
		return at->target;
	if (battery->pack_count == 0) { /* a battery seen as one pack */
		pack_clear(&battery->packs[0]);
		battery->pack_count = 1;
	}
	return &battery->packs[0];
}

static void put_element(int32_t *list, int32_t *count, int max, int index, int32_t value)
{
	if (index >= max)
		return;
	while (*count <= index)
		list[(*count)++] = FIELD_UNKNOWN;
	list[index] = value;
}

static void set_cell(const struct layout *at, int32_t value)
{
	struct pack *pack = derived_pack_to_write(at);

	put_element(pack->cells_mv, &pack->cell_count, ONEPACK_MAX_CELLS, at->index, value);
}

static void set_sensor(const struct layout *at, int32_t value)
{
	struct pack *pack = derived_pack_to_write(at);

	put_element(pack->temperatures_mC, &pack->temperature_count, ONEPACK_MAX_TEMPERATURES,
		    at->index, value);
}

static int cells_of(const struct layout *at, int32_t cells_mv[ONEPACK_MAX_CELLS])
{
	if (at->scope == SCOPE_BATTERY)
		return battery_cells(at->source, cells_mv);
	memcpy(cells_mv, pack_of(at)->cells_mv, sizeof pack_of(at)->cells_mv);
	return pack_of(at)->cell_count;
}

int32_t derived_cells_present(const struct layout *at)
{
	int32_t cells_mv[ONEPACK_MAX_CELLS];
	const int count = cells_of(at, cells_mv);
	uint32_t mask = 0;

	for (int i = 0; i < count; i++)
		mask |= (uint32_t)known(cells_mv[i]) << i;
	return (int32_t)(mask & INT32_MAX);
}

/* 1-based place of the lowest (sign 1) or highest (sign -1) cell of a pack, 0 = none known. */
static int extreme_cell(const struct pack *pack, int sign)
{
	int best = 0;

	for (int i = 0; i < pack->cell_count; i++)
		if (known(pack->cells_mv[i]) &&
		    (!best ||
		     (int64_t)sign * pack->cells_mv[i] < (int64_t)sign * pack->cells_mv[best - 1]))
			best = i + 1;
	return best;
}

static int32_t pack_cell(const struct pack *pack, int place)
{
	return place ? pack->cells_mv[place - 1] : FIELD_UNKNOWN;
}

static int32_t get_pack_cell_min(const struct layout *at)
{
	return pack_cell(pack_of(at), extreme_cell(pack_of(at), 1));
}

static int32_t get_pack_cell_max(const struct layout *at)
{
	return pack_cell(pack_of(at), extreme_cell(pack_of(at), -1));
}

static int32_t get_pack_cell_min_cell(const struct layout *at)
{
	const int place = extreme_cell(pack_of(at), 1);

	return place ? place : FIELD_UNKNOWN;
}

static int32_t get_pack_cell_max_cell(const struct layout *at)
{
	const int place = extreme_cell(pack_of(at), -1);

	return place ? place : FIELD_UNKNOWN;
}

static int32_t get_pack_cell_delta(const struct layout *at)
{
	return difference(get_pack_cell_max(at), get_pack_cell_min(at));
}

static int32_t get_pack_cell_mean(const struct layout *at)
{
	const struct pack *pack = pack_of(at);
	int64_t sum = 0;
	int count = 0;

	for (int i = 0; i < pack->cell_count; i++) {
		if (!known(pack->cells_mv[i]))
			continue;
		sum += pack->cells_mv[i];
		count++;
	}
	return count ? (int32_t)((sum + count / 2) / count) : FIELD_UNKNOWN;
}

static int32_t get_pack_power(const struct layout *at)
{
	const struct pack *pack = pack_of(at);

	if (!known(pack->voltage_mv) || !known(pack->current_ma))
		return FIELD_UNKNOWN;
	return narrow((int64_t)pack->voltage_mv * pack->current_ma / 1000);
}

/* --- the gateway itself --- */

static int32_t get_own_address(const struct layout *at)
{
	return wire_address(at->wire, at->ctx);
}

static int32_t get_uptime(const struct layout *at)
{
	return narrow(at->ctx->uptime_ms);
}

static int32_t get_uptime_s(const struct layout *at)
{
	return narrow(at->ctx->uptime_ms / 1000);
}

static int32_t get_uptime_ticks(const struct layout *at)
{
	return (int32_t)(at->ctx->uptime_ms / 100 & INT32_MAX);
}

#define SECONDS_TO_2020 1577836800

int64_t layout_local_time_s(const struct layout *at)
{
	if (at->ctx->local_time_s > 0 || at->scope != SCOPE_BATTERY)
		return at->ctx->local_time_s;
	return battery_of(at)->time_ms / 1000;
}

static int32_t get_local_time(const struct layout *at)
{
	const int64_t time_s = layout_local_time_s(at);

	return time_s <= SECONDS_TO_2020 ? FIELD_UNKNOWN : narrow(time_s - SECONDS_TO_2020);
}

/* --- the tables --- */

const struct derived derived_pack[] = {
	{{"charge_current", UNIT_A, NO_MEMBER, derived_charge_current, derived_set_charge_current},
	 -1,
	 "current while charging, else 0"},
	{{"discharge_current", UNIT_A, NO_MEMBER, derived_discharge_current,
	  derived_set_discharge_current},
	 -1,
	 "magnitude while discharging, else 0"},
	{{"cells_present", UNIT_COUNT, NO_MEMBER, derived_cells_present, NULL},
	 -1,
	 "bit 0 for the first cell ..."},
	{{"cell_min", UNIT_V, NO_MEMBER, get_pack_cell_min, NULL}, -1, "lowest cell"},
	{{"cell_max", UNIT_V, NO_MEMBER, get_pack_cell_max, NULL}, -1, "highest cell"},
	{{"cell_min_cell", UNIT_COUNT, NO_MEMBER, get_pack_cell_min_cell, NULL},
	 -1,
	 "number of the lowest cell"},
	{{"cell_max_cell", UNIT_COUNT, NO_MEMBER, get_pack_cell_max_cell, NULL},
	 -1,
	 "number of the highest cell"},
	{{"cell_delta", UNIT_V, NO_MEMBER, get_pack_cell_delta, NULL},
	 -1,
	 "highest minus lowest cell"},
	{{"cell_mean", UNIT_V, NO_MEMBER, get_pack_cell_mean, NULL}, -1, "mean of the cells"},
	{{"power", UNIT_W, NO_MEMBER, get_pack_power, NULL}, -1, "voltage times current"},
	{{NULL, 0, 0, NULL, NULL}, -1, NULL},
};

const struct derived derived_any[] = {
	{{"cell", UNIT_V, NO_MEMBER, get_element, set_cell},
	 REPEAT_CELLS,
	 "the cell of this round of `repeat: cells`"},
	{{"sensor", UNIT_C, NO_MEMBER, get_element, set_sensor},
	 REPEAT_TEMPERATURES,
	 "the sensor of this round of `repeat: temperatures`"},
	{{"own_address", UNIT_COUNT, NO_MEMBER, get_own_address, NULL}, -1, "address on this bus"},
	{{"uptime", UNIT_S, NO_MEMBER, get_uptime, NULL}, -1, "of the gateway"},
	{{"uptime_s", UNIT_COUNT, NO_MEMBER, get_uptime_s, NULL},
	 -1,
	 "of the gateway in seconds; goes on after the 24 days of `uptime`"},
	{{"uptime_ticks", UNIT_COUNT, NO_MEMBER, get_uptime_ticks, NULL},
	 -1,
	 "of the gateway in 0.1 s; begins again after 6.8 years"},
	{{"local_time", UNIT_COUNT, NO_MEMBER, get_local_time, NULL},
	 -1,
	 "seconds since 2020-01-01 00:00 local time"},
	{{NULL, 0, 0, NULL, NULL}, -1, NULL},
};
