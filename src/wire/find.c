// SPDX-License-Identifier: Apache-2.0
/* Where protocol files are found: a list of folders, each with ID.yaml below; the first hit wins.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire_internal.h"

#define PATH_SIZE 1024

/* The protocols beside the build, when run from a build tree: BUILD/bin/onepack with a cmake cache
 * in BUILD, which is one or two folders below the sources (build, build/test). */
static bool build_folder(char path[PATH_SIZE])
{
	char self[PATH_SIZE], probe[PATH_SIZE + 32];
	const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	if (length <= 0)
		return false;
	self[length] = '\0';
	for (int up = 1; up <= 4 && (slash = strrchr(self, '/')); up++) {
		*slash = '\0';
		snprintf(probe, sizeof probe, "%s/CMakeCache.txt", self);
		if (up == 2 && access(probe, F_OK) != 0)
			return false;
		snprintf(path, PATH_SIZE, "%.*s/protocols", PATH_SIZE - 20, self);
		if (up > 2 && access(path, F_OK) == 0)
			return true;
	}
	return false;
}

/* The n-th folder of the search path; false behind the last. */
static bool folder_at(int n, char path[PATH_SIZE])
{
	const char *list = getenv("ONEPACK_PROTOCOLS");

	while (list && *list) {
		const size_t length = strcspn(list, ":");

		if (length && n-- == 0) {
			snprintf(path, PATH_SIZE, "%.*s", (int)length, list);
			return true;
		}
		list += length + (list[length] == ':');
	}
	path[0] = '\0';
	switch (n) {
	case 0: snprintf(path, PATH_SIZE, "/etc/onepack/protocols"); return true;
	case 1:
		if (!build_folder(path))
			path[0] = '\0';
		return true; /* an empty name is no folder and finds nothing */
	case 2: snprintf(path, PATH_SIZE, "/usr/share/onepack/protocols"); return true;
	default: return false;
	}
}

/* Ids come from users and configuration: only names below the folders, nothing that climbs. */
static bool id_is_sane(const char *id)
{
	return id[0] && id[0] != '/' && id[0] != '.' && !strstr(id, "/.") && strlen(id) < 200;
}

bool wire_find(const char *id, char *path, size_t size)
{
	char folder[PATH_SIZE];

	for (int i = 0; id_is_sane(id) && folder_at(i, folder); i++) {
		snprintf(path, size, "%s/%s.yaml", folder, id);
		if (folder[0] && access(path, F_OK) == 0)
			return true;
	}
	return false;
}

struct wire *wire_load(const char *id, FILE *errors)
{
	char path[PATH_SIZE + 256];

	if (wire_find(id, path, sizeof path))
		return wire_load_file(path, errors);
	if (errors)
		fprintf(errors, "there is no protocol '%s'; `onepack wire list` shows them all\n",
			id);
	return NULL;
}

/* --- listing --- */

struct id_list {
	char **ids;
	int count;
};

static bool add_id(struct id_list *list, const char *bus, const char *file)
{
	const size_t length = strlen(file);
	char id[600];
	char **grown;

	if (length < 6 || file[0] == '.' || strcmp(file + length - 5, ".yaml") != 0)
		return true;
	snprintf(id, sizeof id, "%s/%.*s", bus, (int)length - 5, file);
	for (int i = 0; i < list->count; i++)
		if (strcmp(list->ids[i], id) == 0)
			return true;
	grown = realloc(list->ids, (size_t)(list->count + 1) * sizeof *grown);
	if (!grown)
		return false;
	list->ids = grown;
	list->ids[list->count] = strdup(id);
	return list->ids[list->count] && ++list->count;
}

static void add_bus(struct id_list *list, const char *folder, const char *bus)
{
	char path[PATH_SIZE + 300];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof path, "%s/%s", folder, bus);
	dir = bus[0] == '.' ? NULL : opendir(path);
	while (dir && (entry = readdir(dir)))
		if (!add_id(list, bus, entry->d_name))
			break;
	if (dir)
		closedir(dir);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int wire_list_ids(char ***ids)
{
	struct id_list list = {0};
	char folder[PATH_SIZE];

	for (int i = 0; folder_at(i, folder); i++) {
		DIR *dir = folder[0] ? opendir(folder) : NULL;
		struct dirent *entry;

		while (dir && (entry = readdir(dir)))
			add_bus(&list, folder, entry->d_name);
		if (dir)
			closedir(dir);
	}
	if (list.count)
		qsort(list.ids, (size_t)list.count, sizeof *list.ids, compare);
	*ids = list.ids;
	return list.count;
}

void wire_free_ids(char **ids, int count)
{
	for (int i = 0; i < count; i++)
		free(ids[i]);
	free(ids);
}
