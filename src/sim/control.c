// SPDX-License-Identifier: Apache-2.0
/* The commands of a running simulation: one table, which also is the help. A command is words with
 * spaces between; the answer begins with "ok" or "error: " and says what to do better. */
#include "control.h"

#include <string.h>

/* --- the commands --- */

static void do_unplug(const struct call *call)
{
	struct sim_pack *pack;

	if (!call_pack(call, 1, &pack))
		return;
	pack->unplugged = true;
	call_ok(call);
}

static void do_mute(const struct call *call)
{
	struct sim_pack *pack;

	if (!call_pack(call, 1, &pack))
		return;
	pack->muted = true;
	call_ok(call);
}

static void do_plug(const struct call *call)
{
	struct sim_pack *pack;

	if (!call_pack(call, 1, &pack))
		return;
	pack->unplugged = pack->muted = false;
	call_ok(call);
}

static void do_load(const struct call *call)
{
	double power_w;

	if (!call_number(call, 1, 0, 1e6, &power_w))
		return;
	call->site->profile.load_w = power_w;
	call->site->profile.fixed_load = true;
	call_ok(call);
}

static void do_sun(const struct call *call)
{
	double power_w;

	if (!call_number(call, 1, 0, 1e6, &power_w))
		return;
	call->site->profile.sun_w = power_w;
	call->site->profile.fixed_sun = true;
	call_ok(call);
}

static void do_auto(const struct call *call)
{
	call->site->profile.fixed_sun = call->site->profile.fixed_load = false;
	call_ok(call);
}

static void do_hot(const struct call *call)
{
	struct sim_pack *pack;
	double celsius;

	if (!call_pack(call, 1, &pack))
		return;
	if (call->count > 2 && strcmp(call->words[2], "off") == 0) {
		pack->heat_held = false;
		pack->cell_c = pack->ambient_c;
		call_ok(call);
		return;
	}
	if (!call_number(call, 2, -40, 120, &celsius))
		return;
	pack->heat_held = true;
	pack->cell_c = celsius;
	call_ok(call);
}

static void do_cell(const struct call *call)
{
	struct sim_pack *pack;
	int cell;

	if (call_pack(call, 1, &pack) && call_integer(call, 2, 1, pack->cell_count, &cell) &&
	    call_number(call, 3, -2, 2, &pack->cells[cell - 1].shift_v))
		call_ok(call);
}

static void do_charge(const struct call *call)
{
	struct sim_pack *pack;
	double soc_pct;

	if (!call_pack(call, 1, &pack) || !call_number(call, 2, 0, 100, &soc_pct))
		return;
	for (int i = 0; i < pack->cell_count; i++)
		pack->cells[i].soc = soc_pct / 100;
	pack->bms.counted_ah = pack->bms.full_ah * soc_pct / 100;
	call_ok(call);
}

static void do_late(const struct call *call)
{
	struct call_station station;
	int late_ms;

	if (!call_station(call, 1, &station) || !call_integer(call, 2, 0, 60000, &late_ms))
		return;
	if (station.jk)
		station.jk->late_ms = late_ms;
	else
		station.firmware->late_ms = late_ms;
	call_ok(call);
}

static void do_address(const struct call *call)
{
	struct call_station station;
	int address;

	if (!call_station(call, 1, &station) ||
	    !call_integer(call, 2, 0, station.jk ? JK_MAX_ADDRESS : FW_ADDRESS_LAST, &address))
		return;
	if (station.jk)
		station.jk->address = address;
	else
		sim_firmware_set_switches(&station.firmware->firmware, (uint8_t)address);
	call_ok(call);
}

static void do_noise(const struct call *call)
{
	struct site_line *line = NULL;
	int ppm;

	if (!call_integer(call, 1, 0, 1000000, &ppm) || !call_check_line(call, 2))
		return;
	while ((line = call_next_line(call, 2, line)))
		site_line_wire(line)->noise_ppm = (uint32_t)ppm;
	call_ok(call);
}

static void do_drop(const struct call *call)
{
	struct site_line *line = NULL;
	int ppm;

	if (!call_integer(call, 1, 0, 1000000, &ppm) || !call_check_line(call, 2))
		return;
	while ((line = call_next_line(call, 2, line)))
		site_line_wire(line)->drop_ppm = (uint32_t)ppm;
	call_ok(call);
}

static void do_echo(const struct call *call)
{
	struct site_line *line = NULL;
	bool on;

	if (!call_switch(call, 1, &on) || !call_check_line(call, 2))
		return;
	while ((line = call_next_line(call, 2, line)))
		site_line_wire(line)->echo = on;
	call_ok(call);
}

static void do_long(const struct call *call)
{
	struct site_line *line = NULL;
	bool on;

	if (!call_kind(call, SITE_JK) || !call_switch(call, 1, &on) || !call_check_line(call, 2))
		return;
	while ((line = call_next_line(call, 2, line)))
		line->jk.long_form = on;
	call_ok(call);
}

static void do_master(const struct call *call)
{
	struct site_line *line = NULL;
	bool on;

	if (!call_switch(call, 1, &on) || !call_check_line(call, 2))
		return;
	while ((line = call_next_line(call, 2, line)))
		line->jk.foreign_master = line->firmware.foreign_master = on;
	call_ok(call);
}

static void do_slcan(const struct call *call)
{
	static const char *const words[] = {
		[SLCAN_ANSWERS_CR] = "cr", [SLCAN_ANSWERS_Z] = "z", [SLCAN_IS_MUTE] = "mute"};
	const char *text = call->count > 1 ? call->words[1] : "";

	for (int w = 0; w < 3; w++) {
		if (strcmp(text, words[w]) != 0)
			continue;
		for (int i = 0; i < call->site->inverter_count; i++)
			call->site->inverters[i].adapter.answer = (enum slcan_answer)w;
		call_ok(call);
		return;
	}
	call_say(call, "error: '%s' should be cr, z or mute; usage: %s", text, call->usage);
}

static void do_status(const struct call *call)
{
	site_status(call->site, call->answer, call->size);
}

static void do_help(const struct call *call);

static const struct command {
	const char *name, *usage, *help;
	void (*run)(const struct call *call);
} commands[] = {
	{"unplug", "unplug PACK", "pull a pack from the rack: off the DC bus and silent",
	 do_unplug},
	{"mute", "mute PACK", "cut its data cable: silent, but still on the DC bus", do_mute},
	{"plug", "plug PACK", "undo unplug and mute", do_plug},
	{"sun", "sun WATTS", "keep the sun at this power", do_sun},
	{"load", "load WATTS", "keep the load at this power", do_load},
	{"auto", "auto", "let a day pass every eight minutes (the beginning)", do_auto},
	{"hot", "hot PACK CELSIUS|off", "hold the cells of a pack at a temperature", do_hot},
	{"cell", "cell PACK CELL VOLTS", "shift the voltage of one cell; 0 = sound again", do_cell},
	{"charge", "charge PACK PERCENT", "set the charge of a pack", do_charge},
	{"noise", "noise PPM [LINE]", "flip a bit in so many of a million bytes", do_noise},
	{"drop", "drop PPM [LINE]", "lose so many of a million bytes", do_drop},
	{"echo", "echo on|off [LINE]", "the adapter hears itself", do_echo},
	{"long", "long on|off [LINE]", "JK packs answer with 310 instead of 308 bytes", do_long},
	{"late", "late PACK MS", "a pack answers so much later", do_late},
	{"address", "address PACK ADDRESS",
	 "its switches: two may be alike; a JK at 0 is the master", do_address},
	{"master", "master on|off [LINE]", "another master polls the line, too", do_master},
	{"reset", "reset PACK", "its processor starts anew; so does one that is off",
	 call_do_reset},
	{"cut", "cut PACK [SECONDS]", "its supply fails, for so long or until `reset`",
	 call_do_cut},
	{"short", "short PACK on|off", "a short circuit at its terminals", call_do_short},
	{"key", "key PACK on|off", "its key switch", call_do_key},
	{"emergency", "emergency PACK on|off", "its emergency switch, which overrides protections",
	 call_do_emergency},
	{"sensor", "sensor PACK SENSOR on|off", "temperature sensors: 1-4 cells, 5 air, 6-7 MOS",
	 call_do_sensor},
	{"wire", "wire PACK CELL on|off", "the wire that measures a cell", call_do_wire},
	{"slcan", "slcan cr|z|mute", "how the CAN adapters acknowledge", do_slcan},
	{"status", "status", "the truth as JSON on one line", do_status},
	{"help", "help", "this list", do_help},
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

/* The one answer of several lines. */
static void do_help(const struct call *call)
{
	size_t used = 0;

	for (size_t i = 0; i < COMMAND_COUNT && used < call->size; i++)
		used += (size_t)snprintf(call->answer + used, call->size - used, "%s%-22s %s",
					 i > 0 ? "\n" : "", commands[i].usage, commands[i].help);
}

static int split(char *text, char *words[MAX_WORDS])
{
	static const char spaces[] = " \t\r\n";
	char *rest = NULL;
	int count = 0;

	for (char *word = strtok_r(text, spaces, &rest); word && count < MAX_WORDS;
	     word = strtok_r(NULL, spaces, &rest))
		words[count++] = word;
	return count;
}

void site_command(struct site *site, const char *command, char *answer, size_t size)
{
	char text[512];
	struct call call = {.site = site, .answer = answer, .size = size};

	snprintf(text, sizeof text, "%s", command);
	call.count = split(text, call.words);
	for (size_t i = 0; call.count > 0 && i < COMMAND_COUNT; i++) {
		if (strcmp(call.words[0], commands[i].name) != 0)
			continue;
		call.usage = commands[i].usage;
		commands[i].run(&call);
		return;
	}
	call_say(&call, "error: there is no command '%s'; `help` lists them",
		 call.count > 0 ? call.words[0] : "");
}
