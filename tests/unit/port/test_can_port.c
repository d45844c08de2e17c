// SPDX-License-Identifier: Apache-2.0
/* The rule against old frames, names of states, and the word for interfaces that are not there. The
 * kernel's own CAN is exercised where there is one (tests/can). */
#include <string.h>

#include "../cmocka_all.h"
#include "port_private.h"

static void test_backlog_rule(void **state)
{
	static const struct {
		int64_t at_ms;
		bool waiting, stale;
	} table[] = {
		{1000, false, false}, {1001, true, false}, /* second frame of a set */
		{1003, true, false},  {1100, true, false},
		{1101, true, true},                         /* nobody took them for 100 ms */
		{2000, true, true},   {2001, false, false}, /* taken at last */
		{3000, true, false},                        /* a new wait starts here */
		{3099, true, false},  {3100, true, true},
	};
	struct can_backlog backlog = {0};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (can_backlog_is_stale(&backlog, table[i].waiting, table[i].at_ms) !=
		    table[i].stale)
			fail_msg("row %zu", i);
}

static void test_missing_interface_is_told(void **state)
{
	struct can_port *port = NULL;
	char why[160] = "";

	(void)state;
	assert_true(can_port_open("can_that_is_not", 500000, &port, why, sizeof why) < 0);
	assert_true(strlen(why) > 10);
	assert_true(can_port_open("a_name_too_long_for_an_interface", 1, &port, why, sizeof why) <
		    0);
	assert_null(port);
}

static void test_state_names(void **state)
{
	(void)state;
	assert_string_equal(can_state_name(CAN_ACTIVE), "active");
	assert_string_equal(can_state_name(CAN_BUS_OFF), "bus off");
	assert_string_equal(can_state_name((enum can_port_state)77), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backlog_rule),
		cmocka_unit_test(test_missing_interface_is_told),
		cmocka_unit_test(test_state_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
