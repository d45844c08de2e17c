// SPDX-License-Identifier: Apache-2.0
/* Records in a ring of pages; see ring.h. Record n lies in slot n modulo the number of slots. The
 * CRC is written last, so a record that was cut has none; one that looks whole is whole. */
#include "ring.h"

#include <string.h>

#include "bytes.h"
#include "modbus.h"

#define CRC_BYTES  2
#define BLANK      0xFF
#define CHUNK      32 /* bytes looked at in one read */
#define GAP_TRIES  64 /* missing records that one read steps over, besides a whole page */
#define LAST_VALID UINT32_C(0xFFFFFFFE)

static uint32_t page_size(const struct fw_ring *ring)
{
	return ring->flash->page_size[ring->area];
}

static uint32_t page_of(const struct fw_ring *ring, uint32_t number)
{
	return number % ring->slots / ring->per_page;
}

static uint32_t place_of(const struct fw_ring *ring, uint32_t number)
{
	return page_of(ring, number) * page_size(ring) +
	       number % ring->slots % ring->per_page * ring->record_size;
}

static bool is_page_start(const struct fw_ring *ring, uint32_t number)
{
	return number % ring->slots % ring->per_page == 0;
}

static bool is_blank(const struct fw_ring *ring, uint32_t at, uint32_t count)
{
	uint8_t bytes[CHUNK];

	while (count > 0) {
		const uint32_t part = count < CHUNK ? count : CHUNK;

		if (ring->flash->read(ring->flash->context, ring->area, at, bytes, part))
			return false;
		for (uint32_t i = 0; i < part; i++)
			if (bytes[i] != BLANK)
				return false;
		at += part;
		count -= part;
	}
	return true;
}

/* The number of the record in this slot, 0 when it holds none. */
static uint32_t number_at(const struct fw_ring *ring, uint32_t slot, uint8_t *record)
{
	const uint32_t size = ring->record_size;

	if (ring->flash->read(ring->flash->context, ring->area, place_of(ring, slot), record, size))
		return 0;

	const uint32_t number = fw_get_u32be(record);

	if (number == 0 || number > LAST_VALID || number % ring->slots != slot)
		return 0;
	if (fw_get_u16be(record + size - CRC_BYTES) != fw_modbus_crc(record, size - CRC_BYTES))
		return 0;
	return number;
}

void fw_ring_open(struct fw_ring *ring, const struct fw_flash *flash, enum fw_area area,
		  uint16_t record_size)
{
	uint8_t record[FW_RING_RECORD_MAX];

	memset(ring, 0, sizeof *ring);
	ring->flash = flash;
	ring->area = area;
	ring->record_size = record_size;
	ring->next = 1;
	ring->per_page = flash->page_size[area] / record_size;
	if (ring->per_page == 0 || flash->page_count[area] < 2)
		return;
	ring->slots = ring->per_page * flash->page_count[area];
	if (ring->slots < ring->per_page)
		return;
	for (uint32_t slot = 0; slot < ring->slots; slot++) {
		const uint32_t number = number_at(ring, slot, record);

		if (number == 0)
			continue;
		if (number > ring->newest)
			ring->newest = number;
		if (ring->first == 0 || number < ring->first)
			ring->first = number;
	}
	ring->next = ring->newest + 1;
	ring->prepared = ring->newest > 0 && !is_page_start(ring, ring->next);
}

void fw_ring_prepare(struct fw_ring *ring)
{
	if (ring->slots == 0 || ring->prepared)
		return;

	const uint32_t page = page_of(ring, ring->next), at = page * page_size(ring);

	if (!is_blank(ring, at, page_size(ring)) &&
	    (ring->flash->erase(ring->flash->context, ring->area, page) ||
	     !is_blank(ring, at, page_size(ring)))) {
		ring->failed = true;
		return;
	}
	ring->prepared = true;
	ring->failed = false;
}

/* Whether the record is there now as it should be. */
static bool write_record(struct fw_ring *ring, const uint8_t *record)
{
	uint8_t kept[FW_RING_RECORD_MAX];
	const uint32_t at = place_of(ring, ring->next);

	if (ring->flash->program(ring->flash->context, ring->area, at, record, ring->record_size) ||
	    ring->flash->read(ring->flash->context, ring->area, at, kept, ring->record_size))
		return false;
	return memcmp(kept, record, ring->record_size) == 0;
}

static void step_over(struct fw_ring *ring)
{
	ring->next++;
	ring->prepared = !is_page_start(ring, ring->next);
}

/* Steps over what a power cut or a failing part left in slots that should be empty. */
static void find_blank(struct fw_ring *ring)
{
	fw_ring_prepare(ring);
	for (uint32_t i = 0; i < ring->per_page && ring->prepared; i++) {
		if (is_blank(ring, place_of(ring, ring->next), ring->record_size))
			return;
		step_over(ring);
		fw_ring_prepare(ring);
	}
}

bool fw_ring_append(struct fw_ring *ring, uint8_t *record)
{
	for (int tries = 0; tries < 2; tries++) {
		find_blank(ring);
		if (!ring->prepared)
			return false;
		fw_put_u32be(record, ring->next);
		fw_put_u16be(record + ring->record_size - CRC_BYTES,
			     fw_modbus_crc(record, ring->record_size - CRC_BYTES));
		ring->failed = !write_record(ring, record);
		if (!ring->failed) {
			ring->newest = ring->next;
			if (ring->first == 0)
				ring->first = ring->next;
		}
		step_over(ring);
		if (!ring->failed)
			return true;
	}
	return false;
}

uint32_t fw_ring_newest(const struct fw_ring *ring)
{
	return ring->newest;
}

uint32_t fw_ring_oldest(const struct fw_ring *ring)
{
	if (ring->newest == 0 || ring->first > ring->newest)
		return 0;

	/* what is in use from here on has pushed everything a round earlier out */
	const uint32_t in_use = ring->prepared ? ring->next : ring->newest;
	const uint32_t begin = in_use - in_use % ring->slots % ring->per_page;
	const uint32_t reach = ring->slots - ring->per_page;
	const uint32_t oldest = begin > reach ? begin - reach : 1;

	return oldest > ring->first ? oldest : ring->first;
}

uint32_t fw_ring_read(const struct fw_ring *ring, uint32_t from, uint8_t *record)
{
	const uint32_t oldest = fw_ring_oldest(ring);

	if (oldest == 0)
		return 0;
	if (from < oldest)
		from = oldest;
	for (uint32_t tries = 0; tries < ring->per_page + GAP_TRIES && from <= ring->newest;
	     tries++, from++)
		if (number_at(ring, from % ring->slots, record) == from)
			return from;
	return 0;
}

void fw_ring_forget(struct fw_ring *ring, uint32_t before)
{
	if (before > ring->first)
		ring->first = before;
}
