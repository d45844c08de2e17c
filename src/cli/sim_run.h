// SPDX-License-Identifier: Apache-2.0
/* One simulated run: a scenario through a world, with everything checked and counted. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "sim/swarm.h"
#include "sim/world.h"

/* What all runs of one command have in common. */
struct run_plan {
	const char *scenario_path; /* NULL = each seed draws its own */
	const char *faults;        /* as written; "swarm" = all that there are */
	uint64_t kinds;            /* of faults that may occur */
	double days;               /* 0 = as the scenario says, or one */
	int packs;                 /* 0 = as drawn */
	bool firmware;             /* packs that run the firmware, whatever the scenario says */
	int check_every;           /* each so-many-th step is run again with input removed */
	struct world_options world;
	const char *trace_path; /* NULL = none */
	bool quiet;
	bool paced; /* the pace was set by hand, and belongs into the command that repeats a run */
};

struct run_result {
	bool failed; /* it could not be run at all */
	uint64_t seed;
	struct world_figures world;
	struct invariants_figures checks;
	int64_t faults[FAULT_KINDS]; /* injected, by kind */
	double cpu_s, rack_days;
	struct violation first; /* if there was one */
	int violations;
};

/* The scenario of a seed: drawn, or the file's with its own seed unless `seeded`. 0, or 2 after
 * complaints. */
int run_scenario(const struct run_plan *plan, uint64_t seed, bool seeded, struct scenario *out);

/* Runs it. Violations are printed to `report` as they come; progress goes to stderr. */
void run_once(const struct run_plan *plan, const struct scenario *scenario, FILE *report,
	      struct run_result *out);

/* Faults and invariants, for people. */
void run_list_words(void);

/* The command that repeats a run. */
void run_print_command(const struct run_plan *plan, uint64_t seed, FILE *out);

/* Adds a result to a sum. */
void run_add(struct run_result *sum, const struct run_result *one);
void run_print_summary(const struct run_result *sum, int runs, double wall_s, FILE *out);

int sim_run(int argc, char **argv);
