// SPDX-License-Identifier: Apache-2.0
/* Pylontech's ASCII frames: sums of the vendor texts, captured frames of several makes, and damage.
 */
#include "../cmocka_all.h"
#include "pylon_frame.h"

#include <stdio.h>
#include <string.h>

/* Frames whose sums were checked by hand or captured: US3000, US5000, UP2500, JK, Seplos, Axpert,
 * EASUN and the V3.5 text. */
static const char *const good[] = {
	"~201246610000FDAA\r",
	"~0002464F0000FD9A\r",
	"~0052464F0000FD95\r",
	"~0042464F0000FD96\r",
	"~20014642E00201FD35\r",
	"~20024600B032110E420BEA0AF00D030A4703E8D2F0B3B0A7F80D030A47FC18F27E\r",
	"~20024600B014026EF05AA0022BFDD5C0F915\r",
	"~200046920000FDA9\r",
	"~200046040000FDB0\r",
	"~20124600800800000000FC21\r",
	"~20024600800800000000FC22\r",
	"~20024600D01270805460064006A4C0F9E5\r",
	"~20024600D012D2F0ABE000FA00C8C0F982\r",
	"~200246000000FDB2\r",
	"~280246000000FDAA\r",
	"~200246020000FDB0\r",
	"~22014A45C004010FFCAF\r",
};

static void lengths_and_sums(void **state)
{
	(void)state;
	assert_int_equal(pylon_length(0), 0x0000);
	assert_int_equal(pylon_length(0x012), 0xD012);
	assert_int_equal(pylon_length(0x062), 0x8062);
	assert_int_equal(pylon_length(0x04C), 0x004C); /* nibbles add up to 16 */
	assert_int_equal(pylon_checksum((const uint8_t *)"200246610000", 12), 0xFDAB);
	assert_int_equal(pylon_checksum((const uint8_t *)"1203400456ABCEFE", 16), 0xFC71);
}

static void reads_and_rebuilds_published_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct pylon_frame frame;
		uint8_t out[PYLON_MAX_FRAME];
		size_t count = strlen(good[i]), start = 9;
		const uint8_t *bytes = (const uint8_t *)good[i];

		assert_int_equal(pylon_scan(bytes, count, &start), count);
		assert_int_equal(start, 0);
		if (pylon_read(bytes, count, &frame) != 0)
			fail_msg("%s", good[i]);
		assert_int_equal(pylon_build(&frame, out, sizeof out), count);
		assert_memory_equal(out, bytes, count);
		assert_int_equal(pylon_build(&frame, out, count - 1), ERR_SPACE);
	}
}

static void takes_frames_apart(void **state)
{
	(void)state;
	struct pylon_frame frame;
	const char *text = "~20024600D01270805460064006a4c0F9E5\r"; /* lower case changes the sum */

	assert_int_equal(pylon_read((const uint8_t *)text, strlen(text), &frame), PYLON_CHKSUM);
	text = "~20024600D01270805460064006a4c0F9A5\r";
	assert_int_equal(pylon_read((const uint8_t *)text, strlen(text), &frame), 0);
	assert_int_equal(frame.version, 0x20);
	assert_int_equal(frame.address, 2);
	assert_int_equal(frame.cid1, 0x46);
	assert_int_equal(frame.cid2, PYLON_OK);
	assert_int_equal(frame.info_bytes, 9);
	assert_memory_equal(frame.info, "\x70\x80\x54\x60\x06\x40\x06\xA4\xC0", 9);
}

/* Puts a right CHKSUM into a text whose last four characters before CR are its place. */
static void mend(char *text)
{
	size_t count = strlen(text);

	snprintf(text + count - 5, 6, "%04X\r",
		 pylon_checksum((const uint8_t *)text + 1, count - 6));
}

static void names_each_mistake(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int mended, result;
	} cases[] = {
		{"~200246610000FDAC\r", 0, PYLON_CHKSUM},
		{"~200246610000ZZZZ\r", 0, PYLON_CHKSUM},
		{"~20024661E0000000\r", 1, PYLON_LCHKSUM},
		{"~20024661ZZZZ0000\r", 1, PYLON_LCHKSUM},
		{"~20024642E0020000\r", 1, PYLON_COMMAND}, /* two characters promised, none sent */
		{"~200246420000020000\r", 1, PYLON_COMMAND}, /* none promised, two sent */
		{"~20024642F001F0000\r", 1, PYLON_COMMAND},  /* half a byte */
		{"~20024642E002G00000\r", 1, PYLON_INFO},
		{"~200246X10000F000\r", 1, PYLON_CID2},
		{"~20G246610000FDAB\r", 0, ERR_FORMAT},
		{"~2002G6610000FDAB\r", 0, ERR_FORMAT},
		{"~20024661000FDAB\r", 0, ERR_FORMAT},
		{"~G00246610000FDAB\r", 1, 0}, /* any version is good */
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pylon_frame frame;
		char text[64];

		snprintf(text, sizeof text, "%s", cases[i].text);
		if (cases[i].mended)
			mend(text);
		int result = pylon_read((const uint8_t *)text, strlen(text), &frame);

		if (result != cases[i].result)
			fail_msg("%s: %d", text, result);
		if (result > 0) {
			assert_int_equal(frame.address, 2);
			assert_int_equal(frame.info_bytes, 0);
		}
	}
}

static void finds_frames_in_noise(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int result;
		size_t start;
	} cases[] = {
		{"", 0, 9},
		{"\r\r200246610000FDAB\r", 0, 9},
		{"~", ERR_INCOMPLETE, 0},
		{"\xFF\x80~2002466100", ERR_INCOMPLETE, 2},
		{"xy~200246610000FDAB\r", 18, 2},
		{"~2002~200246610000FDAB\r", 18, 5},
		{"~2002\r~200246610000FDAB\r~", 18, 6},
		{"~200246610000FDAB\r~200246630000FDA9\r", 18, 0},
		{"~2002\r", 0, 9},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t start = 9;
		int result =
			pylon_scan((const uint8_t *)cases[i].text, strlen(cases[i].text), &start);

		if (result != cases[i].result || start != cases[i].start)
			fail_msg("%s: %d at %zu", cases[i].text, result, start);
	}
}

static void endless_frame_is_noise(void **state)
{
	(void)state;
	uint8_t bytes[PYLON_MAX_FRAME + 40];
	size_t start = 9;

	memset(bytes, '0', sizeof bytes);
	bytes[0] = '~';
	assert_int_equal(pylon_scan(bytes, PYLON_MAX_FRAME, &start), ERR_INCOMPLETE);
	assert_int_equal(pylon_scan(bytes, sizeof bytes, &start), 0);
	bytes[sizeof bytes - 1] = '\r';
	assert_int_equal(pylon_scan(bytes, sizeof bytes, &start), 0);
}

static void longest_frame(void **state)
{
	(void)state;
	static struct pylon_frame frame, back;
	uint8_t out[PYLON_MAX_FRAME];
	size_t start;

	frame = (struct pylon_frame){0x20, 2, 0x46, 0, PYLON_MAX_INFO, {0}};
	memset(frame.info, 0xA5, sizeof frame.info);
	assert_int_equal(pylon_build(&frame, out, sizeof out), PYLON_MAX_FRAME);
	assert_int_equal(pylon_scan(out, sizeof out, &start), PYLON_MAX_FRAME);
	assert_int_equal(pylon_read(out, sizeof out, &back), 0);
	assert_memory_equal(&back, &frame, sizeof frame);
	frame.info_bytes++;
	assert_int_equal(pylon_build(&frame, out, sizeof out), ERR_SPACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_and_sums),
		cmocka_unit_test(reads_and_rebuilds_published_frames),
		cmocka_unit_test(takes_frames_apart),
		cmocka_unit_test(names_each_mistake),
		cmocka_unit_test(finds_frames_in_noise),
		cmocka_unit_test(endless_frame_is_noise),
		cmocka_unit_test(longest_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
