// SPDX-License-Identifier: Apache-2.0
/* The commands of a running simulation: one table, which also is the help. A command is words with
 * spaces between; the answer begins with "ok" or "error: " and says what to do better. */
#include "site.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "onepack/clock.h"

#define MAX_WORDS 5

struct call {
	struct site *site;
	const char *usage;
	int count; /* of words, the command included */
	char *words[MAX_WORDS];
	char *answer;
	size_t size;
};

static void say(const struct call *call, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(const struct call *call, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(call->answer, call->size, format, arguments);
	va_end(arguments);
}

static void ok(const struct call *call)
{
	say(call, "ok");
}

/* --- words to values; false = the answer is written --- */

static bool get_number(const struct call *call, int word, double low, double high, double *out)
{
	const char *text = word < call->count ? call->words[word] : "";
	char *end;
	double value = strtod(text, &end);

	if (*text == '\0' || *end != '\0' || !(value >= low && value <= high)) {
		say(call, "error: '%s' should be a number from %.10g to %.10g; usage: %s", text,
		    low, high, call->usage);
		return false;
	}
	*out = value;
	return true;
}

static bool get_integer(const struct call *call, int word, int low, int high, int *out)
{
	double value;

	if (!get_number(call, word, low, high, &value))
		return false;
	if (value != (int)value) {
		say(call, "error: '%s' should be a whole number", call->words[word]);
		return false;
	}
	*out = (int)value;
	return true;
}

static bool get_pack(const struct call *call, int word, struct sim_pack **out)
{
	int number;

	if (!get_integer(call, word, 1, call->site->plant.pack_count, &number))
		return false;
	*out = &call->site->plant.packs[number - 1];
	return true;
}

static bool get_switch(const struct call *call, int word, bool *out)
{
	const char *text = word < call->count ? call->words[word] : "";

	if (strcmp(text, "on") != 0 && strcmp(text, "off") != 0) {
		say(call, "error: '%s' should be on or off; usage: %s", text, call->usage);
		return false;
	}
	*out = strcmp(text, "on") == 0;
	return true;
}

/* Where a pack is on its line; one of both is NULL, by the kind of the packs. */
struct station {
	struct jk_station *jk;
	struct firmware_station *firmware;
};

static bool get_station(const struct call *call, int word, struct station *out)
{
	struct site *site = call->site;
	struct site_line *on;
	int pack, line, station;

	if (!get_integer(call, word, 1, site->plant.pack_count, &pack))
		return false;
	site_find(site, pack, &line, &station);
	on = &site->lines[line];
	*out = (struct station){0};
	if (site->packs == SITE_JK)
		out->jk = &on->jk.stations[station];
	else
		out->firmware = &on->firmware.stations[station];
	return true;
}

/* The kinds of packs differ in what can be done to them. */
static bool check_kind(const struct call *call, enum site_packs kind)
{
	if (call->site->packs == kind)
		return true;
	say(call, "error: `%s` is for %s (onepack sim rack --packs %s)", call->words[0],
	    kind == SITE_JK ? "JK packs" : "packs with our firmware",
	    kind == SITE_JK ? "jk" : "onepack");
	return false;
}

static bool get_firmware(const struct call *call, int word, struct sim_firmware **out)
{
	struct station station;

	if (!check_kind(call, SITE_ONEPACK) || !get_station(call, word, &station))
		return false;
	*out = &station.firmware->firmware;
	return true;
}

/* The next pack line that a command means (all, or the one that word `word` names), or NULL. */
static struct site_line *next_line(const struct call *call, int word, struct site_line *line)
{
	struct site_line *end = call->site->lines + call->site->line_count;

	for (line = line ? line + 1 : call->site->lines; line < end; line++)
		if (word >= call->count || strcmp(call->words[word], line->name) == 0)
			return line;
	return NULL;
}

static bool check_line(const struct call *call, int word)
{
	if (next_line(call, word, NULL))
		return true;
	say(call, "error: there is no pack line '%s'; `status` lists them", call->words[word]);
	return false;
}

/* --- the commands --- */

static void do_unplug(const struct call *call)
{
	struct sim_pack *pack;

	if (!get_pack(call, 1, &pack))
		return;
	pack->unplugged = true;
	ok(call);
}

static void do_mute(const struct call *call)
{
	struct sim_pack *pack;

	if (!get_pack(call, 1, &pack))
		return;
	pack->muted = true;
	ok(call);
}

static void do_plug(const struct call *call)
{
	struct sim_pack *pack;

	if (!get_pack(call, 1, &pack))
		return;
	pack->unplugged = pack->muted = false;
	ok(call);
}

static void do_load(const struct call *call)
{
	double power_w;

	if (!get_number(call, 1, 0, 1e6, &power_w))
		return;
	call->site->profile.load_w = power_w;
	call->site->profile.fixed_load = true;
	ok(call);
}

static void do_sun(const struct call *call)
{
	double power_w;

	if (!get_number(call, 1, 0, 1e6, &power_w))
		return;
	call->site->profile.sun_w = power_w;
	call->site->profile.fixed_sun = true;
	ok(call);
}

static void do_auto(const struct call *call)
{
	call->site->profile.fixed_sun = call->site->profile.fixed_load = false;
	ok(call);
}

static void do_hot(const struct call *call)
{
	struct sim_pack *pack;
	double celsius;

	if (!get_pack(call, 1, &pack))
		return;
	if (call->count > 2 && strcmp(call->words[2], "off") == 0) {
		pack->heat_held = false;
		pack->cell_c = pack->ambient_c;
		ok(call);
		return;
	}
	if (!get_number(call, 2, -40, 120, &celsius))
		return;
	pack->heat_held = true;
	pack->cell_c = celsius;
	ok(call);
}

static void do_cell(const struct call *call)
{
	struct sim_pack *pack;
	int cell;

	if (get_pack(call, 1, &pack) && get_integer(call, 2, 1, pack->cell_count, &cell) &&
	    get_number(call, 3, -2, 2, &pack->cells[cell - 1].shift_v))
		ok(call);
}

static void do_charge(const struct call *call)
{
	struct sim_pack *pack;
	double soc_pct;

	if (!get_pack(call, 1, &pack) || !get_number(call, 2, 0, 100, &soc_pct))
		return;
	for (int i = 0; i < pack->cell_count; i++)
		pack->cells[i].soc = soc_pct / 100;
	pack->bms.counted_ah = pack->bms.full_ah * soc_pct / 100;
	ok(call);
}

static void do_late(const struct call *call)
{
	struct station station;
	int late_ms;

	if (!get_station(call, 1, &station) || !get_integer(call, 2, 0, 60000, &late_ms))
		return;
	if (station.jk)
		station.jk->late_ms = late_ms;
	else
		station.firmware->late_ms = late_ms;
	ok(call);
}

static void do_address(const struct call *call)
{
	struct station station;
	int address;

	if (!get_station(call, 1, &station) ||
	    !get_integer(call, 2, 0, station.jk ? JK_MAX_ADDRESS : FW_ADDRESS_LAST, &address))
		return;
	if (station.jk)
		station.jk->address = address;
	else
		sim_firmware_set_switches(&station.firmware->firmware, (uint8_t)address);
	ok(call);
}

static void do_noise(const struct call *call)
{
	struct site_line *line = NULL;
	int ppm;

	if (!get_integer(call, 1, 0, 1000000, &ppm) || !check_line(call, 2))
		return;
	while ((line = next_line(call, 2, line)))
		site_line_wire(line)->noise_ppm = (uint32_t)ppm;
	ok(call);
}

static void do_drop(const struct call *call)
{
	struct site_line *line = NULL;
	int ppm;

	if (!get_integer(call, 1, 0, 1000000, &ppm) || !check_line(call, 2))
		return;
	while ((line = next_line(call, 2, line)))
		site_line_wire(line)->drop_ppm = (uint32_t)ppm;
	ok(call);
}

static void do_echo(const struct call *call)
{
	struct site_line *line = NULL;
	bool on;

	if (!get_switch(call, 1, &on) || !check_line(call, 2))
		return;
	while ((line = next_line(call, 2, line)))
		site_line_wire(line)->echo = on;
	ok(call);
}

static void do_long(const struct call *call)
{
	struct site_line *line = NULL;
	bool on;

	if (!check_kind(call, SITE_JK) || !get_switch(call, 1, &on) || !check_line(call, 2))
		return;
	while ((line = next_line(call, 2, line)))
		line->jk.long_form = on;
	ok(call);
}

static void do_master(const struct call *call)
{
	struct site_line *line = NULL;
	bool on;

	if (!get_switch(call, 1, &on) || !check_line(call, 2))
		return;
	while ((line = next_line(call, 2, line)))
		line->jk.foreign_master = line->firmware.foreign_master = on;
	ok(call);
}

/* --- what only packs with our firmware have --- */

static void do_reset(const struct call *call)
{
	struct sim_firmware *firmware;

	if (!get_firmware(call, 1, &firmware))
		return;
	sim_firmware_restart(firmware, FW_BOOT_BUTTON, clock_monotonic_us() * 1000);
	ok(call);
}

static void do_cut(const struct call *call)
{
	struct sim_firmware *firmware;
	int64_t now_ns = clock_monotonic_us() * 1000, back_ns = LINE_NEVER;
	double seconds;

	if (!get_firmware(call, 1, &firmware))
		return;
	if (call->count > 2) {
		if (!get_number(call, 2, 0, 1e6, &seconds))
			return;
		back_ns = now_ns + (int64_t)(seconds * 1e9);
	}
	sim_firmware_cut(firmware, now_ns, back_ns);
	ok(call);
}

static void do_short(const struct call *call)
{
	struct sim_firmware *firmware;

	if (get_firmware(call, 1, &firmware) && get_switch(call, 2, &firmware->afe.shorted))
		ok(call);
}

static void set_bit(uint32_t *bits, uint32_t bit, bool on)
{
	*bits = on ? *bits | bit : *bits & ~bit;
}

static void do_key(const struct call *call)
{
	struct sim_firmware *firmware;
	bool on;

	if (!get_firmware(call, 1, &firmware) || !get_switch(call, 2, &on))
		return;
	set_bit(&firmware->afe.off_inputs, FW_INPUT_KEY, !on);
	ok(call);
}

static void do_emergency(const struct call *call)
{
	struct sim_firmware *firmware;
	bool on;

	if (!get_firmware(call, 1, &firmware) || !get_switch(call, 2, &on))
		return;
	set_bit(&firmware->afe.on_inputs, FW_INPUT_EMERGENCY, on);
	ok(call);
}

static void do_sensor(const struct call *call)
{
	struct sim_firmware *firmware;
	int sensor;
	bool on;

	if (!get_firmware(call, 1, &firmware) || !get_integer(call, 2, 1, FW_SENSORS, &sensor) ||
	    !get_switch(call, 3, &on))
		return;
	set_bit(&firmware->afe.broken_sensors, 1u << (sensor - 1), !on);
	ok(call);
}

static void do_wire(const struct call *call)
{
	struct sim_firmware *firmware;
	int cell;
	bool on;

	if (!get_firmware(call, 1, &firmware) ||
	    !get_integer(call, 2, 1, firmware->body->cell_count, &cell) ||
	    !get_switch(call, 3, &on))
		return;
	set_bit(&firmware->afe.broken_wires, 1u << (cell - 1), !on);
	ok(call);
}

/* --- the rest --- */

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
		ok(call);
		return;
	}
	say(call, "error: '%s' should be cr, z or mute; usage: %s", text, call->usage);
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
	{"reset", "reset PACK", "its processor starts anew; so does one that is off", do_reset},
	{"cut", "cut PACK [SECONDS]", "its supply fails, for so long or until `reset`", do_cut},
	{"short", "short PACK on|off", "a short circuit at its terminals", do_short},
	{"key", "key PACK on|off", "its key switch", do_key},
	{"emergency", "emergency PACK on|off", "its emergency switch, which overrides protections",
	 do_emergency},
	{"sensor", "sensor PACK SENSOR on|off", "temperature sensors: 1-4 cells, 5 air, 6-7 MOS",
	 do_sensor},
	{"wire", "wire PACK CELL on|off", "the wire that measures a cell", do_wire},
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
	say(&call, "error: there is no command '%s'; `help` lists them",
	    call.count > 0 ? call.words[0] : "");
}
