// SPDX-License-Identifier: Apache-2.0
/* See address_file.h. */
#include "address_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "onepack/rack.h"

void address_file_load(const char *path, uint32_t kept[SEARCH_ADDRESSES])
{
	FILE *file = path[0] ? fopen(path, "re") : NULL;
	char line[64];
	uint32_t uid32;
	int address;

	if (!file)
		return;
	while (fgets(line, sizeof line, file))
		if (sscanf(line, "%d %" SCNx32, &address, &uid32) == 2 && address > 0 &&
		    address < SEARCH_ADDRESSES)
			kept[address] = uid32;
	(void)fclose(file);
}

static int write_lines(const char *path, const uint32_t kept[SEARCH_ADDRESSES])
{
	FILE *file = fopen(path, "we");
	int err = 0;

	if (!file)
		return -errno;
	for (int i = 1; i < SEARCH_ADDRESSES; i++)
		if (kept[i] && fprintf(file, "%d %08" PRIX32 "\n", i, kept[i]) < 0)
			err = -EIO;
	if (fflush(file) != 0 || fsync(fileno(file)) != 0)
		err = -errno;
	if (fclose(file) != 0 && !err)
		err = -errno;
	return err;
}

int address_file_save(const char *path, const uint32_t kept[SEARCH_ADDRESSES])
{
	char next[RACK_PATH_SIZE + 8];
	int err;

	if (!path[0])
		return 0;
	snprintf(next, sizeof next, "%s.next", path);
	err = write_lines(next, kept);
	if (!err && rename(next, path) != 0)
		err = -errno;
	return err;
}
