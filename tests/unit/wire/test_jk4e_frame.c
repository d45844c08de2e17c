// SPDX-License-Identifier: Apache-2.0
/* JK's 4E 57 frames: the sums of captured ones, torn and damaged ones, limits of length. */
#include "../cmocka_all.h"
#include "hex.h"
#include "jk4e_frame.h"

#include <string.h>

/* A captured question of a PC for everything. */
static const char read_all[] = "4E 57 00 13 00 00 00 00 06 03 00 00 00 00 00 00 68 00 00 01 29";

static void a_captured_question_is_read_and_built(void **state)
{
	(void)state;
	uint8_t bytes[40], built[40];
	size_t count = hex_read(read_all, bytes, sizeof bytes), start = 9;
	struct jk4e_frame frame;

	assert_int_equal(jk4e_scan(bytes, count, &start), 21);
	assert_int_equal(start, 0);
	assert_int_equal(jk4e_read(bytes, count, &frame), 0);
	assert_int_equal(frame.command, JK4E_READ_ALL);
	assert_int_equal(frame.source, JK4E_FROM_PC);
	assert_int_equal(frame.type, JK4E_QUESTION);
	assert_int_equal(frame.terminal, 0);
	assert_int_equal(frame.data_bytes, 1);
	assert_int_equal(jk4e_build(&frame, built, sizeof built), count);
	assert_memory_equal(built, bytes, count);
	assert_int_equal(jk4e_build(&frame, built, count - 1), ERR_SPACE);
	frame.data_bytes = JK4E_MAX_DATA + 1;
	assert_int_equal(jk4e_build(&frame, built, sizeof built), ERR_SPACE);
}

static void number_and_record_are_kept(void **state)
{
	(void)state;
	const uint8_t code = 0x83;
	const struct jk4e_frame frame = {.terminal = 0x123456,
					 .record = 0x80000007,
					 .command = JK4E_READ,
					 .source = JK4E_FROM_GPS,
					 .data = &code,
					 .data_bytes = 1};
	struct jk4e_frame back;
	uint8_t bytes[40];
	int count = jk4e_build(&frame, bytes, sizeof bytes);

	assert_int_equal(jk4e_read(bytes, (size_t)count, &back), 0);
	assert_int_equal(back.terminal, frame.terminal);
	assert_int_equal(back.record, frame.record);
	assert_int_equal(back.data[0], code);
}

static void pieces_and_damage(void **state)
{
	(void)state;
	uint8_t bytes[80], twice[80];
	size_t count = hex_read(read_all, bytes, sizeof bytes), start = 99;
	struct jk4e_frame frame;

	assert_int_equal(jk4e_scan(bytes, 0, &start), 0);
	for (size_t cut = 1; cut < count; cut++)
		assert_int_equal(jk4e_scan(bytes, cut, &start), ERR_INCOMPLETE);
	for (size_t at = 0; at < count; at++) {
		memcpy(twice, bytes, count);
		twice[at] ^= 0x10;
		assert_int_not_equal(jk4e_read(twice, count, &frame), 0);
		/* whatever it has become, the next good one is found */
		memcpy(twice + count, bytes, count);
		assert_int_equal(jk4e_scan(twice, 2 * count, &start), count);
		assert_int_equal(start, count);
	}
	memcpy(twice, bytes, 10);
	memcpy(twice + 10, bytes, count);
	assert_int_equal(jk4e_scan(twice, 10 + count, &start), count);
	assert_int_equal(start, 10);
}

static void absurd_lengths_are_no_frame(void **state)
{
	(void)state;
	static const uint8_t tiny[] = {0x4E, 0x57, 0x00, 0x11, 0},
			     huge[] = {0x4E, 0x57, 0x02, 0x59, 0};
	size_t start = 99;

	assert_int_equal(jk4e_scan(tiny, sizeof tiny, &start), 0);
	assert_int_equal(jk4e_scan(huge, sizeof huge, &start), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_captured_question_is_read_and_built),
		cmocka_unit_test(number_and_record_are_kept),
		cmocka_unit_test(pieces_and_damage),
		cmocka_unit_test(absurd_lengths_are_no_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
