// SPDX-License-Identifier: Apache-2.0
/* Frames of NIU's scooter bus; see niu_frame.h. */
#include "niu_frame.h"

#include <stdbool.h>

#define START 0x68
#define END   0x16
#define ADDED 0x33

enum { AT_START, AT_ADDRESS, AT_COMPLEMENT, AT_START_2, AT_COMMAND, AT_LENGTH, AT_DATA };

static uint8_t sum_of(const uint8_t *bytes, size_t count)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum;
}

/* Whether the bytes that are there can be the head of a frame. */
static bool may_be_head(const uint8_t *bytes, size_t count)
{
	return bytes[AT_START] == START &&
	       (count <= AT_COMPLEMENT || (bytes[AT_ADDRESS] ^ bytes[AT_COMPLEMENT]) == 0xFF) &&
	       (count <= AT_START_2 || bytes[AT_START_2] == START) &&
	       (count <= AT_LENGTH || bytes[AT_LENGTH] <= NIU_MAX_DATA);
}

/* The frame that begins at `bytes`: its length, ERR_CHECKSUM, ERR_INCOMPLETE, 0 = none. */
static int frame_here(const uint8_t *bytes, size_t count)
{
	if (!may_be_head(bytes, count))
		return 0;
	if (count <= AT_LENGTH)
		return ERR_INCOMPLETE;
	const size_t length = NIU_OVERHEAD + bytes[AT_LENGTH];

	if (length > count)
		return ERR_INCOMPLETE;
	if (bytes[length - 1] != END || bytes[length - 2] != sum_of(bytes, length - 2))
		return ERR_CHECKSUM;
	return (int)length;
}

int niu_scan(const uint8_t *bytes, size_t count, size_t *start)
{
	int result = 0;

	for (size_t at = 0; at < count; at++) {
		int length = frame_here(bytes + at, count - at);

		if (length > 0 || (length < 0 && result == 0))
			*start = at;
		if (length > 0)
			return length;
		if (result == 0)
			result = length;
	}
	return result;
}

static bool is_refusal(uint8_t command)
{
	return command & NIU_ANSWER && command & NIU_ERROR;
}

int niu_read(const uint8_t *frame, size_t count, struct niu_frame *out)
{
	int length = count ? frame_here(frame, count) : 0;

	if (length == ERR_CHECKSUM)
		return ERR_CHECKSUM;
	if (length <= 0 || (size_t)length != count)
		return ERR_FORMAT;
	out->address = frame[AT_ADDRESS];
	out->command = frame[AT_COMMAND];
	out->count = frame[AT_LENGTH];
	for (size_t i = 0; i < out->count; i++)
		out->data[i] = is_refusal(out->command) ? frame[AT_DATA + i]
							: (uint8_t)(frame[AT_DATA + i] - ADDED);
	return 0;
}

int niu_build(const struct niu_frame *frame, uint8_t *out, size_t size)
{
	const size_t length = NIU_OVERHEAD + frame->count;

	if (frame->count > NIU_MAX_DATA || size < length)
		return ERR_SPACE;
	out[AT_START] = START;
	out[AT_ADDRESS] = frame->address;
	out[AT_COMPLEMENT] = (uint8_t)~frame->address;
	out[AT_START_2] = START;
	out[AT_COMMAND] = frame->command;
	out[AT_LENGTH] = (uint8_t)frame->count;
	for (size_t i = 0; i < frame->count; i++)
		out[AT_DATA + i] = is_refusal(frame->command) ? frame->data[i]
							      : (uint8_t)(frame->data[i] + ADDED);
	out[length - 2] = sum_of(out, length - 2);
	out[length - 1] = END;
	return (int)length;
}
