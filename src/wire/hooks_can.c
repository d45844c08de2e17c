// SPDX-License-Identifier: Apache-2.0
/* Named C for the CAN protocol files: JK's alarm levels and sensors, Growatt's life flag and maker,
 * the rack's address map of Seplos, one level for all alarms of Megarevo, Afore's cell limits, the
 * clock of a Deye. One row each, at the end of this file. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "layout.h"

static bool known(int32_t value)
{
	return value != FIELD_UNKNOWN;
}

static uint16_t hold_u16(int64_t value)
{
	if (value < 0)
		return 0;
	return value > UINT16_MAX ? UINT16_MAX : (uint16_t)value;
}

/* --- JK: two bits per alarm, 1 serious, 2 important, 3 general. Serious is what a protection is;
 * we send nothing between --- */

#define A(name) ALARM_BIT(ALARM_##name)

enum jk_level { LEVEL_NONE, LEVEL_SERIOUS, LEVEL_IMPORTANT, LEVEL_GENERAL };

static const struct {
	alarm_set read; /* what it says */
	alarm_set also; /* what sets it besides: V2 leaves the bits of pack voltages at 0 */
	int low;        /* bit */
	bool only_v1;   /* read, never sent */
} jk_levels[] = {
	{A(cell_overvoltage), A(pack_overvoltage), 0, false},
	{A(cell_undervoltage), A(pack_undervoltage), 2, false},
	{A(pack_overvoltage), 0, 4, true},
	{A(pack_undervoltage), 0, 6, true},
	{A(cell_imbalance), 0, 8, false},
	{A(discharge_overcurrent), A(short_circuit), 10, false},
	{A(charge_overcurrent), 0, 12, false},
	{A(charge_overtemperature) | A(discharge_overtemperature), A(mos_overtemperature), 14,
	 false},
	{A(charge_undertemperature) | A(discharge_undertemperature), 0, 16, false},
	{A(low_soc), 0, 20, false},
	{A(inverter_lost), 0, 26, true},
	{A(internal_communication), 0, 28, false}, /* and whatever is not in this table */
};

#undef A

#define JK_LEVEL_COUNT  (sizeof jk_levels / sizeof jk_levels[0])
#define JK_INTERNAL_BIT 28

static alarm_set jk_without_level(void)
{
	alarm_set set = ~(alarm_set)0;

	for (size_t i = 0; i < JK_LEVEL_COUNT; i++)
		if (!jk_levels[i].only_v1)
			set &= ~(jk_levels[i].read | jk_levels[i].also);
	return set;
}

static int encode_jk_levels(const struct layout *at, uint8_t *out)
{
	const struct battery *battery = at->source;
	uint32_t raw = 0;

	for (size_t i = 0; i < JK_LEVEL_COUNT; i++) {
		alarm_set set = jk_levels[i].read | jk_levels[i].also;
		enum jk_level level = LEVEL_NONE;

		if (jk_levels[i].only_v1)
			continue;
		if (jk_levels[i].low == JK_INTERNAL_BIT)
			set |= jk_without_level();
		if (battery->warnings & set)
			level = LEVEL_GENERAL;
		if (battery->protections & set ||
		    (jk_levels[i].low == JK_INTERNAL_BIT && battery_is_mute(battery)))
			level = LEVEL_SERIOUS;
		raw |= (uint32_t)level << jk_levels[i].low;
	}
	bytes_put(out, 4, ORDER_LITTLE, raw);
	return 0;
}

/* A level that is not there takes back only what can stand nowhere else: faults have a message of
 * their own. */
static void decode_jk_levels(const struct layout *at, const uint8_t *in)
{
	struct battery *battery = at->target;
	const uint32_t raw = get_u32le(in);

	for (size_t i = 0; i < JK_LEVEL_COUNT; i++) {
		switch ((enum jk_level)(raw >> jk_levels[i].low & 3)) {
		case LEVEL_NONE:
			if (!jk_levels[i].only_v1)
				battery->warnings &= ~jk_levels[i].read;
			break;
		case LEVEL_SERIOUS: battery->protections |= jk_levels[i].read; break;
		case LEVEL_IMPORTANT:
		case LEVEL_GENERAL: battery->warnings |= jk_levels[i].read; break;
		}
	}
}

/* --- JK: which sensors exist, and five of them in whole degrees from -50. The third is the power
 * switches'; of the others a battery knows the hottest and the coldest --- */

#define JK_SENSORS    5
#define JK_MOS_SENSOR 2 /* from 0 */
#define JK_NO_SENSOR  0xFF

static uint8_t jk_degrees(int32_t value_mC)
{
	int64_t raw = ((int64_t)value_mC + (value_mC < 0 ? -500 : 500)) / 1000 + 50;

	if (!known(value_mC))
		return JK_NO_SENSOR;
	if (raw < 1) /* 0 is how some readers say "absent" */
		raw = 1;
	return raw >= JK_NO_SENSOR ? JK_NO_SENSOR - 1 : (uint8_t)raw;
}

static int encode_jk_temperatures(const struct layout *at, uint8_t *out)
{
	const struct battery *battery = at->source;
	const int32_t sensors[JK_SENSORS] = {
		battery->temperature_max_mC, battery->temperature_min_mC,
		battery->mos_temperature_max_mC, FIELD_UNKNOWN, FIELD_UNKNOWN};

	for (int i = 0; i < JK_SENSORS; i++) {
		out[1 + i] = jk_degrees(sensors[i]);
		out[0] |= (uint8_t)((out[1 + i] != JK_NO_SENSOR) << i);
	}
	return out[0] ? 0 : ERR_UNKNOWN;
}

/* The mask is not to be trusted: a JK of firmware 15.38 sends 0x10 with five good sensors. */
static void decode_jk_temperatures(const struct layout *at, const uint8_t *in)
{
	struct battery *battery = at->target;
	struct pack *pack = &battery->packs[0];

	if (battery->pack_count == 0) {
		pack_clear(pack);
		battery->pack_count = 1;
	}
	pack->temperature_count = JK_SENSORS;
	for (int i = 0; i < JK_SENSORS; i++) {
		const uint8_t raw = in[1 + i];

		pack->temperatures_mC[i] =
			raw && raw != JK_NO_SENSOR ? (raw - 50) * 1000 : FIELD_UNKNOWN;
	}
	if (known(pack->temperatures_mC[JK_MOS_SENSOR]))
		battery->mos_temperature_max_mC = pack->temperatures_mC[JK_MOS_SENSOR];
}

/* --- JK: charge that has gone out in its life, 0.1 Ah: what full cycles are --- */

static int encode_jk_cycled(const struct layout *at, uint8_t *out)
{
	const struct battery *battery = at->source;

	if (known(battery->cycles) && known(battery->capacity_mah))
		put_u16le(out,
			  hold_u16(((int64_t)battery->cycles * battery->capacity_mah + 50) / 100));
	return 0;
}

/* --- Growatt: health in seven bits, above it a flag "end of life" that we never set --- */

static int encode_soh_and_life(const struct layout *at, uint8_t *out)
{
	const int32_t soh_mpct = ((const struct battery *)at->source)->soh_mpct;

	out[0] = 100;
	if (known(soh_mpct) && soh_mpct < 100000)
		out[0] = soh_mpct < 0 ? 0 : (uint8_t)((soh_mpct + 500) / 1000);
	return 0;
}

static void decode_soh_and_life(const struct layout *at, const uint8_t *in)
{
	((struct battery *)at->target)->soh_mpct = (in[0] & 0x7F) * 1000;
}

/* --- Growatt: two capital letters for the maker --- */

static int encode_maker_letters(const struct layout *at, uint8_t *out)
{
	const char *name = ((const struct battery *)at->source)->manufacturer;

	if (!isalpha((unsigned char)name[0]) || !isalpha((unsigned char)name[1]))
		name = "OP";
	out[0] = (uint8_t)toupper((unsigned char)name[0]);
	out[1] = (uint8_t)toupper((unsigned char)name[1]);
	return 0;
}

static void decode_maker_letters(const struct layout *at, const uint8_t *in)
{
	if (isalpha(in[0]) && isalpha(in[1]))
		snprintf(((struct battery *)at->target)->manufacturer, FIELD_TEXT_SIZE, "%c%c",
			 in[0], in[1]);
}

/* --- Growatt: the first pack with a protection, 0 = none --- */

static int encode_protecting_pack(const struct layout *at, uint8_t *out)
{
	const struct battery *battery = at->source;

	for (int i = battery->pack_count; i-- > 0;)
		if (battery->packs[i].protections && known(battery->packs[i].pack))
			out[0] = (uint8_t)(battery->packs[i].pack & 0xFF);
	return 0;
}

/* --- Seplos: a bit for each of eight addresses that is on line; the first is 0 --- */

#define MAP_SIZE 8

static bool is_online(const struct pack *pack)
{
	return pack->state == PACK_ACTIVE || pack->state == PACK_HELD;
}

static int encode_online_map(const struct layout *at, uint8_t *out)
{
	const struct battery *battery = at->source;

	for (int i = 0; i < battery->pack_count; i++) {
		const int32_t number = battery->packs[i].pack;

		if (is_online(&battery->packs[i]) && number >= 1 && number <= MAP_SIZE)
			out[0] |= (uint8_t)(1 << (number - 1));
	}
	for (int i = 0; !battery->pack_count && i < battery->packs_online && i < MAP_SIZE; i++)
		out[0] |= (uint8_t)(1 << i);
	return 0;
}

/* --- Sofar: how many modules of 74 Ah the capacity would be, at least one --- */

#define US3000_MAH 74000

static int encode_us3000_modules(const struct layout *at, uint8_t *out)
{
	const int32_t capacity_mah = ((const struct battery *)at->source)->capacity_mah;
	const int32_t modules = capacity_mah / US3000_MAH;

	out[0] = 1;
	if (known(capacity_mah) && modules > 1)
		out[0] = modules > UINT8_MAX ? UINT8_MAX : (uint8_t)modules;
	return 0;
}

/* --- Megarevo: one number for all alarms: 0 none, 1 warning, 2 alarm --- */

static int encode_alarm_level(const struct layout *at, uint8_t *out)
{
	const struct battery *battery = at->source;

	out[0] = battery->warnings != 0;
	if (battery->protections || battery_is_mute(battery))
		out[0] = 2;
	return 0;
}

static void decode_alarm_level(const struct layout *at, const uint8_t *in)
{
	struct battery *battery = at->target;

	battery->protections = in[0] == 2 ? ALARM_BIT(ALARM_internal_fault) : 0;
	battery->warnings = in[0] == 1 ? ALARM_BIT(ALARM_internal_fault) : 0;
}

/* --- Afore: voltage limits of one cell, mV: the narrowest settings of the packs --- */

#define LFP_HIGHEST_MV 3650
#define LFP_LOWEST_MV  2500

static int encode_cell_limits(const struct layout *at, uint8_t *out)
{
	const struct battery *battery = at->source;
	int32_t high = FIELD_UNKNOWN, low = FIELD_UNKNOWN;

	for (int i = 0; i < battery->pack_count; i++) {
		const struct pack_settings *settings = &battery->packs[i].settings;
		const int32_t over = settings->cell_overvoltage_mv,
			      under = settings->cell_undervoltage_mv;

		if (known(over) && (!known(high) || over < high))
			high = over;
		if (known(under) && (!known(low) || under > low))
			low = under;
	}
	put_u16le(out, hold_u16(known(high) ? high : LFP_HIGHEST_MV));
	put_u16le(out + 2, hold_u16(known(low) ? low : LFP_LOWEST_MV));
	return 0;
}

/* --- Deye: newer inverters put their clock into the heartbeat, older ones zeros --- */

static int encode_deye_clock(const struct layout *at, uint8_t *out)
{
	const struct inverter_view *view = at->source;
	int year, month, day, hour, minute, second;

	if (sscanf(view->inverter_time, "%d-%d-%dT%d:%d:%d", &year, &month, &day, &hour, &minute,
		   &second) != 6)
		return 0;
	out[0] = (uint8_t)second;
	out[1] = (uint8_t)minute;
	out[2] = (uint8_t)hour;
	out[3] = (uint8_t)day;
	out[4] = (uint8_t)month;
	out[5] = (uint8_t)(year - 2000);
	return 0;
}

static void decode_deye_clock(const struct layout *at, const uint8_t *in)
{
	struct inverter_view *view = at->target;

	if (in[0] > 59 || in[1] > 59 || in[2] > 23 || in[3] < 1 || in[3] > 31 || in[4] < 1 ||
	    in[4] > 12 || in[5] > 99)
		return;
	snprintf(view->inverter_time, sizeof view->inverter_time, "20%02d-%02d-%02dT%02d:%02d:%02d",
		 in[5], in[4], in[3], in[2], in[1], in[0]);
}

/* --- the table --- */

static const struct hook hooks[] = {
	{"jk_levels", "two bits per alarm: 1 protection, 2 and 3 warning (sent as 3)", 4,
	 SCOPE_BATTERY, encode_jk_levels, decode_jk_levels, NULL},
	{"jk_temperatures", "mask of sensors, five sensors: hottest, coldest, power switches, none",
	 1 + JK_SENSORS, SCOPE_BATTERY, encode_jk_temperatures, decode_jk_temperatures, NULL},
	{"jk_cycled", "cycles times capacity, 0.1 Ah", 2, SCOPE_BATTERY, encode_jk_cycled, NULL,
	 NULL},
	{"soh_and_life", "health in % in 7 bits; bit 7, end of life, is never set", 1,
	 SCOPE_BATTERY, encode_soh_and_life, decode_soh_and_life, NULL},
	{"maker_letters", "first two letters of the manufacturer in capitals, else OP", 2,
	 SCOPE_BATTERY, encode_maker_letters, decode_maker_letters, NULL},
	{"protecting_pack", "first pack with a protection, 0 = none", 1, SCOPE_BATTERY,
	 encode_protecting_pack, NULL, NULL},
	{"online_map", "bit 0 for pack 1 ... bit 7 for pack 8, when on line", 1, SCOPE_BATTERY,
	 encode_online_map, NULL, NULL},
	{"us3000_modules", "capacity in modules of 74 Ah, at least 1", 1, SCOPE_BATTERY,
	 encode_us3000_modules, NULL, NULL},
	{"alarm_level", "0 none, 1 some warning, 2 some protection or no data", 2, SCOPE_BATTERY,
	 encode_alarm_level, decode_alarm_level, NULL},
	{"cell_limits", "voltage limits of a cell, 1 mV: the packs' settings, else 3650 and 2500",
	 4, SCOPE_BATTERY, encode_cell_limits, NULL, NULL},
	{"deye_clock", "second, minute, hour, day, month, year - 2000, or zeros", 8, SCOPE_INVERTER,
	 encode_deye_clock, decode_deye_clock, NULL},
};

#define HOOK_COUNT ((int)(sizeof hooks / sizeof hooks[0]))

const struct hook *hook_can_row(int n)
{
	return n < HOOK_COUNT ? &hooks[n] : hook_profile_row(n - HOOK_COUNT);
}
