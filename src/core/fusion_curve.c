// SPDX-License-Identifier: Apache-2.0
/* Curves of straight lines, and the documented defaults of the configuration. The figures come from
 * tapers that are in use elsewhere; docs/fusion.md names them. */
#include "onepack/fusion.h"

#include <string.h>

int32_t curve_at(const struct curve *curve, int32_t x)
{
	const int last = curve->count - 1;
	int i = 0;

	if (last < 0)
		return 0;
	if (x <= curve->point[0].x)
		return curve->point[0].y;
	if (x >= curve->point[last].x)
		return curve->point[last].y;
	while (x >= curve->point[i + 1].x)
		i++;
	const int64_t run = (int64_t)curve->point[i + 1].x - curve->point[i].x;
	const int64_t rise = (int64_t)curve->point[i + 1].y - curve->point[i].y;

	return (int32_t)(curve->point[i].y + rise * ((int64_t)x - curve->point[i].x) / run);
}

static void curve_add(struct curve *curve, int32_t x, int32_t y)
{
	curve->point[curve->count].x = x;
	curve->point[curve->count].y = y;
	curve->count++;
}

/* 2 - 2^(u^1.8) for u from 0 to 1: full current at the float voltage, none half-way between the
 * charge target and the over-voltage limit. The chords of this curve lie below it. */
static void default_charge_cell(struct fusion_config *config)
{
	static const struct {
		int32_t u_ppm, y_ppm;
	} shape[] = {{0, 1000000},     {200000, 961005}, {400000, 857511}, {550000, 733436},
		     {700000, 559838}, {850000, 322434}, {950000, 118601}, {1000000, 0}};
	const int32_t from = config->float_target_cell_mv;
	const int32_t to = (config->cell_overvoltage_mv + config->charge_target_cell_mv) / 2;

	config->charge_cell.count = 0;
	for (size_t i = 0; i < sizeof shape / sizeof shape[0]; i++)
		curve_add(&config->charge_cell,
			  from + (int32_t)((int64_t)(to - from) * shape[i].u_ppm / 1000000),
			  shape[i].y_ppm);
}

/* Steps above the lowest permitted cell voltage; with 2.60 V: 3.19, 3.10, 3.00, 2.90, 2.80 V. */
static void default_discharge_cell(struct fusion_config *config)
{
	const int32_t empty = config->cell_undervoltage_mv;

	config->discharge_cell.count = 0;
	curve_add(&config->discharge_cell, empty + 200, 0);
	curve_add(&config->discharge_cell, empty + 300, 5000);
	curve_add(&config->discharge_cell, empty + 400, 50000);
	curve_add(&config->discharge_cell, empty + 500, 250000);
	curve_add(&config->discharge_cell, empty + 590, 1000000);
}

/* Parts of the capacity per hour. No charging below 0 degC: lithium would plate, and many a BMS
 * only stops at -20 degC. */
static void default_temperatures(struct fusion_config *config)
{
	config->charge_temperature.count = config->discharge_temperature.count = 0;
	curve_add(&config->charge_temperature, -1, 0);
	curve_add(&config->charge_temperature, 0, 50000);
	curve_add(&config->charge_temperature, 5000, 120000);
	curve_add(&config->charge_temperature, 10000, 300000);
	curve_add(&config->charge_temperature, 20000, 500000);
	curve_add(&config->charge_temperature, 55000, 500000);
	curve_add(&config->charge_temperature, 60000, 0);
	curve_add(&config->discharge_temperature, -30000, 0);
	curve_add(&config->discharge_temperature, -20000, 500000);
	curve_add(&config->discharge_temperature, 55000, 500000);
	curve_add(&config->discharge_temperature, 60000, 0);
}

/* Full current to 70 degC, a quarter at 80, none at 90. */
static void default_switches(struct fusion_config *config)
{
	config->mos_temperature.count = 0;
	curve_add(&config->mos_temperature, 70000, 1000000);
	curve_add(&config->mos_temperature, 80000, 250000);
	curve_add(&config->mos_temperature, 90000, 0);
}

void fusion_config_default_curves(struct fusion_config *config)
{
	default_charge_cell(config);
	default_discharge_cell(config);
	default_temperatures(config);
	default_switches(config);
}

#define KEY_SUFFIX_V     "_v"
#define KEY_SUFFIX_A     "_a"
#define KEY_SUFFIX_PCT   "_pct"
#define KEY_SUFFIX_C     "_c"
#define KEY_SUFFIX_S     "_s"
#define KEY_SUFFIX_COUNT ""
#define KEY_SUFFIX_FLAG  ""

#define ROW(group, name, unit, normal, low, high, meaning)         \
	{#name KEY_SUFFIX_##unit,                                  \
	 group,                                                    \
	 UNIT_##unit,                                              \
	 normal,                                                   \
	 low,                                                      \
	 high,                                                     \
	 offsetof(struct fusion_config, FIELD_MEMBER(name, unit)), \
	 meaning},

const struct fusion_key fusion_keys[] = {
#define X(...) ROW("Main settings", __VA_ARGS__)
	ONEPACK_FUSION_MAIN_KEYS(X)
#undef X
#define X(...) ROW("What is believed, and for how long", __VA_ARGS__)
		ONEPACK_FUSION_BELIEF_KEYS(X)
#undef X
#define X(...) ROW("Details of the rules", __VA_ARGS__)
			ONEPACK_FUSION_DETAIL_KEYS(X)
#undef X
};

const int fusion_key_count = (int)(sizeof fusion_keys / sizeof fusion_keys[0]);

void fusion_config_default(struct fusion_config *config)
{
	memset(config, 0, sizeof *config);
#define X(name, unit, normal, low, high, meaning) config->FIELD_MEMBER(name, unit) = normal;
	ONEPACK_FUSION_KEYS(X)
#undef X
	config->limit_rule = LIMIT_RULE_SHARE;
	config->soc_basis = SOC_BASIS_USABLE;
	config->cvl_policy = CVL_UNFINISHED;
	fusion_config_default_curves(config);
}
