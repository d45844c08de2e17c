// SPDX-License-Identifier: Apache-2.0
/* onepack fuse: the fusion without hardware. A log of what packs answered goes in, the battery
 * comes out, line by line. Time is what the log says; there is no other clock, so the same log
 * always gives the same bytes. Reading and writing only: the rules are in src/core/fusion*.c. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "onepack/fusion_config.h"
#include "onepack/json.h"
#include "onepack/sample_log.h"

#define FIRST_WALL_TIME 1e9 /* s; a smaller `t` counts from the start of a log, not from 1970 */

struct session {
	struct fusion *fusion;
	struct fusion_input input;
	struct sample_log_reader log;
};

static const char help[] =
	"usage: onepack fuse [--config FILE] < log.jsonl > battery.jsonl\n"
	"       onepack fuse --keys\n"
	"\n"
	"Fuses packs into one battery, without hardware. Each input line is one poll cycle: the time\n"
	"and the packs that answered. Each output line is the battery at that time, with the reason\n"
	"of every limit.\n"
	"\n"
	"  --config FILE  takes the `battery:` part of this configuration file\n"
	"  --keys         prints all keys of `battery:` as a table\n"
	"\n"
	"An input line (one line, here folded):\n"
	"  {\"t\": 12, \"bus_current_a\": 20.0,\n"
	"   \"packs\": [{\"pack\": 1, \"voltage_v\": 53.2, \"current_a\": 10.0, \"soc_pct\": 60,\n"
	"     \"capacity_ah\": 280, \"remaining_ah\": 168, \"charge_current_limit_a\": 100,\n"
	"     \"discharge_current_limit_a\": 150, \"charge_mos\": true, \"discharge_mos\": true,\n"
	"     \"cells_v\": [3.325, ... 16 of them], \"temperatures_c\": [24.5, 25.0]}, ...],\n"
	"   \"bus_errors\": [{\"bus\": \"rack\", \"address\": 3, \"kind\": \"timeout\", \"count\": 1}]}\n"
	"\n"
	"\"acknowledge\": true says that somebody has seen what is latched.\n"
	"A pack that is not in a line did not answer. A key that is missing or null is not known. Packs\n"
	"without \"pack\" are numbered in order of appearance, by bus, address and serial. A line that\n"
	"cannot be read is reported and counts as one in which no pack answered. \"t\" is in seconds.\n"
	"The \"settings\" of a pack stand until a line names others. `onepack record` writes such a log.\n"
	"\n"
	"Two packs for half a minute, and why charging is limited:\n"
	"  onepack fuse < log.jsonl | jq -c '[.t, .charge_current_limit_a, .reasons[0].text]'\n";

/* "t" as it was, with all its digits: ONEPACK_JSON_FLAGS would cut the ms off a time since 1970. */
static int write_time(double time_s)
{
	json_t *json = json_real(time_s);
	int status;

	fputs("{\"t\":", stdout);
	status = json_dumpf(json, stdout, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	json_decref(json);
	return status;
}

static int write_line(const struct session *session, struct battery *battery)
{
	const double time_s = session->log.time_s;
	json_t *json;
	char *text;
	int status;

	if (time_s >= FIRST_WALL_TIME)
		battery->time_ms = session->input.now_ms;
	json = json_from_battery(battery);
	if (battery->time_ms == 0)
		json_object_del(json, "time");
	text = json_dumps(json, ONEPACK_JSON_FLAGS);
	json_decref(json);
	status = text ? write_time(time_s) : -1;
	if (status == 0)
		printf(",%s\n", text + 1);
	free(text);
	return status < 0 || fflush(stdout) == EOF; /* a simulation may wait for the answer */
}

static int run(struct session *session)
{
	struct battery battery;
	char *text = NULL;
	size_t size = 0;
	ssize_t length;
	int status = 0;

	while (status == 0 && (length = getline(&text, &size, stdin)) >= 0) {
		sample_log_read(&session->log, text, (size_t)length, &session->input);
		fusion_step(session->fusion, &session->input, &battery);
		status = write_line(session, &battery);
	}
	free(text);
	return status;
}

static int fuse(const char *config_path)
{
	struct fusion_config config;
	struct session *session;
	int status;

	if (fusion_config_load_file(config_path, &config, stderr) < 0)
		return 2;
	session = calloc(1, sizeof *session);
	if (session)
		session->fusion = malloc(fusion_size());
	if (session && session->fusion) {
		session->log.complaints = stderr;
		fusion_init(session->fusion, &config);
		status = run(session);
		free(session->fusion);
	} else {
		fputs("onepack fuse: out of memory\n", stderr);
		status = 1;
	}
	free(session);
	return status;
}

int command_fuse(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
						{"keys", no_argument, NULL, 'k'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	const char *config_path = NULL;
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (option) {
		case 'c': config_path = optarg; break;
		case 'k': fusion_config_describe(stdout); return 0;
		case 'h': fputs(help, stdout); return 0;
		default: fputs("`onepack fuse --help` explains its use\n", stderr); return 2;
		}
	}
	if (optind != argc) {
		fputs("onepack fuse: the log is read from standard input; see --help\n", stderr);
		return 2;
	}
	return fuse(config_path);
}
