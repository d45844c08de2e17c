// SPDX-License-Identifier: Apache-2.0
/* Packs share a current by their resistances and source voltages, and drive currents through each
 * other when those differ. Every branch takes more current when the bus voltage rises, so the
 * voltage for a wanted current is unique; it is found by Newton steps that a shrinking bracket
 * keeps honest (the branches are straight lines with one bend each, so few steps are needed). */
#include "plant.h"

#include <math.h>
#include <string.h>

#define LONGEST_STEP_S 2.0 /* power switches take minutes to warm up, cells hours */
#define MAX_ROUNDS     60
#define CURRENT_EXACT  1e-9 /* A */

void plant_init(struct plant *plant, const struct plant_make *make)
{
	memset(plant, 0, sizeof *plant);
	plant->random.state = make->seed;
	plant->pack_count = make->pack_count;
	for (int i = 0; i < make->pack_count; i++)
		sim_pack_init(&plant->packs[i],
			      &(struct sim_pack_make){.number = i + 1,
						      .cell_count = make->cell_count,
						      .capacity_ah = make->capacity_ah,
						      .soc = make->soc,
						      .ambient_c = make->ambient_c,
						      .haste = make->haste},
			      &plant->random);
}

static double total_a(const struct sim_branch *branches, int count, double bus_v)
{
	double sum_a = 0;

	for (int i = 0; i < count; i++)
		sum_a += sim_branch_current_a(&branches[i], bus_v);
	return sum_a;
}

/* How much more current one more volt brings. */
static double slope(const struct sim_branch *branches, int count, double bus_v)
{
	double sum_s = 0;

	for (int i = 0; i < count; i++)
		sum_s += sim_branch_slope_s(&branches[i], bus_v);
	return sum_s;
}

/* The voltage between low and high at which the branches take `current_a`. */
static double voltage_for(const struct sim_branch *branches, int count, double current_a,
			  double low_v, double high_v)
{
	double v = (low_v + high_v) / 2;

	for (int round = 0; round < MAX_ROUNDS; round++) {
		double over_a = total_a(branches, count, v) - current_a;

		if (fabs(over_a) < CURRENT_EXACT)
			break;
		if (over_a > 0)
			high_v = v;
		else
			low_v = v;
		v -= over_a / slope(branches, count, v);
		if (v <= low_v || v >= high_v)
			v = (low_v + high_v) / 2;
	}
	return v;
}

static void source_range(const struct sim_branch *branches, int count, double *low_v,
			 double *high_v)
{
	*low_v = INFINITY;
	*high_v = -INFINITY;
	for (int i = 0; i < count; i++) {
		*low_v = fmin(*low_v, branches[i].emf_v);
		*high_v = fmax(*high_v, branches[i].emf_v);
	}
}

double plant_solve(const struct sim_branch *branches, int count, const struct plant_demand *demand,
		   double *current_a)
{
	double low_v, high_v, edge_a;

	*current_a = 0;
	if (count == 0)
		return 0;
	source_range(branches, count, &low_v, &high_v);
	if (demand->current_a > 0) {
		edge_a = total_a(branches, count, demand->charge_voltage_v);
		*current_a = fmax(0, fmin(demand->current_a, edge_a));
		high_v = fmax(high_v, demand->charge_voltage_v);
	} else if (demand->current_a < 0) {
		edge_a = total_a(branches, count, demand->discharge_voltage_v);
		*current_a = fmin(0, fmax(demand->current_a, edge_a));
		low_v = fmin(low_v, demand->discharge_voltage_v);
	}
	return voltage_for(branches, count, *current_a, low_v, high_v);
}

static void step(struct plant *plant, const struct plant_demand *demand, double dt_s)
{
	struct sim_branch all[ONEPACK_MAX_PACKS], connected[ONEPACK_MAX_PACKS];
	int count = 0;

	for (int i = 0; i < plant->pack_count; i++) {
		all[i] = sim_pack_branch(&plant->packs[i]);
		if (all[i].may_charge || all[i].may_discharge)
			connected[count++] = all[i];
	}
	plant->bus_v = plant_solve(connected, count, demand, &plant->bus_a);
	for (int i = 0; i < plant->pack_count; i++) {
		bool on_bus = all[i].may_charge || all[i].may_discharge;
		double current_a = on_bus ? sim_branch_current_a(&all[i], plant->bus_v) : 0;

		sim_pack_step(&plant->packs[i], current_a, plant->bus_v, dt_s, &plant->random);
	}
	plant->time_s += dt_s;
	plant->terminal_j += plant->bus_v * plant->bus_a * dt_s;
	if (plant->bus_a > 0)
		plant->charged_ah += plant->bus_a * dt_s / 3600;
	else
		plant->discharged_ah -= plant->bus_a * dt_s / 3600;
}

void plant_step(struct plant *plant, const struct plant_demand *demand, double dt_s)
{
	while (dt_s > 0) {
		double now_s = fmin(dt_s, LONGEST_STEP_S);

		step(plant, demand, now_s);
		dt_s -= now_s;
	}
}

double plant_stored_j(const struct plant *plant)
{
	double sum_j = 0;

	for (int i = 0; i < plant->pack_count; i++)
		sum_j += sim_pack_stored_j(&plant->packs[i]);
	return sum_j;
}

double plant_heat_j(const struct plant *plant)
{
	double sum_j = 0;

	for (int i = 0; i < plant->pack_count; i++)
		sum_j += plant->packs[i].heat_j;
	return sum_j;
}
