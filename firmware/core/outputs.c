// SPDX-License-Identifier: Apache-2.0
/* The last door before the MOSFETs. Every reason is collected first; a MOSFET closes only when
 * there is none at all. */
#include "outputs.h"

#include "limiter.h"
#include "precharge.h"
#include "protect.h"

#define FIRST_SAMPLES 10 /* a second of sound samples before anything closes */

static uint8_t reasons(const struct fw_pack *pack, enum fw_direction direction, uint8_t others)
{
	const struct fw_work *work = &pack->work;
	uint8_t bit = (uint8_t)(1u << direction), found = others;
	uint8_t allow = direction == FW_CHARGE ? FW_ALLOW_CHARGE : FW_ALLOW_DISCHARGE;
	bool closed =
		direction == FW_CHARGE ? pack->outputs.charge_mos : pack->outputs.discharge_mos;

	if (work->stop_protection & bit)
		found |= FW_OFF_PROTECTION;
	if (work->stop_fault & bit)
		found |= FW_OFF_FAULT;
	if (work->allow_mask & (uint8_t)~work->allow_value & allow)
		found |= FW_OFF_COMMAND;
	if (!closed && (work->stop_soon & bit)) /* trouble on its way: do not close into it */
		found |= FW_OFF_PROTECTION;
	if (!closed && (work->fault_soon & bit))
		found |= FW_OFF_FAULT;
	if (work->good_samples < FIRST_SAMPLES)
		found |= FW_OFF_PRECHARGE;
	return found;
}

void fw_outputs_switches(struct fw_pack *pack, uint8_t others)
{
	struct fw_work *work = &pack->work;
	struct fw_outputs *out = &pack->outputs;
	uint8_t charge = reasons(pack, FW_CHARGE, others);
	uint8_t discharge = reasons(pack, FW_DISCHARGE, others);
	bool gentle = fw_limiter_low_cells(pack);

	work->bank_differs = false;
	if (charge == 0)
		charge |= fw_precharge_charge(pack);
	if (discharge == 0)
		discharge |= fw_precharge_discharge(pack);
	else
		fw_precharge_stop(pack);

	out->limiter = fw_limiter_wanted(pack, charge, gentle);
	out->limiter_ma = out->limiter ? fw_limiter_ma(pack) : 0;
	if (out->limiter && charge == 0)
		charge |= gentle ? FW_OFF_PRECHARGE : FW_OFF_COMMAND;
	out->charge_mos = charge == 0;
	out->discharge_mos = discharge == 0;
	out->precharge = work->precharge_phase == FW_PRECHARGE_RUNS;
	pack->charge_off = charge;
	pack->discharge_off = discharge;
}

static bool signal_on(const struct fw_pack *pack, int32_t source)
{
	uint32_t hot = FW_BIT(FW_CHARGE_OT) | FW_BIT(FW_DISCHARGE_OT) | FW_BIT(FW_MOS_OT);
	bool faulty = (pack->faults & ~FW_MINOR_FAULTS) != 0;
	bool trouble = pack->protections != 0 || faulty;

	switch ((enum fw_signal)source) {
	case FW_SIGNAL_NEVER:
	case FW_SIGNAL_COMMAND: return false;
	case FW_SIGNAL_TROUBLE: return trouble;
	case FW_SIGNAL_SOC_LOW: return (pack->warnings & FW_BIT(FW_SOC_LOW)) != 0;
	case FW_SIGNAL_FAULT: return faulty;
	case FW_SIGNAL_WARNING: return trouble || pack->warnings != 0;
	case FW_SIGNAL_HOT: return (pack->protections & hot) != 0;
	case FW_SIGNAL_EMERGENCY: return pack->emergency_s > 0;
	}
	return false;
}

void fw_outputs_signals(struct fw_pack *pack)
{
	const struct fw_parameters *p = &pack->parameters;
	const struct fw_work *work = &pack->work;
	struct fw_outputs *out = &pack->outputs;
	uint16_t features = pack->identity->features;
	bool contacts = (features & FW_HAS_DRY_CONTACTS) != 0;

	out->dry_contact[0] = contacts && signal_on(pack, p->dry_contact_1_source);
	out->dry_contact[1] = contacts && signal_on(pack, p->dry_contact_2_source);
	out->buzzer = signal_on(pack, p->buzzer_source);
	if (work->allow_mask & FW_ALLOW_BUZZER)
		out->buzzer = (work->allow_value & FW_ALLOW_BUZZER) != 0;
	out->buzzer = out->buzzer && (features & FW_HAS_BUZZER);
}
