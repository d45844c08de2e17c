// SPDX-License-Identifier: Apache-2.0
/* Modbus RTU frames as bytes; see rtu.h. */
#include "rtu.h"

#include <string.h>

#include "bytes.h"

/* Lengths of requests and answers by function, for the functions of the Modbus standard. `fixed`
 * is the whole frame; with `counted`, the byte at that offset says how many more there are. */
struct shape {
	uint8_t function, fixed, counted;
};

static const struct shape requests[] = {
	{0x01, 8, 0},  {0x02, 8, 0}, {0x03, 8, 0},   {0x04, 8, 0}, {0x05, 8, 0},
	{0x06, 8, 0},  {0x07, 4, 0}, {0x08, 8, 0},   {0x0B, 4, 0}, {0x0C, 4, 0},
	{0x0F, 9, 6},  {0x10, 9, 6}, {0x11, 4, 0},   {0x14, 5, 2}, {0x15, 5, 2},
	{0x16, 10, 0}, {0x18, 6, 0}, {0x17, 13, 10}, {0x2B, 7, 0},
};

static const struct shape answers[] = {
	{0x03, 5, 2}, {0x04, 5, 2}, {0x06, 8, 0}, {0x10, 8, 0},
	{0x83, 5, 0}, {0x84, 5, 0}, {0x86, 5, 0}, {0x90, 5, 0},
};

#define LONGEST_UNLISTED 16 /* bytes of a request with a function that is not listed */
#define REQUEST_SHAPES   (sizeof requests / sizeof *requests)
#define ANSWER_SHAPES    (sizeof answers / sizeof *answers)

uint16_t rtu_crc(const uint8_t *bytes, size_t count)
{
	/* the CRC of each half byte */
	static const uint16_t table[16] = {0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00,
					   0x2800, 0xE401, 0xA001, 0x6C00, 0x7800, 0xB401,
					   0x5000, 0x9C01, 0x8801, 0x4400};
	uint16_t crc = 0xFFFF;

	for (size_t i = 0; i < count; i++) {
		crc ^= bytes[i];
		crc = (uint16_t)(crc >> 4 ^ table[crc & 15]);
		crc = (uint16_t)(crc >> 4 ^ table[crc & 15]);
	}
	return crc;
}

size_t rtu_seal(uint8_t *frame, size_t count)
{
	put_u16le(frame + count, rtu_crc(frame, count));
	return count + 2;
}

bool rtu_is_sealed(const uint8_t *frame, size_t count)
{
	return count >= 4 && get_u16le(frame + count - 2) == rtu_crc(frame, count - 2);
}

/* Length of the frame that begins at `bytes`: 0 = no known shape, -1 = too few bytes to say. */
static int length_here(const struct shape *shapes, size_t shape_count, const uint8_t *bytes,
		       size_t count)
{
	if (count < 2)
		return count && bytes[0] <= 247 ? -1 : 0;
	for (size_t i = 0; i < shape_count; i++) {
		const struct shape *shape = &shapes[i];

		if (shape->function != bytes[1] || bytes[0] > 247)
			continue;
		if (!shape->counted)
			return shape->fixed;
		if (count <= shape->counted)
			return -1;
		int length = shape->fixed + bytes[shape->counted];

		return length <= RTU_MAX_FRAME ? length : 0;
	}
	return 0;
}

static int scan(const struct shape *shapes, size_t shape_count, const uint8_t *bytes, size_t count,
		size_t *start)
{
	size_t begun = count; /* the first place where a frame may have begun */
	int result = 0;

	for (size_t at = 0; at < count; at++) {
		int length = length_here(shapes, shape_count, bytes + at, count - at);

		if (length > 0 && (size_t)length <= count - at &&
		    rtu_is_sealed(bytes + at, (size_t)length)) {
			*start = at;
			return length;
		}
		if (length == 0 || begun < count)
			continue;
		begun = at;
		result = length < 0 || (size_t)length > count - at ? ERR_INCOMPLETE : ERR_CHECKSUM;
	}
	if (result)
		*start = begun;
	return result;
}

static bool is_unlisted(uint8_t function)
{
	for (size_t i = 0; i < REQUEST_SHAPES; i++)
		if (requests[i].function == function)
			return false;
	return function != 0 && function < RTU_REFUSED;
}

/* A function outside the standard has no known length: it is a request if it is the last few bytes
 * and its CRC is good, so that it can be refused. */
static int scan_unlisted(const uint8_t *bytes, size_t count, size_t *start)
{
	size_t at = count > LONGEST_UNLISTED ? count - LONGEST_UNLISTED : 0;

	for (; at + 4 <= count; at++) {
		if (bytes[at] > 247 || !is_unlisted(bytes[at + 1]) ||
		    !rtu_is_sealed(bytes + at, count - at))
			continue;
		*start = at;
		return (int)(count - at);
	}
	return 0;
}

int rtu_scan_request(const uint8_t *bytes, size_t count, size_t *start)
{
	int result = scan(requests, REQUEST_SHAPES, bytes, count, start);

	if (result <= 0) {
		int length = scan_unlisted(bytes, count, start);

		return length ? length : result;
	}
	return result;
}

int rtu_scan_answer(const uint8_t *bytes, size_t count, size_t *start)
{
	return scan(answers, ANSWER_SHAPES, bytes, count, start);
}

int rtu_read_request(const uint8_t *frame, size_t count, struct rtu_request *out)
{
	if (count < 4)
		return ERR_FORMAT;
	if (!rtu_is_sealed(frame, count))
		return ERR_CHECKSUM;

	struct rtu_request request = {.unit = frame[0], .function = frame[1]};

	switch (request.function) {
	case RTU_READ_HOLDING:
	case RTU_READ_INPUT:
		if (count != 8)
			return ERR_FORMAT;
		request.start = get_u16be(frame + 2);
		request.words = get_u16be(frame + 4);
		break;
	case RTU_WRITE_ONE:
		if (count != 8)
			return ERR_FORMAT;
		request.start = get_u16be(frame + 2);
		request.words = 1;
		request.data = frame + 4;
		request.data_bytes = 2;
		break;
	case RTU_WRITE:
		if (count < 9 || count != (size_t)9 + frame[6])
			return ERR_FORMAT;
		request.start = get_u16be(frame + 2);
		request.words = get_u16be(frame + 4);
		request.data = frame + 7;
		request.data_bytes = frame[6];
		break;
	}
	*out = request;
	return 0;
}

/* unit, function, start and a count or value: the head of most frames. */
static int build_head(uint8_t unit, uint8_t function, uint16_t start, uint16_t words, uint8_t *out,
		      size_t size)
{
	if (size < 8)
		return ERR_SPACE;
	out[0] = unit;
	out[1] = function;
	put_u16be(out + 2, start);
	put_u16be(out + 4, words);
	return (int)rtu_seal(out, 6);
}

int rtu_build_read(uint8_t unit, uint8_t function, uint16_t start, uint16_t words, uint8_t *out,
		   size_t size)
{
	return build_head(unit, function, start, words, out, size);
}

int rtu_build_acknowledge(uint8_t unit, uint8_t function, uint16_t start, uint16_t words,
			  uint8_t *out, size_t size)
{
	return build_head(unit, function, start, words, out, size);
}

int rtu_build_write(uint8_t unit, uint16_t start, const uint8_t *data, uint16_t words, uint8_t *out,
		    size_t size)
{
	size_t data_bytes = (size_t)words * 2;

	if (data_bytes > RTU_MAX_FRAME - 9 || size < data_bytes + 9)
		return ERR_SPACE;
	build_head(unit, RTU_WRITE, start, words, out, size);
	out[6] = (uint8_t)data_bytes;
	memcpy(out + 7, data, data_bytes);
	return (int)rtu_seal(out, 7 + data_bytes);
}

int rtu_build_answer(uint8_t unit, uint8_t function, const uint8_t *data, size_t data_bytes,
		     uint8_t *out, size_t size)
{
	if (data_bytes > RTU_MAX_FRAME - 5 || size < data_bytes + 5)
		return ERR_SPACE;
	out[0] = unit;
	out[1] = function;
	out[2] = (uint8_t)data_bytes;
	memcpy(out + 3, data, data_bytes);
	return (int)rtu_seal(out, 3 + data_bytes);
}

int rtu_build_exception(uint8_t unit, uint8_t function, enum rtu_exception code, uint8_t *out,
			size_t size)
{
	if (size < 5)
		return ERR_SPACE;
	out[0] = unit;
	out[1] = function | RTU_REFUSED;
	out[2] = (uint8_t)code;
	return (int)rtu_seal(out, 3);
}

/* Judges a whole good frame of a slave: 0 = the answer that was asked for. */
static int judge_answer(const uint8_t *frame, const uint8_t *request)
{
	if (frame[0] != request[0])
		return ERR_NOT_MINE;
	if (frame[1] == (request[1] | RTU_REFUSED))
		return frame[2] == RTU_ILLEGAL_FUNCTION ? ERR_UNSUPPORTED : ERR_RANGE;
	if (frame[1] != request[1] || frame[2] != 2 * get_u16be(request + 4))
		return ERR_FOREIGN;
	return 0;
}

/* One place in the bytes: the length of a whole frame of a slave, ERR_FOREIGN for a request of
 * another master, or 0. */
static int whole_frame_here(const uint8_t *bytes, size_t count)
{
	int length = length_here(answers, ANSWER_SHAPES, bytes, count);

	if (length > 0 && (size_t)length <= count && rtu_is_sealed(bytes, (size_t)length))
		return length;
	length = length_here(requests, REQUEST_SHAPES, bytes, count);
	if (length > 0 && (size_t)length <= count && rtu_is_sealed(bytes, (size_t)length))
		return ERR_FOREIGN;
	return 0;
}

int rtu_find_answer(const uint8_t *bytes, size_t count, const uint8_t *request,
		    size_t request_count, const uint8_t **data)
{
	uint8_t head[3] = {request[0], request[1], (uint8_t)(2 * get_u16be(request + 4))};
	int result = ERR_INCOMPLETE;

	for (size_t at = 0; at < count; at++) {
		const uint8_t *here = bytes + at;
		size_t left = count - at;

		if (left >= request_count && memcmp(here, request, request_count) == 0) {
			at += request_count - 1; /* the echo of a half-duplex adapter */
			continue;
		}
		int length = whole_frame_here(here, left);

		if (length < 0)
			return length;
		if (length > 0) {
			int verdict = judge_answer(here, request);

			if (verdict)
				return verdict;
			*data = here + 3;
			return (int)at + length;
		}
		if (left >= (size_t)head[2] + 5 && memcmp(here, head, sizeof head) == 0)
			result = ERR_CHECKSUM;
	}
	return result;
}
