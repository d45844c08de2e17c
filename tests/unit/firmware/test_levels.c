// SPDX-License-Identifier: Apache-2.0
/* What a stranger on the bus can do to a pack that somebody has stopped: every register is written,
 * to the pack and to everybody, and every command is given below its level. Nothing that closes a
 * MOSFET or raises a limit may happen. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "core/jk.h"
#include "core/map.h"
#include "server_rig.h"

#define UNIT SERVER_RIG_ADDRESS

static const uint16_t patterns[] = {0x0000, 0x0001, 0x00FF, 0x0820, 0x7FFF, 0xADD3, 0xFFFF};

#define PATTERNS (sizeof patterns / sizeof patterns[0])

/* Stopped by a master, and both directions held off by an operator whose level has faded. */
static struct server_rig *new_stopped(void)
{
	struct server_rig *rig = malloc(sizeof *rig);

	assert_non_null(rig);
	server_rig_ready(rig);
	fw_pack_command(&rig->pack.pack, FW_COMMAND_OUTPUTS, 0x00030000, FW_SOURCE_BUS, 0);
	fw_pack_command(&rig->pack.pack, FW_COMMAND_SAFE_STOP, 0, FW_SOURCE_BUS, 0);
	server_rig_run(rig, 500);
	assert_false(rig->pack.pack.outputs.charge_mos || rig->pack.pack.outputs.discharge_mos);
	return rig;
}

static void expect_stopped(const struct server_rig *rig, const struct server_rig *before)
{
	const struct fw_pack *pack = &rig->pack.pack;
	const struct fw_work *work = &pack->work;
	const uint8_t off = FW_ALLOW_CHARGE | FW_ALLOW_DISCHARGE;

	assert_true(work->safe_stop);
	assert_int_equal(work->allow_mask & ~work->allow_value & off, off);
	assert_int_equal(work->allow_value, 0);
	assert_int_equal(work->emergency_ms, 0);
	assert_false(work->restart || work->switch_off || work->asleep);
	assert_memory_equal(&pack->parameters, &before->pack.pack.parameters,
			    sizeof pack->parameters);
	assert_memory_equal(&pack->calibration, &before->pack.pack.calibration,
			    sizeof pack->calibration);
	assert_memory_equal(&rig->server.settings, &before->server.settings,
			    sizeof rig->server.settings);
	assert_int_equal(rig->server.auth.level, FW_LEVEL_NONE);
	assert_false(rig->server.store.dirty);
}

/* So many words of one pattern to every register, all at one moment. */
static void write_everywhere(struct server_rig *rig, uint16_t words, uint16_t pattern,
			     bool broadcast)
{
	const struct fw_access access = {
		.server = &rig->server, .now_ms = rig->now_us / 1000, .broadcast = broadcast};
	uint8_t data[2 * 8], out[FW_SERVER_OUT];
	size_t count;

	for (unsigned i = 0; i < words; i++)
		fw_put_word(data, i, pattern);
	for (unsigned reg = 0; reg <= UINT16_MAX; reg++) {
		const struct fw_request request = {.unit = UNIT,
						   .function = FW_WRITE,
						   .write_start = (uint16_t)reg,
						   .write_words = words,
						   .data = data};

		(void)fw_map_write(&access, (uint16_t)reg, words, data);
		if (fw_jk_has((uint16_t)reg))
			(void)fw_jk_write(&access, &request, out, &count);
	}
}

static void a_stranger_changes_nothing(void **state)
{
	struct server_rig *rig = new_stopped(), *before = malloc(sizeof *before);

	(void)state;
	assert_non_null(before);
	*before = *rig;
	for (uint16_t words = 1; words <= 8; words++)
		for (size_t i = 0; i < PATTERNS; i++)
			for (int broadcast = 0; broadcast < 2; broadcast++)
				write_everywhere(rig, words, patterns[i], broadcast);
	expect_stopped(rig, before);
	server_rig_run(rig, 2000);
	expect_stopped(rig, before);
	assert_false(rig->pack.pack.outputs.charge_mos || rig->pack.pack.outputs.discharge_mos);
	free(before);
	free(rig);
}

static int command(struct server_rig *rig, uint16_t code, uint32_t argument)
{
	static uint16_t sequence;
	const uint16_t words[4] = {code, ++sequence, (uint16_t)(argument >> 16),
				   (uint16_t)argument};

	return server_rig_write(rig, UNIT, 0x0820, words, 4);
}

static void hold_level(struct server_rig *rig, int level)
{
	rig->server.auth.level = (enum fw_level)level;
	rig->server.auth.level_ms = rig->now_us / 1000;
}

/* As docs/protocols/notes/pack/onepack.md says. */
static void every_command_has_its_level(void **state)
{
	static const struct {
		uint16_t code;
		uint32_t argument;
		int level;
	} cases[] = {
		{FW_COMMAND_OUTPUTS, 0x00010001, 1},
		{FW_COMMAND_SAFE_STOP, 0, 0},
		{FW_COMMAND_AUTOMATIC, 0, 1},
		{FW_COMMAND_EMERGENCY_START, FW_MAGIC_EMERGENCY, 1},
		{FW_COMMAND_EMERGENCY_STOP, 0, 0},
		{FW_COMMAND_PRECHARGE, 0, 1},
		{FW_COMMAND_CLEAR, UINT32_MAX, 1},
		{FW_COMMAND_CALIBRATE_VOLTAGE, 52800, 3},
		{FW_COMMAND_CALIBRATE_ZERO, 0, 3},
		{FW_COMMAND_CALIBRATE_CURRENT, 10000, 3},
		{FW_COMMAND_SET_SOC, 5000, 2},
		{FW_COMMAND_SET_TIME, 1000, 1},
		{FW_COMMAND_DEFAULTS, FW_LFP, 2},
		{FW_COMMAND_DEFAULTS, FW_LI_ION, 3}, /* 4.2 V for cells that bear 3.6 */
		{FW_COMMAND_DEFAULTS, FW_LTO, 3},
		{FW_COMMAND_CLEAR_LOG, 0x434C4F47, 3},
		{FW_COMMAND_RESTART, FW_MAGIC_RESTART, 2},
		{FW_COMMAND_POWER_OFF, FW_MAGIC_POWER_OFF, 2},
		{FW_COMMAND_SLEEP, 0, 1},
		{FW_COMMAND_IDENTIFY, 1, 0},
	};
	struct server_rig *rig = malloc(sizeof *rig);

	(void)state;
	assert_non_null(rig);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (int level = 0; level <= FW_LEVEL_FACTORY; level++) {
			server_rig_ready(rig);
			hold_level(rig, level);

			const int result = command(rig, cases[i].code, cases[i].argument);

			if (result != (level < cases[i].level ? FW_LOCKED : FW_FINE))
				fail_msg("command %02X, argument %u, at level %d: %d",
					 cases[i].code, cases[i].argument, level, result);
			if (level < cases[i].level)
				assert_int_equal(rig->pack.pack.parameters.chemistry, FW_LFP);
		}
	free(rig);
}

/* Only "stop" is obeyed when it is said to everybody. */
static void no_command_is_for_everybody(void **state)
{
	struct server_rig *rig = malloc(sizeof *rig);

	(void)state;
	assert_non_null(rig);
	server_rig_ready(rig);
	for (uint16_t code = 0; code < 0x100; code++) {
		const uint16_t words[4] = {code, code, 0, 0};

		if (code == FW_COMMAND_SAFE_STOP)
			continue;
		hold_level(rig, FW_LEVEL_FACTORY);
		assert_int_equal(server_rig_write(rig, 0, 0x0820, words, 4), -1);
		assert_false(rig->server.command.done);
	}
	server_rig_run(rig, 500);
	assert_true(rig->pack.pack.outputs.charge_mos);
	assert_int_equal(server_rig_write(rig, 0, 0x0820,
					  (const uint16_t[]){FW_COMMAND_SAFE_STOP, 1, 0, 0}, 4),
			 -1);
	server_rig_run(rig, 500);
	assert_false(rig->pack.pack.outputs.charge_mos || rig->pack.pack.outputs.discharge_mos);
	free(rig);
}

/* Off by JK's switch, then by somebody with a level, or stopped: "on" is not JK's any more. */
static void jk_takes_back_only_its_own(void **state)
{
	static const uint16_t off[2] = {0, 0}, on[2] = {0, 1};
	struct server_rig *rig = malloc(sizeof *rig);

	(void)state;
	assert_non_null(rig);
	for (int stop = 0; stop < 2; stop++) {
		server_rig_ready(rig);
		assert_int_equal(server_rig_write(rig, UNIT, 0x1070, off, 2), FW_FINE);
		assert_int_equal(server_rig_write(rig, UNIT, 0x1070, on, 2), FW_FINE);
		assert_int_equal(server_rig_write(rig, UNIT, 0x1070, off, 2), FW_FINE);
		hold_level(rig, FW_LEVEL_OPERATOR);
		assert_int_equal(command(rig, stop ? FW_COMMAND_SAFE_STOP : FW_COMMAND_OUTPUTS,
					 stop ? 0 : 0x00010000),
				 FW_FINE);
		hold_level(rig, FW_LEVEL_NONE);
		assert_int_equal(server_rig_write(rig, UNIT, 0x1070, on, 2), FW_LOCKED);
		server_rig_run(rig, 500);
		assert_false(rig->pack.pack.outputs.charge_mos);
	}
	free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stranger_changes_nothing),
		cmocka_unit_test(every_command_has_its_level),
		cmocka_unit_test(no_command_is_for_everybody),
		cmocka_unit_test(jk_takes_back_only_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
