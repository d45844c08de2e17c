// SPDX-License-Identifier: Apache-2.0
/* See order_file.h. */
#include "order_file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE (UPDATE_PATH + 8)

static int sync_folder(const char *path)
{
	char copy[PATH_SIZE];
	int fd, result;

	(void)snprintf(copy, sizeof copy, "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	result = fsync(fd) == 0 ? 0 : -errno;
	(void)close(fd);
	return result;
}

static int write_all(const char *path, const char *text)
{
	const size_t length = strlen(text);
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int result = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, length) != (ssize_t)length || fsync(fd) != 0)
		result = errno ? -errno : -EIO;
	if (close(fd) != 0 && result == 0)
		result = -errno;
	return result;
}

int update_order_save(const char *path, const struct update_order *order)
{
	char next[PATH_SIZE], *text = NULL;
	json_t *units = json_array(), *json;
	int result = -ENOMEM;

	for (int i = 0; i < order->count; i++)
		(void)json_array_append_new(units, json_integer(order->units[i]));
	json = json_pack("{s:s, s:s, s:o, s:b, s:b, s:b}", "release", order->release, "bus",
			 order->bus, "packs", units, "broadcast", order->broadcast, "allow_older",
			 order->allow_older, "allow_alone", order->allow_alone);
	if (json)
		text = json_dumps(json, JSON_INDENT(1));
	if (!text)
		goto out;
	if (snprintf(next, sizeof next, "%s.next", path) >= (int)sizeof next) {
		result = -ENAMETOOLONG;
		goto out;
	}
	result = write_all(next, text);
	if (result == 0 && rename(next, path) != 0)
		result = -errno;
	if (result == 0)
		result = sync_folder(path);
out:
	free(text);
	json_decref(json);
	return result;
}

static int read_units(const json_t *units, struct update_order *order)
{
	const size_t count = json_array_size(units);

	if (count < 1 || count > UPDATE_PACKS)
		return ERR_FORMAT;
	for (size_t i = 0; i < count; i++) {
		const json_int_t unit = json_integer_value(json_array_get(units, i));

		if (unit < 1 || unit > 247)
			return ERR_FORMAT;
		order->units[i] = (uint8_t)unit;
	}
	order->count = (int)count;
	return 0;
}

int update_order_load(const char *path, struct update_order *order)
{
	struct update_order out = {0};
	const char *release, *bus = "";
	json_t *units, *json;
	int broadcast, older, alone, result = ERR_FORMAT;

	if (access(path, R_OK) != 0)
		return -errno;
	json = json_load_file(path, 0, NULL);
	if (!json)
		return ERR_FORMAT;
	if (json_unpack(json, "{s:s, s?s, s:o, s:b, s:b, s:b}", "release", &release, "bus", &bus,
			"packs", &units, "broadcast", &broadcast, "allow_older", &older,
			"allow_alone", &alone) == 0 &&
	    strlen(release) < sizeof out.release && strlen(bus) < sizeof out.bus)
		result = read_units(units, &out);
	if (result == 0) {
		(void)snprintf(out.release, sizeof out.release, "%s", release);
		(void)snprintf(out.bus, sizeof out.bus, "%s", bus);
		out.broadcast = broadcast != 0;
		out.allow_older = older != 0;
		out.allow_alone = alone != 0;
		*order = out;
	}
	json_decref(json);
	return result;
}

int update_order_remove(const char *path)
{
	if (unlink(path) != 0 && errno != ENOENT)
		return -errno;
	return 0;
}
