// SPDX-License-Identifier: Apache-2.0
/* Gives the packs that were found their addresses. Those that must move go first, so that nobody
 * else answers where the others stay. */
#include "search_private.h"

#include <stdio.h>
#include <string.h>

#include "wire/bytes.h"

#define ID_REGISTER   0x0904 /* uid32, class, address and switches */
#define ID_WORDS      4
#define DOOR_REGISTER 0x0003 /* features, chip id, uid32 */
#define DOOR_WORDS    9
#define DOOR_UID      14 /* bytes */
#define ENABLE_LINE   (1U << 6)
#define ENABLE_OUT    0x0908
#define SETTLE_US     200000 /* of the enable line */
#define DOOR_TRIES    2
#define CHECKS        3

/* --- whose address is it? --- */

static bool may_have(const struct search *s, int address)
{
	return address > 0 && address < SEARCH_ADDRESSES && s->addresses >> address & 1;
}

static int kept_address(const struct search *s, uint32_t uid32)
{
	for (int i = 1; i < SEARCH_ADDRESSES; i++)
		if (s->kept[i] == uid32)
			return i;
	return 0;
}

void search_keep(struct search *s, int address, uint32_t uid32)
{
	const int before = kept_address(s, uid32);

	if (before == address)
		return;
	if (before > 0)
		s->kept[before] = 0;
	s->kept[address] = uid32;
	s->kept_moves++;
}

/* Somebody else is known to be there, or answered there without telling who it is. */
static bool is_others(const struct search *s, int address, uint32_t uid32)
{
	const struct search_member *member = &s->members[address];

	return (member->present && member->uid32 != uid32) || s->taken >> address & 1;
}

/* How good a finding's claim to the address is that it has; 0 = it must move. */
static int claim(const struct search *s, const struct search_finding *f)
{
	const int kept = kept_address(s, f->uid32);

	if (!may_have(s, f->address) || is_others(s, f->address, f->uid32))
		return 0;
	if (s->members[f->address].present || kept == f->address)
		return 3;
	if (s->kept[f->address] == 0)
		return 2;
	return kept == 0; /* a new pack in the place of one that is not there */
}

static bool is_targeted(const struct search *s, int address)
{
	for (int i = 0; i < s->found_count; i++)
		if (s->target[i] == address)
			return true;
	return false;
}

static bool is_free(const struct search *s, int address, uint32_t uid32)
{
	return may_have(s, address) && !is_others(s, address, uid32) &&
	       !s->members[address].asked_for && !is_targeted(s, address);
}

/* The address that it had, that of its switches, the lowest that nobody had, the lowest. */
static int choose(const struct search *s, const struct search_finding *f)
{
	const int kept = kept_address(s, f->uid32);

	if (is_free(s, kept, f->uid32))
		return kept;
	if (is_free(s, f->dip, f->uid32) && s->kept[f->dip] == 0)
		return f->dip;
	for (int i = 1; i < SEARCH_ADDRESSES; i++)
		if (is_free(s, i, f->uid32) && s->kept[i] == 0)
			return i;
	for (int i = 1; i < SEARCH_ADDRESSES; i++)
		if (is_free(s, i, f->uid32))
			return i;
	return 0;
}

static void settle_claims(struct search *s)
{
	for (int i = 0; i < s->found_count; i++) {
		const int own = claim(s, &s->found[i]);
		bool best = own > 0;

		for (int k = 0; k < s->found_count; k++) {
			const int other = s->found[k].address == s->found[i].address
						  ? claim(s, &s->found[k])
						  : 0;

			best &= k == i || other < own || (other == own && i < k);
		}
		s->target[i] = best ? s->found[i].address : 0;
	}
}

/* --- the order --- */

static bool is_mover(const struct search *s, int i)
{
	return s->target[i] != s->found[i].address;
}

static bool anybody_waits(const struct search *s)
{
	for (int i = 0; i < s->found_count; i++)
		if (!s->placed[i] && s->found[i].address == SEARCH_UNASSIGNED)
			return true;
	return false;
}

static void begin_one(struct search *s, int i)
{
	s->current = i;
	s->tries = 0;
	s->door = false;
	s->position = 0;
	if (is_mover(s, i)) {
		if (s->target[i] == 0)
			s->target[i] = (uint8_t)choose(s, &s->found[i]);
		s->phase = SEARCH_TRY;
	} else {
		s->phase = s->members[s->target[i]].present ? SEARCH_MUTE : SEARCH_CHECK;
	}
	if (s->target[i] == 0) { /* more packs than addresses */
		s->placed[i] = true;
		s->phase = SEARCH_DOOR;
	}
}

/* False when all are placed. */
static bool next_one(struct search *s)
{
	for (int movers = 1; movers >= 0; movers--)
		for (int i = 0; i < s->found_count; i++)
			if (!s->placed[i] && is_mover(s, i) == (movers == 1)) {
				begin_one(s, i);
				return s->phase != SEARCH_DOOR || next_one(s);
			}
	return false;
}

void search_place(struct search *s)
{
	settle_claims(s);
	s->phase = SEARCH_DOOR;
}

/* --- saying --- */

bool search_say_place(struct search *s, struct phrase *phrase)
{
	const uint16_t on = 1;
	int i;

	if (s->phase == SEARCH_DOOR && (s->door_tries >= DOOR_TRIES || !anybody_waits(s)) &&
	    !next_one(s))
		return false;
	i = s->current;
	switch ((enum search_phase)s->phase) {
	case SEARCH_DOOR: phrase_read(phrase, SEARCH_UNASSIGNED, DOOR_REGISTER, DOOR_WORDS); break;
	case SEARCH_TRY: phrase_read(phrase, s->target[i], ID_REGISTER, ID_WORDS); break;
	case SEARCH_ASSIGN:
		search_operate(s, phrase, SEARCH_OP_ASSIGN, s->found[i].uid32, s->target[i],
			       s->position);
		break;
	case SEARCH_CHECK: search_ask_who(s->target[i], phrase); break;
	case SEARCH_MUTE: search_operate(s, phrase, SEARCH_OP_MUTE, s->found[i].uid32, 0, 0); break;
	case SEARCH_ENABLE: phrase_write(phrase, s->target[i], ENABLE_OUT, &on, 1); break;
	case SEARCH_REST:
	case SEARCH_WHO:
	case SEARCH_ROUND: return false;
	}
	return true;
}

/* --- taking --- */

static uint8_t next_position(const struct search *s)
{
	uint8_t last = 0;

	for (int i = 1; i < SEARCH_ADDRESSES; i++)
		if (s->members[i].present && s->members[i].position > last)
			last = s->members[i].position;
	return (uint8_t)(last + 1);
}

/* Exactly one pack answers at 247 when its neighbour enables it. */
static void take_door(struct search *s, const struct phrase *phrase, const uint8_t *bytes,
		      size_t count)
{
	const uint8_t *words = phrase_words(phrase, bytes, count);

	s->door_tries++;
	if (!words || !(get_u16be(words) & ENABLE_LINE))
		return;
	for (int i = 0; i < s->found_count; i++)
		if (!s->placed[i] && s->found[i].uid32 == search_u32(words + DOOR_UID)) {
			begin_one(s, i);
			s->door = true;
			s->position = next_position(s);
			s->door_tries = 0;
			return;
		}
}

/* Nobody may answer where a pack is to go. */
static void take_try(struct search *s, const struct phrase *phrase, const uint8_t *bytes,
		     size_t count)
{
	const int i = s->current;
	const uint8_t *words = phrase_words(phrase, bytes, count);

	if (count == 0) {
		s->phase = SEARCH_ASSIGN;
		return;
	}
	if (words && search_u32(words) == s->found[i].uid32) {
		s->phase = SEARCH_CHECK;
		return;
	}
	s->taken |= UINT32_C(1) << s->target[i];
	s->poll |= UINT32_C(1) << s->target[i];
	s->target[i] = 0;
	s->target[i] = (uint8_t)choose(s, &s->found[i]);
	if (s->target[i] == 0) {
		s->placed[i] = true;
		s->phase = SEARCH_DOOR;
	}
}

static void tell_given(struct search *s, int i)
{
	const int address = s->target[i];
	struct search_event *event;

	if (!is_mover(s, i))
		return;
	event = search_add_event(s, address, EVENT_INFO, "address_given");
	snprintf(event->text, sizeof event->text, "Pack %s was given address %d.",
		 s->members[address].serial, address);
}

static void take_check(struct search *s, const struct phrase *phrase, const uint8_t *bytes,
		       size_t count)
{
	const int i = s->current, address = s->target[i];

	if (search_learn(s, address, phrase, bytes, count) &&
	    s->members[address].uid32 == s->found[i].uid32) {
		s->poll |= UINT32_C(1) << address;
		tell_given(s, i);
		s->phase = SEARCH_MUTE;
		return;
	}
	if (++s->tries < CHECKS) {
		s->phase = is_mover(s, i) ? SEARCH_ASSIGN : SEARCH_CHECK;
		return;
	}
	s->placed[i] = true; /* the next search finds it again */
	s->phase = SEARCH_DOOR;
}

void search_take_place(struct search *s, const struct phrase *phrase, const uint8_t *bytes,
		       size_t count, int64_t now_us)
{
	switch ((enum search_phase)s->phase) {
	case SEARCH_DOOR: take_door(s, phrase, bytes, count); break;
	case SEARCH_TRY: take_try(s, phrase, bytes, count); break;
	case SEARCH_ASSIGN: s->phase = SEARCH_CHECK; break;
	case SEARCH_CHECK: take_check(s, phrase, bytes, count); break;
	case SEARCH_MUTE:
		s->placed[s->current] = true;
		s->phase = s->door ? SEARCH_ENABLE : SEARCH_DOOR;
		break;
	case SEARCH_ENABLE:
		s->phase = SEARCH_DOOR;
		s->next_us = now_us + SETTLE_US;
		break;
	case SEARCH_REST:
	case SEARCH_WHO:
	case SEARCH_ROUND: break;
	}
}
