// SPDX-License-Identifier: Apache-2.0
/* Settings in flash; see store.h. A copy: magic, sequence, layout, number of entries, CRC-32 of all
 * that and the entries; then the entries. What is no parameter has a number of its own that no
 * Modbus register has. */
#include "store.h"

#include <string.h>

#include "bytes.h"
#include "crypto/crc32.h"

#define MAGIC     UINT32_C(0x504B5354) /* "PKST" */
#define LAYOUT    1
#define HEADER    16
#define CRC_AT    12
#define ENTRY     4 /* bytes */
#define HALVES    2
#define BLOCK     64  /* bytes that are written or read at once; a multiple of any program unit */
#define MAX_COUNT 512 /* entries that a copy may claim to have */

/* Numbers of the entries that are no parameters. */
enum {
	KEY_CHEMISTRY = 0xF000,
	KEY_ADDRESS,
	KEY_POSITION,
	KEY_CALIBRATED,
	KEY_VOLTAGE_PPM, /* 32-bit values: high word, low word */
	KEY_CURRENT_PPM = KEY_VOLTAGE_PPM + 2,
	KEY_CURRENT_ZERO = KEY_CURRENT_PPM + 2,
	KEY_PASSWORD = KEY_CURRENT_ZERO + 2, /* two characters each */
	KEY_END = KEY_PASSWORD + FW_PASSWORDS * FW_PASSWORD / 2
};

#define KEY_FIRST KEY_CHEMISTRY
#define KEYS      (KEY_END - KEY_FIRST)

struct entry {
	uint16_t key, value;
};

/* --- settings as entries --- */

static int32_t *parameter(struct fw_settings *settings, const struct fw_parameter *row)
{
	return (int32_t *)(void *)((char *)&settings->parameters + row->offset);
}

static uint16_t half_of(int32_t value, int low)
{
	return (uint16_t)(low ? (uint32_t)value : (uint32_t)value >> 16);
}

static uint16_t get_key(const struct fw_settings *settings, int key)
{
	const struct fw_calibration *calibration = &settings->calibration;

	switch (key) {
	case KEY_CHEMISTRY: return (uint16_t)settings->parameters.chemistry;
	case KEY_ADDRESS: return settings->address;
	case KEY_POSITION: return settings->position;
	case KEY_CALIBRATED: return calibration->present;
	case KEY_VOLTAGE_PPM:
	case KEY_VOLTAGE_PPM + 1: return half_of(calibration->voltage_ppm, key - KEY_VOLTAGE_PPM);
	case KEY_CURRENT_PPM:
	case KEY_CURRENT_PPM + 1: return half_of(calibration->current_ppm, key - KEY_CURRENT_PPM);
	case KEY_CURRENT_ZERO:
	case KEY_CURRENT_ZERO + 1:
		return half_of(calibration->current_zero_ma, key - KEY_CURRENT_ZERO);
	default:
		return fw_get_word((const uint8_t *)settings->password,
				   (size_t)(key - KEY_PASSWORD));
	}
}

static void put_half(int32_t *value, int low, uint16_t word)
{
	const uint32_t old = (uint32_t)*value;

	*value = (int32_t)(low ? (old & 0xFFFF0000u) | word
			       : (old & 0xFFFFu) | (uint32_t)word << 16);
}

static void put_key(struct fw_settings *settings, int key, uint16_t value)
{
	struct fw_calibration *calibration = &settings->calibration;

	switch (key) {
	case KEY_CHEMISTRY:
		if (value < FW_CHEMISTRIES)
			settings->parameters.chemistry = (enum fw_chemistry)value;
		return;
	case KEY_ADDRESS: settings->address = value; return;
	case KEY_POSITION: settings->position = value; return;
	case KEY_CALIBRATED: calibration->present = value == 1; return;
	case KEY_VOLTAGE_PPM:
	case KEY_VOLTAGE_PPM + 1:
		put_half(&calibration->voltage_ppm, key - KEY_VOLTAGE_PPM, value);
		return;
	case KEY_CURRENT_PPM:
	case KEY_CURRENT_PPM + 1:
		put_half(&calibration->current_ppm, key - KEY_CURRENT_PPM, value);
		return;
	case KEY_CURRENT_ZERO:
	case KEY_CURRENT_ZERO + 1:
		put_half(&calibration->current_zero_ma, key - KEY_CURRENT_ZERO, value);
		return;
	default: fw_put_word((uint8_t *)settings->password, (size_t)(key - KEY_PASSWORD), value);
	}
}

static int entry_count(void)
{
	return fw_parameter_count + KEYS;
}

/* The chemistry comes first: the defaults of what is missing depend on it. */
static struct entry entry_at(const struct fw_settings *settings, int index)
{
	if (index < KEYS)
		return (struct entry){(uint16_t)(KEY_FIRST + index),
				      get_key(settings, KEY_FIRST + index)};

	const struct fw_parameter *row = &fw_parameter_rows[index - KEYS];
	int32_t value;

	memcpy(&value, (const char *)&settings->parameters + row->offset, sizeof value);
	return (struct entry){row->reg, (uint16_t)value};
}

static void take_parameter(struct fw_settings *settings, uint16_t reg, int32_t value)
{
	const struct fw_parameter *row = fw_parameter_find(reg);

	if (row && value >= row->low && value <= row->high)
		*parameter(settings, row) = value;
}

static int32_t widen(uint16_t reg, uint16_t value)
{
	const struct fw_parameter *row = fw_parameter_find(reg);

	return row && row->low < 0 ? (int16_t)value : value;
}

static void take_entry(const struct fw_store *store, uint16_t layout, struct entry entry,
		       struct fw_settings *settings)
{
	if (entry.key >= KEY_FIRST) {
		if (entry.key < KEY_END)
			put_key(settings, entry.key, entry.value);
		if (entry.key == KEY_CHEMISTRY)
			fw_parameters_default(&settings->parameters,
					      settings->parameters.chemistry);
		return;
	}
	for (int i = 0; i < store->move_count; i++) {
		const struct fw_move *move = &store->moves[i];

		if (move->from == entry.key && layout <= move->up_to) {
			take_parameter(settings, move->to,
				       widen(move->to, entry.value) * move->times /
					       move->divided_by);
			return;
		}
	}
	take_parameter(settings, entry.key, widen(entry.key, entry.value));
}

/* --- copies in flash --- */

struct header {
	uint32_t sequence, crc;
	uint16_t layout, count;
};

static uint32_t pages_of_half(const struct fw_store *store)
{
	return store->flash->page_count[FW_AREA_PARAMETERS] / HALVES;
}

static uint32_t half_size(const struct fw_store *store)
{
	return pages_of_half(store) * store->flash->page_size[FW_AREA_PARAMETERS];
}

static int read_at(const struct fw_store *store, int half, uint32_t at, void *bytes, uint32_t count)
{
	return store->flash->read(store->flash->context, FW_AREA_PARAMETERS,
				  (uint32_t)half * half_size(store) + at, bytes, count);
}

static void write_header(const struct header *header, uint8_t out[HEADER])
{
	fw_put_u32be(out, MAGIC);
	fw_put_u32be(out + 4, header->sequence);
	fw_put_u16be(out + 8, header->layout);
	fw_put_u16be(out + 10, header->count);
	fw_put_u32be(out + CRC_AT, header->crc);
}

/* Whether a whole copy lies in this half. */
static bool check_copy(const struct fw_store *store, int half, struct header *out)
{
	uint8_t bytes[BLOCK];
	uint32_t crc, at, end;

	if (read_at(store, half, 0, bytes, HEADER) || fw_get_u32be(bytes) != MAGIC)
		return false;
	out->sequence = fw_get_u32be(bytes + 4);
	out->layout = fw_get_u16be(bytes + 8);
	out->count = fw_get_u16be(bytes + 10);
	out->crc = fw_get_u32be(bytes + CRC_AT);
	end = HEADER + (uint32_t)ENTRY * out->count;
	if (out->count > MAX_COUNT || end > half_size(store))
		return false;
	crc = fw_crc32(0, bytes, CRC_AT);
	for (at = HEADER; at < end;) {
		const uint32_t part = end - at < BLOCK ? end - at : BLOCK;

		if (read_at(store, half, at, bytes, part))
			return false;
		crc = fw_crc32(crc, bytes, part);
		at += part;
	}
	return crc == out->crc;
}

static bool is_blank(const struct fw_store *store, int half)
{
	uint8_t bytes[HEADER];

	if (read_at(store, half, 0, bytes, HEADER))
		return false;
	for (int i = 0; i < HEADER; i++)
		if (bytes[i] != 0xFF)
			return false;
	return true;
}

static void defaults(struct fw_settings *settings)
{
	memset(settings, 0, sizeof *settings);
	fw_parameters_default(&settings->parameters, FW_LFP);
}

/* False when it cannot be used as it is: then the parameters are defaults. */
static bool read_copy(const struct fw_store *store, int half, const struct header *header,
		      struct fw_settings *settings)
{
	uint8_t bytes[ENTRY];

	for (uint32_t i = 0; i < header->count; i++) {
		if (read_at(store, half, HEADER + ENTRY * i, bytes, ENTRY)) {
			defaults(settings);
			return false;
		}
		take_entry(store, header->layout,
			   (struct entry){fw_get_u16be(bytes), fw_get_u16be(bytes + 2)}, settings);
	}
	if (!fw_parameters_check(&settings->parameters))
		return true;
	fw_parameters_default(&settings->parameters, settings->parameters.chemistry);
	return false;
}

void fw_store_init(struct fw_store *store, const struct fw_flash *flash)
{
	memset(store, 0, sizeof *store);
	store->flash = flash;
	store->layout = LAYOUT;
	store->twins = true;
}

enum fw_stored fw_store_load(struct fw_store *store, struct fw_settings *settings)
{
	struct header headers[HALVES];
	bool whole[HALVES];
	int best = -1;

	defaults(settings);
	store->twins = true;
	for (int half = 0; half < HALVES; half++) {
		whole[half] = check_copy(store, half, &headers[half]);
		if (whole[half] && (best < 0 || headers[half].sequence > headers[best].sequence))
			best = half;
	}
	if (best < 0)
		return is_blank(store, 0) && is_blank(store, 1) ? FW_STORED_NOTHING
								: FW_STORED_LOST;
	store->newest = (uint8_t)best;
	store->sequence = headers[best].sequence;
	if (!read_copy(store, best, &headers[best], settings))
		return FW_STORED_LOST;
	/* another layout stays until something changes: the firmware of before may come back */
	store->twins = headers[best].layout != store->layout ||
		       (whole[!best] && headers[!best].crc == headers[best].crc);
	return FW_STORED;
}

/* --- writing --- */

/* Byte `at` of the copy. */
static void copy_block(const struct fw_settings *settings, const uint8_t header[HEADER],
		       uint32_t at, uint8_t out[BLOCK])
{
	const uint32_t end = HEADER + ENTRY * (uint32_t)entry_count();

	memset(out, 0xFF, BLOCK);
	for (uint32_t i = 0; i < BLOCK && at + i < end; i += ENTRY) {
		if (at + i < HEADER) {
			memcpy(out + i, header + at + i, ENTRY);
			continue;
		}

		const struct entry entry = entry_at(settings, (int)((at + i - HEADER) / ENTRY));

		fw_put_u16be(out + i, entry.key);
		fw_put_u16be(out + i + 2, entry.value);
	}
}

static uint32_t crc_of(const struct fw_settings *settings, const uint8_t header[HEADER])
{
	uint32_t crc = fw_crc32(0, header, CRC_AT);

	for (int i = 0; i < entry_count(); i++) {
		const struct entry entry = entry_at(settings, i);
		uint8_t bytes[ENTRY];

		fw_put_u16be(bytes, entry.key);
		fw_put_u16be(bytes + 2, entry.value);
		crc = fw_crc32(crc, bytes, ENTRY);
	}
	return crc;
}

static bool write_copy(const struct fw_store *store, int half, const struct fw_settings *settings,
		       const uint8_t header[HEADER])
{
	const struct fw_flash *flash = store->flash;
	const uint32_t size = HEADER + ENTRY * (uint32_t)entry_count();
	const uint32_t pages = pages_of_half(store);
	uint8_t block[BLOCK];

	for (uint32_t page = 0; page < pages; page++)
		if (flash->erase(flash->context, FW_AREA_PARAMETERS, (uint32_t)half * pages + page))
			return false;
	for (uint32_t at = 0; at < size; at += BLOCK) {
		copy_block(settings, header, at, block);
		if (flash->program(flash->context, FW_AREA_PARAMETERS,
				   (uint32_t)half * half_size(store) + at, block, BLOCK))
			return false;
	}
	return true;
}

/* A copy into the half that is not the newest; `sequence` makes it the newest or its twin. */
static bool save_copy(struct fw_store *store, const struct fw_settings *settings, uint32_t sequence)
{
	struct header header = {
		.sequence = sequence, .layout = store->layout, .count = (uint16_t)entry_count()};
	struct header kept;
	uint8_t bytes[HEADER];
	const int half = !store->newest;

	store->failed = true;
	if (half_size(store) < HEADER + ENTRY * (uint32_t)entry_count() + BLOCK)
		return false;
	write_header(&header, bytes);
	header.crc = crc_of(settings, bytes);
	write_header(&header, bytes);
	if (!write_copy(store, half, settings, bytes) || !check_copy(store, half, &kept) ||
	    kept.crc != header.crc)
		return false;
	store->newest = (uint8_t)half;
	store->sequence = sequence;
	store->failed = false;
	return true;
}

bool fw_store_save(struct fw_store *store, const struct fw_settings *settings)
{
	store->dirty = false;
	store->twins = !save_copy(store, settings, store->sequence + 1);
	return !store->failed;
}

bool fw_store_mirror(struct fw_store *store, const struct fw_settings *settings)
{
	store->twins = true; /* also when it fails: that is told, and not tried again and again */
	return save_copy(store, settings, store->sequence);
}

void fw_store_touch(struct fw_store *store, uint64_t now_ms)
{
	store->dirty = true;
	store->dirty_ms = now_ms;
}

bool fw_store_is_due(const struct fw_store *store, uint64_t now_ms)
{
	return store->dirty && now_ms - store->dirty_ms >= FW_STORE_DELAY_MS;
}
