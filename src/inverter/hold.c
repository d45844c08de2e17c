// SPDX-License-Identifier: Apache-2.0
/* The two steps behind an expired lease: zero limits at once (lease_read made the battery safe
 * already), and later, if the protocol wants it, silence. */
#include "hold.h"

#include <string.h>

#include "limits.h"

void hold_start(struct hold *hold, int64_t now_ms)
{
	memset(hold, 0, sizeof *hold);
	battery_clear(&hold->battery);
	hold->lost_ms = now_ms;
	hold->expires_ms = INT64_MAX;
}

void hold_take(struct hold *hold, enum lease_state lease, struct battery *battery, int64_t age_ms,
	       bool ending, int32_t silence_ms, int64_t now_ms)
{
	bool was_valid = hold->lease == LEASE_VALID;

	if (ending)
		lease_make_safe(battery);
	hold->fell = limits_fell(&hold->battery, battery);
	hold->battery = *battery;
	hold->lease = lease;
	if (lease == LEASE_VALID) {
		hold->expires_ms = now_ms + LEASE_TTL_MS - age_ms + 1;
		hold->quiet = false;
		return;
	}
	if (was_valid)
		hold->lost_ms = now_ms;
	hold->expires_ms = INT64_MAX;
	hold->quiet = silence_ms > 0 && now_ms - hold->lost_ms >= silence_ms;
}
