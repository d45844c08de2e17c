// SPDX-License-Identifier: Apache-2.0
/* Memory of the STM32F405RG board: 1 MiB of flash in sectors of 16, 64 and 128 KiB, 128 KiB of RAM,
 * and a serial NOR flash for what is written often or is larger than a sector would suit. Only
 * numbers: the linker scripts read this file, too. Facts: RM0090, 3.3; W25Q-type data sheets. */
#pragma once

#define FW_FLASH_AT   0x08000000
#define FW_FLASH_SIZE 0x00100000
#define FW_RAM_AT     0x20000000
#define FW_RAM_SIZE   0x00020000

#define FW_LOADER_AT   0x08000000 /* sectors 0 and 1 */
#define FW_LOADER_SIZE 0x00006000 /* 24 KiB, the aim, of 32 */

/* Sectors 2 and 3: boot state, one copy in each. */
#define FW_BOOT_STATE_AT    0x08008000
#define FW_BOOT_STATE_PAGE  0x00004000
#define FW_BOOT_STATE_PAGES 2

/* Sectors 5 and 6; sector 4 and 7..11 are free. */
#define FW_SLOT_A_AT  0x08020000
#define FW_SLOT_B_AT  0x08040000
#define FW_SLOT_PAGE  0x00020000
#define FW_SLOT_PAGES 1

/* Areas of the serial NOR, in pages (its sectors) from its beginning. */
#define FW_NOR_SIZE         0x00080000
#define FW_NOR_PAGE         0x00001000
#define FW_PARAMETERS_AT    0x00000000
#define FW_PARAMETERS_PAGES 2
#define FW_FACTORY_AT       0x00002000
#define FW_FACTORY_PAGES    1
#define FW_COUNTERS_AT      0x00003000
#define FW_COUNTERS_PAGES   4
#define FW_SNAPSHOTS_AT     0x00007000
#define FW_SNAPSHOTS_PAGES  4
#define FW_LOG_AT           0x0000B000
#define FW_LOG_PAGES        48 /* more than 10 000 records of 16 bytes */
