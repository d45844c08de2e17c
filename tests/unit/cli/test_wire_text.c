// SPDX-License-Identifier: Apache-2.0
/* The texts of `onepack wire`: frames as people and candump write them, hex, JSON objects in a row.
 */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "onepack/err.h"
#include "wire_text.h"

static const struct {
	const char *line, *frame; /* as printed again; NULL = not readable */
} frames[] = {
	{"351#1402740E", "351#1402740E"},
	{"351#1402740e\n", "351#1402740E"},
	{"351#14.02.74.0E", "351#1402740E"},
	{"5#01", "005#01"},
	{"351#", "351#"},
	{"0x351#14", NULL},
	{"18F128F4#8B019001", "18F128F4#8B019001"},
	{"00000305#00", "00000305#00"},
	{"(1234.5) can0 351#1402740E", "351#1402740E"},
	{"(1436509052.249713) vcan0 18F128F4#2A366C2BBA", "18F128F4#2A366C2BBA"},
	{"(1436509052.249713) vcan0 351#14 R", "351#14"},
	{"can0  351   [8]  14 02 74 0E 74 0E CC 01", "351#1402740E740ECC01"},
	{"  can0  351   [2]  14 02   't.'\n", "351#1402"},
	{" (000.001)  can0  351   [2]  14 02", "351#1402"},
	{" can0  RX - -  351   [2]  14 02", "351#1402"},
	{"351 [4] 1A 00 64 00", "351#1A006400"},
	{"351 [0]", "351#"},
	{"", NULL},
	{"hello", NULL},
	{"351#1", NULL},
	{"351#14027", NULL},
	{"351#140274ZZ", NULL},
	{"351#112233445566778899", NULL},
	{"351##1402", NULL},
	{"FFF#00", NULL},
	{"20000000#00", NULL},
	{"123456789#00", NULL},
	{"#00", NULL},
	{"351#R", NULL},
	{"351 [3] 14 02", NULL},
	{"351 [2] 14 02 03", NULL},
	{"351 [9] 1 2 3 4 5 6 7 8 9", NULL},
	{"351 [2] 14 2", NULL},
	{"can0 351#14 02", NULL},
	{"# a comment", NULL},
};

static void frames_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
		struct can_message frame;
		char text[32] = "";
		const int err = wire_parse_frame(frames[i].line, &frame);

		if (!err)
			wire_print_frame(&frame, text);
		if ((err == 0) != (frames[i].frame != NULL) ||
		    (frames[i].frame && strcmp(text, frames[i].frame) != 0))
			fail_msg("'%s' is read as '%s'", frames[i].line, err ? "nothing" : text);
	}
}

static void ids_have_their_width(void **state)
{
	struct can_message frame;

	(void)state;
	assert_int_equal(wire_parse_frame("305#", &frame), 0);
	assert_false(frame.extended);
	assert_int_equal(wire_parse_frame("00000305#", &frame), 0);
	assert_true(frame.extended);
	assert_int_equal(frame.id, 0x305);
}

static void hex_is_read(void **state)
{
	uint8_t bytes[8];

	(void)state;
	assert_int_equal(wire_parse_hex("01 03 0c D8\n", bytes, sizeof bytes), 4);
	assert_memory_equal(bytes, "\x01\x03\x0C\xD8", 4);
	assert_int_equal(wire_parse_hex("01030CD8", bytes, sizeof bytes), 4);
	assert_int_equal(wire_parse_hex(" ~20\r\n", bytes, sizeof bytes), 4);
	assert_memory_equal(bytes, "~20\r", 4);
	assert_int_equal(wire_parse_hex("01 3", bytes, sizeof bytes), ERR_FORMAT);
	assert_int_equal(wire_parse_hex("xx", bytes, sizeof bytes), ERR_FORMAT);
	assert_int_equal(wire_parse_hex("", bytes, sizeof bytes), ERR_FORMAT);
	assert_int_equal(wire_parse_hex("010203040506070809", bytes, sizeof bytes), ERR_SPACE);
	assert_int_equal(wire_parse_hex("~12345678", bytes, sizeof bytes), ERR_SPACE);
	assert_true(wire_is_blank(" \t\r\n") && !wire_is_blank(" x"));
}

static void objects_are_told_apart(void **state)
{
	static const char input[] =
		"\n{\"a\": \"}{\\\"\"} {\"b\":\n [{}]}\n\nnonsense here\n{\"c\": "
		"\"open\n{}";
	static const struct {
		const char *text;
		int start;
	} wanted[] = {{"{\"a\": \"}{\\\"\"}", 2},
		      {"{\"b\":\n [{}]}", 2},
		      {"nonsense here", 5},
		      {"{\"c\": \"open", 6},
		      {"{}", 7}};
	FILE *file = fmemopen((void *)(uintptr_t)input, sizeof input - 1, "r");
	int line = 1, start = 0;

	(void)state;
	assert_non_null(file);
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		char *text = wire_next_object(file, &line, &start);

		assert_non_null(text);
		assert_string_equal(text, wanted[i].text);
		assert_int_equal(start, wanted[i].start);
		free(text);
	}
	assert_null(wire_next_object(file, &line, &start));
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_read),
		cmocka_unit_test(ids_have_their_width),
		cmocka_unit_test(hex_is_read),
		cmocka_unit_test(objects_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
