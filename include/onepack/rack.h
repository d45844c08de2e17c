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

/* --- firmware for the packs of this project --- */

#define RACK_PASSWORD_SIZE 9

/* What an update needs; without a key there are none. */
struct rack_update_config {
	char key[RACK_PATH_SIZE];          /* PEM of the maker's key, "" = no updates */
	char password[RACK_PASSWORD_SIZE]; /* the installer's, of the packs */
	char folder[RACK_PATH_SIZE];       /* where order and release are kept meanwhile */
	int32_t watch_ms; /* a new image is watched so long before it is confirmed; 0 = a minute */
};

struct rack_update_wish {
	uint32_t packs; /* bit n = pack n; 0 = all that can be */
	bool broadcast, allow_older, allow_alone;
};

enum rack_update_state {
	RACK_UPDATE_NONE,    /* since the start */
	RACK_UPDATE_WAITING, /* for the packs to be there, after a restart */
	RACK_UPDATE_RUNNING,
	RACK_UPDATE_DONE,
	RACK_UPDATE_FAILED
};

struct rack_update_pack {
	int32_t pack, address, percent;
	char from[24];     /* version that ran before; "" = not seen yet */
	char progress[32]; /* in words */
	char error[160];   /* a sentence, "" = none */
};

struct rack_update_status {
	enum rack_update_state state;
	int32_t percent;
	char bus[FIELD_TEXT_SIZE];
	char version[24];
	char error[192];            /* why it ended; "" = it did not fail */
	int64_t began_ms, ended_ms; /* wall clock, 0 = not yet */
	int32_t pack_count;
	struct rack_update_pack packs[ONEPACK_MAX_PACKS];
};

struct rack;

/* Starts one thread per bus. A port that cannot be opened is no failure: it is tried again. Packs
 * at listed addresses get their numbers (1..16) in order of the configuration; those found by
 * default addresses get the next free number when they first answer, and keep it. `wake_fd` is an
 * eventfd that is written on every completed sample, -1 = none. Returns 0, -EINVAL (protocol,
 * option or numbers cannot be, see `why`) or -errno. */
int rack_start(const struct rack_bus_config *buses, int count, int wake_fd, struct rack **out,
	       char *why, size_t why_size);

/* Makes updates possible, and takes up one that a restart interrupted. To be called once, soon
 * after the start. -EINVAL with the reason in `why` when the key cannot be read. */
int rack_enable_updates(struct rack *rack, const struct rack_update_config *config, char *why,
			size_t why_size);

/* Begins an update with a release (copied). 0; else -EINVAL (no such release, packs or key),
 * -EBUSY, or -errno, with a sentence in `why`. How it goes on is told by rack_update_status and
 * events. */
int rack_update(struct rack *rack, const struct rack_update_wish *wish, const uint8_t *release,
		size_t size, char *why, size_t why_size);

/* Ends it between two words; packs keep what they have. -EBUSY with a sentence while a pack
 * restarts or is on trial. */
int rack_update_stop(struct rack *rack, char *why, size_t why_size);
void rack_get_update(struct rack *rack, struct rack_update_status *out);

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
