// SPDX-License-Identifier: Apache-2.0
/* Getting a CAN interface of the kernel ready for use. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool socketcan_is_up(int fd, const char *interface);

/* Brings the interface up if need be (*started is true then) and binds the socket to it: 0, or
 * -errno with a sentence in `why`. An interface that is up must fit and is never changed. */
int socketcan_set_up(int fd, const char *interface, uint32_t bitrate, bool listening, bool *started,
		     char *why, size_t why_size);

/* Only while it is down. */
void socketcan_set_listening(const char *interface, bool on);
