// SPDX-License-Identifier: Apache-2.0
/* The RS485 responder in virtual time, with real protocol files: what is answered, when, and what
 * noise, echoes and cut requests do. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "respond.h"

#define MS INT64_C(1000)

struct fixture {
	struct wire *wire;
	struct battery battery;
	struct respond respond;
	uint8_t out[WIRE_MAX_FRAME];
};

static void make(struct fixture *f, const char *protocol, int address, uint32_t baud)
{
	struct wire_context ctx;

	f->wire = wire_load(protocol, stderr);
	assert_non_null(f->wire);
	wire_context_init(f->wire, &ctx);
	respond_init(&f->respond, f->wire, &ctx, address, baud);
	battery_clear(&f->battery);
	f->battery.state = BATTERY_STANDBY;
	f->battery.voltage_mv = 53100;
	f->battery.current_ma = 0;
	f->battery.soc_mpct = 67000;
	f->battery.soh_mpct = 99000;
	f->battery.temperature_mC = 20000;
	f->battery.cells_in_series = 16;
	f->battery.cell_mean_mv = 3319;
	f->battery.cell_min_mv = 3310;
	f->battery.cell_max_mv = 3330;
	f->battery.charge_voltage_limit_mv = 55200;
	f->battery.discharge_voltage_limit_mv = 46000;
	f->battery.charge_current_limit_ma = 100000;
	f->battery.discharge_current_limit_ma = 100000;
	f->battery.charge_allowed = 1;
	f->battery.discharge_allowed = 1;
}

static void unmake(struct fixture *f)
{
	wire_free(f->wire);
}

static int message_index(const struct fixture *f, const char *name)
{
	struct wire_message_info info;

	for (int i = 0; i < wire_message_count(f->wire); i++) {
		wire_get_message(f->wire, i, &info);
		if (strcmp(info.name, name) == 0)
			return i;
	}
	fail_msg("no message %s", name);
	return -1;
}

static size_t request(const struct fixture *f, const char *name, int address, uint8_t *bytes)
{
	struct wire_context ctx;
	int n;

	wire_context_init(f->wire, &ctx);
	ctx.address = address;
	n = wire_request(f->wire, message_index(f, name), &ctx, address, bytes, WIRE_MAX_FRAME);
	assert_true(n > 0);
	return (size_t)n;
}

static void ask(struct fixture *f, const char *name, int address, int64_t now_us)
{
	uint8_t bytes[WIRE_MAX_FRAME];
	size_t count = request(f, name, address, bytes);

	respond_receive(&f->respond, bytes, count, now_us);
}

/* Runs until nothing is planned; the length of the one answer, 0 = none. Its time in *at_us. */
static size_t settle(struct fixture *f, int64_t *at_us)
{
	int64_t next_us;
	size_t n;

	while ((next_us = respond_next_us(&f->respond)) != INT64_MAX) {
		*at_us = next_us;
		n = respond_turn(&f->respond, &f->battery, next_us, f->out);
		if (n > 0)
			return n;
	}
	return 0;
}

static void assert_answer_to(struct fixture *f, const char *name, int address, size_t count)
{
	struct wire_context ctx;
	struct wire_values values;

	wire_context_init(f->wire, &ctx);
	ctx.address = address;
	wire_values_clear(&values);
	assert_int_equal(wire_response(f->wire, message_index(f, name), &ctx, address, f->out,
				       count, &values),
			 count);
}

static const struct protocol {
	const char *id, *message;
	int address;
	uint32_t baud;
	int64_t pause_us;
} protocols[] = {
	{"rs485/pylon-lv-3.3", "system_analog", 2, 9600, 5000},
	{"rs485/pylon-lv-3.3", "management", 2, 115200, 5000},
	{"rs485/pylon-lv-3.3", "management", 2, 2400, 14583}, /* 3.5 characters of 4.17 ms */
	{"rs485/growatt-2.01", NULL, 1, 9600, 5000},
	{"rs485/jk-modbus-1.0", NULL, 1, 115200, 5000},
};

#define EACH_PROTOCOL(p)                           \
	for (const struct protocol *p = protocols; \
	     p < protocols + sizeof protocols / sizeof *protocols; p++)

static const char *message_of(const struct fixture *f, const struct protocol *p)
{
	static char name[64];
	struct wire_message_info info;

	wire_get_message(f->wire, 0, &info);
	strncpy(name, p->message ? p->message : info.name, sizeof name - 1);
	return name;
}

static void a_request_is_answered_after_the_pause(void **state)
{
	(void)state;
	EACH_PROTOCOL(p)
	{
		struct fixture f;
		int64_t at_us;
		size_t n;

		make(&f, p->id, -1, p->baud);
		ask(&f, message_of(&f, p), p->address, 1000 * MS);
		assert_int_equal(respond_turn(&f.respond, &f.battery, 1000 * MS, f.out), 0);
		n = settle(&f, &at_us);
		assert_answer_to(&f, message_of(&f, p), p->address, n);
		assert_int_equal(at_us - 1000 * MS, p->pause_us);
		assert_int_equal(f.respond.answered, 1);
		assert_int_equal(f.respond.errors, 0);
		assert_int_equal(settle(&f, &at_us), 0); /* once */
		unmake(&f);
	}
}

static void pieces_and_noise_do_not_matter(void **state)
{
	static const uint8_t noise[] = {0x00, 0xff, 0x55, 0x00};

	(void)state;
	EACH_PROTOCOL(p)
	{
		struct fixture f;
		uint8_t bytes[WIRE_MAX_FRAME];
		int64_t now_us = 1000 * MS;
		int64_t at_us;
		size_t count;

		make(&f, p->id, -1, p->baud);
		count = request(&f, message_of(&f, p), p->address, bytes);
		respond_receive(&f.respond, noise, sizeof noise, now_us);
		for (size_t i = 0; i < count; i++) {
			now_us += MS;
			respond_turn(&f.respond, &f.battery, now_us, f.out);
			respond_receive(&f.respond, bytes + i, 1, now_us);
		}
		respond_receive(&f.respond, noise, 2, now_us); /* a driver that is switched off */
		count = settle(&f, &at_us);
		assert_answer_to(&f, message_of(&f, p), p->address, count);
		unmake(&f);
	}
}

static void a_cut_request_does_not_hide_the_next(void **state)
{
	(void)state;
	EACH_PROTOCOL(p)
	{
		struct fixture f;
		uint8_t bytes[WIRE_MAX_FRAME];
		int64_t at_us;
		size_t count;

		make(&f, p->id, -1, p->baud);
		count = request(&f, message_of(&f, p), p->address, bytes);
		respond_receive(&f.respond, bytes, count - 3, 1000 * MS);
		assert_int_equal(settle(&f, &at_us), 0);
		assert_int_equal(at_us, 1000 * MS + RESPOND_CUT_US);
		assert_int_equal(f.respond.errors, 1);
		respond_receive(&f.respond, bytes, count, 1400 * MS);
		count = settle(&f, &at_us);
		assert_answer_to(&f, message_of(&f, p), p->address, count);
		unmake(&f);
	}
}

static void the_last_of_several_requests_counts(void **state)
{
	struct fixture f;
	int64_t at_us;
	size_t n;

	(void)state;
	make(&f, "rs485/pylon-lv-3.3", -1, 9600);
	ask(&f, "system_analog", 2, 1000 * MS);
	ask(&f, "management", 2, 1001 * MS);
	n = settle(&f, &at_us);
	assert_answer_to(&f, "management", 2, n);
	assert_int_equal(f.respond.answered, 1);
	assert_int_equal(settle(&f, &at_us), 0);
	unmake(&f);
}

static void an_answer_that_would_be_late_is_not_given(void **state)
{
	struct fixture f;

	(void)state;
	make(&f, "rs485/pylon-lv-3.3", -1, 9600);
	ask(&f, "management", 2, 1000 * MS);
	assert_int_equal(respond_turn(&f.respond, &f.battery, 1056 * MS, f.out), 0);
	assert_int_equal(f.respond.errors, 1);
	assert_int_equal(respond_next_us(&f.respond), INT64_MAX);
	unmake(&f);
}

static void requests_for_others_are_left_alone(void **state)
{
	struct fixture f;
	int64_t at_us;

	(void)state;
	make(&f, "rs485/growatt-2.01", -1, 9600);
	ask(&f, message_of(&f, &protocols[3]), 7, 1000 * MS);
	assert_int_equal(settle(&f, &at_us), 0);
	assert_int_equal(f.respond.errors, 0);
	assert_int_equal(f.respond.answered, 0);
	unmake(&f);
}

static void a_bad_checksum_is_counted(void **state)
{
	struct fixture f;
	uint8_t bytes[WIRE_MAX_FRAME];
	int64_t at_us;
	size_t count;

	(void)state;
	make(&f, "rs485/growatt-2.01", -1, 9600);
	count = request(&f, message_of(&f, &protocols[3]), 1, bytes);
	bytes[count - 1] ^= 1;
	respond_receive(&f.respond, bytes, count, 1000 * MS);
	assert_int_equal(settle(&f, &at_us), 0);
	assert_in_range(f.respond.errors, 1, 2);
	bytes[count - 1] ^= 1;
	respond_receive(&f.respond, bytes, count, 1200 * MS);
	assert_true(settle(&f, &at_us) > 0);
	unmake(&f);
}

/* Also the one that could go on for ever: a Pylon answer looks like a question. */
static void our_own_echo_is_not_answered(void **state)
{
	(void)state;
	EACH_PROTOCOL(p)
	{
		struct fixture f;
		uint8_t echo[WIRE_MAX_FRAME];
		int64_t at_us;
		size_t n;

		make(&f, p->id, -1, p->baud);
		ask(&f, message_of(&f, p), p->address, 1000 * MS);
		n = settle(&f, &at_us);
		assert_true(n > 0);
		memcpy(echo, f.out, n);
		for (size_t i = 0; i < n; i += 7)
			respond_receive(&f.respond, echo + i, n - i < 7 ? n - i : 7,
					at_us + (int64_t)i);
		assert_int_equal(settle(&f, &at_us), 0);
		assert_int_equal(f.respond.errors, 0);
		ask(&f, message_of(&f, p), p->address, at_us + 50 * MS);
		assert_true(settle(&f, &at_us) > 0);
		unmake(&f);
	}
}

static void an_inverter_that_only_asks_12_gets_its_answer(void **state)
{
	struct fixture f;
	int64_t at_us;
	int64_t now_us = 1000 * MS;
	size_t n = 0;

	(void)state;
	make(&f, "rs485/pylon-lv-3.3", -1, 9600);
	for (; n == 0 && now_us < 20000 * MS; now_us += 400 * MS) {
		ask(&f, "system_analog", 0x12, now_us);
		n = settle(&f, &at_us);
	}
	assert_in_range(at_us, 11000 * MS, 11500 * MS);
	assert_answer_to(&f, "system_analog", 0x12, n);
	unmake(&f);

	make(&f, "rs485/pylon-lv-3.3", 0x12, 9600); /* configured: at once, and nothing else */
	ask(&f, "system_analog", 0x12, 1000 * MS);
	assert_true(settle(&f, &at_us) > 0);
	ask(&f, "system_analog", 0x02, 2000 * MS);
	assert_int_equal(settle(&f, &at_us), 0);
	unmake(&f);
}

/* Each form has its own address, and choosing one for ASCII does not move the other. */
static void a_dual_protocol_answers_both_forms(void **state)
{
	struct fixture f;
	int64_t at_us;

	(void)state;
	make(&f, "rs485/srne-lv-3.3", -1, 9600);
	f.battery.capacity_mah = 280000;
	f.battery.remaining_mah = 187600;
	ask(&f, "system_analog", 0x12, 1000 * MS);
	assert_answer_to(&f, "system_analog", 0x12, settle(&f, &at_us));
	ask(&f, "live", 1, 1400 * MS);
	assert_answer_to(&f, "live", 1, settle(&f, &at_us));
	ask(&f, "system_analog", 0x02, 1800 * MS); /* one group only */
	assert_int_equal(settle(&f, &at_us), 0);
	ask(&f, "system_analog", 0x12, 2200 * MS);
	assert_true(settle(&f, &at_us) > 0);
	unmake(&f);

	make(&f, "rs485/china-tower-1.1", -1, 9600);
	f.battery.capacity_mah = 280000;
	f.battery.remaining_mah = 187600;
	ask(&f, "analog", 1, 1000 * MS);
	assert_answer_to(&f, "analog", 1, settle(&f, &at_us));
	ask(&f, "live", 1, 1400 * MS);
	assert_answer_to(&f, "live", 1, settle(&f, &at_us));
	unmake(&f);
}

/* The same rubbish in every run. */
static uint32_t chance(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 16;
}

static void rubbish_breaks_nothing(void **state)
{
	static const uint8_t likely[14] = "~20024661AF\r\x01\x03";
	uint8_t rubbish[300];
	uint32_t seed = 1;

	(void)state;
	EACH_PROTOCOL(p)
	{
		struct fixture f;
		int64_t now_us = 1000 * MS;
		int64_t at_us;
		size_t n;

		make(&f, p->id, -1, p->baud);
		for (int i = 0; i < 300; i++, now_us += 2 * MS) {
			size_t count = chance(&seed) % sizeof rubbish;

			for (size_t k = 0; k < count; k++)
				rubbish[k] = (uint8_t)(i % 2 ? chance(&seed)
							     : likely[chance(&seed) % 14]);
			respond_receive(&f.respond, rubbish, count, now_us);
			(void)respond_turn(&f.respond, &f.battery, now_us, f.out);
		}
		while (settle(&f, &at_us) > 0)
			;
		now_us += 1000 * MS;
		ask(&f, message_of(&f, p), p->address, now_us);
		n = settle(&f, &at_us);
		assert_answer_to(&f, message_of(&f, p), p->address, n);
		unmake(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_answered_after_the_pause),
		cmocka_unit_test(pieces_and_noise_do_not_matter),
		cmocka_unit_test(a_cut_request_does_not_hide_the_next),
		cmocka_unit_test(the_last_of_several_requests_counts),
		cmocka_unit_test(an_answer_that_would_be_late_is_not_given),
		cmocka_unit_test(requests_for_others_are_left_alone),
		cmocka_unit_test(a_bad_checksum_is_counted),
		cmocka_unit_test(our_own_echo_is_not_answered),
		cmocka_unit_test(an_inverter_that_only_asks_12_gets_its_answer),
		cmocka_unit_test(a_dual_protocol_answers_both_forms),
		cmocka_unit_test(rubbish_breaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
