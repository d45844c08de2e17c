// SPDX-License-Identifier: Apache-2.0
/* What the invariants remember between two calls. Private to src/sim/invariants*.c. */
#pragma once

#include "invariants.h"
#include "truth.h"

#define INVARIANTS_NEVER INT64_MIN

/* A pack that is above one of its limits. */
struct over {
	bool acts;
	int64_t since_ms;
	int64_t answers_before; /* believed answers of this pack when it began */
	int64_t known_ms;       /* when enough answers had told of it; -1 = not yet */
	int64_t judged_ms;      /* when it was last excused; -1 = not yet */
};

struct seen_pack {
	struct pack last; /* its last answer, as handed over */
	bool has_last;
	int64_t last_ms;
	int64_t heard_ms; /* the last answer that the engine believed; -1 = none since it started */
	int64_t answers;  /* believed so far */
	bool conducted;   /* in the last step of the plant */
	alarm_set protections;
	struct over over[2][TRUTH_PARTS]; /* [charging] */
	int64_t rest_since_ms[2];         /* it carries nothing since; -1 = it does; [charging] */
	struct over near[2];              /* close to its trip current; [charging] */
	int32_t swap_mpct;
};

struct invariants {
	const struct scenario *scenario;
	invariants_tell *tell;
	void *context;
	struct invariants_figures figures;
	int64_t told_ms[INVARIANT_COUNT][ONEPACK_MAX_PACKS + 1];
	struct seen_pack packs[ONEPACK_MAX_PACKS];

	/* the engine */
	int every;
	int64_t steps;
	struct sim_random random;
	const struct fusion *fusion; /* between before and after */
	const struct fusion_input *input;
	struct fusion *memory; /* of the engine, before a step that is run again */
	struct fusion *scratch[2];
	struct fusion_input *changed;
	bool reruns;
	bool has_published;
	struct battery published; /* of the last step */
	int64_t step_ms;          /* when that was; -1 = none since the engine started */
	int64_t fell_ms[2];       /* last fall of a limit; [charging] */
	bool engine_lives;
	int64_t engine_since_ms;

	/* the wire */
	int64_t frame_ms;

	/* the plant */
	int64_t now_ms;
	int64_t zero_since_ms[2]; /* the limit is zero since; -1 = it is not; [charging] */
	int64_t rest_since_ms[2]; /* nothing flows over the bus since; -1 = it does; [charging] */
	int64_t changed_ms;       /* when the set of conducting packs changed */
	int64_t energy_ms;        /* last look at the energy */
	double energy_j, moved_j, terminal_j, heat_j;
};

/* Tells of a violation, at most once in ten minutes for each invariant and pack. */
void invariants_break(struct invariants *inv, enum invariant which, int32_t pack, int64_t now_ms,
		      const char *format, ...) __attribute__((format(printf, 5, 6)));

/* What a battery says. */
const struct reason *invariants_reason(const struct battery *battery, enum limit limit);
int32_t invariants_limit_ma(const struct battery *battery, bool charging); /* unknown is 0 */

/* invariants_rerun.c: the step once more from the same memory, with other input. */
void invariants_rerun(struct invariants *inv, const struct battery *out);
