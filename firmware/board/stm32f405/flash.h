// SPDX-License-Identifier: Apache-2.0
/* The storage of the real STM32F405 board: slots and boot state in the processor's own flash,
 * everything else in a serial NOR flash on SPI1. */
#pragma once

#include "firmware/core/flash.h"

const struct fw_flash *fw_stm32f405_flash(void);

/* nor.c: a W25Q-type chip; addresses from 0. 0 or -1. */
int fw_nor_start(void);
int fw_nor_read(uint32_t at, uint8_t *bytes, uint32_t count);
int fw_nor_program(uint32_t at, const uint8_t *bytes, uint32_t count);
int fw_nor_erase(uint32_t at);
