// SPDX-License-Identifier: Apache-2.0
/* Who is asked what next, on one line with packs. Pure: time is an argument, so a simulation can
 * run it through years in minutes.
 *
 * A cycle gives every pack that answers one turn (its live data, and now and then one message
 * more), and then one of the silent addresses a short try. A pack that falls silent costs one
 * time-out in each of a few cycles and then only its share of that one try, so healthy packs are
 * never starved. When somebody else asks on the line, everything stops and listens. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_ADDRESSES    32
#define SCHEDULE_MAX_MESSAGES 8

/* What a message is good for; decides how often it is asked for. */
enum schedule_role {
	SCHEDULE_LIVE,     /* every turn; an answer shows that the pack is there */
	SCHEDULE_SETTINGS, /* before the first sample, then from time to time */
	SCHEDULE_ABOUT,    /* once, repeated patiently until it is answered */
};

struct schedule_config {
	uint32_t addresses; /* bit n = address n */
	int message_count;
	struct {
		int index; /* for the codec */
		enum schedule_role role;
	} messages[SCHEDULE_MAX_MESSAGES];
	int32_t gap_us;    /* silence that the packs need before a question */
	int32_t answer_us; /* time that the longest answer takes on the wire, its question included
			    */
	int32_t listen_us; /* listen so long before the first question */
	int32_t cycle_us;  /* a cycle begins no sooner than this after the one before; 0 = at once
			    */
	int32_t reaction_us; /* an answer has begun by then; 0 = what suits slow packs */
	bool shy; /* there are other ways to find packs: addresses are silent until somebody was
		     seen there, and tried rarely */
};

enum schedule_kind { SCHEDULE_LISTEN, SCHEDULE_ASK };

struct schedule_step {
	enum schedule_kind kind;
	int64_t at_us; /* when to ask, or how long to listen; keep listening until then in both
			  cases */
	int address;
	int message; /* for the codec */
	enum schedule_role role;
	int32_t timeout_us; /* the whole answer must be there by then */
	bool first;         /* the first question of this turn */
	bool stranger;      /* whoever answers may be a new pack: forget what the last one said */
};

enum schedule_result { SCHEDULE_ANSWERED, SCHEDULE_SILENT, SCHEDULE_DAMAGED };

struct schedule_address {
	int misses; /* turns without an answer in a row */
	bool known; /* answered since it was last given up */
	bool had;   /* answered since the start */
	int64_t tried_us;
	struct {
		bool read;
		int tries; /* failures in a row */
		int64_t read_us, retry_us;
	} messages[SCHEDULE_MAX_MESSAGES];
};

struct schedule {
	struct schedule_config config;
	struct schedule_address addresses[SCHEDULE_ADDRESSES];
	int64_t quiet_us;  /* when the line was last heard or spoken on */
	int64_t done_us;   /* when the last exchange ended */
	int64_t listen_us; /* listen until then */
	bool asking;       /* `step` waits for its result */
	struct schedule_step step;
	/* the cycle */
	int cursor;        /* the next address that may have its turn */
	int64_t probed_us; /* when a silent address was tried last */
	bool probed, refreshed;
	int64_t cycle_start_us;
	int64_t rest_us;  /* ask nobody until then */
	int64_t cycle_us; /* duration of the last whole cycle, 0 = none yet */
	uint64_t cycles;
	/* the turn */
	bool turn_open, turn_retried, turn_extra, turn_complete;
	int turn_address, turn_message;
	uint32_t turn_done; /* bit n = message n was answered */
};

void schedule_init(struct schedule *schedule, const struct schedule_config *config, int64_t now_us);

/* What to do next. Until the result of an ASK is reported, the same step comes again with its time
 * brought up to date. */
struct schedule_step schedule_next(struct schedule *schedule, int64_t now_us);

/* The result of the last ASK. True when the pack's sample is now complete: all its live messages of
 * this turn were answered, and its settings are known. */
bool schedule_done(struct schedule *schedule, int64_t now_us, enum schedule_result result);

/* Bytes passed on the line: the gap counts from here. */
void schedule_heard(struct schedule *schedule, int64_t now_us);

/* Somebody else asked a question: hands off until there is no other master any more. */
void schedule_foreign(struct schedule *schedule, int64_t now_us);
bool schedule_is_listening(const struct schedule *schedule, int64_t now_us);

/* From now on a cycle begins no sooner than this after the one before; a pause that is under way is
 * changed, too. */
void schedule_pace(struct schedule *schedule, int32_t cycle_us, int64_t now_us);

/* Somebody is said to be at this address: it gets a turn in the next cycle. */
void schedule_expect(struct schedule *schedule, int address);

/* Something was said besides the turns, and it is over; the line was last used at `active_us`. */
void schedule_talked(struct schedule *schedule, int64_t active_us, int64_t now_us);

/* When the line is free for a word besides the turns. */
int64_t schedule_free_us(const struct schedule *schedule);

/* The line was gone and is back: whoever was there has to be met anew. */
void schedule_restart(struct schedule *schedule, int64_t now_us);
