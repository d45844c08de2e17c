// SPDX-License-Identifier: Apache-2.0
/* What a run did to the packs and to the owner, seen from the plant and once a second: how far and
 * how long packs were above their own limits, and how much charge was moved. */
#pragma once

#include "sim/world.h"

/* One moment. Currents are magnitudes in the direction that sun or load want. */
struct moment {
	bool charging;
	double wish_a;     /* sun less load */
	double possible_a; /* measure_possible_a */
	double flow_a;     /* over the bus, negative = against the wish */
	double limit_a;    /* published */
	int worst_pack;    /* the one that is furthest above its own limit, or nearest to it */
	double worst_a, worst_limit_a;
	double cell_max_v;
};

struct figures {
	struct moment peak; /* when a pack was furthest above its own limit, as a part of it */
	int64_t above_s;    /* some pack was above its own limit by more than 5 % */
	double moved_ah;    /* in the direction that was wanted */
	double cell_max_v;
	int protections; /* times that a BMS had to act */
	alarm_set protections_now[ONEPACK_MAX_PACKS];
};

/* The most over the bus at which no pack is above its own limit and the bus not above the charge
 * voltage: the exact solution of the network, from voltages and resistances that no gateway knows.
 *
 * A pack's own limit is the smallest of where its BMS trips and of the gateway's curves for its
 * true temperature and cells; when packs are judged, never less than C/20. */
double measure_possible_a(const struct scenario *scenario, const struct plant *plant,
			  bool charging);

struct moment measure_moment(const struct scenario *scenario, const struct world *world,
			     int64_t now_ms);

/* Adds one second. */
void measure_add(struct figures *figures, const struct moment *moment, const struct plant *plant);
