// SPDX-License-Identifier: Apache-2.0
/* The search itself: window, rounds, findings, and who answers at an address. Where a pack is put
 * is search_place.c's business. */
#include "search.h"

#include <stdio.h>
#include <string.h>

#include "search_private.h"
#include "wire/bytes.h"
#include "wire/rtu.h"

#define S            INT64_C(1000000)
#define FRAME        13 /* bytes of an answer */
#define SLOTS        16
#define SLOT_BITS    1 /* bits more in each half of a prefix */
#define UID_BITS     32
#define NOISE        5 /* bytes of rubbish that a line may give without a collision */
#define MAX_ROUNDS   160
#define MARGIN_US    20000 /* turn-around, and what adapters keep back */
#define PERIOD_US    (10 * S)
#define SOON_US      (1 * S)
#define EAGER        3 /* sessions without a finding before the line counts as known */
#define WINDOW_S     5
#define WINDOW_OLD   (3 * S)
#define WHO_TRIES    3
#define IDENTITY     0x0000
#define IDENTITY_LEN 52
#define MAGIC        0x504B

/* Within the identity block, in bytes. */
enum { WHO_UID = 2 * 0x0A, WHO_SERIAL = 2 * 0x14, WHO_DIP = 2 * 0x30, WHO_POSITION = 2 * 0x32 };

uint32_t search_u32(const uint8_t *bytes)
{
	return (uint32_t)get_u16be(bytes) << 16 | get_u16be(bytes + 2);
}

/* --- findings --- */

static bool is_answer(const uint8_t *bytes, size_t count)
{
	return count >= FRAME && bytes[0] == SEARCH_UNASSIGNED && bytes[1] == RTU_READ_HOLDING &&
	       bytes[2] == FRAME - 5 && rtu_is_sealed(bytes, FRAME);
}

int search_read(const uint8_t *bytes, size_t count, struct search_finding out[], int max,
		bool *noise)
{
	size_t rubbish = 0;
	int found = 0;

	while (count > 0) {
		size_t step = 1;

		if (is_answer(bytes, count)) {
			if (found < max)
				out[found++] = (struct search_finding){search_u32(bytes + 3),
								       get_u16be(bytes + 7),
								       bytes[9], bytes[10]};
			step = FRAME;
		} else {
			rubbish++;
		}
		bytes += step;
		count -= step;
	}
	*noise = rubbish >= NOISE;
	return found;
}

/* --- start --- */

void search_init(struct search *s, int first_register, uint32_t baud, uint32_t addresses)
{
	uint32_t kept[SEARCH_ADDRESSES];
	const unsigned moves = s->kept_moves;

	memcpy(kept, s->kept, sizeof kept);
	memset(s, 0, sizeof *s);
	memcpy(s->kept, kept, sizeof kept);
	s->kept_moves = moves;
	s->first_register = first_register;
	s->baud = baud;
	s->addresses = addresses & ~UINT32_C(1);
	s->window_us = INT64_MIN / 2;
}

void search_open(struct search *s, int64_t now_us)
{
	memset(s->members, 0, sizeof s->members);
	s->phase = SEARCH_REST;
	s->opening = false;
	s->session_us = s->next_us = now_us;
	s->window_us = now_us - WINDOW_OLD;
	s->quiet_sessions = 0;
	s->poll = 0;
	for (int address = 1; address < SEARCH_ADDRESSES; address++)
		if (s->kept[address])
			s->poll |= UINT32_C(1) << address;
}

void search_met(struct search *s, int address)
{
	if (address > 0 && address < SEARCH_ADDRESSES && !s->members[address].present) {
		s->members[address].asked_for = true;
		s->members[address].tries = 0;
	}
}

void search_gone(struct search *s, int address)
{
	if (address <= 0 || address >= SEARCH_ADDRESSES)
		return;
	s->members[address] = (struct search_member){0};
	s->session_us = 0; /* it may come back without its address */
	s->quiet_sessions = 0;
}

uint32_t search_take_poll(struct search *s)
{
	const uint32_t poll = s->poll & s->addresses;

	s->poll = 0;
	return poll;
}

/* --- events --- */

struct search_event *search_add_event(struct search *s, int address, enum event_severity severity,
				      const char *kind)
{
	struct search_event *event = &s->events[s->event_count % SEARCH_EVENTS];

	if (s->event_count < SEARCH_EVENTS)
		s->event_count++;
	*event = (struct search_event){.address = address, .severity = severity};
	snprintf(event->kind, sizeof event->kind, "%s", kind);
	return event;
}

bool search_take_event(struct search *s, struct search_event *out)
{
	if (s->event_count == 0)
		return false;
	*out = s->events[0];
	s->event_count--;
	memmove(s->events, s->events + 1, (size_t)s->event_count * sizeof *s->events);
	return true;
}

/* Two with the same switches; told once, when both are known. */
static void look_for_twins(struct search *s, int address)
{
	struct search_member *member = &s->members[address];

	for (int i = 1; i < SEARCH_ADDRESSES; i++) {
		struct search_member *other = &s->members[i];
		struct search_event *event;

		if (i == address || !other->present || member->dip == 0 ||
		    other->dip != member->dip || (member->told && other->told))
			continue;
		member->told = other->told = true;
		event = search_add_event(s, address, EVENT_WARNING, "duplicate_address");
		snprintf(event->text, sizeof event->text,
			 "Two packs have their switches at %d: %s now has address %d, %s address "
			 "%d. Change one of them.",
			 member->dip, other->serial, i, member->serial, address);
	}
}

/* --- who is there --- */

/* A pack is in one place; who answers where it was must be asked anew. */
static void leave_others(struct search *s, int address, uint32_t uid32)
{
	for (int i = 1; i < SEARCH_ADDRESSES; i++)
		if (i != address && s->members[i].present && s->members[i].uid32 == uid32)
			s->members[i] = (struct search_member){.asked_for = true};
}

bool search_learn(struct search *s, int address, const struct phrase *phrase, const uint8_t *bytes,
		  size_t count)
{
	struct search_member *member = &s->members[address];
	const uint8_t *words = phrase_words(phrase, bytes, count);

	if (!words || get_u16be(words) != MAGIC)
		return false;
	*member = (struct search_member){.present = true, .uid32 = search_u32(words + WHO_UID)};
	member->dip = (uint8_t)get_u16be(words + WHO_DIP);
	member->position = (uint8_t)get_u16be(words + WHO_POSITION);
	memcpy(member->serial, words + WHO_SERIAL, SEARCH_SERIAL - 1);
	for (char *c = member->serial; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	if (!member->serial[0])
		snprintf(member->serial, sizeof member->serial, "id %08X", member->uid32);
	leave_others(s, address, member->uid32);
	search_keep(s, address, member->uid32);
	look_for_twins(s, address);
	return true;
}

void search_ask_who(int address, struct phrase *phrase)
{
	phrase_read(phrase, (uint8_t)address, IDENTITY, IDENTITY_LEN);
}

static int next_stranger(const struct search *s)
{
	for (int i = 1; i < SEARCH_ADDRESSES; i++)
		if (s->members[i].asked_for)
			return i;
	return 0;
}

static void take_who(struct search *s, const struct phrase *phrase, const uint8_t *bytes,
		     size_t count)
{
	const int address = s->current;
	struct search_member *member = &s->members[address];

	s->phase = SEARCH_REST;
	if (!search_learn(s, address, phrase, bytes, count) && ++member->tries >= WHO_TRIES)
		member->asked_for = false; /* until it is met anew */
}

enum search_verdict search_verdict(const struct search *s)
{
	enum search_verdict verdict = SEARCH_NOBODY;

	if (s->found_count > 0)
		return SEARCH_OWN;
	for (int i = 1; i < SEARCH_ADDRESSES; i++) {
		if (s->members[i].present)
			return SEARCH_OWN;
		if (s->members[i].tries >= WHO_TRIES)
			verdict = SEARCH_OTHERS;
	}
	return verdict;
}

/* --- rounds --- */

void search_operate(const struct search *s, struct phrase *phrase, int operation, uint32_t a_b,
		    uint16_t c, uint16_t d)
{
	const uint16_t words[6] = {
		(uint16_t)(0xADD0 + operation), (uint16_t)(a_b >> 16), (uint16_t)a_b, c, d, 0};

	phrase_write(phrase, 0, s->first_register, words, 6);
}

static int32_t wire_us(const struct search *s, int32_t tenths)
{
	return (int32_t)((int64_t)tenths * 1000000 / s->baud);
}

/* An answer and the silence of 3.5 characters behind it; 3 ms at 115200. */
static uint16_t slot_ms(const struct search *s)
{
	int32_t silence_us = wire_us(s, 39);

	if (silence_us < 1750)
		silence_us = 1750;
	return (uint16_t)((wire_us(s, FRAME * 10) + silence_us + 999) / 1000);
}

static void push(struct search *s, uint32_t prefix, unsigned bits)
{
	if (s->depth == SEARCH_STACK)
		return;
	s->stack[s->depth].prefix = prefix;
	s->stack[s->depth++].bits = (uint8_t)bits;
}

static void begin_session(struct search *s)
{
	s->phase = SEARCH_ROUND;
	s->found_count = s->rounds = s->depth = s->door_tries = 0;
	s->taken = 0;
	push(s, 0, 0);
}

static void say_round(struct search *s, struct phrase *phrase)
{
	const uint32_t prefix = s->stack[s->depth - 1].prefix;
	const uint8_t bits = s->stack[s->depth - 1].bits;

	search_operate(s, phrase, SEARCH_OP_SEARCH, prefix, bits, slot_ms(s));
	phrase->kind = PHRASE_LISTEN;
	phrase->wait_us = SLOTS * slot_ms(s) * 1000 + MARGIN_US;
}

static void add_finding(struct search *s, const struct search_finding *finding)
{
	for (int i = 0; i < s->found_count; i++)
		if (s->found[i].uid32 == finding->uid32)
			return;
	if (s->found_count == SEARCH_FOUND)
		return;
	s->placed[s->found_count] = false;
	s->found[s->found_count++] = *finding;
}

void search_end_session(struct search *s, int64_t now_us)
{
	s->quiet_sessions = s->found_count > 0 ? 0 : s->quiet_sessions + 1;
	s->session_us = now_us + (s->quiet_sessions < EAGER ? SOON_US : PERIOD_US);
	s->phase = SEARCH_REST;
}

static void take_round(struct search *s, const uint8_t *bytes, size_t count, int64_t now_us)
{
	struct search_finding found[SLOTS];
	const uint32_t prefix = s->stack[s->depth - 1].prefix;
	const unsigned bits = s->stack[--s->depth].bits;
	bool noise;
	const int n = search_read(bytes, count, found, SLOTS, &noise);

	for (int i = 0; i < n; i++)
		add_finding(s, &found[i]);
	if (noise && bits + SLOT_BITS <= UID_BITS && ++s->rounds < MAX_ROUNDS) {
		push(s, prefix, bits + SLOT_BITS);
		push(s, prefix | UINT32_C(1) << (UID_BITS - SLOT_BITS - bits), bits + SLOT_BITS);
	}
	if (s->depth > 0)
		return;
	if (s->only_looking)
		search_end_session(s, now_us);
	else
		search_place(s);
}

/* --- in and out --- */

int64_t search_due_us(const struct search *s)
{
	int64_t due_us = s->phase == SEARCH_REST && next_stranger(s) == 0 ? s->session_us : 0;

	return due_us > s->next_us ? due_us : s->next_us;
}

static void begin(struct search *s)
{
	s->current = next_stranger(s);
	if (s->current > 0)
		s->phase = SEARCH_WHO;
	else
		begin_session(s);
}

bool search_next(struct search *s, int64_t now_us, struct phrase *phrase)
{
	if (now_us < search_due_us(s))
		return false;
	if (s->phase == SEARCH_REST)
		begin(s);
	s->opening = s->phase != SEARCH_WHO && now_us - s->window_us >= WINDOW_OLD;
	if (s->opening) {
		search_operate(s, phrase, SEARCH_OP_WINDOW, WINDOW_S << 16, 0, 0);
	} else if (s->phase == SEARCH_WHO) {
		search_ask_who(s->current, phrase);
	} else if (s->phase == SEARCH_ROUND) {
		say_round(s, phrase);
	} else if (!search_say_place(s, phrase)) {
		search_end_session(s, now_us);
		return false;
	}
	return true;
}

void search_heard(struct search *s, const struct phrase *phrase, const uint8_t *bytes, size_t count,
		  int64_t now_us)
{
	if (s->opening)
		s->window_us = now_us;
	else if (s->phase == SEARCH_WHO)
		take_who(s, phrase, bytes, count);
	else if (s->phase == SEARCH_ROUND)
		take_round(s, bytes, count, now_us);
	else
		search_take_place(s, phrase, bytes, count, now_us);
	s->opening = false;
}
