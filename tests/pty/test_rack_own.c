// SPDX-License-Identifier: Apache-2.0
/* The real rack against packs that run the firmware: polls, SYNC, cycle time, "auto", addresses in
 * any order of power-up, equal switches, coming and going, a pack that stands still. */
#include <stdlib.h>

#include "fw_rack.h"
#include "rack_watch.h"

static const uint8_t in_order[FW_RACK_PACKS] = {1, 2,  3,  4,  5,  6,  7,  8,
						9, 10, 11, 12, 13, 14, 15, 16};

static struct fw_rack rack;
static struct watch watch;

static void power_all(void)
{
	for (int i = 0; i < rack.count; i++)
		fw_rack_power(&rack, i, true);
}

static void watch_line(const char *protocol, uint32_t addresses)
{
	struct rack_bus_config config = watch_bus(rack.link, addresses);

	config.baud = rack.baud;
	snprintf(config.protocol, sizeof config.protocol, "%s", protocol);
	snprintf(config.state, sizeof config.state, "%s/addresses", rack.directory);
	watch_start(&watch, &config, 1);
}

static void stop(void)
{
	char path[128];

	watch_stop(&watch);
	snprintf(path, sizeof path, "%s/addresses", rack.directory);
	unlink(path);
	fw_rack_stop(&rack);
}

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

/* --- addresses --- */

static bool all_answer(int count, int timeout_ms)
{
	const int64_t end_ms = clock_monotonic_ms() + timeout_ms;
	int good = 0;

	while (good < count && clock_monotonic_ms() < end_ms) {
		watch_once(&watch);
		good = 0;
		for (int i = 1; i <= ONEPACK_MAX_PACKS; i++)
			good += watch.samples[i] > 0;
	}
	return good == count;
}

/* No two have the same address, and each has one. */
static void check_distinct(void)
{
	uint32_t seen = 0;

	for (int i = 0; i < rack.count; i++) {
		const int address = fw_rack_address(&rack, i);

		assert_in_range(address, 1, 31);
		assert_false(seen >> address & 1);
		seen |= UINT32_C(1) << address;
	}
}

static void test_sixteen_without_switches(void **state)
{
	int64_t begin_ms;
	int before[FW_RACK_PACKS];

	(void)state;
	fw_rack_start(&rack, 16, 115200, NULL);
	begin_ms = clock_monotonic_ms();
	watch_line("pack/onepack", 0);
	for (int i = 0; i < 16; i++) { /* in no order */
		fw_rack_power(&rack, i * 7 % 16, true);
		watch_while(&watch, i % 4 == 0 ? 30 : 0);
	}
	assert_true(all_answer(16, 20000));
	printf("16 packs without addresses: all found after %d ms\n",
	       (int)(clock_monotonic_ms() - begin_ms));
	check_distinct();
	for (int i = 0; i < 16; i++)
		before[i] = fw_rack_address(&rack, i);
	/* all lose power and come back: everybody gets the same address again */
	watch_stop(&watch);
	for (int i = 0; i < 16; i++)
		fw_rack_power(&rack, i, false);
	for (int i = 0; i < 16; i++)
		fw_rack_power(&rack, 15 - i, true);
	watch_line("pack/onepack", 0);
	assert_true(all_answer(16, 20000));
	for (int i = 0; i < 16; i++)
		assert_int_equal(fw_rack_address(&rack, i), before[i]);
	stop();
}

static bool told(const char *kind, struct event *out)
{
	struct event events[RACK_MAX_EVENTS];
	const int count = rack_take_events(watch.rack, events);

	for (int i = 0; i < count; i++)
		if (strcmp(events[i].kind, kind) == 0) {
			*out = events[i];
			return true;
		}
	return false;
}

static void test_equal_switches(void **state)
{
	static const uint8_t dips[] = {1, 3, 3};
	struct event event = {0};
	int64_t end_ms;

	(void)state;
	fw_rack_start(&rack, 3, 115200, dips);
	power_all();
	watch_line("pack/onepack", 0);
	assert_true(all_answer(3, 10000));
	check_distinct();
	assert_int_equal(fw_rack_address(&rack, 0), 1);
	end_ms = clock_monotonic_ms() + 3000;
	while (!told("duplicate_address", &event) && clock_monotonic_ms() < end_ms)
		watch_once(&watch);
	assert_non_null(strstr(event.text, "OP-TEST-02"));
	assert_non_null(strstr(event.text, "OP-TEST-03"));
	assert_non_null(strstr(event.text, "switches at 3"));
	stop();
}

static void test_coming_and_going(void **state)
{
	(void)state;
	fw_rack_start(&rack, 3, 115200, NULL);
	fw_rack_power(&rack, 0, true);
	fw_rack_power(&rack, 1, true);
	watch_line("pack/onepack", 0);
	assert_true(all_answer(2, 6000));
	fw_rack_power(&rack, 2, true);
	assert_true(all_answer(3, 13000));
	check_distinct();
	/* one goes: the others are polled on; it comes back to its address */
	const int address = fw_rack_address(&rack, 1);

	fw_rack_power(&rack, 1, false);
	watch_while(&watch, 1500);
	memset(watch.samples, 0, sizeof watch.samples);
	watch_while(&watch, 500);
	assert_int_equal((watch.samples[1] > 0) + (watch.samples[2] > 0) + (watch.samples[3] > 0),
			 2);
	fw_rack_power(&rack, 1, true);
	assert_true(all_answer(3, 13000));
	assert_int_equal(fw_rack_address(&rack, 1), address);
	stop();
}

static void test_the_enable_line_gives_the_order(void **state)
{
	(void)state;
	fw_rack_start(&rack, 4, 115200, NULL);
	rack.enable = true;
	for (int i = 0; i < 4; i++)
		rack.packs[i].identity.features |= FW_HAS_ENABLE_LINE;
	power_all();
	watch_line("pack/onepack", 0);
	assert_true(all_answer(4, 10000));
	for (int i = 0; i < 4; i++) {
		assert_int_equal(fw_rack_address(&rack, i), i + 1);
		assert_int_equal(rack.packs[i].server.addressing.position, i + 1);
	}
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
		cmocka_unit_test(test_sixteen_without_switches),
		cmocka_unit_test(test_equal_switches),
		cmocka_unit_test(test_coming_and_going),
		cmocka_unit_test(test_the_enable_line_gives_the_order),
		cmocka_unit_test(test_a_pack_that_stands_still_is_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
