// SPDX-License-Identifier: Apache-2.0
/* A battery that knows all that inverters ask for, and permits what it is told to. */
#pragma once

#include "onepack/battery.h"

static inline struct battery willing(double charge_a, double discharge_a)
{
	struct battery b;

	battery_clear(&b);
	b.state = BATTERY_STANDBY;
	b.voltage_mv = 52800;
	b.current_ma = 0;
	b.soc_mpct = 60000;
	b.soh_mpct = 100000;
	b.temperature_mC = b.temperature_min_mC = b.temperature_max_mC = 25000;
	b.mos_temperature_max_mC = 30000;
	b.temperature_min_pack = b.temperature_max_pack = 1;
	b.capacity_mah = 5000000;
	b.remaining_mah = 3000000;
	b.cycles = 60;
	b.cells_in_series = 16;
	b.cell_min_mv = b.cell_max_mv = b.cell_mean_mv = 3300;
	b.cell_min_pack = b.cell_max_pack = b.cell_min_cell = b.cell_max_cell = 1;
	b.packs_online = b.packs_total = 16;
	b.charge_voltage_limit_mv = 55200;
	b.discharge_voltage_limit_mv = 46000;
	b.charge_current_limit_ma = (int32_t)(charge_a * 1000);
	b.discharge_current_limit_ma = (int32_t)(discharge_a * 1000);
	b.charge_allowed = charge_a > 0;
	b.discharge_allowed = discharge_a > 0;
	return b;
}
