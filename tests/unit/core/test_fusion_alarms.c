// SPDX-License-Identifier: Apache-2.0
/* M: who hears of what. */
#include "fusion_rig.h"

#define BIT(name) ALARM_BIT(ALARM_##name)

static void a_healthy_battery_is_quiet(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 4);
	assert_int_equal(rig.out.protections, 0);
	assert_int_equal(rig.out.warnings, 0);
	assert_int_equal(rig.out.force_charge, FORCE_NONE);
	assert_int_equal(rig.out.full_charge_request, 0);
}

/* A BMS that has acted is a warning; one that reports danger and still conducts is an alarm. */
static void a_protection_is_an_alarm_only_while_its_pack_conducts(void **state)
{
	static const struct {
		alarm_set protection;
		int32_t charge_mos, discharge_mos;
		bool alarm;
	} rows[] = {{BIT(cell_overvoltage), 0, 1, false},
		    {BIT(cell_overvoltage), 1, 1, true},
		    {BIT(cell_overvoltage), FIELD_UNKNOWN, 1, true},
		    {BIT(cell_undervoltage), 1, 0, false},
		    {BIT(cell_undervoltage), 1, 1, true},
		    {BIT(short_circuit), 0, 0, false},
		    {BIT(short_circuit), 0, 1, true},
		    {BIT(balance_wire_fault), 1, 1, false}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig rig;

		rig_settle(&rig, 3);
		rig.packs[1].protections = rows[i].protection;
		rig.packs[1].charge_mos = rows[i].charge_mos;
		rig.packs[1].discharge_mos = rows[i].discharge_mos;
		rig.packs[2].warnings = BIT(cell_imbalance);
		rig_run(&rig, 1);
		assert_int_equal(rig_out(&rig, 2)->protections, rows[i].protection);
		assert_true(rig.out.warnings & BIT(cell_imbalance));
		if (rows[i].alarm) {
			assert_int_equal(rig.out.protections, rows[i].protection);
			assert_false(rig.out.warnings & rows[i].protection);
			assert_int_equal(rig.out.state, BATTERY_FAULT);
		} else {
			assert_int_equal(rig.out.protections, 0);
			assert_true(rig.out.warnings & rows[i].protection);
			assert_true(rig.out.state != BATTERY_FAULT);
		}
	}
}

static void an_offline_pack_hides_nobody(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 3);
	rig.packs[0].warnings = BIT(cell_imbalance);
	rig.absent[2] = true;
	rig_run(&rig, 29);
	assert_false(rig.out.warnings & BIT(pack_lost));
	rig_run(&rig, 1);
	assert_int_equal(rig.out.warnings, BIT(cell_imbalance) | BIT(pack_lost));
	assert_int_equal(rig_out(&rig, 3)->warnings, BIT(pack_lost));
	assert_int_equal(rig.out.protections, 0);
}

/* A critical cell stays an alarm while its pack can conduct, also when the cell has recovered. */
static void a_critical_cell_is_latched(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig_set_cell(&rig.packs[0], 1, 3760);
	rig_run(&rig, 2);
	assert_int_equal(rig.out.protections, BIT(cell_overvoltage));
	rig_set_cell(&rig.packs[0], 1, 3400);
	rig_run(&rig, 30);
	assert_int_equal(rig.out.protections, BIT(cell_overvoltage));
	rig.packs[0].charge_mos = 0;
	rig_run(&rig, 1);
	assert_int_equal(rig.out.protections, 0);
	assert_true(rig.out.warnings & BIT(cell_overvoltage));
	rig.packs[0] = rig_pack(1);
	rig_run(&rig, 700);
	assert_int_equal(rig.out.protections, 0);
	assert_int_equal(rig.out.warnings, 0);
}

static void wrong_cell_counts_are_named(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.packs[0].cell_count = 15;
	rig.packs[0].voltage_mv -= 3300;
	rig_run(&rig, 3);
	assert_true(rig.out.warnings & BIT(cell_count_mismatch));
	assert_true(rig_out(&rig, 1)->warnings & BIT(cell_count_mismatch));
}

static void an_empty_battery_asks_for_current(void **state)
{
	static const struct {
		int32_t mv;
		enum force_charge force;
	} rows[] = {{2900, FORCE_NONE},
		    {2801, FORCE_NONE},
		    {2800, FORCE_SOFT},
		    {2610, FORCE_SOFT},
		    {2600, FORCE_URGENT}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig rig;

		rig_init(&rig, 1);
		rig_set_cells(&rig.packs[0], rows[i].mv);
		rig_run(&rig, 10);
		assert_int_equal(rig.out.force_charge, rows[i].force);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_healthy_battery_is_quiet),
		cmocka_unit_test(a_protection_is_an_alarm_only_while_its_pack_conducts),
		cmocka_unit_test(an_offline_pack_hides_nobody),
		cmocka_unit_test(a_critical_cell_is_latched),
		cmocka_unit_test(wrong_cell_counts_are_named),
		cmocka_unit_test(an_empty_battery_asks_for_current),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
