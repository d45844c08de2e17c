// SPDX-License-Identifier: Apache-2.0
/* Whether an inverter has gone away. */
#include "onepack/inverter.h"

bool inverter_is_lost(const struct inverter_status *status, int64_t now_ms)
{
	return status->heard_ms != 0 && status->inverter_lost_ms > 0 &&
	       now_ms - status->heard_ms > status->inverter_lost_ms;
}
