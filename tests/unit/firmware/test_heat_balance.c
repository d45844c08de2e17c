// SPDX-License-Identifier: Apache-2.0
/* The heater and the balancer: when they work, and everything that stops them. */
#include "../cmocka_all.h"

#include "rig.h"

/* --- heater --- */

static void cold_with_charger(struct rig *rig)
{
	rig_make(rig, FW_LFP);
	rig_temperatures(rig, 0);
	rig->in.inputs |= FW_INPUT_CHARGER;
	rig_start(rig);
	rig_run(rig, 5000);
}

static void the_heater_warms_before_charge(void **state)
{
	static struct rig rig;

	(void)state;
	cold_with_charger(&rig);
	assert_true(rig.pack.outputs.heater);
	assert_false(rig.pack.outputs.charge_mos);
	rig_temperatures(&rig, 49);
	rig_run(&rig, 1000);
	assert_true(rig.pack.outputs.heater);
	rig_temperatures(&rig, 50);
	rig_run(&rig, 1000);
	assert_false(rig.pack.outputs.heater);
	assert_true(rig.pack.outputs.charge_mos);
	rig_temperatures(&rig, 10);
	rig_run(&rig, 1000);
	assert_false(rig.pack.outputs.heater); /* not before it is as cold as the start */
}

static void modes_of_the_heater(void **state)
{
	static struct rig rig;

	(void)state;
	for (int mode = 0; mode <= 2; mode++) {
		rig_make(&rig, FW_LFP);
		rig.parameters.heater_mode = mode;
		rig_temperatures(&rig, 0);
		rig_start(&rig);
		rig_run(&rig, 3000);
		assert_int_equal(rig.pack.outputs.heater, mode == 2);
		fw_pack_command(&rig.pack, FW_COMMAND_SET_SOC, 1500, FW_SOURCE_BUS, rig.now_ms);
		rig_run(&rig, 1000);
		assert_false(rig.pack.outputs.heater); /* not from the last fifth */
		rig.in.inputs |= FW_INPUT_CHARGER;
		rig_run(&rig, 1000);
		assert_int_equal(rig.pack.outputs.heater, mode > 0);
	}
}

/* Nobody watches over a heater then. */
static void a_pack_that_sleeps_or_leaves_does_not_heat(void **state)
{
	static struct rig rig;

	(void)state;
	for (int leaves = 0; leaves < 2; leaves++) {
		cold_with_charger(&rig);
		assert_true(rig.pack.outputs.heater);
		if (leaves)
			fw_pack_command(&rig.pack, FW_COMMAND_POWER_OFF, FW_MAGIC_POWER_OFF,
					FW_SOURCE_BUS, 0);
		else
			fw_pack_command(&rig.pack, FW_COMMAND_SLEEP, 0, FW_SOURCE_BUS, 0);
		rig_run(&rig, 500);
		assert_false(rig.pack.outputs.heater);
	}
}

static void a_command_heats_up_to_the_stop_temperature(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.parameters.heater_mode = 0;
	rig_temperatures(&rig, 30);
	rig_start(&rig);
	rig_run(&rig, 2000);
	fw_pack_command(&rig.pack, FW_COMMAND_OUTPUTS,
			(uint32_t)FW_ALLOW_HEATER << 16 | FW_ALLOW_HEATER, FW_SOURCE_BUS, 0);
	rig_run(&rig, 1000);
	assert_true(rig.pack.outputs.heater);
	rig_temperatures(&rig, 60);
	rig_run(&rig, 1000);
	assert_false(rig.pack.outputs.heater);
}

static void the_heater_stops_for_every_doubt(void **state)
{
	(void)state;
	for (int doubt = 0; doubt < 6; doubt++) {
		static struct rig rig;

		cold_with_charger(&rig);
		assert_true(rig.pack.outputs.heater);
		switch (doubt) {
		case 0: rig.in.temperatures_dC[FW_SENSOR_CELL_1] = FW_UNKNOWN; break;
		case 1: rig.in.temperatures_dC[FW_SENSOR_CELL_4] = 400; break;
		case 2: rig.frozen = true; break;
		case 3: rig.in.inputs |= FW_INPUT_REMOTE_STOP; break;
		case 4: rig.in.cells_mv[2] = 2500; break;
		default:
			fw_pack_command(&rig.pack, FW_COMMAND_SAFE_STOP, 0, FW_SOURCE_BUS, 0);
			break;
		}
		rig_run(&rig, 1500);
		if (rig.pack.outputs.heater)
			fail_msg("doubt %d", doubt);
	}
}

static void a_heater_that_draws_wrongly_is_a_fault(void **state)
{
	static struct rig rig;

	(void)state;
	cold_with_charger(&rig);
	rig.in.heater_ma = 8000;
	rig_run(&rig, 60000);
	assert_true(rig.pack.outputs.heater);
	rig.in.heater_ma = 0; /* broken film */
	rig_run(&rig, 6000);
	assert_true(rig.pack.faults & FW_BIT(FW_FAULT_HEATER));
	assert_false(rig.pack.outputs.heater);

	rig_ready(&rig, FW_LFP);
	rig.in.heater_ma = 8000; /* stuck relay */
	rig_run(&rig, 6000);
	assert_true(rig.pack.faults & FW_BIT(FW_FAULT_HEATER));
}

static void a_heater_that_does_not_warm_is_a_fault(void **state)
{
	static struct rig rig;

	(void)state;
	cold_with_charger(&rig);
	rig_run(&rig, 3500000);
	assert_true(rig.pack.outputs.heater);
	rig_run(&rig, 200000);
	assert_false(rig.pack.outputs.heater);
	assert_true(rig.pack.faults & FW_BIT(FW_FAULT_HEATER));
}

static void a_heater_rests_after_four_hours(void **state)
{
	static struct rig rig;

	(void)state;
	cold_with_charger(&rig);
	rig_run(&rig, 1000000);
	rig_temperatures(&rig, 30); /* it warms, but never enough */
	rig_run(&rig, 13300000);
	assert_true(rig.pack.outputs.heater);
	rig_run(&rig, 200000);
	assert_false(rig.pack.outputs.heater);
	assert_false(rig.pack.faults & FW_BIT(FW_FAULT_HEATER));
}

/* --- balancer --- */

static void uneven(struct rig *rig)
{
	rig_ready(rig, FW_LFP);
	rig->in.cells_mv[4] = 3330;
	rig->in.cells_mv[11] = 3280;
	rig_run(rig, 1000);
}

static void the_active_balancer_moves_from_high_to_low(void **state)
{
	static struct rig rig;
	const struct fw_outputs *out = &rig.pack.outputs;

	(void)state;
	uneven(&rig);
	assert_int_equal(out->balance_from, 4);
	assert_int_equal(out->balance_to, 11);
	assert_int_equal(out->balance_ma, 2000);
	assert_int_equal(out->balance_cells, 1u << 4);
	rig.in.cells_mv[7] = 3340;
	rig_run(&rig, 5000);
	assert_int_equal(out->balance_from, 4); /* a pair is kept for ten seconds */
	rig_run(&rig, 6000);
	assert_int_equal(out->balance_from, 7);
	rig_cells(&rig, 3300);
	rig.in.cells_mv[7] = 3306;
	rig_run(&rig, 1000);
	assert_int_equal(out->balance_from, 7); /* between stop and trigger: goes on */
	rig.in.cells_mv[7] = 3305;
	rig_run(&rig, 1000);
	assert_int_equal(out->balance_from, -1);
	assert_int_equal(out->balance_ma, 0);
	rig.in.cells_mv[7] = 3309;
	rig_run(&rig, 1000);
	assert_int_equal(out->balance_from, -1);
	rig.in.cells_mv[7] = 3310;
	rig_run(&rig, 1000);
	assert_int_equal(out->balance_from, 7);
}

static void the_passive_balancer_bleeds_every_other_high_cell(void **state)
{
	static struct rig rig;
	uint32_t seen = 0;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.identity.features &= (uint16_t)~FW_HAS_ACTIVE_BALANCER;
	rig_cells(&rig, 3320);
	rig.in.cells_mv[0] = 3300;
	rig_start(&rig);
	for (int i = 0; i < 400; i++) {
		uint32_t cells;

		rig_step(&rig);
		cells = rig.pack.outputs.balance_cells;
		assert_int_equal(cells & cells << 1, 0);
		assert_int_equal(cells & 1, 0);
		seen |= cells;
	}
	assert_int_equal(seen, 0xFFFE);
	assert_int_equal(rig.pack.outputs.balance_ma, 0);
}

static void modes_of_the_balancer(void **state)
{
	static const int32_t currents_ma[] = {5000, 0, -5000};

	(void)state;
	for (int mode = 0; mode <= 3; mode++)
		for (int flow = 0; flow < 3; flow++) {
			static struct rig rig;

			rig_make(&rig, FW_LFP);
			rig.parameters.balance_mode = mode;
			rig_start(&rig);
			rig_run(&rig, 3000);
			rig.in.current_ma = currents_ma[flow];
			rig.in.cells_mv[4] = 3330;
			rig_run(&rig, 1000);
			assert_int_equal(rig.pack.outputs.balance_ma > 0, mode > flow);
		}
}

static void the_balancer_stops_for_every_doubt(void **state)
{
	(void)state;
	for (int doubt = 0; doubt < 7; doubt++) {
		static struct rig rig;

		uneven(&rig);
		assert_int_equal(rig.pack.outputs.balance_ma, 2000);
		switch (doubt) {
		case 0: rig.in.cells_mv[9] = FW_UNKNOWN; break;
		case 1: rig.in.temperatures_dC[FW_SENSOR_BOARD] = 600; break;
		case 2: rig.in.wire_dmohm[9] = 2200; break;
		case 3: rig_temperatures(&rig, -10); break;
		case 4: rig.frozen = true; break;
		case 5: rig_cells(&rig, 2990); break;
		default:
			fw_pack_command(&rig.pack, FW_COMMAND_OUTPUTS,
					(uint32_t)FW_ALLOW_BALANCE << 16, FW_SOURCE_BUS, 0);
			break;
		}
		rig_run(&rig, 6000);
		if (rig.pack.outputs.balance_ma || rig.pack.outputs.balance_cells)
			fail_msg("doubt %d", doubt);
	}
}

static void current_while_it_is_off_is_a_balancer_fault(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig.in.balance_ma = -1500;
	rig_run(&rig, 6000);
	assert_true(rig.pack.faults & FW_BIT(FW_FAULT_BALANCER));
	assert_true(rig.pack.outputs.charge_mos); /* the pack itself is fine */
	rig.in.cells_mv[4] = 3400;
	rig_run(&rig, 1000);
	assert_int_equal(rig.pack.outputs.balance_ma, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_heater_warms_before_charge),
		cmocka_unit_test(modes_of_the_heater),
		cmocka_unit_test(a_pack_that_sleeps_or_leaves_does_not_heat),
		cmocka_unit_test(a_command_heats_up_to_the_stop_temperature),
		cmocka_unit_test(the_heater_stops_for_every_doubt),
		cmocka_unit_test(a_heater_that_draws_wrongly_is_a_fault),
		cmocka_unit_test(a_heater_that_does_not_warm_is_a_fault),
		cmocka_unit_test(a_heater_rests_after_four_hours),
		cmocka_unit_test(the_active_balancer_moves_from_high_to_low),
		cmocka_unit_test(the_passive_balancer_bleeds_every_other_high_cell),
		cmocka_unit_test(modes_of_the_balancer),
		cmocka_unit_test(the_balancer_stops_for_every_doubt),
		cmocka_unit_test(current_while_it_is_off_is_a_balancer_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
