// SPDX-License-Identifier: Apache-2.0
/* onepack record: writes what comes into a gateway, step by step, as a log that `onepack fuse` and
 * `onepack replay` read. The gateway makes the lines; this keeps whole ones, survives a lost
 * connection, and tells what is missing. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "fetch.h"
#include "onepack/clock.h"
#include "sim_stop.h"

#define RETRY_MS 2000

struct recording {
	FILE *out;
	int stop_fd;
	int64_t end_ms; /* monotonic, 0 = never */
	char *line;     /* the beginning of one whose end has not come */
	size_t used, room;
	uint64_t lines, lost, gaps;
	bool failed; /* the file cannot be written */
};

static const char help[] =
	"usage: onepack record [--url URL] [--out FILE] [--seconds N] [--past]\n"
	"\n"
	"Records what comes into a running gateway: every complete answer of every pack, in the input\n"
	"format of `onepack fuse`. `onepack replay` shows such a log again. Ends with Ctrl-C.\n"
	"\n"
	"  --url URL    the gateway (default " FETCH_URL "; https works, too)\n"
	"  --out FILE   a new file (default: standard output)\n"
	"  --seconds N  end after so long\n"
	"  --past       begin with the last few minutes, which the gateway remembers\n"
	"\n"
	"An incident that has just happened, and why charging was limited in it:\n"
	"  onepack record --past --seconds 1 --out incident.jsonl\n"
	"  onepack fuse < incident.jsonl | jq -r '.reasons[0].text' | uniq\n";

static bool is_over(const struct recording *recording)
{
	struct pollfd stop = {.fd = recording->stop_fd, .events = POLLIN};

	return recording->failed || poll(&stop, 1, 0) != 0 ||
	       (recording->end_ms && clock_monotonic_ms() >= recording->end_ms);
}

/* A line says itself how many steps are missing before it. */
static void write_line(struct recording *recording)
{
	const char *lost = strstr(recording->line, ",\"lost\":");

	if (lost) {
		recording->lost += strtoull(lost + strlen(",\"lost\":"), NULL, 10);
		recording->gaps++;
	}
	recording->lines++;
	if (fputs(recording->line, recording->out) == EOF || fflush(recording->out) == EOF)
		recording->failed = true;
	recording->used = 0;
}

static bool keep(struct recording *recording, const char *bytes, size_t size)
{
	if (recording->used + size + 1 > recording->room) {
		const size_t room = (recording->used + size + 1) * 2;
		char *line = realloc(recording->line, room);

		if (!line)
			return false;
		recording->line = line;
		recording->room = room;
	}
	memcpy(recording->line + recording->used, bytes, size);
	recording->used += size;
	recording->line[recording->used] = '\0';
	return true;
}

static bool take(void *arg, const char *bytes, size_t size)
{
	struct recording *recording = arg;

	while (size > 0) {
		const char *end = memchr(bytes, '\n', size);
		const size_t part = end ? (size_t)(end - bytes) + 1 : size;

		if (!keep(recording, bytes, part)) {
			recording->failed = true;
			return false;
		}
		if (end)
			write_line(recording);
		bytes += part;
		size -= part;
	}
	return !is_over(recording);
}

/* Again and again until it is over; only a refusal before the first line is final. */
static int record(struct recording *recording, const char *url, bool past)
{
	char why[FETCH_WHY_SIZE];

	do {
		const char *path = past ? "/api/v1/samples?past=1" : "/api/v1/samples";
		const enum fetch_end end = fetch_stream(url, path, take, recording, why);
		struct pollfd stop = {.fd = recording->stop_fd, .events = POLLIN};

		recording->used = 0;
		if (end == FETCH_TAKEN)
			break;
		if (end == FETCH_REFUSED || recording->lines == 0) {
			fprintf(stderr, "onepack record: %s: %s\n", url, why);
			return 1;
		}
		past = false;
		recording->gaps++;
		fprintf(stderr, "onepack record: %s; trying again\n", why);
		poll(&stop, 1, RETRY_MS);
	} while (!is_over(recording));
	if (recording->failed)
		fprintf(stderr, "onepack record: the log cannot be written: %s\n", strerror(errno));
	return recording->failed;
}

static int run(const char *url, const char *path, double seconds, bool past)
{
	struct recording recording = {.out = stdout};
	int status;

	recording.stop_fd = sim_stop_fd(0);
	if (seconds > 0)
		recording.end_ms = clock_monotonic_ms() + (int64_t)(seconds * 1000);
	if (path && !(recording.out = fopen(path, "wx"))) {
		fprintf(stderr, "onepack record: %s: %s\n", path, strerror(errno));
		return 1;
	}
	status = record(&recording, url, past);
	if (path && fclose(recording.out) == EOF)
		status = 1;
	if (path && recording.lines == 0)
		unlink(path);
	free(recording.line);
	close(recording.stop_fd);
	if (recording.lines > 0)
		fprintf(stderr, "%llu lines, %llu gaps, at least %llu steps missing\n",
			(unsigned long long)recording.lines, (unsigned long long)recording.gaps,
			(unsigned long long)recording.lost);
	return status;
}

int command_record(int argc, char **argv)
{
	static const struct option options[] = {
		{"url", required_argument, NULL, 'u'},     {"out", required_argument, NULL, 'o'},
		{"seconds", required_argument, NULL, 's'}, {"past", no_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
	const char *url = FETCH_URL, *path = NULL;
	double seconds = 0;
	bool past = false;
	char *rest;
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (option) {
		case 'u': url = optarg; break;
		case 'o': path = optarg; break;
		case 'p': past = true; break;
		case 's':
			seconds = strtod(optarg, &rest);
			if (seconds > 0 && !*rest)
				break;
			fputs("onepack record: --seconds wants a number above 0\n", stderr);
			return 2;
		case 'h': fputs(help, stdout); return 0;
		default: fputs("`onepack record --help` explains its use\n", stderr); return 2;
		}
	}
	if (optind != argc) {
		fputs("onepack record: there is nothing to name but options; see --help\n", stderr);
		return 2;
	}
	return run(url, path, seconds, past);
}
