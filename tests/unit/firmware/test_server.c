// SPDX-License-Identifier: Apache-2.0
/* The pack's side of the bus: who is answered, when, and with what; levels, commands, SYNC, the log
 * and its window, baud rates; other people on the line. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "server_rig.h"

#define UNIT SERVER_RIG_ADDRESS

static struct server_rig *new_rig(void)
{
	struct server_rig *rig = malloc(sizeof *rig);

	assert_non_null(rig);
	server_rig_ready(rig);
	return rig;
}

static uint16_t word(const struct server_rig *rig, int index)
{
	return fw_get_u16be(rig->answer + 3 + 2 * index);
}

static uint32_t word2(const struct server_rig *rig, int index)
{
	return fw_get_u32be(rig->answer + 3 + 2 * index);
}

/* The code of an exception, 0 = a normal answer, -1 = silence. */
static int refusal(const struct server_rig *rig)
{
	if (rig->count == 0)
		return -1;
	return rig->answer[1] & FW_REFUSED ? rig->answer[2] : 0;
}

static int command(struct server_rig *rig, uint8_t unit, uint16_t code, uint16_t sequence,
		   uint32_t argument)
{
	const uint16_t words[4] = {code, sequence, (uint16_t)(argument >> 16), (uint16_t)argument};

	return server_rig_write(rig, unit, 0x0820, words, 4);
}

/* --- reading --- */

static void live_values_are_read(void **state)
{
	struct server_rig *rig = new_rig();

	(void)state;
	assert_int_equal(server_rig_read(rig, UNIT, 0x0100, 72), 5 + 144);
	assert_int_equal(word(rig, 0), rig->pack.pack.samples);
	assert_int_equal(word(rig, 1), FW_STATE_STANDBY);
	assert_int_equal(word2(rig, 2), rig->pack.pack.warnings);
	assert_int_equal(word2(rig, 4), 0);
	assert_int_equal(word(rig, 8) & 3, 3);   /* both MOSFETs */
	assert_int_equal(word(rig, 0x0A), 5280); /* 16 x 3.3 V */
	assert_int_equal(word2(rig, 0x0C), 0);
	assert_int_equal(word(rig, 0x0E), rig->pack.pack.soc_cpct);
	assert_int_equal(word(rig, 0x28), 3300);
	assert_int_equal(word(rig, 0x28 + 15), 3300);
	assert_int_equal(word(rig, 0x28 + 16), 0xFFFF);
	assert_int_equal(word(rig, 0x40), 250);
	/* a register in the middle is the same as in the block, function 04 the same as 03 */
	assert_int_equal(server_rig_word(rig, 0x010A), 5280);
	assert_int_equal(server_rig_ask(rig, (const uint8_t[]){UNIT, 4, 1, 10, 0, 1}, 6), 7);
	assert_int_equal(word(rig, 0), 5280);
	/* the sign of the current, unknown temperatures */
	rig->pack.in.current_ma = -12345;
	rig->pack.in.temperatures_dC[FW_SENSOR_CELL_2] = -105;
	rig->pack.in.temperatures_dC[FW_SENSOR_BOARD] = FW_UNKNOWN;
	server_rig_run(rig, 1000);
	server_rig_read(rig, UNIT, 0x0100, 72);
	assert_int_equal((int32_t)word2(rig, 0x0C), -12345);
	assert_int_equal((int16_t)word(rig, 0x41), -105);
	assert_int_equal(word(rig, 0x47), 0x8000);
	free(rig);
}

static void identity_is_read(void **state)
{
	struct server_rig *rig = new_rig();

	(void)state;
	assert_int_equal(server_rig_read(rig, UNIT, 0x0000, 52), 5 + 104);
	assert_int_equal(word(rig, 0), 0x504B);
	assert_int_equal(word2(rig, 0x0A), 0x12345678);
	assert_memory_equal(rig->answer + 3 + 2 * 0x0C, "ONEPACK-16S100\0", 16);
	assert_memory_equal(rig->answer + 3 + 2 * 0x14, "OP2600000042\0\0\0", 16);
	assert_int_equal(word(rig, 0x1D), 0x0104);
	assert_int_equal(word(rig, 0x22), 16);
	assert_int_equal(word(rig, 0x23), 0x0404);
	assert_int_equal(word2(rig, 0x25), 100000);
	assert_int_equal(word(rig, 0x27), 5120);
	assert_int_equal(word(rig, 0x28), 2000);
	assert_int_equal(word(rig, 0x30), UNIT);
	assert_true(server_rig_ask(rig, (const uint8_t[]){UNIT, 0x11}, 2) > 0);
	assert_memory_equal(rig->answer + 3, "PK\xFF", 3);
	free(rig);
}

static void what_is_not_there_is_refused(void **state)
{
	static const struct {
		uint8_t request[16], count;
		int refusal;
	} cases[] = {
		{{UNIT, 3, 1, 0, 0, 0}, 6, FW_ILLEGAL_VALUE},
		{{UNIT, 3, 1, 0, 0, 126}, 6, FW_ILLEGAL_VALUE},
		{{UNIT, 3, 0, 0, 0, 65}, 6, FW_ILLEGAL_REGISTER},
		{{UNIT, 3, 0xFF, 0xFF, 0, 1}, 6, FW_ILLEGAL_REGISTER},
		{{UNIT, 3, 0xFF, 0xFF, 0, 2}, 6, FW_ILLEGAL_VALUE},
		{{UNIT, 3, 0x30, 0, 0, 1}, 6, FW_ILLEGAL_REGISTER}, /* no update here */
		{{UNIT, 3, 0x12, 1, 0, 1}, 6, FW_ILLEGAL_REGISTER},
		{{UNIT, 1, 1, 0, 0, 1}, 6, FW_ILLEGAL_FUNCTION},
		{{UNIT, 0x41, 1}, 3, FW_ILLEGAL_FUNCTION},
		{{UNIT, 16, 1, 0, 0, 1, 4, 0, 0}, 9, FW_ILLEGAL_FUNCTION}, /* counts do not fit */
		{{UNIT, 6, 1, 0, 0, 1}, 6, FW_ILLEGAL_REGISTER},
		{{UNIT, 6, 0, 0, 0, 1}, 6, FW_ILLEGAL_REGISTER},
		{{UNIT, 6, 8, 4, 0, 3}, 6, FW_ILLEGAL_REGISTER}, /* the level itself */
		{{UNIT, 6, 8, 0x20, 0, 2}, 6, FW_ILLEGAL_VALUE}, /* a quarter of a command */
		{{UNIT, 6, 2, 0x15, 0, 2}, 6, FW_ILLEGAL_REGISTER},
		{{UNIT, 6, 9, 0x10, 0xAD, 0xD0}, 6, FW_ILLEGAL_REGISTER}, /* broadcasts only */
		{{UNIT + 1, 3, 1, 0, 0, 1}, 6, -1},
		{{0, 3, 1, 0, 0, 1}, 6, -1},
		{{247, 3, 1, 0, 0, 1}, 6, -1},
	};
	struct server_rig *rig = new_rig();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		server_rig_ask(rig, cases[i].request, cases[i].count);
		if (refusal(rig) != cases[i].refusal)
			fail_msg("case %zu: %d instead of %d", i, refusal(rig), cases[i].refusal);
	}
	/* a bad CRC is nothing */
	assert_int_equal(server_rig_say(rig, (const uint8_t[]){UNIT, 3, 1, 0, 0, 1, 0x12, 0x34}, 8),
			 0);
	free(rig);
}

/* Blocks that touch are read across; what is reserved is 0. */
static void reads_cross_blocks(void **state)
{
	struct server_rig *rig = new_rig();

	(void)state;
	assert_int_equal(server_rig_read(rig, UNIT, 0x017F, 10), 25);
	assert_int_equal(word(rig, 0), 0);
	assert_int_equal(word2(rig, 7), 1);    /* 0186: the first start */
	server_rig_read(rig, UNIT, 0x01BF, 2); /* a hole behind */
	assert_int_equal(refusal(rig), FW_ILLEGAL_REGISTER);
	free(rig);
}

/* --- the line --- */

static const uint8_t poll_request[] = {5, 3, 1, 0, 0, 0x38, 0x44, 0x60};

static void answers_come_after_the_silence(void **state)
{
	struct server_rig *rig = new_rig();
	const uint8_t *bytes;
	uint64_t least_us = UINT64_MAX, most_us = 0;

	(void)state;
	for (int i = 0; i < 64; i++) {
		const uint64_t end_us = rig->now_us;

		fw_server_hear(&rig->server, poll_request, sizeof poll_request, end_us);
		while (fw_server_poll(&rig->server, rig->now_us, &bytes) == 0) {
			assert_true(fw_server_wake_us(&rig->server) > rig->now_us);
			rig->now_us = fw_server_wake_us(&rig->server);
			assert_true(rig->now_us < end_us + 10000);
		}
		least_us = rig->now_us - end_us < least_us ? rig->now_us - end_us : least_us;
		most_us = rig->now_us - end_us > most_us ? rig->now_us - end_us : most_us;
		rig->now_us += 50000;
	}
	assert_int_equal(least_us, 1750);
	assert_true(most_us > 2000 && most_us <= 3000); /* not the same each time */
	free(rig);
}

static void bytes_may_trickle_in(void **state)
{
	struct server_rig *rig = new_rig();
	const uint8_t *bytes;

	(void)state;
	for (size_t i = 0; i < sizeof poll_request; i++) {
		assert_int_equal(fw_server_poll(&rig->server, rig->now_us, &bytes), 0);
		rig->now_us += 3000; /* longer than the silence that should end a frame */
		fw_server_hear(&rig->server, poll_request + i, 1, rig->now_us);
	}
	rig->now_us += 3000;
	assert_int_equal(fw_server_poll(&rig->server, rig->now_us, &bytes), 5 + 112);
	/* but not for ever */
	fw_server_hear(&rig->server, poll_request, 4, rig->now_us += 50000);
	assert_int_equal(server_rig_poll(rig), 0);
	fw_server_hear(&rig->server, poll_request + 4, 4, rig->now_us += 30000);
	rig->now_us += 3000;
	assert_int_equal(server_rig_poll(rig), 0);
	free(rig);
}

static void noise_before_and_behind(void **state)
{
	static const uint8_t noises[][7] = {{0},
					    {0xFF, 0xFF},
					    {5},
					    {5, 3},
					    {5, 16},
					    {5, 3, 1, 0, 0, 0x38},
					    {0x55, 0xAA, 0xEB, 0x90}};
	static const size_t counts[] = {1, 2, 1, 2, 2, 6, 4};
	struct server_rig *rig = new_rig();
	uint8_t bytes[20];

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		memcpy(bytes, noises[i], counts[i]);
		memcpy(bytes + counts[i], poll_request, sizeof poll_request);
		assert_int_equal(server_rig_say(rig, bytes, counts[i] + sizeof poll_request), 117);
		rig->now_us += 50000;
	}
	for (size_t i = 0; i < 2; i++) { /* the line's glitch when a master lets go of it */
		memcpy(bytes, poll_request, sizeof poll_request);
		memcpy(bytes + sizeof poll_request, noises[i], 1);
		assert_int_equal(server_rig_say(rig, bytes, sizeof poll_request + 1), 117);
		fw_server_hear(&rig->server, poll_request, sizeof poll_request, rig->now_us);
		assert_int_equal(server_rig_say(rig, noises[i], 1), 117);
		rig->now_us += 50000;
	}
	free(rig);
}

/* What a frame writes must be its own bytes, however many stray ones stood before it. */
static void noise_does_not_move_what_is_written(void **state)
{
	static const uint8_t stop[] = {5,    0x10, 0x08, 0x20, 0x00, 0x04, 0x08, 0x00,
				       0x02, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00};

	(void)state;
	for (size_t noise = 0; noise < 60; noise++) {
		struct server_rig *rig = new_rig();
		uint8_t bytes[100];

		memset(bytes, 0xFF, noise);
		memcpy(bytes + noise, stop, sizeof stop);
		assert_int_equal(server_rig_say(rig, bytes,
						noise + fw_modbus_seal(bytes + noise, sizeof stop)),
				 8);
		server_rig_run(rig, 500);
		assert_false(rig->pack.pack.outputs.charge_mos);
		assert_false(rig->pack.pack.outputs.discharge_mos);
		free(rig);
	}
}

/* Somebody else answers first, or another question comes: silence. */
static void others_are_not_interrupted(void **state)
{
	struct server_rig *rig = new_rig();
	uint8_t other[9] = {6, 3, 4, 1, 2, 3, 4};
	const uint8_t *bytes;

	(void)state;
	fw_modbus_seal(other, 7);
	fw_server_hear(&rig->server, poll_request, 8, rig->now_us);
	assert_int_equal(server_rig_say(rig, other, 9), 0);
	assert_int_equal(rig->server.counts.held, 1);
	fw_server_hear(&rig->server, poll_request, 8, rig->now_us += 50000);
	assert_int_equal(server_rig_read(rig, UNIT + 1, 0x0100, 1), 0);
	/* much too late: nobody waits any more */
	fw_server_hear(&rig->server, poll_request, 8, rig->now_us += 50000);
	assert_int_equal(fw_server_poll(&rig->server, rig->now_us += 60000, &bytes), 0);
	assert_int_equal(fw_server_poll(&rig->server, rig->now_us += 60000, &bytes), 0);
	free(rig);
}

/* --- parameters --- */

static void parameters_need_a_level(void **state)
{
	struct server_rig *rig = new_rig();
	const uint16_t limit = 900, cells = 15;

	(void)state;
	assert_int_equal(server_rig_write(rig, UNIT, 0x022E, &limit, 1), FW_LOCKED);
	assert_int_equal(server_rig_word(rig, 0x022E), 1000);
	assert_int_equal(server_rig_login(rig, "888888"), FW_FINE);
	assert_int_equal(server_rig_word(rig, 0x0804), FW_LEVEL_OPERATOR);
	assert_int_equal(server_rig_write(rig, UNIT, 0x022E, &limit, 1), FW_FINE);
	assert_int_equal(server_rig_word(rig, 0x022E), 900);
	assert_int_equal(server_rig_write(rig, UNIT, 0x0220, &limit, 1), FW_LOCKED);
	assert_int_equal(server_rig_login(rig, "inst0001"), FW_FINE);
	assert_int_equal(server_rig_write(rig, UNIT, 0x0220, &limit, 1), FW_FINE);
	assert_int_equal(server_rig_write(rig, UNIT, 0x0270, &cells, 1), FW_LOCKED);
	server_rig_run(rig, 121000);
	assert_int_equal(server_rig_write(rig, UNIT, 0x022E, &limit, 1), FW_LOCKED);
	free(rig);
}

static void parameters_are_checked_as_a_whole(void **state)
{
	/* 0240..0247: charge OT, release, UT, release, the same for discharging */
	static const uint16_t good[] = {610, 560, (uint16_t)-50, 10, 660, 560, (uint16_t)-210, 0};
	uint16_t bad[8];
	struct server_rig *rig = new_rig();

	(void)state;
	server_rig_login(rig, "inst0001");
	memcpy(bad, good, sizeof bad);
	bad[5] = 999; /* out of its range */
	assert_int_equal(server_rig_write(rig, UNIT, 0x0240, bad, 8), FW_ILLEGAL_VALUE);
	bad[5] = 670; /* a release above its protection */
	assert_int_equal(server_rig_write(rig, UNIT, 0x0240, bad, 8), FW_ILLEGAL_VALUE);
	assert_int_equal(server_rig_write(rig, UNIT, 0x024F, (const uint16_t[]){1, 1}, 2),
			 FW_ILLEGAL_REGISTER);
	assert_int_equal(rig->pack.pack.parameters.charge_ot_dC, 600);
	assert_int_equal(server_rig_write(rig, UNIT, 0x0240, good, 8), FW_FINE);
	assert_int_equal(rig->pack.pack.parameters.charge_ut_dC, -50);
	assert_int_equal(server_rig_word(rig, 0x0246), (uint16_t)-210);
	/* a second and a half later it is not stored yet, then it is */
	server_rig_run(rig, 1500);
	server_rig_start(rig);
	assert_int_equal(rig->pack.pack.parameters.charge_ot_dC, 600);
	server_rig_run(rig, 5000);
	server_rig_login(rig, "inst0001");
	assert_int_equal(server_rig_write(rig, UNIT, 0x0240, good, 8), FW_FINE);
	server_rig_run(rig, 2500);
	server_rig_start(rig);
	assert_int_equal(rig->pack.pack.parameters.charge_ot_dC, 610);
	free(rig);
}

static void baud_rates_change_behind_the_answer(void **state)
{
	struct server_rig *rig = new_rig();
	const uint16_t baud = 96, odd = 100;
	const uint8_t *bytes;

	(void)state;
	server_rig_login(rig, "inst0001");
	assert_int_equal(server_rig_write(rig, UNIT, 0x0280, &odd, 1), FW_ILLEGAL_VALUE);
	assert_int_equal(server_rig_write(rig, UNIT, 0x0280, &baud, 1), FW_FINE);
	assert_int_equal(fw_server_baud(&rig->server), 115200); /* the answer was still so */
	fw_server_poll(&rig->server, rig->now_us, &bytes);
	assert_int_equal(fw_server_baud(&rig->server), 9600);
	assert_int_equal(server_rig_word(rig, 0x0280), 96);
	/* nobody is understood: the other rate, and back */
	server_rig_run(rig, 31000);
	assert_int_equal(fw_server_baud(&rig->server), 115200);
	server_rig_run(rig, 30000);
	assert_int_equal(fw_server_baud(&rig->server), 9600);
	for (int i = 0; i < 8; i++) {
		server_rig_run(rig, 10000);
		assert_int_equal(server_rig_word(rig, 0x0280), 96);
	}
	free(rig);
}

/* --- commands --- */

static void commands_need_levels_and_happen_once(void **state)
{
	struct server_rig *rig = new_rig();
	const struct fw_pack *pack = &rig->pack.pack;

	(void)state;
	/* charge off: not without a level, and then the same number works */
	assert_int_equal(command(rig, UNIT, 1, 7, 0x00010000), FW_LOCKED);
	assert_int_equal(server_rig_word(rig, 0x0825), FW_RESULT_LEVEL);
	server_rig_run(rig, 500);
	assert_true(pack->outputs.charge_mos);
	server_rig_login(rig, "888888");
	assert_int_equal(command(rig, UNIT, 1, 7, 0x00010000), FW_FINE);
	assert_int_equal(server_rig_word(rig, 0x0825), FW_RESULT_OK);
	assert_int_equal(server_rig_word(rig, 0x0824), 7);
	server_rig_run(rig, 500);
	assert_false(pack->outputs.charge_mos);
	assert_int_equal(server_rig_word(rig, 0x0109), FW_OFF_COMMAND);
	/* automatic again; the old command once more is answered, not repeated */
	assert_int_equal(command(rig, UNIT, 3, 8, 0), FW_FINE);
	assert_int_equal(command(rig, UNIT, 3, 8, 0), FW_FINE);
	server_rig_run(rig, 3000);
	assert_true(pack->outputs.charge_mos);
	assert_int_equal(command(rig, UNIT, 0x99, 9, 0), FW_FINE);
	assert_int_equal(server_rig_word(rig, 0x0825), FW_RESULT_UNSUPPORTED);
	assert_int_equal(command(rig, UNIT, 0x10, 10, 1), FW_FINE); /* without its magic */
	assert_int_equal(server_rig_word(rig, 0x0825), FW_RESULT_ARGUMENT);
	assert_int_equal(command(rig, UNIT, 0x23, 11, 5000), FW_LOCKED);
	assert_int_equal(command(rig, UNIT, 0x24, 12, 200000000), FW_FINE);
	assert_int_equal(fw_server_time_s(&rig->server, rig->now_us / 1000), 200000000);
	free(rig);
}

static void a_repeated_command_is_not_obeyed_again(void **state)
{
	struct server_rig *rig = new_rig();

	(void)state;
	server_rig_login(rig, "inst0001");
	assert_int_equal(command(rig, UNIT, 0x23, 1, 7000), FW_FINE);
	assert_int_equal(rig->pack.pack.soc_cpct, 7000);
	assert_int_equal(command(rig, UNIT, 0x23, 2, 3000), FW_FINE);
	assert_int_equal(command(rig, UNIT, 0x23, 2, 3000), FW_FINE);
	assert_int_equal(rig->pack.pack.soc_cpct, 3000);
	rig->pack.in.current_ma = 50000;
	server_rig_run(rig, 60000);
	assert_true(rig->pack.pack.soc_cpct > 3050);
	assert_int_equal(command(rig, UNIT, 0x23, 2, 3000), FW_FINE);
	assert_true(rig->pack.pack.soc_cpct > 3050);
	/* the same number with something else in it is something else */
	assert_int_equal(command(rig, UNIT, 0x23, 2, 4000), FW_FINE);
	assert_int_equal(rig->pack.pack.soc_cpct, 4000);
	free(rig);
}

static void safe_stop_needs_nobody(void **state)
{
	for (uint8_t unit = 0; unit <= UNIT; unit += UNIT) {
		struct server_rig *rig = new_rig();
		int result = command(rig, unit, 2, 0x0102, 0);

		(void)state;
		assert_int_equal(result, unit ? FW_FINE : -1);
		server_rig_run(rig, 500);
		assert_false(rig->pack.pack.outputs.charge_mos);
		assert_false(rig->pack.pack.outputs.discharge_mos);
		/* nothing without a level ends it */
		assert_int_equal(command(rig, UNIT, 3, 1, 0), FW_LOCKED);
		assert_int_equal(command(rig, UNIT, 1, 2, 0x00030003), FW_LOCKED);
		server_rig_run(rig, 60000);
		assert_false(rig->pack.pack.outputs.charge_mos);
		server_rig_login(rig, "888888");
		assert_int_equal(command(rig, UNIT, 3, 3, 0), FW_FINE);
		server_rig_run(rig, 5000);
		assert_true(rig->pack.pack.outputs.charge_mos);
		free(rig);
	}
}

/* --- authorization over the bus --- */

static void passwords_are_changed_and_never_read(void **state)
{
	static const uint16_t mine[] = {0x6D69, 0x6E65, 0x3432, 0}; /* "mine42" */
	static const uint16_t small[] = {0x6D69, 0x6E00, 0, 0},
			      holes[] = {0x6D69, 0x6E65, 0, 0x3432};
	struct server_rig *rig = new_rig();

	(void)state;
	assert_true(rig->pack.pack.warnings & FW_BIT(FW_DEFAULT_PASSWORD));
	assert_int_equal(server_rig_write(rig, UNIT, 0x080D, mine, 4), FW_LOCKED);
	assert_int_equal(server_rig_login(rig, "wrong"), FW_LOCKED);
	assert_int_equal(server_rig_word(rig, 0x0805), 1);
	assert_int_equal(server_rig_login(rig, "888888"), FW_FINE);
	assert_int_equal(server_rig_write(rig, UNIT, 0x080D, small, 4), FW_ILLEGAL_VALUE);
	assert_int_equal(server_rig_write(rig, UNIT, 0x080D, holes, 4), FW_ILLEGAL_VALUE);
	assert_int_equal(server_rig_write(rig, UNIT, 0x080D, mine, 4), FW_FINE);
	server_rig_run(rig, 3000);
	assert_false(rig->pack.pack.warnings & FW_BIT(FW_DEFAULT_PASSWORD));
	server_rig_start(rig);
	server_rig_run(rig, 5000);
	assert_int_equal(server_rig_login(rig, "888888"), FW_LOCKED);
	assert_int_equal(server_rig_login(rig, "mine42"), FW_FINE);
	server_rig_read(rig, UNIT, 0x0800, 80);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(word(rig, i), 0);
		assert_int_equal(word(rig, 0x0D + i), 0);
	}
	free(rig);
}

static void factory_comes_by_response(void **state)
{
	struct server_rig *rig = new_rig();
	uint8_t nonce[4], response[8];
	uint16_t words[5];

	(void)state;
	server_rig_read(rig, UNIT, 0x0806, 2);
	memcpy(nonce, rig->answer + 3, 4);
	fw_auth_answer(server_rig_secrets.key, FW_AUTH_KEY, nonce, 0x12345678, FW_LEVEL_FACTORY,
		       response);
	for (int i = 0; i < 4; i++)
		words[i] = fw_get_u16be(response + 2 * i);
	words[4] = FW_LEVEL_FACTORY;
	assert_int_equal(server_rig_write(rig, UNIT, 0x0808, words, 5), FW_FINE);
	assert_int_equal(server_rig_word(rig, 0x0804), FW_LEVEL_FACTORY);
	assert_int_equal(server_rig_write(rig, UNIT, 0x0808, words, 5), FW_LOCKED);
	free(rig);
}

/* --- SYNC --- */

static const uint8_t sync_request[] = {0x00, 0x10, 0x08, 0x40, 0x00, 0x07, 0x0E, 0x00,
				       0x01, 0x0C, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00,
				       0x10, 0x14, 0xCD, 0xFF, 0xF3, 0x97, 0xE3};

static void sync_freezes_one_moment(void **state)
{
	struct server_rig *rig = new_rig();
	int samples;

	(void)state;
	assert_int_equal(server_rig_say(rig, sync_request, sizeof sync_request), 0);
	assert_int_equal(rig->pack.pack.master.sync.bank_mv, 53250);
	assert_int_equal(rig->pack.pack.master.sync.bank_ma, -1300);
	assert_int_equal(rig->pack.pack.master.sync.packs, 16);
	samples = server_rig_word(rig, 0x0100);
	rig->pack.in.current_ma = 5000;
	server_rig_run(rig, 2800);
	assert_int_equal(server_rig_word(rig, 0x0100), samples);
	assert_int_equal(server_rig_word(rig, 0x010D), 0);
	assert_int_equal(server_rig_word(rig, 0x018D), (uint16_t)0x0C000000); /* time, too */
	server_rig_run(rig, 300);
	assert_int_equal(server_rig_word(rig, 0x0100), rig->pack.pack.samples);
	assert_int_equal(server_rig_word(rig, 0x010D), 5000);
	assert_true(server_rig_word(rig, 0x018D) >= 3);
	/* at once, without waiting for the silence behind the frame */
	fw_server_hear(&rig->server, sync_request, sizeof sync_request, rig->now_us);
	assert_int_equal(rig->server.latch_ms, rig->now_us / 1000);
	free(rig);
}

/* --- the log --- */

static void the_log_is_read_through_its_window(void **state)
{
	/* write the pointer and read the window at once */
	uint8_t request[15] = {UNIT, 0x17, 0x0A, 0x06, 0, 122, 0x0A, 0x04, 0, 2, 4};
	struct server_rig *rig = new_rig();
	uint32_t newest, wanted = 1, seen = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		fw_event_put(&rig->pack.pack.events, FW_SOURCE_KEY, 0x02C4, i, -i);
		server_rig_run(rig, 100);
	}
	server_rig_run(rig, 2000);
	server_rig_read(rig, UNIT, 0x0A00, 6);
	assert_int_equal(word2(rig, 0), 1);
	newest = word2(rig, 2);
	assert_true(newest >= 41);
	assert_int_equal(server_rig_word(rig, 0x0127), newest);
	while (wanted <= newest) {
		fw_put_u32be(request + 11, wanted);
		assert_int_equal(server_rig_ask(rig, request, 15), 5 + 244);
		assert_true(word(rig, 0) >= 1 && word(rig, 0) <= 14);
		for (int n = 0; n < word(rig, 0); n++) {
			assert_int_equal(word2(rig, 10 + 8 * n), wanted + (uint32_t)n);
			seen += word(rig, 10 + 8 * n + 4) == 0x02C4 &&
				word(rig, 10 + 8 * n + 5) == FW_SOURCE_KEY;
		}
		wanted += word(rig, 0);
	}
	assert_int_equal(seen, 40);
	/* beyond the end there is nothing; a restart loses nothing */
	fw_put_u32be(request + 11, newest + 1);
	server_rig_ask(rig, request, 15);
	assert_int_equal(word(rig, 0), 0);
	server_rig_start(rig);
	server_rig_read(rig, UNIT, 0x0A00, 4);
	assert_int_equal(word2(rig, 2), newest);
	free(rig);
}

static void values_are_recorded_now_and_then(void **state)
{
	struct server_rig *rig = new_rig();
	uint8_t record[FW_LOG_RECORD];
	uint32_t number, seen = 0;

	(void)state;
	rig->pack.pack.parameters.record_period_s = 60;
	rig->pack.in.current_ma = -12345;
	server_rig_run(rig, 300000);
	for (number = fw_log_read(&rig->server.log, 0, record); number;
	     number = fw_log_read(&rig->server.log, number + 1, record)) {
		if (fw_get_u16be(record + 8) != FW_EVENT_RECORD)
			continue;
		seen++;
		assert_int_equal(fw_get_u16be(record + 12), 5280);
		assert_int_equal((int16_t)fw_get_u16be(record + 14), -123);
	}
	assert_int_equal(seen, 5);
	free(rig);
}

static void a_protection_leaves_a_snapshot(void **state)
{
	struct server_rig *rig = new_rig();

	(void)state;
	rig_cells(&rig->pack, 3650);
	rig->pack.in.cells_mv[3] = 3710;
	server_rig_run(rig, 5000);
	assert_true(rig->pack.pack.protections & FW_BIT(FW_CELL_OV));
	assert_int_equal(server_rig_read(rig, UNIT, 0x0B00, 7), 19);
	assert_true(word2(rig, 2) >= 1);
	assert_int_equal(word(rig, 6), 1);
	assert_int_equal(server_rig_read(rig, UNIT, 0x0B10, 72), 149);
	assert_int_equal(word2(rig, 0), 1);
	assert_int_equal(word(rig, 4), FW_EVENT_PROTECTED + FW_CELL_OV);
	assert_true(word2(rig, 5 + 4) & FW_BIT(FW_CELL_OV)); /* 0104 of the live block */
	assert_int_equal(word(rig, 5 + 40 + 3), 3710);
	assert_int_equal(word(rig, 71), fw_modbus_crc(rig->answer + 3, 142));
	free(rig);
}

/* --- what flash loses --- */

static void a_broken_parameter_memory_is_told(void **state)
{
	struct server_rig *rig = new_rig();
	const uint16_t limit = 900;

	(void)state;
	for (int i = 0; i < 2; i++) {
		const uint16_t other = (uint16_t)(limit + i);

		server_rig_login(rig, "888888");
		server_rig_write(rig, UNIT, 0x022E, &other, 1);
		server_rig_run(rig, 3000);
	}
	rig->flash.bytes[FW_AREA_PARAMETERS][40] ^= 1;
	rig->flash.bytes[FW_AREA_PARAMETERS][SERVER_RIG_PAGE + 40] ^= 1;
	server_rig_start(rig);
	server_rig_run(rig, 500);
	assert_true(rig->pack.pack.faults & FW_BIT(FW_FAULT_PARAMETER_MEMORY));
	assert_int_equal(rig->pack.pack.parameters.charge_limit_dA, 1000);
	free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(live_values_are_read),
		cmocka_unit_test(identity_is_read),
		cmocka_unit_test(what_is_not_there_is_refused),
		cmocka_unit_test(reads_cross_blocks),
		cmocka_unit_test(answers_come_after_the_silence),
		cmocka_unit_test(bytes_may_trickle_in),
		cmocka_unit_test(noise_before_and_behind),
		cmocka_unit_test(noise_does_not_move_what_is_written),
		cmocka_unit_test(others_are_not_interrupted),
		cmocka_unit_test(parameters_need_a_level),
		cmocka_unit_test(parameters_are_checked_as_a_whole),
		cmocka_unit_test(baud_rates_change_behind_the_answer),
		cmocka_unit_test(commands_need_levels_and_happen_once),
		cmocka_unit_test(a_repeated_command_is_not_obeyed_again),
		cmocka_unit_test(safe_stop_needs_nobody),
		cmocka_unit_test(passwords_are_changed_and_never_read),
		cmocka_unit_test(factory_comes_by_response),
		cmocka_unit_test(sync_freezes_one_moment),
		cmocka_unit_test(the_log_is_read_through_its_window),
		cmocka_unit_test(values_are_recorded_now_and_then),
		cmocka_unit_test(a_protection_leaves_a_snapshot),
		cmocka_unit_test(a_broken_parameter_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
