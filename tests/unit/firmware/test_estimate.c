// SPDX-License-Identifier: Apache-2.0
/* Charge counting: exact to the last mA*ms, calibrated at the ends, bounded at rest, learned. */
#include "../cmocka_all.h"

#include "core/estimate.h"
#include "rig.h"

static void flow(struct rig *rig, int32_t ma, int64_t ms)
{
	rig->in.current_ma = ma;
	rig->step_ms = ms > 600000 ? 500 : RIG_STEP_MS;
	rig_run(rig, ms);
	rig->step_ms = RIG_STEP_MS;
}

static void an_hour_is_counted_exactly(void **state)
{
	static struct rig rig;
	int32_t before;

	(void)state;
	rig_ready(&rig, FW_LFP);
	before = rig.pack.counters.remaining_mah;
	flow(&rig, -20000, 3600000);
	/* 25 mA for the electronics come on top */
	assert_in_range(before - rig.pack.counters.remaining_mah, 20024, 20026);
	before = rig.pack.counters.remaining_mah;
	flow(&rig, 20000, 3600000);
	assert_in_range(rig.pack.counters.remaining_mah - before, 19954, 19956); /* 99.9 % kept */
}

static void small_currents_are_not_lost_to_rounding(void **state)
{
	static struct rig rig;
	int32_t before;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.parameters.sleep_h = 0;
	rig_start(&rig);
	rig_run(&rig, 3000);
	before = rig.pack.counters.remaining_mah;
	flow(&rig, -60, INT64_C(4) * 3600000); /* 0.0017 mAh a step */
	assert_in_range(before - rig.pack.counters.remaining_mah, 339, 341);
}

static void a_resting_pack_loses_what_it_uses_and_leaks(void **state)
{
	static struct rig rig;
	int32_t before;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.counters.remaining_mah = 80000;
	rig.parameters.sleep_h = 0;
	rig_start(&rig);
	before = rig.pack.counters.remaining_mah;
	flow(&rig, 20, INT64_C(24) * 3600000); /* noise of the sensor */
	/* 25 mA * 24 h and 2 % of 80 Ah in a month */
	assert_in_range(before - rig.pack.counters.remaining_mah, 600 + 45, 600 + 60);
}

static void full_needs_voltage_and_tail(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig_cells(&rig, 3510);
	flow(&rig, 30000, 60000);
	assert_true(rig.pack.soc_cpct < 6000);
	assert_false(rig.pack.full);
	flow(&rig, 4000, 29000);
	assert_false(rig.pack.full);
	flow(&rig, 4000, 2000);
	assert_true(rig.pack.full);
	assert_int_equal(rig.pack.soc_cpct, 10000);
	assert_int_equal(rig.pack.state, FW_STATE_CHARGING);
	rig_cells(&rig, 3400);
	flow(&rig, 0, 1000);
	assert_int_equal(rig.pack.state, FW_STATE_FULL);
}

static void charge_stops_short_of_full_until_it_is(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.counters.remaining_mah = 99900;
	rig_start(&rig);
	rig_run(&rig, 3000);
	flow(&rig, 20000, 600000);
	assert_int_equal(rig.pack.counters.remaining_mah, 100000);
	assert_int_equal(rig.pack.soc_cpct, 9999);
}

static void full_is_held_then_floats_then_charges_again(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	assert_int_equal(rig.pack.charge_limit_mv, 16 * 3550);
	rig_cells(&rig, 3510);
	flow(&rig, 4000, 32000);
	assert_true(rig.pack.full);
	assert_false(rig.pack.float_charge);
	flow(&rig, 500, 3605000);
	assert_true(rig.pack.float_charge);
	assert_int_equal(rig.pack.charge_limit_mv, 16 * 3400);
	rig_cells(&rig, 3330);
	flow(&rig, -20000, 1000000);
	assert_false(rig.pack.full || rig.pack.float_charge);
	assert_int_equal(rig.pack.charge_limit_mv, 16 * 3550);
}

static void empty_is_empty_when_gently_reached(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig_cells(&rig, 2601);
	flow(&rig, -20000, 10000);
	assert_true(rig.pack.soc_cpct > 4000);
	rig_cells(&rig, 2600);
	flow(&rig, -20000, 1000);
	assert_int_equal(rig.pack.soc_cpct, 0);
	flow(&rig, 0, 1000);
	assert_true(rig.pack.protections & FW_BIT(FW_CELL_UV));
	rig_cells(&rig, 2900);
	flow(&rig, 20000, 1000000);
	assert_true(rig.pack.soc_cpct > 500);
}

static void a_sagging_voltage_says_only_a_little(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig_cells(&rig, 2590);
	flow(&rig, -90000, 1000);
	assert_in_range(rig.pack.soc_cpct, 490, 500);
}

static void long_rest_corrects_where_the_curve_is_steep(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	flow(&rig, 0, 1900000); /* 3.30 V: anything between 40 and 70 % */
	assert_in_range(rig.pack.soc_cpct, 4900, 5000);
	rig_ready(&rig, FW_LFP);
	rig_cells(&rig, 3000);
	flow(&rig, 0, 1900000);
	assert_in_range(rig.pack.soc_cpct, 600, 1300);
	rig_ready(&rig, FW_LI_ION);
	rig_cells(&rig, 4000);
	flow(&rig, 0, 1900000);
	assert_in_range(rig.pack.soc_cpct, 7300, 8400);
}

static void without_counters_the_voltage_guesses(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LI_ION);
	rig_cells(&rig, 3650);
	fw_pack_init(&rig.pack, &rig.identity, &rig.parameters, &rig.calibration, NULL);
	rig_run(&rig, 1000);
	assert_in_range(rig.pack.soc_cpct, 3950, 4050);
}

static void torn_counters_are_put_within_reason(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.counters.full_mah = -5;
	rig.counters.remaining_mah = INT32_MAX;
	rig.counters.starts = UINT32_MAX;
	rig.counters.discharged_ah = UINT32_MAX;
	rig.counters.cycles = UINT32_MAX;
	rig.counters.cycle_mah = 99999;
	rig_start(&rig);
	rig_run(&rig, 3000);
	assert_int_equal(rig.pack.counters.full_mah, 100000);
	assert_int_equal(rig.pack.counters.starts, UINT32_MAX);
	flow(&rig, -50000, 600000);
	assert_int_equal(rig.pack.counters.discharged_ah, UINT32_MAX);
	assert_int_equal(rig.pack.counters.cycles, UINT32_MAX);
	assert_in_range(rig.pack.soc_cpct, 9000, 9999);
}

static void throughput_makes_cycles(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	for (int i = 0; i < 5; i++) {
		flow(&rig, -50000, 1800000);
		flow(&rig, 50000, 1800000);
	}
	assert_int_equal(rig.pack.counters.cycles, 1);
	assert_in_range(rig.pack.counters.cycle_mah, 24000, 26000);
	assert_int_equal(rig.pack.counters.discharged_ah, 125);
	assert_in_range(rig.pack.counters.charged_ah, 124, 125);
	assert_in_range(rig.pack.counters.run_s, 18000, 18010);
}

/* From full to empty at 50 A; the cells hold `ah`. */
static void empty_out(struct rig *rig, int32_t ah)
{
	rig_cells(rig, 3510);
	flow(rig, 4000, 32000);
	assert_true(rig->pack.full);
	rig_cells(rig, 3280);
	flow(rig, -40000, (int64_t)ah * 90000);
	rig_cells(rig, 2600);
	flow(rig, -40000, 2000);
	assert_int_equal(rig->pack.soc_cpct, 0);
	rig->in.current_ma = 0;
	rig_cells(rig, 2900);
	rig_run(rig, 10000);
}

static void capacity_is_learned_from_full_to_empty(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	empty_out(&rig, 80);
	assert_in_range(rig.pack.counters.full_mah, 89900, 90100); /* halfway */
	empty_out(&rig, 80);
	empty_out(&rig, 80);
	empty_out(&rig, 80);
	assert_in_range(rig.pack.counters.full_mah, 81000, 81500);
	assert_in_range(rig.pack.soh_pm, 810, 815);
}

static void what_cannot_be_a_capacity_is_not_learned(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	empty_out(&rig, 30);
	assert_int_equal(rig.pack.counters.full_mah, 100000);
	rig_temperatures(&rig, 60); /* cold cells give less */
	empty_out(&rig, 80);
	assert_int_equal(rig.pack.counters.full_mah, 100000);
}

static void rest_voltages_of_every_chemistry_rise(void **state)
{
	(void)state;
	for (int chemistry = 0; chemistry < FW_CHEMISTRIES; chemistry++) {
		int32_t before = 0;

		for (int32_t mv = 1500; mv < 4500; mv += 5) {
			int32_t soc = fw_estimate_rest_soc_cpct((enum fw_chemistry)chemistry, mv);

			assert_in_range(soc, before, 10000);
			before = soc;
		}
		assert_int_equal(before, 10000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_hour_is_counted_exactly),
		cmocka_unit_test(small_currents_are_not_lost_to_rounding),
		cmocka_unit_test(a_resting_pack_loses_what_it_uses_and_leaks),
		cmocka_unit_test(full_needs_voltage_and_tail),
		cmocka_unit_test(charge_stops_short_of_full_until_it_is),
		cmocka_unit_test(full_is_held_then_floats_then_charges_again),
		cmocka_unit_test(empty_is_empty_when_gently_reached),
		cmocka_unit_test(a_sagging_voltage_says_only_a_little),
		cmocka_unit_test(long_rest_corrects_where_the_curve_is_steep),
		cmocka_unit_test(without_counters_the_voltage_guesses),
		cmocka_unit_test(torn_counters_are_put_within_reason),
		cmocka_unit_test(throughput_makes_cycles),
		cmocka_unit_test(capacity_is_learned_from_full_to_empty),
		cmocka_unit_test(what_cannot_be_a_capacity_is_not_learned),
		cmocka_unit_test(rest_voltages_of_every_chemistry_rise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
