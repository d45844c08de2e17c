// SPDX-License-Identifier: Apache-2.0
/* Curves, and the documented default configuration. */
#include "../cmocka_all.h"

#include <string.h>

#include "onepack/fusion.h"

static void curves_are_straight_between_points_and_flat_outside(void **state)
{
	const struct curve curve = {.count = 3, .point = {{0, 100}, {10, 200}, {20, 0}}};
	const struct curve step = {.count = 2, .point = {{5, 7}, {5, 9}}};
	const struct curve none = {0};
	static const struct {
		int32_t x, y;
	} rows[] = {{-5, 100}, {0, 100}, {5, 150}, {10, 200}, {15, 100}, {20, 0}, {99, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(curve_at(&curve, rows[i].x), rows[i].y);
	assert_int_equal(curve_at(&step, 4), 7);
	assert_int_equal(curve_at(&step, 6), 9);
	assert_int_equal(curve_at(&none, 0), 0); /* no curve, no current */
}

/* docs/fusion.md: 32 % at 3.52 V; the discharge and temperature points. */
static void the_default_curves_hit_their_figures(void **state)
{
	struct fusion_config config;
	static const struct {
		int32_t mC, ppm;
	} charge[] = {{-100, 0},       {0, 50000},      {5000, 120000},  {10000, 300000},
		      {20000, 500000}, {40000, 500000}, {57500, 250000}, {60000, 0}},
	  discharge[] = {{-30000, 0}, {-25000, 250000}, {-20000, 500000}, {0, 500000}, {60000, 0}};
	static const struct {
		int32_t mv, ppm;
	} cells[] = {{2800, 0},      {2900, 5000},    {3000, 50000},
		     {3100, 250000}, {3190, 1000000}, {3300, 1000000}};

	(void)state;
	fusion_config_default(&config);
	assert_int_equal(curve_at(&config.charge_cell, 3350), 1000000);
	assert_in_range(curve_at(&config.charge_cell, 3450), 760000, 780000); /* below 0.7798 */
	assert_in_range(curve_at(&config.charge_cell, 3520), 320000, 323000);
	assert_int_equal(curve_at(&config.charge_cell, 3550), 0);
	for (size_t i = 0; i < sizeof charge / sizeof charge[0]; i++)
		assert_int_equal(curve_at(&config.charge_temperature, charge[i].mC), charge[i].ppm);
	for (size_t i = 0; i < sizeof discharge / sizeof discharge[0]; i++)
		assert_int_equal(curve_at(&config.discharge_temperature, discharge[i].mC),
				 discharge[i].ppm);
	for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
		assert_int_equal(curve_at(&config.discharge_cell, cells[i].mv), cells[i].ppm);
}

static void curves_follow_the_configured_voltages(void **state)
{
	struct fusion_config config;

	(void)state;
	fusion_config_default(&config);
	config.cell_undervoltage_mv = 2800;
	config.cell_overvoltage_mv = 3600;
	fusion_config_default_curves(&config);
	assert_int_equal(curve_at(&config.discharge_cell, 3000), 0);
	assert_int_equal(curve_at(&config.charge_cell, 3525), 0);
	assert_int_equal(config.charge_cell.count, 8);
	assert_int_equal(config.discharge_cell.count, 5);
}

static void every_key_has_a_row_that_fits_the_struct(void **state)
{
	struct fusion_config config;

	(void)state;
	fusion_config_default(&config);
	for (int i = 0; i < fusion_key_count; i++) {
		const struct fusion_key *key = &fusion_keys[i];
		int32_t value;

		memcpy(&value, (const char *)&config + key->offset, sizeof value);
		assert_int_equal(value, key->normal);
		assert_true(key->low <= key->high);
		if (value != FIELD_UNKNOWN)
			assert_true(value >= key->low && value <= key->high);
	}
	assert_string_equal(fusion_keys[2].json, "charge_target_cell_v");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(curves_are_straight_between_points_and_flat_outside),
		cmocka_unit_test(the_default_curves_hit_their_figures),
		cmocka_unit_test(curves_follow_the_configured_voltages),
		cmocka_unit_test(every_key_has_a_row_that_fits_the_struct),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
