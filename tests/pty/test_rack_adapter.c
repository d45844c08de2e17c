// SPDX-License-Identifier: Apache-2.0
/* Adapters that are pulled out and put back. */
#include "fake_rack.h"
#include "rack_watch.h"

static void test_adapter_out_and_in(void **state)
{
	struct fake_rack fake;
	struct rack_bus_config config;
	struct watch watch;
	unsigned samples;

	(void)state;
	fake_start(&fake);
	fake_set(&fake, 1, FAKE_GOOD);
	fake_unplug(&fake); /* not there at the start either */
	config = watch_bus(fake.link, 1 << 1);
	watch_start(&watch, &config, 1);
	watch_while(&watch, 200);
	assert_int_equal(watch.status[0].link, LINK_DOWN);
	assert_non_null(strstr(watch.status[0].detail, "No such file"));
	fake_plug(&fake);
	assert_true(watch_for(&watch, 1, 2, 6000));
	fake_unplug(&fake);
	watch_while(&watch, 300);
	assert_int_equal(watch.status[0].link, LINK_DOWN);
	samples = watch.samples[1];
	fake_plug(&fake); /* another device behind the same name */
	assert_true(watch_for(&watch, 1, samples + 2, 6000));
	assert_int_equal(watch.status[0].link, LINK_UP);
	assert_int_equal(watch.status[0].address[1].errors[BUS_CAUSE_CHECKSUM], 0);
	watch_stop(&watch);
	fake_stop(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_adapter_out_and_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
