// SPDX-License-Identifier: Apache-2.0
/* Bytes are kept inverted: what calloc() gives is erased flash. */
#include "fw_flash.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/board/stm32f405/layout.h"
#include "onepack/err.h"

#define PROGRAM_UNIT 4

static bool is_inside(const struct sim_flash *flash, enum fw_area area, uint32_t at, uint32_t count)
{
	const uint32_t size = flash->flash.page_size[area] * flash->flash.page_count[area];

	return at <= size && count <= size - at;
}

static int read(void *context, enum fw_area area, uint32_t at, void *bytes, uint32_t count)
{
	const struct sim_flash *flash = context;
	uint8_t *to = bytes;

	if (!is_inside(flash, area, at, count))
		return -1;
	for (uint32_t i = 0; i < count; i++)
		to[i] = (uint8_t)~flash->inverted[area][at + i];
	return 0;
}

static int program(void *context, enum fw_area area, uint32_t at, const void *bytes, uint32_t count)
{
	struct sim_flash *flash = context;
	const uint8_t *from = bytes;

	if (!is_inside(flash, area, at, count))
		return -1;
	for (uint32_t i = 0; i < count; i++)
		flash->inverted[area][at + i] |= (uint8_t)~from[i];
	return 0;
}

static int erase(void *context, enum fw_area area, uint32_t page)
{
	struct sim_flash *flash = context;
	const uint32_t size = flash->flash.page_size[area];

	if (page >= flash->flash.page_count[area])
		return -1;
	memset(flash->inverted[area] + (size_t)page * size, 0, size);
	return 0;
}

int sim_flash_open(struct sim_flash *flash)
{
	static const uint32_t areas[FW_AREAS][2] = {
		[FW_AREA_SLOT_A] = {FW_SLOT_PAGE, FW_SLOT_PAGES},
		[FW_AREA_SLOT_B] = {FW_SLOT_PAGE, FW_SLOT_PAGES},
		[FW_AREA_BOOT_STATE] = {FW_BOOT_STATE_PAGE, FW_BOOT_STATE_PAGES},
		[FW_AREA_PARAMETERS] = {FW_NOR_PAGE, FW_PARAMETERS_PAGES},
		[FW_AREA_FACTORY] = {FW_NOR_PAGE, FW_FACTORY_PAGES},
		[FW_AREA_COUNTERS] = {FW_NOR_PAGE, FW_COUNTERS_PAGES},
		[FW_AREA_LOG] = {FW_NOR_PAGE, FW_LOG_PAGES},
		[FW_AREA_SNAPSHOTS] = {FW_NOR_PAGE, FW_SNAPSHOTS_PAGES},
	};

	*flash = (struct sim_flash){.flash = {.context = flash,
					      .program_unit = PROGRAM_UNIT,
					      .read = read,
					      .program = program,
					      .erase = erase}};
	for (int i = 0; i < FW_AREAS; i++) {
		flash->flash.page_size[i] = areas[i][0];
		flash->flash.page_count[i] = areas[i][1];
		flash->inverted[i] = calloc(areas[i][1], areas[i][0]);
		if (!flash->inverted[i])
			return ERR_SPACE;
	}
	return 0;
}

void sim_flash_close(struct sim_flash *flash)
{
	for (int i = 0; i < FW_AREAS; i++) {
		free(flash->inverted[i]);
		flash->inverted[i] = NULL;
	}
}
