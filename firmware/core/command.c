// SPDX-License-Identifier: Apache-2.0
/* Commands; see command.h. What they do to the pack is the core's (fw_pack_command); time and log
 * are ours. */
#include "command.h"

#include "bytes.h"

#define MAGIC_CLEAR_LOG UINT32_C(0x434C4F47) /* "CLOG" */

/* Everything that can close a MOSFET or raise a limit needs a level; what only makes the pack more
 * careful does not. */
static const struct {
	uint8_t code, level;
} levels[] = {
	{FW_COMMAND_OUTPUTS, FW_LEVEL_OPERATOR},
	{FW_COMMAND_SAFE_STOP, FW_LEVEL_NONE},
	{FW_COMMAND_AUTOMATIC, FW_LEVEL_OPERATOR},
	{FW_COMMAND_EMERGENCY_START, FW_LEVEL_OPERATOR},
	{FW_COMMAND_EMERGENCY_STOP, FW_LEVEL_NONE},
	{FW_COMMAND_PRECHARGE, FW_LEVEL_OPERATOR},
	{FW_COMMAND_CLEAR, FW_LEVEL_OPERATOR},
	{FW_COMMAND_CALIBRATE_VOLTAGE, FW_LEVEL_FACTORY},
	{FW_COMMAND_CALIBRATE_ZERO, FW_LEVEL_FACTORY},
	{FW_COMMAND_CALIBRATE_CURRENT, FW_LEVEL_FACTORY},
	{FW_COMMAND_SET_SOC, FW_LEVEL_INSTALLER},
	{FW_COMMAND_SET_TIME, FW_LEVEL_OPERATOR},
	{FW_COMMAND_DEFAULTS, FW_LEVEL_INSTALLER},
	{FW_COMMAND_CLEAR_LOG, FW_LEVEL_FACTORY},
	{FW_COMMAND_RESTART, FW_LEVEL_INSTALLER},
	{FW_COMMAND_POWER_OFF, FW_LEVEL_INSTALLER},
	{FW_COMMAND_SLEEP, FW_LEVEL_OPERATOR},
	{FW_COMMAND_IDENTIFY, FW_LEVEL_NONE},
};

/* The level a command needs, -1 for one that nobody knows. The voltages of another chemistry burn
 * cells: who may load them is who may say how many cells there are. */
static int level_of(const struct fw_pack *pack, uint16_t code, uint32_t argument)
{
	if (code == FW_COMMAND_DEFAULTS && argument < FW_CHEMISTRIES &&
	    argument != (uint32_t)pack->parameters.chemistry)
		return FW_LEVEL_FACTORY;
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
		if (levels[i].code == code)
			return levels[i].level;
	return -1;
}

static enum fw_result clear_log(const struct fw_access *access, uint32_t argument)
{
	struct fw_server *server = access->server;

	if (argument != MAGIC_CLEAR_LOG)
		return FW_RESULT_ARGUMENT;
	fw_snapshots_clear(&server->snapshots, fw_server_time_s(server, access->now_ms));
	fw_map_note(access, FW_EVENT_LOG_CLEARED, 0, 0);
	return FW_RESULT_OK;
}

/* Somebody with a level said what is on: JK's switches have no say in that any more. */
static void note_switches(struct fw_server *server, uint16_t code, uint32_t argument)
{
	if (code == FW_COMMAND_OUTPUTS)
		server->jk_off &= (uint8_t) ~(argument >> 16);
	if (code == FW_COMMAND_AUTOMATIC || code == FW_COMMAND_SAFE_STOP)
		server->jk_off = 0;
}

static enum fw_result obey(const struct fw_access *access, uint16_t code, uint32_t argument)
{
	struct fw_server *server = access->server;
	enum fw_result result;

	switch (code) {
	case FW_COMMAND_SET_TIME:
		if (argument == 0)
			return FW_RESULT_ARGUMENT;
		fw_server_set_time(server, argument, access->now_ms);
		return FW_RESULT_OK;
	case FW_COMMAND_CLEAR_LOG: return clear_log(access, argument);
	default: break;
	}
	result = fw_pack_command(server->pack, (enum fw_command)code, argument, FW_SOURCE_BUS,
				 access->now_ms);
	if (result == FW_RESULT_OK)
		note_switches(server, code, argument);
	return result;
}

enum fw_exception fw_command_write(const struct fw_access *access,
				   const uint8_t words[2 * FW_COMMAND_WORDS])
{
	struct fw_server *server = access->server;
	struct fw_command_state *command = &server->command;
	const uint16_t code = fw_get_u16be(words), sequence = fw_get_u16be(words + 2);
	const uint32_t argument = fw_get_u32be(words + 4);
	const int level = level_of(server->pack, code, argument);

	if (access->broadcast && code != FW_COMMAND_SAFE_STOP)
		return FW_ILLEGAL_REGISTER;
	/* a stop is never taken for a repetition */
	if (command->done && command->sequence == sequence && command->code == code &&
	    command->argument == argument && code != FW_COMMAND_SAFE_STOP)
		return FW_FINE;
	*command =
		(struct fw_command_state){.code = code, .sequence = sequence, .argument = argument};
	if (level < 0) {
		command->done = true;
		command->result = FW_RESULT_UNSUPPORTED;
		return FW_FINE;
	}
	if ((int)fw_auth_level(&server->auth, access->now_ms) < level) {
		command->result = FW_RESULT_LEVEL;
		return FW_LOCKED;
	}
	if (level > FW_LEVEL_NONE)
		fw_auth_used(&server->auth, access->now_ms);
	command->done = true;
	command->result = obey(access, code, argument);
	return FW_FINE;
}
