// SPDX-License-Identifier: Apache-2.0
/* An orderly end: the last thing that a CAN inverter hears is one full set of zero limits; the exit
 * status is 0; no process is left. Also several links at once, and what cannot start. */
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "onepack/clock.h"

static const uint32_t pylon_set[] = {0x351, 0x355, 0x356, 0x359, 0x35C, 0x35E, 0};

/* The required four; the rest depends on what is known. */
static const uint32_t victron_set[] = {0x351, 0x355, 0x356, 0x35A, 0};

static void check_last_set(const char *protocol, const uint32_t *ids)
{
	struct heard_frame frames[400];
	struct can_fixture f;
	pid_t pid;
	int count = 0;
	int start;

	can_start(&f, protocol, 100000);
	can_settle(&f, 1000);
	assert_int_equal(engine_end(&f.engine), 0);
	assert_int_equal(find_links(f.port, &pid, 1), 0);
	while (count < 400 && hear_frame(&f.end, 0, &frames[count]))
		count++;

	start = count - 1;
	while (start > 0 && frames[start].message.id != 0x351)
		start--;
	assert_true(start >= 0);
	assert_int_equal(charge_limit_da(&frames[start].message), 0);
	assert_int_equal(discharge_limit_da(&frames[start].message), 0);
	assert_true(frames[start].message.data[0] || frames[start].message.data[1]);
	for (int i = 0; ids[i]; i++) {
		assert_true(start + i < count);
		assert_int_equal(frames[start + i].message.id, ids[i]);
		if (ids[i] == 0x35C)
			assert_int_equal(frames[start + i].message.data[0], 0);
	}
	wire_close(&f.end);
}

static void zero_limits_are_the_last_word(void **state)
{
	(void)state;
	check_last_set("can/pylon-lv-1.2", pylon_set);
	check_last_set("can/victron-20170717", victron_set);
}

static void several_inverters_see_one_battery(void **state)
{
	struct wire_end ends[2];
	char ports[2][80];
	struct inverter_config configs[2];
	struct heard_frame frame;
	struct engine engine;

	(void)state;
	for (int i = 0; i < 2; i++) {
		wire_open(&ends[i]);
		snprintf(ports[i], sizeof ports[i], "slcan:%s", ends[i].path);
	}
	configs[0] = config_of("can/pylon-lv-1.2", ports[0]);
	configs[1] = config_of("can/victron-20170717", ports[1]);
	engine_start(&engine, configs, 2, 70000);
	for (int i = 0; i < 2; i++)
		do
			assert_true(hear_id(&ends[i], 0x351, 3000, &frame));
		while (charge_limit_da(&frame.message) != 700);
	assert_int_equal(engine_end(&engine), 0);
	for (int i = 0; i < 2; i++) {
		int last_da = -1;

		while (hear_id(&ends[i], 0x351, 0, &frame))
			last_da = charge_limit_da(&frame.message);
		assert_int_equal(last_da, 0);
		wire_close(&ends[i]);
	}
}

static bool is_in_error(const struct inverter_status *status)
{
	return status->link == LINK_ERROR;
}

static void what_cannot_work_says_why_and_ends_quickly(void **state)
{
	struct inverter_config configs[3] = {
		config_of("can/pylon-lv-1.2", "slcan:/dev/onepack-no-such-adapter"),
		config_of("can/no-such-protocol", "slcan:/dev/onepack-nothing"),
		config_of("can/pylon-lv-1.2", "slcan:/dev/onepack-option"),
	};
	struct inverter_status status;
	struct engine engine;
	int64_t start_ms;

	(void)state;
	configs[2].options[0] = (struct inverter_option){"sparkle", "yes"};
	configs[2].option_count = 1;
	engine_start(&engine, configs, 3, 100000);
	await_status(&engine, 0, is_in_error, 3000, &status);
	assert_non_null(strstr(status.detail, "No such file"));
	await_status(&engine, 1, is_in_error, 3000, &status);
	assert_string_equal(status.detail, "the protocol cannot be loaded");
	await_status(&engine, 2, is_in_error, 3000, &status);
	assert_non_null(strstr(status.detail, "sparkle"));
	start_ms = clock_monotonic_ms();
	assert_int_equal(engine_end(&engine), 0);
	assert_true(clock_monotonic_ms() - start_ms < 1000);
}

static void a_wrong_set_of_links_is_refused(void **state)
{
	struct inverter_config configs[STATUS_MAX_INVERTERS + 1];
	struct links *links = NULL;
	char why[256] = "";
	int lease_fd = lease_create();

	(void)state;
	for (int i = 0; i <= STATUS_MAX_INVERTERS; i++)
		configs[i] = config_of("can/pylon-lv-1.2", "slcan:/dev/one");
	assert_int_equal(
		links_start(configs, STATUS_MAX_INVERTERS + 1, lease_fd, &links, why, sizeof why),
		-E2BIG);
	assert_string_equal(why, "9 inverters are too many, the most is 8");
	assert_int_equal(links_start(configs, 2, lease_fd, &links, why, sizeof why), -EINVAL);
	assert_string_equal(why, "two inverters on one port: slcan:/dev/one");
	setenv("ONEPACK_LINK", "/nowhere/onepack-link", 1);
	assert_int_equal(links_start(configs, 1, lease_fd, &links, why, sizeof why), -ENOENT);
	assert_string_equal(why, "cannot start /nowhere/onepack-link: No such file or directory");
	assert_int_equal(links_start(configs, 1, -1, &links, why, sizeof why), -EBADF);
	assert_null(links);
	unsetenv("ONEPACK_LINK");
	close(lease_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_limits_are_the_last_word),
		cmocka_unit_test(several_inverters_see_one_battery),
		cmocka_unit_test(what_cannot_work_says_why_and_ends_quickly),
		cmocka_unit_test(
			a_wrong_set_of_links_is_refused), /* last: it spoils ONEPACK_LINK */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
