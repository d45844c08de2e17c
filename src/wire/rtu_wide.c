// SPDX-License-Identifier: Apache-2.0
/* Answers to reads that count in 16 bits; see rtu_wide.h. */
#include "rtu_wide.h"

#include <string.h>

#include "bytes.h"

#define CRC_SIZE       2
#define EXCEPTION_SIZE 5
#define HIGHEST_UNIT   247
#define REQUEST_SIZE   8

/* The head of one answer as it stands in the bytes. */
struct head {
	size_t size; /* bytes before the data */
	uint8_t unit;
	uint16_t words;
};

static size_t head_size(enum rtu_reply reply)
{
	return reply == RTU_REPLY_MODBUS ? 3 : 4;
}

/* Reads a head: its whole frame's length, 0 = not of this kind, -1 = too few bytes to say. */
static int read_head(enum rtu_reply reply, const uint8_t *bytes, size_t count, struct head *out)
{
	const bool turned = reply == RTU_REPLY_FUNCTION_FIRST;
	unsigned number;

	out->size = head_size(reply);
	if (count >= 2 && bytes[turned ? 0 : 1] != RTU_READ_HOLDING)
		return 0;
	if (count < out->size)
		return -1;
	number = out->size == 3 ? bytes[2] : get_u16be(bytes + 2);
	if (reply == RTU_REPLY_BYTES || reply == RTU_REPLY_MODBUS) {
		if (number % 2)
			return 0;
		number /= 2;
	}
	if (number == 0 || number > RTU_MAX_WORDS)
		return 0;
	out->unit = bytes[turned ? 1 : 0];
	out->words = (uint16_t)number;
	return (int)(out->size + 2 * (size_t)number + CRC_SIZE);
}

static bool is_whole(const uint8_t *bytes, size_t count, int length)
{
	return length > 0 && (size_t)length <= count && rtu_is_sealed(bytes, (size_t)length);
}

/* Only those that a battery may send, or data of an answer would be taken for one too often. */
static bool is_exception(const uint8_t *bytes, size_t count)
{
	if (count < EXCEPTION_SIZE || bytes[0] > HIGHEST_UNIT)
		return false;
	switch (bytes[1] & ~RTU_REFUSED) {
	case RTU_READ_HOLDING:
	case RTU_READ_INPUT:
	case RTU_WRITE_ONE:
	case RTU_WRITE: return bytes[1] & RTU_REFUSED && rtu_is_sealed(bytes, EXCEPTION_SIZE);
	}
	return false;
}

int rtu_wide_build(enum rtu_reply reply, const struct rtu_request *request, const uint8_t *data,
		   uint8_t *out, size_t size)
{
	const bool turned = reply == RTU_REPLY_FUNCTION_FIRST;
	const size_t head = head_size(reply), data_bytes = 2 * (size_t)request->words;

	if (size < head + data_bytes + CRC_SIZE)
		return ERR_SPACE;
	out[turned ? 1 : 0] = request->unit;
	out[turned ? 0 : 1] = request->function;
	if (reply == RTU_REPLY_MODBUS)
		out[2] = (uint8_t)data_bytes;
	else
		put_u16be(out + 2,
			  reply == RTU_REPLY_BYTES ? (uint16_t)data_bytes : request->words);
	memcpy(out + head, data, data_bytes);
	return (int)rtu_seal(out, head + data_bytes);
}

/* The frame that begins at `bytes`: its length; -1 = may become one; 0 = none. */
static int frame_here(const uint8_t *bytes, size_t count)
{
	int result = 0;

	if (is_exception(bytes, count))
		return EXCEPTION_SIZE;
	for (int reply = 0; reply < RTU_REPLIES; reply++) {
		struct head head;
		int length = read_head((enum rtu_reply)reply, bytes, count, &head);

		if (is_whole(bytes, count, length))
			return length;
		if (length < 0 || (length > 0 && (size_t)length > count))
			result = -1;
	}
	return result;
}

int rtu_wide_scan(const uint8_t *bytes, size_t count, size_t *start)
{
	size_t begun = count;

	for (size_t at = 0; at < count; at++) {
		int length = frame_here(bytes + at, count - at);

		if (length > 0) {
			*start = at;
			return length;
		}
		if (length < 0 && begun == count)
			begun = at;
	}
	if (begun == count)
		return 0;
	*start = begun;
	return ERR_INCOMPLETE;
}

bool rtu_wide_is_answer(const uint8_t *frame, size_t count, uint8_t unit, uint16_t words,
			const uint8_t **data)
{
	for (int reply = 0; reply < RTU_REPLIES; reply++) {
		struct head head;
		int length = read_head((enum rtu_reply)reply, frame, count, &head);

		if (length != (int)count || !is_whole(frame, count, length) || head.unit != unit ||
		    head.words != words)
			continue;
		*data = frame + head.size;
		return true;
	}
	return false;
}

/* Judges a whole good answer of the expected kind. */
static int judge(const struct head *head, const uint8_t *request)
{
	if (head->unit != request[0])
		return ERR_NOT_MINE;
	return head->words == get_u16be(request + 4) ? 0 : ERR_FOREIGN;
}

static int judge_exception(const uint8_t *frame, const uint8_t *request)
{
	if (frame[0] != request[0])
		return ERR_NOT_MINE;
	return frame[2] == 2 ? ERR_UNSUPPORTED : ERR_RANGE; /* 2: command type does not exist */
}

int rtu_wide_find_answer(enum rtu_reply reply, const uint8_t *bytes, size_t count,
			 const uint8_t *request, size_t request_count, const uint8_t **data)
{
	int result = ERR_INCOMPLETE;

	for (size_t at = 0; at < count; at++) {
		const uint8_t *here = bytes + at;
		const size_t left = count - at;
		struct head head;

		if (left >= request_count && memcmp(here, request, request_count) == 0) {
			at += request_count - 1; /* the echo of a half-duplex adapter */
			continue;
		}
		if (is_exception(here, left))
			return judge_exception(here, request);
		int length = read_head(reply, here, left, &head);

		if (is_whole(here, left, length)) {
			int verdict = judge(&head, request);

			if (verdict)
				return verdict;
			*data = here + head.size;
			return (int)at + length;
		}
		if (left >= REQUEST_SIZE && here[1] == RTU_READ_HOLDING &&
		    rtu_is_sealed(here, REQUEST_SIZE))
			return ERR_FOREIGN; /* another master asks */
		if (length > 0 && (size_t)length <= left && judge(&head, request) == 0)
			result = ERR_CHECKSUM;
	}
	return result;
}
