// SPDX-License-Identifier: Apache-2.0
/* What the emulated STM32F405 does instead of the real part: its clock runs by itself, and its
 * flash is a file with the same pages; the serial NOR follows the processor's own flash in it. */
#include "firmware/board/emulator/emulator.h"
#include "firmware/board/stm32f405/layout.h"
#include "firmware/board/stm32f405/part.h"

#define INSIDE(address) ((address)-FW_FLASH_AT)
#define NOR(offset)     (FW_FLASH_SIZE + (offset))

bool fw_part_clock(void)
{
	return true;
}

enum fw_boot_reason fw_part_boot_reason(void)
{
	return fw_emulator_boot_reason();
}

void fw_part_unique_id(uint8_t id[12])
{
	fw_emulator_unique_id(id);
}

bool fw_part_button(void)
{
	return fw_emulator_button();
}

uint32_t fw_part_silence_us(uint32_t baud)
{
	return fw_emulator_silence_us(baud);
}

const struct fw_flash *fw_part_flash(void)
{
	static const struct fw_emulator_area areas[FW_AREAS] = {
		[FW_AREA_SLOT_A] = {INSIDE(FW_SLOT_A_AT), FW_SLOT_PAGE, FW_SLOT_PAGES},
		[FW_AREA_SLOT_B] = {INSIDE(FW_SLOT_B_AT), FW_SLOT_PAGE, FW_SLOT_PAGES},
		[FW_AREA_BOOT_STATE] = {INSIDE(FW_BOOT_STATE_AT), FW_BOOT_STATE_PAGE,
					FW_BOOT_STATE_PAGES},
		[FW_AREA_PARAMETERS] = {NOR(FW_PARAMETERS_AT), FW_NOR_PAGE, FW_PARAMETERS_PAGES},
		[FW_AREA_FACTORY] = {NOR(FW_FACTORY_AT), FW_NOR_PAGE, FW_FACTORY_PAGES},
		[FW_AREA_COUNTERS] = {NOR(FW_COUNTERS_AT), FW_NOR_PAGE, FW_COUNTERS_PAGES},
		[FW_AREA_LOG] = {NOR(FW_LOG_AT), FW_NOR_PAGE, FW_LOG_PAGES},
		[FW_AREA_SNAPSHOTS] = {NOR(FW_SNAPSHOTS_AT), FW_NOR_PAGE, FW_SNAPSHOTS_PAGES},
	};

	return fw_emulator_flash(areas);
}
