// SPDX-License-Identifier: Apache-2.0
/* Simulated JK packs in virtual time: what they answer is understood by the codec's master side, it
 * has the right length and timing, and every fault does what it says. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "near.h"
#include "onepack/err.h"
#include "sim/jk_bus.h"
#include "sim/plant.h"

#define MS    INT64_C(1000000)
#define PACKS 3

struct rig {
	struct wire *wire;
	struct plant plant;
	struct jk_bus bus;
	uint8_t heard[8192];
	size_t count;
	int64_t first_ns, last_ns, now_ns;
};

static struct rig *new_rig(void)
{
	struct rig *rig = calloc(1, sizeof *rig);

	assert_non_null(rig);
	rig->wire = wire_load("pack/jk-pb", stderr);
	assert_non_null(rig->wire);
	plant_init(&rig->plant, &(struct plant_make){.pack_count = PACKS,
						     .cell_count = 16,
						     .capacity_ah = 314,
						     .soc = 0.5,
						     .ambient_c = 22,
						     .seed = 3});
	jk_bus_init(&rig->bus, rig->wire, 115200, 5);
	for (int i = 0; i < PACKS; i++)
		jk_bus_add(&rig->bus, &rig->plant.packs[i], i + 1);
	return rig;
}

static void free_rig(struct rig *rig)
{
	wire_free(rig->wire);
	free(rig);
}

static void heard(void *context, int talker, int64_t end_ns, const uint8_t *bytes, size_t count)
{
	struct rig *rig = context;

	if (line_hears(&rig->bus.line, JK_BUS_TTY, talker)) {
		if (rig->count == 0)
			rig->first_ns = end_ns - (int64_t)count * rig->bus.line.byte_ns;
		memcpy(rig->heard + rig->count, bytes, count);
		rig->count += count;
		rig->last_ns = end_ns;
	}
	jk_bus_heard(&rig->bus, talker, end_ns, bytes, count);
}

static int message(const struct rig *rig, const char *name)
{
	for (int i = 0; i < wire_message_count(rig->wire); i++) {
		struct wire_message_info info;

		wire_get_message(rig->wire, i, &info);
		if (strcmp(info.name, name) == 0)
			return i;
	}
	fail_msg("there is no message %s", name);
	return -1;
}

/* Asks, lets 500 ms pass, and reads the answer as a gateway would. */
static int ask(struct rig *rig, const char *name, int address, struct wire_values *values)
{
	struct wire_context ctx;
	uint8_t request[64];
	int index = message(rig, name), length;

	wire_context_init(rig->wire, &ctx);
	length = wire_request(rig->wire, index, &ctx, address, request, sizeof request);
	assert_true(length > 0);
	rig->count = 0;
	line_send(&rig->bus.line, JK_BUS_TTY, rig->now_ns, request, (size_t)length);
	for (int i = 0; i < 500; i++) {
		rig->now_ns += MS;
		jk_bus_tick(&rig->bus, rig->now_ns);
		line_run(&rig->bus.line, rig->now_ns, heard, rig);
	}
	wire_values_clear(values);
	return wire_response(rig->wire, index, &ctx, address, rig->heard, rig->count, values);
}

static void answer_is_understood(void **state)
{
	struct rig *rig = new_rig();
	struct wire_values v;
	const struct bms *bms = &rig->plant.packs[1].bms;

	(void)state;
	assert_int_equal(ask(rig, "live", 2, &v), 308);
	assert_int_equal(rig->count, 308);
	assert_true(v.said_pack);
	assert_near(v.pack.voltage_mv / 1000.0, bms->voltage_v, 0.001);
	assert_near(v.pack.soc_mpct / 1000.0, 100 * bms->counted_ah / bms->full_ah, 1);
	assert_int_equal(v.pack.cell_count, 16);
	for (int i = 0; i < 16; i++)
		assert_near(v.pack.cells_mv[i] / 1000.0, bms->cells_v[i], 0.0006);
	assert_int_equal(v.pack.charge_mos, 1);
	assert_int_equal(v.pack.capacity_mah, 314000);
	free_rig(rig);
}

static void answer_keeps_its_time(void **state)
{
	struct rig *rig = new_rig();
	struct wire_values v;
	int64_t asked_ns = rig->now_ns, byte_ns = rig->bus.line.byte_ns;

	(void)state;
	ask(rig, "live", 1, &v);
	assert_in_range(rig->first_ns - asked_ns - 11 * byte_ns, 8 * MS, 12 * MS);
	assert_int_equal(rig->last_ns - rig->first_ns, 308 * byte_ns);
	free_rig(rig);
}

static void settings_and_identity_are_told(void **state)
{
	struct rig *rig = new_rig();
	struct wire_values v;

	(void)state;
	assert_int_equal(ask(rig, "settings", 3, &v), 308);
	assert_int_equal(v.pack.settings.cell_overvoltage_mv, 3650);
	assert_int_equal(v.pack.settings.charge_overcurrent_ma, 40000);
	assert_int_equal(v.pack.settings.device_address, 3);
	assert_int_equal(ask(rig, "about", 3, &v), 308);
	assert_string_equal(v.pack.serial, "40119490003");
	free_rig(rig);
}

static void nobody_at_that_address(void **state)
{
	struct rig *rig = new_rig();
	struct wire_values v;

	(void)state;
	ask(rig, "live", 9, &v);
	assert_int_equal(rig->count, 0);
	rig->plant.packs[0].muted = true;
	rig->plant.packs[1].unplugged = true;
	rig->plant.packs[2].bms.powered = false;
	for (int address = 1; address <= PACKS; address++) {
		ask(rig, "live", address, &v);
		assert_int_equal(rig->count, 0);
	}
	free_rig(rig);
}

static void long_form_and_echo_are_understood(void **state)
{
	struct rig *rig = new_rig();
	struct wire_values v;

	(void)state;
	rig->bus.long_form = true;
	assert_true(ask(rig, "live", 1, &v) > 0);
	assert_int_equal(rig->count, 310);
	rig->bus.line.echo = true;
	assert_true(ask(rig, "live", 1, &v) > 0);
	assert_int_equal(rig->count, 321);
	free_rig(rig);
}

static void late_answer_is_late(void **state)
{
	struct rig *rig = new_rig();
	struct wire_values v;
	int64_t asked_ns = rig->now_ns;

	(void)state;
	rig->bus.stations[0].late_ms = 300;
	assert_true(ask(rig, "live", 1, &v) > 0);
	assert_true(rig->first_ns - asked_ns > 300 * MS);
	free_rig(rig);
}

static void two_at_one_address_garble(void **state)
{
	struct rig *rig = new_rig();
	struct wire_values v;

	(void)state;
	rig->bus.stations[1].address = 1;
	assert_true(ask(rig, "live", 1, &v) < 0);
	assert_true(rig->bus.line.garbled > 100);
	free_rig(rig);
}

static void another_master_is_heard(void **state)
{
	struct rig *rig = new_rig();
	struct wire_values v;

	(void)state;
	rig->bus.foreign_master = true;
	ask(rig, "live", 9, &v); /* nobody answers us, but there is traffic */
	assert_true(rig->count > 11);
	assert_true(rig->bus.requests >= 2);
	free_rig(rig);
}

/* Packs 2 and 3 answer a third pack at address 0, which then tells about itself. */
static void pack_at_address_0_is_the_master(void **state)
{
	struct rig *rig = new_rig();
	struct wire_listener listener = {0};
	struct wire_context ctx;
	struct wire_values v;
	size_t at = 0;
	int records[3] = {0}, packs_seen = 0;

	(void)state;
	rig->bus.stations[0].address = 0;
	wire_context_init(rig->wire, &ctx);
	for (; rig->now_ns < 4200 * MS; rig->now_ns += MS) {
		jk_bus_tick(&rig->bus, rig->now_ns);
		line_run(&rig->bus.line, rig->now_ns, heard, rig);
	}
	assert_int_equal(rig->bus.answers, 4); /* live and settings of two packs */
	while (at < rig->count) {              /* as a listener cuts it */
		size_t start = 0;
		int length = wire_scan(rig->wire, WIRE_FROM_SLAVE, rig->heard + at, rig->count - at,
				       &start);

		if (length <= 0)
			break;
		wire_values_clear(&v);
		if (wire_decode_serial(rig->wire, &ctx, &listener, rig->heard + at + start,
				       (size_t)length, &v) == 0 &&
		    v.said_pack) {
			packs_seen++;
			if (v.pack.address >= 0 && v.pack.address < 3)
				records[v.pack.address]++;
		}
		at += start + (size_t)length;
	}
	assert_true(packs_seen >= 4);
	assert_int_equal(records[0], 2);
	ask(rig, "live", 1, &v); /* nobody is at 1 */
	free_rig(rig);
}

static void torn_request_is_forgotten(void **state)
{
	struct rig *rig = new_rig();
	struct wire_values v;

	(void)state;
	line_send(&rig->bus.line, JK_BUS_TTY, rig->now_ns, (const uint8_t *)"\x01\x10\x16\x20\x00",
		  5);
	rig->now_ns += 20 * MS;
	line_run(&rig->bus.line, rig->now_ns, heard, rig);
	assert_int_equal(ask(rig, "live", 1, &v), 308);
	free_rig(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answer_is_understood),
		cmocka_unit_test(answer_keeps_its_time),
		cmocka_unit_test(settings_and_identity_are_told),
		cmocka_unit_test(nobody_at_that_address),
		cmocka_unit_test(long_form_and_echo_are_understood),
		cmocka_unit_test(late_answer_is_late),
		cmocka_unit_test(two_at_one_address_garble),
		cmocka_unit_test(another_master_is_heard),
		cmocka_unit_test(pack_at_address_0_is_the_master),
		cmocka_unit_test(torn_request_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
