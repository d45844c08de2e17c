// SPDX-License-Identifier: Apache-2.0
/* The order within a turn: first limits that fell, which do not wait for their period, then what is
 * due. */
#include "talk.h"

#include <string.h>

#include "limits.h"

void talk_start(struct talk *talk, const struct wire *wire, const struct wire_context *ctx)
{
	memset(talk, 0, sizeof *talk);
	talk->limits = limits_messages(wire, ctx);
	talk->paused = true;
}

static void start_feed(struct talk *talk, const struct wire *wire, int64_t now_us)
{
	int count = wire_message_count(wire);
	int32_t periods_ms[FEED_MAX] = {0};
	struct wire_message_info info;

	for (int i = 0; i < count && i < FEED_MAX; i++) {
		wire_get_message(wire, i, &info);
		periods_ms[i] = info.from_inverter ? 0 : info.period_ms;
	}
	feed_start(&talk->feed, periods_ms, count, now_us);
}

void talk_turn(struct talk *talk, const struct wire *wire, const struct hold *hold, int64_t now_us)
{
	if (!hold->quiet && talk->paused)
		start_feed(talk, wire, now_us);
	talk->paused = hold->quiet;
	talk->urgent = hold->fell && !hold->quiet ? 0 : talk->feed.count;
}

static bool same(const struct can_message *a, const struct can_message *b)
{
	return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

int talk_next(struct talk *talk, const struct wire *wire, const struct wire_context *ctx,
	      const struct hold *hold, int64_t now_us, struct can_message *out)
{
	int i;

	if (talk->paused)
		return -1;
	while (talk->urgent < talk->feed.count) {
		i = talk->urgent++;
		if (talk->limits >> i & 1 &&
		    wire_encode_can(wire, i, ctx, &hold->battery, out) > 0 &&
		    !same(out, &talk->last[i]))
			return i;
	}
	while ((i = feed_due(&talk->feed, now_us)) >= 0)
		if (wire_encode_can(wire, i, ctx, &hold->battery, out) > 0) /* else withheld */
			return i;
	return -1;
}

void talk_sent(struct talk *talk, int index, const struct can_message *message)
{
	talk->last[index] = *message;
}

int64_t talk_next_us(const struct talk *talk)
{
	return talk->paused ? INT64_MAX : feed_next_us(&talk->feed);
}
