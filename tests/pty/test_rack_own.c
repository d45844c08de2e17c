// SPDX-License-Identifier: Apache-2.0
/* The real rack against packs that run the firmware: polls, SYNC, cycle time, "auto", a pack that
 * stands still. */
#include <stdlib.h>

#include "own_watch.h"

static const uint8_t in_order[FW_RACK_PACKS] = {1, 2,  3,  4,  5,  6,  7,  8,
						9, 10, 11, 12, 13, 14, 15, 16};

static void tell(int32_t mv)
{
	const struct rack_word word = {.charge_allowed = true,
				       .packs = 3,
				       .voltage_mv = mv,
				       .current_ma = -1300,
				       .time_ms = INT64_C(1779161600000)};

	rack_tell(watch.rack, &word, clock_monotonic_ms());
}

/* --- polls --- */

static void test_polls_and_sync(void **state)
{
	(void)state;
	fw_rack_start(&rack, 3, 115200, in_order);
	power_all();
	watch_line("pack/onepack", 0);
	tell(53250);
	for (int i = 1; i <= 3; i++)
		assert_true(watch_for(&watch, i, 3, 6000));
	assert_string_equal(watch.packs[2].serial, "OP-TEST-02");
	assert_string_equal(watch.packs[2].protocol, "pack/onepack");
	assert_int_equal(watch.packs[2].address, 2);
	assert_int_equal(watch.packs[2].cell_count, 16);
	assert_int_equal(watch.packs[2].settings.cell_overvoltage_mv, 3600);
	tell(53250);
	watch_while(&watch, 500);
	assert_true(rack.syncs > 5);
	/* flags, packs, 10 mV, 0.1 A */
	assert_memory_equal(rack.last_sync + 6, "\x00\x01\x00\x03\x14\xCD\xFF\xF3", 8);
	watch_while(&watch, RACK_WORD_MS + 200); /* the engine fell silent: nothing is claimed */
	assert_memory_equal(rack.last_sync + 2, "\0\0\0\0\0\0\0\0\xFF\xFF\x80\x00", 12);
	stop();
}

/* With PACKS=16 and BAUD=9600 in the environment it prints the figures of other lines. */
static void test_cycle_time(void **state)
{
	const char *wanted_packs = getenv("PACKS"), *wanted_baud = getenv("BAUD");
	const int packs = wanted_packs ? atoi(wanted_packs) : 8;
	const uint32_t baud = wanted_baud ? (uint32_t)atoi(wanted_baud) : 115200;
	const double byte_ms = 10000.0 / baud;
	const double silence_ms = baud > 19200 ? 1.75 : 39000.0 / baud;
	/* a poll: question, silence, answer of 72 words, silence; and SYNC with its silence */
	const double bound_ms =
		packs * ((8 + 149) * byte_ms + 2 * silence_ms) + 23 * byte_ms + silence_ms;
	int64_t best_ms = INT64_MAX, sum_ms = 0;
	int count = 0;

	(void)state;
	fw_rack_start(&rack, packs, baud, in_order);
	power_all();
	watch_line("pack/onepack", (2U << packs) - 2);
	for (int i = 1; i <= packs; i++)
		assert_true(watch_for(&watch, i, 3, 60000));
	watch_while(&watch, 2000); /* the search has calmed down */
	for (int i = 0; i < 10; i++) {
		uint64_t cycles = watch.status[0].cycles;

		while (watch.status[0].cycles == cycles)
			watch_once(&watch);
		if (watch.status[0].cycle_ms < best_ms)
			best_ms = watch.status[0].cycle_ms;
		sum_ms += watch.status[0].cycle_ms;
		count++;
	}
	printf("%d packs at %u: cycle %d ms at best, %d on average, bound %.1f ms\n", packs, baud,
	       (int)best_ms, (int)(sum_ms / count), bound_ms);
	assert_true((double)best_ms < (bound_ms > 100 ? bound_ms : 100) * 1.5);
	assert_true((double)best_ms > bound_ms * 0.98);
	stop();
}

/* --- auto --- */

static void test_auto_speaks_their_language(void **state)
{
	(void)state;
	fw_rack_start(&rack, 2, 115200, in_order);
	power_all();
	watch_line("auto", 0);
	assert_true(watch_for(&watch, 1, 2, 6000));
	assert_true(watch_for(&watch, 2, 2, 6000));
	assert_string_equal(watch.packs[1].protocol, "pack/onepack");
	watch_stop(&watch);
	/* a gateway that starts again meets packs that are muted */
	watch_line("auto", 0);
	assert_true(watch_for(&watch, 1, 2, 6000));
	assert_true(watch_for(&watch, 2, 2, 6000));
	assert_string_equal(watch.packs[2].protocol, "pack/onepack");
	stop();
}

static void test_a_pack_that_stands_still_is_not_used(void **state)
{
	struct event event = {0};
	int64_t end_ms;

	(void)state;
	fw_rack_start(&rack, 2, 115200, in_order);
	power_all();
	watch_line("pack/onepack", 6);
	assert_true(all_answer(2, 6000));
	rack.packs[1].frozen = true;
	end_ms = clock_monotonic_ms() + 6000;
	while (!told("pack_frozen", &event) && clock_monotonic_ms() < end_ms)
		watch_once(&watch);
	assert_int_equal(event.pack, 2);
	memset(watch.samples, 0, sizeof watch.samples);
	watch_while(&watch, 500);
	assert_true(watch.samples[1] > 1);
	assert_int_equal(watch.samples[2], 0);
	rack.packs[1].frozen = false;
	assert_true(watch_for(&watch, 2, 2, 3000));
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_polls_and_sync),
		cmocka_unit_test(test_cycle_time),
		cmocka_unit_test(test_auto_speaks_their_language),
		cmocka_unit_test(test_a_pack_that_stands_still_is_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
