// SPDX-License-Identifier: Apache-2.0
/* Between search.c (finding) and search_place.c (placing). */
#pragma once

#include "search.h"

enum search_phase {
	SEARCH_REST,
	SEARCH_WHO,   /* who answers at this address? */
	SEARCH_ROUND, /* who has an id with this prefix? */
	/* placing */
	SEARCH_DOOR,   /* who is enabled and has no address? */
	SEARCH_TRY,    /* does anybody answer there? */
	SEARCH_ASSIGN, /* an address for this id */
	SEARCH_CHECK,  /* does it answer there now? */
	SEARCH_MUTE,
	SEARCH_ENABLE /* its neighbour below */
};

enum search_operation {
	SEARCH_OP_WINDOW = 0,
	SEARCH_OP_SEARCH = 2,
	SEARCH_OP_ASSIGN = 3,
	SEARCH_OP_MUTE = 4
};

uint32_t search_u32(const uint8_t *bytes);
void search_operate(const struct search *search, struct phrase *phrase, int operation, uint32_t a_b,
		    uint16_t c, uint16_t d);
void search_ask_who(int address, struct phrase *phrase);

/* Takes the answer to search_ask_who; false when it is none. */
bool search_learn(struct search *search, int address, const struct phrase *phrase,
		  const uint8_t *bytes, size_t count);
void search_end_session(struct search *search, int64_t now_us);
__attribute__((returns_nonnull)) struct search_event *search_add_event(struct search *search,
								       int address,
								       enum event_severity severity,
								       const char *kind);

/* search_place.c */

/* This pack has this address from now on. */
void search_keep(struct search *search, int address, uint32_t uid32);
/* All findings are there: what happens with each. */
void search_place(struct search *search);
bool search_say_place(struct search *search, struct phrase *phrase); /* false: all are placed */
void search_take_place(struct search *search, const struct phrase *phrase, const uint8_t *bytes,
		       size_t count, int64_t now_us);
