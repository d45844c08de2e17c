// SPDX-License-Identifier: Apache-2.0
/* How long an RS485 link stays after it was asked to end. */
#include "../cmocka_all.h"

#include <string.h>

#include "farewell.h"

static void serve(struct farewell *farewell, const char *request, int64_t now_ms)
{
	farewell_served(farewell, (const uint8_t *)request, strlen(request), now_ms);
}

static void nobody_asks(void **state)
{
	struct farewell farewell = {0};

	(void)state;
	assert_false(farewell_is_done(&farewell, 5000, 5000));
	assert_false(farewell_is_done(&farewell, 5000, 5999));
	assert_true(farewell_is_done(&farewell, 5000, 6000));
	/* somebody who comes just now is served, then it goes */
	serve(&farewell, "61", 5300);
	assert_true(farewell_is_done(&farewell, 5000, 5300));
}

static void every_kind_of_request_is_served_once_more(void **state)
{
	struct farewell farewell = {0};

	(void)state;
	for (int64_t t = 1000; t < 5000; t += 300) {
		serve(&farewell, "61", t);
		serve(&farewell, "63", t + 100);
	}
	assert_false(farewell_is_done(&farewell, 5000, 5000));
	serve(&farewell, "61", 5100);
	serve(&farewell, "61", 5200);
	assert_false(farewell_is_done(&farewell, 5000, 5200));
	serve(&farewell, "63", 5300);
	assert_true(farewell_is_done(&farewell, 5000, 5300));
}

static void it_does_not_wait_for_ever(void **state)
{
	struct farewell farewell = {0};

	(void)state;
	serve(&farewell, "61", 4900);
	assert_false(farewell_is_done(&farewell, 5000, 5000 + LINK_FAREWELL_MS - 1));
	assert_true(farewell_is_done(&farewell, 5000, 5000 + LINK_FAREWELL_MS));
}

static void old_habits_do_not_count(void **state)
{
	struct farewell farewell = {0};

	(void)state;
	serve(&farewell, "4F", 1000); /* asked once at the start of the inverter */
	serve(&farewell, "61", 50000);
	serve(&farewell, "61", 51001);
	assert_true(farewell_is_done(&farewell, 51000, 51001));
}

static void many_kinds_push_the_oldest_out(void **state)
{
	struct farewell farewell = {0};
	char name[2] = "a";

	(void)state;
	for (int i = 0; i < FAREWELL_KINDS + 1; i++, name[0]++)
		serve(&farewell, name, 1000 + i);
	for (int i = 1; i < FAREWELL_KINDS + 1; i++) {
		assert_false(farewell_is_done(&farewell, 2000, 2000));
		name[0] = (char)('a' + i);
		serve(&farewell, name, 2001);
	}
	assert_true(farewell_is_done(&farewell, 2000, 2001));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_asks),
		cmocka_unit_test(every_kind_of_request_is_served_once_more),
		cmocka_unit_test(it_does_not_wait_for_ever),
		cmocka_unit_test(old_habits_do_not_count),
		cmocka_unit_test(many_kinds_push_the_oldest_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
