// SPDX-License-Identifier: Apache-2.0
/* An inverter as the master of an RS485 line: it asks its battery in turn, as its brand does, and
 * believes the answers. */
#pragma once

#include "inverter.h"

struct poll_plan;

struct inverter_rs485 {
	struct sim_inverter inverter; /* first member */
	const struct poll_plan *plan;
	bool found;  /* the battery answered at ctx.address */
	int step;    /* in the addresses while searching, in the polls after that */
	int message; /* the question that is open, -1 = none */
	int64_t next_ms, deadline_ms;
	int failures; /* in a row */
	uint64_t polls, timeouts, errors;
	uint8_t heard[WIRE_MAX_FRAME];
	size_t heard_count;
};

/* `id` chooses the habits ("rs485/pylon-lv-3.3"); without special ones all messages are polled. */
void inverter_rs485_init(struct inverter_rs485 *rs485, const char *id, const struct wire *wire);

/* Asks when its time has come: the number of bytes put into `out`, 0 = nothing to say now. */
size_t inverter_rs485_tick(struct inverter_rs485 *rs485, int64_t now_ms, uint8_t *out, size_t size);

/* When to call tick again. */
int64_t inverter_rs485_next_ms(const struct inverter_rs485 *rs485);

void inverter_rs485_heard(struct inverter_rs485 *rs485, const uint8_t *bytes, size_t count,
			  int64_t now_ms);
