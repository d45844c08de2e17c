// SPDX-License-Identifier: Apache-2.0
/* The wire codec: one protocol file becomes one `struct wire`, and that turns fields into bytes and
 * bytes into fields, as battery, as inverter, as pack and as the master of packs. Protocol files
 * are explained in protocols/README.md.
 *
 * Loading allocates; everything after it is pure: no I/O, no clock, no allocation, caller's
 * buffers. A loaded protocol is constant and may be shared by threads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "onepack/battery.h"
#include "onepack/can.h"
#include "onepack/err.h"

struct wire;

/* --- finding and loading --- */

/* Directories that are searched for ID.yaml, first hit wins: $ONEPACK_PROTOCOLS (colon separated,
 * if set), /etc/onepack/protocols, the build's protocols/ folder when run from a build tree,
 * /usr/share/onepack/protocols. */

/* Loads by id ("can/pylon-lv-1.2"). NULL when it does not exist or has mistakes; each mistake is
 * printed to `errors` as FILE:LINE:COLUMN: what. */
struct wire *wire_load(const char *id, FILE *errors);

/* Loads from a path, for `check` and tests; the id is made from the last two path components. */
struct wire *wire_load_file(const char *path, FILE *errors);
void wire_free(struct wire *wire);

/* All ids that can be found, sorted, each once. Returns the count; free with wire_free_ids. */
int wire_list_ids(char ***ids);
void wire_free_ids(char **ids, int count);

enum wire_framing {
	WIRE_CAN,    /* CAN frames, 11 or 29 bits */
	WIRE_MODBUS, /* Modbus RTU registers; a block may also exist as a JK record (55 AA EB 90) */
	WIRE_PYLON,  /* ~ASCII hex, CID2 commands, CR */
	WIRE_DUAL,   /* Modbus or Pylon on one line, by the first byte */
	WIRE_JK4E,   /* JK's 4E 57 frames: codes with values */
	WIRE_NIU,    /* NIU's 68 A ~A 68 frames: a table of bytes */
};

enum wire_scope { WIRE_OF_BATTERY, WIRE_OF_PACK };

/* What a master of packs should know of their ways. 0 or -1 = nothing is said. */
struct wire_polling {
	int32_t gap_us;       /* silence before a question; never less than 3.5 characters */
	int32_t reaction_us;  /* an answer has begun by then, or never comes */
	int32_t cycle_us;     /* more often there is nothing new to ask for */
	int counter_register; /* in the first message: moves with every measurement */
	int sync_register;    /* of the SYNC block, see src/rack/sync.h */
	int search_register;  /* for search and addressing by unique id, see src/rack/search.h */
};

struct wire_info {
	const char *id, *title, *source,
		*maturity;       /* maturity: tested | vendor-text | inferred | user */
	const char *check_first; /* what a user should look at before trusting it, "" = nothing */
	enum wire_framing framing;
	enum wire_scope scope; /* describes a battery (inverter side) or a pack */
	uint32_t bitrate;      /* bit/s: CAN bit rate or serial baud */
	bool even_parity;      /* of a serial line; the usual is none */
	int default_address;   /* Modbus unit or Pylon ADR; -1 for CAN */
	int home_address;      /* Pylon: answered first where an inverter may choose among masters'
				  addresses (02, 12 .. 72); -1 = there is no choice */
	int first_address, last_address; /* what `addresses: auto` means on the pack side; -1 where
					    it makes no sense */
	int32_t silence_ms; /* without a lease for this long, the link falls silent; 0 = never */
	int32_t inverter_lost_ms; /* inverter silent this long = lost; default 60 s, 0 = never */
	struct wire_polling polling;
};

void wire_get_info(const struct wire *wire, struct wire_info *out);

/* --- options and context --- */

#define WIRE_MAX_OPTIONS 16

struct wire_context {
	int address;          /* own Modbus unit or Pylon ADR; -1 = the profile's default */
	int64_t local_time_s; /* local time as seconds since 1970-01-01 00:00 local, 0 = unknown */
	int64_t uptime_ms;    /* of the gateway */
	int32_t option[WIRE_MAX_OPTIONS];
	bool alone; /* master: nobody else talks on this line, so what arrives unsigned is the
		       answer */
	bool final; /* master: nothing more will come; judge by what is there (at the time-out) */
};

/* Defaults of the protocol's options, default address, no time. */
void wire_context_init(const struct wire *wire, struct wire_context *ctx);

/* Sets an option by name; ERR_FORMAT with a sentence in `why` (which names the valid ones) if it
 * cannot be. */
int wire_set_option(const struct wire *wire, struct wire_context *ctx, const char *name,
		    const char *value, char *why, size_t why_size);

/* --- what was understood --- */

/* Where decoded values go. Only what the bytes say is written; clear the structs before the first
 * frame. */
struct wire_values {
	struct battery battery; /* battery protocols */
	struct pack pack;       /* pack protocols */
	struct inverter_view inverter;
	bool said_battery, said_pack, said_inverter;
	bool said_protections, said_warnings; /* alarm bits were there, set or not */
};

void wire_values_clear(struct wire_values *values);

/* --- CAN --- */

struct wire_message_info {
	const char *name; /* "limits" */
	uint32_t id;      /* CAN id, first register, CID2 or record type */
	bool extended;
	bool from_inverter;   /* the inverter sends it */
	bool id_plus_address; /* the CAN id has the address added, if one was set */
	int record_type;      /* JK record with the same bytes, 0 = none */
	uint32_t record_trigger;
	int32_t period_ms;
};

int wire_message_count(const struct wire *wire);
void wire_get_message(const struct wire *wire, int index, struct wire_message_info *out);

/* Encodes one message: 1, or 0 when the protocol withholds it for this battery (unknown values). */
int wire_encode_can(const struct wire *wire, int index, const struct wire_context *ctx,
		    const struct battery *battery, struct can_message *out);

/* Encodes a message that the inverter sends (for simulators). Same results. */
int wire_encode_can_inverter(const struct wire *wire, int index, const struct wire_context *ctx,
			     const struct inverter_view *view, struct can_message *out);

/* Adds what a frame says: 0, ERR_NOT_MINE for an unknown id, ERR_INCOMPLETE when too short for any
 * field. */
int wire_decode_can(const struct wire *wire, const struct wire_context *ctx,
		    const struct can_message *message, struct wire_values *out);

/* --- serial: byte streams --- */

#define WIRE_MAX_FRAME 4300 /* Pylon ASCII: 4095 characters of INFO and its frame */

enum wire_side { WIRE_FROM_MASTER, WIRE_FROM_SLAVE };

/* Looks for the first frame that `side` could have sent. >0: a whole frame with good checksum of
 * that many bytes at *start (Pylon: the sums of a master's frame are left to wire_answer, which has
 * return codes for them). ERR_INCOMPLETE: bytes from *start on may become one (bytes before are
 * noise). ERR_CHECKSUM: a frame of a known shape with a bad sum lies at *start; skip at least one
 * byte. 0: nothing but noise. */
int wire_scan(const struct wire *wire, enum wire_side side, const uint8_t *bytes, size_t count,
	      size_t *start);

/* --- slave: the gateway towards an inverter, a simulated pack towards the gateway --- */

/* What to answer to one whole frame from wire_scan. `who` is a struct battery or struct pack, by
 * the protocol's scope. Returns the length of the answer in `out` (at least WIRE_MAX_FRAME bytes),
 * 0 = silence, or a negative error to count: ERR_NOT_MINE (other address), ERR_CHECKSUM, ERR_FORMAT
 * (both: silence). A refusal that the protocol has an answer for (Modbus exception, Pylon return
 * code) is a normal answer. */
int wire_answer(const struct wire *wire, const struct wire_context *ctx, const void *who,
		const uint8_t *frame, size_t count, uint8_t *out, size_t size);

/* --- master: the gateway towards a pack, a simulated inverter towards the gateway --- */

/* The request for message `index` to `address`. Length, or an error. */
int wire_request(const struct wire *wire, int index, const struct wire_context *ctx, int address,
		 uint8_t *out, size_t size);

/* Looks for the answer to that request in everything received since it was sent (echo, noise and
 * padding included). >0: complete and good, values written, that many bytes used. ERR_INCOMPLETE:
 * wait for more. Anything else: count it and give up: ERR_CHECKSUM, ERR_FOREIGN (an answer to
 * somebody else's question), ERR_NOT_MINE (wrong responder), ERR_FORMAT, ERR_UNKNOWN (a good answer
 * that nobody signed), ERR_UNSUPPORTED, ERR_RANGE (the slave refused). At the time-out, ask once
 * more with ctx->final set: an answer without its usual end may be complete enough. */
int wire_response(const struct wire *wire, int index, const struct wire_context *ctx, int address,
		  const uint8_t *bytes, size_t count, struct wire_values *out);

/* How many bytes a complete good answer has, for timing; 0 = varies. */
int wire_response_length(const struct wire *wire, int index);

/* --- passive listening: captured exchanges, bus monitor --- */

/* Memory between frames: answers make sense only with their question. Start with {0}. */
struct wire_listener {
	int message; /* of the last request, +1; 0 = none */
	int address;
	uint32_t start, count; /* registers asked for */
};

/* Adds what one frame (request or answer, whole, from wire_scan or a capture) says. 0 or an error.
 */
int wire_decode_serial(const struct wire *wire, const struct wire_context *ctx,
		       struct wire_listener *listener, const uint8_t *frame, size_t count,
		       struct wire_values *out);

/* --- for people --- */

void wire_show(const struct wire *wire, FILE *out); /* the readable table of `onepack wire show` */
/* The same as parts of a Markdown page: facts, options, messages; without title. */
void wire_page(const struct wire *wire, FILE *out);
int wire_dbc(const struct wire *wire, FILE *out); /* ERR_UNSUPPORTED unless CAN */
void wire_show_names(FILE *out);                  /* all names that protocol files may use */
