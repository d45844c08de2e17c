// SPDX-License-Identifier: Apache-2.0
/* D: where each pack stands in its charge. A pack has ended its charge when it stayed near its
 * target voltage with hardly any current; it needs a new charge when enough was taken out. */
#include "fusion_state.h"

#define REST_PART       50 /* C/50 out of a pack is not charging any more */
#define EMPTIER_CELL_MV 100
#define STEP_MAX_MS     10000
#define MS_PER_HOUR     3600000
#define APART_MS        3600000
#define DAY_MS          INT64_C(86400000)

int32_t slot_charge_target(const struct fusion *fusion, const struct slot *slot)
{
	const int32_t cells = slot->cell_count ? slot->cell_count : fusion->config.cells_in_series;
	const int32_t own_mv = cells * fusion->config.charge_target_cell_mv;

	return slot->charge_voltage_mv != FIELD_UNKNOWN && slot->charge_voltage_mv < own_mv
		       ? slot->charge_voltage_mv
		       : own_mv;
}

/* A pack that blocks charging, or does not say, is no reason to go on. */
bool slot_still_charges(const struct slot *slot)
{
	return slot_is_online(slot) && !slot->finished && slot->good.charge_mos == 1;
}

static bool is_near(const struct fusion *fusion, const struct slot *slot)
{
	const int32_t cells = slot->cell_count ? slot->cell_count : fusion->config.cells_in_series;
	int32_t target_mv = slot_charge_target(fusion, slot);

	if (fusion->charge_voltage_uv && fusion->charge_voltage_uv / 1000 < target_mv)
		target_mv = (int32_t)(fusion->charge_voltage_uv / 1000);
	return slot->good.voltage_mv >= target_mv - cells * fusion->config.full_near_cell_mv &&
	       slot->good.voltage_mv >= cells * fusion->config.float_target_cell_mv;
}

static void watch_tail(const struct fusion *fusion, struct slot *slot, int64_t step_ms)
{
	const int64_t capacity = slot_capacity(slot);
	const int64_t current_ma = slot->good.current_ma;

	if (!is_near(fusion, slot) ||
	    current_ma > scale(capacity, fusion->config.full_current_mpct, 100000) ||
	    current_ma < -capacity / REST_PART)
		slot->tail_ms = 0;
	else
		slot->tail_ms += step_ms;
	if (slot->tail_ms < fusion->config.full_time_ms)
		return;
	slot->finished = true;
	slot->tail_ms = 0;
	slot->drawn_mams = 0;
}

static void watch_use(const struct fusion *fusion, struct slot *slot, int64_t step_ms)
{
	const int32_t cells = slot->cell_count ? slot->cell_count : fusion->config.cells_in_series;
	const int64_t refill_mams =
		scale(slot_capacity(slot) * MS_PER_HOUR, fusion->config.refill_mpct, 100000);

	slot->drawn_mams -= slot->good.current_ma * step_ms;
	if (slot->drawn_mams < 0)
		slot->drawn_mams = 0;
	if (slot->drawn_mams >= refill_mams ||
	    slot->good.voltage_mv < cells * (fusion->config.float_target_cell_mv - EMPTIER_CELL_MV))
		slot->finished = false;
}

static void find_stage(struct fusion *fusion)
{
	bool any = false, open = false, near = false, full = false;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];

		any |= slot_is_online(slot);
		full |= slot_is_online(slot) && slot->finished;
		if (!slot_still_charges(slot))
			continue;
		open = true;
		near |= is_near(fusion, slot);
	}
	fusion->all_finished = any && !open;
	if (open)
		fusion->stage = near ? CHARGE_ABSORPTION : CHARGE_BULK;
	if (full && !open)
		fusion->full_ms = fusion->now_ms;
}

/* A full charge brings all counts of charge together: it is asked for after too long without one,
 * or when the packs have drifted apart for an hour, until it has happened. */
static void want_full_charge(struct fusion *fusion)
{
	const int64_t longest_ms = fusion->config.full_charge_days * DAY_MS;

	if (fusion_soc_spread(fusion) < fusion->config.soc_drift_mpct)
		fusion->apart_ms = -1;
	else if (fusion->apart_ms < 0)
		fusion->apart_ms = fusion->now_ms;
	fusion->wants_full |=
		fusion->now_ms - fusion->full_ms >= longest_ms ||
		(fusion->apart_ms >= 0 && fusion->now_ms - fusion->apart_ms >= APART_MS);
	if (longest_ms == 0 || fusion->full_ms == fusion->now_ms)
		fusion->wants_full = false;
}

void fusion_follow_charge(struct fusion *fusion)
{
	const int64_t step_ms = fusion->elapsed_ms < STEP_MAX_MS ? fusion->elapsed_ms : STEP_MAX_MS;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		struct slot *slot = &fusion->slots[i];

		if (!slot_is_online(slot) || slot->silent)
			continue;
		if (slot->finished)
			watch_use(fusion, slot, step_ms);
		else
			watch_tail(fusion, slot, step_ms);
	}
	find_stage(fusion);
	want_full_charge(fusion);
}
