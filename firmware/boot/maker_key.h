// SPDX-License-Identifier: Apache-2.0
/* Whose images loader and application accept. */
#pragma once

#include <stdint.h>

#define FW_MAKER_KEYS 1

extern const uint8_t fw_maker_keys[FW_MAKER_KEYS][32];
