// SPDX-License-Identifier: Apache-2.0
/* When an inverter counts as lost. */
#include "../cmocka_all.h"

#include "onepack/status.h"

static void lost_after_its_time(void **state)
{
	static const struct {
		int64_t heard_ms;
		int32_t lost_ms;
		int64_t now_ms;
		bool lost;
	} rows[] = {
		{0, 60000, 1000000, false},    /* never heard: it may still be booting */
		{1000, 60000, 61000, false},   /* exactly its time */
		{1000, 60000, 61001, true},    /* one more */
		{1000, 0, 100000000, false},   /* this protocol has no heartbeat */
		{100000, 60000, 99000, false}, /* heard after the clock was read */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct inverter_status status = {.heard_ms = rows[i].heard_ms,
						 .inverter_lost_ms = rows[i].lost_ms};

		assert_int_equal(inverter_is_lost(&status, rows[i].now_ms), rows[i].lost);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lost_after_its_time)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
