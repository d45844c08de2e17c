// SPDX-License-Identifier: Apache-2.0
/* `onepack sim`: a rack without hardware. `rack` makes one, `tell` gives commands to it;
 * `inverter` is in sim_inverter.c, `firmware` in sim_firmware.c. The simulation itself is in
 * src/sim. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "onepack/sim.h"
#include "sim/site.h"
#include "sim_run.h"
#include "sim_shrink.h"
#include "sim_stop.h"

#define MAX_FAULTS   32
#define JK_ADDRESSES 15
#define ADDRESSES    32
#define LOWEST_BAUD  9600
#define HIGHEST_BAUD 250000

static const char help[] =
	"A rack without hardware: packs that answer on RS485 lines, and inverters that obey.\n"
	"\n"
	"usage: onepack sim rack [OPTION]...         make a rack and let it live until Ctrl-C\n"
	"       onepack sim tell DIRECTORY COMMAND   give a command to a running rack\n"
	"       onepack sim inverter ...             one inverter on a real port; see its --help\n"
	"       onepack sim run ...                  a whole site in virtual time, gateway included,\n"
	"                                            with faults: days in seconds; see its --help\n"
	"       onepack sim shrink ...               makes a run that failed small; see its --help\n"
	"       onepack sim firmware ...             emulated packs that run our firmware; see --help\n"
	"\n"
	"  --directory DIR             where the ports and the control socket appear (onepack-sim)\n"
	"  --packs KIND                onepack (default): packs that run this project's firmware,\n"
	"                              speaking pack/onepack; jk: JK packs, speaking pack/jk-pb\n"
	"  --line NAME=FIRST-LAST      an RS485 line with packs at these addresses, 1 to 32; may be\n"
	"                              repeated; default: rack=1-16. JK: 1 to 15 (0 = a master that\n"
	"                              polls the others), default: rack-a=1-8 and rack-b=1-8\n"
	"  --inverter PROTOCOL=NAME    an inverter on its own port; may be repeated, `none` = none;\n"
	"                              default: can/pylon-lv-1.2=can0-tty and\n"
	"                              rs485/pylon-lv-3.3=rs485. The first one that hears a\n"
	"                              battery charges and discharges, the others listen\n"
	"  --baud N                    bit rate of the pack lines (115200)\n"
	"  --soc PERCENT               charge at the start (55)\n"
	"  --speed X                   charge and heat move so many times faster (1, at most 100)\n"
	"  --seed N                    another number, another rack; the same number, the same one\n"
	"  --fault COMMAND             a command to begin with; may be repeated\n"
	"  --seconds N                 end after so long\n"
	"\n"
	"Packs are numbered through all lines. Examples:\n"
	"  onepack sim rack --directory /tmp/site\n"
	"  onepack sim rack --packs jk\n"
	"  onepack sim rack --line rack=1-4 --inverter can/victron-20170717=gx --soc 90\n"
	"  onepack sim tell /tmp/site unplug 3\n"
	"  onepack sim tell /tmp/site help\n";

static int wrong(const char *format, const char *text)
{
	fprintf(stderr, format, text);
	fputs("`onepack sim --help` explains with examples.\n", stderr);
	return 2;
}

/* --- tell --- */

static int tell(int argc, char **argv)
{
	char command[512] = "", *answer;
	size_t used = 0;
	int err, status = 1;

	if (argc < 3)
		return wrong("onepack sim tell: %s\n", "a directory and a command are needed");
	for (int i = 2; i < argc && used < sizeof command; i++)
		used += (size_t)snprintf(command + used, sizeof command - used, "%s%s",
					 i > 2 ? " " : "", argv[i]);
	answer = malloc(SIM_ANSWER_SIZE);
	if (!answer)
		return 1;
	err = sim_tell(argv[1], command, answer, SIM_ANSWER_SIZE);
	if (err == -ENOENT || err == -ECONNREFUSED) {
		fprintf(stderr, "onepack sim tell: no simulation is running in %s\n", argv[1]);
	} else if (err) {
		fprintf(stderr, "onepack sim tell: %s: %s\n", argv[1], strerror(-err));
	} else {
		bool refused = strncmp(answer, "error: ", 7) == 0;

		fprintf(refused ? stderr : stdout, "%s\n", answer);
		status = refused ? 1 : 0;
	}
	free(answer);
	return status;
}

/* --- rack --- */

struct plan {
	struct site_options options;
	const char *faults[MAX_FAULTS];
	int fault_count;
	double seconds; /* 0 = until a signal */
};

static bool name_is_plain(const char *name)
{
	return *name != '\0' && strlen(name) < SITE_NAME_SIZE && !strchr(name, '/') &&
	       strcmp(name, "control") != 0 && name[0] != '.';
}

/* "rack-a=1-8" */
static int add_line(struct site_options *o, const char *text)
{
	struct site_line_options line;
	int used = 0, n = sscanf(text, "%31[^=]=%d-%d%n", line.name, &line.first_address,
				 &line.last_address, &used);

	if (n != 3 || text[used] != '\0' || !name_is_plain(line.name) || line.first_address < 0 ||
	    line.last_address > ADDRESSES || line.first_address > line.last_address)
		return wrong("onepack sim: --line %s: should be like rack-a=1-8 (addresses 0 to "
			     "32, a name without slashes)\n",
			     text);
	if (o->line_count == SITE_MAX_LINES)
		return wrong("onepack sim: --line %s: four lines are the most\n", text);
	o->lines[o->line_count++] = line;
	return 0;
}

/* "can/pylon-lv-1.2=can0-tty" */
static int add_inverter(struct site_options *o, const char *text)
{
	struct site_inverter_options inverter;
	int used = 0, n = sscanf(text, "%63[^=]=%31s%n", inverter.protocol, inverter.name, &used);

	if (n != 2 || text[used] != '\0' || !name_is_plain(inverter.name))
		return wrong("onepack sim: --inverter %s: should be like "
			     "can/pylon-lv-1.2=can0-tty (`onepack wire list` shows protocols)\n",
			     text);
	if (o->inverter_count == SITE_MAX_INVERTERS)
		return wrong("onepack sim: --inverter %s: eight inverters are the most\n", text);
	o->inverters[o->inverter_count++] = inverter;
	return 0;
}

static int get_number(const char *name, const char *text, double low, double high, double *out)
{
	char *end;
	double value = strtod(text, &end);

	if (*text == '\0' || *end != '\0' || !(value >= low && value <= high)) {
		fprintf(stderr, "onepack sim: --%s %s: should be a number from %g to %g\n", name,
			text, low, high);
		return 2;
	}
	*out = value;
	return 0;
}

static int take_kind(struct site_options *o, const char *text)
{
	if (strcmp(text, "onepack") != 0 && strcmp(text, "jk") != 0)
		return wrong("onepack sim: --packs %s: should be onepack or jk\n", text);
	o->packs = strcmp(text, "jk") == 0 ? SITE_JK : SITE_ONEPACK;
	return 0;
}

enum option_key {
	KEY_HELP = 'h',
	KEY_DIRECTORY = 256,
	KEY_LINE,
	KEY_PACKS,
	KEY_INVERTER,
	KEY_BAUD,
	KEY_SOC,
	KEY_SPEED,
	KEY_SEED,
	KEY_FAULT,
	KEY_SECONDS,
};

static int take_option(struct plan *plan, int key, const char *text, bool *no_inverter)
{
	struct site_options *o = &plan->options;
	double value = 0;
	int status = 0;

	switch (key) {
	case KEY_DIRECTORY: o->directory = text; break;
	case KEY_LINE: return add_line(o, text);
	case KEY_PACKS: return take_kind(o, text);
	case KEY_INVERTER:
		*no_inverter = strcmp(text, "none") == 0;
		return *no_inverter ? 0 : add_inverter(o, text);
	case KEY_BAUD:
		status = get_number("baud", text, 1200, 4000000, &value);
		o->baud = (uint32_t)value;
		break;
	case KEY_SOC: return get_number("soc", text, 0, 100, &o->soc_pct);
	case KEY_SPEED: return get_number("speed", text, 0.01, 100, &o->speed);
	case KEY_SEED:
		status = get_number("seed", text, 0, 9e15, &value);
		o->seed = (uint64_t)value;
		break;
	case KEY_FAULT:
		if (plan->fault_count == MAX_FAULTS)
			return wrong("onepack sim: --fault %s: that is one too many\n", text);
		plan->faults[plan->fault_count++] = text;
		break;
	case KEY_SECONDS: return get_number("seconds", text, 0.1, 1e9, &plan->seconds);
	default: return 2;
	}
	return status;
}

static void use_defaults(struct site_options *o, bool no_inverter)
{
	if (o->line_count == 0 && o->packs == SITE_JK) {
		add_line(o, "rack-a=1-8");
		add_line(o, "rack-b=1-8");
	} else if (o->line_count == 0) {
		add_line(o, "rack=1-16");
	}
	if (o->inverter_count == 0 && !no_inverter) {
		add_inverter(o, "can/pylon-lv-1.2=can0-tty");
		add_inverter(o, "rs485/pylon-lv-3.3=rs485");
	}
}

static int check(const struct site_options *o)
{
	int packs = 0;

	if (o->packs == SITE_ONEPACK && o->baud > 0 &&
	    (o->baud < LOWEST_BAUD || o->baud > HIGHEST_BAUD))
		return wrong("onepack sim: --baud: %s\n", "our packs can 9600 to 250000");
	for (int i = 0; i < o->line_count; i++) {
		packs += o->lines[i].last_address - o->lines[i].first_address + 1;
		if (o->packs == SITE_JK && o->lines[i].last_address > JK_ADDRESSES)
			return wrong("onepack sim: --line %s: JK packs have addresses up to 15\n",
				     o->lines[i].name);
		for (int k = 0; k < i; k++)
			if (strcmp(o->lines[i].name, o->lines[k].name) == 0)
				return wrong("onepack sim: two lines are called %s\n",
					     o->lines[i].name);
	}
	for (int i = 0; i < o->inverter_count; i++)
		for (int k = 0; k < o->line_count + i; k++)
			if (strcmp(o->inverters[i].name,
				   k < o->line_count ? o->lines[k].name
						     : o->inverters[k - o->line_count].name) == 0)
				return wrong("onepack sim: two ports are called %s\n",
					     o->inverters[i].name);
	return packs <= ONEPACK_MAX_PACKS ? 0 : wrong("onepack sim: %s\n", "16 packs are the most");
}

/* 0, 2 = used wrongly, -1 = only help was wanted. */
static int read_options(int argc, char **argv, struct plan *plan)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, KEY_HELP},
		{"directory", required_argument, NULL, KEY_DIRECTORY},
		{"line", required_argument, NULL, KEY_LINE},
		{"packs", required_argument, NULL, KEY_PACKS},
		{"inverter", required_argument, NULL, KEY_INVERTER},
		{"baud", required_argument, NULL, KEY_BAUD},
		{"soc", required_argument, NULL, KEY_SOC},
		{"speed", required_argument, NULL, KEY_SPEED},
		{"seed", required_argument, NULL, KEY_SEED},
		{"fault", required_argument, NULL, KEY_FAULT},
		{"seconds", required_argument, NULL, KEY_SECONDS},
		{0},
	};
	bool no_inverter = false;
	int key, status = 0;

	*plan = (struct plan){
		.options = {.directory = "onepack-sim", .seed = 1, .soc_pct = 55, .speed = 1}};
	while (status == 0 && (key = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (key == KEY_HELP)
			return -1;
		status = take_option(plan, key, optarg, &no_inverter);
	}
	if (status == 0 && optind < argc)
		return wrong("onepack sim: '%s' is not an option\n", argv[optind]);
	use_defaults(&plan->options, no_inverter);
	return status ? status : check(&plan->options);
}

static int begin_with_faults(struct site *site, const struct plan *plan)
{
	char answer[4096];

	for (int i = 0; i < plan->fault_count; i++) {
		site_command(site, plan->faults[i], answer, sizeof answer);
		if (strncmp(answer, "error: ", 7) == 0) {
			fprintf(stderr, "onepack sim: --fault '%s': %s\n", plan->faults[i],
				answer + 7);
			return 2;
		}
	}
	return 0;
}

static int run_rack(int argc, char **argv)
{
	struct plan plan;
	struct site *site;
	int stop_fd, status = read_options(argc, argv, &plan);

	if (status == -1)
		fputs(help, stdout);
	if (status)
		return status == -1 ? 0 : status;
	site = site_open(&plan.options, stderr);
	if (!site)
		return 1;
	status = begin_with_faults(site, &plan);
	if (status == 0) {
		site_show(site, stdout);
		stop_fd = sim_stop_fd(plan.seconds);
		status = stop_fd < 0 || site_run(site, stop_fd) < 0 ? 1 : 0;
		close(stop_fd);
	}
	site_close(site);
	return status;
}

int command_sim(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		fputs(help, argc < 2 ? stderr : stdout);
		return argc < 2 ? 2 : 0;
	}
	if (strcmp(argv[1], "rack") == 0)
		return run_rack(argc - 1, argv + 1);
	if (strcmp(argv[1], "tell") == 0)
		return tell(argc - 1, argv + 1);
	if (strcmp(argv[1], "run") == 0)
		return sim_run(argc - 1, argv + 1);
	if (strcmp(argv[1], "shrink") == 0)
		return sim_shrink(argc - 1, argv + 1);
	if (strcmp(argv[1], "inverter") == 0)
		return sim_inverter(argc - 1, argv + 1);
	if (strcmp(argv[1], "firmware") == 0)
		return sim_firmware(argc - 1, argv + 1);
	return wrong("onepack sim: there is no '%s'\n", argv[1]);
}
