// SPDX-License-Identifier: Apache-2.0
/* One link per port, also across a crash of the gateway. A link listens on an abstract unix socket
 * that is named after its port. The next link for that port asks it there to leave; it closes the
 * port and exits, and its connection ends. It refuses while it serves a living gateway. Only
 * processes of the same user, or of root, are listened to. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ANNOUNCE_PATIENCE_MS 1000

/* Takes the name of this port: the listening socket, or -errno with a sentence in `why` (-EBUSY: it
 * is served by a link whose gateway lives). Waits up to ANNOUNCE_PATIENCE_MS for the other one to
 * leave; a link that does neither leave nor refuse in that time hangs, and is killed. */
int announce_claim(const char *port, char *why, size_t why_size);

/* A connection came in on the listening socket: the connected socket, or -1. */
int announce_accept(int listener);

/* Something came in on it: is it a wish that we leave? */
bool announce_is_leave(int connection);

/* Answers that we stay, and closes it. (To agree, simply exit.) */
void announce_refuse(int connection);
