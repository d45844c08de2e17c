// SPDX-License-Identifier: Apache-2.0
/* After its protocol's time without limits a link falls silent; it speaks again when they come
 * back, and an orphan ends. The protocol is a user's file with a short time. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "onepack/clock.h"

#define SILENCE_MS 1000

static const char protocol[] =
	"title: for the test of silence\n"
	"source: this test\n"
	"silence_ms: 1000\n"
	"can: {bitrate: 500000, period_ms: 200}\n"
	"messages:\n"
	"  - id: 0x351\n"
	"    name: limits\n"
	"    fields:\n"
	"      - {is: charge_voltage_limit, as: u16, unit: 0.1 V, unknown: [voltage, 51.2]}\n"
	"      - {is: charge_current_limit, as: s16, unit: 0.1 A}\n"
	"      - {is: discharge_current_limit, as: s16, unit: 0.1 A}\n"
	"  - {id: 0x305, name: heartbeat, from: inverter, fields: [{skip: 8}]}\n";

static char directory[] = "/tmp/onepack-silence-XXXXXX";

static int set_up(void **state)
{
	char path[128];
	FILE *file;

	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof path, "%s/can", directory);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/can/quick.yaml", directory);
	file = fopen(path, "we");
	if (!file)
		return -1;
	fputs(protocol, file);
	(void)fclose(file);
	return setenv("ONEPACK_PROTOCOLS", directory, 1);
}

static int tear_down(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/can/quick.yaml", directory);
	unlink(path);
	snprintf(path, sizeof path, "%s/can", directory);
	rmdir(path);
	return rmdir(directory);
}

/* Reads until nothing has come for a while; when the last frame came. All from `zero_us` on are
 * zeros. */
static int64_t last_frame_us(struct wire_end *end, int64_t zero_us)
{
	struct heard_frame frame;
	int64_t last_us = 0;

	while (hear_id(end, 0x351, 600, &frame)) {
		last_us = frame.at_us;
		if (last_us > zero_us)
			assert_int_equal(charge_limit_da(&frame.message), 0);
	}
	return last_us;
}

static bool is_silent(const struct inverter_status *status)
{
	return strcmp(status->detail, "silent: no limits from the engine") == 0;
}

static void it_falls_silent_and_comes_back(void **state)
{
	struct inverter_status status;
	struct can_fixture f;
	struct heard_frame frame;
	int64_t start_us;
	int64_t last_us;
	pid_t pid;

	(void)state;
	can_start(&f, "can/quick", 100000);
	assert_true(hear_id(&f.end, 0x351, 3000, &frame));
	while (charge_limit_da(&frame.message) != 1000)
		assert_true(hear_id(&f.end, 0x351, 3000, &frame));
	start_us = clock_monotonic_us();
	atomic_store(&f.engine.control->hang, true);
	last_us = last_frame_us(&f.end, start_us + INT64_C(1000) * (LEASE_TTL_MS + 100));
	assert_in_range(last_us - start_us, 1000 * (LEASE_TTL_MS + SILENCE_MS - 300),
			1000 * (LEASE_TTL_MS + SILENCE_MS + 100));
	await_status(&f.engine, 0, is_silent, 1000, &status);

	atomic_store(&f.engine.control->hang, false);
	assert_true(hear_id(&f.end, 0x351, 500, &frame));
	assert_int_equal(charge_limit_da(&frame.message), 1000);

	engine_kill(&f.engine, SIGKILL);
	assert_int_equal(find_links(f.port, &pid, 1), 1);
	assert_true(links_are_gone(f.port, LEASE_TTL_MS + SILENCE_MS + 1500));
	wire_close(&f.end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(it_falls_silent_and_comes_back)};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
