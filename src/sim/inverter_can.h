// SPDX-License-Identifier: Apache-2.0
/* An inverter on CAN: hears the battery's frames, and sends its own as often as the protocol file
 * says. */
#pragma once

#include "inverter.h"
#include "onepack/can.h"

#define INVERTER_MAX_MESSAGES 64 /* of a protocol file */
#define INVERTER_IDLE_MS      1000

struct inverter_can {
	struct sim_inverter inverter;          /* first member */
	bool reply;                            /* a heartbeat that is a reply is due */
	int64_t due_ms[INVERTER_MAX_MESSAGES]; /* of each message that it sends */
};

typedef void can_send(void *context, const struct can_message *message);

void inverter_can_init(struct inverter_can *can, const struct wire *wire);
void inverter_can_heard(struct inverter_can *can, const struct can_message *message,
			int64_t now_ms);

/* Sends what the protocol file says comes `from: inverter`, each message when its time has come.
 * Returns when to call again. `bus_v` and `bus_a` are what it measures. */
int64_t inverter_can_tick(struct inverter_can *can, int64_t now_ms, double bus_v, double bus_a,
			  can_send *send, void *context);
