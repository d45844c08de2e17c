// SPDX-License-Identifier: Apache-2.0
/* The board: what is published is seen whole, waiting wakes up, events are numbered and bounded. */
#include "../cmocka_all.h"

#include <pthread.h>
#include <stdio.h>

#include "onepack/board_writer.h"

static void an_empty_board_is_an_unknown_battery(void **state)
{
	struct board *board = board_new();
	struct battery battery;
	struct inverter_status inverters[STATUS_MAX_INVERTERS];

	(void)state;
	assert_int_equal(board_battery(board, &battery), 0);
	assert_int_equal(battery.voltage_mv, FIELD_UNKNOWN);
	assert_int_equal(board_inverters(board, inverters), 0);
	assert_int_equal(board_wait(board, 0, 1), 0);
	board_free(board);
}

static void *publish_many(void *argument)
{
	struct battery battery;

	battery_clear(&battery);
	for (int32_t i = 1; i <= 2000; i++) {
		battery.voltage_mv = battery.packs_online = i;
		board_publish(argument, &battery);
	}
	return NULL;
}

static void readers_see_whole_snapshots_in_order(void **state)
{
	struct board *board = board_new();
	struct battery battery;
	uint64_t seen = 0;
	pthread_t writer;

	(void)state;
	pthread_create(&writer, NULL, publish_many, board);
	while (seen < 2000) {
		board_wait(board, seen, 1000);
		const uint64_t sequence = board_battery(board, &battery);
		assert_true(sequence > seen);
		assert_int_equal(battery.voltage_mv, battery.packs_online);
		assert_int_equal(battery.voltage_mv, sequence);
		seen = sequence;
	}
	pthread_join(writer, NULL);
	board_free(board);
}

static void events_are_numbered_and_the_newest_are_kept(void **state)
{
	struct board *board = board_new();
	struct event event = {.pack = 1}, out[300];
	uint64_t last = 0;

	(void)state;
	for (int i = 1; i <= 300; i++) {
		snprintf(event.kind, sizeof event.kind, "%d", i);
		board_post_event(board, &event);
	}
	assert_int_equal(board_events(board, 0, out, 300, &last), 256);
	assert_int_equal(last, 300);
	assert_string_equal(out[0].kind, "45");
	assert_int_equal(board_events(board, 298, out, 1, &last), 1);
	assert_string_equal(out[0].kind, "299");
	assert_int_equal(last, 299);
	assert_int_equal(board_events(board, 1000, out, 300, &last), 0);
	assert_int_equal(last, 300);
	board_free(board);
}

static void statuses_are_replaced_as_a_whole(void **state)
{
	struct board *board = board_new();
	struct bus_status buses[STATUS_MAX_BUSES] = {{.cycles = 7}}, out[STATUS_MAX_BUSES];
	struct inverter_status inverters[STATUS_MAX_INVERTERS] = {{.frames_sent = 3},
								  {.frames_sent = 4}};

	(void)state;
	board_set_buses(board, buses, 1);
	board_set_inverters(board, inverters, 100); /* more than there is room for: cut */
	assert_int_equal(board_buses(board, out), 1);
	assert_int_equal(out[0].cycles, 7);
	assert_int_equal(board_inverters(board, inverters), STATUS_MAX_INVERTERS);
	assert_int_equal(inverters[1].frames_sent, 4);
	board_free(board);
}

static void closing_wakes_the_waiters(void **state)
{
	struct board *board = board_new();

	(void)state;
	assert_false(board_is_closed(board));
	board_close(board);
	assert_int_equal(board_wait(board, 0, 60000), 0);
	assert_true(board_is_closed(board));
	board_free(board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_board_is_an_unknown_battery),
		cmocka_unit_test(readers_see_whole_snapshots_in_order),
		cmocka_unit_test(events_are_numbered_and_the_newest_are_kept),
		cmocka_unit_test(statuses_are_replaced_as_a_whole),
		cmocka_unit_test(closing_wakes_the_waiters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
