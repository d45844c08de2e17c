// SPDX-License-Identifier: Apache-2.0
/* onepack sim run: simulated years of a whole site, one run for each seed. A run has one thread and
 * no state outside; several seeds are run in several processes if that is wanted. */
#include "sim_run.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_JOBS      64
#define MOST_RUNS     1000000000
#define CHECK_USUALLY 50

static const char help[] =
	"usage: onepack sim run [OPTION]...\n"
	"\n"
	"Lets a whole site live in virtual time: the real gateway (polling, fusion, inverter protocol)\n"
	"between simulated packs and a simulated inverter, with sun, load and faults, as fast as the\n"
	"machine can. Everything comes from the seed: the same seed gives the same run, on every\n"
	"machine. After each step it checks what must always be true; ends with 1 if something was not.\n"
	"\n"
	"  --seed N          the run to make (1)\n"
	"  --seeds A-B       all of these, one after another\n"
	"  --count N         so many, from --seed on\n"
	"  --for SECONDS     as many as that much time of one core allows, from --seed on\n"
	"  -j N              several at once, each in its own process (1)\n"
	"  --days D          how long each is (1, or as the scenario says); 0.5 is fine\n"
	"  --faults LIST     which kinds of faults may occur: names with commas, `none`, or `swarm`:\n"
	"                    each seed draws its own mixture of all (the default); --list shows them\n"
	"  --packs N         how many packs (as drawn from the seed)\n"
	"  --firmware        packs that run this project's firmware instead of JK packs\n"
	"  --scenario FILE   not drawn from the seed, but as this file says; see --show\n"
	"  --show            prints the scenario that would be run, as such a file, and ends\n"
	"  --trace FILE      what the packs answered, what the gateway made of it, and the truth: a\n"
	"                    line of JSON for each step, which `onepack fuse` reads, too; - = stdout\n"
	"  --quiet           no progress; a summary only if something is wrong\n"
	"  --list            lists faults and invariants\n"
	"\n"
	"The pace, in seconds. What happens is seen as soon as with the first two; while nothing does,\n"
	"less is asked, which is three times as fast:\n"
	"  --cycle S         all packs are polled once in so long (2; 0 = as fast as the line can)\n"
	"  --engine S        the engine makes a step at least so often (1), below 2.5\n"
	"  --calm S          the poll cycle while nothing happens (6; 0 = no slower)\n"
	"  --plant S         step of packs and inverter (1)\n"
	"  --check-every N   each so-many-th step is run again with input removed (50, 0 = none)\n"
	"\n"
	"Examples:\n"
	"  onepack sim run --seed 7 --days 3\n"
	"  onepack sim run --count 200 -j 2\n"
	"  onepack sim run --seed 7 --faults silent,answer_late --trace - | jq .battery.reasons[0].text\n"
	"  onepack sim run --seed 7 --show > mine.yaml; onepack sim run --scenario mine.yaml\n";

struct command {
	struct run_plan plan;
	uint64_t first, last, count; /* seeds; count 0 = up to `last` */
	double cpu_s;                /* no new run after so much time; 0 = no such end */
	bool seeded, show;
	int jobs;
};

static int wrong(const char *option, const char *text, const char *what)
{
	fprintf(stderr, "onepack sim run: --%s %s: should be %s\n", option, text, what);
	return 2;
}

static int get_number(const char *name, const char *text, double low, double high, double *out)
{
	char *end, what[80];
	double value = strtod(text, &end);

	snprintf(what, sizeof what, "a number from %g to %g", low, high);
	if (*text == '\0' || *end != '\0' || !(value >= low && value <= high))
		return wrong(name, text, what);
	*out = value;
	return 0;
}

static int get_seeds(const char *text, struct command *c)
{
	int used = 0, n = sscanf(text, "%" SCNu64 "-%" SCNu64 "%n", &c->first, &c->last, &used);

	if (n != 2 || text[used] != '\0' || c->last < c->first)
		return wrong("seeds", text, "like 1-100");
	c->seeded = true;
	return 0;
}

static int get_seed(const char *text, struct command *c)
{
	char *end;

	errno = 0;
	c->first = strtoull(text, &end, 0);
	if (errno || *text == '\0' || *text == '-' || *end != '\0')
		return wrong("seed", text, "a whole number from 0 on");
	c->last = c->first;
	c->seeded = true;
	return 0;
}

static int get_faults(const char *text, struct run_plan *plan)
{
	plan->faults = text;
	if (strcmp(text, "swarm") == 0)
		plan->kinds = FAULT_ALL_KINDS;
	else if (fault_parse_kinds(text, &plan->kinds) < 0)
		return wrong("faults", text, "`none`, `swarm`, or names from `--list` with commas");
	return 0;
}

/* --- many runs --- */

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Where people read, while a trace may take stdout. */
static FILE *report_of(const struct command *c)
{
	const char *trace = c->plan.trace_path;

	return trace && strcmp(trace, "-") == 0 ? stderr : stdout;
}

static void run_seed(const struct command *c, uint64_t seed, struct run_result *result)
{
	struct scenario *scenario = malloc(sizeof *scenario);

	memset(result, 0, sizeof *result);
	result->failed = true;
	if (scenario && run_scenario(&c->plan, seed, c->seeded, scenario) == 0)
		run_once(&c->plan, scenario, report_of(c), result);
	free(scenario);
}

/* A run in its own process, and the pipe that its result comes through. */
struct job {
	pid_t pid;
	int fd;
};

static struct job start_job(const struct command *c, uint64_t seed)
{
	struct job job = {-1, -1};
	struct run_result result;
	int ends[2];

	fflush(stdout);
	if (pipe(ends) < 0)
		return job;
	job.pid = fork();
	if (job.pid == 0) {
		close(ends[0]);
		run_seed(c, seed, &result);
		fflush(stdout);
		_exit(write(ends[1], &result, sizeof result) == sizeof result ? 0 : 1);
	}
	close(ends[1]);
	job.fd = ends[0];
	return job;
}

/* A process that died leaves a failed run. */
static void end_job(const struct job *job, struct run_result *result)
{
	size_t got = 0;
	ssize_t n = 1;

	while (job->pid > 0 && got < sizeof *result && n > 0) {
		n = read(job->fd, (char *)result + got, sizeof *result - got);
		got += n > 0 ? (size_t)n : 0;
	}
	if (got < sizeof *result)
		*result = (struct run_result){.failed = true};
	if (job->fd >= 0)
		close(job->fd);
	if (job->pid > 0)
		waitpid(job->pid, NULL, 0);
}

static void take_result(const struct command *c, uint64_t seed, const struct run_result *result,
			struct run_result *sum)
{
	FILE *out = report_of(c);

	run_add(sum, result);
	if (result->failed)
		fprintf(out, "seed %" PRIu64 " could not be run\n", seed);
	if (result->failed || result->violations > 0) {
		fputs("repeat it with: ", out);
		run_print_command(&c->plan, seed, out);
	}
}

/* Results are taken in the order of the seeds, so that the sum does not depend on who is first.
 * Returns the number of runs. */
static int run_many(const struct command *c, struct run_result *sum)
{
	const uint64_t at_once = (uint64_t)c->jobs, runs = c->last - c->first + 1;
	struct job jobs[MAX_JOBS];
	struct run_result result;
	uint64_t begun = 0, done = 0;

	for (;;) {
		const bool enough = c->cpu_s > 0 && sum->cpu_s >= c->cpu_s;

		for (; !enough && begun < runs && begun - done < at_once; begun++)
			if (at_once > 1)
				jobs[begun % at_once] = start_job(c, c->first + begun);
		if (done == begun)
			return (int)done;
		if (at_once > 1)
			end_job(&jobs[done % at_once], &result);
		else
			run_seed(c, c->first + done, &result);
		take_result(c, c->first + done++, &result, sum);
	}
}

static int run_all(const struct command *c)
{
	struct run_result sum = {0};
	double begun_s = now_s();
	int runs = run_many(c, &sum);

	if (!c->plan.quiet || sum.violations > 0 || sum.failed)
		run_print_summary(&sum, runs, now_s() - begun_s, report_of(c));
	return sum.violations > 0 || sum.failed ? 1 : 0;
}

/* Reads or draws the first scenario, so that a wrong file is told once; shows it if wanted. */
static int run_or_show(const struct command *c)
{
	struct scenario *scenario = malloc(sizeof *scenario);
	int status = scenario ? run_scenario(&c->plan, c->first, c->seeded, scenario) : 1;

	if (status == 0 && c->show)
		scenario_write(scenario, stdout);
	free(scenario);
	return status || c->show ? status : run_all(c);
}

/* --- options --- */

enum key {
	KEY_SEED = 256,
	KEY_SEEDS,
	KEY_COUNT,
	KEY_FOR,
	KEY_DAYS,
	KEY_FAULTS,
	KEY_PACKS,
	KEY_FIRMWARE,
	KEY_SCENARIO,
	KEY_SHOW,
	KEY_TRACE,
	KEY_QUIET,
	KEY_LIST,
	KEY_CYCLE,
	KEY_ENGINE,
	KEY_CALM,
	KEY_PLANT,
	KEY_CHECK,
};

static int take_option(struct command *c, int key, const char *text)
{
	struct run_plan *plan = &c->plan;
	double value = 0;
	int status = 0;

	switch (key) {
	case KEY_SEED: return get_seed(text, c);
	case KEY_SEEDS: return get_seeds(text, c);
	case KEY_FAULTS: return get_faults(text, plan);
	case KEY_SCENARIO: plan->scenario_path = text; break;
	case KEY_SHOW: c->show = true; break;
	case KEY_TRACE: plan->trace_path = text; break;
	case KEY_QUIET: plan->quiet = true; break;
	case KEY_DAYS: return get_number("days", text, 0.001, 100000, &plan->days);
	case KEY_COUNT:
		status = get_number("count", text, 1, MOST_RUNS, &value);
		c->count = (uint64_t)value;
		c->seeded = true;
		break;
	case KEY_FOR:
		c->count = MOST_RUNS;
		c->seeded = true;
		return get_number("for", text, 0.1, 1e9, &c->cpu_s);
	case 'j':
		status = get_number("j", text, 1, MAX_JOBS, &value);
		c->jobs = (int)value;
		break;
	case KEY_FIRMWARE: plan->firmware = true; break;
	case KEY_PACKS:
		status = get_number("packs", text, 1, ONEPACK_MAX_PACKS, &value);
		plan->packs = (int)value;
		break;
	case KEY_CYCLE:
		status = get_number("cycle", text, 0, 10, &value);
		plan->world.cycle_ms = (int32_t)lround(value * 1000);
		plan->paced = true;
		break;
	case KEY_ENGINE:
		status = get_number("engine", text, 0.01, 2.4, &value);
		plan->world.engine_ms = (int32_t)lround(value * 1000);
		plan->paced = true;
		break;
	case KEY_CALM:
		status = get_number("calm", text, 0, 10, &value);
		plan->world.calm_cycle_ms = (int32_t)lround(value * 1000);
		plan->paced = true;
		break;
	case KEY_PLANT:
		status = get_number("plant", text, 0.01, 10, &value);
		plan->world.plant_ms = (int32_t)lround(value * 1000);
		plan->paced = true;
		break;
	case KEY_CHECK:
		status = get_number("check-every", text, 0, 1e6, &value);
		plan->check_every = (int)value;
		break;
	default: return 2;
	}
	return status;
}

static const struct option options[] = {
	{"help", no_argument, NULL, 'h'},
	{"seed", required_argument, NULL, KEY_SEED},
	{"seeds", required_argument, NULL, KEY_SEEDS},
	{"count", required_argument, NULL, KEY_COUNT},
	{"jobs", required_argument, NULL, 'j'},
	{"for", required_argument, NULL, KEY_FOR},
	{"days", required_argument, NULL, KEY_DAYS},
	{"faults", required_argument, NULL, KEY_FAULTS},
	{"packs", required_argument, NULL, KEY_PACKS},
	{"firmware", no_argument, NULL, KEY_FIRMWARE},
	{"scenario", required_argument, NULL, KEY_SCENARIO},
	{"show", no_argument, NULL, KEY_SHOW},
	{"trace", required_argument, NULL, KEY_TRACE},
	{"quiet", no_argument, NULL, KEY_QUIET},
	{"list", no_argument, NULL, KEY_LIST},
	{"cycle", required_argument, NULL, KEY_CYCLE},
	{"engine", required_argument, NULL, KEY_ENGINE},
	{"calm", required_argument, NULL, KEY_CALM},
	{"plant", required_argument, NULL, KEY_PLANT},
	{"check-every", required_argument, NULL, KEY_CHECK},
	{0},
};

/* Calm is never quicker than the rest. */
static void keep_pace(struct world_options *pace)
{
	if (pace->calm_cycle_ms <= pace->cycle_ms) {
		pace->calm_cycle_ms = pace->cycle_ms;
		pace->calm_engine_ms = pace->engine_ms;
		pace->calm_plant_ms = pace->plant_ms;
	}
	if (pace->calm_plant_ms < pace->plant_ms)
		pace->calm_plant_ms = pace->plant_ms;
	if (pace->calm_engine_ms < pace->engine_ms)
		pace->calm_engine_ms = pace->engine_ms;
}

int sim_run(int argc, char **argv)
{
	struct command c = {
		.plan = {.faults = "swarm", .kinds = FAULT_ALL_KINDS, .check_every = CHECK_USUALLY},
		.first = 1,
		.last = 1,
		.jobs = 1};
	int key, status = 0;

	world_options_default(&c.plan.world);
	optind = 1;
	while (status == 0 && (key = getopt_long(argc, argv, "hj:", options, NULL)) != -1) {
		if (key == 'h')
			fputs(help, stdout);
		else if (key == KEY_LIST)
			run_list_words();
		else
			status = take_option(&c, key, optarg);
		if (key == 'h' || key == KEY_LIST)
			return 0;
	}
	keep_pace(&c.plan.world);
	if (c.count > 0)
		c.last = c.first + c.count - 1;
	if (status == 0 && optind < argc)
		status = wrong(argv[optind], "", "an option");
	if (status == 0 && c.plan.trace_path && c.first != c.last)
		status = wrong("trace", c.plan.trace_path, "used with a single seed");
	if (status)
		fputs("`onepack sim run --help` explains with examples.\n", stderr);
	else
		status = run_or_show(&c);
	return status;
}
