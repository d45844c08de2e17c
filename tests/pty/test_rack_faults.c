// SPDX-License-Identifier: Apache-2.0
/* Adapters that are pulled out and put back, other masters, packs that change places, and the time
 * that a cycle takes. */
#include <stdio.h>
#include <stdlib.h>

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
	watch_while(&watch, 1500);
	assert_int_equal(fake_asked(&fake, 1, FAKE_LIVE), asked);
	assert_true(watch_for(&watch, 1, samples + 2, 3000));
	assert_int_equal(watch.status[0].link, LINK_UP);
	watch_stop(&watch);
	fake_stop(&fake);
}

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

/* Cycle time over a line with byte timing. With PACKS=15 in the environment it prints the figure of
 * a full line; the bound is wire time, reaction of the packs (10 ms) and the gap. */
static void test_cycle_time(void **state)
{
	const char *wanted = getenv("PACKS");
	int packs = wanted ? atoi(wanted) : 3;
	const double bound_ms = packs * ((11 + 308) * 10000.0 / 115200 + 10 + 100);
	struct fake_rack fake;
	struct rack_bus_config config;
	struct watch watch;

	(void)state;
	assert_in_range(packs, 1, 15);
	fake_start(&fake);
	fake.baud = 115200;
	for (int i = 1; i <= packs; i++)
		fake_set(&fake, i, i % 2 ? FAKE_GOOD : FAKE_LONG);
	config = watch_bus(fake.link, (2U << packs) - 2);
	watch_start(&watch, &config, 1);
	assert_true(watch_for(&watch, packs, 5, 60000));
	printf("%d packs: cycle %d ms, bound %.1f ms, shortest gap %.2f ms\n", packs,
	       (int)watch.status[0].cycle_ms, bound_ms, (double)fake.shortest_gap_us / 1000);
	assert_true((double)watch.status[0].cycle_ms < bound_ms * 1.2); /* a busy machine */
	assert_true((double)watch.status[0].cycle_ms > bound_ms * 0.98);
	watch_stop(&watch);
	fake_stop(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_adapter_out_and_in),
		cmocka_unit_test(test_another_master),
		cmocka_unit_test(test_replaced_pack),
		cmocka_unit_test(test_cycle_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
