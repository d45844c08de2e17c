// SPDX-License-Identifier: Apache-2.0
/* What every simulated inverter has in common: it believes what its battery said last, wants to
 * charge or discharge as sun and load demand, and obeys. How it hears is in inverter_can.c and
 * inverter_rs485.c. Pure, in virtual time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "onepack/wire.h"
#include "plant.h"

#define INVERTER_LOST_MS 3000 /* without limits for this long it stops, if not said otherwise */
#define INVERTER_NEVER   INT64_MIN

struct sim_inverter {
	const struct wire *wire;
	struct wire_context ctx;
	struct wire_values believed;  /* all that was said, newest wins */
	int64_t limits_ms;            /* when limits were heard last, INVERTER_NEVER = not yet */
	int64_t lost_ms;              /* without limits for this long it stops */
	double current_a;             /* wanted by it now, within the limits */
	uint64_t understood, refused; /* frames or answers */
};

void sim_inverter_init(struct sim_inverter *inverter, const struct wire *wire);

/* What a frame or an answer is decoded into: all that is believed (some values make sense only with
 * others), without limits, so that it shows whether the frame said any. */
void sim_inverter_listen(const struct sim_inverter *inverter, struct wire_values *said);

/* Takes in what one frame or answer said. */
void sim_inverter_heard(struct sim_inverter *inverter, const struct wire_values *said,
			int64_t now_ms);

/* True while it has limits to work with. */
bool sim_inverter_is_fed(const struct sim_inverter *inverter, int64_t now_ms);

/* The current that sun and load ask for (positive = charge), within what it was told; it changes
 * with the speed of a real machine. */
struct plant_demand sim_inverter_demand(struct sim_inverter *inverter, double wish_a,
					int64_t now_ms, double dt_s);

/* One line for people: what it believes and what it does about it. */
void sim_inverter_describe(const struct sim_inverter *inverter, int64_t now_ms, char *text,
			   size_t size);
