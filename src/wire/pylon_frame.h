// SPDX-License-Identifier: Apache-2.0
/* Frames in ASCII hex between '~' and CR, as Pylontech's low-voltage RS485 protocol and its family
 * (YD/T 1363.3, Seplos, PACE) use them: SOI VER ADR CID1 CID2|RTN LENGTH INFO CHKSUM EOI. Facts:
 * vendor texts V3.3 (2018-08-21) and V3.5 (2019-08-07), captures.
 *
 * Only bytes: no commands, no fields. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "onepack/err.h"

#define PYLON_MAX_INFO  2047 /* bytes; LENID has 12 bits and counts two characters each */
#define PYLON_OVERHEAD  18   /* characters of a frame with empty INFO */
#define PYLON_MAX_FRAME (PYLON_OVERHEAD + 2 * PYLON_MAX_INFO)

/* Return codes: the place of CID2 in an answer. */
enum pylon_rtn {
	PYLON_OK = 0x00,
	PYLON_VERSION = 0x01,
	PYLON_CHKSUM = 0x02,
	PYLON_LCHKSUM = 0x03,
	PYLON_CID2 = 0x04,
	PYLON_COMMAND = 0x05, /* LENID is not the number of characters, or not what CID2 needs */
	PYLON_INFO = 0x06,    /* not hex, or a value that means nothing */
	PYLON_ADR = 0x90,     /* a question for the master of a group, asked of another module */
	PYLON_INTERNAL = 0x91 /* no fresh data */
};

struct pylon_frame {
	uint8_t version, address, cid1, cid2;
	size_t info_bytes;
	uint8_t info[PYLON_MAX_INFO];
};

/* The LENGTH field of an INFO with that many characters: LCHKSUM << 12 | LENID. */
uint16_t pylon_length(unsigned characters);

/* Minus the sum of the characters, modulo 65536. */
uint16_t pylon_checksum(const uint8_t *characters, size_t count);

/* Finds the first '~' ... CR that is long enough to be a frame. A '~' in between starts afresh
 * (torn frames are followed by whole ones). The sums are not looked at: a battery has answers for
 * wrong ones. >0: its length, at *start. ERR_INCOMPLETE: it has begun at *start. 0: none. */
int pylon_scan(const uint8_t *bytes, size_t count, size_t *start);

/* Reads a frame that pylon_scan found. 0, or the return code (positive) that names the mistake,
 * with version, address and cid1 set all the same; ERR_FORMAT when even those cannot be read: then
 * there is nobody to answer. Lower-case hex is accepted. */
int pylon_read(const uint8_t *frame, size_t count, struct pylon_frame *out);

/* Writes a frame. Its length, or ERR_SPACE. */
int pylon_build(const struct pylon_frame *frame, uint8_t *out, size_t size);
