// SPDX-License-Identifier: Apache-2.0
/* Other masters are heard whatever lies around their questions, and nothing else is taken for one.
 */
#include "rack/ear.h"

#include <string.h>

#include "../unit/cmocka_all.h"
#include "fake_rack.h"

static struct wire *wire;
static struct ear ear;

static const uint8_t trigger[] = {0x05, 0x10, 0x16, 0x20, 0x00, 0x01, 0x02, 0x00, 0x00, 0xE4, 0x31};
static const uint8_t refusal[] = {0x05, 0x90, 0x02, 0x8C, 0x00};

static int set_up(void **state)
{
	(void)state;
	wire = wire_load("pack/jk-pb", stderr);
	ear_clear(&ear);
	return wire ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	wire_free(wire);
	return 0;
}

static void test_hears_questions(void **state)
{
	static const uint8_t noise[] = {0x00, 0xFF, 0x05, 0x10, 0x16};
	uint8_t many[20 * sizeof trigger];

	(void)state;
	assert_int_equal(ear_hear(&ear, wire, trigger, sizeof trigger), 1);
	for (size_t i = 0; i < sizeof trigger; i++) /* byte by byte */
		assert_int_equal(ear_hear(&ear, wire, trigger + i, 1), i == sizeof trigger - 1);
	assert_int_equal(ear_hear(&ear, wire, noise, sizeof noise), 0);
	assert_int_equal(ear_hear(&ear, wire, trigger, sizeof trigger), 1);
	for (size_t i = 0; i < 20; i++)
		memcpy(many + i * sizeof trigger, trigger, sizeof trigger);
	assert_int_equal(ear_hear(&ear, wire, many, sizeof many), 20);
}

/* Answers, whole and cut, padding, refusals, and a lot of noise. */
static void test_hears_nothing_else(void **state)
{
	static const char *const records[] = {"master-live", "master-settings", "slave-settings",
					      "slave-about", "charging-live"};
	uint8_t bytes[400], zeros[1000] = {0};
	uint32_t dice = 1;

	(void)state;
	for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
		size_t count = fake_load(records[i], bytes, sizeof bytes);

		assert_int_equal(ear_hear(&ear, wire, bytes, count), 0);
		assert_int_equal(ear_hear(&ear, wire, bytes + 50, count - 50), 0);
	}
	ear_clear(&ear);
	assert_int_equal(ear_hear(&ear, wire, refusal, sizeof refusal), 0);
	assert_int_equal(ear_hear(&ear, wire, zeros, sizeof zeros), 0);
	for (int i = 0; i < 200; i++) {
		for (size_t k = 0; k < sizeof bytes; k++) {
			dice = dice * 1664525 + 1013904223;
			bytes[k] = (uint8_t)(dice >> 24);
		}
		assert_int_equal(ear_hear(&ear, wire, bytes, sizeof bytes), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hears_questions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hears_nothing_else, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
