// SPDX-License-Identifier: Apache-2.0
/* The rack: polls the packs on one or more RS485 lines, one thread per line, and hands over whole
 * samples. A pack is shown only when its live data and its settings were both read; one that falls
 * silent is simply not shown again until it answers. What to make of that is the fusion's business.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "onepack/event.h"
#include "onepack/fusion.h"
#include "onepack/status.h"

#define RACK_MAX_OPTIONS 8
#define RACK_PATH_SIZE   256

struct rack_option {
	char name[FIELD_TEXT_SIZE];
	char value[FIELD_TEXT_SIZE];
};

/* One RS485 line. Zero and "" mean the default. */
struct rack_bus_config {
	char name[FIELD_TEXT_SIZE];      /* shown with each pack; default "busN" */
	char port[STATUS_TEXT_SIZE];     /* a tty or pty */
	char protocol[STATUS_TEXT_SIZE]; /* an id, or "auto" (also the default): pack/jk-pb, or
					    pack/onepack when such packs are met */
	uint32_t baud;                   /* default: the protocol's */
	uint32_t addresses; /* bit n = address n; default: what the protocol can have */
	int32_t first_pack; /* number of the first pack here; default: the next free */
	int32_t cycle_ms; /* ask everybody no more often than this; default: as fast as packs can */
	int32_t option_count;
	struct rack_option options[RACK_MAX_OPTIONS]; /* of the protocol */
	char state[RACK_PATH_SIZE]; /* file that keeps which pack was given which address, "" = none
				     */
};

/* What the packs of this project are told once a cycle (SYNC), from the fused battery. */
struct rack_word {
	bool charge_allowed, discharge_allowed, force_charge, update, inverter_lost;
	int32_t packs; /* online */
	int32_t voltage_mv, current_ma;
	int64_t time_ms; /* wall clock */
};

struct rack;

/* Starts one thread per bus. A port that cannot be opened is no failure: it is tried again. Packs
 * at listed addresses get their numbers (1..16) in order of the configuration; those found by
 * default addresses get the next free number when they first answer, and keep it. `wake_fd` is an
 * eventfd that is written on every completed sample, -1 = none. Returns 0, -EINVAL (protocol,
 * option or numbers cannot be, see `why`) or -errno. */
int rack_start(const struct rack_bus_config *buses, int count, int wake_fd, struct rack **out,
	       char *why, size_t why_size);

/* Moves what is new since the last call into `input`: complete samples, each pack at most once and
 * the newest, and the errors seen. Other members of `input` are left alone. */
void rack_take(struct rack *rack, struct fusion_input *input);

/* The way back: what the next SYNC says, on all lines. What is older than RACK_WORD_MS is not said
 * any more. */
#define RACK_WORD_MS 2500
void rack_tell(struct rack *rack, const struct rack_word *word, int64_t now_ms);

/* Moves events (an address changed, a pack that stands still) out; returns their number. */
#define RACK_MAX_EVENTS 16
int rack_take_events(struct rack *rack, struct event out[RACK_MAX_EVENTS]);

/* How the lines are doing; returns their number. Addresses that never answered have no errors
 * counted unless they were listed. */
int rack_status(struct rack *rack, struct bus_status out[STATUS_MAX_BUSES]);

void rack_stop(struct rack *rack); /* NULL is fine */
