// SPDX-License-Identifier: Apache-2.0
/* Talking to a running simulation (`onepack sim rack`): one text command in a datagram to the unix
 * socket DIRECTORY/control, one line of text or JSON back. `help` answers with the commands. */
#pragma once

#include <stddef.h>

#define SIM_ANSWER_SIZE 65536 /* a status of 16 packs is about 8 kB */

/* Sends one command and waits up to two seconds for the answer: 0, or -errno (-ENOENT,
 * -ECONNREFUSED: no simulation there; -ETIMEDOUT). Commands that the simulation refuses are
 * answers, too: they begin with "error: ". */
int sim_tell(const char *directory, const char *command, char *answer, size_t size);
