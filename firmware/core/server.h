// SPDX-License-Identifier: Apache-2.0
/* The pack's side of the bus: bytes and time in, bytes out. It speaks the parallel protocol and
 * JK's registers and records from the same data, and keeps what must survive a power cut. A board's
 * main loop is:
 *
 *   fw_server_start(...)                          once; also starts the pack
 *   fw_server_hear(server, bytes, n, now_us)      whatever came in (not what we sent ourselves)
 *   n = fw_server_poll(server, now_us, &bytes)    n > 0: send these now
 *   fw_pack_step(...); fw_server_step(server, now_us)   about ten times a second
 *
 * Turn-around: an answer is ready when its request has ended; it is handed out after the silence
 * that ends a frame (1.75 ms above 19200 bit/s, 4 ms at 9600) and, for a pack whose address nobody
 * guards (DIP switches, stored), up to 4.5 character times more. A stray byte puts it off by one
 * silence; a frame of somebody else, or FW_SERVER_STALE_US, ends it: its master has given up. */
#pragma once

#include "addressing.h"
#include "auth.h"
#include "counters.h"
#include "log.h"
#include "modbus.h"
#include "pack.h"
#include "snapshot.h"
#include "store.h"
#include "update.h"

#define FW_SERVER_OUT      (FW_JK_RECORD + FW_JK_ACKNOWLEDGE)
#define FW_SERVER_HEARD    320 /* a JK record and what may stand before it */
#define FW_SERVER_STALE_US 50000

/* Registers that SYNC freezes: 0100..015F and 0180..01BF. */
#define FW_LIVE_FIRST     0x0100
#define FW_LIVE_WORDS     96
#define FW_COUNTERS_FIRST 0x0180
#define FW_COUNTERS_WORDS 64

struct fw_server_config {
	const struct fw_identity *identity;
	const struct fw_secrets *secrets;
	const struct fw_flash *flash;
	struct fw_update *update;                 /* NULL: no update over the bus */
	uint32_t (*silence_us)(uint32_t baud);    /* NULL = fw_modbus_silence_us */
	const struct fw_calibration *calibration; /* of production, until one is stored; or NULL */
	uint8_t dip;                              /* address switches at the start */
};

/* Commands by their sequence number. */
struct fw_command_state {
	bool done; /* `sequence` was obeyed or refused for good */
	uint16_t code, sequence;
	uint32_t argument;
	enum fw_result result;
};

/* Seconds since 2020, once told. */
struct fw_clock {
	uint32_t set_s;
	uint64_t set_ms;
};

struct fw_bus_counts {
	uint32_t frames;   /* good ones of everybody */
	uint16_t requests; /* for us; wraps */
	uint16_t noise;    /* bytes that belonged to no frame; wraps */
	uint16_t held;     /* answers not sent because somebody else spoke; wraps */
};

struct fw_server {
	struct fw_server_config config;
	struct fw_pack *pack;

	/* what is kept */
	struct fw_settings settings; /* its parameters and calibration are the pack's when stored */
	struct fw_store store;
	struct fw_log log;
	struct fw_snapshots snapshots;
	struct fw_counter_ring counters;
	uint16_t seen_parameters, seen_calibration, seen_counters; /* of the pack's "moves when" */
	uint32_t seen_protections, seen_faults;
	uint64_t record_ms; /* last FW_EVENT_RECORD */

	struct fw_auth auth;
	struct fw_addressing addressing;
	struct fw_command_state command;
	struct fw_clock clock;
	uint32_t log_pointer, snapshot_pointer;
	uint16_t requested_level; /* register 080C */
	uint8_t jk_off;           /* FW_ALLOW_ that JK's switches turned off */

	/* what SYNC froze */
	bool latched;
	uint64_t latch_ms;
	uint8_t latch[2 * FW_LIVE_WORDS], latch_counters[2 * FW_COUNTERS_WORDS];

	/* the line */
	uint32_t baud;
	uint64_t good_us;  /* last good frame */
	uint64_t heard_us; /* end of the last byte */
	uint16_t heard_count;
	bool looked;      /* at what is left of it, since it fell silent */
	bool change_baud; /* to the parameter's, when the answer is out */
	struct fw_bus_counts counts;
	uint8_t heard[FW_SERVER_HEARD];

	/* the answer */
	uint16_t out_count; /* 0 = none */
	uint16_t said;      /* bytes of `out` that were sent last */
	bool in_slot;       /* answers a search: others may speak before */
	uint64_t send_us;   /* not before */
	uint64_t latest_us; /* whoever keeps the line busy longer has it */
	uint64_t sent_us;   /* when the last byte will have left */
	uint8_t out[FW_SERVER_OUT];
};

/* Reads what flash keeps, starts the pack with it, takes an address. `pack` and what `config`
 * points to must stay. */
void fw_server_start(struct fw_server *server, struct fw_pack *pack,
		     const struct fw_server_config *config, uint64_t now_us);

/* Bytes that came in, the last of which ended at `now_us`. Broadcasts take effect here. */
void fw_server_hear(struct fw_server *server, const uint8_t *bytes, size_t count, uint64_t now_us);

/* Bytes to send now; 0 = none. They stay as they are until something is heard or polled again. */
size_t fw_server_poll(struct fw_server *server, uint64_t now_us, const uint8_t **bytes);

/* When to poll again at the latest, if nothing is heard before; UINT64_MAX = no need. */
uint64_t fw_server_wake_us(const struct fw_server *server);

/* After each step of the pack: events to the log, snapshots, counters, settings. Writes flash. */
void fw_server_step(struct fw_server *server, uint64_t now_us);

/* Nobody was understood for long: tries the other baud rate, 115200 or the parameter's. For the
 * step. */
void fw_server_try_baud(struct fw_server *server, uint64_t now_us);

/* For the addressing: answer a search that long after the request, beside the usual turn-around. */
void fw_server_answer_search(struct fw_server *server, uint32_t slot_us);

/* What the line must run at; may change after every poll and step. */
uint32_t fw_server_baud(const struct fw_server *server);

/* Seconds since 2020-01-01, or since the last time that was kept while nobody told the time. */
uint32_t fw_server_time_s(const struct fw_server *server, uint64_t now_ms);
void fw_server_set_time(struct fw_server *server, uint32_t time_s, uint64_t now_ms);
