// SPDX-License-Identifier: Apache-2.0
/* The core on the simulator's physical cells: two full cycles with a charger that obeys the pack's
 * own limits. Measures how far the counted charge strays and how well the capacity is learned. */
#include "../cmocka_all.h"

#include <math.h>

#include "rig.h"
#include "sim/cell.h"

#define CELLS   16
#define TRUE_AH 92.0 /* the label says 100 */
#define STEP_S  0.1

struct plant {
	struct rig rig;
	struct cell cells[CELLS];
	double current_a;
	double worst_soc_pct; /* between calibrations */
};

static void make(struct plant *plant)
{
	memset(plant, 0, sizeof *plant);
	rig_make(&plant->rig, FW_LFP);
	plant->rig.parameters.cell_ov_delay_ds = 10;
	for (int i = 0; i < CELLS; i++)
		plant->cells[i] = (struct cell){.capacity_ah = TRUE_AH * (1 + 0.002 * (i % 4)),
						.charge_efficiency = 0.998,
						.r0_ohm = 0.0006,
						.r1_ohm = 0.0004,
						.tau_s = 60,
						.soc = 0.55};
	rig_start(&plant->rig);
	fw_pack_heard(&plant->rig.pack, 0);
}

/* The sensor is 0.3 % and 30 mA wrong; what a MOSFET blocks does not flow. */
static void step(struct plant *plant, double wanted_a)
{
	struct rig *rig = &plant->rig;
	const struct fw_outputs *out = &rig->pack.outputs;
	double a = wanted_a;

	if ((a > 0 && !out->charge_mos) || (a < 0 && !out->discharge_mos))
		a = 0;
	plant->current_a = a;
	for (int i = 0; i < CELLS; i++) {
		cell_step(&plant->cells[i], a - 0.025, STEP_S);
		rig->in.cells_mv[i] = (int32_t)lround(
			1000 * (cell_emf_v(&plant->cells[i]) + a * plant->cells[i].r0_ohm));
	}
	rig->in.current_ma = (int32_t)lround(a * 1003 + (a == 0 ? 0 : 30));
	if (rig->pack.samples % 50 == 0)
		fw_pack_heard(&rig->pack, rig->now_ms);
	rig_step(rig);
}

static double true_soc(const struct plant *plant)
{
	double soc = 1;

	for (int i = 0; i < CELLS; i++)
		if (plant->cells[i].soc < soc)
			soc = plant->cells[i].soc;
	return soc;
}

/* Charges with what the pack allows until it says that it is full. */
static void charge(struct plant *plant)
{
	for (int i = 0; i < 400000 && !plant->rig.pack.full; i++) {
		step(plant, plant->rig.pack.charge_allowed_ma / 1000.0);
		assert_int_equal(plant->rig.pack.faults, 0);
	}
	assert_true(plant->rig.pack.full);
	assert_int_equal(plant->rig.pack.soc_cpct, 10000);
}

static void discharge(struct plant *plant, bool measure)
{
	for (int i = 0; i < 400000 && plant->rig.pack.soc_cpct > 0; i++) {
		double wanted_a = plant->rig.pack.discharge_allowed_ma / 1000.0;
		double counted, off;

		step(plant, -(wanted_a > 40 ? 40 : wanted_a < 2 ? 2 : wanted_a));
		assert_int_equal(plant->rig.pack.faults, 0);
		counted = plant->rig.pack.soc_cpct / 100.0;
		off = fabs(counted - 100 * true_soc(plant));
		if (measure && off > plant->worst_soc_pct)
			plant->worst_soc_pct = off;
	}
	assert_int_equal(plant->rig.pack.soc_cpct, 0);
}

static void cycles_learn_the_capacity_and_keep_the_charge(void **state)
{
	static struct plant plant;
	double learned_ah;
	int32_t n;

	(void)state;
	make(&plant);
	for (n = 0; n < 4; n++) {
		charge(&plant);
		discharge(&plant, n == 3);
	}
	learned_ah = plant.rig.pack.counters.full_mah / 1000.0;
	print_message("true %.1f Ah, label 100 Ah, learned %.2f Ah (%.2f %% off) in %d cycles; "
		      "worst SOC error over a discharge %.2f %%\n",
		      TRUE_AH, learned_ah, 100 * fabs(learned_ah / TRUE_AH - 1), n,
		      plant.worst_soc_pct);
	assert_true(fabs(learned_ah / TRUE_AH - 1) < 0.02);
	assert_true(plant.worst_soc_pct < 3);
	assert_in_range(plant.rig.pack.counters.cycles, 3, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cycles_learn_the_capacity_and_keep_the_charge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
