// SPDX-License-Identifier: Apache-2.0
/* Every guard: what trips it and what does not, how long it takes, what it opens, what releases it.
 * The figures are those of the LFP preset, written out, so that a changed row is noticed. */
#include "../cmocka_all.h"

#include <stdio.h>

#include "core/protect.h"
#include "rig.h"

enum quantity { CELL, ALL_CELLS, CURRENT, CELL_T, MOS_T };

static void set(struct rig *rig, enum quantity quantity, int32_t value)
{
	switch (quantity) {
	case CELL: rig->in.cells_mv[7] = value; break;
	case ALL_CELLS: rig_cells(rig, value); break;
	case CURRENT: rig->in.current_ma = value; break;
	case CELL_T: rig->in.temperatures_dC[FW_SENSOR_CELL_3] = value; break;
	case MOS_T: rig->in.temperatures_dC[FW_SENSOR_MOS_2] = value; break;
	}
}

struct scenario {
	const char *name;
	enum fw_status status;
	enum quantity quantity;
	int32_t calm, trips, delay_ms;
	int32_t holds, releases; /* level guards: still tripped, released */
	int32_t timed_ms;        /* timed guards: released so long after */
	bool opens_charge, opens_discharge;
};

static const struct scenario scenarios[] = {
	{"cell overvoltage", FW_CELL_OV, CELL, 3599, 3600, 1000, 3541, 3540, 0, true, false},
	{"cell undervoltage", FW_CELL_UV, CELL, 2601, 2600, 1000, 2649, 2650, 0, false, true},
	{"pack overvoltage", FW_PACK_OV, ALL_CELLS, 3524, 3525, 1000, 3466, 3464, 0, true, false},
	{"pack undervoltage", FW_PACK_UV, ALL_CELLS, 2813, 2812, 1000, 2861, 2863, 0, false, true},
	{"abnormal high voltage", FW_CELL_HIGH, CELL, 3899, 3900, 8000, 3541, 3540, 0, true, false},
	{"charging forbidden", FW_CHARGE_FORBIDDEN, CELL, 2001, 2000, 2000, 2649, 2650, 0, true,
	 true},
	{"charge overcurrent 1", FW_CHARGE_OC1, CURRENT, 149900, 150000, 3000, 0, 0, 60000, true,
	 false},
	{"charge overcurrent 2", FW_CHARGE_OC2, CURRENT, 164900, 165000, 1000, 0, 0, 60000, true,
	 false},
	{"discharge overcurrent 1", FW_DISCHARGE_OC1, CURRENT, -149900, -150000, 300000, 0, 0,
	 60000, false, true},
	{"discharge overcurrent 2", FW_DISCHARGE_OC2, CURRENT, -209900, -210000, 500, 0, 0, 60000,
	 false, true},
	{"charge overtemperature", FW_CHARGE_OT, CELL_T, 599, 600, 2000, 551, 550, 0, true, false},
	{"charge undertemperature", FW_CHARGE_UT, CELL_T, 21, 20, 2000, 49, 50, 0, true, false},
	{"discharge overtemperature", FW_DISCHARGE_OT, CELL_T, 649, 650, 2000, 551, 550, 0, true,
	 true},
	{"discharge undertemperature", FW_DISCHARGE_UT, CELL_T, -199, -200, 2000, -101, -100, 0,
	 true, true},
	{"MOSFET overtemperature", FW_MOS_OT, MOS_T, 999, 1000, 2000, 801, 800, 0, true, true},
};

#define SCENARIOS (sizeof scenarios / sizeof scenarios[0])

/* The pack that the scenario begins with: pack limits of their own where cells would trip first,
 * and the neighbouring level out of the way where two share a quantity. */
static void begin(struct rig *rig, const struct scenario *scenario)
{
	rig_make(rig, FW_LFP);
	if (scenario->status == FW_PACK_OV)
		rig->parameters.pack_ov_cV = 5640;
	if (scenario->status == FW_PACK_UV)
		rig->parameters.pack_uv_cV = 4500;
	if (scenario->status == FW_CHARGE_OC2)
		rig->parameters.charge_oc1_delay_s = 120;
	if (scenario->status == FW_DISCHARGE_OC2)
		rig->identity.max_discharge_ma = 300000;
	rig_start(rig);
	rig_run(rig, 3000);
	assert_true(rig->pack.outputs.charge_mos && rig->pack.outputs.discharge_mos);
}

static bool tripped(const struct rig *rig, enum fw_status status)
{
	return (rig->pack.protections & FW_BIT(status)) != 0;
}

static void what_is_calm_never_trips(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCENARIOS; i++) {
		const struct scenario *s = &scenarios[i];
		static struct rig rig;

		begin(&rig, s);
		set(&rig, s->quantity, s->calm);
		for (int32_t t = 0; t < s->delay_ms + 5000; t += RIG_STEP_MS) {
			rig_step(&rig);
			if (tripped(&rig, s->status))
				fail_msg("%s trips at %d", s->name, s->calm);
		}
	}
}

/* From an event right after a sample: the next one shows it. */
static int32_t reaction_ms(struct rig *rig, const struct scenario *s)
{
	int32_t t = 0;

	set(rig, s->quantity, s->trips);
	while (!tripped(rig, s->status) && t < s->delay_ms + 5000) {
		bool other = rig->pack.protections != 0;

		assert_true(other ||
			    (rig->pack.outputs.charge_mos && rig->pack.outputs.discharge_mos));
		rig_step(rig);
		t += RIG_STEP_MS;
	}
	return t;
}

static void each_trips_in_time_and_opens_its_own(void **state)
{
	(void)state;
	print_message(
		"reaction to an event at the worst moment between two samples (limit), ms:\n");
	for (size_t i = 0; i < SCENARIOS; i++) {
		const struct scenario *s = &scenarios[i];
		static struct rig rig;
		int32_t ms;

		begin(&rig, s);
		ms = reaction_ms(&rig, s);
		print_message("  %-28s %6d (%d)\n", s->name, ms, s->delay_ms);
		if (ms > s->delay_ms || ms < s->delay_ms - RIG_STEP_MS)
			fail_msg("%s takes %d ms instead of %d", s->name, ms, s->delay_ms);
		assert_int_equal(rig.pack.outputs.charge_mos, !s->opens_charge);
		assert_int_equal(rig.pack.outputs.discharge_mos, !s->opens_discharge);
	}
}

static void a_short_excess_is_forgiven(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCENARIOS; i++) {
		const struct scenario *s = &scenarios[i];
		static struct rig rig;

		begin(&rig, s);
		for (int n = 0; n < 3; n++) {
			set(&rig, s->quantity, s->trips);
			rig_run(&rig, s->delay_ms / 2);
			assert_false(tripped(&rig, s->status));
			set(&rig, s->quantity, s->calm);
			rig_run(&rig, s->delay_ms);
		}
		assert_false(tripped(&rig, s->status));
	}
}

static void release_by_level(struct rig *rig, const struct scenario *s)
{
	set(rig, s->quantity, s->holds);
	rig_run(rig, 120000);
	if (!tripped(rig, s->status))
		fail_msg("%s lets go at %d", s->name, s->holds);
	set(rig, s->quantity, s->releases);
	rig_run(rig, 200);
	if (tripped(rig, s->status))
		fail_msg("%s holds at %d", s->name, s->releases);
}

static void release_by_time(struct rig *rig, const struct scenario *s)
{
	int32_t t = 0;

	rig->in.current_ma = 0;
	assert_int_equal(fw_pack_countdown_s(&rig->pack, s->status), s->timed_ms / 1000);
	while (tripped(rig, s->status) && t < s->timed_ms + 5000) {
		rig_step(rig);
		t += RIG_STEP_MS;
		assert_in_range(rig->pack.release_s, 0, s->timed_ms / 1000);
	}
	assert_in_range(t, s->timed_ms, s->timed_ms + RIG_STEP_MS);
}

static void each_releases_and_closes_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCENARIOS; i++) {
		const struct scenario *s = &scenarios[i];
		static struct rig rig;

		begin(&rig, s);
		reaction_ms(&rig, s);
		if (s->timed_ms)
			release_by_time(&rig, s);
		else
			release_by_level(&rig, s);
		set(&rig, s->quantity, s->quantity == CURRENT ? 0 : s->releases);
		rig_run(&rig, 20000);
		set(&rig, s->quantity,
		    s->quantity == CURRENT                            ? 0
		    : s->quantity == CELL || s->quantity == ALL_CELLS ? 3300
								      : 250);
		rig_run(&rig, 20000);
		if (!rig.pack.outputs.charge_mos || !rig.pack.outputs.discharge_mos)
			fail_msg("%s does not close again: off %x %x", s->name, rig.pack.charge_off,
				 rig.pack.discharge_off);
	}
}

static void nothing_closes_while_a_delay_runs(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.parameters.cell_ov_delay_ds = 100;
	rig_start(&rig);
	rig.in.cells_mv[0] = 3610;
	for (int i = 0; i < 200; i++) {
		rig_step(&rig);
		assert_false(rig.pack.outputs.charge_mos);
	}
	assert_true(rig.pack.outputs.discharge_mos);
}

static void trips_of_current_lock_until_the_other_side_comes(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	for (int n = 1; n <= 3; n++) {
		rig.in.current_ma = -220000;
		rig_run(&rig, 1000);
		assert_true(tripped(&rig, FW_DISCHARGE_OC2));
		rig.in.current_ma = 0;
		rig_run(&rig, 62000);
		assert_int_equal(rig.pack.outputs.discharge_mos, n < 3);
	}
	rig_run(&rig, 3600000);
	assert_false(rig.pack.outputs.discharge_mos);
	assert_int_equal(rig.pack.release_s, 0);
	rig.in.current_ma = 20000; /* charge through the body diode */
	rig_run(&rig, 300);
	assert_true(rig.pack.outputs.discharge_mos);
	assert_false(tripped(&rig, FW_DISCHARGE_OC2));
}

static void trips_far_apart_do_not_lock(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	for (int n = 0; n < 6; n++) {
		rig.in.current_ma = -220000;
		rig_run(&rig, 1000);
		rig.in.current_ma = 0;
		rig_run(&rig, 301000);
		assert_true(rig.pack.outputs.discharge_mos);
	}
}

static void a_lock_is_cleared_by_command_and_trips_again_if_need_be(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.parameters.oc_lock_trips = 1;
	rig_start(&rig);
	rig_run(&rig, 3000);
	rig.in.current_ma = 170000;
	rig_run(&rig, 1000);
	rig.in.current_ma = 5000; /* the limiter lets some through: no reason to let go */
	rig_run(&rig, 200000);
	assert_false(rig.pack.outputs.charge_mos);
	assert_int_equal(fw_pack_command(&rig.pack, FW_COMMAND_CLEAR, FW_BIT(FW_CELL_OV),
					 FW_SOURCE_BUS, rig.now_ms),
			 FW_RESULT_OK);
	rig_run(&rig, 1000);
	assert_false(rig.pack.outputs.charge_mos);
	fw_pack_command(&rig.pack, FW_COMMAND_CLEAR, FW_BIT(FW_CHARGE_OC2), FW_SOURCE_BUS,
			rig.now_ms);
	rig_run(&rig, 1000);
	assert_true(rig.pack.outputs.charge_mos);
}

static void a_short_circuit_is_held_and_let_go_by_the_core(void **state)
{
	static struct rig rig;
	int pulses = 0;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig.in.inputs |= FW_INPUT_SHORT_CIRCUIT;
	rig_step(&rig);
	assert_true(tripped(&rig, FW_SHORT_CIRCUIT));
	assert_false(rig.pack.outputs.charge_mos || rig.pack.outputs.discharge_mos);
	for (int i = 0; i < 595; i++) {
		rig_step(&rig);
		assert_false(rig.pack.outputs.release_short_circuit);
		assert_false(rig.pack.outputs.discharge_mos);
	}
	for (int i = 0; i < 50; i++) {
		rig_step(&rig);
		pulses += rig.pack.outputs.release_short_circuit;
		if (pulses)
			rig.in.inputs &= ~(uint32_t)FW_INPUT_SHORT_CIRCUIT;
	}
	assert_int_equal(pulses, 1);
	assert_true(rig.pack.outputs.charge_mos && rig.pack.outputs.discharge_mos);
}

/* The AFE does not let go: every release counts, the third locks. */
static void a_short_circuit_that_stays_locks(void **state)
{
	static struct rig rig;
	int pulses = 0;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig.in.inputs |= FW_INPUT_SHORT_CIRCUIT;
	for (int i = 0; i < 6000; i++) {
		rig_step(&rig);
		pulses += rig.pack.outputs.release_short_circuit;
		assert_false(rig.pack.outputs.charge_mos || rig.pack.outputs.discharge_mos);
	}
	assert_int_equal(pulses, 2);
}

static void without_a_time_only_a_charger_ends_a_short_circuit(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.parameters.short_circuit_release_s = 0;
	rig_start(&rig);
	rig_run(&rig, 3000);
	rig.in.inputs |= FW_INPUT_SHORT_CIRCUIT;
	rig_run(&rig, 1000000);
	assert_true(tripped(&rig, FW_SHORT_CIRCUIT));
	rig.in.inputs |= FW_INPUT_CHARGER;
	rig_step(&rig);
	assert_false(tripped(&rig, FW_SHORT_CIRCUIT));
	assert_true(rig.pack.outputs.release_short_circuit);
	rig.in.inputs &= ~(uint32_t)FW_INPUT_SHORT_CIRCUIT;
	rig_run(&rig, 3000);
	assert_true(rig.pack.outputs.discharge_mos);
}

/* An open MOSFET blocks one way only; current the other way would cook its body diode. */
static void current_the_other_way_sets_a_guard_aside(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig_temperatures(&rig, 0);
	rig_run(&rig, 3000);
	assert_true(tripped(&rig, FW_CHARGE_UT));
	assert_false(rig.pack.outputs.charge_mos);
	rig.in.current_ma = -50000;
	rig_step(&rig);
	assert_true(rig.pack.outputs.charge_mos);
	assert_false(tripped(&rig, FW_CHARGE_UT));
	assert_true(rig.pack.warnings & FW_BIT(FW_CHARGE_UT));
	assert_int_equal(rig.pack.charge_allowed_ma, 0);
	rig.in.current_ma = -900;
	rig_step(&rig);
	assert_false(rig.pack.outputs.charge_mos);
	assert_true(tripped(&rig, FW_CHARGE_UT));
}

static void charging_sets_undervoltage_aside_and_its_end_brings_it_back(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig.in.cells_mv[3] = 2550;
	rig_run(&rig, 1500);
	assert_false(rig.pack.outputs.discharge_mos);
	rig.in.current_ma = 30000;
	rig_step(&rig);
	assert_true(rig.pack.outputs.discharge_mos);
	assert_int_equal(rig.pack.discharge_allowed_ma, 0);
	rig.in.current_ma = 0;
	rig_step(&rig);
	assert_false(rig.pack.outputs.discharge_mos);
}

static void the_hardware_rating_caps_every_current_level(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.identity.max_charge_ma = 60000;
	rig_start(&rig);
	rig_run(&rig, 3000);
	rig.in.current_ma = 61000;
	rig_run(&rig, 3100);
	assert_true(tripped(&rig, FW_CHARGE_OC1));
}

static void levels_that_are_zero_are_off(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.identity.max_discharge_ma = 0; /* not programmed: no cap either */
	rig.parameters.discharge_oc2_dA = 0;
	rig.parameters.charge_forbidden_mv = 0;
	rig_start(&rig);
	rig_run(&rig, 3000);
	rig.in.current_ma = -300000;
	rig_run(&rig, 250000);
	assert_true(rig.pack.outputs.discharge_mos);
	rig.in.current_ma = 0;
	rig.in.cells_mv[2] = 1500;
	rig_run(&rig, 8000);
	assert_false(tripped(&rig, FW_CHARGE_FORBIDDEN));
}

static void without_a_lock_it_tries_for_ever(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.parameters.oc_lock_trips = 0;
	rig.parameters.discharge_oc_release_s = 2;
	rig_start(&rig);
	rig_run(&rig, 3000);
	for (int n = 0; n < 15; n++) {
		rig.in.current_ma = -220000;
		rig_run(&rig, 1000);
		assert_true(tripped(&rig, FW_DISCHARGE_OC2));
		rig.in.current_ma = 0;
		rig_run(&rig, 3000);
		assert_true(rig.pack.outputs.discharge_mos);
	}
}

/* The cell that tripped falls silent: what the others say releases nothing. */
static void a_missing_cell_releases_nothing(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig.in.cells_mv[7] = 3620;
	rig_run(&rig, 1500);
	rig.in.cells_mv[7] = FW_UNKNOWN;
	rig_run(&rig, 60000);
	assert_true(tripped(&rig, FW_CELL_OV));
	rig.in.cells_mv[7] = 3300;
	rig_run(&rig, 200);
	assert_false(tripped(&rig, FW_CELL_OV));
}

static void reverse_polarity_opens_both_at_once(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig.in.inputs |= FW_INPUT_REVERSED;
	rig_step(&rig);
	assert_true(tripped(&rig, FW_REVERSED));
	assert_false(rig.pack.outputs.charge_mos || rig.pack.outputs.discharge_mos ||
		     rig.pack.outputs.limiter || rig.pack.outputs.precharge);
}

static const struct {
	enum fw_status status;
	enum quantity quantity;
	int32_t calm, warns, clears;
} warnings[] = {
	{FW_CELL_OV, CELL, 3549, 3550, 3530},
	{FW_CELL_UV, CELL, 2801, 2800, 2850},
	{FW_CHARGE_OT, CELL_T, 549, 550, 500},
	{FW_DISCHARGE_OT, CELL_T, 549, 550, 500},
	{FW_CHARGE_UT, CELL_T, 51, 50, 70},
	{FW_DISCHARGE_UT, CELL_T, -99, -100, -80},
	{FW_MOS_OT, MOS_T, 799, 800, 750},
	{FW_CELL_DIFFERENCE, CELL, 3001, 3000, 3075},
	{FW_TEMPERATURE_DIFFERENCE, CELL_T, 399, 400, 380},
};

static void every_warning_comes_and_goes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof warnings / sizeof warnings[0]; i++) {
		uint32_t bit = FW_BIT(warnings[i].status);
		static struct rig rig;

		rig_ready(&rig, FW_LFP);
		set(&rig, warnings[i].quantity, warnings[i].calm);
		rig_run(&rig, 10000);
		assert_false(rig.pack.warnings & bit);
		set(&rig, warnings[i].quantity, warnings[i].warns);
		rig_run(&rig, 6000);
		assert_true(rig.pack.warnings & bit);
		set(&rig, warnings[i].quantity, warnings[i].clears);
		rig_run(&rig, 6000);
		assert_false(rig.pack.warnings & bit);
	}
}

static void quantities_without_parameter_warn_too(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig.in.temperatures_dC[FW_SENSOR_AMBIENT] = 700;
	rig.in.wire_dmohm[4] = 2500;
	rig_run(&rig, 6000);
	assert_true(rig.pack.warnings & FW_BIT(FW_AMBIENT_OT));
	assert_true(rig.pack.warnings & FW_BIT(FW_BALANCE_WIRE));
	rig.in.temperatures_dC[FW_SENSOR_AMBIENT] = -250;
	rig_run(&rig, 3000);
	assert_true(rig.pack.warnings & FW_BIT(FW_AMBIENT_UT));
	fw_pack_command(&rig.pack, FW_COMMAND_SET_SOC, 900, FW_SOURCE_BUS, rig.now_ms);
	rig_run(&rig, 2000);
	assert_true(rig.pack.warnings & FW_BIT(FW_SOC_LOW));
	fw_pack_command(&rig.pack, FW_COMMAND_SET_SOC, 1600, FW_SOURCE_BUS, rig.now_ms);
	rig_run(&rig, 2000);
	assert_false(rig.pack.warnings & FW_BIT(FW_SOC_LOW));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_calm_never_trips),
		cmocka_unit_test(each_trips_in_time_and_opens_its_own),
		cmocka_unit_test(a_short_excess_is_forgiven),
		cmocka_unit_test(each_releases_and_closes_again),
		cmocka_unit_test(nothing_closes_while_a_delay_runs),
		cmocka_unit_test(trips_of_current_lock_until_the_other_side_comes),
		cmocka_unit_test(trips_far_apart_do_not_lock),
		cmocka_unit_test(a_lock_is_cleared_by_command_and_trips_again_if_need_be),
		cmocka_unit_test(a_short_circuit_is_held_and_let_go_by_the_core),
		cmocka_unit_test(a_short_circuit_that_stays_locks),
		cmocka_unit_test(without_a_time_only_a_charger_ends_a_short_circuit),
		cmocka_unit_test(current_the_other_way_sets_a_guard_aside),
		cmocka_unit_test(charging_sets_undervoltage_aside_and_its_end_brings_it_back),
		cmocka_unit_test(the_hardware_rating_caps_every_current_level),
		cmocka_unit_test(levels_that_are_zero_are_off),
		cmocka_unit_test(without_a_lock_it_tries_for_ever),
		cmocka_unit_test(a_missing_cell_releases_nothing),
		cmocka_unit_test(reverse_polarity_opens_both_at_once),
		cmocka_unit_test(every_warning_comes_and_goes),
		cmocka_unit_test(quantities_without_parameter_warn_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
