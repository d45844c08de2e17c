// SPDX-License-Identifier: Apache-2.0
/* Cuts what is heard on a serial line into frames, whoever sent them, and into what is none. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "onepack/wire.h"

struct splitter {
	const struct wire *wire;
	size_t count;
	uint8_t bytes[2 * WIRE_MAX_FRAME];
};

enum piece_kind {
	PIECE_NONE,     /* more must be heard */
	PIECE_FRAME,    /* whole and good; `side` is who it looks like */
	PIECE_CHECKSUM, /* a frame of a known shape with a bad sum */
	PIECE_SHORT,    /* the beginning of a frame whose end never came */
	PIECE_NOISE,
};

struct piece {
	enum piece_kind kind;
	enum wire_side side;
	size_t count;
	uint8_t bytes[2 * WIRE_MAX_FRAME];
};

/* Adds what was heard; what does not fit pushes the oldest out. */
void splitter_add(struct splitter *splitter, const uint8_t *bytes, size_t count);

/* The next piece in the order of the line. `quiet` says that nothing followed for longer than a
 * frame has pauses: what is unfinished will stay so. */
enum piece_kind splitter_next(struct splitter *splitter, bool quiet, struct piece *out);
