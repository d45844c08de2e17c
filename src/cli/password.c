// SPDX-License-Identifier: Apache-2.0
/* onepack password: turns a password into the hash that `web: {password_hash: ...}` wants
 * (Argon2id). */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "onepack/err.h"
#include "onepack/web.h"

static int usage(FILE *out, int status)
{
	fputs("usage: onepack password [PASSWORD]\n\n"
	      "Prints the hash of a password for the configuration:\n\n"
	      "  web: {password_hash: \"$argon2id$v=19$...\"}\n\n"
	      "Without an argument the password is read from standard input, so that it does not show in\n"
	      "the list of processes:  onepack password < file\n",
	      out);
	return status;
}

int command_password(int argc, char **argv)
{
	char line[256], hash[WEB_HASH_SIZE];
	const char *password = argc == 2 ? argv[1] : line;

	if (argc > 2)
		return usage(stderr, 2);
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return usage(stdout, 0);
	if (argc == 1) {
		if (!fgets(line, sizeof line, stdin))
			line[0] = '\0';
		line[strcspn(line, "\n")] = '\0';
	}
	const int result = web_hash_password(password, hash);
	if (result == ERR_RANGE)
		fputs("onepack password: at least 8 characters, please\n", stderr);
	else if (result < 0)
		fputs("onepack password: not enough memory to hash\n", stderr);
	else
		puts(hash);
	return result == ERR_RANGE ? 2 : result < 0;
}
