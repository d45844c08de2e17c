// SPDX-License-Identifier: Apache-2.0
/* The CAN kind of an inverter link: periodic messages out, heartbeat and the like in. */
#include "link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "onepack/clock.h"

#define TICK_MS             1000
#define FAREWELL_GAP_MS     5   /* between the last frames: a queue has ten places */
#define FAREWELL_PATIENT_MS 300 /* for a queue that is full */

/* Kept beside the frame: what an inverter makes of it. */
static void note_sent(struct link *link, int index, const struct can_message *message,
		      int64_t now_us)
{
	talk_sent(&link->can.talk, index, message);
	link->status.sent_ms = now_us / 1000;
	if (!(link->can.talk.limits >> index & 1))
		return;
	wire_values_clear(&link->said);
	if (wire_decode_can(link->wire, &link->ctx, message, &link->said) == 0)
		link_note_limits(link);
}

/* 0, also when the driver did not take the frame (bus-off, no room); -errno when the port is gone.
 */
static int send_message(struct link *link, int index, const struct can_message *message,
			int64_t now_us)
{
	int err = can_port_send(link->can.port, message);

	if (err == 0)
		note_sent(link, index, message, now_us);
	return err == -ENOBUFS || err == -ENETDOWN ? 0 : err;
}

static int can_open(struct link *link, char *why, size_t why_size)
{
	struct link_can_side *can = &link->can;
	int err = can_port_open(link->options.port, link->bitrate, &can->port, why, why_size);

	if (err)
		return err;
	talk_start(&can->talk, link->wire, &link->ctx);
	can->tick_ms = clock_monotonic_ms();
	return 0;
}

static void can_close(struct link *link)
{
	can_port_close(link->can.port);
	link->can.port = NULL;
}

static int can_fd(const struct link *link)
{
	return can_port_fd(link->can.port);
}

static int can_receive(struct link *link, int64_t now_us)
{
	struct can_message message;
	int n;

	while ((n = can_port_receive(link->can.port, &message)) > 0) {
		link->heard.said_inverter = false;
		if (wire_decode_can(link->wire, &link->ctx, &message, &link->heard) == 0 &&
		    link->heard.said_inverter)
			link_note_heard(link, now_us);
	}
	return n;
}

static int can_send(struct link *link, int64_t now_us)
{
	struct link_can_side *can = &link->can;
	struct can_message message;
	int err = 0;
	int i;

	if (now_us / 1000 - can->tick_ms >= TICK_MS) {
		can->tick_ms = now_us / 1000;
		can_port_tick(can->port, now_us / 1000);
	}
	talk_turn(&can->talk, link->wire, &link->hold, now_us);
	while (!err && (i = talk_next(&can->talk, link->wire, &link->ctx, &link->hold, now_us,
				      &message)) >= 0)
		err = send_message(link, i, &message, now_us);
	return err;
}

static int64_t can_next_us(const struct link *link)
{
	int64_t tick_us = (link->can.tick_ms + TICK_MS) * 1000;
	int64_t feed_us = talk_next_us(&link->can.talk);

	return feed_us < tick_us ? feed_us : tick_us;
}

/* What comes in meanwhile also says that frames were sent. */
static void farewell_pause(struct link *link)
{
	(void)poll(NULL, 0, FAREWELL_GAP_MS);
	(void)can_receive(link, clock_monotonic_us());
}

/* The whole set once, with patience for a full queue. The battery is a safe one by now. */
static bool can_farewell(struct link *link, int64_t now_us)
{
	int64_t end_ms = now_us / 1000 + FAREWELL_PATIENT_MS;

	for (int i = 0; i < link->can.talk.feed.count; i++) {
		struct can_message message;

		if (link->can.talk.feed.period_us[i] == 0 ||
		    wire_encode_can(link->wire, i, &link->ctx, &link->hold.battery, &message) <= 0)
			continue;
		while (can_port_send(link->can.port, &message) == -ENOBUFS &&
		       clock_monotonic_ms() < end_ms)
			farewell_pause(link);
		note_sent(link, i, &message, clock_monotonic_us());
		farewell_pause(link);
	}
	return true;
}

/* What to look at, for people who stand before the inverter. */
static const char *state_text(enum can_port_state state)
{
	switch (state) {
	case CAN_ACTIVE: return "";
	case CAN_DOWN: return "the interface is down";
	case CAN_WARNING: return "warning: errors on the bus";
	case CAN_PASSIVE: return "passive: nobody acknowledges (cable, bit rate, inverter off?)";
	case CAN_BUS_OFF: return "bus off: short circuit, or somebody has another bit rate";
	}
	return "";
}

static void can_report(const struct link *link, struct inverter_status *status)
{
	struct can_status can;

	can_port_status(link->can.port, &can);
	status->link = can.state == CAN_ACTIVE || can.state == CAN_WARNING ? LINK_UP : LINK_ERROR;
	snprintf(status->detail, sizeof status->detail, "%s", state_text(can.state));
	status->frames_sent = can.sent;
	status->errors = can.dropped + can.bus_errors + can.bus_offs;
}

const struct link_kind link_can = {can_open, can_close,   can_fd,       can_receive,
				   can_send, can_next_us, can_farewell, can_report};
