// SPDX-License-Identifier: Apache-2.0
/* Frames as they come: whole, in pieces, behind noise, with counts that do not fit; and that
 * nothing is taken for a frame before it cannot be another. */
#include "../cmocka_all.h"

#include <string.h>

#include "core/modbus.h"

struct look {
	const char *what;
	uint8_t bytes[32];
	uint8_t count; /* without the CRC, which is put behind */
	bool silent;
	enum fw_frame_kind kind;
	uint8_t function;
};

static const struct look looks[] = {
	{"a read", {5, 3, 1, 0, 0, 56}, 6, false, FW_FRAME_REQUEST, 3},
	{"a read of inputs", {5, 4, 1, 0, 0, 56}, 6, false, FW_FRAME_REQUEST, 4},
	{"an answer of one word", {5, 3, 2, 0x12, 0x34}, 5, true, FW_FRAME_ANSWER, 3},
	{"it could be the beginning of a read",
	 {5, 3, 2, 0x12, 0x34},
	 5,
	 false,
	 FW_FRAME_INCOMPLETE,
	 0},
	{"an answer of two words", {5, 3, 4, 1, 2, 3, 4}, 7, false, FW_FRAME_ANSWER, 3},
	{"an odd number of bytes", {5, 3, 3, 1, 2, 3}, 6, false, FW_FRAME_REQUEST, 3},
	{"a write of one word", {5, 6, 9, 1, 0, 7}, 6, false, FW_FRAME_REQUEST, 6},
	{"a write", {5, 16, 9, 1, 0, 1, 2, 0, 7}, 9, false, FW_FRAME_REQUEST, 16},
	{"its acknowledge", {5, 16, 9, 1, 0, 1}, 6, false, FW_FRAME_ANSWER, 16},
	{"a write whose counts do not fit",
	 {5, 16, 9, 1, 0, 1, 4, 0, 7, 0, 7},
	 11,
	 true,
	 FW_FRAME_REQUEST,
	 16},
	{"a write of nothing", {5, 16, 9, 1, 0, 0, 0}, 7, true, FW_FRAME_REQUEST, 16},
	{"write and read",
	 {5, 23, 1, 0, 0, 2, 9, 1, 0, 1, 2, 0, 7},
	 13,
	 false,
	 FW_FRAME_REQUEST,
	 23},
	{"who are you", {5, 17}, 2, false, FW_FRAME_REQUEST, 17},
	{"an exception", {5, 0x83, 2}, 3, false, FW_FRAME_ANSWER, 0x83},
	{"an unknown function", {5, 0x41, 1, 2, 3}, 5, true, FW_FRAME_REQUEST, 0x41},
	{"which only silence ends", {5, 0x41, 1, 2, 3}, 5, false, FW_FRAME_INCOMPLETE, 0},
	{"no unit", {248, 3, 1, 0, 0, 56}, 6, true, FW_FRAME_NONE, 0},
	{"no function", {5, 0, 1, 0, 0, 56}, 6, true, FW_FRAME_NONE, 0},
};

static void frames_are_recognised(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
		uint8_t bytes[40];
		size_t count = looks[i].count;

		memcpy(bytes, looks[i].bytes, count);
		count = fw_modbus_seal(bytes, count);

		struct fw_frame frame = fw_modbus_look(bytes, count, looks[i].silent);

		if (frame.kind != looks[i].kind)
			fail_msg("%s: %d instead of %d", looks[i].what, frame.kind, looks[i].kind);
		if (frame.kind == FW_FRAME_REQUEST || frame.kind == FW_FRAME_ANSWER)
			assert_int_equal(frame.length, count);
		if (frame.kind == FW_FRAME_REQUEST)
			assert_int_equal(frame.request.function, looks[i].function);
	}
}

/* Every beginning of every frame waits for more; any wrong bit is no frame. */
static void pieces_and_damage(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
		uint8_t bytes[40];
		size_t count = looks[i].count;

		if (looks[i].silent)
			continue;
		memcpy(bytes, looks[i].bytes, count);
		count = fw_modbus_seal(bytes, count);
		for (size_t part = 0; part < count; part++)
			assert_int_equal(fw_modbus_look(bytes, part, false).kind,
					 FW_FRAME_INCOMPLETE);
		for (size_t bit = 0; bit < 8 * count; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);

			enum fw_frame_kind kind = fw_modbus_look(bytes, count, true).kind;

			assert_true(kind == FW_FRAME_NONE || kind == FW_FRAME_INCOMPLETE);
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void a_request_is_taken_apart(void **state)
{
	uint8_t bytes[20] = {5, 23, 0x0A, 0x10, 0, 112, 0x0A, 4, 0, 2, 4, 1, 2, 3, 4};
	struct fw_frame frame;

	(void)state;
	fw_modbus_seal(bytes, 15);
	frame = fw_modbus_look(bytes, 17, false);
	assert_int_equal(frame.kind, FW_FRAME_REQUEST);
	assert_int_equal(frame.request.unit, 5);
	assert_int_equal(frame.request.read_start, 0x0A10);
	assert_int_equal(frame.request.read_words, 112);
	assert_int_equal(frame.request.write_start, 0x0A04);
	assert_int_equal(frame.request.write_words, 2);
	assert_ptr_equal(frame.request.data, bytes + 11);
	assert_false(frame.request.odd);
}

static void records_of_jk_are_whole_frames(void **state)
{
	uint8_t record[FW_JK_RECORD] = {0x55, 0xAA, 0xEB, 0x90, 2};

	(void)state;
	record[FW_JK_RECORD - 1] = (uint8_t)(0x55 + 0xAA + 0xEB + 0x90 + 2);
	assert_int_equal(fw_modbus_look(record, 299, true).kind, FW_FRAME_INCOMPLETE);
	assert_int_equal(fw_modbus_look(record, 300, false).kind, FW_FRAME_RECORD);
	record[100] = 1;
	assert_int_equal(fw_modbus_look(record, 300, false).kind, FW_FRAME_NONE);
}

static void times_of_the_line(void **state)
{
	(void)state;
	assert_int_equal(fw_modbus_silence_us(115200), 1750);
	assert_int_equal(fw_modbus_silence_us(9600), 4011); /* 3.5 times 11 bits */
	assert_int_equal(fw_modbus_silence_us(19200), 2006);
	assert_int_equal(fw_modbus_wire_us(115200, 8), 694);
	assert_int_equal(fw_modbus_wire_us(9600, 308), 320833);
}

/* The answers that the standard prints, and those of the specification of JK. */
static void answers_are_sealed(void **state)
{
	static const uint8_t write[] = {0x01, 0x10, 0x10, 0x0C, 0x00, 0x02, 0x04,
					0x00, 0x00, 0x10, 0xCC, 0x33, 0xAF};
	static const uint8_t acknowledge[] = {0x01, 0x10, 0x10, 0x0C, 0x00, 0x02, 0x85, 0x0B};
	struct fw_frame frame = fw_modbus_look(write, sizeof write, false);
	uint8_t out[FW_MODBUS_FRAME];

	(void)state;
	assert_int_equal(frame.kind, FW_FRAME_REQUEST);
	assert_int_equal(fw_modbus_acknowledge(&frame.request, out), 8);
	assert_memory_equal(out, acknowledge, 8);
	assert_int_equal(fw_modbus_exception(&frame.request, FW_LOCKED, out), 5);
	assert_int_equal(out[1], 0x90);
	assert_int_equal(out[2], 0x0A);
	assert_int_equal(fw_modbus_look(out, 5, false).kind, FW_FRAME_ANSWER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_recognised),
		cmocka_unit_test(pieces_and_damage),
		cmocka_unit_test(a_request_is_taken_apart),
		cmocka_unit_test(records_of_jk_are_whole_frames),
		cmocka_unit_test(times_of_the_line),
		cmocka_unit_test(answers_are_sealed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
