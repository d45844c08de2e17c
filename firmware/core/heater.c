// SPDX-License-Identifier: Apache-2.0
/* Cold cells are warmed before they are charged. A heater that cannot be seen to work is the
 * dangerous one, so everything missing switches it off, and so do a hard ceiling and a longest
 * time. The manuals advise a thermal switch in series besides. */
#include "heater.h"

#include "measure.h"
#include "protect_guards.h"

#define CEILING_dC     400      /* no cell sensor may be above while it heats */
#define LONGEST_ms     14400000 /* 4 h; then it rests */
#define REST_ms        3600000
#define MUST_WARM_ms   3600000 /* within an hour ... */
#define MUST_WARM_dC   20      /* ... by 2 degC, or it does not heat the cells */
#define FLOWS_ma       300     /* a heater that is on draws more, one that is off less */
#define STRANGE_ms     5000
#define SOC_LEAST_cpct 2000 /* heating from the pack's own charge leaves this */

static bool told(const struct fw_pack *pack, bool *on)
{
	*on = (pack->work.allow_value & FW_ALLOW_HEATER) != 0;
	return (pack->work.allow_mask & FW_ALLOW_HEATER) != 0;
}

/* Does the heater's own current contradict what it was told? Only where it is measured. */
static void watch_current(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;
	int32_t ma = pack->measured.heater_ma;
	bool contradicts = ma != FW_UNKNOWN && (ma > FLOWS_ma) != pack->outputs.heater;

	work->heater_strange_ms = contradicts ? work->heater_strange_ms + work->dt_ms : 0;
	if (work->heater_strange_ms >= STRANGE_ms) {
		work->heater_broken = true;
		work->heater_strange_ms = STRANGE_ms;
	}
}

static void watch_warmth(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;

	if (work->heater_ms < MUST_WARM_ms)
		return;
	if (pack->values.cell_min_dC < work->heater_from_dC + MUST_WARM_dC &&
	    work->heater_ms < MUST_WARM_ms + work->dt_ms)
		work->heater_broken = true;
}

/* What forbids heating, whoever wants it. */
static bool forbidden(const struct fw_pack *pack)
{
	const struct fw_work *work = &pack->work;
	uint32_t bad = FW_BIT(FW_SHORT_CIRCUIT) | FW_BIT(FW_REVERSED) | FW_BIT(FW_CELL_UV) |
		       FW_BIT(FW_PACK_UV) | FW_BIT(FW_MOS_OT) | FW_BIT(FW_CHARGE_FORBIDDEN);

	return !(pack->identity->features & FW_HAS_HEATER) || work->heater_broken ||
	       work->stop_fault != 0 || (pack->protections & bad) || work->safe_stop ||
	       work->asleep || work->switch_off || !pack->values.cell_temperatures_complete ||
	       pack->values.cell_max_dC >= CEILING_dC || work->heater_pause_ms > 0;
}

static bool energy_for_it(const struct fw_pack *pack)
{
	bool charger = (pack->measured.inputs & FW_INPUT_CHARGER) || fw_measure_charging(pack);

	if (charger)
		return true;
	return pack->parameters.heater_mode == 2 && pack->soc_cpct >= SOC_LEAST_cpct;
}

static bool wanted(const struct fw_pack *pack)
{
	const struct fw_parameters *p = &pack->parameters;
	int32_t coldest_dC = pack->values.cell_min_dC;
	bool on;

	if (told(pack, &on))
		return on && coldest_dC < p->heater_stop_dC;
	if (p->heater_mode == 0 || !energy_for_it(pack))
		return false;
	return pack->outputs.heater ? coldest_dC < p->heater_stop_dC
				    : coldest_dC <= p->heater_start_dC;
}

void fw_heater_step(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;
	bool on;

	work->heater_pause_ms =
		work->heater_pause_ms > work->dt_ms ? work->heater_pause_ms - work->dt_ms : 0;
	watch_current(pack);
	if (pack->outputs.heater)
		watch_warmth(pack);
	on = !forbidden(pack) && wanted(pack);
	if (!on) {
		work->heater_ms = 0;
	} else if (!pack->outputs.heater) {
		work->heater_ms = 0;
		work->heater_from_dC = pack->values.cell_min_dC;
	} else {
		work->heater_ms += work->dt_ms;
	}
	if (work->heater_ms >= LONGEST_ms) {
		on = false;
		work->heater_ms = 0;
		work->heater_pause_ms = REST_ms;
	}
	pack->outputs.heater = on;
}
