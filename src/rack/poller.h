// SPDX-License-Identifier: Apache-2.0
/* The master of one RS485 line: asks what the schedule says, knows what an answer means and what a
 * failed one does, puts samples together, and only listens while somebody else asks. Pure and
 * driven by events: it knows neither thread, tty nor clock; time is an argument. bus.c gives it a
 * tty, the simulation a simulated line.
 *
 * Packs of this project understand more than polls: SYNC at the beginning of each cycle, the search
 * for their ids, an update. Those talks (poller_talk.c) have their turns between the polls.
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
#include "search.h"

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
	/* The rest may be NULL. */
	/* Something that people should know. */
	void (*event)(void *context, int bus, const struct search_event *event);
	/* "auto" has become this. */
	void (*protocol)(void *context, int bus, const char *id);
	/* What SYNC says; false = nothing is known. */
	bool (*word)(void *context, struct rack_word *out);
	/* The update that is to go on now, NULL = none; and that it has made a step. */
	struct update_job *(*job)(void *context, int bus, int64_t now_us);
	void (*job_step)(void *context, int bus);
};

/* A measurement counter that stands still. */
struct poller_pulse {
	uint16_t counter;
	int same; /* polls with the same value in a row, after the first */
	int64_t since_us;
	bool frozen;
};

enum poller_talker { POLLER_NOBODY, POLLER_SYNC, POLLER_SEARCH, POLLER_JOB };

struct poller {
	/* set by the owner */
	const struct poller_reports *reports;
	void *context;
	int number;
	const struct wire *own_wire; /* for "auto": the protocol of this project's packs; NULL =
					never */
	/* set by poller_init */
	const struct wire *wire, *first_wire;
	struct wire_context first_ctx;
	struct wire_polling polling;
	int32_t cycle_us; /* as configured */
	uint32_t wanted;  /* addresses, as configured */
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
	const uint8_t *request; /* what poller_turn() wants to be put on the line */
	/* talks */
	struct search search;
	struct update_job *job;    /* NULL = none */
	int64_t job_us;            /* it has nothing to say before */
	bool searching;            /* the search has a say */
	enum poller_talker talker; /* whose talk is open */
	struct phrase talk;
	size_t heard_count;
	uint8_t heard[PHRASE_HEARD];
	bool sync_due, polled; /* polled: since the last talk of the search */
	uint16_t heartbeat;
	uint64_t synced_cycles;
	int64_t synced_us;
	struct poller_pulse pulses[SCHEDULE_ADDRESSES];
	/* what packs said */
	struct pack known[SCHEDULE_ADDRESSES]; /* settings and identity, as far as read */
	struct wire_values values;
};

/* The protocol that a configuration means, at first. */
bool poller_is_auto(const struct rack_bus_config *config);
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

/* The time has come: >0 = poller->request, so many bytes, is to be put on the line now. Then either
 * hand over what is heard (poller_hear) and come back in time (poller_due_us), or, when it is a
 * question (poller->asking), carry it with exchange_run() and tell the result (poller_done). What
 * was received before belongs to no answer: throw it away. */
size_t poller_turn(struct poller *poller, int64_t now_us);

/* Bytes came in. */
void poller_hear(struct poller *poller, const uint8_t *bytes, size_t count, int64_t now_us);

/* The result of the open question, as exchange_run() says it; `active_us` is when the line was last
 * used. A result that is an errno leaves the question open for poller_open(). */
void poller_done(struct poller *poller, int result, int64_t active_us, int64_t now_us);

/* Another protocol from now on, as if the port had been opened; for "auto". */
void poller_use(struct poller *poller, const struct wire *wire, int64_t now_us);

/* Talks, for poller.c. When one wants the line; INT64_MAX = none does. */
int64_t poller_talk_due_us(struct poller *poller, int64_t now_us);
size_t poller_talk_begin(struct poller *poller, int64_t now_us);
void poller_talk_hear(struct poller *poller, const uint8_t *bytes, size_t count, int64_t now_us);
void poller_talk_end(struct poller *poller, int64_t now_us);

/* True when a result means that the port is gone. */
bool poller_is_port_error(int result);
