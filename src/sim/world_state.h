// SPDX-License-Identifier: Apache-2.0
/* What a world is made of, and the parts of its life. Private to src/sim/world*.c; everybody else
 * sees world.h. Times are virtual: `_ns` on the lines, `_us` in the gateway, `_ms` elsewhere, all
 * from the start of the world. */
#pragma once

#include "fw_bus.h"
#include "inverter/hold.h"
#include "inverter/respond.h"
#include "inverter/talk.h"
#include "inverter_can.h"
#include "inverter_rs485.h"
#include "jk_bus.h"
#include "onepack/fusion.h"
#include "onepack/lease.h"
#include "rack/poller.h"
#include "rack/table.h"
#include "world.h"

#define NS_PER_MS   INT64_C(1000000)
#define NS_PER_US   INT64_C(1000)
#define WORLD_NEVER INT64_MAX

/* --- the site --- */

#define WORLD_LINE_PARTIES 2
/* How often firmware packs measure there; on a board every 100 ms. The plant moves once a second.
 */
#define WORLD_FIRMWARE_STEP_MS 250

/* A line with packs, and who is on it besides the gateway. */
struct world_line {
	struct line *wire; /* of one of these two */
	struct jk_bus jk;
	struct firmware_bus *firmware; /* NULL = JK packs */
	int party_count;
	struct line_party parties[WORLD_LINE_PARTIES];
	struct jk_spoiler spoiler;
	struct world *world;
	int number, first_pack, pack_count; /* number and pack index from 0 */
	int64_t due_ns, tick_ns;
};

/* The inverter, and the wire between it and the link. */
struct world_inverter {
	struct wire_info info;
	struct wire *wire;
	struct inverter_can can;
	struct inverter_rs485 rs485;
	struct line line; /* RS485: station 0 is the link, 1 the inverter */
	int64_t due_ns;
};

/* --- the gateway --- */

/* What the lease page holds; one thread needs no shared memory. */
struct world_lease {
	enum lease_copy copy;
	struct battery battery;
	int64_t renewed_ms;
};

/* One link process. It survives the engine. */
struct world_link {
	bool running;
	struct wire_context ctx;
	struct hold hold;
	struct talk talk;
	struct respond respond;
	struct wire_values heard; /* what the inverter said */
	struct wire_values clear; /* nothing, to begin with */
	struct inverter_status status;
	bool sees_news; /* a snapshot was published since it last looked */
	int64_t due_us;
};

/* One life of onepackd: all of it is lost in a crash. */
struct world_gateway {
	bool running;
	struct rack_bus_config buses[WORLD_MAX_LINES];
	struct poller pollers[WORLD_MAX_LINES];
	struct table table;
	uint32_t cycles_ended; /* lines that have ended a cycle since the last step, one bit each */
	struct fusion *fusion;
	struct fusion_input input;
	struct battery now;
	int64_t engine_due_ms;
};

/* What the history has of the energy counters, and what is being written. */
struct world_history {
	int32_t charged_wh, discharged_wh; /* on the disk */
	int32_t new_charged_wh, new_discharged_wh;
	int64_t begin_ms, done_ms; /* of the next write; done WORLD_NEVER = none under way */
};

/* How fast the gateway is let live. */
struct world_pace {
	bool calm;
	int64_t restless_ms; /* until then */
	double current_a;    /* wanted by the inverter when something happened last */
	uint32_t switches;   /* of all packs then, two bits each */
	double moved_a;      /* a change of the wanted current by this is something */
};

struct world {
	struct scenario scenario;
	struct world_options options;
	int64_t now_ns;
	bool stopped;
	struct world_figures figures;

	struct plant plant;
	struct plant_demand demand;
	struct fault_effects effects;
	struct sim_random random;       /* of what happens to answers */
	int64_t plant_ms, plant_due_ms; /* of its last and its next step */
	int64_t change_ms;              /* when the next fault begins or ends */
	int line_count;
	struct world_line *lines;
	struct world_inverter inverter;

	struct world_pace pace;
	struct wire *pack_wire;
	struct world_gateway gateway;
	struct world_lease lease;
	struct world_link link;
	struct world_history history;
};

static inline int64_t world_now_ms(const struct world *world)
{
	return world->now_ns / NS_PER_MS;
}

/* --- world_lines.c --- */

/* 0, or ERR_SPACE. */
int world_lines_build(struct world *world);
void world_lines_free(struct world *world);
/* As the faults say. */
void world_lines_drive(struct world *world);
/* Lets the bytes pass that have passed by now, asks, gives up; sets due_ns. */
void world_line_live(struct world *world, struct world_line *line);

/* --- world_gateway.c --- */

int world_gateway_build(struct world *world, FILE *errors);
/* Crash and restart, as the faults say. */
void world_gateway_drive(struct world *world);
/* One step of the engine, if it is due. */
void world_engine_live(struct world *world);
int64_t world_engine_due_ns(const struct world *world);

/* --- world_link.c --- */

int world_link_build(struct world *world, FILE *errors);
void world_link_start(struct world *world);
/* Crash and restart, as the faults say. */
void world_link_drive(struct world *world);
struct sim_inverter *world_inverter_core(struct world *world);
/* The link and the inverter do what is due; sets both due times. */
void world_link_live(struct world *world);

/* --- world_pace.c --- */

void world_pace_build(struct world *world);
/* Something happens: `changed` = a fault began or ended; else the world looks for itself. To be
 * called after each step of the plant, with how much time passed in it. */
void world_pace_drive(struct world *world, bool changed, int64_t passed_ms);
int32_t world_pace_engine_ms(const struct world *world);
int32_t world_pace_plant_ms(const struct world *world);

/* --- world_trace.c --- */

/* The line of one engine step. */
void world_trace(const struct world *world);

/* --- the digest --- */

void world_digest(struct world *world, const void *bytes, size_t count);
void world_digest_number(struct world *world, int64_t number);
