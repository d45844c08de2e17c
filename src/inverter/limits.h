// SPDX-License-Identifier: Apache-2.0
/* Which messages carry limits, and when a new snapshot is stricter than the one before. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "onepack/battery.h"
#include "onepack/wire.h"

/* Any of the limits became stricter: less current, a lower charge voltage, a higher discharge
 * voltage, or one that is not known any more. */
bool limits_fell(const struct battery *before, const struct battery *after);

/* The CAN messages of a protocol that change when the limits do, as a set of bits (0x351 and 0x35C
 * of Pylon). Found by encoding each with and without limits, so that protocol files need not say
 * it. */
uint64_t limits_messages(const struct wire *wire, const struct wire_context *ctx);
