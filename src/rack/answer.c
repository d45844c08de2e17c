// SPDX-License-Identifier: Apache-2.0
/* The codec knows the frames; here is what it means that bytes come in pieces, behind an echo, or
 * not at all. */
#include "answer.h"

#include <string.h>

/* Just behind the echo of the question, which noise may precede; the beginning when there is none.
 */
static const uint8_t *behind_echo(const struct answer *answer)
{
	const uint8_t *echo =
		memmem(answer->bytes, answer->count, answer->request, answer->request_count);

	return echo ? echo + answer->request_count : answer->bytes;
}

const uint8_t *answer_heard(const struct answer *answer, size_t *count)
{
	const uint8_t *heard = behind_echo(answer);

	*count = answer->count - (size_t)(heard - answer->bytes);
	return heard;
}

size_t answer_missing(const struct answer *answer)
{
	size_t expected = (size_t)wire_response_length(answer->wire, answer->message);

	expected += (size_t)(behind_echo(answer) - answer->bytes);
	return answer->count > 0 && answer->count < expected ? expected - answer->count : 0;
}

int answer_begin(struct answer *answer, int message, int address)
{
	int n = wire_request(answer->wire, message, &answer->ctx, address, answer->request,
			     sizeof answer->request);

	answer->message = message;
	answer->address = address;
	answer->request_count = n > 0 ? (size_t)n : 0;
	answer->count = 0;
	answer->ctx.final = false;
	return n;
}

int answer_read_again(const struct answer *answer, struct wire_values *out)
{
	return wire_response(answer->wire, answer->message, &answer->ctx, answer->address,
			     answer->bytes, answer->count, out);
}

int answer_hear(struct answer *answer, const uint8_t *bytes, size_t count, struct wire_values *out)
{
	size_t room = sizeof answer->bytes - answer->count;
	int result;

	if (count > room)
		count = room;
	memcpy(answer->bytes + answer->count, bytes, count);
	answer->count += count;
	result = answer_read_again(answer, out);
	if (result != ERR_INCOMPLETE && result != 0)
		return result;
	return answer->count == sizeof answer->bytes ? ERR_FORMAT : ERR_INCOMPLETE;
}

int answer_end(struct answer *answer, struct wire_values *out)
{
	size_t heard;
	int result;

	answer_heard(answer, &heard);
	if (heard == 0)
		return ERR_TIMEOUT;
	answer->ctx.final = true;
	result = answer_read_again(answer, out);
	return result == ERR_INCOMPLETE || result == 0 ? ERR_FORMAT : result;
}
