// SPDX-License-Identifier: Apache-2.0
/* Words for link states and error causes; when an inverter counts as lost. */
#include "onepack/status.h"

const char *link_state_name(enum link_state state)
{
	static const char *const names[] = {"down", "up", "error"};

	return (unsigned)state <= LINK_ERROR ? names[state] : "error";
}

const char *bus_cause_name(enum bus_cause cause)
{
	static const char *const names[BUS_CAUSE_COUNT] = {"timeout", "checksum", "format",
							   "foreign", "range",    "io"};

	return (unsigned)cause < BUS_CAUSE_COUNT ? names[cause] : "error";
}

bool inverter_is_lost(const struct inverter_status *status, int64_t now_ms)
{
	return status->heard_ms != 0 && status->inverter_lost_ms > 0 &&
	       now_ms - status->heard_ms > status->inverter_lost_ms;
}
