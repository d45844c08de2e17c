// SPDX-License-Identifier: Apache-2.0
/* Finds packs of this project by their unique ids and sees to it that each has an address of its
 * own: new ones, two with the same switches, those that wait at 247. Pure: says what to put on the
 * line (phrase.h) and takes what was heard. The operations are those of
 * docs/protocols/pack/onepack.md.
 *
 * Searching: whoever is not muted answers in one of sixteen slots, by the next four bits of its id.
 * Answers with a good CRC are findings; rubbish between them means that some spoke at once, and
 * both halves of the prefix are searched again. Slots need no clock here: what counts is the CRC.
 *
 * Placing: a pack keeps the address that it has, unless somebody else has the better claim to it;
 * then it gets the one that it had before, that of its switches, or the lowest free one. Nothing is
 * given that answers already. Who has been placed is muted, so that a later search costs one
 * question. Packs with an enable line are placed in the order of the line. */
#pragma once

#include <stdbool.h>

#include "onepack/event.h"
#include "phrase.h"

#define SEARCH_ADDRESSES  32 /* 1..31 are given */
#define SEARCH_FOUND      64
#define SEARCH_STACK      64
#define SEARCH_SERIAL     17
#define SEARCH_EVENTS     8
#define SEARCH_UNASSIGNED 247

struct search_finding {
	uint32_t uid32;
	uint16_t device_class;
	uint8_t address, dip;
};

/* Who answers at an address. */
struct search_member {
	bool present, asked_for; /* known to be there; to be asked who it is */
	bool told;               /* that its switches are another's, too */
	int tries;
	uint32_t uid32;
	uint8_t dip, position; /* position in the stack, 0 = unknown */
	char serial[SEARCH_SERIAL];
};

struct search_event {
	int address; /* of the pack that it is about */
	enum event_severity severity;
	char kind[EVENT_KIND_SIZE];
	char text[EVENT_TEXT_SIZE];
};

struct search {
	/* set by search_init */
	int first_register;
	uint32_t baud, addresses; /* bit n = address n may be given */
	/* set by the owner */
	bool only_looking; /* are there such packs at all? nobody is touched */
	/* kept over restarts by the owner */
	uint32_t kept[SEARCH_ADDRESSES]; /* uid32 of the pack that has, or had, this address; 0 =
					    nobody */
	unsigned kept_moves;             /* counts changes */
	/* private */
	struct search_member members[SEARCH_ADDRESSES];
	uint32_t poll;  /* addresses that the poller should ask now */
	uint32_t taken; /* answered when they were to be given */
	int phase;
	bool opening; /* the window, before what the phase says */
	int64_t next_us, session_us, window_us;
	int quiet_sessions;
	struct {
		uint32_t prefix;
		uint8_t bits;
	} stack[SEARCH_STACK];
	int depth, rounds;
	struct search_finding found[SEARCH_FOUND];
	uint8_t target[SEARCH_FOUND]; /* address to have, 0 = none is left */
	bool placed[SEARCH_FOUND];
	int found_count, current, tries;
	int door_tries;
	bool door; /* the pack being placed came by the enable line */
	uint8_t position;
	struct search_event events[SEARCH_EVENTS];
	int event_count;
};

/* Who had which address is left as it is. */
void search_init(struct search *search, int first_register, uint32_t baud, uint32_t addresses);

/* The port was opened: nobody is known to be there. */
void search_open(struct search *search, int64_t now_us);

/* A pack answers polls at this address, or does not any more. */
void search_met(struct search *search, int address);
void search_gone(struct search *search, int address);

/* Sooner than this there is nothing to say. */
int64_t search_due_us(const struct search *search);

/* What to say now; false = nothing. What is heard until it is over goes to search_heard. */
bool search_next(struct search *search, int64_t now_us, struct phrase *phrase);
void search_heard(struct search *search, const struct phrase *phrase, const uint8_t *bytes,
		  size_t count, int64_t now_us);

/* What kind of packs there are, as far as was seen: nobody, some of this project, or only such as
 * answer polls but do not know what we ask. */
enum search_verdict { SEARCH_NOBODY, SEARCH_OWN, SEARCH_OTHERS };

enum search_verdict search_verdict(const struct search *search);

/* Addresses to be polled that were not known (bits), once. */
uint32_t search_take_poll(struct search *search);
bool search_take_event(struct search *search, struct search_event *out);

/* Good answers within what was heard; `noise` when there was more than can be nothing. Returns
 * their number. */
int search_read(const uint8_t *bytes, size_t count, struct search_finding out[], int max,
		bool *noise);
