// SPDX-License-Identifier: Apache-2.0
/* What the frames of a bus say, as words and numbers for people: one text per value, and whether it
 * is news. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "onepack/wire.h"

/* Packs are told apart by their address; everything else is one subject. */
#define MONITOR_SUBJECTS 256

struct monitor_values {
	enum wire_scope scope;
	struct wire_values
		*held[MONITOR_SUBJECTS]; /* all that was said by each, made when needed */
	json_t *shown;                   /* subject and key -> text printed last */
};

/* Decodes one frame into the values it is given: 0 or an error of the codec. */
typedef int monitor_decode(void *context, struct wire_values *values);

/* One value of a frame, in the order of the vocabulary. */
typedef void monitor_value(void *context, const char *key, const char *text, bool changed);

int monitor_values_init(struct monitor_values *values, enum wire_scope scope);
void monitor_values_free(struct monitor_values *values);

/* Decodes a frame, alone and on top of what was said before (some values need two frames), and
 * hands out what it says and what changed by it. `decode` must do the same both times. Returns its
 * error. */
int monitor_values_take(struct monitor_values *values, monitor_decode *decode, void *decoder,
			monitor_value *tell, void *listener);
