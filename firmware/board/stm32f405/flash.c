// SPDX-License-Identifier: Apache-2.0
/* The flash controller of the STM32F405 (RM0090, chapter 3). While it erases, every access to the
 * flash waits, the processor's own included: a sector of 128 KiB takes one to two seconds, in which
 * the pack answers nobody and only the front end protects the cells. So slots are erased before a
 * transfer, and the watchdog waits for four seconds.
 *
 * Not run by the emulator, which has no such controller: tests/unit/firmware holds its sequence of
 * accesses against a model of the controller. */
#include "firmware/board/stm32f405/flash.h"

#include <stdbool.h>
#include <stddef.h>

#include "firmware/board/cortexm/reg.h"
#include "firmware/board/stm32f405/layout.h"

#define FLASH_KEYR 0x40023C04u
#define FLASH_SR   0x40023C0Cu
#define FLASH_CR   0x40023C10u

#define KEY_1       0x45670123u
#define KEY_2       0xCDEF89ABu
#define SR_ERRORS   0xF2u /* sequence, parallelism, alignment, protection, operation */
#define SR_DONE     1u
#define SR_BUSY     (1u << 16)
#define CR_PROGRAM  1u
#define CR_ERASE    2u
#define CR_SECTOR   3 /* shift */
#define CR_WORDS    (2u << 8)
#define CR_START    (1u << 16)
#define CR_LOCK     (1u << 31)
#define BUSY_ROUNDS 100000000u /* several seconds */

/* Areas in the processor's flash; the others have no pages here. */
static const struct {
	uint32_t at;
	uint8_t sector; /* of the first page; pages are sectors */
} inside[FW_AREAS] = {
	[FW_AREA_SLOT_A] = {FW_SLOT_A_AT, 5},
	[FW_AREA_SLOT_B] = {FW_SLOT_B_AT, 6},
	[FW_AREA_BOOT_STATE] = {FW_BOOT_STATE_AT, 2},
};

static const uint32_t outside[FW_AREAS] = {
	[FW_AREA_PARAMETERS] = FW_PARAMETERS_AT, [FW_AREA_FACTORY] = FW_FACTORY_AT,
	[FW_AREA_COUNTERS] = FW_COUNTERS_AT,     [FW_AREA_LOG] = FW_LOG_AT,
	[FW_AREA_SNAPSHOTS] = FW_SNAPSHOTS_AT,
};

static const struct fw_flash flash;

static bool is_inside(enum fw_area area)
{
	return inside[area].at != 0;
}

static bool fits(enum fw_area area, uint32_t at, uint32_t count)
{
	const uint32_t size = flash.page_size[area] * flash.page_count[area];

	return at <= size && count <= size - at;
}

/* Waits for the controller; 0, or -1 when it reports an error. */
static int finish(void)
{
	uint32_t status = SR_BUSY;

	for (uint32_t i = 0; i < BUSY_ROUNDS && (status & SR_BUSY) != 0; i++)
		status = fw_reg_read(FLASH_SR);
	return (status & (SR_BUSY | SR_ERRORS)) == 0 ? 0 : -1;
}

/* The controller takes commands only after two keys; errors of an earlier one are cleared. */
static int unlock(void)
{
	if (finish() != 0 && (fw_reg_read(FLASH_SR) & SR_BUSY) != 0)
		return -1;
	if ((fw_reg_read(FLASH_CR) & CR_LOCK) != 0) {
		fw_reg_write(FLASH_KEYR, KEY_1);
		fw_reg_write(FLASH_KEYR, KEY_2);
	}
	fw_reg_write(FLASH_SR, SR_ERRORS | SR_DONE);
	return 0;
}

static int program_word(uint32_t address, uint32_t word)
{
	fw_reg_write(FLASH_CR, CR_PROGRAM | CR_WORDS);
	fw_reg_write(address, word);
	return finish();
}

static int program_inside(uint32_t address, const uint8_t *bytes, uint32_t count)
{
	int err = unlock();

	for (uint32_t i = 0; err == 0 && i < count; i += 4)
		err = program_word(address + i, bytes[i] | (uint32_t)bytes[i + 1] << 8 |
							(uint32_t)bytes[i + 2] << 16 |
							(uint32_t)bytes[i + 3] << 24);
	fw_reg_write(FLASH_CR, CR_LOCK);
	return err;
}

static int erase_inside(uint32_t sector)
{
	int err = unlock();

	if (err == 0) {
		fw_reg_write(FLASH_CR, CR_ERASE | CR_WORDS | sector << CR_SECTOR);
		fw_reg_write(FLASH_CR, CR_ERASE | CR_WORDS | sector << CR_SECTOR | CR_START);
		err = finish();
	}
	fw_reg_write(FLASH_CR, CR_LOCK);
	return err;
}

static int read(void *context, enum fw_area area, uint32_t at, void *bytes, uint32_t count)
{
	uint8_t *to = bytes;

	(void)context;
	if (!fits(area, at, count))
		return -1;
	if (!is_inside(area))
		return fw_nor_read(outside[area] + at, bytes, count);
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t address = inside[area].at + at + i;

		to[i] = (uint8_t)(fw_reg_read(address & ~3u) >> (8 * (address & 3u)));
	}
	return 0;
}

static int program(void *context, enum fw_area area, uint32_t at, const void *bytes, uint32_t count)
{
	(void)context;
	if (!fits(area, at, count))
		return -1;
	if (!is_inside(area))
		return fw_nor_program(outside[area] + at, bytes, count);
	if (at % 4 != 0 || count % 4 != 0)
		return -1;
	return program_inside(inside[area].at + at, bytes, count);
}

static int erase(void *context, enum fw_area area, uint32_t page)
{
	(void)context;
	if (page >= flash.page_count[area])
		return -1;
	if (!is_inside(area))
		return fw_nor_erase(outside[area] + page * FW_NOR_PAGE);
	return erase_inside(inside[area].sector + page);
}

static const struct fw_flash flash = {
	.page_size = {[FW_AREA_SLOT_A] = FW_SLOT_PAGE,
		      [FW_AREA_SLOT_B] = FW_SLOT_PAGE,
		      [FW_AREA_BOOT_STATE] = FW_BOOT_STATE_PAGE,
		      [FW_AREA_PARAMETERS] = FW_NOR_PAGE,
		      [FW_AREA_FACTORY] = FW_NOR_PAGE,
		      [FW_AREA_COUNTERS] = FW_NOR_PAGE,
		      [FW_AREA_LOG] = FW_NOR_PAGE,
		      [FW_AREA_SNAPSHOTS] = FW_NOR_PAGE},
	.page_count = {[FW_AREA_SLOT_A] = FW_SLOT_PAGES,
		       [FW_AREA_SLOT_B] = FW_SLOT_PAGES,
		       [FW_AREA_BOOT_STATE] = FW_BOOT_STATE_PAGES,
		       [FW_AREA_PARAMETERS] = FW_PARAMETERS_PAGES,
		       [FW_AREA_FACTORY] = FW_FACTORY_PAGES,
		       [FW_AREA_COUNTERS] = FW_COUNTERS_PAGES,
		       [FW_AREA_LOG] = FW_LOG_PAGES,
		       [FW_AREA_SNAPSHOTS] = FW_SNAPSHOTS_PAGES},
	.program_unit = 4,
	.read = read,
	.program = program,
	.erase = erase,
};

const struct fw_flash *fw_stm32f405_flash(void)
{
	return fw_nor_start() == 0 ? &flash : NULL;
}
