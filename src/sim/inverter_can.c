// SPDX-License-Identifier: Apache-2.0
/* What it sends comes from the protocol file: 0x305 for Pylontech's protocol, 0x305 and 0x307 for
 * Victron's, 0x301 every 510 ms for Growatt's. A Deye's 0x305 is the reply to 0x356. */
#include "inverter_can.h"

#include <math.h>

void inverter_can_init(struct inverter_can *can, const struct wire *wire)
{
	sim_inverter_init(&can->inverter, wire);
	can->reply = false;
	for (int i = 0; i < INVERTER_MAX_MESSAGES; i++)
		can->due_ms[i] = INVERTER_NEVER;
}

void inverter_can_heard(struct inverter_can *can, const struct can_message *message, int64_t now_ms)
{
	struct sim_inverter *inverter = &can->inverter;
	struct wire_values said;

	if (inverter->brand->eight_bytes && message->length < 8) {
		inverter->refused++;
		sim_inverter_doubt(inverter, "frames of less than 8 bytes do not count", now_ms);
		return;
	}
	if (message->id == inverter->brand->replies_to)
		can->reply = true;
	sim_inverter_listen(inverter, &said);
	if (wire_decode_can(inverter->wire, &inverter->ctx, message, &said) == 0)
		sim_inverter_heard(inverter, message->id, &said, now_ms);
	else
		inverter->refused++;
}

static struct inverter_view view(double bus_v, double bus_a)
{
	struct inverter_view v;

	inverter_view_clear(&v);
	v.inverter_alive = 1;
	v.inverter_voltage_mv = (int32_t)lround(bus_v * 1000);
	v.inverter_current_ma = (int32_t)lround(bus_a * 1000);
	v.inverter_mode = bus_a > 0.5 ? 2 : bus_a < -0.5 ? 3 : 1;
	return v;
}

static bool is_due(const struct inverter_can *can, int index, int64_t now_ms)
{
	return can->inverter.brand->replies_to ? can->reply : now_ms >= can->due_ms[index];
}

int64_t inverter_can_tick(struct inverter_can *can, int64_t now_ms, double bus_v, double bus_a,
			  can_send *send, void *context)
{
	const struct wire *wire = can->inverter.wire;
	const int count = wire_message_count(wire);
	struct inverter_view v = view(bus_v, bus_a);
	int64_t next_ms = now_ms + INVERTER_IDLE_MS;

	for (int i = 0; i < count && i < INVERTER_MAX_MESSAGES; i++) {
		struct wire_message_info info;
		struct can_message message;

		wire_get_message(wire, i, &info);
		if (!info.from_inverter || info.period_ms <= 0)
			continue;
		if (is_due(can, i, now_ms)) {
			can->due_ms[i] = now_ms + info.period_ms;
			if (wire_encode_can_inverter(wire, i, &can->inverter.ctx, &v, &message) > 0)
				send(context, &message);
		}
		if (!can->inverter.brand->replies_to && can->due_ms[i] < next_ms)
			next_ms = can->due_ms[i];
	}
	can->reply = false;
	return next_ms;
}
