// SPDX-License-Identifier: Apache-2.0
/* slcan lines: frames both ways, states, and everything that must not become a frame. */
#include "slcan_text.h"

#include <stdio.h>
#include <string.h>

#include "../cmocka_all.h"

static void test_frames_both_ways(void **state)
{
	static const struct {
		const char *text;
		struct can_message message;
	} table[] = {
		{"t35180214740EEC09E001\r",
		 {0x351, false, 8, {0x02, 0x14, 0x74, 0x0E, 0xEC, 0x09, 0xE0, 0x01}}},
		{"t3050\r", {0x305, false, 0, {0}}},
		{"t7FF1FF\r", {0x7FF, false, 1, {0xFF}}},
		{"T18FF50E52A55A\r", {0x18FF50E5, true, 2, {0xA5, 0x5A}}},
		{"T000000000\r", {0, true, 0, {0}}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char text[SLCAN_FRAME_SIZE];
		struct can_message back = {0};
		size_t count = slcan_format(&table[i].message, text);

		assert_int_equal(count, strlen(table[i].text));
		assert_memory_equal(text, table[i].text, count);
		assert_int_equal(slcan_parse(text, count - 1, &back), SLCAN_FRAME);
		assert_memory_equal(&back, &table[i].message, sizeof back);
	}
}

static void test_variants(void **state)
{
	static const struct {
		const char *line;
		enum slcan_line kind;
		uint32_t id;
	} table[] = {
		{"t30580011223344556677", SLCAN_FRAME, 0x305},
		{"t3058001122334455667712ab", SLCAN_FRAME, 0x305},     /* time stamp */
		{"t305800112233445566770012abcd", SLCAN_FRAME, 0x305}, /* a long one */
		{"zt3052aabb", SLCAN_FRAME, 0x305}, /* acknowledge without CR before it */
		{"ZZt3052AABB", SLCAN_FRAME, 0x305},
		{"sa000000", SLCAN_ACTIVE, 0},
		{"sw096000", SLCAN_WARNING, 0},
		{"sp128000", SLCAN_PASSIVE, 0},
		{"sb000256", SLCAN_BUS_OFF, 0},
		{"e1a", SLCAN_ERROR, 0},
		{"", SLCAN_NOTHING, 0},
		{"z", SLCAN_NOTHING, 0},
		{"V1013", SLCAN_NOTHING, 0},
		{"r3058", SLCAN_NOTHING, 0},
		{"R0000030500", SLCAN_NOTHING, 0},
		{"s", SLCAN_NOTHING, 0},
		{"sx", SLCAN_NOTHING, 0},
		{"t", SLCAN_NOTHING, 0},
		{"t305", SLCAN_NOTHING, 0},
		{"t305900112233445566778", SLCAN_NOTHING, 0}, /* length 9 */
		{"t3058001122334455667", SLCAN_NOTHING, 0},   /* a lost character */
		{"t30580011223344556G77", SLCAN_NOTHING, 0},
		{"t3g580011223344556677", SLCAN_NOTHING, 0},
		{"t305800112233445566771", SLCAN_NOTHING, 0},
		{"t3058001122334455667712aX", SLCAN_NOTHING, 0},
		{"t8002AABB", SLCAN_NOTHING, 0}, /* 12 bits */
		{"T200000002AABB", SLCAN_NOTHING, 0},
		{"t3058001122t3052AABB", SLCAN_NOTHING, 0}, /* lost CR */
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct can_message out = {.id = 99, .length = 9};

		if (slcan_parse(table[i].line, strlen(table[i].line), &out) != table[i].kind)
			fail_msg("line '%s'", table[i].line);
		if (table[i].kind == SLCAN_FRAME)
			assert_int_equal(out.id, table[i].id);
		else
			assert_int_equal(out.length, 9); /* untouched */
	}
}

static void test_bitrates(void **state)
{
	(void)state;
	assert_int_equal(slcan_bitrate_code(10000), 0);
	assert_int_equal(slcan_bitrate_code(250000), 5);
	assert_int_equal(slcan_bitrate_code(500000), 6);
	assert_int_equal(slcan_bitrate_code(1000000), 8);
	assert_int_equal(slcan_bitrate_code(123456), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_both_ways),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_bitrates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
