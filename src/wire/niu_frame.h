// SPDX-License-Identifier: Apache-2.0
/* Frames of NIU's scooter bus, made after the meter protocol DL/T 645: 68 A ~A 68 CMD LEN DATA CS
 * 16, with 33 added to every data byte. Facts: public readers of these batteries and one maker's
 * firmware, captures.
 *
 * Only bytes: no table, no fields. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "onepack/err.h"

#define NIU_OVERHEAD  8
#define NIU_MAX_DATA  200
#define NIU_MAX_FRAME (NIU_OVERHEAD + NIU_MAX_DATA)

#define NIU_READ   0x02 /* offset, count */
#define NIU_WRITE  0x04 /* offset, count, password, data */
#define NIU_ANSWER 0x80 /* set in what a slave sends */
#define NIU_ERROR  0x40 /* set in an answer that is a refusal */

enum niu_error { NIU_OUT_OF_RANGE = 0x40, NIU_NO_DATA = 0x10, NIU_PASSWORD = 0x11 };

struct niu_frame {
	uint8_t address, command;
	size_t count;
	uint8_t data[NIU_MAX_DATA]; /* without the 33 */
};

/* Finds the first whole frame with a good sum; the results are those of wire_scan(). Its end is
 * found by its length: data may hold 16 and 68. */
int niu_scan(const uint8_t *bytes, size_t count, size_t *start);

/* Reads a frame that niu_scan found: 0, ERR_CHECKSUM or ERR_FORMAT. */
int niu_read(const uint8_t *frame, size_t count, struct niu_frame *out);

/* Writes a frame; a refusal's byte goes out as it is, without the 33. Its length, or ERR_SPACE. */
int niu_build(const struct niu_frame *frame, uint8_t *out, size_t size);
