// SPDX-License-Identifier: Apache-2.0
/* H: how a current limit moves. */
#include "fusion_rig.h"

static int32_t shown(const struct rig *rig)
{
	return rig->out.charge_current_limit_ma;
}

static void a_first_start_rises_at_once(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig_run(&rig, 1);
	assert_int_equal(shown(&rig), 0);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "joining");
	rig_run(&rig, 1); /* two good cycles: 2 % of 190 A each second */
	assert_int_equal(shown(&rig), 3800);
	assert_string_equal(rig_reason(&rig, LIMIT_CHARGE_CURRENT)->text,
			    "Charging is raised slowly: 3.8 A now, up to 190.0 A.");
	rig_step(&rig, 100);
	assert_int_equal(shown(&rig), 4180);
	rig_run(&rig, 48);
	assert_true(shown(&rig) < 190000);
	rig_run(&rig, 1);
	assert_int_equal(shown(&rig), 190000);
}

static void down_at_once_then_a_pause_then_slowly_up(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.packs[0].charge_current_limit_ma = 50000;
	rig_run(&rig, 1);
	assert_int_equal(shown(&rig), 95000);
	rig_run(&rig, 60); /* the pause starts when more is permitted again, not now */
	rig.packs[0].charge_current_limit_ma = 100000;
	rig_run(&rig, 30);
	assert_int_equal(shown(&rig), 95000);
	assert_string_equal(rig_reason(&rig, LIMIT_CHARGE_CURRENT)->text,
			    "Charging stays at 95.0 A; after a dip it waits 30 s before it rises.");
	rig_run(&rig, 1);
	assert_int_equal(shown(&rig), 98800);
}

static void a_dip_restarts_the_pause(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.packs[0].charge_current_limit_ma = 50000;
	rig_run(&rig, 1);
	rig.packs[0].charge_current_limit_ma = 100000;
	rig_run(&rig, 29);
	rig.packs[0].charge_current_limit_ma = 50000; /* no fall of what is shown, yet a dip */
	rig_run(&rig, 1);
	rig.packs[0].charge_current_limit_ma = 100000;
	rig_run(&rig, 30);
	assert_int_equal(shown(&rig), 95000);
	rig_run(&rig, 1);
	assert_true(shown(&rig) > 95000);
}

static void more_packs_raise_without_a_pause(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.count = 3;
	rig.packs[2] = rig_pack(3);
	rig_run(&rig, 11);
	assert_int_equal(shown(&rig), 190000);
	rig_run(&rig, 1);
	assert_int_equal(shown(&rig), 195700); /* 2 % of 285 A */
}

/* Leaving zero takes 5 A, or C/50 of a small battery. */
static void zero_is_left_only_for_something_worth_it(void **state)
{
	static const struct {
		int32_t capacity_mah, limit_ma;
		bool leaves;
	} rows[] = {{280000, 5200, false},
		    {280000, 5300, true},
		    {100000, 2000, false},
		    {100000, 2200, true}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig rig;

		rig_init(&rig, 1);
		rig.packs[0].capacity_mah = rows[i].capacity_mah;
		rig.packs[0].charge_current_limit_ma = rows[i].limit_ma;
		rig_run(&rig, 60);
		assert_int_equal(shown(&rig) > 0, rows[i].leaves);
		if (!rows[i].leaves)
			assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "too_small");
	}
}

/* Small currents are not cut on the way down: only the start from zero is worth a threshold. */
static void a_falling_limit_may_be_small(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 1);
	rig.packs[0].charge_current_limit_ma = 1000;
	rig_run(&rig, 1);
	assert_int_equal(shown(&rig), 950);
	rig.packs[0].charge_current_limit_ma = 0;
	rig_run(&rig, 1);
	assert_int_equal(shown(&rig), 0);
	assert_int_equal(rig.out.charge_allowed, 0);
	assert_string_equal(rig_reason(&rig, LIMIT_CHARGE_CURRENT)->text,
			    "Charging is stopped because the BMS of pack 1 permits no current.");
}

/* A clock that stands still or a long pause earns no rise beyond ten seconds' worth. */
static void time_without_steps_earns_little(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig_run(&rig, 2);
	rig_step(&rig, 0);
	assert_int_equal(shown(&rig), 3800);
	rig.now_ms -= 5000; /* time never runs backwards */
	rig_step(&rig, 0);
	assert_int_equal(shown(&rig), 3800);
	rig.now_ms += 5000;
	for (int i = 0; i < 6; i++)
		rig_step(&rig, 25000);
	assert_true(shown(&rig) <= 3800 + 6 * 38000);
}

static void the_pause_is_configurable(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig.config.rise_hold_ms = 0;
	rig.config.rise_pct_per_s = 50;
	rig_configure(&rig);
	rig_run(&rig, 5);
	assert_int_equal(shown(&rig), 190000);
	rig.packs[0].charge_current_limit_ma = 50000;
	rig_run(&rig, 1);
	rig.packs[0].charge_current_limit_ma = 100000;
	rig_run(&rig, 1);
	assert_int_equal(shown(&rig), 190000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_start_rises_at_once),
		cmocka_unit_test(down_at_once_then_a_pause_then_slowly_up),
		cmocka_unit_test(a_dip_restarts_the_pause),
		cmocka_unit_test(more_packs_raise_without_a_pause),
		cmocka_unit_test(zero_is_left_only_for_something_worth_it),
		cmocka_unit_test(a_falling_limit_may_be_small),
		cmocka_unit_test(time_without_steps_earns_little),
		cmocka_unit_test(the_pause_is_configurable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
