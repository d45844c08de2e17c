// SPDX-License-Identifier: Apache-2.0
/* The order of a step. Measuring comes first, protection before everything that could want a
 * MOSFET closed, signals last. */
#include "pack.h"

#include <stddef.h>

#include "balance.h"
#include "estimate.h"
#include "heater.h"
#include "leds.h"
#include "measure.h"
#include "outputs.h"
#include "pack_parts.h"
#include "precharge.h"
#include "protect.h"

#define LONGEST_STEP_ms 10000
#define FIRST_SAMPLES   10 /* as in outputs.c: nothing closes before */
#define SLEEP_SOON_s    600

void fw_pack_init(struct fw_pack *pack, const struct fw_identity *identity,
		  const struct fw_parameters *parameters, const struct fw_calibration *calibration,
		  const struct fw_counters *counters)
{
	bool sound = fw_parameters_check(parameters) == NULL;
	enum fw_chemistry chemistry = FW_LFP;

	*pack = (struct fw_pack){.identity = identity};
	if ((unsigned)parameters->chemistry < FW_CHEMISTRIES)
		chemistry = parameters->chemistry;
	if (sound)
		pack->parameters = *parameters;
	else
		fw_parameters_default(&pack->parameters, chemistry);
	if (!sound)
		pack->told_faults = FW_BIT(FW_FAULT_PARAMETER_MEMORY);
	if (calibration)
		pack->calibration = *calibration;
	pack->measured.current_ma = FW_UNKNOWN;
	pack->outputs.balance_from = pack->outputs.balance_to = -1;
	pack->master.sync.bank_mv = FW_UNKNOWN;
	pack->master.sync.bank_ma = FW_UNKNOWN;
	pack->work.released_short_ms = INT32_MAX / 2;
	pack->sleep_s = UINT32_MAX;
	fw_estimate_init(pack, counters);
	fw_event_put(&pack->events, FW_SOURCE_PACK, FW_EVENT_START, (int32_t)identity->boot_reason,
		     0);
}

static void take_time(struct fw_pack *pack, uint64_t now_ms)
{
	struct fw_work *work = &pack->work;
	uint64_t since_ms = work->started && now_ms > pack->step_ms ? now_ms - pack->step_ms : 0;

	work->dt_ms = since_ms < LONGEST_STEP_ms ? (uint32_t)since_ms : LONGEST_STEP_ms;
	pack->step_ms = now_ms;
}

static void listen(struct fw_pack *pack, uint32_t *warnings)
{
	struct fw_master *master = &pack->master;
	uint64_t silent_ms = pack->step_ms - master->heard_ms; /* from the start, if never heard */
	bool lost = silent_ms >= (uint64_t)pack->parameters.master_lost_s * 1000;

	pack->work.master_heard_before = master->heard;
	master->heard = master->ever && !lost;
	if (lost)
		*warnings |= FW_BIT(FW_MASTER_LOST);
}

static enum fw_state state_of(const struct fw_pack *pack)
{
	if (pack->work.good_samples < FIRST_SAMPLES)
		return FW_STATE_INIT;
	if (pack->update != FW_UPDATE_NONE || pack->work.restart)
		return FW_STATE_UPDATE;
	if (pack->work.stop_fault)
		return FW_STATE_FAULT;
	if (pack->protections)
		return FW_STATE_PROTECTED;
	if (fw_measure_charging(pack))
		return FW_STATE_CHARGING;
	if (fw_measure_discharging(pack))
		return FW_STATE_DISCHARGING;
	if (pack->sleep_s <= SLEEP_SOON_s || pack->work.asleep || pack->work.switch_off)
		return FW_STATE_SLEEP_SOON;
	if (pack->full)
		return FW_STATE_FULL;
	return pack->work.empty ? FW_STATE_EMPTY : FW_STATE_STANDBY;
}

/* Warnings that no guard makes. */
static uint32_t other_warnings(const struct fw_pack *pack)
{
	uint32_t told = FW_BIT(FW_ADDRESS_CONFLICT) | FW_BIT(FW_DEFAULT_PASSWORD);
	uint32_t warnings = pack->told_warnings & told;

	if (pack->emergency_s > 0)
		warnings |= FW_BIT(FW_EMERGENCY);
	if (pack->work.bank_differs)
		warnings |= FW_BIT(FW_BANK_DIFFERS);
	return warnings;
}

const struct fw_outputs *fw_pack_step(struct fw_pack *pack,
				      const struct fw_measurement *measurement, uint64_t now_ms)
{
	struct fw_work *work = &pack->work;
	uint32_t warnings = 0;
	uint8_t others;

	take_time(pack, now_ms);
	fw_measure(pack, measurement, now_ms);
	listen(pack, &warnings);
	fw_emergency_step(pack);
	fw_protect(pack, &warnings);
	if (work->precharge_phase == FW_PRECHARGE_PAUSE)
		pack->protections |= FW_BIT(FW_PRECHARGE_FAILED);
	fw_estimate_step(pack);
	others = fw_pack_power(pack);
	fw_outputs_switches(pack, others);
	fw_heater_step(pack);
	fw_balance_step(pack);
	fw_pack_limits(pack);
	pack->warnings = warnings | other_warnings(pack);
	pack->state = state_of(pack);
	fw_outputs_signals(pack);
	pack->outputs.leds = fw_leds(pack);
	fw_pack_log_changes(pack);
	work->inputs_before = pack->measured.inputs;
	work->started = true;
	return &pack->outputs;
}

bool fw_pack_set_parameters(struct fw_pack *pack, const struct fw_parameters *parameters)
{
	struct fw_counters *counters = &pack->counters;
	int32_t design_mah = parameters->capacity_dAh * 100;
	bool other_capacity = parameters->capacity_dAh != pack->parameters.capacity_dAh;

	if (fw_parameters_check(parameters) != NULL)
		return false;
	if (other_capacity) { /* the share stays, what was learned does not */
		counters->remaining_mah = (int32_t)((int64_t)counters->remaining_mah * design_mah /
						    counters->full_mah);
		counters->full_mah = design_mah;
		pack->counters_due++;
	}
	pack->parameters = *parameters;
	return true;
}

void fw_pack_heard(struct fw_pack *pack, uint64_t now_ms)
{
	pack->master.heard_ms = now_ms;
	pack->master.ever = true;
}

void fw_pack_sync(struct fw_pack *pack, const struct fw_sync *sync, uint64_t now_ms)
{
	fw_pack_heard(pack, now_ms);
	pack->master.sync = *sync;
	pack->master.sync_ms = now_ms;
	if (sync->packs > 1 && !pack->counters.bank_seen) {
		pack->counters.bank_seen = 1;
		pack->counters_due++;
	}
	if (sync->flags & FW_SYSTEM_STOP)
		fw_pack_safe_stop(pack, FW_SOURCE_BUS);
}
