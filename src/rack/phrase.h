// SPDX-License-Identifier: Apache-2.0
/* What a master says besides polls, as bytes: who says it (sync.c, search.c, probe.c, a job of
 * src/update) and who carries it (poller.c) agree on this. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PHRASE_FRAME 256
#define PHRASE_HEARD 1024 /* 16 answers to a search, garbled ones included */

enum phrase_kind {
	PHRASE_TELL,   /* nobody answers */
	PHRASE_ASK,    /* answered with `answer_count` bytes, or an exception */
	PHRASE_LISTEN, /* whatever comes until the time is over */
};

struct phrase {
	enum phrase_kind kind;
	size_t count, answer_count;
	int32_t wait_us; /* from the end of the frame */
	uint8_t frame[PHRASE_FRAME];
};

/* A broadcast or single write of registers, a read, with their CRC. `words` are in host order. */
void phrase_write(struct phrase *phrase, uint8_t unit, int first, const uint16_t *words, int count);
void phrase_read(struct phrase *phrase, uint8_t unit, int first, int count);

/* The registers of a good answer to phrase_read: big-endian bytes; NULL when it is none. */
const uint8_t *phrase_words(const struct phrase *phrase, const uint8_t *bytes, size_t count);

/* Whether what was heard has the whole good answer to a PHRASE_ASK. */
bool phrase_is_whole(const struct phrase *phrase, const uint8_t *bytes, size_t count);
