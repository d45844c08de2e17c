// SPDX-License-Identifier: Apache-2.0
/* Records of one size in a ring of flash pages, made so that a power cut at any byte costs at most
 * the record that was being written. A record begins with its sequence number (big-endian, from 1)
 * and ends with a CRC-16; a record's place follows from its number, so that any one is found at
 * once. Numbers of records that were cut are not used again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flash.h"

#define FW_RING_RECORD_MAX 144

struct fw_ring {
	const struct fw_flash *flash;
	enum fw_area area;
	uint16_t record_size; /* a multiple of the flash's program unit */
	uint32_t per_page, slots;
	uint32_t first, newest; /* the first that was ever found or kept; 0 = there is none */
	uint32_t next;          /* number of the next record */
	bool prepared;          /* the page that `next` lies in can be written */
	bool failed;            /* the last attempt: the part reported an error or kept something
				   else */
};

/* Finds out what is there: reads the whole area once. An area too small for two pages of records
 * keeps nothing. */
void fw_ring_open(struct fw_ring *ring, const struct fw_flash *flash, enum fw_area area,
		  uint16_t record_size);

/* Writes a record; fills in its number and CRC. May have to erase a page first, unless
 * fw_ring_prepare did. false: it could not be kept. */
bool fw_ring_append(struct fw_ring *ring, uint8_t *record);

/* Erases ahead, if the next record needs it: takes long, so call it when there is time. */
void fw_ring_prepare(struct fw_ring *ring);

/* The oldest and newest numbers that can still be read, 0 = none. Some between may be missing. */
uint32_t fw_ring_oldest(const struct fw_ring *ring);
uint32_t fw_ring_newest(const struct fw_ring *ring);

/* Reads the first record from that number on; its number, 0 when there is none. */
uint32_t fw_ring_read(const struct fw_ring *ring, uint32_t from, uint8_t *record);

/* Records with smaller numbers are gone for readers. Lasts until the ring is opened again. */
void fw_ring_forget(struct fw_ring *ring, uint32_t before);
