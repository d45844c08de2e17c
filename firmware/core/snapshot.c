// SPDX-License-Identifier: Apache-2.0
/* Fault snapshots; see snapshot.h. They are kept as they are read. */
#include "snapshot.h"

#include <string.h>

#include "bytes.h"

_Static_assert(FW_SNAPSHOT_RECORD <= FW_RING_RECORD_MAX, "the ring must know so large a record");
_Static_assert(10 + FW_SNAPSHOT_LIVE + FW_SNAPSHOT_CELLS + 6 == FW_SNAPSHOT_RECORD,
	       "72 registers are full");

void fw_snapshots_open(struct fw_snapshots *snapshots, const struct fw_flash *flash)
{
	fw_ring_open(&snapshots->ring, flash, FW_AREA_SNAPSHOTS, FW_SNAPSHOT_RECORD);
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

uint32_t fw_snapshots_read(const struct fw_snapshots *snapshots, uint32_t from,
			   uint8_t out[FW_SNAPSHOT_RECORD])
{
	return fw_ring_read(&snapshots->ring, from, out);
}
