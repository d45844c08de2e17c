// SPDX-License-Identifier: Apache-2.0
/* What the emulator has no model of: clock, cause of the reset, unique number, button, flash.
 * Facts: RM0090, chapters 3 (flash wait states), 5 (power), 7 (clock), 39 (unique number). */
#include "firmware/board/cortexm/cpu.h"
#include "firmware/board/stm32f405/flash.h"
#include "firmware/board/stm32f405/part.h"

#define CR_CRYSTAL_ON    (1u << 16)
#define CR_CRYSTAL_READY (1u << 17)
#define CR_PLL_ON        (1u << 24)
#define CR_PLL_READY     (1u << 25)
#define CFGR_PLL         2u
#define CFGR_STATUS      (3u << 2)
#define CFGR_BUSES       (5u << 10 | 4u << 13) /* APB1 by 4, APB2 by 2 */
/* 1 MHz into the PLL from 8 MHz of the crystal or 16 MHz of the oscillator; times 336, by 2. */
#define PLL_CRYSTAL    (8u | 336u << 6 | 1u << 22 | 7u << 24)
#define PLL_OSCILLATOR (16u | 336u << 6 | 7u << 24)
#define FLASH_5_WAITS  (5u | 7u << 8) /* with prefetch and caches */
#define ROUNDS         200000         /* some 50 ms at 16 MHz */

#define CSR_BROWN_OUT (1u << 25)
#define CSR_PIN       (1u << 26)
#define CSR_POWER     (1u << 27)
#define CSR_SOFTWARE  (1u << 28)
#define CSR_WATCHDOG  (1u << 29)

#define UNIQUE_ID 0x1FFF7A10u

static bool wait_for(uint32_t address, uint32_t mask, uint32_t value)
{
	bool good = false;

	for (int i = 0; i < ROUNDS && !good; i++)
		good = (fw_reg_read(address) & mask) == value;
	return good;
}

bool fw_part_clock(void)
{
	bool crystal;

	if ((fw_reg_read(RCC_CFGR) & CFGR_STATUS) == CFGR_PLL << 2)
		return true; /* the loader did it */
	fw_reg_set(RCC_CR, CR_CRYSTAL_ON);
	crystal = wait_for(RCC_CR, CR_CRYSTAL_READY, CR_CRYSTAL_READY);
	fw_reg_write(RCC_PLLCFGR, crystal ? PLL_CRYSTAL : PLL_OSCILLATOR);
	fw_reg_set(RCC_CR, CR_PLL_ON);
	if (!wait_for(RCC_CR, CR_PLL_READY, CR_PLL_READY))
		return false;
	fw_reg_write(FLASH_ACR, FLASH_5_WAITS);
	fw_reg_write(RCC_CFGR, CFGR_BUSES | CFGR_PLL);
	return wait_for(RCC_CFGR, CFGR_STATUS, CFGR_PLL << 2) && crystal;
}

/* The flags stay set until somebody clears them: the loader reads them and the application, too;
 * nobody does, power does. A later cause has its flag beside the older ones: the worst counts. */
enum fw_boot_reason fw_part_boot_reason(void)
{
	const uint32_t why = fw_reg_read(RCC_CSR);

	if ((why & CSR_WATCHDOG) != 0)
		return FW_BOOT_WATCHDOG;
	if ((why & CSR_SOFTWARE) != 0)
		return FW_BOOT_COMMAND;
	if ((why & CSR_POWER) != 0)
		return FW_BOOT_POWER;
	if ((why & CSR_BROWN_OUT) != 0)
		return FW_BOOT_BROWN_OUT;
	return (why & CSR_PIN) != 0 ? FW_BOOT_BUTTON : FW_BOOT_POWER;
}

bool fw_part_button(void)
{
	return (fw_reg_read(GPIOC + GPIO_IDR) & 1u << FW_BUTTON_PIN) == 0;
}

void fw_part_unique_id(uint8_t id[12])
{
	for (uint32_t i = 0; i < 12; i++)
		id[i] = (uint8_t)(fw_reg_read(UNIQUE_ID + (i & ~3u)) >> (8 * (i & 3u)));
}

const struct fw_flash *fw_part_flash(void)
{
	return fw_stm32f405_flash();
}

uint32_t fw_part_silence_us(uint32_t baud)
{
	const uint32_t silence_us = 35u * 1000000u / baud;

	return silence_us > 1750u ? silence_us : 1750u;
}
