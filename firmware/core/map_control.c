// SPDX-License-Identifier: Apache-2.0
/* Block 0800: who is authorized, commands, and SYNC. */
#include <string.h>

#include "bytes.h"
#include "command.h"
#include "map.h"

/* Offsets in the block, and how many words belong together. */
enum {
	AT_PASSWORD = 0x00, /* 4 */
	AT_LEVEL = 0x04,
	AT_WRONG = 0x05,
	AT_NONCE = 0x06,     /* 2 */
	AT_RESPONSE = 0x08,  /* 4, or 5 with the level */
	AT_REQUESTED = 0x0C, /* level for the response, or whose password is changed */
	AT_NEW_PASSWORD = 0x0D,
	AT_COMMAND = 0x20,
	AT_RESULT = 0x24, /* sequence, result, progress */
	AT_SYNC = 0x40
};

#define PASSWORD_WORDS (FW_PASSWORD / 2)
#define RESPONSE_WORDS (FW_AUTH_RESPONSE / 2)
#define SYNC_WORDS     7
#define PASSWORD_LEAST 4 /* characters */
#define BLOCK          0x08
#define UNKNOWN_WORD   0xFFFF
#define UNKNOWN_SIGNED 0x8000

/* --- reading --- */

static uint16_t word_at(const struct fw_access *access, unsigned at)
{
	struct fw_server *server = access->server;
	const struct fw_command_state *command = &server->command;
	const struct fw_sync *sync = &server->pack->master.sync;

	switch (at) {
	case AT_LEVEL: return (uint16_t)fw_auth_level(&server->auth, access->now_ms);
	case AT_WRONG: return server->auth.wrong;
	case AT_NONCE: return fw_get_u16be(server->auth.nonce);
	case AT_NONCE + 1: return fw_get_u16be(server->auth.nonce + 2);
	case AT_REQUESTED: return server->requested_level;
	case AT_COMMAND: return command->code;
	case AT_COMMAND + 1: return command->sequence;
	case AT_COMMAND + 2: return (uint16_t)(command->argument >> 16);
	case AT_COMMAND + 3: return (uint16_t)command->argument;
	case AT_RESULT: return command->sequence;
	case AT_RESULT + 1: return (uint16_t)command->result;
	case AT_RESULT + 2: return command->done ? 100 : 0;
	case AT_SYNC: return sync->heartbeat;
	case AT_SYNC + 1: return (uint16_t)(fw_server_time_s(server, access->now_ms) >> 16);
	case AT_SYNC + 2: return (uint16_t)fw_server_time_s(server, access->now_ms);
	case AT_SYNC + 3: return sync->flags;
	case AT_SYNC + 4: return sync->packs;
	default: return 0; /* passwords above all */
	}
}

enum fw_exception fw_map_control(const struct fw_access *access, uint16_t offset, uint16_t words,
				 uint8_t *out)
{
	for (unsigned i = 0; i < words; i++)
		fw_put_word(out, i, word_at(access, offset + i));
	return FW_FINE;
}

/* --- authorization --- */

static enum fw_exception try_password(const struct fw_access *access, const uint8_t *data)
{
	return fw_auth_password(&access->server->auth, data, access->now_ms) ? FW_FINE : FW_LOCKED;
}

static enum fw_exception try_response(const struct fw_access *access, const uint8_t *data)
{
	struct fw_server *server = access->server;
	const bool right = fw_auth_respond(&server->auth, (enum fw_level)server->requested_level,
					   data, access->now_ms);

	return right ? FW_FINE : FW_LOCKED;
}

static enum fw_exception request_level(const struct fw_access *access, const uint8_t *data)
{
	const uint16_t level = fw_get_u16be(data);

	if (level > FW_LEVEL_FACTORY)
		return FW_ILLEGAL_VALUE;
	access->server->requested_level = level;
	return FW_FINE;
}

/* Printable, zeros only at its end. */
static bool is_password(const uint8_t *data)
{
	int length = 0;

	while (length < FW_PASSWORD && data[length] > ' ' && data[length] < 0x7F)
		length++;
	for (int i = length; i < FW_PASSWORD; i++)
		if (data[i])
			return false;
	return length >= PASSWORD_LEAST;
}

/* Of the level that is held, or of a lower one that 080C names. */
static enum fw_exception new_password(const struct fw_access *access, const uint8_t *data)
{
	struct fw_server *server = access->server;
	const int held = (int)fw_auth_level(&server->auth, access->now_ms);
	int level = server->requested_level;

	if (held == FW_LEVEL_NONE)
		return FW_LOCKED;
	if (level == FW_LEVEL_NONE || level > held)
		level = held;
	if (level > FW_LEVEL_INSTALLER)
		level = FW_LEVEL_INSTALLER;
	if (!is_password(data))
		return FW_ILLEGAL_VALUE;
	memcpy(server->settings.password[level - FW_LEVEL_OPERATOR], data, FW_PASSWORD);
	fw_auth_used(&server->auth, access->now_ms);
	fw_store_touch(&server->store, access->now_ms);
	fw_map_note(access, FW_EVENT_REGISTER_WRITTEN + BLOCK, AT_NEW_PASSWORD, level);
	return FW_FINE;
}

/* --- SYNC --- */

static enum fw_exception take_sync(const struct fw_access *access, const uint8_t *data)
{
	struct fw_server *server = access->server;
	const uint32_t time_s = fw_get_u32be(data + 2);
	const uint16_t voltage = fw_get_u16be(data + 10), current = fw_get_u16be(data + 12);
	const struct fw_sync sync = {
		.heartbeat = fw_get_u16be(data),
		.flags = fw_get_u16be(data + 6),
		.packs = fw_get_u16be(data + 8),
		.bank_mv = voltage == UNKNOWN_WORD ? FW_UNKNOWN : voltage * 10,
		.bank_ma = current == UNKNOWN_SIGNED ? FW_UNKNOWN : (int16_t)current * 100,
	};

	if (time_s)
		fw_server_set_time(server, time_s, access->now_ms);
	if (sync.flags & FW_SYSTEM_STOP)
		server->jk_off = 0; /* JK's switches do not end a stop */
	fw_map_latch(access);
	fw_pack_sync(server->pack, &sync, access->now_ms);
	return FW_FINE;
}

/* --- writing --- */

/* What is written together, and by what. */
static const struct {
	uint8_t at, words;
	bool broadcast; /* obeyed when it is sent to all */
	enum fw_exception (*write)(const struct fw_access *access, const uint8_t *data);
} writes[] = {
	{AT_PASSWORD, PASSWORD_WORDS, false, try_password},
	{AT_RESPONSE, RESPONSE_WORDS, false, try_response},
	{AT_REQUESTED, 1, false, request_level},
	{AT_NEW_PASSWORD, PASSWORD_WORDS, false, new_password},
	{AT_COMMAND, FW_COMMAND_WORDS, true, fw_command_write},
	{AT_SYNC, SYNC_WORDS, true, take_sync},
};

/* Response and level in one write: the level first. */
static enum fw_exception respond_at_once(const struct fw_access *access, const uint8_t *data)
{
	enum fw_exception result = request_level(access, data + FW_AUTH_RESPONSE);

	return result ? result : try_response(access, data);
}

enum fw_exception fw_map_write_control(const struct fw_access *access, uint16_t offset,
				       uint16_t words, const uint8_t *data)
{
	if (offset == AT_RESPONSE && words == RESPONSE_WORDS + 1 && !access->broadcast)
		return respond_at_once(access, data);
	for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
		if (writes[i].at != offset)
			continue;
		if (access->broadcast && !writes[i].broadcast)
			return FW_ILLEGAL_REGISTER;
		return words == writes[i].words ? writes[i].write(access, data) : FW_ILLEGAL_VALUE;
	}
	return FW_ILLEGAL_REGISTER;
}
