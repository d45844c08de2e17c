// SPDX-License-Identifier: Apache-2.0
/* The lines of the packs: bytes, the packs that hear and say them, and the gateway's poller at the
 * other end. Before anything decides, everything that has passed on the wire by then is handed out.
 */
#include <string.h>

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

static void build_line(struct world *world, int number, int first_pack, int pack_count)
{
	struct world_line *line = &world->lines[number];

	line->world = world;
	line->number = number;
	line->first_pack = first_pack;
	line->spoiler = (struct jk_spoiler){line, is_foreign, spoil};
	jk_bus_init(&line->jk, world->pack_wire, world->scenario.baud,
		    world->scenario.seed + 100 + (uint64_t)number);
	line->jk.spoiler = &line->spoiler;
	for (int i = 0; i < pack_count; i++)
		jk_bus_add(&line->jk, &world->plant.packs[first_pack + i], i + 1);
	line->parties[line->party_count++] = jk_bus_party(&line->jk);
}

void world_lines_build(struct world *world)
{
	int left = world->scenario.pack_count, first = 0;

	for (int i = 0; i < world->line_count; i++) {
		int count = left / (world->line_count - i);

		build_line(world, i, first, count);
		first += count;
		left -= count;
	}
}

void world_lines_drive(struct world *world)
{
	const struct fault_effects *effects = &world->effects;

	for (int i = 0; i < world->line_count; i++) {
		struct jk_bus *jk = &world->lines[i].jk;

		jk->line.noise_ppm = effects->noise_ppm;
		jk->line.drop_ppm = effects->drop_ppm;
		if (jk->foreign_master != effects->second_master)
			world->lines[i].due_ns = world->lines[i].tick_ns = world->now_ns;
		jk->foreign_master = effects->second_master;
		for (int n = 0; n < jk->pack_count; n++) {
			const struct fault_answers *answers = answers_of(&world->lines[i], n);
			int other = answers->as_pack - 1 - world->lines[i].first_pack;

			jk->stations[n].late_ms = answers->late_ms;
			jk->stations[n].address =
				answers->as_pack > 0 && other >= 0 && other < jk->pack_count
					? other + 1
					: n + 1;
		}
	}
}

/* --- time --- */

static void heard(void *context, int talker, int64_t end_ns, const uint8_t *bytes, size_t count)
{
	struct world_line *line = context;
	struct world_gateway *gateway = &line->world->gateway;

	if (gateway->running && talker != JK_BUS_TTY)
		poller_hear(&gateway->pollers[line->number], bytes, count, end_ns / NS_PER_US);
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
			line_send(&line->jk.line, JK_BUS_TTY, now_ns, poller->request, count);
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

	line_run(&line->jk.line, now_ns, heard, line);
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
	line->due_ns = earlier(line->due_ns, line_quiet_ns(&line->jk.line));
}
