// SPDX-License-Identifier: Apache-2.0
/* D, I: the charge voltage limit and the stages of a charge (fusion_voltage.c, fusion_cycle.c). */
#include "fusion_rig.h"

static int32_t limit(const struct rig *rig)
{
	return rig->out.charge_voltage_limit_mv;
}

/* The pack ends its charge: at the target, with hardly any current, for a minute. */
static void fill(struct rig *rig, int number)
{
	struct pack *pack = &rig->packs[number - 1];

	rig_set_cells(pack, 3450);
	pack->current_ma = 3000;
}

static void settle_full(struct rig *rig, int count)
{
	rig_settle(rig, count);
	for (int number = 1; number <= count; number++)
		fill(rig, number);
}

static void the_target_is_cells_times_the_target_cell(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig_run(&rig, 1);
	assert_int_equal(limit(&rig), FIELD_UNKNOWN); /* nobody is online yet */
	assert_int_equal(rig.out.discharge_voltage_limit_mv, FIELD_UNKNOWN);
	rig_run(&rig, 1);
	assert_int_equal(limit(&rig), 55200);
	assert_int_equal(rig.out.discharge_voltage_limit_mv, 41600);
	assert_int_equal(rig.out.charge_stage, CHARGE_BULK);
	assert_string_equal(rig_reason(&rig, LIMIT_CHARGE_VOLTAGE)->text,
			    "Charging goes up to 55.2 V.");
	assert_string_equal(rig_rule(&rig, LIMIT_DISCHARGE_VOLTAGE), "discharge_end");
}

static void the_lowest_request_counts_at_once(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.packs[1].charge_voltage_limit_mv = 54000;
	rig.packs[0].discharge_voltage_limit_mv = 44000;
	rig.packs[0].charge_voltage_limit_mv = 57600; /* above ours: ours counts */
	rig_run(&rig, 1);
	assert_int_equal(limit(&rig), 54000);
	assert_int_equal(rig.out.discharge_voltage_limit_mv, 44000);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_VOLTAGE), "pack_request");
	assert_int_equal(rig_reason(&rig, LIMIT_CHARGE_VOLTAGE)->pack, 2);
	assert_int_equal(rig_reason(&rig, LIMIT_DISCHARGE_VOLTAGE)->pack, 1);
}

static void a_rise_waits_a_minute_and_is_slow(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 1);
	rig.packs[0].charge_voltage_limit_mv = 54000;
	rig_run(&rig, 1);
	rig.packs[0].charge_voltage_limit_mv = 56000;
	rig_run(&rig, 60);
	assert_int_equal(limit(&rig), 54000);
	rig_run(&rig, 1);
	assert_int_equal(limit(&rig), 54001);
	for (int i = 0; i < 10; i++)
		rig_step(&rig, 100);
	assert_int_equal(limit(&rig), 54002);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_VOLTAGE), "voltage_rising");
	rig_run(&rig, 1300);
	assert_int_equal(limit(&rig), 55200);
}

/* Incident 7: the first full pack does not end the charge of the others. */
static void float_comes_when_all_have_ended(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	fill(&rig, 1);
	rig_run(&rig, 1);
	assert_int_equal(rig.out.charge_stage, CHARGE_ABSORPTION);
	rig_run(&rig, 300);
	assert_true(rig.fusion.slots[0].finished);
	assert_int_equal(limit(&rig), 55200);
	assert_int_equal(rig.out.charge_stage, CHARGE_BULK); /* of the other pack */
	fill(&rig, 2);
	rig_run(&rig, 61);
	assert_true(rig.fusion.slots[1].finished);
	assert_int_equal(rig.out.charge_stage, CHARGE_FLOAT);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_VOLTAGE), "voltage_falling");
	rig_run(&rig, 60); /* 0.1 V a minute */
	assert_in_range(limit(&rig), 55080, 55110);
	rig_run(&rig, 1000);
	assert_int_equal(limit(&rig), 53600);
	assert_int_equal(rig.out.charge_stage, CHARGE_DONE);
	assert_string_equal(rig_reason(&rig, LIMIT_CHARGE_VOLTAGE)->text,
			    "All packs are full; the battery is held at 53.6 V.");
}

static void much_current_or_low_voltage_is_no_end(void **state)
{
	struct rig rig;

	(void)state;
	settle_full(&rig, 1);
	rig.packs[0].current_ma = 15000; /* more than C/20 */
	rig_run(&rig, 300);
	assert_false(rig.fusion.slots[0].finished);
	rig.packs[0].current_ma = -6000; /* more than C/50 out */
	rig_run(&rig, 300);
	assert_false(rig.fusion.slots[0].finished);
	rig.packs[0].current_ma = 3000;
	rig_run(&rig, 58);
	rig.packs[0].current_ma = 20000; /* the minute starts anew */
	rig_run(&rig, 1);
	rig.packs[0].current_ma = 3000;
	rig_run(&rig, 59);
	assert_false(rig.fusion.slots[0].finished);
	rig_run(&rig, 2);
	assert_true(rig.fusion.slots[0].finished);
	rig_settle(&rig, 1); /* a runaway cell holds the limit down: near it, but not full */
	rig_set_cell(&rig.packs[0], 3, 3600);
	rig_run(&rig, 300);
	assert_true(limit(&rig) < 53500);
	assert_false(rig.fusion.slots[0].finished);
}

static void a_new_charge_starts_when_enough_was_taken(void **state)
{
	struct rig rig;

	(void)state;
	settle_full(&rig, 1);
	rig_run(&rig, 1500);
	assert_int_equal(rig.out.charge_stage, CHARGE_DONE);
	rig_set_cells(&rig.packs[0], 3330);
	rig.packs[0].current_ma = -28000; /* 14 Ah take half an hour */
	rig_run(&rig, 1700);
	assert_int_equal(rig.out.charge_stage, CHARGE_DONE);
	rig.packs[0].current_ma = 28000; /* what comes back counts too */
	rig_run(&rig, 600);
	rig.packs[0].current_ma = -28000;
	rig_run(&rig, 650);
	assert_int_equal(rig.out.charge_stage, CHARGE_DONE);
	rig_run(&rig, 100);
	assert_int_equal(rig.out.charge_stage, CHARGE_BULK);
	rig_run(&rig, 2000);
	assert_int_equal(limit(&rig), 55200);
	settle_full(&rig, 1); /* or when the voltage has clearly gone */
	rig_run(&rig, 100);
	assert_true(rig.fusion.slots[0].finished);
	rig_set_cells(&rig.packs[0], 3240);
	rig_run(&rig, 2);
	assert_false(rig.fusion.slots[0].finished);
}

/* A pack that blocks charging is not waited for; when all block, the battery floats. */
static void blocked_packs_are_not_waited_for(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.packs[0].charge_mos = 0;
	rig.packs[0].charge_voltage_limit_mv = 52000;
	rig_run(&rig, 1);
	assert_int_equal(limit(&rig), 55200);
	rig.packs[1].charge_mos = 0;
	rig_run(&rig, 2000);
	assert_int_equal(limit(&rig), 52000); /* the lowest wish of all */
	assert_int_equal(rig.out.charge_stage, CHARGE_DONE);
}

/* A pack that does not say whether it can charge does not keep the voltage up. */
static void an_unknown_switch_is_not_waited_for(void **state)
{
	struct rig rig;

	(void)state;
	settle_full(&rig, 2);
	rig_set_cells(&rig.packs[1], 3300);
	rig.packs[1].charge_mos = FIELD_UNKNOWN;
	rig_run(&rig, 2000);
	assert_int_equal(limit(&rig), 53600);
}

/* Protection: cells above the target pull the limit below the pack's own voltage, at once. */
static void a_high_cell_pulls_the_voltage_down(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig_set_cell(&rig.packs[1], 9, 3500);
	rig_run(&rig, 1);
	assert_int_equal(limit(&rig), 53000 - 50);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_VOLTAGE), "cell_excess");
	assert_int_equal(rig_reason(&rig, LIMIT_CHARGE_VOLTAGE)->cell, 9);
	rig.packs[1].charge_mos = 0; /* an open switch: no current, no danger */
	rig_run(&rig, 100);
	assert_true(limit(&rig) > 52950);
	rig.packs[1].charge_mos = FIELD_UNKNOWN;
	rig_run(&rig, 1);
	assert_int_equal(limit(&rig), 52950);
}

/* Incident 7: protection also counts while the voltage is on its way to float. */
static void protection_counts_during_float(void **state)
{
	struct rig rig;

	(void)state;
	settle_full(&rig, 1);
	rig_run(&rig, 120);
	assert_int_equal(rig.out.charge_stage, CHARGE_FLOAT);
	rig_set_cell(&rig.packs[0], 1, 3640);
	for (int cell = 2; cell <= 16; cell++)
		rig_set_cell(&rig.packs[0], cell, 3400);
	rig_run(&rig, 1);
	assert_int_equal(limit(&rig), 3640 + 15 * 3400 - 190);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_VOLTAGE), "cell_excess");
}

/* I: nobody watches the cells of a silent pack. */
static void a_silent_pack_holds_the_voltage_down(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 3);
	rig.absent[2] = true;
	rig_run(&rig, 10);
	assert_int_equal(limit(&rig), 55200);
	rig_run(&rig, 1);
	assert_int_equal(limit(&rig), 54000); /* 16 x 3.375 V */
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_VOLTAGE), "silent_pack");
	assert_int_equal(rig_reason(&rig, LIMIT_CHARGE_VOLTAGE)->pack, 3);
	rig_run(&rig, 600);
	assert_int_equal(limit(&rig), 54000);
	rig.absent[2] = false;
	rig_run(&rig, 30);
	assert_int_equal(limit(&rig), 54000);
	rig_run(&rig, 1500);
	assert_int_equal(limit(&rig), 55200);
}

/* A low request stays while its pack is silent. */
static void a_silent_pack_keeps_its_request(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 3);
	rig.packs[2].charge_voltage_limit_mv = 53000;
	rig.packs[2].discharge_voltage_limit_mv = 47000;
	rig_run(&rig, 20);
	rig.absent[2] = true;
	rig_run(&rig, 600);
	assert_int_equal(limit(&rig), 53000);
	assert_int_equal(rig.out.discharge_voltage_limit_mv, 47000);
}

/* After everything was lost, the voltage goes on from where it was. */
static void a_return_is_a_rise(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.packs[0].charge_voltage_limit_mv = 53000;
	rig_run(&rig, 20);
	rig.absent[0] = true;
	rig_run(&rig, 60);
	assert_int_equal(limit(&rig), FIELD_UNKNOWN);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_VOLTAGE), "no_data");
	rig.absent[0] = false;
	rig.packs[0].charge_voltage_limit_mv = 55000;
	rig_run(&rig, 20);
	assert_int_equal(limit(&rig), 53000);
}

/* 2.5: whose voltage counts while one pack is full and the other is not. */
static void the_policy_decides_between_full_and_not_full(void **state)
{
	static const struct {
		enum cvl_policy policy;
		int32_t before_mv, after_mv;
	} rows[] = {{CVL_UNFINISHED, 54800, 55200},
		    {CVL_LOWEST, 54800, 53600},
		    {CVL_HIGHEST, 55200, 55200}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig rig;

		rig_init(&rig, 2);
		rig.config.cvl_policy = rows[i].policy;
		rig_configure(&rig);
		rig.packs[0].charge_voltage_limit_mv =
			54800; /* the first to be full asks for less */
		rig_run(&rig, 120);
		assert_int_equal(limit(&rig), rows[i].before_mv);
		rig_set_cells(&rig.packs[0], 3425);
		rig.packs[0].current_ma = 3000;
		for (int k = 0; k < 300; k++)
			rig_step(&rig, 8000);
		assert_true(rig.fusion.slots[0].finished);
		assert_int_equal(limit(&rig), rows[i].after_mv);
		rig_set_cell(&rig.packs[1], 3, 3600); /* protection counts under all of them */
		rig_run(&rig, 3);
		assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_VOLTAGE), "cell_excess");
	}
}

static void the_first_full_pack_is_named(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig.config.cvl_policy = CVL_LOWEST;
	rig_configure(&rig);
	rig_run(&rig, 60);
	fill(&rig, 2);
	rig_run(&rig, 65);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_VOLTAGE), "voltage_falling"); /* slowly */
	rig_run(&rig, 1200);
	assert_string_equal(rig_reason(&rig, LIMIT_CHARGE_VOLTAGE)->text,
			    "Pack 2 is full; the battery is held at 53.6 V.");
	assert_string_equal(rig_reason(&rig, LIMIT_CHARGE_VOLTAGE)->runner_up.rule,
			    "charge_target");
}

static void run_days(struct rig *rig, int days)
{
	for (int i = 0; i < days * 24 * 6; i++)
		rig_step(rig, 600000);
}

/* Asked for after too long without one, until it has happened. */
static void a_full_charge_is_asked_for_in_time(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig.config.full_charge_days = 2;
	rig_configure(&rig);
	rig.now_ms = 12345678; /* the start, not the epoch of the clock, is where it counts from */
	run_days(&rig, 2);
	assert_int_equal(rig.out.full_charge_request, 0);
	rig_step(&rig, 600000);
	assert_int_equal(rig.out.full_charge_request, 1);
	fill(&rig, 1);
	rig_run(&rig, 100);
	assert_int_equal(rig.out.full_charge_request, 1); /* not all */
	fill(&rig, 2);
	rig_run(&rig, 100);
	assert_int_equal(rig.out.full_charge_request, 0);
	for (int i = 0; i < 2; i++) {
		rig_set_cells(&rig.packs[i], 3240);
		rig.packs[i].charge_mos = 0;
	}
	run_days(&rig, 3);
	assert_int_equal(rig.out.full_charge_request, 1); /* to block is not to be full */
	rig_init(&rig, 1);
	rig.config.full_charge_days = 0;
	rig_configure(&rig);
	run_days(&rig, 3);
	assert_int_equal(rig.out.full_charge_request, 0);
}

static void packs_that_drift_apart_want_a_full_charge(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.packs[0].soc_mpct = 90000;
	rig_run(&rig, 2); /* 30 % in one go have to be confirmed */
	for (int i = 0; i < 59; i++)
		rig_step(&rig, 60000);
	assert_int_equal(rig.out.full_charge_request, 0);
	rig.packs[0].soc_mpct = 85000; /* for less than an hour: no */
	rig_run(&rig, 1);
	rig.packs[0].soc_mpct = 90000;
	rig_run(&rig, 1);
	for (int i = 0; i < 59; i++)
		rig_step(&rig, 60000);
	assert_int_equal(rig.out.full_charge_request, 0);
	rig_step(&rig, 60000);
	assert_int_equal(rig.out.full_charge_request, 1);
	rig.packs[0].soc_mpct = 85000;
	rig_run(&rig, 60);
	assert_int_equal(rig.out.full_charge_request, 1); /* until it has happened */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_target_is_cells_times_the_target_cell),
		cmocka_unit_test(the_lowest_request_counts_at_once),
		cmocka_unit_test(a_rise_waits_a_minute_and_is_slow),
		cmocka_unit_test(float_comes_when_all_have_ended),
		cmocka_unit_test(much_current_or_low_voltage_is_no_end),
		cmocka_unit_test(a_new_charge_starts_when_enough_was_taken),
		cmocka_unit_test(blocked_packs_are_not_waited_for),
		cmocka_unit_test(an_unknown_switch_is_not_waited_for),
		cmocka_unit_test(a_high_cell_pulls_the_voltage_down),
		cmocka_unit_test(protection_counts_during_float),
		cmocka_unit_test(a_silent_pack_holds_the_voltage_down),
		cmocka_unit_test(a_silent_pack_keeps_its_request),
		cmocka_unit_test(a_return_is_a_rise),
		cmocka_unit_test(the_policy_decides_between_full_and_not_full),
		cmocka_unit_test(the_first_full_pack_is_named),
		cmocka_unit_test(a_full_charge_is_asked_for_in_time),
		cmocka_unit_test(packs_that_drift_apart_want_a_full_charge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
