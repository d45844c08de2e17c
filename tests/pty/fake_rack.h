// SPDX-License-Identifier: Apache-2.0
/* JK packs for tests, played byte by byte from captured records on the master side of a real pty.
 * It frames requests itself and knows nothing of the codec, so that it can also send everything
 * that a codec never would. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_RECORD   300
#define FAKE_PACKS    16 /* addresses 0..15 */
#define FAKE_PATH     64 /* as long as a port's name may be */
#define FAKE_SETTINGS 1  /* record types */
#define FAKE_LIVE     2
#define FAKE_ABOUT    3

enum fake_trick {
	FAKE_ABSENT,
	FAKE_GOOD,
	FAKE_LONG,         /* 310 bytes: a zero behind the record and one behind the acknowledge */
	FAKE_NOISE_BEFORE, /* rubbish with half a header in front */
	FAKE_BAD_SUM,
	FAKE_WRONG_TYPE,  /* settings instead of live data and the reverse */
	FAKE_FOREIGN_ACK, /* acknowledged by the next address */
	FAKE_NO_ACK,
	FAKE_TRUNCATED,   /* 287 bytes, as a poor adapter delivers */
	FAKE_GLUED,       /* the answer twice without a pause */
	FAKE_LATE,        /* after 250 ms */
	FAKE_QUESTION,    /* somebody else's question instead of an answer */
	FAKE_RUBBISH,     /* 40 bytes of nothing */
	FAKE_NO_SETTINGS, /* all but these */
};

struct fake_pack {
	enum fake_trick trick;
	uint8_t records[4][FAKE_RECORD]; /* by type */
};

struct fake_rack {
	char directory[FAKE_PATH], link[FAKE_PATH];
	int master;
	pthread_t thread;
	pthread_mutex_t lock; /* for everything below */
	bool stop, echo, noisy_echo;
	uint32_t baud; /* byte timing on the line, 0 = none */
	struct fake_pack packs[FAKE_PACKS];
	unsigned asked[FAKE_PACKS][4]; /* questions by address and type */
	int64_t last_end_us, shortest_gap_us;
};

/* All addresses absent, all records those of the captures, with the address of each pack in its
 * settings and serial number "SERIAL-NN". */
void fake_start(struct fake_rack *rack);
void fake_stop(struct fake_rack *rack);

void fake_set(struct fake_rack *rack, int address, enum fake_trick trick);
unsigned fake_asked(struct fake_rack *rack, int address, int type);

int64_t fake_shortest_gap_us(struct fake_rack *rack); /* from an answer's end to a question's */

/* Lets something be heard on the line. */
void fake_say(struct fake_rack *rack, const uint8_t *bytes, size_t count);

/* A question of another master to `address`. */
void fake_ask(struct fake_rack *rack, int address);

/* The adapter is pulled out, and put back under another device name behind the same link. */
void fake_unplug(struct fake_rack *rack);
void fake_plug(struct fake_rack *rack);

/* A captured record by its name in tests/vectors/pack/jk-records.txt; its length. */
size_t fake_load(const char *name, uint8_t *out, size_t size);

/* Writes a number into a record, little endian, and mends the sum. */
void fake_patch(uint8_t record[FAKE_RECORD], size_t at, uint32_t value, int bytes);
