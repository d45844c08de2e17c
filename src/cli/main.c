// SPDX-License-Identifier: Apache-2.0
/* onepack: the tool for people. Finds the command and hands over. */
#include <stdio.h>
#include <string.h>

#include "command.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{"sim", command_sim, "a rack and inverters without hardware"},
	{"password", command_password, "make the password hash for the web page"},
	{"version", command_version, "print the version"},
	{"fuse", command_fuse, "a log of packs in, the battery with its limits and reasons out"},
	{"record", command_record, "what comes into a gateway, as a log for fuse and replay"},
	{"replay", command_replay, "a recorded log on the page and on the wire again"},
	{"why", command_why, "why the limits are, or were, what they are"},
	{"monitor", command_monitor, "live decoded traffic of a bus, or of a log"},
	{"image", command_image, "firmware images for packs: keys, signing, checking"},
	{"update", command_update, "new firmware for packs, over a gateway or a serial line"},
	{"wire", command_wire,
	 "protocols without hardware: list, show, check, encode, decode, answer"},
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

int command_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("onepack " ONEPACK_VERSION);
	return 0;
}

static int usage(FILE *out, int status)
{
	fputs("OnePack: up to sixteen packs, one battery.\n\nusage: onepack COMMAND [ARGUMENT]...\n\n",
	      out);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fputs("\n`onepack COMMAND --help` explains a command with examples.\n", out);
	return status;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr, 2);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return usage(stdout, 0);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "onepack: there is no command '%s'; `onepack --help` lists them\n",
		argv[1]);
	return 2;
}
