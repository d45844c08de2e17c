// SPDX-License-Identifier: Apache-2.0
/* Samples from what other masters' packs answer: the capture of a JK master at address 0, mixed
 * with questions, noise and records that nobody signed. */
#include "rack/overhear.h"

#include <string.h>

#include "../unit/cmocka_all.h"
#include "fake_rack.h"

static struct wire *wire;
static struct wire_context ctx;
static struct overhear overhear;

static int set_up(void **state)
{
	(void)state;
	wire = wire_load("pack/jk-pb", stderr);
	assert_non_null(wire);
	wire_context_init(wire, &ctx);
	overhear_start(&overhear);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	wire_free(wire);
	return 0;
}

static bool hear(const void *bytes, size_t count)
{
	overhear_add(&overhear, bytes, count);
	return overhear_next(&overhear, wire, &ctx);
}

static bool hear_record(const char *name)
{
	uint8_t bytes[320];

	return hear(bytes, fake_load(name, bytes, sizeof bytes));
}

static void test_master_and_slave(void **state)
{
	static const uint8_t question[] = {0x05, 0x10, 0x16, 0x20, 0x00, 0x01,
					   0x02, 0x00, 0x00, 0xE4, 0x31};

	(void)state;
	assert_false(hear_record("master-live")); /* settings are not known yet */
	assert_false(hear(question, sizeof question));
	assert_false(hear_record("master-settings"));
	assert_false(hear_record("slave-settings"));
	assert_false(hear("\x00\xFF\x55\xAA", 4));
	assert_false(hear_record("slave-about")); /* of another pack */
	assert_true(hear_record("master-live"));
	assert_int_equal(overhear.values.pack.address, 0);
	assert_int_equal(overhear.values.pack.voltage_mv, 52336);
	assert_int_equal(overhear.values.pack.soc_mpct, 65000);
	assert_int_equal(overhear.values.pack.settings.charge_overcurrent_ma, 40000);
	assert_string_equal(overhear.values.pack.serial, "");
	assert_false(overhear_next(&overhear, wire, &ctx));
	overhear_start(&overhear); /* everything is forgotten */
	assert_false(hear_record("master-live"));
}

/* In pieces of any size, the same comes out. */
static void test_pieces(void **state)
{
	uint8_t bytes[620];
	size_t count = fake_load("master-settings", bytes, 308);

	(void)state;
	count += fake_load("master-live", bytes + count, 308);
	for (size_t piece = 1; piece < count; piece = piece * 2 + 1) {
		unsigned samples = 0;

		overhear_start(&overhear);
		for (size_t at = 0; at < count; at += piece) {
			overhear_add(&overhear, bytes + at,
				     count - at < piece ? count - at : piece);
			while (overhear_next(&overhear, wire, &ctx))
				samples++;
		}
		assert_int_equal(samples, 1);
	}
}

static void test_damaged_and_unsigned(void **state)
{
	uint8_t bytes[2000] = {0};
	size_t count = fake_load("master-live", bytes, 308);

	(void)state;
	assert_false(hear_record("master-settings"));
	bytes[60] ^= 1;
	assert_false(hear(bytes, count));
	bytes[60] ^= 1;
	memset(bytes + FAKE_RECORD, 0, 20); /* nobody signs */
	assert_false(hear(bytes, FAKE_RECORD + 20));
	memset(bytes, 0x55, sizeof bytes); /* more than there is room for */
	assert_false(hear(bytes, sizeof bytes));
	assert_true(hear_record("master-live"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_master_and_slave, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged_and_unsigned, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
