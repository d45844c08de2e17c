// SPDX-License-Identifier: Apache-2.0
/* An inverter on CAN: hears the battery's frames, and sends its heartbeat every second. */
#pragma once

#include "inverter.h"
#include "onepack/can.h"

#define INVERTER_HEARTBEAT_MS 1000

struct inverter_can {
	struct sim_inverter inverter; /* first member */
	int64_t heartbeat_ms;         /* of the next one */
};

typedef void can_send(void *context, const struct can_message *message);

void inverter_can_init(struct inverter_can *can, const struct wire *wire);
void inverter_can_heard(struct inverter_can *can, const struct can_message *message,
			int64_t now_ms);

/* Sends all that the protocol file says comes `from: inverter`, when its time has come. Returns
 * when to call again. `bus_v` and `bus_a` are what it measures. */
int64_t inverter_can_tick(struct inverter_can *can, int64_t now_ms, double bus_v, double bus_a,
			  can_send *send, void *context);
