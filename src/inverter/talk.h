// SPDX-License-Identifier: Apache-2.0
/* What a CAN link says, message by message: each at its period, and stricter limits at once. Pure:
 * it encodes, the caller sends. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "feed.h"
#include "hold.h"
#include "onepack/wire.h"

struct talk {
	struct feed feed;
	uint64_t limits;                   /* the messages that carry limits, one bit each */
	struct can_message last[FEED_MAX]; /* as last sent */
	bool paused;                       /* the link was quiet: start a new set */
	int urgent; /* the next message to look at in a hurry; feed.count = none */
};

void talk_start(struct talk *talk, const struct wire *wire, const struct wire_context *ctx);

/* A turn of the link begins: the hold has just been taken. */
void talk_turn(struct talk *talk, const struct wire *wire, const struct hold *hold, int64_t now_us);

/* The next message to send in this turn: its index, or -1 when there is nothing more to say. */
int talk_next(struct talk *talk, const struct wire *wire, const struct wire_context *ctx,
	      const struct hold *hold, int64_t now_us, struct can_message *out);

/* It was sent. One that the driver did not take is not told; limits are then tried again as soon as
 * they fall again, and at their period. */
void talk_sent(struct talk *talk, int index, const struct can_message *message);

/* When the next message will be due; INT64_MAX = never. */
int64_t talk_next_us(const struct talk *talk);
