// SPDX-License-Identifier: Apache-2.0
/* Events: what happened, as told to people. Derived by comparing two battery snapshots, so nobody
 * has to remember to report anything. */
#pragma once

#include <stdint.h>

#include "onepack/battery.h"

enum event_severity { EVENT_INFO, EVENT_WARNING, EVENT_ALARM };

#define EVENT_KIND_SIZE 40
#define EVENT_TEXT_SIZE 160

struct event {
	int64_t time_ms; /* wall clock, ms since 1970 UTC */
	enum event_severity severity;
	int32_t pack;               /* FIELD_UNKNOWN = the whole battery, or none */
	char kind[EVENT_KIND_SIZE]; /* a short stable word: "pack_lost", "cell_overvoltage",
				       "charge_blocked", "login", ... */
	char text[EVENT_TEXT_SIZE]; /* one plain sentence */
};

/* What changed from `before` to `after`: pack states, alarms set and cleared, charge and discharge
 * blocked or released, charge stage. Writes at most `max` events and returns their number; a
 * snapshot with time 0 as `before` yields none. */
int event_compare(const struct battery *before, const struct battery *after, struct event *out,
		  int max);

const char *event_severity_name(enum event_severity severity); /* "info", "warning", "alarm" */
