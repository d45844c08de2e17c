// SPDX-License-Identifier: Apache-2.0
/* Whatever arrives, nothing wrong is ever published, and everything is counted. */
#include "fake_rack.h"
#include "rack_watch.h"

/* Every kind of bad answer at once: only the healthy pack is shown, all others are counted. */
static void test_nothing_wrong_is_published(void **state)
{
	static const struct {
		int address;
		enum fake_trick trick;
		enum bus_cause cause;
		int fusion_kind; /* -1 = not told */
	} table[] = {
		{2, FAKE_BAD_SUM, BUS_CAUSE_CHECKSUM, BUS_ERROR_CHECKSUM},
		{3, FAKE_WRONG_TYPE, BUS_CAUSE_FOREIGN, -1},
		{4, FAKE_FOREIGN_ACK, BUS_CAUSE_FOREIGN, -1},
		{5, FAKE_NO_ACK, BUS_CAUSE_FOREIGN, -1},
		{6, FAKE_TRUNCATED, BUS_CAUSE_CHECKSUM, BUS_ERROR_CHECKSUM},
		{7, FAKE_RUBBISH, BUS_CAUSE_FORMAT, BUS_ERROR_CHECKSUM},
		{8, FAKE_NO_SETTINGS, BUS_CAUSE_TIMEOUT, BUS_ERROR_TIMEOUT},
		{9, FAKE_LATE, BUS_CAUSE_TIMEOUT, BUS_ERROR_TIMEOUT},
	};
	struct fake_rack fake;
	struct rack_bus_config config;
	struct watch watch;

	(void)state;
	fake_start(&fake);
	fake_set(&fake, 1, FAKE_GOOD);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		fake_set(&fake, table[i].address, table[i].trick);
	config = watch_bus(fake.link, 0x3FE);
	watch_start(&watch, &config, 1);
	assert_true(watch_for(&watch, 1, 4, 15000));
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		int address = table[i].address;

		if (watch.samples[address])
			fail_msg("address %d was shown", address);
		if (watch.status[0].address[address].errors[table[i].cause] == 0)
			fail_msg("address %d has no %s", address, bus_cause_name(table[i].cause));
		if (table[i].fusion_kind >= 0 && !watch.errors[address][table[i].fusion_kind])
			fail_msg("address %d: the fusion is not told", address);
	}
	assert_int_equal(watch.status[0].address[1].errors[BUS_CAUSE_CHECKSUM], 0);
	assert_int_equal(watch.packs[1].voltage_mv, 53224);
	watch_stop(&watch);
	fake_stop(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_wrong_is_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
