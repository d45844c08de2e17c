// SPDX-License-Identifier: Apache-2.0
/* E: what one pack may take, in each direction. The smallest of what its BMS states, its cells, its
 * temperatures and its switches allow, with some headroom and less of it when the answer is old.
 * What is not known allows nothing. */
#include "fusion_state.h"

#define PPM 1000000

/* The tightest limit so far, and the tightest of another rule. */
struct verdict {
	int64_t ma;
	struct cause cause;
	int64_t next_ma; /* -1 = there is none */
	struct cause next_cause;
};

static void set_next(struct verdict *verdict, int64_t ma, struct cause cause)
{
	verdict->next_ma = ma;
	verdict->next_cause = cause;
}

static void lower(struct verdict *verdict, int64_t ma, struct cause cause)
{
	const bool same = cause.rule == verdict->cause.rule;

	if (ma < verdict->ma) {
		if (!same)
			set_next(verdict, verdict->ma, verdict->cause);
		verdict->ma = ma;
		verdict->cause = cause;
	} else if (!same && (verdict->next_ma < 0 || ma < verdict->next_ma)) {
		set_next(verdict, ma, cause);
	}
}

/* What the BMS allows: the limit that it states, and the trip current of its settings, whichever is
 * lower. A pack that has ever stated a limit has to go on doing so. */
static int32_t stated_limit(const struct slot *slot, enum direction direction)
{
	const struct pack *pack = &slot->good;
	const int32_t stated_ma = direction == CHARGE ? pack->charge_current_limit_ma
						      : pack->discharge_current_limit_ma;
	const int32_t set_ma = direction == CHARGE ? pack->settings.charge_overcurrent_ma
						   : pack->settings.discharge_overcurrent_ma;

	if (stated_ma == FIELD_UNKNOWN && slot->states_limit[direction])
		return FIELD_UNKNOWN;
	if (stated_ma == FIELD_UNKNOWN || (set_ma != FIELD_UNKNOWN && set_ma < stated_ma))
		return set_ma;
	return stated_ma;
}

/* The two voltages of the configuration end all current, whatever a curve says. */
static bool is_beyond(const struct fusion_config *config, int32_t cell_mv, enum direction direction)
{
	return direction == CHARGE ? cell_mv >= config->cell_overvoltage_mv
				   : cell_mv <= config->cell_undervoltage_mv;
}

/* Once the curve has lowered the current, it may only fall further until the cell is clear of the
 * curve again: otherwise current and voltage chase each other. */
static void apply_cells(struct fusion *fusion, struct slot *slot, enum direction direction,
			int64_t full_ma, struct verdict *verdict)
{
	const struct curve *curve =
		direction == CHARGE ? &fusion->config.charge_cell : &fusion->config.discharge_cell;
	const struct cell_extreme cell = direction == CHARGE ? slot->cells.max : slot->cells.min;
	const int32_t release_mv = direction == CHARGE ? fusion->config.cell_hysteresis_mv
						       : -fusion->config.cell_hysteresis_mv;
	const int32_t now_ppm =
		is_beyond(&fusion->config, cell.mv, direction) ? 0 : curve_at(curve, cell.mv);
	int32_t *latch_ppm = &slot->latch_ppm[direction];
	struct cause cause = cause_of(RULE_CELL_VOLTAGE, slot_number(fusion, slot));

	if (curve_at(curve, cell.mv + release_mv) >= PPM)
		*latch_ppm = PPM;
	if (now_ppm < *latch_ppm)
		*latch_ppm = now_ppm;
	if (now_ppm > *latch_ppm)
		cause.rule = RULE_CELL_RECOVERY;
	cause.cell = cell.cell;
	cause.value = cell.mv;
	if (*latch_ppm < PPM)
		lower(verdict, scale(full_ma, *latch_ppm, PPM), cause);
}

static void apply_temperatures(struct fusion *fusion, struct slot *slot, enum direction direction,
			       struct verdict *verdict)
{
	const struct curve *curve = direction == CHARGE ? &fusion->config.charge_temperature
							: &fusion->config.discharge_temperature;
	struct cause cause = cause_of(RULE_TEMPERATURE, slot_number(fusion, slot));

	for (int i = 0; i < slot->good.temperature_count; i++) {
		const int32_t mC = slot->good.temperatures_mC[i];

		if (mC == FIELD_UNKNOWN)
			continue;
		cause.value = mC;
		lower(verdict, scale(slot->capacity_mah, curve_at(curve, mC), PPM), cause);
	}
}

static void apply_switches(const struct fusion *fusion, const struct slot *slot, int64_t full_ma,
			   struct verdict *verdict)
{
	const int32_t part_ppm =
		curve_at(&fusion->config.mos_temperature, slot->mos_temperature_mC);
	struct cause cause = cause_of(RULE_MOS_TEMPERATURE, slot_number(fusion, slot));

	cause.value = slot->mos_temperature_mC;
	if (slot->mos_temperature_mC != FIELD_UNKNOWN && part_ppm < PPM)
		lower(verdict, scale(full_ma, part_ppm, PPM), cause);
}

/* The rule that forbids all current because something is not known; RULE_FULL when all is. */
static enum rule missing(const struct fusion *fusion, const struct slot *slot,
			 enum direction direction)
{
	if (stated_limit(slot, direction) == FIELD_UNKNOWN)
		return RULE_UNSTATED_LIMIT;
	if (!slot->cells.is_complete)
		return RULE_UNKNOWN_CELLS;
	if (slot->temperature_count == 0)
		return RULE_UNKNOWN_TEMPERATURE;
	if (slot->capacity_mah == FIELD_UNKNOWN)
		return RULE_UNKNOWN_CAPACITY;
	if (slot->good.cell_count != fusion->config.cells_in_series)
		return RULE_CELL_COUNT;
	return RULE_FULL;
}

/* M: a cell beyond its limit by another 100 mV says that its BMS has failed; that is remembered. */
static bool is_critical(const struct fusion *fusion, struct slot *slot, enum direction direction)
{
	const struct cell_extreme max = slot->cells.max, min = slot->cells.min;
	const bool now = max.mv != FIELD_UNKNOWN &&
			 (direction == CHARGE ? max.mv >= fusion->config.cell_overvoltage_mv +
								  fusion->config.critical_cell_mv
					      : min.mv <= fusion->config.cell_undervoltage_mv -
								  fusion->config.critical_cell_mv);

	if (now || (slot->critical_ms[direction] >= 0 && slot->age_ms > slot->fresh_ms))
		slot->critical_ms[direction] = fusion->now_ms; /* an old answer forgives nothing */
	else if (slot->critical_ms[direction] >= 0 &&
		 (fusion->acknowledged ||
		  fusion->now_ms - slot->critical_ms[direction] >= fusion->config.critical_time_ms))
		slot->critical_ms[direction] = -1;
	return slot->critical_ms[direction] >= 0;
}

static int64_t staleness_ppm(const struct fusion_config *config, const struct slot *slot)
{
	const int64_t stale_ppm = config->stale_limit_mpct * INT64_C(10);

	if (slot->silent)
		return stale_ppm;
	if (slot->age_ms <= slot->fresh_ms)
		return PPM;
	return PPM - scale(PPM - stale_ppm, slot->age_ms - slot->fresh_ms,
			   slot->held_ms - slot->fresh_ms);
}

/* All rules that look at values. */
static struct verdict measure(struct fusion *fusion, struct slot *slot, enum direction direction)
{
	const int32_t number = slot_number(fusion, slot);
	const int32_t full_ma = stated_limit(slot, direction);
	struct verdict verdict = {
		.ma = full_ma, .cause = cause_of(RULE_PACK_LIMIT, number), .next_ma = -1};

	verdict.cause.value = full_ma;
	apply_cells(fusion, slot, direction, full_ma, &verdict);
	apply_switches(fusion, slot, full_ma, &verdict);
	apply_temperatures(fusion, slot, direction, &verdict);
	if (slot->good.protections & pack_dangers(direction))
		lower(&verdict, 0, cause_of(RULE_PROTECTION, number));
	verdict.ma = scale(verdict.ma, fusion->config.limit_headroom_mpct, 100000);
	if (verdict.next_ma >= 0)
		verdict.next_ma =
			scale(verdict.next_ma, fusion->config.limit_headroom_mpct, 100000);
	return verdict;
}

static void age(const struct fusion *fusion, const struct slot *slot, struct verdict *verdict)
{
	const int64_t part_ppm = staleness_ppm(&fusion->config, slot);

	if (verdict->ma == 0 || part_ppm == PPM)
		return;
	set_next(verdict, verdict->ma, verdict->cause);
	verdict->ma = scale(verdict->ma, part_ppm, PPM);
	verdict->cause =
		cause_of(slot->silent ? RULE_SILENT : RULE_STALE, slot_number(fusion, slot));
	verdict->cause.value = saturate_ma(slot->age_ms);
}

static struct verdict judge(struct fusion *fusion, struct slot *slot, enum direction direction)
{
	const int32_t number = slot_number(fusion, slot);
	const enum rule unknown = missing(fusion, slot, direction);
	const bool critical = is_critical(fusion, slot, direction);
	struct verdict verdict = {.ma = 0, .cause = cause_of(unknown, number), .next_ma = -1};

	verdict.cause.value = slot->good.cell_count;
	if (unknown == RULE_FULL) {
		verdict = measure(fusion, slot, direction);
		age(fusion, slot, &verdict);
	}
	if (critical) {
		set_next(&verdict, verdict.ma, verdict.cause);
		verdict.ma = 0;
		verdict.cause = cause_of(RULE_CRITICAL_CELL, number);
	}
	return verdict;
}

static enum presence presence_of(const struct slot *slot, enum direction direction)
{
	const int32_t closed = slot_switch(slot, direction);

	if (!slot->has_good || slot->isolated || closed == 0)
		return PRESENCE_NONE;
	if (slot_is_online(slot) && !slot->silent && closed == 1)
		return PRESENCE_SURE;
	return PRESENCE_PERHAPS;
}

/* A fresh answer means today what it meant in the step before, unless something is timed. */
static bool is_judged(const struct slot *slot)
{
	return slot->judged_fresh && !slot->answered && !slot->silent &&
	       slot->age_ms <= slot->fresh_ms && slot->critical_ms[CHARGE] < 0 &&
	       slot->critical_ms[DISCHARGE] < 0;
}

static void limit_pack(struct fusion *fusion, struct slot *slot, enum direction direction)
{
	struct verdict verdict = {.cause = cause_of(RULE_NO_DATA, FIELD_UNKNOWN), .next_ma = -1};

	if (slot->has_good)
		verdict = judge(fusion, slot, direction);
	slot->limit_ma[direction] = saturate_ma(verdict.ma);
	slot->cause[direction] = verdict.cause;
	slot->next[direction] = bound_none();
	if (verdict.next_ma >= 0)
		slot->next[direction] =
			(struct bound){saturate_ma(verdict.next_ma), verdict.next_cause};
}

void fusion_limit_packs(struct fusion *fusion)
{
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		struct slot *slot = &fusion->slots[i];
		const bool judged = is_judged(slot);

		for (int d = 0; d < DIRECTIONS; d++) {
			slot->presence[d] = presence_of(slot, (enum direction)d);
			if (!judged)
				limit_pack(fusion, slot, (enum direction)d);
		}
		slot->judged_fresh =
			slot->has_good && !slot->silent && slot->age_ms <= slot->fresh_ms;
	}
}
