// SPDX-License-Identifier: Apache-2.0
/* The simple keys of a scenario file, once for reading and for writing: X(struct, member, key,
 * scale, low, high). scale is 1000 for decimals (the member counts thousandths), 1 for whole
 * numbers. Private to scenario_load.c and scenario_write.c. */
#pragma once

#include <stddef.h>

#include "scenario.h"

struct scenario_key {
	const char *name;
	size_t offset;
	int scale;
	int64_t low, high; /* in the member's unit */
};

#define SCENARIO_KEY(type, member, name, scale, low, high)            \
	{                                                             \
		name, offsetof(struct type, member), scale, low, high \
	}

static const struct scenario_key scenario_pack_keys[] = {
	SCENARIO_KEY(scenario_pack, capacity_mah, "capacity_ah", 1000, 1000, 2000000),
	SCENARIO_KEY(scenario_pack, soc_mpct, "soc_pct", 1000, 0, 100000),
	SCENARIO_KEY(scenario_pack, wiring_uohm, "wiring_mohm", 1000, 500, 1000000),
	SCENARIO_KEY(scenario_pack, cell_uohm, "cell_mohm", 1000, 50, 20000),
	SCENARIO_KEY(scenario_pack, spread_mpct, "spread_pct", 1000, 0, 20000),
	SCENARIO_KEY(scenario_pack, charge_ma, "charge_a", 1000, 1000, 1000000),
	SCENARIO_KEY(scenario_pack, discharge_ma, "discharge_a", 1000, 1000, 1000000),
	{NULL, 0, 0, 0, 0},
};

static const struct scenario_key scenario_weather_keys[] = {
	SCENARIO_KEY(scenario, mean_mC, "mean_c", 1000, -40000, 60000),
	SCENARIO_KEY(scenario, swing_mC, "swing_c", 1000, 0, 30000),
	{NULL, 0, 0, 0, 0},
};

static const struct scenario_key scenario_power_keys[] = {
	SCENARIO_KEY(scenario, sun_w, "sun_w", 1, 0, 1000000),
	SCENARIO_KEY(scenario, cloud_mpct, "cloud_pct", 1000, 0, 100000),
	SCENARIO_KEY(scenario, load_w, "load_w", 1, 0, 1000000),
	{NULL, 0, 0, 0, 0},
};
