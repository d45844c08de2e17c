// SPDX-License-Identifier: Apache-2.0
/* When the limiter carries the charge (manuals JKS and V6.0): after a charge over-current until the
 * release time is over, while the parallel rule keeps the charge MOSFET open, while cells are
 * deeply discharged, and by command. Never against any other protection or fault. */
#include "limiter.h"

#include "protect.h"

int32_t fw_limiter_ma(const struct fw_pack *pack)
{
	int32_t ma = pack->parameters.limiter_dA * 100, rating_ma = pack->identity->max_charge_ma;

	if (!(pack->identity->features & FW_HAS_LIMITER))
		return 0;
	return rating_ma > 0 && ma > rating_ma ? rating_ma : ma;
}

bool fw_limiter_low_cells(struct fw_pack *pack)
{
	const struct fw_parameters *p = &pack->parameters;
	int32_t mv = pack->values.cell_min_mv;

	bool low = mv == FW_UNKNOWN || mv <= p->precharge_below_mv;
	bool stays_low = pack->work.low_cells && mv < p->cell_uv_mv;

	pack->work.low_cells = p->precharge_below_mv != 0 && (low || stays_low);
	return pack->work.low_cells;
}

/* Is over-current the only protection that forbids charging? */
static bool only_over_current(const struct fw_pack *pack)
{
	const struct fw_work *work = &pack->work;

	for (int i = 0; i < fw_guard_row_count; i++) {
		const struct fw_guard_row *row = &fw_guard_rows[i];
		uint8_t phase = work->guards[i].phase;
		bool is_oc = row->status == FW_CHARGE_OC1 || row->status == FW_CHARGE_OC2;
		bool overridden = pack->emergency_s > 0 && (row->flags & FW_GUARD_OVERRIDDEN);

		if ((row->opens & FW_OPENS_CHARGE) && phase != FW_IDLE && !is_oc && !overridden)
			return false;
	}
	return true;
}

bool fw_limiter_wanted(const struct fw_pack *pack, uint8_t against, bool gentle)
{
	const struct fw_work *work = &pack->work;
	bool told = (work->allow_mask & work->allow_value & FW_ALLOW_LIMITER) != 0;
	uint8_t hard = against & (uint8_t) ~(FW_OFF_PROTECTION | FW_OFF_PARALLEL);

	if (fw_limiter_ma(pack) == 0 || hard)
		return false;
	if ((work->allow_mask & FW_ALLOW_LIMITER) && !told)
		return false;
	if (!pack->outputs.limiter && (work->fault_soon & FW_OPENS_CHARGE))
		return false;
	if (!only_over_current(pack))
		return false;
	return against != 0 || gentle || told;
}
