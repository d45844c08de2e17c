// SPDX-License-Identifier: Apache-2.0
/* What fusion remembers between two steps, and the parts of one step. Private to
 * src/core/fusion*.c; everybody else sees include/onepack/fusion.h. The letters (A to N) are those
 * of docs/fusion.md.
 *
 * Currents inside the rules are seen along one direction: `flow` is positive when the pack takes
 * current in that direction, whichever it is, so that one text serves charging and discharging. */
#pragma once

#include <stdbool.h>

#include "onepack/fusion.h"

/* A: nothing older contributes to any published value, whatever the settings: the highest that
 * `lost_s` can be. */
#define BAN_MS 60000

/* A: fresh and held stretch with slow buses. */
#define CYCLE_MAX_MS \
	10000 /* a pack that answers more rarely than this is not polled, it is flaky */
#define CYCLE_SAMPLES 5

#define SAME_TO_REPLACE 3 /* N: answers of another pack in a row: it was exchanged */

enum direction { CHARGE, DISCHARGE };

#define DIRECTIONS 2

/* Why a limit is what it is; fusion_reason.c has the public word and the sentence of each. */
enum rule {
	RULE_FULL,
	RULE_PACK_LIMIT,
	RULE_CELL_VOLTAGE,
	RULE_CELL_RECOVERY,
	RULE_TEMPERATURE,
	RULE_MOS_TEMPERATURE,
	RULE_PROTECTION,
	RULE_CRITICAL_CELL,
	RULE_UNSTATED_LIMIT,
	RULE_UNKNOWN_CELLS,
	RULE_UNKNOWN_TEMPERATURE,
	RULE_UNKNOWN_CAPACITY,
	RULE_CELL_COUNT,
	RULE_STALE,
	RULE_SILENT,
	RULE_SHARE,
	RULE_MIN,
	RULE_CIRCULATING,
	RULE_OVERCURRENT,
	RULE_N_MINUS_1,
	RULE_USER_CAP,
	RULE_REST,
	RULE_LOSS,
	RULE_RECOVERY,
	RULE_BLOCKED,
	RULE_JOINING,
	RULE_QUORUM,
	RULE_NO_DATA,
	RULE_HOLD,
	RULE_RISING,
	RULE_SMALL,
	RULE_CHARGE_TARGET,
	RULE_PACK_REQUEST,
	RULE_FLOAT,
	RULE_CELL_EXCESS,
	RULE_SILENT_VOLTAGE,
	RULE_VOLTAGE_RISE,
	RULE_VOLTAGE_FALL,
	RULE_DISCHARGE_END
};

/* A rule and what it looked at. */
struct cause {
	enum rule rule;
	int32_t pack;  /* FIELD_UNKNOWN = none in particular */
	int32_t cell;  /* FIELD_UNKNOWN = none in particular */
	int32_t other; /* a second pack, FIELD_UNKNOWN = none */
	int32_t value; /* mV, mA, mC, ms or a count, by rule */
};

/* Something that limits, and to what; also what would limit next if that went away. */
struct bound {
	int32_t value; /* mA or mV, FIELD_UNKNOWN = nothing */
	struct cause cause;
};

/* One cell: mV, and its number. */
struct cell_extreme {
	int32_t mv, cell;
};

/* The cells of one answer, looked at once. */
struct cells {
	struct cell_extreme min, max; /* FIELD_UNKNOWN when none is known */
	int64_t sum_mv;
	int32_t known;    /* how many */
	bool is_complete; /* there are some, and all are known */
};

struct cells pack_cells(const struct pack *pack);

/* G: the part of a current step that a pack takes (fusion_share.c): its capacity as a first guess,
 * times a learned factor. */
#define PLATEAU_ANSWERS 3

struct share {
	int64_t prior_mah;  /* never 0 */
	int64_t weight;     /* prior times factor, never 0 */
	int32_t factor_ppm; /* 500000 to 2000000; 1000000 = as the capacity says */
	int32_t evidence;   /* sum of squares of the steps behind it, in (C/1000)^2 */
	/* of the present plateau, the last answers, newest first; one more than counts, because
	 * the newest may already belong to the next step */
	int32_t flow_ma[PLATEAU_ANSWERS + 1];
	int32_t count;
	int32_t before_ma; /* mean of the plateau before */
};

/* The pack's part in the network: comparable between packs, not a part of one. */
static inline int64_t share_weight(const struct share *share)
{
	return share->weight;
}

void share_set(struct share *share, int64_t prior_mah, int32_t factor_ppm);

/* How far it is learned, 1/1000 %. */
int32_t share_confidence(const struct share *share);

/* The whole rack's side of it. */
struct plateau {
	uint32_t members; /* bit per slot */
	bool has_before;
	int64_t before_ms; /* end of the plateau before */
};

/* F: how far a pack's flow is from its share of the total, after each of its last answers. */
#define DRIFT_SAMPLES 3

struct drift {
	int32_t flow_ma[DRIFT_SAMPLES];   /* newest first */
	int32_t credit_ma[DRIFT_SAMPLES]; /* the same as far as it may raise a limit */
	int32_t count;
	int32_t since_change; /* answers since the set of conducting packs changed */
	int32_t certain_ma;   /* the debit while it was last certain who conducts */
};

/* N: one property of a pack that should never alternate. */
struct mark {
	int32_t now, before; /* FIELD_UNKNOWN = not seen */
	int32_t swaps;
	int64_t swap_ms;
};

enum quarantine { QUARANTINE_NONE, QUARANTINE_GARBAGE, QUARANTINE_DUPLICATE };

/* How a pack takes part in one direction. */
enum presence {
	PRESENCE_NONE,    /* its switch is open, or it is known to be gone */
	PRESENCE_PERHAPS, /* nobody knows: limits are safe with and without it */
	PRESENCE_SURE
};

/* One of the 16 places of the rack. */
struct slot {
	/* A, N: what came in */
	struct pack good;   /* the last complete, plausible answer that was believed */
	struct pack doubt;  /* a surprising one that waits for its like */
	struct cells cells; /* of `good` */
	bool seen;          /* something has answered here */
	bool has_good;      /* `good` is valid */
	bool answered;      /* a believed answer came in this step */
	bool silent;        /* nothing believable for longer than `held` */
	int32_t doubt_count;
	int64_t first_ms, answer_ms, good_ms;
	int32_t interval_ms[CYCLE_SAMPLES];
	int32_t interval_count;
	int32_t bad_in_row, good_in_row;
	int32_t stranger_count; /* answers in a row with one other serial ... */
	int32_t stranger;       /* ... which is this one, as a mark */
	enum quarantine quarantine;
	int64_t duplicate_ms;
	struct mark serial, capacity, cycles;

	/* A: what a pack said once stands until it says otherwise */
	int32_t checksum_score;
	int32_t capacity_mah, charge_voltage_mv, discharge_voltage_mv, mos_temperature_mC;
	int32_t stated_max_ma; /* the largest current limit that it ever stated */
	int32_t cell_count, temperature_count;
	bool states_limit[DIRECTIONS];        /* it has stated its limit at least once */
	bool rests_by_switch, rests_by_limit; /* it blocks charging, or did when it last said */

	/* B, I, K, D */
	bool accepted; /* it has been active */
	bool refused;  /* too far from the others to join */
	bool isolated; /* a meter shows that it is gone */
	bool settled;  /* enough good answers in a row to join */
	bool finished; /* it has ended its charge and is full */
	enum pack_state state;
	int32_t good_cycles;
	int64_t age_ms, cycle_ms, fresh_ms, held_ms;
	int64_t agree_ms;           /* since when it may join, -1 = not now */
	int64_t quiet_ms, meter_ms; /* how long its current is missing; last word of the meter */
	int64_t tail_ms;    /* how long it has been near its target, almost without current */
	int64_t drawn_mams; /* net charge taken out since it finished, mA x ms */

	/* E, F, M: per direction */
	int32_t latch_ppm[DIRECTIONS];
	int32_t limit_ma[DIRECTIONS];
	bool judged_fresh; /* `limit_ma` and its causes are those of a fresh answer */
	struct cause cause[DIRECTIONS];
	struct bound next[DIRECTIONS]; /* its limit without that cause */
	enum presence presence[DIRECTIONS];
	struct drift drift[DIRECTIONS];
	int64_t critical_ms[DIRECTIONS]; /* last time beyond the critical cell voltage, -1 = never
					  */
	struct share share;
};

/* H: one published current limit. */
struct ramp {
	int64_t value_ua;
	bool fell;
	int64_t permitted_ms; /* since when more is permitted, -1 = it is not */
	enum rule phase; /* RULE_HOLD, RULE_RISING, RULE_SMALL, or RULE_FULL = as the rules say */
};

/* The last sentence about a limit: most steps say the same again. */
struct spoken {
	int32_t value;
	struct cause cause;
	bool accepted; /* whether there ever was a pack */
	char text[REASON_TEXT_SIZE];
};

struct fusion {
	struct fusion_config config;
	int64_t now_ms, elapsed_ms; /* elapsed since the step before, 0 in the first */
	bool started;
	int64_t first_accept_ms; /* -1 = no pack was ever accepted */
	int32_t accepted_count;
	bool quorum;
	bool acknowledged;  /* in this step */
	int64_t foreign_ms; /* last request of another master, -1 = never */

	/* F, H */
	int32_t target_ma[DIRECTIONS], sum_ma[DIRECTIONS];
	struct cause cause[DIRECTIONS];
	struct bound next[DIRECTIONS]; /* the target without that cause */
	struct ramp ramp[DIRECTIONS];
	bool recovering;        /* a little current is given to packs that fell silent empty */
	struct plateau plateau; /* G */
	uint32_t network[DIRECTIONS]; /* bit per slot that surely conducts */
	int32_t circulating[2];       /* packs that charge each other, FIELD_UNKNOWN = none */

	/* D */
	int64_t charge_voltage_uv; /* 0 = not yet set */
	int64_t voltage_permitted_ms;
	struct cause voltage_cause[2]; /* of the charge and the discharge voltage limit */
	struct bound voltage_next[2];
	int32_t charge_voltage_mv, discharge_voltage_mv;
	enum charge_stage stage;
	int64_t full_ms;  /* last time that all had ended their charge, or the start */
	int64_t apart_ms; /* since when the packs' charges have drifted apart, -1 = they have not */
	bool wants_full;
	bool all_finished; /* every pack that can charge has ended its charge, and there is one */

	struct spoken spoken[LIMIT_COUNT][2]; /* by mood */

	/* C */
	int32_t soc_mpct; /* as shown, FIELD_UNKNOWN = not yet */
	int64_t charged_mwms, discharged_mwms;
	int32_t charged_wh, discharged_wh;

	struct slot slots[ONEPACK_MAX_PACKS]; /* last: whoever reads beyond them is caught by
						 sanitizers */
};

/* The parts of a step, in their order. */
void fusion_admit(struct fusion *fusion, const struct fusion_input *input); /* A */
void fusion_update_states(struct fusion *fusion);                           /* B, K */
void fusion_find_isolated(struct fusion *fusion, int32_t bus_current_ma);   /* I */
void fusion_limit_packs(struct fusion *fusion);                             /* E */
void fusion_learn_shares(struct fusion *fusion);                            /* G */
void fusion_limit_system(struct fusion *fusion);                            /* F, I, J */
void fusion_recover(struct fusion *fusion);                                 /* J */
void fusion_shape(struct fusion *fusion);                                   /* H */
void fusion_follow_charge(struct fusion *fusion);                           /* D */
void fusion_limit_voltage(struct fusion *fusion);                           /* D */
void fusion_write_values(struct fusion *fusion, struct battery *out);       /* C */
void fusion_write_alarms(const struct fusion *fusion, struct battery *out); /* M */
void fusion_write_reasons(struct fusion *fusion, struct battery *out);

/* The sentence for a limit of this value and cause; as a statement, or as what would be otherwise.
 */
enum mood { MOOD_IS, MOOD_WOULD_BE };
void fusion_say(const struct fusion *fusion, enum limit limit, int32_t value,
		const struct cause *cause, enum mood mood, char text[REASON_TEXT_SIZE]);

/* N, used by A. */
void fusion_note_errors(struct fusion *fusion, const struct fusion_input *input);
enum identity {
	IDENTITY_SAME,
	IDENTITY_STRANGER, /* another serial, not yet often enough to be believed */
	IDENTITY_EXCHANGED /* one other serial again and again: the pack was exchanged */
};

enum identity fusion_identify(struct fusion *fusion, struct slot *slot, const struct pack *pack);

/* J: capacity that works, and capacity that should. */
bool fusion_has_quorum(const struct fusion *fusion);

/* Facts that several parts need. Small enough to stand here: they are asked for hundreds of times
 * in a step. */
static inline bool slot_is_online(const struct slot *slot)
{
	return slot->state == PACK_ACTIVE || slot->state == PACK_HELD;
}

static inline int32_t slot_number(const struct fusion *fusion, const struct slot *slot)
{
	return (int32_t)(slot - fusion->slots) + 1;
}

static inline int32_t slot_flow(const struct slot *slot, enum direction direction)
{
	if (!slot->has_good)
		return 0;
	return direction == CHARGE ? slot->good.current_ma : -slot->good.current_ma;
}

static inline int32_t slot_switch(const struct slot *slot, enum direction direction)
{
	return direction == CHARGE ? slot->good.charge_mos : slot->good.discharge_mos;
}

/* mAh; a guess where it is not told, never 0. */
static inline int64_t slot_capacity(const struct slot *slot)
{
	return slot->share.prior_mah;
}

/* value * numerator / denominator without overflow for all currents and capacities here. */
static inline int64_t scale(int64_t value, int64_t numerator, int64_t denominator)
{
	return denominator ? value * numerator / denominator : 0;
}

static inline int32_t saturate_ma(int64_t value)
{
	if (value > INT32_MAX)
		return INT32_MAX;
	return value < -INT32_MAX ? -INT32_MAX : (int32_t)value;
}

static inline struct cause cause_of(enum rule rule, int32_t pack)
{
	return (struct cause){.rule = rule,
			      .pack = pack,
			      .cell = FIELD_UNKNOWN,
			      .other = FIELD_UNKNOWN,
			      .value = FIELD_UNKNOWN};
}

static inline struct bound bound_none(void)
{
	return (struct bound){FIELD_UNKNOWN, cause_of(RULE_FULL, FIELD_UNKNOWN)};
}

void slot_forget(struct slot *slot);
bool slot_still_charges(const struct slot *slot);
int32_t slot_charge_target(const struct fusion *fusion, const struct slot *slot);
bool slot_is_empty(const struct slot *slot);
int32_t fusion_soc_spread(const struct fusion *fusion);  /* 1/1000 %, 0 when nothing is known */
int64_t fusion_bus_voltage(const struct fusion *fusion); /* FIELD_UNKNOWN without one */

alarm_set pack_dangers(enum direction direction); /* protections that forbid the direction */
bool cells_are_dangerous(const struct fusion_config *config, const struct cells *cells);
