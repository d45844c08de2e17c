// SPDX-License-Identifier: Apache-2.0
/* Names that protocol files may use besides the vocabulary: values made from other values, and the
 * vocabulary's limits with the rules that hold for every protocol (no current when blocked or
 * unknown, never a charge voltage of zero). One row each, at the end of this file. */
#include <stdlib.h>
#include <string.h>

#include "layout.h"

#define NEAR_VOLTAGE_MV 200 /* Victron: a charge voltage further below makes a GX discharge */

static const struct battery *battery_of(const struct layout *at)
{
	return at->source;
}

static const struct pack *pack_of(const struct layout *at)
{
	return at->source;
}

static bool known(int32_t value)
{
	return value != FIELD_UNKNOWN;
}

static int32_t narrow(int64_t value)
{
	if (value > INT32_MAX)
		return INT32_MAX;
	return value < -INT32_MAX ? -INT32_MAX : (int32_t)value;
}

static int32_t difference(int32_t high, int32_t low)
{
	return known(high) && known(low) ? narrow((int64_t)high - low) : FIELD_UNKNOWN;
}

bool battery_is_mute(const struct battery *battery)
{
	return battery->state == BATTERY_NO_DATA || (!known(battery->charge_current_limit_ma) &&
						     !known(battery->discharge_current_limit_ma));
}

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

/* --- limits of the battery --- */

static bool charge_is_blocked(const struct battery *battery)
{
	return battery->charge_allowed == 0 || !known(battery->charge_current_limit_ma);
}

static bool discharge_is_blocked(const struct battery *battery)
{
	return battery->discharge_allowed == 0 || !known(battery->discharge_current_limit_ma);
}

static int32_t get_charge_current_limit(const struct layout *at)
{
	const struct battery *battery = battery_of(at);

	return charge_is_blocked(battery) || battery->charge_current_limit_ma < 0
		       ? 0
		       : battery->charge_current_limit_ma;
}

static int32_t get_discharge_current_limit(const struct layout *at)
{
	const struct battery *battery = battery_of(at);

	return discharge_is_blocked(battery) || battery->discharge_current_limit_ma < 0
		       ? 0
		       : battery->discharge_current_limit_ma;
}

static int32_t get_charge_allowed(const struct layout *at)
{
	const struct battery *battery = battery_of(at);

	return battery->charge_allowed == 1 && !charge_is_blocked(battery);
}

static int32_t get_discharge_allowed(const struct layout *at)
{
	const struct battery *battery = battery_of(at);

	return battery->discharge_allowed == 1 && !discharge_is_blocked(battery);
}

static int32_t get_charge_voltage_at_rest(const struct layout *at)
{
	const struct battery *battery = battery_of(at);
	const int32_t limit = battery->charge_voltage_limit_mv, voltage = battery->voltage_mv;

	if (charge_is_blocked(battery) && discharge_is_blocked(battery) && known(voltage) &&
	    (!known(limit) || voltage < limit))
		return voltage;
	return limit;
}

static int32_t get_charge_voltage_held(const struct layout *at)
{
	const struct battery *battery = battery_of(at);
	const int32_t voltage = battery->voltage_mv;
	int32_t target = battery->charge_voltage_limit_mv;

	if (!known(voltage))
		return target;
	if (!known(target) || (charge_is_blocked(battery) && target > voltage))
		target = voltage;
	return target < voltage - NEAR_VOLTAGE_MV ? voltage - NEAR_VOLTAGE_MV : target;
}

static void set_charge_voltage(const struct layout *at, int32_t value)
{
	((struct battery *)at->target)->charge_voltage_limit_mv = value;
}

/* --- made from others --- */

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
	return narrow((int64_t)battery->capacity_mah * LFP_CELL_MV / 1000 *
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

static int32_t current_of(const struct layout *at)
{
	return at->scope == SCOPE_PACK ? pack_of(at)->current_ma : battery_of(at)->current_ma;
}

static int32_t get_charge_current(const struct layout *at)
{
	const int32_t current = current_of(at);

	return known(current) && current < 0 ? 0 : current;
}

static int32_t get_discharge_current(const struct layout *at)
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

static void set_charge_current(const struct layout *at, int32_t value)
{
	set_part_of_current(at, value);
}

static void set_discharge_current(const struct layout *at, int32_t value)
{
	set_part_of_current(at, -value);
}

/* --- extremes over the packs of a battery --- */

/* The least (sign 1) or the greatest (sign -1) of a pack field over the packs that know it. */
static int32_t extreme(const struct battery *battery, size_t offset, int sign)
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

static int32_t known_or(int32_t value, int32_t other)
{
	return known(value) ? value : other;
}

static int32_t get_soc_min(const struct layout *at)
{
	return known_or(extreme(battery_of(at), offsetof(struct pack, soc_mpct), 1),
			battery_of(at)->soc_mpct);
}

static int32_t get_soc_max(const struct layout *at)
{
	return known_or(extreme(battery_of(at), offsetof(struct pack, soc_mpct), -1),
			battery_of(at)->soc_mpct);
}

static int32_t get_soh_min(const struct layout *at)
{
	return known_or(extreme(battery_of(at), offsetof(struct pack, soh_mpct), 1),
			battery_of(at)->soh_mpct);
}

static int32_t get_cycles_max(const struct layout *at)
{
	return known_or(extreme(battery_of(at), offsetof(struct pack, cycles), -1),
			battery_of(at)->cycles);
}

static int32_t get_mos_temperature_min(const struct layout *at)
{
	return known_or(extreme(battery_of(at), offsetof(struct pack, mos_temperature_mC), 1),
			battery_of(at)->mos_temperature_max_mC);
}

/* --- cells and sensors --- */

static int32_t get_element(const struct layout *at)
{
	return at->index < at->element_count ? at->elements[at->index] : FIELD_UNKNOWN;
}

static struct pack *pack_to_write(const struct layout *at)
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
	struct pack *pack = pack_to_write(at);

	put_element(pack->cells_mv, &pack->cell_count, ONEPACK_MAX_CELLS, at->index, value);
}

static void set_sensor(const struct layout *at, int32_t value)
{
	struct pack *pack = pack_to_write(at);

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

static int32_t get_cells_present(const struct layout *at)
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
		    (!best || sign * (pack->cells_mv[i] - pack->cells_mv[best - 1]) < 0))
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

/* --- the table --- */

#define ANY_SCOPE (-1)
#define NO_MEMBER SIZE_MAX
#define OF(name)  offsetof(struct battery, name)

static const struct {
	struct quantity quantity;
	int scope, repeat;
	const char *meaning;
} derived[] = {
	{{"charge_current_limit", UNIT_A, OF(charge_current_limit_ma), get_charge_current_limit,
	  NULL},
	 SCOPE_BATTERY,
	 -1,
	 "0 when charging is not allowed or the limit is unknown"},
	{{"discharge_current_limit", UNIT_A, OF(discharge_current_limit_ma),
	  get_discharge_current_limit, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "0 when discharging is not allowed or the limit is unknown"},
	{{"charge_allowed", UNIT_FLAG, OF(charge_allowed), get_charge_allowed, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "no when unknown, or when the limit is"},
	{{"discharge_allowed", UNIT_FLAG, OF(discharge_allowed), get_discharge_allowed, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "no when unknown, or when the limit is"},
	{{"charge_voltage_at_rest", UNIT_V, NO_MEMBER, get_charge_voltage_at_rest,
	  set_charge_voltage},
	 SCOPE_BATTERY,
	 -1,
	 "charge_voltage_limit; the present voltage, if lower, while both directions are blocked"},
	{{"charge_voltage_held", UNIT_V, NO_MEMBER, get_charge_voltage_held, set_charge_voltage},
	 SCOPE_BATTERY,
	 -1,
	 "charge_voltage_limit, at most the present voltage while charging is blocked, and never "
	 "more than 0.2 V below it"},
	{{"power", UNIT_W, OF(power_mw), get_power, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "else voltage times current"},
	{{"state", UNIT_BATTERY_STATE, OF(state), get_state, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "else by the sign of the current"},
	{{"is_charging", UNIT_FLAG, NO_MEMBER, get_is_charging, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "state is charging"},
	{{"is_discharging", UNIT_FLAG, NO_MEMBER, get_is_discharging, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "state is discharging"},
	{{"is_full", UNIT_FLAG, NO_MEMBER, get_is_full, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "state of charge is 100"},
	{{"charge_requested", UNIT_FLAG, NO_MEMBER, get_charge_requested, set_charge_requested},
	 SCOPE_BATTERY,
	 -1,
	 "force_charge is soft or urgent"},
	{{"any_protection", UNIT_FLAG, NO_MEMBER, get_any_protection, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "some protection is active, or there is no data"},
	{{"sp_status", UNIT_COUNT, NO_MEMBER, get_sp_status, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "with the option sp_status: 1 standby, 2 charging, 3 discharging; else 0"},
	{{"balanced", UNIT_FLAG, NO_MEMBER, get_balanced, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "no alarm cell_imbalance"},
	{{"temperature_worst", UNIT_C, OF(temperature_mC), get_temperature_worst, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "hottest sensor; coldest while it is too cold; else the mean"},
	{{"nominal_energy", UNIT_KWH, NO_MEMBER, get_nominal_energy, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "capacity times 3.2 V times cells_in_series"},
	{{"cell_state", UNIT_COUNT, NO_MEMBER, get_cell_state, NULL},
	 SCOPE_BATTERY,
	 REPEAT_CELLS,
	 "1 below, 2 above its limits, by the battery's alarms"},
	{{"cell_delta", UNIT_V, NO_MEMBER, get_cell_delta, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "highest minus lowest cell"},
	{{"cell_min_number", UNIT_COUNT, NO_MEMBER, get_cell_min_number, set_cell_min_number},
	 SCOPE_BATTERY,
	 -1,
	 "lowest cell, counted across the rack"},
	{{"cell_max_number", UNIT_COUNT, NO_MEMBER, get_cell_max_number, set_cell_max_number},
	 SCOPE_BATTERY,
	 -1,
	 "highest cell, counted across the rack"},
	{{"packs_offline", UNIT_COUNT, NO_MEMBER, get_packs_offline, set_packs_offline},
	 SCOPE_BATTERY,
	 -1,
	 "packs_total minus packs_online"},
	{{"soc_min", UNIT_PCT, NO_MEMBER, get_soc_min, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "lowest of the packs"},
	{{"soc_max", UNIT_PCT, NO_MEMBER, get_soc_max, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "highest of the packs"},
	{{"soh_min", UNIT_PCT, OF(soh_mpct), get_soh_min, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "lowest of the packs"},
	{{"cycles_max", UNIT_COUNT, OF(cycles), get_cycles_max, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "most of the packs"},
	{{"mos_temperature_min", UNIT_C, NO_MEMBER, get_mos_temperature_min, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "coldest power switches of the packs"},
	{{"charge_current", UNIT_A, NO_MEMBER, get_charge_current, set_charge_current},
	 SCOPE_BATTERY,
	 -1,
	 "current while charging, else 0"},
	{{"discharge_current", UNIT_A, NO_MEMBER, get_discharge_current, set_discharge_current},
	 SCOPE_BATTERY,
	 -1,
	 "magnitude while discharging, else 0"},
	{{"charge_current", UNIT_A, NO_MEMBER, get_charge_current, set_charge_current},
	 SCOPE_PACK,
	 -1,
	 "current while charging, else 0"},
	{{"discharge_current", UNIT_A, NO_MEMBER, get_discharge_current, set_discharge_current},
	 SCOPE_PACK,
	 -1,
	 "magnitude while discharging, else 0"},
	{{"cells_present", UNIT_COUNT, NO_MEMBER, get_cells_present, NULL},
	 SCOPE_BATTERY,
	 -1,
	 "bit 0 for the first cell ..."},
	{{"cells_present", UNIT_COUNT, NO_MEMBER, get_cells_present, NULL},
	 SCOPE_PACK,
	 -1,
	 "bit 0 for the first cell ..."},
	{{"cell_min", UNIT_V, NO_MEMBER, get_pack_cell_min, NULL}, SCOPE_PACK, -1, "lowest cell"},
	{{"cell_max", UNIT_V, NO_MEMBER, get_pack_cell_max, NULL}, SCOPE_PACK, -1, "highest cell"},
	{{"cell_min_cell", UNIT_COUNT, NO_MEMBER, get_pack_cell_min_cell, NULL},
	 SCOPE_PACK,
	 -1,
	 "number of the lowest cell"},
	{{"cell_max_cell", UNIT_COUNT, NO_MEMBER, get_pack_cell_max_cell, NULL},
	 SCOPE_PACK,
	 -1,
	 "number of the highest cell"},
	{{"cell_delta", UNIT_V, NO_MEMBER, get_pack_cell_delta, NULL},
	 SCOPE_PACK,
	 -1,
	 "highest minus lowest cell"},
	{{"cell_mean", UNIT_V, NO_MEMBER, get_pack_cell_mean, NULL},
	 SCOPE_PACK,
	 -1,
	 "mean of the cells"},
	{{"power", UNIT_W, NO_MEMBER, get_pack_power, NULL},
	 SCOPE_PACK,
	 -1,
	 "voltage times current"},
	{{"cell", UNIT_V, NO_MEMBER, get_element, set_cell},
	 ANY_SCOPE,
	 REPEAT_CELLS,
	 "the cell of this round of `repeat: cells`"},
	{{"sensor", UNIT_C, NO_MEMBER, get_element, set_sensor},
	 ANY_SCOPE,
	 REPEAT_TEMPERATURES,
	 "the sensor of this round of `repeat: temperatures`"},
	{{"own_address", UNIT_COUNT, NO_MEMBER, get_own_address, NULL},
	 ANY_SCOPE,
	 -1,
	 "address on this bus"},
	{{"uptime", UNIT_S, NO_MEMBER, get_uptime, NULL}, ANY_SCOPE, -1, "of the gateway"},
	{{"local_time", UNIT_COUNT, NO_MEMBER, get_local_time, NULL},
	 ANY_SCOPE,
	 -1,
	 "seconds since 2020-01-01 00:00 local time"},
};

#define DERIVED_COUNT ((int)(sizeof derived / sizeof derived[0]))

static bool is_in_scope(int row, enum scope scope)
{
	return derived[row].scope == ANY_SCOPE || derived[row].scope == (int)scope;
}

static bool find_field(const char *name, const struct field_table *table, size_t base,
		       struct quantity *out)
{
	const struct field *field = field_find(table, name);

	if (field)
		*out = (struct quantity){field->name, field->unit, base + field->offset, NULL,
					 NULL};
	return field != NULL;
}

bool quantity_find(const char *name, enum scope scope, int repeat, struct quantity *out)
{
	for (int i = 0; i < DERIVED_COUNT; i++) {
		if (!is_in_scope(i, scope) || strcmp(derived[i].quantity.name, name) != 0 ||
		    (derived[i].repeat >= 0 && derived[i].repeat != repeat))
			continue;
		*out = derived[i].quantity;
		return true;
	}
	if (scope == SCOPE_BATTERY)
		return find_field(name, &field_battery, 0, out);
	if (scope == SCOPE_INVERTER)
		return find_field(name, &field_inverter, 0, out);
	return find_field(name, &field_pack, 0, out) ||
	       find_field(name, &field_settings, offsetof(struct pack, settings), out);
}

const char *quantity_derived(enum scope scope, int n, const char **meaning)
{
	for (int i = 0; i < DERIVED_COUNT; i++) {
		if (!is_in_scope(i, scope) || n--)
			continue;
		*meaning = derived[i].meaning;
		return derived[i].quantity.name;
	}
	return NULL;
}

int32_t quantity_get(const struct layout *at, const struct quantity *quantity)
{
	int32_t value;

	if (quantity->get)
		return quantity->get(at);
	memcpy(&value, (const char *)at->source + quantity->offset, sizeof value);
	return value;
}

void quantity_set(const struct layout *at, const struct quantity *quantity, int32_t value)
{
	if (quantity->set)
		quantity->set(at, value);
	else if (quantity->offset != NO_MEMBER)
		memcpy((char *)at->target + quantity->offset, &value, sizeof value);
}
