// SPDX-License-Identifier: Apache-2.0
/* One run and what is told about it; the loop over seeds is in sim_run.c. The clock is looked at
 * for progress and speed only. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim_run.h"

#define DAY_MS      86400000.0
#define HOUR_MS     INT64_C(3600000)
#define PROGRESS_S  2
#define MAX_PRINTED 5

/* --- the scenario --- */

static void set_packs(struct scenario *scenario, int packs)
{
	for (int i = scenario->pack_count; i < packs; i++)
		scenario->packs[i] = scenario->packs[0];
	scenario->pack_count = packs;
}

int run_scenario(const struct run_plan *plan, uint64_t seed, bool seeded, struct scenario *out)
{
	double days = plan->days > 0 ? plan->days : 1;
	int err = 0;

	if (!plan->scenario_path)
		swarm_draw(seed, (int64_t)(days * DAY_MS), plan->kinds, out);
	else
		err = scenario_load(plan->scenario_path, stderr, out);
	if (err < 0) {
		if (err != ERR_FORMAT)
			fprintf(stderr, "onepack sim run: %s: %s\n", plan->scenario_path,
				strerror(-err));
		return 2;
	}
	if (plan->scenario_path && plan->days > 0)
		out->duration_ms = (int64_t)(plan->days * DAY_MS);
	if (plan->scenario_path && seeded)
		out->seed = seed;
	if (plan->packs > 0)
		set_packs(out, plan->packs);
	if (plan->firmware)
		strcpy(out->protocol, "pack/onepack");
	return 0;
}

void run_print_command(const struct run_plan *plan, uint64_t seed, FILE *out)
{
	fputs("onepack sim run", out);
	if (plan->scenario_path)
		fprintf(out, " --scenario %s", plan->scenario_path);
	fprintf(out, " --seed %" PRIu64, seed);
	if (plan->days > 0)
		fprintf(out, " --days %g", plan->days);
	if (plan->packs > 0)
		fprintf(out, " --packs %d", plan->packs);
	if (plan->firmware)
		fputs(" --firmware", out);
	if (!plan->scenario_path && strcmp(plan->faults, "swarm") != 0)
		fprintf(out, " --faults %s", plan->faults);
	if (plan->paced)
		fprintf(out, " --cycle %g --engine %g --calm %g --plant %g",
			plan->world.cycle_ms / 1000.0, plan->world.engine_ms / 1000.0,
			plan->world.calm_cycle_ms / 1000.0, plan->world.plant_ms / 1000.0);
	fprintf(out, " --check-every %d\n", plan->check_every);
}

/* --- words --- */

void run_list_words(void)
{
	puts("Faults (--faults):");
	for (int i = 0; i < FAULT_KINDS; i++) {
		const struct fault_info *info = fault_info((enum fault_kind)i);

		if (info->unit[0])
			printf("  %-22s %s, %g to %g %s\n", info->name, info->meaning, info->low,
			       info->high, info->unit);
		else
			printf("  %-22s %s\n", info->name, info->meaning);
	}
	puts("\nInvariants, checked at every step:");
	for (int i = 0; i < INVARIANT_COUNT; i++)
		printf("  %-22s %s\n", invariant_name((enum invariant)i),
		       invariant_promise((enum invariant)i));
}

/* --- running --- */

struct run {
	const struct run_plan *plan;
	const struct scenario *scenario;
	struct run_result *result;
	FILE *report;
};

static void on_violation(void *context, const struct violation *violation)
{
	struct run *run = context;
	double t_s = (double)violation->time_ms / 1000;

	if (run->result->violations++ == 0)
		run->result->first = *violation;
	if (run->result->violations <= MAX_PRINTED)
		fprintf(run->report, "violation at %.1f s of seed %" PRIu64 ": %s: %s\n", t_s,
			run->result->seed, invariant_name(violation->invariant), violation->text);
	if (run->result->violations == MAX_PRINTED + 1)
		fprintf(run->report, "more violations of seed %" PRIu64 " are only counted\n",
			run->result->seed);
}

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void count_faults(const struct scenario *scenario, int64_t *faults)
{
	for (int i = 0; i < scenario->fault_count; i++)
		if (scenario->faults[i].start_ms < scenario->duration_ms)
			faults[scenario->faults[i].kind]++;
}

/* An hour at a time, so that there is something to tell meanwhile. */
static void run_hours(const struct run *run, struct world *world)
{
	int64_t end_ms = run->scenario->duration_ms;
	double begun_s = seconds(CLOCK_MONOTONIC), told_s = begun_s;
	bool tells = !run->plan->quiet && isatty(STDERR_FILENO);

	for (int64_t at_ms = 0; at_ms < end_ms;) {
		double now_s;

		at_ms = at_ms + HOUR_MS < end_ms ? at_ms + HOUR_MS : end_ms;
		world_run(world, at_ms);
		now_s = seconds(CLOCK_MONOTONIC);
		if (!tells || now_s - told_s < PROGRESS_S)
			continue;
		told_s = now_s;
		fprintf(stderr, "\rseed %" PRIu64 ": day %.1f of %.1f, %.0f times as fast as life ",
			run->result->seed, (double)at_ms / DAY_MS, (double)end_ms / DAY_MS,
			(double)at_ms / 1000 / (now_s - begun_s));
	}
	if (told_s > begun_s)
		fputs("\r\033[K", stderr);
}

static FILE *open_trace(const struct run_plan *plan)
{
	FILE *trace = NULL;

	if (!plan->trace_path)
		return NULL;
	trace = strcmp(plan->trace_path, "-") == 0 ? stdout : fopen(plan->trace_path, "w");
	if (!trace)
		perror(plan->trace_path);
	return trace;
}

void run_once(const struct run_plan *plan, const struct scenario *scenario, FILE *report,
	      struct run_result *out)
{
	struct run run = {plan, scenario, out, report};
	struct world_options options = plan->world;
	struct world *world = NULL;
	double begun_s = seconds(CLOCK_PROCESS_CPUTIME_ID);

	memset(out, 0, sizeof *out);
	out->seed = scenario->seed;
	out->failed = true;
	options.trace = open_trace(plan);
	options.invariants = invariants_new(scenario, plan->check_every, on_violation, &run);
	if (options.invariants && (options.trace || !plan->trace_path))
		world = world_new(scenario, &options, stderr);
	if (world) {
		run_hours(&run, world);
		out->failed = false;
		out->rack_days = (double)scenario->duration_ms / DAY_MS;
		count_faults(scenario, out->faults);
		world_get_figures(world, &out->world);
		invariants_get_figures(options.invariants, &out->checks);
	}
	world_free(world);
	invariants_free(options.invariants);
	if (options.trace && options.trace != stdout)
		fclose(options.trace);
	out->cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID) - begun_s;
}

/* --- telling --- */

void run_add(struct run_result *sum, const struct run_result *one)
{
	sum->failed |= one->failed;
	sum->violations += one->violations;
	sum->cpu_s += one->cpu_s;
	sum->rack_days += one->rack_days;
	for (int i = 0; i < FAULT_KINDS; i++)
		sum->faults[i] += one->faults[i];
	for (int i = 0; i < INVARIANT_COUNT; i++) {
		sum->checks.checks[i] += one->checks.checks[i];
		sum->checks.excused[i] += one->checks.excused[i];
		sum->checks.violations[i] += one->checks.violations[i];
	}
	sum->world.polls += one->world.polls;
	sum->world.samples += one->world.samples;
	sum->world.engine_steps += one->world.engine_steps;
	sum->world.frames += one->world.frames;
	sum->world.restarts += one->world.restarts;
	sum->world.calm_ms += one->world.calm_ms;
	sum->world.start_j += one->world.start_j;
	sum->world.stored_j += one->world.stored_j;
	sum->world.terminal_j += one->world.terminal_j;
	sum->world.heat_j += one->world.heat_j;
	sum->world.digest = sum->world.digest * 31 + one->world.digest;
}

static double kwh(double joules)
{
	return joules / 3.6e6;
}

static void print_faults(const struct run_result *sum, FILE *out)
{
	int64_t total = 0;
	int column = 0;

	for (int i = 0; i < FAULT_KINDS; i++)
		total += sum->faults[i];
	fprintf(out, "faults injected: %" PRId64 "\n", total);
	for (int i = 0; i < FAULT_KINDS; i++) {
		if (sum->faults[i] == 0)
			continue;
		fprintf(out, "  %-22s %6" PRId64 "%s", fault_info((enum fault_kind)i)->name,
			sum->faults[i], ++column % 3 ? "" : "\n");
	}
	if (column % 3)
		fputc('\n', out);
}

static void print_checks(const struct run_result *sum, FILE *out)
{
	fprintf(out, "invariants:              checked    excused  violated\n");
	for (int i = 0; i < INVARIANT_COUNT; i++)
		fprintf(out, "  %-16s %13" PRId64 " %10" PRId64 " %9" PRId64 "\n",
			invariant_name((enum invariant)i), sum->checks.checks[i],
			sum->checks.excused[i], sum->checks.violations[i]);
}

void run_print_summary(const struct run_result *sum, int runs, double wall_s, FILE *out)
{
	const struct world_figures *w = &sum->world;

	if (sum->rack_days <= 0)
		return;
	fprintf(out,
		"%d run%s, %.2f rack-days in %.1f s (%.1f s of one core: %.2f rack-days a second)\n"
		"polls %" PRIu64 ", samples %" PRIu64 ", engine steps %" PRIu64 ", frames %" PRIu64
		", restarts %" PRIu64 ", %.0f %% calm\n",
		runs, runs == 1 ? "" : "s", sum->rack_days, wall_s, sum->cpu_s,
		sum->rack_days / sum->cpu_s, w->polls, w->samples, w->engine_steps, w->frames,
		w->restarts, (double)w->calm_ms / DAY_MS / sum->rack_days * 100);
	fprintf(out,
		"energy: %+.3f kWh over the terminals = %+.3f kWh in the cells + %.3f kWh of heat, "
		"%+.6f kWh open\n",
		kwh(w->terminal_j), kwh(w->stored_j - w->start_j), kwh(w->heat_j),
		kwh(w->terminal_j - (w->stored_j - w->start_j) - w->heat_j));
	print_faults(sum, out);
	print_checks(sum, out);
	fprintf(out, "digest %016" PRIx64 ", violations %d\n", w->digest, sum->violations);
}
