// SPDX-License-Identifier: Apache-2.0
/* What a pack says it can take and give: with and without a master, near its protections. */
#include "../cmocka_all.h"

#include "rig.h"

static void losing_the_master_lowers_the_limits_only(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig_run_with_master(&rig, 12000);
	assert_int_equal(rig.pack.charge_allowed_ma, 100000);
	assert_int_equal(rig.pack.discharge_allowed_ma, 100000);
	assert_false(rig.pack.warnings & FW_BIT(FW_MASTER_LOST));
	rig_run(&rig, 8000);
	assert_int_equal(rig.pack.charge_allowed_ma, 100000);
	rig_run(&rig, 3000);
	assert_int_equal(rig.pack.charge_allowed_ma, 20000);
	assert_int_equal(rig.pack.discharge_allowed_ma, 50000);
	assert_true(rig.pack.warnings & FW_BIT(FW_MASTER_LOST));
	assert_true(rig_closed(&rig));
}

static void limits_come_down_before_protections_act(void **state)
{
	static struct rig rig;
	int32_t before_ma = INT32_MAX;

	(void)state;
	rig_ready(&rig, FW_LFP);
	for (int32_t mv = 3490; mv < 3600; mv += 5) {
		rig.in.cells_mv[3] = mv;
		rig_run_with_master(&rig, 500);
		assert_true(rig.pack.charge_allowed_ma <= before_ma);
		before_ma = rig.pack.charge_allowed_ma;
	}
	assert_int_equal(before_ma, 0);
	assert_true(rig.pack.outputs.charge_mos);
	rig_cells(&rig, 3300);
	before_ma = INT32_MAX;
	for (int32_t dC = 250; dC > 20; dC -= 10) {
		rig_temperatures(&rig, dC);
		rig_run_with_master(&rig, 500);
		assert_true(rig.pack.charge_allowed_ma <= before_ma);
		before_ma = rig.pack.charge_allowed_ma;
	}
	assert_in_range(before_ma, 1000, 40000);
}

static void one_way_by_command_leaves_what_a_diode_can_carry(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	rig_run_with_master(&rig, 2000);
	rig_command(&rig, FW_COMMAND_OUTPUTS, (uint32_t)FW_ALLOW_DISCHARGE << 16);
	rig_step(&rig);
	assert_int_equal(rig.pack.charge_allowed_ma, 25000);
	assert_int_equal(rig.pack.discharge_allowed_ma, 0);
	assert_true(rig_logged(&rig, FW_EVENT_DISCHARGE_OFF));
	rig_command(&rig, FW_COMMAND_OUTPUTS, 0x00020002);
	rig_run(&rig, 1000);
	assert_int_equal(rig.pack.charge_allowed_ma, 100000);
	assert_true(rig_logged(&rig, FW_EVENT_DISCHARGE_ON));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(losing_the_master_lowers_the_limits_only),
		cmocka_unit_test(limits_come_down_before_protections_act),
		cmocka_unit_test(one_way_by_command_leaves_what_a_diode_can_carry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
