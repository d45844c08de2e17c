// SPDX-License-Identifier: Apache-2.0
/* SYNC: what the master tells all packs once a cycle. They take the time from it, freeze one
 * moment's values for the cycle, and know the bank that they would close their switches onto. */
#pragma once

#include "onepack/rack.h"
#include "phrase.h"

/* The words behind the counter: time in s since 2020 (2), flags, packs, 10 mV, 0.1 A. */
#define SYNC_WORDS 7

/* What is not known is said as such: no time, no flags, no packs, FFFF and 8000. NULL = nothing is.
 */
void sync_say(struct phrase *phrase, int first_register, uint16_t heartbeat,
	      const struct rack_word *word);
