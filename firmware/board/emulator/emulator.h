// SPDX-License-Identifier: Apache-2.0
/* What boards in an emulator share, because the emulator has no model of it: a flash that can be
 * written (files of the host, reached by semihosting), a number of its own, a button. The
 * emulator's user puts four words at the end of the RAM before the start: unique number, reason of
 * the start, button, reserved. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/board/board.h"
#include "firmware/core/flash.h"

/* Bytes of the file `flash.bin` in the emulator's working directory. */
struct fw_emulator_area {
	uint32_t at, page_size, page_count;
};

/* NULL when the file cannot be opened. The table must live for ever. */
const struct fw_flash *fw_emulator_flash(const struct fw_emulator_area areas[FW_AREAS]);

void fw_emulator_unique_id(uint8_t id[12]);
enum fw_boot_reason fw_emulator_boot_reason(void);
bool fw_emulator_button(void);

/* 3.5 characters and what emulators and their sockets make of even gaps. */
uint32_t fw_emulator_silence_us(uint32_t baud);
