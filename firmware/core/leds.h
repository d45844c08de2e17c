// SPDX-License-Identifier: Apache-2.0
/* The panel, with the patterns of the manuals (docs/firmware/protection.md). */
#pragma once

#include "pack.h"

/* LEDs lit now, FW_LED_ bits; blinking comes from pack->step_ms. */
uint32_t fw_leds(const struct fw_pack *pack);
