// SPDX-License-Identifier: Apache-2.0
/* Runs many seeds, or the scenario files that are named, and checks every invariant at every step:
 *
 *   campaign SECONDS_OF_CPU HOURS_EACH FIRST_SEED [KINDS]   seeds until the time is over
 *   campaign FILE...                                        each of these scenarios
 *
 * Prints each violation with the command that repeats it, and at the end how much was run, which
 * faults acted, what was checked and what was excused. Exit 1 when anything was violated. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/swarm.h"
#include "sim/world.h"

#define HOUR_MS     INT64_C(3600000)
#define RERUN_EVERY 50

struct tally {
	double rack_days, pack_days;
	int64_t runs, violations;
	int64_t faults[FAULT_KINDS];
	struct invariants_figures figures;
	char command[300]; /* that repeats the present run */
};

static void tell(void *context, const struct violation *v)
{
	struct tally *tally = context;

	tally->violations++;
	printf("VIOLATION %s at %.3f s", invariant_name(v->invariant), (double)v->time_ms / 1000);
	if (v->pack != FIELD_UNKNOWN)
		printf(", pack %" PRId32, v->pack);
	printf(": %s\n  %s\n", v->text, tally->command);
	fflush(stdout);
}

static int run(struct tally *tally, const struct scenario *scenario)
{
	struct world_options options;
	struct invariants_figures figures;
	struct world *world;

	world_options_default(&options);
	options.invariants = invariants_new(scenario, RERUN_EVERY, tell, tally);
	world = options.invariants ? world_new(scenario, &options, stderr) : NULL;
	if (!world)
		return 2;
	world_run(world, scenario->duration_ms);
	invariants_get_figures(options.invariants, &figures);
	world_free(world);
	invariants_free(options.invariants);

	tally->runs++;
	tally->rack_days += (double)scenario->duration_ms / (24.0 * HOUR_MS);
	tally->pack_days += (double)scenario->duration_ms / (24.0 * HOUR_MS) * scenario->pack_count;
	for (int i = 0; i < scenario->fault_count; i++)
		tally->faults[scenario->faults[i].kind]++;
	for (int i = 0; i < INVARIANT_COUNT; i++) {
		tally->figures.checks[i] += figures.checks[i];
		tally->figures.excused[i] += figures.excused[i];
		tally->figures.violations[i] += figures.violations[i];
	}
	return 0;
}

static void report(const struct tally *tally, double cpu_s)
{
	printf("%" PRId64 " runs, %.2f rack-days, %.1f pack-days in %.1f s of one core: %.2f "
	       "rack-days/s\nfaults:",
	       tally->runs, tally->rack_days, tally->pack_days, cpu_s, tally->rack_days / cpu_s);
	for (int i = 0; i < FAULT_KINDS; i++)
		if (tally->faults[i])
			printf(" %s %" PRId64, fault_info((enum fault_kind)i)->name,
			       tally->faults[i]);
	printf("\n%-18s %14s %10s %10s\n", "invariant", "checked", "excused", "violated");
	for (int i = 0; i < INVARIANT_COUNT; i++)
		printf("%-18s %14" PRId64 " %10" PRId64 " %10" PRId64 "\n",
		       invariant_name((enum invariant)i), tally->figures.checks[i],
		       tally->figures.excused[i], tally->figures.violations[i]);
}

static double cpu_seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static int run_seeds(struct tally *tally, char **argv, int argc)
{
	const double budget_s = atof(argv[1]), hours = atof(argv[2]);
	uint64_t seed = strtoull(argv[3], NULL, 10), kinds = FAULT_ALL_KINDS;
	static struct scenario scenario;
	int status = 0;

	if (argc > 4 && fault_parse_kinds(argv[4], &kinds) < 0) {
		fprintf(stderr, "campaign: no such kinds: %s\n", argv[4]);
		return 2;
	}
	for (; status == 0 && cpu_seconds() < budget_s; seed++) {
		swarm_draw(seed, (int64_t)(hours * HOUR_MS), kinds, &scenario);
		snprintf(tally->command, sizeof tally->command,
			 "onepack sim run --seed %" PRIu64 " --days %g%s%s", seed, hours / 24,
			 argc > 4 ? " --faults " : "", argc > 4 ? argv[4] : "");
		status = run(tally, &scenario);
	}
	return status;
}

static int run_files(struct tally *tally, char **argv, int argc)
{
	static struct scenario scenario;
	int status = 0;

	for (int i = 1; status == 0 && i < argc; i++) {
		if (scenario_load(argv[i], stderr, &scenario) < 0)
			return 2;
		snprintf(tally->command, sizeof tally->command, "onepack sim run --scenario %s",
			 argv[i]);
		status = run(tally, &scenario);
	}
	return status;
}

int main(int argc, char **argv)
{
	static struct tally tally;
	int status;

	if (argc < 2) {
		fputs("usage: campaign SECONDS HOURS FIRST_SEED [KINDS] | campaign FILE...\n",
		      stderr);
		return 2;
	}
	status = argc >= 4 && atof(argv[1]) > 0 ? run_seeds(&tally, argv, argc)
						: run_files(&tally, argv, argc);
	report(&tally, cpu_seconds());
	return status ? status : tally.violations > 0;
}
