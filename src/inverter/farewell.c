// SPDX-License-Identifier: Apache-2.0
/* The end of an RS485 link; see farewell.h. */
#include "farewell.h"

static uint32_t fnv1a(const uint8_t *bytes, size_t count)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < count; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	return hash;
}

void farewell_served(struct farewell *farewell, const uint8_t *request, size_t count,
		     int64_t now_ms)
{
	uint32_t hash = fnv1a(request, count);
	struct farewell_kind *kind = &farewell->kinds[0];

	for (int i = 0; i < FAREWELL_KINDS; i++) {
		if (farewell->kinds[i].served_ms != 0 && farewell->kinds[i].hash == hash) {
			kind = &farewell->kinds[i];
			break;
		}
		if (farewell->kinds[i].served_ms < kind->served_ms)
			kind = &farewell->kinds[i];
	}
	kind->hash = hash;
	kind->served_ms = now_ms;
}

bool farewell_is_done(const struct farewell *farewell, int64_t since_ms, int64_t now_ms)
{
	bool asked_lately = false;

	if (now_ms - since_ms >= LINK_FAREWELL_MS)
		return true;
	for (int i = 0; i < FAREWELL_KINDS; i++) {
		int64_t served_ms = farewell->kinds[i].served_ms;

		if (served_ms == 0 || since_ms - served_ms > FAREWELL_LATELY_MS)
			continue;
		if (served_ms <= since_ms) /* in the same millisecond: perhaps before */
			return false;
		asked_lately = true;
	}
	return asked_lately || now_ms - since_ms >= FAREWELL_ALONE_MS;
}
