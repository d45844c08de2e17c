// SPDX-License-Identifier: Apache-2.0
/* The RS485 side towards an inverter: received bytes become requests, requests become answers.
 * Pure: no port, no clock; time is an argument. Framing and contents are the wire codec's; here is
 * what depends on time: the pause before an answer, cut requests, the echo of our own bytes, the
 * choice of the address. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "echo.h"
#include "farewell.h"
#include "lock.h"
#include "onepack/wire.h"

/* Pause between request and answer: packs need about 5 ms (JK 4.9 to 5.7 ms measured; Pylon 5 to 50
 * ms), a Modbus frame ends after 3.5 characters, and masters give up after 200 ms or more. */
#define RESPOND_PAUSE_US 5000

/* An answer that could not be given in this time is not given: the next question may be on the
 * line. */
#define RESPOND_LATE_US 50000

/* Silence after which a half-received request is not continued. Longer than the 16 ms for which USB
 * adapters hold bytes back. */
#define RESPOND_CUT_US 25000

struct respond {
	const struct wire *wire;
	struct wire_context ctx;
	enum wire_framing framing;
	uint32_t baud;
	bool choose_address; /* among Pylon masters' addresses, none being configured */
	struct lock lock;
	struct echo echo;
	struct farewell farewell; /* what was answered lately */
	uint8_t received[2 * WIRE_MAX_FRAME];
	size_t received_count;
	int64_t received_us;             /* time of the last byte */
	uint8_t request[WIRE_MAX_FRAME]; /* the last one, kept after its answer */
	size_t request_count;
	bool pending;   /* it has no answer yet */
	int64_t due_us; /* of the answer */
	uint64_t asked; /* requests for us, also those that the protocol leaves unanswered */
	uint64_t answered;
	uint64_t errors; /* bad checksums, cut or malformed requests, answers given up */
};

/* address: -1 = the protocol's, for Pylon chosen by the rule in lock.h. */
void respond_init(struct respond *respond, const struct wire *wire, const struct wire_context *ctx,
		  int address, uint32_t baud);

/* Forgets everything half done; for a reopened port. */
void respond_reset(struct respond *respond);

/* Bytes came in at now_us. */
void respond_receive(struct respond *respond, const uint8_t *bytes, size_t count, int64_t now_us);

/* When respond_turn wants to be called; INT64_MAX = not before more bytes come. */
int64_t respond_next_us(const struct respond *respond);

/* Gives up cut requests, and makes the answer when it is due: its length in `out` (WIRE_MAX_FRAME
 * bytes), to be sent at once, or 0. Its request stays in respond->request. */
size_t respond_turn(struct respond *respond, const struct battery *battery, int64_t now_us,
		    uint8_t *out);
