// SPDX-License-Identifier: Apache-2.0
/* Fault snapshots; see snapshot.h. They are kept as they are read. */
#include "snapshot.h"

#include <string.h>

#include "bytes.h"

_Static_assert(FW_SNAPSHOT_RECORD <= FW_RING_RECORD_MAX, "the ring must know so large a record");
_Static_assert(10 + FW_SNAPSHOT_LIVE + FW_SNAPSHOT_CELLS + 6 == FW_SNAPSHOT_RECORD,
	       "72 registers are full");

#define CODE_CLEARED 0 /* of a record that is no snapshot, but hides those before it */

void fw_snapshots_open(struct fw_snapshots *snapshots, const struct fw_flash *flash)
{
	struct fw_ring *ring = &snapshots->ring;
	uint8_t record[FW_SNAPSHOT_RECORD];
	uint32_t number;

	fw_ring_open(ring, flash, FW_AREA_SNAPSHOTS, FW_SNAPSHOT_RECORD);
	number = fw_ring_read(ring, 0, record);
	for (uint32_t i = 0; i < ring->slots && number; i++) {
		if (fw_get_u16be(record + 8) == CODE_CLEARED)
			fw_ring_forget(ring, number + 1);
		number = fw_ring_read(ring, number + 1, record);
	}
}

bool fw_snapshots_add(struct fw_snapshots *snapshots, uint32_t time_s, uint16_t code,
		      const uint8_t live[FW_SNAPSHOT_LIVE + FW_SNAPSHOT_CELLS])
{
	uint8_t record[FW_SNAPSHOT_RECORD] = {0};

	fw_put_u32be(record + 4, time_s);
	fw_put_u16be(record + 8, code);
	memcpy(record + 10, live, FW_SNAPSHOT_LIVE + FW_SNAPSHOT_CELLS);
	return fw_ring_append(&snapshots->ring, record);
}

void fw_snapshots_clear(struct fw_snapshots *snapshots, uint32_t time_s)
{
	static const uint8_t nothing[FW_SNAPSHOT_LIVE + FW_SNAPSHOT_CELLS];

	if (fw_snapshots_add(snapshots, time_s, CODE_CLEARED, nothing))
		fw_ring_forget(&snapshots->ring, fw_ring_newest(&snapshots->ring) + 1);
}

uint32_t fw_snapshots_read(const struct fw_snapshots *snapshots, uint32_t from,
			   uint8_t out[FW_SNAPSHOT_RECORD])
{
	return fw_ring_read(&snapshots->ring, from, out);
}
