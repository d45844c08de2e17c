// SPDX-License-Identifier: Apache-2.0
/* A link that is killed or hangs is replaced by the supervisor in the engine. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>

#include "onepack/clock.h"

static bool is_up(const struct inverter_status *status)
{
	return status->link == LINK_UP && status->lease_valid;
}

static void a_killed_link_is_started_again(void **state)
{
	static const uint8_t zeros[8];
	struct inverter_status status;
	struct can_fixture f;
	struct heard_frame frame;
	int64_t heard_ms;
	int64_t start_ms;
	pid_t first;

	(void)state;
	can_start(&f, "can/pylon-lv-1.2", 100000);
	can_settle(&f, 1000);
	say_frame(&f.end, 0x305, zeros, 8);
	await_status(&f.engine, 0, is_up, 2000, &status);
	do
		lease_read_status(f.engine.page, 0, &status);
	while (status.heard_ms == 0);
	heard_ms = status.heard_ms;

	assert_int_equal(find_links(f.port, &first, 1), 1);
	kill(first, SIGKILL);
	start_ms = clock_monotonic_ms();
	while (hear_frame(&f.end, 0, &frame))
		;
	assert_true(hear_id(&f.end, 0x351, 3000, &frame));
	printf("a killed link is back after %lld ms\n",
	       (long long)(clock_monotonic_ms() - start_ms));
	assert_int_equal(charge_limit_da(&frame.message), 1000);
	(void)await_one_link(f.port, first);
	await_status(&f.engine, 0, is_up, 2000, &status);
	assert_int_equal(status.heard_ms, heard_ms); /* the inverter is not forgotten */
	can_stop(&f);
}

static void a_hung_link_is_replaced(void **state)
{
	struct can_fixture f;
	struct heard_frame frame;
	pid_t pid;

	(void)state;
	can_start(&f, "can/pylon-lv-1.2", 100000);
	can_settle(&f, 1000);
	assert_int_equal(find_links(f.port, &pid, 1), 1);
	kill(pid, SIGSTOP);
	while (hear_frame(&f.end, 500, &frame))
		;
	assert_true(hear_id(&f.end, 0x351, LINK_HUNG_MS + 2000, &frame));
	assert_int_equal(charge_limit_da(&frame.message), 1000);
	can_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_killed_link_is_started_again),
		cmocka_unit_test(a_hung_link_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
