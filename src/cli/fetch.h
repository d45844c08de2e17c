// SPDX-License-Identifier: Apache-2.0
/* A gateway's HTTP API from the command line: http and https, through libcurl. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define FETCH_URL       "http://127.0.0.1:8080" /* of a gateway on this machine */
#define FETCH_WHY_SIZE  256
#define FETCH_PATH_SIZE 512

/* GETs `base` + `path` (whose arguments need no escaping). The whole text, to be freed; NULL after
 * a sentence in `why`, which is what the gateway said if it refused. */
char *fetch_text(const char *base, const char *path, char why[FETCH_WHY_SIZE]);

/* Takes what has come; false ends the transfer. Called with nothing (size 0) about once a second.
 */
typedef bool fetch_fn(void *arg, const char *bytes, size_t size);

enum fetch_end {
	FETCH_TAKEN,  /* `take` ended it */
	FETCH_WHOLE,  /* the answer is complete */
	FETCH_BROKEN, /* no connection, or not now: worth another try */
	FETCH_REFUSED /* by the gateway, or the address is wrong */
};

/* GETs piece by piece. Everything but FETCH_TAKEN leaves a sentence in `why`. */
enum fetch_end fetch_stream(const char *base, const char *path, fetch_fn *take, void *arg,
			    char why[FETCH_WHY_SIZE]);
