// SPDX-License-Identifier: Apache-2.0
/* What application and loader need from a board besides its two serial ports (uart.h), its analog
 * front end (afe.h) and its flash (core/flash.h). A new board is one folder that gives these
 * functions; docs/firmware/boards.md shows how. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/core/flash.h"
#include "firmware/core/identity.h"

/* Clock, time, watchdog. Interrupts are on afterwards; serial ports are not open yet. False when
 * the wanted clock did not come and the board runs on its spare one. */
bool fw_board_start(void);

/* Why the processor started, as far as the hardware knows: a command may have been an update. */
enum fw_boot_reason fw_board_boot_reason(void);

/* Since the start; never goes back, does not wrap in a lifetime. */
uint64_t fw_board_now_us(void);

/* Sleeps until this time, or until the first byte comes to a serial port whose ring was empty, or
 * until a ring is three quarters full; the bytes between do not wake anybody. Such an event since
 * the last sleep ends this one at once. May return early, about ten times a second at least. */
void fw_board_sleep(uint64_t until_us);

/* Must be called at least every two seconds, or the watchdog resets the board after four. */
void fw_board_feed_watchdog(void);

/* Does not return. */
_Noreturn void fw_board_reset(void);

/* 96 bits that no other board has. */
void fw_board_unique_id(uint8_t id[12]);

/* The same object at every call. NULL when the storage does not answer. */
const struct fw_flash *fw_board_flash(void);

/* Where a slot is in the address space of the processor, as the loader and the hash need it. */
uint32_t fw_board_slot_address(enum fw_area slot);

/* Hands the processor to an image: its vector table (in whose first two words are stack and entry)
 * is there. Interrupts and time are off when it starts. Does not return. */
_Noreturn void fw_board_start_image(uint32_t vectors);

/* The reset button is held down now (the loader waits for a repair then). */
bool fw_board_button(void);

/* The silence that ends a frame, at least 3.5 characters; emulators need more. */
uint32_t fw_board_silence_us(uint32_t baud);
