// SPDX-License-Identifier: Apache-2.0
/* What must always be true of a gateway, checked against the truth of the plant. invariants.c is
 * the one place that says what each means, why, and which fault excuses it. The world calls:
 *
 *   invariants_before_fusion()  right before each fusion_step, with its arguments
 *   invariants_after_fusion()   right after it, with what came out
 *   invariants_on_frame()       for each frame or answer that reached the inverter's wire, decoded
 *                               into an empty struct wire_values (deaf inverter or not)
 *   invariants_on_plant()       after each step of the plant
 *
 * It never changes anything it is shown. */
#pragma once

#include "onepack/wire.h"
#include "scenario.h"

/* X(name, promise) */
#define SIM_INVARIANTS(X)                                                                        \
	X(pack_over_limit, "no conducting pack stays above its own limit")                       \
	X(missing_raises, "missing or worse input never raises a limit")                         \
	X(loss_overloads, "the loss of one pack never raises another's current above its limit") \
	X(fall_late, "a limit falls at once")                                                    \
	X(rise_fast, "a limit rises no faster than promised")                                    \
	X(old_data, "nothing older than 60 s contributes")                                       \
	X(zero_voltage, "no voltage of zero on the wire")                                        \
	X(soc_range, "no state of charge outside 0..100 on the wire")                            \
	X(frames_stop, "frames never stop while the engine lives")                               \
	X(lease_ignored, "an expired lease ends in zero")                                        \
	X(energy_lost, "energy is conserved in the plant")                                       \
	X(protection_used, "no protection of a pack is ever used")                               \
	X(reason_missing, "each limit has exactly one reason, with the published value")

enum invariant {
#define X(name, promise) INVARIANT_##name,
	SIM_INVARIANTS(X)
#undef X
		INVARIANT_COUNT
};

const char *invariant_name(enum invariant invariant);
const char *invariant_promise(enum invariant invariant);
int invariant_by_name(const char *name); /* -1 = none */

#define VIOLATION_TEXT_SIZE 640

struct violation {
	enum invariant invariant;
	int64_t time_ms;
	int32_t pack;                   /* FIELD_UNKNOWN = none in particular */
	char text[VIOLATION_TEXT_SIZE]; /* the numbers, and the battery's reason */
};

/* Called once for each invariant and pack that breaks, at the moment it does; again only after it
 * held in between. */
typedef void invariants_tell(void *context, const struct violation *violation);

struct invariants;

/* NULL = no memory. The scenario must stay. `every` = each n-th fusion step is run again with input
 * removed (0 = never, 1 = always; 50 costs little). */
struct invariants *invariants_new(const struct scenario *scenario, int every, invariants_tell *tell,
				  void *context);
void invariants_free(struct invariants *invariants); /* NULL is fine */

void invariants_before_fusion(struct invariants *invariants, const struct fusion *fusion,
			      const struct fusion_input *input);
void invariants_after_fusion(struct invariants *invariants, const struct battery *out);

/* `lease_valid`: whether the link that sent this had a valid lease when it did. */
void invariants_on_frame(struct invariants *invariants, int64_t now_ms,
			 const struct wire_values *said, bool lease_valid);

struct invariants_plant {
	int64_t now_ms;
	const struct plant *plant;
	const struct plant_demand *demand; /* what the inverter did */
	const struct sim_inverter *inverter;
	const struct fault_effects *effects;
};

void invariants_on_plant(struct invariants *invariants, const struct invariants_plant *now);

/* Figures for a report. */
struct invariants_figures {
	int64_t checks[INVARIANT_COUNT];     /* how often each was looked at */
	int64_t excused[INVARIANT_COUNT];    /* broken, but excused by a fault */
	int64_t violations[INVARIANT_COUNT]; /* told */
};

void invariants_get_figures(const struct invariants *invariants, struct invariants_figures *out);
