// SPDX-License-Identifier: Apache-2.0
/* What may come in. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is the Host header an IP address or one of the names (separated by spaces)? A port may follow. A
 * page of a stranger that was pointed at our address by his DNS still says his name. */
bool check_host(const char *host, const char *names);

/* Does the Origin header name the same host and port as the Host header? */
bool check_origin(const char *origin, const char *host);

/* Is it "application/json", with or without parameters? */
bool check_is_json(const char *content_type);

/* May the URL path be looked up below the root folder? Only plain names, no dot files, no "..". */
bool check_file_path(const char *path);

/* The whole text as a number within the bounds. */
bool check_number(const char *text, int64_t lowest, int64_t highest, int64_t *out);
