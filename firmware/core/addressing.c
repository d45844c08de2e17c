// SPDX-License-Identifier: Apache-2.0
/* Addressing; see addressing.h. */
#include "addressing.h"

#include <string.h>

#include "bytes.h"

#define LONGEST_WINDOW_S 5
#define LONGEST_SLOT_MS  100 /* at 9600 a master needs 18; for a minute nobody would wait */
#define SLOT_BITS        4
#define UID_BITS         32

static bool is_address(uint32_t address)
{
	return address >= 1 && address <= FW_ADDRESS_LAST;
}

void fw_addressing_init(struct fw_addressing *addressing, const struct fw_identity *identity,
			uint8_t dip, const struct fw_settings *settings)
{
	memset(addressing, 0, sizeof *addressing);
	addressing->uid32 = identity->uid32;
	addressing->device_class = identity->device_class;
	addressing->has_enable_line = (identity->features & FW_HAS_ENABLE_LINE) != 0;
	addressing->dip = dip;
	addressing->address = FW_MODBUS_UNASSIGNED;
	addressing->source = FW_ADDRESS_DIP;
	if (is_address(settings->address)) {
		addressing->address = (uint8_t)settings->address;
		addressing->position = settings->position;
		addressing->source = FW_ADDRESS_STORED;
	} else if (is_address(dip)) {
		addressing->address = dip;
	}
}

bool fw_addressing_is_open(const struct fw_addressing *addressing, uint64_t now_ms)
{
	return now_ms < addressing->window_until_ms;
}

bool fw_addressing_is_mine(const struct fw_addressing *addressing, uint8_t unit, bool enable_in)
{
	if (unit != addressing->address)
		return false;
	return unit != FW_MODBUS_UNASSIGNED || enable_in || !addressing->has_enable_line;
}

static void release(struct fw_addressing *addressing)
{
	addressing->address = FW_MODBUS_UNASSIGNED;
	addressing->position = 0;
	addressing->muted = false;
	addressing->enable_out = false;
	addressing->asked = false;
}

bool fw_addressing_conflict(struct fw_addressing *addressing)
{
	if (addressing->address == FW_MODBUS_UNASSIGNED)
		return false; /* many may be there */
	release(addressing);
	addressing->conflict = true;
	if (addressing->conflicts < UINT16_MAX)
		addressing->conflicts++;
	return true;
}

/* Bits `from`, counted from the highest, and the next `count` of a number; 0 for those behind its
 * end. */
static uint32_t bits_of(uint32_t number, unsigned from, unsigned count)
{
	return (uint32_t)(((uint64_t)number << UID_BITS) << from >> (2 * UID_BITS - count));
}

static void search(const struct fw_addressing *addressing, const uint8_t *arguments,
		   struct fw_addressing_effect *effect)
{
	const uint32_t prefix = fw_get_u32be(arguments);
	const unsigned bits = fw_get_u16be(arguments + 4);
	const unsigned slot_ms = fw_get_u16be(arguments + 6);

	if (addressing->muted || bits > UID_BITS || slot_ms > LONGEST_SLOT_MS)
		return;
	if (bits > 0 && (addressing->uid32 ^ prefix) >> (UID_BITS - bits) != 0)
		return;
	effect->answer = true;
	effect->slot_us = bits_of(addressing->uid32, bits, SLOT_BITS) * slot_ms * 1000;
}

static void assign(struct fw_addressing *addressing, const uint8_t *arguments)
{
	const uint16_t address = fw_get_u16be(arguments + 4);

	if (!is_address(address))
		return;
	addressing->address = (uint8_t)address;
	addressing->source = addressing->asked ? FW_ADDRESS_ENABLE_LINE : FW_ADDRESS_UID;
	addressing->position = fw_get_u16be(arguments + 6);
	addressing->conflict = false;
	addressing->asked = false;
}

struct fw_addressing_effect fw_addressing_obey(struct fw_addressing *addressing,
					       const uint8_t words[2 * FW_ADDRESSING_WORDS],
					       bool installer, uint64_t now_ms)
{
	struct fw_addressing_effect effect = {0};
	const unsigned operation = (unsigned)fw_get_u16be(words) - FW_ADDRESSING_KEY;
	const uint8_t *arguments = words + 2;
	const uint16_t first = fw_get_u16be(arguments);
	const bool own = fw_get_u32be(arguments) == addressing->uid32;

	if (operation == FW_ADDRESS_WINDOW) {
		if (first >= 1 && first <= LONGEST_WINDOW_S)
			addressing->window_until_ms = now_ms + first * UINT64_C(1000);
		return effect;
	}
	if (!fw_addressing_is_open(addressing, now_ms))
		return effect;
	switch (operation) {
	case FW_ADDRESS_RELEASE: release(addressing); break;
	case FW_ADDRESS_SEARCH: search(addressing, arguments, &effect); break;
	case FW_ADDRESS_ASSIGN:
		if (own)
			assign(addressing, arguments);
		break;
	case FW_ADDRESS_MUTE: addressing->muted |= own; break;
	case FW_ADDRESS_STORE:
		effect.store = installer && addressing->address != FW_MODBUS_UNASSIGNED;
		break;
	case FW_ADDRESS_BLINK:
		if (own)
			effect.blink_s = fw_get_u16be(arguments + 4);
		break;
	default: break;
	}
	return effect;
}

void fw_addressing_write_id(const struct fw_addressing *addressing, uint8_t out[8])
{
	fw_put_u32be(out, addressing->uid32);
	fw_put_u16be(out + 4, addressing->device_class);
	out[6] = addressing->address;
	out[7] = addressing->dip;
}
