// SPDX-License-Identifier: Apache-2.0
/* Counters in flash; see counters.h. One row for each: a layout with more of them keeps the old
 * ones in their places. */
#include "counters.h"

#include <stddef.h>
#include <string.h>

#include "bytes.h"

#define TIME_AT   4
#define VALUES_AT 8

/* All are 32 bits wide, signed or not; the order is that of flash and must stay. */
static const size_t places[] = {
	offsetof(struct fw_counters, remaining_mah),
	offsetof(struct fw_counters, full_mah),
	offsetof(struct fw_counters, cycle_mah),
	offsetof(struct fw_counters, cycles),
	offsetof(struct fw_counters, charged_ah),
	offsetof(struct fw_counters, discharged_ah),
	offsetof(struct fw_counters, charged_part_mah),
	offsetof(struct fw_counters, discharged_part_mah),
	offsetof(struct fw_counters, run_s),
	offsetof(struct fw_counters, starts),
	offsetof(struct fw_counters, emergency_run_s[0]),
	offsetof(struct fw_counters, emergency_run_s[1]),
	offsetof(struct fw_counters, emergency_run_s[2]),
	offsetof(struct fw_counters, bank_seen),
};

#define COUNT (sizeof places / sizeof places[0])

_Static_assert(VALUES_AT + 4 * COUNT + 2 <= FW_COUNTERS_RECORD, "a record holds all counters");
_Static_assert(sizeof(struct fw_counters) == 4 * COUNT, "every counter has its row");

bool fw_counters_open(struct fw_counter_ring *counters, const struct fw_flash *flash,
		      struct fw_counters *out, uint32_t *time_s)
{
	uint8_t record[FW_COUNTERS_RECORD];

	fw_ring_open(&counters->ring, flash, FW_AREA_COUNTERS, FW_COUNTERS_RECORD);
	if (fw_ring_read(&counters->ring, fw_ring_newest(&counters->ring), record) == 0)
		return false;
	*time_s = fw_get_u32be(record + TIME_AT);
	for (size_t i = 0; i < COUNT; i++) {
		const uint32_t value = fw_get_u32be(record + VALUES_AT + 4 * i);

		memcpy((char *)out + places[i], &value, sizeof value);
	}
	return true;
}

bool fw_counters_keep(struct fw_counter_ring *counters, const struct fw_counters *values,
		      uint32_t time_s)
{
	uint8_t record[FW_COUNTERS_RECORD] = {0};

	fw_put_u32be(record + TIME_AT, time_s);
	for (size_t i = 0; i < COUNT; i++) {
		uint32_t value;

		memcpy(&value, (const char *)values + places[i], sizeof value);
		fw_put_u32be(record + VALUES_AT + 4 * i, value);
	}
	return fw_ring_append(&counters->ring, record);
}
