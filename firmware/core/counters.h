// SPDX-License-Identifier: Apache-2.0
/* The counters of pack.h in flash: a ring, so that they may be written every few minutes for the
 * life of a pack without wearing a page out. */
#pragma once

#include "pack.h"
#include "ring.h"

#define FW_COUNTERS_RECORD 72 /* bytes */

struct fw_counter_ring {
	struct fw_ring ring;
};

/* Opens the ring and reads the newest counters with the time that they were written at; false when
 * there are none (a new pack, or everything lost). */
bool fw_counters_open(struct fw_counter_ring *counters, const struct fw_flash *flash,
		      struct fw_counters *out, uint32_t *time_s);

bool fw_counters_keep(struct fw_counter_ring *counters, const struct fw_counters *values,
		      uint32_t time_s);
