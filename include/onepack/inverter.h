// SPDX-License-Identifier: Apache-2.0
/* The inverter side as the gateway sees it: one `onepack-link` process per configured inverter, fed
 * through the lease page only (lease.h). The processes outlive a crash of the gateway: they then
 * tell the inverter "no current" on time, fall silent when their protocol says so, and make room
 * for the links of the next gateway. docs: src/inverter/link.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "onepack/status.h"

#define INVERTER_MAX_OPTIONS 16

struct inverter_option {
	const char *name;
	const char *value;
};

struct inverter_config {
	const char *protocol; /* "can/pylon-lv-1.2" */
	const char *port;     /* "can0", "slcan:/dev/ttyACM0", "/dev/ttyUSB1" */
	uint32_t bitrate;     /* bit/s of the CAN bus or baud of the line, 0 = the protocol's */
	int address;          /* Modbus unit or Pylon ADR, -1 = the protocol's */
	int option_count;
	struct inverter_option options[INVERTER_MAX_OPTIONS];
};

struct links;

/* Starts one link process per configuration; number i writes slot i of the page. They are found
 * beside the running program, or where $ONEPACK_LINK says. Everything is copied. 0, or -errno with
 * a sentence in `why` and no process left: more inverters than slots, two on one port, no
 * onepack-link. What a running link cannot do (no such port, unknown protocol) is told in its
 * status instead. */
int links_start(const struct inverter_config *configs, int count, int lease_fd, struct links **out,
		char *why, size_t why_size);

/* To be called after each lease_publish, from any thread: the links look at the page at once. */
void links_wake(const struct links *links);

/* To be called about every 100 ms, from one thread: starts links again that ended (at once after a
 * first crash, else with a back-off of 1 to 30 s), and kills one that has not shown any life for
 * LINK_HUNG_MS. */
void links_tick(struct links *links, int64_t now_ms);

#define LINK_HUNG_MS 5000

/* Ends all links and frees everything; call lease_revoke before. Each gives its inverter a last
 * full set of zero limits: a CAN link at once, an RS485 link when it is polled, for up to
 * LINK_FAREWELL_MS. What still runs after timeout_ms is killed. NULL is fine. */
void links_stop(struct links *links, int timeout_ms);

#define LINK_FAREWELL_MS 3000
