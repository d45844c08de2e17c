// SPDX-License-Identifier: Apache-2.0
/* Commands to a rack of emulated packs, and the truth about it. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "emulated_rack.h"
#include "onepack/clock.h"

#define MAX_WORDS 5

static const char help[] =
	"status | current A | reset N | cut N [SECONDS] | on N | short N 0/1 | heat N CELSIUS | "
	"cell N C VOLTS-OFF | soc N PERCENT | charger N 0/1 | freeze N 0/1 | sensor N S 0/1 | "
	"wire N C 0/1 | dip N ADDRESS | noise PPM | drop PPM | help";

static double number(const char *word)
{
	return word ? strtod(word, NULL) : 0;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* In ms, of the newest answers. */
static json_t *turnaround(const struct emulated_rack *rack)
{
	int64_t sorted[RACK_TIMINGS];
	size_t count = rack->answers < RACK_TIMINGS ? rack->answers : RACK_TIMINGS;

	memcpy(sorted, rack->turnarounds_ns, sizeof sorted);
	qsort(sorted, count, sizeof sorted[0], compare);
	if (count == 0)
		return json_null();

	const int64_t median_ns = sorted[count / 2], p99_ns = sorted[count * 99 / 100];

	return json_pack("{s:f, s:f, s:f, s:f}", "min", (double)sorted[0] / 1e6, "median",
			 (double)median_ns / 1e6, "p99", (double)p99_ns / 1e6, "max",
			 (double)sorted[count - 1] / 1e6);
}

static json_t *pack_status(const struct emulated_rack *rack, int i)
{
	const struct sim_pack *pack = &rack->plant.packs[i];
	const struct emulated_pack *e = &rack->packs[i];
	json_t *cells = json_array();

	for (int k = 0; k < pack->cell_count; k++)
		json_array_append_new(cells, json_real(pack->cells_v[k]));
	return json_pack("{s:i, s:b, s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:b, s:b, s:b, s:b, s:i, "
			 "s:i, s:o}",
			 "address", e->afe.dip, "running", e->emulator.pid != 0, "starts",
			 (int)e->emulator.starts, "resets", (int)e->resets, "voltage_v",
			 pack->voltage_v, "current_a", pack->current_a, "soc_pct",
			 100 * sim_pack_soc(pack), "temperature_c", pack->cell_c,
			 "mos_temperature_c", pack->mos_c, "charge_mos", pack->bms.charge_mos,
			 "discharge_mos", pack->bms.discharge_mos, "latched", e->afe.latched,
			 "obeyed", e->afe.obeyed, "leds", (int)e->afe.outputs.leds, "link_errors",
			 (int)e->reader.errors, "cells_v", cells);
}

static void tell_status(const struct emulated_rack *rack, char *answer, size_t size)
{
	json_t *packs = json_array(), *root;
	char *text;

	for (int i = 0; i < rack->pack_count; i++)
		json_array_append_new(packs, pack_status(rack, i));
	root = json_pack("{s:f, s:f, s:f, s:I, s:I, s:I, s:o, s:o}", "time_s", rack->plant.time_s,
			 "bus_v", rack->plant.bus_v, "bus_a", rack->plant.bus_a, "bytes",
			 (json_int_t)rack->line.bytes, "garbled", (json_int_t)rack->line.garbled,
			 "answers", (json_int_t)rack->answers, "turnaround_ms", turnaround(rack),
			 "packs", packs);
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	snprintf(answer, size, "%s", text ? text : "error: out of memory");
	free(text);
	json_decref(root);
}

static bool set_rack(struct emulated_rack *rack, char *const words[MAX_WORDS])
{
	if (strcmp(words[0], "current") == 0)
		rack->demand.current_a = number(words[1]);
	else if (strcmp(words[0], "noise") == 0)
		rack->line.noise_ppm = (uint32_t)number(words[1]);
	else if (strcmp(words[0], "drop") == 0)
		rack->line.drop_ppm = (uint32_t)number(words[1]);
	else
		return false;
	return true;
}

static uint32_t with_bit(uint32_t bits, double bit, double on)
{
	uint32_t mask = UINT32_C(1) << ((unsigned)bit & 31u);

	return on > 0 ? bits | mask : bits & ~mask;
}

/* The power of a pack. */
static bool set_power(struct emulated_pack *pack, char *const words[MAX_WORDS])
{
	int64_t now_ns = clock_monotonic_us() * 1000;
	bool cut = strcmp(words[0], "cut") == 0;

	if (cut || strcmp(words[0], "reset") == 0) {
		emulator_kill(&pack->emulator);
		pack->restart_ns =
			cut && !words[2] ? LINE_NEVER : now_ns + (int64_t)(number(words[2]) * 1e9);
	} else if (strcmp(words[0], "on") == 0) {
		pack->restart_ns = pack->emulator.pid ? LINE_NEVER : now_ns;
	} else {
		return false;
	}
	return true;
}

/* Commands about pack N, which is words[1]. */
static bool set_pack(struct emulated_rack *rack, int i, char *const words[MAX_WORDS])
{
	struct sim_afe *afe = &rack->packs[i].afe;
	struct sim_pack *pack = &rack->plant.packs[i];
	double value = number(words[2]), more = number(words[3]);

	if (strcmp(words[0], "short") == 0) {
		afe->shorted = value > 0;
	} else if (strcmp(words[0], "heat") == 0) {
		pack->cell_c = value;
		pack->heat_held = true;
	} else if (strcmp(words[0], "cell") == 0 && value >= 1 && value <= pack->cell_count) {
		pack->cells[(int)value - 1].shift_v = more;
	} else if (strcmp(words[0], "soc") == 0) {
		for (int k = 0; k < pack->cell_count; k++)
			pack->cells[k].soc = value / 100;
	} else if (strcmp(words[0], "charger") == 0) {
		afe->charger = value > 0;
	} else if (strcmp(words[0], "freeze") == 0) {
		afe->frozen = value > 0;
	} else if (strcmp(words[0], "sensor") == 0) {
		afe->broken_sensors = with_bit(afe->broken_sensors, value, more);
	} else if (strcmp(words[0], "wire") == 0 && value >= 1) {
		afe->broken_wires = with_bit(afe->broken_wires, value - 1, more);
	} else if (strcmp(words[0], "dip") == 0) {
		afe->dip = (uint8_t)value;
	} else {
		return set_power(&rack->packs[i], words);
	}
	return true;
}

void emulated_rack_command(struct emulated_rack *rack, const char *command, char *answer,
			   size_t size)
{
	char text[256], *rest = text, *words[MAX_WORDS + 1] = {NULL};
	int count = 0, pack;

	snprintf(text, sizeof text, "%s", command);
	while (count < MAX_WORDS && (words[count] = strtok_r(rest, " ", &rest)))
		count++;
	pack = words[0] && words[1] ? atoi(words[1]) : 0;
	snprintf(answer, size, "ok");
	if (!words[0] || strcmp(words[0], "help") == 0)
		snprintf(answer, size, "%s", help);
	else if (strcmp(words[0], "status") == 0)
		tell_status(rack, answer, size);
	else if (!set_rack(rack, words) &&
		 !(pack >= 1 && pack <= rack->pack_count && set_pack(rack, pack - 1, words)))
		snprintf(answer, size, "error: not understood; help says what there is");
}
