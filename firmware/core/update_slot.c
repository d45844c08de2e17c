// SPDX-License-Identifier: Apache-2.0
/* The bytes of an update in the slot: erasing, chunks in any order, and finding out after a restart
 * which of them are there. A program unit of 0xFF only is never programmed, so that "erased" and
 * "holds 0xFF" are the same and parts that allow one programming between erases are content. */
#include <string.h>

#include "../crypto/crc32.h"
#include "modbus.h"
#include "update_private.h"

#define SCAN_STEP 8   /* chunks */
#define CRC_STEP  512 /* bytes */

enum fw_area fw_update_area(const struct fw_update *update)
{
	return update->slot == 0 ? FW_AREA_SLOT_A : FW_AREA_SLOT_B;
}

uint32_t fw_update_size(const struct fw_update *update)
{
	const enum fw_area area = fw_update_area(update);

	return update->config.flash->page_size[area] * update->config.flash->page_count[area];
}

bool fw_update_has_chunk(const struct fw_update *update, uint32_t chunk)
{
	return (update->bitmap[chunk / 8] & 1U << chunk % 8) != 0;
}

static void mark(struct fw_update *update, uint32_t chunk)
{
	if (fw_update_has_chunk(update, chunk))
		return;
	update->bitmap[chunk / 8] = (uint8_t)(update->bitmap[chunk / 8] | 1U << chunk % 8);
	update->missing--;
}

static void unmark(struct fw_update *update, uint32_t chunk)
{
	if (!fw_update_has_chunk(update, chunk))
		return;
	update->bitmap[chunk / 8] = (uint8_t)(update->bitmap[chunk / 8] & ~(1U << chunk % 8));
	update->missing++;
}

static uint32_t chunk_size(const struct fw_update *update, uint32_t chunk)
{
	const uint32_t left = update->state.offer.size - chunk * FW_CHUNK;

	return left < FW_CHUNK ? left : FW_CHUNK;
}

static void forget_chunks(struct fw_update *update)
{
	memset(update->bitmap, 0, sizeof update->bitmap);
	update->chunks = (update->state.offer.size + FW_CHUNK - 1) / FW_CHUNK;
	update->missing = update->chunks;
	update->crc = 0;
	update->crc_at = 0;
}

void fw_update_begin(struct fw_update *update)
{
	forget_chunks(update);
	update->scan = update->chunks;
	update->phase = FW_PHASE_READY;
}

void fw_update_take_up(struct fw_update *update)
{
	forget_chunks(update);
	update->scan = 0;
	update->phase = FW_PHASE_RECEIVING;
}

static void settle_phase(struct fw_update *update)
{
	if (update->missing == 0)
		update->phase = FW_PHASE_COMPLETE;
	else
		update->phase =
			update->missing == update->chunks ? FW_PHASE_READY : FW_PHASE_RECEIVING;
}

bool fw_update_erase_step(struct fw_update *update)
{
	const struct fw_flash *flash = update->config.flash;

	if (update->pages == 0)
		return false;
	if (flash->erase(flash->context, fw_update_area(update), update->page) < 0) {
		update->pages = 0;
		update->phase = FW_PHASE_FAILED;
		update->bad = FW_BAD_FLASH;
		return false;
	}
	update->page++;
	update->pages--;
	return true;
}

static bool all_blank(const uint8_t *bytes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (bytes[i] != 0xff)
			return false;
	return true;
}

/* After a restart: a chunk with something in it counts as received. The last of them may have been
 * torn by the power cut that stopped us, so it does not count; if it was whole, it is only compared
 * when it comes again. Wrong guesses end in a wrong hash and a new beginning, never in a wrong
 * image. */
bool fw_update_scan_step(struct fw_update *update)
{
	const struct fw_flash *flash = update->config.flash;
	uint8_t bytes[FW_CHUNK];

	if (update->scan >= update->chunks)
		return false;
	for (int i = 0; i < SCAN_STEP && update->scan < update->chunks; i++, update->scan++) {
		const uint32_t size = chunk_size(update, update->scan);

		if (flash->read(flash->context, fw_update_area(update), update->scan * FW_CHUNK,
				bytes, size) >= 0 &&
		    !all_blank(bytes, size))
			mark(update, update->scan);
	}
	if (update->scan < update->chunks)
		return true;
	for (uint32_t chunk = update->chunks; chunk-- > 0;)
		if (fw_update_has_chunk(update, chunk)) {
			unmark(update, chunk);
			break;
		}
	settle_phase(update);
	return true;
}

bool fw_update_crc_step(struct fw_update *update)
{
	const struct fw_flash *flash = update->config.flash;
	uint8_t bytes[FW_CHUNK];
	bool more = false;

	for (uint32_t done = 0; done < CRC_STEP && update->crc_at < update->state.offer.size;) {
		const uint32_t chunk = update->crc_at / FW_CHUNK;

		if (!fw_update_has_chunk(update, chunk))
			break;

		const uint32_t size = chunk_size(update, chunk);

		if (flash->read(flash->context, fw_update_area(update), update->crc_at, bytes,
				size) < 0)
			break;
		update->crc = fw_crc32(update->crc, bytes, size);
		update->crc_at += size;
		done += size;
		more = true;
	}
	return more;
}

/* A chunk's place holds something else than it should: its page (or two) is erased, and everything
 * in it comes again. A power cut in that erase means to begin from the start, since a page that was
 * half erased may look as if it were blank. */
static int start_over(struct fw_update *update, uint32_t at, uint32_t count)
{
	const uint32_t page_size = update->config.flash->page_size[fw_update_area(update)];

	update->state.job = FW_JOB_ERASING;
	if (!fw_boot_state_save(update->config.flash, &update->state)) {
		update->state.job = FW_JOB_RECEIVING;
		return fw_update_refuse(update, FW_BAD_FLASH);
	}
	update->page = at / page_size;
	update->pages = (at + count - 1) / page_size - update->page + 1;
	update->in_between = true;
	update->phase = FW_PHASE_ERASING;
	for (uint32_t chunk = 0; chunk < update->chunks; chunk++) {
		const uint32_t first = chunk * FW_CHUNK;

		if (first + FW_CHUNK > update->page * page_size &&
		    first < (update->page + update->pages) * page_size)
			unmark(update, chunk);
	}
	update->crc = 0;
	update->crc_at = 0;
	return FW_BUSY;
}

/* Programs the units of a chunk that are not there yet, those in a row at once. False when the
 * place holds something else, or does not take it: a torn unit may be neither blank nor readable
 * nor programmable; an erase heals all of these. `count` is a multiple of the unit. */
static bool put_chunk(const struct fw_update *update, uint32_t at, const uint8_t *bytes,
		      uint32_t count)
{
	const struct fw_flash *flash = update->config.flash;
	const enum fw_area area = fw_update_area(update);
	const uint32_t unit = flash->program_unit;
	uint8_t there[FW_CHUNK];

	if (flash->read(flash->context, area, at, there, count) < 0)
		return false;
	for (uint32_t i = 0, end; i < count; i = end) {
		end = i + unit;
		if (memcmp(there + i, bytes + i, unit) == 0)
			continue;
		while (end < count && memcmp(there + end, bytes + end, unit) != 0)
			end += unit;
		if (!all_blank(there + i, end - i) ||
		    flash->program(flash->context, area, at + i, bytes + i, end - i) < 0)
			return false;
	}
	return flash->read(flash->context, area, at, there, count) >= 0 &&
	       memcmp(there, bytes, count) == 0;
}

int fw_update_chunk(struct fw_update *update, uint32_t at, const uint8_t *bytes, uint32_t count)
{
	const uint32_t unit = update->config.flash->program_unit, chunk = at / FW_CHUNK;
	uint8_t padded[FW_CHUNK];

	if (update->phase == FW_PHASE_ERASING || update->scan < update->chunks)
		return FW_BUSY;
	if (update->phase == FW_PHASE_COMPLETE || update->phase == FW_PHASE_VERIFYING ||
	    update->phase == FW_PHASE_VERIFIED)
		return 0; /* a late double */
	if (update->phase != FW_PHASE_READY && update->phase != FW_PHASE_RECEIVING)
		return fw_update_refuse(update, FW_BAD_STATE);
	if (at % FW_CHUNK != 0 || chunk >= update->chunks || count < chunk_size(update, chunk)) {
		update->bad = FW_BAD_OFFSET;
		return FW_ILLEGAL_VALUE;
	}
	count = chunk_size(update, chunk);
	memset(padded, 0xff, sizeof padded);
	memcpy(padded, bytes, count);
	count = (count + unit - 1) / unit * unit;
	if (!put_chunk(update, at, padded, count))
		return start_over(update, at, count);
	mark(update, chunk);
	settle_phase(update);
	return 0;
}
