// SPDX-License-Identifier: Apache-2.0
/* JK packs on a line: they hear a master's requests and answer through the wire codec, as slave of
 * the same protocol file that the gateway reads them with. Faults on demand: late answers, the
 * longer form of the answer, two packs at one address, another master that asks as well. A pack at
 * address 0 is a master itself, as JK has it: it polls the others, answers nobody, and tells about
 * itself once a cycle. Pure, in virtual time. */
#pragma once

#include "line.h"
#include "onepack/wire.h"
#include "pack.h"

#define JK_BUS_TTY        0 /* station of the gateway */
#define JK_BUS_FIRST      1 /* station of the first pack; the other master comes after the last */
#define JK_BUS_BUFFER     600
#define JK_MASTER_ADDRESS 0
#define JK_MAX_ADDRESS    15

/* Somebody who polls 1..15 for ever. */
struct jk_master {
	int step; /* in its cycle */
	int64_t next_ns;
};

struct jk_station {
	const struct sim_pack *pack;
	int address;             /* as its switches say: 1..15, or 0 = it is the master */
	int32_t late_ms;         /* answers so much later than it should */
	struct jk_master master; /* while its address is 0 */
};

/* What happens to answers on their way; `index` is that of the station. */
struct jk_spoiler {
	void *context;
	bool (*foreign)(void *context, int index); /* another pack's answer comes instead */
	/* Changes an answer; returns how often it arrives: 0, 1, 2. */
	int (*spoil)(void *context, int index, uint8_t *bytes, size_t *count);
};

struct jk_bus {
	const struct wire *wire;
	struct line line;
	const struct jk_spoiler *spoiler; /* NULL = nothing happens to them */
	int pack_count;
	struct jk_station stations[ONEPACK_MAX_PACKS];
	bool long_form;      /* 310 bytes: a zero after the record and one after the acknowledge */
	bool foreign_master; /* another master, not a pack, polls, too */
	struct jk_master foreign;
	uint8_t heard[JK_BUS_BUFFER];
	size_t heard_count;
	int64_t heard_ns; /* end of the last byte */
	uint64_t requests, answers;
	struct sim_random random;
};

/* `wire` describes a pack and has addresses 1..15. */
void jk_bus_init(struct jk_bus *bus, const struct wire *wire, uint32_t baud, uint64_t seed);
void jk_bus_add(struct jk_bus *bus, const struct sim_pack *pack, int address);

/* To be called with everything that passes on the line. */
void jk_bus_heard(struct jk_bus *bus, int talker, int64_t end_ns, const uint8_t *bytes,
		  size_t count);

/* Lets masters ask when their time has come; returns when to call again. */
int64_t jk_bus_tick(struct jk_bus *bus, int64_t now_ns);

/* These packs as a party of a line. */
struct line_party jk_bus_party(struct jk_bus *bus);
