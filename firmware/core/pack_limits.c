// SPDX-License-Identifier: Apache-2.0
/* What the pack says it can take and give now. It comes down before a protection must act: with
 * the cell that is nearest to its limit, with temperature, and to the stand-alone limits without
 * a master. What the master's flags say does not count here: a gateway that hears its own "no" back
 * from every pack could never take it back. */
#include "limiter.h"
#include "measure.h"
#include "pack_parts.h"
#include "protect.h"

#define TAPER_BEFORE_mv 50  /* full current up to so much below the charge request */
#define TAPER_SPARE_mv  10  /* nothing so near the protection */
#define TAPER_EMPTY_mv  150 /* above the under-voltage release */
#define TAPER_dC        100 /* the last 10 degC before a limit */
#define TAPER_MOS_dC    150
#define LEAST_COLD_pm   200
#define LEAST_HOT_pm    100
#define DIODE_DIVISOR   4 /* share of the rating that a body diode may carry */

/* least at `worst`, 1000 at `best`, straight between; either may be the larger. */
static int32_t ramp_pm(int32_t value, int32_t worst, int32_t best, int32_t least_pm)
{
	int32_t way = best - worst, done;

	if (value == FW_UNKNOWN)
		return 0;
	done = value - worst;
	if (way < 0) {
		way = -way;
		done = -done;
	}
	if (way == 0 || done >= way)
		return done >= way ? 1000 : least_pm;
	if (done <= 0)
		return least_pm;
	return least_pm + (1000 - least_pm) * done / way;
}

static int32_t smaller(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

static int32_t mos_pm(const struct fw_pack *pack)
{
	int32_t limit_dC = pack->parameters.mos_ot_dC;

	if (pack->values.mos_max_dC == FW_UNKNOWN) /* a missing one is a fault; or none is fitted */
		return 1000;
	return ramp_pm(pack->values.mos_max_dC, limit_dC, limit_dC - TAPER_MOS_dC, LEAST_HOT_pm);
}

static int32_t charge_pm(const struct fw_pack *pack)
{
	const struct fw_parameters *p = &pack->parameters;
	const struct fw_values *v = &pack->values;
	int32_t best_mv = p->charge_request_mv - TAPER_BEFORE_mv;
	int32_t pm = ramp_pm(v->cell_max_mv, p->cell_ov_mv - TAPER_SPARE_mv, best_mv, 0);

	if (p->cell_ov_mv - TAPER_SPARE_mv <= best_mv)
		pm = v->cell_max_mv < best_mv ? 1000 : 0;
	pm = smaller(pm, ramp_pm(v->cell_min_dC, p->charge_ut_dC,
				 p->charge_ut_release_dC + TAPER_dC, LEAST_COLD_pm));
	pm = smaller(pm, ramp_pm(v->cell_max_dC, p->charge_ot_dC, p->charge_ot_dC - TAPER_dC,
				 LEAST_HOT_pm));
	return smaller(pm, mos_pm(pack));
}

static int32_t discharge_pm(const struct fw_pack *pack)
{
	const struct fw_parameters *p = &pack->parameters;
	const struct fw_values *v = &pack->values;
	int32_t pm =
		ramp_pm(v->cell_min_mv, p->cell_uv_mv, p->cell_uv_release_mv + TAPER_EMPTY_mv, 0);

	pm = smaller(pm, ramp_pm(v->cell_min_dC, p->discharge_ut_dC,
				 p->discharge_ut_release_dC + TAPER_dC, LEAST_COLD_pm));
	pm = smaller(pm, ramp_pm(v->cell_max_dC, p->discharge_ot_dC, p->discharge_ot_dC - TAPER_dC,
				 LEAST_HOT_pm));
	return smaller(pm, mos_pm(pack));
}

static int32_t base_ma(const struct fw_pack *pack, int32_t limit_dA, int32_t alone_dA,
		       int32_t rating_ma)
{
	int32_t ma = pack->master.heard ? limit_dA * 100 : smaller(limit_dA, alone_dA) * 100;

	return rating_ma > 0 ? smaller(ma, rating_ma) : ma;
}

/* A MOSFET that a command holds open still conducts the other way, through its body diode. */
static int32_t diode_ma(int32_t ma, uint8_t other_off)
{
	return other_off & FW_OFF_COMMAND ? ma / DIODE_DIVISOR : ma;
}

static int32_t charge_ma(const struct fw_pack *pack)
{
	const struct fw_parameters *p = &pack->parameters;
	int32_t ma = base_ma(pack, p->charge_limit_dA, p->alone_charge_limit_dA,
			     pack->identity->max_charge_ma);

	ma = (int32_t)((int64_t)ma * charge_pm(pack) / 1000);
	if (pack->work.stop_aside & FW_OPENS_CHARGE)
		return 0;
	if (pack->outputs.limiter)
		return smaller(ma, pack->outputs.limiter_ma);
	if (!pack->outputs.charge_mos)
		return 0;
	if (pack->work.low_cells) /* without a limiter somebody else must be gentle */
		ma = smaller(ma, p->limiter_dA * 100);
	return diode_ma(ma, pack->discharge_off);
}

static int32_t discharge_ma(const struct fw_pack *pack)
{
	const struct fw_parameters *p = &pack->parameters;
	int32_t ma = base_ma(pack, p->discharge_limit_dA, p->alone_discharge_limit_dA,
			     pack->identity->max_discharge_ma);

	ma = (int32_t)((int64_t)ma * discharge_pm(pack) / 1000);
	if (!pack->outputs.discharge_mos || (pack->work.stop_aside & FW_OPENS_DISCHARGE))
		return 0;
	return diode_ma(ma, pack->charge_off);
}

void fw_pack_limits(struct fw_pack *pack)
{
	const struct fw_parameters *p = &pack->parameters;
	int32_t to_mv = pack->float_charge ? p->float_request_mv : p->charge_request_mv;
	int32_t down_mv =
		p->cell_uv_release_mv > p->soc_empty_mv ? p->cell_uv_release_mv : p->soc_empty_mv;

	pack->charge_allowed_ma = charge_ma(pack);
	pack->discharge_allowed_ma = discharge_ma(pack);
	pack->charge_limit_mv = p->cells * to_mv;
	pack->discharge_limit_mv = p->cells * down_mv;
}
