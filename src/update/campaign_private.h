// SPDX-License-Identifier: Apache-2.0
/* Between campaign.c (exchanges, order of the packs), campaign_ask.c (what is said to one pack),
 * campaign_take.c (what its answer leads to) and campaign_check.c (what its words mean). */
#pragma once

#include "campaign.h"

enum stage {
	STAGE_SURVEY,   /* look at all, send nothing */
	STAGE_PREPARE,  /* of a group that gets the same image: all begin to erase */
	STAGE_ERASE,    /* each: wait until it has */
	STAGE_SHOUT,    /* chunks to all of the group */
	STAGE_LOAD,     /* each: what is missing, then verify */
	STAGE_ACTIVATE, /* each: restart, watch, confirm */
};

enum phase {
	PHASE_IDENTIFY,
	PHASE_LOOK,
	PHASE_CONDITION,
	PHASE_NONCE,
	PHASE_RESPOND,
	PHASE_OFFER_SIZE,
	PHASE_OFFER_HASH,
	PHASE_OFFER_LIMITS,
	PHASE_PREPARE,
	PHASE_ERASING,
	PHASE_BITMAP,
	PHASE_SEND,
	PHASE_VERIFY,
	PHASE_VERIFYING,
	PHASE_SETTINGS_1,
	PHASE_SETTINGS_2,
	PHASE_LEAVING, /* nothing is said */
	PHASE_ACTIVATE,
	PHASE_RESTART,
	PHASE_RUNNING, /* which image? */
	PHASE_WATCH,
	PHASE_WATCH_SETTINGS_1,
	PHASE_WATCH_SETTINGS_2,
	PHASE_CONFIRM,
	PHASE_CONFIRMED,
	PHASE_REVERT,
	PHASE_WHY, /* after a refusal */
};

/* Register 3006 of the pack. */
enum slot_phase {
	SLOT_IDLE,
	SLOT_ERASING,
	SLOT_READY,
	SLOT_RECEIVING,
	SLOT_COMPLETE,
	SLOT_VERIFYING,
	SLOT_VERIFIED,
	SLOT_TRIAL,
	SLOT_FAILED
};

#define SETTINGS_FIRST 120 /* in the first read of two */
#define ATTEMPTS       3   /* to load an image */

/* campaign.c */
struct update_pack *update_current(struct update_job *job);
void update_enter(struct update_job *job, enum phase phase, int64_t now_ms);
void update_pause(struct update_job *job, int64_t until_ms);
void update_fail(struct update_job *job, enum update_error error, int64_t now_ms);
void update_pack_done(struct update_job *job, int64_t now_ms); /* with this stage */

/* campaign_ask.c: builds the frame of the phase. */
void update_ask(struct update_job *job);
bool update_shout(struct update_job *job); /* the next chunk to all; false = no more */
bool update_find_missing(struct update_job *job, const struct image *image, const uint8_t *bitmap);

/* campaign_take.c: what an answer leads to. `words` is NULL for the acknowledge of a write. */
void update_take(struct update_job *job, const uint8_t *words, int64_t now_ms);
void update_take_exception(struct update_job *job, uint8_t code, int64_t now_ms);
void update_authorize(struct update_job *job, enum phase then, int64_t now_ms);

/* campaign_check.c */
enum update_error update_take_identity(struct update_pack *pack, const uint8_t *words);
enum update_error update_condition(const uint8_t *words, bool before);
const struct image *update_running_image(const struct update_job *job,
					 const struct update_pack *pack, const uint8_t *hash);
enum update_error update_choose_image(const struct update_job *job, struct update_pack *pack,
				      const uint8_t *words);
