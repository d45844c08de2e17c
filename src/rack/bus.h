// SPDX-License-Identifier: Apache-2.0
/* One RS485 line with its tty and the thread that polls it. What to ask and what an answer means is
 * the poller's business. */
#pragma once

#include <pthread.h>

#include "exchange.h"
#include "poller.h"

struct bus {
	struct poller poller; /* its reports are called from the thread */
	char port[STATUS_TEXT_SIZE];
	int stop_fd;
	pthread_t thread;
	struct wire *wire, *own_wire; /* owned */
	char state[RACK_PATH_SIZE];
	unsigned kept_moves; /* of the addresses in that file */
	struct exchange exchange;
};

/* Loads the protocol and sets everything up; no thread yet. -EINVAL with the reason in `why`. */
int bus_prepare(struct bus *bus, const struct rack_bus_config *config, char *why, size_t why_size);

/* The thread: polls until stop_fd is readable. */
void *bus_run(void *bus);

void bus_release(struct bus *bus); /* after the thread has ended */
