// SPDX-License-Identifier: Apache-2.0
/* Whole racks: what is published from captured records, what is never published, and how packs are
 * numbered. */
#include <stdio.h>

#include "fake_rack.h"
#include "rack_watch.h"

/* The figures are those that the captures are known to mean. */
static void expect_captured_pack(const struct pack *pack, int number, int address)
{
	static const int32_t cells_mv[] = {3333, 3326, 3326, 3329, 3329, 3325, 3323, 3329,
					   3324, 3323, 3326, 3323, 3320, 3323, 3323, 3337};
	char serial[16];

	assert_int_equal(pack->pack, number);
	assert_int_equal(pack->address, address);
	assert_string_equal(pack->bus, "rack");
	assert_string_equal(pack->protocol, "pack/jk-pb");
	assert_int_equal(pack->voltage_mv, 53224);
	assert_int_equal(pack->current_ma, 31881);
	assert_int_equal(pack->soc_mpct, 25000);
	assert_int_equal(pack->soh_mpct, 100000);
	assert_int_equal(pack->remaining_mah, 49286);
	assert_int_equal(pack->capacity_mah, 200000);
	assert_int_equal(pack->cycles, 9);
	assert_int_equal(pack->mos_temperature_mC, 12900);
	assert_int_equal(pack->temperatures_mC[0], 13400);
	assert_int_equal(pack->temperatures_mC[1], 12800);
	assert_int_equal(pack->charge_mos, 1);
	assert_int_equal(pack->discharge_mos, 1);
	assert_int_equal(pack->cell_count, 16);
	assert_memory_equal(pack->cells_mv, cells_mv, sizeof cells_mv);
	/* from the settings record */
	assert_int_equal(pack->settings.cell_overvoltage_mv, 3650);
	assert_int_equal(pack->settings.charge_overcurrent_ma, 40000);
	assert_int_equal(pack->settings.discharge_overcurrent_ma, 150000);
	assert_int_equal(pack->settings.device_address, address);
	/* from the one about the pack */
	snprintf(serial, sizeof serial, "SERIAL-%02d", address);
	assert_string_equal(pack->serial, serial);
	assert_string_equal(pack->model, "JK_PB2A16S20P");
	assert_string_equal(pack->firmware_version, "15.41");
}

static void test_captured_packs(void **state)
{
	struct fake_rack fake;
	struct rack_bus_config config;
	struct watch watch;

	(void)state;
	fake_start(&fake);
	fake.echo = true;
	fake_set(&fake, 3, FAKE_GOOD);
	fake_set(&fake, 7, FAKE_LONG);
	config = watch_bus(fake.link, 1 << 3 | 1 << 5 | 1 << 7);
	watch_start(&watch, &config, 1);
	assert_true(watch_for(&watch, 1, 3, 5000));
	assert_true(watch_for(&watch, 3, 3, 5000));
	expect_captured_pack(&watch.packs[1], 1, 3);
	expect_captured_pack(&watch.packs[3], 3, 7);
	assert_int_equal(watch.samples[2], 0); /* the number of a listed pack that is not there */
	assert_int_equal(watch.status[0].link, LINK_UP);
	assert_string_equal(watch.status[0].name, "rack");
	assert_true(watch.status[0].cycles >= 2);
	assert_true(watch.status[0].address[3].answers >= 5);
	assert_true(watch.status[0].address[5].errors[BUS_CAUSE_TIMEOUT] >= 2);
	assert_int_equal(watch.status[0].address[7].errors[BUS_CAUSE_TIMEOUT], 0);
	assert_true(fake.shortest_gap_us >= 100000);
	watch_stop(&watch);
	fake_stop(&fake);
}

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
	expect_captured_pack(&watch.packs[1], 1, 1);
	watch_stop(&watch);
	fake_stop(&fake);
}

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

static void test_refusals(void **state)
{
	struct rack_bus_config configs[2] = {watch_bus("/nowhere/tty", 0xFFFF << 1),
					     watch_bus("/nowhere/tty2", 2)};
	struct rack *rack = NULL;
	char why[160] = "";

	(void)state;
	assert_int_equal(rack_start(configs, 2, -1, &rack, why, sizeof why), -EINVAL);
	assert_non_null(strstr(why, "16 packs"));
	snprintf(configs[0].protocol, sizeof configs[0].protocol, "pack/that-is-not");
	assert_int_equal(rack_start(configs, 1, -1, &rack, why, sizeof why), -EINVAL);
	assert_non_null(strstr(why, "pack/that-is-not"));
	snprintf(configs[0].protocol, sizeof configs[0].protocol, "can/pylon-lv-1.2");
	assert_int_equal(rack_start(configs, 1, -1, &rack, why, sizeof why), -EINVAL);
	assert_non_null(strstr(why, "can/pylon-lv-1.2"));
	snprintf(configs[1].options[0].name, FIELD_TEXT_SIZE, "nonsense");
	configs[1].option_count = 1;
	assert_int_equal(rack_start(&configs[1], 1, -1, &rack, why, sizeof why), -EINVAL);
	assert_non_null(strstr(why, "nonsense"));
	assert_int_equal(rack_start(configs, 99, -1, &rack, why, sizeof why), -EINVAL);
	assert_null(rack);
	rack_stop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_captured_packs),
		cmocka_unit_test(test_nothing_wrong_is_published),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
