// SPDX-License-Identifier: Apache-2.0
/* Finds the block of a register, and reads tables; see map.h. */
#include "map.h"

#include <string.h>

#include "bytes.h"
#include "jk.h"

/* --- firmware update, which has its own server (update.h) --- */

static enum fw_exception read_update(const struct fw_access *access, uint16_t offset,
				     uint16_t words, uint8_t *out)
{
	uint16_t values[FW_MODBUS_READ_MAX];

	if (!access->server->config.update)
		return FW_ILLEGAL_REGISTER;
	fw_update_read(access->server->config.update, (uint16_t)(FW_UPDATE_BASE + offset), words,
		       values);
	for (uint16_t i = 0; i < words; i++)
		fw_put_word(out, i, values[i]);
	return FW_FINE;
}

static enum fw_exception write_update(const struct fw_access *access, uint16_t offset,
				      uint16_t words, const uint8_t *data)
{
	struct fw_server *server = access->server;
	const enum fw_level level = fw_auth_level(&server->auth, access->now_ms);
	uint16_t values[FW_MODBUS_WRITE_MAX];
	int result;

	if (!server->config.update)
		return FW_ILLEGAL_REGISTER;
	for (uint16_t i = 0; i < words; i++)
		values[i] = fw_get_word(data, i);
	result = fw_update_write(server->config.update, (uint16_t)(FW_UPDATE_BASE + offset), words,
				 values, (int)level, access->broadcast);
	if (result == 0 && level >= FW_UPDATE_LEVEL)
		fw_auth_used(&server->auth, access->now_ms);
	return (enum fw_exception)result;
}

/* --- the blocks --- */

struct block {
	uint16_t first, words;
	fw_block_read *read;
	fw_block_write *write; /* NULL: read only */
};

static const struct block blocks[] = {
	{0x0000, 64, fw_map_identity, NULL},
	{FW_LIVE_FIRST, 128, fw_map_live, NULL},
	{FW_COUNTERS_FIRST, FW_COUNTERS_WORDS, fw_map_counters, NULL},
	{0x0200, 160, fw_map_parameters, fw_map_write_parameters},
	{0x0800, 80, fw_map_control, fw_map_write_control},
	{0x0900, 48, fw_map_addressing, fw_map_write_addressing},
	{0x0A00, 144, fw_map_log, fw_map_write_log},
	{0x0B00, 128, fw_map_snapshots, fw_map_write_snapshots},
	{FW_UPDATE_BASE, FW_UPDATE_END - FW_UPDATE_BASE, read_update, write_update},
};

static const struct block *block_of(uint16_t reg)
{
	for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
		if (reg >= blocks[i].first && reg - blocks[i].first < blocks[i].words)
			return &blocks[i];
	return NULL;
}

enum fw_exception fw_map_read(const struct fw_access *access, uint16_t start, uint16_t words,
			      uint8_t *out)
{
	if (words == 0 || words > FW_MODBUS_READ_MAX || start + words > UINT16_MAX + 1)
		return FW_ILLEGAL_VALUE;
	if (fw_jk_has(start))
		return fw_jk_read(access, start, words, out);
	while (words > 0) {
		const struct block *block = block_of(start);
		enum fw_exception result;
		uint16_t part;

		if (!block)
			return FW_ILLEGAL_REGISTER;
		part = (uint16_t)(block->first + block->words - start);
		part = words < part ? words : part;
		result = block->read(access, (uint16_t)(start - block->first), part, out);
		if (result)
			return result;
		start = (uint16_t)(start + part);
		words = (uint16_t)(words - part);
		out += 2 * (size_t)part;
	}
	return FW_FINE;
}

enum fw_exception fw_map_write(const struct fw_access *access, uint16_t start, uint16_t words,
			       const uint8_t *data)
{
	const struct block *block = block_of(start);

	if (!block || !block->write || start + words > block->first + block->words)
		return FW_ILLEGAL_REGISTER;
	return block->write(access, (uint16_t)(start - block->first), words, data);
}

/* --- tables --- */

struct fill {
	uint16_t start, words;
	uint8_t *out;
};

static void put_word(const struct fill *fill, unsigned reg, uint32_t word)
{
	if (reg >= fill->start && reg - fill->start < fill->words)
		fw_put_word(fill->out, reg - fill->start, word);
}

static void put_long(const struct fill *fill, unsigned reg, uint32_t value)
{
	put_word(fill, reg, value >> 16);
	put_word(fill, reg + 1, value);
}

/* To the nearest step. */
static int32_t divided(int32_t value, int32_t divide)
{
	const uint32_t step = (uint32_t)divide;
	uint32_t magnitude = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;

	magnitude = (magnitude + step / 2) / step;
	return value < 0 ? -(int32_t)magnitude : (int32_t)magnitude;
}

static uint32_t limited(int32_t value, int32_t divide, int32_t low, int32_t high, uint32_t unknown)
{
	if (value == FW_UNKNOWN)
		return unknown;
	value = divided(value, divide);
	if (value < low)
		value = low;
	return (uint32_t)(value > high ? high : value);
}

/* Words that one element of a row takes. */
static unsigned row_step(const struct fw_row *row)
{
	switch ((enum fw_row_kind)row->kind) {
	case FW_ROW_U32:
	case FW_ROW_I_U32:
	case FW_ROW_I_S32:
	case FW_ROW_CALL32: return 2;
	case FW_ROW_U8:
	case FW_ROW_U16:
	case FW_ROW_I_U16:
	case FW_ROW_I_S16:
	case FW_ROW_TEXT:
	case FW_ROW_CALL: break;
	}
	return 1;
}

static void put_element(const struct fw_access *access, const struct fw_row *row, const char *base,
			int index, const struct fill *fill)
{
	const unsigned reg = row->reg + (unsigned)index * row_step(row);
	const size_t n = (size_t)index;
	const char *at = base + row->offset;
	int32_t value;
	uint32_t raw;
	uint16_t word;

	switch ((enum fw_row_kind)row->kind) {
	case FW_ROW_U8: put_word(fill, reg, (uint8_t)at[n]); break;
	case FW_ROW_U16:
		memcpy(&word, at + 2 * n, sizeof word);
		put_word(fill, reg, word);
		break;
	case FW_ROW_U32:
		memcpy(&raw, at + 4 * n, sizeof raw);
		put_long(fill, reg, raw);
		break;
	case FW_ROW_I_U16:
		memcpy(&value, at + 4 * n, sizeof value);
		put_word(fill, reg, limited(value, row->divide, 0, UINT16_MAX - 1, UINT16_MAX));
		break;
	case FW_ROW_I_S16:
		memcpy(&value, at + 4 * n, sizeof value);
		put_word(fill, reg, limited(value, row->divide, -INT16_MAX, INT16_MAX, 0x8000));
		break;
	case FW_ROW_I_U32:
		memcpy(&value, at + 4 * n, sizeof value);
		put_long(fill, reg, limited(value, row->divide, 0, INT32_MAX, UINT32_MAX));
		break;
	case FW_ROW_I_S32:
		memcpy(&value, at + 4 * n, sizeof value);
		put_long(fill, reg,
			 limited(value, row->divide, -INT32_MAX, INT32_MAX, UINT32_C(0x80000000)));
		break;
	case FW_ROW_TEXT: put_word(fill, reg, fw_get_word((const uint8_t *)at, n)); break;
	case FW_ROW_CALL: put_word(fill, reg, row->call(access, index)); break;
	case FW_ROW_CALL32: put_long(fill, reg, row->call(access, index)); break;
	}
}

void fw_rows_read(const struct fw_access *access, const struct fw_row *rows, int row_count,
		  const void *base, uint16_t start, uint16_t words, uint8_t *out)
{
	const struct fill fill = {start, words, out};

	memset(out, 0, 2 * (size_t)words);
	for (int i = 0; i < row_count; i++) {
		const unsigned end = rows[i].reg + rows[i].count * row_step(&rows[i]);

		if (rows[i].reg >= start + words || end <= start)
			continue;
		for (int n = 0; n < rows[i].count; n++)
			put_element(access, &rows[i], base, n, &fill);
	}
}

void fw_map_note(const struct fw_access *access, int code, int32_t v1, int32_t v2)
{
	fw_event_put(&access->server->pack->events, FW_SOURCE_BUS, code, v1, v2);
}
