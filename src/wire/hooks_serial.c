// SPDX-License-Identifier: Apache-2.0
/* Named C for the serial protocol files: JK's sensors and limits, Growatt's capacities and time,
 * Pylon's capacities. One row each, at the end of this file. */
#include <string.h>

#include "bytes.h"
#include "layout.h"

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

/* --- JK: four cell sensors in two places, and one byte that says which of them exist --- */

#define JK_SENSORS    4
#define JK_PRESENT_AT 0xD0 /* in the live block */

/* The bits of the presence byte: the power switches are bit 0, T1 T2 are 1 and 2, T3 T4 4 and 5. */
static const uint8_t present_bits[JK_SENSORS] = {1, 2, 4, 5};

static int encode_sensors_present(const struct layout *at, uint8_t *out)
{
	const struct pack *pack = at->source;

	out[0] = known(pack->mos_temperature_mC);
	for (int i = 0; i < JK_SENSORS; i++)
		if (i < pack->temperature_count && known(pack->temperatures_mC[i]))
			out[0] |= (uint8_t)(1 << present_bits[i]);
	return 0;
}

/* Takes back what sensors said that do not exist: T1 and T2 were read before this byte. */
static void decode_sensors_present(const struct layout *at, const uint8_t *in)
{
	struct pack *pack = at->target;

	if (!(in[0] & 1))
		pack->mos_temperature_mC = FIELD_UNKNOWN;
	for (int i = 0; i < pack->temperature_count && i < JK_SENSORS; i++)
		if (!(in[0] >> present_bits[i] & 1))
			pack->temperatures_mC[i] = FIELD_UNKNOWN;
}

/* The fused battery has every sensor, or none when no temperature is known. */
#define JK_ALL_PRESENT  0xFF
#define JK_NONE_PRESENT 0xC0 /* bits 0 to 5 are sensors */

static int encode_any_present(const struct layout *at, uint8_t *out)
{
	const struct battery *battery = at->source;
	const bool any = known(battery->temperature_mC) || known(battery->temperature_max_mC) ||
			 known(battery->temperature_min_mC) ||
			 known(battery->mos_temperature_max_mC);

	out[0] = any ? JK_ALL_PRESENT : JK_NONE_PRESENT;
	return 0;
}

/* Takes back what sensors said that do not exist: they were read before this byte. */
static void decode_any_present(const struct layout *at, const uint8_t *in)
{
	struct battery *battery = at->target;

	if (!(in[0] & 1))
		battery->mos_temperature_max_mC = FIELD_UNKNOWN;
	if (!(in[0] >> present_bits[0] & 1))
		battery->temperature_max_mC = FIELD_UNKNOWN;
	if (!(in[0] >> present_bits[1] & 1))
		battery->temperature_min_mC = FIELD_UNKNOWN;
}

static int16_t tenths(int32_t value_mC)
{
	int64_t raw = known(value_mC) ? value_mC : 0;

	raw = (raw + (raw < 0 ? -50 : 50)) / 100;
	if (raw > INT16_MAX)
		return INT16_MAX;
	return raw < INT16_MIN ? INT16_MIN : (int16_t)raw;
}

static void put_s16(const struct layout *at, uint8_t *out, int16_t value)
{
	bytes_put(out, 2, at->order, value);
}

/* The power switches again (in every capture, against the vendor's text), then T3 and T4. */
static int encode_sensors_3_4(const struct layout *at, uint8_t *out)
{
	const struct pack *pack = at->source;

	put_s16(at, out, tenths(pack->mos_temperature_mC));
	for (int i = 2; i < JK_SENSORS; i++) {
		out += 2;
		put_s16(at, out,
			i < pack->temperature_count ? tenths(pack->temperatures_mC[i]) : 0);
	}
	return 0;
}

static void decode_sensors_3_4(const struct layout *at, const uint8_t *in)
{
	struct pack *pack = at->target;
	uint8_t present = 0xFF;

	if (at->first <= JK_PRESENT_AT)
		present = at->in[JK_PRESENT_AT - at->first];
	for (int i = 2; i < JK_SENSORS; i++) {
		in += 2;
		if (!(present >> present_bits[i] & 1))
			continue;
		while (pack->temperature_count <= i)
			pack->temperatures_mC[pack->temperature_count++] = FIELD_UNKNOWN;
		pack->temperatures_mC[i] = (int32_t)bytes_get(in, 2, at->order, true) * 100;
	}
}

/* The settings say per cell, and under other names, what the pack asks for. */
static int encode_nothing(const struct layout *at, uint8_t *out)
{
	(void)at;
	(void)out;
	return 0;
}

static void set_if_known(int32_t *limit, int32_t value, int32_t times)
{
	if (known(value) && known(times))
		*limit = narrow((int64_t)value * times);
}

static void decode_limits(const struct layout *at, const uint8_t *in)
{
	struct pack *pack = at->target;
	const struct pack_settings *settings = &pack->settings;

	(void)in;
	set_if_known(&pack->charge_current_limit_ma, settings->charge_overcurrent_ma, 1);
	set_if_known(&pack->discharge_current_limit_ma, settings->discharge_overcurrent_ma, 1);
	set_if_known(&pack->charge_voltage_limit_mv, settings->charge_cell_mv,
		     settings->cell_count);
	set_if_known(&pack->discharge_voltage_limit_mv, settings->cell_undervoltage_mv,
		     settings->cell_count);
}

/* --- remaining and full capacity in 10 mAh, at most 655.35 Ah: an inverter divides them --- */

#define CAPACITY_STEP_MAH 10
#define WHOLE_MPCT        100000

/* Remaining charge; from the state of charge when nobody says it. */
static int64_t remaining_of(const struct battery *battery)
{
	if (known(battery->remaining_mah) || !known(battery->soc_mpct))
		return battery->remaining_mah;
	return ((int64_t)battery->capacity_mah * battery->soc_mpct + WHOLE_MPCT / 2) / WHOLE_MPCT;
}

static int encode_capacities(const struct layout *at, uint8_t *out)
{
	const struct battery *battery = at->source;
	int64_t full = battery->capacity_mah, remaining = remaining_of(battery);

	if (!known(battery->capacity_mah) || remaining == FIELD_UNKNOWN)
		return ERR_UNKNOWN;
	full = (full + CAPACITY_STEP_MAH / 2) / CAPACITY_STEP_MAH;
	remaining = (remaining + CAPACITY_STEP_MAH / 2) / CAPACITY_STEP_MAH;
	if (full > UINT16_MAX) {
		remaining = known(battery->soc_mpct)
				    ? ((int64_t)UINT16_MAX * battery->soc_mpct + WHOLE_MPCT / 2) /
					      WHOLE_MPCT
				    : remaining * UINT16_MAX / full;
		full = UINT16_MAX;
	}
	if (remaining > full)
		remaining = full;
	put_u16be(out, (uint16_t)(remaining < 0 ? 0 : remaining));
	put_u16be(out + 2, (uint16_t)(full < 0 ? 0 : full));
	return 0;
}

static void decode_capacities(const struct layout *at, const uint8_t *in)
{
	struct battery *battery = at->target;

	if (get_u16be(in + 2) == UINT16_MAX || get_u16be(in + 2) == 0)
		return; /* saturated: only their ratio is true */
	battery->remaining_mah = get_u16be(in) * CAPACITY_STEP_MAH;
	battery->capacity_mah = get_u16be(in + 2) * CAPACITY_STEP_MAH;
}

/* --- Growatt --- */

/* Civil date of a day number (days since 1970-01-01), by the usual arithmetic on 400-year eras that
 * begin on 1 March. */
static void civil_date(int64_t day, int *year, unsigned *month, unsigned *day_of_month)
{
	day += 719468;

	const int64_t era = day / 146097;
	const unsigned of_era = (unsigned)(day - era * 146097);
	const unsigned year_of_era =
		(of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	const unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	const unsigned shifted = (5 * of_year + 2) / 153;

	*day_of_month = of_year - (153 * shifted + 2) / 5 + 1;
	*month = shifted < 10 ? shifted + 3 : shifted - 9;
	*year = (int)(year_of_era + (unsigned)era * 400) + (*month <= 2);
}

/* 32 bits: second, minute (6 each), hour, day (5), month (4), year - 2000 (6); low word first. */
static int encode_growatt_time(const struct layout *at, uint8_t *out)
{
	const int64_t time_s = layout_local_time_s(at);
	unsigned month, day;
	int year;

	if (time_s <= 0)
		return 0; /* all zero: no clock */
	civil_date(time_s / 86400, &year, &month, &day);
	if (year < 2000 || year > 2063)
		return 0;

	const unsigned of_day = (unsigned)(time_s % 86400);
	const uint32_t packed = of_day % 60 | (of_day / 60 % 60) << 6 | of_day / 3600 << 12 |
				day << 17 | month << 22 | (uint32_t)(year - 2000) << 26;

	put_u16be(out, (uint16_t)packed);
	put_u16be(out + 2, (uint16_t)(packed >> 16));
	return 0;
}

static int encode_growatt_company(const struct layout *at, uint8_t *out)
{
	put_u16be(out, (uint16_t)wire_option(at->wire, at->ctx, "company", 0x0101));
	return 0;
}

/* --- Pylon: capacities in mAh. A module of more than 65 Ah says them again in 24 bits: remaining,
 * number of items (2 or 4), full, cycles; then, if 4, remaining and full --- */

#define SMALL_SIZE     7
#define LARGE_SIZE     13
#define LARGEST_16_MAH 65000
#define LARGEST_24_MAH 0xFFFFFF

struct capacities {
	int32_t remaining_mah, capacity_mah, cycles;
};

static uint16_t hold_u16(int64_t value)
{
	if (value < 0)
		return 0;
	return value > UINT16_MAX ? UINT16_MAX : (uint16_t)value;
}

static void put_capacities(const struct capacities *from, uint8_t *out)
{
	const bool large = from->capacity_mah > LARGEST_16_MAH;
	const int32_t remaining = from->remaining_mah < 0 ? 0 : from->remaining_mah;

	put_u16be(out, large ? UINT16_MAX : hold_u16(remaining));
	out[2] = large ? 4 : 2;
	put_u16be(out + 3, large ? UINT16_MAX : hold_u16(from->capacity_mah));
	put_u16be(out + 5, known(from->cycles) ? hold_u16(from->cycles) : 0);
	if (!large)
		return;
	bytes_put(out + 7, 3, ORDER_BIG, remaining > LARGEST_24_MAH ? LARGEST_24_MAH : remaining);
	bytes_put(out + 10, 3, ORDER_BIG,
		  from->capacity_mah > LARGEST_24_MAH ? LARGEST_24_MAH : from->capacity_mah);
}

static void get_capacities(const uint8_t *in, int32_t *remaining, int32_t *capacity,
			   int32_t *cycles)
{
	const bool large = in[2] == 4;

	*remaining = large ? (int32_t)bytes_get(in + 7, 3, ORDER_BIG, false) : get_u16be(in);
	*capacity = large ? (int32_t)bytes_get(in + 10, 3, ORDER_BIG, false) : get_u16be(in + 3);
	*cycles = get_u16be(in + 5);
}

static int measure_pylon_capacities(const uint8_t *in, size_t left)
{
	if (left < 3)
		return -1;
	return in[2] == 4 ? LARGE_SIZE : SMALL_SIZE;
}

static int encode_pylon_capacities(const struct layout *at, uint8_t *out)
{
	const struct battery *battery = at->source;
	const int64_t remaining = remaining_of(battery);

	if (!known(battery->capacity_mah) || remaining == FIELD_UNKNOWN)
		return ERR_UNKNOWN;
	put_capacities(
		&(struct capacities){narrow(remaining), battery->capacity_mah, battery->cycles},
		out);
	return 0;
}

static void decode_pylon_capacities(const struct layout *at, const uint8_t *in)
{
	struct battery *battery = at->target;

	get_capacities(in, &battery->remaining_mah, &battery->capacity_mah, &battery->cycles);
}

static int encode_pylon_module_capacities(const struct layout *at, uint8_t *out)
{
	const struct pack *pack = at->source;

	if (!known(pack->capacity_mah) || !known(pack->remaining_mah))
		return ERR_UNKNOWN;
	put_capacities(&(struct capacities){pack->remaining_mah, pack->capacity_mah, pack->cycles},
		       out);
	return 0;
}

static void decode_pylon_module_capacities(const struct layout *at, const uint8_t *in)
{
	struct pack *pack = at->target;

	get_capacities(in, &pack->remaining_mah, &pack->capacity_mah, &pack->cycles);
}

/* --- the table --- */

static const struct hook hooks[] = {
	{"jk_sensors_present", "which sensors exist: bit 0 power switches, 1 2 4 5 the cells'", 1,
	 SCOPE_PACK, encode_sensors_present, decode_sensors_present, NULL},
	{"jk_sensors_present", "the same byte: all sensors, or none when no temperature is known",
	 1, SCOPE_BATTERY, encode_any_present, decode_any_present, NULL},
	{"jk_sensors_3_4", "power switches again, third and fourth sensor, 0.1 degC each", 6,
	 SCOPE_PACK, encode_sensors_3_4, decode_sensors_3_4, NULL},
	{"jk_limits", "read only: the pack's limits are made from its settings", 0, SCOPE_PACK,
	 encode_nothing, decode_limits, NULL},
	{"capacities_10mah", "remaining and full, 10 mAh each; above 655.35 Ah only their ratio", 4,
	 SCOPE_BATTERY, encode_capacities, decode_capacities, NULL},
	{"growatt_time", "local date and time in 32 bits, low word first", 4, SCOPE_BATTERY,
	 encode_growatt_time, NULL, NULL},
	{"growatt_company", "the option `company`", 2, SCOPE_BATTERY, encode_growatt_company, NULL,
	 NULL},
	{"pylon_capacities", "remaining, full and cycles; above 65 Ah again in 24 bits", LARGE_SIZE,
	 SCOPE_BATTERY, encode_pylon_capacities, decode_pylon_capacities, measure_pylon_capacities},
	{"pylon_capacities", "remaining, full and cycles; above 65 Ah again in 24 bits", LARGE_SIZE,
	 SCOPE_PACK, encode_pylon_module_capacities, decode_pylon_module_capacities,
	 measure_pylon_capacities},
};

#define HOOK_COUNT ((int)(sizeof hooks / sizeof hooks[0]))

const struct hook *hook_serial_row(int n)
{
	return n < HOOK_COUNT ? &hooks[n] : hook_can_row(n - HOOK_COUNT);
}
