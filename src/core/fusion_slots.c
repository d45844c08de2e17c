// SPDX-License-Identifier: Apache-2.0
/* Small facts about one pack that several rules need. */
#include <string.h>

#include "fusion_state.h"

int64_t scale(int64_t value, int64_t numerator, int64_t denominator)
{
	return denominator ? value * numerator / denominator : 0;
}

int32_t saturate_ma(int64_t value)
{
	if (value > INT32_MAX)
		return INT32_MAX;
	return value < -INT32_MAX ? -INT32_MAX : (int32_t)value;
}

struct cause cause_of(enum rule rule, int32_t pack)
{
	return (struct cause){.rule = rule,
			      .pack = pack,
			      .cell = FIELD_UNKNOWN,
			      .other = FIELD_UNKNOWN,
			      .value = FIELD_UNKNOWN};
}

struct bound bound_none(void)
{
	return (struct bound){FIELD_UNKNOWN, cause_of(RULE_FULL, FIELD_UNKNOWN)};
}

int64_t slot_capacity(const struct slot *slot)
{
	return slot->share.prior_mah;
}

bool slot_is_online(const struct slot *slot)
{
	return slot->state == PACK_ACTIVE || slot->state == PACK_HELD;
}

int32_t slot_number(const struct fusion *fusion, const struct slot *slot)
{
	return (int32_t)(slot - fusion->slots) + 1;
}

int32_t slot_flow(const struct slot *slot, enum direction direction)
{
	if (!slot->has_good)
		return 0;
	return direction == CHARGE ? slot->good.current_ma : -slot->good.current_ma;
}

int32_t slot_switch(const struct slot *slot, enum direction direction)
{
	return direction == CHARGE ? slot->good.charge_mos : slot->good.discharge_mos;
}

/* The voltage at which the discharge curve reaches zero. */
static int32_t empty_cell_mv(const struct fusion_config *config)
{
	int32_t empty_mv = config->cell_undervoltage_mv;

	for (int i = 0; i < config->discharge_cell.count; i++)
		if (config->discharge_cell.point[i].y == 0 &&
		    config->discharge_cell.point[i].x > empty_mv)
			empty_mv = config->discharge_cell.point[i].x;
	return empty_mv;
}

/* Its lowest cell is at the end of discharge, or was and has not recovered: a rest lets it rise
 * again, but brings no charge. */
bool slot_is_empty(const struct fusion *fusion, const struct slot *slot)
{
	return pack_has_cells(&slot->good) &&
	       (slot->latch_ppm[DISCHARGE] == 0 ||
		pack_cell_min(&slot->good).mv <= empty_cell_mv(&fusion->config));
}

/* Everything about the pack in a place; the place itself, its bus timing and the marks that tell
 * duplicates stay. */
void slot_forget(struct slot *slot)
{
	const struct slot old = *slot;

	memset(slot, 0, sizeof *slot);
	pack_clear(&slot->good);
	slot->seen = old.seen;
	slot->first_ms = old.first_ms;
	slot->answer_ms = old.answer_ms;
	memcpy(slot->interval_ms, old.interval_ms, sizeof slot->interval_ms);
	slot->interval_count = old.interval_count;
	slot->quarantine = old.quarantine;
	slot->duplicate_ms = old.duplicate_ms;
	slot->serial = old.serial;
	slot->accepted = old.accepted;
	slot->capacity.now = slot->capacity.before = FIELD_UNKNOWN;
	slot->cycles.now = slot->cycles.before = FIELD_UNKNOWN;
	slot->capacity_mah = slot->charge_voltage_mv = FIELD_UNKNOWN;
	slot->discharge_voltage_mv = slot->mos_temperature_mC = FIELD_UNKNOWN;
	slot->agree_ms = -1;
	slot->share.factor_ppm = 1000000;
	for (int d = 0; d < DIRECTIONS; d++) {
		slot->latch_ppm[d] = 1000000;
		slot->critical_ms[d] = -1;
	}
}

bool pack_has_cells(const struct pack *pack)
{
	for (int i = 0; i < pack->cell_count; i++)
		if (pack->cells_mv[i] == FIELD_UNKNOWN)
			return false;
	return pack->cell_count > 0;
}

struct cell_extreme pack_cell_max(const struct pack *pack)
{
	struct cell_extreme found = {FIELD_UNKNOWN, FIELD_UNKNOWN};

	for (int i = 0; i < pack->cell_count; i++)
		if (pack->cells_mv[i] > found.mv)
			found = (struct cell_extreme){pack->cells_mv[i], i + 1};
	return found;
}

struct cell_extreme pack_cell_min(const struct pack *pack)
{
	struct cell_extreme found = {FIELD_UNKNOWN, FIELD_UNKNOWN};

	for (int i = 0; i < pack->cell_count; i++)
		if (pack->cells_mv[i] != FIELD_UNKNOWN &&
		    (found.mv == FIELD_UNKNOWN || pack->cells_mv[i] < found.mv))
			found = (struct cell_extreme){pack->cells_mv[i], i + 1};
	return found;
}

bool cell_is_dangerous(const struct fusion_config *config, const struct pack *pack)
{
	const struct cell_extreme max = pack_cell_max(pack), min = pack_cell_min(pack);

	return max.mv != FIELD_UNKNOWN &&
	       (max.mv >= config->cell_overvoltage_mv || min.mv <= config->cell_undervoltage_mv);
}

/* What forbids current whichever way it flows. Sensor and wiring faults are not in these lists: the
 * BMS keeps control, and they reach people as warnings. */
#define DANGERS_BOTH                                                               \
	(ALARM_BIT(ALARM_short_circuit) | ALARM_BIT(ALARM_mos_overtemperature) |   \
	 ALARM_BIT(ALARM_internal_fault) | ALARM_BIT(ALARM_current_sensor_fault) | \
	 ALARM_BIT(ALARM_cell_count_mismatch) | ALARM_BIT(ALARM_emergency_stop))

#define DANGERS_CHARGE                                                                   \
	(ALARM_BIT(ALARM_cell_overvoltage) | ALARM_BIT(ALARM_pack_overvoltage) |         \
	 ALARM_BIT(ALARM_charge_overcurrent) | ALARM_BIT(ALARM_charge_overtemperature) | \
	 ALARM_BIT(ALARM_charge_undertemperature) | ALARM_BIT(ALARM_charge_mos_fault))

#define DANGERS_DISCHARGE                                                                      \
	(ALARM_BIT(ALARM_cell_undervoltage) | ALARM_BIT(ALARM_pack_undervoltage) |             \
	 ALARM_BIT(ALARM_discharge_overcurrent) | ALARM_BIT(ALARM_discharge_overtemperature) | \
	 ALARM_BIT(ALARM_discharge_undertemperature) | ALARM_BIT(ALARM_discharge_mos_fault))

alarm_set pack_dangers(enum direction direction)
{
	return DANGERS_BOTH | (direction == CHARGE ? DANGERS_CHARGE : DANGERS_DISCHARGE);
}
