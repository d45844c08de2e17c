// SPDX-License-Identifier: Apache-2.0
/* Exchanges with time-outs and repeats, half of the bus time, and which pack is next. */
#include "campaign.h"

#include <string.h>

#include "campaign_private.h"
#include "wire/rtu.h"

#define ANSWER_MS   100 /* of patience for the beginning of an answer: flash writes take up to 50 */
#define LATE_MS     150 /* after that, for a late answer: it must not meet the next request */
#define QUICK_TRIES 5   /* before the pack counts as gone */
#define GONE_MS     30000 /* that it may be gone, e.g. without power, in the middle of a job */
#define AGAIN_MS    1000  /* between tries to reach it */
#define PROGRAM_MS  5     /* between broadcasts, for the slowest flash */
#define EXCEPTION   5     /* bytes */

struct update_pack *update_current(struct update_job *job)
{
	return &job->packs[job->current];
}

void update_enter(struct update_job *job, enum phase phase, int64_t now_ms)
{
	job->phase = (uint8_t)phase;
	job->phase_ms = now_ms;
}

void update_pause(struct update_job *job, int64_t until_ms)
{
	if (until_ms > job->next_ms)
		job->next_ms = until_ms;
}

/* A pack on trial that can still be talked to is sent back, so that it does not wait ten minutes.
 */
void update_fail(struct update_job *job, enum update_error error, int64_t now_ms)
{
	struct update_pack *pack = update_current(job);

	if (job->stopping) {
		job->state = UPDATE_STOPPED;
		return;
	}
	pack->error = error;
	if (pack->progress == UPDATE_ON_TRIAL && error != UPDATE_NO_ANSWER &&
	    error != UPDATE_REVERTED && error != UPDATE_LOCKED) {
		job->stopping = true;
		update_authorize(job, PHASE_REVERT, now_ms);
	} else {
		job->state = UPDATE_STOPPED;
	}
}

/* --- the order of the packs --- */

static bool needs_load(const struct update_job *job, int i)
{
	return !job->loaded[i] && job->packs[i].progress != UPDATE_ON_TRIAL &&
	       job->packs[i].progress != UPDATE_CONFIRMED;
}

static bool is_member(const struct update_job *job, int i)
{
	return needs_load(job, i) && job->packs[i].image == job->group;
}

static void turn_to(struct update_job *job, int index, enum stage stage, enum phase phase,
		    int64_t now_ms)
{
	job->current = index;
	job->stage = (uint8_t)stage;
	job->silent = 0;
	update_enter(job, phase, now_ms);
}

static void activate_next(struct update_job *job, int64_t now_ms)
{
	for (int i = 0; i < job->count; i++)
		if (job->packs[i].progress != UPDATE_CONFIRMED) {
			job->has_settings = false;
			turn_to(job, i, STAGE_ACTIVATE, PHASE_IDENTIFY, now_ms);
			return;
		}
	job->state = UPDATE_SUCCEEDED;
}

static void load_next(struct update_job *job, int64_t now_ms)
{
	int i = 0;

	while (i < job->count && !needs_load(job, i))
		i++;
	if (i == job->count) {
		activate_next(job, now_ms);
	} else if (!job->options.broadcast) {
		turn_to(job, i, STAGE_LOAD, PHASE_IDENTIFY, now_ms);
	} else {
		job->group = job->packs[i].image;
		memset(job->group_bitmap, 0xff, sizeof job->group_bitmap);
		turn_to(job, i, STAGE_PREPARE, PHASE_IDENTIFY, now_ms);
	}
}

/* The next of the group that has not passed this stage; -1 = none. */
static int next_member(const struct update_job *job)
{
	for (int i = 0; i < job->count; i++)
		if (is_member(job, i) && job->passed[i] < job->stage)
			return i;
	return -1;
}

/* All of the group erase at the same time. */
static void prepare_next(struct update_job *job, int64_t now_ms)
{
	job->passed[job->current] = job->stage;

	int next = next_member(job);

	if (next < 0 && job->stage == STAGE_PREPARE) {
		job->stage = STAGE_ERASE;
		next = next_member(job);
	}
	if (next < 0) {
		job->chunk = 0;
		job->stage = STAGE_SHOUT;
		return;
	}
	turn_to(job, next, (enum stage)job->stage,
		job->stage == STAGE_PREPARE ? PHASE_IDENTIFY : PHASE_ERASING, now_ms);
}

/* After the broadcast: each of the group gets what it missed. */
static void repair_next(struct update_job *job, int64_t now_ms)
{
	for (int i = 0; i < job->count; i++)
		if (is_member(job, i)) {
			turn_to(job, i, STAGE_LOAD, PHASE_ERASING, now_ms);
			return;
		}
	load_next(job, now_ms);
}

void update_pack_done(struct update_job *job, int64_t now_ms)
{
	switch ((enum stage)job->stage) {
	case STAGE_SURVEY:
		if (job->current + 1 < job->count)
			turn_to(job, job->current + 1, STAGE_SURVEY, PHASE_IDENTIFY, now_ms);
		else
			load_next(job, now_ms);
		break;
	case STAGE_PREPARE:
	case STAGE_ERASE: prepare_next(job, now_ms); break;
	case STAGE_SHOUT: repair_next(job, now_ms); break;
	case STAGE_LOAD:
		job->loaded[job->current] = true;
		if (job->options.broadcast)
			repair_next(job, now_ms);
		else
			load_next(job, now_ms);
		break;
	case STAGE_ACTIVATE: activate_next(job, now_ms); break;
	}
}

int update_begin(struct update_job *job, const struct release *release,
		 const struct update_options *options, const uint8_t *units, int count,
		 int64_t now_ms)
{
	if (count < 1 || count > UPDATE_PACKS || release->count < 1 || options->baud < 1200 ||
	    options->key_length > UPDATE_KEY_MAX)
		return ERR_RANGE;
	memset(job, 0, sizeof *job);
	job->options = *options;
	job->release = release;
	job->count = count;
	for (int i = 0; i < count; i++)
		job->packs[i].unit = units[i];
	turn_to(job, 0, STAGE_SURVEY, PHASE_IDENTIFY, now_ms);
	if (options->bus_errors_ppm > UPDATE_ERRORS_PPM)
		update_fail(job, UPDATE_BAD_BUS, now_ms);
	else if (options->packs_in_service < 2 && !options->allow_alone)
		update_fail(job, UPDATE_ALONE, now_ms);
	return 0;
}

/* --- exchanges --- */

static int64_t wire_ms(const struct update_job *job, size_t bytes)
{
	return ((int64_t)bytes * 10000 + job->options.baud - 1) / job->options.baud;
}

static void send(struct update_job *job, int64_t now_ms, enum update_step_kind kind,
		 struct update_step *step)
{
	job->sent_ms = now_ms;
	job->waiting = true;
	job->bytes_sent += job->length;
	job->exchanges++;
	*step = (struct update_step){
		.kind = kind,
		.frame = job->frame,
		.length = job->length,
		.answer_bytes = job->answer_bytes,
		.answer_ms = (int32_t)(ANSWER_MS + wire_ms(job, job->answer_bytes)),
	};
}

/* Waits until the limits were lowered; then the pack may go. */
static bool still_leaving(struct update_job *job, int64_t now_ms, struct update_step *step)
{
	if (job->phase != PHASE_LEAVING)
		return false;
	if (job->lowered || now_ms - job->phase_ms >= UPDATE_LEAVE_MS) {
		update_authorize(job, PHASE_ACTIVATE, now_ms);
		return false;
	}
	*step = (struct update_step){.kind = UPDATE_STEP_WAIT, .until_ms = now_ms + 100};
	return true;
}

void update_next(struct update_job *job, int64_t now_ms, struct update_step *step)
{
	if (job->waiting) /* the last exchange was given up */
		update_answer(job, now_ms, NULL, 0);
	if (job->state != UPDATE_RUNNING || (still_leaving(job, now_ms, step))) {
		if (job->state != UPDATE_RUNNING)
			*step = (struct update_step){.kind = UPDATE_STEP_DONE};
		return;
	}
	if (now_ms < job->next_ms) {
		*step = (struct update_step){.kind = UPDATE_STEP_WAIT, .until_ms = job->next_ms};
		return;
	}
	if (job->stage == STAGE_SHOUT) {
		if (update_shout(job)) {
			send(job, now_ms, UPDATE_STEP_BROADCAST, step);
			return;
		}
		update_pack_done(job, now_ms);
	}
	if (job->state != UPDATE_RUNNING) {
		*step = (struct update_step){.kind = UPDATE_STEP_DONE};
		return;
	}
	update_ask(job);
	send(job, now_ms, UPDATE_STEP_SEND, step);
}

/* Whether a pack that does not answer may come back, and where to go on then. */
static void take_silence(struct update_job *job, int64_t now_ms)
{
	job->retries++;
	if (job->silent++ == 0)
		job->silent_ms = now_ms;
	if (job->phase == PHASE_ACTIVATE) { /* it may be on its way already */
		update_current(job)->progress = UPDATE_RESTARTS;
		update_enter(job, PHASE_RESTART, now_ms);
		return;
	}
	if (job->phase == PHASE_RESPOND) /* a nonce is good for one response, answered or not */
		update_authorize(job, (enum phase)job->after_auth, now_ms);
	update_pause(job, now_ms + LATE_MS);
	if (job->silent < QUICK_TRIES)
		return;
	if (job->stage == STAGE_SURVEY || job->stopping || now_ms - job->silent_ms > GONE_MS) {
		update_fail(job, UPDATE_NO_ANSWER, now_ms);
		return;
	}
	update_pause(job, now_ms + AGAIN_MS);
	if (job->phase == PHASE_RESTART || job->phase == PHASE_RUNNING)
		job->phase = PHASE_RESTART;
	else
		update_enter(job, PHASE_IDENTIFY, now_ms);
}

/* An answer, by its length and CRC: 0 = words in *words (NULL for an acknowledge), > 0 = exception
 * code, < 0 = none. */
static int read_answer(const struct update_job *job, const uint8_t *bytes, size_t count,
		       const uint8_t **words)
{
	const uint8_t *request = job->frame;

	/* an echo of the request, as some adapters give, and noise before the answer */
	for (; count >= EXCEPTION; bytes++, count--) {
		if (bytes[0] != request[0])
			continue;
		if (bytes[1] == (request[1] | RTU_REFUSED) && rtu_is_sealed(bytes, EXCEPTION))
			return bytes[2] > 0 ? bytes[2] : ERR_FORMAT;
		if (bytes[1] != request[1] || count < job->answer_bytes ||
		    !rtu_is_sealed(bytes, job->answer_bytes))
			continue;
		if (request[1] == RTU_READ_HOLDING && bytes[2] == job->answer_bytes - 5) {
			*words = bytes + 3;
			return 0;
		}
		if (request[1] == RTU_WRITE && memcmp(bytes, request, 6) == 0) {
			*words = NULL;
			return 0;
		}
	}
	return ERR_INCOMPLETE;
}

void update_answer(struct update_job *job, int64_t now_ms, const uint8_t *bytes, size_t count)
{
	const uint8_t *words = NULL;

	if (!job->waiting)
		return;
	job->waiting = false;
	if (job->stage == STAGE_SHOUT) {
		const int64_t wire = wire_ms(job, job->length);

		job->next_ms = now_ms + (wire > PROGRAM_MS ? wire : PROGRAM_MS);
		return;
	}
	job->next_ms = now_ms + (now_ms - job->sent_ms); /* half of the time is for others */

	const int result = count > 0 ? read_answer(job, bytes, count, &words) : ERR_TIMEOUT;

	if (result < 0) {
		take_silence(job, now_ms);
		return;
	}
	job->silent = 0;
	if (result > 0)
		update_take_exception(job, (uint8_t)result, now_ms);
	else
		update_take(job, words, now_ms);
}

/* --- for others --- */

int update_leaving(const struct update_job *job)
{
	const enum update_progress progress = job->packs[job->current].progress;

	if (job->state == UPDATE_SUCCEEDED || job->stage != STAGE_ACTIVATE)
		return -1;
	return progress == UPDATE_LEAVES || progress == UPDATE_RESTARTS ? job->current : -1;
}

void update_lowered(struct update_job *job)
{
	job->lowered = true;
}

/* Loading counts for 60, activating for 40. */
int32_t update_percent(const struct update_job *job)
{
	int32_t sum = 0;

	for (int i = 0; i < job->count; i++) {
		const struct update_pack *pack = &job->packs[i];

		if (pack->progress == UPDATE_CONFIRMED)
			sum += 100;
		else if (pack->progress >= UPDATE_LOADED)
			sum += pack->progress == UPDATE_ON_TRIAL ? 80 : 60;
		else
			sum += pack->percent * 60 / 100;
	}
	return sum / job->count;
}
