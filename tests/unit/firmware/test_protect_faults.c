// SPDX-License-Identifier: Apache-2.0
/* Broken, missing, stuck and lying sensors: nothing missing is ever taken for fine. */
#include "../cmocka_all.h"

#include "core/protect.h"
#include "rig.h"

static bool closed(const struct rig *rig)
{
	return rig->pack.outputs.charge_mos && rig->pack.outputs.discharge_mos;
}

static bool open(const struct rig *rig)
{
	const struct fw_outputs *out = &rig->pack.outputs;

	return !out->charge_mos && !out->discharge_mos && !out->limiter && !out->precharge &&
	       !out->heater;
}

static void break_cell(struct rig *rig)
{
	rig->in.cells_mv[5] = FW_UNKNOWN;
}

static void show_too_much(struct rig *rig)
{
	rig->in.cells_mv[5] = 6000;
}

static void break_current(struct rig *rig)
{
	rig->in.current_ma = FW_UNKNOWN;
}

static void break_ntc(struct rig *rig)
{
	rig->in.temperatures_dC[FW_SENSOR_CELL_2] = FW_UNKNOWN;
}

static void short_ntc(struct rig *rig)
{
	rig->in.temperatures_dC[FW_SENSOR_CELL_4] = 1600;
}

static void break_mos_ntc(struct rig *rig)
{
	rig->in.temperatures_dC[FW_SENSOR_MOS_1] = FW_UNKNOWN;
}

static void lose_cell(struct rig *rig)
{
	rig->in.cell_count = 15;
	rig->in.cells_mv[15] = FW_UNKNOWN;
}

static void count_nonsense(struct rig *rig)
{
	rig->in.cell_count = 1000;
}

static void freeze(struct rig *rig)
{
	rig->frozen = true;
}

static void lose_all_cells(struct rig *rig)
{
	rig_cells(rig, FW_UNKNOWN);
}

static void stop_remotely(struct rig *rig)
{
	rig->in.inputs |= FW_INPUT_REMOTE_STOP;
}

static void open_breaker(struct rig *rig)
{
	rig->in.inputs |= FW_INPUT_BREAKER_OPEN;
}

static void lose_parameters(struct rig *rig)
{
	rig->pack.told_faults |= FW_BIT(FW_FAULT_PARAMETER_MEMORY);
}

static void fail_self_test(struct rig *rig)
{
	rig->pack.told_faults |= FW_BIT(FW_FAULT_SELF_TEST);
}

static void lose_supply(struct rig *rig)
{
	rig->pack.told_faults |= FW_BIT(FW_FAULT_SUPPLY);
}

static const struct {
	const char *name;
	void (*hurt)(struct rig *rig);
	enum fw_fault fault;
	int32_t within_ms;
	bool overridden; /* by the emergency */
} hurts[] = {
	{"open wire", break_cell, FW_FAULT_CELL_WIRE, 1000, true},
	{"impossible voltage", show_too_much, FW_FAULT_CELL_WIRE, 1000, true},
	{"no current", break_current, FW_FAULT_CURRENT_SENSOR, 500, false},
	{"broken NTC", break_ntc, FW_FAULT_TEMPERATURE_SENSOR, 3000, true},
	{"shorted NTC", short_ntc, FW_FAULT_TEMPERATURE_SENSOR, 3000, true},
	{"broken MOSFET NTC", break_mos_ntc, FW_FAULT_TEMPERATURE_SENSOR, 3000, true},
	{"a cell less", lose_cell, FW_FAULT_CELL_COUNT, 1000, false},
	{"nonsense count", count_nonsense, FW_FAULT_CELL_COUNT, 1000, false},
	{"frozen front end", freeze, FW_FAULT_AFE, 1000, false},
	{"no cell at all", lose_all_cells, FW_FAULT_AFE, 100, false},
	{"remote stop", stop_remotely, FW_FAULT_REMOTE_STOP, 100, false},
	{"breaker", open_breaker, FW_FAULT_BREAKER, 100, false},
	{"parameters lost", lose_parameters, FW_FAULT_PARAMETER_MEMORY, 100, false},
	{"self-test", fail_self_test, FW_FAULT_SELF_TEST, 100, false},
	{"supply", lose_supply, FW_FAULT_SUPPLY, 100, false},
};

#define HURTS (sizeof hurts / sizeof hurts[0])

static void every_hurt_opens_both_in_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < HURTS; i++) {
		static struct rig rig;

		rig_ready(&rig, FW_LFP);
		assert_true(closed(&rig));
		hurts[i].hurt(&rig);
		rig_run(&rig, hurts[i].within_ms);
		if (!(rig.pack.faults & FW_BIT(hurts[i].fault)) || !open(&rig))
			fail_msg("%s: faults %x off %x %x", hurts[i].name, rig.pack.faults,
				 rig.pack.charge_off, rig.pack.discharge_off);
		assert_int_equal(rig.pack.state, FW_STATE_FAULT);
		assert_int_equal(rig.pack.charge_allowed_ma, 0);
		assert_int_equal(rig.pack.discharge_allowed_ma, 0);
	}
}

static void nothing_ever_closes_with_a_hurt_from_the_start(void **state)
{
	(void)state;
	for (size_t i = 0; i < HURTS; i++) {
		static struct rig rig;

		rig_make(&rig, FW_LFP);
		rig_start(&rig);
		hurts[i].hurt(&rig);
		for (int n = 0; n < 600; n++) {
			rig_step(&rig);
			if (!open(&rig))
				fail_msg("%s closes something", hurts[i].name);
		}
	}
}

static void every_hurt_that_heals_lets_go(void **state)
{
	(void)state;
	for (size_t i = 0; i < HURTS; i++) {
		static struct rig rig, sound;

		rig_ready(&rig, FW_LFP);
		sound = rig;
		hurts[i].hurt(&rig);
		rig_run(&rig, 10000);
		sound.in.sequence = rig.in.sequence;
		rig.in = sound.in;
		rig.frozen = false;
		rig.pack.told_faults = 0;
		rig_run(&rig, 2500);
		assert_true(open(&rig));
		rig_run(&rig, 5000);
		if (!closed(&rig))
			fail_msg("%s stays: %x", hurts[i].name, rig.pack.faults);
	}
}

static void the_emergency_overrides_wires_and_sensors_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < HURTS; i++) {
		static struct rig rig;

		rig_ready(&rig, FW_LFP);
		hurts[i].hurt(&rig);
		rig_run(&rig, 10000);
		assert_int_equal(fw_pack_command(&rig.pack, FW_COMMAND_EMERGENCY_START,
						 FW_MAGIC_EMERGENCY, FW_SOURCE_APP, rig.now_ms),
				 FW_RESULT_OK);
		rig_run(&rig, 5000);
		if (hurts[i].overridden != closed(&rig))
			fail_msg("%s", hurts[i].name);
	}
}

static void ambient_and_board_sensors_only_report(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig.in.temperatures_dC[FW_SENSOR_BOARD] = FW_UNKNOWN;
	rig_run(&rig, 5000);
	assert_true(rig.pack.faults & FW_BIT(FW_FAULT_TEMPERATURE_SENSOR));
	assert_true(closed(&rig));
}

static void a_pack_without_any_cell_sensor_never_closes(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.identity.sensors = 0xF0;
	rig_start(&rig);
	rig_run(&rig, 20000);
	assert_true(open(&rig));
}

static void a_sensor_that_is_not_fitted_is_no_fault(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.identity.sensors = 0x03;
	for (int i = FW_SENSOR_CELL_3; i < FW_SENSORS; i++)
		rig.in.temperatures_dC[i] = FW_UNKNOWN;
	rig_start(&rig);
	rig_run(&rig, 5000);
	assert_true(closed(&rig));
	assert_int_equal(rig.pack.faults, 0);
}

/* Alternating load, 0.3 C; the cells follow through 0.3 mOhm, one of them does not. */
static void load_step(struct rig *rig, int n, int stuck, bool current_stuck)
{
	int32_t ma = n % 2 ? -30000 : 10000;

	for (int i = 0; i < rig->in.cell_count; i++)
		if (i != stuck)
			rig->in.cells_mv[i] = 3300 + i + ma * 3 / 10000;
	if (!current_stuck)
		rig->in.current_ma = ma;
	rig_step(rig);
}

static void a_stuck_cell_is_found_by_its_neighbours(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	for (int n = 0; n < 4; n++)
		load_step(&rig, n, 9, false);
	assert_true(closed(&rig));
	for (int n = 0; n < 20; n++)
		load_step(&rig, n, 9, false);
	assert_true(rig.pack.faults & FW_BIT(FW_FAULT_CELL_WIRE));
	assert_true(open(&rig));
	rig.in.current_ma = 0;
	rig_run(&rig, 60000);
	assert_true(open(&rig)); /* latched */
	fw_pack_command(&rig.pack, FW_COMMAND_CLEAR, UINT32_MAX, FW_SOURCE_BUS, rig.now_ms);
	rig_run(&rig, 5000);
	assert_true(closed(&rig));
}

static void sound_cells_under_a_changing_load_are_no_fault(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	for (int n = 0; n < 2000; n++)
		load_step(&rig, n, -1, false);
	assert_int_equal(rig.pack.faults, 0);
}

static void a_stuck_current_is_found_by_the_cells(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	for (int n = 0; n < 20; n++)
		load_step(&rig, n, -1, true);
	assert_true(rig.pack.faults & FW_BIT(FW_FAULT_CURRENT_SENSOR));
	assert_true(open(&rig));
}

static void a_welded_mosfet_opens_the_other_one(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig.in.cells_mv[2] = 3650; /* the charge MOSFET must open */
	rig.in.current_ma = 20000; /* but current goes on */
	rig_run(&rig, 1500);
	assert_true(rig.pack.outputs.discharge_mos && !rig.pack.outputs.charge_mos);
	rig_run(&rig, 2500);
	assert_true(rig.pack.faults & FW_BIT(FW_FAULT_CHARGE_MOS));
	assert_true(open(&rig));
	rig.in.current_ma = 0;
	rig_cells(&rig, 3300);
	rig_run(&rig, 60000);
	assert_true(open(&rig)); /* latched */
}

static void discharge_through_an_open_mosfet_is_a_fault(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	fw_pack_command(&rig.pack, FW_COMMAND_OUTPUTS, (uint32_t)FW_ALLOW_DISCHARGE << 16,
			FW_SOURCE_BUS, rig.now_ms);
	rig.in.current_ma = -5000;
	rig_run(&rig, 2500);
	assert_true(rig.pack.faults & FW_BIT(FW_FAULT_DISCHARGE_MOS));
	assert_true(open(&rig));
}

static void sensed_mosfets_must_follow_commands(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig.in.inputs |=
		FW_INPUT_MOS_SENSED | FW_INPUT_CHARGE_MOS_CLOSED | FW_INPUT_DISCHARGE_MOS_CLOSED;
	rig_run(&rig, 5000);
	assert_true(closed(&rig));
	rig.in.inputs &= ~(uint32_t)FW_INPUT_DISCHARGE_MOS_CLOSED;
	rig_run(&rig, 2000);
	assert_true(rig.pack.faults & FW_BIT(FW_FAULT_DISCHARGE_MOS));
	assert_true(open(&rig));
}

static void terminals_that_do_not_follow_show_a_dead_mosfet(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig.follows = false;
	rig.beyond_mv = 40000;
	rig_run(&rig, 2500);
	assert_true(rig.pack.faults & FW_BIT(FW_FAULT_DISCHARGE_MOS));
	assert_true(open(&rig));
}

static void bad_parameters_are_never_used(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.parameters.cell_ov_mv = 9000;
	rig_start(&rig);
	assert_int_equal(rig.pack.parameters.cell_ov_mv, 3600);
	rig_run(&rig, 20000);
	assert_true(rig.pack.faults & FW_BIT(FW_FAULT_PARAMETER_MEMORY));
	assert_true(open(&rig));
}

static void calibration_is_applied_and_its_lack_reported(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.calibration = (struct fw_calibration){
		.voltage_ppm = 10000, .current_ppm = -20000, .current_zero_ma = 100};
	rig_start(&rig);
	rig.in.current_ma = 100;
	rig_run(&rig, 2000);
	rig.in.current_ma = 10100;
	rig_step(&rig);
	assert_int_equal(rig.pack.measured.cells_mv[0], 3333);
	assert_int_equal(rig.pack.values.pack_mv, 3333 * 16);
	assert_int_equal(rig.pack.measured.current_ma, 9800);
	assert_true(rig.pack.faults & FW_BIT(FW_FAULT_UNCALIBRATED));
	assert_true(closed(&rig));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_hurt_opens_both_in_time),
		cmocka_unit_test(nothing_ever_closes_with_a_hurt_from_the_start),
		cmocka_unit_test(every_hurt_that_heals_lets_go),
		cmocka_unit_test(the_emergency_overrides_wires_and_sensors_only),
		cmocka_unit_test(ambient_and_board_sensors_only_report),
		cmocka_unit_test(a_pack_without_any_cell_sensor_never_closes),
		cmocka_unit_test(a_sensor_that_is_not_fitted_is_no_fault),
		cmocka_unit_test(a_stuck_cell_is_found_by_its_neighbours),
		cmocka_unit_test(sound_cells_under_a_changing_load_are_no_fault),
		cmocka_unit_test(a_stuck_current_is_found_by_the_cells),
		cmocka_unit_test(a_welded_mosfet_opens_the_other_one),
		cmocka_unit_test(discharge_through_an_open_mosfet_is_a_fault),
		cmocka_unit_test(sensed_mosfets_must_follow_commands),
		cmocka_unit_test(terminals_that_do_not_follow_show_a_dead_mosfet),
		cmocka_unit_test(bad_parameters_are_never_used),
		cmocka_unit_test(calibration_is_applied_and_its_lack_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
