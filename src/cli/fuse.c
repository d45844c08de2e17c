// SPDX-License-Identifier: Apache-2.0
/* onepack fuse: the fusion without hardware. A log of what packs answered goes in, the battery
 * comes out, line by line. Time is what the log says; there is no other clock, so the same log
 * always gives the same bytes. Reading and writing only: the rules are in src/core/fusion*.c. */
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "onepack/fusion_config.h"
#include "onepack/json.h"

#define FIRST_WALL_TIME 1e9 /* s; a smaller `t` counts from the start of a log, not from 1970 */
#define LAST_TIME       1e12

struct session {
	struct fusion *fusion;
	struct fusion_input input;
	double time;
	long line;
	struct pack known[ONEPACK_MAX_PACKS]; /* identities, in order of appearance */
	int known_count;
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
	"A pack that is not in a line did not answer. A key that is missing or null is not known. Packs\n"
	"without \"pack\" are numbered in order of appearance, by bus, address and serial. A line that\n"
	"cannot be read is reported and counts as one in which no pack answered. \"t\" is in seconds.\n"
	"\n"
	"Two packs for half a minute, and why charging is limited:\n"
	"  onepack fuse < log.jsonl | jq -c '[.t, .charge_current_limit_a, .reasons[0].text]'\n";

/* The number of a pack that does not say one: its place in the order of appearance. */
static int32_t number_of(struct session *session, const struct pack *pack)
{
	for (int i = 0; i < session->known_count; i++) {
		const struct pack *known = &session->known[i];

		if (known->address == pack->address && strcmp(known->bus, pack->bus) == 0 &&
		    strcmp(known->serial, pack->serial) == 0)
			return i + 1;
	}
	if (session->known_count == ONEPACK_MAX_PACKS) {
		fprintf(stderr, "line %ld: more than %d packs, one is left out\n", session->line,
			ONEPACK_MAX_PACKS);
		return 0;
	}
	session->known[session->known_count++] = *pack;
	return session->known_count;
}

static void read_packs(struct session *session, const json_t *list)
{
	struct fusion_input *input = &session->input;
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		struct pack *pack = &input->packs[input->pack_count];

		if (input->pack_count == ONEPACK_MAX_PACKS) {
			fprintf(stderr, "line %ld: more than %d packs, the rest is left out\n",
				session->line, ONEPACK_MAX_PACKS);
			return;
		}
		if (json_to_pack(item, pack) < 0) {
			fprintf(stderr, "line %ld: packs[%zu] is not an object\n", session->line,
				i);
			continue;
		}
		if (pack->pack == FIELD_UNKNOWN)
			pack->pack = number_of(session, pack);
		if (pack->pack >= 1 && pack->pack <= ONEPACK_MAX_PACKS)
			input->pack_count++;
	}
}

static int error_kind(const char *word)
{
	static const char *const words[BUS_ERROR_KINDS] = {"checksum", "timeout",
							   "foreign_request"};

	for (int i = 0; word && i < BUS_ERROR_KINDS; i++)
		if (strcmp(word, words[i]) == 0)
			return i;
	return -1;
}

static int32_t read_integer(const json_t *json, int32_t normal)
{
	const double value = json_is_number(json) ? json_number_value(json) : normal;

	return value >= 0 && value <= INT32_MAX ? (int32_t)value : normal;
}

static void read_errors(struct fusion_input *input, const json_t *list)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		struct bus_error *error = &input->errors[input->error_count];
		const int kind = error_kind(json_string_value(json_object_get(item, "kind")));
		const char *bus = json_string_value(json_object_get(item, "bus"));

		if (input->error_count == FUSION_MAX_BUS_ERRORS)
			return;
		if (kind < 0)
			continue;
		memset(error, 0, sizeof *error);
		snprintf(error->bus, sizeof error->bus, "%s", bus ? bus : "");
		error->address = read_integer(json_object_get(item, "address"), FIELD_UNKNOWN);
		error->kind = (enum bus_error_kind)kind;
		error->count = read_integer(json_object_get(item, "count"), 1);
		input->error_count++;
	}
}

static void read_bus_current(struct fusion_input *input, const json_t *json)
{
	const double ma = json_is_number(json) ? round(json_number_value(json) * 1000) : NAN;

	input->bus_current_ma = fabs(ma) < INT32_MAX ? (int32_t)ma : FIELD_UNKNOWN;
}

/* Without a usable time a line happens at the time of the one before. */
static void read_line(struct session *session, const char *text, size_t length)
{
	json_error_t error;
	json_t *json = json_loadb(text, length, 0, &error);
	const json_t *time = json_object_get(json, "t");

	fusion_input_clear(&session->input);
	if (!json)
		fprintf(stderr, "line %ld: not JSON, taken as no answer: %s\n", session->line,
			error.text);
	else if (!json_is_number(time) || fabs(json_number_value(time)) > LAST_TIME)
		fprintf(stderr, "line %ld: no time \"t\", taken as no answer\n", session->line);
	else {
		session->time = json_number_value(time);
		read_packs(session, json_object_get(json, "packs"));
		read_errors(&session->input, json_object_get(json, "bus_errors"));
		read_bus_current(&session->input, json_object_get(json, "bus_current_a"));
	}
	session->input.now_ms = (int64_t)llround(session->time * 1000);
	json_decref(json);
}

static int write_line(const struct session *session, struct battery *battery)
{
	json_t *line = json_object(), *body;
	int status;

	if (session->time >= FIRST_WALL_TIME)
		battery->time_ms = session->input.now_ms;
	body = json_from_battery(battery);
	if (battery->time_ms == 0)
		json_object_del(body, "time");
	json_object_set_new(line, "t", json_real(session->time));
	json_object_update(line, body);
	status = json_dumpf(line, stdout, ONEPACK_JSON_FLAGS);
	putchar('\n');
	json_decref(body);
	json_decref(line);
	return status < 0 || fflush(stdout) == EOF ? 1
						   : 0; /* a simulation may wait for the answer */
}

static int run(struct session *session)
{
	struct battery battery;
	char *text = NULL;
	size_t size = 0;
	ssize_t length;
	int status = 0;

	while (status == 0 && (length = getline(&text, &size, stdin)) >= 0) {
		session->line++;
		read_line(session, text, (size_t)length);
		fusion_step(session->fusion, &session->input, &battery);
		status = write_line(session, &battery);
	}
	free(text);
	return status;
}

static int load_config(const char *path, struct fusion_config *config)
{
	struct doc *doc;
	int status;

	fusion_config_default(config);
	if (!path)
		return 0;
	doc = doc_load(path, stderr);
	if (!doc)
		return 2;
	status = fusion_config_load(doc, doc_get(doc, doc_root(doc), "battery"), config);
	doc_free(doc);
	return status < 0 ? 2 : 0;
}

static int fuse(const char *config_path)
{
	struct fusion_config config;
	struct session *session;
	int status = load_config(config_path, &config);

	if (status)
		return status;
	session = calloc(1, sizeof *session);
	if (session)
		session->fusion = malloc(fusion_size());
	if (session && session->fusion) {
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
