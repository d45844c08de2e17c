// SPDX-License-Identifier: Apache-2.0
/* Named C for the rarer serial protocol files: China Tower's state of charge and
 * capacities, JK's 4E 57 codes, NIU's counter. One row each, at the
 * end of this file. */
#include <string.h>

#include "bytes.h"
#include "derived.h"

/* --- China Tower: a state of charge that was seen in either byte of its register --- */

#define FULL_PCT 100

static int encode_soc(const struct layout *at, uint8_t *out)
{
	const int32_t soc_mpct = battery_of(at)->soc_mpct;
	int32_t soc_pct = soc_mpct / 1000 + (soc_mpct % 1000 >= 500);

	if (!known(soc_mpct))
		return ERR_UNKNOWN;
	if (soc_pct >= FULL_PCT)
		soc_pct = soc_mpct >= FULL_PCT * 1000 ? FULL_PCT : FULL_PCT - 1;
	if (soc_pct < 0)
		soc_pct = 0;
	out[wire_option(at->wire, at->ctx, "soc_byte", 0) ? 0 : 1] = (uint8_t)soc_pct;
	return 0;
}

static void decode_soc(const struct layout *at, const uint8_t *in)
{
	const uint8_t soc_pct = in[1] ? in[1] : in[0];

	if ((in[0] == 0 || in[1] == 0) && soc_pct <= FULL_PCT)
		((struct battery *)at->target)->soc_mpct = soc_pct * 1000;
}

/* --- YD/T 1363.3: capacities with the number of the items between them --- */

#define YDT_ITEMS 2

static const struct hook *both_capacities(void)
{
	return hook_find("capacities_10mah", SCOPE_BATTERY);
}

static int encode_ydt_capacities(const struct layout *at, uint8_t *out)
{
	uint8_t both[4];
	int err = both_capacities()->encode(at, both);

	if (err)
		return err;
	memcpy(out, both, 2);
	out[2] = YDT_ITEMS;
	memcpy(out + 3, both + 2, 2);
	return 0;
}

static void decode_ydt_capacities(const struct layout *at, const uint8_t *in)
{
	const uint8_t both[4] = {in[0], in[1], in[3], in[4]};

	both_capacities()->decode(at, both);
}

/* --- JK's 4E 57 frames --- */

#define CELL_BYTES  3 /* number from 1, then mV */
#define COLDEST_C   (-40)
#define HOTTEST_C   100
#define STEP_MA     10
#define CHARGING    0x8000
#define MOST_STEPS  0x7FFF
#define ZERO_OFFSET 10000 /* of the older way: 10000 minus the current in 10 mA */

static int encode_jk4e_cells(const struct layout *at, uint8_t *out)
{
	int32_t cells_mv[ONEPACK_MAX_CELLS];
	const int count = battery_cells(battery_of(at), cells_mv);

	if (count == 0)
		return ERR_UNKNOWN;
	out[0] = (uint8_t)(count * CELL_BYTES);
	uint8_t *to = out + 1;

	for (int i = 0; i < count; i++) {
		const int32_t cell_mv = known(cells_mv[i]) && cells_mv[i] > 0 ? cells_mv[i] : 0;

		to[0] = (uint8_t)(i + 1);
		put_u16be(to + 1, (uint16_t)(cell_mv > UINT16_MAX ? UINT16_MAX : cell_mv));
		to += CELL_BYTES;
	}
	return 0;
}

static void decode_jk4e_cells(const struct layout *at, const uint8_t *in)
{
	struct pack *pack = derived_pack_to_write(at);

	for (const uint8_t *from = in + 1; from + CELL_BYTES <= in + 1 + in[0];
	     from += CELL_BYTES) {
		const uint8_t number = from[0];

		if (number < 1 || number > ONEPACK_MAX_CELLS)
			continue;
		while (pack->cell_count < number)
			pack->cells_mv[pack->cell_count++] = FIELD_UNKNOWN;
		pack->cells_mv[number - 1] = get_u16be(from + 1);
	}
}

static int measure_jk4e_cells(const uint8_t *in, size_t left)
{
	return left ? 1 + in[0] : -1;
}

/* 0 to 100 are degrees; what is above 100 is below zero: 101 is -1. */
static int put_temperature(const int32_t candidates_mC[], int count, uint8_t *out)
{
	for (int i = 0; i < count; i++) {
		if (!known(candidates_mC[i]))
			continue;
		int32_t degrees = (candidates_mC[i] / 500 + (candidates_mC[i] < 0 ? -1 : 1)) / 2;

		if (degrees < COLDEST_C)
			degrees = COLDEST_C;
		if (degrees > HOTTEST_C)
			degrees = HOTTEST_C;
		out[0] = 0;
		out[1] = (uint8_t)(degrees < 0 ? HOTTEST_C - degrees : degrees);
		return 0;
	}
	return ERR_UNKNOWN;
}

static bool get_temperature(const uint8_t *in, int32_t *value_mC)
{
	const int32_t code = get_u16be(in);

	if (code > HOTTEST_C - COLDEST_C)
		return false;
	*value_mC = (code > HOTTEST_C ? HOTTEST_C - code : code) * 1000;
	return true;
}

static int encode_jk4e_mos(const struct layout *at, uint8_t *out)
{
	const struct battery *b = battery_of(at);

	return put_temperature((const int32_t[]){b->mos_temperature_max_mC, b->temperature_max_mC,
						 b->temperature_mC, b->temperature_min_mC},
			       4, out);
}

static int encode_jk4e_hottest(const struct layout *at, uint8_t *out)
{
	const struct battery *b = battery_of(at);

	return put_temperature((const int32_t[]){b->temperature_max_mC, b->temperature_mC,
						 b->temperature_min_mC, b->mos_temperature_max_mC},
			       4, out);
}

static int encode_jk4e_coldest(const struct layout *at, uint8_t *out)
{
	const struct battery *b = battery_of(at);

	return put_temperature((const int32_t[]){b->temperature_min_mC, b->temperature_mC,
						 b->temperature_max_mC, b->mos_temperature_max_mC},
			       4, out);
}

static void decode_jk4e_mos(const struct layout *at, const uint8_t *in)
{
	get_temperature(in, &((struct battery *)at->target)->mos_temperature_max_mC);
}

/* Two sensors in any order: the first is both extremes until the second is heard. */
static void decode_jk4e_first(const struct layout *at, const uint8_t *in)
{
	struct battery *battery = at->target;

	if (get_temperature(in, &battery->temperature_max_mC))
		battery->temperature_min_mC = battery->temperature_max_mC;
}

static void decode_jk4e_second(const struct layout *at, const uint8_t *in)
{
	struct battery *battery = at->target;
	int32_t value_mC;

	if (!get_temperature(in, &value_mC))
		return;
	if (!known(battery->temperature_max_mC) || value_mC > battery->temperature_max_mC)
		battery->temperature_max_mC = value_mC;
	if (!known(battery->temperature_min_mC) || value_mC < battery->temperature_min_mC)
		battery->temperature_min_mC = value_mC;
}

static bool current_is_offset(const struct layout *at)
{
	return wire_option(at->wire, at->ctx, "current", 0) != 0;
}

static int encode_jk4e_current(const struct layout *at, uint8_t *out)
{
	const int32_t current_ma = battery_of(at)->current_ma;
	const bool charging = current_ma > 0;
	int32_t steps;

	if (!known(current_ma))
		return ERR_UNKNOWN;
	steps = current_ma / STEP_MA + current_ma % STEP_MA / (STEP_MA / 2);
	if (current_is_offset(at)) {
		const int32_t raw = steps > ZERO_OFFSET ? 0 : ZERO_OFFSET - steps;

		put_u16be(out, (uint16_t)(raw > UINT16_MAX ? UINT16_MAX : raw));
		return 0;
	}
	steps = charging ? steps : -steps;
	if (steps > MOST_STEPS)
		steps = MOST_STEPS;
	put_u16be(out, (uint16_t)(steps | (charging && steps ? CHARGING : 0)));
	return 0;
}

static void decode_jk4e_current(const struct layout *at, const uint8_t *in)
{
	const int32_t raw = get_u16be(in), steps = raw & MOST_STEPS;
	struct battery *battery = at->target;

	if (current_is_offset(at))
		battery->current_ma = (ZERO_OFFSET - raw) * STEP_MA;
	else
		battery->current_ma = (raw & CHARGING ? steps : -steps) * STEP_MA;
}

/* --- NIU: a counter that shows that somebody is alive --- */

static int encode_life(const struct layout *at, uint8_t *out)
{
	out[0] = (uint8_t)(at->ctx->uptime_ms / 1000);
	return 0;
}

/* --- the table --- */

static const struct hook hooks[] = {
	{"soc_either_byte", "state of charge in the byte that the option soc_byte names", 2,
	 SCOPE_BATTERY, encode_soc, decode_soc, NULL},
	{"jk4e_cells", "bytes that follow, then number and mV of each cell",
	 1 + CELL_BYTES *ONEPACK_MAX_CELLS, SCOPE_BATTERY, encode_jk4e_cells, decode_jk4e_cells,
	 measure_jk4e_cells},
	{"jk4e_mos", "hottest power switch, degC; above 100 it is below zero", 2, SCOPE_BATTERY,
	 encode_jk4e_mos, decode_jk4e_mos, NULL},
	{"jk4e_hottest", "hottest sensor, degC; above 100 it is below zero", 2, SCOPE_BATTERY,
	 encode_jk4e_hottest, decode_jk4e_first, NULL},
	{"jk4e_coldest", "coldest sensor, degC; above 100 it is below zero", 2, SCOPE_BATTERY,
	 encode_jk4e_coldest, decode_jk4e_second, NULL},
	{"jk4e_current", "10 mA, bit 15 while charging; or 10000 minus it, by the option current",
	 2, SCOPE_BATTERY, encode_jk4e_current, decode_jk4e_current, NULL},
	{"niu_life", "counts seconds", 1, SCOPE_BATTERY, encode_life, NULL, NULL},
	{"ydt_capacities", "remaining, 2, full in 10 mAh; above 655.35 Ah only their ratio", 5,
	 SCOPE_BATTERY, encode_ydt_capacities, decode_ydt_capacities, NULL},
};

#define HOOK_COUNT ((int)(sizeof hooks / sizeof hooks[0]))

const struct hook *hook_profile_row(int n)
{
	return n < HOOK_COUNT ? &hooks[n] : NULL;
}
