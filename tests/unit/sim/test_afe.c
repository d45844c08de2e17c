// SPDX-License-Identifier: Apache-2.0
/* The simulated front end: what it measures is the plant, what it is told happens, and what it does
 * by itself keeps the cells safe. */
#include "../cmocka_all.h"

#include <stdlib.h>

#include "near.h"
#include "sim/afe.h"
#include "sim/plant.h"

struct bench {
	struct plant plant;
	struct sim_afe afe[2];
	struct fw_measurement m;
	int64_t now_ms;
};

static struct bench *new_bench(void)
{
	struct bench *b = calloc(1, sizeof *b);

	assert_non_null(b);
	plant_init(&b->plant, &(struct plant_make){.pack_count = 2,
						   .cell_count = 16,
						   .capacity_ah = 100,
						   .soc = 0.5,
						   .ambient_c = 20,
						   .seed = 3});
	for (int i = 0; i < 2; i++)
		sim_afe_init(&b->afe[i], &b->plant.packs[i], (uint8_t)(i + 1));
	return b;
}

/* 100 ms with this current wanted; pack 1 is measured. */
static void pass(struct bench *b, double current_a)
{
	const struct plant_demand demand = {current_a, 58, 40};

	b->now_ms += 100;
	plant_step(&b->plant, &demand, 0.1);
	for (int i = 0; i < 2; i++)
		sim_afe_step(&b->afe[i], &b->plant.packs[i], b->plant.bus_v, b->now_ms, 0.1);
	sim_afe_measure(&b->afe[0], &b->plant.packs[0], b->plant.bus_v, &b->plant.random, &b->m);
}

static void tell(struct bench *b, int pack, struct fw_outputs outputs)
{
	sim_afe_obey(&b->afe[pack], &b->plant.packs[pack], &outputs, b->now_ms);
}

#define ON ((struct fw_outputs){.charge_mos = true, .discharge_mos = true, .balance_from = -1})

static void it_measures_the_plant(void **state)
{
	struct bench *b = new_bench();
	const struct sim_pack *pack = &b->plant.packs[0];

	(void)state;
	for (int i = 0; i < 3; i++) {
		tell(b, 0, ON);
		tell(b, 1, ON);
		pass(b, -40);
	}
	assert_int_equal(b->m.sequence, 3);
	assert_int_equal(b->m.dip, 1);
	assert_int_equal(b->m.cell_count, 16);
	for (int i = 0; i < 16; i++)
		assert_near(b->m.cells_mv[i], 1000 * pack->cells_v[i], 1.1);
	assert_near(b->m.current_ma, 1000 * pack->current_a, 31);
	assert_true(b->m.current_ma < -15000);
	assert_near(b->m.terminal_mv, 1000 * pack->voltage_v, 1);
	assert_near(b->m.temperatures_dC[FW_SENSOR_CELL_1], 10 * pack->cell_c, 2);
	assert_true(b->m.inputs & FW_INPUT_LOAD);
	assert_true(b->m.inputs & FW_INPUT_DISCHARGE_MOS_CLOSED);
	assert_false(b->m.inputs & FW_INPUT_CHARGER);
	free(b);
}

static void without_a_word_everything_opens(void **state)
{
	struct bench *b = new_bench();

	(void)state;
	pass(b, -10);
	assert_int_equal(b->m.current_ma, 0); /* nobody said anything yet */
	tell(b, 0, ON);
	pass(b, -10);
	assert_true(b->m.current_ma < -5000);
	for (int i = 0; i < 19; i++)
		pass(b, -10);
	assert_true(b->plant.packs[0].bms.discharge_mos);
	for (int i = 0; i < 3; i++)
		pass(b, -10);
	assert_false(b->plant.packs[0].bms.discharge_mos);
	assert_false(b->m.inputs & FW_INPUT_CHARGE_MOS_CLOSED);
	free(b);
}

static void a_short_circuit_is_cut_and_held(void **state)
{
	struct bench *b = new_bench();
	struct fw_outputs release = ON;

	(void)state;
	release.release_short_circuit = true;
	tell(b, 0, ON);
	pass(b, 0);
	b->afe[0].shorted = true;
	pass(b, 0);
	assert_true(b->m.inputs & FW_INPUT_SHORT_CIRCUIT);
	tell(b, 0, ON);
	assert_false(b->plant.packs[0].bms.discharge_mos);
	tell(b, 0, release); /* while it is still there */
	assert_false(b->plant.packs[0].bms.discharge_mos);
	b->afe[0].shorted = false;
	tell(b, 0, ON);
	assert_false(b->plant.packs[0].bms.discharge_mos);
	tell(b, 0, release);
	assert_true(b->plant.packs[0].bms.discharge_mos);
	pass(b, 0);
	assert_false(b->m.inputs & FW_INPUT_SHORT_CIRCUIT);
	free(b);
}

static void precharging_lifts_the_terminals(void **state)
{
	struct bench *b = new_bench();

	(void)state;
	pass(b, 0);
	assert_int_equal(b->m.terminal_mv, 0);
	for (int i = 0; i < 15; i++) {
		tell(b, 0, (struct fw_outputs){.precharge = true, .balance_from = -1});
		pass(b, 0);
	}
	assert_near(b->m.terminal_mv, 1000 * b->plant.packs[0].voltage_v, 500);
	tell(b, 1, ON); /* now the other pack holds the bus */
	pass(b, 0);
	assert_near(b->m.terminal_mv, 1000 * b->plant.bus_v, 1);
	free(b);
}

static void the_balancer_moves_charge(void **state)
{
	struct bench *b = new_bench();
	const struct sim_pack *pack = &b->plant.packs[0];
	double from = pack->cells[3].soc, to = pack->cells[7].soc;

	(void)state;
	for (int i = 0; i < 600; i++) {
		tell(b, 0,
		     (struct fw_outputs){.balance_ma = 2000, .balance_from = 3, .balance_to = 7});
		pass(b, 0);
	}
	assert_int_equal(b->m.balance_ma, 2000);
	assert_near(from - pack->cells[3].soc, 2.0 / 60 / 100, 1e-5);
	assert_true(pack->cells[7].soc > to);
	from = pack->cells[5].soc;
	for (int i = 0; i < 600; i++) {
		tell(b, 0, (struct fw_outputs){.balance_cells = 1 << 5, .balance_from = -1});
		pass(b, 0);
	}
	assert_near(from - pack->cells[5].soc, 0.1 / 60 / 100, 1e-6);
	free(b);
}

static void broken_sensors_say_nothing(void **state)
{
	struct bench *b = new_bench();
	uint32_t sequence;

	(void)state;
	b->afe[0].broken_sensors = 1 << FW_SENSOR_MOS_1;
	b->afe[0].broken_wires = 1 << 2;
	b->afe[0].on_inputs = FW_INPUT_REMOTE_STOP;
	b->afe[0].off_inputs = FW_INPUT_KEY;
	pass(b, 0);
	assert_int_equal(b->m.temperatures_dC[FW_SENSOR_MOS_1], FW_UNKNOWN);
	assert_int_not_equal(b->m.temperatures_dC[FW_SENSOR_MOS_2], FW_UNKNOWN);
	assert_int_equal(b->m.cells_mv[2], FW_UNKNOWN);
	assert_true(b->m.inputs & FW_INPUT_REMOTE_STOP);
	assert_false(b->m.inputs & FW_INPUT_KEY);
	sequence = b->m.sequence;
	b->afe[0].frozen = true;
	pass(b, 0);
	assert_int_equal(b->m.sequence, sequence);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_measures_the_plant),
		cmocka_unit_test(without_a_word_everything_opens),
		cmocka_unit_test(a_short_circuit_is_cut_and_held),
		cmocka_unit_test(precharging_lifts_the_terminals),
		cmocka_unit_test(the_balancer_moves_charge),
		cmocka_unit_test(broken_sensors_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
