// SPDX-License-Identifier: Apache-2.0
/* The log of what came in: one JSON line per step with the packs that answered completely. It is
 * what `onepack fuse` reads, `onepack record` writes and a replay feeds to a gateway (contracts:
 * "the fusion without hardware"). Writing a step and reading it back gives the same step.
 *
 * Two savings, which a log made by hand need not know of: what is not known is left out, and a
 * pack's `settings` stand until a line names others. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "onepack/fusion.h"

/* The words for the kinds of bus errors, in their order. */
extern const char *const sample_log_kinds[BUS_ERROR_KINDS];

/* What has been written already. Start with sample_log_begin. */
struct sample_log_writer {
	struct pack_settings settings[ONEPACK_MAX_PACKS]; /* of pack 1, 2, ... */
};

void sample_log_begin(struct sample_log_writer *writer);

/* One line. `time_ms` is its "t"; `lost` steps before it are missing (0 = none, which is not
 * written). 0, or -1 when the stream or the memory fails. */
int sample_log_write(struct sample_log_writer *writer, FILE *out, int64_t time_ms,
		     const struct fusion_input *input, uint64_t lost);

/* What has been read so far. Start with {.complaints = stderr}, the rest zero. */
struct sample_log_reader {
	FILE *complaints; /* about what cannot be read, with the number of the line; NULL = none */
	long line;
	double time_s;                        /* "t" of the last line that had one */
	struct pack known[ONEPACK_MAX_PACKS]; /* packs without a number, in order of appearance */
	int known_count;
	bool has_settings[ONEPACK_MAX_PACKS];
	struct pack_settings settings[ONEPACK_MAX_PACKS];
};

/* The next line. One that cannot be read is complained about and counts as a step in which no pack
 * answered, at the time of the one before. `input->now_ms` is "t" in ms. */
void sample_log_read(struct sample_log_reader *reader, const char *text, size_t length,
		     struct fusion_input *input);
