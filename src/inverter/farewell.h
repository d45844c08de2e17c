// SPDX-License-Identifier: Apache-2.0
/* When an RS485 link may leave after it was asked to end. Pure: time is an argument.
 *
 * A slave can only speak when it is asked. What the inverter hears last must be zero limits, and it
 * may read them with any of its requests, so the link stays until every kind of request that was in
 * use lately has been answered once more. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "onepack/inverter.h"

#define FAREWELL_KINDS     8
#define FAREWELL_LATELY_MS 10000
#define FAREWELL_ALONE_MS  1000 /* nobody was asking: wait this long for somebody */

struct farewell {
	struct farewell_kind {
		uint32_t hash;     /* of the request's bytes */
		int64_t served_ms; /* 0 = unused */
	} kinds[FAREWELL_KINDS];
};

/* A request was answered. With more than FAREWELL_KINDS kinds the one not seen for longest is
 * forgotten. */
void farewell_served(struct farewell *farewell, const uint8_t *request, size_t count,
		     int64_t now_ms);

/* Asked to end at since_ms: may it go now? At LINK_FAREWELL_MS always. */
bool farewell_is_done(const struct farewell *farewell, int64_t since_ms, int64_t now_ms);
