// SPDX-License-Identifier: Apache-2.0
/* `onepack sim shrink`: makes a failing scenario small. The work is in src/sim/shrink.c. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "onepack/err.h"
#include "sim/shrink.h"
#include "sim/swarm.h"
#include "sim/world.h"
#include "sim_shrink.h"

#define DAY_MS      INT64_C(86400000)
#define RERUN_EVERY 20
#define MOST_TRIES  2000

static const char help[] =
	"usage: onepack sim shrink (--seed N | --scenario FILE) [OPTION]...\n"
	"           makes a scenario that violates an invariant as small as it can be while it still\n"
	"           does, and writes it\n"
	"\n"
	"  --seed N             the scenario that this number draws\n"
	"  --scenario FILE      or the one in this file\n"
	"  --days D             length of a drawn one (1)\n"
	"  --faults LIST        kinds that may occur in it: trip,silent,...; all (default); none\n"
	"  --invariant NAME     the one that must fail (the first that does)\n"
	"  --every N            run each n-th step again with input missing (20)\n"
	"  --cycle S            all packs are polled once in so long (4)\n"
	"  --tries N            give up after so many runs (2000)\n"
	"  --output FILE        where it is written (standard output)\n";

struct plan {
	uint64_t seed, kinds;
	bool has_seed;
	const char *file, *output;
	double days, cycle_s;
	int every, tries;
	/* what is looked for */
	int invariant; /* -1 = the first */
	struct world *world;
	int64_t when_ms;
};

/* --- running --- */

static void on_violation(void *context, const struct violation *v)
{
	struct plan *plan = context;

	if (plan->when_ms >= 0 || (plan->invariant >= 0 && (int)v->invariant != plan->invariant))
		return;
	plan->invariant = (int)v->invariant;
	plan->when_ms = v->time_ms;
	world_stop(plan->world);
}

static int64_t fails(void *context, const struct scenario *scenario)
{
	struct plan *plan = context;
	struct world_options options;

	world_options_default(&options);
	plan->when_ms = -1;
	if (plan->cycle_s > 0)
		options.cycle_ms = (int32_t)(plan->cycle_s * 1000);
	options.invariants = invariants_new(scenario, plan->every, on_violation, plan);
	plan->world = options.invariants ? world_new(scenario, &options, stderr) : NULL;
	if (plan->world)
		world_run(plan->world, scenario->duration_ms);
	world_free(plan->world);
	invariants_free(options.invariants);
	return plan->when_ms;
}

static void progress(void *context, const struct scenario *s, int tries)
{
	const struct plan *plan = context;

	fprintf(stderr, "%5d tries: %s still fails with %3d faults, %2d packs, %.1f s\n", tries,
		invariant_name((enum invariant)plan->invariant), s->fault_count, s->pack_count,
		(double)s->duration_ms / 1000);
}

/* --- options --- */

enum option_key {
	KEY_HELP = 'h',
	KEY_SEED = 256,
	KEY_SCENARIO,
	KEY_DAYS,
	KEY_FAULTS,
	KEY_INVARIANT,
	KEY_EVERY,
	KEY_CYCLE,
	KEY_TRIES,
	KEY_OUTPUT
};

static int wrong(const char *name, const char *text)
{
	fprintf(stderr, "onepack sim: --%s %s: not possible\n%s", name, text, help);
	return 2;
}

static int take_option(struct plan *plan, int key, const char *name, const char *text)
{
	switch (key) {
	case KEY_SEED:
		plan->seed = strtoull(text, NULL, 10);
		plan->has_seed = true;
		return 0;
	case KEY_SCENARIO: plan->file = text; return 0;
	case KEY_OUTPUT: plan->output = text; return 0;
	case KEY_DAYS:
		plan->days = strtod(text, NULL);
		return plan->days > 0 && plan->days <= 366 ? 0 : wrong(name, text);
	case KEY_FAULTS: return fault_parse_kinds(text, &plan->kinds) == 0 ? 0 : wrong(name, text);
	case KEY_INVARIANT:
		plan->invariant = invariant_by_name(text);
		return plan->invariant >= 0 ? 0 : wrong(name, text);
	case KEY_EVERY: plan->every = atoi(text); return plan->every >= 0 ? 0 : wrong(name, text);
	case KEY_CYCLE:
		plan->cycle_s = strtod(text, NULL);
		return plan->cycle_s > 0 && plan->cycle_s <= 60 ? 0 : wrong(name, text);
	case KEY_TRIES: plan->tries = atoi(text); return plan->tries > 0 ? 0 : wrong(name, text);
	default: fputs(help, stderr); return 2;
	}
}

static int read_options(int argc, char **argv, struct plan *plan)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, KEY_HELP},
		{"seed", required_argument, NULL, KEY_SEED},
		{"scenario", required_argument, NULL, KEY_SCENARIO},
		{"days", required_argument, NULL, KEY_DAYS},
		{"faults", required_argument, NULL, KEY_FAULTS},
		{"invariant", required_argument, NULL, KEY_INVARIANT},
		{"every", required_argument, NULL, KEY_EVERY},
		{"cycle", required_argument, NULL, KEY_CYCLE},
		{"tries", required_argument, NULL, KEY_TRIES},
		{"output", required_argument, NULL, KEY_OUTPUT},
		{0},
	};
	int key, index = 0, status = 0;

	*plan = (struct plan){.kinds = FAULT_ALL_KINDS,
			      .days = 1,
			      .every = RERUN_EVERY,
			      .tries = MOST_TRIES,
			      .invariant = -1};
	while (status == 0 && (key = getopt_long(argc, argv, "h", options, &index)) != -1) {
		if (key == KEY_HELP)
			return -1;
		status = take_option(plan, key, key == '?' ? "" : options[index].name, optarg);
	}
	if (status == 0 && (optind < argc || plan->has_seed == !!plan->file)) {
		fputs(help, stderr);
		return 2;
	}
	return status;
}

static int get_scenario(const struct plan *plan, struct scenario *out)
{
	if (plan->file)
		return scenario_load(plan->file, stderr, out) < 0 ? 2 : 0;
	swarm_draw(plan->seed, (int64_t)(plan->days * (double)DAY_MS), plan->kinds, out);
	return 0;
}

static int write_scenario(const struct plan *plan, const struct scenario *scenario)
{
	FILE *out = plan->output ? fopen(plan->output, "w") : stdout;
	int status;

	if (!out) {
		perror(plan->output);
		return 1;
	}
	scenario_write(scenario, out);
	status = ferror(out) ? 1 : 0;
	if (plan->output && fclose(out) != 0)
		status = 1;
	return status;
}

/* --- commands --- */

int sim_shrink(int argc, char **argv)
{
	static struct scenario scenario;
	struct plan plan;
	int tries, status = read_options(argc, argv, &plan);

	if (status == -1)
		fputs(help, stdout);
	if (status)
		return status == -1 ? 0 : status;
	status = get_scenario(&plan, &scenario);
	if (status)
		return status;
	tries = shrink_scenario(&scenario, plan.tries, fails, progress, &plan);
	if (tries < 0) {
		fputs("onepack sim shrink: this scenario violates nothing\n", stderr);
		return 1;
	}
	snprintf(scenario.title, sizeof scenario.title,
		 "%s fails; shrunk in %d runs from %s %" PRIu64,
		 invariant_name((enum invariant)plan.invariant), tries,
		 plan.file ? "a file, seed" : "seed", scenario.seed);
	return write_scenario(&plan, &scenario);
}
