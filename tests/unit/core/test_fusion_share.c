// SPDX-License-Identifier: Apache-2.0
/* G: shares are learned from plateau to plateau, and from nothing else. */
#include "fusion_rig.h"

/* Currents as resistances share them, in parts of a thousand. */
static void flow(struct rig *rig, int32_t total_ma, const int32_t *parts)
{
	rig->load_ma = total_ma;
	for (int i = 0; i < rig->count; i++)
		rig->packs[i].current_ma = (int32_t)((int64_t)total_ma * parts[i] / 1000);
}

static void step_load(struct rig *rig, int32_t total_ma, const int32_t *parts)
{
	flow(rig, total_ma, parts);
	rig_run(rig, 6);
}

static int32_t share(const struct rig *rig, int number)
{
	return rig_out(rig, number)->share_mpct;
}

static int32_t confidence(const struct rig *rig, int number)
{
	return rig_out(rig, number)->share_confidence_mpct;
}

static const int32_t unequal[] = {720, 280};
static const int32_t equal[] = {500, 500};

static void two_packs(struct rig *rig)
{
	rig_settle(rig, 2);
	assert_int_equal(share(rig, 1), 50000);
	assert_int_equal(confidence(rig, 1), 0);
}

/* 72 : 28 although the capacities say 50 : 50. */
static void a_few_steps_teach_the_shares(void **state)
{
	struct rig rig;

	(void)state;
	two_packs(&rig);
	for (int i = 0; i < 10; i++)
		step_load(&rig, i % 2 ? 0 : 100000, unequal);
	assert_in_range(share(&rig, 1), 71000, 72000);
	assert_int_equal(share(&rig, 1) + share(&rig, 2), 100000 - 1);
	assert_in_range(confidence(&rig, 1), 95000, 99000);
	assert_in_range(rig.fusion.target_ma[CHARGE], 131900, 133800); /* 95 A / 0.72 */
	step_load(&rig, -120000, unequal); /* and it is the same for both directions */
	assert_in_range(rig.fusion.target_ma[DISCHARGE], 158000, 161000);
}

/* The capacity counts like one step of C/10: after one such step half of the way is gone. */
static void influence_grows_with_confidence(void **state)
{
	struct rig rig;

	(void)state;
	two_packs(&rig);
	step_load(&rig, 0, unequal);
	step_load(&rig, 56000, unequal);
	assert_int_equal(share(&rig, 1), 61000);
	assert_int_equal(confidence(&rig, 1), 50000);
	step_load(&rig, 112000, unequal); /* 11 % off: no surprise */
	assert_in_range(share(&rig, 1), 64500, 64800);
	assert_in_range(confidence(&rig, 1), 66000, 67000);
}

static void small_steps_teach_nothing(void **state)
{
	struct rig rig;

	(void)state;
	two_packs(&rig);
	for (int i = 0; i < 20; i++)
		step_load(&rig, i % 2 ? 0 : 22000, unequal); /* just under 4 % of 560 Ah */
	assert_int_equal(share(&rig, 1), 50000);
	step_load(&rig, 0, unequal);
	step_load(&rig, 22600, unequal);
	assert_true(share(&rig, 1) > 50000);
}

/* Three answers on both sides. */
static void both_plateaus_have_to_be_complete(void **state)
{
	struct rig rig;

	(void)state;
	two_packs(&rig);
	for (int i = 0; i < 20; i++) { /* never three answers after the one that moved */
		flow(&rig, i % 2 ? 0 : 100000, unequal);
		rig_run(&rig, 3);
	}
	assert_int_equal(share(&rig, 1), 50000);
	flow(&rig, 0, unequal);
	rig_run(&rig, 1 + 4); /* the edge counts on neither side */
	flow(&rig, 100000, unequal);
	rig_run(&rig, 1 + 2);
	assert_int_equal(share(&rig, 1), 50000);
	rig_run(&rig, 1);
	assert_true(share(&rig, 1) > 50000);
}

static void plateaus_far_apart_are_not_compared(void **state)
{
	struct rig rig;

	(void)state;
	two_packs(&rig);
	step_load(&rig, 0, unequal);
	struct rig in_time = rig;

	for (int i = 0; i < 118; i++) { /* restless in between */
		flow(&rig, i % 2 ? 10000 : 40000, unequal);
		rig_run(&rig, 1);
		if (i < 114)
			in_time = rig;
	}
	step_load(&in_time, 100000, unequal);
	assert_true(share(&in_time, 1) > 50000);
	step_load(&rig, 100000, unequal);
	assert_int_equal(share(&rig, 1), 50000);
}

/* Packs are asked one after another, and the load moves in between. */
static void sequential_polls_do_not_bias(void **state)
{
	static const int32_t parts[] = {350, 300, 200, 150};
	struct rig rig;
	uint32_t seed = 7;

	(void)state;
	rig_settle(&rig, 4);
	for (int poll = 0; poll < 4000; poll++) {
		seed = seed * 1664525U + 1013904223U;
		if ((seed >> 8) % 40 == 0)
			flow(&rig, (int32_t)((seed >> 16) % 300) * 1000 - 150000, parts);
		for (int i = 0; i < 4; i++)
			rig.absent[i] = i != poll % 4;
		rig_step(&rig, 250);
	}
	for (int i = 0; i < 4; i++)
		assert_in_range(share(&rig, i + 1), parts[i] * 99, parts[i] * 101);
}

/* All answers of a cycle come at once, some from before the step and some from after it. */
static void a_step_within_a_cycle_does_not_bias(void **state)
{
	struct rig rig;

	(void)state;
	two_packs(&rig);
	for (int i = 0; i < 20; i++) {
		const int32_t total_ma = i % 2 ? 0 : 100000;

		rig.packs[1].current_ma = total_ma * 28 / 100;
		rig_run(&rig, 1);
		rig.packs[0].current_ma = total_ma * 72 / 100;
		rig_run(&rig, 6);
	}
	assert_in_range(share(&rig, 1), 71000, 72000);
}

/* A sensor that shows a third of its pack's current: what it can do is bounded to a half. */
static void a_lying_sensor_is_bounded(void **state)
{
	static const int32_t lie[] = {333, 500};
	struct rig rig;

	(void)state;
	two_packs(&rig);
	rig.packs[0].charge_current_limit_ma = 20000;
	for (int i = 0; i < 40; i++)
		step_load(&rig, i % 2 ? 0 : 20000, lie);
	for (int i = 0; i < 40; i++)
		step_load(&rig, i % 2 ? 0 : 100000, lie);
	assert_true(share(&rig, 1) >= 33300);
	assert_true(rig.fusion.target_ma[CHARGE] <= 2 * 38000);
	for (int i = 0; i < 2; i++)
		assert_in_range(rig.fusion.slots[i].share.factor_ppm, 500000, 2000000);
}

static void the_bounds_are_half_and_twice(void **state)
{
	static const int32_t parts[] = {70, 310, 310, 310}, other[] = {700, 100, 100, 100};
	struct rig rig;

	(void)state;
	rig_settle(&rig, 4);
	for (int i = 0; i < 200; i++)
		step_load(&rig, i % 2 ? 0 : 200000, parts);
	assert_int_equal(rig.fusion.slots[0].share.factor_ppm, 500000);
	rig_settle(&rig, 4);
	for (int i = 0; i < 200; i++)
		step_load(&rig, i % 2 ? 0 : 200000, other);
	assert_int_equal(rig.fusion.slots[0].share.factor_ppm, 2000000);
}

/* One sensor stands still, or one BMS limits the current by itself: nobody's part is right. */
static void a_pack_that_takes_no_part_teaches_nothing(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 3);
	for (int i = 0; i < 20; i++) {
		rig.packs[0].current_ma = rig.packs[1].current_ma = i % 2 ? 0 : 60000;
		rig.packs[2].current_ma = 10000;
		rig_run(&rig, 6);
	}
	assert_int_equal(share(&rig, 3), 33333);
	assert_int_equal(confidence(&rig, 1), 0);
	for (int i = 0; i < 20; i++) { /* nor one that takes five times what it could */
		rig.packs[0].current_ma = rig.packs[1].current_ma = i % 2 ? 0 : -20000;
		rig.packs[2].current_ma = i % 2 ? 0 : 100000;
		rig_run(&rig, 6);
	}
	assert_int_equal(confidence(&rig, 1), 0);
}

static void switches_and_presence_freeze_it(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 3);
	for (int i = 0; i < 20; i++) { /* the third switches between every two plateaus */
		static const int32_t with[] = {400, 300, 300}, without[] = {600, 400, 0};

		rig.packs[2].charge_mos = i % 2;
		step_load(&rig, i % 2 ? 0 : 100000, i % 2 ? with : without);
	}
	assert_int_equal(confidence(&rig, 1), 0);
	for (int i = 0; i < 20; i++) { /* a pack that is late is no part of it */
		rig.absent[2] = i % 2;
		flow(&rig, i % 2 ? 100000 : 0, (const int32_t[]){600, 400, 0});
		rig_run(&rig, 12);
	}
	assert_int_equal(confidence(&rig, 1), 0);
}

/* What two packs show of each other leaves the third where it was, and so does its going. */
static void a_changed_set_is_rescaled(void **state)
{
	static const int32_t parts[] = {400, 200, 400}, two[] = {667, 333, 0};
	struct rig rig;

	(void)state;
	rig_settle(&rig, 3);
	for (int i = 0; i < 40; i++)
		step_load(&rig, i % 2 ? 0 : 150000, parts);
	assert_in_range(share(&rig, 1), 39600, 40100);
	const int32_t third = share(&rig, 3);

	rig.packs[2].charge_mos = rig.packs[2].discharge_mos = 0;
	for (int i = 0; i < 40; i++)
		step_load(&rig, i % 2 ? 0 : 100000, two);
	assert_in_range(share(&rig, 3), third - 50, third + 50);
	rig.packs[2].charge_mos = rig.packs[2].discharge_mos = 1;
	rig.absent[2] = true;
	rig_run(&rig, 40);
	assert_in_range(share(&rig, 1), 66200, 67000);
	assert_int_equal(rig_out(&rig, 3)->share_mpct, FIELD_UNKNOWN);
	assert_int_equal(rig_out(&rig, 3)->share_confidence_mpct, FIELD_UNKNOWN);
}

/* A cable that comes loose: what was believed for hours gives way within some steps. */
static void a_change_is_learned_too(void **state)
{
	struct rig rig;

	(void)state;
	two_packs(&rig);
	for (int i = 0; i < 400; i++)
		step_load(&rig, i % 2 ? 0 : 100000, equal);
	assert_int_equal(share(&rig, 1), 50000);
	const int32_t before = confidence(&rig, 1);

	step_load(&rig, 0, (const int32_t[]){700, 300});
	step_load(&rig, 100000, (const int32_t[]){700, 300});
	assert_in_range(confidence(&rig, 1), 90000, before - 1000);
	for (int i = 0; i < 12; i++)
		step_load(&rig, i % 2 ? 0 : 100000, (const int32_t[]){700, 300});
	assert_in_range(share(&rig, 1), 65000, 70000);
}

static void an_exchanged_pack_starts_with_its_capacity(void **state)
{
	struct rig rig;

	(void)state;
	two_packs(&rig);
	for (int i = 0; i < 10; i++)
		step_load(&rig, i % 2 ? 0 : 100000, unequal);
	snprintf(rig.packs[1].serial, sizeof rig.packs[1].serial, "NEW");
	rig_run(&rig, 30);
	assert_int_equal(confidence(&rig, 2), 0);
	assert_true(confidence(&rig, 1) > 90000);
}

/* Learning changes what is a share and what a drift, not what the currents are: no jump while the
 * old drift is forgotten. */
static void what_is_learned_is_no_drift_any_more(void **state)
{
	struct rig rig;

	(void)state;
	two_packs(&rig);
	for (int i = 0; i < 10; i++) {
		step_load(&rig, 0, unequal);
		flow(&rig, 100000, unequal);
		rig_run(&rig, 3); /* the drift is known, the step is not yet */
		assert_in_range(rig.fusion.target_ma[CHARGE], 131900, 146000);
		rig_run(&rig, 1);
		const int32_t learned_ma = rig.fusion.target_ma[CHARGE];

		assert_in_range(learned_ma, 131900, 142000); /* at 100 A; 132 A is the truth */
		rig_run(&rig, 5);
		assert_in_range(rig.fusion.target_ma[CHARGE], learned_ma - 10, learned_ma + 10);
	}
}

/* Too much current is answered by the guard, and teaches nothing. */
static void the_guard_is_not_fed_back(void **state)
{
	struct rig rig;

	(void)state;
	two_packs(&rig);
	step_load(&rig, 0, equal);
	rig.packs[0].current_ma =
		130000; /* one pack alone: no step of the battery that others see */
	rig.packs[1].current_ma = -110000;
	rig_run(&rig, 60);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "circulating");
	assert_int_equal(share(&rig, 1), 50000);
	assert_int_equal(confidence(&rig, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_few_steps_teach_the_shares),
		cmocka_unit_test(influence_grows_with_confidence),
		cmocka_unit_test(small_steps_teach_nothing),
		cmocka_unit_test(both_plateaus_have_to_be_complete),
		cmocka_unit_test(plateaus_far_apart_are_not_compared),
		cmocka_unit_test(sequential_polls_do_not_bias),
		cmocka_unit_test(a_step_within_a_cycle_does_not_bias),
		cmocka_unit_test(a_lying_sensor_is_bounded),
		cmocka_unit_test(the_bounds_are_half_and_twice),
		cmocka_unit_test(a_pack_that_takes_no_part_teaches_nothing),
		cmocka_unit_test(switches_and_presence_freeze_it),
		cmocka_unit_test(a_changed_set_is_rescaled),
		cmocka_unit_test(a_change_is_learned_too),
		cmocka_unit_test(an_exchanged_pack_starts_with_its_capacity),
		cmocka_unit_test(what_is_learned_is_no_drift_any_more),
		cmocka_unit_test(the_guard_is_not_fed_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
