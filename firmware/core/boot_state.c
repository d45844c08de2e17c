// SPDX-License-Identifier: Apache-2.0
/* The copies in flash: magic, the fields in their order, CRC-32; little-endian. The number of a
 * copy says in which page it lies (its lowest bit). */
#include "boot_state.h"

#include <string.h>

#include "../crypto/crc32.h"
#include "bytes.h"

#define MAGIC     UINT32_C(0x31425746) /* "FWB1" */
#define COPY_SIZE 96                   /* a multiple of every program unit */
#define CRC_AT    (COPY_SIZE - 4)

static uint8_t *put_offer(uint8_t *p, const struct fw_offer *offer)
{
	fw_put_u32le(p, offer->size);
	memcpy(p + 4, offer->hash, sizeof offer->hash);
	p[36] = offer->version.major;
	p[37] = offer->version.minor;
	fw_put_u16le(p + 38, offer->version.revision);
	fw_put_u32le(p + 40, offer->version.build);
	fw_put_u32le(p + 44, offer->security_counter);
	fw_put_u16le(p + 48, offer->device_class);
	fw_put_u16le(p + 50, offer->hardware_min);
	fw_put_u16le(p + 52, offer->hardware_max);
	fw_put_u16le(p + 54, offer->loader_min);
	fw_put_u16le(p + 56, offer->flags);
	return p + 58;
}

static void get_offer(const uint8_t *p, struct fw_offer *offer)
{
	offer->size = fw_get_u32le(p);
	memcpy(offer->hash, p + 4, sizeof offer->hash);
	offer->version =
		(struct fw_version){p[36], p[37], fw_get_u16le(p + 38), fw_get_u32le(p + 40)};
	offer->security_counter = fw_get_u32le(p + 44);
	offer->device_class = fw_get_u16le(p + 48);
	offer->hardware_min = fw_get_u16le(p + 50);
	offer->hardware_max = fw_get_u16le(p + 52);
	offer->loader_min = fw_get_u16le(p + 54);
	offer->flags = fw_get_u16le(p + 56);
}

static void put_copy(uint8_t copy[COPY_SIZE], const struct fw_boot_state *state)
{
	memset(copy, 0, COPY_SIZE);
	fw_put_u32le(copy, MAGIC);
	fw_put_u32le(copy + 4, state->sequence);
	copy[8] = state->active;
	copy[9] = state->trial;
	copy[10] = state->boots_left;
	copy[11] = state->event;
	copy[12] = state->address;
	copy[13] = state->job;
	fw_put_u16le(copy + 14, state->loader_version);
	fw_put_u32le(copy + 16, state->security_counter);
	memcpy(copy + 20, state->exempt, sizeof state->exempt);
	(void)put_offer(copy + 28, &state->offer);
	fw_put_u32le(copy + CRC_AT, fw_crc32(0, copy, CRC_AT));
}

/* False when this is no copy for that page. */
static bool get_copy(const uint8_t copy[COPY_SIZE], uint32_t page, struct fw_boot_state *state)
{
	if (fw_get_u32le(copy) != MAGIC || fw_get_u32le(copy + CRC_AT) != fw_crc32(0, copy, CRC_AT))
		return false;
	if (copy[8] > 1 || copy[9] > 1 || copy[13] > FW_JOB_RECEIVING ||
	    (fw_get_u32le(copy + 4) & 1) != page)
		return false;
	state->sequence = fw_get_u32le(copy + 4);
	state->active = copy[8];
	state->trial = copy[9] != 0;
	state->boots_left = copy[10];
	state->event = copy[11];
	state->address = copy[12];
	state->job = copy[13];
	state->loader_version = fw_get_u16le(copy + 14);
	state->security_counter = fw_get_u32le(copy + 16);
	memcpy(state->exempt, copy + 20, sizeof state->exempt);
	get_offer(copy + 28, &state->offer);
	return true;
}

static bool read_copy(const struct fw_flash *flash, uint32_t page, uint8_t copy[COPY_SIZE])
{
	return flash->read(flash->context, FW_AREA_BOOT_STATE,
			   page * flash->page_size[FW_AREA_BOOT_STATE], copy, COPY_SIZE) >= 0;
}

bool fw_boot_state_load(const struct fw_flash *flash, struct fw_boot_state *state)
{
	struct fw_boot_state found;
	uint8_t copy[COPY_SIZE];

	memset(state, 0, sizeof *state);
	for (uint32_t page = 0; page < 2; page++)
		if (read_copy(flash, page, copy) && get_copy(copy, page, &found) &&
		    found.sequence > state->sequence)
			*state = found;
	return state->sequence > 0;
}

bool fw_boot_state_save(const struct fw_flash *flash, struct fw_boot_state *state)
{
	uint8_t copy[COPY_SIZE], back[COPY_SIZE];
	const uint32_t page = (state->sequence + 1) & 1;

	state->sequence++;
	put_copy(copy, state);
	if (flash->erase(flash->context, FW_AREA_BOOT_STATE, page) >= 0 &&
	    flash->program(flash->context, FW_AREA_BOOT_STATE,
			   page * flash->page_size[FW_AREA_BOOT_STATE], copy, COPY_SIZE) >= 0 &&
	    read_copy(flash, page, back) && memcmp(copy, back, COPY_SIZE) == 0)
		return true;
	state->sequence--;
	return false;
}
