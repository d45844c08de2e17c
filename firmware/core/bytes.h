// SPDX-License-Identifier: Apache-2.0
/* Numbers in bytes, so that nothing here depends on a processor's order or alignment: big-endian as
 * Modbus has them, little-endian as JK records and flash have them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

static inline uint16_t fw_get_u16be(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t fw_get_u32be(const uint8_t *p)
{
	return (uint32_t)fw_get_u16be(p) << 16 | fw_get_u16be(p + 2);
}

static inline void fw_put_u16be(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline void fw_put_u32be(uint8_t *p, uint32_t value)
{
	fw_put_u16be(p, value >> 16);
	fw_put_u16be(p + 2, value);
}

static inline uint16_t fw_get_u16le(const uint8_t *p)
{
	return (uint16_t)(p[1] << 8 | p[0]);
}

static inline uint32_t fw_get_u32le(const uint8_t *p)
{
	return (uint32_t)fw_get_u16le(p + 2) << 16 | fw_get_u16le(p);
}

static inline void fw_put_u16le(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
}

static inline void fw_put_u32le(uint8_t *p, uint32_t value)
{
	fw_put_u16le(p, value);
	fw_put_u16le(p + 2, value >> 16);
}

/* The same by index, in registers as Modbus has them. */
static inline uint16_t fw_get_word(const uint8_t *words, size_t index)
{
	return fw_get_u16be(words + 2 * index);
}

static inline void fw_put_word(uint8_t *words, size_t index, uint32_t value)
{
	fw_put_u16be(words + 2 * index, value);
}
