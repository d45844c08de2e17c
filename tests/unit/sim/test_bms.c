// SPDX-License-Identifier: Apache-2.0
/* The BMS in a simulated pack: each protection trips after its delay, opens the right switch, and
 * releases as its settings say. */
#include "../cmocka_all.h"

#include "sim/bms.h"

#define CELLS 16

struct rig {
	struct bms bms;
	struct sim_random random;
	double cells_v[CELLS];
	struct bms_input in;
};

static void rig_init(struct rig *rig)
{
	rig->random.state = 1;
	bms_init(&rig->bms, 1, CELLS, 314, 0.5, &rig->random);
	for (int i = 0; i < CELLS; i++)
		rig->cells_v[i] = 3.3;
	rig->in = (struct bms_input){.cell_count = CELLS,
				     .cells_v = rig->cells_v,
				     .bus_v = 52.8,
				     .cell_c = 25,
				     .mos_c = 25};
}

static void pass(struct rig *rig, double seconds)
{
	for (double t = 0; t < seconds - 1e-9; t += 0.1)
		bms_step(&rig->bms, &rig->in, 0.1, &rig->random);
}

static void expect(const struct rig *rig, bool charge, bool discharge, alarm_set protections)
{
	assert_int_equal(rig->bms.charge_mos, charge);
	assert_int_equal(rig->bms.discharge_mos, discharge);
	assert_int_equal(rig->bms.protections, protections);
}

static void healthy_pack_conducts(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	pass(&rig, 5);
	expect(&rig, true, true, 0);
}

static void cell_overvoltage_trips_and_releases(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig.cells_v[3] = 3.66;
	pass(&rig, 0.8);
	expect(&rig, true, true, 0);
	pass(&rig, 0.5);
	expect(&rig, false, true, ALARM_BIT(ALARM_cell_overvoltage));
	rig.cells_v[3] = 3.60; /* below the trip, above the release */
	pass(&rig, 5);
	expect(&rig, false, true, ALARM_BIT(ALARM_cell_overvoltage));
	rig.cells_v[3] = 3.57;
	pass(&rig, 0.5);
	expect(&rig, true, true, 0);
	assert_int_equal(rig.bms.ever_protections, ALARM_BIT(ALARM_cell_overvoltage));
}

static void cell_undervoltage_blocks_discharge_only(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig.cells_v[15] = 2.57;
	pass(&rig, 1.5);
	expect(&rig, true, false, ALARM_BIT(ALARM_cell_undervoltage));
	rig.cells_v[15] = 2.63;
	pass(&rig, 0.5);
	expect(&rig, true, true, 0);
}

static void charge_overcurrent_waits_and_retries(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig.in.current_a = 45;
	pass(&rig, 2.8);
	expect(&rig, true, true, 0);
	pass(&rig, 0.4);
	expect(&rig, false, true, ALARM_BIT(ALARM_charge_overcurrent));
	rig.in.current_a = 0;
	pass(&rig, 59);
	expect(&rig, false, true, ALARM_BIT(ALARM_charge_overcurrent));
	pass(&rig, 2);
	expect(&rig, true, true, 0);
}

static void short_overcurrent_is_ridden_out(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	for (int i = 0; i < 5; i++) {
		rig.in.current_a = 60;
		pass(&rig, 2);
		rig.in.current_a = 10;
		pass(&rig, 1);
	}
	expect(&rig, true, true, 0);
}

static void discharge_overcurrent_blocks_discharge(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig.in.current_a = -160;
	pass(&rig, 299);
	expect(&rig, true, true, 0);
	pass(&rig, 2);
	expect(&rig, true, false, ALARM_BIT(ALARM_discharge_overcurrent));
}

static void temperatures_block_what_they_must(void **state)
{
	static const struct {
		double cell_c, mos_c;
		bool charge, discharge;
		alarm_set protections;
	} rows[] = {
		{71, 30, false, false,
		 ALARM_BIT(ALARM_charge_overtemperature) |
			 ALARM_BIT(ALARM_discharge_overtemperature)},
		{1, 10, false, true, ALARM_BIT(ALARM_charge_undertemperature)},
		{30, 81, false, false, ALARM_BIT(ALARM_mos_overtemperature)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig rig;

		rig_init(&rig);
		rig.in.cell_c = rows[i].cell_c;
		rig.in.mos_c = rows[i].mos_c;
		pass(&rig, 4);
		expect(&rig, rows[i].charge, rows[i].discharge, rows[i].protections);
		rig.in.cell_c = rig.in.mos_c = 25;
		pass(&rig, 1);
		expect(&rig, true, true, 0);
	}
}

static void empty_pack_goes_off_until_a_charger_comes(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig.in.bus_v = 0;
	rig.cells_v[0] = 2.4;
	pass(&rig, 11);
	assert_false(rig.bms.powered);
	assert_false(rig.bms.charge_mos);
	rig.in.bus_v = 53.5;
	pass(&rig, 1);
	assert_true(rig.bms.powered);
	assert_true(rig.bms.charge_mos);
	assert_false(rig.bms.discharge_mos);
}

static void balancer_starts_at_its_trigger(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	pass(&rig, 1);
	assert_false(rig.bms.balancing);
	rig.cells_v[4] = 3.32;
	rig.cells_v[9] = 3.28;
	pass(&rig, 1);
	assert_true(rig.bms.balancing);
	assert_int_equal(rig.bms.balance_from, 4);
	assert_int_equal(rig.bms.balance_to, 9);
}

static void report_speaks_the_vocabulary(void **state)
{
	struct rig rig;
	struct pack pack;

	(void)state;
	rig_init(&rig);
	rig.in.current_a = -20;
	pass(&rig, 1);
	bms_report(&rig.bms, &pack);
	assert_in_range(pack.voltage_mv, 52780, 52820);
	assert_in_range(-pack.current_ma, 19800, 20200);
	assert_int_equal(pack.cell_count, CELLS);
	assert_in_range(pack.cells_mv[0], 3299, 3301);
	assert_int_equal(pack.capacity_mah, 314000);
	assert_in_range(pack.soc_mpct, 49000, 50000);
	assert_int_equal(pack.settings.charge_overcurrent_ma, 40000);
	assert_int_equal(pack.charge_mos, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(healthy_pack_conducts),
		cmocka_unit_test(cell_overvoltage_trips_and_releases),
		cmocka_unit_test(cell_undervoltage_blocks_discharge_only),
		cmocka_unit_test(charge_overcurrent_waits_and_retries),
		cmocka_unit_test(short_overcurrent_is_ridden_out),
		cmocka_unit_test(discharge_overcurrent_blocks_discharge),
		cmocka_unit_test(temperatures_block_what_they_must),
		cmocka_unit_test(empty_pack_goes_off_until_a_charger_comes),
		cmocka_unit_test(balancer_starts_at_its_trigger),
		cmocka_unit_test(report_speaks_the_vocabulary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
