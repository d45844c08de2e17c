// SPDX-License-Identifier: Apache-2.0
/* The event log; see log.h. In flash the source shares a word with the code, which leaves one for
 * the ring's CRC. */
#include "log.h"

#include "bytes.h"

#define CODE_BITS 12 /* the codes of event.h end at 0x03FF */
#define CODE_MASK ((1u << CODE_BITS) - 1)

void fw_log_open(struct fw_log *log, const struct fw_flash *flash)
{
	uint8_t record[FW_LOG_RECORD];
	uint32_t number;

	fw_ring_open(&log->ring, flash, FW_AREA_LOG, FW_LOG_RECORD);
	number = fw_ring_read(&log->ring, 0, record);
	for (uint32_t i = 0; i < log->ring.slots && number; i++) {
		if ((fw_get_u16be(record + 8) & CODE_MASK) == FW_EVENT_LOG_CLEARED)
			fw_ring_forget(&log->ring, number);
		number = fw_ring_read(&log->ring, number + 1, record);
	}
}

bool fw_log_add(struct fw_log *log, uint32_t time_s, const struct fw_event *event)
{
	uint8_t record[FW_LOG_RECORD] = {0};

	fw_put_u32be(record + 4, time_s);
	fw_put_u16be(record + 8, (uint32_t)event->source << CODE_BITS | (event->code & CODE_MASK));
	fw_put_u16be(record + 10, (uint16_t)event->v1);
	fw_put_u16be(record + 12, (uint16_t)event->v2);
	if (!fw_ring_append(&log->ring, record))
		return false;
	if (event->code == FW_EVENT_LOG_CLEARED)
		fw_ring_forget(&log->ring, fw_ring_newest(&log->ring));
	return true;
}

uint32_t fw_log_read(const struct fw_log *log, uint32_t from, uint8_t out[FW_LOG_RECORD])
{
	const uint32_t number = fw_ring_read(&log->ring, from, out);
	uint16_t packed, v1, v2;

	if (number == 0)
		return 0;
	packed = fw_get_u16be(out + 8);
	v1 = fw_get_u16be(out + 10);
	v2 = fw_get_u16be(out + 12);
	fw_put_u16be(out + 8, packed & CODE_MASK);
	fw_put_u16be(out + 10, packed >> CODE_BITS);
	fw_put_u16be(out + 12, v1);
	fw_put_u16be(out + 14, v2);
	return number;
}
