// SPDX-License-Identifier: Apache-2.0
/* One question over a real pty, against every way in which an answer can arrive or fail to. */
#include "rack/exchange.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../unit/cmocka_all.h"
#include "fake_rack.h"
#include "onepack/clock.h"
#include "onepack/port.h"

#define TIMEOUT_US 150000

static struct fake_rack fake;
static struct exchange exchange;
static struct answer answer;
static struct wire *wire;

static int message_named(const char *name)
{
	for (int i = 0; i < wire_message_count(wire); i++) {
		struct wire_message_info info;

		wire_get_message(wire, i, &info);
		if (strcmp(info.name, name) == 0)
			return i;
	}
	fail_msg("no message %s", name);
	return -1;
}

static int set_up(void **state)
{
	(void)state;
	fake_start(&fake);
	wire = wire_load("pack/jk-pb", stderr);
	assert_non_null(wire);
	exchange = (struct exchange){.stop_fd = -1, .baud = 115200};
	answer = (struct answer){.wire = wire};
	wire_context_init(wire, &answer.ctx);
	exchange.fd = serial_open(fake.link, exchange.baud);
	assert_true(exchange.fd >= 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(exchange.fd);
	wire_free(wire);
	fake_stop(&fake);
	return 0;
}

static int ask(int address, struct wire_values *values)
{
	wire_values_clear(values);
	assert_true(answer_begin(&answer, message_named("live"), address) > 0);
	return exchange_run(&exchange, &answer, TIMEOUT_US, values);
}

static void expect_charging(const struct wire_values *values)
{
	assert_int_equal(values->pack.voltage_mv, 53224);
	assert_int_equal(values->pack.current_ma, 31881);
	assert_int_equal(values->pack.cells_mv[0], 3333);
	assert_int_equal(values->pack.cells_mv[15], 3337);
}

static void expect_nothing(const struct wire_values *values)
{
	assert_int_equal(values->pack.voltage_mv, FIELD_UNKNOWN);
	assert_int_equal(values->pack.current_ma, FIELD_UNKNOWN);
	assert_int_equal(values->pack.cell_count, 0);
}

static void test_all_ways(void **state)
{
	static const struct {
		const char *what;
		enum fake_trick trick;
		int result; /* 1 = good */
	} table[] = {
		{"good", FAKE_GOOD, 1},
		{"310 bytes", FAKE_LONG, 1},
		{"noise before", FAKE_NOISE_BEFORE, 1},
		{"twice without a pause", FAKE_GLUED, 1},
		{"silence", FAKE_ABSENT, ERR_TIMEOUT},
		{"bad sum", FAKE_BAD_SUM, ERR_CHECKSUM},
		{"other record", FAKE_WRONG_TYPE, ERR_FOREIGN},
		{"signed by another", FAKE_FOREIGN_ACK, ERR_NOT_MINE},
		{"unsigned", FAKE_NO_ACK, ERR_UNKNOWN},
		{"cut short", FAKE_TRUNCATED, ERR_CHECKSUM},
		{"a question", FAKE_QUESTION, ERR_FOREIGN},
		{"too late", FAKE_LATE, ERR_TIMEOUT},
		{"rubbish", FAKE_RUBBISH, ERR_FORMAT},
	};
	struct wire_values values;

	(void)state;
	for (int echo = 0; echo < 2; echo++)
		for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
			int result;

			pthread_mutex_lock(&fake.lock);
			fake.echo = echo;
			pthread_mutex_unlock(&fake.lock);
			fake_set(&fake, 3, table[i].trick);
			result = ask(3, &values);
			if ((result > 0) != (table[i].result > 0) ||
			    (result < 0 && result != table[i].result))
				fail_msg("%s, echo %d: %d (%s)", table[i].what, echo, result,
					 err_name(result));
			if (result > 0)
				expect_charging(&values);
			else
				expect_nothing(&values);
		}
}

/* A late answer to an old question, even a good one of the same kind, is not the next one's. */
static void test_the_past_is_forgotten(void **state)
{
	struct wire_values values;

	(void)state;
	fake_set(&fake, 3, FAKE_LATE);
	fake_set(&fake, 4, FAKE_GOOD);
	pthread_mutex_lock(&fake.lock);
	fake_patch(fake.packs[4].records[FAKE_LIVE], 150, 51000, 4);
	pthread_mutex_unlock(&fake.lock);
	assert_int_equal(ask(3, &values), ERR_TIMEOUT);
	usleep(150000); /* now it is waiting to be read */
	assert_true(ask(4, &values) > 0);
	assert_int_equal(values.pack.voltage_mv, 51000);
}

/* The answer is over when its last byte has come; the clock and padding do not matter. */
static void test_no_time_is_lost(void **state)
{
	/* request, reaction, record and acknowledge at 115200 */
	const int64_t bound_us = (11 + 308) * 10000000LL / 115200 + 10000;
	struct wire_values values;
	int64_t best_us = INT64_MAX;

	(void)state;
	fake_set(&fake, 3, FAKE_LONG);
	pthread_mutex_lock(&fake.lock);
	fake.baud = 115200;
	pthread_mutex_unlock(&fake.lock);
	for (int i = 0; i < 5; i++) { /* the best of some: other tests use the machine, too */
		int64_t start_us = clock_monotonic_us(), took_us;

		assert_true(ask(3, &values) > 0);
		took_us = clock_monotonic_us() - start_us;
		best_us = took_us < best_us ? took_us : best_us;
		usleep(5000);
	}
	assert_in_range(best_us, bound_us - 1000, bound_us + 4000);
}

/* Our own question, sent back by the adapter behind some noise, is nobody else's. */
static void test_echo_behind_noise(void **state)
{
	struct wire_values values;
	size_t heard;

	(void)state;
	pthread_mutex_lock(&fake.lock);
	fake.echo = true;
	fake.noisy_echo = true;
	pthread_mutex_unlock(&fake.lock);
	assert_int_equal(ask(3, &values), ERR_TIMEOUT);
	answer_heard(&answer, &heard);
	assert_int_equal(heard, 0);
	fake_set(&fake, 3, FAKE_GOOD);
	assert_true(ask(3, &values) > 0);
	expect_charging(&values);
}

static void test_read_again(void **state)
{
	struct wire_values values;

	(void)state;
	fake_set(&fake, 3, FAKE_GOOD);
	assert_true(ask(3, &values) > 0);
	wire_values_clear(&values);
	assert_true(answer_read_again(&answer, &values) > 0);
	expect_charging(&values);
}

static void test_stop_and_unplug_end_it(void **state)
{
	struct wire_values values;
	uint64_t one = 1;

	(void)state;
	exchange.stop_fd = eventfd(0, EFD_NONBLOCK);
	assert_int_equal(write(exchange.stop_fd, &one, sizeof one), sizeof one);
	assert_int_equal(ask(3, &values), -ECANCELED);
	close(exchange.stop_fd);
	exchange.stop_fd = -1;
	fake_unplug(&fake);
	assert_int_equal(ask(3, &values), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_ways, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_past_is_forgotten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_time_is_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_echo_behind_noise, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_read_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stop_and_unplug_end_it, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
