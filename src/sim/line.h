// SPDX-License-Identifier: Apache-2.0
/* A half-duplex serial line with several stations, in virtual time. A byte takes its time on the
 * wire (8N1) before anybody hears it; two stations that talk at once garble each other. Pure: time
 * is an argument, and what was heard goes to a callback. pty.c gives one of its stations a tty. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "random.h"

#define LINE_MAX_STATIONS 32   /* the tty, packs, another master; one bit each in `talking` */
#define LINE_QUEUE        8192 /* bytes that a station may have waiting; a power of two */
#define LINE_GARBLED      (-1) /* talker of a byte that several stations sent at once */
#define LINE_NEVER        INT64_MAX

struct line_station {
	uint8_t queue[LINE_QUEUE];
	unsigned head, tail; /* counted up for ever */
	int64_t next_ns;     /* when its next byte starts */
};

struct line {
	int64_t byte_ns;
	int station_count;
	uint32_t talking; /* stations that have bytes waiting, one bit each */
	struct line_station stations[LINE_MAX_STATIONS];
	/* faults on demand */
	uint32_t noise_ppm; /* chance of a flipped bit in a byte */
	uint32_t drop_ppm;  /* chance that a byte is lost */
	bool echo;          /* stations hear themselves, as with some adapters */
	uint64_t bytes, garbled;
	struct sim_random random;
};

/* Some bytes in a row from one talker (or LINE_GARBLED), the last of which ended at `end_ns`. It
 * may send. */
typedef void line_heard(void *context, int talker, int64_t end_ns, const uint8_t *bytes,
			size_t count);

/* Somebody (or several) on a line, as it looks to whoever lets its time pass: it hears everything,
 * and says something with line_send. Simulated packs are one kind, other things can be. */
struct line_party {
	void *self;
	void (*hear)(void *self, int talker, int64_t end_ns, const uint8_t *bytes, size_t count);
	int64_t (*tick)(void *self, int64_t now_ns); /* returns when to be called again */
};

void line_init(struct line *line, uint32_t baud, int station_count, uint64_t seed);

/* Lets a station say something from `start_ns` on, or after what it is still saying. All or
 * nothing: 0, or ERR_SPACE. */
int line_send(struct line *line, int station, int64_t start_ns, const uint8_t *bytes, size_t count);

/* Hands out everything that has passed by `now_ns`. */
void line_run(struct line *line, int64_t now_ns, line_heard *heard, void *context);

/* When the next byte will have passed, and when everything said so far will have; LINE_NEVER when
 * the line is quiet. */
int64_t line_next_ns(const struct line *line);
int64_t line_quiet_ns(const struct line *line);

/* Whether a station hears what a talker says. */
bool line_hears(const struct line *line, int station, int talker);

/* Forgets what a station has not said yet: it lost its voice. */
void line_hush(struct line *line, int station);
