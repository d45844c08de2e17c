// SPDX-License-Identifier: Apache-2.0
/* The gateway's web server: the public API, the event stream, metrics, login and the dashboard's
 * static files. It looks at the board and reads the history; what changes something needs a login
 * and leaves an event. docs/api.md describes it from outside.
 *
 * The promise: whatever clients do (many, slow, malformed, oversized), it costs nobody but this
 * server's own two threads and a bounded amount of memory. */
#pragma once

#include <stddef.h>

#include "onepack/board.h"
#include "onepack/fusion.h"
#include "onepack/store.h"

#define WEB_TEXT_SIZE 256
#define WEB_HASH_SIZE 128

struct rack;

struct web_config {
	char listen[WEB_TEXT_SIZE]; /* "127.0.0.1:8080", "[::]:80", "0.0.0.0:8080"; port 0 = any
				       free one */
	char root[WEB_TEXT_SIZE];   /* folder of the dashboard; "" = API only */
	char password_hash[WEB_HASH_SIZE];   /* from web_hash_password; "" = nobody can log in */
	char demo_control[WEB_TEXT_SIZE];    /* the simulator's control socket; "" = no demo */
	char store_path[STORE_PATH_SIZE];    /* the history; "" = none */
	char gateway[FIELD_TEXT_SIZE];       /* this gateway's name */
	char host_names[WEB_TEXT_SIZE];      /* further names by which browsers reach it, separated
						by spaces. IP addresses, localhost, the host's own name
						and the gateway's (both also with .local) always
						work; others are refused (DNS rebinding) */
	const struct fusion_config *battery; /* shown to people; NULL = the defaults */
	struct rack *rack; /* for updates; it must outlive the server; NULL = none */
	int timeout_s; /* 0 = 15: a connection may say nothing for so long; a whole request, however
			  it trickles in, may take a third longer */
};

struct web;

/* Starts serving. `store` may be NULL. -errno or ERR_FORMAT with a sentence in `why`. The caller
 * blocks signals before, as for all threads. */
int web_start(const struct web_config *config, struct board *board, struct store *store,
	      struct web **out, char *why, size_t why_size);

/* Closes all connections. Before store_stop and board_free. NULL is fine. */
void web_stop(struct web *web);

/* The port that it listens on. */
int web_port(const struct web *web);

/* Makes what belongs into `password_hash` (Argon2id; takes some 50 ms). 0, ERR_RANGE for a password
 * under 8 or over 1000 bytes, or -ENOMEM. */
int web_hash_password(const char *password, char hash[WEB_HASH_SIZE]);
