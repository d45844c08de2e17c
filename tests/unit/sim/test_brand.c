// SPDX-License-Identifier: Apache-2.0
/* A simulated inverter of every protocol there is, in virtual time, with the real codec as the
 * battery: it obeys, it stops when nothing comes, and it complains as its brand does. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "near.h"
#include "sim/inverter_can.h"
#include "sim/inverter_rs485.h"
#include "willing.h"

#define STEP_MS 50

/* One inverter and its battery. */
struct pair {
	struct wire *wire;
	struct wire_info info;
	struct wire_context ctx;
	struct battery battery;
	bool battery_talks;
	uint32_t withheld; /* a CAN id that is not sent */
	union {
		struct inverter_can can;
		struct inverter_rs485 rs485;
	} of;
	int64_t now_ms, next_set_ms;
	int sent; /* frames of the inverter, and when the last but one and the last went */
	int64_t sent_ms[2];
	char said[2000]; /* complaints */
};

static struct sim_inverter *core(struct pair *pair)
{
	return pair->info.framing == WIRE_CAN ? &pair->of.can.inverter : &pair->of.rs485.inverter;
}

static struct pair *pair_open(const char *id)
{
	struct pair *pair = calloc(1, sizeof *pair);

	assert_non_null(pair);
	pair->wire = wire_load(id, stderr);
	assert_non_null(pair->wire);
	wire_get_info(pair->wire, &pair->info);
	wire_context_init(pair->wire, &pair->ctx);
	pair->battery = willing(80, 90);
	pair->battery_talks = true;
	if (pair->info.framing == WIRE_CAN)
		inverter_can_init(&pair->of.can, pair->wire);
	else
		inverter_rs485_init(&pair->of.rs485, id, pair->wire);
	return pair;
}

static void pair_close(struct pair *pair)
{
	wire_free(pair->wire);
	free(pair);
}

static void note_sent(void *context, const struct can_message *message)
{
	struct pair *pair = context;

	(void)message;
	pair->sent++;
	pair->sent_ms[0] = pair->sent_ms[1];
	pair->sent_ms[1] = pair->now_ms;
}

static void send_set(struct pair *pair)
{
	for (int i = 0; i < wire_message_count(pair->wire); i++) {
		struct can_message message;

		if (wire_encode_can(pair->wire, i, &pair->ctx, &pair->battery, &message) == 1 &&
		    message.id != pair->withheld)
			inverter_can_heard(&pair->of.can, &message, pair->now_ms);
	}
}

static void answer(struct pair *pair)
{
	uint8_t request[WIRE_MAX_FRAME], bytes[WIRE_MAX_FRAME];
	size_t count = inverter_rs485_tick(&pair->of.rs485, pair->now_ms, request, sizeof request);
	int length;

	if (count == 0 || !pair->battery_talks)
		return;
	length = wire_answer(pair->wire, &pair->ctx, &pair->battery, request, count, bytes,
			     sizeof bytes);
	if (length > 0)
		inverter_rs485_heard(&pair->of.rs485, bytes, (size_t)length, pair->now_ms);
}

/* Lets time pass; what the inverter wants at the end. */
static double pass(struct pair *pair, double wish_a, int seconds)
{
	const int64_t end_ms = pair->now_ms + (int64_t)seconds * 1000;
	double current_a = 0;

	for (; pair->now_ms < end_ms; pair->now_ms += STEP_MS) {
		if (pair->info.framing != WIRE_CAN)
			answer(pair);
		else if (pair->battery_talks && pair->now_ms >= pair->next_set_ms)
			send_set(pair), pair->next_set_ms = pair->now_ms + 1000;
		if (pair->info.framing == WIRE_CAN)
			inverter_can_tick(&pair->of.can, pair->now_ms, 52.8, 0, note_sent, pair);
		current_a = sim_inverter_demand(core(pair), wish_a, pair->now_ms, STEP_MS / 1000.0)
				    .current_a;
	}
	return current_a;
}

static void collect(void *context, const char *text)
{
	struct pair *pair = context;

	strncat(pair->said, text, sizeof pair->said - strlen(pair->said) - 2);
	strcat(pair->said, "\n");
}

static int complaints(struct pair *pair)
{
	pair->said[0] = '\0';
	return sim_inverter_complain(core(pair), pair->now_ms, collect, pair);
}

static void assert_complains(struct pair *pair, const char *text)
{
	complaints(pair);
	if (!strstr(pair->said, text))
		fail_msg("%s: '%s' is missing in:\n%s", pair->info.id, text, pair->said);
}

/* Of limits that the protocol cannot say, the machine's own. */
static double allowed(double limit_a, int32_t own_ma)
{
	return own_ma ? own_ma / 1000.0 : limit_a;
}

static void one_brand(const char *id)
{
	struct pair *pair = pair_open(id);
	const struct brand *brand = core(pair)->brand;
	const int lost_s = (int)(core(pair)->lost_ms / 1000) + 2;

	assert_string_equal(brand->id ? brand->id : id, id);
	complaints(pair); /* from now on it waits */
	assert_near(pass(pair, 300, 12), allowed(80, brand->own_charge_ma), 1);
	if (complaints(pair))
		fail_msg("%s complains of a good battery: %s", id, pair->said);
	assert_near(pass(pair, -300, 3), -allowed(90, brand->own_discharge_ma), 1);
	pair->battery = willing(0, 0);
	pass(pair, 300, 8);
	assert_near(pass(pair, 300, 2), 0, 0.15); /* Sofar is told 0.1 A */
	assert_near(pass(pair, -300, 2), 0, 0.15);
	pair->battery = willing(80, 90);
	pass(pair, 300, 8);
	pair->battery_talks = false;
	assert_near(pass(pair, 300, lost_s + 2), 0, 0);
	assert_complains(pair, brand->lost);
	pair->battery_talks = true;
	assert_near(pass(pair, 300, 15), allowed(80, brand->own_charge_ma), 1);
	pair_close(pair);
}

static void every_brand_obeys_and_complains(void **state)
{
	char **ids;
	const int count = wire_list_ids(&ids);

	(void)state;
	assert_true(count > 20);
	for (int i = 0; i < count; i++)
		if (strncmp(ids[i], "pack/", 5) != 0)
			one_brand(ids[i]);
	wire_free_ids(ids, count);
}

static void a_missing_frame_is_named(void **state)
{
	struct pair *pair = pair_open("can/victron-20170717");

	(void)state;
	complaints(pair);
	pair->withheld = 0x35A;
	assert_near(pass(pair, 300, 5), 80, 1);
	assert_complains(pair, "Victron GX: #67 BMS connection lost: 0x35A is missing\n");
	assert_int_equal(complaints(pair), 1);
	pair_close(pair);
}

static void a_sunny_island_waits_a_minute(void **state)
{
	struct pair *pair = pair_open("can/sma-sunny-island");

	(void)state;
	complaints(pair);
	pass(pair, 300, 5);
	pair->battery_talks = false;
	assert_near(pass(pair, 300, 50), 80, 1);
	assert_int_equal(complaints(pair), 0);
	assert_near(pass(pair, 300, 15), 0, 0);
	assert_complains(pair, "Sunny Island: F952 ExtBMSTimeout, W952: 0x355 is missing\n");
	pair_close(pair);
}

static void hear(struct pair *pair, uint32_t id, const uint8_t *data, uint8_t length)
{
	struct can_message message = {.id = id, .length = length};

	memcpy(message.data, data, length);
	inverter_can_heard(&pair->of.can, &message, pair->now_ms);
}

/* As a Deye was seen to: limits with a charge voltage of nothing change nothing. */
static void nonsense_keeps_the_old_limits(void **state)
{
	static const uint8_t limits[] = {0x01, 0x00, 0x0A, 0x00, 0x0A, 0x00, 0xC0, 0x01};
	struct pair *pair = pair_open("can/deye-lv-1.0");

	(void)state;
	complaints(pair);
	pass(pair, 300, 3);
	hear(pair, 0x351, limits, sizeof limits);
	assert_complains(pair, "Deye: W31 Battery_comm_warn: a charge voltage of 0.1 V");
	assert_int_equal(core(pair)->believed.battery.charge_current_limit_ma, 80000);
	pass(pair, 300, 4);
	assert_int_equal(complaints(pair), 0); /* good frames came again */
	pair_close(pair);
}

static void a_voltage_of_the_wrong_scale_is_doubted(void **state)
{
	static const uint8_t seen[] = {0x10, 0x02, 0, 0, 0xFA, 0, 0, 0}; /* 528 = 5.28 V */
	struct pair *pair = pair_open("can/deye-lv-1.0");

	(void)state;
	complaints(pair);
	pass(pair, 0, 2);
	hear(pair, 0x356, seen, sizeof seen);
	assert_complains(pair, "W31 Battery_comm_warn: a battery of 5.3 V");
	assert_int_equal(core(pair)->believed.battery.voltage_mv, 52800);
	pair_close(pair);
}

static void a_sofar_ignores_zero(void **state)
{
	static const uint8_t zero[] = {0x28, 0x02, 0, 0, 0, 0, 0xC0, 0x01};
	struct pair *pair = pair_open("can/sofar-lv");

	(void)state;
	complaints(pair);
	pass(pair, 300, 3);
	hear(pair, 0x351, zero, sizeof zero);
	assert_complains(pair, "Sofar: BMS data not plausible: limits that are all zero");
	assert_int_equal(core(pair)->believed.battery.charge_current_limit_ma, 80000);
	pair_close(pair);
}

static void a_sol_ark_wants_eight_bytes(void **state)
{
	static const uint8_t soc[] = {0x32, 0, 0x64, 0};
	struct pair *pair = pair_open("can/sol-ark-1.3");

	(void)state;
	complaints(pair);
	pass(pair, 0, 2);
	hear(pair, 0x355, soc, sizeof soc);
	assert_complains(pair, "frames of less than 8 bytes do not count");
	assert_int_equal(core(pair)->believed.battery.soc_mpct, 60000);
	pair_close(pair);
}

static void heartbeats_come_as_the_brand_sends_them(void **state)
{
	struct pair *deye = pair_open("can/deye-lv-1.0"),
		    *growatt = pair_open("can/growatt-lv-rev05"), *jk = pair_open("can/jk-2.0");

	(void)state;
	pass(growatt, 0, 5);
	assert_in_range(growatt->sent_ms[1] - growatt->sent_ms[0], 500, 560);
	pass(jk, 0, 5);
	assert_int_equal(jk->sent, 0);
	pass(deye, 0, 5);
	assert_int_equal(deye->sent, 5); /* one for each 0x356 */
	deye->battery_talks = false;
	pass(deye, 0, 5);
	assert_int_equal(deye->sent, 5);
	pair_close(deye);
	pair_close(growatt);
	pair_close(jk);
}

static void an_axpert_shows_its_warnings(void **state)
{
	struct pair *pair = pair_open("rs485/voltronic-20200325");

	(void)state;
	complaints(pair);
	pair->battery = willing(0, 90);
	pair->battery.force_charge = FORCE_URGENT;
	pass(pair, 0, 12);
	assert_complains(pair, "Axpert: warning 69, charge not allowed\n");
	assert_complains(pair, "Axpert: warning 70, must charge\n");
	assert_null(strstr(pair->said, "warning 71"));
	pair_close(pair);
}

static void a_wrong_answer_is_told(void **state)
{
	struct pair *pair = pair_open("rs485/pylon-lv-3.3");
	uint8_t request[200];

	(void)state;
	complaints(pair);
	pass(pair, 0, 12);
	while (inverter_rs485_tick(&pair->of.rs485, pair->now_ms, request, sizeof request) == 0)
		pair->now_ms += STEP_MS;
	inverter_rs485_heard(&pair->of.rs485, (const uint8_t *)"~200246000000FDB3\r", 18,
			     pair->now_ms);
	assert_complains(pair, "BMS data not plausible: an answer is wrong (checksum)");
	pair_close(pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_brand_obeys_and_complains),
		cmocka_unit_test(a_missing_frame_is_named),
		cmocka_unit_test(a_sunny_island_waits_a_minute),
		cmocka_unit_test(nonsense_keeps_the_old_limits),
		cmocka_unit_test(a_voltage_of_the_wrong_scale_is_doubted),
		cmocka_unit_test(a_sofar_ignores_zero),
		cmocka_unit_test(a_sol_ark_wants_eight_bytes),
		cmocka_unit_test(heartbeats_come_as_the_brand_sends_them),
		cmocka_unit_test(an_axpert_shows_its_warnings),
		cmocka_unit_test(a_wrong_answer_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
