// SPDX-License-Identifier: Apache-2.0
/* Two gateways and one port: the link of a dead one makes room, that of a living one does not. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "onepack/clock.h"

#define PYLON "can/pylon-lv-1.2"

/* Every limit from now on, until `limit_da` shows up; nothing but zero may come before it. */
static void expect_zeros_then(struct wire_end *end, int limit_da, int timeout_ms)
{
	int64_t end_ms = clock_monotonic_ms() + timeout_ms;
	struct heard_frame frame;

	while (hear_id(end, 0x351, (int)(end_ms - clock_monotonic_ms()), &frame)) {
		if (charge_limit_da(&frame.message) == limit_da)
			return;
		assert_int_equal(charge_limit_da(&frame.message), 0);
	}
	fail_msg("limit %d did not come", limit_da);
}

static void the_next_gateway_gets_the_port_of_a_dead_one(void **state)
{
	struct can_fixture f;
	struct engine next;
	struct heard_frame frame;
	struct inverter_config config;
	int64_t start_ms;
	pid_t first;

	(void)state;
	can_start(&f, PYLON, 100000);
	can_settle(&f, 1000);
	assert_int_equal(find_links(f.port, &first, 1), 1);
	engine_kill(&f.engine, SIGKILL);
	while (hear_frame(&f.end, 0, &frame))
		;
	config = config_of(PYLON, f.port);
	start_ms = clock_monotonic_ms();
	engine_start(&next, &config, 1, 50000);
	do /* the old one may still say its limit, until it is told to go */
		assert_true(hear_id(&f.end, 0x351, 3000, &frame));
	while (charge_limit_da(&frame.message) != 500);
	printf("port taken over after %lld ms\n", (long long)(clock_monotonic_ms() - start_ms));
	(void)await_one_link(f.port, first);

	/* and nobody else speaks there any more */
	for (int i = 0; i < 2; i++) {
		assert_true(hear_id(&f.end, 0x351, 1500, &frame));
		assert_int_equal(charge_limit_da(&frame.message), 500);
	}
	assert_int_equal(engine_end(&next), 0);
}

static bool is_in_error(const struct inverter_status *status)
{
	return status->link == LINK_ERROR;
}

static void a_living_gateway_keeps_its_port(void **state)
{
	struct inverter_status status;
	struct can_fixture f;
	struct engine second;
	struct heard_frame frame;
	struct inverter_config config;

	(void)state;
	can_start(&f, PYLON, 100000);
	can_settle(&f, 1000);
	config = config_of(PYLON, f.port);
	engine_start(&second, &config, 1, 50000);
	await_status(&second, 0, is_in_error, 3000, &status);
	assert_non_null(strstr(status.detail, "in use by process"));
	for (int i = 0; i < 2; i++) {
		assert_true(hear_id(&f.end, 0x351, 1500, &frame));
		assert_int_equal(charge_limit_da(&frame.message), 1000);
	}

	/* orderly end of the first: zeros, then the second */
	assert_int_equal(engine_end(&f.engine), 0);
	while (hear_id(&f.end, 0x351, 0, &frame) && charge_limit_da(&frame.message) != 0)
		;
	expect_zeros_then(&f.end, 500, 3000);
	assert_int_equal(engine_end(&second), 0);
	wire_close(&f.end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_gateway_gets_the_port_of_a_dead_one),
		cmocka_unit_test(a_living_gateway_keeps_its_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
