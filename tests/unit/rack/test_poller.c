// SPDX-License-Identifier: Apache-2.0
/* The master of a line in virtual time, against packs that answer in every way that a line allows:
 * what is reported, what becomes a sample, and that no answer is ever taken for another's. */
#include "rack/poller.h"

#include <errno.h>
#include <string.h>

#include "../cmocka_all.h"
#include "sim/bms.h"

#define MS       INT64_C(1000)
#define SECOND   (1000 * MS)
#define BYTE_US  INT64_C(87)
#define REACT_US (10 * MS)
#define FIRST_MV 50000 /* pack n has so much and n volts */

enum trick {
	GOOD,
	SILENT,
	LATE,       /* after the time-out */
	GARBLED,    /* a flipped bit */
	DOUBLED,    /* twice in a row */
	FOREIGN,    /* the answer of pack 2, signed by it */
	TRUNCATED,  /* half of it */
	BY_BYTES,   /* one by one */
	ECHOED,     /* the adapter hears the question, too */
	NOISE_FIRST /* some senseless bytes before it */
};

/* The world of one poller. */
static struct line {
	struct wire *wire;
	struct poller poller;
	struct bms bms;
	int64_t now_us;
	enum trick tricks[SCHEDULE_ADDRESSES];
	uint8_t coming[4 * WIRE_MAX_FRAME]; /* bytes on their way, all heard at coming_us */
	size_t coming_count;
	int64_t coming_us;
	int results[SCHEDULE_ADDRESSES]; /* last one reported */
	int samples[SCHEDULE_ADDRESSES];
	int32_t voltage_mv[SCHEDULE_ADDRESSES];
	int foreign, wrong_samples;
} line;

/* --- what is reported --- */

static void on_sample(void *context, int bus, int address, const struct pack *pack)
{
	(void)context;
	(void)bus;
	line.samples[address]++;
	line.voltage_mv[address] = pack->voltage_mv;
	line.wrong_samples += pack->voltage_mv != FIRST_MV + 1000 * address ||
			      pack->settings.cell_overvoltage_mv != 3650 ||
			      pack->settings.device_address != address;
}

static void on_answer(void *context, int bus, int address, int result, bool expected)
{
	(void)context;
	(void)bus;
	(void)expected;
	line.results[address] = result > 0 ? 1 : result;
}

static void on_foreign(void *context, int bus, int questions, bool jk_master)
{
	(void)context;
	(void)bus;
	(void)jk_master;
	line.foreign += questions;
}

static void on_state(void *context, int bus, enum link_state state, const char *detail)
{
	(void)context;
	(void)bus;
	(void)state;
	(void)detail;
}

static void on_cycle(void *context, int bus, int64_t cycle_ms, uint64_t cycles)
{
	(void)context;
	(void)bus;
	(void)cycle_ms;
	(void)cycles;
}

static const struct poller_reports reports = {.sample = on_sample,
					      .answer = on_answer,
					      .foreign = on_foreign,
					      .state = on_state,
					      .cycle = on_cycle};

/* --- the packs --- */

static size_t say_as(int address, const uint8_t *question, size_t count, uint8_t *out)
{
	struct wire_context ctx;
	struct pack pack;
	int n;

	wire_context_init(line.wire, &ctx);
	ctx.address = address;
	bms_report(&line.bms, &pack);
	pack.voltage_mv = FIRST_MV + 1000 * address;
	pack.address = pack.settings.device_address = address;
	n = wire_answer(line.wire, &ctx, &pack, question, count, out, WIRE_MAX_FRAME);
	return n > 0 ? (size_t)n : 0;
}

static void add(const uint8_t *bytes, size_t count)
{
	memcpy(line.coming + line.coming_count, bytes, count);
	line.coming_count += count;
}

static void answer_question(const uint8_t *question, size_t count)
{
	static const uint8_t noise[] = {0x00, 0xFF, 0x10, 0x55};
	int address = question[0];
	enum trick trick = line.tricks[address];
	struct answer other = line.poller.answer;
	uint8_t bytes[WIRE_MAX_FRAME];
	size_t n = 0;

	if (trick == ECHOED)
		add(question, count);
	if (trick == NOISE_FIRST)
		add(noise, sizeof noise);
	if (trick == FOREIGN) {
		answer_begin(&other, other.message, 2);
		n = say_as(2, other.request, other.request_count, bytes);
	} else if (trick != SILENT) {
		n = say_as(address, question, count, bytes);
	}
	if (trick == TRUNCATED)
		n /= 2;
	if (trick == GARBLED)
		bytes[n / 3] ^= 0x10;
	add(bytes, n);
	if (trick == DOUBLED)
		add(bytes, n);
	line.coming_us = line.now_us + REACT_US + (int64_t)(count + line.coming_count) * BYTE_US;
	if (trick == LATE)
		line.coming_us = line.now_us + 2500 * MS;
}

/* --- time --- */

static void hear(void)
{
	size_t count = line.coming_count;
	uint8_t bytes[sizeof line.coming];
	bool single = line.poller.asking && line.tricks[line.poller.step.address] == BY_BYTES;

	memcpy(bytes, line.coming, count);
	line.coming_count = 0;
	for (size_t i = 0; single && i < count; i++)
		poller_hear(&line.poller, bytes + i, 1, line.now_us);
	if (!single && count > 0)
		poller_hear(&line.poller, bytes, count, line.now_us);
}

static void run(int64_t duration_us)
{
	int64_t end_us = line.now_us + duration_us;

	while (line.now_us < end_us) {
		int64_t due_us = poller_due_us(&line.poller, line.now_us);
		size_t count;

		if (line.coming_count > 0 && line.coming_us <= due_us) {
			line.now_us = line.coming_us;
			hear();
			continue;
		}
		line.now_us = due_us > line.now_us ? due_us : line.now_us;
		count = poller_turn(&line.poller, line.now_us);
		if (count > 0)
			answer_question(line.poller.answer.request, count);
	}
}

static void start(uint32_t addresses)
{
	struct rack_bus_config config = {.addresses = addresses};
	struct wire *wire = line.wire;
	struct sim_random random = {1};
	char why[128];

	memset(&line, 0, sizeof line);
	bms_init(&line.bms, 1, 16, 280, 0.5, &random);
	line.bms.voltage_v = FIRST_MV / 1000.0;
	line.wire = wire;
	line.now_us = 7 * SECOND;
	line.poller.reports = &reports;
	assert_int_equal(poller_init(&line.poller, wire, &config, why, sizeof why), 0);
	poller_start(&line.poller, line.now_us);
	poller_open(&line.poller, line.now_us);
}

static int set_up(void **state)
{
	(void)state;
	line.wire = wire_load("pack/jk-pb", stderr);
	return line.wire ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	wire_free(line.wire);
	return 0;
}

/* --- tests --- */

static void test_every_kind_of_answer(void **state)
{
	static const struct {
		const char *what;
		enum trick trick;
		int result; /* 1 = good */
	} table[] = {
		{"good", GOOD, 1},
		{"silence", SILENT, ERR_TIMEOUT},
		{"too late", LATE, ERR_TIMEOUT},
		{"a flipped bit", GARBLED, ERR_CHECKSUM},
		{"twice", DOUBLED, 1},
		{"another's", FOREIGN, ERR_NOT_MINE},
		{"half of it", TRUNCATED, ERR_CHECKSUM},
		{"byte by byte", BY_BYTES, 1},
		{"behind the echo", ECHOED, 1},
		{"behind noise", NOISE_FIRST, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		start(0x0E); /* 1, 2, 3; the trick is 3's */
		run(4 * SECOND);
		line.tricks[3] = table[i].trick;
		memset(line.samples, 0, sizeof line.samples);
		run(20 * SECOND);
		if (line.results[3] != table[i].result)
			fail_msg("%s: %d instead of %d", table[i].what, line.results[3],
				 table[i].result);
		if ((line.samples[3] > 5) != (table[i].result == 1))
			fail_msg("%s: %d samples", table[i].what, line.samples[3]);
		assert_true(line.samples[1] > 5);
		assert_true(line.samples[2] > 5);
		assert_int_equal(line.wrong_samples, 0);
		assert_int_equal(line.foreign, 0);
	}
}

/* Bytes that come while nobody asks, a whole good answer among them, are nobody's sample. */
static void test_unasked_answers_are_not_taken(void **state)
{
	struct answer other;
	uint8_t bytes[WIRE_MAX_FRAME];
	size_t count;

	(void)state;
	start(0x06);
	run(4 * SECOND);
	while (line.poller.asking)
		run(MS);
	memset(line.samples, 0, sizeof line.samples);
	other = line.poller.answer;
	assert_true(answer_begin(&other, other.message, 1) > 0);
	count = say_as(1, other.request, other.request_count, bytes);
	poller_hear(&line.poller, bytes, count, line.now_us);
	assert_int_equal(line.samples[1], 0);
	assert_int_equal(line.foreign, 0);
}

/* A question that is not ours silences us; what its answers say is still learned, signed by whoever
 * acknowledged. */
static void test_another_master_is_left_alone_and_overheard(void **state)
{
	struct answer other;
	uint8_t bytes[WIRE_MAX_FRAME];
	size_t count;

	(void)state;
	start(0x06);
	run(4 * SECOND);
	memset(line.samples, 0, sizeof line.samples);
	other = line.poller.answer;
	for (int i = 0; i < 20; i++) {
		/* the codec's number of each message, live data and settings in turn */
		int message =
			line.poller.config.messages[i % line.poller.config.message_count].index;

		assert_true(answer_begin(&other, message, 2) > 0);
		poller_hear(&line.poller, other.request, other.request_count, line.now_us);
		count = say_as(2, other.request, other.request_count, bytes);
		line.now_us += REACT_US;
		poller_hear(&line.poller, bytes, count, line.now_us);
		line.now_us += 200 * MS;
		assert_true(poller_due_us(&line.poller, line.now_us) > line.now_us);
		assert_int_equal(poller_turn(&line.poller, line.now_us), 0);
	}
	assert_true(line.foreign >= 19);
	assert_true(line.samples[2] > 3);
	assert_int_equal(line.samples[1], 0);
	assert_int_equal(line.wrong_samples, 0);
	run(10 * SECOND); /* it is gone */
	assert_true(line.samples[1] > 3);
}

/* What a pack said about itself is forgotten when it is lost: another one may come back. */
static void test_a_pack_that_comes_back_is_met_anew(void **state)
{
	(void)state;
	start(0x06);
	run(4 * SECOND);
	line.tricks[1] = SILENT;
	run(20 * SECOND);
	line.tricks[1] = GOOD;
	memset(line.samples, 0, sizeof line.samples);
	run(10 * SECOND);
	assert_true(line.samples[1] > 5);
	assert_int_equal(line.wrong_samples, 0);
}

/* An adapter that was pulled out: nothing is open, and the packs are met anew. */
static void test_a_port_error_ends_the_question(void **state)
{
	(void)state;
	start(0x06);
	run(4 * SECOND);
	while (!line.poller.asking) {
		line.now_us += MS;
		poller_turn(&line.poller, line.now_us);
	}
	poller_done(&line.poller, -EIO, line.now_us, line.now_us);
	assert_false(line.poller.asking);
	assert_true(poller_is_port_error(-EIO));
	assert_false(poller_is_port_error(ERR_CHECKSUM));
	line.coming_count = 0;
	poller_open(&line.poller, line.now_us);
	memset(line.samples, 0, sizeof line.samples);
	run(4 * SECOND);
	assert_true(line.samples[1] > 1 && line.samples[2] > 1);
}

static void test_refuses_what_cannot_be_polled(void **state)
{
	struct wire *inverter = wire_load("can/pylon-lv-1.2", stderr);
	struct rack_bus_config config = {.addresses = 2};
	static struct poller poller;
	char why[128] = "";

	(void)state;
	assert_non_null(inverter);
	assert_int_equal(poller_init(&poller, inverter, &config, why, sizeof why), -EINVAL);
	assert_non_null(strstr(why, "can/pylon-lv-1.2"));
	wire_free(inverter);
}

/* Any bytes at any time: nothing breaks, and nothing wrong becomes a sample. */
static void test_random_bytes(void **state)
{
	uint32_t dice = 12345;
	uint8_t bytes[64];

	(void)state;
	start(0x0E);
	for (int i = 0; i < 3000; i++) {
		size_t count;

		run(30 * MS);
		for (count = 0; count < sizeof bytes; count++) {
			dice = dice * 1664525 + 1013904223;
			bytes[count] = (uint8_t)(dice >> 24);
		}
		dice = dice * 1664525 + 1013904223;
		poller_hear(&line.poller, bytes, dice >> 26, line.now_us);
	}
	assert_int_equal(line.wrong_samples, 0);
	run(60 * SECOND);
	assert_true(line.samples[1] > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_of_answer),
		cmocka_unit_test(test_unasked_answers_are_not_taken),
		cmocka_unit_test(test_another_master_is_left_alone_and_overheard),
		cmocka_unit_test(test_a_pack_that_comes_back_is_met_anew),
		cmocka_unit_test(test_a_port_error_ends_the_question),
		cmocka_unit_test(test_refuses_what_cannot_be_polled),
		cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
