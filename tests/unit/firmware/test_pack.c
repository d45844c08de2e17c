// SPDX-License-Identifier: Apache-2.0
/* What a pack does around its protections: closing against a bank, pre-charge, limiter, emergency,
 * commands, button and key, sleep, signals, limits, heater, balancer, LEDs. */
#include "../cmocka_all.h"

#include "rig.h"

static enum fw_result command(struct rig *rig, enum fw_command code, uint32_t argument)
{
	return fw_pack_command(&rig->pack, code, argument, FW_SOURCE_BUS, rig->now_ms);
}

static void sync_bank(struct rig *rig, uint16_t packs, int32_t bank_mv)
{
	struct fw_sync sync = {.packs = packs, .bank_mv = bank_mv, .flags = 3};

	fw_pack_sync(&rig->pack, &sync, rig->now_ms);
}

static bool closed(const struct rig *rig)
{
	return rig->pack.outputs.charge_mos && rig->pack.outputs.discharge_mos;
}

static bool logged(struct rig *rig, int code)
{
	struct fw_event event;
	bool found = false;

	while (fw_event_take(&rig->pack.events, &event))
		found = found || event.code == code;
	return found;
}

/* --- closing --- */

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
	assert_true(closed(&rig));
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
	command(&rig, FW_COMMAND_CLEAR, FW_BIT(FW_PRECHARGE_FAILED));
	rig.follows = true;
	rig_run(&rig, 1000);
	assert_true(closed(&rig));
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
	assert_true(closed(&rig));
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
	assert_true(closed(&rig));
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
	assert_true(closed(&rig));
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
	assert_true(closed(&rig));
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
	assert_true(closed(&rig));
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
	assert_true(closed(&rig));
	assert_false(rig.pack.outputs.limiter);
}

/* --- emergency --- */

static void the_emergency_overrides_for_half_an_hour(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig_cells(&rig, 2450); /* below automatic power-off */
	rig_temperatures(&rig, 680);
	rig_run(&rig, 4000);
	assert_false(rig.pack.outputs.charge_mos || rig.pack.outputs.discharge_mos);
	assert_int_equal(command(&rig, FW_COMMAND_EMERGENCY_START, 1), FW_RESULT_ARGUMENT);
	assert_int_equal(command(&rig, FW_COMMAND_EMERGENCY_START, FW_MAGIC_EMERGENCY),
			 FW_RESULT_OK);
	assert_int_equal(command(&rig, FW_COMMAND_EMERGENCY_START, FW_MAGIC_EMERGENCY),
			 FW_RESULT_BUSY);
	rig_run(&rig, 1000);
	rig.in.current_ma = -2500;
	rig_run(&rig, 1699000);
	assert_true(closed(&rig));
	assert_in_range(rig.pack.emergency_s, 95, 105);
	assert_true(rig.pack.warnings & FW_BIT(FW_EMERGENCY));
	assert_true(rig.pack.protections & FW_BIT(FW_DISCHARGE_OT)); /* overridden is still said */
	rig_run(&rig, 101000);
	assert_false(rig.pack.outputs.charge_mos || rig.pack.outputs.discharge_mos);
	assert_true(logged(&rig, FW_EVENT_EMERGENCY_ENDED));
}

static void the_emergency_never_overrides_what_would_burn(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	command(&rig, FW_COMMAND_EMERGENCY_START, FW_MAGIC_EMERGENCY);
	rig.in.temperatures_dC[FW_SENSOR_MOS_1] = 1190;
	rig_run(&rig, 5000);
	assert_true(closed(&rig));
	rig.in.temperatures_dC[FW_SENSOR_MOS_1] = 1200;
	rig_run(&rig, 600);
	assert_false(rig.pack.outputs.charge_mos || rig.pack.outputs.discharge_mos);
	rig.in.temperatures_dC[FW_SENSOR_MOS_1] = 250;
	rig_run(&rig, 1000);
	assert_true(closed(&rig));
	rig.in.cells_mv[0] = 2300; /* power-off - 200 mV */
	rig_run(&rig, 1000);
	assert_false(rig.pack.outputs.discharge_mos);
	rig_cells(&rig, 3300);
	rig_run(&rig, 5000);
	assert_true(closed(&rig));
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
		assert_int_equal(command(&rig, FW_COMMAND_EMERGENCY_START, FW_MAGIC_EMERGENCY),
				 FW_RESULT_OK);
		rig_run(&rig, 60000);
		command(&rig, FW_COMMAND_EMERGENCY_STOP, 0);
		rig_run(&rig, 60000);
	}
	assert_int_equal(command(&rig, FW_COMMAND_EMERGENCY_START, FW_MAGIC_EMERGENCY),
			 FW_RESULT_PROTECTED);
	rig.counters = rig.pack.counters; /* a restart does not forget */
	rig_start(&rig);
	rig_run(&rig, 3000);
	assert_int_equal(command(&rig, FW_COMMAND_EMERGENCY_START, FW_MAGIC_EMERGENCY),
			 FW_RESULT_PROTECTED);
	rig.pack.counters.run_s += 86400;
	assert_int_equal(command(&rig, FW_COMMAND_EMERGENCY_START, FW_MAGIC_EMERGENCY),
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
	assert_true(logged(&rig, FW_EVENT_EMERGENCY_ON));
}

/* --- commands --- */

static void outputs_allow_and_forbid(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	assert_int_equal(command(&rig, FW_COMMAND_OUTPUTS, (uint32_t)FW_ALLOW_CHARGE << 16),
			 FW_RESULT_OK);
	rig_step(&rig);
	assert_false(rig.pack.outputs.charge_mos);
	assert_true(rig.pack.outputs.discharge_mos);
	assert_int_equal(rig.pack.charge_off, FW_OFF_COMMAND);
	assert_true(logged(&rig, FW_EVENT_CHARGE_OFF));
	rig.in.cells_mv[1] = 3650;
	rig_run(&rig, 1500);
	command(&rig, FW_COMMAND_OUTPUTS, (uint32_t)FW_ALLOW_CHARGE << 16 | FW_ALLOW_CHARGE);
	rig_run(&rig, 1500);
	assert_false(rig.pack.outputs.charge_mos); /* allowed is not forced */
	assert_int_equal(command(&rig, FW_COMMAND_OUTPUTS, 0x01000100), FW_RESULT_ARGUMENT);
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
	assert_int_equal(command(&rig, FW_COMMAND_OUTPUTS, 0x00030003), FW_RESULT_PROTECTED);
	assert_int_equal(command(&rig, FW_COMMAND_AUTOMATIC, 0), FW_RESULT_OK);
	rig_run(&rig, 2000);
	assert_true(closed(&rig));
}

static void restart_opens_first(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	assert_int_equal(command(&rig, FW_COMMAND_RESTART, 0), FW_RESULT_ARGUMENT);
	assert_int_equal(command(&rig, FW_COMMAND_RESTART, FW_MAGIC_RESTART), FW_RESULT_OK);
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
	assert_true(closed(&rig));
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
	assert_int_equal(command(&rig, FW_COMMAND_CALIBRATE_ZERO, 0), FW_RESULT_OK);
	rig.in.current_ma = -40250 + 500;
	rig_step(&rig);
	assert_int_equal(rig.pack.measured.current_ma, -40000);
	assert_int_equal(command(&rig, FW_COMMAND_CALIBRATE_CURRENT, (uint32_t)-41000),
			 FW_RESULT_OK);
	assert_int_equal(command(&rig, FW_COMMAND_CALIBRATE_VOLTAGE, 52500), FW_RESULT_OK);
	assert_int_equal(rig.pack.calibration_changed, 3);
	rig_step(&rig);
	assert_int_equal(rig.pack.measured.current_ma, -41000);
	assert_in_range(rig.pack.values.pack_mv, 52490, 52510);
	assert_int_equal(command(&rig, FW_COMMAND_CALIBRATE_VOLTAGE, 60000), FW_RESULT_ARGUMENT);
	assert_int_equal(command(&rig, FW_COMMAND_CALIBRATE_CURRENT, 1000), FW_RESULT_ARGUMENT);
	assert_int_equal(command(&rig, FW_COMMAND_CALIBRATE_ZERO, 0), FW_RESULT_ARGUMENT);
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
	assert_int_equal(command(&rig, FW_COMMAND_PRECHARGE, 10001), FW_RESULT_ARGUMENT);
	assert_int_equal(command(&rig, FW_COMMAND_PRECHARGE, 8000), FW_RESULT_OK);
	rig_run(&rig, 7000);
	assert_true(rig.pack.outputs.precharge); /* longer than parameter 0275 */
	rig_run(&rig, 2000);
	assert_false(rig.pack.outputs.precharge);
	rig.in.inputs |= FW_INPUT_REMOTE_STOP;
	rig_step(&rig);
	assert_int_equal(command(&rig, FW_COMMAND_PRECHARGE, 0), FW_RESULT_PROTECTED);
	rig.identity.features = 0;
	assert_int_equal(command(&rig, FW_COMMAND_PRECHARGE, 0), FW_RESULT_UNSUPPORTED);
}

static void the_limiter_can_be_chosen_and_forbidden(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	command(&rig, FW_COMMAND_OUTPUTS, (uint32_t)FW_ALLOW_LIMITER << 16 | FW_ALLOW_LIMITER);
	rig_step(&rig);
	assert_true(rig.pack.outputs.limiter);
	assert_int_equal(rig.pack.charge_off, FW_OFF_COMMAND);
	command(&rig, FW_COMMAND_OUTPUTS, (uint32_t)FW_ALLOW_LIMITER << 16);
	rig_step(&rig);
	assert_false(rig.pack.outputs.limiter);
	assert_true(rig.pack.outputs.charge_mos);
	rig.in.current_ma = 170000;
	rig_run(&rig, 1000);
	assert_false(rig.pack.outputs.limiter || rig.pack.outputs.charge_mos);
}

static void one_way_by_command_leaves_what_a_diode_can_carry(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig_run_with_master(&rig, 2000);
	command(&rig, FW_COMMAND_OUTPUTS, (uint32_t)FW_ALLOW_DISCHARGE << 16);
	rig_step(&rig);
	assert_int_equal(rig.pack.charge_allowed_ma, 25000);
	assert_int_equal(rig.pack.discharge_allowed_ma, 0);
	assert_true(logged(&rig, FW_EVENT_DISCHARGE_OFF));
	command(&rig, FW_COMMAND_OUTPUTS, 0x00020002);
	rig_run(&rig, 1000);
	assert_int_equal(rig.pack.charge_allowed_ma, 100000);
	assert_true(logged(&rig, FW_EVENT_DISCHARGE_ON));
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
	assert_int_equal(command(&rig, FW_COMMAND_DEFAULTS, 3), FW_RESULT_ARGUMENT);
	assert_int_equal(command(&rig, FW_COMMAND_DEFAULTS, FW_LI_ION), FW_RESULT_OK);
	assert_int_equal(rig.pack.parameters.cell_ov_mv, 4200);
	assert_int_equal(rig.pack.parameters.cells, 16);
	assert_int_equal(rig.pack.parameters_changed, 1);
	assert_true(logged(&rig, FW_EVENT_PRESET_LI_ION));
	assert_int_equal(command(&rig, FW_COMMAND_SET_TIME, 0), FW_RESULT_UNSUPPORTED);
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

/* --- power --- */

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
	assert_int_equal(command(&rig, FW_COMMAND_POWER_OFF, FW_MAGIC_POWER_OFF), FW_RESULT_OK);
	rig_step(&rig);
	assert_int_equal(rig.pack.charge_off, FW_OFF_KEY);
	assert_false(rig.pack.outputs.power_off);
	rig_run(&rig, 2100);
	assert_true(rig.pack.outputs.power_off);
	assert_int_equal(rig.pack.outputs.leds, 0);
	rig.in.inputs |= FW_INPUT_CHARGER;
	rig_run(&rig, 3000);
	assert_true(closed(&rig));
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
	assert_true(closed(&rig));
}

static void an_idle_pack_sleeps_and_wakes(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.parameters.sleep_h = 1;
	rig_start(&rig);
	rig_run(&rig, 3590000);
	assert_true(closed(&rig));
	assert_int_equal(rig.pack.state, FW_STATE_SLEEP_SOON);
	assert_in_range(rig.pack.sleep_s, 5, 15);
	rig_run(&rig, 20000);
	assert_true(rig.pack.outputs.sleep);
	assert_false(rig.pack.outputs.charge_mos || rig.pack.outputs.discharge_mos);
	rig.in.inputs |= FW_INPUT_LOAD;
	rig_run(&rig, 1000);
	assert_false(rig.pack.outputs.sleep);
	assert_true(closed(&rig));
	rig_run_with_master(&rig, 4000000);
	assert_true(closed(&rig)); /* somebody talks: no sleep */
	command(&rig, FW_COMMAND_SLEEP, 0);
	rig_run_with_master(&rig, 5000);
	assert_true(rig.pack.outputs.sleep); /* told so by that master */
	rig_run(&rig, 20000);
	assert_true(rig.pack.outputs.sleep);
	rig_run_with_master(&rig, 2000); /* a voice after silence */
	assert_false(rig.pack.outputs.sleep);
}

/* --- signals, limits, master --- */

static void contacts_and_buzzer_follow_their_sources(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.parameters.buzzer_source = FW_SIGNAL_HOT;
	rig_start(&rig);
	rig_run(&rig, 3000);
	assert_false(rig.pack.outputs.dry_contact[0] || rig.pack.outputs.dry_contact[1]);
	rig_temperatures(&rig, 620);
	command(&rig, FW_COMMAND_SET_SOC, 500);
	rig_run(&rig, 4000);
	assert_true(rig.pack.outputs.dry_contact[0] && rig.pack.outputs.dry_contact[1]);
	assert_true(rig.pack.outputs.buzzer);
	command(&rig, FW_COMMAND_OUTPUTS, (uint32_t)FW_ALLOW_BUZZER << 16);
	rig_step(&rig);
	assert_false(rig.pack.outputs.buzzer);
}

static void losing_the_master_lowers_the_limits_only(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig_run_with_master(&rig, 12000);
	assert_int_equal(rig.pack.charge_allowed_ma, 100000);
	assert_int_equal(rig.pack.discharge_allowed_ma, 100000);
	assert_false(rig.pack.warnings & FW_BIT(FW_MASTER_LOST));
	rig_run(&rig, 8000);
	assert_int_equal(rig.pack.charge_allowed_ma, 100000);
	rig_run(&rig, 3000);
	assert_int_equal(rig.pack.charge_allowed_ma, 20000);
	assert_int_equal(rig.pack.discharge_allowed_ma, 50000);
	assert_true(rig.pack.warnings & FW_BIT(FW_MASTER_LOST));
	assert_true(closed(&rig));
}

static void limits_come_down_before_protections_act(void **state)
{
	static struct rig rig;
	int32_t before_ma = INT32_MAX;

	(void)state;
	rig_ready(&rig, FW_LFP);
	for (int32_t mv = 3490; mv < 3600; mv += 5) {
		rig.in.cells_mv[3] = mv;
		rig_run_with_master(&rig, 500);
		assert_true(rig.pack.charge_allowed_ma <= before_ma);
		before_ma = rig.pack.charge_allowed_ma;
	}
	assert_int_equal(before_ma, 0);
	assert_true(rig.pack.outputs.charge_mos);
	rig_cells(&rig, 3300);
	before_ma = INT32_MAX;
	for (int32_t dC = 250; dC > 20; dC -= 10) {
		rig_temperatures(&rig, dC);
		rig_run_with_master(&rig, 500);
		assert_true(rig.pack.charge_allowed_ma <= before_ma);
		before_ma = rig.pack.charge_allowed_ma;
	}
	assert_in_range(before_ma, 1000, 40000);
}

static void soc_leds_follow_the_table(void **state)
{
	static const struct {
		uint16_t soc_pct;
		int bars;
	} rows[] = {{0, 1},  {9, 1},  {19, 1}, {20, 2}, {39, 2}, {40, 3},
		    {59, 3}, {60, 4}, {79, 4}, {80, 5}, {99, 5}, {100, 5}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static struct rig rig;
		int bars = 0;

		rig_ready(&rig, FW_LFP);
		command(&rig, FW_COMMAND_SET_SOC, rows[i].soc_pct * 100u);
		rig_step(&rig);
		for (int led = 0; led < 5; led++)
			bars += (rig.pack.outputs.leds & (uint32_t)FW_LED_L1 << led) != 0;
		/* the own consumption of one step may take the last hundredth of a percent */
		assert_in_range(bars, rows[i].bars - (rows[i].soc_pct % 20 == 0), rows[i].bars);
	}
}

/* How often a LED changes in two seconds. */
static int changes(struct rig *rig, uint32_t led)
{
	int count = 0;

	rig_step(rig);
	for (int i = 0; i < 20; i++) {
		uint32_t before = rig->pack.outputs.leds & led;

		rig_step(rig);
		count += before != (rig->pack.outputs.leds & led);
	}
	return count;
}

static void status_leds_follow_the_manuals(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	assert_true(rig.pack.outputs.leds & FW_LED_POWER);
	assert_int_equal(changes(&rig, FW_LED_RUN), 4);
	assert_int_equal(changes(&rig, FW_LED_ALARM), 0);
	assert_false(rig.pack.outputs.leds & FW_LED_ALARM);
	assert_int_equal(changes(&rig, FW_LED_L6), 0);
	fw_pack_heard(&rig.pack, rig.now_ms);
	assert_int_equal(changes(&rig, FW_LED_L6), 4);
	rig.in.current_ma = 20000;
	assert_int_equal(changes(&rig, FW_LED_L3), 4); /* charging: the top one blinks */
	assert_int_equal(changes(&rig, FW_LED_L2), 0);
	rig.in.current_ma = 0;
	rig_temperatures(&rig, 620);
	rig_run(&rig, 3000);
	assert_int_equal(changes(&rig, FW_LED_ALARM), 4); /* a protection blinks */
	rig_temperatures(&rig, 250);
	rig_run(&rig, 3000);
	rig.in.cells_mv[3] = FW_UNKNOWN;
	rig_run(&rig, 2000);
	assert_int_equal(changes(&rig, FW_LED_ALARM), 0); /* a defect is steady */
	assert_true(rig.pack.outputs.leds & FW_LED_ALARM);
	rig.in.cells_mv[3] = 3300;
	command(&rig, FW_COMMAND_IDENTIFY, 5);
	assert_true(changes(&rig, FW_LED_L5) > 8);
	rig_run(&rig, 5000);
	assert_int_equal(changes(&rig, FW_LED_L5), 0);
}

static void dip_zero_blinks_the_sixth(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.in.dip = 0;
	rig_start(&rig);
	rig_run(&rig, 3000);
	assert_int_equal(changes(&rig, FW_LED_L6), 4);
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
		cmocka_unit_test(the_emergency_overrides_for_half_an_hour),
		cmocka_unit_test(the_emergency_never_overrides_what_would_burn),
		cmocka_unit_test(the_emergency_is_granted_three_times_a_day),
		cmocka_unit_test(the_panel_starts_the_emergency_too),
		cmocka_unit_test(outputs_allow_and_forbid),
		cmocka_unit_test(safe_stop_holds_until_automatic),
		cmocka_unit_test(restart_opens_first),
		cmocka_unit_test(an_update_that_restarts_opens_too),
		cmocka_unit_test(calibrating_makes_the_measurement_true),
		cmocka_unit_test(precharge_can_be_asked_for),
		cmocka_unit_test(the_limiter_can_be_chosen_and_forbidden),
		cmocka_unit_test(one_way_by_command_leaves_what_a_diode_can_carry),
		cmocka_unit_test(events_that_do_not_fit_are_counted),
		cmocka_unit_test(presets_are_loaded_by_command),
		cmocka_unit_test(a_new_capacity_keeps_the_share),
		cmocka_unit_test(low_cells_switch_the_pack_off),
		cmocka_unit_test(power_off_opens_first_and_a_charger_wakes),
		cmocka_unit_test(the_button_clears_switches_off_and_restarts),
		cmocka_unit_test(the_key_opens_both),
		cmocka_unit_test(an_idle_pack_sleeps_and_wakes),
		cmocka_unit_test(contacts_and_buzzer_follow_their_sources),
		cmocka_unit_test(losing_the_master_lowers_the_limits_only),
		cmocka_unit_test(limits_come_down_before_protections_act),
		cmocka_unit_test(soc_leds_follow_the_table),
		cmocka_unit_test(status_leds_follow_the_manuals),
		cmocka_unit_test(dip_zero_blinks_the_sixth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
