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

/* What may be wrong with its sensors and switches; all zero = nothing. It protects by what it
 * measures, right or wrong. Offsets move what it measures, `frozen` keeps the last measurement. */
struct bms_faults {
	bool report_frozen, current_frozen, cells_frozen, heat_frozen, soc_frozen;
	bool keep_charge_open, keep_discharge_open;
	bool limits_charge; /* shows its charge switch open while it charges with little current */
	double current_part, current_a; /* measured = true * (1 + part) + a */
	double cells_v;                 /* added to the reading of a cell */
	int cell;                       /* the cell that is off or frozen, from 1; 0 = all */
	double heat_k;
	double soc_pct;     /* added to the charge that it reports */
	uint32_t spike_ppm; /* of its reports have one senseless value */
};

/* Senseless values that are seen in the field, in a report with a good checksum. */
enum bms_spike {
	SPIKE_NONE,
	SPIKE_SOC_0,
	SPIKE_CURRENT,
	SPIKE_CELL_0,
	SPIKE_CELL_HIGH,
	SPIKE_COLD,
	SPIKE_KINDS
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
	int low_cell, high_cell; /* the extremes of these, from 0 */
	double voltage_v, current_a, cell_c, mos_c;
	char serial[FIELD_TEXT_SIZE];
	struct bms_faults faults;
	enum bms_spike spike; /* of the present measurement */
	struct pack frozen;   /* the report that it repeats while faults.report_frozen */
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

/* From now on these are its faults. */
void bms_set_faults(struct bms *bms, const struct bms_faults *faults);

/* Measures, counts, protects and balances over `dt_s`. */
void bms_step(struct bms *bms, const struct bms_input *in, double dt_s, struct sim_random *random);

/* What this pack says about itself, in the vocabulary. Address, bus and state are left unknown. */
void bms_report(const struct bms *bms, struct pack *out);
