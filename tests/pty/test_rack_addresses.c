// SPDX-License-Identifier: Apache-2.0
/* The real rack gives addresses to packs that run the firmware: in any order of power-up, with
 * equal switches, to those that come and go, along the enable line. */
#include "own_watch.h"

/* No two have the same address, and each has one. */
static void check_distinct(void)
{
	uint32_t seen = 0;

	for (int i = 0; i < rack.count; i++) {
		const int address = fw_rack_address(&rack, i);

		assert_in_range(address, 1, 31);
		assert_false(seen >> address & 1);
		seen |= UINT32_C(1) << address;
	}
}

static void test_sixteen_without_switches(void **state)
{
	int64_t begin_ms;
	int before[FW_RACK_PACKS];

	(void)state;
	fw_rack_start(&rack, 16, 115200, NULL);
	begin_ms = clock_monotonic_ms();
	watch_line("pack/onepack", 0);
	for (int i = 0; i < 16; i++) { /* in no order */
		fw_rack_power(&rack, i * 7 % 16, true);
		watch_while(&watch, i % 4 == 0 ? 30 : 0);
	}
	assert_true(all_answer(16, 20000));
	printf("16 packs without addresses: all found after %d ms\n",
	       (int)(clock_monotonic_ms() - begin_ms));
	check_distinct();
	for (int i = 0; i < 16; i++)
		before[i] = fw_rack_address(&rack, i);
	/* all lose power and come back: everybody gets the same address again */
	watch_stop(&watch);
	for (int i = 0; i < 16; i++)
		fw_rack_power(&rack, i, false);
	for (int i = 0; i < 16; i++)
		fw_rack_power(&rack, 15 - i, true);
	watch_line("pack/onepack", 0);
	assert_true(all_answer(16, 20000));
	for (int i = 0; i < 16; i++)
		assert_int_equal(fw_rack_address(&rack, i), before[i]);
	stop();
}

static void test_equal_switches(void **state)
{
	static const uint8_t dips[] = {1, 3, 3};
	struct event event = {0};
	int64_t end_ms;

	(void)state;
	fw_rack_start(&rack, 3, 115200, dips);
	power_all();
	watch_line("pack/onepack", 0);
	assert_true(all_answer(3, 10000));
	check_distinct();
	assert_int_equal(fw_rack_address(&rack, 0), 1);
	end_ms = clock_monotonic_ms() + 3000;
	while (!told("duplicate_address", &event) && clock_monotonic_ms() < end_ms)
		watch_once(&watch);
	assert_non_null(strstr(event.text, "OP-TEST-02"));
	assert_non_null(strstr(event.text, "OP-TEST-03"));
	assert_non_null(strstr(event.text, "switches at 3"));
	stop();
}

static void test_coming_and_going(void **state)
{
	(void)state;
	fw_rack_start(&rack, 3, 115200, NULL);
	fw_rack_power(&rack, 0, true);
	fw_rack_power(&rack, 1, true);
	watch_line("pack/onepack", 0);
	assert_true(all_answer(2, 6000));
	fw_rack_power(&rack, 2, true);
	assert_true(all_answer(3, 13000));
	check_distinct();
	/* one goes: the others are polled on; it comes back to its address */
	const int address = fw_rack_address(&rack, 1);

	fw_rack_power(&rack, 1, false);
	watch_while(&watch, 1500);
	memset(watch.samples, 0, sizeof watch.samples);
	watch_while(&watch, 500);
	assert_int_equal((watch.samples[1] > 0) + (watch.samples[2] > 0) + (watch.samples[3] > 0),
			 2);
	fw_rack_power(&rack, 1, true);
	assert_true(all_answer(3, 13000));
	assert_int_equal(fw_rack_address(&rack, 1), address);
	stop();
}

static void test_the_enable_line_gives_the_order(void **state)
{
	(void)state;
	fw_rack_start(&rack, 4, 115200, NULL);
	rack.enable = true;
	for (int i = 0; i < 4; i++)
		rack.packs[i].identity.features |= FW_HAS_ENABLE_LINE;
	power_all();
	watch_line("pack/onepack", 0);
	assert_true(all_answer(4, 10000));
	for (int i = 0; i < 4; i++) {
		assert_int_equal(fw_rack_address(&rack, i), i + 1);
		assert_int_equal(rack.packs[i].server.addressing.position, i + 1);
	}
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sixteen_without_switches),
		cmocka_unit_test(test_equal_switches),
		cmocka_unit_test(test_coming_and_going),
		cmocka_unit_test(test_the_enable_line_gives_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
