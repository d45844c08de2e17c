// SPDX-License-Identifier: Apache-2.0
/* What changes something at a gateway, from the command line: one login, and POSTs with it. */
#pragma once

#include <stddef.h>

#include "fetch.h"

struct post;

/* Logs in with the password of the gateway's page. NULL with a sentence in `why`. */
struct post *post_login(const char *base, const char *password, char why[FETCH_WHY_SIZE]);

/* The answer, to be freed; NULL with a sentence in `why`, which is the gateway's if it refused. */
char *post_send(struct post *post, const char *path, const char *type, const void *bytes,
		size_t size, char why[FETCH_WHY_SIZE]);

void post_close(struct post *post); /* NULL is fine */
