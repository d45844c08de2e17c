// SPDX-License-Identifier: Apache-2.0
/* A 51.2 V pack of 16 cells comes to about 25 milliohm from cell to bus: 7 ohmic and 5 slow in the
 * cells, 13 in switches, fuse and cable. It weighs about 100 kg and loses a few watts per degree;
 * its power switches warm up by some 20 degrees at 100 A. */
#include "pack.h"

#include <math.h>
#include <string.h>

#define CELL_R0_OHM       0.00045
#define CELL_R1_OHM       0.00030
#define CELL_TAU_S        60
#define CHARGE_EFFICIENCY 0.998
#define WIRING_OHM        0.013
#define SWITCH_OHM        0.002 /* the part of the wiring that heats the power switches */
#define SWITCH_J_PER_K    200
#define SWITCH_W_PER_K    1
#define HEAT_J_PER_K      100000
#define COOLING_W_PER_K   4
#define LEAK_SIEMENS      1e-6
#define BALANCE_YIELD     0.9 /* of the charge that a balancer moves, what arrives */
#define MIN_STEP_S        1e-6

void sim_pack_init(struct sim_pack *pack, const struct sim_pack_make *make,
		   struct sim_random *random)
{
	memset(pack, 0, sizeof *pack);
	pack->cell_count = make->cell_count;
	double soc = make->soc + sim_random_spread(random, 0.01);
	double haste = make->haste > 0 ? make->haste : 1;
	double real_ah = make->capacity_ah / haste; /* that is all that haste is */

	for (int i = 0; i < pack->cell_count; i++)
		pack->cells[i] = (struct cell){
			.capacity_ah = real_ah * (1 + sim_random_spread(random, 0.005)),
			.charge_efficiency = CHARGE_EFFICIENCY,
			.r0_ohm = CELL_R0_OHM * (1 + sim_random_spread(random, 0.05)),
			.r1_ohm = CELL_R1_OHM * (1 + sim_random_spread(random, 0.05)),
			.tau_s = CELL_TAU_S,
			.soc = soc + sim_random_spread(random, 0.002),
		};
	pack->wiring_ohm = WIRING_OHM * (1 + sim_random_spread(random, 0.15));
	pack->heat_capacity_j_per_k = HEAT_J_PER_K / haste;
	pack->cooling_w_per_k = COOLING_W_PER_K;
	pack->ambient_c = make->ambient_c + sim_random_spread(random, 1);
	pack->cell_c = pack->mos_c = pack->ambient_c + 1;
	bms_init(&pack->bms, make->number, make->cell_count, make->capacity_ah, soc, random);
	pack->bms.haste = haste;
	sim_pack_step(pack, 0, 0, MIN_STEP_S, random);
}

struct sim_branch sim_pack_branch(const struct sim_pack *pack)
{
	struct sim_branch branch = {
		.ohm = pack->wiring_ohm + pack->cable_ohm,
		.limiting_a = pack->limiting_a,
		.may_charge = pack->bms.charge_mos && !pack->unplugged,
		.may_discharge = pack->bms.discharge_mos && !pack->unplugged,
	};

	for (int i = 0; i < pack->cell_count; i++) {
		branch.emf_v += cell_emf_v(&pack->cells[i]);
		branch.ohm += cell_instant_ohm(&pack->cells[i]);
	}
	return branch;
}

double sim_branch_current_a(const struct sim_branch *branch, double bus_v)
{
	double over_v = bus_v - branch->emf_v;
	bool open = over_v > 0 ? branch->may_charge : branch->may_discharge;

	if (!open)
		return over_v * LEAK_SIEMENS;
	if (branch->limiting_a > 0 && over_v > branch->limiting_a * branch->ohm)
		return branch->limiting_a +
		       (over_v - branch->limiting_a * branch->ohm) * LEAK_SIEMENS;
	return over_v / branch->ohm;
}

double sim_branch_slope_s(const struct sim_branch *branch, double bus_v)
{
	double over_v = bus_v - branch->emf_v;
	bool open = over_v > 0 ? branch->may_charge : branch->may_discharge;
	bool limits = branch->limiting_a > 0 && over_v > branch->limiting_a * branch->ohm;

	return open && !limits ? 1 / branch->ohm : LEAK_SIEMENS;
}

/* What the balancer adds to the current of cell `i`. */
static double balance_current_a(const struct bms *bms, int i)
{
	if (!bms->balancing)
		return 0;
	if (i == bms->balance_from)
		return -bms->balance_a;
	return i == bms->balance_to ? bms->balance_a * BALANCE_YIELD : 0;
}

static void warm(struct sim_pack *pack, double heat_j, double dt_s)
{
	double current2 = pack->current_a * pack->current_a;
	double ambient_c = pack->ambient_c + pack->ambient_k;
	double lost_w = (pack->cell_c - ambient_c) * pack->cooling_w_per_k - pack->heater_w;
	double switch_w = current2 * SWITCH_OHM - (pack->mos_c - pack->cell_c) * SWITCH_W_PER_K;

	pack->heat_j += heat_j;
	if (!pack->heat_held)
		pack->cell_c += (heat_j - lost_w * dt_s) / pack->heat_capacity_j_per_k;
	pack->mos_c += switch_w * dt_s / SWITCH_J_PER_K;
}

/* While a BMS limits the charge current by itself, its converter takes the rest of the voltage. */
static double limiter_heat_w(const struct sim_pack *pack, double current_a, double bus_v)
{
	struct sim_branch branch;

	if (pack->limiting_a <= 0 || current_a <= 0)
		return 0;
	branch = sim_pack_branch(pack);
	return (bus_v - branch.emf_v - current_a * branch.ohm) * current_a;
}

void sim_pack_step(struct sim_pack *pack, double current_a, double bus_v, double dt_s,
		   struct sim_random *random)
{
	double lead_ohm = pack->wiring_ohm + pack->cable_ohm;
	double heat_j = current_a * current_a * lead_ohm * dt_s +
			limiter_heat_w(pack, current_a, bus_v) * dt_s;

	pack->current_a = current_a;
	pack->voltage_v = 0;
	for (int i = 0; i < pack->cell_count; i++) {
		struct cell *cell = &pack->cells[i];
		double balance_a = balance_current_a(&pack->bms, i);
		double cell_a = current_a + balance_a;

		heat_j += cell_step(cell, cell_a, dt_s);
		pack->cells_v[i] = cell_emf_v(cell) + cell_a * cell_instant_ohm(cell);
		heat_j -= balance_a * pack->cells_v[i] * dt_s; /* what the balancer loses */
		pack->voltage_v += pack->cells_v[i];
	}
	warm(pack, heat_j, dt_s);
	if (pack->bare)
		return;
	bms_step(&pack->bms,
		 &(struct bms_input){.cell_count = pack->cell_count,
				     .cells_v = pack->cells_v,
				     .current_a = current_a,
				     .bus_v = pack->unplugged ? 0 : bus_v,
				     .cell_c = pack->cell_c,
				     .mos_c = pack->mos_c},
		 dt_s, random);
}

double sim_pack_stored_j(const struct sim_pack *pack)
{
	double stored_j = 0;

	for (int i = 0; i < pack->cell_count; i++)
		stored_j += cell_stored_j(&pack->cells[i]);
	return stored_j;
}

double sim_pack_soc(const struct sim_pack *pack)
{
	double left_ah = INFINITY, room_ah = INFINITY;

	for (int i = 0; i < pack->cell_count; i++) {
		const struct cell *cell = &pack->cells[i];

		left_ah = fmin(left_ah, cell->soc * cell->capacity_ah);
		room_ah = fmin(room_ah, (1 - cell->soc) * cell->capacity_ah);
	}
	return left_ah / (left_ah + room_ah);
}
