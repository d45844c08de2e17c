// SPDX-License-Identifier: Apache-2.0
/* Packs that run the firmware on a simulated line, in virtual time: what they answer is the plant's
 * truth, what they protect happens in the plant, and what is done to them has the effect it has on
 * real ones. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "near.h"
#include "onepack/wire.h"
#include "sim/fw_bus.h"

#define MS    INT64_C(1000000)
#define PACKS 3

struct rig {
	struct wire *wire;
	struct plant plant;
	struct plant_demand demand;
	struct firmware_bus bus;
	int64_t now_ns, plant_ns;
	uint8_t heard[512];
	size_t heard_count;
};

static void hear(void *context, int talker, int64_t end_ns, const uint8_t *bytes, size_t count)
{
	struct rig *rig = context;

	firmware_bus_heard(&rig->bus, talker, end_ns, bytes, count);
	if (talker == JK_BUS_TTY || count > sizeof rig->heard - rig->heard_count)
		return;
	memcpy(rig->heard + rig->heard_count, bytes, count);
	rig->heard_count += count;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void run(struct rig *rig, int64_t ms)
{
	const int64_t end_ns = rig->now_ns + ms * MS;

	while (rig->now_ns < end_ns) {
		int64_t next_ns;

		if (rig->now_ns >= rig->plant_ns) {
			plant_step(&rig->plant, &rig->demand, 0.1);
			rig->plant_ns = rig->now_ns + 100 * MS;
		}
		line_run(&rig->bus.line, rig->now_ns, hear, rig);
		next_ns = firmware_bus_tick(&rig->bus, rig->now_ns);
		next_ns = earlier(next_ns, line_quiet_ns(&rig->bus.line));
		next_ns = earlier(next_ns, rig->plant_ns);
		assert_true(next_ns > rig->now_ns);
		rig->now_ns = earlier(next_ns, end_ns);
	}
}

static int set_up_at(void **state, double haste)
{
	struct rig *rig = calloc(1, sizeof *rig);

	if (!rig)
		return -1;
	*state = rig;
	rig->wire = wire_load("pack/onepack", stderr);
	rig->demand = (struct plant_demand){-30, 56, 45};
	plant_init(&rig->plant, &(struct plant_make){.pack_count = PACKS,
						     .cell_count = 16,
						     .capacity_ah = 100,
						     .soc = 0.6,
						     .ambient_c = 20,
						     .haste = haste,
						     .seed = 7});
	firmware_bus_init(&rig->bus, &rig->plant, 115200, 5);
	for (int i = 0; i < PACKS; i++) {
		const struct sim_firmware_make make = {.number = i + 1,
						       .switches = (uint8_t)(i + 1),
						       .baud = 115200,
						       .seed = (uint64_t)i};

		if (firmware_bus_add(&rig->bus, &rig->plant.packs[i], &make) < 0)
			return -1;
	}
	run(rig, 5000); /* they start, and close their switches */
	return rig->wire ? 0 : -1;
}

static int set_up(void **state)
{
	return set_up_at(state, 1);
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	firmware_bus_close(&rig->bus);
	wire_free(rig->wire);
	free(rig);
	return 0;
}

/* Asks for the first message; the bytes of the answer, 0 = silence, negative = no good one. */
static int ask(struct rig *rig, int address, struct wire_values *values)
{
	struct wire_context ctx;
	uint8_t request[64];
	int length;

	wire_context_init(rig->wire, &ctx);
	wire_values_clear(values);
	length = wire_request(rig->wire, 0, &ctx, address, request, sizeof request);
	assert_true(length > 0);
	rig->heard_count = 0;
	assert_int_equal(
		line_send(&rig->bus.line, JK_BUS_TTY, rig->now_ns, request, (size_t)length), 0);
	run(rig, 60);
	if (rig->heard_count == 0)
		return 0;
	return wire_response(rig->wire, 0, &ctx, address, rig->heard, rig->heard_count, values);
}

static struct sim_firmware *firmware(struct rig *rig, int pack)
{
	return &rig->bus.stations[pack - 1].firmware;
}

static void answers_are_the_truth(void **state)
{
	struct rig *rig = *state;
	struct wire_values v;

	for (int n = 1; n <= PACKS; n++) {
		const struct sim_pack *pack = &rig->plant.packs[n - 1];

		assert_true(ask(rig, n, &v) > 0);
		assert_near(v.pack.voltage_mv, 1000 * pack->voltage_v, 20);
		assert_near(v.pack.current_ma, 1000 * pack->current_a, 150);
		assert_true(v.pack.current_ma < -5000);
		assert_near(v.pack.soc_mpct, 60000, 1500);
		assert_int_equal(v.pack.capacity_mah, 100000);
		assert_int_equal(v.pack.charge_mos, 1);
		for (int i = 0; i < 16; i++)
			assert_near(v.pack.cells_mv[i], 1000 * pack->cells_v[i], 2);
		assert_near(v.pack.temperatures_mC[0], 1000 * pack->cell_c, 200);
	}
	assert_int_equal(ask(rig, PACKS + 1, &v), 0);
}

/* The firmware's default for a cell is 3.60 V after a second. */
static void a_protection_opens_the_switch_and_shows(void **state)
{
	struct rig *rig = *state;
	struct sim_pack *pack = &rig->plant.packs[1];
	struct wire_values v;

	rig->demand.current_a = 30; /* while discharging it would be set aside */
	run(rig, 1000);
	pack->cells[3].shift_v = 0.45;
	pack->cells[5].shift_v = -0.45; /* so that the pack keeps its share */
	run(rig, 700);
	assert_true(pack->bms.charge_mos);
	run(rig, 1500);
	assert_false(pack->bms.charge_mos);
	assert_true(pack->bms.discharge_mos);
	assert_true(pack->bms.protections & ALARM_BIT(ALARM_cell_overvoltage));
	assert_true(ask(rig, 2, &v) > 0);
	assert_int_equal(v.pack.charge_mos, 0);
	assert_true(v.pack.protections & ALARM_BIT(ALARM_cell_overvoltage));
	assert_int_equal(v.pack.charge_current_limit_ma, 0);
	pack->cells[3].shift_v = pack->cells[5].shift_v = 0;
	run(rig, 5000);
	assert_int_equal(pack->bms.protections, 0);
	assert_true(pack->bms.charge_mos);
	assert_true(pack->bms.ever_protections & ALARM_BIT(ALARM_cell_overvoltage));
}

static void a_short_circuit_is_cut(void **state)
{
	struct rig *rig = *state;
	struct sim_pack *pack = &rig->plant.packs[0];

	firmware(rig, 1)->afe.shorted = true;
	run(rig, 500);
	assert_false(pack->bms.discharge_mos || pack->bms.charge_mos);
	assert_true(pack->bms.protections & ALARM_BIT(ALARM_short_circuit));
	assert_near(pack->current_a, 0, 0.01);
}

static void a_power_cut_opens_all_and_loses_no_charge(void **state)
{
	struct rig *rig = *state;
	struct sim_pack *pack = &rig->plant.packs[2];
	const double counted_ah = pack->bms.counted_ah;
	struct wire_values v;

	sim_firmware_cut(firmware(rig, 3), rig->now_ns, rig->now_ns + 2000 * MS);
	run(rig, 1500);
	assert_false(pack->bms.discharge_mos || pack->bms.charge_mos || pack->bms.powered);
	assert_int_equal(ask(rig, 3, &v), 0);
	run(rig, 3000);
	assert_int_equal(firmware(rig, 3)->starts, 2);
	assert_true(pack->bms.discharge_mos && pack->bms.charge_mos && pack->bms.powered);
	assert_true(ask(rig, 3, &v) > 0);
	assert_near(v.pack.remaining_mah, 1000 * counted_ah, 300);
}

static void a_pulled_or_muted_pack_is_silent(void **state)
{
	struct rig *rig = *state;
	struct wire_values v;

	rig->plant.packs[0].unplugged = true;
	rig->plant.packs[1].muted = true;
	run(rig, 1000);
	assert_int_equal(ask(rig, 1, &v), 0);
	assert_int_equal(ask(rig, 2, &v), 0);
	assert_true(rig->plant.packs[0].current_a == 0);
	assert_true(rig->plant.packs[1].current_a < -10);
	rig->plant.packs[0].unplugged = rig->plant.packs[1].muted = false;
	run(rig, 1000);
	assert_true(ask(rig, 1, &v) > 0);
	assert_true(ask(rig, 2, &v) > 0);
}

/* One hears the other's answer, lets go of the address and waits at 247. */
static void equal_switches_are_noticed(void **state)
{
	struct rig *rig = *state;
	struct wire_values v;
	int waiting = 0;

	sim_firmware_set_switches(firmware(rig, 2), 1);
	for (int i = 0; i < 40 && waiting == 0; i++) {
		(void)ask(rig, 1, &v);
		waiting = (sim_firmware_address(firmware(rig, 1)) == 247) +
			  (sim_firmware_address(firmware(rig, 2)) == 247);
	}
	assert_true(waiting > 0);
	sim_firmware_set_switches(firmware(rig, 1), 1);
	sim_firmware_set_switches(firmware(rig, 2), 2);
	assert_true(ask(rig, 1, &v) > 0);
	assert_true(ask(rig, 2, &v) > 0);
}

static void sensor_faults_reach_the_firmware(void **state)
{
	struct rig *rig = *state;
	struct bms *bms = &rig->plant.packs[0].bms;
	struct wire_values v;

	bms_set_faults(bms, &(struct bms_faults){
				    .current_a = 5, .cells_v = -0.1, .cell = 2, .heat_k = 10});
	run(rig, 500);
	assert_true(ask(rig, 1, &v) > 0);
	assert_near(v.pack.current_ma, 1000 * (rig->plant.packs[0].current_a + 5), 150);
	assert_near(v.pack.cells_mv[1], 1000 * (rig->plant.packs[0].cells_v[1] - 0.1), 2);
	assert_near(v.pack.cells_mv[2], 1000 * rig->plant.packs[0].cells_v[2], 2);
	assert_near(v.pack.temperatures_mC[0], 1000 * (rig->plant.packs[0].cell_c + 10), 300);
	bms_set_faults(bms, &(struct bms_faults){.keep_charge_open = true});
	run(rig, 500);
	assert_false(bms->charge_mos);
}

static void a_new_charge_is_told(void **state)
{
	struct rig *rig = *state;
	struct bms *bms = &rig->plant.packs[1].bms;
	struct wire_values v;

	bms->counted_ah = 0.25 * bms->full_ah;
	run(rig, 300);
	assert_true(ask(rig, 2, &v) > 0);
	assert_near(v.pack.soc_mpct, 25000, 200);
}

static void late_answers_are_late(void **state)
{
	struct rig *rig = *state;
	struct wire_values v;

	rig->bus.stations[0].late_ms = 100;
	assert_int_equal(ask(rig, 1, &v), 0);
	run(rig, 100);
	assert_true(rig->heard_count > 100);
}

static int set_up_hasty(void **state)
{
	return set_up_at(state, 60);
}

/* 10 A out of each of 100 Ah for a minute that counts as an hour. */
static void the_count_keeps_up_with_haste(void **state)
{
	struct rig *rig = *state;
	const struct sim_pack *pack = &rig->plant.packs[0];
	const double before = sim_pack_soc(pack);

	run(rig, 60000);
	assert_near(before - sim_pack_soc(pack), 0.10, 0.02);
	assert_near(pack->bms.counted_ah / pack->bms.full_ah, sim_pack_soc(pack), 0.01);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers_are_the_truth, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_protection_opens_the_switch_and_shows, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_short_circuit_is_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_power_cut_opens_all_and_loses_no_charge, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_pulled_or_muted_pack_is_silent, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(equal_switches_are_noticed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sensor_faults_reach_the_firmware, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_new_charge_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(late_answers_are_late, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_count_keeps_up_with_haste, set_up_hasty,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
