// SPDX-License-Identifier: Apache-2.0
/* While another master polls the line, its answers are heard as well: samples are put together from
 * them without asking anybody. This is the only way to know a JK pack that is a master itself
 * (address 0). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "onepack/wire.h"

#define OVERHEAR_SIZE      1024 /* three JK answers */
#define OVERHEAR_ADDRESSES 32

struct overhear {
	struct wire_listener listener;
	size_t count;
	uint8_t bytes[OVERHEAR_SIZE];
	struct pack known[OVERHEAR_ADDRESSES]; /* settings heard since the start */
	struct wire_values values;             /* the sample of overhear_next is values.pack */
};

void overhear_start(struct overhear *overhear);

/* Adds what was heard; the oldest bytes go when there are too many. */
void overhear_add(struct overhear *overhear, const uint8_t *bytes, size_t count);

/* Works through what was heard: true at the next whole sample (live data of a pack whose settings
 * were heard before), false when more must be heard. */
bool overhear_next(struct overhear *overhear, const struct wire *wire,
		   const struct wire_context *ctx);
