// SPDX-License-Identifier: Apache-2.0
/* The flash of a simulated pack that runs the firmware: memory with the manners of NOR flash and
 * the areas of the STM32F405 board, so that images of that board fit. It survives a power cut of
 * the pack, not the end of the simulation. */
#pragma once

#include "firmware/core/flash.h"

struct sim_flash {
	struct fw_flash flash;
	uint8_t *inverted[FW_AREAS]; /* 0 = erased, so that unused memory costs nothing */
};

/* All erased. 0, or ERR_SPACE; to be closed in both cases. It points into itself: do not copy. */
int sim_flash_open(struct sim_flash *flash);
void sim_flash_close(struct sim_flash *flash); /* one that is all zeros is fine */
