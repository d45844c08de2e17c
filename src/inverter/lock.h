// SPDX-License-Identifier: Apache-2.0
/* Which Pylon master address the gateway answers on. Pure: time is an argument.
 *
 * An inverter may sweep the master addresses 02, 12 .. 72 and counts a battery group for each that
 * answers, so exactly one may. The gateway answers on its home address (02) until another master
 * address has been polled for LOCK_AFTER_MS without a single poll of the home address (some
 * inverters only ever ask 12); then it answers there. When the chosen address has not been polled
 * for LOCK_FORGET_MS (inverter exchanged, or set up anew), everything starts again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LOCK_AFTER_MS  10000
#define LOCK_FORGET_MS 60000

#define LOCK_GROUPS 8 /* 02, 12 .. 72 */

struct lock {
	int home;
	int chosen;         /* the one address that is answered, -1 = not yet decided */
	int64_t polled_ms;  /* last poll of the chosen address */
	struct lock_group { /* polls of each other address while nothing is decided */
		int64_t first_ms, last_ms;
		bool polled;
	} groups[LOCK_GROUPS];
};

void lock_init(struct lock *lock, int home);

/* A request for this address came in: shall it be answered? */
bool lock_accepts(struct lock *lock, int address, int64_t now_ms);
