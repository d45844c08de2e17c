// SPDX-License-Identifier: Apache-2.0
/* Why each limit is what it is, and what would limit next: one public word and one sentence each
 * (fusion_sentence.c). The words are listed in docs/fusion.md and do not change. */
#include <string.h>

#include "fusion_state.h"

static const char words[][REASON_RULE_SIZE] = {
	[RULE_FULL] = "full",
	[RULE_PACK_LIMIT] = "pack_limit",
	[RULE_CELL_VOLTAGE] = "cell_voltage",
	[RULE_CELL_RECOVERY] = "cell_recovery",
	[RULE_TEMPERATURE] = "temperature",
	[RULE_MOS_TEMPERATURE] = "mos_temperature",
	[RULE_PROTECTION] = "protection",
	[RULE_CRITICAL_CELL] = "critical_cell",
	[RULE_UNSTATED_LIMIT] = "unstated_limit",
	[RULE_UNKNOWN_CELLS] = "unknown_cells",
	[RULE_UNKNOWN_TEMPERATURE] = "unknown_temperature",
	[RULE_UNKNOWN_CAPACITY] = "unknown_capacity",
	[RULE_CELL_COUNT] = "cell_count",
	[RULE_STALE] = "stale",
	[RULE_SILENT] = "silent_pack",
	[RULE_SHARE] = "share",
	[RULE_MIN] = "min",
	[RULE_CIRCULATING] = "circulating",
	[RULE_OVERCURRENT] = "overcurrent",
	[RULE_N_MINUS_1] = "n_minus_1",
	[RULE_USER_CAP] = "user_cap",
	[RULE_REST] = "rest_for_balancing",
	[RULE_LOSS] = "loss_hold",
	[RULE_RECOVERY] = "recovery",
	[RULE_BLOCKED] = "blocked",
	[RULE_JOINING] = "joining",
	[RULE_QUORUM] = "quorum",
	[RULE_NO_DATA] = "no_data",
	[RULE_HOLD] = "hold",
	[RULE_RISING] = "rising",
	[RULE_SMALL] = "too_small",
	[RULE_CHARGE_TARGET] = "charge_target",
	[RULE_PACK_REQUEST] = "pack_request",
	[RULE_FLOAT] = "float",
	[RULE_CELL_EXCESS] = "cell_excess",
	[RULE_SILENT_VOLTAGE] = "silent_pack",
	[RULE_VOLTAGE_RISE] = "voltage_rising",
	[RULE_VOLTAGE_FALL] = "voltage_falling",
	[RULE_DISCHARGE_END] = "discharge_end",
};

static bool is_same(const struct cause *a, const struct cause *b)
{
	return a->rule == b->rule && a->pack == b->pack && a->cell == b->cell &&
	       a->other == b->other && a->value == b->value;
}

static void say(struct fusion *fusion, enum limit limit, int32_t value, const struct cause *cause,
		enum mood mood, char *text)
{
	struct spoken *last = &fusion->spoken[limit][mood];
	const bool accepted = fusion->accepted_count > 0;

	if (!last->text[0] || last->value != value || last->accepted != accepted ||
	    !is_same(&last->cause, cause)) {
		last->value = value;
		last->cause = *cause;
		last->accepted = accepted;
		fusion_say(fusion, limit, value, cause, mood, last->text);
	}
	memcpy(text, last->text, strlen(last->text) + 1);
}

static struct reason *add(struct fusion *fusion, struct battery *out, enum limit limit,
			  int32_t value, const struct cause *cause)
{
	struct reason *reason = &out->reasons[out->reason_count++];

	reason->limit = limit;
	reason->value = value;
	reason->pack = cause->pack;
	reason->cell = cause->cell;
	memcpy(reason->rule, words[cause->rule], sizeof reason->rule);
	say(fusion, limit, value, cause, MOOD_IS, reason->text);
	return reason;
}

static void add_next(struct fusion *fusion, struct reason *reason, const struct bound *next)
{
	struct runner_up *runner_up = &reason->runner_up;

	if (next->value == FIELD_UNKNOWN)
		return;
	runner_up->value = next->value;
	runner_up->pack = next->cause.pack;
	runner_up->cell = next->cause.cell;
	memcpy(runner_up->rule, words[next->cause.rule], sizeof runner_up->rule);
	say(fusion, reason->limit, next->value, &next->cause, MOOD_WOULD_BE, runner_up->text);
}

/* On its way up a limit waits for what the rules permit; that comes next. */
static void add_current(struct fusion *fusion, struct battery *out, enum direction direction)
{
	const enum limit limit =
		direction == CHARGE ? LIMIT_CHARGE_CURRENT : LIMIT_DISCHARGE_CURRENT;
	const int32_t value = direction == CHARGE ? out->charge_current_limit_ma
						  : out->discharge_current_limit_ma;
	const bool follows = fusion->ramp[direction].phase == RULE_FULL;
	struct cause cause = fusion->cause[direction];
	struct bound next = fusion->next[direction];

	if (!follows) {
		next = (struct bound){fusion->target_ma[direction], cause};
		cause = cause_of(fusion->ramp[direction].phase, FIELD_UNKNOWN);
		cause.value = next.value;
	}
	add_next(fusion, add(fusion, out, limit, value, &cause), &next);
}

static void add_voltage(struct fusion *fusion, struct battery *out, enum limit limit, int32_t value)
{
	const int which = limit == LIMIT_CHARGE_VOLTAGE ? 0 : 1;

	add_next(fusion, add(fusion, out, limit, value, &fusion->voltage_cause[which]),
		 &fusion->voltage_next[which]);
}

void fusion_write_reasons(struct fusion *fusion, struct battery *out)
{
	add_current(fusion, out, CHARGE);
	add_current(fusion, out, DISCHARGE);
	add_voltage(fusion, out, LIMIT_CHARGE_VOLTAGE, out->charge_voltage_limit_mv);
	add_voltage(fusion, out, LIMIT_DISCHARGE_VOLTAGE, out->discharge_voltage_limit_mv);
}
