// SPDX-License-Identifier: Apache-2.0
/* NIU's 68 frames: questions seen in the field, refusals, torn and damaged ones, and data that
 * looks like an end or a beginning. */
#include "../cmocka_all.h"
#include "hex.h"
#include "niu_frame.h"

#include <string.h>

static void questions_of_the_field(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		uint8_t offset, count;
	} cases[] = {
		{"68 31 CE 68 02 02 60 42 75 16", 45, 15},
		{"68 31 CE 68 02 02 6F 5B 9D 16", 60, 40},
		{"68 31 CE 68 02 02 3C 43 52 16", 9, 16},
		{"68 31 CE 68 02 02 35 35 3D 16", 2, 2},
		{"68 31 CE 68 02 02 5C 46 75 16", 41, 19},
		{"68 31 CE 68 02 02 5C 60 8F 16", 41, 45},
		{"68 31 CE 68 02 02 33 D3 D9 16", 0, 160},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t bytes[20], built[20];
		size_t count = hex_read(cases[i].bytes, bytes, sizeof bytes);
		struct niu_frame frame;

		assert_int_equal(niu_read(bytes, count, &frame), 0);
		assert_int_equal(frame.address, 0x31);
		assert_int_equal(frame.command, NIU_READ);
		assert_int_equal(frame.count, 2);
		assert_int_equal(frame.data[0], cases[i].offset);
		assert_int_equal(frame.data[1], cases[i].count);
		assert_int_equal(niu_build(&frame, built, sizeof built), count);
		assert_memory_equal(built, bytes, count);
		assert_int_equal(niu_build(&frame, built, count - 1), ERR_SPACE);
	}
}

static void a_refusal_goes_out_as_it_is(void **state)
{
	(void)state;
	const struct niu_frame frame = {.address = 0x31,
					.command = NIU_READ | NIU_ANSWER | NIU_ERROR,
					.count = 1,
					.data = {NIU_OUT_OF_RANGE}};
	struct niu_frame back;
	uint8_t bytes[20], wanted[20];
	size_t count = hex_read("68 31 CE 68 C2 01 40 D2 16", wanted, sizeof wanted);

	assert_int_equal(niu_build(&frame, bytes, sizeof bytes), count);
	assert_memory_equal(bytes, wanted, count);
	assert_int_equal(niu_read(bytes, count, &back), 0);
	assert_int_equal(back.data[0], NIU_OUT_OF_RANGE);
}

static void pieces_and_damage(void **state)
{
	(void)state;
	uint8_t bytes[60], broken[60];
	size_t count = hex_read("68 31 CE 68 02 02 60 42 75 16", bytes, sizeof bytes), start = 99;
	struct niu_frame frame;

	assert_int_equal(niu_scan(bytes, 0, &start), 0);
	for (size_t cut = 1; cut < count; cut++)
		assert_int_equal(niu_scan(bytes, cut, &start), ERR_INCOMPLETE);
	for (size_t at = 0; at < count; at++) {
		memcpy(broken, bytes, count);
		broken[at] ^= 0x04;
		assert_int_not_equal(niu_read(broken, count, &frame), 0);
		memcpy(broken + count, bytes, count);
		assert_int_equal(niu_scan(broken, 2 * count, &start), count);
		assert_int_equal(start, count);
	}
}

static void data_may_look_like_an_end_or_a_beginning(void **state)
{
	(void)state;
	struct niu_frame frame = {.address = 0x31, .command = NIU_READ | NIU_ANSWER, .count = 4};
	const uint8_t sent[4] = {0x16, 0x68, 0x31, 0xCE};
	struct niu_frame back;
	uint8_t bytes[20];
	size_t start = 9;

	for (int i = 0; i < 4; i++)
		frame.data[i] = (uint8_t)(sent[i] - 0x33);
	int count = niu_build(&frame, bytes, sizeof bytes);

	assert_int_equal(niu_scan(bytes, (size_t)count, &start), count);
	assert_int_equal(start, 0);
	assert_int_equal(niu_read(bytes, (size_t)count, &back), 0);
	assert_memory_equal(back.data, frame.data, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_of_the_field),
		cmocka_unit_test(a_refusal_goes_out_as_it_is),
		cmocka_unit_test(pieces_and_damage),
		cmocka_unit_test(data_may_look_like_an_end_or_a_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
