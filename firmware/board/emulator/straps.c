// SPDX-License-Identifier: Apache-2.0
/* The words at the end of the RAM, and time in the emulator. */
#include "firmware/board/emulator/emulator.h"

/* Measured with 16 emulators on two processors: bytes of one frame come up to 2 ms apart. */
#define JITTER_US  3000u
#define CHARACTERS 35u /* tenths of characters of ten bits */

extern const volatile uint32_t fw_straps[4]; /* of the linker script */

void fw_emulator_unique_id(uint8_t id[12])
{
	const uint32_t number = fw_straps[0];

	for (int i = 0; i < 12; i++)
		id[i] = (uint8_t)(i < 8 ? "ONEPACKE"[i] : number >> (8 * (11 - i)));
}

enum fw_boot_reason fw_emulator_boot_reason(void)
{
	return (enum fw_boot_reason)fw_straps[1];
}

bool fw_emulator_button(void)
{
	return fw_straps[2] != 0;
}

uint32_t fw_emulator_silence_us(uint32_t baud)
{
	const uint32_t silence_us = CHARACTERS * 1000000u / baud;

	return (silence_us > 1750u ? silence_us : 1750u) + JITTER_US;
}
