// SPDX-License-Identifier: Apache-2.0
/* When which CAN message is due. Pure: time is an argument.
 *
 * Each message has its own absolute deadline that moves on by exact periods, so nothing drifts. The
 * messages of one set lie FEED_GAP_US apart in the order of the protocol file (limits first):
 * emulators that are known to work send anything from one burst to 20 ms gaps, and a set of
 * seventeen frames in one burst overflows a SocketCAN queue of ten. After a late wake-up each
 * message that was missed is sent once, never in a burst. */
#pragma once

#include <stdint.h>

#define FEED_MAX    64
#define FEED_GAP_US 5000

struct feed {
	int count;
	int64_t period_us[FEED_MAX]; /* 0 = never sent */
	int64_t next_us[FEED_MAX];
	int64_t gap_us;
	int64_t not_before_us;
};

/* Starts a new set now. More than FEED_MAX messages are left out. */
void feed_start(struct feed *feed, const int32_t *periods_ms, int count, int64_t now_us);

/* The message to send now, or -1. Call it until it says -1. */
int feed_due(struct feed *feed, int64_t now_us);

/* When feed_due will have something to say; INT64_MAX = never. */
int64_t feed_next_us(const struct feed *feed);
