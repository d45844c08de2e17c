// SPDX-License-Identifier: Apache-2.0
/* onepack replay: shows a recorded log again, on the page and on the inverters' wires, by running
 * the gateway on it in place of a rack; or, with --fast, tells at once what the fusion decides.
 *
 * It takes nothing but the `battery:` part of a configuration: the real one names a rack that is
 * working, inverters that would obey, and a history that must not be mixed with an old incident. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "gateway/app.h"
#include "onepack/fusion_config.h"
#include "onepack/wire.h"
#include "replay_fast.h"

#define SPEED_MAX 1000.0

struct request {
	const char *log, *config_path, *expect;
	bool fast;
	double speed;
	long port;
	int inverter_count;
	char *inverters[STATUS_MAX_INVERTERS]; /* PROTOCOL=PORT */
};

static const char help[] =
	"usage: onepack replay LOG [--speed X] [--port P] [--config FILE] [--inverter PROTOCOL=PORT]...\n"
	"       onepack replay --fast LOG [--config FILE] [--expect FILE]\n"
	"\n"
	"Shows a log of `onepack record` again: the gateway runs on it as if the packs were there.\n"
	"\n"
	"  --speed X                 so many times as fast (default 1)\n"
	"  --port P                  of the page on 127.0.0.1 (default 8080)\n"
	"  --config FILE             takes the `battery:` part of this configuration, nothing else\n"
	"  --inverter PROTOCOL=PORT  says it on this port, too; may be repeated. Only where no inverter\n"
	"                            of a working battery listens: it would obey\n"
	"  --fast                    no gateway: prints at once what changes when, and why\n"
	"  --expect FILE             with --fast: compares that with this file\n"
	"\n"
	"A field log becomes a test of the project: copy it to tests/replay/ and run ./dev regress.\n"
	"\n"
	"Ten times as fast, on the page and on a simulated inverter's CAN adapter:\n"
	"  onepack replay incident.jsonl --speed 10 --inverter can/pylon-lv-1.2=slcan:/dev/pts/7\n";

static int usage_error(const char *sentence)
{
	fprintf(stderr, "onepack replay: %s; --help explains its use\n", sentence);
	return 2;
}

/* --- with a gateway --- */

/* "can/pylon-lv-1.2=slcan:/dev/pts/7" */
static int add_inverter(struct config *config, const char *text)
{
	struct config_inverter *inverter = &config->inverters[config->inverter_count];
	const size_t length = strcspn(text, "=");
	struct wire *wire;

	if (!text[length] || length >= sizeof inverter->protocol ||
	    strlen(text + length + 1) >= sizeof inverter->port)
		return usage_error("--inverter wants PROTOCOL=PORT");
	memset(inverter, 0, sizeof *inverter);
	memcpy(inverter->protocol, text, length);
	strcpy(inverter->port, text + length + 1);
	inverter->address = -1;
	wire = wire_load(inverter->protocol, stderr);
	if (!wire)
		return 2;
	wire_free(wire);
	config->inverter_count++;
	return 0;
}

static int fill_config(struct config *config, const struct request *request)
{
	int status = 0;

	config_default(config);
	if (fusion_config_load_file(request->config_path, &config->fusion, stderr) < 0)
		return 2;
	snprintf(config->gateway, sizeof config->gateway, "replay");
	snprintf(config->web.gateway, sizeof config->web.gateway, "replay");
	snprintf(config->web.listen, sizeof config->web.listen, "127.0.0.1:%ld", request->port);
	if (strlen(request->log) >= sizeof config->replay.log)
		return usage_error("the path of the log is too long");
	strcpy(config->replay.log, request->log);
	config->replay.speed = request->speed;
	for (int i = 0; status == 0 && i < STATUS_MAX_INVERTERS && request->inverters[i]; i++)
		status = add_inverter(config, request->inverters[i]);
	return status;
}

/* The history of a replay lives as long as the replay. */
static int serve(struct config *config)
{
	const char *base = getenv("TMPDIR");
	char folder[STORE_PATH_SIZE / 2], path[STORE_PATH_SIZE];
	int status;

	snprintf(folder, sizeof folder, "%s/onepack-replay.XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder)) {
		fprintf(stderr, "onepack replay: %s: %s\n", folder, strerror(errno));
		return 1;
	}
	snprintf(config->store.path, sizeof config->store.path, "%s/history.db", folder);
	snprintf(config->web.store_path, sizeof config->web.store_path, "%s", config->store.path);
	printf("dashboard: http://%s\n", config->web.listen);
	fflush(stdout);
	status = app_serve(config);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s%s", config->store.path,
			 (const char *const[]){"", "-wal", "-shm"}[i]);
		unlink(path);
	}
	rmdir(folder);
	return status;
}

static int replay(const struct request *request)
{
	struct config *config = calloc(1, sizeof *config);
	int status;

	if (!config)
		return 1;
	status = fill_config(config, request);
	if (status == 0)
		status = serve(config);
	free(config);
	return status;
}

/* --- at once --- */

static int replay_fast(const struct request *request)
{
	struct fusion_config config;
	FILE *log;
	int status;

	if (fusion_config_load_file(request->config_path, &config, stderr) < 0)
		return 2;
	log = fopen(request->log, "re");
	if (!log) {
		fprintf(stderr, "onepack replay: %s: %s\n", request->log, strerror(errno));
		return 1;
	}
	if (request->expect)
		status = replay_compare(log, &config, request->expect, stderr);
	else
		status = replay_tell(log, &config, stdout) < 0;
	fclose(log);
	return status;
}

/* --- the command --- */

static bool read_number(const char *text, double low, double high, double *out)
{
	char *rest;
	const double value = strtod(text, &rest);

	if (rest == text || *rest || !(value >= low && value <= high))
		return false;
	*out = value;
	return true;
}

/* 0, or the exit status + 1. */
static int read_option(struct request *request, int option)
{
	double number;

	switch (option) {
	case 'c': request->config_path = optarg; return 0;
	case 'e': request->expect = optarg; return 0;
	case 'f': request->fast = true; return 0;
	case 'h': fputs(help, stdout); return 1;
	case 'i':
		if (request->inverter_count == STATUS_MAX_INVERTERS)
			return usage_error("too many inverters") + 1;
		request->inverters[request->inverter_count++] = optarg;
		return 0;
	case 'p':
		if (!read_number(optarg, 0, 65535, &number))
			return usage_error("--port wants a number up to 65535") + 1;
		request->port = (long)number;
		return 0;
	case 's':
		if (read_number(optarg, 1 / SPEED_MAX, SPEED_MAX, &request->speed))
			return 0;
		return usage_error("--speed wants a number from 0.001 to 1000") + 1;
	default: return usage_error("that is not understood") + 1;
	}
}

int command_replay(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
						{"expect", required_argument, NULL, 'e'},
						{"fast", no_argument, NULL, 'f'},
						{"inverter", required_argument, NULL, 'i'},
						{"port", required_argument, NULL, 'p'},
						{"speed", required_argument, NULL, 's'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	struct request request = {.speed = 1, .port = 8080};
	int option, status;

	optind = 1;
	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		status = read_option(&request, option);
		if (status)
			return status - 1;
	}
	if (optind + 1 != argc)
		return usage_error("it wants one log");
	if (request.expect && !request.fast)
		return usage_error("--expect goes with --fast");
	request.log = argv[optind];
	return request.fast ? replay_fast(&request) : replay(&request);
}
