// SPDX-License-Identifier: Apache-2.0
/* kill -9 in the middle of a batch, many times, at moments that nobody chose: the file stays whole
 * and everything that was committed is there. */
#include "fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define ROUNDS 12

/* Commits as fast as it can and tells each finished batch; never returns. */
static void write_forever(const char *path, int64_t from_s, int tell)
{
	struct writer writer;
	char why[STORE_DETAIL_SIZE];
	bool moved_aside;

	if (writer_open(&writer, path, &moved_aside, why, sizeof why) != SQLITE_OK || moved_aside)
		_exit(1);
	for (int64_t time_s = from_s;; time_s += 60) {
		if (commit_minute(&writer, time_s, 16) != SQLITE_OK)
			_exit(2);
		if (write(tell, &time_s, sizeof time_s) != sizeof time_s)
			_exit(3);
	}
}

/* Returns the last batch that the writer said was committed. */
static int64_t write_and_kill(const char *path, int64_t from_s, long kill_after_us)
{
	int ends[2], status;
	int64_t time_s, last_s = -1;

	assert_int_equal(pipe(ends), 0);
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[0]);
		write_forever(path, from_s, ends[1]);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &last_s, sizeof last_s), sizeof last_s);
	nanosleep(&(struct timespec){.tv_nsec = kill_after_us * 1000}, NULL);
	kill(child, SIGKILL);
	while (read(ends[0], &time_s, sizeof time_s) == sizeof time_s)
		last_s = time_s;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	close(ends[0]);
	return last_s;
}

static void a_killed_writer_loses_at_most_the_open_batch(void **state)
{
	struct place place;
	int32_t charged_wh, discharged_wh;
	struct battery battery;
	sqlite3 *db;
	int64_t from_s = NOON_S, last_s, newest_s;

	(void)state;
	place_make(&place);
	for (int round = 0; round < ROUNDS; round++) {
		last_s = write_and_kill(place.path, from_s, 20000 + round * 7300);
		/* the engine asks first after a crash, and reads only */
		assert_int_equal(store_last_energy(place.path, &charged_wh, &discharged_wh), 0);
		assert_int_equal(sqlite3_open(place.path, &db), SQLITE_OK);
		assert_int_equal(number(db, "SELECT integrity_check = 'ok' FROM "
					    "pragma_integrity_check"),
				 1);
		newest_s = number(db, "SELECT max(time) FROM battery_10s");
		/* all that it told, and at most the one that it could not tell any more; whole */
		assert_true(newest_s == last_s + 50 || newest_s == last_s + 110);
		assert_int_equal(number(db, "SELECT count(*) FROM battery_10s"),
				 (newest_s + 10 - NOON_S) / 10);
		assert_int_equal(number(db, "SELECT count(*) FROM pack_10s"),
				 (newest_s + 10 - NOON_S) / 10 * 16);
		make_battery(&battery, newest_s, 0);
		assert_int_equal(charged_wh, battery.energy_charged_wh);
		assert_int_equal(sqlite3_close(db), SQLITE_OK);
		from_s = newest_s + 10;
	}
	place_remove(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_killed_writer_loses_at_most_the_open_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
