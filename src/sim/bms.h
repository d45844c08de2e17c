// SPDX-License-Identifier: Apache-2.0
/* The BMS inside a simulated pack: it measures (with small errors), counts charge (and drifts),
 * protects with its two switches, and balances. It works from the same settings that it reports,
 * with the values of the LFP preset that JK packs come with. */
#pragma once

#include <stdbool.h>

#include "onepack/battery.h"
#include "random.h"

/* Protections that compare a value with a trip and a release level; their rows are in bms.c. */
#define BMS_GUARDS 8

/* One protection: since when its condition holds, or since when it is active. */
struct bms_timer {
	bool active;
	double held_s;
};

struct bms {
	struct pack_settings settings;
	bool powered; /* false: switched itself off with empty cells; silent, both switches open */
	bool charge_mos, discharge_mos;
	alarm_set protections;      /* active now */
	alarm_set ever_protections; /* used since the start */
	struct bms_timer guard[BMS_GUARDS];
	struct bms_timer charge_overcurrent, discharge_overcurrent, power_off;
	double counted_ah, full_ah, cycled_ah;
	double haste; /* charge moves so many times faster than the current says */
	double current_gain, current_offset_a; /* of its current sensor */
	bool balancing;
	int balance_from, balance_to; /* cells, from 0 */
	double balance_a;
	/* the last measurement, as it reports it */
	int cell_count;
	double cells_v[ONEPACK_MAX_CELLS];
	double voltage_v, current_a, cell_c, mos_c;
	char serial[FIELD_TEXT_SIZE];
};

/* The truth, as far as a BMS has sensors for it. */
struct bms_input {
	int cell_count;
	const double *cells_v;
	double current_a; /* positive while charging */
	double bus_v;     /* beyond the switches: a charger wakes a pack that is off */
	double cell_c, mos_c;
};

/* `number` makes the serial number; small differences come from `random`. */
void bms_init(struct bms *bms, int number, int cell_count, double capacity_ah, double soc,
	      struct sim_random *random);

/* Measures, counts, protects and balances over `dt_s`. */
void bms_step(struct bms *bms, const struct bms_input *in, double dt_s, struct sim_random *random);

/* What this pack says about itself, in the vocabulary. Address, bus and state are left unknown. */
void bms_report(const struct bms *bms, struct pack *out);
