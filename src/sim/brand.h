// SPDX-License-Identifier: Apache-2.0
/* What inverters of one brand do that others do not: what they insist on, how long they wait, what
 * they take for nonsense, and how they complain. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BRAND_MAX_NEEDS 6

struct brand {
	const char *id;                  /* of the protocol; NULL = any other */
	const char *name;                /* "Deye" */
	uint32_t needs[BRAND_MAX_NEEDS]; /* CAN ids it insists on, up to the first 0 */
	int32_t lost_ms;                 /* waits so long for one of them, and for limits */
	const char *lost;                /* what it shows then */
	int32_t low_mv, high_mv;         /* a charge voltage outside is nonsense */
	const char *nonsense;            /* what it shows then */
	bool ignores_zero;               /* limits that are both zero: the old ones stay */
	bool eight_bytes;                /* shorter frames do not count */
	uint32_t replies_to;             /* its heartbeat is the reply to this id, 0 = periodic */
	/* of its own, where the protocol has no field for them; 0 = then there is none */
	int32_t own_charge_ma, own_discharge_ma, own_charge_mv;
	const char *no_charge, *no_discharge, *must_charge; /* notices, NULL = none */
};

/* Never NULL. */
const struct brand *brand_of(const char *id);
