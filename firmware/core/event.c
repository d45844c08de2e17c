// SPDX-License-Identifier: Apache-2.0
/* The ring between the core, which may not wait, and the log, which writes flash. The oldest stay:
 * what began a chain of events explains it. */
#include "event.h"

static int16_t saturate(int32_t value)
{
	if (value > INT16_MAX)
		return INT16_MAX;
	return value < INT16_MIN ? INT16_MIN : (int16_t)value;
}

void fw_event_put(struct fw_events *events, enum fw_source source, int code, int32_t v1, int32_t v2)
{
	unsigned at = (events->first + (unsigned)events->count) % FW_EVENT_RING;

	if (events->count == FW_EVENT_RING) {
		if (events->lost < UINT16_MAX)
			events->lost++;
		return;
	}
	events->ring[at] = (struct fw_event){
		.code = (uint16_t)code,
		.source = (uint8_t)source,
		.v1 = saturate(v1),
		.v2 = saturate(v2),
	};
	events->count++;
}

bool fw_event_take(struct fw_events *events, struct fw_event *out)
{
	if (events->count == 0) {
		if (events->lost == 0)
			return false;
		*out = (struct fw_event){.code = FW_EVENT_EVENTS_LOST,
					 .source = FW_SOURCE_PACK,
					 .v1 = saturate(events->lost)};
		events->lost = 0;
		return true;
	}
	*out = events->ring[events->first];
	events->first = (uint8_t)((events->first + 1u) % FW_EVENT_RING);
	events->count--;
	return true;
}
