// SPDX-License-Identifier: Apache-2.0
/* Packs that change places. */
#include "fake_rack.h"
#include "rack_watch.h"

/* A pack that went away may be another one when it comes back: nothing of the old one is kept. */
static void test_replaced_pack(void **state)
{
	struct fake_rack fake;
	struct rack_bus_config config;
	struct watch watch;
	unsigned samples;

	(void)state;
	fake_start(&fake);
	fake_set(&fake, 1, FAKE_GOOD);
	config = watch_bus(fake.link, 1 << 1);
	watch_start(&watch, &config, 1);
	assert_true(watch_for(&watch, 1, 3, 5000));
	assert_string_equal(watch.packs[1].serial, "SERIAL-01");
	fake_set(&fake, 1, FAKE_ABSENT);
	watch_while(&watch, 1500);
	pthread_mutex_lock(&fake.lock);
	fake_patch(fake.packs[1].records[FAKE_SETTINGS], 50, 77000, 4); /* charge current limit */
	memcpy(fake.packs[1].records[FAKE_ABOUT] + 86, "OTHER-ONE", 10);
	fake_patch(fake.packs[1].records[FAKE_ABOUT], 5, 0, 1);
	fake.packs[1].trick = FAKE_GOOD;
	pthread_mutex_unlock(&fake.lock);
	samples = watch.samples[1];
	assert_true(watch_for(&watch, 1, samples + 1, 3000));
	assert_int_equal(watch.packs[1].settings.charge_overcurrent_ma, 77000);
	assert_string_equal(watch.packs[1].serial, ""); /* not the old one's */
	assert_true(watch_for(&watch, 1, samples + 3, 3000));
	assert_string_equal(watch.packs[1].serial, "OTHER-ONE");
	watch_stop(&watch);
	fake_stop(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replaced_pack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
