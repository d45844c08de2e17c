// SPDX-License-Identifier: Apache-2.0
/* The time that a cycle takes. */
#include <stdio.h>
#include <stdlib.h>

#include "fake_rack.h"
#include "rack_watch.h"

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
	int64_t best_ms = 0;

	(void)state;
	assert_in_range(packs, 1, 15);
	fake_start(&fake);
	fake.baud = 115200;
	for (int i = 1; i <= packs; i++)
		fake_set(&fake, i, i % 2 ? FAKE_GOOD : FAKE_LONG);
	config = watch_bus(fake.link, (2U << packs) - 2);
	watch_start(&watch, &config, 1);
	assert_true(watch_for(&watch, packs, 3, 60000)); /* first contact is over */
	for (unsigned i = 4; i <= 6; i++) {              /* the best: a machine may be busy */
		assert_true(watch_for(&watch, packs, i, 20000));
		if (best_ms == 0 || watch.status[0].cycle_ms < best_ms)
			best_ms = watch.status[0].cycle_ms;
	}
	printf("%d packs: cycle %d ms, bound %.1f ms, shortest gap %.2f ms\n", packs, (int)best_ms,
	       bound_ms, (double)fake_shortest_gap_us(&fake) / 1000);
	assert_true((double)best_ms <
		    bound_ms * 2); /* machines may be busy; ./dev bench measures */
	assert_true((double)best_ms > bound_ms * 0.98);
	watch_stop(&watch);
	fake_stop(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cycle_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
