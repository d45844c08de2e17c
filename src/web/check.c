// SPDX-License-Identifier: Apache-2.0
/* Checks of what browsers send. */
#include "check.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_HOST 256

static bool is_port(const char *text)
{
	const size_t digits = strspn(text, "0123456789");

	return digits >= 1 && digits <= 5 && text[digits] == '\0';
}

/* Splits "name:port", "[v6]:port" or either alone; `name` gets the part before the port. */
static bool split_host(const char *host, char name[MAX_HOST])
{
	const bool bracketed = host[0] == '[';
	const char *start = bracketed ? host + 1 : host;
	const size_t length = strcspn(start, bracketed ? "]" : ":");
	const char *rest = start + length;

	if (length == 0 || length >= MAX_HOST)
		return false;
	if (bracketed && *rest++ != ']')
		return false;
	if (*rest == ':' ? !is_port(rest + 1) : *rest != '\0')
		return false;
	memcpy(name, start, length);
	name[length] = '\0';
	if (!bracketed && length > 1 && name[length - 1] == '.') /* a fully written-out name */
		name[length - 1] = '\0';
	return true;
}

static bool is_address(const char *name, int family)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(family, name, address) == 1;
}

static bool is_listed(const char *name, const char *names)
{
	const size_t length = strlen(name);

	for (const char *at = names; *at;) {
		const size_t listed = strcspn(at, " ");

		if (listed == length && strncasecmp(at, name, length) == 0)
			return true;
		at += listed;
		at += strspn(at, " ");
	}
	return false;
}

bool check_host(const char *host, const char *names)
{
	char name[MAX_HOST];

	if (!host || !split_host(host, name))
		return false;
	if (host[0] == '[')
		return is_address(name, AF_INET6);
	return is_address(name, AF_INET) || is_listed(name, names);
}

bool check_origin(const char *origin, const char *host)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		const size_t length = strlen(schemes[i]);

		if (strncasecmp(origin, schemes[i], length) == 0)
			return strcasecmp(origin + length, host) == 0;
	}
	return false; /* "null" and whatever else */
}

bool check_is_json(const char *content_type)
{
	static const char json[] = "application/json";
	const size_t length = sizeof json - 1;

	return content_type && strncasecmp(content_type, json, length) == 0 &&
	       strchr("; \t", content_type[length]) != NULL; /* finds the final zero, too */
}

bool check_file_path(const char *path)
{
	const char *allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	if (path[0] != '/')
		return false;
	while (*path) {
		const size_t length = strspn(path + 1, allowed);

		if (*path != '/' || length == 0 || path[1] == '.')
			return false;
		path += 1 + length;
	}
	return true;
}

bool check_number(const char *text, int64_t lowest, int64_t highest, int64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)text[0]) && text[0] != '-')
		return false;
	errno = 0;
	const long long value = strtoll(text, &end, 10);
	if (errno || *end || value < lowest || value > highest)
		return false;
	*out = value;
	return true;
}
