// SPDX-License-Identifier: Apache-2.0
/* The guards at work: one small state machine, run for every row of protect_table.c. */
#include "protect.h"

#include "measure.h"
#include "protect_guards.h"

#define LOCK_WINDOW_ms    600000 /* trips are counted within 10 min */
#define UNLOCK_AFTER_ms   5000   /* a bank's voltage coming back must not be taken for a charger */
#define SHORT_GRACE_ms    500    /* the AFE needs some time to let go */
#define SAMPLE_ms         100    /* trouble may have begun right after the sample before */
#define LONGEST_ms        0x3FFFFFFF
#define ASIDE_ENTER_TIMES 2 /* standby thresholds; it is left at one */

static uint32_t add(uint32_t ms, uint32_t dt_ms)
{
	return ms > LONGEST_ms - dt_ms ? LONGEST_ms : ms + dt_ms;
}

static int32_t spread(int32_t high, int32_t low)
{
	return high == FW_UNKNOWN || low == FW_UNKNOWN ? FW_UNKNOWN : high - low;
}

static int32_t is_short(const struct fw_pack *pack)
{
	return (pack->measured.inputs & FW_INPUT_SHORT_CIRCUIT) != 0 &&
	       pack->work.released_short_ms >= SHORT_GRACE_ms;
}

static int32_t quantity(const struct fw_pack *pack, enum fw_quantity quantity)
{
	const struct fw_values *v = &pack->values;
	int32_t ma = pack->measured.current_ma;

	switch (quantity) {
	case FW_Q_CELL_MAX_MV: return v->cell_max_mv;
	case FW_Q_CELL_MIN_MV: return v->cell_min_mv;
	case FW_Q_PACK_MV: return fw_measure_pack_mv(pack);
	case FW_Q_CHARGE_MA: return ma;
	case FW_Q_DISCHARGE_MA: return ma == FW_UNKNOWN ? ma : -ma;
	case FW_Q_CELL_MAX_DC: return v->cell_max_dC;
	case FW_Q_CELL_MIN_DC: return v->cell_min_dC;
	case FW_Q_MOS_DC: return v->mos_max_dC;
	case FW_Q_AMBIENT_DC: return v->ambient_dC;
	case FW_Q_CELL_SPREAD_MV: return spread(v->cell_max_mv, v->cell_min_mv);
	case FW_Q_TEMPERATURE_SPREAD_DC: return spread(v->cell_max_dC, v->cell_min_dC);
	case FW_Q_WIRE_DMOHM: return v->wire_max_dmohm;
	case FW_Q_SOC_PCT: return pack->soc_cpct / 100;
	case FW_Q_SHORT: return is_short(pack);
	case FW_Q_REVERSED: return (pack->measured.inputs & FW_INPUT_REVERSED) != 0;
	}
	return FW_UNKNOWN;
}

/* A release needs all sensors of its kind, not only those that still speak. */
static bool complete(const struct fw_pack *pack, enum fw_quantity quantity)
{
	switch (quantity) {
	case FW_Q_CELL_MAX_MV:
	case FW_Q_CELL_MIN_MV:
	case FW_Q_PACK_MV:
	case FW_Q_CELL_SPREAD_MV: return pack->values.cells_complete;
	case FW_Q_CELL_MAX_DC:
	case FW_Q_CELL_MIN_DC:
	case FW_Q_TEMPERATURE_SPREAD_DC: return pack->values.cell_temperatures_complete;
	case FW_Q_CHARGE_MA:
	case FW_Q_DISCHARGE_MA:
	case FW_Q_MOS_DC:
	case FW_Q_AMBIENT_DC:
	case FW_Q_WIRE_DMOHM:
	case FW_Q_SOC_PCT:
	case FW_Q_SHORT:
	case FW_Q_REVERSED: break;
	}
	return true;
}

static enum fw_direction direction_of(const struct fw_guard_row *row)
{
	return row->opens & FW_OPENS_DISCHARGE ? FW_DISCHARGE : FW_CHARGE;
}

/* Current against the direction that the guard forbids, `times` the standby threshold. */
static bool flows_against(const struct fw_pack *pack, enum fw_direction forbidden, int32_t times)
{
	int32_t ma = pack->measured.current_ma,
		least_ma = pack->parameters.standby_dA * 100 * times;

	if (ma == FW_UNKNOWN)
		return false;
	return forbidden == FW_CHARGE ? ma <= -least_ma : ma >= least_ma;
}

/* What the manuals let end a lock-out or a short circuit besides a command: a charger that comes
 * for the discharge side, a load for the charge side. */
static bool other_side_came(const struct fw_pack *pack, enum fw_direction locked)
{
	uint32_t rose = pack->measured.inputs & ~pack->work.inputs_before;

	if (flows_against(pack, locked, 1))
		return true;
	return locked == FW_DISCHARGE && (rose & FW_INPUT_CHARGER) != 0;
}

/* Notes a trip; true when there were so many within the window that the direction locks. */
static bool count_trip(struct fw_pack *pack, enum fw_direction direction)
{
	struct fw_work *work = &pack->work;
	uint32_t now_ms = (uint32_t)pack->step_ms, *trips = work->trip_ms[direction];
	uint8_t kept = 0;

	for (uint8_t i = 0; i < work->trip_count[direction]; i++)
		if (now_ms - trips[i] < LOCK_WINDOW_ms)
			trips[kept++] = trips[i];
	if (kept == FW_LOCK_TRIPS) {
		kept--;
		for (uint8_t i = 0; i < kept; i++)
			trips[i] = trips[i + 1];
	}
	trips[kept++] = now_ms;
	work->trip_count[direction] = kept;
	return pack->parameters.oc_lock_trips > 0 && kept >= pack->parameters.oc_lock_trips;
}

static void trip(struct fw_pack *pack, const struct fw_guard_row *row, struct fw_guard *guard)
{
	guard->phase = FW_TRIPPED;
	guard->ms = 0;
	if (!(row->flags & FW_GUARD_COUNTED) || !count_trip(pack, direction_of(row)))
		return;
	guard->phase = FW_LOCKED;
	fw_event_put(&pack->events, FW_SOURCE_PACK, FW_EVENT_LOCKED, row->status,
		     pack->work.trip_count[direction_of(row)]);
}

static void release(struct fw_pack *pack, const struct fw_guard_row *row, struct fw_guard *guard)
{
	if (guard->phase == FW_LOCKED)
		pack->work.trip_count[direction_of(row)] = 0;
	if (row->quantity == FW_Q_SHORT) {
		pack->work.release_short = true;
		pack->work.released_short_ms = 0;
	}
	guard->phase = FW_IDLE;
	guard->ms = 0;
}

static bool may_release(const struct fw_pack *pack, const struct fw_guard_row *row,
			const struct fw_guard *guard, int32_t value, bool over)
{
	int32_t level = fw_level(pack, &row->release);
	bool is_the_short = row->quantity == FW_Q_SHORT;

	if (is_the_short && guard->ms >= UNLOCK_AFTER_ms && other_side_came(pack, FW_DISCHARGE))
		return true;
	if (row->flags & FW_GUARD_TIMED) /* the AFE holds its short circuit until it is told */
		return level > 0 && guard->ms >= (uint32_t)level && (is_the_short || !over);
	if (value == FW_UNKNOWN || !complete(pack, row->quantity))
		return false;
	return row->flags & FW_GUARD_BELOW ? value >= level : value <= level;
}

static bool is_over(const struct fw_pack *pack, const struct fw_guard_row *row, int32_t value)
{
	int32_t level = fw_level(pack, &row->trip);

	if (value == FW_UNKNOWN || ((row->flags & FW_GUARD_ZERO_OFF) && level == 0))
		return false;
	return row->flags & FW_GUARD_BELOW ? value <= level : value >= level;
}

static void while_tripped(struct fw_pack *pack, const struct fw_guard_row *row,
			  struct fw_guard *guard, int32_t value, bool over)
{
	bool gives_way = (row->flags & FW_GUARD_ASIDE) != 0;

	guard->ms = add(guard->ms, pack->work.dt_ms);
	if (guard->phase == FW_LOCKED) {
		if (guard->ms >= UNLOCK_AFTER_ms && other_side_came(pack, direction_of(row)))
			release(pack, row, guard);
		return;
	}
	if (may_release(pack, row, guard, value, over)) {
		release(pack, row, guard);
		return;
	}
	if (guard->phase == FW_TRIPPED && gives_way &&
	    flows_against(pack, direction_of(row), ASIDE_ENTER_TIMES))
		guard->phase = FW_ASIDE;
	else if (guard->phase == FW_ASIDE && !flows_against(pack, direction_of(row), 1))
		guard->phase = FW_TRIPPED;
}

static void step(struct fw_pack *pack, const struct fw_guard_row *row, struct fw_guard *guard)
{
	uint32_t dt_ms = pack->work.dt_ms;
	int32_t value = quantity(pack, (enum fw_quantity)row->quantity);
	bool over = is_over(pack, row, value);

	switch ((enum fw_phase)guard->phase) {
	case FW_IDLE:
		if (!over)
			return;
		guard->phase = FW_PENDING;
		guard->ms = dt_ms < SAMPLE_ms ? dt_ms : SAMPLE_ms;
		break;
	case FW_PENDING:
		if (over) {
			guard->ms = add(guard->ms, dt_ms);
		} else if (value != FW_UNKNOWN) {
			guard->ms = guard->ms > dt_ms ? guard->ms - dt_ms : 0;
			if (guard->ms == 0)
				guard->phase = FW_IDLE;
		}
		break;
	case FW_TRIPPED:
	case FW_ASIDE:
	case FW_LOCKED: while_tripped(pack, row, guard, value, over); return;
	}
	if (over && guard->phase == FW_PENDING &&
	    guard->ms >= (uint32_t)fw_level(pack, &row->delay_ms)) {
		trip(pack, row, guard);
		guard->ms = 0;
	}
}

/* What one guard means for the words and for the MOSFETs. */
static void apply(struct fw_pack *pack, const struct fw_guard_row *row,
		  const struct fw_guard *guard, uint32_t *warnings)
{
	struct fw_work *work = &pack->work;
	uint32_t bit = FW_BIT(row->status);
	bool overridden = pack->emergency_s > 0 && (row->flags & FW_GUARD_OVERRIDDEN);
	bool active = guard->phase == FW_TRIPPED || guard->phase == FW_LOCKED;
	uint8_t opens = overridden ? 0 : row->opens;

	if (guard->phase == FW_IDLE)
		return;
	if (row->word == FW_WORD_POWER_OFF) {
		work->power_off_voltage = active;
		return;
	}
	if (row->word == FW_WORD_WARNING) {
		*warnings |= active ? bit : 0;
		return;
	}
	if (active) {
		pack->protections |= bit;
		work->stop_protection |= opens;
	} else {
		*warnings |= bit;
	}
	if (guard->phase == FW_PENDING)
		work->stop_soon |= opens;
	if (guard->phase == FW_LOCKED)
		work->locked |= (uint8_t)(1u << direction_of(row));
	if (guard->phase == FW_ASIDE) {
		work->stop_aside |= row->opens;
		work->aside |= bit;
	}
}

static uint16_t countdown_s(const struct fw_pack *pack, int i)
{
	const struct fw_guard_row *row = &fw_guard_rows[i];
	const struct fw_guard *guard = &pack->work.guards[i];
	int32_t level = fw_level(pack, &row->release);

	if (guard->phase != FW_TRIPPED || !(row->flags & FW_GUARD_TIMED) ||
	    level <= (int32_t)guard->ms)
		return 0;
	return (uint16_t)((level - (int32_t)guard->ms + 999) / 1000);
}

void fw_guards_step(struct fw_pack *pack, uint32_t *warnings)
{
	struct fw_work *work = &pack->work;

	work->released_short_ms = add(work->released_short_ms, work->dt_ms);
	for (int i = 0; i < fw_guard_row_count; i++) {
		step(pack, &fw_guard_rows[i], &work->guards[i]);
		apply(pack, &fw_guard_rows[i], &work->guards[i], warnings);
		if (countdown_s(pack, i) > pack->release_s)
			pack->release_s = countdown_s(pack, i);
	}
	if (work->released_short_ms < SHORT_GRACE_ms)
		work->fault_soon |= FW_OPENS_BOTH;
}

void fw_protect(struct fw_pack *pack, uint32_t *warnings)
{
	struct fw_work *work = &pack->work;

	pack->protections = pack->faults = 0;
	pack->release_s = 0;
	work->stop_protection = work->stop_fault = work->stop_aside = 0;
	work->stop_soon = work->fault_soon = 0;
	work->aside = 0;
	work->locked = 0;
	work->power_off_voltage = false;
	fw_guards_step(pack, warnings);
	fw_faults_step(pack);
	pack->outputs.release_short_circuit = work->release_short;
	work->release_short = false;
}

void fw_protect_clear(struct fw_pack *pack, uint32_t mask)
{
	for (int i = 0; i < fw_guard_row_count; i++) {
		const struct fw_guard_row *row = &fw_guard_rows[i];
		struct fw_guard *guard = &pack->work.guards[i];
		bool latched = guard->phase == FW_LOCKED ||
			       (guard->phase == FW_TRIPPED && (row->flags & FW_GUARD_TIMED));

		if (latched && (mask & FW_BIT(row->status)))
			release(pack, row, guard);
	}
	if (mask == UINT32_MAX)
		fw_faults_clear(pack);
}

bool fw_protect_charge_oc(const struct fw_pack *pack)
{
	return (pack->protections & (FW_BIT(FW_CHARGE_OC1) | FW_BIT(FW_CHARGE_OC2))) != 0;
}

uint16_t fw_pack_countdown_s(const struct fw_pack *pack, enum fw_status status)
{
	uint16_t longest_s = 0;

	for (int i = 0; i < fw_guard_row_count; i++)
		if (fw_guard_rows[i].status == status && countdown_s(pack, i) > longest_s)
			longest_s = countdown_s(pack, i);
	return longest_s;
}
