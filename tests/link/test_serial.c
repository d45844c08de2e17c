// SPDX-License-Identifier: Apache-2.0
/* An RS485 link on a pty, asked by a simulated inverter: timing of the answers, zero limits when
 * the engine dies, the orderly end, an adapter that hears itself. The inverter's side of the
 * protocols is the codec as master. */
#include "harness.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "onepack/clock.h"
#include "onepack/wire.h"

#define PYLON   "rs485/pylon-lv-3.3"
#define GROWATT "rs485/growatt-2.01"
#define JK      "rs485/jk-modbus-1.0"

#define TIMEOUT_MS 390 /* an Axpert asks again after that */

/* An inverter that asks one message. */
struct inverter {
	struct wire_end end;
	struct wire *wire;
	struct wire_context ctx;
	int message;
	int address;
	bool echoing;     /* the adapter hears itself: what the link sends comes back to it */
	int64_t delay_us; /* of the last answer's first byte */
	struct wire_values values;
};

/* The message that has the current limits. */
static int find_limits(const struct inverter *inverter)
{
	static const char *const names[] = {"system_management", "status", "settings"};
	struct wire_message_info info;

	for (int i = 0; i < wire_message_count(inverter->wire); i++) {
		wire_get_message(inverter->wire, i, &info);
		for (size_t k = 0; k < sizeof names / sizeof *names; k++)
			if (strcmp(info.name, names[k]) == 0)
				return i;
	}
	fail_msg("no message with limits");
	return -1;
}

static void inverter_start(struct inverter *inverter, const char *protocol)
{
	struct wire_info info;

	memset(inverter, 0, sizeof *inverter);
	wire_open(&inverter->end);
	inverter->wire = wire_load(protocol, stderr);
	assert_non_null(inverter->wire);
	wire_context_init(inverter->wire, &inverter->ctx);
	wire_get_info(inverter->wire, &info);
	inverter->address = info.default_address;
	inverter->message = find_limits(inverter);
}

static void inverter_stop(struct inverter *inverter)
{
	wire_close(&inverter->end);
	wire_free(inverter->wire);
}

/* Asks and takes the answer: 1, 0 = silence, negative = something else came. */
static int ask(struct inverter *inverter)
{
	uint8_t request[WIRE_MAX_FRAME];
	uint8_t answer[WIRE_MAX_FRAME];
	size_t count = 0;
	int n = wire_request(inverter->wire, inverter->message, &inverter->ctx, inverter->address,
			     request, sizeof request);
	int64_t start_us = clock_monotonic_us();
	int64_t end_us = start_us + INT64_C(1000) * TIMEOUT_MS;

	assert_true(n > 0);
	assert_int_equal(write(inverter->end.master, request, (size_t)n), n);
	inverter->delay_us = 0;
	wire_values_clear(&inverter->values);
	for (;;) {
		struct pollfd p = {.fd = inverter->end.master, .events = POLLIN};
		ssize_t got;

		if (clock_monotonic_us() >= end_us)
			return count == 0 ? 0 : -1;
		poll(&p, 1, 5);
		got = read(inverter->end.master, answer + count, sizeof answer - count);
		if (got <= 0)
			continue;
		if (inverter->delay_us == 0)
			inverter->delay_us = clock_monotonic_us() - start_us;
		if (inverter->echoing)
			(void)!write(inverter->end.master, answer + count, (size_t)got);
		count += (size_t)got;
		n = wire_response(inverter->wire, inverter->message, &inverter->ctx,
				  inverter->address, answer, count, &inverter->values);
		if (n != ERR_INCOMPLETE)
			return n > 0 ? 1 : n;
	}
}

/* Sends these bytes and counts what comes back until nothing does. */
static size_t say(struct inverter *inverter, const char *bytes)
{
	struct pollfd p = {.fd = inverter->end.master, .events = POLLIN};
	char answer[256];
	size_t count = 0;
	ssize_t n;

	assert_int_equal(write(inverter->end.master, bytes, strlen(bytes)), strlen(bytes));
	while (poll(&p, 1, 100) > 0 && (n = read(inverter->end.master, answer, sizeof answer)) > 0)
		count += (size_t)n;
	return count;
}

static int limit_ma(const struct inverter *inverter)
{
	return inverter->values.battery.charge_current_limit_ma;
}

/* Asks until the link answers with this limit. */
static void await_limit(struct inverter *inverter, int expected_ma)
{
	int64_t end_ms = clock_monotonic_ms() + 5000;

	while (ask(inverter) != 1 || limit_ma(inverter) != expected_ma)
		if (clock_monotonic_ms() > end_ms)
			fail_msg("limit is %d", limit_ma(inverter));
}

static void start(struct inverter *inverter, struct engine *engine, const char *protocol)
{
	struct inverter_config config;

	inverter_start(inverter, protocol);
	config = config_of(protocol, inverter->end.path);
	engine_start(engine, &config, 1, 100000);
	await_limit(inverter, 100000);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static bool has_answered(const struct inverter_status *status)
{
	return status->frames_sent >= 20;
}

static void check_answers(const char *protocol, bool echoing)
{
	enum { QUESTIONS = 20 };
	int64_t delays_us[QUESTIONS];
	struct inverter_status status;
	struct inverter inverter;
	struct engine engine;

	start(&inverter, &engine, protocol);
	inverter.echoing = echoing;
	for (int i = 0; i < QUESTIONS; i++) {
		assert_int_equal(ask(&inverter), 1);
		assert_int_equal(limit_ma(&inverter), 100000);
		delays_us[i] = inverter.delay_us;
		(void)poll(NULL, 0, 10);
	}
	qsort(delays_us, QUESTIONS, sizeof *delays_us, compare);
	printf("%s: answer begins after %lld to %lld us, median %lld us\n", protocol,
	       (long long)delays_us[0], (long long)delays_us[QUESTIONS - 1],
	       (long long)delays_us[QUESTIONS / 2]);
	assert_true(delays_us[0] >= 3646); /* 3.5 characters at 9600 baud */
	assert_true(delays_us[QUESTIONS / 2] < 20000);
	await_status(&engine, 0, has_answered, 1000, &status);
	assert_int_equal(status.link, LINK_UP);
	assert_int_equal(status.view.inverter_alive, 1);
	assert_int_equal(status.charge_current_limit_ma, 100000);
	assert_int_equal(status.errors, 0);
	assert_in_range(clock_monotonic_ms() - status.heard_ms, 0, 1000);
	inverter_stop(&inverter); /* pulled out, or the link would wait to be asked once more */
	assert_int_equal(engine_end(&engine), 0);
}

static void answers_are_quick_but_not_too_quick(void **state)
{
	(void)state;
	check_answers(PYLON, false);
	check_answers(GROWATT, false);
	check_answers(JK, false);
}

static void an_adapter_that_hears_itself_is_no_problem(void **state)
{
	(void)state;
	check_answers(PYLON, true);
}

static bool has_an_error(const struct inverter_status *status)
{
	return status->errors == 1;
}

static bool is_up(const struct inverter_status *status)
{
	return status->link == LINK_UP && status->lease_valid;
}

/* Pylon has return codes for bad requests; they are answered, but count as errors. */
static void bad_requests_are_no_sign_of_life(void **state)
{
	struct inverter_status status;
	struct inverter inverter;
	struct inverter_config config;
	struct engine engine;

	(void)state;
	inverter_start(&inverter, PYLON);
	config = config_of(PYLON, inverter.end.path);
	engine_start(&engine, &config, 1, 100000);
	await_status(&engine, 0, is_up, 3000, &status);
	assert_true(say(&inverter, "~200246630000FDA8\r") > 0); /* FDA9 would be right */
	await_status(&engine, 0, has_an_error, 1000, &status);
	assert_int_equal(status.heard_ms, 0);
	assert_int_equal(status.view.inverter_alive, FIELD_UNKNOWN);
	assert_int_equal(say(&inverter, "~210346630000FDA7\r"), 0); /* somebody else's */
	inverter_stop(&inverter);
	assert_int_equal(engine_end(&engine), 0);
}

static void zero_limits_within_three_seconds_of_a_kill(void **state)
{
	static const char *const protocols[] = {PYLON, GROWATT, JK};
	struct inverter inverter[3];
	struct engine engine[3];
	int64_t killed_ms;
	int zeros[3] = {0};

	(void)state;
	for (int i = 0; i < 3; i++)
		start(&inverter[i], &engine[i], protocols[i]);
	killed_ms = clock_monotonic_ms();
	for (int i = 0; i < 3; i++)
		engine_kill(&engine[i], SIGKILL);
	while (clock_monotonic_ms() - killed_ms < 3300)
		for (int i = 0; i < 3; i++) {
			bool late = clock_monotonic_ms() - killed_ms > 3000;

			assert_int_equal(ask(&inverter[i]), 1);
			if (zeros[i] || late)
				assert_int_equal(limit_ma(&inverter[i]), 0);
			zeros[i] += limit_ma(&inverter[i]) == 0;
		}
	for (int i = 0; i < 3; i++) {
		assert_true(zeros[i] > 0);
		end_links(inverter[i].end.path);
		inverter_stop(&inverter[i]);
	}
}

/* The inverter goes on asking while the engine ends: the last answer that it gets has zero limits.
 */
static void zero_limits_are_the_last_answer(void **state)
{
	struct inverter inverter;
	struct engine engine;
	int last_ma = -1;
	int zeros = 0;
	int64_t start_ms;

	(void)state;
	start(&inverter, &engine, PYLON);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(&inverter), 1);
	start_ms = clock_monotonic_ms();
	kill(engine.pid, SIGTERM);
	while (ask(&inverter) == 1) {
		last_ma = limit_ma(&inverter);
		zeros += last_ma == 0;
		(void)poll(NULL, 0, 300);
	}
	assert_int_equal(last_ma, 0);
	assert_true(zeros >= 1);
	assert_true(clock_monotonic_ms() - start_ms < 3000);
	assert_int_equal(engine_end(&engine), 0);
	assert_true(links_are_gone(inverter.end.path, 0));
	inverter_stop(&inverter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_quick_but_not_too_quick),
		cmocka_unit_test(an_adapter_that_hears_itself_is_no_problem),
		cmocka_unit_test(bad_requests_are_no_sign_of_life),
		cmocka_unit_test(zero_limits_within_three_seconds_of_a_kill),
		cmocka_unit_test(zero_limits_are_the_last_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
