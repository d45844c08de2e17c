// SPDX-License-Identifier: Apache-2.0
/* The firmware against the frozen frames of the parallel protocol, tests/vectors/pack/onepack.txt
 * and onepack-registers.txt. The gateway's codec runs the first of the two as well
 * (tests/unit/wire/test_serial_vectors.c, where the format is explained); lines that only this test
 * reads are comments there: `# pack NAME` is the pack that is asked.
 *
 * A `hear` or `ask` with the address of the pack must be answered with exactly the bytes of the
 * next `hear` or `answer`; `-` is silence. The pack stands still: every value is set here, so that
 * no change of the core's rules moves a byte. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server_rig.h"

#define LINE 4000

/* --- the packs --- */

static void pack_at_rest(struct fw_pack *pack)
{
	pack->samples = 4242;
	pack->state = FW_STATE_STANDBY;
	pack->warnings = FW_BIT(FW_DEFAULT_PASSWORD);
	pack->protections = pack->faults = 0;
	pack->outputs = (struct fw_outputs){.charge_mos = true, .discharge_mos = true};
	pack->charge_off = pack->discharge_off = 0;
	for (int i = 0; i < FW_MAX_CELLS; i++) {
		pack->measured.cells_mv[i] = i < 16 ? 3290 + i : FW_UNKNOWN;
		pack->measured.wire_dmohm[i] = i < 16 ? 300 + i : FW_UNKNOWN;
	}
	for (int i = 0; i < FW_SENSORS; i++)
		pack->measured.temperatures_dC[i] = 210 + i;
	pack->measured.terminal_mv = 52750;
	pack->measured.current_ma = 0;
	pack->measured.heater_ma = pack->measured.balance_ma = FW_UNKNOWN;
	pack->measured.inputs = FW_INPUT_KEY;
	pack->values = (struct fw_values){.pack_mv = 52760,
					  .cell_max_mv = 3305,
					  .cell_min_mv = 3290,
					  .cell_mean_mv = 3298,
					  .cell_max = 15,
					  .cell_min = 0,
					  .cell_max_dC = 213,
					  .cell_min_dC = 210,
					  .mos_max_dC = 216,
					  .ambient_dC = 214,
					  .board_dC = 217,
					  .wire_max_dmohm = 315};
	pack->charge_allowed_ma = 100000;
	pack->discharge_allowed_ma = 100000;
	pack->charge_limit_mv = 56800;
	pack->discharge_limit_mv = 42400;
	pack->soc_cpct = 6543;
	pack->soh_pm = 987;
	pack->release_s = pack->emergency_s = 0;
	pack->sleep_s = UINT32_MAX;
	pack->counters = (struct fw_counters){.remaining_mah = 64580,
					      .full_mah = 98700,
					      .cycle_mah = 12345,
					      .cycles = 321,
					      .charged_ah = 40000,
					      .discharged_ah = 39000,
					      .run_s = 12345678,
					      .starts = 17};
}

static void pack_charging(struct fw_pack *pack)
{
	pack_at_rest(pack);
	pack->state = FW_STATE_CHARGING;
	pack->measured.current_ma = 31881;
	pack->measured.balance_ma = 1500;
	pack->outputs.balance_ma = 1500;
	pack->outputs.balance_cells = 1 << 15;
	pack->outputs.heater = true;
	pack->measured.heater_ma = 2500;
	pack->measured.inputs |= FW_INPUT_CHARGER | FW_INPUT_ENABLE;
	pack->warnings |= FW_BIT(FW_CELL_OV) | FW_BIT(FW_CELL_DIFFERENCE);
	pack->charge_allowed_ma = 20049;
	pack->charge_limit_mv = 56809;
	pack->discharge_limit_mv = 42401;
}

/* Cold, empty, protected, and blind in places. */
static void pack_in_trouble(struct fw_pack *pack)
{
	pack_at_rest(pack);
	pack->state = FW_STATE_PROTECTED;
	pack->warnings = FW_BIT(FW_CELL_UV) | FW_BIT(FW_SOC_LOW) | FW_BIT(FW_ADDRESS_CONFLICT);
	pack->protections = FW_BIT(FW_CELL_UV) | FW_BIT(FW_DISCHARGE_OC2) | FW_BIT(FW_DISCHARGE_UT);
	pack->faults = FW_BIT(FW_FAULT_TEMPERATURE_SENSOR) | FW_BIT(FW_FAULT_CELL_WIRE);
	pack->outputs.charge_mos = pack->outputs.discharge_mos = false;
	pack->charge_off = FW_OFF_FAULT;
	pack->discharge_off = FW_OFF_PROTECTION | FW_OFF_FAULT;
	pack->measured.cells_mv[3] = FW_UNKNOWN;
	pack->measured.cells_mv[7] = 2480;
	pack->measured.temperatures_dC[FW_SENSOR_CELL_1] = -215;
	pack->measured.temperatures_dC[FW_SENSOR_CELL_3] = FW_UNKNOWN;
	pack->measured.terminal_mv = FW_UNKNOWN;
	pack->measured.current_ma = -150123;
	pack->values.pack_mv = FW_UNKNOWN;
	pack->values.cell_min_mv = 2480;
	pack->values.cell_min = 7;
	pack->values.cell_min_dC = -215;
	pack->charge_allowed_ma = pack->discharge_allowed_ma = 0;
	pack->soc_cpct = 0;
	pack->release_s = 42;
	pack->emergency_s = 1799;
	pack->counters.remaining_mah = 0;
}

static void set_pack(struct server_rig *rig, const char *name)
{
	struct fw_pack *pack = &rig->pack.pack;

	if (strcmp(name, "at rest") == 0)
		pack_at_rest(pack);
	else if (strcmp(name, "charging") == 0)
		pack_charging(pack);
	else if (strcmp(name, "in trouble") == 0)
		pack_in_trouble(pack);
	else
		fail_msg("which pack is '%s'?", name);
}

/* What the log holds does not depend on how this pack came to be. */
static void set_log(struct server_rig *rig)
{
	static const struct fw_event events[] = {
		{FW_EVENT_START, FW_SOURCE_PACK, FW_BOOT_POWER, 0},
		{FW_EVENT_CELL_OV + 3, FW_SOURCE_PACK, 3652, 0},
		{FW_EVENT_REGISTER_WRITTEN + 2, FW_SOURCE_BUS, 0x022E, 1},
	};
	static const uint8_t live[FW_SNAPSHOT_LIVE + FW_SNAPSHOT_CELLS] = {0x10, 0x92};
	struct fw_server *server = &rig->server;

	memset(rig->flash.bytes[FW_AREA_LOG], 0xFF, sizeof rig->flash.bytes[0]);
	memset(rig->flash.bytes[FW_AREA_SNAPSHOTS], 0xFF, sizeof rig->flash.bytes[0]);
	fw_log_open(&server->log, &rig->flash.flash);
	fw_snapshots_open(&server->snapshots, &rig->flash.flash);
	for (uint32_t i = 0; i < sizeof events / sizeof events[0]; i++)
		fw_log_add(&server->log, 200000000 + i, &events[i]);
	fw_snapshots_add(&server->snapshots, 200000001, FW_EVENT_PROTECTED + FW_CELL_OV, live);
	fw_server_set_time(server, 200000100, rig->now_us / 1000);
}

/* --- the lines --- */

struct run {
	struct server_rig rig;
	char title[LINE];
	bool waiting; /* for the answer that is in the rig */
	int answers;
};

static size_t read_hex(const char *text, uint8_t *out)
{
	size_t count = 0;
	char *end;

	for (;;) {
		const unsigned long value = strtoul(text, &end, 16);

		if (end == text)
			return count;
		assert_true(value <= 0xFF && count < FW_SERVER_OUT);
		out[count++] = (uint8_t)value;
		text = end;
	}
}

static void print_answer(const struct run *run)
{
	print_message("%s: answered", run->title);
	for (size_t i = 0; i < run->rig.count; i++)
		print_message(" %02X", run->rig.answer[i]);
	print_message("\n");
}

static void take_bytes(struct run *run, const char *text)
{
	struct server_rig *rig = &run->rig;
	uint8_t bytes[FW_SERVER_OUT];
	const size_t count = read_hex(text, bytes);

	if (!run->waiting) {
		server_rig_say(rig, bytes, count);
		run->waiting = bytes[0] == SERVER_RIG_ADDRESS || rig->count > 0;
		return;
	}
	run->waiting = false;
	run->answers++;
	if (count != rig->count || memcmp(bytes, rig->answer, count) != 0) {
		print_answer(run);
		fail_msg("%s: wanted %s", run->title, text);
	}
}

static void obey(struct run *run, const char *line)
{
	const char *rest = strchr(line, ' ');

	if (strncmp(line, "# pack ", 7) == 0) {
		set_pack(&run->rig, line + 7);
		return;
	}
	if (line[0] == '#' || !rest)
		return;
	if (strncmp(line, "case ", 5) == 0) {
		server_rig_ready(&run->rig);
		set_pack(&run->rig, "at rest");
		set_log(&run->rig);
		snprintf(run->title, sizeof run->title, "%s", rest + 1);
		run->waiting = false;
	} else if (strncmp(line, "hear ", 5) == 0 || strncmp(line, "ask ", 4) == 0 ||
		   strncmp(line, "answer ", 7) == 0) {
		take_bytes(run, rest + 1);
	}
}

static void run_file(const char *name, int least)
{
	struct run *run = calloc(1, sizeof *run);
	char path[300], line[LINE], whole[2 * LINE] = "";
	FILE *file;

	assert_non_null(run);
	snprintf(path, sizeof path, ONEPACK_SOURCE_DIR "/tests/vectors/pack/%s.txt", name);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == ' ') {
			assert_true(strlen(whole) + strlen(line) < sizeof whole);
			strcat(whole, line);
			continue;
		}
		obey(run, whole);
		strcpy(whole, line);
	}
	obey(run, whole);
	fclose(file);
	assert_true(run->answers >= least);
	free(run);
}

static void frames_that_both_ends_know(void **state)
{
	(void)state;
	run_file("onepack", 8);
}

static void all_blocks_of_registers(void **state)
{
	(void)state;
	run_file("onepack-registers", 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_that_both_ends_know),
		cmocka_unit_test(all_blocks_of_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
