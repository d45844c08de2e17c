// SPDX-License-Identifier: Apache-2.0
/* The plant: packs in parallel on one DC bus, and whatever charges and discharges them. Pure and in
 * virtual time: the same seed and the same calls give the same plant. */
#pragma once

#include "onepack/battery.h"
#include "pack.h"
#include "random.h"

struct plant {
	int pack_count;
	struct sim_pack packs[ONEPACK_MAX_PACKS]; /* pack n is packs[n - 1] */
	struct sim_random random;
	double time_s;
	double bus_v;      /* 0 when no pack is connected */
	double bus_a;      /* into all packs together, positive while charging */
	double terminal_j; /* energy that came in over the bus, minus what went out */
	double charged_ah, discharged_ah;
};

struct plant_make {
	int pack_count, cell_count;
	double capacity_ah, soc, ambient_c;
	double haste; /* charge and heat move so many times faster, all else does not; 0 = 1 */
	uint64_t seed;
};

/* What the inverter does with the bus: it wants a current and keeps the voltage in a window. */
struct plant_demand {
	double current_a;           /* positive = charge */
	double charge_voltage_v;    /* charging never lifts the bus above this */
	double discharge_voltage_v; /* discharging never pulls it below this */
};

void plant_init(struct plant *plant, const struct plant_make *make);

/* Lets `dt_s` pass; longer steps are taken two seconds at a time. */
void plant_step(struct plant *plant, const struct plant_demand *demand, double dt_s);

/* Finds the bus voltage at which the branches take `current_a` together, or as much of it as the
 * window allows. Returns the voltage; *current_a becomes what really flows. */
double plant_solve(const struct sim_branch *branches, int count, const struct plant_demand *demand,
		   double *current_a);

/* Energy stored in all cells and heat made by them, in joules. */
double plant_stored_j(const struct plant *plant);
double plant_heat_j(const struct plant *plant);
