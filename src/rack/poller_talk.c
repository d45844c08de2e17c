// SPDX-License-Identifier: Apache-2.0
/* What the master says besides polls: SYNC before the first poll of each cycle, the search for
 * unique ids with one poll between two of its words, and, for "auto", the decision who is there. */
#include <string.h>

#include "campaign.h"
#include "poller.h"
#include "sync.h"

#define BITS_OF_BYTE 10
#define US_PER_S     INT64_C(1000000)
#define SYNC_US      50000 /* at most so often, also when a cycle has nobody in it */

static int64_t wire_us(const struct poller *p, size_t count)
{
	return US_PER_S * BITS_OF_BYTE * (int64_t)count / p->baud;
}

/* --- when --- */

static void notice_cycle(struct poller *p, int64_t now_us)
{
	if (p->polling.sync_register < 0 || p->schedule.cycles == p->synced_cycles)
		return;
	p->synced_cycles = p->schedule.cycles;
	p->sync_due = now_us - p->synced_us >= SYNC_US;
}

/* A session of the search is not to starve the polls of those who are there. */
static bool search_may_talk(const struct poller *p)
{
	const bool awaited =
		p->step.kind == SCHEDULE_ASK && p->schedule.addresses[p->step.address].known;

	return p->searching && (p->polled || !awaited);
}

int64_t poller_talk_due_us(struct poller *p, int64_t now_us)
{
	const int64_t free_us = schedule_free_us(&p->schedule);
	int64_t due_us = INT64_MAX;

	if (schedule_is_listening(&p->schedule, now_us))
		return INT64_MAX;
	notice_cycle(p, now_us);
	p->job = p->reports->job ? p->reports->job(p->context, p->number, now_us) : NULL;
	if (p->sync_due)
		due_us = free_us;
	else if (search_may_talk(p))
		due_us = search_due_us(&p->search);
	if (p->job && p->job_us < due_us)
		due_us = p->job_us;
	return due_us > free_us ? due_us : free_us;
}

/* --- who --- */

static bool say_sync(struct poller *p, int64_t now_us)
{
	struct rack_word word;
	const bool known = p->reports->word && p->reports->word(p->context, &word);

	if (!p->sync_due)
		return false;
	p->sync_due = false;
	p->synced_us = now_us;
	sync_say(&p->talk, p->polling.sync_register, ++p->heartbeat, known ? &word : NULL);
	p->talker = POLLER_SYNC;
	return true;
}

static void fill_phrase(struct phrase *phrase, const struct update_step *step)
{
	const bool told = step->kind == UPDATE_STEP_BROADCAST;

	phrase->kind = told ? PHRASE_TELL : PHRASE_ASK;
	phrase->count = step->length;
	memcpy(phrase->frame, step->frame, step->length);
	phrase->answer_count = told ? 0 : step->answer_bytes;
	phrase->wait_us = told ? 0 : step->answer_ms * 1000;
}

/* The job keeps to half of the time by itself. */
static bool say_job(struct poller *p, int64_t now_us)
{
	struct update_step step;

	if (!p->job || now_us < p->job_us)
		return false;
	update_next(p->job, now_us / 1000, &step);
	if (step.kind == UPDATE_STEP_SEND || step.kind == UPDATE_STEP_BROADCAST) {
		fill_phrase(&p->talk, &step);
		p->talker = POLLER_JOB;
		return true;
	}
	p->job_us = step.kind == UPDATE_STEP_WAIT ? step.until_ms * 1000 : now_us;
	p->reports->job_step(p->context, p->number);
	return false;
}

static bool say_search(struct poller *p, int64_t now_us)
{
	if (!search_may_talk(p) || !search_next(&p->search, now_us, &p->talk))
		return false;
	p->polled = false;
	p->talker = POLLER_SEARCH;
	return true;
}

size_t poller_talk_begin(struct poller *p, int64_t now_us)
{
	const struct phrase *talk = &p->talk;

	if (!say_sync(p, now_us) && !say_job(p, now_us) && !say_search(p, now_us))
		return 0;
	p->heard_count = 0;
	ear_clear(&p->ear);
	p->active_us = now_us + wire_us(p, talk->count);
	p->deadline_us = p->active_us + talk->wait_us;
	if (talk->kind == PHRASE_ASK)
		p->deadline_us += wire_us(p, talk->answer_count);
	p->request = talk->frame;
	return talk->count;
}

/* --- what came back --- */

/* Some adapters hear what they send. */
static void drop_echo(struct poller *p)
{
	const size_t count = p->talk.count;

	if (p->heard_count < count || memcmp(p->heard, p->talk.frame, count) != 0)
		return;
	p->heard_count -= count;
	memmove(p->heard, p->heard + count, p->heard_count);
}

void poller_talk_hear(struct poller *p, const uint8_t *bytes, size_t count, int64_t now_us)
{
	const size_t room = sizeof p->heard - p->heard_count;

	count = count < room ? count : room;
	memcpy(p->heard + p->heard_count, bytes, count);
	p->heard_count += count;
	if (now_us > p->active_us)
		p->active_us = now_us;
	drop_echo(p);
	if (phrase_is_whole(&p->talk, p->heard, p->heard_count))
		poller_talk_end(p, now_us);
}

/* "auto": packs of this project speak their own protocol; others are asked no more. */
static void decide(struct poller *p, int64_t now_us)
{
	switch (search_verdict(&p->search)) {
	case SEARCH_NOBODY: break;
	case SEARCH_OWN: poller_use(p, p->own_wire, now_us); break;
	case SEARCH_OTHERS: p->searching = false; break;
	}
}

static void take_search(struct poller *p, int64_t now_us)
{
	struct search_event event;
	uint32_t poll;

	search_heard(&p->search, &p->talk, p->heard, p->heard_count, now_us);
	if (p->search.only_looking) {
		decide(p, now_us);
		return;
	}
	poll = search_take_poll(&p->search);
	for (int i = 0; i < SCHEDULE_ADDRESSES; i++)
		if (poll >> i & 1)
			schedule_expect(&p->schedule, i);
	while (search_take_event(&p->search, &event))
		if (p->reports->event)
			p->reports->event(p->context, p->number, &event);
}

static void take_job(struct poller *p, int64_t now_us)
{
	update_answer(p->job, now_us / 1000, p->heard_count ? p->heard : NULL, p->heard_count);
	p->job_us = now_us;
	p->reports->job_step(p->context, p->number);
}

void poller_talk_end(struct poller *p, int64_t now_us)
{
	const enum poller_talker talker = p->talker;

	p->talker = POLLER_NOBODY;
	schedule_talked(&p->schedule, p->active_us, now_us);
	if (talker == POLLER_SEARCH)
		take_search(p, now_us);
	else if (talker == POLLER_JOB)
		take_job(p, now_us);
}
