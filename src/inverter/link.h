// SPDX-License-Identifier: Apache-2.0
/* One inverter link: the process `onepack-link`. It holds one port and the lease, and nothing else:
 * no web, no history, no packs. One thread sleeps in ppoll until the next absolute deadline or
 * event.
 *
 * What it puts on the wire:
 *   lease valid          the published battery; stricter limits at once, all else at its period
 *   expired or revoked   the last battery made safe: no current, from the moment of expiry
 *   nothing published    a battery without data
 *   no lease for the protocol's silence_ms   nothing, until a lease comes back
 *   SIGTERM              one full set of zero limits, then it ends
 * When its gateway is gone it goes on like this until it falls silent, loses its port, or the link
 * of the next gateway asks it to leave (announce.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hold.h"
#include "onepack/battery.h"
#include "onepack/inverter.h"
#include "onepack/lease.h"
#include "onepack/port.h"
#include "onepack/wire.h"
#include "respond.h"
#include "talk.h"

struct link_options {
	int lease_fd;
	int wake_fd;  /* eventfd, readable when there is a new snapshot */
	int slot;     /* for the status */
	pid_t engine; /* our parent as long as it lives */
	const char *protocol;
	const char *port;
	uint32_t bitrate; /* 0 = the protocol's */
	int address;      /* -1 = the protocol's */
	int option_count;
	struct inverter_option options[INVERTER_MAX_OPTIONS];
};

struct link;

/* CAN or RS485. The functions that return int say -errno when the port is gone and must be
 * reopened. */
struct link_kind {
	int (*open)(struct link *link, char *why, size_t why_size);
	void (*close)(struct link *link);
	int (*fd)(const struct link *link);
	int (*receive)(struct link *link, int64_t now_us);   /* take what came in */
	int (*send)(struct link *link, int64_t now_us);      /* what is due now */
	int64_t (*next_us)(const struct link *link);         /* when something will be due */
	bool (*farewell)(struct link *link, int64_t now_us); /* ending: true when all is said */
	void (*report)(const struct link *link, struct inverter_status *status);
};

extern const struct link_kind link_can;
extern const struct link_kind link_serial;

struct link_can_side {
	struct can_port *port;
	struct talk talk;
	int64_t tick_ms;
};

struct link_serial_side {
	int fd;
	struct respond respond;
	uint64_t write_errors;
	uint64_t bad_requests; /* that had an answer nevertheless */
};

struct link {
	struct link_options options;
	const struct link_kind *kind;
	struct wire *wire;
	struct wire_info info;
	struct wire_context ctx;
	uint32_t bitrate;

	struct lease_page *page;
	struct hold hold; /* what may be said now */

	int signal_fd;
	int listener;   /* announce.h, -1 = the port is not ours yet */
	int connection; /* of somebody who may want us to leave, -1 = none */
	bool is_open;
	int64_t retry_ms; /* when to try to open the port again */
	int64_t backoff_ms;
	int64_t ending_ms; /* since when, 0 = not ending */
	bool done;

	struct inverter_status status;
	struct wire_values heard; /* all that the inverter said */
	struct wire_values said;  /* what our last limits were, as an inverter reads them */
	struct link_can_side can;
	struct link_serial_side serial;
};

/* Prepares everything but the port: 0, or -1 with a sentence in `why`. */
int link_init(struct link *link, const struct link_options *options, char *why, size_t why_size);

/* Runs until it was told to end. */
void link_run(struct link *link);
void link_free(struct link *link);

/* For the two kinds: the inverter was heard; limits were put on the wire, as decoded into
 * link->said. */
void link_note_heard(struct link *link, int64_t now_us);
void link_note_limits(struct link *link);
