// SPDX-License-Identifier: Apache-2.0
/* The battery's cells seen as one pack agree with its extremes. */
#include "../cmocka_all.h"

#include "onepack/battery.h"

static struct battery two_packs(void)
{
	struct battery battery;

	battery_clear(&battery);
	battery.pack_count = 2;
	for (int i = 0; i < 2; i++) {
		pack_clear(&battery.packs[i]);
		battery.packs[i].state = PACK_ACTIVE;
		battery.packs[i].cell_count = 4;
		for (int cell = 0; cell < 4; cell++)
			battery.packs[i].cells_mv[cell] = 3300 + 10 * i + cell;
	}
	return battery;
}

static void positions_are_means(void **state)
{
	struct battery battery = two_packs();
	int32_t cells_mv[ONEPACK_MAX_CELLS];

	(void)state;
	assert_int_equal(battery_cells(&battery, cells_mv), 4);
	assert_int_equal(cells_mv[0], 3305);
	assert_int_equal(cells_mv[3], 3308);
}

static void extremes_overwrite_their_positions(void **state)
{
	struct battery battery = two_packs();
	int32_t cells_mv[ONEPACK_MAX_CELLS];

	(void)state;
	battery.cell_max_mv = 3400;
	battery.cell_max_cell = 2;
	battery.cell_min_mv = 3000;
	battery.cell_min_cell = 9; /* outside: ignored */
	assert_int_equal(battery_cells(&battery, cells_mv), 4);
	assert_int_equal(cells_mv[1], 3400);
	assert_int_equal(cells_mv[3], 3308);
}

static void lost_packs_do_not_count(void **state)
{
	struct battery battery = two_packs();
	int32_t cells_mv[ONEPACK_MAX_CELLS];

	(void)state;
	battery.packs[0].state = PACK_LOST;
	assert_int_equal(battery_cells(&battery, cells_mv), 4);
	assert_int_equal(cells_mv[0], 3310);
	battery.packs[1].state = PACK_QUARANTINED;
	assert_int_equal(battery_cells(&battery, cells_mv), 0);
}

static void without_packs_the_mean_stands_for_all(void **state)
{
	struct battery battery;
	int32_t cells_mv[ONEPACK_MAX_CELLS];

	(void)state;
	battery_clear(&battery);
	assert_int_equal(battery_cells(&battery, cells_mv), 0);
	battery.cell_mean_mv = 3333;
	battery.cells_in_series = 100; /* nonsense is cut to what fits */
	assert_int_equal(battery_cells(&battery, cells_mv), ONEPACK_MAX_CELLS);
	assert_int_equal(cells_mv[31], 3333);
}

static void a_missing_cell_takes_the_others(void **state)
{
	struct battery battery = two_packs();
	int32_t cells_mv[ONEPACK_MAX_CELLS];

	(void)state;
	battery.packs[0].cells_mv[2] = FIELD_UNKNOWN;
	assert_int_equal(battery_cells(&battery, cells_mv), 4);
	assert_int_equal(cells_mv[2], 3312);
	battery.packs[1].cells_mv[2] = FIELD_UNKNOWN;
	battery_cells(&battery, cells_mv);
	assert_int_equal(cells_mv[2], FIELD_UNKNOWN);
}

static void means_are_rounded_and_held_packs_count(void **state)
{
	struct battery battery = two_packs();
	int32_t cells_mv[ONEPACK_MAX_CELLS];

	(void)state;
	battery.packs[0].state = PACK_HELD;
	battery.packs[1].state = FIELD_UNKNOWN; /* a battery that was read from JSON */
	battery.packs[1].cells_mv[0] = 3311;
	battery.packs[1].cell_count = 3;
	assert_int_equal(battery_cells(&battery, cells_mv), 4);
	assert_int_equal(cells_mv[0], 3306); /* of 3305.5 */
	assert_int_equal(cells_mv[3], 3303); /* only one has it */
	battery.packs[0].state = PACK_CANDIDATE;
	assert_int_equal(battery_cells(&battery, cells_mv), 3);
	assert_int_equal(cells_mv[0], 3311);
}

static void extremes_at_both_ends(void **state)
{
	struct battery battery = two_packs();
	int32_t cells_mv[ONEPACK_MAX_CELLS];

	(void)state;
	battery.cell_max_mv = 3400;
	battery.cell_max_cell = 4;
	battery.cell_min_mv = 3000;
	battery.cell_min_cell = 1;
	battery_cells(&battery, cells_mv);
	assert_int_equal(cells_mv[0], 3000);
	assert_int_equal(cells_mv[3], 3400);
	battery.cell_max_cell = battery.cell_min_cell = 0;
	battery_cells(&battery, cells_mv);
	assert_int_equal(cells_mv[0], 3305);
	battery.cell_max_cell = 1;
	battery.cell_max_mv = FIELD_UNKNOWN;
	battery_cells(&battery, cells_mv);
	assert_int_equal(cells_mv[0], 3305);
}

static void one_cell_is_a_battery_too(void **state)
{
	struct battery battery;
	int32_t cells_mv[ONEPACK_MAX_CELLS];

	(void)state;
	battery_clear(&battery);
	battery.cell_mean_mv = 3333;
	battery.cells_in_series = 1;
	assert_int_equal(battery_cells(&battery, cells_mv), 1);
	battery.cells_in_series = 0;
	assert_int_equal(battery_cells(&battery, cells_mv), 0);
	battery.cells_in_series = FIELD_UNKNOWN;
	assert_int_equal(battery_cells(&battery, cells_mv), 0);
	battery.cells_in_series = 8;
	battery.cell_mean_mv = FIELD_UNKNOWN;
	assert_int_equal(battery_cells(&battery, cells_mv), 0);
	battery = two_packs(); /* what packs say counts more */
	battery.cell_mean_mv = 3333;
	battery.cells_in_series = 8;
	assert_int_equal(battery_cells(&battery, cells_mv), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(positions_are_means),
		cmocka_unit_test(extremes_overwrite_their_positions),
		cmocka_unit_test(lost_packs_do_not_count),
		cmocka_unit_test(without_packs_the_mean_stands_for_all),
		cmocka_unit_test(a_missing_cell_takes_the_others),
		cmocka_unit_test(means_are_rounded_and_held_packs_count),
		cmocka_unit_test(extremes_at_both_ends),
		cmocka_unit_test(one_cell_is_a_battery_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
