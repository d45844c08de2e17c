// SPDX-License-Identifier: Apache-2.0
/* E: what one pack may take. One pack, so its limit is the battery's. */
#include "fusion_rig.h"

/* The rules' own limit, before it is shaped. */
static int32_t charge(const struct rig *rig)
{
	return rig->fusion.target_ma[CHARGE];
}

static int32_t discharge(const struct rig *rig)
{
	return rig->fusion.target_ma[DISCHARGE];
}

static void what_the_bms_states_less_headroom(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 1);
	assert_int_equal(charge(&rig), 95000);
	assert_int_equal(discharge(&rig), 114000);
	assert_int_equal(rig.out.charge_current_limit_ma, 95000);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "full");
	rig.packs[0].settings.charge_overcurrent_ma = 40000; /* the trip current is lower */
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 38000);
	rig.packs[0].charge_current_limit_ma = FIELD_UNKNOWN; /* it used to state one */
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 0);
	assert_string_equal(rig_reason(&rig, LIMIT_CHARGE_CURRENT)->text,
			    "Charging is stopped because pack 1 did not state its limit.");
}

/* Some packs never state a limit but show the trip current of their settings. */
static void settings_stand_in_for_a_limit_that_never_was_stated(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.packs[0].charge_current_limit_ma = FIELD_UNKNOWN;
	rig.packs[0].settings.charge_overcurrent_ma = 40000;
	rig_run(&rig, 5);
	assert_int_equal(charge(&rig), 38000);
}

static void the_cell_curve_lowers_and_latches(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 1);
	rig_set_cell(&rig.packs[0], 7, 3520);
	rig_run(&rig, 1);
	assert_in_range(charge(&rig), 30400, 30700); /* 32 % */
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "cell_voltage");
	assert_int_equal(rig_reason(&rig, LIMIT_CHARGE_CURRENT)->cell, 7);
	assert_int_equal(rig_reason(&rig, LIMIT_CHARGE_CURRENT)->pack, 1);
	rig_set_cell(&rig.packs[0], 7, 3400); /* better, but not clear */
	rig_run(&rig, 1);
	assert_in_range(charge(&rig), 30400, 30700);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "cell_recovery");
	rig_set_cell(&rig.packs[0], 7, 3540); /* further down it goes */
	rig_run(&rig, 1);
	assert_true(charge(&rig) < 12000);
	rig_set_cell(&rig.packs[0], 7, 3335); /* clear of the curve, not of the 20 mV */
	rig_run(&rig, 1);
	assert_true(charge(&rig) < 12000);
	rig_set_cell(&rig.packs[0], 7, 3330);
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 95000);
}

static void low_cells_lower_the_discharge_limit(void **state)
{
	static const struct {
		int32_t mv, ma;
	} rows[] = {{3190, 114000}, {3100, 28500}, {3000, 5700}, {2900, 570}, {2800, 0}};
	struct rig rig;

	(void)state;
	rig_settle(&rig, 1);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		rig_set_cell(&rig.packs[0], 2, rows[i].mv);
		rig_run(&rig, 1);
		assert_int_equal(discharge(&rig), rows[i].ma);
		assert_int_equal(charge(&rig), 95000); /* an empty battery may be charged */
	}
	rig_set_cell(&rig.packs[0], 2, 3210);
	rig_run(&rig, 2);
	assert_int_equal(discharge(&rig), 114000);
}

/* Whatever a user's table says, the two voltages of the configuration end all current. */
static void no_table_goes_beyond_the_configured_voltages(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.config.charge_cell = (struct curve){.count = 1, .point = {{3000, 1000000}}};
	rig.config.discharge_cell = rig.config.charge_cell;
	rig_configure(&rig);
	rig_set_cell(&rig.packs[0], 1, 3649);
	rig_run(&rig, 60);
	assert_int_equal(charge(&rig), 95000);
	rig_set_cell(&rig.packs[0], 1, 3650);
	rig_run(&rig, 2);
	assert_int_equal(charge(&rig), 0);
	assert_int_equal(discharge(&rig), 114000);
	rig_set_cell(&rig.packs[0], 1, 2600);
	rig_run(&rig, 3);
	assert_int_equal(discharge(&rig), 0);
}

/* As parts of the capacity, 280 Ah, from the coldest and the hottest sensor. */
static void temperatures_limit_by_capacity(void **state)
{
	static const struct {
		int32_t mC, charge_ma, discharge_ma;
	} rows[] = {{25000, 95000, 114000}, {5000, 31920, 114000}, {0, 13300, 114000},
		    {-1000, 0, 114000},     {58000, 53200, 53200}, {60000, 0, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig rig;

		rig_init(&rig, 1);
		rig.packs[0].temperatures_mC[1] = rows[i].mC;
		rig_run(&rig, 5);
		assert_int_equal(charge(&rig), rows[i].charge_ma);
		assert_int_equal(discharge(&rig), rows[i].discharge_ma);
	}
}

/* A sensor that never was there is no reason; the others speak. */
static void an_absent_sensor_is_passed_over(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.packs[0].temperatures_mC[0] = FIELD_UNKNOWN;
	rig.packs[0].temperatures_mC[1] = 5000;
	rig_run(&rig, 5);
	assert_int_equal(charge(&rig), 31920);
}

static void hot_switches_limit_both_directions(void **state)
{
	static const struct {
		int32_t mC, charge_ma;
	} rows[] = {{70000, 95000}, {75000, 59375}, {80000, 23750}, {90000, 0}, {99000, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig rig;

		rig_init(&rig, 1);
		rig.packs[0].mos_temperature_mC = rows[i].mC;
		rig_run(&rig, 5);
		assert_int_equal(charge(&rig), rows[i].charge_ma);
		rig.packs[0].mos_temperature_mC = FIELD_UNKNOWN; /* the last word stands */
		rig_run(&rig, 1);
		assert_int_equal(charge(&rig), rows[i].charge_ma);
	}
}

static void forget_cells(struct pack *pack)
{
	pack->cell_count = 0;
}

static void forget_temperatures(struct pack *pack)
{
	pack->temperature_count = 0;
}

static void forget_capacity(struct pack *pack)
{
	pack->capacity_mah = FIELD_UNKNOWN;
}

static void forget_limits(struct pack *pack)
{
	pack->charge_current_limit_ma = pack->discharge_current_limit_ma = FIELD_UNKNOWN;
}

static void lose_cells(struct pack *pack)
{
	pack->cell_count = 15;
	pack->voltage_mv -= 3300;
}

/* A pack that never says a thing that a limit needs is shown and gets nothing. */
static void what_was_never_known_allows_nothing(void **state)
{
	static const struct {
		void (*forget)(struct pack *);
		const char *rule;
	} rows[] = {{forget_cells, "unknown_cells"},
		    {forget_temperatures, "unknown_temperature"},
		    {forget_capacity, "unknown_capacity"},
		    {forget_limits, "unstated_limit"},
		    {lose_cells, "cell_count"}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig rig;

		rig_init(&rig, 1);
		rows[i].forget(&rig.packs[0]);
		rig_run(&rig, 60);
		assert_int_equal(rig_state(&rig, 1), PACK_ACTIVE);
		assert_int_equal(rig.out.charge_current_limit_ma, 0);
		assert_int_equal(rig.out.discharge_current_limit_ma, 0);
		assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), rows[i].rule);
		assert_string_equal(rig_rule(&rig, LIMIT_DISCHARGE_CURRENT), rows[i].rule);
		assert_non_null(strstr(rig_reason(&rig, LIMIT_CHARGE_CURRENT)->text, "pack 1"));
	}
}

static void a_protection_stops_its_direction(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 1);
	rig.packs[0].protections = ALARM_BIT(ALARM_charge_overtemperature);
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 0);
	assert_int_equal(discharge(&rig), 114000);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "protection");
	rig.packs[0].protections = ALARM_BIT(ALARM_cell_imbalance); /* nothing to stop for */
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 95000);
}

static void an_old_answer_is_worth_less(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 1);
	rig.config.quorum_mpct = rig.fusion.config.quorum_mpct = 0;
	rig.absent[0] = true;
	rig_run(&rig, 3);
	assert_int_equal(charge(&rig), 95000);
	rig_step(&rig, 3500); /* half of the way from 3 s to 10 s */
	assert_int_equal(charge(&rig), 71250);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "stale");
	rig_step(&rig, 3500);
	assert_int_equal(charge(&rig), 47500);
	rig_step(&rig, 1000); /* silent: nobody surely conducts */
	assert_int_equal(charge(&rig), 0);
}

/* 100 mV beyond the limit: the BMS has failed. Remembered for ten good minutes. */
static void a_critical_cell_is_remembered(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 1);
	rig_set_cell(&rig.packs[0], 4, 3750);
	rig_run(&rig, 2);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "critical_cell");
	rig_set_cell(&rig.packs[0], 4, 3300);
	rig_run(&rig, 300);
	assert_int_equal(charge(&rig), 0);
	assert_int_equal(discharge(&rig), 114000);
	rig.absent[0] = true; /* silence does not heal it */
	rig_run(&rig, 900);
	rig.absent[0] = false;
	rig_run(&rig, 500);
	assert_int_equal(charge(&rig), 0);
	rig_run(&rig, 300);
	assert_int_equal(charge(&rig), 95000);
	rig_set_cell(&rig.packs[0], 4, 2500);
	rig_run(&rig, 2);
	assert_string_equal(rig_rule(&rig, LIMIT_DISCHARGE_CURRENT), "critical_cell");
	assert_int_equal(charge(&rig), 95000);
}

/* Somebody has looked: what is good again is released, what is not stays. */
static void an_acknowledged_cell_is_released(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 1);
	rig_set_cell(&rig.packs[0], 4, 3750);
	rig_run(&rig, 2);
	rig.input.acknowledge = true;
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 0);
	rig.input.acknowledge = false;
	rig_set_cell(&rig.packs[0], 4, 3300);
	rig_run(&rig, 30);
	assert_int_equal(charge(&rig), 0);
	rig.absent[0] = true;
	rig_run(&rig, 4);
	rig.input.acknowledge = true; /* nobody knows what it is now */
	rig_run(&rig, 1);
	rig.input.acknowledge = false;
	rig.absent[0] = false;
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 0);
	rig.input.acknowledge = true;
	rig_run(&rig, 1);
	assert_int_equal(charge(&rig), 95000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_bms_states_less_headroom),
		cmocka_unit_test(settings_stand_in_for_a_limit_that_never_was_stated),
		cmocka_unit_test(the_cell_curve_lowers_and_latches),
		cmocka_unit_test(low_cells_lower_the_discharge_limit),
		cmocka_unit_test(no_table_goes_beyond_the_configured_voltages),
		cmocka_unit_test(temperatures_limit_by_capacity),
		cmocka_unit_test(an_absent_sensor_is_passed_over),
		cmocka_unit_test(hot_switches_limit_both_directions),
		cmocka_unit_test(what_was_never_known_allows_nothing),
		cmocka_unit_test(a_protection_stops_its_direction),
		cmocka_unit_test(an_old_answer_is_worth_less),
		cmocka_unit_test(a_critical_cell_is_remembered),
		cmocka_unit_test(an_acknowledged_cell_is_released),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
