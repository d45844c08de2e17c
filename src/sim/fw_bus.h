// SPDX-License-Identifier: Apache-2.0
/* Packs that run the firmware on a line: the same part in a site or a world as JK packs (jk_bus.h)
 * have, and the same faults on demand, as far as such packs can have them. The enable line goes
 * from each pack to the next; the first one's is always high. Pure, in virtual time. */
#pragma once

#include "fw_pack.h"
#include "jk_bus.h"
#include "plant.h"

#define FIRMWARE_BUS_STEP_MS 100 /* what the firmware is made for */

struct firmware_station {
	struct sim_firmware firmware;
	int32_t late_ms; /* answers so much later than it should */
	uint8_t said[FW_SERVER_OUT];
	size_t said_count; /* of its last answer */
};

struct firmware_bus {
	const struct plant *plant;
	struct line line;
	const struct jk_spoiler *spoiler; /* NULL = nothing happens to answers */
	int pack_count;
	struct firmware_station stations[ONEPACK_MAX_PACKS];
	int64_t step_ms, step_ns; /* how often packs measure; when next */
	bool foreign_master;      /* somebody else polls, too */
	struct jk_master foreign;
	uint64_t requests, answers;
	int64_t asked_ns; /* end of the last byte of the tty */
};

void firmware_bus_init(struct firmware_bus *bus, const struct plant *plant, uint32_t baud,
		       uint64_t seed);

/* The pack becomes bare (pack.h). 0, or ERR_SPACE. */
int firmware_bus_add(struct firmware_bus *bus, struct sim_pack *pack,
		     const struct sim_firmware_make *make);
void firmware_bus_close(struct firmware_bus *bus); /* one that is all zeros is fine */

/* To be called with everything that passes on the line; then firmware_bus_tick() must be. */
void firmware_bus_heard(struct firmware_bus *bus, int talker, int64_t end_ns, const uint8_t *bytes,
			size_t count);

/* Lets packs measure, decide and speak; returns when to call again. */
int64_t firmware_bus_tick(struct firmware_bus *bus, int64_t now_ns);

/* These packs as a party of a line. */
struct line_party firmware_bus_party(struct firmware_bus *bus);
