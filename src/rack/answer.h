// SPDX-License-Identifier: Apache-2.0
/* From a question to its answer: the question's bytes, everything that is heard after it, and the
 * judgement whether that is the answer, not yet, or something else. Pure: it knows neither tty nor
 * clock. exchange.c carries it over a tty, the simulation over a simulated line. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "onepack/wire.h"

#define ANSWER_REQUEST 128
#define ANSWER_SIZE    (WIRE_MAX_FRAME + ANSWER_REQUEST) /* with the echo of the request */

struct answer {
	/* set by the owner */
	const struct wire *wire;
	struct wire_context ctx; /* `final` is the answer's own */
	/* the last question */
	int message, address;
	size_t request_count, count;
	uint8_t request[ANSWER_REQUEST];
	uint8_t bytes[ANSWER_SIZE]; /* everything heard since the question */
};

/* A new question: makes the request and forgets what was heard. Its length, or what wire_request
 * says against it. */
int answer_begin(struct answer *answer, int message, int address);

/* Bytes came in. >0: the answer is whole and good, and `out` has it. ERR_INCOMPLETE: wait for more.
 * Else what wire_response says, or ERR_FORMAT when so much came that it cannot be one. `out` is
 * untouched unless it is good. */
int answer_hear(struct answer *answer, const uint8_t *bytes, size_t count, struct wire_values *out);

/* Time is up: what is there may do (>0). Else ERR_TIMEOUT when nothing came, ERR_FORMAT when
 * something came that never became an answer, or what wire_response says. */
int answer_end(struct answer *answer, struct wire_values *out);

/* Reads a good answer once more, into another place. */
int answer_read_again(const struct answer *answer, struct wire_values *out);

/* What was heard behind the echo of the question, if there was one. */
const uint8_t *answer_heard(const struct answer *answer, size_t *count);

/* How many bytes must at least still come, once some have; 0 = nobody knows. */
size_t answer_missing(const struct answer *answer);
