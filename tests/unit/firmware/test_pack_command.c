// SPDX-License-Identifier: Apache-2.0
/* Commands and new parameters: what they change, and what they do not. */
#include "../cmocka_all.h"

#include "rig.h"

static void outputs_allow_and_forbid(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	assert_int_equal(rig_command(&rig, FW_COMMAND_OUTPUTS, (uint32_t)FW_ALLOW_CHARGE << 16),
			 FW_RESULT_OK);
	rig_step(&rig);
	assert_false(rig.pack.outputs.charge_mos);
	assert_true(rig.pack.outputs.discharge_mos);
	assert_int_equal(rig.pack.charge_off, FW_OFF_COMMAND);
	assert_true(rig_logged(&rig, FW_EVENT_CHARGE_OFF));
	rig.in.cells_mv[1] = 3650;
	rig_run(&rig, 1500);
	rig_command(&rig, FW_COMMAND_OUTPUTS, (uint32_t)FW_ALLOW_CHARGE << 16 | FW_ALLOW_CHARGE);
	rig_run(&rig, 1500);
	assert_false(rig.pack.outputs.charge_mos); /* allowed is not forced */
	assert_int_equal(rig_command(&rig, FW_COMMAND_OUTPUTS, 0x01000100), FW_RESULT_ARGUMENT);
}

static void safe_stop_holds_until_automatic(void **state)
{
	static struct rig rig;
	struct fw_sync stop = {.flags = FW_SYSTEM_STOP, .packs = 1, .bank_mv = FW_UNKNOWN};

	(void)state;
	rig_ready(&rig, FW_LFP);
	fw_pack_sync(&rig.pack, &stop, rig.now_ms);
	rig_step(&rig);
	assert_int_equal(rig.pack.charge_off, FW_OFF_COMMAND);
	assert_int_equal(rig.pack.discharge_off, FW_OFF_COMMAND);
	stop.flags = 3;
	fw_pack_sync(&rig.pack, &stop, rig.now_ms);
	rig_run(&rig, 10000);
	assert_false(rig.pack.outputs.charge_mos);
	assert_int_equal(rig_command(&rig, FW_COMMAND_OUTPUTS, 0x00030003), FW_RESULT_PROTECTED);
	assert_int_equal(rig_command(&rig, FW_COMMAND_AUTOMATIC, 0), FW_RESULT_OK);
	rig_run(&rig, 2000);
	assert_true(rig_closed(&rig));
}

static void restart_opens_first(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	assert_int_equal(rig_command(&rig, FW_COMMAND_RESTART, 0), FW_RESULT_ARGUMENT);
	assert_int_equal(rig_command(&rig, FW_COMMAND_RESTART, FW_MAGIC_RESTART), FW_RESULT_OK);
	rig_step(&rig);
	assert_int_equal(rig.pack.charge_off, FW_OFF_UPDATE);
	assert_false(rig.pack.restart_due);
	rig_run(&rig, 1000);
	assert_true(rig.pack.restart_due);
}

static void an_update_that_restarts_opens_too(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig.pack.update = FW_UPDATE_RECEIVING;
	rig_run(&rig, 5000);
	assert_true(rig_closed(&rig));
	assert_int_equal(rig.pack.state, FW_STATE_UPDATE);
	rig.pack.update = FW_UPDATE_RESTARTING;
	rig_run(&rig, 1200);
	assert_true(rig.pack.restart_due);
	assert_false(rig.pack.outputs.charge_mos || rig.pack.outputs.discharge_mos);
}

static void calibrating_makes_the_measurement_true(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig.in.current_ma = 250;
	rig_step(&rig);
	assert_int_equal(rig_command(&rig, FW_COMMAND_CALIBRATE_ZERO, 0), FW_RESULT_OK);
	rig.in.current_ma = -40250 + 500;
	rig_step(&rig);
	assert_int_equal(rig.pack.measured.current_ma, -40000);
	assert_int_equal(rig_command(&rig, FW_COMMAND_CALIBRATE_CURRENT, (uint32_t)-41000),
			 FW_RESULT_OK);
	assert_int_equal(rig_command(&rig, FW_COMMAND_CALIBRATE_VOLTAGE, 52500), FW_RESULT_OK);
	assert_int_equal(rig.pack.calibration_changed, 3);
	rig_step(&rig);
	assert_int_equal(rig.pack.measured.current_ma, -41000);
	assert_in_range(rig.pack.values.pack_mv, 52490, 52510);
	assert_int_equal(rig_command(&rig, FW_COMMAND_CALIBRATE_VOLTAGE, 60000),
			 FW_RESULT_ARGUMENT);
	assert_int_equal(rig_command(&rig, FW_COMMAND_CALIBRATE_CURRENT, 1000), FW_RESULT_ARGUMENT);
	assert_int_equal(rig_command(&rig, FW_COMMAND_CALIBRATE_ZERO, 0), FW_RESULT_ARGUMENT);
}

static void events_that_do_not_fit_are_counted(void **state)
{
	struct fw_events events = {0};
	struct fw_event event;

	(void)state;
	for (int i = 0; i < FW_EVENT_RING + 3; i++)
		fw_event_put(&events, FW_SOURCE_APP, i, 100000, -100000);
	for (int i = 0; i < FW_EVENT_RING; i++) {
		assert_true(fw_event_take(&events, &event));
		assert_int_equal(event.code, i);
		assert_int_equal(event.v1, INT16_MAX);
		assert_int_equal(event.v2, INT16_MIN);
	}
	assert_true(fw_event_take(&events, &event));
	assert_int_equal(event.code, FW_EVENT_EVENTS_LOST);
	assert_int_equal(event.v1, 3);
	assert_false(fw_event_take(&events, &event));
}

static void presets_are_loaded_by_command(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	assert_int_equal(rig_command(&rig, FW_COMMAND_DEFAULTS, 3), FW_RESULT_ARGUMENT);
	assert_int_equal(rig_command(&rig, FW_COMMAND_DEFAULTS, FW_LI_ION), FW_RESULT_OK);
	assert_int_equal(rig.pack.parameters.cell_ov_mv, 4200);
	assert_int_equal(rig.pack.parameters.cells, 16);
	assert_int_equal(rig.pack.parameters_changed, 1);
	assert_true(rig_logged(&rig, FW_EVENT_PRESET_LI_ION));
	assert_int_equal(rig_command(&rig, FW_COMMAND_SET_TIME, 0), FW_RESULT_UNSUPPORTED);
}

static void a_new_capacity_keeps_the_share(void **state)
{
	static struct rig rig;
	struct fw_parameters parameters;

	(void)state;
	rig_ready(&rig, FW_LFP);
	parameters = rig.pack.parameters;
	parameters.capacity_dAh = 2800;
	assert_true(fw_pack_set_parameters(&rig.pack, &parameters));
	rig_step(&rig);
	assert_int_equal(rig.pack.counters.full_mah, 280000);
	assert_in_range(rig.pack.soc_cpct, 4990, 5000);
	parameters.cell_ov_mv = 1300;
	assert_false(fw_pack_set_parameters(&rig.pack, &parameters));
	assert_int_equal(rig.pack.parameters.cell_ov_mv, 3600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outputs_allow_and_forbid),
		cmocka_unit_test(safe_stop_holds_until_automatic),
		cmocka_unit_test(restart_opens_first),
		cmocka_unit_test(an_update_that_restarts_opens_too),
		cmocka_unit_test(calibrating_makes_the_measurement_true),
		cmocka_unit_test(events_that_do_not_fit_are_counted),
		cmocka_unit_test(presets_are_loaded_by_command),
		cmocka_unit_test(a_new_capacity_keeps_the_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
