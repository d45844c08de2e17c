// SPDX-License-Identifier: Apache-2.0
/* The LFP curve is typical of the large prismatic cells in stacked packs; it is not that of a
 * particular maker. Ageing and hysteresis are left out: they do not matter within the hours
 * and days that a test lasts. Self-discharge is a fault that a cell may have. */
#include "cell.h"

#include <stddef.h>

#define SECONDS_PER_HOUR 3600.0

static const struct {
	double soc, v;
} curve[] = {
	{0.00, 2.500}, {0.01, 2.750}, {0.03, 2.980}, {0.05, 3.090}, {0.10, 3.200}, {0.20, 3.245},
	{0.30, 3.268}, {0.40, 3.285}, {0.50, 3.295}, {0.60, 3.305}, {0.65, 3.318}, {0.70, 3.327},
	{0.80, 3.333}, {0.90, 3.337}, {0.95, 3.345}, {0.98, 3.380}, {0.99, 3.430}, {1.00, 3.650},
};

#define POINTS (sizeof curve / sizeof curve[0])

/* For each percent, the segment in which the charge just below it lies. */
static const unsigned char segment_below[] = {
	0,  0,  1,  1,  2,  2,  3,  3,  3,  3,  3,  4,  4,  4,  4,  4,  4,  4,  4,  4,
	4,  5,  5,  5,  5,  5,  5,  5,  5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  6,  6,
	6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  8,  8,  8,  8,  8,  8,  8,  8,  8,
	8,  9,  9,  9,  9,  9,  10, 10, 10, 10, 10, 11, 11, 11, 11, 11, 11, 11, 11, 11,
	11, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 13, 13, 13, 13, 13, 14, 14, 14, 15};

#define PERCENTS 100.0

_Static_assert(sizeof segment_below == 100, "one for each percent");

/* The index of the segment that holds `soc`; the outer segments reach to infinity. */
static size_t segment(double soc)
{
	double percent = soc * PERCENTS;
	size_t i = 1;

	if (percent >= PERCENTS)
		return POINTS - 2;
	if (percent > 0)
		i += segment_below[(size_t)percent];
	while (i < POINTS - 1 && soc > curve[i].soc)
		i++;
	return i - 1;
}

double cell_ocv_v(double soc)
{
	size_t i = segment(soc);
	double slope = (curve[i + 1].v - curve[i].v) / (curve[i + 1].soc - curve[i].soc);

	return curve[i].v + slope * (soc - curve[i].soc);
}

/* Of a cell whose charge is that of its last step, it is known already. A voltage is never zero, so
 * neither is a memo of one. */
static double ocv_v(const struct cell *cell)
{
	return cell->memo.ocv_v > 0 && cell->memo.soc == cell->soc ? cell->memo.ocv_v
								   : cell_ocv_v(cell->soc);
}

double cell_emf_v(const struct cell *cell)
{
	return ocv_v(cell) + cell->shift_v + cell->rc_v;
}

/* exp(-x) for small x, to 1e-9 for steps of a second: made of plain operations, because the exp()
 * of the C library rounds differently on different machines, and a seed must mean one and the same
 * plant everywhere. Never negative and never unstable for large x. */
static double decay(double x)
{
	return 1 / (1 + x * (1 + x * (1.0 / 2 + x * (1.0 / 6 + x / 24))));
}

/* The part of the slow voltage that is left after a step. */
static double left_after(struct cell *cell, double dt_s)
{
	if (cell->memo.dt_s != dt_s || cell->memo.tau_s != cell->tau_s) {
		cell->memo.dt_s = dt_s;
		cell->memo.tau_s = cell->tau_s;
		cell->memo.left = decay(dt_s / cell->tau_s);
	}
	return cell->memo.left;
}

double cell_step(struct cell *cell, double current_a, double dt_s)
{
	double kept = current_a > 0 ? cell->charge_efficiency : 1;
	double target_v = current_a * cell->r1_ohm; /* where rc_v runs to, exponentially */
	double gap_v = cell->rc_v - target_v;
	double left = left_after(cell, dt_s);
	double chemical_v = ocv_v(cell) + cell->shift_v;
	double heat_j = current_a * current_a * cell_instant_ohm(cell) * dt_s;

	/* The integral of rc_v squared over the step, exactly. */
	double square = target_v * target_v * dt_s +
			2 * target_v * gap_v * cell->tau_s * (1 - left) +
			gap_v * gap_v * cell->tau_s / 2 * (1 - left * left);

	if (cell->r1_ohm > 0)
		heat_j += square / cell->r1_ohm;
	heat_j += current_a * (1 - kept) * chemical_v * dt_s;
	heat_j += cell->leak_a * chemical_v * dt_s;
	cell->rc_v = target_v + gap_v * left;
	cell->soc +=
		(kept * current_a - cell->leak_a) * dt_s / (cell->capacity_ah * SECONDS_PER_HOUR);
	cell->memo.soc = cell->soc;
	cell->memo.ocv_v = cell_ocv_v(cell->soc);
	return heat_j;
}

/* The area below the curve from 0 to soc; negative below empty. */
static double curve_area(double soc)
{
	size_t end = segment(soc);
	double area = 0;

	for (size_t i = 0; i < end; i++)
		area += (curve[i].v + curve[i + 1].v) / 2 * (curve[i + 1].soc - curve[i].soc);
	return area + (curve[end].v + cell_ocv_v(soc)) / 2 * (soc - curve[end].soc);
}

double cell_stored_j(const struct cell *cell)
{
	double charge_c = cell->capacity_ah * SECONDS_PER_HOUR;
	double chemical = charge_c * (curve_area(cell->soc) + cell->shift_v * cell->soc);
	double capacitor = cell->r1_ohm > 0 ? cell->tau_s / cell->r1_ohm : 0;

	return chemical + capacitor * cell->rc_v * cell->rc_v / 2;
}
