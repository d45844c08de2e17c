// SPDX-License-Identifier: Apache-2.0
/* The lines of the packs: bytes, the packs that hear and say them, and the gateway's poller at the
 * other end. Before anything decides, everything that has passed on the wire by then is handed out.
 */
#include <stdlib.h>

#include "world_state.h"

static int pack_of(const struct world_line *line, int station)
{
	return line->first_pack + station;
}

/* --- what happens to answers --- */

static const struct fault_answers *answers_of(const struct world_line *line, int station)
{
	return &line->world->effects.packs[pack_of(line, station)].answers;
}

static bool is_foreign(void *context, int station)
{
	struct world_line *line = context;

	return fault_is_foreign(answers_of(line, station), &line->world->random);
}

static int spoil(void *context, int station, uint8_t *bytes, size_t *count)
{
	struct world_line *line = context;

	return fault_spoil(answers_of(line, station), &line->world->random, bytes, count);
}

/* --- building --- */

static void build_jk(struct world *world, struct world_line *line, uint64_t seed)
{
	jk_bus_init(&line->jk, world->pack_wire, world->scenario.baud, seed);
	line->jk.spoiler = &line->spoiler;
	line->wire = &line->jk.line;
	for (int i = 0; i < line->pack_count; i++)
		jk_bus_add(&line->jk, &world->plant.packs[line->first_pack + i], i + 1);
	line->parties[line->party_count++] = jk_bus_party(&line->jk);
}

static int build_firmware(struct world *world, struct world_line *line, uint64_t seed)
{
	line->firmware = calloc(1, sizeof *line->firmware);
	if (!line->firmware)
		return ERR_SPACE;
	firmware_bus_init(line->firmware, &world->plant, world->scenario.baud, seed);
	line->firmware->step_ms = WORLD_FIRMWARE_STEP_MS;
	line->firmware->spoiler = &line->spoiler;
	line->wire = &line->firmware->line;
	for (int i = 0; i < line->pack_count; i++) {
		const int index = line->first_pack + i;
		const struct scenario_pack *pack = &world->scenario.packs[index];
		const struct pack_settings *settings = &world->plant.packs[index].bms.settings;
		const struct sim_firmware_make make = {
			.number = index + 1,
			.switches = (uint8_t)(i + 1),
			.baud = world->scenario.baud,
			.charge_ma = pack->charge_ma,
			.discharge_ma = pack->discharge_ma,
			.cold_mC = settings->charge_undertemperature_mC,
			.cold_release_mC = settings->charge_undertemperature_release_mC,
			.seed = seed * 100 + (uint64_t)i};

		if (firmware_bus_add(line->firmware, &world->plant.packs[index], &make) < 0)
			return ERR_SPACE;
	}
	line->parties[line->party_count++] = firmware_bus_party(line->firmware);
	return 0;
}

static int build_line(struct world *world, int number, int first_pack, int pack_count)
{
	struct world_line *line = &world->lines[number];
	const uint64_t seed = world->scenario.seed + 100 + (uint64_t)number;

	line->world = world;
	line->number = number;
	line->first_pack = first_pack;
	line->pack_count = pack_count;
	line->spoiler = (struct jk_spoiler){line, is_foreign, spoil};
	if (scenario_has_firmware(&world->scenario))
		return build_firmware(world, line, seed);
	build_jk(world, line, seed);
	return 0;
}

int world_lines_build(struct world *world)
{
	int left = world->scenario.pack_count, first = 0;

	for (int i = 0; i < world->line_count; i++) {
		int count = left / (world->line_count - i);

		if (build_line(world, i, first, count) < 0)
			return ERR_SPACE;
		first += count;
		left -= count;
	}
	return 0;
}

void world_lines_free(struct world *world)
{
	for (int i = 0; world->lines && i < world->line_count; i++) {
		if (world->lines[i].firmware)
			firmware_bus_close(world->lines[i].firmware);
		free(world->lines[i].firmware);
	}
	free(world->lines);
}

/* The switches of a pack: its own address, or that of the pack it is mistaken for. */
static int address_of(const struct world_line *line, int station)
{
	const int other = answers_of(line, station)->as_pack - 1 - line->first_pack;

	return other >= 0 && other < line->pack_count ? other + 1 : station + 1;
}

static void drive_jk(struct world_line *line)
{
	for (int n = 0; n < line->pack_count; n++) {
		line->jk.stations[n].late_ms = answers_of(line, n)->late_ms;
		line->jk.stations[n].address = address_of(line, n);
	}
}

static void drive_firmware(struct world_line *line)
{
	for (int n = 0; n < line->pack_count; n++) {
		struct firmware_station *station = &line->firmware->stations[n];
		const struct fault_pack *pack = &line->world->effects.packs[pack_of(line, n)];
		const int address = address_of(line, n);

		station->late_ms = pack->answers.late_ms;
		station->firmware.fault_heat_w = pack->heat_w;
		if (station->firmware.afe.dip != address)
			sim_firmware_set_switches(&station->firmware, (uint8_t)address);
	}
}

void world_lines_drive(struct world *world)
{
	const struct fault_effects *effects = &world->effects;

	for (int i = 0; i < world->line_count; i++) {
		struct world_line *line = &world->lines[i];
		bool *foreign_master =
			line->firmware ? &line->firmware->foreign_master : &line->jk.foreign_master;

		line->wire->noise_ppm = effects->noise_ppm;
		line->wire->drop_ppm = effects->drop_ppm;
		if (*foreign_master != effects->second_master)
			line->due_ns = line->tick_ns = world->now_ns;
		*foreign_master = effects->second_master;
		if (line->firmware)
			drive_firmware(line);
		else
			drive_jk(line);
	}
}

/* --- time --- */

static void heard(void *context, int talker, int64_t end_ns, const uint8_t *bytes, size_t count)
{
	struct world_line *line = context;
	struct world_gateway *gateway = &line->world->gateway;

	if (gateway->running && talker != JK_BUS_TTY)
		poller_hear(&gateway->pollers[line->number], bytes, count, end_ns / NS_PER_US);
	line->tick_ns = line->world->now_ns; /* who heard something may want to answer */
	for (int i = 0; i < line->party_count; i++)
		line->parties[i].hear(line->parties[i].self, talker, end_ns, bytes, count);
}

/* A question, or a time-out; returns when to come again. */
static int64_t poll(struct world_line *line, int64_t now_ns)
{
	struct world *world = line->world;
	struct poller *poller = &world->gateway.pollers[line->number];
	int64_t now_us = now_ns / NS_PER_US;
	int64_t due_us = poller_due_us(poller, now_us);

	while (due_us <= now_us) {
		size_t count = poller_turn(poller, now_us);

		if (count > 0) {
			world->figures.polls++;
			line_send(line->wire, JK_BUS_TTY, now_ns, poller->request, count);
		}
		due_us = poller_due_us(poller, now_us);
	}
	return due_us * NS_PER_US;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void world_line_live(struct world *world, struct world_line *line)
{
	int64_t now_ns = world->now_ns;

	line_run(line->wire, now_ns, heard, line);
	if (now_ns >= line->tick_ns) {
		line->tick_ns = WORLD_NEVER;
		for (int i = 0; i < line->party_count; i++) {
			struct line_party *party = &line->parties[i];

			line->tick_ns = earlier(line->tick_ns, party->tick(party->self, now_ns));
		}
	}
	line->due_ns = line->tick_ns;
	if (world->gateway.running)
		line->due_ns = earlier(line->due_ns, poll(line, now_ns));
	line->due_ns = earlier(line->due_ns, line_quiet_ns(line->wire));
}
