// SPDX-License-Identifier: Apache-2.0
/* The dashboard's files. Names that the build has marked with a hash (below /assets/) may be kept
 * for ever; all others are asked for again each time and cost a 304. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "http.h"

static const char *const types[][2] = {
	{".html", "text/html; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
	{".ico", "image/x-icon"},
	{".woff2", "font/woff2"},
	{".json", "application/json"},
	{".webmanifest", "application/manifest+json"},
	{".txt", "text/plain; charset=utf-8"},
};

static const char *type_of(const char *path)
{
	const char *ending = strrchr(path, '.');

	for (size_t i = 0; ending && i < sizeof types / sizeof types[0]; i++)
		if (strcmp(ending, types[i][0]) == 0)
			return types[i][1];
	return "application/octet-stream";
}

/* The open file and its size, or -errno. */
static int open_file(const char *root, const char *path, struct stat *info)
{
	char name[2 * WEB_TEXT_SIZE];
	const int length = snprintf(name, sizeof name, "%s%s", root, path);
	int fd;

	if (length < 0 || (size_t)length >= sizeof name)
		return -ENAMETOOLONG;
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, info) == 0 && S_ISREG(info->st_mode))
		return fd;
	close(fd);
	return -ENOENT;
}

static enum MHD_Result send_file(struct request *request, const char *path, int fd,
				 const struct stat *info)
{
	const char *known = request_header(request, "If-None-Match");
	struct MHD_Response *response;
	char tag[64];
	unsigned status = MHD_HTTP_OK;

	snprintf(tag, sizeof tag, "\"%llx-%llx-%llx\"", (unsigned long long)info->st_mtim.tv_sec,
		 (unsigned long long)info->st_mtim.tv_nsec, (unsigned long long)info->st_size);
	if (known && strcmp(known, tag) == 0) {
		status = MHD_HTTP_NOT_MODIFIED;
		response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
		close(fd);
	} else {
		response = MHD_create_response_from_fd64((uint64_t)info->st_size, fd);
		if (!response)
			close(fd);
	}
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", type_of(path));
	MHD_add_response_header(response, "ETag", tag);
	MHD_add_response_header(response, "Cache-Control",
				strncmp(path, "/assets/", 8) == 0
					? "public, max-age=31536000, immutable"
					: "no-cache");
	return reply_response(request, status, response);
}

enum MHD_Result serve_file(struct request *request)
{
	const char *root = request->web->config.root;
	const char *path = strcmp(request->path, "/") == 0 ? "/index.html" : request->path;
	struct stat info = {0};
	int fd = -ENOENT;

	if (root[0] && check_file_path(path))
		fd = open_file(root, path, &info);
	if (fd >= 0)
		return send_file(request, path, fd, &info);
	if (strcmp(request->path, "/") == 0)
		return reply_error(
			request, MHD_HTTP_NOT_FOUND,
			"The dashboard's files are not installed. Build them with './dev "
			"build', or set web.root; the API is below /api/v1/.");
	return reply_error(request, MHD_HTTP_NOT_FOUND,
			   "There is no such page. The dashboard is at /.");
}
