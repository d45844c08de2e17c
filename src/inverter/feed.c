// SPDX-License-Identifier: Apache-2.0
/* Absolute deadlines for periodic messages; see feed.h. */
#include "feed.h"

void feed_start(struct feed *feed, const int32_t *periods_ms, int count, int64_t now_us)
{
	int64_t shortest_us = INT64_MAX;
	int64_t at_us = now_us;

	feed->count = count < FEED_MAX ? count : FEED_MAX;
	for (int i = 0; i < feed->count; i++) {
		feed->period_us[i] = periods_ms[i] > 0 ? (int64_t)periods_ms[i] * 1000 : 0;
		if (feed->period_us[i] > 0 && feed->period_us[i] < shortest_us)
			shortest_us = feed->period_us[i];
	}
	/* The whole set must fit into the shortest period. */
	feed->gap_us = FEED_GAP_US;
	if (feed->count > 0 && shortest_us / feed->count < feed->gap_us)
		feed->gap_us = shortest_us / feed->count;
	feed->not_before_us = now_us;
	for (int i = 0; i < feed->count; i++) {
		feed->next_us[i] = at_us;
		if (feed->period_us[i] > 0)
			at_us += feed->gap_us;
	}
}

int feed_due(struct feed *feed, int64_t now_us)
{
	if (feed->not_before_us > now_us)
		return -1;
	for (int i = 0; i < feed->count; i++) {
		int64_t late_us = now_us - feed->next_us[i];

		if (feed->period_us[i] == 0 || late_us < 0)
			continue;
		feed->next_us[i] += (late_us / feed->period_us[i] + 1) * feed->period_us[i];
		feed->not_before_us = now_us + feed->gap_us / 2;
		return i;
	}
	return -1;
}

int64_t feed_next_us(const struct feed *feed)
{
	int64_t next_us = INT64_MAX;

	for (int i = 0; i < feed->count; i++)
		if (feed->period_us[i] > 0 && feed->next_us[i] < next_us)
			next_us = feed->next_us[i];
	return next_us > feed->not_before_us ? next_us : feed->not_before_us;
}
