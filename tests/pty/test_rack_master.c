// SPDX-License-Identifier: Apache-2.0
/* Another master on our line: hands off, but ears open. */
#include "fake_rack.h"
#include "rack_watch.h"

static void say_record(struct fake_rack *fake, const char *name)
{
	uint8_t bytes[320];
	size_t count = fake_load(name, bytes, sizeof bytes);

	fake_say(fake, bytes, count);
}

/* Whoever asks on our line silences us until two seconds after the last question. */
static void test_another_master(void **state)
{
	struct fake_rack fake;
	struct rack_bus_config config;
	struct watch watch;
	unsigned asked, samples;

	(void)state;
	fake_start(&fake);
	fake_set(&fake, 1, FAKE_GOOD);
	config = watch_bus(fake.link, 1 << 1);
	watch_start(&watch, &config, 1);
	assert_true(watch_for(&watch, 1, 2, 5000));
	fake_ask(&fake, 3);
	watch_while(&watch, 200); /* a question may have been under way */
	asked = fake_asked(&fake, 1, FAKE_LIVE);
	samples = watch.samples[1];
	for (int i = 0; i < 4; i++) {
		fake_ask(&fake, 3);
		watch_while(&watch, 260);
		assert_int_equal(watch.status[0].link, LINK_ERROR);
	}
	assert_int_equal(fake_asked(&fake, 1, FAKE_LIVE), asked);
	assert_int_equal(watch.samples[1], samples);
	assert_int_equal(watch.errors[0][BUS_ERROR_FOREIGN_REQUEST], 5);
	assert_non_null(strstr(watch.status[0].detail, "another master"));
	say_record(&fake, "master-settings"); /* a JK pack at address 0 tells about itself */
	say_record(&fake, "master-live");
	fake_ask(&fake, 4);
	watch_while(&watch, 1500);
	assert_int_equal(watch.samples[2], 1);
	assert_int_equal(watch.packs[2].address, 0);
	assert_int_equal(watch.packs[2].voltage_mv, 52336);
	assert_int_equal(watch.packs[2].settings.discharge_overcurrent_ma, 150000);
	assert_non_null(strstr(watch.status[0].detail, "address 0"));
	assert_int_equal(fake_asked(&fake, 1, FAKE_LIVE), asked);
	assert_true(watch_for(&watch, 1, samples + 2, 3000));
	assert_int_equal(watch.status[0].link, LINK_UP);
	watch_stop(&watch);
	fake_stop(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_master),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
