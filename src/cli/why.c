// SPDX-License-Identifier: Apache-2.0
/* onepack why: one plain sentence for each limit, now or at a moment that the gateway remembers. */
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "fetch.h"
#include "onepack/battery.h"
#include "onepack/clock.h"
#include "why_time.h"

#define TIME_SIZE 40

static const char help[] =
	"usage: onepack why [--at TIME] [--limit NAME] [--url URL] [--json]\n"
	"\n"
	"Says why the limits of the battery are what they are, or were.\n"
	"\n"
	"  --at TIME     14:03, \"2026-05-02 14:03\", -10m, -2h, -3d, or seconds since 1970;\n"
	"                clock times are those of this computer (default: now)\n"
	"  --limit NAME  only charge_current, discharge_current, charge_voltage or discharge_voltage\n"
	"  --url URL     the gateway (default " FETCH_URL ")\n"
	"  --json        the gateway's answer as it is\n"
	"\n"
	"Why was the limit 40 A at 14:03?\n"
	"  onepack why --at 14:03 --limit charge_current\n";

static const char *const nouns[LIMIT_COUNT] = {"charge current", "discharge current",
					       "charge voltage", "discharge voltage"};
static const char *const keys[LIMIT_COUNT] = {"charge_current_limit_a", "discharge_current_limit_a",
					      "charge_voltage_limit_v",
					      "discharge_voltage_limit_v"};

static void time_text(int64_t time_s, const char *format, char text[TIME_SIZE])
{
	const time_t time = (time_t)time_s;
	struct tm fields;

	localtime_r(&time, &fields);
	strftime(text, TIME_SIZE, format, &fields);
}

static const char *unit_of(int limit)
{
	return limit == LIMIT_CHARGE_VOLTAGE || limit == LIMIT_DISCHARGE_VOLTAGE ? "V" : "A";
}

static void print_value(const json_t *value, int limit)
{
	if (json_is_number(value))
		printf("%.*f %s", *unit_of(limit) == 'V' ? 2 : 1, json_number_value(value),
		       unit_of(limit));
	else
		printf("unknown");
}

static void print_reason(const json_t *answer, const json_t *reason, int limit, int64_t at_s)
{
	const json_t *values = json_object_get(answer, "values");
	const json_t *next = json_object_get(reason, "runner_up");
	const int64_t since_s = json_integer_value(json_object_get(reason, "t"));
	const char *text = json_string_value(json_object_get(reason, "text"));
	char since[TIME_SIZE];

	time_text(since_s, at_s - since_s < 43200 ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", since);
	printf("\n%s: ", nouns[limit]);
	print_value(json_object_get(values, keys[limit]), limit);
	printf("\n  %s\n", text ? text : "");
	if (json_is_object(next))
		printf("  %s\n", json_string_value(json_object_get(next, "text")));
	printf("  (rule %s, since %s)\n", json_string_value(json_object_get(reason, "rule")),
	       since);
}

/* Returns the exit status. */
static int print_answer(const json_t *answer, const char *wanted, int64_t at_s)
{
	const json_t *values = json_object_get(answer, "values");
	char at[TIME_SIZE];
	size_t i;
	json_t *reason;
	int printed = 0;

	time_text(at_s, "%Y-%m-%d %H:%M:%S", at);
	printf("%s\n", at);
	if (!json_is_object(values)) {
		puts("The gateway has no samples of that time: it was not running, or it is too long ago.");
		return 1;
	}
	json_array_foreach(json_object_get(answer, "reasons"), i, reason)
	{
		const char *name = json_string_value(json_object_get(reason, "limit"));

		for (int limit = 0; name && limit < LIMIT_COUNT; limit++) {
			if (strcmp(name, limit_name((enum limit)limit)) != 0 ||
			    (wanted && strcmp(name, wanted) != 0))
				continue;
			print_reason(answer, reason, limit, at_s);
			printed++;
		}
	}
	if (printed == 0)
		puts("No reason was kept from that time.");
	return printed == 0;
}

static int ask(const char *url, const char *wanted, int64_t at_s, bool as_json)
{
	char path[FETCH_PATH_SIZE], why[FETCH_WHY_SIZE];
	json_t *answer;
	char *text;
	int status;

	snprintf(path, sizeof path, "/api/v1/reasons?at=%" PRId64, at_s);
	text = fetch_text(url, path, why);
	if (!text) {
		fprintf(stderr, "onepack why: %s: %s\n", url, why);
		return 1;
	}
	answer = json_loads(text, 0, NULL);
	if (as_json)
		status = puts(text) == EOF;
	else if (answer)
		status = print_answer(answer, wanted, at_s);
	else
		status = fprintf(stderr, "onepack why: %s does not answer with JSON\n", url) != 0;
	json_decref(answer);
	free(text);
	return status;
}

static bool is_limit(const char *name)
{
	for (int i = 0; i < LIMIT_COUNT; i++)
		if (strcmp(name, limit_name((enum limit)i)) == 0)
			return true;
	return false;
}

int command_why(int argc, char **argv)
{
	static const struct option options[] = {
		{"at", required_argument, NULL, 'a'},  {"limit", required_argument, NULL, 'l'},
		{"url", required_argument, NULL, 'u'}, {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},      {NULL, 0, NULL, 0}};
	const int64_t now_s = clock_wall_ms() / 1000;
	const char *url = FETCH_URL, *limit = NULL;
	int64_t at_s = now_s;
	bool as_json = false;
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'u': url = optarg; break;
		case 'j': as_json = true; break;
		case 'l': limit = optarg; break;
		case 'a':
			if (why_parse_time(optarg, now_s, &at_s))
				break;
			fputs("onepack why: --at wants a time such as 14:03 or -10m; see --help\n",
			      stderr);
			return 2;
		case 'h': fputs(help, stdout); return 0;
		default: fputs("`onepack why --help` explains its use\n", stderr); return 2;
		}
	}
	if (optind != argc || (limit && !is_limit(limit))) {
		fputs(limit ? "onepack why: --limit wants charge_current, discharge_current, "
			      "charge_voltage or discharge_voltage\n"
			    : "onepack why: there is nothing to name but options; see --help\n",
		      stderr);
		return 2;
	}
	return ask(url, limit, at_s, as_json);
}
