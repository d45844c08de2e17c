// SPDX-License-Identifier: Apache-2.0
/* The records of JK packs on their parallel bus: a Modbus write to a trigger register makes a pack
 * send 300 bytes and then the ordinary acknowledge of the write. The record itself does not say who
 * sent it; only the acknowledge does, so the rules for accepting one live here, in one pure
 * function. Facts: vendor texts V1.0 and V1.1 of the JK Modbus protocol, captures of firmware 15.30
 * and 15.41, and what public drivers learned on real buses.
 *
 * Layout: 55 AA EB 90, type, a byte that differs between firmwares, data from byte 6 (little
 * endian), the sum of bytes 0..298 as byte 299. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "onepack/err.h"

#define JK_RECORD_SIZE   300
#define JK_RECORD_HEAD   6 /* bytes before the data */
#define JK_RECORD_DATA   (JK_RECORD_SIZE - JK_RECORD_HEAD - 1)
#define JK_TRIGGER_SIZE  11
#define JK_ACK_SIZE      8
#define JK_ACK_WINDOW    12  /* the acknowledge ends within so many bytes after the record */
#define JK_ADDRESS_AT    270 /* DevAddr in a settings record (type 1), 32 bits */
#define JK_TYPE_SETTINGS 1

/* The write of one zero word to a trigger register. JK_TRIGGER_SIZE, or ERR_SPACE. */
int jk_build_trigger(uint8_t unit, uint16_t trigger, uint8_t *out, size_t size);

/* A record around `count` bytes of data (rest zero) and the acknowledge of the trigger: the whole
 * answer of a pack. Its length, or ERR_SPACE. */
int jk_build_answer(uint8_t unit, uint16_t trigger, uint8_t type, const uint8_t *data, size_t count,
		    uint8_t *out, size_t size);

/* What was asked, and how much else may be on the line. */
struct jk_question {
	uint8_t unit, type;
	uint16_t trigger;
	bool alone; /* no other talker on the bus: a record without acknowledge is the pack's */
	bool final; /* nothing more will come: judge by what is there */
};

/* Looks for the answer in everything received since the trigger was sent. >0: bytes used, *record
 * set. ERR_INCOMPLETE; ERR_CHECKSUM: a damaged record, or one cut short; ERR_FOREIGN: a record that
 * was not asked for (other type or trigger, a master's broadcast), or somebody else's trigger;
 * ERR_NOT_MINE: another unit acknowledged; ERR_UNKNOWN: a good record that nobody signed;
 * ERR_UNSUPPORTED, ERR_RANGE: the pack refused the trigger with an exception. */
int jk_find_answer(const uint8_t *bytes, size_t count, const struct jk_question *question,
		   const uint8_t **record);

/* Listening: finds a record together with its acknowledge (bytes between are part of the frame), or
 * a bare one when at least JK_ACK_WINDOW bytes without an acknowledge follow. Results as of
 * wire_scan(). */
int jk_scan(const uint8_t *bytes, size_t count, size_t *start);

/* Of a frame that begins with a good record: its type, or ERR_CHECKSUM, ERR_FORMAT. *signer is the
 * unit of the acknowledge, -1 without one. */
int jk_read(const uint8_t *frame, size_t count, int *signer);
