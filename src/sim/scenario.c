// SPDX-License-Identifier: Apache-2.0
/* What a scenario means: the plant at its start, and sun, load and weather at any moment. Only
 * plain arithmetic and hashes, no sines: the same on every machine. The file format is in
 * scenario_load.c and scenario_write.c. */
#include "scenario.h"

#include <math.h>
#include <string.h>

#define DAY_MS         INT64_C(86400000)
#define HOUR_MS        3600000.0
#define COLDEST_H      4.0
#define SUNRISE_H      6.0
#define SUNSET_H       20.0
#define EVENING_H      17.0
#define NIGHT_H        23.0
#define BASE_LOAD      0.15 /* part of the load that is always there */
#define EVENING_LOAD   0.55 /* comes on top in the evening */
#define APPLIANCE_LOAD 0.30 /* switches on and off in steps, as kettles and pumps do */
#define APPLIANCE_MS   180000
#define APPLIANCE_PART 0.35 /* of the time */
#define CLOUD_MS       40000
#define CLOUD_DEPTH    0.85 /* of the sun that a cloud takes */

#define START_SOC_MPCT  50000
#define COLD_MC         (-20000)
#define COLD_RELEASE_MC (-10000)

void scenario_default(struct scenario *scenario)
{
	memset(scenario, 0, sizeof *scenario);
	*scenario = (struct scenario){
		.seed = 1,
		.duration_ms = DAY_MS,
		.pack_count = 4,
		.cell_count = 16,
		.baud = 115200,
		.protocol = "pack/jk-pb",
		.inverter = "can/pylon-lv-1.2",
		.mean_mC = 20000,
		.swing_mC = 4000,
		.start_ms = DAY_MS / 4,
		.sun_w = 8000,
		.cloud_mpct = 30000,
		.load_w = 5000,
	};
	for (int i = 0; i < scenario->pack_count; i++)
		scenario_default_pack(&scenario->packs[i]);
	fusion_config_default(&scenario->battery);
}

void scenario_default_pack(struct scenario_pack *pack)
{
	*pack = (struct scenario_pack){
		.capacity_mah = 314000,
		.soc_mpct = START_SOC_MPCT,
		.wiring_uohm = 13000,
		.cell_uohm = 450,
		.spread_mpct = 200,
		.charge_ma = 157000,
		.discharge_ma = 157000,
	};
}

/* --- sun, load, weather --- */

/* A parabola from 0 at `from` over 1 back to 0 at `to`, 0 outside. */
static double hump(double x, double from, double to)
{
	double u = (x - from) / (to - from);

	return u <= 0 || u >= 1 ? 0 : 4 * u * (1 - u);
}

/* Evenly from 0 to 1, always the same for the same arguments. */
static double hash(uint64_t seed, uint64_t what, int64_t index)
{
	struct sim_random random = {seed ^ (what << 56)};

	random.state += (uint64_t)index * UINT64_C(0xD1B54A32D192ED03);
	return (double)(sim_random_next(&random) >> 11) * 0x1p-53;
}

/* 1 = clear sky. Clouds drift in and out between two moments. */
static double sky(const struct scenario *s, int64_t time_ms)
{
	const int64_t index = time_ms / CLOUD_MS;
	const double part = (double)(time_ms % CLOUD_MS) / CLOUD_MS;
	const double chance = s->cloud_mpct / 100000.0;
	const double a = hash(s->seed, 1, index) < chance ? 1 - CLOUD_DEPTH : 1;
	const double b = hash(s->seed, 1, index + 1) < chance ? 1 - CLOUD_DEPTH : 1;

	return a + (b - a) * part;
}

static double day_power_w(const struct scenario *s, int64_t now_ms)
{
	const int64_t time_ms = s->start_ms + now_ms;
	const double hour = (double)(time_ms % DAY_MS) / HOUR_MS;
	const bool appliance = hash(s->seed, 2, time_ms / APPLIANCE_MS) < APPLIANCE_PART;
	const double load = BASE_LOAD + EVENING_LOAD * hump(hour, EVENING_H, NIGHT_H) +
			    (appliance ? APPLIANCE_LOAD : 0);

	return s->sun_w * hump(hour, SUNRISE_H, SUNSET_H) * sky(s, time_ms) - s->load_w * load;
}

bool scenario_has_firmware(const struct scenario *scenario)
{
	return strcmp(scenario->protocol, "pack/onepack") == 0;
}

double scenario_power_w(const struct scenario *scenario, int64_t now_ms)
{
	double power_w = 0;

	if (scenario->step_count == 0)
		return day_power_w(scenario, now_ms);
	for (int i = 0; i < scenario->step_count && scenario->steps[i].from_ms <= now_ms; i++)
		power_w = scenario->steps[i].power_w;
	return power_w;
}

double scenario_ambient_c(const struct scenario *scenario, int64_t now_ms)
{
	const double hour = (double)((scenario->start_ms + now_ms) % DAY_MS) / HOUR_MS;
	const double since = fmod(hour + 24 - COLDEST_H, 24); /* two parabolas make a wave */
	const double wave = hump(since, 6, 18) - hump(since, 18, 30) - hump(since, -6, 6);

	return (scenario->mean_mC + scenario->swing_mC * wave) / 1000.0;
}

/* --- the plant --- */

static void build_pack(const struct scenario *s, int index, struct plant *plant)
{
	const struct scenario_pack *make = &s->packs[index];
	struct sim_pack *pack = &plant->packs[index];
	struct pack_settings *settings = &pack->bms.settings;
	const double capacity_ah = make->capacity_mah / 1000.0, soc = make->soc_mpct / 100000.0;

	sim_pack_init(pack,
		      &(struct sim_pack_make){.number = index + 1,
					      .cell_count = s->cell_count,
					      .capacity_ah = capacity_ah,
					      .soc = soc,
					      .ambient_c = scenario_ambient_c(s, 0)},
		      &plant->random);
	pack->wiring_ohm = make->wiring_uohm / 1e6;
	for (int i = 0; i < pack->cell_count; i++) {
		struct cell *cell = &pack->cells[i];
		double spread = make->spread_mpct / 100000.0;

		cell->capacity_ah = capacity_ah * (1 + sim_random_spread(&plant->random, 0.005));
		cell->r1_ohm *= make->cell_uohm / 1e6 / cell->r0_ohm;
		cell->r0_ohm =
			make->cell_uohm / 1e6 * (1 + sim_random_spread(&plant->random, 0.05));
		cell->soc = soc + sim_random_spread(&plant->random, spread);
	}
	pack->bms.counted_ah = soc * capacity_ah;
	/* As three of the makers' manuals have it: below 0 degC only the gateway stops charging. */
	settings->charge_undertemperature_mC = COLD_MC;
	settings->charge_undertemperature_release_mC = COLD_RELEASE_MC;
	settings->charge_overcurrent_ma = make->charge_ma;
	settings->discharge_overcurrent_ma = make->discharge_ma;
	sim_pack_step(pack, 0, 0, 1e-6, &plant->random);
}

void scenario_build(const struct scenario *scenario, struct plant *plant)
{
	memset(plant, 0, sizeof *plant);
	plant->random.state = scenario->seed;
	plant->pack_count = scenario->pack_count;
	for (int i = 0; i < scenario->pack_count; i++)
		build_pack(scenario, i, plant);
}

void scenario_drive(const struct scenario *scenario, int64_t now_ms, struct plant *plant,
		    struct sim_inverter *inverter, struct fault_effects *effects)
{
	const struct fault_effects before = *effects;
	const double ambient_c = scenario_ambient_c(scenario, now_ms);

	for (int i = 0; i < plant->pack_count; i++)
		plant->packs[i].ambient_c = ambient_c;
	fault_effects_at(scenario->faults, scenario->fault_count, now_ms, effects);
	fault_apply(effects, &before, plant, inverter);
}
