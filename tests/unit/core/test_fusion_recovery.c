// SPDX-License-Identifier: Apache-2.0
/* What owners may choose when packs fall silent: to wake empty ones, and how long to go on. */
#include "fusion_rig.h"

/* Two packs that were discharged until their cells were empty, and then fell silent. */
static void sleep_empty(struct rig *rig, int32_t recovery_ma, int32_t cell_mv)
{
	rig_init(rig, 2);
	rig->config.recovery_current_ma = recovery_ma;
	rig_configure(rig);
	rig_run(rig, 60);
	for (int i = 0; i < 2; i++)
		for (int32_t mv = 3300; mv > cell_mv; mv -= 100) {
			rig_set_cells(&rig->packs[i], mv);
			rig_run(rig, 1);
		}
	for (int i = 0; i < 2; i++)
		rig_set_cells(&rig->packs[i], cell_mv);
	rig_run(rig, 3);
	rig->absent[0] = rig->absent[1] = true;
}

static void without_the_setting_no_data_is_no_current(void **state)
{
	struct rig rig;

	(void)state;
	sleep_empty(&rig, 0, 2780);
	rig_run(&rig, 100);
	assert_int_equal(rig.out.charge_current_limit_ma, 0);
	assert_int_equal(rig.out.charge_voltage_limit_mv, FIELD_UNKNOWN);
	assert_int_equal(rig.out.force_charge, FORCE_NONE);
	assert_true(rig.out.protections & ALARM_BIT(ALARM_pack_lost));
}

static void packs_that_slept_empty_are_woken(void **state)
{
	struct rig rig;

	(void)state;
	sleep_empty(&rig, 3000, 2780);
	rig_run(&rig, 11);
	assert_int_equal(rig.out.charge_current_limit_ma, 3000); /* no ramp, no pause */
	rig_run(&rig, 100);
	assert_int_equal(rig.out.charge_current_limit_ma, 3000);
	assert_int_equal(rig.out.discharge_current_limit_ma, 0);
	assert_int_equal(rig.out.charge_voltage_limit_mv, 16 * 3375);
	assert_int_equal(rig.out.force_charge, FORCE_URGENT);
	assert_int_equal(rig.out.state, BATTERY_NO_DATA);
	assert_int_equal(rig.out.protections, 0);
	assert_true(rig.out.warnings & ALARM_BIT(ALARM_pack_lost));
	assert_string_equal(
		rig_reason(&rig, LIMIT_CHARGE_CURRENT)->text,
		"Charging is limited to 3.0 A, to wake the packs that fell silent when they "
		"were empty.");
	assert_string_equal(rig_reason(&rig, LIMIT_CHARGE_CURRENT)->runner_up.rule, "");
	rig.absent[0] = rig.absent[1] = false; /* they wake up */
	rig_run(&rig, 60);
	assert_true(rig.out.charge_current_limit_ma > 3000);
}

static void after_an_hour_it_is_given_up(void **state)
{
	struct rig rig;

	(void)state;
	sleep_empty(&rig, 3000, 2780);
	rig_run(&rig, 3600);
	assert_int_equal(rig.out.charge_current_limit_ma, 3000);
	rig_run(&rig, 1);
	assert_int_equal(rig.out.charge_current_limit_ma, 0);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "no_data");
}

static void only_empty_packs_are_woken(void **state)
{
	struct rig rig;

	(void)state;
	sleep_empty(&rig, 3000, 3000);
	rig_run(&rig, 60);
	assert_int_equal(rig.out.charge_current_limit_ma, 0);
	sleep_empty(&rig, 3000, 2780);
	rig.absent[0] = rig.absent[1] = false;
	rig_set_cells(&rig.packs[1], 3000); /* the latch: a rest is no charge */
	rig_run(&rig, 3);
	rig.absent[0] = rig.absent[1] = true;
	rig_run(&rig, 60);
	assert_int_equal(rig.out.charge_current_limit_ma, 3000);
}

/* Never more than what the packs might take, each for itself: too cold, or forbidden. */
static void only_what_was_permitted_last_is_given(void **state)
{
	struct rig rig;

	(void)state;
	sleep_empty(&rig, 30000, 2780);
	rig.absent[0] = rig.absent[1] = false;
	rig.packs[0].charge_current_limit_ma = 20000;
	rig_run(&rig, 1);
	rig.absent[0] = rig.absent[1] = true;
	rig_run(&rig, 60);
	assert_int_equal(rig.out.charge_current_limit_ma, 9500); /* half, with headroom */
	rig.absent[0] = rig.absent[1] = false;
	rig.packs[1].protections = ALARM_BIT(ALARM_charge_undertemperature);
	rig_run(&rig, 12);
	rig.absent[0] = rig.absent[1] = true;
	rig_run(&rig, 60);
	assert_int_equal(rig.out.charge_current_limit_ma, 0);
	rig.absent[0] = rig.absent[1] = false;
	rig.packs[1].charge_mos = 0; /* does not take part */
	rig_run(&rig, 12);
	rig.absent[0] = rig.absent[1] = true;
	rig_run(&rig, 60);
	assert_int_equal(rig.out.charge_current_limit_ma, 9500);
}

static void one_silent_pack_of_many_is_no_emergency(void **state)
{
	struct rig rig;

	(void)state;
	sleep_empty(&rig, 3000, 2780);
	rig.absent[0] = false;
	rig_run(&rig, 60);
	assert_string_not_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "recovery");
}

/* 2.5: go on for ever, for a while, or not at all. */
static void owners_choose_how_long_to_go_on(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 4);
	rig.config.loss_hold_ms = 1800000;
	rig_configure(&rig);
	rig_run(&rig, 60);
	rig.absent[2] = true;
	rig_run(&rig, 1800);
	assert_int_equal(rig.out.charge_current_limit_ma, 190000);
	rig_run(&rig, 1);
	assert_int_equal(rig.out.charge_current_limit_ma, 0);
	assert_int_equal(rig.out.discharge_current_limit_ma, 0);
	assert_string_equal(
		rig_reason(&rig, LIMIT_CHARGE_CURRENT)->text,
		"Charging is stopped because pack 3 has been silent for longer than you "
		"permit.");
	assert_int_equal(rig_reason(&rig, LIMIT_CHARGE_CURRENT)->runner_up.value, 190000);
	rig.absent[2] = false;
	rig_run(&rig, 60);
	assert_true(rig.out.charge_current_limit_ma > 0);
	rig.config.loss_hold_ms = 0;
	rig_configure(&rig);
	rig_run(&rig, 60);
	rig.absent[2] = true;
	rig_run(&rig, 10);
	assert_true(rig.out.charge_current_limit_ma > 0); /* held, not silent */
	rig_run(&rig, 1);
	assert_int_equal(rig.out.charge_current_limit_ma, 0);
}

/* A meter that shows that the pack is gone ends the matter. */
static void a_pack_that_is_gone_is_not_waited_for(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 4);
	rig.config.loss_hold_ms = 0;
	rig_configure(&rig);
	rig_run(&rig, 60);
	rig.absent[3] = true;
	for (int i = 0; i < 3; i++)
		rig.packs[i].current_ma = 30000;
	rig.input.bus_current_ma = 90000;
	rig_run(&rig, 71);
	assert_int_equal(rig.fusion.target_ma[CHARGE], 285000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_the_setting_no_data_is_no_current),
		cmocka_unit_test(packs_that_slept_empty_are_woken),
		cmocka_unit_test(after_an_hour_it_is_given_up),
		cmocka_unit_test(only_empty_packs_are_woken),
		cmocka_unit_test(only_what_was_permitted_last_is_given),
		cmocka_unit_test(one_silent_pack_of_many_is_no_emergency),
		cmocka_unit_test(owners_choose_how_long_to_go_on),
		cmocka_unit_test(a_pack_that_is_gone_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
