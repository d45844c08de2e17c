// SPDX-License-Identifier: Apache-2.0
/* D: where each pack stands in its charge. A pack has ended its charge when it stayed near its
 * target voltage with hardly any current; it needs a new charge when enough was taken out. */
#include "fusion_state.h"

#define NEAR_CELL_MV    20
#define TAIL_MS         60000
#define TAIL_PART       20 /* 1/20 C into the pack ... */
#define REST_PART       50 /* ... to 1/50 C out of it */
#define REFILL_PART     20 /* a new charge when 1/20 of the capacity was taken */
#define EMPTIER_CELL_MV 100
#define STEP_MAX_MS     10000
#define MS_PER_HOUR     3600000

int32_t slot_charge_target(const struct fusion *fusion, const struct slot *slot)
{
	const int32_t cells = slot->cell_count ? slot->cell_count : fusion->config.cells_in_series;
	const int32_t own_mv = cells * fusion->config.charge_target_cell_mv;

	return slot->charge_voltage_mv != FIELD_UNKNOWN && slot->charge_voltage_mv < own_mv
		       ? slot->charge_voltage_mv
		       : own_mv;
}

static bool is_near(const struct fusion *fusion, const struct slot *slot)
{
	const int32_t cells = slot->cell_count ? slot->cell_count : fusion->config.cells_in_series;
	int32_t target_mv = slot_charge_target(fusion, slot);

	if (fusion->charge_voltage_uv && fusion->charge_voltage_uv / 1000 < target_mv)
		target_mv = (int32_t)(fusion->charge_voltage_uv / 1000);
	return slot->good.voltage_mv >= target_mv - cells * NEAR_CELL_MV &&
	       slot->good.voltage_mv >= cells * fusion->config.float_target_cell_mv;
}

static void watch_tail(const struct fusion *fusion, struct slot *slot, int64_t step_ms)
{
	const int64_t capacity = slot_capacity(slot);
	const int64_t current_ma = slot->good.current_ma;

	if (!is_near(fusion, slot) || current_ma > capacity / TAIL_PART ||
	    current_ma < -capacity / REST_PART)
		slot->tail_ms = 0;
	else
		slot->tail_ms += step_ms;
	if (slot->tail_ms < TAIL_MS)
		return;
	slot->finished = true;
	slot->tail_ms = 0;
	slot->drawn_mams = 0;
}

static void watch_use(const struct fusion *fusion, struct slot *slot, int64_t step_ms)
{
	const int32_t cells = slot->cell_count ? slot->cell_count : fusion->config.cells_in_series;
	const int64_t refill_mams = slot_capacity(slot) * MS_PER_HOUR / REFILL_PART;

	slot->drawn_mams -= slot->good.current_ma * step_ms;
	if (slot->drawn_mams < 0)
		slot->drawn_mams = 0;
	if (slot->drawn_mams >= refill_mams ||
	    slot->good.voltage_mv < cells * (fusion->config.float_target_cell_mv - EMPTIER_CELL_MV))
		slot->finished = false;
}

/* A pack that blocks charging, or does not say, is no reason to go on. */
static void find_stage(struct fusion *fusion)
{
	bool any = false, open = false, near = false;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];

		if (!slot_is_online(slot))
			continue;
		any = true;
		if (slot->finished || slot->good.charge_mos != 1)
			continue;
		open = true;
		near |= is_near(fusion, slot);
	}
	fusion->all_finished = any && !open;
	if (open)
		fusion->stage = near ? CHARGE_ABSORPTION : CHARGE_BULK;
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
}
