// SPDX-License-Identifier: Apache-2.0
/* A: what is believed. Each row spoils one answer; the pack then ages instead of changing. */
#include "fusion_rig.h"

static void cell_too_low(struct pack *pack)
{
	rig_set_cell(pack, 3, 1400);
}

static void cell_too_high(struct pack *pack)
{
	rig_set_cell(pack, 3, 4600);
}

static void cell_sentinel(struct pack *pack)
{
	pack->cells_mv[5] = 0xFFFF;
}

static void cell_missing(struct pack *pack)
{
	pack->cells_mv[5] = FIELD_UNKNOWN;
}

static void cells_missing(struct pack *pack)
{
	pack->cell_count = 0;
}

static void fewer_cells(struct pack *pack)
{
	pack->cell_count = 15;
	pack->voltage_mv -= 3300;
}

static void too_many_cells(struct pack *pack)
{
	pack->cell_count = 4000;
}

static void sum_differs(struct pack *pack)
{
	pack->voltage_mv += 900; /* 1.5 % of 52.8 V are 0.79 V */
}

static void voltage_missing(struct pack *pack)
{
	pack->voltage_mv = FIELD_UNKNOWN;
}

static void voltage_zero(struct pack *pack)
{
	pack->voltage_mv = 0;
}

static void current_missing(struct pack *pack)
{
	pack->current_ma = FIELD_UNKNOWN;
}

static void current_spike(struct pack *pack)
{
	pack->current_ma = -421000; /* 1.5 x 280 A */
}

static void current_sentinel(struct pack *pack)
{
	pack->current_ma = -327670;
}

static void too_hot(struct pack *pack)
{
	pack->temperatures_mC[0] = 121000;
}

static void too_cold(struct pack *pack)
{
	pack->temperatures_mC[1] = -41000;
}

static void switches_too_hot(struct pack *pack)
{
	pack->mos_temperature_mC = 3276700;
}

static void sensor_missing(struct pack *pack)
{
	pack->temperatures_mC[1] = FIELD_UNKNOWN;
}

static void too_many_sensors(struct pack *pack)
{
	pack->temperature_count = -3;
}

static void soc_too_high(struct pack *pack)
{
	pack->soc_mpct = 100001;
}

static void soc_negative(struct pack *pack)
{
	pack->soc_mpct = -1;
}

static const struct {
	const char *name;
	void (*spoil)(struct pack *pack);
} spoilers[] = {{"cell_too_low", cell_too_low},
		{"cell_too_high", cell_too_high},
		{"cell_sentinel", cell_sentinel},
		{"cell_missing", cell_missing},
		{"cells_missing", cells_missing},
		{"fewer_cells", fewer_cells},
		{"too_many_cells", too_many_cells},
		{"sum_differs", sum_differs},
		{"voltage_missing", voltage_missing},
		{"voltage_zero", voltage_zero},
		{"current_missing", current_missing},
		{"current_spike", current_spike},
		{"current_sentinel", current_sentinel},
		{"too_hot", too_hot},
		{"too_cold", too_cold},
		{"switches_too_hot", switches_too_hot},
		{"sensor_missing", sensor_missing},
		{"too_many_sensors", too_many_sensors},
		{"soc_too_high", soc_too_high},
		{"soc_negative", soc_negative}};

/* One bad answer is left out and the pack stays in the network; three in a row are enough. */
static void bad_answers_are_left_out_and_three_exclude(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof spoilers / sizeof spoilers[0]; i++) {
		struct rig rig;
		const struct pack good = rig_pack(2);

		rig_settle(&rig, 2);
		const int32_t limit_ma = rig.out.charge_current_limit_ma;

		spoilers[i].spoil(&rig.packs[1]);
		rig.packs[1].cycles = 101;
		rig_run(&rig, 1);
		if (rig_out(&rig, 2)->age_ms != 1000)
			fail_msg("%s was believed", spoilers[i].name);
		assert_int_equal(rig_out(&rig, 2)->cycles, good.cycles);
		assert_int_equal(rig_state(&rig, 2), PACK_ACTIVE);
		assert_int_equal(rig.out.charge_current_limit_ma, limit_ma);
		assert_int_equal(rig.out.voltage_mv, 52800);
		rig_run(&rig, 2);
		assert_int_equal(rig_state(&rig, 2), PACK_QUARANTINED);
		assert_true(rig_out(&rig, 2)->warnings & ALARM_BIT(ALARM_pack_data_implausible));
		assert_true(rig.out.warnings & ALARM_BIT(ALARM_pack_data_implausible));
		assert_int_equal(rig_out(&rig, 2)->voltage_mv, FIELD_UNKNOWN);
		assert_int_equal(rig_out(&rig, 2)->cell_count, 0);
		assert_string_equal(rig_out(&rig, 2)->serial, "SN002");
		rig.packs[1] = good;
		rig_run(&rig, 9);
		assert_int_equal(rig_state(&rig, 2), PACK_QUARANTINED);
		rig_run(&rig, 1);
		assert_int_equal(rig_state(&rig, 2), PACK_CANDIDATE);
		rig_run(&rig, 15);
		assert_int_equal(rig_state(&rig, 2), PACK_ACTIVE);
	}
}

static void answers_within_the_bounds_are_taken(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 1);
	rig.packs[0].current_ma = 420000; /* exactly 1.5 x 1 C */
	rig.packs[0].voltage_mv += 700;   /* the sum of the cells is 0.7 V less */
	rig_run(&rig, 1);
	assert_int_equal(rig_out(&rig, 1)->age_ms, 0);
}

static void an_unknown_pack_may_have_any_current_but_not_every(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	for (int i = 0; i < 2; i++) {
		rig.packs[i].capacity_mah = FIELD_UNKNOWN;
		rig.packs[i].charge_current_limit_ma = FIELD_UNKNOWN;
		rig.packs[i].discharge_current_limit_ma = FIELD_UNKNOWN;
	}
	rig.packs[0].current_ma = 900000;
	rig.packs[1].current_ma = 1000001;
	rig_run(&rig, 1);
	assert_int_equal(rig_state(&rig, 1), PACK_CANDIDATE);
	assert_int_equal(rig_state(&rig, 2), PACK_PROBING);
}

/* A dangerous but possible cell acts on the second answer, a reassuring one on the third. */
static void danger_acts_on_the_second_answer(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	const int32_t limit_ma = rig.out.charge_current_limit_ma;

	assert_true(limit_ma > 150000);
	rig_set_cell(&rig.packs[0], 7, 3700);
	rig_run(&rig, 1);
	assert_int_equal(rig.out.charge_current_limit_ma, limit_ma);
	assert_int_equal(rig.out.cell_max_mv, 3300);
	rig_run(&rig, 1);
	assert_int_equal(rig.out.charge_current_limit_ma, 0);
	assert_int_equal(rig.out.cell_max_mv, 3700);
	assert_int_equal(rig.out.cell_max_cell, 7);
	rig_set_cell(&rig.packs[0], 7, 3300);
	rig_run(&rig, 2);
	assert_int_equal(rig.out.cell_max_mv, 3700);
	rig_run(&rig, 1);
	assert_int_equal(rig.out.cell_max_mv, 3300);
}

static void a_single_spike_does_nothing(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.packs[0].soc_mpct = 0; /* BMS_BLE-HA: SOC 0 now and then */
	rig.packs[0].remaining_mah = 0;
	rig_run(&rig, 1);
	assert_int_equal(rig.out.soc_mpct, 60000);
	rig.packs[0] = rig_pack(1);
	rig_run(&rig, 1);
	assert_int_equal(rig_out(&rig, 1)->age_ms, 0);
	rig.packs[0].temperatures_mC[0] = -20000;
	rig_run(&rig, 1);
	assert_int_equal(rig.out.temperature_min_mC, 25000);
	rig_run(&rig, 1); /* but cold it is when it says so twice */
	assert_int_equal(rig.out.temperature_min_mC, -20000);
	assert_int_equal(rig.out.charge_current_limit_ma, 0);
}

/* Two different surprises do not confirm each other. */
static void surprises_have_to_agree(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 1);
	rig_set_cell(&rig.packs[0], 1, 3700);
	rig_run(&rig, 1);
	rig_set_cells(&rig.packs[0], 2900);
	rig_run(&rig, 1);
	assert_int_equal(rig.out.cell_max_mv, 3300);
	rig_run(&rig, 1);
	assert_int_equal(rig.out.cell_max_mv, 2900);
}

static void a_first_answer_in_danger_waits_for_the_second(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig_set_cell(&rig.packs[0], 1, 3700);
	rig_run(&rig, 1);
	assert_int_equal(rig_state(&rig, 1), PACK_PROBING);
	rig_run(&rig, 1);
	assert_int_equal(rig_state(&rig, 1), PACK_CANDIDATE);
}

/* What was said once and is left out later stands; what never was said is not invented. */
static void slow_facts_stand_until_they_are_said_anew(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.packs[0].charge_voltage_limit_mv = 54000;
	rig.packs[0].discharge_voltage_limit_mv = 46000;
	rig.packs[0].settings.cell_overvoltage_mv = 3650;
	rig_run(&rig, 60);
	assert_int_equal(rig.out.charge_voltage_limit_mv, 54000);
	rig.packs[0].charge_voltage_limit_mv = FIELD_UNKNOWN;
	rig.packs[0].discharge_voltage_limit_mv = 0; /* nonsense counts as nothing */
	rig.packs[0].settings.cell_overvoltage_mv = FIELD_UNKNOWN;
	rig.packs[0].capacity_mah = FIELD_UNKNOWN;
	rig.packs[0].serial[0] = '\0';
	rig_run(&rig, 200);
	assert_int_equal(rig.out.charge_voltage_limit_mv, 54000);
	assert_int_equal(rig.out.discharge_voltage_limit_mv, 46000);
	assert_int_equal(rig.out.capacity_mah, 280000);
	assert_int_equal(rig_out(&rig, 1)->settings.cell_overvoltage_mv, 3650);
	assert_string_equal(rig_out(&rig, 1)->serial, "SN001");
}

static void nonsense_in_side_values_counts_as_unknown(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 1);
	rig.packs[0].soh_mpct = 101000;
	rig.packs[0].cycles = -1;
	rig.packs[0].remaining_mah = -5;
	rig.packs[0].charge_current_limit_ma = 655350;
	rig.packs[0].discharge_current_limit_ma = -1;
	rig_run(&rig, 1);
	assert_int_equal(rig_out(&rig, 1)->age_ms, 0);
	assert_int_equal(rig_out(&rig, 1)->soh_mpct, FIELD_UNKNOWN);
	assert_int_equal(rig_out(&rig, 1)->cycles, FIELD_UNKNOWN);
	assert_int_equal(rig_out(&rig, 1)->remaining_mah, FIELD_UNKNOWN);
	assert_int_equal(rig.out.charge_current_limit_ma, 0);
	assert_int_equal(rig.out.discharge_current_limit_ma, 0);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "unstated_limit");
}

static void numbers_outside_the_rack_are_ignored(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 3);
	rig.packs[1].pack = 17;
	rig.packs[2].pack = FIELD_UNKNOWN;
	rig_run(&rig, 3);
	assert_int_equal(rig.out.pack_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_answers_are_left_out_and_three_exclude),
		cmocka_unit_test(answers_within_the_bounds_are_taken),
		cmocka_unit_test(an_unknown_pack_may_have_any_current_but_not_every),
		cmocka_unit_test(danger_acts_on_the_second_answer),
		cmocka_unit_test(a_single_spike_does_nothing),
		cmocka_unit_test(surprises_have_to_agree),
		cmocka_unit_test(a_first_answer_in_danger_waits_for_the_second),
		cmocka_unit_test(slow_facts_stand_until_they_are_said_anew),
		cmocka_unit_test(nonsense_in_side_values_counts_as_unknown),
		cmocka_unit_test(numbers_outside_the_rack_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
