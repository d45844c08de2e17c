// SPDX-License-Identifier: Apache-2.0
/* B, K: states of a pack and the join gate. */
#include "fusion_rig.h"

static void a_pack_goes_from_absent_to_active(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.absent[0] = true;
	rig_run(&rig, 1);
	assert_int_equal(rig.out.pack_count, 0);
	assert_int_equal(rig.out.state, BATTERY_NO_DATA);
	rig.absent[0] = false;
	rig.packs[0].voltage_mv = 0;
	rig_run(&rig, 1);
	assert_int_equal(rig_state(&rig, 1), PACK_PROBING);
	assert_int_equal(rig_out(&rig, 1)->age_ms, FIELD_UNKNOWN);
	rig.packs[0] = rig_pack(1);
	rig_run(&rig, 1);
	assert_int_equal(rig_state(&rig, 1), PACK_CANDIDATE);
	assert_int_equal(rig_out(&rig, 1)->voltage_mv, 52800); /* a candidate shows its values */
	assert_int_equal(rig.out.voltage_mv, FIELD_UNKNOWN);
	rig_run(&rig, 1);
	assert_int_equal(rig_state(&rig, 1), PACK_ACTIVE);
	assert_int_equal(rig.out.packs_online, 1);
	assert_int_equal(rig.out.packs_total, 1);
}

/* step_ms: the poll cycle; held_at, lost_at: seconds without an answer. */
static void ages_stretch_with_the_cycle(void **state)
{
	static const struct {
		int step_ms, held_at_s, lost_at_s;
	} rows[] = {{1000, 4, 30}, {2000, 5, 30}, {5000, 11, 30}, {20000, 21, 30}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig rig;

		rig_init(&rig, 1);
		for (int k = 0; k < 8; k++)
			rig_step(&rig, rows[i].step_ms);
		assert_int_equal(rig_state(&rig, 1), PACK_ACTIVE);
		rig.absent[0] = true;
		rig_run(&rig, rows[i].held_at_s - 1);
		assert_int_equal(rig_state(&rig, 1), PACK_ACTIVE);
		rig_run(&rig, 1);
		assert_int_equal(rig_state(&rig, 1), PACK_HELD);
		assert_int_equal(rig.out.packs_online, 1);
		assert_int_equal(rig_out(&rig, 1)->age_ms, rows[i].held_at_s * 1000);
		rig_run(&rig, rows[i].lost_at_s - rows[i].held_at_s - 1);
		assert_int_equal(rig_state(&rig, 1), PACK_HELD);
		rig_run(&rig, 1);
		assert_int_equal(rig_state(&rig, 1), PACK_LOST);
		assert_int_equal(rig.out.packs_online, 0);
		assert_int_equal(rig.out.packs_total, 1);
	}
}

/* One quick retry must not make the next normal cycle look late. */
static void a_retry_does_not_shorten_the_cycle(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	for (int k = 0; k < 8; k++)
		rig_step(&rig, 5000);
	rig_step(&rig, 200);
	rig.absent[0] = true;
	rig_run(&rig, 9);
	assert_int_equal(rig_state(&rig, 1), PACK_ACTIVE);
}

static void a_held_pack_returns_at_once_and_a_lost_one_through_the_gate(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.absent[1] = true;
	rig_run(&rig, 20);
	rig.absent[1] = false;
	rig_run(&rig, 1);
	assert_int_equal(rig_state(&rig, 2), PACK_ACTIVE);
	rig.absent[1] = true;
	rig_run(&rig, 40);
	assert_int_equal(rig_out(&rig, 2)->voltage_mv, FIELD_UNKNOWN);
	rig.absent[1] = false;
	rig_run(&rig, 1);
	assert_int_equal(rig_state(&rig, 2), PACK_CANDIDATE);
	rig_run(&rig, 10);
	assert_int_equal(rig_state(&rig, 2), PACK_CANDIDATE);
	rig_run(&rig, 1); /* two good answers, then ten seconds */
	assert_int_equal(rig_state(&rig, 2), PACK_ACTIVE);
	assert_int_equal(rig.out.packs_total, 2);
}

/* apart_mv from the others; at once at first start, later only when close enough for 10 s. */
static void the_gate_is_symmetric(void **state)
{
	static const struct {
		int apart_mv;
		bool first, later;
	} rows[] = {{0, true, true},      {480, true, true},    {-480, true, true},
		    {560, false, false},  {-560, false, false}, {1440, false, false},
		    {1600, false, false}, {-1600, false, false}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig rig;

		rig_init(&rig, 3);
		rig_set_cells(&rig.packs[2], 3300 + rows[i].apart_mv / 16);
		rig_run(&rig, 2);
		assert_int_equal(rig_state(&rig, 1), PACK_ACTIVE);
		assert_int_equal(rig_state(&rig, 3) == PACK_ACTIVE, rows[i].first);

		rig_init(&rig, 3);
		rig_set_cells(&rig.packs[2], 3300 + rows[i].apart_mv / 16);
		rig.absent[2] = true;
		rig_run(&rig, 60);
		rig.absent[2] = false;
		rig_run(&rig, 11);
		assert_int_equal(rig_state(&rig, 3), PACK_CANDIDATE);
		rig_run(&rig, 1);
		assert_int_equal(rig_state(&rig, 3) == PACK_ACTIVE, rows[i].later);
		const bool refused = abs(rows[i].apart_mv) > 1500;

		assert_int_equal((rig_out(&rig, 3)->warnings & ALARM_BIT(ALARM_soc_drift)) != 0,
				 refused);
	}
}

/* 0.5 to 1.5 V: only while no current is permitted. */
static void a_pack_somewhat_apart_joins_at_rest(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 3);
	rig.config.charge_current_max_ma = rig.config.discharge_current_max_ma = 0;
	rig_configure(&rig);
	rig_set_cells(&rig.packs[2], 3400); /* 1.6 V is too much at any time */
	rig_run(&rig, 60);
	assert_int_equal(rig_state(&rig, 3), PACK_CANDIDATE);
	rig_configure(&rig);
	rig_set_cells(&rig.packs[2], 3360);
	rig_run(&rig, 11);
	assert_int_equal(rig_state(&rig, 3), PACK_CANDIDATE);
	rig_run(&rig, 1);
	assert_int_equal(rig_state(&rig, 3), PACK_ACTIVE);
}

/* Packs are asked one after another: the first must not make all others wait ten seconds. */
static void first_start_is_quick_with_sequential_polling(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 4);
	for (int step = 0; step < 12; step++) {
		for (int i = 0; i < 4; i++)
			rig.absent[i] = i != step % 4;
		rig_step(&rig, 250);
	}
	for (int i = 1; i <= 4; i++)
		assert_int_equal(rig_state(&rig, i), PACK_ACTIVE);
}

/* A pack that stays away between its good answers is no candidate to rely on. */
static void a_flaky_candidate_does_not_join(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.count = 3;
	rig.packs[2] = rig_pack(3);
	for (int i = 0; i < 6; i++) {
		rig.absent[2] = false;
		rig_run(&rig, 3);
		rig.absent[2] = true;
		rig_run(&rig, 6);
		assert_int_equal(rig_state(&rig, 3), PACK_CANDIDATE);
	}
	rig_run(&rig, 30);
	assert_int_equal(rig_state(&rig, 3), PACK_LOST);
}

/* Two packs that differ too much do not both join: the lower one starts, the other one waits until
 * it has caught up. */
static void of_two_different_packs_the_lower_one_starts(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig_set_cells(&rig.packs[0], 3350); /* 0.8 V */
	rig_run(&rig, 60);
	assert_int_equal(rig_state(&rig, 1), PACK_CANDIDATE);
	assert_int_equal(rig_state(&rig, 2), PACK_ACTIVE);
	rig_set_cells(&rig.packs[1], 3320);
	rig_run(&rig, 11);
	assert_int_equal(rig_state(&rig, 1), PACK_ACTIVE);
	assert_int_equal(rig.out.voltage_mv, 53360);
}

/* The shown voltage lies between two packs that drift apart later; neither is thrown out. */
static void two_packs_meet_in_the_middle(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig_set_cells(&rig.packs[1], 3350);
	rig_run(&rig, 2);
	assert_int_equal(rig.out.voltage_mv, 53200);
}

/* With all switches open the packs themselves are the reference. */
static void blocked_packs_join_too(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	for (int i = 0; i < 2; i++)
		rig.packs[i].charge_mos = rig.packs[i].discharge_mos = 0;
	rig_run(&rig, 5);
	assert_int_equal(rig_state(&rig, 2), PACK_ACTIVE);
	assert_int_equal(rig.out.packs_blocking_charge, 2);
	assert_int_equal(rig.out.packs_blocking_discharge, 2);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "blocked");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pack_goes_from_absent_to_active),
		cmocka_unit_test(ages_stretch_with_the_cycle),
		cmocka_unit_test(a_retry_does_not_shorten_the_cycle),
		cmocka_unit_test(a_held_pack_returns_at_once_and_a_lost_one_through_the_gate),
		cmocka_unit_test(the_gate_is_symmetric),
		cmocka_unit_test(a_pack_somewhat_apart_joins_at_rest),
		cmocka_unit_test(first_start_is_quick_with_sequential_polling),
		cmocka_unit_test(a_flaky_candidate_does_not_join),
		cmocka_unit_test(of_two_different_packs_the_lower_one_starts),
		cmocka_unit_test(two_packs_meet_in_the_middle),
		cmocka_unit_test(blocked_packs_join_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
