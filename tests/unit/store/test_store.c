// SPDX-License-Identifier: Apache-2.0
/* The writer thread with a real board and real files: batches, alarms at once, disks that come and
 * go. */
#include "fixture.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "onepack/board_writer.h"
#include "onepack/clock.h"
#include "onepack/err.h"

static struct place place;
static struct board *board;
static struct store *store;
static struct store_config config;

static int set_up(void **state)
{
	(void)state;
	place_make(&place);
	board = board_new();
	store_config_default(&config);
	snprintf(config.path, sizeof config.path, "%s", place.path);
	config.sample_ms = 50;
	store = NULL;
	return board ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	store_stop(store);
	board_free(board);
	umount(place.folder); /* of the one test that has mounted */
	place_remove(&place);
	return 0;
}

static void start(void)
{
	char why[STORE_DETAIL_SIZE] = "";

	if (store_start(&config, board, &store, why, sizeof why) < 0)
		fail_msg("%s", why);
}

static void publish(void)
{
	struct battery battery;

	make_battery(&battery, clock_wall_ms() / 1000, 2);
	battery.reason_count = 1;
	battery.reasons[0].limit = LIMIT_CHARGE_CURRENT;
	strcpy(battery.reasons[0].rule, "share");
	board_publish(board, &battery);
}

static void post(enum event_severity severity, const char *kind)
{
	struct event event = {.time_ms = clock_wall_ms(), .severity = severity};

	strcpy(event.kind, kind);
	board_post_event(board, &event);
}

static bool is_working(const struct store_status *status)
{
	return status->state == STORE_WORKING;
}

static bool has_failed(const struct store_status *status)
{
	return status->state == STORE_FAILED;
}

static bool has_event(const struct store_status *status)
{
	return status->events_written > 0;
}

static bool has_samples(const struct store_status *status)
{
	return status->samples_written > 1;
}

static void wait_until(bool (*is_true)(const struct store_status *))
{
	const int64_t end_ms = clock_monotonic_ms() + 8000;
	struct store_status status;

	do {
		store_get_status(store, &status);
		if (is_true(&status))
			return;
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	} while (clock_monotonic_ms() < end_ms);
	fail_msg("state %s, %s, %d commits", store_state_name(status.state), status.detail,
		 (int)status.commits);
}

static int64_t count_in_file(const char *sql)
{
	sqlite3 *db;
	int64_t found;

	assert_int_equal(sqlite3_open(place.path, &db), SQLITE_OK);
	found = number(db, sql);
	sqlite3_close(db);
	return found;
}

static void samples_wait_for_their_batch_and_stop_commits_them(void **state)
{
	struct store_status status;

	(void)state;
	start();
	wait_until(is_working); /* the file was opened by a first, empty commit */
	publish();
	nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
	store_get_status(store, &status);
	assert_int_equal(status.samples_written, 0);
	assert_int_equal(status.commits, 1);
	store_stop(store);
	store = NULL;
	assert_true(count_in_file("SELECT count(*) FROM battery_10s") >= 1);
	assert_int_equal(count_in_file("SELECT count(*) FROM reasons WHERE rule = 'share'"), 1);
}

static void batches_are_committed_when_they_are_old_enough(void **state)
{
	(void)state;
	config.batch_ms = 100;
	publish();
	start();
	wait_until(has_samples);
}

static void an_alarm_is_committed_at_once_and_numbers_go_on(void **state)
{
	(void)state;
	start();
	wait_until(is_working);
	post(EVENT_INFO, "login");
	post(EVENT_ALARM, "pack_lost");
	wait_until(has_event);
	assert_int_equal(store_event_base(store), 0);
	store_stop(store);
	assert_int_equal(count_in_file("SELECT count(*) FROM events"), 2);
	/* the next start of the gateway: a new board begins with number 1 again */
	board_free(board);
	board = board_new();
	start();
	wait_until(is_working);
	assert_int_equal(store_event_base(store), 2);
	post(EVENT_WARNING, "low_soc");
	wait_until(has_event);
	assert_int_equal(count_in_file("SELECT max(id) FROM events WHERE kind = 'low_soc'"), 3);
}

static void a_flapping_alarm_does_not_wear_out_the_disk(void **state)
{
	struct store_status status;

	(void)state;
	config.sample_ms = 2; /* also the tick */
	start();
	wait_until(is_working);
	for (int i = 0; i < 60; i++) {
		post(EVENT_ALARM, "pack_lost");
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	store_get_status(store, &status);
	assert_in_range(status.commits, 10, 22);
	store_stop(store);
	store = NULL;
	assert_int_equal(count_in_file("SELECT count(*) FROM events"), 60);
}

static void a_folder_that_comes_later_is_found(void **state)
{
	(void)state;
	snprintf(config.path, sizeof config.path, "%s/later/history.db", place.folder);
	char folder[STORE_PATH_SIZE];
	snprintf(folder, sizeof folder, "%s/later", place.folder);
	publish();
	config.batch_ms = 100;
	start();
	wait_until(has_failed);
	struct store_status status;
	store_get_status(store, &status);
	assert_non_null(strstr(status.detail, "later/history.db"));
	assert_int_equal(mkdir(folder, 0700), 0);
	wait_until(is_working);
	wait_until(has_samples);
	snprintf(place.path, sizeof place.path, "%s", config.path);
	store_stop(store);
	store = NULL;
	assert_int_equal(count_in_file("SELECT count(*) FROM events WHERE kind IN "
				       "('history_stopped', 'history_resumed')"),
			 2);
}

static void fill_disk(const char *path)
{
	const int file = open(path, O_CREAT | O_WRONLY, 0600);
	const char block[512] = "";

	assert_true(file >= 0);
	while (write(file, block, sizeof block) > 0)
		;
	close(file);
}

/* Posts long events until the disk refuses; the log has some room of its own. Returns how many. */
static int post_until_failed(void)
{
	struct event event = {.severity = EVENT_ALARM, .time_ms = clock_wall_ms()};
	struct store_status status;
	int posted = 0;

	memset(event.text, 'x', sizeof event.text - 1);
	strcpy(event.kind, "long_story");
	do {
		for (int i = 0; i < 50; i++, posted++)
			board_post_event(board, &event);
		nanosleep(&(struct timespec){.tv_nsec = 60000000}, NULL);
		store_get_status(store, &status);
	} while (status.state == STORE_WORKING && posted < 10000);
	return posted;
}

/* A small file system that is full, then has room again; then read-only, then not. */
static void a_full_or_read_only_disk_stops_only_the_history(void **state)
{
	char filler[STORE_PATH_SIZE];

	(void)state;
	if (mount("none", place.folder, "tmpfs", 0, "size=2M") < 0)
		skip();
	config.batch_ms = 20;
	config.sample_ms = 20;
	start();
	wait_until(is_working);
	snprintf(filler, sizeof filler, "%s/filler", place.folder);
	fill_disk(filler);
	const int posted = post_until_failed();
	wait_until(has_failed);
	assert_int_equal(unlink(filler), 0);
	wait_until(is_working);
	store_stop(store);
	assert_int_equal(count_in_file("SELECT count(*) FROM events WHERE kind = 'long_story'"),
			 posted);

	assert_int_equal(mount("none", place.folder, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
	start();
	wait_until(has_failed);
	assert_int_equal(mount("none", place.folder, "tmpfs", MS_REMOUNT, "size=2M"), 0);
	wait_until(is_working);
}

static void wrong_configurations_are_refused(void **state)
{
	char why[STORE_DETAIL_SIZE] = "";

	(void)state;
	config.keep_1m_days = 0;
	assert_int_equal(store_start(&config, board, &store, why, sizeof why), ERR_FORMAT);
	assert_non_null(strstr(why, "keep_"));
	store_config_default(&config);
	assert_int_equal(store_start(&config, board, &store, why, sizeof why), ERR_FORMAT);
	assert_non_null(strstr(why, "path"));
	store_stop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define THREADED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		THREADED(samples_wait_for_their_batch_and_stop_commits_them),
		THREADED(batches_are_committed_when_they_are_old_enough),
		THREADED(an_alarm_is_committed_at_once_and_numbers_go_on),
		THREADED(a_flapping_alarm_does_not_wear_out_the_disk),
		THREADED(a_folder_that_comes_later_is_found),
		THREADED(a_full_or_read_only_disk_stops_only_the_history),
		THREADED(wrong_configurations_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
