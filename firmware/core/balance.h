// SPDX-License-Identifier: Apache-2.0
/* Evening out the cells: charge moved from the highest to the lowest, or bled from the high ones.
 */
#pragma once

#include "pack.h"

/* Decides the balancer's outputs; sets work->balancer_broken. */
void fw_balance_step(struct fw_pack *pack);
