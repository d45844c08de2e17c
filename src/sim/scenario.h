// SPDX-License-Identifier: Apache-2.0
/* A scenario: everything that decides a simulated run. A rack, an inverter, weather, sun and load,
 * the `battery:` section of the gateway, and a list of faults. The same scenario gives the same run
 * on every machine. It is drawn from a seed (swarm.h) or read from a YAML file, and can be written
 * as one; docs/simulation.md describes the format. Plain data, no pointers. */
#pragma once

#include <stdio.h>

#include "fault.h"
#include "onepack/fusion.h"

#define SCENARIO_MAX_FAULTS 256
#define SCENARIO_MAX_STEPS  64
#define SCENARIO_TEXT_SIZE  64
#define SCENARIO_TITLE_SIZE 160

struct scenario_pack {
	int32_t capacity_mah; /* true and stated */
	int32_t soc_mpct;     /* at the start, true and counted */
	int32_t wiring_uohm;  /* bus bars, switches, cable */
	int32_t cell_uohm;    /* the instant resistance of each cell */
	int32_t spread_mpct;  /* the charge of its cells differs by up to so much either way */
	int32_t charge_ma, discharge_ma; /* where its BMS trips, and what it states as its limits */
};

/* What sun and load want: a step of power from a time on, positive = charge. */
struct scenario_step {
	int64_t from_ms;
	int32_t power_w;
};

struct scenario {
	char title[SCENARIO_TITLE_SIZE];
	uint64_t seed; /* of noise and of small differences */
	int64_t duration_ms;
	int32_t pack_count, cell_count;
	struct scenario_pack packs[ONEPACK_MAX_PACKS];
	uint32_t baud;                     /* of the pack line */
	char protocol[SCENARIO_TEXT_SIZE]; /* of the packs: pack/jk-pb, or pack/onepack: firmware */
	char inverter[SCENARIO_TEXT_SIZE]; /* protocol id, which is also its brand */
	int32_t mean_mC, swing_mC;         /* coldest at 4 h, hottest at 16 h */
	/* Either steps, which stay until the next, or (none) a day: sun from 6 to 20 h with clouds,
	 * a load that peaks in the evening. Time 0 is start_ms after midnight. */
	int64_t start_ms;
	int32_t sun_w, cloud_mpct, load_w;
	int32_t step_count;
	struct scenario_step steps[SCENARIO_MAX_STEPS];
	struct fusion_config battery;
	int32_t fault_count;
	struct fault faults[SCENARIO_MAX_FAULTS];
};

/* Four alike packs of 314 Ah at 50 %, a Pylontech-type inverter, a mild day, no faults. */
void scenario_default(struct scenario *scenario);

void scenario_default_pack(struct scenario_pack *pack);

/* Whether its packs run this project's firmware. */
bool scenario_has_firmware(const struct scenario *scenario);

/* 0, or ERR_FORMAT after complaints with places to `errors` (NULL = nowhere); *out is
 * untouched then. */
int scenario_load(const char *path, FILE *errors, struct scenario *out);
int scenario_parse(const char *name, const char *text, size_t length, FILE *errors,
		   struct scenario *out);

/* The YAML that scenario_parse reads back as exactly the same scenario. */
void scenario_write(const struct scenario *scenario, FILE *out);

/* What sun and load want at a time, and the air round the packs. */
double scenario_power_w(const struct scenario *scenario, int64_t now_ms);
double scenario_ambient_c(const struct scenario *scenario, int64_t now_ms);

/* The plant at time 0. */
void scenario_build(const struct scenario *scenario, struct plant *plant);

/* Before each step of the plant: the weather and the physical faults of that moment; `effects` is
 * both the effects of the last call (fault_effects_at of no faults at first) and the new ones. */
void scenario_drive(const struct scenario *scenario, int64_t now_ms, struct plant *plant,
		    struct sim_inverter *inverter, struct fault_effects *effects);
