// SPDX-License-Identifier: Apache-2.0
/* What a pack saw when a protection or a fault began: the whole live block and the cells, kept in a
 * ring of flash. 144 bytes a snapshot: 50 of them need 8 KiB and one page. */
#pragma once

#include "ring.h"

#define FW_SNAPSHOT_RECORD 144 /* bytes in flash, and as 72 registers */
#define FW_SNAPSHOT_LIVE   80  /* registers 0100..0127 */
#define FW_SNAPSHOT_CELLS  48  /* registers 0128..013F */

struct fw_snapshots {
	struct fw_ring ring;
};

void fw_snapshots_open(struct fw_snapshots *snapshots, const struct fw_flash *flash);

/* `live`: the registers 0100..013F as they are on the wire. `code`: that of the event. */
bool fw_snapshots_add(struct fw_snapshots *snapshots, uint32_t time_s, uint16_t code,
		      const uint8_t live[FW_SNAPSHOT_LIVE + FW_SNAPSHOT_CELLS]);

/* Hides all that was taken so far, also after a restart. */
void fw_snapshots_clear(struct fw_snapshots *snapshots, uint32_t time_s);

/* The first snapshot from that number on, as its 72 registers: number (2), time (2), code, live
 * (40), cells (24), two zeros, CRC of the bytes before. Returns its number, 0 when there is none.
 */
uint32_t fw_snapshots_read(const struct fw_snapshots *snapshots, uint32_t from,
			   uint8_t out[FW_SNAPSHOT_RECORD]);
