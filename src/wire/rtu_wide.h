// SPDX-License-Identifier: Apache-2.0
/* Answers to reads that count in 16 bits, as Voltronic's text has them, and the other heads that
 * batteries were seen to send to the same inverters. Questions and exceptions are Modbus RTU
 * (rtu.h). Facts: vendor text of 2020-03-25, captures of a JK and other batteries.
 *
 * An answer with one word has the shape of a question: only the question before it can tell. */
#pragma once

#include "rtu.h"

/* In the order of the option `reply` in protocol files. */
enum rtu_reply {
	RTU_REPLY_WORDS,          /* unit, function, 16-bit count of words: the text */
	RTU_REPLY_BYTES,          /* the same with a count of bytes: Seplos */
	RTU_REPLY_MODBUS,         /* unit, function, 8-bit count of bytes: Gobel */
	RTU_REPLY_FUNCTION_FIRST, /* function, unit, 16-bit count of words: seen in one decoder */
};

#define RTU_REPLIES 4

/* Builds the answer to a read. Length, or ERR_SPACE. */
int rtu_wide_build(enum rtu_reply reply, const struct rtu_request *request, const uint8_t *data,
		   uint8_t *out, size_t size);

/* Finds an answer or exception of any kind; the results are those of wire_scan(). */
int rtu_wide_scan(const uint8_t *bytes, size_t count, size_t *start);

/* Whether one whole frame is an answer of any kind to that read: true, and *data. */
bool rtu_wide_is_answer(const uint8_t *frame, size_t count, uint8_t unit, uint16_t words,
			const uint8_t **data);

/* As rtu_find_answer(), for one kind of answer. */
int rtu_wide_find_answer(enum rtu_reply reply, const uint8_t *bytes, size_t count,
			 const uint8_t *request, size_t request_count, const uint8_t **data);
