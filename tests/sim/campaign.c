// SPDX-License-Identifier: Apache-2.0
/* Runs many seeds, or the scenario files that are named, and checks every invariant at every step:
 *
 *   campaign seeds FIRST COUNT HOURS [KINDS]    so many seeds, each so long
 *   campaign firmware FIRST COUNT HOURS [KINDS] the same with packs that run the firmware
 *   campaign time SECONDS FIRST HOURS [KINDS]   seeds from the first on, for so much time of one
 * core campaign files FILE...                      each of these scenarios
 *
 * Prints each violation with the command that repeats it, and at the end how much was run, which
 * faults acted, what was checked and what was excused. Exit 1 when anything was violated. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/swarm.h"
#include "sim/world.h"

#define HOUR_MS    INT64_C(3600000)
#define SEED_EVERY 50 /* each so-many-th step is run again with input removed */
#define FILE_EVERY 10

struct tally {
	const char *protocol; /* of the packs; NULL = as drawn */
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

static int run(struct tally *tally, const struct scenario *scenario, int every)
{
	struct world_options options;
	struct invariants_figures figures;
	struct world *world;

	world_options_default(&options);
	options.invariants = invariants_new(scenario, every, tell, tally);
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

/* Until the count is reached or the time is over, whichever is given. */
static int run_seeds(struct tally *tally, uint64_t first, uint64_t count, double budget_s,
		     double hours, const char *list)
{
	static struct scenario scenario;
	uint64_t kinds = FAULT_ALL_KINDS;
	int status = 0;

	if (list && fault_parse_kinds(list, &kinds) < 0) {
		fprintf(stderr, "campaign: no such kinds: %s\n", list);
		return 2;
	}
	for (uint64_t i = 0; status == 0 && i < count && cpu_seconds() < budget_s; i++) {
		swarm_draw(first + i, (int64_t)(hours * HOUR_MS), kinds, &scenario);
		snprintf(tally->command, sizeof tally->command,
			 "onepack sim run --seed %" PRIu64 " --days %g%s%s%s", first + i,
			 hours / 24, tally->protocol ? " --firmware" : "", list ? " --faults " : "",
			 list ? list : "");
		if (tally->protocol)
			strcpy(scenario.protocol, tally->protocol);
		status = run(tally, &scenario, SEED_EVERY);
	}
	return status;
}

static int run_files(struct tally *tally, char **argv, int argc)
{
	static struct scenario scenario;
	int status = 0;

	for (int i = 2; status == 0 && i < argc; i++) {
		if (scenario_load(argv[i], stderr, &scenario) < 0)
			return 2;
		snprintf(tally->command, sizeof tally->command, "onepack sim run --scenario %s",
			 argv[i]);
		status = run(tally, &scenario, FILE_EVERY);
	}
	return status;
}

int main(int argc, char **argv)
{
	static struct tally tally;
	const char *what = argc > 1 ? argv[1] : "", *kinds = argc > 5 ? argv[5] : NULL;
	int status;

	if (strcmp(what, "firmware") == 0)
		tally.protocol = "pack/onepack";
	if ((tally.protocol || strcmp(what, "seeds") == 0) && argc > 4) {
		status = run_seeds(&tally, strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10),
				   1e9, atof(argv[4]), kinds);
	} else if (strcmp(what, "time") == 0 && argc > 4) {
		status = run_seeds(&tally, strtoull(argv[3], NULL, 10), UINT64_MAX, atof(argv[2]),
				   atof(argv[4]), kinds);
	} else if (strcmp(what, "files") == 0) {
		status = run_files(&tally, argv, argc);
	} else {
		fputs("usage: campaign seeds FIRST COUNT HOURS [KINDS]\n"
		      "       campaign firmware FIRST COUNT HOURS [KINDS]\n"
		      "       campaign time SECONDS FIRST HOURS [KINDS]\n"
		      "       campaign files FILE...\n",
		      stderr);
		return 2;
	}
	report(&tally, cpu_seconds());
	return status ? status : tally.violations > 0;
}
