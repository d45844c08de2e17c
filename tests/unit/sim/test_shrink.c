// SPDX-License-Identifier: Apache-2.0
/* Shrinking keeps what it takes to fail and nothing else; and what the swarm draws: the same from
 * the same seed, within what a scenario file may say, with few kinds in one run and all of them in
 * many. */
#include "sim/shrink.h"

#include <string.h>

#include "../cmocka_all.h"
#include "onepack/err.h"
#include "sim/swarm.h"

#define DAY_MS INT64_C(86400000)

/* Fails a minute after a trip of the pack with 77 Ah if some cable is bad, too. */
static int64_t fails(void *context, const struct scenario *s)
{
	int64_t when_ms = -1;
	bool cable = false;

	*(int *)context += 1;
	for (int i = 0; i < s->fault_count; i++)
		cable |= s->faults[i].kind == FAULT_cable;
	for (int i = 0; i < s->fault_count; i++)
		if (cable && s->faults[i].kind == FAULT_trip &&
		    s->packs[s->faults[i].pack - 1].capacity_mah == 77000)
			when_ms = s->faults[i].start_ms + 60000;
	return when_ms <= s->duration_ms ? when_ms : -1;
}

static void only_what_it_takes_is_left(void **state)
{
	static struct scenario s;
	int calls = 0, tries;

	(void)state;
	swarm_draw(3, DAY_MS, FAULT_ALL_KINDS, &s);
	s.pack_count = 9;
	s.packs[5].capacity_mah = 77000;
	s.battery.rise_hold_ms = 50000;
	s.fault_count = 40;
	for (int i = 0; i < 40; i++)
		s.faults[i] = (struct fault){.kind = i == 7    ? FAULT_cable
						     : i == 30 ? FAULT_trip
							       : FAULT_silent,
					     .pack = i == 30 ? 6 : 1 + i % 9,
					     .start_ms = INT64_C(1000) * i,
					     .end_ms = 50000000,
					     .milli = 5000};
	tries = shrink_scenario(&s, 1000, fails, NULL, &calls);
	assert_int_equal(tries, calls);
	assert_int_equal(s.fault_count, 2);
	assert_true(s.pack_count <= 2);
	assert_int_equal(s.duration_ms, 30000 + 60000 + 1000);
	assert_int_equal(s.battery.rise_hold_ms, 30000);
	assert_true(fails(&calls, &s) >= 0);
}

static void sound_scenarios_stay(void **state)
{
	static struct scenario s, before;
	int calls = 0;

	(void)state;
	swarm_draw(4, DAY_MS, UINT64_C(1) << FAULT_silent, &s);
	before = s;
	assert_int_equal(shrink_scenario(&s, 1000, fails, NULL, &calls), ERR_UNKNOWN);
	assert_int_equal(calls, 1);
	assert_memory_equal(&s, &before, sizeof s);
}

static void it_gives_up_in_time(void **state)
{
	static struct scenario s;
	int calls = 0;

	(void)state;
	swarm_draw(3, DAY_MS, UINT64_C(1) << FAULT_cable, &s);
	s.packs[0].capacity_mah = 77000;
	s.faults[0] = (struct fault){.kind = FAULT_cable, .milli = 5000, .end_ms = 1};
	s.faults[1] = (struct fault){.kind = FAULT_trip, .pack = 1, .end_ms = 1};
	s.fault_count = 2;
	assert_int_equal(shrink_scenario(&s, 3, fails, NULL, &calls), 3);
	assert_int_equal(calls, 3);
}

static void a_seed_is_a_scenario(void **state)
{
	static struct scenario a, b;

	(void)state;
	swarm_draw(42, DAY_MS, FAULT_ALL_KINDS, &a);
	swarm_draw(42, DAY_MS, FAULT_ALL_KINDS, &b);
	assert_memory_equal(&a, &b, sizeof a);
	swarm_draw(42, DAY_MS, 0, &b);
	assert_int_equal(b.fault_count, 0);
	assert_memory_equal(a.packs, b.packs, sizeof a.packs); /* a mask changes the faults only */
	swarm_draw(43, DAY_MS, FAULT_ALL_KINDS, &b);
	assert_memory_not_equal(a.packs, b.packs, sizeof a.packs);
}

static void swarms_differ_in_their_kinds(void **state)
{
	static struct scenario s;
	int64_t of_kind[FAULT_KINDS] = {0};
	int calm = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 500; seed++) {
		uint64_t kinds = 0;

		swarm_draw(seed, DAY_MS, FAULT_ALL_KINDS, &s);
		for (int i = 0; i < s.fault_count; i++) {
			const struct fault *fault = &s.faults[i];
			const struct fault_info *info = fault_info(fault->kind);

			of_kind[fault->kind]++;
			kinds |= UINT64_C(1) << fault->kind;
			assert_true(fault->end_ms > fault->start_ms);
			assert_in_range(fault->pack, 0, s.pack_count);
			assert_true(fault->milli >= info->low * 1000 - 1e-9 &&
				    fault->milli <= info->high * 1000 + 1e-9);
		}
		calm += kinds == 0;
		assert_true(__builtin_popcountll(kinds) <= s.fault_count);
	}
	assert_in_range(calm, 10, 60);
	for (int i = 0; i < FAULT_KINDS; i++)
		if (of_kind[i] < 50)
			fail_msg("%s is hardly ever drawn", fault_info((enum fault_kind)i)->name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_it_takes_is_left),
		cmocka_unit_test(sound_scenarios_stay),
		cmocka_unit_test(it_gives_up_in_time),
		cmocka_unit_test(a_seed_is_a_scenario),
		cmocka_unit_test(swarms_differ_in_their_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
