// SPDX-License-Identifier: Apache-2.0
/* F, I, J: pack limits become one limit. The incidents of docs/fusion.md are cases here. */
#include "fusion_rig.h"

static int32_t charge(const struct rig *rig)
{
	return rig->fusion.target_ma[CHARGE];
}

static int32_t discharge(const struct rig *rig)
{
	return rig->fusion.target_ma[DISCHARGE];
}

static void equal_packs_add_up(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 4);
	assert_int_equal(charge(&rig), 380000);
	assert_int_equal(discharge(&rig), 456000);
	assert_string_equal(rig_reason(&rig, LIMIT_CHARGE_CURRENT)->text,
			    "All packs may take their full current.");
}

/* Share by capacity: 280 and 140 Ah with 100 A each. The large pack is the tight one. */
static void unequal_packs_are_limited_by_their_shares(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig.packs[1].capacity_mah = 140000;
	rig.packs[1].charge_current_limit_ma = 70000;
	rig.packs[0].charge_current_limit_ma = 70000;
	rig_run(&rig, 120);
	assert_int_equal(charge(&rig), 99750); /* 66.5 A / (2/3), not the 133 A of the sum */
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "share");
	assert_string_equal(rig_reason(&rig, LIMIT_CHARGE_CURRENT)->text,
			    "Charging is limited to 99.7 A because pack 1 takes 66.6 % of it and "
			    "is then at its own limit.");
}

/* The other two rules, for owners who want them. */
static void sum_and_min_are_choices(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig.packs[1].charge_current_limit_ma = 20000;
	rig.config.limit_rule = LIMIT_RULE_SUM;
	rig_configure(&rig);
	rig_run(&rig, 5);
	assert_int_equal(charge(&rig), 114000);
	rig.config.limit_rule = LIMIT_RULE_MIN;
	rig_configure(&rig);
	rig_run(&rig, 120);
	assert_int_equal(charge(&rig), 38000);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "min");
}

/* Incident 4: one blocked pack must not stop the others. */
static void a_blocked_pack_does_not_limit_the_others(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 3);
	rig.packs[1].charge_mos = 0;
	rig.packs[1].charge_current_limit_ma = 0;
	rig_run(&rig, 5);
	assert_int_equal(charge(&rig), 190000);
	assert_int_equal(discharge(&rig), 342000);
	assert_int_equal(rig.out.packs_blocking_charge, 1);
	assert_int_equal(rig.out.packs_blocking_discharge, 0);
}

/* Incident 5: some owners want just that. */
static void rest_for_balancing_stops_all_charging(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 3);
	rig.config.rest_for_balancing = 1;
	rig_configure(&rig);
	rig_run(&rig, 120);
	rig.packs[1].charge_mos = 0;
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 0);
	assert_int_equal(discharge(&rig), 342000);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "rest_for_balancing");
	rig.absent[1] = true; /* falling silent does not end the rest */
	rig_run(&rig, 60);
	assert_int_equal(charge(&rig), 0);
	rig.absent[1] = false;
	rig.packs[1].charge_mos = 1;
	rig_run(&rig, 60);
	assert_int_equal(charge(&rig), 285000);
	rig.config.limit_rule = LIMIT_RULE_SUM;
	rig_configure(&rig);
	rig.packs[1].charge_current_limit_ma = 0; /* another way of saying it */
	rig_run(&rig, 60);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "rest_for_balancing");
}

/* Incident 1: -5 A in total, while one pack charges with 61.7 A of 48 A. */
static void circulating_current_is_seen_behind_a_small_total(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.packs[0].charge_current_limit_ma = 48000;
	rig_run(&rig, 5);
	assert_int_equal(charge(&rig), 91200);
	rig.packs[0].current_ma = 61700;
	rig.packs[1].current_ma = -66300;
	rig_run(&rig, 1); /* the guard needs no history */
	assert_int_equal(rig.out.current_ma, -4600);
	assert_int_equal(rig.out.charge_current_limit_ma, 0);
	assert_string_equal(rig_reason(&rig, LIMIT_CHARGE_CURRENT)->text,
			    "Charging is stopped because packs 1 and 2 charge each other: pack 1 "
			    "has 61.7 A.");
	assert_true(rig.out.warnings & ALARM_BIT(ALARM_circulating_current));
	assert_true(rig_out(&rig, 1)->warnings & ALARM_BIT(ALARM_circulating_current));
	assert_true(rig_out(&rig, 2)->warnings & ALARM_BIT(ALARM_circulating_current));
	rig_run(&rig,
		2); /* from the third answer on the drift is known: the giver is near its end */
	assert_int_equal(charge(&rig), 0);
	assert_int_equal(discharge(&rig), 2 * (114000 - 64000));
	rig.packs[0].current_ma = rig.packs[1].current_ma = -2300;
	rig_run(&rig, 5);
	assert_int_equal(charge(&rig), 91200);
	assert_false(rig.out.warnings);
}

/* Four packs of 25 mOhm, one of them nearly full: 0.85 V higher, and only 5 A left of its limit. A
 * ratio allows 20 A, the sum 155 A; every pack is inside its limit up to 122 A. */
static void near_full_pack(struct rig *rig, int32_t total_ma)
{
	for (int i = 0; i < 4; i++)
		rig->packs[i].current_ma = total_ma / 4 + (i < 3 ? 8500 : -25500);
}

static void a_nearly_full_pack_does_not_hold_up_the_others(void **state)
{
	static const int32_t totals_ma[] = {0, 60000, 120000};

	(void)state;
	for (size_t i = 0; i < sizeof totals_ma / sizeof totals_ma[0]; i++) {
		struct rig rig;

		rig_init(&rig, 4);
		rig.config.limit_headroom_mpct = 100000;
		rig_configure(&rig);
		for (int k = 0; k < 4; k++)
			rig.packs[k].charge_current_limit_ma = k < 3 ? 50000 : 5000;
		near_full_pack(&rig, totals_ma[i]);
		rig_run(&rig, 4);
		assert_int_equal(charge(&rig), 122000);
		rig_run(&rig, 100);
		assert_int_equal(rig.out.charge_current_limit_ma, 122000);
		rig.absent[0] = true; /* credit needs certainty: one late pack ends it */
		rig_run(&rig, 4);
		assert_true(charge(&rig) <= 20000);
	}
}

static void near_full_rack(struct rig *rig, int32_t total_ma)
{
	rig_init(rig, 5); /* the fifth pack is blocked */
	rig->config.limit_headroom_mpct = 100000;
	rig_configure(rig);
	for (int k = 0; k < 4; k++)
		rig->packs[k].charge_current_limit_ma = k < 3 ? 50000 : 5000;
	near_full_pack(rig, total_ma);
	rig->packs[4].charge_mos = rig->packs[4].discharge_mos = 0;
	rig_run(rig, 10);
	assert_int_equal(charge(rig), 122000);
}

/* A blocked pack that falls silent may have closed its switch: the credit is no longer certain. */
static void a_credit_ends_when_anybody_falls_silent(void **state)
{
	struct rig rig;

	(void)state;
	near_full_rack(&rig, 60000);
	rig.absent[4] = true;
	rig_run(&rig, 11);
	assert_int_equal(charge(&rig), 20000);
}

static void a_credit_starts_anew_with_every_change_of_the_set(void **state)
{
	struct rig rig;

	(void)state;
	near_full_rack(&rig, 60000);
	rig.packs[0].charge_mos = 0;
	rig.packs[0].current_ma = 0;
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 15000);
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 15000);
	rig_run(&rig, 1);
	assert_true(charge(&rig) > 40000);
}

/* A pack that misses its turn keeps an old current while the others follow the load. */
static void a_missed_turn_is_no_drift(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.absent[1] = true;
	rig_set_current(&rig, 160000);
	rig_run(&rig, 3);
	assert_int_equal(charge(&rig), 190000);
	assert_int_equal(discharge(&rig), 228000);
}

/* Seen while current flows the other way, half of the difference may be a wrong share. */
static void a_credit_from_the_other_direction_is_reduced(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 4);
	rig.config.limit_headroom_mpct = 100000;
	rig_configure(&rig);
	for (int k = 0; k < 4; k++)
		rig.packs[k].charge_current_limit_ma = k < 3 ? 50000 : 5000;
	near_full_pack(&rig, -40000);
	rig_run(&rig, 5);
	assert_int_equal(charge(&rig), (5000 + 25500 - 10000) * 4);
}

/* Two 100 A packs that share 72 : 28 while capacity says 50 : 50. As the current rises, the limit
 * closes in on what the tight pack can really take, and never lets it exceed its limit. */
static void an_unknown_share_is_met_by_the_measured_current(void **state)
{
	struct rig rig;
	int32_t total_ma = 0;

	(void)state;
	rig_init(&rig, 2);
	for (int step = 0; step < 200; step++) {
		total_ma = rig.out.charge_current_limit_ma; /* the inverter takes all it may */
		rig.packs[0].current_ma = (int32_t)((int64_t)total_ma * 72 / 100);
		rig.packs[1].current_ma = total_ma - rig.packs[0].current_ma;
		rig_run(&rig, 1);
		assert_true(rig.packs[0].current_ma <= 100000);
	}
	assert_in_range(total_ma, 125000, 135000); /* 95 A / 0.72 = 132 A */
}

/* A pack at the end of its charge takes less, and that counts. Not while a pack has missed its
 * turn, and not more than what twice the share would explain, measured when it was seen. */
static void a_credit_is_no_older_than_what_is_heard(void **state)
{
	struct rig rig;

	(void)state;
	near_full_rack(&rig, 60000);
	near_full_pack(&rig, -40000);
	rig_run(&rig, 5);
	const int32_t seen_ma = (5000 + 25500 - 10000) * 4;

	assert_int_equal(charge(&rig), seen_ma);
	near_full_pack(&rig, 0);
	rig_run(&rig, 1); /* the load is gone; what was seen with it is not worth more now */
	assert_int_equal(charge(&rig), seen_ma);
	rig_run(&rig, 2);
	assert_int_equal(charge(&rig), 122000);
	near_full_rack(&rig, 60000);
	rig.absent[0] = true;
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 122000);
	rig_run(&rig, 1); /* missed its turn */
	assert_int_equal(charge(&rig), 20000);
}

/* What a pack does not say of its switches its current shows: the others keep what they take beyond
 * their shares. */
static void an_untold_switch_ends_no_debit(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig.config.learn_shares = 0;
	rig_configure(&rig);
	rig_run(&rig, 60);
	rig.packs[0].current_ma = -30000; /* in charge direction 10 A beyond its share */
	rig.packs[1].current_ma = -50000;
	rig_run(&rig, 5);
	const int32_t limit_ma = charge(&rig);

	assert_int_equal(limit_ma, (95000 - 10000) * 2);
	rig.packs[1].discharge_mos = FIELD_UNKNOWN;
	rig_run(&rig, 5);
	assert_int_equal(charge(&rig), limit_ma);
	rig.packs[1].current_ma = 0; /* rests, or cannot: nobody knows */
	rig_run(&rig, 5);
	assert_true(charge(&rig) <= 190000);
}

/* A load step between two questions looks like a drift for one answer; it must not count. */
static void a_load_step_between_two_answers_is_no_drift(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig_set_current(&rig, -160000);
	for (int step = 0; step < 120; step++) {
		rig.absent[0] = step % 2;
		rig.absent[1] = !rig.absent[0];
		rig_step(&rig, 500);
	}
	const int32_t limit_ma = rig.out.charge_current_limit_ma;

	for (int step = 0; step < 12; step++) {
		rig.absent[0] = step % 2;
		rig.absent[1] = !rig.absent[0];
		if (step == 3)
			rig_set_current(&rig, 160000);
		rig_step(&rig, 500);
		assert_true(rig.out.charge_current_limit_ma >= limit_ma);
		assert_false(rig.out.warnings);
	}
}

/* A pack whose switch lets it only charge says nothing of its drift while the others discharge. */
static void an_open_switch_is_no_drift(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 3);
	rig.packs[2].discharge_mos = 0;
	rig.packs[0].current_ma = rig.packs[1].current_ma = -90000;
	rig_run(&rig, 20);
	assert_int_equal(charge(&rig), 285000);
}

/* The guard: too much current now, so the total shrinks in proportion, and recovers by itself. */
static void too_much_current_shrinks_the_total(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.packs[0].current_ma = 110000;
	rig.packs[1].current_ma = 90000;
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 200000LL * 95 / 110);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "overcurrent");
	rig_set_current(&rig, 172000);
	rig_run(&rig, 4);
	assert_int_equal(charge(&rig), 190000);
}

/* One of three has gone, and the others have its share at once, too much: what it took when it was
 * last heard must not count as if it still did. */
static void a_late_pack_does_not_hold_the_guard_up(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 3);
	for (int i = 0; i < 3; i++)
		rig.packs[i].current_ma = 80000;
	rig_run(&rig, 5);
	assert_int_equal(charge(&rig), 285000);
	rig.absent[2] = true;
	rig.packs[0].current_ma = rig.packs[1].current_ma = 120000;
	rig_run(&rig, 1); /* it may just be late */
	assert_int_equal(charge(&rig), 320000LL * 95 / 120);
	rig_run(&rig, 1); /* it has missed its turn */
	assert_int_equal(charge(&rig), 240000LL * 95 / 120);
	rig.packs[0].current_ma = rig.packs[1].current_ma = 80000;
	rig.packs[2].current_ma = 80000;
	rig.absent[2] = false;
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 285000);
}

/* A large pack's noise allowance must not reach to where its BMS trips: limit 95 A, trip 100 A. */
static void the_guard_acts_long_before_a_pack_trips(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.packs[0].current_ma = 96000; /* within noise */
	rig.packs[1].current_ma = 90000;
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 190000);
	rig.packs[0].current_ma = 97000;
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 187000LL * 95 / 97);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "overcurrent");
}

/* Incident 7 of the kind: a BMS that limits to 10 A by itself is a current source. */
static void a_pack_that_limits_itself_is_taken_out_and_added(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 3);
	rig.packs[2].charge_mos = 0;
	rig.packs[2].current_ma = 10000;
	rig.packs[0].current_ma = rig.packs[1].current_ma = 40000;
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 200000);
	rig.packs[2].charge_current_limit_ma = 5000; /* not more than it may */
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 194750);
	rig.packs[2].current_ma = -6000; /* it feeds the others instead */
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 184000);
	rig.packs[0].current_ma = rig.packs[1].current_ma = -40000; /* at rest or discharging */
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 190000);
}

static void user_caps_count(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig.config.charge_current_max_ma = 50000;
	rig.config.discharge_current_max_ma = 0;
	rig_configure(&rig);
	rig_run(&rig, 60);
	assert_int_equal(rig.out.charge_current_limit_ma, 50000);
	assert_int_equal(rig.out.discharge_current_limit_ma, 0);
	assert_int_equal(rig.out.discharge_allowed, 0);
	assert_string_equal(rig_reason(&rig, LIMIT_CHARGE_CURRENT)->text,
			    "Charging is limited to 50.0 A, the most that you permit.");
	assert_string_equal(rig_rule(&rig, LIMIT_DISCHARGE_CURRENT), "user_cap");
}

/* One of four trips: the other three must not trip after it. */
static void n_minus_1_keeps_a_reserve(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 4);
	rig.config.n_minus_1 = 1;
	rig_configure(&rig);
	rig_run(&rig, 120);
	assert_int_equal(charge(&rig), 300000);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "n_minus_1");
	for (int i = 0; i < 4; i++)
		rig.packs[i].settings.discharge_overcurrent_ma = 116000;
	rig.packs[3].discharge_current_limit_ma = 0;
	rig.packs[3].discharge_mos = 0;
	rig_run(&rig, 1);
	assert_int_equal(discharge(&rig), 232000);
	rig_init(&rig, 1); /* alone there is nothing to reserve for */
	rig.config.n_minus_1 = 1;
	rig_configure(&rig);
	rig_run(&rig, 5);
	assert_int_equal(charge(&rig), 95000);
}

/* Incident 3 and the other way round: a silent pack must be safe to have and safe not to have. */
static void a_silent_pack_counts_both_ways(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 4);
	rig.absent[3] = true;
	rig_run(&rig, 11);
	assert_int_equal(charge(&rig), 190000); /* half its limit, at a quarter of the current */
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "silent_pack");
	rig_run(&rig, 3600);
	assert_int_equal(charge(&rig), 190000);
	assert_int_equal(rig_state(&rig, 4), PACK_LOST);
	rig_settle(&rig, 4); /* when it is strong, the case that it is gone is the tighter one */
	for (int i = 0; i < 3; i++)
		rig.packs[i].charge_current_limit_ma = 40000;
	rig_run(&rig, 2);
	assert_int_equal(charge(&rig), 152000);
	rig.absent[3] = true;
	rig_run(&rig, 60);
	assert_int_equal(charge(&rig), 114000);
}

/* A meter on the bus tells that nothing is missing: the pack is gone. Only while current flows. */
/* Pack 4 perhaps conducts, and takes more than it may from the others. Silence does not undo that.
 */
static void a_doubtful_pack_is_remembered_when_it_falls_silent(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 4);
	for (int i = 0; i < 3; i++)
		rig.packs[i].current_ma = -33000;
	rig.packs[3].current_ma = 99000;
	rig.packs[3].charge_mos = rig.packs[3].discharge_mos = FIELD_UNKNOWN;
	rig_run(&rig, 120);
	assert_int_equal(charge(&rig), 0);
	rig.absent[3] = true;
	rig_run(&rig, 120);
	assert_int_equal(charge(&rig), 0);
}

/* Pack 4 perhaps conducts and is fed by the others. When one of those falls silent, the rest gives
 * less, as far as anybody can see; pack 4 has no more room for that. */
static void two_doubtful_packs_are_safe_together(void **state)
{
	struct rig rig;
	int32_t before_ma;

	(void)state;
	rig_settle(&rig, 4);
	for (int i = 0; i < 3; i++)
		rig.packs[i].current_ma = -22500;
	rig.packs[3].current_ma = 60000;
	rig.packs[3].charge_current_limit_ma = 80000;
	rig.packs[3].charge_mos = rig.packs[3].discharge_mos = FIELD_UNKNOWN;
	rig_run(&rig, 120);
	before_ma = rig.out.charge_current_limit_ma;
	assert_true(before_ma > 0);
	rig.absent[0] = true;
	rig_run(&rig, 120);
	assert_true(rig.out.charge_current_limit_ma <= before_ma);
}

static void a_meter_shows_that_a_silent_pack_is_gone(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 4);
	rig.absent[3] = true;
	rig.input.bus_current_ma = 0;
	rig_run(&rig, 200);
	assert_int_equal(charge(&rig), 190000); /* at rest it proves nothing */
	for (int i = 0; i < 3; i++)
		rig.packs[i].current_ma = 7500;
	rig.input.bus_current_ma = 22500; /* its share, 5.6 A, is hardly more than the noise */
	rig_run(&rig, 200);
	assert_int_equal(charge(&rig), 190000);
	for (int i = 0; i < 3; i++)
		rig.packs[i].current_ma = 30000;
	rig.input.bus_current_ma = 121000; /* 31 A flow into a pack that nobody hears */
	rig_run(&rig, 100);
	assert_int_equal(charge(&rig), 190000);
	rig.input.bus_current_ma = 90500;
	rig_run(&rig, 59);
	assert_int_equal(charge(&rig), 190000);
	rig_run(&rig, 2);
	assert_int_equal(charge(&rig), 285000);
	rig.input.bus_current_ma = 121000; /* and back it is */
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 190000);
	rig.input.bus_current_ma = 90500;
	rig_run(&rig, 62);
	assert_int_equal(charge(&rig), 285000);
	rig.input.bus_current_ma = FIELD_UNKNOWN; /* a dead meter proves nothing either */
	rig_run(&rig, 61);
	assert_int_equal(charge(&rig), 190000);
}

static void a_meter_is_not_believed_while_a_pack_is_late(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 4);
	for (int i = 0; i < 4; i++)
		rig.packs[i].current_ma = 30000;
	rig.absent[3] = true;
	rig.input.bus_current_ma = 90500;
	rig_run(&rig, 30);
	rig.absent[2] = true;
	rig_run(&rig, 4);
	const int64_t quiet_ms = rig.fusion.slots[3].quiet_ms;

	assert_true(quiet_ms > 15000);
	rig_run(&rig, 5);
	assert_int_equal(rig.fusion.slots[3].quiet_ms, quiet_ms);
}

/* A candidate that takes more than it may out of the others goes on doing so when nobody hears it.
 */
static void a_silent_candidate_keeps_its_debit(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.absent[1] = true;
	rig_run(&rig, 120);
	rig.absent[1] = false;
	rig_set_cells(&rig.packs[1], 3240); /* 1 V below the other: no member yet */
	rig.packs[1].charge_current_limit_ma = 30000;
	rig.packs[1].current_ma = 60000;
	rig.packs[0].current_ma = -65000;
	rig_run(&rig, 60);
	assert_int_equal(rig_state(&rig, 2), PACK_CANDIDATE);
	assert_int_equal(charge(&rig), 0);
	rig.absent[1] = true;
	for (int i = 0; i < 120; i++) {
		rig_run(&rig, 1);
		assert_int_equal(charge(&rig), 0);
	}
}

/* A candidate with closed switches is on the bus already: it has to be safe, and adds nothing. */
static void a_candidate_limits_but_does_not_add(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.count = 3;
	rig.packs[2] = rig_pack(3);
	rig.packs[2].charge_current_limit_ma = 10000;
	rig_run(&rig, 2);
	assert_int_equal(rig_state(&rig, 3), PACK_CANDIDATE);
	assert_int_equal(charge(&rig), 28500);
	assert_int_equal(discharge(&rig), 228000);
	rig.packs[2].current_ma = 20000; /* over its limit already */
	rig.packs[0].current_ma = rig.packs[1].current_ma = 5000;
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 0);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "share");
}

/* A pack that does not say what its switches do counts like one of which nobody knows. */
static void unknown_switches_add_nothing(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 3);
	rig.packs[2].charge_mos = FIELD_UNKNOWN;
	rig.packs[2].current_ma = -2000;
	rig.packs[0].current_ma = rig.packs[1].current_ma = 20000;
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 190000 - 2000);
	assert_int_equal(discharge(&rig), 342000);
}

/* While it is not certain who conducts, the last known drift stays beside the new one. */
static void drift_survives_the_silence_of_its_other_half(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.packs[0].charge_current_limit_ma = 80000;
	rig.packs[0].current_ma = 70000;
	rig.packs[1].current_ma = -10000;
	rig_run(&rig, 5);
	const int32_t limit_ma = charge(&rig);

	assert_int_equal(limit_ma, (76000 - 40000) * 2);
	rig.absent[1] = true;
	for (int i = 0; i < 60; i++) {
		rig_run(&rig, 1);
		assert_true(charge(&rig) <= limit_ma);
	}
}

static void too_few_packs_get_no_current(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 4);
	rig.absent[1] = rig.absent[2] = true;
	rig_run(&rig, 12);
	assert_true(charge(&rig) > 0); /* two of four are just enough */
	rig.absent[3] = true;
	rig_run(&rig, 12);
	assert_int_equal(rig.out.charge_current_limit_ma, 0);
	assert_int_equal(rig.out.discharge_current_limit_ma, 0);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "quorum");
	assert_true(rig.out.protections & ALARM_BIT(ALARM_pack_lost));
	assert_int_equal(rig.out.state, BATTERY_FAULT);
	assert_int_equal(rig.out.voltage_mv, 52800); /* values are shown all the same */
	for (int i = 0; i < 4; i++)
		rig.absent[i] = false;
	rig_run(&rig, 60);
	assert_true(rig.out.charge_current_limit_ma > 0);
	assert_int_equal(rig.out.protections, 0);
}

static void expected_packs_count_for_the_quorum(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 7);
	rig.config.packs_expected = 16;
	rig_configure(&rig);
	rig_run(&rig, 20);
	assert_int_equal(rig.out.packs_total, 16);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "quorum");
	assert_int_equal(rig.out.protections, 0); /* the others may still be on their way */
	rig_run(&rig, 20);
	assert_true(rig.out.protections & ALARM_BIT(ALARM_internal_communication));
	rig.count = 8;
	rig.packs[7] = rig_pack(8);
	rig_run(&rig, 30);
	assert_true(rig.out.charge_current_limit_ma > 0);
	assert_int_equal(rig.out.protections, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_packs_add_up),
		cmocka_unit_test(unequal_packs_are_limited_by_their_shares),
		cmocka_unit_test(sum_and_min_are_choices),
		cmocka_unit_test(a_blocked_pack_does_not_limit_the_others),
		cmocka_unit_test(rest_for_balancing_stops_all_charging),
		cmocka_unit_test(circulating_current_is_seen_behind_a_small_total),
		cmocka_unit_test(a_nearly_full_pack_does_not_hold_up_the_others),
		cmocka_unit_test(a_credit_ends_when_anybody_falls_silent),
		cmocka_unit_test(a_credit_starts_anew_with_every_change_of_the_set),
		cmocka_unit_test(a_missed_turn_is_no_drift),
		cmocka_unit_test(a_credit_from_the_other_direction_is_reduced),
		cmocka_unit_test(an_unknown_share_is_met_by_the_measured_current),
		cmocka_unit_test(a_credit_is_no_older_than_what_is_heard),
		cmocka_unit_test(an_untold_switch_ends_no_debit),
		cmocka_unit_test(a_load_step_between_two_answers_is_no_drift),
		cmocka_unit_test(an_open_switch_is_no_drift),
		cmocka_unit_test(too_much_current_shrinks_the_total),
		cmocka_unit_test(a_late_pack_does_not_hold_the_guard_up),
		cmocka_unit_test(the_guard_acts_long_before_a_pack_trips),
		cmocka_unit_test(a_pack_that_limits_itself_is_taken_out_and_added),
		cmocka_unit_test(user_caps_count),
		cmocka_unit_test(n_minus_1_keeps_a_reserve),
		cmocka_unit_test(a_silent_pack_counts_both_ways),
		cmocka_unit_test(a_doubtful_pack_is_remembered_when_it_falls_silent),
		cmocka_unit_test(two_doubtful_packs_are_safe_together),
		cmocka_unit_test(a_meter_shows_that_a_silent_pack_is_gone),
		cmocka_unit_test(a_meter_is_not_believed_while_a_pack_is_late),
		cmocka_unit_test(a_candidate_limits_but_does_not_add),
		cmocka_unit_test(a_silent_candidate_keeps_its_debit),
		cmocka_unit_test(unknown_switches_add_nothing),
		cmocka_unit_test(drift_survives_the_silence_of_its_other_half),
		cmocka_unit_test(too_few_packs_get_no_current),
		cmocka_unit_test(expected_packs_count_for_the_quorum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
