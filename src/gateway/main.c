// SPDX-License-Identifier: Apache-2.0
/* onepackd: reads the command line and the configuration, and serves (app.c). */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "app.h"

static int usage(FILE *out, int status)
{
	fputs("onepackd: the OnePack gateway. Reads battery packs, fuses them, and is the inverters' BMS.\n\n"
	      "usage: onepackd -c FILE [-t]\n\n"
	      "  -c FILE   the configuration, e.g. /etc/onepack/onepack.yaml\n"
	      "  -t        only check it: exit 0 when it is good, 2 with every mistake as FILE:LINE:COLUMN\n"
	      "  -V        print the version\n\n"
	      "The smallest configuration polls a rack on one RS485 adapter and drives one inverter:\n\n"
	      "  buses:\n"
	      "    - {name: rack, port: /dev/ttyUSB0}\n"
	      "  inverters:\n"
	      "    - {protocol: can/pylon-lv-1.2, port: can0}\n\n"
	      "It runs in the foreground until SIGTERM or Ctrl-C; the inverters hear zero limits last.\n",
	      out);
	return status;
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {{"config", required_argument, NULL, 'c'},
						     {"test", no_argument, NULL, 't'},
						     {"version", no_argument, NULL, 'V'},
						     {"help", no_argument, NULL, 'h'},
						     {NULL, 0, NULL, 0}};
	const char *path = NULL;
	bool check_only = false;
	int option, status;

	while ((option = getopt_long(argc, argv, "c:thV", long_options, NULL)) != -1)
		switch (option) {
		case 'c': path = optarg; break;
		case 't': check_only = true; break;
		case 'V': puts("onepackd " ONEPACK_VERSION); return 0;
		case 'h': return usage(stdout, 0);
		default: return usage(stderr, 2);
		}
	if (!path || optind != argc)
		return usage(stderr, 2);
	struct config *config = calloc(1, sizeof *config);
	if (!config)
		return 1;
	if (!config_load(path, config, stderr))
		status = 2;
	else if (check_only)
		status = printf("%s: good\n", path) < 0;
	else
		status = app_serve(config);
	free(config);
	return status;
}
