// SPDX-License-Identifier: Apache-2.0
/* Between jk.c and the tables of the three blocks: one row a field or run of fields. The same rows
 * make registers (big-endian) and records (little-endian). */
#pragma once

#include "map.h"

#define FW_JK_COUNT(rows) ((int)(sizeof(rows) / sizeof(rows)[0]))

typedef uint32_t fw_jk_get(const struct fw_access *access, int index);

/* `size` bytes each. With `get` NULL it is an int32_t of the pack at `offset`, times `times`;
 * FW_UNKNOWN is 0. */
struct fw_jk_row {
	uint16_t at;
	uint8_t size, count;
	int16_t times;
	uint16_t offset;
	fw_jk_get *get;
};

struct fw_jk_rows {
	const struct fw_jk_row *rows;
	int count;
};

extern const struct fw_jk_rows fw_jk_settings, fw_jk_live, fw_jk_about;

/* Outputs that a command holds off, JK's switches included: FW_ALLOW_ bits. */
uint8_t fw_jk_held_off(const struct fw_access *access);

/* Whether neither a command nor a safe stop holds that output off. */
bool fw_jk_is_allowed(const struct fw_access *access, uint8_t allow);

static inline const struct fw_pack *pack_of(const struct fw_access *access)
{
	return access->server->pack;
}

/* JK has no "unknown". */
static inline uint32_t known(int32_t value)
{
	return value == FW_UNKNOWN ? 0 : (uint32_t)value;
}
