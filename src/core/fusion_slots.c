// SPDX-License-Identifier: Apache-2.0
/* Small facts about one pack that several rules need. */
#include <string.h>

#include "fusion_state.h"

/* Its lowest cell is at the end of discharge, or was and has not recovered (E): a rest lets it rise
 * again, but brings no charge. */
bool slot_is_empty(const struct slot *slot)
{
	return slot->cells.is_complete && slot->latch_ppm[DISCHARGE] == 0;
}

/* Everything about the pack in a place; the place itself, its bus timing and the marks that tell
 * duplicates stay. */
void slot_forget(struct slot *slot)
{
	const struct slot old = *slot;

	memset(slot, 0, sizeof *slot);
	pack_clear(&slot->good);
	slot->cells = pack_cells(&slot->good);
	slot->seen = old.seen;
	slot->first_ms = old.first_ms;
	slot->answer_ms = old.answer_ms;
	memcpy(slot->interval_ms, old.interval_ms, sizeof slot->interval_ms);
	slot->interval_count = old.interval_count;
	slot->cycle_ms = old.cycle_ms;
	slot->quarantine = old.quarantine;
	slot->duplicate_ms = old.duplicate_ms;
	slot->serial = old.serial;
	slot->accepted = old.accepted;
	slot->capacity.now = slot->capacity.before = FIELD_UNKNOWN;
	slot->cycles.now = slot->cycles.before = FIELD_UNKNOWN;
	slot->capacity_mah = slot->charge_voltage_mv = FIELD_UNKNOWN;
	slot->discharge_voltage_mv = slot->mos_temperature_mC = FIELD_UNKNOWN;
	slot->agree_ms = -1;
	share_set(&slot->share, 1, 1000000);
	for (int d = 0; d < DIRECTIONS; d++) {
		slot->latch_ppm[d] = 1000000;
		slot->critical_ms[d] = -1;
	}
}

struct cells pack_cells(const struct pack *pack)
{
	struct cells cells = {.min = {FIELD_UNKNOWN, FIELD_UNKNOWN},
			      .max = {FIELD_UNKNOWN, FIELD_UNKNOWN}};

	for (int i = 0; i < pack->cell_count; i++) {
		const int32_t mv = pack->cells_mv[i];

		if (mv == FIELD_UNKNOWN)
			continue;
		if (cells.known == 0 || mv < cells.min.mv)
			cells.min = (struct cell_extreme){mv, i + 1};
		if (mv > cells.max.mv)
			cells.max = (struct cell_extreme){mv, i + 1};
		cells.sum_mv += mv;
		cells.known++;
	}
	cells.is_complete = cells.known > 0 && cells.known == pack->cell_count;
	return cells;
}

bool cells_are_dangerous(const struct fusion_config *config, const struct cells *cells)
{
	return cells->known > 0 && (cells->max.mv >= config->cell_overvoltage_mv ||
				    cells->min.mv <= config->cell_undervoltage_mv);
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
