// SPDX-License-Identifier: Apache-2.0
/* Presets obey their own rules, every range and every ordering rule refuses what it should, and
 * random sets never pass with a release on the wrong side of its protection. */
#include "../cmocka_all.h"

#include <string.h>

#include "core/parameters.h"

static int32_t *value_of(struct fw_parameters *parameters, const char *name)
{
	for (int i = 0; i < fw_parameter_count; i++)
		if (strcmp(fw_parameter_rows[i].name, name) == 0)
			return (int32_t *)(void *)((char *)parameters +
						   fw_parameter_rows[i].offset);
	fail_msg("no parameter %s", name);
	return NULL;
}

static void every_preset_is_sound(void **state)
{
	(void)state;
	for (int chemistry = 0; chemistry < FW_CHEMISTRIES; chemistry++) {
		struct fw_parameters parameters;

		fw_parameters_default(&parameters, (enum fw_chemistry)chemistry);
		assert_null(fw_parameters_check(&parameters));
	}
}

static void rows_ascend_and_are_found(void **state)
{
	(void)state;
	for (int i = 0; i < fw_parameter_count; i++) {
		const struct fw_parameter *row = &fw_parameter_rows[i];

		assert_true(i == 0 || row->reg > fw_parameter_rows[i - 1].reg);
		assert_ptr_equal(fw_parameter_find(row->reg), row);
		assert_in_range(row->level, 1, 3);
		assert_true(row->low < row->high);
		assert_true(row->low >= INT16_MIN && row->high <= UINT16_MAX);
	}
	assert_null(fw_parameter_find(0x01FF));
	assert_null(fw_parameter_find(0x0215));
}

static void every_range_is_enforced(void **state)
{
	(void)state;
	for (int i = 0; i < fw_parameter_count; i++) {
		const struct fw_parameter *row = &fw_parameter_rows[i];
		struct fw_parameters parameters;

		fw_parameters_default(&parameters, FW_LFP);
		*value_of(&parameters, row->name) = row->low - 1;
		assert_string_equal(fw_parameters_check(&parameters), row->name);
		*value_of(&parameters, row->name) = row->high + 1;
		assert_string_equal(fw_parameters_check(&parameters), row->name);
	}
}

/* One change to the LFP defaults that breaks exactly the named rule. */
static const struct {
	const char *name;
	int32_t value;
	const char *says;
} disorders[] = {
	{"cell_ov_release_mv", 3600, "cell_ov_release_mv must be below cell_ov_mv"},
	{"cell_ov_warning_mv", 3601, "cell_ov_warning_mv must not be above cell_ov_mv"},
	{"cell_high_mv", 3600, "cell_ov_mv must be below cell_high_mv"},
	{"cell_uv_release_mv", 2600, "cell_uv_mv must be below cell_uv_release_mv"},
	{"cell_uv_warning_mv", 2599, "cell_uv_mv must not be above cell_uv_warning_mv"},
	{"power_off_mv", 2600, "power_off_mv must be below cell_uv_mv"},
	{"charge_forbidden_mv", 2500, "charge_forbidden_mv must be below power_off_mv"},
	{"precharge_below_mv", 2000, "charge_forbidden_mv must be below precharge_below_mv"},
	{"precharge_below_mv", 2600, "precharge_below_mv must be below cell_uv_mv"},
	{"soc_full_mv", 3601, "soc_full_mv must not be above cell_ov_mv"},
	{"soc_empty_mv", 2499, "power_off_mv must not be above soc_empty_mv"},
	{"charge_request_mv", 3600, "charge_request_mv must be below cell_ov_mv"},
	{"float_request_mv", 3550, "float_request_mv must be below charge_request_mv"},
	{"charge_oc2_dA", 1500, "charge_oc1_dA must be below charge_oc2_dA"},
	{"discharge_oc2_dA", 1400, "discharge_oc1_dA must be below discharge_oc2_dA"},
	{"short_circuit_A", 150, "discharge_oc1_dA must be below short_circuit_A"},
	{"short_circuit_A", 210, "discharge_oc2_dA must be below short_circuit_A"},
	{"charge_limit_dA", 1501, "charge_limit_dA must not be above charge_oc1_dA"},
	{"alone_discharge_limit_dA", 1501,
	 "alone_discharge_limit_dA must not be above discharge_oc1_dA"},
	{"charge_ot_release_dC", 600, "charge_ot_release_dC must be below charge_ot_dC"},
	{"charge_ut_dC", 50, "charge_ut_dC must be below charge_ut_release_dC"},
	{"discharge_ot_release_dC", 650, "discharge_ot_release_dC must be below discharge_ot_dC"},
	{"discharge_ut_dC", -100, "discharge_ut_dC must be below discharge_ut_release_dC"},
	{"mos_ot_release_dC", 1000, "mos_ot_release_dC must be below mos_ot_dC"},
	{"ot_warning_clear_dC", 550, "ot_warning_clear_dC must be below ot_warning_dC"},
	{"heater_start_dC", 50, "heater_start_dC must be below heater_stop_dC"},
	{"balance_stop_mv", 11, "balance_stop_mv must not be above balance_trigger_mv"},
	{"soc_low_pct", 15, "soc_low_pct must be below soc_low_clear_pct"},
	{"pack_uv_cV", 6000, "pack_uv_cV must be below pack_ov_cV"},
	{"pack_ov_cV", 4000, "pack_uv_cV must be below pack_ov_cV"},
};

static void every_disorder_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof disorders / sizeof disorders[0]; i++) {
		struct fw_parameters parameters;

		fw_parameters_default(&parameters, FW_LFP);
		*value_of(&parameters, disorders[i].name) = disorders[i].value;
		assert_non_null(fw_parameters_check(&parameters));
		assert_string_equal(fw_parameters_check(&parameters), disorders[i].says);
	}
}

static void functions_that_are_off_break_no_rule(void **state)
{
	static const char *const may_be_zero[] = {
		"charge_forbidden_mv", "precharge_below_mv", "charge_oc2_dA",   "discharge_oc2_dA",
		"pack_ov_cV",          "pack_uv_cV",         "charge_limit_dA", "limiter_dA",
	};

	(void)state;
	for (size_t i = 0; i < sizeof may_be_zero / sizeof may_be_zero[0]; i++) {
		struct fw_parameters parameters;

		fw_parameters_default(&parameters, FW_LFP);
		*value_of(&parameters, may_be_zero[i]) = 0;
		assert_null(fw_parameters_check(&parameters));
	}
}

static void a_preset_keeps_what_the_pack_is(void **state)
{
	struct fw_parameters parameters;

	(void)state;
	fw_parameters_default(&parameters, FW_LFP);
	parameters.cells = 15;
	parameters.capacity_dAh = 2800;
	parameters.charge_oc1_dA = 1200;
	parameters.charge_limit_dA = 500;
	parameters.baud_100 = 96;
	fw_parameters_preset(&parameters, FW_LTO);
	assert_null(fw_parameters_check(&parameters));
	assert_int_equal(parameters.chemistry, FW_LTO);
	assert_int_equal(parameters.cell_ov_mv, 2700);
	assert_int_equal(parameters.charge_ut_dC, -200);
	assert_int_equal(parameters.balance_start_mv, 2000);
	assert_int_equal(parameters.cells, 15);
	assert_int_equal(parameters.capacity_dAh, 2800);
	assert_int_equal(parameters.charge_oc1_dA, 1200);
	assert_int_equal(parameters.charge_limit_dA, 500);
	assert_int_equal(parameters.baud_100, 96);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_preset_is_sound),
		cmocka_unit_test(rows_ascend_and_are_found),
		cmocka_unit_test(every_range_is_enforced),
		cmocka_unit_test(every_disorder_is_refused),
		cmocka_unit_test(functions_that_are_off_break_no_rule),
		cmocka_unit_test(a_preset_keeps_what_the_pack_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
