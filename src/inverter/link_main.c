// SPDX-License-Identifier: Apache-2.0
/* onepack-link: the program. It is started by the gateway (links.c), not by people; --help says
 * what it is to whoever meets it in a process list. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"

static const char usage[] =
	"onepack-link keeps one inverter informed and is started by onepackd.\n"
	"  --lease-fd=N --wake-fd=N --slot=N --engine=PID   how it is tied to onepackd\n"
	"  --protocol=ID --port=PORT [--bitrate=N] [--address=N] [--option=NAME=VALUE]...\n";

/* "pad=yes" is cut in place. */
static bool add_option(struct link_options *options, char *text)
{
	char *value = strchr(text, '=');

	if (!value || options->option_count == INVERTER_MAX_OPTIONS)
		return false;
	*value = 0;
	options->options[options->option_count++] = (struct inverter_option){text, value + 1};
	return true;
}

static bool take(struct link_options *options, int option, char *text)
{
	switch (option) {
	case 'l': options->lease_fd = atoi(text); return true;
	case 'w': options->wake_fd = atoi(text); return true;
	case 's': options->slot = atoi(text); return true;
	case 'e': options->engine = atoi(text); return true;
	case 'p': options->protocol = text; return true;
	case 'P': options->port = text; return true;
	case 'b': options->bitrate = (uint32_t)strtoul(text, NULL, 10); return true;
	case 'a': options->address = atoi(text); return true;
	case 'o': return add_option(options, text);
	default: return false;
	}
}

static bool parse(int argc, char **argv, struct link_options *options)
{
	static const struct option names[] = {{"lease-fd", required_argument, NULL, 'l'},
					      {"wake-fd", required_argument, NULL, 'w'},
					      {"slot", required_argument, NULL, 's'},
					      {"engine", required_argument, NULL, 'e'},
					      {"protocol", required_argument, NULL, 'p'},
					      {"port", required_argument, NULL, 'P'},
					      {"bitrate", required_argument, NULL, 'b'},
					      {"address", required_argument, NULL, 'a'},
					      {"option", required_argument, NULL, 'o'},
					      {"help", no_argument, NULL, 'h'},
					      {NULL, 0, NULL, 0}};
	int c;

	*options = (struct link_options){
		.lease_fd = -1, .wake_fd = -1, .slot = -1, .address = -1, .engine = -1};
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (!take(options, c, optarg))
			return false;
	return optind == argc && options->lease_fd >= 0 && options->wake_fd >= 0 &&
	       options->slot >= 0 && options->slot < STATUS_MAX_INVERTERS && options->engine > 0 &&
	       options->protocol && options->port;
}

int main(int argc, char **argv)
{
	struct link_options options;
	struct link *link;
	char why[256] = "";
	int status = 2;

	if (!parse(argc, argv, &options)) {
		fputs(usage, stderr);
		return 2;
	}
	link = malloc(sizeof *link);
	if (!link)
		return 1;
	if (link_init(link, &options, why, sizeof why) == 0) {
		link_run(link);
		status = 0;
	} else {
		fprintf(stderr, "onepack-link: %s on %s: %s\n", options.protocol, options.port,
			why);
	}
	link_free(link);
	free(link);
	return status;
}
