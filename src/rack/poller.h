// SPDX-License-Identifier: Apache-2.0
/* The master of one RS485 line: asks what the schedule says, knows what an answer means and what a
 * failed one does, puts samples together, and only listens while somebody else asks. Pure and
 * driven by events: it knows neither thread, tty nor clock; time is an argument. bus.c gives it a
 * tty, the simulation a simulated line.
 *
 * A sample is the live data of one turn on top of the settings and the identity that the same pack
 * gave before; a half one is never shown. */
#pragma once

#include <stdbool.h>

#include "answer.h"
#include "ear.h"
#include "onepack/rack.h"
#include "overhear.h"
#include "schedule.h"

/* What a line reports. `context` and `bus` (its number) are the owner's. */
struct poller_reports {
	/* A whole sample; `pack` has everything but its number, bus and protocol. */
	void (*sample)(void *context, int bus, int address, const struct pack *pack);
	/* One answer, good (result > 0) or not, from an address whose silence counts or not. */
	void (*answer)(void *context, int bus, int address, int result, bool expected);
	/* Another master asked something, and is a JK pack or not known to be one. */
	void (*foreign)(void *context, int bus, int questions, bool jk_master);
	void (*state)(void *context, int bus, enum link_state state, const char *detail);
	void (*cycle)(void *context, int bus, int64_t cycle_ms, uint64_t cycles);
};

struct poller {
	/* set by the owner */
	const struct poller_reports *reports;
	void *context;
	int number;
	/* set by poller_init */
	const struct wire *wire;
	uint32_t baud;
	bool listed; /* the addresses were listed by the user */
	struct schedule_config config;
	/* the line */
	struct schedule schedule;
	struct ear ear;
	struct overhear overhear; /* while another master asks */
	uint64_t reported_cycles;
	bool answered;  /* since the port was opened */
	bool jk_master; /* a pack at address 0 was overheard */
	/* the open question */
	bool asking;
	struct schedule_step step;
	int64_t deadline_us, active_us;
	struct answer answer;
	/* what packs said */
	struct pack known[SCHEDULE_ADDRESSES]; /* settings and identity, as far as read */
	struct wire_values values;
};

/* The protocol that a configuration means. */
const char *poller_protocol(const struct rack_bus_config *config);

/* Sets everything up; `wire` is the loaded protocol and must stay. -EINVAL with the reason in
 * `why`. */
int poller_init(struct poller *poller, const struct wire *wire,
		const struct rack_bus_config *config, char *why, size_t why_size);

/* Time begins: the schedule listens first. To be called once. */
void poller_start(struct poller *poller, int64_t now_us);

/* The port was opened (or opened again): whoever is there has to be met anew. */
void poller_open(struct poller *poller, int64_t now_us);

/* When poller_turn() wants to be called, unless bytes come before. */
int64_t poller_due_us(struct poller *poller, int64_t now_us);

/* The time has come: >0 = the question in poller->answer.request, so long, is to be put on the line
 * now. Then either hand over what is heard (poller_hear) and come back in time (poller_due_us), or
 * carry it with exchange_run() and tell the result (poller_done). What was received before belongs
 * to no answer: throw it away. */
size_t poller_turn(struct poller *poller, int64_t now_us);

/* Bytes came in. */
void poller_hear(struct poller *poller, const uint8_t *bytes, size_t count, int64_t now_us);

/* The result of the open question, as exchange_run() says it; `active_us` is when the line was last
 * used. A result that is an errno leaves the question open for poller_open(). */
void poller_done(struct poller *poller, int result, int64_t active_us, int64_t now_us);

/* True when a result means that the port is gone. */
bool poller_is_port_error(int result);
