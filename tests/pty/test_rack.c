// SPDX-License-Identifier: Apache-2.0
/* Whole racks: what is published from captured records, and what cannot be started. */
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
	assert_true(fake_shortest_gap_us(&fake) >= 100000);
	watch_stop(&watch);
	fake_stop(&fake);
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
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
