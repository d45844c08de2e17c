// SPDX-License-Identifier: Apache-2.0
/* C: the measurements of the battery. */
#include "fusion_rig.h"

static void without_packs_everything_is_unknown(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 0);
	rig_run(&rig, 1);
	assert_int_equal(rig.out.state, BATTERY_NO_DATA);
	assert_int_equal(rig.out.voltage_mv, FIELD_UNKNOWN);
	assert_int_equal(rig.out.current_ma, FIELD_UNKNOWN);
	assert_int_equal(rig.out.power_mw, FIELD_UNKNOWN);
	assert_int_equal(rig.out.soc_mpct, FIELD_UNKNOWN);
	assert_int_equal(rig.out.capacity_mah, FIELD_UNKNOWN);
	assert_int_equal(rig.out.cell_max_mv, FIELD_UNKNOWN);
	assert_int_equal(rig.out.charge_current_limit_ma, 0);
	assert_int_equal(rig.out.discharge_current_limit_ma, 0);
	assert_int_equal(rig.out.charge_allowed, 0);
	assert_int_equal(rig.out.charge_stage, FIELD_UNKNOWN);
	assert_int_equal(rig.out.packs_online, 0);
	assert_int_equal(rig.out.packs_total, 0);
	assert_int_equal(rig.out.protections, 0);
	assert_string_equal(rig_reason(&rig, LIMIT_CHARGE_CURRENT)->text,
			    "No pack has answered yet.");
}

static void all_lost_is_no_data_again(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.absent[0] = rig.absent[1] = true;
	rig_run(&rig, 29);
	assert_int_equal(rig.out.voltage_mv, 52800); /* still held, but no current any more */
	assert_int_equal(rig.out.current_ma, FIELD_UNKNOWN);
	assert_int_equal(rig.out.charge_current_limit_ma, 0);
	rig_run(&rig, 1);
	assert_int_equal(rig.out.state, BATTERY_NO_DATA);
	assert_int_equal(rig.out.voltage_mv, FIELD_UNKNOWN);
	assert_int_equal(rig.out.soc_mpct, FIELD_UNKNOWN);
	assert_int_equal(rig.out.charge_voltage_limit_mv, FIELD_UNKNOWN);
	assert_int_equal(rig.out.charge_current_limit_ma, 0);
	assert_int_equal(rig.out.packs_total, 2);
	assert_int_equal(rig.out.pack_count, 2);
	assert_string_equal(rig_reason(&rig, LIMIT_CHARGE_VOLTAGE)->text,
			    "No pack answers any more.");
	assert_int_equal(rig_reason(&rig, LIMIT_CHARGE_VOLTAGE)->value, FIELD_UNKNOWN);
}

static void voltages_are_weighted_and_outliers_left_out(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 3);
	rig.packs[0].capacity_mah = 100000;
	rig.packs[1].capacity_mah = 300000;
	rig.packs[2].capacity_mah = 200000;
	rig_set_cells(&rig.packs[1], 3310);
	rig_run(&rig, 5);
	assert_int_equal(rig.out.voltage_mv, 52880); /* (1 x 52.80 + 3 x 52.96 + 2 x 52.80) / 6 */
	rig_set_cells(&rig.packs[2], 3390);          /* 1.28 V from the middle */
	rig_run(&rig, 5);
	assert_int_equal(rig_state(&rig, 3), PACK_ACTIVE);
	assert_int_equal(rig.out.voltage_mv, 52920);
	rig.packs[1].charge_mos = rig.packs[1].discharge_mos = 0; /* not on the bus */
	rig.packs[2].charge_mos = rig.packs[2].discharge_mos = 0;
	rig_run(&rig, 1);
	assert_int_equal(rig.out.voltage_mv, 52800);
	rig.packs[0].charge_mos = rig.packs[0].discharge_mos = 0; /* then what there is */
	rig_run(&rig, 1);
	assert_int_equal(rig.out.voltage_mv, 53360);
}

static void currents_add_up_while_they_are_not_too_old(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.packs[0].current_ma = 30000;
	rig.packs[1].current_ma = 12000;
	rig_run(&rig, 1);
	assert_int_equal(rig.out.current_ma, 42000);
	assert_int_equal(rig.out.power_mw, 42000 * 528 / 10);
	assert_int_equal(rig.out.state, BATTERY_CHARGING);
	rig.absent[1] = true;
	rig_run(&rig, 10);
	assert_int_equal(rig.out.current_ma, 42000);
	rig_run(&rig, 1);
	assert_int_equal(rig.out.current_ma, 30000);
	rig.packs[0].current_ma = -300;
	rig_run(&rig, 1);
	assert_int_equal(rig.out.state, BATTERY_STANDBY);
	rig.packs[0].current_ma = -500;
	rig_run(&rig, 1);
	assert_int_equal(rig.out.state, BATTERY_DISCHARGING);
}

static void sums_and_means_are_over_the_online_packs(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 3);
	rig.packs[1].capacity_mah = 140000;
	rig.packs[1].remaining_mah = FIELD_UNKNOWN; /* 60 % of it stand in */
	rig.packs[1].soh_mpct = 96000;
	rig.packs[1].cycles = 400;
	rig.packs[2].soh_mpct = rig.packs[2].cycles = FIELD_UNKNOWN;
	rig_run(&rig, 60);
	assert_int_equal(rig.out.capacity_mah, 700000);
	assert_int_equal(rig.out.remaining_mah, 420000);
	assert_int_equal(rig.out.soh_mpct, 98000);
	assert_int_equal(rig.out.cycles, 200);
	rig.absent[2] = true;
	rig_run(&rig, 40);
	assert_int_equal(rig.out.capacity_mah, 420000);
	assert_int_equal(rig.out.packs_online, 2);
}

static void extremes_are_true_and_name_their_pack(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 3);
	rig_set_cell(&rig.packs[1], 5, 3340);
	rig_set_cell(&rig.packs[2], 16, 3250);
	rig.packs[0].temperatures_mC[1] = 12000;
	rig.packs[2].temperatures_mC[0] = 31000;
	rig.packs[1].mos_temperature_mC = 44000;
	rig_run(&rig, 3);
	assert_int_equal(rig.out.cell_max_mv, 3340);
	assert_int_equal(rig.out.cell_max_pack, 2);
	assert_int_equal(rig.out.cell_max_cell, 5);
	assert_int_equal(rig.out.cell_min_mv, 3250);
	assert_int_equal(rig.out.cell_min_pack, 3);
	assert_int_equal(rig.out.cell_min_cell, 16);
	assert_int_equal(rig.out.cell_mean_mv, 3300);
	assert_int_equal(rig.out.temperature_min_mC, 12000);
	assert_int_equal(rig.out.temperature_min_pack, 1);
	assert_int_equal(rig.out.temperature_max_mC, 31000);
	assert_int_equal(rig.out.temperature_max_pack, 3);
	assert_int_equal(rig.out.temperature_mC, 24167);
	assert_int_equal(rig.out.mos_temperature_max_mC, 44000);
}

/* Incident 6: a blocked empty pack dragged 30 % down to 7 %. */
static void usable_charge_is_of_packs_that_can_discharge(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig.packs[0].soc_mpct = 30000;
	rig.packs[0].remaining_mah = 84000;
	rig.packs[1].soc_mpct = 0;
	rig.packs[1].remaining_mah = 0;
	rig.packs[1].discharge_mos = 0;
	rig_run(&rig, 5);
	assert_int_equal(rig.out.soc_mpct, 30000);
	assert_int_equal(rig.out.remaining_mah, 84000); /* the all-pack view: 15 % of 560 Ah */
	assert_int_equal(rig.out.capacity_mah, 560000);
	assert_true(rig.out.warnings & ALARM_BIT(ALARM_soc_drift));
	rig.packs[0].discharge_mos = 0; /* nobody can: what there is is shown */
	rig_run(&rig, 60);
	assert_int_equal(rig.out.soc_mpct, 15000);
	rig.config.soc_basis = SOC_BASIS_ALL;
	rig_configure(&rig);
	rig.packs[0].discharge_mos = 1;
	rig_run(&rig, 5);
	assert_int_equal(rig.out.soc_mpct, 15000);
}

static void the_shown_charge_moves_slowly(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig_run(&rig, 2);
	assert_int_equal(rig.out.soc_mpct, 60000); /* at once in the beginning */
	rig.packs[0].soc_mpct = 40000;
	rig.packs[0].remaining_mah = 112000;
	rig_run(&rig, 2); /* a jump that is confirmed */
	assert_int_equal(rig.out.soc_mpct, 59000);
	rig_step(&rig, 500);
	assert_int_equal(rig.out.soc_mpct, 58500);
	rig_run(&rig, 18);
	assert_int_equal(rig.out.soc_mpct, 40500);
	rig_run(&rig, 5);
	assert_int_equal(rig.out.soc_mpct, 40000);
	rig.packs[0].soc_mpct = 48000;
	rig.packs[0].remaining_mah = 134400;
	rig_run(&rig, 3);
	assert_int_equal(rig.out.soc_mpct, 43000);
}

/* 98 until every pack that can charge has ended its charge, then 100, less what is taken. */
static void a_hundred_is_a_promise(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	for (int i = 0; i < 2; i++) {
		rig.packs[i].soc_mpct = 100000;
		rig.packs[i].remaining_mah = 280000;
	}
	rig_run(&rig, 10);
	assert_int_equal(rig.out.soc_mpct, 98000);
	for (int i = 0; i < 2; i++) {
		rig_set_cells(&rig.packs[i], 3450);
		rig.packs[i].current_ma = 2000;
		rig.packs[i].remaining_mah = 274400; /* its own count is 2 % short */
	}
	rig_run(&rig, 50);
	assert_int_equal(rig.out.soc_mpct, 98000);
	rig_run(&rig, 20);
	assert_int_equal(rig.out.soc_mpct, 100000);
	for (int i = 0; i < 2; i++)
		rig.packs[i].current_ma = -28000; /* 1 % in six minutes */
	rig_run(&rig, 360);
	assert_in_range(rig.out.soc_mpct, 98990, 99010);
}

/* A pack whose own count is far off does not become full by ending its charge. */
static void a_count_that_is_far_off_is_not_hidden(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig_set_cells(&rig.packs[0], 3450);
	rig_run(&rig, 100);
	assert_true(rig.fusion.slots[0].finished);
	assert_int_equal(rig.out.soc_mpct, 60000);
}

static void zero_is_what_the_lowest_cell_says(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	for (int i = 0; i < 2; i++)
		rig.packs[i].soc_mpct = rig.packs[i].remaining_mah = 0;
	rig_run(&rig, 10);
	assert_int_equal(rig.out.soc_mpct, 1000);
	assert_true(rig.out.warnings & ALARM_BIT(ALARM_low_soc));
	rig_set_cell(&rig.packs[1], 3, 2800);
	rig_run(&rig, 5);
	assert_int_equal(rig.out.soc_mpct, 0);
}

static void charge_without_a_capacity_is_unknown(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.packs[0].capacity_mah = FIELD_UNKNOWN;
	rig_run(&rig, 5);
	assert_int_equal(rig.out.soc_mpct, FIELD_UNKNOWN);
	rig_init(&rig, 2);
	rig.packs[0].soc_mpct = rig.packs[0].remaining_mah = FIELD_UNKNOWN;
	rig.packs[1].remaining_mah = 400000; /* more than it holds */
	rig_run(&rig, 5);
	assert_int_equal(rig.out.soc_mpct, 98000);
}

static void shares_are_of_the_online_packs(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 3);
	rig.packs[2].capacity_mah = 140000;
	rig.packs[1].charge_mos = rig.packs[1].discharge_mos = 0; /* whatever its switches do */
	rig_run(&rig, 5);
	assert_int_equal(rig_out(&rig, 1)->share_mpct, 40000);
	assert_int_equal(rig_out(&rig, 2)->share_mpct, 40000);
	assert_int_equal(rig_out(&rig, 3)->share_mpct, 20000);
	rig.absent[2] = true;
	rig_run(&rig, 40);
	assert_int_equal(rig_out(&rig, 1)->share_mpct, 50000);
	assert_int_equal(rig_out(&rig, 3)->share_mpct, FIELD_UNKNOWN);
}

static void energy_is_counted(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	fusion_set_energy(&rig.fusion, 5000, 7000);
	rig.packs[0].current_ma = 100000;
	rig_run(&rig, 1);
	assert_int_equal(rig.out.energy_charged_wh, 5000);
	rig_run(&rig, 3600);
	assert_in_range(rig.out.energy_charged_wh, 10278, 10281); /* 5.28 kWh in an hour */
	assert_int_equal(rig.out.energy_discharged_wh, 7000);
	rig.packs[0].current_ma = -100000;
	rig_run(&rig, 360);
	assert_in_range(rig.out.energy_discharged_wh, 7526, 7529);
	fusion_set_energy(&rig.fusion, INT32_MAX - 1, 0); /* full is full */
	rig.packs[0].current_ma = 100000;
	rig_run(&rig, 10);
	assert_int_equal(rig.out.energy_charged_wh, INT32_MAX - 1);
}

/* A rest lets the cell rise again, but brings no charge: the zero stands until it has recovered. */
static void zero_does_not_come_and_go(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.packs[0].soc_mpct = 8000;
	rig.packs[0].remaining_mah = 22400;
	rig_run(&rig, 10);
	assert_int_equal(rig.out.soc_mpct, 8000);
	rig_set_cell(&rig.packs[0], 3, 2790);
	rig_run(&rig, 12);
	assert_int_equal(rig.out.soc_mpct, 0);
	rig_set_cell(&rig.packs[0], 3, 2990);
	rig_run(&rig, 60);
	assert_int_equal(rig.out.soc_mpct, 0);
	rig_set_cell(&rig.packs[0], 3, 3211);
	rig_run(&rig, 20);
	assert_int_equal(rig.out.soc_mpct, 8000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_packs_everything_is_unknown),
		cmocka_unit_test(all_lost_is_no_data_again),
		cmocka_unit_test(voltages_are_weighted_and_outliers_left_out),
		cmocka_unit_test(currents_add_up_while_they_are_not_too_old),
		cmocka_unit_test(sums_and_means_are_over_the_online_packs),
		cmocka_unit_test(extremes_are_true_and_name_their_pack),
		cmocka_unit_test(usable_charge_is_of_packs_that_can_discharge),
		cmocka_unit_test(the_shown_charge_moves_slowly),
		cmocka_unit_test(a_hundred_is_a_promise),
		cmocka_unit_test(a_count_that_is_far_off_is_not_hidden),
		cmocka_unit_test(zero_is_what_the_lowest_cell_says),
		cmocka_unit_test(charge_without_a_capacity_is_unknown),
		cmocka_unit_test(shares_are_of_the_online_packs),
		cmocka_unit_test(energy_is_counted),
		cmocka_unit_test(zero_does_not_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
