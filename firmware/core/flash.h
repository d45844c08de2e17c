// SPDX-License-Identifier: Apache-2.0
/* Where a pack keeps what must survive a power cut. A small interface over NOR flash: erasing sets
 * a whole page to 0xFF, programming clears bits, both may be torn by a power cut at any byte.
 * Drivers: the controller of a real part, the emulator's memory, a file on the host, and the host's
 * cutter that stops after any number of bytes.
 *
 * Addresses count from 0 within an area; what is where on a part is the board's business. */
#pragma once

#include <stdint.h>

enum fw_area {
	FW_AREA_SLOT_A, /* firmware images */
	FW_AREA_SLOT_B,
	FW_AREA_BOOT_STATE, /* two pages, one copy in each */
	FW_AREA_PARAMETERS, /* two pages or two groups of pages, one copy in each */
	FW_AREA_FACTORY,    /* identity, calibration, keys; written in production */
	FW_AREA_COUNTERS,   /* charge counter, cycles, run time: a ring */
	FW_AREA_LOG,        /* events: a ring */
	FW_AREA_SNAPSHOTS,  /* fault snapshots: a ring */
	FW_AREAS
};

struct fw_flash {
	void *context;
	uint32_t page_size[FW_AREAS]; /* bytes that one erase covers */
	uint32_t page_count[FW_AREAS];
	uint32_t program_unit; /* programmed together and only once between erases: 1, 4 or 8 bytes
				*/
	/* 0, or -1 when the part reports an error; ranges outside the area are the caller's mistake
	 * and give -1. */
	int (*read)(void *context, enum fw_area area, uint32_t at, void *bytes, uint32_t count);
	int (*program)(void *context, enum fw_area area, uint32_t at, const void *bytes,
		       uint32_t count);
	int (*erase)(void *context, enum fw_area area, uint32_t page);
};
