// SPDX-License-Identifier: Apache-2.0
/* Simulated inverters in virtual time: they obey what the real codec tells them, stop when told and
 * when nothing is told, send their heartbeats, and poll as their brand does. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "near.h"
#include "sim/inverter_can.h"
#include "sim/inverter_rs485.h"
#include "willing.h"

static struct wire *load(const char *id)
{
	struct wire *wire = wire_load(id, stderr);

	assert_non_null(wire);
	return wire;
}

/* All frames of a battery, as a gateway would send them once a second. */
static void send_all(struct inverter_can *can, const struct wire *wire, const struct battery *b,
		     int64_t now_ms)
{
	struct wire_context ctx;

	wire_context_init(wire, &ctx);
	for (int i = 0; i < wire_message_count(wire); i++) {
		struct wire_message_info info;
		struct can_message message;

		wire_get_message(wire, i, &info);
		if (!info.from_inverter && wire_encode_can(wire, i, &ctx, b, &message) == 1)
			inverter_can_heard(can, &message, now_ms);
	}
}

/* Lets time pass in steps of 100 ms; returns what it wants at the end. */
static double pass(struct sim_inverter *inverter, double wish_a, int64_t from_ms, int64_t to_ms)
{
	double current_a = inverter->current_a;

	for (int64_t now_ms = from_ms; now_ms < to_ms; now_ms += 100)
		current_a = sim_inverter_demand(inverter, wish_a, now_ms, 0.1).current_a;
	return current_a;
}

static void obeys_and_stops(const char *id)
{
	struct wire *wire = load(id);
	struct inverter_can can;
	struct battery yes = willing(100, 120), no = willing(0, 0);

	inverter_can_init(&can, wire);
	assert_near(pass(&can.inverter, 300, 0, 2000), 0, 0); /* never heard anything */
	send_all(&can, wire, &yes, 2000);
	assert_near(pass(&can.inverter, 300, 2000, 4000), 100, 0.1);
	send_all(&can, wire, &yes, 4000);
	assert_near(pass(&can.inverter, -300, 4000, 6000), -120, 0.1);
	send_all(&can, wire, &no, 6000);
	assert_near(pass(&can.inverter, -300, 6000, 6500), 0, 0);
	send_all(&can, wire, &yes, 7000);
	assert_near(pass(&can.inverter, 300, 7000, 9000), 100, 0.1);
	assert_near(pass(&can.inverter, 300, 9000, 10500), 0, 0); /* silence since 7000 */
	assert_near(sim_inverter_demand(&can.inverter, 1, 10500, 0.1).charge_voltage_v, 55.2, 0.1);
	wire_free(wire);
}

static void pylon_inverter_obeys_and_stops(void **state)
{
	(void)state;
	obeys_and_stops("can/pylon-lv-1.2");
}

static void victron_inverter_obeys_and_stops(void **state)
{
	(void)state;
	obeys_and_stops("can/victron-20170717");
}

struct sent {
	struct can_message messages[16];
	int count;
};

static void remember(void *context, const struct can_message *message)
{
	struct sent *sent = context;

	sent->messages[sent->count++] = *message;
}

static void heartbeats_come_every_second(void **state)
{
	static const uint8_t victron_id[] = {0x12, 0x34, 0x56, 0x78, 0x56, 0x49, 0x43, 0x00};
	struct wire *wire = load("can/victron-20170717");
	struct inverter_can can;
	struct sent sent = {0};
	bool identified = false;

	(void)state;
	inverter_can_init(&can, wire);
	assert_int_equal(inverter_can_tick(&can, 5000, 52, 0, remember, &sent), 6000);
	assert_true(sent.count >= 2);
	assert_int_equal(sent.messages[0].id, 0x305);
	assert_int_equal(sent.messages[0].length, 8);
	for (int i = 0; i < sent.count; i++)
		identified = identified || (sent.messages[i].id == 0x307 &&
					    memcmp(sent.messages[i].data, victron_id, 8) == 0);
	assert_true(identified);
	int before = sent.count;

	inverter_can_tick(&can, 5999, 52, 0, remember, &sent);
	assert_int_equal(sent.count, before);
	inverter_can_tick(&can, 6000, 52, 0, remember, &sent);
	assert_int_equal(sent.count, 2 * before);
	wire_free(wire);
}

/* One question and, if somebody is at that address, its answer from the real codec. */
static size_t exchange(struct inverter_rs485 *rs485, const struct wire *wire,
		       const struct battery *b, int64_t now_ms, uint8_t *request, size_t size)
{
	uint8_t answer[WIRE_MAX_FRAME];
	struct wire_context ctx;
	size_t count = inverter_rs485_tick(rs485, now_ms, request, size);
	int length;

	if (count == 0 || !b)
		return count;
	wire_context_init(wire, &ctx);
	length = wire_answer(wire, &ctx, b, request, count, answer, sizeof answer);
	if (length > 0)
		inverter_rs485_heard(rs485, answer, (size_t)length, now_ms + 50);
	return count;
}

static void axpert_searches_and_then_polls(void **state)
{
	static const char *const sweep[] = {"~0002464F", "~0052464F", "~0042464F", "~0032464F",
					    "~0022464F", "~0012464F", "~0002464F"};
	struct wire *wire = load("rs485/pylon-lv-3.3");
	struct inverter_rs485 *rs485 = calloc(1, sizeof *rs485);
	struct battery b = willing(80, 90);
	uint8_t request[256];

	(void)state;
	assert_non_null(rs485);
	inverter_rs485_init(rs485, "rs485/pylon-lv-3.3", wire);
	for (int i = 0; i < 7; i++) {
		size_t count = exchange(rs485, wire, NULL, i * 410, request, sizeof request);

		assert_true(count > 8);
		/* The version in the question is the codec's affair; the rest is the habit. */
		assert_memory_equal(request + 3, sweep[i] + 3, 6);
	}
	assert_false(rs485->found);
	for (int i = 7; i < 40; i++)
		exchange(rs485, wire, &b, i * 410, request, sizeof request);
	assert_true(rs485->found);
	assert_true(sim_inverter_is_fed(&rs485->inverter, 40 * 410));
	assert_near(pass(&rs485->inverter, 300, 40 * 410, 40 * 410 + 1500), 80, 0.1);
	assert_near(rs485->inverter.believed.battery.soc_mpct, 60000, 1000);
	for (int i = 45; i < 55; i++) /* the battery falls silent */
		exchange(rs485, wire, NULL, i * 410, request, sizeof request);
	assert_false(rs485->found);
	wire_free(wire);
	free(rs485);
}

static void every_rs485_brand_gets_its_limits(void **state)
{
	static const char *const ids[] = {"rs485/pylon-lv-3.3", "rs485/growatt-2.01",
					  "rs485/jk-modbus-1.0"};

	(void)state;
	for (size_t n = 0; n < sizeof ids / sizeof ids[0]; n++) {
		struct wire *wire = load(ids[n]);
		struct inverter_rs485 *rs485 = calloc(1, sizeof *rs485);
		struct battery b = willing(80, 90);
		uint8_t request[256];

		assert_non_null(rs485);
		inverter_rs485_init(rs485, ids[n], wire);
		for (int i = 0; i < 40; i++)
			exchange(rs485, wire, &b, i * 500, request, sizeof request);
		assert_int_equal(rs485->errors, 0);
		assert_near(pass(&rs485->inverter, 300, 20000, 20500), 80, 0.1);
		assert_near(pass(&rs485->inverter, -300, 20500, 21000), -90, 0.1);
		wire_free(wire);
		free(rs485);
	}
}

static void says_what_it_believes(void **state)
{
	struct wire *wire = load("can/pylon-lv-1.2");
	struct inverter_can can;
	struct battery b = willing(100, 0);
	char text[256];

	(void)state;
	inverter_can_init(&can, wire);
	sim_inverter_describe(&can.inverter, 0, text, sizeof text);
	assert_string_equal(text, "no battery heard yet");
	send_all(&can, wire, &b, 1000);
	sim_inverter_describe(&can.inverter, 1500, text, sizeof text);
	assert_string_equal(text,
			    "connected: battery 60.0 %, 52.8 V; may charge 100.0 A up to 55.2 V, "
			    "discharge 0.0 A (blocked); wants +0.0 A");
	sim_inverter_describe(&can.inverter, 4500, text, sizeof text);
	assert_non_null(strstr(text, "BATTERY LOST"));
	wire_free(wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pylon_inverter_obeys_and_stops),
		cmocka_unit_test(victron_inverter_obeys_and_stops),
		cmocka_unit_test(heartbeats_come_every_second),
		cmocka_unit_test(axpert_searches_and_then_polls),
		cmocka_unit_test(every_rs485_brand_gets_its_limits),
		cmocka_unit_test(says_what_it_believes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
