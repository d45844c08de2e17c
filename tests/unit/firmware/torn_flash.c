// SPDX-License-Identifier: Apache-2.0
/* See torn_flash.h. */
#include "torn_flash.h"

#include <string.h>

#include "../cmocka_all.h"

uint32_t torn_random(struct torn_flash *torn)
{
	torn->seed = torn->seed * 1664525U + 1013904223U;
	return torn->seed >> 8;
}

static bool is_inside(const struct torn_flash *torn, enum fw_area area, uint32_t at, uint32_t count)
{
	const uint32_t size = torn->flash.page_size[area] * torn->flash.page_count[area];

	return at <= size && count <= size - at;
}

/* Whether one more byte can be worked on. */
static bool works(struct torn_flash *torn)
{
	if (torn->dead)
		return false;
	if (torn->cut_after == 0) {
		torn->dead = true;
		return false;
	}
	if (torn->cut_after > 0)
		torn->cut_after--;
	torn->worked++;
	return true;
}

static int read_bytes(void *context, enum fw_area area, uint32_t at, void *bytes, uint32_t count)
{
	struct torn_flash *torn = context;

	if (torn->dead || !is_inside(torn, area, at, count))
		return -1;
	for (uint32_t i = 0; i < count; i++)
		if (torn->unreadable[area][at + i])
			return -1;
	memcpy(bytes, torn->bytes[area] + at, count);
	return 0;
}

/* A unit that was being worked on when the power failed. */
static void tear(struct torn_flash *torn, enum fw_area area, uint32_t at)
{
	const uint32_t unit = torn->flash.program_unit, first = at / unit * unit;

	torn->programmed[area][at / unit] = 2;
	if (torn->checks_itself && torn_random(torn) % 2)
		memset(torn->unreadable[area] + first, 1, unit);
}

static int program_bytes(void *context, enum fw_area area, uint32_t at, const void *bytes,
			 uint32_t count)
{
	struct torn_flash *torn = context;
	const uint32_t unit = torn->flash.program_unit;
	const uint8_t *from = bytes;

	if (torn->dead || !is_inside(torn, area, at, count))
		return -1;
	assert_true(at % unit == 0 && count % unit == 0);
	for (uint32_t i = 0; i < count; i++) {
		uint8_t *const programmed = &torn->programmed[area][(at + i) / unit];

		if (i % unit == 0) {
			if (*programmed == 2 && torn_random(torn) % 2)
				return -1;
			assert_int_not_equal(*programmed, 1);
			*programmed = 1;
		}
		if (!works(torn)) {
			const uint32_t end = (i / unit + 1) * unit;

			for (uint32_t k = i; k < end; k++) /* some bits are done */
				torn->bytes[area][at + k] &= (uint8_t)(from[k] | torn_random(torn));
			tear(torn, area, at + i);
			return -1;
		}
		torn->bytes[area][at + i] &= from[i];
	}
	return 0;
}

static int erase_page(void *context, enum fw_area area, uint32_t page)
{
	struct torn_flash *torn = context;
	const uint32_t size = torn->flash.page_size[area], first = page * size;
	const uint32_t unit = torn->flash.program_unit;

	if (torn->dead || page >= torn->flash.page_count[area])
		return -1;
	torn->page_erases++;
	for (uint32_t i = 0; i < size; i++) {
		if (i % 16 == 0 && !works(torn)) {
			/* an erase works everywhere at once: any mixture may be left */
			for (uint32_t k = 0; k < size; k++)
				torn->bytes[area][first + k] |= (uint8_t)torn_random(torn);
			for (uint32_t k = 0; k < size; k += unit)
				tear(torn, area, first + k);
			return -1;
		}
	}
	memset(torn->bytes[area] + first, 0xff, size);
	memset(torn->unreadable[area] + first, 0, size);
	memset(torn->programmed[area] + first / unit, 0, size / unit);
	return 0;
}

void torn_init(struct torn_flash *torn, uint32_t page_size, uint32_t slot_pages,
	       uint32_t program_unit, uint32_t seed)
{
	memset(torn, 0, sizeof *torn);
	memset(torn->bytes, 0xff, sizeof torn->bytes);
	torn->cut_after = -1;
	torn->seed = seed;
	torn->flash = (struct fw_flash){.context = torn,
					.program_unit = program_unit,
					.read = read_bytes,
					.program = program_bytes,
					.erase = erase_page};
	for (int area = 0; area < FW_AREAS; area++) {
		const bool slot = area == FW_AREA_SLOT_A || area == FW_AREA_SLOT_B;

		torn->flash.page_size[area] = page_size;
		torn->flash.page_count[area] = slot ? slot_pages : 2;
		assert_true(page_size * torn->flash.page_count[area] <= TORN_AREA_SIZE);
	}
}

void torn_power_on(struct torn_flash *torn)
{
	torn->dead = false;
	torn->cut_after = -1;
}

void torn_put(struct torn_flash *torn, enum fw_area area, uint32_t at, const void *bytes,
	      uint32_t count)
{
	memcpy(torn->bytes[area] + at, bytes, count);
	memset(torn->programmed[area] + at / torn->flash.program_unit, 1,
	       (count + torn->flash.program_unit - 1) / torn->flash.program_unit);
}
