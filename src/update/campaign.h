// SPDX-License-Identifier: Apache-2.0
/* Brings a release into the packs of one bus, as a state machine without I/O: it says what to send
 * and takes what came back. Whoever owns the bus does the exchanges, between its own polls.
 *
 *   update_begin(job, ...)
 *   for (;;) {
 *       update_next(job, now_ms, &step);
 *       step.kind UPDATE_STEP_SEND:      send, wait for an answer of step.answer_bytes or up to
 *                                        step.answer_ms, then update_answer(job, now_ms, bytes, n)
 *                 UPDATE_STEP_BROADCAST: send; nobody answers; then update_answer(job, now, NULL,
 * 0) UPDATE_STEP_WAIT:      the bus is free for others until step.until_ms UPDATE_STEP_DONE:
 * job->state says how it ended
 *   }
 *
 * Order: every pack is looked at, and nothing is sent when one of them must not be updated now.
 * Then all get the image, by broadcast with repair of what is missing, or one by one; they stay in
 * service. Then one pack at a time restarts into it, is watched for a minute, and is confirmed. The
 * first failure ends the job; a pack on trial is sent back. At most half of the bus time is used.
 *
 * The packs keep the truth: a job that is begun again (a restart of the gateway, another try) finds
 * out where each pack is and goes on there, at any byte.
 *
 * update_leaving() names the pack that is about to restart, or does. Whoever computes the limits
 * must take its share away before (in a sample: charge and discharge not allowed) and call
 * update_lowered() when they have gone out; else the job waits UPDATE_LEAVE_MS and goes on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image.h"

#define UPDATE_PACKS      32
#define UPDATE_FRAME      256
#define UPDATE_CHUNK      224
#define UPDATE_CHUNKS     1024
#define UPDATE_SETTINGS   129 /* registers 0200..0280 */
#define UPDATE_LEAVE_MS   10000
#define UPDATE_CHECK_MS   60000
#define UPDATE_KEY_MAX    32
#define UPDATE_ERRORS_PPM 10000 /* of a bus that is good enough */

enum update_error {
	UPDATE_FINE,
	UPDATE_NO_ANSWER,
	UPDATE_NOT_OURS,     /* no pack of this project */
	UPDATE_MIXED,        /* several device classes in one job */
	UPDATE_NO_IMAGE,     /* the release has none for this class and slot */
	UPDATE_MISFIT,       /* hardware revision, loader or security counter */
	UPDATE_OLDER,        /* the release is older than what runs, and that was not wanted */
	UPDATE_PROTECTED,    /* in protection or fault */
	UPDATE_CHARGE,       /* state of charge below 10 or above 95 % */
	UPDATE_ALONE,        /* the only pack: its restart would cut the supply */
	UPDATE_BAD_BUS,      /* too many errors on the bus */
	UPDATE_LOCKED,       /* the pack does not accept the key */
	UPDATE_REFUSED,      /* by the pack: pack->why (enum fw_bad) */
	UPDATE_TOO_LONG,     /* erasing, checking or restarting did not end */
	UPDATE_REVERTED,     /* the pack went back to its old image by itself */
	UPDATE_SICK,         /* the new image runs but the pack is not well */
	UPDATE_SETTINGS_LOST /* parameters differ from before */
};

enum update_state { UPDATE_RUNNING, UPDATE_SUCCEEDED, UPDATE_STOPPED };

/* Where a pack is, for people. */
enum update_progress {
	UPDATE_WAITS,
	UPDATE_LOOKED_AT,
	UPDATE_ERASES,
	UPDATE_RECEIVES,
	UPDATE_LOADED, /* checked by the pack, waits for its turn */
	UPDATE_LEAVES,
	UPDATE_RESTARTS,
	UPDATE_ON_TRIAL,
	UPDATE_CONFIRMED
};

struct update_options {
	int32_t baud;
	uint8_t level; /* 2 installer, 3 factory */
	uint8_t key[UPDATE_KEY_MAX];
	uint8_t key_length; /* 0: packs in their loader only */
	bool broadcast;
	bool allow_older, allow_alone;
	uint32_t bus_errors_ppm;  /* of the exchanges on this bus lately */
	int32_t packs_in_service; /* in parallel with these, themselves included */
	int32_t check_ms;         /* a pack is watched so long before it is confirmed; 0 =
				     UPDATE_CHECK_MS */
};

struct update_pack {
	uint8_t unit;
	enum update_progress progress;
	enum update_error error;
	uint8_t why; /* the pack's own error number */
	uint16_t device_class, hardware, loader;
	uint32_t uid32;
	struct image_version from; /* that ran when it was first seen */
	bool in_loader;
	const struct image *image; /* for the slot that it writes to next */
	int32_t percent;           /* of the image received */
};

struct update_job {
	struct update_options options;
	const struct release *release;
	enum update_state state;
	int count, current;
	struct update_pack packs[UPDATE_PACKS];
	uint64_t bytes_sent, exchanges, retries;

	/* private */
	uint8_t stage, phase, after_auth;
	bool waiting; /* for an answer */
	bool stopping;
	bool lowered;
	uint8_t passed[UPDATE_PACKS]; /* the last stage of the broadcast */
	bool loaded[UPDATE_PACKS];
	uint8_t attempts[UPDATE_PACKS], auths[UPDATE_PACKS], troubles[UPDATE_PACKS];
	const struct image *group;               /* what is being broadcast */
	uint8_t group_bitmap[UPDATE_CHUNKS / 8]; /* chunks that all of the group have */
	uint8_t bitmap[UPDATE_CHUNKS / 8];       /* that the current pack has */
	uint32_t chunk;
	int silent;        /* exchanges without an answer in a row */
	int64_t silent_ms; /* since when */
	int64_t next_ms;   /* nothing is sent before */
	int64_t sent_ms;
	int64_t phase_ms; /* when the phase began */
	int64_t watch_ms; /* when the check began */
	uint8_t frame[UPDATE_FRAME];
	size_t length, answer_bytes;
	uint8_t response[10];
	uint16_t settings[UPDATE_SETTINGS]; /* of the current pack, before its restart */
	bool has_settings;
	int32_t measurement; /* register 0100, must move; -1 = not seen yet */
};

enum update_step_kind {
	UPDATE_STEP_SEND,
	UPDATE_STEP_BROADCAST,
	UPDATE_STEP_WAIT,
	UPDATE_STEP_DONE
};

struct update_step {
	enum update_step_kind kind;
	const uint8_t *frame;
	size_t length;
	size_t answer_bytes; /* an answer is complete then, unless it is an exception (5 bytes) */
	int32_t answer_ms;   /* from the end of the request */
	int64_t until_ms;
};

/* The release must have been verified and must stay. Units are bus addresses. 0, or ERR_RANGE. */
int update_begin(struct update_job *job, const struct release *release,
		 const struct update_options *options, const uint8_t *units, int count,
		 int64_t now_ms);

void update_next(struct update_job *job, int64_t now_ms, struct update_step *step);

/* Everything that was received; count 0 = nothing in time. */
void update_answer(struct update_job *job, int64_t now_ms, const uint8_t *bytes, size_t count);

/* The pack (index) whose share of the limits must be zero now; -1 = none. */
int update_leaving(const struct update_job *job);
void update_lowered(struct update_job *job);

/* The whole job, in percent. */
int32_t update_percent(const struct update_job *job);

const char *update_error_text(enum update_error error);
const char *update_progress_text(enum update_progress progress);
/* Words for the pack's own error numbers. */
const char *update_why_text(uint8_t why);
