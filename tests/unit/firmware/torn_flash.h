// SPDX-License-Identifier: Apache-2.0
/* NOR flash in memory, whose power can be cut at any byte: what was being programmed or erased then
 * holds anything between before and after, and nothing works until the power comes back. Stops the
 * test when a program unit is programmed twice between erases. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/flash.h"

#define TORN_AREA_SIZE 65536

struct torn_flash {
	struct fw_flash flash;
	uint8_t bytes[FW_AREAS][TORN_AREA_SIZE];
	uint8_t programmed[FW_AREAS][TORN_AREA_SIZE]; /* by unit, since the erase; 2 = torn */
	bool unreadable[FW_AREAS][TORN_AREA_SIZE];    /* torn, on a part that checks itself */
	bool checks_itself;
	int64_t cut_after; /* bytes until the power fails; negative = it does not */
	bool dead;
	uint64_t worked; /* bytes programmed or erased so far */
	uint32_t seed;
	int page_erases;
};

/* All areas erased. Slots have `slot_pages` pages, every other area two. */
void torn_init(struct torn_flash *torn, uint32_t page_size, uint32_t slot_pages,
	       uint32_t program_unit, uint32_t seed);
void torn_power_on(struct torn_flash *torn);

/* Puts bytes there as production does. */
void torn_put(struct torn_flash *torn, enum fw_area area, uint32_t at, const void *bytes,
	      uint32_t count);

uint32_t torn_random(struct torn_flash *torn);
