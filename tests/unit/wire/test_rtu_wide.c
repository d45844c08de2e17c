// SPDX-License-Identifier: Apache-2.0
/* Voltronic's answers: the four heads against the frames of the dossier, found in noise, told from
 * questions, and what damaged, foreign and refused ones become. */
#include "../cmocka_all.h"
#include "hex.h"
#include "rtu_wide.h"

#include <string.h>

static const char question[] = "01 03 00 33 00 01 74 05";

/* The state of charge, 76 %, in each form. */
static const char *const forms[RTU_REPLIES] = {
	[RTU_REPLY_WORDS] = "01 03 00 01 00 4C 15 FF",
	[RTU_REPLY_BYTES] = "01 03 00 02 00 4C E5 FF",
	[RTU_REPLY_MODBUS] = "01 03 02 00 4C B9 B1",
	[RTU_REPLY_FUNCTION_FIRST] = "03 01 00 01 00 4C 6D DD",
};

static int find(enum rtu_reply reply, const char *text, const uint8_t **data)
{
	static uint8_t bytes[600];
	uint8_t asked[8];
	size_t count = hex_read(text, bytes, sizeof bytes);

	hex_read(question, asked, sizeof asked);
	return rtu_wide_find_answer(reply, bytes, count, asked, sizeof asked, data);
}

static void each_form_is_built_and_found(void **state)
{
	(void)state;
	const struct rtu_request request = {
		.unit = 1, .function = RTU_READ_HOLDING, .start = 0x33, .words = 1};
	const uint8_t value[] = {0x00, 0x4C}, *data = NULL;

	for (int reply = 0; reply < RTU_REPLIES; reply++) {
		uint8_t wanted[16], built[16], noisy[40] = {0xFF, 0x00, 0x7E};
		size_t count = hex_read(forms[reply], wanted, sizeof wanted), start = 99;

		assert_int_equal(
			rtu_wide_build((enum rtu_reply)reply, &request, value, built, sizeof built),
			count);
		assert_memory_equal(built, wanted, count);
		assert_int_equal(
			rtu_wide_build((enum rtu_reply)reply, &request, value, built, count - 1),
			ERR_SPACE);
		memcpy(noisy + 3, wanted, count);
		assert_int_equal(rtu_wide_scan(noisy, count + 3, &start), count);
		assert_int_equal(start, 3);
		assert_true(rtu_wide_is_answer(wanted, count, 1, 1, &data));
		assert_memory_equal(data, value, sizeof value);
		assert_false(rtu_wide_is_answer(wanted, count, 2, 1, &data));
		assert_false(rtu_wide_is_answer(wanted, count, 1, 2, &data));
		assert_int_equal(find((enum rtu_reply)reply, forms[reply], &data), count);
		assert_memory_equal(data, value, sizeof value);
	}
}

static void every_prefix_is_incomplete(void **state)
{
	(void)state;
	uint8_t bytes[16];
	size_t count = hex_read(forms[RTU_REPLY_WORDS], bytes, sizeof bytes), start = 99;

	assert_int_equal(rtu_wide_scan(bytes, 0, &start), 0);
	for (size_t cut = 1; cut < count; cut++) {
		assert_int_equal(rtu_wide_scan(bytes, cut, &start), ERR_INCOMPLETE);
		assert_int_equal(start, 0);
	}
}

static void what_else_may_come(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		int result;
	} cases[] = {
		{"", ERR_INCOMPLETE},
		{"01 03 00 01 00", ERR_INCOMPLETE},
		{"01 03 00 33 00 01 74 05", ERR_INCOMPLETE}, /* our own question, echoed */
		{"01 03 00 33 00 01 74 05 01 03 00 01 00 4C 15 FF", 16},
		{"FF 01 03 00 01 00 4C 15 FF", 9},
		{"01 03 00 01 00 4D 15 FF", ERR_CHECKSUM},
		{"01 03 00 02 00 06 1A 80 21 C6", ERR_FOREIGN}, /* two words: somebody else's */
		{"01 03 00 70 00 01 85 D1", ERR_FOREIGN},       /* another master asks */
		{"01 83 02 C0 F1", ERR_UNSUPPORTED},
		{"01 83 03 01 31", ERR_RANGE},
	};
	const uint8_t *data = NULL;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (find(RTU_REPLY_WORDS, cases[i].bytes, &data) != cases[i].result)
			fail_msg("%s: %d", cases[i].bytes,
				 find(RTU_REPLY_WORDS, cases[i].bytes, &data));
}

static void other_units_are_not_ours(void **state)
{
	(void)state;
	const struct rtu_request request = {.unit = 2, .function = RTU_READ_HOLDING, .words = 1};
	const uint8_t value[] = {0, 1}, *data = NULL;
	uint8_t bytes[16], asked[8];
	int count = rtu_wide_build(RTU_REPLY_WORDS, &request, value, bytes, sizeof bytes);

	hex_read(question, asked, sizeof asked);
	assert_int_equal(rtu_wide_find_answer(RTU_REPLY_WORDS, bytes, (size_t)count, asked,
					      sizeof asked, &data),
			 ERR_NOT_MINE);
	count = rtu_build_exception(2, RTU_READ_HOLDING, RTU_ILLEGAL_ADDRESS, bytes, sizeof bytes);
	assert_int_equal(rtu_wide_find_answer(RTU_REPLY_WORDS, bytes, (size_t)count, asked,
					      sizeof asked, &data),
			 ERR_NOT_MINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_is_built_and_found),
		cmocka_unit_test(every_prefix_is_incomplete),
		cmocka_unit_test(what_else_may_come),
		cmocka_unit_test(other_units_are_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
