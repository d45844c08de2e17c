// SPDX-License-Identifier: Apache-2.0
/* What the lines of a rack have reported and nobody has taken yet: the newest sample of each pack,
 * and what went wrong. Pure: rack.c guards it with a lock. */
#pragma once

#include "poller.h"

/* A pack number: whose it is, and the newest sample that nobody has taken yet. */
struct table_slot {
	bool taken, fresh;
	int bus, address;
	struct pack sample;
};

struct table_line {
	struct bus_status status;
	char protocol[FIELD_TEXT_SIZE];
	int32_t first_pack;
	int surplus; /* address of a pack for which no number is left, -1 = none */
	int32_t errors[BUS_MAX_ADDRESS][BUS_ERROR_KINDS]; /* not taken yet */
	bool any_errors;
};

#define TABLE_EVENTS RACK_MAX_EVENTS

struct table {
	struct table_slot slots[ONEPACK_MAX_PACKS]; /* of pack 1, 2, ... */
	int line_count;
	struct table_line lines[STATUS_MAX_BUSES];
	uint32_t leaving; /* bit n = pack n + 1 is about to restart: it counts as switched off */
	int event_count;
	struct event events[TABLE_EVENTS]; /* not taken yet; more are dropped */
};

/* The next line; its poller is set up already. -EINVAL with the reason in `why` when its listed
 * addresses do not all get a number. */
int table_add_line(struct table *table, const struct rack_bus_config *config,
		   const struct poller *poller, char *why, size_t why_size);

/* The reports of line number `bus`, see struct poller_reports. */
void table_sample(struct table *table, int bus, int address, const struct pack *pack);
void table_answer(struct table *table, int bus, int address, int result, bool expected);
void table_foreign(struct table *table, int bus, int questions, bool jk_master);
void table_state(struct table *table, int bus, enum link_state state, const char *detail);
void table_protocol(struct table *table, int bus, const char *id);
void table_event(struct table *table, int bus, const struct search_event *event, int64_t wall_ms);
void table_cycle(struct table *table, int bus, int64_t cycle_ms, uint64_t cycles);

/* As rack_take(). */
void table_take(struct table *table, struct fusion_input *input);
