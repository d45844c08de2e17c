// SPDX-License-Identifier: Apache-2.0
/* A pseudo-terminal with a name of its own: programs open the link as they would a serial port. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PTY_PATH_SIZE 256

struct sim_pty {
	int master;
	int held; /* the other side, kept open so that the port survives between users */
	char link[PTY_PATH_SIZE];
};

/* Makes the pty, raw and non-blocking, and the symbolic link to it; a link of an earlier run is
 * replaced, any other file is not. 0 or -errno. */
int sim_pty_open(struct sim_pty *pty, const char *link);

/* Closes it and removes the link. A pty that was never opened must have master and held -1. */
void sim_pty_close(struct sim_pty *pty);

/* What the user of the port wrote: count, 0 = nothing. */
size_t sim_pty_read(struct sim_pty *pty, uint8_t *bytes, size_t size);

/* What the user of the port gets to read. Bytes that a user leaves unread too long are lost. */
void sim_pty_write(struct sim_pty *pty, const uint8_t *bytes, size_t count);
