// SPDX-License-Identifier: Apache-2.0
/* The factory's record: it comes back whole or not at all, whatever became of its bytes. */
#include "../cmocka_all.h"

#include <string.h>

#include "core/factory.h"
#include "torn_flash.h"

#define PAGE 1024

static struct torn_flash torn;

static struct fw_factory good(void)
{
	struct fw_factory factory = {
		.identity = {.device_class = 0x0101,
			     .hardware_revision = 3,
			     .production_day = 2150,
			     .uid32 = 0x12345678,
			     .features = FW_HAS_PRECHARGE | FW_HAS_TERMINAL_SENSING,
			     .sensors = 0xFF,
			     .max_charge_ma = 100000,
			     .max_discharge_ma = 150000,
			     .model = "ONEPACK-16S100",
			     .serial = "OP2600000042"},
		.calibration = {.present = true,
				.voltage_ppm = -1234,
				.current_ppm = 5678,
				.current_zero_ma = -35},
		.installer = {'i', 'n', 's', 't', '0', '0', '0', '1'},
	};

	memset(factory.key, 0x5A, sizeof factory.key);
	memset(factory.unlock, 0xA5, sizeof factory.unlock);
	return factory;
}

static void put(const struct fw_factory *factory)
{
	uint8_t bytes[FW_FACTORY_SIZE];

	fw_factory_write(factory, bytes);
	torn_init(&torn, PAGE, 2, 4, 1);
	torn_put(&torn, FW_AREA_FACTORY, 0, bytes, sizeof bytes);
}

static void expect_nothing(void)
{
	static const struct fw_factory nothing;
	struct fw_factory read;

	memset(&read, 0x77, sizeof read);
	assert_false(fw_factory_read(&torn.flash, &read));
	assert_memory_equal(&read, &nothing, sizeof read);
}

static void what_was_written_comes_back(void **state)
{
	const struct fw_factory factory = good();
	struct fw_factory read;

	(void)state;
	put(&factory);
	assert_true(fw_factory_read(&torn.flash, &read));
	assert_int_equal(read.identity.device_class, 0x0101);
	assert_int_equal(read.identity.hardware_revision, 3);
	assert_int_equal(read.identity.uid32, 0x12345678);
	assert_int_equal(read.identity.features, factory.identity.features);
	assert_int_equal(read.identity.max_charge_ma, 100000);
	assert_int_equal(read.identity.max_discharge_ma, 150000);
	assert_string_equal(read.identity.model, "ONEPACK-16S100");
	assert_string_equal(read.identity.serial, "OP2600000042");
	assert_true(read.calibration.present);
	assert_int_equal(read.calibration.voltage_ppm, -1234);
	assert_int_equal(read.calibration.current_ppm, 5678);
	assert_int_equal(read.calibration.current_zero_ma, -35);
	assert_memory_equal(read.installer, factory.installer, sizeof read.installer);
	assert_memory_equal(read.key, factory.key, sizeof read.key);
	assert_memory_equal(read.unlock, factory.unlock, sizeof read.unlock);
}

static void a_damaged_record_is_none(void **state)
{
	const struct fw_factory factory = good();

	(void)state;
	for (size_t bit = 0; bit < 8 * FW_FACTORY_SIZE; bit++) {
		put(&factory);
		torn.bytes[FW_AREA_FACTORY][bit / 8] ^= (uint8_t)(1u << bit % 8);
		expect_nothing();
	}
	for (size_t kept = 0; kept < FW_FACTORY_SIZE; kept++) { /* power lost in production */
		put(&factory);
		memset(torn.bytes[FW_AREA_FACTORY] + kept, 0xFF, FW_FACTORY_SIZE - kept);
		expect_nothing();
	}
	memset(torn.bytes[FW_AREA_FACTORY], 0, FW_FACTORY_SIZE);
	expect_nothing();
}

static void a_record_that_would_burn_is_none(void **state)
{
	static const struct {
		int32_t charge_ma, discharge_ma, voltage_ppm, current_ppm, zero_ma;
	} cases[] = {
		{0, 100000, 0, 0, 0},
		{100000, 0, 0, 0, 0},
		{-1, 100000, 0, 0, 0},
		{INT32_MAX, 100000, 0, 0, 0},
		{100000, 1000001, 0, 0, 0},
		{100000, 100000, -50001, 0, 0},
		{100000, 100000, 50001, 0, 0},
		{100000, 100000, 0, -100001, 0},
		{100000, 100000, 0, INT32_MIN, 0},
		{100000, 100000, 0, 0, -1001},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct fw_factory factory = good();

		factory.identity.max_charge_ma = cases[i].charge_ma;
		factory.identity.max_discharge_ma = cases[i].discharge_ma;
		factory.calibration.voltage_ppm = cases[i].voltage_ppm;
		factory.calibration.current_ppm = cases[i].current_ppm;
		factory.calibration.current_zero_ma = cases[i].zero_ma;
		put(&factory);
		expect_nothing();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_comes_back),
		cmocka_unit_test(a_damaged_record_is_none),
		cmocka_unit_test(a_record_that_would_burn_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
