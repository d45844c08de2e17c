// SPDX-License-Identifier: Apache-2.0
/* Clearing of packs and batteries, and the battery's cells seen as one pack. */
#include "onepack/battery.h"

#include <string.h>

void pack_clear(struct pack *pack)
{
	memset(pack, 0, sizeof *pack);
	field_clear(pack, &field_pack);
	field_clear(&pack->settings, &field_settings);
}

void battery_clear(struct battery *battery)
{
	memset(battery, 0, sizeof *battery);
	field_clear(battery, &field_battery);
}

void inverter_view_clear(struct inverter_view *view)
{
	memset(view, 0, sizeof *view);
	field_clear(view, &field_inverter);
}

const char *limit_name(enum limit limit)
{
	static const char *const names[LIMIT_COUNT] = {"charge_current", "discharge_current",
						       "charge_voltage", "discharge_voltage"};

	return (unsigned)limit < LIMIT_COUNT ? names[limit] : NULL;
}

static bool is_online(const struct pack *pack)
{
	return pack->state == PACK_ACTIVE || pack->state == PACK_HELD ||
	       pack->state == FIELD_UNKNOWN;
}

/* Mean of one position over the online packs; FIELD_UNKNOWN if none of them reports it. */
static int32_t mean_at(const struct battery *battery, int position)
{
	int64_t sum = 0;
	int count = 0;

	for (int i = 0; i < battery->pack_count; i++) {
		const struct pack *pack = &battery->packs[i];

		if (!is_online(pack) || position >= pack->cell_count ||
		    pack->cells_mv[position] == FIELD_UNKNOWN)
			continue;
		sum += pack->cells_mv[position];
		count++;
	}
	return count ? (int32_t)((sum + count / 2) / count) : battery->cell_mean_mv;
}

static void overwrite(int32_t *cells_mv, int count, int32_t cell, int32_t value_mv)
{
	if (value_mv != FIELD_UNKNOWN && cell >= 1 && cell <= count)
		cells_mv[cell - 1] = value_mv;
}

int battery_cells(const struct battery *battery, int32_t cells_mv[ONEPACK_MAX_CELLS])
{
	int count = 0;

	for (int i = 0; i < battery->pack_count; i++)
		if (is_online(&battery->packs[i]) && battery->packs[i].cell_count > count)
			count = battery->packs[i].cell_count;
	if (count == 0 && battery->cell_mean_mv != FIELD_UNKNOWN && battery->cells_in_series > 0)
		count = battery->cells_in_series;
	if (count > ONEPACK_MAX_CELLS)
		count = ONEPACK_MAX_CELLS;
	for (int i = 0; i < count; i++)
		cells_mv[i] = mean_at(battery, i);
	overwrite(cells_mv, count, battery->cell_max_cell, battery->cell_max_mv);
	overwrite(cells_mv, count, battery->cell_min_cell, battery->cell_min_mv);
	return count;
}
