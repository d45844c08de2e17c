// SPDX-License-Identifier: Apache-2.0
/* Draws a scenario from a seed. Three generators, one each for rack, gateway and faults, so that a
 * mask of kinds changes the faults only. All draws are whole numbers: the same on every machine,
 * and exactly what the file of the scenario says. */
#include "swarm.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS         INT64_C(86400000)
#define KIND_PART      250000 /* ppm: a kind occurs at all in this run ... */
#define CALM_PART      60000  /* ... of which so many have no faults, ... */
#define WILD_PART      60000  /* ... and so many have every kind */
#define FAULTS_PER_DAY 24     /* of all kinds that occur together, on average */
#define ALL_PACKS_PART 80000  /* a fault of packs hits them all */
#define SETTLE_MS      120000 /* no fault before: the gateway has to get to know its packs */
#define UNEQUAL_PART   500000 /* racks with packs of different makes */
#define CELLS          16

/* Evenly from low to high, in steps of `step`. */
static int32_t pick(struct sim_random *r, int32_t low, int32_t high, int32_t step)
{
	const uint64_t count = (uint64_t)((high - low) / step) + 1;

	return low + (int32_t)(sim_random_next(r) % count) * step;
}

static bool chance(struct sim_random *r, uint32_t ppm)
{
	return sim_random_chance(r, ppm);
}

/* --- rack --- */

static void draw_packs(struct sim_random *r, struct scenario *s)
{
	static const int32_t sizes_ah[] = {100, 105, 150, 230, 280, 305, 314};
	const int32_t size = sizes_ah[pick(r, 0, 6, 1)];
	const bool unequal = chance(r, UNEQUAL_PART);
	const int32_t soc = pick(r, 8000, 95000, 1000);
	const int32_t spread_soc = chance(r, 700000) ? 1000 : 5000;

	s->pack_count = chance(r, 300000) ? ONEPACK_MAX_PACKS : pick(r, 1, ONEPACK_MAX_PACKS, 1);
	for (int i = 0; i < s->pack_count; i++) {
		struct scenario_pack *p = &s->packs[i];
		const int32_t own_ah = unequal ? sizes_ah[pick(r, 0, 6, 1)] : size;
		const int32_t spread = pick(r, -spread_soc, spread_soc, 100);

		scenario_default_pack(p);
		p->capacity_mah =
			own_ah * 1000 - pick(r, 0, own_ah * 100, 100); /* up to 10 % aged */
		p->soc_mpct = soc + spread < 2000    ? 2000
			      : soc + spread > 98000 ? 98000
						     : soc + spread;
		p->wiring_uohm = pick(r, 8000, unequal ? 30000 : 16000, 100);
		/* Small cells have more resistance, aged ones still more. */
		p->cell_uohm = 140000 / own_ah * pick(r, 80, unequal ? 200 : 120, 1) / 100;
		p->spread_mpct = pick(r, 0, 1500, 50);
		p->charge_ma = own_ah * pick(r, 300, 500, 50); /* 0.3 to 0.5 C */
		p->discharge_ma = own_ah * pick(r, 500, 1000, 100);
	}
}

static void draw_site(struct sim_random *r, struct scenario *s)
{
	static const char *const inverters[] = {
		"can/pylon-lv-1.2",
		"can/pylon-lv-1.2",
		"can/pylon-lv-2.0",
		"can/victron-20170717",
		"can/deye-lv-1.0",
		"can/sma-sunny-island",
		"can/growatt-lv-rev05",
		"can/sofar-lv",
		"can/goodwe-lv",
		"rs485/pylon-lv-3.3",
		"rs485/voltronic-20200325",
	};
	const int count = (int)(sizeof inverters / sizeof inverters[0]);
	int64_t capacity_ah = 0;

	snprintf(s->inverter, sizeof s->inverter, "%s", inverters[pick(r, 0, count - 1, 1)]);
	s->mean_mC = pick(r, 2000, 35000, 500);
	s->swing_mC = pick(r, 0, 8000, 500);
	s->start_ms = pick(r, 0, 23, 1) * (DAY_MS / 24);
	s->cloud_mpct = pick(r, 0, 60000, 5000);
	for (int i = 0; i < s->pack_count; i++)
		capacity_ah += s->packs[i].capacity_mah / 1000;
	/* From a site that never asks for much to one that always wants more than it may. */
	s->sun_w = (int32_t)capacity_ah * pick(r, 5, 50, 1);
	s->load_w = (int32_t)capacity_ah * pick(r, 3, 40, 1);
}

/* --- gateway --- */

static void draw_battery(struct sim_random *r, struct scenario *s)
{
	struct fusion_config *b = &s->battery;

	if (chance(r, 300000))
		b->packs_expected = s->pack_count;
	if (chance(r, 150000))
		b->limit_rule = chance(r, 500000) ? LIMIT_RULE_SUM : LIMIT_RULE_MIN;
	if (chance(r, 200000))
		b->n_minus_1 = 1;
	if (chance(r, 150000))
		b->rest_for_balancing = 1;
	if (chance(r, 200000))
		b->soc_basis = SOC_BASIS_ALL;
	if (chance(r, 200000))
		b->charge_current_max_ma = pick(r, 10, 400, 10) * 1000;
	if (chance(r, 200000))
		b->discharge_current_max_ma = pick(r, 10, 400, 10) * 1000;
	if (chance(r, 300000))
		b->limit_headroom_mpct = pick(r, 50, 95, 5) * 1000; /* sensors err, too */
	if (chance(r, 300000))
		b->rise_hold_ms = pick(r, 0, 120, 10) * 1000;
	if (chance(r, 300000))
		b->rise_pct_per_s = pick(r, 1, 20, 1);
	if (chance(r, 200000))
		b->quorum_mpct = pick(r, 0, 90, 10) * 1000;
	if (chance(r, 200000)) {
		b->charge_target_cell_mv = pick(r, 3400, 3550, 10);
		fusion_config_default_curves(b);
	}
	if (chance(r, 200000))
		b->join_voltage_mv = pick(r, 100, 1000, 100);
}

/* --- faults --- */

static uint64_t draw_kinds(struct sim_random *r)
{
	const int32_t mood = pick(r, 0, 999999, 1);
	uint64_t kinds = 0;

	for (int kind = 0; kind < FAULT_KINDS; kind++)
		if (chance(r, KIND_PART))
			kinds |= UINT64_C(1) << kind;
	if (mood < CALM_PART)
		return 0;
	return mood < CALM_PART + WILD_PART ? FAULT_ALL_KINDS : kinds;
}

/* In tenths of the unit, or finer where the range is small; never exactly nothing. */
static int32_t draw_magnitude(struct sim_random *r, const struct fault_info *info)
{
	const int32_t low = (int32_t)(info->low * 1000), high = (int32_t)(info->high * 1000);
	const int32_t step = high - low > 10000 ? 1000 : high - low > 1000 ? 100 : 10;
	int32_t milli = 0;

	if (info->unit[0] == '\0')
		return 0;
	while (milli == 0)
		milli = pick(r, low, high, step);
	return milli;
}

static void draw_fault(struct sim_random *r, const struct scenario *s, enum fault_kind kind,
		       struct fault *out)
{
	const struct fault_info *info = fault_info(kind);
	const bool all = chance(r, ALL_PACKS_PART);
	const int64_t room_s = (s->duration_ms - SETTLE_MS) / 1000;
	int64_t length_s = pick(r, info->shortest_s, info->longest_s, 1);

	/* Most faults are short; the square of an even draw is. */
	length_s = info->shortest_s + (length_s - info->shortest_s) * pick(r, 1, 100, 1) / 100;
	*out = (struct fault){.kind = kind, .milli = draw_magnitude(r, info)};
	if (info->target == FAULT_OF_PACK || info->target == FAULT_OF_CELL)
		out->pack =
			all && kind != FAULT_duplicate_address ? 0 : pick(r, 1, s->pack_count, 1);
	if (info->target == FAULT_OF_CELL)
		out->cell = all ? 0 : pick(r, 1, s->cell_count, 1);
	if (kind == FAULT_duplicate_address)
		out->milli = pick(r, 1, s->pack_count, 1) * 1000;
	out->start_ms = SETTLE_MS + (int64_t)(sim_random_next(r) % (uint64_t)room_s) * 1000;
	out->end_ms = out->start_ms + length_s * 1000;
}

static void draw_faults(struct sim_random *r, uint64_t allowed, struct scenario *s)
{
	const uint64_t kinds = draw_kinds(r) & allowed;
	const int64_t wanted =
		s->duration_ms * (int64_t)pick(r, 1, 2 * FAULTS_PER_DAY, 1) / DAY_MS + 1;
	enum fault_kind list[FAULT_KINDS];
	int count = 0;

	for (int kind = 0; kind < FAULT_KINDS; kind++)
		if (kinds & UINT64_C(1) << kind)
			list[count++] = (enum fault_kind)kind;
	if (count == 0 || s->duration_ms <= 2 * SETTLE_MS)
		return;
	for (int64_t i = 0; i < wanted && s->fault_count < SCENARIO_MAX_FAULTS; i++)
		draw_fault(r, s, list[pick(r, 0, count - 1, 1)], &s->faults[s->fault_count++]);
}

void swarm_draw(uint64_t seed, int64_t duration_ms, uint64_t kinds, struct scenario *out)
{
	struct sim_random mix = {seed};
	struct sim_random rack = {sim_random_next(&mix)}, gateway = {sim_random_next(&mix)};
	struct sim_random faults = {sim_random_next(&mix)};

	scenario_default(out);
	snprintf(out->title, sizeof out->title, "swarm of seed %llu", (unsigned long long)seed);
	out->seed = seed;
	out->duration_ms = duration_ms;
	out->cell_count = CELLS;
	draw_packs(&rack, out);
	draw_site(&rack, out);
	draw_battery(&gateway, out);
	draw_faults(&faults, kinds, out);
}
