// SPDX-License-Identifier: Apache-2.0
/* What a link makes of the lease: what it may say now, until when, and whether it must keep quiet.
 * Pure: it neither reads the page nor a clock. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "onepack/battery.h"
#include "onepack/lease.h"

struct hold {
	struct battery battery; /* what the lease allows to say now */
	enum lease_state lease;
	int64_t expires_ms; /* of the lease, INT64_MAX = not valid */
	int64_t lost_ms;    /* since when there is none */
	bool fell;          /* with the last take a limit became stricter */
	bool quiet;         /* without a lease for so long that nothing may be said */
};

/* No lease yet, and a battery without data. */
void hold_start(struct hold *hold, int64_t now_ms);

/* What lease_read() said. `ending`: the link was told to end, and says zero limits until it does
 * (the battery is made safe).  * `silence_ms` is the protocol's: without a lease for so long it
 * keeps quiet; 0 = never. */
void hold_take(struct hold *hold, enum lease_state lease, struct battery *battery, int64_t age_ms,
	       bool ending, int32_t silence_ms, int64_t now_ms);
