// SPDX-License-Identifier: Apache-2.0
/* An inverter's empty capacitors look like a short circuit, and so does a bank of packs at another
 * voltage. The first is filled through a resistor, the second is waited for.
 *
 * A charger may hold the terminals well above a cold pack, and limits its own current. So a pack
 * that never heard of a bank may close its charge MOSFET upwards; one that has (counters keep it
 * across restarts) may not. */
#include "precharge.h"

#include "measure.h"

#define PAUSE_ms      60000
#define TRIES         3
#define BANK_NEAR_mv  2000 /* terminals so near the bank are the bank, not a capacitor */
#define SYNC_FRESH_ms 3000
#define LONGEST_ms    0x3FFFFFFF

static bool bank_known(const struct fw_pack *pack)
{
	const struct fw_master *master = &pack->master;

	return master->sync.packs > 1 && master->sync.bank_mv != FW_UNKNOWN &&
	       pack->step_ms - master->sync_ms <= SYNC_FRESH_ms;
}

static int32_t allowed_mv(const struct fw_pack *pack)
{
	return pack->parameters.parallel_difference_cV * 10;
}

static bool sensed(const struct fw_pack *pack)
{
	return (pack->identity->features & FW_HAS_TERMINAL_SENSING) != 0;
}

/* What lies beyond the MOSFETs, minus the pack; FW_UNKNOWN when nobody says. */
static int32_t gap_mv(const struct fw_pack *pack)
{
	int32_t pack_mv = fw_measure_pack_mv(pack), beyond_mv = FW_UNKNOWN;

	if (sensed(pack))
		beyond_mv = pack->measured.terminal_mv;
	else if (bank_known(pack))
		beyond_mv = pack->master.sync.bank_mv;
	return beyond_mv == FW_UNKNOWN || pack_mv == FW_UNKNOWN ? FW_UNKNOWN : beyond_mv - pack_mv;
}

static uint8_t wait_for_bank(struct fw_pack *pack)
{
	pack->work.bank_differs = true;
	return FW_OFF_PARALLEL;
}

uint8_t fw_precharge_charge(struct fw_pack *pack)
{
	int32_t gap = gap_mv(pack);

	if (pack->outputs.charge_mos)
		return 0;
	if (pack->outputs.discharge_mos && fw_measure_discharging(pack))
		return 0; /* its body diode conducts already: nothing can rush in */
	if (gap == FW_UNKNOWN)
		return sensed(pack) ? wait_for_bank(pack) : 0;
	return gap > allowed_mv(pack) && pack->counters.bank_seen ? wait_for_bank(pack) : 0;
}

enum beyond {
	LEVEL, /* not below the pack by more than is allowed */
	LOW,   /* something empty hangs there */
	BANK,  /* other packs at another voltage, or a sensor that should know and does not */
	BLIND  /* no sensor, and nobody told */
};

static enum beyond look_beyond(const struct fw_pack *pack)
{
	int32_t gap = gap_mv(pack);

	if (gap == FW_UNKNOWN)
		return sensed(pack) ? BANK : BLIND;
	if (gap >= -allowed_mv(pack))
		return LEVEL;
	if (!bank_known(pack))
		return LOW;
	if (!sensed(pack))
		return BANK;
	return pack->measured.terminal_mv > pack->master.sync.bank_mv - BANK_NEAR_mv ? BANK : LOW;
}

static void fail(struct fw_work *work)
{
	work->precharge_phase = FW_PRECHARGE_PAUSE;
	work->precharge_ms = 0;
	work->precharge_forced_ms = 0;
	if (work->precharge_tries < TRIES)
		work->precharge_tries++;
}

/* One step of filling what is beyond; 0 when the MOSFET may close. */
static uint8_t fill(struct fw_pack *pack, bool blind)
{
	struct fw_work *work = &pack->work;
	uint32_t longest_ms = work->precharge_forced_ms
				      ? work->precharge_forced_ms
				      : (uint32_t)pack->parameters.precharge_max_ms;

	if (work->precharge_ms < LONGEST_ms)
		work->precharge_ms += work->dt_ms;
	switch ((enum fw_precharge_phase)work->precharge_phase) {
	case FW_PRECHARGE_IDLE:
		work->precharge_phase = FW_PRECHARGE_RUNS;
		work->precharge_ms = 0;
		break;
	case FW_PRECHARGE_RUNS:
		if (work->precharge_ms >= longest_ms && blind)
			return 0;
		if (work->precharge_ms >= longest_ms)
			fail(work);
		break;
	case FW_PRECHARGE_PAUSE:
		if (work->precharge_ms >= PAUSE_ms && work->precharge_tries < TRIES)
			work->precharge_phase = FW_PRECHARGE_IDLE;
		break;
	}
	return FW_OFF_PRECHARGE;
}

uint8_t fw_precharge_discharge(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;
	bool fitted = (pack->identity->features & FW_HAS_PRECHARGE) != 0;
	bool diode_conducts = pack->outputs.charge_mos && fw_measure_charging(pack);
	enum beyond beyond = look_beyond(pack);
	uint8_t reason = 0;

	if (pack->outputs.discharge_mos || diode_conducts)
		beyond = LEVEL;
	if (beyond == BANK || (beyond == LOW && !fitted)) {
		fw_precharge_stop(pack);
		return wait_for_bank(pack);
	}
	if (beyond != LEVEL && fitted)
		reason = fill(pack, beyond == BLIND);
	if (reason == 0) {
		work->precharge_phase = FW_PRECHARGE_IDLE;
		work->precharge_tries = 0;
		work->precharge_forced_ms = 0;
	}
	return reason;
}

void fw_precharge_stop(struct fw_pack *pack)
{
	if (pack->work.precharge_phase == FW_PRECHARGE_RUNS)
		pack->work.precharge_phase = FW_PRECHARGE_IDLE;
}

void fw_precharge_again(struct fw_pack *pack, uint32_t max_ms)
{
	pack->work.precharge_phase = FW_PRECHARGE_IDLE;
	pack->work.precharge_tries = 0;
	pack->work.precharge_forced_ms = max_ms < LONGEST_ms ? max_ms : LONGEST_ms;
}
