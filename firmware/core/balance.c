// SPDX-License-Identifier: Apache-2.0
/* Balancing helps slowly and can hurt quickly, so anything doubtful stops it: a missing cell, a
 * hot part, a wire with high resistance (it would also make the cell look lower than it is). A
 * pair is kept for a while: the balancer itself moves the voltages it is chosen by. */
#include "balance.h"

#include "measure.h"

#define PAIR_ms    10000
#define COOLER_dC  50  /* below parameter 0265 before it starts again */
#define STRANGE_ma 500 /* current while it is off */
#define STRANGE_ms 5000
#define COLDEST_dC 0 /* moving charge into a cell is charging it */
#define NONE       (-1)

static void off(struct fw_outputs *out)
{
	out->balance_cells = 0;
	out->balance_ma = 0;
	out->balance_from = out->balance_to = NONE;
}

static int32_t hottest_dC(const struct fw_values *values)
{
	int32_t dC = values->cell_max_dC;

	if (values->mos_max_dC > dC)
		dC = values->mos_max_dC;
	return values->board_dC > dC ? values->board_dC : dC;
}

static void watch_current(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;
	int32_t ma = pack->measured.balance_ma;
	bool off_now = pack->outputs.balance_ma == 0 && pack->outputs.balance_cells == 0;
	bool strange = ma != FW_UNKNOWN && off_now && (ma > STRANGE_ma || ma < -STRANGE_ma);

	work->balancer_strange_ms = strange ? work->balancer_strange_ms + work->dt_ms : 0;
	if (work->balancer_strange_ms >= STRANGE_ms) {
		work->balancer_broken = true;
		work->balancer_strange_ms = STRANGE_ms;
	}
}

static bool forbidden(const struct fw_pack *pack)
{
	const struct fw_work *work = &pack->work;
	uint32_t bad = FW_BIT(FW_SHORT_CIRCUIT) | FW_BIT(FW_CELL_UV) | FW_BIT(FW_CHARGE_FORBIDDEN) |
		       FW_BIT(FW_MOS_OT) | FW_BIT(FW_REVERSED);
	int32_t limit_dC = pack->parameters.balance_max_dC - (work->balancing ? 0 : COOLER_dC);

	return work->balancer_broken || work->stop_fault || work->safe_stop || work->asleep ||
	       work->switch_off || (pack->protections & bad) || !pack->values.cells_complete ||
	       !pack->values.cell_temperatures_complete ||
	       (pack->warnings & FW_BIT(FW_BALANCE_WIRE)) ||
	       hottest_dC(&pack->values) >= limit_dC || pack->values.cell_min_dC < COLDEST_dC;
}

/* Parameter 0260: 1 while charging, 2 also at rest, 3 always. */
static bool mode_allows(const struct fw_pack *pack)
{
	switch (pack->parameters.balance_mode) {
	case 1: return fw_measure_charging(pack);
	case 2: return !fw_measure_discharging(pack);
	case 3: return true;
	default: return false;
	}
}

static bool wanted(const struct fw_pack *pack)
{
	const struct fw_parameters *p = &pack->parameters;
	int32_t spread_mv = pack->values.cell_max_mv - pack->values.cell_min_mv;

	if ((pack->work.allow_mask & FW_ALLOW_BALANCE) &&
	    !(pack->work.allow_value & FW_ALLOW_BALANCE))
		return false;
	if (!mode_allows(pack) || pack->values.cell_max_mv < p->balance_start_mv)
		return false;
	return pack->work.balancing ? spread_mv > p->balance_stop_mv
				    : spread_mv >= p->balance_trigger_mv;
}

/* Every other high cell at a time: the resistors of neighbours share a corner of the board, and
 * many front ends cannot measure a cell beside one that bleeds. */
static uint32_t bleeding(const struct fw_pack *pack, bool odd)
{
	int32_t above_mv = pack->values.cell_min_mv + pack->parameters.balance_stop_mv;
	uint32_t cells = 0;

	for (int32_t i = odd; i < pack->parameters.cells; i += 2)
		if (pack->measured.cells_mv[i] > above_mv &&
		    pack->measured.cells_mv[i] >= pack->parameters.balance_start_mv)
			cells |= UINT32_C(1) << i;
	return cells;
}

static void choose(struct fw_pack *pack)
{
	struct fw_outputs *out = &pack->outputs;
	bool odd = out->balance_cells != 0 && (out->balance_cells & 0x555555) != 0;

	if (!(pack->identity->features & FW_HAS_ACTIVE_BALANCER)) {
		out->balance_cells = bleeding(pack, odd);
		if (out->balance_cells == 0)
			out->balance_cells = bleeding(pack, !odd);
		return;
	}
	out->balance_from = pack->values.cell_max;
	out->balance_to = pack->values.cell_min;
	out->balance_ma = pack->parameters.balance_max_ma;
	out->balance_cells = UINT32_C(1) << pack->values.cell_max;
}

void fw_balance_step(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;
	bool on;

	watch_current(pack);
	on = !forbidden(pack) && wanted(pack);
	if (!on) {
		work->balancing = false;
		off(&pack->outputs);
		return;
	}
	if (!work->balancing || work->balance_ms >= PAIR_ms) {
		choose(pack);
		work->balance_ms = 0;
	}
	work->balancing = true;
	work->balance_ms += work->dt_ms;
}
