// SPDX-License-Identifier: Apache-2.0
/* Words for link states and error causes. */
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
