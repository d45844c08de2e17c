// SPDX-License-Identifier: Apache-2.0
/* A simulated pack: cells in series, what connects them to the DC bus, their temperature, and the
 * BMS that watches them. */
#pragma once

#include <stdbool.h>

#include "bms.h"
#include "cell.h"
#include "random.h"

struct sim_pack {
	int cell_count;
	struct cell cells[ONEPACK_MAX_CELLS];
	double wiring_ohm; /* bus bars inside, switches, cable to the bus */
	double heat_capacity_j_per_k, cooling_w_per_k, ambient_c;
	double cell_c, mos_c;
	double current_a; /* of the last step, positive while charging */
	double voltage_v; /* at its terminals inside the switches, at the end of the last step */
	double heat_j;    /* made since the start */
	bool unplugged;   /* pulled from the rack: off the bus and silent */
	bool muted;       /* silent, but still on the bus */
	bool heat_held;   /* cell_c is held at what somebody set */
	/* faults */
	double cable_ohm;  /* more resistance in its lead */
	double limiting_a; /* it holds its charge current down to this by itself; 0 = not */
	double heater_w;   /* something makes heat inside */
	double ambient_k;  /* warmer round it than ambient_c says */
	/* A pack with somebody else's BMS (afe.h): `bms` does nothing but hold the switches and the
	 * balancer as that one sets them. */
	bool bare;
	double cells_v[ONEPACK_MAX_CELLS]; /* at the end of the last step */
	struct bms bms;
};

/* What a pack looks like from the bus: a source behind a resistor, and which way it lets current.
 */
struct sim_branch {
	double emf_v, ohm;
	double limiting_a; /* no more charge current than this; 0 = no such limit */
	bool may_charge, may_discharge;
};

struct sim_pack_make {
	int number; /* from 1: serial number and place in the rack */
	int cell_count;
	double capacity_ah, soc, ambient_c;
	double haste; /* charge and heat move so many times faster; 0 = 1 */
};

/* Sound values with small differences between cells and between packs. */
void sim_pack_init(struct sim_pack *pack, const struct sim_pack_make *make,
		   struct sim_random *random);

struct sim_branch sim_pack_branch(const struct sim_pack *pack);

/* The current through a branch at a bus voltage. The blocked direction leaks a little, so that the
 * voltage of a bus is always defined. */
double sim_branch_current_a(const struct sim_branch *branch, double bus_v);

/* How much more current one more volt brings there, in siemens. */
double sim_branch_slope_s(const struct sim_branch *branch, double bus_v);

/* One step of at most two seconds. */
void sim_pack_step(struct sim_pack *pack, double current_a, double bus_v, double dt_s,
		   struct sim_random *random);

/* Energy stored in the cells, in joules. */
double sim_pack_stored_j(const struct sim_pack *pack);

/* True charge, as a share of the true capacity: the smallest cell decides both. */
double sim_pack_soc(const struct sim_pack *pack);
