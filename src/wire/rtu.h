// SPDX-License-Identifier: Apache-2.0
/* Modbus RTU frames as bytes: CRC, finding frames in a stream, building and reading them. Facts:
 * the public Modbus application protocol 1.1b3 and the vendor texts that the protocol files name.
 *
 * No registers, no fields, no time: a stream is cut by its CRC alone, so that pauses (which a USB
 * adapter invents and swallows) do not matter. Reads of a pack or by an inverter are one frame
 * each; nothing here is longer than 256 bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "onepack/err.h"

#define RTU_MAX_FRAME 256
#define RTU_MAX_WORDS 125 /* in one read */

#define RTU_READ_HOLDING 0x03
#define RTU_READ_INPUT   0x04
#define RTU_WRITE_ONE    0x06
#define RTU_WRITE        0x10
#define RTU_REFUSED      0x80 /* added to the function in an exception */

enum rtu_exception {
	RTU_ILLEGAL_FUNCTION = 1,
	RTU_ILLEGAL_ADDRESS = 2,
	RTU_ILLEGAL_VALUE = 3,
};

/* CRC-16 with polynomial 0xA001 and start 0xFFFF; sent low byte first. */
uint16_t rtu_crc(const uint8_t *bytes, size_t count);

/* Appends the CRC to the `count` bytes at `frame` and returns count + 2. */
size_t rtu_seal(uint8_t *frame, size_t count);

/* Whether the last two bytes are the CRC of those before. */
bool rtu_is_sealed(const uint8_t *frame, size_t count);

/* Finds a frame; the results are those of wire_scan() in onepack/wire.h. A whole frame later in the
 * bytes wins over an earlier beginning of one: a torn frame is followed by a good one far more
 * often than a good frame contains another. */
int rtu_scan_request(const uint8_t *bytes, size_t count, size_t *start);
int rtu_scan_answer(const uint8_t *bytes, size_t count, size_t *start);

/* What a master asks. `data` points into the frame: the words to write, high byte first. For a
 * function that is not listed above only unit and function are set. */
struct rtu_request {
	uint8_t unit, function;
	uint16_t start, words;
	const uint8_t *data;
	size_t data_bytes;
};

/* Reads one whole frame: 0, ERR_CHECKSUM, or ERR_FORMAT when its length is not what it says. */
int rtu_read_request(const uint8_t *frame, size_t count, struct rtu_request *out);

/* Builders return the length, or ERR_SPACE. */
int rtu_build_read(uint8_t unit, uint8_t function, uint16_t start, uint16_t words, uint8_t *out,
		   size_t size);
int rtu_build_write(uint8_t unit, uint16_t start, const uint8_t *data, uint16_t words, uint8_t *out,
		    size_t size);
int rtu_build_answer(uint8_t unit, uint8_t function, const uint8_t *data, size_t data_bytes,
		     uint8_t *out, size_t size);
int rtu_build_acknowledge(uint8_t unit, uint8_t function, uint16_t start, uint16_t words,
			  uint8_t *out, size_t size);
int rtu_build_exception(uint8_t unit, uint8_t function, enum rtu_exception code, uint8_t *out,
			size_t size);

/* Looks for the answer to a read in everything received since the request was sent. An echo of the
 * request at the beginning is skipped. >0: the bytes used, and *data the 2 x words bytes.
 * ERR_INCOMPLETE; ERR_CHECKSUM (it is there, but damaged); ERR_NOT_MINE (another unit answered);
 * ERR_FOREIGN (our unit answers something else, or somebody else asks); an exception is
 * ERR_UNSUPPORTED (function) or ERR_RANGE (address, value and the rest). */
int rtu_find_answer(const uint8_t *bytes, size_t count, const uint8_t *request,
		    size_t request_count, const uint8_t **data);
