// SPDX-License-Identifier: Apache-2.0
#include "firmware/app/unit.h"

#include <string.h>

#include "firmware/app/build.h"
#include "firmware/board/board.h"
#include "firmware/boot/maker_key.h"
#include "firmware/core/boot_state.h"
#include "firmware/core/bytes.h"
#include "firmware/core/measurement.h"
#include "firmware/crypto/crc32.h"

#define BENCH_MA    10000
#define ALL_SENSORS ((1u << FW_SENSORS) - 1u)

/* Storage that does not answer: everything fails, and the pack still protects its cells. */
static int no_read(void *context, enum fw_area area, uint32_t at, void *bytes, uint32_t count)
{
	(void)context;
	(void)area;
	(void)at;
	(void)bytes;
	(void)count;
	return -1;
}

static int no_program(void *context, enum fw_area area, uint32_t at, const void *bytes,
		      uint32_t count)
{
	(void)bytes;
	return no_read(context, area, at, NULL, count);
}

static int no_erase(void *context, enum fw_area area, uint32_t page)
{
	return no_read(context, area, page, NULL, 0);
}

static const struct fw_flash no_flash = {
	.page_size = {1024, 1024, 1024, 1024, 1024, 1024, 1024, 1024},
	.page_count = {2, 2, 2, 2, 2, 2, 2, 2},
	.program_unit = 4,
	.read = no_read,
	.program = no_program,
	.erase = no_erase,
};

/* A board that production has not seen yet, or that lost its record: it measures and answers. */
static void use_defaults(struct fw_identity *id)
{
	*id = (struct fw_identity){.device_class = FW_BUILD_CLASS,
				   .model = "OnePack",
				   .max_charge_ma = BENCH_MA,
				   .max_discharge_ma = BENCH_MA,
				   .sensors = ALL_SENSORS};
}

/* Of the loader that started us; it left it in the boot state. 0: none did. */
static uint16_t loader_version(const struct fw_flash *flash)
{
	struct fw_boot_state state;

	(void)fw_boot_state_load(flash, &state);
	return state.loader_version;
}

static void identify(struct fw_unit *unit)
{
	struct fw_identity *id = &unit->identity;
	uint8_t number[12];

	unit->has_factory = fw_factory_read(unit->flash, &unit->factory);
	if (!unit->has_factory)
		use_defaults(&unit->factory.identity);
	*id = unit->factory.identity;
	fw_board_unique_id(number);
	if (id->uid32 == 0)
		id->uid32 = fw_crc32(0, number, sizeof number);
	for (int i = 0; i < 3; i++)
		id->chip_id[i] = fw_get_u32be(number + 4 * i);
	id->major = FW_BUILD_MAJOR;
	id->minor = FW_BUILD_MINOR;
	id->patch = FW_BUILD_PATCH;
	id->source_revision = FW_BUILD_SOURCE;
	id->loader_version = loader_version(unit->flash);
	id->boot_reason = fw_board_boot_reason();
	memcpy(unit->secrets.key, unit->factory.key, sizeof unit->secrets.key);
	memcpy(unit->secrets.installer, unit->factory.installer, sizeof unit->secrets.installer);
}

void fw_unit_init(struct fw_unit *unit, uint32_t vectors)
{
	unit->flash = fw_board_flash();
	if (unit->flash == NULL)
		unit->flash = &no_flash;
	identify(unit);
	unit->target = (struct fw_image_target){
		.device_class = unit->identity.device_class,
		.hardware_revision = unit->identity.hardware_revision,
		.loader_version = unit->identity.loader_version,
		.keys = fw_maker_keys,
		.key_count = FW_MAKER_KEYS,
	};
	unit->slot = -1;
	for (int i = 0; i < 2; i++) {
		const enum fw_area area = i == 0 ? FW_AREA_SLOT_A : FW_AREA_SLOT_B;
		const uint32_t at = fw_board_slot_address(area);
		const uint32_t size = unit->flash->page_size[area] * unit->flash->page_count[area];

		unit->target.slot_address[i] = at;
		if (vectors > at && vectors - at < size)
			unit->slot = i;
	}
}
