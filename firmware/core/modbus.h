// SPDX-License-Identifier: Apache-2.0
/* Modbus RTU as bytes: finding frames in what was heard, building answers. Everything on the line
 * is looked at, also what others say: a pack must recognise an answer with its own address that it
 * did not send. Pure; when the line was silent is told by the caller. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FW_MODBUS_FRAME      256 /* longest frame */
#define FW_MODBUS_READ_MAX   125 /* words, by the standard; 120 are promised */
#define FW_MODBUS_WRITE_MAX  123
#define FW_JK_RECORD         300 /* bytes of a JK record, without the acknowledge behind it */
#define FW_JK_ACKNOWLEDGE    8
#define FW_MODBUS_BROADCAST  0
#define FW_MODBUS_UNASSIGNED 247 /* the address of a pack that has none */

enum fw_function {
	FW_READ = 0x03,
	FW_READ_INPUT = 0x04,
	FW_WRITE_ONE = 0x06,
	FW_WRITE = 0x10,
	FW_REPORT_ID = 0x11,
	FW_READ_WRITE = 0x17, /* writes first, then reads */
	FW_REFUSED = 0x80     /* added to the function in an exception */
};

enum fw_exception {
	FW_FINE = 0,
	FW_ILLEGAL_FUNCTION = 1,
	FW_ILLEGAL_REGISTER = 2,
	FW_ILLEGAL_VALUE = 3,
	FW_FAILURE = 4,
	FW_LONG_JOB = 5,
	FW_BUSY = 6,
	FW_LOCKED = 0x0A /* no authorization */
};

/* A request, taken apart. What its function does not have is 0. */
struct fw_request {
	uint8_t unit, function;
	bool odd; /* its length does not fit its function, or the function is unknown */
	uint16_t read_start, read_words;
	uint16_t write_start, write_words;
	const uint8_t *data; /* write_words x 2 bytes, within the frame */
};

enum fw_frame_kind {
	FW_FRAME_NONE,       /* no frame begins here */
	FW_FRAME_INCOMPLETE, /* one may begin here */
	FW_FRAME_REQUEST,
	FW_FRAME_ANSWER, /* of a slave, exceptions included */
	FW_FRAME_RECORD  /* a JK record */
};

struct fw_frame {
	enum fw_frame_kind kind;
	size_t length;
	struct fw_request request; /* for FW_FRAME_REQUEST */
};

uint16_t fw_modbus_crc(const uint8_t *bytes, size_t count);

/* Puts the CRC behind `count` bytes; the new length. */
size_t fw_modbus_seal(uint8_t *frame, size_t count);

/* What begins at `bytes`. `silent`: nothing followed them for the silence that ends a frame. A
 * frame that could still become a longer one is only taken then, and only then something is said to
 * be no frame. A request wins over an answer of the same bytes (function 06). */
struct fw_frame fw_modbus_look(const uint8_t *bytes, size_t count, bool silent);

/* Silence that ends a frame: 3.5 characters of 11 bits, 1750 us above 19200 bit/s. */
uint32_t fw_modbus_silence_us(uint32_t baud);

/* Time of that many bytes, 8N1. */
uint32_t fw_modbus_wire_us(uint32_t baud, size_t bytes);

/* Answers; `out` has room for FW_MODBUS_FRAME bytes. They return the length. */
size_t fw_modbus_exception(const struct fw_request *request, enum fw_exception code, uint8_t *out);
size_t fw_modbus_acknowledge(const struct fw_request *request, uint8_t *out); /* 06 and 10 */
/* Seals an answer whose bytes are at out + 3 already. */
size_t fw_modbus_answer(uint8_t unit, uint8_t function, size_t bytes, uint8_t *out);
