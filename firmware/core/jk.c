// SPDX-License-Identifier: Apache-2.0
/* JK's blocks as registers and records, and what may be written there; see jk.h. The fields are
 * rows in jk_settings.c, jk_live.c and jk_about.c. */
#include "jk.h"

#include <string.h>

#include "bytes.h"
#include "jk_rows.h"

#define RECORD_HEAD 6 /* bytes before the block */

static const struct block {
	uint16_t first, length; /* bytes */
	uint16_t trigger;
	uint8_t type; /* of the record */
	const struct fw_jk_rows *rows;
} blocks[] = {
	{0x1000, 0x0122, 0x161E, 1, &fw_jk_settings},
	{0x1200, 0x0118, 0x1620, 2, &fw_jk_live},
	{0x1400, 0x0108, 0x161C, 3, &fw_jk_about},
};

_Static_assert(RECORD_HEAD + 0x0122 < FW_JK_RECORD, "the longest block fits into a record");

/* Where a block's bytes go: the range from `from` on, in one order. */
struct target {
	uint8_t *out;
	size_t from, count;
	bool little;
};

static void put_byte(const struct target *target, size_t at, uint32_t value)
{
	if (at >= target->from && at - target->from < target->count)
		target->out[at - target->from] = (uint8_t)value;
}

static void put_row(const struct fw_access *access, const struct fw_jk_row *row,
		    const struct target *target)
{
	for (int n = 0; n < row->count; n++) {
		const size_t at = row->at + (size_t)n * row->size;
		uint32_t value;
		int32_t member;

		if (row->get) {
			value = row->get(access, n);
		} else {
			memcpy(&member, (const char *)pack_of(access) + row->offset, sizeof member);
			value = (uint32_t)((int32_t)known(member) * row->times);
		}
		for (unsigned i = 0; i < row->size; i++)
			put_byte(target, at + i,
				 value >> 8 * (target->little ? i : row->size - 1 - i));
	}
}

static void fill_block(const struct fw_access *access, const struct block *block,
		       const struct target *target)
{
	memset(target->out, 0, target->count);
	for (int i = 0; i < block->rows->count; i++) {
		const struct fw_jk_row *row = &block->rows->rows[i];
		const size_t end = row->at + (size_t)row->size * row->count;

		if (row->at < target->from + target->count && end > target->from)
			put_row(access, row, target);
	}
}

bool fw_jk_has(uint16_t reg)
{
	return reg >= FW_JK_FIRST && reg <= FW_JK_LAST;
}

enum fw_exception fw_jk_read(const struct fw_access *access, uint16_t start, uint16_t words,
			     uint8_t *out)
{
	const size_t count = 2 * (size_t)words;

	for (int i = 0; i < FW_JK_COUNT(blocks); i++) {
		const struct block *block = &blocks[i];

		if (start < block->first || start + count > (size_t)block->first + block->length)
			continue;
		if (start % 2)
			break;
		fill_block(access, block,
			   &(struct target){out, (size_t)start - block->first, count, false});
		return FW_FINE;
	}
	return FW_ILLEGAL_REGISTER;
}

/* --- writing --- */

static const struct {
	uint16_t reg;
	uint8_t allow;
} switches[] = {
	{0x1070, FW_ALLOW_CHARGE},
	{0x1074, FW_ALLOW_DISCHARGE},
	{0x1078, FW_ALLOW_BALANCE},
};

static enum fw_exception turn(const struct fw_access *access, uint8_t allow, uint32_t on)
{
	struct fw_server *server = access->server;
	const bool ours = (server->jk_off & allow) != 0;

	if (on > 1)
		return FW_ILLEGAL_VALUE;
	if (on && !ours) /* what was turned off with a level, or by a stop, stays off */
		return fw_jk_is_allowed(access, allow) ? FW_FINE : FW_LOCKED;
	if (!on && fw_jk_held_off(access) & allow)
		return FW_FINE;
	if (fw_pack_command(server->pack, FW_COMMAND_OUTPUTS,
			    (uint32_t)allow << 16 | (on ? allow : 0), FW_SOURCE_BUS,
			    access->now_ms) != FW_RESULT_OK)
		return FW_FAILURE;
	server->jk_off = (uint8_t)(on ? server->jk_off & ~allow : server->jk_off | allow);
	return FW_FINE;
}

/* The record of a trigger register and its acknowledge. */
static size_t answer_record(const struct fw_access *access, const struct block *block,
			    const struct fw_request *request, uint8_t *out)
{
	static const uint8_t magic[4] = {0x55, 0xAA, 0xEB, 0x90};
	uint8_t sum = 0;

	memset(out, 0, FW_JK_RECORD);
	memcpy(out, magic, sizeof magic);
	out[4] = block->type;
	fill_block(access, block, &(struct target){out + RECORD_HEAD, 0, block->length, true});
	for (int i = 0; i < FW_JK_RECORD - 1; i++)
		sum = (uint8_t)(sum + out[i]);
	out[FW_JK_RECORD - 1] = sum;
	return FW_JK_RECORD + fw_modbus_acknowledge(request, out + FW_JK_RECORD);
}

enum fw_exception fw_jk_write(const struct fw_access *access, const struct fw_request *request,
			      uint8_t *out, size_t *answer)
{
	*answer = 0;
	if (access->broadcast)
		return FW_ILLEGAL_REGISTER;
	for (int i = 0; i < FW_JK_COUNT(blocks); i++) {
		if (request->write_start != blocks[i].trigger)
			continue;
		if (request->write_words != 1)
			return FW_ILLEGAL_VALUE;
		*answer = answer_record(access, &blocks[i], request, out);
		return FW_FINE;
	}
	for (int i = 0; i < FW_JK_COUNT(switches); i++) {
		if (request->write_start != switches[i].reg)
			continue;
		if (request->write_words != 2)
			return FW_ILLEGAL_VALUE;
		return turn(access, switches[i].allow, fw_get_u32be(request->data));
	}
	return FW_ILLEGAL_REGISTER;
}
