// SPDX-License-Identifier: Apache-2.0
/* A command to a running simulation, and its parts. Private to control*.c. Functions that return
 * false have written the answer. */
#pragma once

#include "site.h"

#define MAX_WORDS 5

struct call {
	struct site *site;
	const char *usage;
	int count; /* of words, the command included */
	char *words[MAX_WORDS];
	char *answer;
	size_t size;
};

/* Where a pack is on its line; one of both is NULL, by the kind of the packs. */
struct call_station {
	struct jk_station *jk;
	struct firmware_station *firmware;
};

/* --- control_words.c --- */

void call_say(const struct call *call, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void call_ok(const struct call *call);
bool call_number(const struct call *call, int word, double low, double high, double *out);
bool call_integer(const struct call *call, int word, int low, int high, int *out);
bool call_switch(const struct call *call, int word, bool *out); /* on, off */
bool call_pack(const struct call *call, int word, struct sim_pack **out);
bool call_station(const struct call *call, int word, struct call_station *out);
/* That the packs are of this kind. */
bool call_kind(const struct call *call, enum site_packs kind);
bool call_firmware(const struct call *call, int word, struct sim_firmware **out);
/* The next pack line that a command means (all, or the one that word `word` names), or NULL. */
struct site_line *call_next_line(const struct call *call, int word, struct site_line *line);
bool call_check_line(const struct call *call, int word);

/* --- control_firmware.c --- */

void call_do_reset(const struct call *call);
void call_do_cut(const struct call *call);
void call_do_short(const struct call *call);
void call_do_key(const struct call *call);
void call_do_emergency(const struct call *call);
void call_do_sensor(const struct call *call);
void call_do_wire(const struct call *call);
