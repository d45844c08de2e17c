// SPDX-License-Identifier: Apache-2.0
/* What a pack's answer leads to, phase by phase. */
#include <sodium.h>
#include <string.h>

#include "campaign_private.h"
#include "wire/bytes.h"

#define POLL_MS     200
#define WATCH_MS    5000 /* between looks at a pack on trial */
#define RESTART_MS  1500 /* before the first try to reach a pack that restarts */
#define ERASE_MAX   120000
#define VERIFY_MAX  60000
#define STILL_MS    5000 /* after that a pack that did not restart was never told to */
#define RESTART_MAX 30000
#define AUTHS       20 /* of a pack in one job */
#define TROUBLES    20 /* chunks that a pack did not take */

#define BUSY      0x06
#define LOCKED    0x0A
#define BAD_STATE 14 /* the pack's own error numbers */
#define BAD_HASH  6

/* Registers 3004.., by their distance from it. */
#define AT_PHASE   2
#define AT_WHY     3
#define AT_RUNNING ((size_t)0x1C)
#define AT_OTHER   ((size_t)0x24)

static uint16_t word(const uint8_t *words, size_t index)
{
	return get_u16be(words + 2 * index);
}

static bool took_longer(const struct update_job *job, int64_t now_ms, int64_t limit_ms)
{
	return now_ms - job->phase_ms > limit_ms;
}

static void poll_again(struct update_job *job, int64_t now_ms, int64_t limit_ms)
{
	if (took_longer(job, now_ms, limit_ms))
		update_fail(job, UPDATE_TOO_LONG, now_ms);
	else
		update_pause(job, now_ms + POLL_MS);
}

/* --- authorization --- */

void update_authorize(struct update_job *job, enum phase then, int64_t now_ms)
{
	if (update_current(job)->in_loader) {
		update_enter(job, then, now_ms);
		return;
	}
	if (job->options.key_length == 0 || ++job->auths[job->current] > AUTHS) {
		update_fail(job, UPDATE_LOCKED, now_ms);
		return;
	}
	job->after_auth = (uint8_t)then;
	update_enter(job, PHASE_NONCE, now_ms);
}

/* The first 8 bytes of HMAC(key, nonce, uid32, level), then the level. */
static void take_nonce(struct update_job *job, const uint8_t *words, int64_t now_ms)
{
	crypto_auth_hmacsha256_state hmac;
	const uint32_t uid = update_current(job)->uid32;
	uint8_t text[10], mac[crypto_auth_hmacsha256_BYTES];

	memcpy(text, words, 4);
	put_u16be(text + 4, (uint16_t)(uid >> 16));
	put_u16be(text + 6, (uint16_t)uid);
	put_u16be(text + 8, job->options.level);
	crypto_auth_hmacsha256_init(&hmac, job->options.key, job->options.key_length);
	crypto_auth_hmacsha256_update(&hmac, text, sizeof text);
	crypto_auth_hmacsha256_final(&hmac, mac);
	memcpy(job->response, mac, 8);
	put_u16be(job->response + 8, job->options.level);
	update_enter(job, PHASE_RESPOND, now_ms);
}

/* --- what a pack is, and where it is --- */

static void take_identity(struct update_job *job, const uint8_t *words, int64_t now_ms)
{
	struct update_pack *pack = update_current(job);
	enum update_error error = update_take_identity(pack, words);

	if (error == UPDATE_FINE && pack->device_class != job->packs[0].device_class)
		error = UPDATE_MIXED;
	if (error != UPDATE_FINE)
		update_fail(job, error, now_ms);
	else
		update_enter(job, PHASE_LOOK, now_ms);
}

static void start_watch(struct update_job *job, int64_t now_ms)
{
	update_current(job)->progress = UPDATE_ON_TRIAL;
	job->watch_ms = now_ms;
	job->measurement = -1;
	update_enter(job, PHASE_WATCH, now_ms);
}

/* The image is in the pack, and checked there. */
static void loaded(struct update_job *job, int64_t now_ms)
{
	struct update_pack *pack = update_current(job);

	pack->progress = UPDATE_LOADED;
	pack->percent = 100;
	if (job->stage != STAGE_ACTIVATE)
		update_pack_done(job, now_ms);
	else
		update_enter(job, pack->in_loader ? PHASE_ACTIVATE : PHASE_SETTINGS_1, now_ms);
}

static void take_look(struct update_job *job, const uint8_t *words, int64_t now_ms)
{
	struct update_pack *pack = update_current(job);
	const uint16_t slot = word(words, AT_PHASE);
	const struct image *runs = update_running_image(job, pack, words + 2 * (AT_RUNNING + 4));
	enum update_error error;

	if (runs) {
		pack->percent = 100;
		if (job->stage == STAGE_ACTIVATE && slot == SLOT_TRIAL) {
			start_watch(job, now_ms);
			return;
		}
		pack->progress = slot == SLOT_TRIAL ? UPDATE_ON_TRIAL : UPDATE_CONFIRMED;
		update_pack_done(job, now_ms);
		return;
	}
	if (pack->progress >= UPDATE_RESTARTS) { /* it ran the new one before */
		if (pack->in_loader)
			update_enter(job, PHASE_RESTART, now_ms); /* still on its way, perhaps */
		else
			update_fail(job, UPDATE_REVERTED, now_ms);
		return;
	}
	if (slot == SLOT_TRIAL && !pack->in_loader) { /* somebody else is at it */
		pack->why = BAD_STATE;
		update_fail(job, UPDATE_REFUSED, now_ms);
		return;
	}
	error = update_choose_image(job, pack, words + 2 * AT_RUNNING);
	if (error != UPDATE_FINE)
		update_fail(job, error, now_ms);
	else if (job->stage == STAGE_SURVEY)
		update_enter(job, PHASE_CONDITION, now_ms);
	else if (job->stage == STAGE_ACTIVATE && slot == SLOT_VERIFIED &&
		 memcmp(words + 2 * (AT_OTHER + 4), pack->image->hash, 8) == 0)
		loaded(job, now_ms);
	else
		update_authorize(job, PHASE_OFFER_SIZE, now_ms);
}

static void take_condition(struct update_job *job, const uint8_t *words, int64_t now_ms)
{
	const enum update_error error = update_condition(words, true);

	if (error != UPDATE_FINE) {
		update_fail(job, error, now_ms);
	} else if (job->stage == STAGE_SURVEY) {
		update_current(job)->progress = UPDATE_LOOKED_AT;
		update_pack_done(job, now_ms);
	} else {
		job->lowered = false;
		update_current(job)->progress = UPDATE_LEAVES;
		update_enter(job, PHASE_LEAVING, now_ms);
	}
}

/* --- loading --- */

/* For a broadcast. */
static bool is_preparing(const struct update_job *job)
{
	return job->stage == STAGE_PREPARE || job->stage == STAGE_ERASE;
}

static void load_again(struct update_job *job, uint16_t why, int64_t now_ms)
{
	if (++job->attempts[job->current] < ATTEMPTS) {
		update_authorize(job, PHASE_OFFER_SIZE, now_ms);
		return;
	}
	update_current(job)->why = (uint8_t)why;
	update_fail(job, UPDATE_REFUSED, now_ms);
}

static void take_erasing(struct update_job *job, const uint8_t *words, int64_t now_ms)
{
	switch (word(words, AT_PHASE)) {
	case SLOT_ERASING: poll_again(job, now_ms, ERASE_MAX); break;
	case SLOT_READY:
	case SLOT_RECEIVING: update_enter(job, PHASE_BITMAP, now_ms); break;
	case SLOT_COMPLETE:
		if (is_preparing(job))
			update_pack_done(job, now_ms);
		else
			update_enter(job, PHASE_VERIFY, now_ms);
		break;
	case SLOT_VERIFYING: update_enter(job, PHASE_VERIFYING, now_ms); break;
	case SLOT_VERIFIED:
		if (is_preparing(job))
			update_pack_done(job, now_ms);
		else
			loaded(job, now_ms);
		break;
	default: load_again(job, word(words, AT_WHY), now_ms); break;
	}
}

static void take_bitmap(struct update_job *job, const uint8_t *words, int64_t now_ms)
{
	struct update_pack *pack = update_current(job);

	for (int i = 0; i < UPDATE_CHUNKS / 8; i++)
		job->bitmap[i] = words[i ^ 1]; /* low byte first */
	pack->progress = UPDATE_RECEIVES;
	if (is_preparing(job)) {
		for (int i = 0; i < UPDATE_CHUNKS / 8; i++)
			job->group_bitmap[i] &= job->bitmap[i];
		update_pack_done(job, now_ms);
		return;
	}
	job->chunk = 0;
	update_enter(job,
		     update_find_missing(job, pack->image, job->bitmap) ? PHASE_SEND
									: PHASE_ERASING,
		     now_ms);
}

static void take_chunk(struct update_job *job, int64_t now_ms)
{
	struct update_pack *pack = update_current(job);

	job->bitmap[job->chunk / 8] |= (uint8_t)(1U << job->chunk % 8);
	pack->percent = (int32_t)((uint64_t)job->chunk * UPDATE_CHUNK * 100 / pack->image->size);
	job->phase_ms = now_ms;
	if (!update_find_missing(job, pack->image, job->bitmap))
		update_enter(job, PHASE_ERASING, now_ms);
}

static void take_verifying(struct update_job *job, const uint8_t *words, int64_t now_ms)
{
	switch (word(words, AT_PHASE)) {
	case SLOT_VERIFYING: poll_again(job, now_ms, VERIFY_MAX); break;
	case SLOT_VERIFIED: loaded(job, now_ms); break;
	case SLOT_FAILED:
		if (word(words, AT_WHY) != BAD_HASH)
			job->attempts[job->current] = ATTEMPTS; /* it will not get better */
		load_again(job, word(words, AT_WHY), now_ms);
		break;
	default: update_enter(job, PHASE_ERASING, now_ms); break;
	}
}

/* --- trial --- */

static void keep_settings(struct update_job *job, const uint8_t *words, int first, int count)
{
	for (int i = 0; i < count; i++)
		job->settings[first + i] = word(words, (size_t)i);
}

/* New settings may have appeared where there was nothing. */
static bool same_settings(const struct update_job *job, const uint8_t *words, int first, int count)
{
	for (int i = 0; i < count; i++)
		if (job->settings[first + i] != 0 &&
		    job->settings[first + i] != word(words, (size_t)i))
			return false;
	return true;
}

static void take_restart(struct update_job *job, const uint8_t *words, int64_t now_ms)
{
	const enum update_error error = update_take_identity(update_current(job), words);

	if (error != UPDATE_FINE)
		update_fail(job, error, now_ms);
	else if (!update_current(job)->in_loader || took_longer(job, now_ms, STILL_MS))
		update_enter(job, PHASE_RUNNING, job->phase_ms); /* the same wait goes on */
	else
		update_pause(job, now_ms + POLL_MS);
}

/* The old image may answer some more before it restarts. When it does not go at all, the command
 * was lost. */
static void take_running(struct update_job *job, const uint8_t *words, int64_t now_ms)
{
	const bool runs =
		update_running_image(job, update_current(job), words + 2 * (AT_RUNNING + 4));

	if (runs && word(words, AT_PHASE) == SLOT_TRIAL) {
		start_watch(job, now_ms);
	} else if (runs) {
		update_current(job)->progress = UPDATE_CONFIRMED;
		update_pack_done(job, now_ms);
	} else if (word(words, AT_PHASE) == SLOT_VERIFIED && took_longer(job, now_ms, STILL_MS)) {
		update_authorize(job, PHASE_ACTIVATE, now_ms);
	} else if (took_longer(job, now_ms, RESTART_MAX)) {
		update_fail(job, UPDATE_REVERTED, now_ms);
	} else {
		update_enter(job, PHASE_RESTART, job->phase_ms);
		update_pause(job, now_ms + POLL_MS);
	}
}

static void take_watch(struct update_job *job, const uint8_t *words, int64_t now_ms)
{
	enum update_error error = update_condition(words, false);
	const int32_t measurement = word(words, 0);

	if (error == UPDATE_FINE && job->measurement == measurement)
		error = UPDATE_SICK; /* it does not measure */
	job->measurement = measurement;
	if (error != UPDATE_FINE)
		update_fail(job, error, now_ms);
	else if (now_ms - job->watch_ms <
		 (job->options.check_ms ? job->options.check_ms : UPDATE_CHECK_MS))
		update_pause(job, now_ms + WATCH_MS);
	else if (job->has_settings)
		update_enter(job, PHASE_WATCH_SETTINGS_1, now_ms);
	else
		update_authorize(job, PHASE_CONFIRM, now_ms);
}

static void take_confirmed(struct update_job *job, const uint8_t *words, int64_t now_ms)
{
	if (!update_running_image(job, update_current(job), words + 2 * (AT_RUNNING + 4))) {
		update_fail(job, UPDATE_REVERTED, now_ms);
	} else if (word(words, AT_PHASE) == SLOT_TRIAL) {
		update_authorize(job, PHASE_CONFIRM, now_ms);
	} else {
		update_current(job)->progress = UPDATE_CONFIRMED;
		update_pack_done(job, now_ms);
	}
}

static void take_settings(struct update_job *job, const uint8_t *words, int64_t now_ms)
{
	const int rest = UPDATE_SETTINGS - SETTINGS_FIRST;
	bool same = true;

	switch ((enum phase)job->phase) {
	case PHASE_SETTINGS_1:
		keep_settings(job, words, 0, SETTINGS_FIRST);
		update_enter(job, PHASE_SETTINGS_2, now_ms);
		break;
	case PHASE_SETTINGS_2:
		keep_settings(job, words, SETTINGS_FIRST, rest);
		job->has_settings = true;
		update_enter(job, PHASE_CONDITION, now_ms);
		break;
	case PHASE_WATCH_SETTINGS_1:
		same = same_settings(job, words, 0, SETTINGS_FIRST);
		update_enter(job, PHASE_WATCH_SETTINGS_2, now_ms);
		break;
	default:
		same = same_settings(job, words, SETTINGS_FIRST, rest);
		if (same)
			update_authorize(job, PHASE_CONFIRM, now_ms);
		break;
	}
	if (!same)
		update_fail(job, UPDATE_SETTINGS_LOST, now_ms);
}

void update_take(struct update_job *job, const uint8_t *words, int64_t now_ms)
{
	switch ((enum phase)job->phase) {
	case PHASE_IDENTIFY: take_identity(job, words, now_ms); break;
	case PHASE_LOOK: take_look(job, words, now_ms); break;
	case PHASE_CONDITION: take_condition(job, words, now_ms); break;
	case PHASE_NONCE: take_nonce(job, words, now_ms); break;
	case PHASE_RESPOND: update_enter(job, (enum phase)job->after_auth, now_ms); break;
	case PHASE_OFFER_SIZE: update_enter(job, PHASE_OFFER_HASH, now_ms); break;
	case PHASE_OFFER_HASH: update_enter(job, PHASE_OFFER_LIMITS, now_ms); break;
	case PHASE_OFFER_LIMITS: update_enter(job, PHASE_PREPARE, now_ms); break;
	case PHASE_PREPARE:
		update_current(job)->progress = UPDATE_ERASES;
		update_enter(job, PHASE_ERASING, now_ms);
		if (job->stage == STAGE_PREPARE)
			update_pack_done(job, now_ms);
		break;
	case PHASE_ERASING: take_erasing(job, words, now_ms); break;
	case PHASE_BITMAP: take_bitmap(job, words, now_ms); break;
	case PHASE_SEND: take_chunk(job, now_ms); break;
	case PHASE_VERIFY: update_enter(job, PHASE_VERIFYING, now_ms); break;
	case PHASE_VERIFYING: take_verifying(job, words, now_ms); break;
	case PHASE_SETTINGS_1:
	case PHASE_SETTINGS_2:
	case PHASE_WATCH_SETTINGS_1:
	case PHASE_WATCH_SETTINGS_2: take_settings(job, words, now_ms); break;
	case PHASE_LEAVING: break;
	case PHASE_ACTIVATE:
		update_current(job)->progress = UPDATE_RESTARTS;
		update_enter(job, PHASE_RESTART, now_ms);
		update_pause(job, now_ms + RESTART_MS);
		break;
	case PHASE_RESTART: take_restart(job, words, now_ms); break;
	case PHASE_RUNNING: take_running(job, words, now_ms); break;
	case PHASE_WATCH: take_watch(job, words, now_ms); break;
	case PHASE_CONFIRM: update_enter(job, PHASE_CONFIRMED, now_ms); break;
	case PHASE_CONFIRMED: take_confirmed(job, words, now_ms); break;
	case PHASE_REVERT: job->state = UPDATE_STOPPED; break;
	case PHASE_WHY:
		update_current(job)->why = (uint8_t)word(words, AT_WHY);
		update_fail(job, UPDATE_REFUSED, now_ms);
		break;
	}
}

void update_take_exception(struct update_job *job, uint8_t code, int64_t now_ms)
{
	const enum phase phase = (enum phase)job->phase;

	if (job->stopping)
		job->state = UPDATE_STOPPED;
	else if (phase == PHASE_IDENTIFY || phase == PHASE_LOOK)
		update_fail(job, UPDATE_NOT_OURS, now_ms);
	else if (phase == PHASE_NONCE || phase == PHASE_RESPOND)
		update_fail(job, UPDATE_LOCKED, now_ms);
	else if (phase == PHASE_SETTINGS_1 || phase == PHASE_SETTINGS_2)
		update_enter(job, PHASE_CONDITION, now_ms); /* a map without them */
	else if (code == LOCKED)
		update_authorize(job, phase, now_ms);
	else if (phase == PHASE_SEND && ++job->troubles[job->current] < TROUBLES)
		update_enter(job, PHASE_ERASING, now_ms); /* ask it what it has */
	else if (code == BUSY)
		poll_again(job, now_ms, VERIFY_MAX);
	else if (phase != PHASE_WHY)
		update_enter(job, PHASE_WHY, now_ms);
	else
		update_fail(job, UPDATE_REFUSED, now_ms);
}
