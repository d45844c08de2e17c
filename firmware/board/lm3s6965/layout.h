// SPDX-License-Identifier: Apache-2.0
/* Memory of the LM3S6965 board: 256 KiB of flash in pages of 1 KiB, 64 KiB of RAM, nothing else.
 * Only numbers: the linker scripts read this file, too. Fact: data sheet of the part, chapter 8. */
#pragma once

#define FW_FLASH_AT   0x00000000
#define FW_FLASH_SIZE 0x00040000
#define FW_RAM_AT     0x20000000
#define FW_RAM_SIZE   0x00010000

#define FW_LOADER_AT   0x00000000
#define FW_LOADER_SIZE 0x00006000

#define FW_BOOT_STATE_AT    0x00006000
#define FW_BOOT_STATE_PAGE  0x00000400
#define FW_BOOT_STATE_PAGES 2

#define FW_SLOT_A_AT  0x00008000
#define FW_SLOT_B_AT  0x00020000
#define FW_SLOT_PAGE  0x00000400
#define FW_SLOT_PAGES 96

/* The other areas, from the beginning of the flash. */
#define FW_DATA_PAGE        0x00000400
#define FW_PARAMETERS_AT    0x00038000
#define FW_PARAMETERS_PAGES 4
#define FW_FACTORY_AT       0x00039000
#define FW_FACTORY_PAGES    1
#define FW_COUNTERS_AT      0x00039400
#define FW_COUNTERS_PAGES   4
#define FW_SNAPSHOTS_AT     0x0003A400
#define FW_SNAPSHOTS_PAGES  7
#define FW_LOG_AT           0x0003C000
#define FW_LOG_PAGES        16 /* a thousand records */
