// SPDX-License-Identifier: Apache-2.0
/* One LFP cell: an open-circuit voltage that depends on its charge, a series resistance, one
 * resistor-capacitor pair for the slow part of its voltage, and the heat that all of it makes.
 * Current is positive while charging. */
#pragma once

struct cell {
	double capacity_ah;
	double charge_efficiency; /* share of the charge that is kept, e.g. 0.998 */
	double r0_ohm;            /* answers at once */
	double r1_ohm, tau_s;     /* answers slowly: the RC pair, tau = r1 * c1 */
	double shift_v;           /* a fault: this cell's open-circuit voltage is off by so much */
	double leak_a;            /* a fault: it discharges itself with so much */
	double fault_ohm;         /* a fault: so much more series resistance */
	double soc;               /* 0 = empty, 1 = full; abuse takes it a little beyond */
	double rc_v;              /* voltage over the RC pair */
	/* what was worked out last, kept because the same is asked again and again */
	struct {
		double soc, ocv_v, dt_s, tau_s, left;
	} memo;
};

/* The open-circuit voltage: flat from 3.20 V at 10 % to 3.345 V at 95 %, with knees down to 2.5 V
 * and up to 3.65 V. Strictly increasing, also outside 0..1. */
double cell_ocv_v(double soc);

/* What answers a change of current at once. */
static inline double cell_instant_ohm(const struct cell *cell)
{
	return cell->r0_ohm + cell->fault_ohm;
}

/* What the cell would show if the current stopped now: open circuit and RC pair. */
double cell_emf_v(const struct cell *cell);

/* Lets `current_a` flow for `dt_s`; returns the heat in joules. */
double cell_step(struct cell *cell, double current_a, double dt_s);

/* Energy stored above empty, in joules: chemical and in the RC pair. With the terminal energy and
 * the heat it makes a closed balance. */
double cell_stored_j(const struct cell *cell);
