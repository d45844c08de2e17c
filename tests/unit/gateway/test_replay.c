// SPDX-License-Identifier: Apache-2.0
/* A log in place of the rack: steps come when their time has come, as fast as asked for, and a
 * pause in the log goes on as silence. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "onepack/err.h"
#include "replay.h"

static char path[] = "/tmp/onepack-replay-XXXXXX";
static struct fusion_input input;

static struct replay *open_log(const char *text, double speed)
{
	FILE *file = fopen(path, "w");
	struct replay *replay = NULL;
	char why[100];

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(replay_open(path, speed, &replay, why, sizeof why), 0);
	return replay;
}

static const char three_steps[] = "{\"t\":100,\"packs\":[{\"voltage_v\":50}]}\n"
				  "{\"t\":100.5,\"packs\":[]}\n"
				  "{\"t\":101.5,\"packs\":[{\"voltage_v\":51}]}\n";

static void steps_come_in_their_time(void **state)
{
	struct replay *replay = open_log(three_steps, 2);

	(void)state;
	assert_int_equal(replay_take(replay, 7000, &input), REPLAY_STEP);
	assert_int_equal(input.now_ms, 100000);
	assert_int_equal(input.pack_count, 1);
	assert_int_equal(replay_take(replay, 7249, &input), REPLAY_NOTHING);
	assert_int_equal(replay_take(replay, 7250, &input), REPLAY_STEP);
	assert_int_equal(input.now_ms, 100500);
	assert_int_equal(replay_take(replay, 7250, &input), REPLAY_NOTHING);
	assert_int_equal(replay_take(replay, 9000, &input), REPLAY_STEP);
	assert_int_equal(input.packs[0].voltage_mv, 51000);
	assert_int_equal(replay_take(replay, 9000, &input), REPLAY_END);
	replay_close(replay);
}

static void all_that_are_due_come_one_by_one(void **state)
{
	struct replay *replay = open_log(three_steps, 1);

	(void)state;
	assert_int_equal(replay_take(replay, 0, &input), REPLAY_STEP);
	for (int i = 0; i < 2; i++)
		assert_int_equal(replay_take(replay, 60000, &input), REPLAY_STEP);
	assert_int_equal(input.now_ms, 101500);
	assert_int_equal(replay_take(replay, 60000, &input), REPLAY_END);
	replay_close(replay);
}

static void a_pause_goes_on_as_silence(void **state)
{
	struct replay *replay = open_log("{\"t\":0,\"packs\":[{\"voltage_v\":50}]}\n"
					 "{\"t\":10,\"packs\":[{\"voltage_v\":51}]}\n",
					 1);
	int64_t last_ms = 0;
	int silent = 0;

	(void)state;
	assert_int_equal(replay_take(replay, 0, &input), REPLAY_STEP);
	while (replay_take(replay, 9999, &input) == REPLAY_STEP) {
		assert_int_equal(input.pack_count, 0);
		assert_true(input.now_ms > last_ms && input.now_ms < 10000);
		last_ms = input.now_ms;
		silent++;
	}
	assert_int_equal(silent, 10000 / REPLAY_FILL_MS - 1);
	assert_int_equal(replay_take(replay, 10000, &input), REPLAY_STEP);
	assert_int_equal(input.packs[0].voltage_mv, 51000);
	replay_close(replay);
}

static void what_cannot_be_replayed_is_told(void **state)
{
	struct replay *replay = NULL;
	char why[200];

	(void)state;
	assert_true(replay_open("/nowhere/log", 1, &replay, why, sizeof why) < 0);
	assert_non_null(strstr(why, "/nowhere/log: No such file"));
	fclose(fopen(path, "w"));
	assert_true(replay_open(path, 1, &replay, why, sizeof why) < 0);
	assert_non_null(strstr(why, "is empty"));
	assert_null(replay);
	replay_close(NULL);
}

static int make_file(void **state)
{
	const int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_come_in_their_time),
		cmocka_unit_test(all_that_are_due_come_one_by_one),
		cmocka_unit_test(a_pause_goes_on_as_silence),
		cmocka_unit_test(what_cannot_be_replayed_is_told),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
