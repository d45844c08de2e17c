// SPDX-License-Identifier: Apache-2.0
/* Echo of our own transmission; see echo.h. */
#include "echo.h"

#include <string.h>

void echo_expect(struct echo *echo, const uint8_t *sent, size_t count, int64_t until_us)
{
	echo->count = count <= sizeof echo->sent ? count : 0;
	echo->matched = 0;
	echo->until_us = until_us;
	memcpy(echo->sent, sent, echo->count);
}

/* Gives held bytes out until the rest of them, and the new byte, can still be the start of the
 * echo:
 * "~20~2002" must not lose the real start. */
static size_t give_out(struct echo *echo, uint8_t byte, uint8_t *out)
{
	size_t held = echo->matched;

	for (size_t given = 1; given <= held; given++) {
		size_t rest = held - given;

		if (memcmp(echo->sent, echo->sent + given, rest) == 0 && echo->sent[rest] == byte) {
			memcpy(out, echo->sent, given);
			echo->matched = rest + 1;
			return given;
		}
	}
	memcpy(out, echo->sent, held);
	out[held] = byte;
	echo->matched = 0;
	return held + 1;
}

size_t echo_strip(struct echo *echo, const uint8_t *received, size_t count, int64_t now_us,
		  uint8_t *out)
{
	size_t n = 0;
	size_t i = 0;

	if (echo->count > 0 && now_us > echo->until_us) {
		memcpy(out, echo->sent, echo->matched);
		n = echo->matched;
		echo->count = 0;
	}
	for (; i < count && echo->count > 0; i++) {
		if (received[i] == echo->sent[echo->matched])
			echo->matched++;
		else
			n += give_out(echo, received[i], out + n);
		if (echo->matched == echo->count)
			echo->count = 0;
	}
	memcpy(out + n, received + i, count - i);
	return n + count - i;
}
