// SPDX-License-Identifier: Apache-2.0
/* Emergency, button and key, sleep, switching off. */
#include "../cmocka_all.h"

#include "rig.h"

static void the_emergency_overrides_for_half_an_hour(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig_cells(&rig, 2450); /* below automatic power-off */
	rig_temperatures(&rig, 680);
	rig_run(&rig, 4000);
	assert_false(rig.pack.outputs.charge_mos || rig.pack.outputs.discharge_mos);
	assert_int_equal(rig_command(&rig, FW_COMMAND_EMERGENCY_START, 1), FW_RESULT_ARGUMENT);
	assert_int_equal(rig_command(&rig, FW_COMMAND_EMERGENCY_START, FW_MAGIC_EMERGENCY),
			 FW_RESULT_OK);
	assert_int_equal(rig_command(&rig, FW_COMMAND_EMERGENCY_START, FW_MAGIC_EMERGENCY),
			 FW_RESULT_BUSY);
	rig_run(&rig, 1000);
	rig.in.current_ma = -2500;
	rig_run(&rig, 1699000);
	assert_true(rig_closed(&rig));
	assert_in_range(rig.pack.emergency_s, 95, 105);
	assert_true(rig.pack.warnings & FW_BIT(FW_EMERGENCY));
	assert_true(rig.pack.protections & FW_BIT(FW_DISCHARGE_OT)); /* overridden is still said */
	rig_run(&rig, 101000);
	assert_false(rig.pack.outputs.charge_mos || rig.pack.outputs.discharge_mos);
	assert_true(rig_logged(&rig, FW_EVENT_EMERGENCY_ENDED));
}

static void the_emergency_never_overrides_what_would_burn(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig_command(&rig, FW_COMMAND_EMERGENCY_START, FW_MAGIC_EMERGENCY);
	rig.in.temperatures_dC[FW_SENSOR_MOS_1] = 1190;
	rig_run(&rig, 5000);
	assert_true(rig_closed(&rig));
	rig.in.temperatures_dC[FW_SENSOR_MOS_1] = 1200;
	rig_run(&rig, 600);
	assert_false(rig.pack.outputs.charge_mos || rig.pack.outputs.discharge_mos);
	rig.in.temperatures_dC[FW_SENSOR_MOS_1] = 250;
	rig_run(&rig, 1000);
	assert_true(rig_closed(&rig));
	rig.in.cells_mv[0] = 2300; /* power-off - 200 mV */
	rig_run(&rig, 1000);
	assert_false(rig.pack.outputs.discharge_mos);
	rig_cells(&rig, 3300);
	rig_run(&rig, 5000);
	assert_true(rig_closed(&rig));
	rig.in.cells_mv[0] = 3900;
	rig_run(&rig, 8000);
	assert_false(rig.pack.outputs.charge_mos);
	rig_cells(&rig, 3300);
	rig.in.inputs |= FW_INPUT_SHORT_CIRCUIT;
	rig_step(&rig);
	assert_false(rig.pack.outputs.charge_mos || rig.pack.outputs.discharge_mos);
}

static void the_emergency_is_granted_three_times_a_day(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(rig_command(&rig, FW_COMMAND_EMERGENCY_START, FW_MAGIC_EMERGENCY),
				 FW_RESULT_OK);
		rig_run(&rig, 60000);
		rig_command(&rig, FW_COMMAND_EMERGENCY_STOP, 0);
		rig_run(&rig, 60000);
	}
	assert_int_equal(rig_command(&rig, FW_COMMAND_EMERGENCY_START, FW_MAGIC_EMERGENCY),
			 FW_RESULT_PROTECTED);
	rig.counters = rig.pack.counters; /* a restart does not forget */
	rig_start(&rig);
	rig_run(&rig, 3000);
	assert_int_equal(rig_command(&rig, FW_COMMAND_EMERGENCY_START, FW_MAGIC_EMERGENCY),
			 FW_RESULT_PROTECTED);
	rig.pack.counters.run_s += 86400;
	assert_int_equal(rig_command(&rig, FW_COMMAND_EMERGENCY_START, FW_MAGIC_EMERGENCY),
			 FW_RESULT_OK);
}

static void the_panel_starts_the_emergency_too(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig.in.inputs |= FW_INPUT_EMERGENCY;
	rig_run(&rig, 300);
	assert_true(rig.pack.emergency_s > 1700);
	assert_true(rig_logged(&rig, FW_EVENT_EMERGENCY_ON));
}

static void low_cells_switch_the_pack_off(void **state)
{
	static struct rig rig;
	int32_t ms = 0;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig_cells(&rig, 2490);
	while (!rig.pack.outputs.power_off && ms < 30000) {
		rig_step(&rig);
		ms += RIG_STEP_MS;
	}
	assert_in_range(ms, 10000, 13000);
	rig.in.inputs |= FW_INPUT_CHARGER;
	rig_step(&rig);
	assert_false(rig.pack.outputs.power_off);
	rig_run(&rig, 60000);
	assert_false(rig.pack.outputs.power_off); /* while it is fed */
	assert_true(rig.pack.outputs.charge_mos || rig.pack.outputs.limiter);
}

static void power_off_opens_first_and_a_charger_wakes(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	assert_int_equal(rig_command(&rig, FW_COMMAND_POWER_OFF, FW_MAGIC_POWER_OFF), FW_RESULT_OK);
	rig_step(&rig);
	assert_int_equal(rig.pack.charge_off, FW_OFF_KEY);
	assert_false(rig.pack.outputs.power_off);
	rig_run(&rig, 2100);
	assert_true(rig.pack.outputs.power_off);
	assert_int_equal(rig.pack.outputs.leds, 0);
	rig.in.inputs |= FW_INPUT_CHARGER;
	rig_run(&rig, 3000);
	assert_true(rig_closed(&rig));
}

static void the_button_clears_switches_off_and_restarts(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.parameters.oc_lock_trips = 1;
	rig_start(&rig);
	rig_run(&rig, 3000);
	rig.in.current_ma = -220000;
	rig_run(&rig, 1000);
	rig.in.current_ma = 0;
	rig_run(&rig, 100000);
	assert_false(rig.pack.outputs.discharge_mos);
	rig.in.inputs |= FW_INPUT_RESET_BUTTON;
	rig_run(&rig, 500);
	rig.in.inputs &= ~(uint32_t)FW_INPUT_RESET_BUTTON;
	rig_run(&rig, 1000);
	assert_true(rig.pack.outputs.discharge_mos);

	rig.in.inputs |= FW_INPUT_RESET_BUTTON;
	rig_run(&rig, 11000);
	assert_int_equal(rig.pack.outputs.leds, 0x1FF);
	rig.in.inputs &= ~(uint32_t)FW_INPUT_RESET_BUTTON;
	rig_run(&rig, 1200);
	assert_true(rig.pack.restart_due);

	rig_ready(&rig, FW_LFP);
	rig.in.inputs |= FW_INPUT_RESET_BUTTON;
	rig_run(&rig, 3500);
	rig.in.inputs &= ~(uint32_t)FW_INPUT_RESET_BUTTON;
	rig_run(&rig, 2500);
	assert_true(rig.pack.outputs.power_off);
}

static void the_key_opens_both(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig.in.inputs = 0;
	rig_step(&rig);
	assert_int_equal(rig.pack.charge_off, FW_OFF_KEY);
	rig.in.inputs = FW_INPUT_KEY;
	rig_run(&rig, 1000);
	assert_true(rig_closed(&rig));
}

static void an_idle_pack_sleeps_and_wakes(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.parameters.sleep_h = 1;
	rig_start(&rig);
	rig_run(&rig, 3590000);
	assert_true(rig_closed(&rig));
	assert_int_equal(rig.pack.state, FW_STATE_SLEEP_SOON);
	assert_in_range(rig.pack.sleep_s, 5, 15);
	rig_run(&rig, 20000);
	assert_true(rig.pack.outputs.sleep);
	assert_false(rig.pack.outputs.charge_mos || rig.pack.outputs.discharge_mos);
	rig.in.inputs |= FW_INPUT_LOAD;
	rig_run(&rig, 1000);
	assert_false(rig.pack.outputs.sleep);
	assert_true(rig_closed(&rig));
	rig_run_with_master(&rig, 4000000);
	assert_true(rig_closed(&rig)); /* somebody talks: no sleep */
	rig_command(&rig, FW_COMMAND_SLEEP, 0);
	rig_run_with_master(&rig, 5000);
	assert_true(rig.pack.outputs.sleep); /* told so by that master */
	rig_run(&rig, 20000);
	assert_true(rig.pack.outputs.sleep);
	rig_run_with_master(&rig, 2000); /* a voice after silence */
	assert_false(rig.pack.outputs.sleep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_emergency_overrides_for_half_an_hour),
		cmocka_unit_test(the_emergency_never_overrides_what_would_burn),
		cmocka_unit_test(the_emergency_is_granted_three_times_a_day),
		cmocka_unit_test(the_panel_starts_the_emergency_too),
		cmocka_unit_test(low_cells_switch_the_pack_off),
		cmocka_unit_test(power_off_opens_first_and_a_charger_wakes),
		cmocka_unit_test(the_button_clears_switches_off_and_restarts),
		cmocka_unit_test(the_key_opens_both),
		cmocka_unit_test(an_idle_pack_sleeps_and_wakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
