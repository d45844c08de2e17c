// SPDX-License-Identifier: Apache-2.0
/* Deadlines of periodic messages, in virtual time. */
#include "../cmocka_all.h"

#include <string.h>

#include "feed.h"

#define SECOND INT64_C(1000000)

/* Runs for a day as the link does: sleeps until the next deadline, wakes `late_us` after it, sends
 * all that is due. Each message must come at its first deadline plus whole periods. */
static void run_a_day(struct feed *feed, int64_t start_us, int64_t late_us, int64_t *counts)
{
	const struct feed first = *feed;

	for (;;) {
		int64_t now_us = feed_next_us(feed) + late_us;
		int i;

		if (now_us >= start_us + 86400 * SECOND)
			return;
		while ((i = feed_due(feed, now_us)) >= 0) {
			int64_t since_us = now_us - first.next_us[i];

			assert_int_equal(since_us / feed->period_us[i], counts[i]);
			assert_in_range(since_us % feed->period_us[i], 0, late_us);
			counts[i]++;
		}
	}
}

static void nothing_drifts_over_a_day(void **state)
{
	const int32_t periods_ms[] = {1000, 1000, 0, 1000, 250, 3000};
	const int64_t expected[] = {86400, 86400, 0, 86400, 345600, 28800};
	const int64_t start_us = 123456789;
	int64_t counts[6] = {0};
	struct feed feed;

	(void)state;
	feed_start(&feed, periods_ms, 6, start_us);
	run_a_day(&feed, start_us, 900, counts);
	for (int i = 0; i < 6; i++)
		assert_int_equal(counts[i], expected[i]);
}

static void a_set_starts_with_the_first_message_and_keeps_its_order(void **state)
{
	const int32_t periods_ms[] = {1000, 1000, 0, 1000};
	const int order[] = {0, 1, 3, 0, 1, 3};
	const int64_t at_us[] = {0, 5000, 10000, 1000000, 1005000, 1010000};
	struct feed feed;

	(void)state;
	feed_start(&feed, periods_ms, 4, 0);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(feed_next_us(&feed), at_us[i]);
		assert_int_equal(feed_due(&feed, at_us[i] - 1), -1);
		assert_int_equal(feed_due(&feed, at_us[i]), order[i]);
		assert_int_equal(feed_due(&feed, at_us[i]), -1);
	}
}

static void a_late_wake_up_sends_each_message_once_and_no_burst(void **state)
{
	int32_t periods_ms[17];
	struct feed feed;
	int64_t now_us = 10 * SECOND + 300000; /* stopped for ten seconds */

	(void)state;
	for (int k = 0; k < 17; k++)
		periods_ms[k] = 1000;
	feed_start(&feed, periods_ms, 17, 0);
	assert_int_equal(feed_due(&feed, 0), 0);
	for (int sent = 0; sent < 17; sent++) {
		assert_int_equal(feed_due(&feed, now_us), sent); /* limits first */
		assert_int_equal(feed_due(&feed, now_us), -1);
		now_us += FEED_GAP_US / 2;
		assert_int_equal(feed_next_us(&feed), sent < 16 ? now_us : 11 * SECOND);
	}
	/* and then the old rhythm goes on */
	assert_int_equal(feed_due(&feed, now_us), -1);
	assert_int_equal(feed_next_us(&feed), 11 * SECOND);
	assert_int_equal(feed_due(&feed, 11 * SECOND), 0);
}

static void a_crowded_set_fits_its_period(void **state)
{
	int32_t periods_ms[FEED_MAX + 10];
	struct feed feed;

	(void)state;
	for (int k = 0; k < FEED_MAX + 10; k++)
		periods_ms[k] = 100;
	feed_start(&feed, periods_ms, FEED_MAX + 10, 0);
	assert_int_equal(feed.count, FEED_MAX);
	assert_true(feed.next_us[FEED_MAX - 1] < 100000);
}

static void nothing_periodic_is_never_due(void **state)
{
	const int32_t periods_ms[] = {0, -5};
	struct feed feed;

	(void)state;
	feed_start(&feed, periods_ms, 2, 0);
	assert_int_equal(feed_due(&feed, INT64_MAX / 2), -1);
	assert_int_equal(feed_next_us(&feed), INT64_MAX);
	feed_start(&feed, periods_ms, 0, 0);
	assert_int_equal(feed_next_us(&feed), INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_drifts_over_a_day),
		cmocka_unit_test(a_set_starts_with_the_first_message_and_keeps_its_order),
		cmocka_unit_test(a_late_wake_up_sends_each_message_once_and_no_burst),
		cmocka_unit_test(a_crowded_set_fits_its_period),
		cmocka_unit_test(nothing_periodic_is_never_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
