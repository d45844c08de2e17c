// SPDX-License-Identifier: Apache-2.0
/* Batches into real files: roll-ups, retention, a grown vocabulary, damaged files, full disks. */
#include "fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct place place;
static struct writer writer;
static bool moved_aside;
static char why[STORE_DETAIL_SIZE];

static int open_place(void **state)
{
	(void)state;
	place_make(&place);
	return writer_open(&writer, place.path, &moved_aside, why, sizeof why);
}

static int close_place(void **state)
{
	(void)state;
	writer_close(&writer);
	place_remove(&place);
	return 0;
}

static void rows_are_written_and_rolled_up(void **state)
{
	(void)state;
	for (int minute = 0; minute < 16; minute++)
		assert_int_equal(commit_minute(&writer, NOON_S + minute * 60, 3), SQLITE_OK);
	assert_int_equal(number(writer.db, "SELECT count(*) FROM battery_10s"), 96);
	assert_int_equal(number(writer.db, "SELECT count(*) FROM pack_10s"), 288);
	assert_int_equal(number(writer.db, "SELECT count(*) FROM battery_1m"), 15);
	assert_int_equal(number(writer.db, "SELECT count(*) FROM pack_1m"), 45);
	assert_int_equal(number(writer.db, "SELECT count(*) FROM battery_15m"), 1);
	assert_int_equal(number(writer.db, "SELECT count(*) FROM pack_15m WHERE pack = 3"), 1);
	/* every sixth of 240..329, 12:00 being wave 240 */
	assert_int_equal(number(writer.db, "SELECT voltage FROM battery_1m LIMIT 1"),
			 number(writer.db, "SELECT round(avg(voltage)) FROM (SELECT voltage FROM "
					   "battery_10s LIMIT 6)"));
	assert_int_equal(number(writer.db, "SELECT cell_min FROM pack_15m WHERE pack = 2"),
			 number(writer.db, "SELECT min(cell_min) FROM pack_10s WHERE pack = 2"));
	assert_int_equal(number(writer.db, "SELECT energy_charged FROM battery_15m"),
			 number(writer.db, "SELECT energy_charged FROM battery_10s WHERE time = "
					   "(SELECT max(time) FROM battery_10s WHERE time < "
					   "1767268800 + 900)"));
}

static void roll_ups_go_on_after_a_restart(void **state)
{
	(void)state;
	for (int minute = 0; minute < 14; minute++)
		assert_int_equal(commit_minute(&writer, NOON_S + minute * 60, 1), SQLITE_OK);
	writer_close(&writer);
	assert_int_equal(writer_open(&writer, place.path, &moved_aside, why, sizeof why), 0);
	assert_false(moved_aside);
	assert_int_equal(number(writer.db, "SELECT count(*) FROM battery_15m"), 0);
	assert_int_equal(commit_minute(&writer, NOON_S + 14 * 60, 1), SQLITE_OK);
	assert_int_equal(number(writer.db, "SELECT count(*) FROM battery_1m"), 15);
	assert_int_equal(number(writer.db, "SELECT count(*) FROM battery_15m"), 1);
}

static void after_the_clock_was_set_back_newer_rows_win(void **state)
{
	(void)state;
	for (int minute = 0; minute < 31; minute++)
		assert_int_equal(commit_minute(&writer, NOON_S + minute * 60, 1), SQLITE_OK);
	assert_int_equal(number(writer.db, "SELECT count(*) FROM battery_15m"), 2);
	assert_int_equal(number(writer.db, "SELECT packs_online FROM battery_1m LIMIT 1"), 1);
	database_run(writer.db, "UPDATE battery_10s SET packs_online = 7");
	assert_int_equal(commit_minute(&writer, NOON_S + 60, 1), SQLITE_OK);
	assert_int_equal(commit_minute(&writer, NOON_S + 31 * 60, 1), SQLITE_OK);
	assert_int_equal(number(writer.db, "SELECT count(*) FROM battery_10s"), 32 * 6);
	assert_int_equal(number(writer.db, "SELECT packs_online FROM battery_1m LIMIT 1"), 7);
	assert_int_equal(number(writer.db, "SELECT packs_online FROM battery_1m LIMIT 1 OFFSET 1"),
			 1);
}

static void old_rows_go_in_small_steps(void **state)
{
	int64_t day_later_s = NOON_S + 8 * 86400;

	(void)state;
	for (int minute = 0; minute < 4 * 60; minute++)
		assert_int_equal(commit_minute(&writer, NOON_S + minute * 60, 1), SQLITE_OK);
	assert_int_equal(commit_minute(&writer, day_later_s, 1), SQLITE_OK);
	assert_int_equal(number(writer.db, "SELECT count(*) FROM battery_10s"), 3 * 360 + 6);
	for (int quarter = 1; quarter <= 5; quarter++)
		assert_int_equal(commit_minute(&writer, day_later_s + quarter * 900, 1), SQLITE_OK);
	assert_int_equal(number(writer.db, "SELECT min(time) FROM battery_10s"), day_later_s);
	assert_int_equal(number(writer.db, "SELECT min(time) FROM pack_10s"), day_later_s);
	assert_int_equal(number(writer.db, "SELECT min(time) FROM battery_1m"), NOON_S);
}

static void a_file_of_an_older_version_gets_the_runner_up(void **state)
{
	static const char *const columns[] = {"next_value", "next_pack", "next_cell", "next_rule",
					      "next_text"};
	struct reason_row row = {.wall_ms = NOON_S * 1000};
	struct batch batch = {.reasons = &row, .reason_count = 1};
	struct store_config config;
	char sql[80];

	(void)state;
	store_config_default(&config);
	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
		snprintf(sql, sizeof sql, "ALTER TABLE reasons DROP COLUMN %s", columns[i]);
		assert_int_equal(database_run(writer.db, sql), SQLITE_OK);
	}
	writer_close(&writer);
	assert_int_equal(writer_open(&writer, place.path, &moved_aside, why, sizeof why), 0);
	strcpy(row.reason.rule, "share");
	row.reason.runner_up = (struct runner_up){.value = 41000, .pack = 2, .cell = FIELD_UNKNOWN};
	strcpy(row.reason.runner_up.rule, "temperature");
	assert_int_equal(writer_commit(&writer, &config, &batch, NOON_S), SQLITE_OK);
	assert_int_equal(number(writer.db, "SELECT next_value FROM reasons"), 41000);
	assert_int_equal(number(writer.db, "SELECT count(*) FROM reasons WHERE next_cell IS NULL "
					   "AND next_rule = 'temperature'"),
			 1);
	row.reason.runner_up.rule[0] = '\0'; /* nothing else limits: nothing is written */
	assert_int_equal(writer_commit(&writer, &config, &batch, NOON_S), SQLITE_OK);
	assert_int_equal(number(writer.db, "SELECT count(*) FROM reasons WHERE next_value IS NULL "
					   "AND next_rule IS NULL"),
			 1);
}

static void a_new_field_becomes_a_column(void **state)
{
	(void)state;
	assert_int_equal(commit_minute(&writer, NOON_S, 1), SQLITE_OK);
	assert_int_equal(database_run(writer.db, "ALTER TABLE battery_10s DROP COLUMN soh;"
						 "ALTER TABLE pack_1m DROP COLUMN soc"),
			 SQLITE_OK);
	writer_close(&writer);
	assert_int_equal(writer_open(&writer, place.path, &moved_aside, why, sizeof why), 0);
	assert_int_equal(commit_minute(&writer, NOON_S + 60, 1), SQLITE_OK);
	assert_int_equal(number(writer.db, "SELECT count(*) FROM battery_10s"), 12);
	assert_int_equal(number(writer.db, "SELECT count(soh) FROM battery_10s"), 6);
	assert_int_equal(number(writer.db, "SELECT count(*) FROM pragma_table_info('pack_1m') "
					   "WHERE name = 'soc'"),
			 1);
}

static void the_file_is_set_up_for_flash(void **state)
{
	(void)state;
	assert_int_equal(number(writer.db, "PRAGMA auto_vacuum"), 2);
	assert_int_equal(number(writer.db, "PRAGMA synchronous"), 2);
	assert_int_equal(number(writer.db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"),
			 1);
	for (int minute = 0; minute < 200; minute++)
		assert_int_equal(commit_minute(&writer, NOON_S + minute * 60, 16), SQLITE_OK);
	char wal[STORE_PATH_SIZE + 8];
	struct stat info;
	snprintf(wal, sizeof wal, "%s-wal", place.path);
	assert_int_equal(stat(wal, &info), 0);
	assert_in_range(info.st_size, 1, 3 << 19); /* checkpoints keep the log short */
}

static void write_file(const char *text, size_t offset)
{
	FILE *file = fopen(place.path, "r+");

	assert_non_null(file);
	assert_int_equal(fseek(file, (long)offset, SEEK_SET), 0);
	for (int i = 0; i < 2000; i++)
		assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void a_damaged_file_is_put_aside(void **state)
{
	static const size_t offsets[] = {0, 2048}; /* no database at all; broken inside */
	char aside[STORE_PATH_SIZE + 16];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(commit_minute(&writer, NOON_S, 16), SQLITE_OK);
		writer_close(&writer);
		write_file("not a database ", offsets[i]);
		assert_int_equal(writer_open(&writer, place.path, &moved_aside, why, sizeof why),
				 SQLITE_OK);
		assert_true(moved_aside);
		snprintf(aside, sizeof aside, "%s.malformed", place.path);
		assert_int_equal(access(aside, F_OK), 0);
		assert_int_equal(unlink(aside), 0);
		assert_int_equal(number(writer.db, "SELECT count(*) FROM battery_10s"), 0);
	}
}

/* RLIMIT_FSIZE stands for a full disk: writes beyond it fail in the same place. */
static void a_full_disk_fails_the_batch_and_leaves_the_file_whole(void **state)
{
	struct rlimit limit, full;
	int minute = 0;

	(void)state;
	assert_int_equal(commit_minute(&writer, NOON_S, 16), SQLITE_OK);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	full = limit;
	full.rlim_cur = 300000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	while (commit_minute(&writer, NOON_S + ++minute * 60, 16) == SQLITE_OK)
		assert_true(minute < 10000);
	writer_close(&writer);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(writer_open(&writer, place.path, &moved_aside, why, sizeof why), 0);
	assert_false(moved_aside);
	assert_int_equal(number(writer.db, "SELECT count(*) FROM battery_10s"), minute * 6);
	assert_int_equal(number(writer.db, "SELECT count(*) FROM pack_10s"), minute * 96);
	assert_int_equal(commit_minute(&writer, NOON_S + minute * 60, 16), SQLITE_OK);
}

static void a_folder_that_is_not_there_is_explained(void **state)
{
	struct writer other;

	(void)state;
	assert_int_not_equal(
		writer_open(&other, "/nonexistent/history.db", &moved_aside, why, sizeof why),
		SQLITE_OK);
	assert_non_null(strstr(why, "/nonexistent/history.db"));
	writer_close(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_A_PLACE(name) cmocka_unit_test_setup_teardown(name, open_place, close_place)
		IN_A_PLACE(rows_are_written_and_rolled_up),
		IN_A_PLACE(roll_ups_go_on_after_a_restart),
		IN_A_PLACE(after_the_clock_was_set_back_newer_rows_win),
		IN_A_PLACE(old_rows_go_in_small_steps),
		IN_A_PLACE(a_file_of_an_older_version_gets_the_runner_up),
		IN_A_PLACE(a_new_field_becomes_a_column),
		IN_A_PLACE(the_file_is_set_up_for_flash),
		IN_A_PLACE(a_damaged_file_is_put_aside),
		IN_A_PLACE(a_full_disk_fails_the_batch_and_leaves_the_file_whole),
		cmocka_unit_test(a_folder_that_is_not_there_is_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
