// SPDX-License-Identifier: Apache-2.0
/* What the history costs: writes days of a rack into a file, in virtual time with the daemon's
 * batches, and prints what reached the storage. Usage: store_day FOLDER [PACKS [DAYS]] */
#include "fixture.h"

#include <sys/stat.h>

static long long written_bytes(void)
{
	FILE *file = fopen("/proc/self/io", "r");
	char line[128];
	long long bytes = 0;

	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "write_bytes: %lld", &bytes) == 1)
			break;
	if (file)
		fclose(file);
	return bytes;
}

int main(int argc, char **argv)
{
	const int packs = argc > 2 ? atoi(argv[2]) : 16, days = argc > 3 ? atoi(argv[3]) : 1;
	char path[STORE_PATH_SIZE], why[STORE_DETAIL_SIZE];
	struct writer writer;
	struct stat info;
	bool moved_aside;

	if (argc < 2)
		return 2;
	snprintf(path, sizeof path, "%s/day.db", argv[1]);
	if (writer_open(&writer, path, &moved_aside, why, sizeof why) != SQLITE_OK) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	for (int day = 0; day < days; day++) {
		const long long before = written_bytes();

		for (int minute = 0; minute < 1440; minute++)
			if (commit_minute(&writer, NOON_S + (day * 1440 + minute) * 60LL, packs))
				return 1;
		stat(path, &info);
		printf("day %d: %.1f MB written, file %.1f MB\n", day + 1,
		       (double)(written_bytes() - before) / 1e6, (double)info.st_size / 1e6);
	}
	writer_close(&writer);
	return 0;
}
