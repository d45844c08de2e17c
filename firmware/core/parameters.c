// SPDX-License-Identifier: Apache-2.0
/* The rows of parameters.h at run time, and what a single range cannot say: which value must lie
 * below which. The manuals' own defaults break such rules in two places (a release below its
 * protection, swapped columns); here a set that does is refused as a whole. */
#include "parameters.h"

const struct fw_parameter fw_parameter_rows[] = {
#define X(number, field, lfp, ion, lto, lowest, highest, who) \
	{.reg = (number),                                     \
	 .level = (who),                                      \
	 .preset = {(lfp), (ion), (lto)},                     \
	 .low = (lowest),                                     \
	 .high = (highest),                                   \
	 .offset = offsetof(struct fw_parameters, field),     \
	 .name = #field},
	FW_PARAMETERS(X)
#undef X
};

const int fw_parameter_count = (int)(sizeof fw_parameter_rows / sizeof fw_parameter_rows[0]);

static int32_t *place(struct fw_parameters *parameters, const struct fw_parameter *row)
{
	return (int32_t *)(void *)((char *)parameters + row->offset);
}

static int32_t at(const struct fw_parameters *parameters, size_t offset)
{
	return *(const int32_t *)(const void *)((const char *)parameters + offset);
}

void fw_parameters_default(struct fw_parameters *parameters, enum fw_chemistry chemistry)
{
	parameters->chemistry = chemistry;
	for (int i = 0; i < fw_parameter_count; i++)
		*place(parameters, &fw_parameter_rows[i]) = fw_parameter_rows[i].preset[chemistry];
}

/* Voltages, temperatures and the balancer's voltages; not currents, not what the pack is. */
static bool of_chemistry(uint16_t reg)
{
	return reg <= 0x0214 || (reg >= 0x0240 && reg <= 0x024E) ||
	       (reg >= 0x0261 && reg <= 0x0263);
}

void fw_parameters_preset(struct fw_parameters *parameters, enum fw_chemistry chemistry)
{
	parameters->chemistry = chemistry;
	for (int i = 0; i < fw_parameter_count; i++)
		if (of_chemistry(fw_parameter_rows[i].reg))
			*place(parameters, &fw_parameter_rows[i]) =
				fw_parameter_rows[i].preset[chemistry];
}

const struct fw_parameter *fw_parameter_find(uint16_t reg)
{
	for (int i = 0; i < fw_parameter_count; i++)
		if (fw_parameter_rows[i].reg == reg)
			return &fw_parameter_rows[i];
	return NULL;
}

/* low [times] lies below high [times]; `touch`: may be equal; `off`: a 0 on either side means that
 * the function is off and the rule does not count. */
struct rule {
	uint16_t low, high;
	uint16_t low_times, high_times;
	bool touch, off;
	const char *text;
};

#define RULE(a, at_, b, bt_, touch_, off_, text_)                                      \
	{                                                                              \
		.low = offsetof(struct fw_parameters, a),                              \
		.high = offsetof(struct fw_parameters, b), .low_times = (at_),         \
		.high_times = (bt_), .touch = (touch_), .off = (off_), .text = (text_) \
	}
#define BELOW(a, b)            RULE(a, 1, b, 1, false, false, #a " must be below " #b)
#define NOT_ABOVE(a, b)        RULE(a, 1, b, 1, true, false, #a " must not be above " #b)
#define BELOW_UNLESS_OFF(a, b) RULE(a, 1, b, 1, false, true, #a " must be below " #b)

static const struct rule rules[] = {
	BELOW(cell_ov_release_mv, cell_ov_mv),
	NOT_ABOVE(cell_ov_warning_mv, cell_ov_mv),
	BELOW(cell_ov_mv, cell_high_mv),
	BELOW(cell_uv_mv, cell_uv_release_mv),
	NOT_ABOVE(cell_uv_mv, cell_uv_warning_mv),
	BELOW(cell_uv_warning_mv, cell_ov_warning_mv),
	BELOW(cell_uv_release_mv, cell_ov_release_mv),
	BELOW(power_off_mv, cell_uv_mv),
	BELOW_UNLESS_OFF(charge_forbidden_mv, power_off_mv),
	BELOW_UNLESS_OFF(charge_forbidden_mv, precharge_below_mv),
	BELOW_UNLESS_OFF(precharge_below_mv, cell_uv_mv),
	NOT_ABOVE(soc_full_mv, cell_ov_mv),
	NOT_ABOVE(power_off_mv, soc_empty_mv),
	BELOW(soc_empty_mv, soc_full_mv),
	BELOW(charge_request_mv, cell_ov_mv),
	BELOW(float_request_mv, charge_request_mv),
	BELOW(soc_empty_mv, float_request_mv),
	BELOW_UNLESS_OFF(pack_uv_cV, pack_ov_cV),

	BELOW_UNLESS_OFF(charge_oc1_dA, charge_oc2_dA),
	BELOW_UNLESS_OFF(discharge_oc1_dA, discharge_oc2_dA),
	RULE(discharge_oc1_dA, 1, short_circuit_A, 10, false, false,
	     "discharge_oc1_dA must be below short_circuit_A"),
	RULE(discharge_oc2_dA, 1, short_circuit_A, 10, false, true,
	     "discharge_oc2_dA must be below short_circuit_A"),
	NOT_ABOVE(charge_limit_dA, charge_oc1_dA),
	NOT_ABOVE(discharge_limit_dA, discharge_oc1_dA),
	NOT_ABOVE(alone_charge_limit_dA, charge_oc1_dA),
	NOT_ABOVE(alone_discharge_limit_dA, discharge_oc1_dA),
	NOT_ABOVE(limiter_dA, charge_oc1_dA),

	BELOW(charge_ot_release_dC, charge_ot_dC),
	BELOW(charge_ut_dC, charge_ut_release_dC),
	BELOW(charge_ut_release_dC, charge_ot_release_dC),
	BELOW(discharge_ot_release_dC, discharge_ot_dC),
	BELOW(discharge_ut_dC, discharge_ut_release_dC),
	BELOW(discharge_ut_release_dC, discharge_ot_release_dC),
	BELOW(mos_ot_release_dC, mos_ot_dC),
	BELOW(ot_warning_clear_dC, ot_warning_dC),
	BELOW(heater_start_dC, heater_stop_dC),
	BELOW(heater_stop_dC, charge_ot_release_dC),

	NOT_ABOVE(balance_stop_mv, balance_trigger_mv),
	BELOW(soc_low_pct, soc_low_clear_pct),
};

static bool holds(const struct rule *rule, const struct fw_parameters *parameters)
{
	int32_t low = at(parameters, rule->low) * rule->low_times;
	int32_t high = at(parameters, rule->high) * rule->high_times;

	if (rule->off && (low == 0 || high == 0))
		return true;
	return rule->touch ? low <= high : low < high;
}

/* The effective limits of the pack: 0 stands for so many cells. */
static bool pack_limits_ordered(const struct fw_parameters *p)
{
	int32_t over_mv = p->pack_ov_cV ? p->pack_ov_cV * 10 : p->cells * p->cell_ov_mv;
	int32_t under_mv = p->pack_uv_cV ? p->pack_uv_cV * 10 : p->cells * p->cell_uv_mv;

	return under_mv < over_mv;
}

const char *fw_parameters_check(const struct fw_parameters *parameters)
{
	for (int i = 0; i < fw_parameter_count; i++) {
		const struct fw_parameter *row = &fw_parameter_rows[i];
		int32_t value = at(parameters, row->offset);

		if (value < row->low || value > row->high)
			return row->name;
	}
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
		if (!holds(&rules[i], parameters))
			return rules[i].text;
	if (!pack_limits_ordered(parameters))
		return "pack_uv_cV must be below pack_ov_cV";
	if ((unsigned)parameters->chemistry >= FW_CHEMISTRIES)
		return "chemistry";
	return NULL;
}
