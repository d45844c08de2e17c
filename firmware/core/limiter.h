// SPDX-License-Identifier: Apache-2.0
/* The charge current limiter: a second way into the pack, beside the charge MOSFET, that lets a few
 * amperes through. */
#pragma once

#include "pack.h"

/* Parameter 0230 in mA, 0 = no limiter or switched off. */
int32_t fw_limiter_ma(const struct fw_pack *pack);

/* Are the cells so low (parameter 020C) that they are charged gently, up to the under-voltage
 * level? Keeps its own hysteresis. */
bool fw_limiter_low_cells(struct fw_pack *pack);

/* `against`: every FW_OFF_ reason against the charge MOSFET; `gentle`: low cells. True when charge
 * shall go through the limiter instead. */
bool fw_limiter_wanted(const struct fw_pack *pack, uint8_t against, bool gentle);
