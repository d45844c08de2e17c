// SPDX-License-Identifier: Apache-2.0
/* Modbus frames: vendor examples and captures (JK, Growatt), then everything a real line does to
 * them. */
#include "../cmocka_all.h"
#include "hex.h"
#include "rtu.h"

#include <string.h>

struct scan_case {
	const char *bytes;
	int result;
	size_t start;
};

static void check_scan(int scan(const uint8_t *, size_t, size_t *), const struct scan_case *cases,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t bytes[600];
		size_t start = 0, length = hex_read(cases[i].bytes, bytes, sizeof bytes);
		int result = scan(bytes, length, &start);

		if (result != cases[i].result || start != cases[i].start)
			fail_msg("%s: %d at %zu, expected %d at %zu", cases[i].bytes, result, start,
				 cases[i].result, cases[i].start);
	}
}

static void crc_of_published_frames(void **state)
{
	(void)state;
	static const char *const frames[] = {
		"01 03 00 05 00 02 D4 0A",
		"01 03 04 11 22 33 44 4B C6",
		"01 10 00 20 00 02 04 00 05 22 33 B9 03",
		"01 10 00 20 00 02 40 02",
		"01 83 02 C0 F1",
		"01 90 02 CD C1",
		"01 86 01 83 A0",
		"01 83 03 01 31",
		"02 10 10 78 00 02 04 00 00 00 00 37 A9",
		"01 03 02 0C D8 BD 1E",
		"01 10 10 5C 00 02 04 FF FF FF 06 FA D0",
		"01 10 00 13 00 01 02 0C 00 A1 F3",
		"01 03 10 0C D9 0C D9 0C DA 0C DA 0C D9 0C DA 0C DA 00 00 5F 2F",
	};

	for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
		uint8_t bytes[64];
		size_t count = hex_read(frames[i], bytes, sizeof bytes);

		assert_true(rtu_is_sealed(bytes, count));
		bytes[2] ^= 0x10;
		assert_false(rtu_is_sealed(bytes, count));
	}
	assert_false(rtu_is_sealed((const uint8_t[]){0xFF, 0xFF}, 2));
}

static void finds_requests(void **state)
{
	(void)state;
	static const struct scan_case cases[] = {
		{"", 0, 0},
		{"FF FE FD", 0, 0},
		{"01 03 12 90 00 0A C0 98", 8, 0},
		{"FF 00 FF 01 03 12 90 00 0A C0 98", 8, 3},
		{"01 03 12 90 00 0A C0 98 01 03 12 00 00 01 81 72", 8, 0},
		{"01 03 12 90 00 0A C0", ERR_INCOMPLETE, 0},
		{"01", ERR_INCOMPLETE, 0},
		{"01 03 12 90 00 0A C0 99", ERR_CHECKSUM, 0},
		/* torn, then whole: the whole one wins over what the torn one might still become */
		{"01 10 16 20 00 01 FE 01 03 12 00 00 01 81 72", 8, 7},
		{"01 03 12 01 03 12 00 00 01 81 72", 8, 3},
		{"01 10 16 20 00 01 02 00 00 D6 F1", 11, 0},
		{"01 10 16 20 00 01 02 00 00 D6", ERR_INCOMPLETE, 0},
		/* functions that no profile serves must still be seen, to be refused */
		{"01 05 00 00 FF 00 8C 3A", 8, 0},
		{"01 07 41 E2", 4, 0},
		{"01 41 00 00 00 01 FC 05", 8, 0},
	};

	check_scan(rtu_scan_request, cases, sizeof cases / sizeof *cases);
}

static void finds_answers(void **state)
{
	(void)state;
	static const struct scan_case cases[] = {
		{"01 03 02 0C D8 BD 1E", 7, 0},
		{"01 83 02 C0 F1", 5, 0},
		{"00 01 10 10 78 00 02 C5 11 00", 8, 1},
		{"01 03 04 11 22 33 44 4B", ERR_INCOMPLETE, 0},
		{"01 03 04 11 22 33 44 4B C7", ERR_CHECKSUM, 0},
		{"01 03 10 01 03 02 0C D8 BD 1E", 7, 3},
	};

	check_scan(rtu_scan_answer, cases, sizeof cases / sizeof *cases);
}

static void reads_and_builds_requests(void **state)
{
	(void)state;
	uint8_t bytes[RTU_MAX_FRAME], out[RTU_MAX_FRAME];
	struct rtu_request request;
	size_t count = hex_read("01 10 10 0C 00 02 04 00 00 10 CC 33 AF", bytes, sizeof bytes);

	assert_int_equal(rtu_read_request(bytes, count, &request), 0);
	assert_int_equal(request.unit, 1);
	assert_int_equal(request.function, RTU_WRITE);
	assert_int_equal(request.start, 0x100C);
	assert_int_equal(request.words, 2);
	assert_int_equal(request.data_bytes, 4);
	assert_int_equal(rtu_build_write(1, 0x100C, request.data, 2, out, sizeof out), 13);
	assert_memory_equal(out, bytes, 13);
	assert_int_equal(rtu_build_acknowledge(1, RTU_WRITE, 0x100C, 2, out, sizeof out), 8);
	assert_memory_equal(out, "\x01\x10\x10\x0C\x00\x02\x85\x0B", 8);

	assert_int_equal(rtu_build_read(1, RTU_READ_HOLDING, 0x1290, 10, out, sizeof out), 8);
	assert_memory_equal(out, "\x01\x03\x12\x90\x00\x0A\xC0\x98", 8);
	assert_int_equal(rtu_read_request(out, 8, &request), 0);
	assert_int_equal(request.start, 0x1290);
	assert_int_equal(request.words, 10);
	out[7] ^= 1;
	assert_int_equal(rtu_read_request(out, 8, &request), ERR_CHECKSUM);
	assert_int_equal(rtu_read_request(out, 3, &request), ERR_FORMAT);

	hex_read("01 03 12 90 00 0A 00", bytes, sizeof bytes); /* a read with a byte too many */
	assert_int_equal(rtu_read_request(bytes, rtu_seal(bytes, 7), &request), ERR_FORMAT);
	hex_read("01 10 12 90 00 01 04 00 00", bytes, sizeof bytes); /* a write with two too few */
	assert_int_equal(rtu_read_request(bytes, rtu_seal(bytes, 9), &request), ERR_FORMAT);

	assert_int_equal(rtu_build_exception(1, RTU_WRITE, RTU_ILLEGAL_ADDRESS, out, sizeof out),
			 5);
	assert_memory_equal(out, "\x01\x90\x02\xCD\xC1", 5);
	assert_int_equal(rtu_build_answer(1, RTU_READ_HOLDING, (const uint8_t *)"\x0C\xD8", 2, out,
					  sizeof out),
			 7);
	assert_memory_equal(out, "\x01\x03\x02\x0C\xD8\xBD\x1E", 7);
	assert_int_equal(rtu_build_answer(1, 3, bytes, 2, out, 6), ERR_SPACE);
	assert_int_equal(rtu_build_write(1, 0, bytes, 2, out, 12), ERR_SPACE);
	assert_int_equal(rtu_build_read(1, 3, 0, 1, out, 7), ERR_SPACE);
	assert_int_equal(rtu_build_exception(1, 3, RTU_ILLEGAL_VALUE, out, 4), ERR_SPACE);
}

static void finds_the_answer_to_a_question(void **state)
{
	(void)state;
	static const char request_text[] = "01 03 12 00 00 01 81 72";
	static const struct {
		const char *bytes;
		int result;
	} cases[] = {
		{"", ERR_INCOMPLETE},
		{"01 03 02 0C D8 BD 1E", 7},
		{"01 03 02 0C D8 BD", ERR_INCOMPLETE},
		{"01 03 02 0C D8 BD 1F", ERR_CHECKSUM},
		{"01 03 12 00 00 01 81 72 01 03 02 0C D8 BD 1E", 15}, /* echo */
		{"00 01 03 12 00 00 01 81 72 FF 01 03 02 0C D8 BD 1E 00", 17},
		{"01 03 12 00 00 01 81 72", ERR_INCOMPLETE},
		{"01 83 02 C0 F1", ERR_RANGE},
		{"01 83 01 80 F0", ERR_UNSUPPORTED},
		{"01 03 04 11 22 33 44 4B C6", ERR_FOREIGN}, /* another length */
		{"01 03 12 90 00 0A C0 98", ERR_FOREIGN},    /* somebody else asks */
		{"01 10 10 78 00 02 C5 11", ERR_FOREIGN},    /* another function */
		{"02 03 02 0C D8 F9 1E", ERR_NOT_MINE},
	};
	uint8_t request[8], bytes[64];

	hex_read(request_text, request, sizeof request);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const uint8_t *data = NULL;
		size_t count = hex_read(cases[i].bytes, bytes, sizeof bytes);
		int result = rtu_find_answer(bytes, count, request, sizeof request, &data);

		if (result != cases[i].result)
			fail_msg("%s: %d", cases[i].bytes, result);
		if (result > 0)
			assert_memory_equal(data, "\x0C\xD8", 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc_of_published_frames),
		cmocka_unit_test(finds_requests),
		cmocka_unit_test(finds_answers),
		cmocka_unit_test(reads_and_builds_requests),
		cmocka_unit_test(finds_the_answer_to_a_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
