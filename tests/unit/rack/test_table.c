// SPDX-License-Identifier: Apache-2.0
/* Pack numbers, samples and errors of several lines. */
#include "rack/table.h"

#include <errno.h>
#include <string.h>

#include "../cmocka_all.h"

static struct wire *wire;
static struct table table;
static struct poller pollers[2];
static struct fusion_input input;

static int set_up(void **state)
{
	(void)state;
	wire = wire_load("pack/jk-pb", stderr);
	memset(&table, 0, sizeof table);
	memset(pollers, 0, sizeof pollers);
	return wire ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	wire_free(wire);
	return 0;
}

static int add_line(int bus, uint32_t addresses, int32_t first_pack, char *why, size_t size)
{
	struct rack_bus_config config = {.addresses = addresses, .first_pack = first_pack};

	assert_int_equal(poller_init(&pollers[bus], wire, &config, why, size), 0);
	return table_add_line(&table, &config, &pollers[bus], why, size);
}

static void sample(int bus, int address, int32_t voltage_mv)
{
	struct pack pack;

	pack_clear(&pack);
	pack.voltage_mv = voltage_mv;
	table_sample(&table, bus, address, &pack);
}

static void test_listed_packs_have_their_numbers(void **state)
{
	char why[128];

	(void)state;
	assert_int_equal(add_line(0, 0x0E, 0, why, sizeof why), 0);
	assert_int_equal(add_line(1, 0x06, 8, why, sizeof why), 0);
	sample(1, 2, 53000);
	sample(0, 3, 52000);
	sample(0, 3, 52100); /* the newest counts */
	table_take(&table, &input);
	assert_int_equal(input.pack_count, 2);
	assert_int_equal(input.packs[0].pack, 3);
	assert_int_equal(input.packs[0].voltage_mv, 52100);
	assert_string_equal(input.packs[0].bus, "bus1");
	assert_string_equal(input.packs[0].protocol, "pack/jk-pb");
	assert_int_equal(input.packs[1].pack, 9);
	assert_int_equal(input.packs[1].address, 2);
	table_take(&table, &input);
	assert_int_equal(input.pack_count, 0);
}

static void test_found_packs_take_the_next_number(void **state)
{
	char why[128];

	(void)state;
	assert_int_equal(add_line(0, 0, 0, why, sizeof why), 0);
	sample(0, 9, 53000);
	sample(0, 4, 53000);
	sample(0, 9, 53000);
	table_take(&table, &input);
	assert_int_equal(input.pack_count, 2);
	assert_int_equal(input.packs[0].address, 9);
	assert_int_equal(input.packs[1].address, 4);
}

static void test_too_many_packs(void **state)
{
	char why[128];

	(void)state;
	assert_int_equal(add_line(0, 0xFFFE, 0, why, sizeof why), 0);
	assert_int_equal(add_line(1, 0x06, 0, why, sizeof why), -EINVAL);
	assert_non_null(strstr(why, "bus2"));
	sample(1, 7, 53000);
	table_state(&table, 1, LINK_UP, "");
	assert_non_null(strstr(table.lines[1].status.detail, "address 7 is ignored"));
}

static void test_errors_are_taken_once(void **state)
{
	char why[128];

	(void)state;
	assert_int_equal(add_line(0, 0x06, 0, why, sizeof why), 0);
	table_answer(&table, 0, 1, 308, true);
	table_answer(&table, 0, 1, ERR_TIMEOUT, true);
	table_answer(&table, 0, 1, ERR_TIMEOUT, true);
	table_answer(&table, 0, 2, ERR_TIMEOUT, false); /* nobody expects it */
	table_answer(&table, 0, 2, ERR_FORMAT, false);
	table_foreign(&table, 0, 3, true);
	table_take(&table, &input);
	assert_int_equal(input.error_count, 3);
	assert_int_equal(input.errors[0].address, 0);
	assert_int_equal(input.errors[0].kind, BUS_ERROR_FOREIGN_REQUEST);
	assert_int_equal(input.errors[0].count, 3);
	assert_int_equal(input.errors[1].kind, BUS_ERROR_TIMEOUT);
	assert_int_equal(input.errors[1].count, 2);
	assert_int_equal(input.errors[2].address, 2);
	assert_int_equal(input.errors[2].kind, BUS_ERROR_CHECKSUM);
	assert_int_equal(table.lines[0].status.address[1].answers, 1);
	assert_int_equal(table.lines[0].status.link, LINK_ERROR);
	table_take(&table, &input);
	assert_int_equal(input.error_count, 0);
}

/* More kinds of errors than one input has room for come with the next. */
static void test_many_errors(void **state)
{
	char why[128];
	int taken = 0;

	(void)state;
	assert_int_equal(add_line(0, 0xFFFE, 0, why, sizeof why), 0);
	for (int address = 0; address < BUS_MAX_ADDRESS; address++) {
		table_answer(&table, 0, address, ERR_TIMEOUT, true);
		table_answer(&table, 0, address, ERR_CHECKSUM, true);
	}
	table_foreign(&table, 0, 1, false);
	for (int i = 0; i < 3; i++) {
		table_take(&table, &input);
		taken += input.error_count;
	}
	assert_int_equal(taken, 2 * BUS_MAX_ADDRESS + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_listed_packs_have_their_numbers, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_found_packs_take_the_next_number, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_too_many_packs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_errors_are_taken_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_errors, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
