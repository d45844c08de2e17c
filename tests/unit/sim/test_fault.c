// SPDX-License-Identifier: Apache-2.0
/* Faults: the table, what acts when, and that each physical one is felt where it should be and
 * nowhere else. */
#include "sim/fault.h"

#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "onepack/err.h"
#include "sim/scenario.h"

static void assert_near(double a, double b, double room)
{
	if (!(a >= b - room && a <= b + room))
		fail_msg("%g is not within %g of %g", a, room, b);
}

struct rig {
	struct scenario scenario;
	struct plant plant;
	struct fault_effects effects;
	int64_t now_ms;
	double current_a;
};

static void rig_init(struct rig *rig)
{
	memset(rig, 0, sizeof *rig);
	scenario_default(&rig->scenario);
	rig->scenario.pack_count = 2;
	rig->scenario.swing_mC = 0;
	scenario_build(&rig->scenario, &rig->plant);
	fault_effects_at(NULL, 0, 0, &rig->effects);
	rig->current_a = 60;
}

static void add(struct rig *rig, enum fault_kind kind, int32_t pack, int32_t cell, int32_t milli)
{
	rig->scenario.faults[rig->scenario.fault_count++] = (struct fault){
		.kind = kind, .pack = pack, .cell = cell, .milli = milli, .end_ms = 100000};
}

static void run(struct rig *rig, int seconds)
{
	const struct plant_demand demand = {rig->current_a, 60, 40};

	for (int i = 0; i < seconds; i++) {
		scenario_drive(&rig->scenario, rig->now_ms, &rig->plant, NULL, &rig->effects);
		plant_step(&rig->plant, &demand, 1);
		rig->now_ms += 1000;
	}
}

static struct pack report(const struct rig *rig, int number)
{
	struct pack pack;

	bms_report(&rig->plant.packs[number - 1].bms, &pack);
	return pack;
}

static void every_kind_is_in_order(void **state)
{
	uint64_t kinds;

	(void)state;
	for (int i = 0; i < FAULT_KINDS; i++) {
		const struct fault_info *info = fault_info((enum fault_kind)i);

		assert_int_equal(fault_by_name(info->name), i);
		assert_true(info->low <= info->high);
		assert_true(info->shortest_s < info->longest_s);
		assert_true(info->meaning[0] != '\0');
	}
	assert_int_equal(fault_by_name("gremlins"), -1);
	assert_int_equal(fault_parse_kinds("trip,silent", &kinds), 0);
	assert_int_equal(kinds, UINT64_C(1) << FAULT_trip | UINT64_C(1) << FAULT_silent);
	assert_int_equal(fault_parse_kinds("all", &kinds), 0);
	assert_int_equal(kinds, FAULT_ALL_KINDS);
	assert_int_equal(fault_parse_kinds("none", &kinds), 0);
	assert_int_equal(kinds, 0);
	assert_int_equal(fault_parse_kinds("trip,,silent", &kinds), ERR_FORMAT);
	assert_int_equal(fault_parse_kinds("", &kinds), ERR_FORMAT);
}

static void faults_act_from_start_to_before_end(void **state)
{
	const struct fault fault = {FAULT_silent, 2, 0, 1000, 2000, 0};
	struct fault_effects effects;

	(void)state;
	fault_effects_at(&fault, 1, 999, &effects);
	assert_false(effects.packs[1].muted);
	fault_effects_at(&fault, 1, 1000, &effects);
	assert_true(effects.packs[1].muted);
	assert_false(effects.packs[0].muted);
	fault_effects_at(&fault, 1, 2000, &effects);
	assert_false(effects.packs[1].muted);
}

static void growing_faults_grow(void **state)
{
	const struct fault fault = {FAULT_cable_growing, 1, 0, 0, 100000, 40000};
	struct fault_effects effects;

	(void)state;
	fault_effects_at(&fault, 1, 25000, &effects);
	assert_near(effects.packs[0].cable_ohm, 0.010, 1e-9);
	fault_effects_at(&fault, 1, 75000, &effects);
	assert_near(effects.packs[0].cable_ohm, 0.030, 1e-9);
}

static void sensors_lie_as_they_are_told(void **state)
{
	struct rig rig, sound;
	struct pack lie, truth, other;

	(void)state;
	rig_init(&rig);
	rig_init(&sound);
	add(&rig, FAULT_current_wrong, 1, 0, -50000);
	add(&rig, FAULT_cell_wrong, 1, 3, 200);
	add(&rig, FAULT_heat_wrong, 1, 0, 20000);
	add(&rig, FAULT_soc_wrong, 1, 0, -30000);
	run(&rig, 5);
	run(&sound, 5);
	lie = report(&rig, 1);
	truth = report(&sound, 1);
	other = report(&rig, 2);
	assert_in_range(lie.current_ma, truth.current_ma / 2 - 300, truth.current_ma / 2 + 300);
	assert_int_equal(lie.cells_mv[2], truth.cells_mv[2] + 200);
	assert_int_equal(lie.cells_mv[3], truth.cells_mv[3]);
	assert_int_equal(lie.temperatures_mC[0], truth.temperatures_mC[0] + 20000);
	assert_int_equal(lie.soc_mpct, truth.soc_mpct - 30000);
	truth = report(&sound, 2);
	assert_int_equal(other.current_ma, truth.current_ma);
	assert_int_equal(other.cells_mv[2], truth.cells_mv[2]);
}

static void frozen_values_stand_still(void **state)
{
	struct rig rig;
	struct pack before, after;

	(void)state;
	rig_init(&rig);
	run(&rig, 5);
	before = report(&rig, 1);
	add(&rig, FAULT_current_frozen, 1, 0, 0);
	add(&rig, FAULT_cell_frozen, 1, 4, 0);
	rig.current_a = -80;
	run(&rig, 10);
	after = report(&rig, 1);
	assert_int_equal(after.current_ma, before.current_ma);
	assert_int_equal(after.cells_mv[3], before.cells_mv[3]);
	assert_true(after.cells_mv[4] < before.cells_mv[4] - 5);

	rig_init(&rig);
	run(&rig, 5);
	add(&rig, FAULT_report_frozen, 2, 0, 0);
	run(&rig, 1);
	before = report(&rig, 2);
	rig.current_a = -80;
	run(&rig, 10);
	after = report(&rig, 2);
	assert_memory_equal(&before, &after, sizeof before);
}

static void spikes_are_rare_and_senseless(void **state)
{
	struct rig rig;
	int senseless = 0;

	(void)state;
	rig_init(&rig);
	add(&rig, FAULT_report_spike, 1, 0, 10000);
	rig.scenario.faults[0].end_ms = 10000000;
	for (int i = 0; i < 2000; i++) {
		struct pack pack;

		run(&rig, 1);
		pack = report(&rig, 1);
		senseless += pack.soc_mpct == 0 || pack.current_ma < -600000 ||
			     pack.cells_mv[0] == 0 || pack.cells_mv[0] == 4200 ||
			     pack.temperatures_mC[0] == -40000;
	}
	assert_in_range(senseless, 140, 260);
}

static void packs_come_and_go(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	add(&rig, FAULT_trip, 1, 0, 0);
	run(&rig, 2);
	assert_near(rig.plant.packs[0].current_a, 0, 0.001);
	assert_near(rig.plant.packs[1].current_a, 60, 0.1);
	rig_init(&rig);
	add(&rig, FAULT_swap, 1, 0, 90000);
	run(&rig, 2);
	assert_true(rig.plant.packs[0].unplugged);
	assert_near(sim_pack_soc(&rig.plant.packs[0]), 0.9, 0.005);
	rig.now_ms = 100000;
	run(&rig, 1);
	assert_false(rig.plant.packs[0].unplugged);
	assert_true(rig.plant.packs[0].current_a < rig.plant.packs[1].current_a - 1);
}

static void a_limiting_pack_holds_its_current(void **state)
{
	struct rig rig;
	double before_j, moved_j;

	(void)state;
	rig_init(&rig);
	rig.current_a = 100;
	add(&rig, FAULT_limiting, 1, 0, 10000);
	run(&rig, 2);
	before_j = plant_stored_j(&rig.plant) + plant_heat_j(&rig.plant) - rig.plant.terminal_j;
	run(&rig, 60);
	assert_near(rig.plant.packs[0].current_a, 10, 0.01);
	assert_near(rig.plant.bus_a, 100, 0.01);
	assert_int_equal(report(&rig, 1).charge_mos, 0);
	moved_j = rig.plant.terminal_j;
	assert_near(plant_stored_j(&rig.plant) + plant_heat_j(&rig.plant) - rig.plant.terminal_j,
		    before_j, moved_j * 0.001);
	rig.current_a = -100;
	run(&rig, 2);
	assert_true(rig.plant.packs[0].current_a < -40);
}

static void leads_and_cells_go_bad(void **state)
{
	struct rig rig;
	double soc, before_c;

	(void)state;
	rig_init(&rig);
	add(&rig, FAULT_cable, 1, 0, 20000);
	run(&rig, 2);
	assert_true(rig.plant.packs[0].current_a < 0.6 * rig.plant.packs[1].current_a);
	rig_init(&rig);
	rig.current_a = 0;
	add(&rig, FAULT_cell_leak, 1, 5, 5000);
	run(&rig, 1);
	soc = rig.plant.packs[0].cells[4].soc;
	run(&rig, 90);
	assert_near(soc - rig.plant.packs[0].cells[4].soc, 90 * 5 / 3600.0 / 314, 5e-5);
	rig_init(&rig);
	add(&rig, FAULT_cell_resistance, 1, 2, 4000);
	run(&rig, 90);
	assert_true(report(&rig, 1).cells_mv[1] > report(&rig, 1).cells_mv[2] + 80);
	rig_init(&rig);
	add(&rig, FAULT_overheating, 1, 0, 600000);
	before_c = rig.plant.packs[0].cell_c;
	run(&rig, 90);
	assert_near(rig.plant.packs[0].cell_c - before_c, 0.54, 0.1);
}

static void answers_are_spoiled_in_every_way(void **state)
{
	static const struct {
		struct fault_answers answers;
		int times, count;
		bool same;
	} table[] = {
		{{0}, 1, 100, true},
		{{.lost_ppm = 1000000}, 0, 100, true},
		{{.doubled_ppm = 1000000}, 2, 100, true},
		{{.garbled_ppm = 1000000}, 1, 100, false},
	};
	struct sim_random random = {5};
	uint8_t sent[100];

	(void)state;
	memset(sent, 0x55, sizeof sent);
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		uint8_t bytes[100];
		size_t count = sizeof bytes;

		memcpy(bytes, sent, sizeof bytes);
		assert_int_equal(fault_spoil(&table[i].answers, &random, bytes, &count),
				 table[i].times);
		assert_int_equal(count, table[i].count);
		assert_int_equal(memcmp(bytes, sent, count) == 0, table[i].same);
	}
	for (int i = 0; i < 50; i++) {
		const struct fault_answers cut = {.truncated_ppm = 1000000};
		size_t count = sizeof sent;

		(void)fault_spoil(&cut, &random, sent, &count);
		assert_true(count < sizeof sent);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_in_order),
		cmocka_unit_test(faults_act_from_start_to_before_end),
		cmocka_unit_test(growing_faults_grow),
		cmocka_unit_test(sensors_lie_as_they_are_told),
		cmocka_unit_test(frozen_values_stand_still),
		cmocka_unit_test(spikes_are_rare_and_senseless),
		cmocka_unit_test(packs_come_and_go),
		cmocka_unit_test(a_limiting_pack_holds_its_current),
		cmocka_unit_test(leads_and_cells_go_bad),
		cmocka_unit_test(answers_are_spoiled_in_every_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
