// SPDX-License-Identifier: Apache-2.0
/* Takes the echo of our own transmission out of what is received. Pure: time is an argument.
 *
 * Many RS485 adapters hear themselves. An answer of ours that came back must not be taken for a
 * question: a Pylon answer is a well-formed frame with a return code where questions have a
 * command, and answering it would never end. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "onepack/wire.h"

struct echo {
	uint8_t sent[WIRE_MAX_FRAME];
	size_t count;     /* of `sent`, 0 = no echo is expected */
	size_t matched;   /* bytes held back because they may be the echo */
	int64_t until_us; /* after this it will not come any more */
};

/* These bytes were just sent; their echo can be here until then. */
void echo_expect(struct echo *echo, const uint8_t *sent, size_t count, int64_t until_us);

/* Copies received bytes without the echo to `out`, which has room for count + echo->count bytes.
 * Returns how many. Bytes that began like the echo and then went on otherwise are given out late,
 * but not lost. */
size_t echo_strip(struct echo *echo, const uint8_t *received, size_t count, int64_t now_us,
		  uint8_t *out);
