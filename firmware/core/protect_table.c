// SPDX-License-Identifier: Apache-2.0
/* The rows. docs/firmware/protection.md shows the same in words; a test keeps both together.
 * Numbers without a parameter: temperatures move slowly, so two seconds only keep out noise; the
 * AFE has already cut a short circuit, so that row only holds it. */
#include "protect.h"

#define P(field) (uint16_t) offsetof(struct fw_parameters, field)
#define LEVEL(field)           \
	{                      \
		P(field), 1, 0 \
	}
#define TIMES(field, factor)          \
	{                             \
		P(field), (factor), 0 \
	}
#define PLUS(field, offset)           \
	{                             \
		P(field), 1, (offset) \
	}
#define FIXED(value)                    \
	{                               \
		FW_CONSTANT, 0, (value) \
	}
#define COMPUTED(level)       \
	{                     \
		(level), 0, 0 \
	}
#define CHARGE     FW_OPENS_CHARGE
#define DISCHARGE  FW_OPENS_DISCHARGE
#define BOTH       FW_OPENS_BOTH
#define BELOW      FW_GUARD_BELOW
#define TIMED      FW_GUARD_TIMED
#define ZERO_OFF   FW_GUARD_ZERO_OFF
#define ASIDE      FW_GUARD_ASIDE
#define OVERRIDDEN FW_GUARD_OVERRIDDEN
#define COUNTED    FW_GUARD_COUNTED

/* clang-format off */
const struct fw_guard_row fw_guard_rows[] = {
	/* voltages */
	{FW_WORD_PROTECTION, FW_CELL_OV, FW_Q_CELL_MAX_MV, CHARGE, ASIDE | OVERRIDDEN,
	 LEVEL(cell_ov_mv), LEVEL(cell_ov_release_mv), TIMES(cell_ov_delay_ds, 100)},
	{FW_WORD_PROTECTION, FW_CELL_UV, FW_Q_CELL_MIN_MV, DISCHARGE, BELOW | ASIDE | OVERRIDDEN,
	 LEVEL(cell_uv_mv), LEVEL(cell_uv_release_mv), TIMES(cell_uv_delay_ds, 100)},
	{FW_WORD_PROTECTION, FW_CELL_UV, FW_Q_CELL_MIN_MV, DISCHARGE, BELOW | ASIDE,
	 PLUS(power_off_mv, -200), LEVEL(cell_uv_release_mv), FIXED(1000)},
	{FW_WORD_PROTECTION, FW_PACK_OV, FW_Q_PACK_MV, CHARGE, ASIDE | OVERRIDDEN,
	 COMPUTED(FW_LEVEL_PACK_OV), COMPUTED(FW_LEVEL_PACK_OV_RELEASE), TIMES(cell_ov_delay_ds, 100)},
	{FW_WORD_PROTECTION, FW_PACK_UV, FW_Q_PACK_MV, DISCHARGE, BELOW | ASIDE | OVERRIDDEN,
	 COMPUTED(FW_LEVEL_PACK_UV), COMPUTED(FW_LEVEL_PACK_UV_RELEASE), TIMES(cell_uv_delay_ds, 100)},
	{FW_WORD_PROTECTION, FW_CELL_HIGH, FW_Q_CELL_MAX_MV, CHARGE, 0,
	 LEVEL(cell_high_mv), LEVEL(cell_ov_release_mv), TIMES(cell_high_delay_ds, 100)},
	{FW_WORD_PROTECTION, FW_CHARGE_FORBIDDEN, FW_Q_CELL_MIN_MV, CHARGE, BELOW | ZERO_OFF,
	 LEVEL(charge_forbidden_mv), LEVEL(cell_uv_release_mv), FIXED(2000)},
	{FW_WORD_POWER_OFF, FW_CELL_UV, FW_Q_CELL_MIN_MV, 0, BELOW,
	 LEVEL(power_off_mv), LEVEL(cell_uv_mv), FIXED(10000)},

	/* currents */
	{FW_WORD_PROTECTION, FW_CHARGE_OC1, FW_Q_CHARGE_MA, CHARGE, TIMED | COUNTED,
	 COMPUTED(FW_LEVEL_CHARGE_OC1), TIMES(charge_oc_release_s, 1000), TIMES(charge_oc1_delay_s, 1000)},
	{FW_WORD_PROTECTION, FW_CHARGE_OC2, FW_Q_CHARGE_MA, CHARGE, TIMED | COUNTED | ZERO_OFF,
	 COMPUTED(FW_LEVEL_CHARGE_OC2), TIMES(charge_oc_release_s, 1000), LEVEL(charge_oc2_delay_ms)},
	{FW_WORD_PROTECTION, FW_DISCHARGE_OC1, FW_Q_DISCHARGE_MA, DISCHARGE, TIMED | COUNTED,
	 COMPUTED(FW_LEVEL_DISCHARGE_OC1), TIMES(discharge_oc_release_s, 1000), TIMES(discharge_oc1_delay_s, 1000)},
	{FW_WORD_PROTECTION, FW_DISCHARGE_OC2, FW_Q_DISCHARGE_MA, DISCHARGE, TIMED | COUNTED | ZERO_OFF,
	 COMPUTED(FW_LEVEL_DISCHARGE_OC2), TIMES(discharge_oc_release_s, 1000), LEVEL(discharge_oc2_delay_ms)},
	{FW_WORD_PROTECTION, FW_SHORT_CIRCUIT, FW_Q_SHORT, BOTH, TIMED | COUNTED,
	 FIXED(1), TIMES(short_circuit_release_s, 1000), FIXED(0)},
	{FW_WORD_PROTECTION, FW_REVERSED, FW_Q_REVERSED, BOTH, 0,
	 FIXED(1), FIXED(0), FIXED(0)},

	/* temperatures */
	{FW_WORD_PROTECTION, FW_CHARGE_OT, FW_Q_CELL_MAX_DC, CHARGE, ASIDE | OVERRIDDEN,
	 LEVEL(charge_ot_dC), LEVEL(charge_ot_release_dC), FIXED(2000)},
	{FW_WORD_PROTECTION, FW_CHARGE_UT, FW_Q_CELL_MIN_DC, CHARGE, BELOW | ASIDE | OVERRIDDEN,
	 LEVEL(charge_ut_dC), LEVEL(charge_ut_release_dC), FIXED(2000)},
	{FW_WORD_PROTECTION, FW_DISCHARGE_OT, FW_Q_CELL_MAX_DC, DISCHARGE, ASIDE | OVERRIDDEN,
	 LEVEL(discharge_ot_dC), LEVEL(discharge_ot_release_dC), FIXED(2000)},
	{FW_WORD_PROTECTION, FW_DISCHARGE_UT, FW_Q_CELL_MIN_DC, DISCHARGE, BELOW | ASIDE | OVERRIDDEN,
	 LEVEL(discharge_ut_dC), LEVEL(discharge_ut_release_dC), FIXED(2000)},
	{FW_WORD_PROTECTION, FW_MOS_OT, FW_Q_MOS_DC, BOTH, OVERRIDDEN,
	 LEVEL(mos_ot_dC), LEVEL(mos_ot_release_dC), FIXED(2000)},
	{FW_WORD_PROTECTION, FW_MOS_OT, FW_Q_MOS_DC, BOTH, 0,
	 PLUS(mos_ot_dC, 200), LEVEL(mos_ot_release_dC), FIXED(500)},

	/* warnings */
	{FW_WORD_WARNING, FW_CELL_OV, FW_Q_CELL_MAX_MV, 0, 0,
	 LEVEL(cell_ov_warning_mv), PLUS(cell_ov_warning_mv, -20), FIXED(1000)},
	{FW_WORD_WARNING, FW_CELL_UV, FW_Q_CELL_MIN_MV, 0, BELOW,
	 LEVEL(cell_uv_warning_mv), PLUS(cell_uv_warning_mv, 50), FIXED(1000)},
	{FW_WORD_WARNING, FW_CHARGE_OT, FW_Q_CELL_MAX_DC, 0, 0,
	 LEVEL(ot_warning_dC), LEVEL(ot_warning_clear_dC), FIXED(2000)},
	{FW_WORD_WARNING, FW_DISCHARGE_OT, FW_Q_CELL_MAX_DC, 0, 0,
	 LEVEL(ot_warning_dC), LEVEL(ot_warning_clear_dC), FIXED(2000)},
	{FW_WORD_WARNING, FW_CHARGE_UT, FW_Q_CELL_MIN_DC, 0, BELOW,
	 LEVEL(charge_ut_release_dC), PLUS(charge_ut_release_dC, 20), FIXED(2000)},
	{FW_WORD_WARNING, FW_DISCHARGE_UT, FW_Q_CELL_MIN_DC, 0, BELOW,
	 LEVEL(discharge_ut_release_dC), PLUS(discharge_ut_release_dC, 20), FIXED(2000)},
	{FW_WORD_WARNING, FW_MOS_OT, FW_Q_MOS_DC, 0, 0,
	 LEVEL(mos_ot_release_dC), PLUS(mos_ot_release_dC, -50), FIXED(2000)},
	{FW_WORD_WARNING, FW_AMBIENT_OT, FW_Q_AMBIENT_DC, 0, 0,
	 FIXED(700), FIXED(650), FIXED(2000)},
	{FW_WORD_WARNING, FW_AMBIENT_UT, FW_Q_AMBIENT_DC, 0, BELOW,
	 FIXED(-200), FIXED(-150), FIXED(2000)},
	{FW_WORD_WARNING, FW_CELL_DIFFERENCE, FW_Q_CELL_SPREAD_MV, 0, 0,
	 LEVEL(cell_difference_warning_mv), COMPUTED(FW_LEVEL_SPREAD_RELEASE), FIXED(5000)},
	{FW_WORD_WARNING, FW_TEMPERATURE_DIFFERENCE, FW_Q_TEMPERATURE_SPREAD_DC, 0, 0,
	 LEVEL(temperature_difference_dC), PLUS(temperature_difference_dC, -20), FIXED(5000)},
	{FW_WORD_WARNING, FW_BALANCE_WIRE, FW_Q_WIRE_DMOHM, 0, 0,
	 FIXED(2000), FIXED(1500), FIXED(5000)},
	{FW_WORD_WARNING, FW_SOC_LOW, FW_Q_SOC_PCT, 0, BELOW,
	 LEVEL(soc_low_pct), LEVEL(soc_low_clear_pct), FIXED(1000)},
};
/* clang-format on */

const int fw_guard_row_count = (int)(sizeof fw_guard_rows / sizeof fw_guard_rows[0]);

_Static_assert(sizeof fw_guard_rows / sizeof fw_guard_rows[0] <= FW_GUARDS,
	       "more rows than guards");

/* `times` and `plus` only for parameters; the computed levels carry their own scale. */
static int32_t smaller_unless_zero(int32_t value, int32_t cap)
{
	return cap > 0 && value > cap ? cap : value;
}

int32_t fw_level(const struct fw_pack *pack, const struct fw_level *level)
{
	const struct fw_parameters *p = &pack->parameters;
	int32_t charge_ma = pack->identity->max_charge_ma;
	int32_t discharge_ma = pack->identity->max_discharge_ma;

	switch (level->parameter) {
	case FW_CONSTANT: return level->plus;
	case FW_LEVEL_PACK_OV: return p->pack_ov_cV ? p->pack_ov_cV * 10 : p->cells * p->cell_ov_mv;
	case FW_LEVEL_PACK_OV_RELEASE: /* a set level keeps the cells' distance */
		return p->pack_ov_cV ? p->pack_ov_cV * 10 -
					       p->cells * (p->cell_ov_mv - p->cell_ov_release_mv)
				     : p->cells * p->cell_ov_release_mv;
	case FW_LEVEL_PACK_UV: return p->pack_uv_cV ? p->pack_uv_cV * 10 : p->cells * p->cell_uv_mv;
	case FW_LEVEL_PACK_UV_RELEASE:
		return p->pack_uv_cV ? p->pack_uv_cV * 10 +
					       p->cells * (p->cell_uv_release_mv - p->cell_uv_mv)
				     : p->cells * p->cell_uv_release_mv;
	case FW_LEVEL_SPREAD_RELEASE: return p->cell_difference_warning_mv * 3 / 4;
	case FW_LEVEL_CHARGE_OC1: return smaller_unless_zero(p->charge_oc1_dA * 100, charge_ma);
	case FW_LEVEL_CHARGE_OC2:
		return smaller_unless_zero(p->charge_oc2_dA * 100, charge_ma / 2 * 3);
	case FW_LEVEL_DISCHARGE_OC1:
		return smaller_unless_zero(p->discharge_oc1_dA * 100, discharge_ma);
	case FW_LEVEL_DISCHARGE_OC2:
		return smaller_unless_zero(p->discharge_oc2_dA * 100, discharge_ma / 2 * 3);
	default: break;
	}
	return *(const int32_t *)(const void *)((const char *)p + level->parameter) * level->times +
	       level->plus;
}
