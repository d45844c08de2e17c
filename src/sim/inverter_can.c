// SPDX-License-Identifier: Apache-2.0
/* What it sends comes from the protocol file alone: 0x305 for Pylontech's protocol, 0x305 and 0x307
 * for Victron's, nothing where the file knows of nothing. */
#include "inverter_can.h"

#include <math.h>

void inverter_can_init(struct inverter_can *can, const struct wire *wire)
{
	sim_inverter_init(&can->inverter, wire);
	can->heartbeat_ms = INVERTER_NEVER;
}

void inverter_can_heard(struct inverter_can *can, const struct can_message *message, int64_t now_ms)
{
	struct sim_inverter *inverter = &can->inverter;
	struct wire_values said;

	sim_inverter_listen(inverter, &said);
	if (wire_decode_can(inverter->wire, &inverter->ctx, message, &said) == 0)
		sim_inverter_heard(inverter, &said, now_ms);
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

int64_t inverter_can_tick(struct inverter_can *can, int64_t now_ms, double bus_v, double bus_a,
			  can_send *send, void *context)
{
	const struct wire *wire = can->inverter.wire;
	struct inverter_view v = view(bus_v, bus_a);

	if (now_ms < can->heartbeat_ms)
		return can->heartbeat_ms;
	for (int i = 0; i < wire_message_count(wire); i++) {
		struct wire_message_info info;
		struct can_message message;

		wire_get_message(wire, i, &info);
		if (info.from_inverter &&
		    wire_encode_can_inverter(wire, i, &can->inverter.ctx, &v, &message) > 0)
			send(context, &message);
	}
	can->heartbeat_ms = now_ms + INVERTER_HEARTBEAT_MS;
	return can->heartbeat_ms;
}
