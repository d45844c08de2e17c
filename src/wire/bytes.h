// SPDX-License-Identifier: Apache-2.0
/* Integers in byte buffers. The caller has checked the length. */
#pragma once

#include <stdint.h>

static inline uint16_t get_u16be(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint16_t get_u16le(const uint8_t *p)
{
	return (uint16_t)(p[1] << 8 | p[0]);
}

static inline uint32_t get_u32le(const uint8_t *p)
{
	return (uint32_t)get_u16le(p + 2) << 16 | get_u16le(p);
}

static inline void put_u16be(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline void put_u16le(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
}
