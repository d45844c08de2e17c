// SPDX-License-Identifier: Apache-2.0
/* Closing against what is beyond the MOSFETs: a bank, empty capacitors, a charger; and the limiter.
 */
#include "../cmocka_all.h"

#include "rig.h"

static void sync_bank(struct rig *rig, uint16_t packs, int32_t bank_mv)
{
	struct fw_sync sync = {.packs = packs, .bank_mv = bank_mv, .flags = 3};

	fw_pack_sync(&rig->pack, &sync, rig->now_ms);
}

static void nothing_closes_in_the_first_second(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig_start(&rig);
	for (int i = 0; i < 9; i++) {
		rig_step(&rig);
		assert_false(rig.pack.outputs.charge_mos || rig.pack.outputs.discharge_mos);
		assert_int_equal(rig.pack.state, FW_STATE_INIT);
	}
	rig_run(&rig, 1000);
	assert_true(rig_closed(&rig));
	assert_int_equal(rig.pack.state, FW_STATE_STANDBY);
}

static void empty_capacitors_are_filled_first(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.follows = false;
	rig_start(&rig);
	rig_run(&rig, 1500);
	assert_true(rig.pack.outputs.precharge);
	assert_int_equal(rig.pack.discharge_off, FW_OFF_PRECHARGE);
	rig.beyond_mv = 51700;
	rig_run(&rig, 300);
	assert_true(rig.pack.outputs.precharge);
	rig.beyond_mv = 51800; /* 1 V below the pack */
	rig_step(&rig);
	assert_true(rig.pack.outputs.discharge_mos);
	assert_false(rig.pack.outputs.precharge);
}

static void a_precharge_that_fails_is_tried_three_times(void **state)
{
	static struct rig rig;
	int starts = 0;
	bool before = false;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.follows = false;
	rig_start(&rig);
	for (int i = 0; i < 6000; i++) {
		rig_step(&rig);
		starts += rig.pack.outputs.precharge && !before;
		before = rig.pack.outputs.precharge;
		assert_false(rig.pack.outputs.discharge_mos);
	}
	assert_int_equal(starts, 3);
	assert_true(rig.pack.protections & FW_BIT(FW_PRECHARGE_FAILED));
	rig_command(&rig, FW_COMMAND_CLEAR, FW_BIT(FW_PRECHARGE_FAILED));
	rig.follows = true;
	rig_run(&rig, 1000);
	assert_true(rig_closed(&rig));
	assert_false(rig.pack.protections & FW_BIT(FW_PRECHARGE_FAILED));
}

static void a_higher_bank_is_reached_through_the_limiter(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.follows = false;
	rig.beyond_mv = 55000;
	rig.counters.bank_seen = 1;
	rig_start(&rig);
	rig_run(&rig, 5000);
	assert_false(rig.pack.outputs.charge_mos);
	assert_true(rig.pack.outputs.discharge_mos); /* blocks that way: harmless */
	assert_true(rig.pack.outputs.limiter);
	assert_int_equal(rig.pack.outputs.limiter_ma, 10000);
	assert_int_equal(rig.pack.charge_off, FW_OFF_PARALLEL);
	assert_true(rig.pack.warnings & FW_BIT(FW_BANK_DIFFERS));
	assert_int_equal(rig.pack.charge_allowed_ma, 10000);
	rig.beyond_mv = 53800;
	rig_run(&rig, 200);
	assert_true(rig_closed(&rig));
	assert_false(rig.pack.outputs.limiter);
	assert_false(rig.pack.warnings & FW_BIT(FW_BANK_DIFFERS));
}

static void a_lower_bank_is_waited_for(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.follows = false;
	rig.beyond_mv = 50000;
	rig_start(&rig);
	for (int i = 0; i < 100; i++) {
		sync_bank(&rig, 16, 50100);
		rig_step(&rig);
		assert_false(rig.pack.outputs.discharge_mos || rig.pack.outputs.precharge);
	}
	assert_int_equal(rig.pack.discharge_off, FW_OFF_PARALLEL);
	rig.beyond_mv = 52500;
	sync_bank(&rig, 16, 52500);
	rig_run(&rig, 300);
	assert_true(rig.pack.outputs.discharge_mos);
}

static void a_lone_pack_may_close_towards_a_charger(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.follows = false;
	rig.beyond_mv = 56000;
	rig.in.inputs |= FW_INPUT_CHARGER;
	rig_start(&rig);
	rig_run(&rig, 2000);
	assert_true(rig_closed(&rig));
}

static void a_broken_terminal_sensor_closes_nothing(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.follows = false;
	rig.beyond_mv = FW_UNKNOWN;
	rig_start(&rig);
	rig_run(&rig, 20000);
	assert_false(rig.pack.outputs.charge_mos || rig.pack.outputs.discharge_mos);
	assert_int_equal(rig.pack.charge_off, FW_OFF_PARALLEL);
}

static void without_sensing_precharge_runs_its_whole_time(void **state)
{
	static struct rig rig;
	int32_t ms = 0;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.identity.features &= (uint16_t)~FW_HAS_TERMINAL_SENSING;
	rig.follows = false;
	rig.beyond_mv = FW_UNKNOWN;
	rig_start(&rig);
	for (int i = 0; i < 100 && !rig.pack.outputs.discharge_mos; i++) {
		rig_step(&rig);
		ms += rig.pack.outputs.precharge ? RIG_STEP_MS : 0;
	}
	assert_in_range(ms, 2900, 3100);
	assert_true(rig_closed(&rig));
}

static void without_sensing_the_bank_voltage_decides(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.identity.features &= (uint16_t)~FW_HAS_TERMINAL_SENSING;
	rig.follows = false;
	rig.beyond_mv = FW_UNKNOWN;
	rig_start(&rig);
	for (int i = 0; i < 50; i++) {
		sync_bank(&rig, 4, 50000);
		rig_step(&rig);
	}
	assert_false(rig.pack.outputs.discharge_mos);
	for (int i = 0; i < 50; i++) {
		sync_bank(&rig, 4, 52900);
		rig_step(&rig);
	}
	assert_true(rig_closed(&rig));
}

static void the_limiter_carries_on_after_charge_overcurrent(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig.in.current_ma = 170000;
	rig_run(&rig, 1000);
	assert_false(rig.pack.outputs.charge_mos);
	assert_true(rig.pack.outputs.limiter);
	rig.in.current_ma = 10000;
	rig_run(&rig, 30000);
	assert_true(rig.pack.outputs.limiter);
	assert_int_equal(rig.pack.charge_allowed_ma, 10000);
	rig.in.cells_mv[0] = 3610;
	rig_run(&rig, 1000);
	assert_false(rig.pack.outputs.limiter); /* not against anything else */
	rig.in.current_ma = 0;
	rig.in.cells_mv[0] = 3300;
	rig_run(&rig, 35000);
	assert_true(rig_closed(&rig));
	assert_false(rig.pack.outputs.limiter);
}

static void deeply_discharged_cells_are_charged_gently(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig_cells(&rig, 2350);
	rig.in.inputs |= FW_INPUT_CHARGER;
	rig_start(&rig);
	rig_run(&rig, 5000);
	assert_true(rig.pack.outputs.limiter);
	assert_false(rig.pack.outputs.charge_mos || rig.pack.outputs.discharge_mos);
	rig.in.current_ma = 10000;
	rig_cells(&rig, 2550);
	rig_run(&rig, 5000);
	assert_true(rig.pack.outputs.limiter);
	rig_cells(&rig, 2700);
	rig_run(&rig, 5000);
	assert_true(rig_closed(&rig));
	assert_false(rig.pack.outputs.limiter);
}

static void precharge_can_be_asked_for(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.follows = false;
	rig_start(&rig);
	rig_run(&rig, 10000);
	assert_true(rig.pack.protections & FW_BIT(FW_PRECHARGE_FAILED));
	assert_int_equal(rig_command(&rig, FW_COMMAND_PRECHARGE, 10001), FW_RESULT_ARGUMENT);
	assert_int_equal(rig_command(&rig, FW_COMMAND_PRECHARGE, 8000), FW_RESULT_OK);
	rig_run(&rig, 7000);
	assert_true(rig.pack.outputs.precharge); /* longer than parameter 0275 */
	rig_run(&rig, 2000);
	assert_false(rig.pack.outputs.precharge);
	rig.in.inputs |= FW_INPUT_REMOTE_STOP;
	rig_step(&rig);
	assert_int_equal(rig_command(&rig, FW_COMMAND_PRECHARGE, 0), FW_RESULT_PROTECTED);
	rig.identity.features = 0;
	assert_int_equal(rig_command(&rig, FW_COMMAND_PRECHARGE, 0), FW_RESULT_UNSUPPORTED);
}

static void the_limiter_can_be_chosen_and_forbidden(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig_command(&rig, FW_COMMAND_OUTPUTS, (uint32_t)FW_ALLOW_LIMITER << 16 | FW_ALLOW_LIMITER);
	rig_step(&rig);
	assert_true(rig.pack.outputs.limiter);
	assert_int_equal(rig.pack.charge_off, FW_OFF_COMMAND);
	rig_command(&rig, FW_COMMAND_OUTPUTS, (uint32_t)FW_ALLOW_LIMITER << 16);
	rig_step(&rig);
	assert_false(rig.pack.outputs.limiter);
	assert_true(rig.pack.outputs.charge_mos);
	rig.in.current_ma = 170000;
	rig_run(&rig, 1000);
	assert_false(rig.pack.outputs.limiter || rig.pack.outputs.charge_mos);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_closes_in_the_first_second),
		cmocka_unit_test(empty_capacitors_are_filled_first),
		cmocka_unit_test(a_precharge_that_fails_is_tried_three_times),
		cmocka_unit_test(a_higher_bank_is_reached_through_the_limiter),
		cmocka_unit_test(a_lower_bank_is_waited_for),
		cmocka_unit_test(a_lone_pack_may_close_towards_a_charger),
		cmocka_unit_test(a_broken_terminal_sensor_closes_nothing),
		cmocka_unit_test(without_sensing_precharge_runs_its_whole_time),
		cmocka_unit_test(without_sensing_the_bank_voltage_decides),
		cmocka_unit_test(the_limiter_carries_on_after_charge_overcurrent),
		cmocka_unit_test(deeply_discharged_cells_are_charged_gently),
		cmocka_unit_test(precharge_can_be_asked_for),
		cmocka_unit_test(the_limiter_can_be_chosen_and_forbidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
