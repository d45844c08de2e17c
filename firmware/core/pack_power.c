// SPDX-License-Identifier: Apache-2.0
/* On, off, asleep, and the emergency override. MOSFETs open first, whatever comes after. */
#include "measure.h"
#include "pack_parts.h"
#include "protect.h"

#define PRESS_ms        50    /* shorter is a bounce */
#define OFF_ms          3000  /* button held: off when let go */
#define RESTART_ms      10000 /* button held: restart */
#define SUPPLY_ms       2000  /* from open MOSFETs to supply off: time to store counters */
#define RESTART_OPEN_ms 1000
#define SLEEP_SOON_s    600
#define LONGEST_ms      0x3FFFFFFF
#define DAY_s           86400
#define MINUTE_ms       60000

void fw_pack_safe_stop(struct fw_pack *pack, enum fw_source source)
{
	if (!pack->work.safe_stop)
		fw_event_put(&pack->events, source, FW_EVENT_SAFE_STOP, 0, 0);
	pack->work.safe_stop = true;
}

void fw_pack_switch_off(struct fw_pack *pack, enum fw_source source)
{
	int code = source == FW_SOURCE_KEY   ? FW_EVENT_POWER_OFF_BUTTON
		   : source == FW_SOURCE_BUS ? FW_EVENT_POWER_OFF_BUS
					     : FW_EVENT_SHUTDOWN;

	if (pack->work.switch_off)
		return;
	fw_event_put(&pack->events, source, code, 0, pack->values.cell_min_mv);
	pack->work.switch_off = true;
	pack->counters_due++;
}

void fw_pack_sleep(struct fw_pack *pack)
{
	if (pack->work.asleep)
		return;
	fw_event_put(&pack->events, FW_SOURCE_PACK, FW_EVENT_SLEEP, 0, 0);
	pack->work.asleep = true;
	pack->counters_due++;
}

enum fw_result fw_emergency_start(struct fw_pack *pack, enum fw_source source)
{
	struct fw_counters *counters = &pack->counters;
	uint32_t now_s = counters->run_s > 0 ? counters->run_s : 1;
	int used = 0, oldest = 0;

	if (pack->work.emergency_ms > 0)
		return FW_RESULT_BUSY;
	for (int i = 0; i < 3; i++) {
		uint32_t at_s = counters->emergency_run_s[i];

		used += at_s != 0 && now_s - at_s < DAY_s;
		if (at_s < counters->emergency_run_s[oldest])
			oldest = i;
	}
	if (used == 3)
		return FW_RESULT_PROTECTED;
	counters->emergency_run_s[oldest] = now_s;
	pack->counters_due++;
	pack->work.emergency_ms = (uint32_t)pack->parameters.emergency_min * MINUTE_ms;
	pack->work.asleep = false;
	fw_event_put(&pack->events, source, FW_EVENT_EMERGENCY_ON, used + 1, 0);
	return FW_RESULT_OK;
}

void fw_emergency_stop(struct fw_pack *pack, enum fw_source source)
{
	if (pack->work.emergency_ms > 0)
		fw_event_put(&pack->events, source, FW_EVENT_EMERGENCY_OFF, 0, 0);
	pack->work.emergency_ms = 0;
}

void fw_emergency_step(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;
	uint32_t rose = pack->measured.inputs & ~work->inputs_before;

	if ((rose & FW_INPUT_EMERGENCY) && work->started)
		(void)fw_emergency_start(pack, FW_SOURCE_KEY);
	else if (work->emergency_ms > work->dt_ms)
		work->emergency_ms -= work->dt_ms;
	else if (work->emergency_ms > 0) {
		work->emergency_ms = 0;
		fw_event_put(&pack->events, FW_SOURCE_PACK, FW_EVENT_EMERGENCY_ENDED, 0, 0);
	}
	pack->emergency_s = (uint16_t)((work->emergency_ms + 999) / 1000);
}

/* A short press clears what is latched, 3 s switch off, 10 s restart. */
static void button(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;
	uint32_t held_ms = work->button_ms;

	if (pack->measured.inputs & FW_INPUT_RESET_BUTTON) {
		work->button_ms =
			held_ms + work->dt_ms < LONGEST_ms ? held_ms + work->dt_ms : LONGEST_ms;
		return;
	}
	work->button_ms = 0;
	if (held_ms >= RESTART_ms) {
		fw_event_put(&pack->events, FW_SOURCE_KEY, FW_EVENT_RESTART, 0, 0);
		work->restart = true;
	} else if (held_ms >= OFF_ms) {
		fw_pack_switch_off(pack, FW_SOURCE_KEY);
	} else if (held_ms >= PRESS_ms) {
		fw_event_put(&pack->events, FW_SOURCE_KEY, FW_EVENT_CLEARED, 0, 0);
		fw_protect_clear(pack, UINT32_MAX);
	}
}

/* A new charger, key or load, or the master's voice after silence. */
static void wake(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;
	uint32_t rose = pack->measured.inputs & ~work->inputs_before;
	uint32_t wakers = FW_INPUT_CHARGER | FW_INPUT_KEY;
	bool called = pack->master.heard && !work->master_heard_before;

	if (!work->started)
		return;
	if (work->switch_off && (rose & wakers)) {
		work->switch_off = false;
		fw_event_put(&pack->events, FW_SOURCE_KEY, FW_EVENT_WOKE, 0, 0);
	}
	wakers |= FW_INPUT_LOAD | FW_INPUT_RESET_BUTTON | FW_INPUT_EMERGENCY;
	if (work->asleep && ((rose & wakers) || called)) {
		work->asleep = false;
		work->idle_ms = 0;
		fw_event_put(&pack->events, FW_SOURCE_KEY, FW_EVENT_WOKE, 0, 0);
	}
}

/* Smart sleep: nobody charges, nobody discharges, nobody talks. */
static void idle(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;
	uint32_t limit_ms = (uint32_t)pack->parameters.sleep_h * 60 * MINUTE_ms;
	bool busy = fw_measure_charging(pack) || fw_measure_discharging(pack) ||
		    pack->measured.current_ma == FW_UNKNOWN || pack->master.heard ||
		    (pack->measured.inputs & FW_INPUT_CHARGER) || pack->outputs.heater ||
		    pack->emergency_s > 0 || pack->update != FW_UPDATE_NONE || limit_ms == 0;

	work->idle_ms = busy ? 0 : work->idle_ms + (work->asleep ? 0 : work->dt_ms);
	pack->sleep_s = UINT32_MAX;
	if (busy || work->asleep)
		return;
	if (work->idle_ms >= limit_ms) {
		fw_pack_sleep(pack);
		return;
	}
	pack->sleep_s = (limit_ms - work->idle_ms) / 1000;
}

static void empty_cells(struct fw_pack *pack)
{
	bool fed = (pack->measured.inputs & FW_INPUT_CHARGER) || fw_measure_charging(pack);

	if (pack->work.power_off_voltage && !fed && pack->emergency_s == 0)
		fw_pack_switch_off(pack, FW_SOURCE_PACK);
}

uint8_t fw_pack_power(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;
	bool open = !pack->outputs.charge_mos && !pack->outputs.discharge_mos;
	bool leaving = work->restart || pack->update == FW_UPDATE_RESTARTING;
	uint8_t reasons = 0;

	button(pack);
	wake(pack);
	idle(pack);
	empty_cells(pack);
	work->open_ms = !open                        ? 0
			: work->open_ms < LONGEST_ms ? work->open_ms + work->dt_ms
						     : LONGEST_ms;
	work->identify_ms = work->identify_ms > work->dt_ms ? work->identify_ms - work->dt_ms : 0;
	pack->restart_due = leaving && work->open_ms >= RESTART_OPEN_ms;
	pack->outputs.power_off = work->switch_off && work->open_ms >= SUPPLY_ms;
	pack->outputs.sleep = work->asleep && !work->switch_off;
	if (work->safe_stop)
		reasons |= FW_OFF_COMMAND;
	if (leaving)
		reasons |= FW_OFF_UPDATE;
	if (work->switch_off || work->asleep || !(pack->measured.inputs & FW_INPUT_KEY))
		reasons |= FW_OFF_KEY;
	return reasons;
}
