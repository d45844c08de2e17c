// SPDX-License-Identifier: Apache-2.0
/* Block 0900: addressing. */
#include "bytes.h"
#include "map.h"

enum {
	AT_ADDRESS = 0x00,
	AT_STORED = 0x01,
	AT_SOURCE = 0x02, /* source, position: high and low byte */
	AT_CONFLICTS = 0x03,
	AT_ID = 0x04, /* 4 words: what a search answer carries */
	AT_ENABLE_OUT = 0x08,
	AT_ENABLE_IN = 0x09,
	AT_OPERATION = 0x10
};

#define BLOCK    0x09
#define ID_WORDS 4
#define LOW_BYTE 0x00FF

static uint16_t word_at(const struct fw_access *access, unsigned at)
{
	const struct fw_server *server = access->server;
	const struct fw_addressing *addressing = &server->addressing;
	uint8_t id[2 * ID_WORDS];

	if (at >= AT_ID && at < AT_ID + ID_WORDS) {
		fw_addressing_write_id(addressing, id);
		return fw_get_word(id, at - AT_ID);
	}
	switch (at) {
	case AT_ADDRESS: return addressing->address;
	case AT_STORED: return server->settings.address;
	case AT_SOURCE:
		return (uint16_t)((unsigned)addressing->source << 8 |
				  (addressing->position & LOW_BYTE));
	case AT_CONFLICTS: return addressing->conflicts;
	case AT_ENABLE_OUT: return addressing->enable_out;
	case AT_ENABLE_IN: return (server->pack->measured.inputs & FW_INPUT_ENABLE) != 0;
	default: return 0;
	}
}

enum fw_exception fw_map_addressing(const struct fw_access *access, uint16_t offset, uint16_t words,
				    uint8_t *out)
{
	for (unsigned i = 0; i < words; i++)
		fw_put_word(out, i, word_at(access, offset + i));
	return FW_FINE;
}

static void keep_address(const struct fw_access *access, uint16_t address, uint16_t position)
{
	struct fw_server *server = access->server;

	server->settings.address = address;
	server->settings.position = position;
	fw_auth_used(&server->auth, access->now_ms);
	fw_store_touch(&server->store, access->now_ms);
	fw_map_note(access, FW_EVENT_REGISTER_WRITTEN + BLOCK, address, position);
}

static enum fw_exception write_stored(const struct fw_access *access, uint16_t address)
{
	struct fw_server *server = access->server;

	if (fw_auth_level(&server->auth, access->now_ms) < FW_LEVEL_INSTALLER)
		return FW_LOCKED;
	if (address > FW_ADDRESS_LAST)
		return FW_ILLEGAL_VALUE;
	keep_address(access, address, server->addressing.position);
	return FW_FINE;
}

/* The neighbour below may speak now; only while a master is at it. */
static enum fw_exception write_enable(const struct fw_access *access, uint16_t value)
{
	struct fw_addressing *addressing = &access->server->addressing;

	if (!fw_addressing_is_open(addressing, access->now_ms))
		return FW_LOCKED;
	if (value > 1)
		return FW_ILLEGAL_VALUE;
	addressing->enable_out = value != 0;
	return FW_FINE;
}

static enum fw_exception operate(const struct fw_access *access, const uint8_t *data)
{
	struct fw_server *server = access->server;
	const bool installer = fw_auth_level(&server->auth, access->now_ms) >= FW_LEVEL_INSTALLER;
	const uint8_t before = server->addressing.address;
	const struct fw_addressing_effect effect =
		fw_addressing_obey(&server->addressing, data, installer, access->now_ms);

	if (server->addressing.address != before &&
	    server->addressing.address != FW_MODBUS_UNASSIGNED)
		fw_map_note(access, FW_EVENT_ADDRESS_GIVEN, server->addressing.address,
			    (int32_t)server->addressing.source);
	if (effect.store)
		keep_address(access, server->addressing.address, server->addressing.position);
	if (effect.blink_s)
		fw_pack_command(server->pack, FW_COMMAND_IDENTIFY, effect.blink_s, FW_SOURCE_BUS,
				access->now_ms);
	if (effect.answer)
		fw_server_answer_search(server, effect.slot_us);
	return FW_FINE;
}

enum fw_exception fw_map_write_addressing(const struct fw_access *access, uint16_t offset,
					  uint16_t words, const uint8_t *data)
{
	if (offset == AT_OPERATION && access->broadcast)
		return words == FW_ADDRESSING_WORDS ? operate(access, data) : FW_ILLEGAL_VALUE;
	if (access->broadcast || words != 1)
		return FW_ILLEGAL_REGISTER;
	if (offset == AT_STORED)
		return write_stored(access, fw_get_u16be(data));
	if (offset == AT_ENABLE_OUT)
		return write_enable(access, fw_get_u16be(data));
	return FW_ILLEGAL_REGISTER;
}
