// SPDX-License-Identifier: Apache-2.0
/* What the link tests have in common: an engine process that publishes and can be killed, stopped
 * or made to hang; a pty as the wire; and the far end of an slcan adapter that notes when each
 * frame came. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../unit/cmocka_all.h"

#include "onepack/can.h"
#include "onepack/inverter.h"
#include "onepack/lease.h"

/* --- the wire --- */

struct wire_end {
	int master;    /* our end */
	char path[64]; /* the link's end */
	char text[4096];
	size_t text_count; /* received and not looked at yet */
};

void wire_open(struct wire_end *end);
void wire_close(struct wire_end *end);

struct heard_frame {
	struct can_message message;
	int64_t at_us;
};

/* The next CAN frame from the link, waiting at most timeout_ms: false = none came. */
bool hear_frame(struct wire_end *end, int timeout_ms, struct heard_frame *out);

/* As above, the next frame with this id. */
bool hear_id(struct wire_end *end, uint32_t id, int timeout_ms, struct heard_frame *out);

void say_frame(struct wire_end *end, uint32_t id, const uint8_t *data, int length);

int charge_limit_da(const struct can_message *limits);    /* 0.1 A of a 0x351 */
int discharge_limit_da(const struct can_message *limits); /* 0.1 A of a 0x351 */

/* --- the engine --- */

struct engine_control {
	atomic_int limit_ma;      /* both current limits of what is published */
	atomic_bool hang;         /* alive, but publishing no more */
	atomic_llong changed_us;  /* when a new limit was published */
	atomic_int published_ma;  /* and which */
	atomic_bool links_failed; /* links_start gave an error */
};

struct engine {
	pid_t pid;
	struct engine_control *control;
	struct lease_page *page; /* the same as the engine's: for status */
	int lease_fd;
};

/* Starts a process that publishes every 50 ms and looks after one link per configuration. On
 * SIGTERM it revokes the lease, stops its links and exits with 0. */
void engine_start(struct engine *engine, const struct inverter_config *configs, int count,
		  int limit_ma);
void engine_kill(struct engine *engine, int signal); /* and waits when it ends by that */
int engine_end(struct engine *engine);               /* SIGTERM; its exit status */

/* One slcan link and its engine. */
struct can_fixture {
	struct wire_end end;
	struct engine engine;
	char port[80];
	char protocol[64];
};

void can_start(struct can_fixture *f, const char *protocol, int limit_ma);
void can_stop(struct can_fixture *f); /* the engine's exit status must be 0 */

/* Reads until this limit is on the wire and the set is over. */
void can_settle(struct can_fixture *f, int limit_da);

struct inverter_config config_of(const char *protocol, const char *port);

/* Waits until the status of a slot fulfils `is_so`; fails the test after timeout_ms. */
void await_status(const struct engine *engine, int slot,
		  bool (*is_so)(const struct inverter_status *), int timeout_ms,
		  struct inverter_status *out);

/* The process ids of our links; after a kill of the engine they are nobody's children. */
int find_links(const char *port, pid_t *pids, int size);

/* Waits until exactly one link holds this port, and it is not that one; a process goes on for a
 * while after it has closed its port. */
pid_t await_one_link(const char *port, pid_t other_than);

/* Waits until no link holds this port. */
bool links_are_gone(const char *port, int timeout_ms);

/* Ends what a test left behind. */
void end_links(const char *port);
