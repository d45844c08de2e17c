// SPDX-License-Identifier: Apache-2.0
/* One cell: the shape of its curve, its slow voltage, and that no energy comes from nowhere. */
#include "../cmocka_all.h"

#include <math.h>

#include "near.h"
#include "sim/cell.h"

static struct cell new_cell(double soc)
{
	return (struct cell){.capacity_ah = 100,
			     .charge_efficiency = 0.998,
			     .r0_ohm = 0.0005,
			     .r1_ohm = 0.0003,
			     .tau_s = 60,
			     .soc = soc};
}

static void curve_rises_everywhere(void **state)
{
	(void)state;
	for (double soc = -0.05; soc < 1.05; soc += 0.001)
		assert_true(cell_ocv_v(soc + 0.001) > cell_ocv_v(soc));
}

static void curve_is_flat_with_two_knees(void **state)
{
	(void)state;
	assert_near(cell_ocv_v(0), 2.5, 1e-9);
	assert_near(cell_ocv_v(1), 3.65, 1e-9);
	assert_near(cell_ocv_v(0.10), 3.20, 1e-9);
	assert_true(cell_ocv_v(0.95) < 3.35);
	assert_true(cell_ocv_v(0.99) > 3.40);
}

static void voltage_answers_at_once_and_slowly(void **state)
{
	struct cell cell = new_cell(0.5);
	double rest_v = cell_emf_v(&cell);

	(void)state;
	for (int s = 0; s < 600; s++)
		cell_step(&cell, 50, 1);
	assert_near(cell.rc_v, 50 * 0.0003, 1e-5);
	assert_true(cell_emf_v(&cell) > rest_v);
	for (int s = 0; s < 60; s++)
		cell_step(&cell, 0, 1);
	assert_near(cell.rc_v, 50 * 0.0003 * exp(-1), 1e-5);
}

static void charge_is_counted_with_its_loss(void **state)
{
	struct cell cell = new_cell(0.5);

	(void)state;
	cell_step(&cell, 50, 3600);
	assert_near(cell.soc, 0.5 + 0.5 * 0.998, 1e-9);
	cell_step(&cell, -50, 3600);
	assert_near(cell.soc, 0.5 + 0.5 * 0.998 - 0.5, 1e-9);
}

/* Through both knees, up and down: what went in over the terminals is stored or became heat. */
static void energy_is_conserved(void **state)
{
	struct cell cell = new_cell(0.02);
	double before_j = cell_stored_j(&cell), in_j = 0, heat_j = 0, moved_j = 0;
	const double dt_s = 0.5;

	(void)state;
	for (int i = 0; i < 2 * 7200 * 2; i++) {
		double current_a = i < 7200 * 2 ? 48 : -48;
		double start_v = cell_emf_v(&cell);

		heat_j += cell_step(&cell, current_a, dt_s);
		double mean_v = (start_v + cell_emf_v(&cell)) / 2 + current_a * cell.r0_ohm;

		in_j += mean_v * current_a * dt_s;
		moved_j += fabs(mean_v * current_a * dt_s);
	}
	assert_true(heat_j > 1000);
	assert_near(in_j, cell_stored_j(&cell) - before_j + heat_j, moved_j * 1e-5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(curve_rises_everywhere),
		cmocka_unit_test(curve_is_flat_with_two_knees),
		cmocka_unit_test(voltage_answers_at_once_and_slowly),
		cmocka_unit_test(charge_is_counted_with_its_loss),
		cmocka_unit_test(energy_is_conserved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
