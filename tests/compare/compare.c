// SPDX-License-Identifier: Apache-2.0
/* The same incident under different rules: what plain gateways do, what ours does, and what ours
 * does when it is told to add limits instead of sharing them.
 *
 *   compare_rules figures FILE...     a line for each incident and rule
 *   compare_rules trace RULE FILE     a line for each second, for plots
 *
 * Both as CSV. Everything comes from the scenario: the figures are the same on every machine and in
 * every build. compare.py makes tables and plots for docs/fusion.md of them. */
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "plain.h"

#define SECOND_MS  1000
#define EXACT_PART 0.98 /* room for the sensors of BMSs that trip at their limit */

struct rule {
	const char *name;
	enum { OURS, PLAIN, EXACT } kind;
	enum plain_rule plain;
	enum limit_rule ours;
};

static const struct rule rules[] = {
	{"exact", EXACT, PLAIN_SUM, LIMIT_RULE_SHARE},
	{"sum", PLAIN, PLAIN_SUM, LIMIT_RULE_SHARE},
	{"min", PLAIN, PLAIN_MIN, LIMIT_RULE_SHARE},
	{"ratio", PLAIN, PLAIN_RATIO, LIMIT_RULE_SHARE},
	{"our-sum", OURS, PLAIN_SUM, LIMIT_RULE_SUM},
	{"our-min", OURS, PLAIN_SUM, LIMIT_RULE_MIN},
	{"share", OURS, PLAIN_SUM, LIMIT_RULE_SHARE},
};

#define RULES ((int)(sizeof rules / sizeof rules[0]))

struct run {
	const struct scenario *scenario;
	struct world *world;
	struct figures figures;
	int64_t violations;
	bool traces;
};

/* Those about the packs; what a gateway publishes and why is for ours alone to answer for. */
static void on_violation(void *context, const struct violation *violation)
{
	struct run *run = context;

	run->violations += violation->invariant == INVARIANT_pack_over_limit ||
			   violation->invariant == INVARIANT_loss_overloads ||
			   violation->invariant == INVARIANT_protection_used;
}

/* A world_other_rule that knows what nobody can know: what there is to be had at best. */
static void decide_exactly(void *context, const struct fusion_input *input, struct battery *battery)
{
	const struct run *run = context;
	const struct plant *plant = world_plant(run->world);

	(void)input;
	battery->charge_current_limit_ma =
		(int32_t)(1000 * EXACT_PART * measure_possible_a(run->scenario, plant, true));
	battery->discharge_current_limit_ma =
		(int32_t)(1000 * EXACT_PART * measure_possible_a(run->scenario, plant, false));
	plain_finish(battery, &run->scenario->battery);
}

static void print_moment(const struct moment *m, int64_t now_ms)
{
	printf("%lld,%d,%.2f,%.2f,%.2f,%.2f,%d,%.2f,%.2f,%.4f\n", (long long)(now_ms / SECOND_MS),
	       m->charging, m->wish_a, m->possible_a, m->flow_a, m->limit_a, m->worst_pack,
	       m->worst_a, m->worst_limit_a, m->cell_max_v);
}

static void live(struct run *run)
{
	for (int64_t now_ms = SECOND_MS; now_ms <= run->scenario->duration_ms;
	     now_ms += SECOND_MS) {
		struct moment moment;

		world_run(run->world, now_ms);
		moment = measure_moment(run->scenario, run->world, now_ms);
		measure_add(&run->figures, &moment, world_plant(run->world));
		if (run->traces)
			print_moment(&moment, now_ms);
	}
}

/* At the usual pace throughout, so that no second is left out. */
static int run_rule(struct run *run, const struct scenario *given, const struct rule *rule)
{
	static struct scenario scenario;
	struct world_options options;
	struct plain plain;

	scenario = *given;
	scenario.battery.limit_rule = rule->ours;
	run->scenario = &scenario;
	world_options_default(&options);
	options.calm_cycle_ms = options.cycle_ms;
	options.calm_engine_ms = options.engine_ms;
	options.calm_plant_ms = options.plant_ms;
	plain_init(&plain, rule->plain, &scenario.battery);
	if (rule->kind != OURS) {
		options.other_rule = rule->kind == PLAIN ? plain_decide : decide_exactly;
		options.other_context = rule->kind == PLAIN ? (void *)&plain : run;
	}
	options.invariants = invariants_new(&scenario, 0, on_violation, run);
	run->world = options.invariants ? world_new(&scenario, &options, stderr) : NULL;
	if (run->world)
		live(run);
	world_free(run->world);
	invariants_free(options.invariants);
	return run->world ? 0 : 2;
}

static const char *name_of(const char *path, char *name, size_t size)
{
	const char *slash = strrchr(path, '/');

	snprintf(name, size, "%s", slash ? slash + 1 : path);
	name[strcspn(name, ".")] = '\0';
	return name;
}

static void print_figures(const char *incident, const struct rule *rule, const struct run *run)
{
	const struct figures *f = &run->figures;

	printf("%s,%s,%.0f,%.0f,%lld,%.1f,%.2f,%d,%lld\n", incident, rule->name, f->peak.worst_a,
	       f->peak.worst_limit_a, (long long)f->above_s, f->moved_ah, f->cell_max_v,
	       f->protections, (long long)run->violations);
	fflush(stdout);
}

static int run_all(char **paths, int count)
{
	static struct scenario scenario;
	char name[80];

	puts("incident,rule,peak_a,limit_a,above_s,moved_ah,cell_max_v,protections,violations");
	for (int i = 0; i < count; i++) {
		if (scenario_load(paths[i], stderr, &scenario) < 0)
			return 2;
		for (int k = 0; k < RULES; k++) {
			struct run run = {.traces = false};

			if (run_rule(&run, &scenario, &rules[k]))
				return 2;
			print_figures(name_of(paths[i], name, sizeof name), &rules[k], &run);
		}
	}
	return 0;
}

static int print_trace(const char *name, const char *path)
{
	static struct scenario scenario;
	struct run run = {.traces = true};

	if (scenario_load(path, stderr, &scenario) < 0)
		return 2;
	for (int k = 0; k < RULES; k++)
		if (strcmp(rules[k].name, name) == 0) {
			puts("t_s,charging,wish_a,possible_a,flow_a,limit_a,worst_pack,worst_a,"
			     "worst_limit_a,cell_max_v");
			return run_rule(&run, &scenario, &rules[k]);
		}
	fprintf(stderr, "compare_rules: there is no rule '%s'\n", name);
	return 2;
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "figures") == 0)
		return run_all(argv + 2, argc - 2);
	if (argc == 4 && strcmp(argv[1], "trace") == 0)
		return print_trace(argv[2], argv[3]);
	fputs("usage: compare_rules figures FILE...\n       compare_rules trace RULE FILE\n",
	      stderr);
	return 2;
}
