// SPDX-License-Identifier: Apache-2.0
/* Pack numbers over several lines. */
#include <stdio.h>

#include "fake_rack.h"
#include "rack_watch.h"

/* Two lines: listed packs are numbered from the start, found ones as they come; the 17th has none.
 */
static void test_numbers(void **state)
{
	struct fake_rack one, two;
	struct rack_bus_config configs[2];
	struct watch watch;

	(void)state;
	fake_start(&one);
	fake_start(&two);
	fake_set(&one, 2, FAKE_GOOD);
	fake_set(&one, 4, FAKE_GOOD);
	fake_set(&two, 1, FAKE_GOOD);
	fake_set(&two, 15, FAKE_GOOD);
	configs[0] = watch_bus(one.link, 0);
	configs[0].first_pack = 10;
	configs[1] = watch_bus(two.link, 1 << 1 | 1 << 15);
	snprintf(configs[1].name, sizeof configs[1].name, "second");
	watch_start(&watch, configs, 2);
	assert_true(watch_for(&watch, 1, 1, 5000));
	assert_true(watch_for(&watch, 2, 1, 5000));
	assert_true(watch_for(&watch, 10, 1, 5000));
	assert_true(watch_for(&watch, 11, 1, 5000));
	assert_string_equal(watch.packs[1].bus, "second");
	assert_int_equal(watch.packs[1].address, 1);
	assert_int_equal(watch.packs[2].address, 15);
	assert_string_equal(watch.packs[10].bus, "rack");
	assert_int_equal(watch.packs[10].address, 2);
	assert_int_equal(watch.packs[11].address, 4);
	watch_stop(&watch);
	configs[0].first_pack = 16; /* room for one */
	watch_start(&watch, configs, 1);
	assert_true(watch_for(&watch, 16, 2, 8000));
	watch_while(&watch, 300);
	assert_int_equal(watch.packs[16].address, 2);
	assert_non_null(strstr(watch.status[0].detail, "16"));
	assert_non_null(strstr(watch.status[0].detail, "address 4"));
	watch_stop(&watch);
	fake_stop(&one);
	fake_stop(&two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
