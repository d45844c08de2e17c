// SPDX-License-Identifier: Apache-2.0
/* How long an update of a whole rack takes at 115200 while the packs are polled, one by one and by
 * broadcast, and what it does to the polling. Prints the figures; the bounds are generous. The
 * arguments are packs and bytes of code. */
#include <stdio.h>
#include <stdlib.h>

#include "../cmocka_all.h"
#include "update_rack.h"

static int packs = 8;
static uint32_t code_size = 20000;

/* All packs have the image, checked. */
static bool all_loaded(struct rack *rack)
{
	for (int i = 0; i < rack->count; i++)
		if (rack->job.packs[i].progress < UPDATE_LOADED)
			return false;
	return true;
}

static void time_one(bool broadcast)
{
	static struct rack rack;
	struct update_options options = rack_options();

	rack_init(&rack, packs, code_size);
	options.broadcast = broadcast;
	rack_begin(&rack, &options);

	const double loading_s = rack_run(&rack, all_loaded);
	const double cycle_s = loading_s * rack.count / (double)rack.polls_answered;
	const unsigned long long sent = rack.job.bytes_sent;
	const double rest_s = rack_run(&rack, NULL);

	assert_int_equal(rack.job.state, UPDATE_SUCCEEDED);
	printf("{\"update\": \"%s\", \"packs\": %d, \"image_bytes\": %zu, \"loading_s\": %.1f, "
	       "\"sent_bytes\": %llu, \"poll_cycle_s\": %.2f, \"activating_s\": %.1f}\n",
	       broadcast ? "broadcast" : "one by one", packs, rack.release.images[0].size,
	       loading_s, sent, cycle_s, rest_s);
	/* half of the bus, a chunk of 237 bytes and its answer take 27 ms */
	const double chunks = (double)rack.release.images[0].size / UPDATE_CHUNK;

	assert_true(loading_s < (broadcast ? 1 : packs) * chunks * 0.060 + packs * 4);
	assert_true(cycle_s < 1.0); /* twice the usual half second */
	assert_true(rest_s < packs * 66);
}

static void test_one_by_one(void **state)
{
	(void)state;
	time_one(false);
}

static void test_by_broadcast(void **state)
{
	(void)state;
	time_one(true);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_by_broadcast),
	};

	if (argc == 3) {
		packs = atoi(argv[1]);
		code_size = (uint32_t)atoi(argv[2]);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
