// SPDX-License-Identifier: Apache-2.0
/* A recorded log in place of the rack: gives its steps to the engine when their time has come, so
 * that an old incident is seen again on the page and on the wire. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "onepack/fusion.h"

struct replay;

/* `speed`: 2 = twice as fast. 0, or -errno with a sentence in `why`. */
int replay_open(const char *path, double speed, struct replay **out, char *why, size_t why_size);
void replay_close(struct replay *replay); /* NULL is fine */

enum replay_result {
	REPLAY_NOTHING, /* no step is due */
	REPLAY_STEP,    /* `input` is the next one, with its own time */
	REPLAY_END      /* the log is over */
};

/* The next step that is due at `now_ms` (monotonic). The log begins with the first call. A pause in
 * the log of more than REPLAY_PAUSE_MS is filled with steps in which nothing came in: nobody
 * recorded, or nothing answered, and time went on. */
enum replay_result replay_take(struct replay *replay, int64_t now_ms, struct fusion_input *input);

#define REPLAY_PAUSE_MS 1500
#define REPLAY_FILL_MS  100
