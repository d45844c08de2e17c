// SPDX-License-Identifier: Apache-2.0
/* Modbus RTU as bytes; see modbus.h. Facts: Modbus application protocol 1.1b3, serial line guide
 * 1.02. */
#include "modbus.h"

#include "bytes.h"

#define HIGHEST_UNIT 247
#define CRC_BYTES    2
#define EXCEPTION    5 /* bytes */

uint16_t fw_modbus_crc(const uint8_t *bytes, size_t count)
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

size_t fw_modbus_seal(uint8_t *frame, size_t count)
{
	fw_put_u16le(frame + count, fw_modbus_crc(frame, count));
	return count + CRC_BYTES;
}

static bool is_sealed(const uint8_t *frame, size_t length)
{
	return fw_get_u16le(frame + length - CRC_BYTES) == fw_modbus_crc(frame, length - CRC_BYTES);
}

uint32_t fw_modbus_silence_us(uint32_t baud)
{
	return baud > 19200 ? 1750 : 38500000u / baud + 1;
}

uint32_t fw_modbus_wire_us(uint32_t baud, size_t bytes)
{
	return (uint32_t)bytes * 10u * 100000u / (baud / 10);
}

/* --- lengths --- */

#define NO_FRAME  0
#define TOO_SHORT (-1) /* more bytes are needed to say */

/* The length of a request with a counted block of data: `at` is the place of its number of words,
 * which the byte count behind it must fit. */
static int counted_request(const uint8_t *bytes, size_t count, size_t at)
{
	if (count < at + 3)
		return TOO_SHORT;

	const unsigned words = fw_get_u16be(bytes + at);

	if (words == 0 || words > FW_MODBUS_WRITE_MAX || bytes[at + 2] != 2 * words)
		return NO_FRAME;
	return (int)(at + 3 + 2 * (size_t)words + CRC_BYTES);
}

static int request_length(const uint8_t *bytes, size_t count)
{
	switch (bytes[1]) {
	case FW_READ:
	case FW_READ_INPUT:
	case FW_WRITE_ONE: return 8;
	case FW_REPORT_ID: return 4;
	case FW_WRITE: return counted_request(bytes, count, 4);
	case FW_READ_WRITE: return counted_request(bytes, count, 8);
	}
	return NO_FRAME;
}

static int answer_length(const uint8_t *bytes, size_t count)
{
	if (bytes[1] & FW_REFUSED)
		return EXCEPTION;
	switch (bytes[1]) {
	case FW_READ:
	case FW_READ_INPUT:
	case FW_READ_WRITE:
	case FW_REPORT_ID:
		if (count < 3)
			return TOO_SHORT;
		if (bytes[2] == 0 || (bytes[2] % 2 && bytes[1] != FW_REPORT_ID))
			return NO_FRAME;
		return 3 + bytes[2] + CRC_BYTES;
	case FW_WRITE_ONE:
	case FW_WRITE: return 8;
	}
	return NO_FRAME;
}

/* --- taking frames apart --- */

static void take_request(const uint8_t *frame, struct fw_request *request)
{
	*request = (struct fw_request){.unit = frame[0], .function = frame[1]};
	switch (frame[1]) {
	case FW_READ_WRITE:
		request->write_start = fw_get_u16be(frame + 6);
		request->write_words = fw_get_u16be(frame + 8);
		request->data = frame + 11;
		/* fallthrough */
	case FW_READ:
	case FW_READ_INPUT:
		request->read_start = fw_get_u16be(frame + 2);
		request->read_words = fw_get_u16be(frame + 4);
		break;
	case FW_WRITE_ONE:
		request->write_start = fw_get_u16be(frame + 2);
		request->write_words = 1;
		request->data = frame + 4;
		break;
	case FW_WRITE:
		request->write_start = fw_get_u16be(frame + 2);
		request->write_words = fw_get_u16be(frame + 4);
		request->data = frame + 7;
		break;
	default: break;
	}
}

/* What only silence ends and only its CRC shows to be a frame: a function that nobody here knows,
 * or a request whose counts do not fit. Both are refused, so both must be recognised. */
static struct fw_frame look_odd(const uint8_t *bytes, size_t count)
{
	struct fw_frame frame = {.kind = FW_FRAME_NONE};

	if (count > FW_MODBUS_FRAME || bytes[1] == 0 || bytes[1] & FW_REFUSED ||
	    !is_sealed(bytes, count))
		return frame;
	frame.kind = FW_FRAME_REQUEST;
	frame.length = count;
	frame.request = (struct fw_request){.unit = bytes[0], .function = bytes[1], .odd = true};
	return frame;
}

static struct fw_frame look_record(const uint8_t *bytes, size_t count)
{
	uint8_t sum = 0;

	if (count < FW_JK_RECORD)
		return (struct fw_frame){.kind = FW_FRAME_INCOMPLETE};
	for (size_t i = 0; i < FW_JK_RECORD - 1; i++)
		sum = (uint8_t)(sum + bytes[i]);
	if (sum != bytes[FW_JK_RECORD - 1])
		return (struct fw_frame){.kind = FW_FRAME_NONE};
	return (struct fw_frame){.kind = FW_FRAME_RECORD, .length = FW_JK_RECORD};
}

static bool is_record(const uint8_t *bytes, size_t count)
{
	return count >= 4 && bytes[0] == 0x55 && bytes[1] == 0xAA && bytes[2] == 0xEB &&
	       bytes[3] == 0x90;
}

static bool is_whole(const uint8_t *bytes, size_t count, int length)
{
	return length > 0 && (size_t)length <= count && is_sealed(bytes, (size_t)length);
}

static bool is_open(size_t count, int length)
{
	return length == TOO_SHORT || (length > 0 && (size_t)length > count);
}

struct fw_frame fw_modbus_look(const uint8_t *bytes, size_t count, bool silent)
{
	struct fw_frame frame = {.kind = FW_FRAME_INCOMPLETE};

	if (count < 4)
		return frame;
	if (is_record(bytes, count))
		return look_record(bytes, count);
	if (bytes[0] > HIGHEST_UNIT)
		return (struct fw_frame){.kind = FW_FRAME_NONE};

	const int request = request_length(bytes, count), answer = answer_length(bytes, count);

	if (is_whole(bytes, count, request)) {
		frame.kind = FW_FRAME_REQUEST;
		frame.length = (size_t)request;
		take_request(bytes, &frame.request);
		return frame;
	}
	if (is_open(count, request) && !silent)
		return frame;
	if (is_whole(bytes, count, answer)) {
		frame.kind = FW_FRAME_ANSWER;
		frame.length = (size_t)answer;
		return frame;
	}
	if (!silent)
		return frame;
	frame = look_odd(bytes, count);
	if (frame.kind == FW_FRAME_NONE && (is_open(count, request) || is_open(count, answer)))
		frame.kind = FW_FRAME_INCOMPLETE;
	return frame;
}

/* --- answers --- */

size_t fw_modbus_exception(const struct fw_request *request, enum fw_exception code, uint8_t *out)
{
	out[0] = request->unit;
	out[1] = request->function | FW_REFUSED;
	out[2] = (uint8_t)code;
	return fw_modbus_seal(out, 3);
}

size_t fw_modbus_acknowledge(const struct fw_request *request, uint8_t *out)
{
	const bool one = request->function == FW_WRITE_ONE;

	out[0] = request->unit;
	out[1] = request->function;
	fw_put_u16be(out + 2, request->write_start);
	fw_put_u16be(out + 4, one ? fw_get_u16be(request->data) : request->write_words);
	return fw_modbus_seal(out, 6);
}

size_t fw_modbus_answer(uint8_t unit, uint8_t function, size_t bytes, uint8_t *out)
{
	out[0] = unit;
	out[1] = function;
	out[2] = (uint8_t)bytes;
	return fw_modbus_seal(out, 3 + bytes);
}
