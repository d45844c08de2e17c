// SPDX-License-Identifier: Apache-2.0
/* A healthy CAN link on an slcan adapter: exact periods, the order of the file, stricter limits at
 * once, the inverter's heartbeat, an adapter that is pulled out. */
#include "harness.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "onepack/clock.h"

#define PYLON "can/pylon-lv-1.2"

static const uint32_t pylon_set[] = {0x351, 0x355, 0x356, 0x359, 0x35C, 0x35E};

#define SET_SIZE (sizeof pylon_set / sizeof *pylon_set)

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void whole_sets_come_in_order_and_on_time(void **state)
{
	enum { SETS = 4 };
	struct can_fixture f;
	struct heard_frame frame;
	int64_t first_us[SET_SIZE];
	int64_t errors_us[SETS * SET_SIZE];
	size_t n = 0;

	(void)state;
	can_start(&f, PYLON, 100000);
	can_settle(&f, 1000);
	for (int set = 0; set < SETS; set++)
		for (size_t i = 0; i < SET_SIZE; i++) {
			assert_true(hear_frame(&f.end, 1500, &frame));
			assert_int_equal(frame.message.id, pylon_set[i]);
			if (set == 0)
				first_us[i] = frame.at_us;
			errors_us[n++] = llabs(frame.at_us - first_us[i] - set * INT64_C(1000000));
		}
	qsort(errors_us, n, sizeof *errors_us, compare);
	printf("period error of %zu frames: median %lld us, worst %lld us\n", n,
	       (long long)errors_us[n / 2], (long long)errors_us[n - 1]);
	assert_true(errors_us[n / 2] < 5000);
	assert_true(errors_us[n - 1] < 100000);
	can_stop(&f);
}

static void stricter_limits_go_out_at_once(void **state)
{
	struct can_fixture f;
	struct heard_frame frame;
	int64_t delay_us;

	(void)state;
	can_start(&f, PYLON, 100000);
	can_settle(&f, 1000);
	atomic_store(&f.engine.control->limit_ma, 40000);
	assert_true(hear_id(&f.end, 0x351, 400, &frame));
	delay_us = frame.at_us - atomic_load(&f.engine.control->changed_us);
	printf("from publication to frame: %lld us\n", (long long)delay_us);
	assert_int_equal(charge_limit_da(&frame.message), 400);
	assert_int_equal(discharge_limit_da(&frame.message), 400);
	assert_true(delay_us < 50000);

	/* 0x35C says nothing new, so only 0x351 came */
	can_settle(&f, 400);
	atomic_store(&f.engine.control->limit_ma, 60000); /* looser: at its period */
	assert_false(hear_frame(&f.end, 200, &frame));
	assert_true(hear_id(&f.end, 0x351, 1000, &frame));
	assert_int_equal(charge_limit_da(&frame.message), 600);
	can_stop(&f);
}

static bool is_alive(const struct inverter_status *status)
{
	return status->view.inverter_alive == 1;
}

static bool is_up(const struct inverter_status *status)
{
	return status->link == LINK_UP && status->lease_valid &&
	       status->charge_current_limit_ma == 100000;
}

static void the_inverter_is_heard(void **state)
{
	static const uint8_t zeros[8];
	struct inverter_status status;
	struct can_fixture f;

	(void)state;
	can_start(&f, PYLON, 100000);
	await_status(&f.engine, 0, is_up, 3000, &status);
	assert_string_equal(status.protocol, PYLON);
	assert_string_equal(status.port, f.port);
	assert_string_equal(status.detail, "");
	assert_int_equal(status.heard_ms, 0);
	assert_int_equal(status.inverter_lost_ms, 60000);
	assert_int_equal(status.discharge_current_limit_ma, 100000);
	assert_int_equal(status.charge_voltage_limit_mv, 55200);
	assert_false(inverter_is_lost(&status, clock_monotonic_ms()));

	say_frame(&f.end, 0x123, zeros, 8); /* somebody else */
	say_frame(&f.end, 0x305, zeros, 8);
	await_status(&f.engine, 0, is_alive, 1000, &status);
	assert_in_range(clock_monotonic_ms() - status.heard_ms, 0, 1000);
	assert_int_equal(status.requests, 1);
	assert_true(inverter_is_lost(&status, status.heard_ms + 60001));
	can_stop(&f);
}

static bool is_down(const struct inverter_status *status)
{
	return status->link == LINK_ERROR;
}

static void an_adapter_that_was_pulled_out_is_opened_again(void **state)
{
	struct inverter_status status;
	struct inverter_config config;
	struct wire_end first;
	struct wire_end second;
	struct heard_frame frame;
	struct engine engine;
	char directory[] = "/tmp/onepack-link-XXXXXX";
	char name[64];
	char port[80];

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(name, sizeof name, "%s/adapter", directory);
	snprintf(port, sizeof port, "slcan:%s", name);
	wire_open(&first);
	wire_open(&second);
	assert_int_equal(symlink(first.path, name), 0);
	config = config_of(PYLON, port);
	engine_start(&engine, &config, 1, 100000);
	assert_true(hear_id(&first, 0x351, 3000, &frame));

	wire_close(&first);
	unlink(name);
	await_status(&engine, 0, is_down, 2000, &status);
	assert_string_not_equal(status.detail, "");
	assert_int_equal(symlink(second.path, name), 0);
	assert_true(hear_id(&second, 0x351, 5000, &frame));
	assert_int_equal(charge_limit_da(&frame.message), 1000);
	await_status(&engine, 0, is_up, 1000, &status);

	assert_int_equal(engine_end(&engine), 0);
	wire_close(&second);
	unlink(name);
	rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_sets_come_in_order_and_on_time),
		cmocka_unit_test(stricter_limits_go_out_at_once),
		cmocka_unit_test(the_inverter_is_heard),
		cmocka_unit_test(an_adapter_that_was_pulled_out_is_opened_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
