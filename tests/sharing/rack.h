// SPDX-License-Identifier: Apache-2.0
/* A random rack of the simulated plant, polled pack after pack as on a real bus, fused, and used by
 * an inverter that takes what sun and load ask for within the published limits. The true
 * resistances and sources are known here, so the limit can be compared with the exact physical
 * maximum. */
#pragma once

#include "core/fusion_state.h"
#include "sim/plant.h"

struct rack {
	struct sim_random random;
	struct sim_pack packs[ONEPACK_MAX_PACKS];
	int count, cells;
	double total_ah;
	double poll_s; /* between two packs */
	bool learns;   /* false: shares stay as the capacities say */
	struct fusion fusion;
	struct battery out;
	double time_s;
	/* the inverter */
	double wish_a, next_wish_s, base_a, next_base_s, bus_a;
	double heard_charge_a, heard_discharge_a, next_heard_s;
	double limit_a[ONEPACK_MAX_PACKS][DIRECTIONS]; /* what each BMS permits */
	double over_s[ONEPACK_MAX_PACKS];              /* for how long above that already */
	double longest_over_s, worst_over;             /* worst: in parts of the limit */
};

void rack_init(struct rack *rack, uint64_t seed, bool learns);

/* One pack is asked, the engine makes a step, the inverter reacts, the plant moves on. */
void rack_step(struct rack *rack);

/* The exact part of a current step that a pack takes, over all conducting packs. */
double rack_true_share(const struct rack *rack, int pack);

/* The largest total current at which every pack keeps the limit that fusion gives it, or more than
 * that where only a part of what its BMS permits (`headroom`) was used. */
double rack_true_limit_a(const struct rack *rack, enum direction direction, double headroom);
