// SPDX-License-Identifier: Apache-2.0
/* The figures come from what is known of JK packs on their parallel bus: a pack begins to answer
 * within 10 ms and an exchange takes 35 to 50 ms; drivers allow 500 ms for live data and 1 s for
 * the rest; absent addresses are best probed with 60 to 100 ms; a built-in master asks every 220 to
 * 400 ms, so 2 s without a question mean that there is none. Information about the pack is not
 * answered at all times by newer firmware. */
#include "schedule.h"

#include <string.h>

#define MS                INT64_C(1000)
#define LIVE_REACTION_US  (500 * MS)
#define OTHER_REACTION_US (1000 * MS)
#define PROBE_REACTION_US (100 * MS)
#define MASTER_GONE_US    (2000 * MS)
#define REFRESH_US        (60000 * MS)
#define RETRY_US          (1000 * MS) /* doubled with every failure ... */
#define RETRY_DOUBLINGS   6           /* ... up to 64 s */
#define GIVE_UP           3           /* turns without an answer */
#define PATIENCE_GAPS     INT64_C(5)  /* a line that never falls quiet is asked all the same */
#define SHY_US                                                                    \
	(1000 * MS) /* between tries of silent addresses, all of which were tried \
		       once */

static bool is_wanted(const struct schedule *s, int address)
{
	return s->config.addresses >> address & 1;
}

static bool is_silent(const struct schedule *s, int address)
{
	return s->addresses[address].misses >= GIVE_UP;
}

/* Whatever was read belonged to a pack that may not be the one that answers next time. */
static void forget(struct schedule_address *address)
{
	address->known = false;
	memset(address->messages, 0, sizeof address->messages);
}

void schedule_restart(struct schedule *s, int64_t now_us)
{
	for (int i = 0; i < SCHEDULE_ADDRESSES; i++) {
		forget(&s->addresses[i]);
		/* two tries in a row: the first often fails */
		s->addresses[i].misses = s->config.shy ? GIVE_UP : 1;
		if (s->config.shy)
			s->addresses[i].tried_us = INT64_MIN;
	}
	s->quiet_us = now_us;
	s->done_us = now_us;
	s->asking = false;
	s->turn_open = false;
	s->cursor = 0;
	s->probed = false;
	s->refreshed = false;
	s->cycle_start_us = now_us;
	s->rest_us = now_us;
}

void schedule_init(struct schedule *s, const struct schedule_config *config, int64_t now_us)
{
	memset(s, 0, sizeof *s);
	s->config = *config;
	s->listen_us = now_us + config->listen_us;
	schedule_restart(s, now_us);
}

void schedule_heard(struct schedule *s, int64_t now_us)
{
	if (now_us > s->quiet_us)
		s->quiet_us = now_us;
}

void schedule_talked(struct schedule *s, int64_t active_us, int64_t now_us)
{
	schedule_heard(s, active_us);
	s->done_us = now_us;
}

void schedule_foreign(struct schedule *s, int64_t now_us)
{
	schedule_restart(s, now_us);
	s->listen_us = now_us + MASTER_GONE_US;
}

void schedule_pace(struct schedule *s, int32_t cycle_us, int64_t now_us)
{
	if (s->rest_us > now_us) {
		s->rest_us += cycle_us - s->config.cycle_us;
		if (s->rest_us < now_us)
			s->rest_us = now_us;
		s->cycle_start_us = s->rest_us;
	}
	s->config.cycle_us = cycle_us;
}

bool schedule_is_listening(const struct schedule *s, int64_t now_us)
{
	return now_us < s->listen_us;
}

/* --- the cycle: whose turn it is --- */

static void begin_turn(struct schedule *s, int address, int64_t now_us)
{
	s->addresses[address].tried_us = now_us;
	s->turn_open = true;
	s->turn_address = address;
	s->turn_done = 0;
	s->turn_retried = false;
	s->turn_extra = false;
	s->turn_complete = false;
}

/* The silent address that has waited longest and was not asked in this cycle, -1 when there is
 * none.
 */
static int longest_silent(const struct schedule *s)
{
	int best = -1;

	for (int i = 0; i < SCHEDULE_ADDRESSES; i++)
		if (is_wanted(s, i) && is_silent(s, i) &&
		    s->addresses[i].tried_us < s->cycle_start_us &&
		    (best < 0 || s->addresses[i].tried_us < s->addresses[best].tried_us))
			best = i;
	return best;
}

/* Whether a silent address may be tried in this cycle. */
static bool may_probe(const struct schedule *s, int64_t now_us)
{
	const int address = longest_silent(s);

	if (s->probed || address < 0)
		return false;
	return !s->config.shy || s->addresses[address].tried_us == INT64_MIN ||
	       now_us - s->probed_us >= SHY_US;
}

static void end_cycle(struct schedule *s, int64_t now_us)
{
	s->cycle_us = now_us - s->cycle_start_us;
	s->rest_us = s->cycle_start_us + s->config.cycle_us;
	s->cycle_start_us = now_us > s->rest_us ? now_us : s->rest_us;
	s->cycles++;
	s->cursor = 0;
	s->probed = false;
	s->refreshed = false;
}

/* False at the end of a cycle. */
static bool find_turn(struct schedule *s, int64_t now_us)
{
	while (s->cursor < SCHEDULE_ADDRESSES) {
		int address = s->cursor++;

		if (is_wanted(s, address) && !is_silent(s, address)) {
			begin_turn(s, address, now_us);
			return true;
		}
	}
	if (may_probe(s, now_us)) {
		s->probed = true;
		s->probed_us = now_us;
		begin_turn(s, longest_silent(s), now_us);
		return true;
	}
	return false;
}

void schedule_expect(struct schedule *s, int address)
{
	if (is_silent(s, address))
		s->addresses[address].misses = GIVE_UP - 1;
}

/* --- the turn: what to ask --- */

static int find_role(const struct schedule *s, enum schedule_role role, bool unread, int64_t now_us)
{
	const struct schedule_address *address = &s->addresses[s->turn_address];

	for (int i = 0; i < s->config.message_count; i++) {
		bool old = unread ? !address->messages[i].read
				  : now_us - address->messages[i].read_us >= REFRESH_US;

		if (s->config.messages[i].role == role && old &&
		    now_us >= address->messages[i].retry_us)
			return i;
	}
	return -1;
}

/* At most one message besides the live ones in a turn, and one repetition of settings in a whole
 * cycle, so that cycles stay even. -1: the turn is over. */
static int find_message(struct schedule *s, int64_t now_us)
{
	int message;

	for (int i = 0; i < s->config.message_count; i++)
		if (s->config.messages[i].role == SCHEDULE_LIVE && !(s->turn_done >> i & 1))
			return i;
	if (s->turn_extra)
		return -1;
	s->turn_extra = true;
	message = find_role(s, SCHEDULE_SETTINGS, true, now_us);
	if (message < 0)
		message = find_role(s, SCHEDULE_ABOUT, true, now_us);
	if (message < 0 && !s->refreshed) {
		message = find_role(s, SCHEDULE_SETTINGS, false, now_us);
		s->refreshed = message >= 0;
	}
	return message;
}

static int64_t reaction_us(const struct schedule *s, int message)
{
	const struct schedule_address *address = &s->addresses[s->turn_address];

	if (s->config.reaction_us > 0)
		return s->config.reaction_us;
	if (s->config.messages[message].role != SCHEDULE_LIVE)
		return OTHER_REACTION_US;
	return address->known && address->misses == 0 ? LIVE_REACTION_US : PROBE_REACTION_US;
}

static void ask(struct schedule *s, int message)
{
	s->turn_message = message;
	s->asking = true;
	s->step = (struct schedule_step){
		.kind = SCHEDULE_ASK,
		.address = s->turn_address,
		.message = s->config.messages[message].index,
		.role = s->config.messages[message].role,
		.timeout_us = (int32_t)(reaction_us(s, message) + s->config.answer_us),
		.first = s->turn_done == 0,
		.stranger = !s->addresses[s->turn_address].known,
	};
}

int64_t schedule_free_us(const struct schedule *s)
{
	const int64_t latest_us = s->done_us + PATIENCE_GAPS * s->config.gap_us;
	const int64_t free_us = s->quiet_us + s->config.gap_us;

	return free_us < latest_us ? free_us : latest_us;
}

struct schedule_step schedule_next(struct schedule *s, int64_t now_us)
{
	if (now_us < s->listen_us)
		return (struct schedule_step){.kind = SCHEDULE_LISTEN, .at_us = s->listen_us};
	for (int cycles = 0; !s->asking && now_us >= s->rest_us && cycles < 2;) {
		int message = s->turn_open ? find_message(s, now_us) : -1;

		if (message >= 0) {
			ask(s, message);
		} else {
			s->turn_open = find_turn(s, now_us);
			if (!s->turn_open) {
				end_cycle(s, now_us);
				cycles++;
			}
		}
	}
	if (!s->asking && now_us < s->rest_us)
		return (struct schedule_step){.kind = SCHEDULE_LISTEN, .at_us = s->rest_us};
	if (!s->asking) /* nobody to ask */
		return (struct schedule_step){.kind = SCHEDULE_LISTEN,
					      .at_us = now_us + MASTER_GONE_US};
	s->step.at_us = schedule_free_us(s);
	return s->step;
}

/* --- results --- */

/* Packs that fell silent together usually come back together (a cable, a breaker). */
static void recall_lost(struct schedule *s)
{
	for (int i = 0; i < SCHEDULE_ADDRESSES; i++)
		if (s->addresses[i].had && is_silent(s, i))
			s->addresses[i].misses = GIVE_UP - 1;
}

static bool is_complete(const struct schedule *s)
{
	const struct schedule_address *address = &s->addresses[s->turn_address];

	for (int i = 0; i < s->config.message_count; i++) {
		if (s->config.messages[i].role == SCHEDULE_LIVE && !(s->turn_done >> i & 1))
			return false;
		if (s->config.messages[i].role == SCHEDULE_SETTINGS && !address->messages[i].read)
			return false;
	}
	return true;
}

static bool answered(struct schedule *s, int64_t now_us)
{
	struct schedule_address *address = &s->addresses[s->turn_address];
	bool complete;

	address->messages[s->turn_message].read = true;
	address->messages[s->turn_message].read_us = now_us;
	address->messages[s->turn_message].tries = 0;
	s->turn_done |= 1U << s->turn_message;
	if (s->step.role == SCHEDULE_LIVE) {
		address->misses = 0;
		if (!address->known)
			recall_lost(s);
		address->known = true;
		address->had = true;
	}
	complete = !s->turn_complete && is_complete(s);
	s->turn_complete |= complete;
	return complete;
}

static void failed(struct schedule *s, int64_t now_us, enum schedule_result result)
{
	struct schedule_address *address = &s->addresses[s->turn_address];
	int message = s->turn_message;

	if (s->step.role != SCHEDULE_LIVE) {
		address->messages[message].retry_us =
			now_us + (RETRY_US << address->messages[message].tries);
		if (address->messages[message].tries < RETRY_DOUBLINGS)
			address->messages[message].tries++;
	} else if (result == SCHEDULE_DAMAGED && !s->turn_retried) {
		s->turn_retried = true; /* noise: once more in the same turn */
	} else {
		s->turn_open = false;
		if (++address->misses == GIVE_UP)
			forget(address);
		else if (address->misses > GIVE_UP)
			address->misses = GIVE_UP;
	}
}

bool schedule_done(struct schedule *s, int64_t now_us, enum schedule_result result)
{
	if (!s->asking) /* stopped by schedule_foreign meanwhile */
		return false;
	s->asking = false;
	s->done_us = now_us;
	if (result == SCHEDULE_ANSWERED)
		return answered(s, now_us);
	failed(s, now_us, result);
	return false;
}
