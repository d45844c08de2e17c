// SPDX-License-Identifier: Apache-2.0
/* Fusion: sixteen packs become one battery. Pure: time and samples come in as arguments, the
 * battery goes out as a value; the same inputs in the same order give the same bytes. The rules and
 * the incidents behind them are described in docs/fusion.md; rule letters in the code refer to it.
 *
 * The promise: missing, stale or worse input never raises a limit. */
#pragma once

#include <stdint.h>

#include "onepack/battery.h"
#include "onepack/fusion_keys.h"

/* One curve: straight lines between points of rising x, flat outside. */
#define CURVE_MAX_POINTS 8

struct curve {
	int32_t count;
	struct {
		int32_t x; /* mV or mC, by use */
		int32_t y; /* parts per million of full current */
	} point[CURVE_MAX_POINTS];
};

/* y of the curve at x; 0 points give 0 (no curve, no current). */
int32_t curve_at(const struct curve *curve, int32_t x);

enum limit_rule { LIMIT_RULE_SHARE, LIMIT_RULE_SUM, LIMIT_RULE_MIN };

enum soc_basis { SOC_BASIS_USABLE, SOC_BASIS_ALL };

/* Which voltage to charge to while some packs have ended their charge: only the others' targets
 * count (the default), the lowest of all packs, so that the first full one ends the charge of all,
 * or the highest that any pack still asks for. */
enum cvl_policy { CVL_UNFINISHED, CVL_LOWEST, CVL_HIGHEST };

struct fusion_config {
#define X(name, unit, normal, low, high, meaning) int32_t FIELD_MEMBER(name, unit);
	ONEPACK_FUSION_KEYS(X)
#undef X
	enum limit_rule limit_rule;
	enum soc_basis soc_basis;
	enum cvl_policy cvl_policy;
	struct curve charge_cell;           /* mV -> ppm of the pack's limit */
	struct curve discharge_cell;        /* mV -> ppm of the pack's limit */
	struct curve charge_temperature;    /* mC -> ppm of 1 C, the pack's capacity per hour */
	struct curve discharge_temperature; /* mC -> ppm of 1 C */
	struct curve mos_temperature;       /* mC -> ppm of the pack's limit */
};

/* The documented defaults. */
void fusion_config_default(struct fusion_config *config);

/* The default curves for the cell voltages that `config` has; for a loader that changed them. */
void fusion_config_default_curves(struct fusion_config *config);

/* One row of ONEPACK_FUSION_KEYS at run time, for loaders and documentation. */
struct fusion_key {
	const char *json;  /* "charge_target_cell_v" */
	const char *group; /* heading for people; rows of a group follow each other */
	enum unit unit;
	int32_t normal, low, high;
	size_t offset; /* in struct fusion_config */
	const char *meaning;
};

extern const struct fusion_key fusion_keys[];
extern const int fusion_key_count;

/* What a bus saw besides good answers, since the last step. */
enum bus_error_kind {
	BUS_ERROR_CHECKSUM,
	BUS_ERROR_TIMEOUT,
	BUS_ERROR_FOREIGN_REQUEST,
	BUS_ERROR_KINDS
};

struct bus_error {
	char bus[FIELD_TEXT_SIZE];
	int32_t address;
	enum bus_error_kind kind;
	int32_t count;
};

#define FUSION_MAX_BUS_ERRORS 64

/* Everything that is new since the last step. */
struct fusion_input {
	int64_t now_ms;     /* monotonic, never falling */
	int32_t pack_count; /* packs that answered completely since the last step */
	struct pack packs[ONEPACK_MAX_PACKS]; /* state, age and share are ignored; `pack` names the
						 slot, 1..16 */
	bool acknowledge; /* somebody has seen what is latched; what is good again is released */
	int32_t bus_current_ma; /* an independent meter on the DC bus; FIELD_UNKNOWN without one */
	int32_t error_count;
	struct bus_error errors[FUSION_MAX_BUS_ERRORS];
};

void fusion_input_clear(struct fusion_input *input);

struct fusion; /* the memory between steps; src/core/fusion_state.h */

/* The size of struct fusion, for a caller that provides the memory (static in the daemon, stack in
 * tests). */
size_t fusion_size(void);
void fusion_init(struct fusion *fusion, const struct fusion_config *config);

/* One step: takes what is new, returns the whole battery. `out->time_ms` and identity texts are
 * left cleared; the energy counters count from fusion_init or fusion_set_energy. Never fails:
 * whatever comes in, limits stay safe. */
void fusion_step(struct fusion *fusion, const struct fusion_input *input, struct battery *out);

/* Continues energy counting from earlier totals (Wh), e.g. from the history after a restart. */
void fusion_set_energy(struct fusion *fusion, int32_t charged_wh, int32_t discharged_wh);
