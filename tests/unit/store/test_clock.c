// SPDX-License-Identifier: Apache-2.0
/* A gateway without a battery-backed clock: rows wait until the clock is set and get the time they
 * would have had. This program brings clocks of its own in place of src/port/clock.c. */
#include "fixture.h"

#include <stdatomic.h>
#include <time.h>

#include "onepack/board_writer.h"
#include "onepack/clock.h"

static atomic_llong wall_offset_ms; /* wall minus monotonic */

int64_t clock_monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_monotonic_ms(void)
{
	return clock_monotonic_us() / 1000;
}

int64_t clock_wall_ms(void)
{
	return clock_monotonic_ms() + wall_offset_ms;
}

static enum store_state state_of(struct store *store)
{
	struct store_status status;

	store_get_status(store, &status);
	return status.state;
}

static void wait_for(struct store *store, enum store_state wanted)
{
	for (int i = 0; i < 1000 && state_of(store) != wanted; i++)
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	assert_int_equal(state_of(store), wanted);
}

static void rows_wait_for_the_clock(void **state)
{
	struct event event = {.severity = EVENT_ALARM, .pack = 1, .kind = "pack_lost"};
	struct board *board = board_new();
	struct store_config config;
	struct battery battery;
	struct store *store;
	struct place place;
	char why[STORE_DETAIL_SIZE];
	sqlite3 *db;

	(void)state;
	place_make(&place);
	store_config_default(&config);
	snprintf(config.path, sizeof config.path, "%s", place.path);
	config.sample_ms = 20;
	config.batch_ms = 20;
	make_battery(&battery, NOON_S, 1);
	board_publish(board, &battery);
	wall_offset_ms = -clock_monotonic_ms(); /* 1970-01-01 */
	assert_int_equal(store_start(&config, board, &store, why, sizeof why), 0);
	event.time_ms = clock_wall_ms();
	board_post_event(board, &event);
	wait_for(store, STORE_WAITING_FOR_CLOCK);
	nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	wall_offset_ms = NOON_S * 1000 - clock_monotonic_ms();
	wait_for(store, STORE_WORKING);
	store_stop(store);
	board_free(board);
	assert_int_equal(sqlite3_open(place.path, &db), SQLITE_OK);
	/* just before noon, when they happened */
	assert_int_equal(number(db, "SELECT time / 10000 FROM events"), NOON_S / 10 - 1);
	assert_int_equal(number(db, "SELECT min(time) FROM battery_10s"), NOON_S - 10);
	sqlite3_close(db);
	place_remove(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_wait_for_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
