// SPDX-License-Identifier: Apache-2.0
/* Values of a battery that are made from other values: differences, extremes over its packs, flags.
 */
#include <string.h>

#include "derived.h"

int battery_sensors(const struct battery *battery, int32_t out[ONEPACK_MAX_TEMPERATURES])
{
	const int32_t mean = battery->temperature_mC;

	for (int i = 0; i < ONEPACK_MAX_TEMPERATURES; i++)
		out[i] = mean;
	if (known(battery->mos_temperature_max_mC))
		out[0] = battery->mos_temperature_max_mC;
	if (known(battery->temperature_max_mC))
		out[1] = battery->temperature_max_mC;
	if (known(battery->temperature_min_mC))
		out[2] = battery->temperature_min_mC;
	return ONEPACK_MAX_TEMPERATURES;
}

static int32_t get_power(const struct layout *at)
{
	const struct battery *battery = battery_of(at);

	if (known(battery->power_mw) || !known(battery->voltage_mv) || !known(battery->current_ma))
		return battery->power_mw;
	return narrow((int64_t)battery->voltage_mv * battery->current_ma / 1000);
}

/* The state by the current, when nobody says it. */
static int32_t get_state(const struct layout *at)
{
	const struct battery *battery = battery_of(at);

	if (known(battery->state) || !known(battery->current_ma))
		return battery->state;
	if (battery->current_ma == 0)
		return BATTERY_STANDBY;
	return battery->current_ma > 0 ? BATTERY_CHARGING : BATTERY_DISCHARGING;
}

static int32_t get_is_charging(const struct layout *at)
{
	return get_state(at) == BATTERY_CHARGING;
}

static int32_t get_is_discharging(const struct layout *at)
{
	return get_state(at) == BATTERY_DISCHARGING;
}

static int32_t get_is_full(const struct layout *at)
{
	return battery_of(at)->soc_mpct >= 100000;
}

static int32_t get_charge_requested(const struct layout *at)
{
	const int32_t force = battery_of(at)->force_charge;

	return known(force) && force != FORCE_NONE;
}

static void set_charge_requested(const struct layout *at, int32_t value)
{
	((struct battery *)at->target)->force_charge = value ? FORCE_SOFT : FORCE_NONE;
}

static bool has_alarm(const struct battery *battery, alarm_set alarms)
{
	return (battery->protections | battery->warnings) & alarms;
}

static int32_t get_any_protection(const struct layout *at)
{
	return battery_of(at)->protections != 0 || battery_is_mute(battery_of(at));
}

static int32_t get_sp_status(const struct layout *at)
{
	if (!wire_option(at->wire, at->ctx, "sp_status", 0))
		return 0;
	switch (get_state(at)) {
	case BATTERY_CHARGING: return 2;
	case BATTERY_DISCHARGING: return 3;
	}
	return 1;
}

static int32_t get_balanced(const struct layout *at)
{
	return !has_alarm(battery_of(at), ALARM_BIT(ALARM_cell_imbalance));
}

/* The temperature that matters: the hottest, or the coldest when it is too cold. */
static int32_t get_temperature_worst(const struct layout *at)
{
	const struct battery *battery = battery_of(at);
	const alarm_set cold = ALARM_BIT(ALARM_charge_undertemperature) |
			       ALARM_BIT(ALARM_discharge_undertemperature);
	const int32_t worst = has_alarm(battery, cold) ? battery->temperature_min_mC
						       : battery->temperature_max_mC;

	return known(worst) ? worst : battery->temperature_mC;
}

#define LFP_CELL_MV 3200 /* nominal */

static int32_t get_nominal_energy(const struct layout *at)
{
	const struct battery *battery = battery_of(at);

	if (!known(battery->capacity_mah) || !known(battery->cells_in_series))
		return FIELD_UNKNOWN;
	return narrow((int64_t)narrow((int64_t)battery->capacity_mah * LFP_CELL_MV / 1000) *
		      battery->cells_in_series / 1000);
}

/* 1 below, 2 above its limits, else 0; said by the battery's alarms, of its extreme cells. */
static int32_t get_cell_state(const struct layout *at)
{
	const struct battery *battery = battery_of(at);
	const int32_t cell = at->index + 1;

	if (has_alarm(battery, ALARM_BIT(ALARM_cell_overvoltage)) &&
	    cell == (known(battery->cell_max_cell) ? battery->cell_max_cell : 1))
		return 2;
	return has_alarm(battery, ALARM_BIT(ALARM_cell_undervoltage)) &&
	       cell == (known(battery->cell_min_cell) ? battery->cell_min_cell : 1);
}

static int32_t get_cell_state_or_f0(const struct layout *at)
{
	return at->index < at->element_count ? get_cell_state(at) : 0xF0;
}

static int32_t get_cell_delta(const struct layout *at)
{
	return difference(battery_of(at)->cell_max_mv, battery_of(at)->cell_min_mv);
}

static int32_t across_rack(int32_t pack, int32_t cells, int32_t cell)
{
	if (!known(cell))
		return FIELD_UNKNOWN;
	return known(pack) && pack >= 1 && known(cells) ? narrow((int64_t)(pack - 1) * cells + cell)
							: cell;
}

static int32_t get_cell_min_number(const struct layout *at)
{
	const struct battery *battery = battery_of(at);

	return across_rack(battery->cell_min_pack, battery->cells_in_series,
			   battery->cell_min_cell);
}

static int32_t get_cell_max_number(const struct layout *at)
{
	const struct battery *battery = battery_of(at);

	return across_rack(battery->cell_max_pack, battery->cells_in_series,
			   battery->cell_max_cell);
}

static void split_number(int32_t cells, int32_t number, int32_t *pack, int32_t *cell)
{
	if (number < 1)
		return;
	*pack = known(cells) && cells > 0 ? (number - 1) / cells + 1 : *pack;
	*cell = known(cells) && cells > 0 ? (number - 1) % cells + 1 : number;
}

static void set_cell_min_number(const struct layout *at, int32_t value)
{
	struct battery *battery = at->target;

	split_number(battery->cells_in_series, value, &battery->cell_min_pack,
		     &battery->cell_min_cell);
}

static void set_cell_max_number(const struct layout *at, int32_t value)
{
	struct battery *battery = at->target;

	split_number(battery->cells_in_series, value, &battery->cell_max_pack,
		     &battery->cell_max_cell);
}

static int32_t get_cells_total(const struct layout *at)
{
	const struct battery *battery = battery_of(at);
	const int32_t packs = battery->packs_online;

	if (!known(battery->cells_in_series))
		return FIELD_UNKNOWN;
	return narrow((int64_t)battery->cells_in_series * (known(packs) && packs > 1 ? packs : 1));
}

static void set_cells_total(const struct layout *at, int32_t value)
{
	struct battery *battery = at->target;
	const bool alone = !known(battery->packs_online) || battery->packs_online < 1;
	const int32_t packs = alone ? 1 : battery->packs_online;

	if (value % packs == 0)
		battery->cells_in_series = value / packs;
}

static int32_t get_packs_offline(const struct layout *at)
{
	const struct battery *battery = battery_of(at);
	const int32_t offline = difference(battery->packs_total, battery->packs_online);

	return known(offline) && offline < 0 ? 0 : offline;
}

static void set_packs_offline(const struct layout *at, int32_t value)
{
	struct battery *battery = at->target;

	if (known(battery->packs_online))
		battery->packs_total = narrow((int64_t)battery->packs_online + value);
}

/* --- extremes over the packs of a battery --- */

int32_t derived_extreme(const struct battery *battery, size_t offset, int sign)
{
	int32_t best = FIELD_UNKNOWN;

	for (int i = 0; i < battery->pack_count; i++) {
		int32_t value;

		memcpy(&value, (const char *)&battery->packs[i] + offset, sizeof value);
		if (known(value) && (!known(best) || (int64_t)sign * value < (int64_t)sign * best))
			best = value;
	}
	return best;
}

static int32_t get_soc_min(const struct layout *at)
{
	return known_or(derived_extreme(battery_of(at), offsetof(struct pack, soc_mpct), 1),
			battery_of(at)->soc_mpct);
}

static int32_t get_soc_max(const struct layout *at)
{
	return known_or(derived_extreme(battery_of(at), offsetof(struct pack, soc_mpct), -1),
			battery_of(at)->soc_mpct);
}

static int32_t get_soh_min(const struct layout *at)
{
	return known_or(derived_extreme(battery_of(at), offsetof(struct pack, soh_mpct), 1),
			battery_of(at)->soh_mpct);
}

static int32_t get_cycles_max(const struct layout *at)
{
	return known_or(derived_extreme(battery_of(at), offsetof(struct pack, cycles), -1),
			battery_of(at)->cycles);
}

static int32_t get_mos_temperature_min(const struct layout *at)
{
	return known_or(
		derived_extreme(battery_of(at), offsetof(struct pack, mos_temperature_mC), 1),
		battery_of(at)->mos_temperature_max_mC);
}

/* --- flags of the packs: set when any pack says so, unknown when none speaks of it --- */

static int32_t get_balancing(const struct layout *at)
{
	return derived_extreme(battery_of(at), offsetof(struct pack, balancing), -1);
}

static int32_t get_heater(const struct layout *at)
{
	return derived_extreme(battery_of(at), offsetof(struct pack, heater), -1);
}

#define OF(name) offsetof(struct battery, name)

const struct derived derived_battery[] = {
	{{"power", UNIT_W, OF(power_mw), get_power, NULL}, -1, "else voltage times current"},
	{{"state", UNIT_BATTERY_STATE, OF(state), get_state, NULL},
	 -1,
	 "else by the sign of the current"},
	{{"is_charging", UNIT_FLAG, NO_MEMBER, get_is_charging, NULL}, -1, "state is charging"},
	{{"is_discharging", UNIT_FLAG, NO_MEMBER, get_is_discharging, NULL},
	 -1,
	 "state is discharging"},
	{{"is_full", UNIT_FLAG, NO_MEMBER, get_is_full, NULL}, -1, "state of charge is 100"},
	{{"charge_requested", UNIT_FLAG, NO_MEMBER, get_charge_requested, set_charge_requested},
	 -1,
	 "force_charge is soft or urgent"},
	{{"any_protection", UNIT_FLAG, NO_MEMBER, get_any_protection, NULL},
	 -1,
	 "some protection is active, or there is no data"},
	{{"sp_status", UNIT_COUNT, NO_MEMBER, get_sp_status, NULL},
	 -1,
	 "with the option sp_status: 1 standby, 2 charging, 3 discharging; else 0"},
	{{"balanced", UNIT_FLAG, NO_MEMBER, get_balanced, NULL}, -1, "no alarm cell_imbalance"},
	{{"temperature_worst", UNIT_C, OF(temperature_mC), get_temperature_worst, NULL},
	 -1,
	 "hottest sensor; coldest while it is too cold; else the mean"},
	{{"nominal_energy", UNIT_KWH, NO_MEMBER, get_nominal_energy, NULL},
	 -1,
	 "capacity times 3.2 V times cells_in_series"},
	{{"cell_state", UNIT_COUNT, NO_MEMBER, get_cell_state, NULL},
	 REPEAT_CELLS,
	 "1 below, 2 above its limits, by the battery's alarms"},
	{{"cell_state_or_f0", UNIT_COUNT, NO_MEMBER, get_cell_state_or_f0, NULL},
	 REPEAT_CELLS,
	 "cell_state; F0 where there is no cell"},
	{{"cell_delta", UNIT_V, NO_MEMBER, get_cell_delta, NULL}, -1, "highest minus lowest cell"},
	{{"cell_min_number", UNIT_COUNT, NO_MEMBER, get_cell_min_number, set_cell_min_number},
	 -1,
	 "lowest cell, counted across the rack"},
	{{"cell_max_number", UNIT_COUNT, NO_MEMBER, get_cell_max_number, set_cell_max_number},
	 -1,
	 "highest cell, counted across the rack"},
	{{"cells_total", UNIT_COUNT, NO_MEMBER, get_cells_total, set_cells_total},
	 -1,
	 "cells_in_series times packs_online"},
	{{"packs_offline", UNIT_COUNT, NO_MEMBER, get_packs_offline, set_packs_offline},
	 -1,
	 "packs_total minus packs_online"},
	{{"soc_min", UNIT_PCT, NO_MEMBER, get_soc_min, NULL}, -1, "lowest of the packs"},
	{{"soc_max", UNIT_PCT, NO_MEMBER, get_soc_max, NULL}, -1, "highest of the packs"},
	{{"soh_min", UNIT_PCT, OF(soh_mpct), get_soh_min, NULL}, -1, "lowest of the packs"},
	{{"cycles_max", UNIT_COUNT, OF(cycles), get_cycles_max, NULL}, -1, "most of the packs"},
	{{"mos_temperature_min", UNIT_C, NO_MEMBER, get_mos_temperature_min, NULL},
	 -1,
	 "coldest power switches of the packs"},
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
	{{"balancing", UNIT_FLAG, NO_MEMBER, get_balancing, NULL}, -1, "some pack is balancing"},
	{{"heater", UNIT_FLAG, NO_MEMBER, get_heater, NULL}, -1, "the heater of some pack is on"},
	{{NULL, 0, 0, NULL, NULL}, -1, NULL},
};
