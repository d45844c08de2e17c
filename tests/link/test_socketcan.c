// SPDX-License-Identifier: Apache-2.0
/* A CAN link on a kernel interface, heard on a second one: ONEPACK_TEST_CAN="can0 can1" names two
 * interfaces on one bus that are up with 500 kbit/s. Without it the test is skipped: most machines
 * that build this have no CAN. */
#include "harness.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onepack/clock.h"
#include "onepack/port.h"

#define SKIPPED 77
#define PYLON   "can/pylon-lv-1.2"

static char link_name[16];
static char ear_name[16];

/* The next frame with this id at the ear. */
static bool hear(struct can_port *ear, uint32_t id, int timeout_ms, struct heard_frame *out)
{
	int64_t end_ms = clock_monotonic_ms() + timeout_ms;

	while (clock_monotonic_ms() < end_ms) {
		struct pollfd p = {.fd = can_port_fd(ear), .events = POLLIN};

		poll(&p, 1, 10);
		while (can_port_receive(ear, &out->message) > 0)
			if (out->message.id == id) {
				out->at_us = clock_monotonic_us();
				return true;
			}
	}
	return false;
}

static bool is_alive(const struct inverter_status *status)
{
	return status->link == LINK_UP && status->view.inverter_alive == 1;
}

static void limits_presence_and_a_killed_engine(void **state)
{
	struct inverter_config config = config_of(PYLON, link_name);
	const struct can_message heartbeat = {.id = 0x305, .length = 8};
	struct inverter_status status;
	struct heard_frame frame = {0};
	struct can_port *ear;
	struct engine engine;
	char why[256] = "";
	int64_t last_us = 0;
	int64_t killed_us;

	(void)state;
	assert_int_equal(can_port_open(ear_name, 500000, &ear, why, sizeof why), 0);
	engine_start(&engine, &config, 1, 100000);
	do
		assert_true(hear(ear, 0x351, 3000, &frame));
	while (charge_limit_da(&frame.message) != 1000);
	for (int i = 0; i < 3; i++) {
		assert_true(hear(ear, 0x351, 2000, &frame));
		if (last_us)
			assert_in_range(frame.at_us - last_us, 900000, 1100000);
		last_us = frame.at_us;
	}
	assert_int_equal(can_port_send(ear, &heartbeat), 0);
	await_status(&engine, 0, is_alive, 2000, &status);

	atomic_store(&engine.control->limit_ma, 40000);
	assert_true(hear(ear, 0x351, 500, &frame));
	assert_int_equal(charge_limit_da(&frame.message), 400);
	printf("from publication to frame: %lld us\n",
	       (long long)(frame.at_us - atomic_load(&engine.control->changed_us)));

	killed_us = clock_monotonic_us();
	engine_kill(&engine, SIGKILL);
	do
		assert_true(hear(ear, 0x351, 2000, &frame));
	while (charge_limit_da(&frame.message) != 0);
	assert_in_range(frame.at_us - killed_us, 1, 3000000);
	end_links(link_name);
	can_port_close(ear);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(limits_presence_and_a_killed_engine)};
	const char *names = getenv("ONEPACK_TEST_CAN");

	if (!names || sscanf(names, "%15s %15s", link_name, ear_name) != 2) {
		puts("skipped: ONEPACK_TEST_CAN names no two interfaces");
		return SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
