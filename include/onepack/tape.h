// SPDX-License-Identifier: Apache-2.0
/* The tape: everything that came into the last few minutes of fusion, step by step, so that it can
 * be recorded. The engine writes and never waits for anybody; a reader that is too slow finds a gap
 * and is told how long it is. Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "onepack/fusion.h"

struct tape;

struct tape *tape_new(void);       /* NULL when out of memory */
void tape_free(struct tape *tape); /* NULL is fine */

/* One step of the engine, whether something came in or not. */
void tape_write(struct tape *tape, const struct fusion_input *input, int64_t wall_ms);

/* Steps are numbered from 0. The number that the next one will get. */
uint64_t tape_end(struct tape *tape);

/* The number of the oldest one that can still be read. */
uint64_t tape_oldest(struct tape *tape);

struct tape_step {
	struct fusion_input input;
	int64_t wall_ms;
	uint64_t lost; /* steps before it that were asked for and are forgotten */
};

/* Step `*position`, or the oldest after it that is still whole; moves on behind it. False when
 * there is none yet; `out` is untouched then. */
bool tape_read(struct tape *tape, uint64_t *position, struct tape_step *out);
