// SPDX-License-Identifier: Apache-2.0
/* Values of a battery that only protocols on RS485 ask for: sensors as a list, times to full and to
 * empty, the size of one pack. */
#include "derived.h"

#define MINUTES_PER_HOUR 60
#define TENTHS_PER_HOUR  10

/* --- sensors: the hottest, the coldest, then the mean --- */

static int32_t first_known(const int32_t values[], int count)
{
	for (int i = 0; i < count; i++)
		if (known(values[i]))
			return values[i];
	return FIELD_UNKNOWN;
}

static int32_t get_cell_sensor(const struct layout *at)
{
	const struct battery *battery = battery_of(at);
	const int32_t hottest = battery->temperature_max_mC, coldest = battery->temperature_min_mC,
		      mean = battery->temperature_mC, mos = battery->mos_temperature_max_mC;

	switch (at->index) {
	case 0: return first_known((const int32_t[]){hottest, mean, coldest, mos}, 4);
	case 1: return first_known((const int32_t[]){coldest, mean, hottest, mos}, 4);
	}
	return first_known((const int32_t[]){mean, hottest, coldest, mos}, 4);
}

/* NIU: the two hottest, then the two coldest. */
static int32_t get_niu_sensor(const struct layout *at)
{
	struct layout one = *at;

	one.index = at->index < 2 ? 0 : 1;
	return get_cell_sensor(&one);
}

/* Of the sensors of a real pack, in any order, only the extremes can be kept. */
static void set_cell_sensor(const struct layout *at, int32_t value)
{
	struct battery *battery = at->target;

	if (at->index == 0 || !known(battery->temperature_max_mC) ||
	    value > battery->temperature_max_mC)
		battery->temperature_max_mC = value;
	if (at->index == 0 || !known(battery->temperature_min_mC) ||
	    value < battery->temperature_min_mC)
		battery->temperature_min_mC = value;
}

/* --- times --- */

static int32_t get_minutes_to_empty(const struct layout *at)
{
	const struct battery *battery = battery_of(at);

	if (!known(battery->remaining_mah) || !known(battery->current_ma) ||
	    battery->current_ma >= 0)
		return FIELD_UNKNOWN;
	return narrow((int64_t)battery->remaining_mah * MINUTES_PER_HOUR / -battery->current_ma);
}

static int32_t get_tenth_hours_to_full(const struct layout *at)
{
	const struct battery *battery = battery_of(at);
	const int32_t missing = difference(battery->capacity_mah, battery->remaining_mah);

	if (!known(missing) || !known(battery->current_ma) || battery->current_ma <= 0)
		return FIELD_UNKNOWN;
	return missing < 0 ? 0 : narrow((int64_t)missing * TENTHS_PER_HOUR / battery->current_ma);
}

/* --- the rest --- */

/* Nominal capacity of one pack: as the first one is set, else its share. */
static int32_t get_pack_capacity(const struct layout *at)
{
	const struct battery *battery = battery_of(at);
	const int32_t packs = battery->packs_online;

	if (battery->pack_count && known(battery->packs[0].settings.design_capacity_mah))
		return battery->packs[0].settings.design_capacity_mah;
	if (!known(battery->capacity_mah))
		return FIELD_UNKNOWN;
	return battery->capacity_mah / (known(packs) && packs > 1 ? packs : 1);
}

/* Pack voltages at which the packs' cells are protected; usual values for LFP where they are
 * unknown.
 */
#define LFP_CELL_OVERVOLTAGE_MV  3650
#define LFP_CELL_UNDERVOLTAGE_MV 2800

static int32_t of_all_cells(const struct layout *at, size_t offset, int sign, int32_t usual_mv)
{
	const struct battery *battery = battery_of(at);
	const int32_t cell_mv = known_or(derived_extreme(battery, offset, sign), usual_mv);

	if (!known(battery->cells_in_series))
		return FIELD_UNKNOWN;
	return narrow((int64_t)cell_mv * battery->cells_in_series);
}

static int32_t get_overvoltage(const struct layout *at)
{
	return of_all_cells(at, offsetof(struct pack, settings.cell_overvoltage_mv), 1,
			    LFP_CELL_OVERVOLTAGE_MV);
}

static int32_t get_undervoltage(const struct layout *at)
{
	return of_all_cells(at, offsetof(struct pack, settings.cell_undervoltage_mv), -1,
			    LFP_CELL_UNDERVOLTAGE_MV);
}

#define LFP_CELL_MV 3200 /* nominal */

static int32_t get_nominal_voltage(const struct layout *at)
{
	const int32_t cells = battery_of(at)->cells_in_series;

	return known(cells) ? narrow((int64_t)cells * LFP_CELL_MV) : FIELD_UNKNOWN;
}

static int32_t get_temperature_delta(const struct layout *at)
{
	return difference(battery_of(at)->temperature_max_mC, battery_of(at)->temperature_min_mC);
}

static int32_t get_throughput(const struct layout *at)
{
	const struct battery *battery = battery_of(at);

	if (!known(battery->cycles) || !known(battery->capacity_mah))
		return FIELD_UNKNOWN;
	return narrow((int64_t)battery->cycles * battery->capacity_mah);
}

static int32_t power_of(int32_t allowed, int32_t limit_ma, int32_t voltage_mv)
{
	if (allowed == 0 || !known(limit_ma) || limit_ma < 0)
		return 0;
	return known(voltage_mv) ? narrow((int64_t)limit_ma * voltage_mv / 1000) : FIELD_UNKNOWN;
}

static int32_t get_charge_power_limit(const struct layout *at)
{
	const struct battery *battery = battery_of(at);

	return power_of(battery->charge_allowed, battery->charge_current_limit_ma,
			battery->voltage_mv);
}

static int32_t get_discharge_power_limit(const struct layout *at)
{
	const struct battery *battery = battery_of(at);

	return power_of(battery->discharge_allowed, battery->discharge_current_limit_ma,
			battery->voltage_mv);
}

/* Voltronic's rule: at once up to 9 %, soon up to 14 %. */
static int32_t get_force_by_soc(const struct layout *at)
{
	const int32_t soc_mpct = battery_of(at)->soc_mpct;

	if (!known(soc_mpct))
		return FORCE_NONE;
	if (soc_mpct <= 9000)
		return FORCE_URGENT;
	return soc_mpct <= 14000 ? FORCE_SOFT : FORCE_NONE;
}

/* A threshold 10 % above the limit of now, for texts that know an alarm and a protection. */
static int32_t tenth_more(int32_t allowed, int32_t limit_ma)
{
	if (allowed == 0 || !known(limit_ma) || limit_ma < 0)
		return 0;
	return narrow((int64_t)limit_ma * 11 / 10);
}

static int32_t get_charge_current_tenth_more(const struct layout *at)
{
	return tenth_more(battery_of(at)->charge_allowed, battery_of(at)->charge_current_limit_ma);
}

static int32_t get_discharge_current_tenth_more(const struct layout *at)
{
	return tenth_more(battery_of(at)->discharge_allowed,
			  battery_of(at)->discharge_current_limit_ma);
}

#define OF(name) offsetof(struct battery, name)

const struct derived derived_serial[] = {
	{{"cell_sensor", UNIT_C, NO_MEMBER, get_cell_sensor, set_cell_sensor},
	 REPEAT_TEMPERATURES,
	 "hottest, coldest, mean, mean ...; when read, hottest and coldest of all"},
	{{"niu_sensor", UNIT_C, NO_MEMBER, get_niu_sensor, set_cell_sensor},
	 REPEAT_TEMPERATURES,
	 "hottest twice, coldest twice; when read, hottest and coldest of all"},
	{{"nominal_voltage", UNIT_V, NO_MEMBER, get_nominal_voltage, NULL},
	 -1,
	 "3.2 V for each of cells_in_series"},
	{{"temperature_delta", UNIT_C, NO_MEMBER, get_temperature_delta, NULL},
	 -1,
	 "hottest minus coldest sensor"},
	{{"minutes_to_empty", UNIT_COUNT, NO_MEMBER, get_minutes_to_empty, NULL},
	 -1,
	 "remaining divided by the current, while discharging"},
	{{"tenth_hours_to_full", UNIT_COUNT, NO_MEMBER, get_tenth_hours_to_full, NULL},
	 -1,
	 "missing charge divided by the current, while charging"},
	{{"pack_capacity", UNIT_AH, NO_MEMBER, get_pack_capacity, NULL},
	 -1,
	 "nominal capacity of one pack"},
	{{"charge_current_tenth_more", UNIT_A, NO_MEMBER, get_charge_current_tenth_more, NULL},
	 -1,
	 "charge_current_limit and 10 %; 0 when that is"},
	{{"discharge_current_tenth_more", UNIT_A, NO_MEMBER, get_discharge_current_tenth_more,
	  NULL},
	 -1,
	 "discharge_current_limit and 10 %; 0 when that is"},
	{{"overvoltage", UNIT_V, NO_MEMBER, get_overvoltage, NULL},
	 -1,
	 "pack voltage at which the packs' cells are protected, else 3.65 V each"},
	{{"undervoltage", UNIT_V, NO_MEMBER, get_undervoltage, NULL},
	 -1,
	 "pack voltage at which the packs' cells are protected, else 2.8 V each"},
	{{"throughput", UNIT_AH, NO_MEMBER, get_throughput, NULL}, -1, "cycles times capacity"},
	{{"charge_power_limit", UNIT_W, NO_MEMBER, get_charge_power_limit, NULL},
	 -1,
	 "charge_current_limit times voltage"},
	{{"discharge_power_limit", UNIT_W, NO_MEMBER, get_discharge_power_limit, NULL},
	 -1,
	 "discharge_current_limit times voltage"},
	{{"force_by_soc", UNIT_FORCE_CHARGE, OF(force_charge), get_force_by_soc, NULL},
	 -1,
	 "urgent up to 9 %, soft up to 14 %"},
	{{NULL, 0, 0, NULL, NULL}, -1, NULL},
};
