// SPDX-License-Identifier: Apache-2.0
/* D, I: the charge voltage limit, and the voltage where discharge ends. The charge voltage is the
 * lowest target of the packs that still charge, or the float voltage when all have ended; every
 * conducting pack with a cell above the target pulls it below its own present voltage. Protection
 * acts at once, the step to float is slow, a rise waits and is slower still. */
#include "fusion_state.h"

#define STEP_MAX_MS 10000

/* The lowest so far, and the lowest of another cause; 0 mV = nothing. */
struct lowest {
	int64_t mv;
	struct cause cause;
	int64_t next_mv;
	struct cause next_cause;
};

static bool is_same(const struct cause *a, const struct cause *b)
{
	return a->rule == b->rule && a->pack == b->pack;
}

static void set_next(struct lowest *lowest, int64_t mv, struct cause cause)
{
	if (is_same(&cause, &lowest->cause) || (lowest->next_mv != 0 && mv >= lowest->next_mv))
		return;
	lowest->next_mv = mv;
	lowest->next_cause = cause;
}

static void lower(struct lowest *lowest, int64_t mv, struct cause cause)
{
	struct lowest before = *lowest;

	if (mv == 0)
		return;
	if (before.mv != 0 && mv >= before.mv) {
		set_next(lowest, mv, cause);
		return;
	}
	lowest->mv = mv;
	lowest->cause = cause;
	if (before.mv != 0)
		set_next(lowest, before.mv, before.cause);
}

static const struct lowest nothing = {.cause = {.rule = RULE_NO_DATA,
						.pack = FIELD_UNKNOWN,
						.cell = FIELD_UNKNOWN,
						.other = FIELD_UNKNOWN,
						.value = FIELD_UNKNOWN}};

static struct cause cause_of_target(const struct fusion *fusion, const struct slot *slot)
{
	const int32_t target_mv = slot_charge_target(fusion, slot);

	if (target_mv == slot->charge_voltage_mv)
		return cause_of(RULE_PACK_REQUEST, slot_number(fusion, slot));
	return cause_of(RULE_CHARGE_TARGET, FIELD_UNKNOWN);
}

/* The highest target of the packs that still charge. */
static struct lowest highest_target(const struct fusion *fusion)
{
	struct lowest highest = nothing;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];

		if (slot_still_charges(slot) && slot_charge_target(fusion, slot) > highest.mv) {
			highest.mv = slot_charge_target(fusion, slot);
			highest.cause = cause_of_target(fusion, slot);
		}
	}
	return highest;
}

/* What the charge cycle asks for. */
static struct lowest stage_target(const struct fusion *fusion)
{
	const struct fusion_config *config = &fusion->config;
	const int64_t float_mv = (int64_t)config->cells_in_series * config->float_target_cell_mv;
	struct lowest lowest = nothing;

	if (config->cvl_policy == CVL_HIGHEST && !fusion->all_finished)
		return highest_target(fusion);
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];

		if (!slot_is_online(slot))
			continue;
		if (fusion->all_finished || slot_still_charges(slot))
			lower(&lowest, slot_charge_target(fusion, slot),
			      cause_of_target(fusion, slot));
		else if (config->cvl_policy == CVL_LOWEST && slot->finished)
			lower(&lowest, float_mv, cause_of(RULE_FLOAT, i + 1));
	}
	if (fusion->all_finished)
		lower(&lowest, float_mv, cause_of(RULE_FLOAT, FIELD_UNKNOWN));
	return lowest;
}

/* A pack with cells above the target: its own voltage, less what they are too high. */
static void apply_excess(const struct fusion *fusion, const struct slot *slot,
			 struct lowest *lowest)
{
	const struct cell_extreme max = slot->cells.max;
	const int32_t target_mv = fusion->config.charge_target_cell_mv;
	struct cause cause = cause_of(RULE_CELL_EXCESS, slot_number(fusion, slot));
	int64_t excess_mv = 0;

	if (max.mv <= target_mv) /* unknown is low */
		return;
	for (int i = 0; i < slot->good.cell_count; i++)
		if (slot->good.cells_mv[i] > target_mv)
			excess_mv += slot->good.cells_mv[i] - target_mv;
	cause.cell = max.cell;
	cause.value = max.mv;
	lower(lowest, slot->good.voltage_mv - excess_mv, cause);
}

static void apply_doubtful(const struct fusion *fusion, const struct slot *slot,
			   struct lowest *lowest)
{
	const int32_t cells = slot->cell_count ? slot->cell_count : fusion->config.cells_in_series;

	lower(lowest, slot_charge_target(fusion, slot), cause_of_target(fusion, slot));
	if (slot->silent)
		lower(lowest, (int64_t)cells * fusion->config.silent_cell_mv,
		      cause_of(RULE_SILENT_VOLTAGE, slot_number(fusion, slot)));
}

/* What must not be exceeded, whatever the charge cycle asks for; 0 = nothing special. */
static struct lowest protective_limit(const struct fusion *fusion)
{
	struct lowest lowest = nothing;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];

		if (!slot->has_good || slot->isolated)
			continue;
		if (slot->good.charge_mos != 0)
			apply_excess(fusion, slot, &lowest);
		if (slot->silent || slot->presence[CHARGE] == PRESENCE_PERHAPS)
			apply_doubtful(fusion, slot, &lowest);
	}
	return lowest;
}

static int64_t step_of(const struct fusion *fusion)
{
	return fusion->elapsed_ms < STEP_MAX_MS ? fusion->elapsed_ms : STEP_MAX_MS;
}

static void fall_to(struct fusion *fusion, struct lowest want, bool slowly)
{
	const int64_t slow_uv =
		fusion->charge_voltage_uv -
		INT64_C(1000) * fusion->config.float_fall_per_min_mv * step_of(fusion) / 60000;

	fusion->charge_voltage_uv = want.mv * 1000;
	if (slowly && slow_uv > want.mv * 1000) {
		fusion->charge_voltage_uv = slow_uv;
		fusion->voltage_cause[0] = cause_of(RULE_VOLTAGE_FALL, FIELD_UNKNOWN);
	}
}

static void rise_to(struct fusion *fusion, int64_t target_uv)
{
	if (fusion->voltage_permitted_ms < 0)
		fusion->voltage_permitted_ms = fusion->now_ms;
	if (fusion->now_ms - fusion->voltage_permitted_ms >= fusion->config.voltage_rise_hold_ms)
		fusion->charge_voltage_uv += fusion->config.voltage_rise_per_s_mv * step_of(fusion);
	if (fusion->charge_voltage_uv >= target_uv)
		fusion->charge_voltage_uv = target_uv;
	else
		fusion->voltage_cause[0] = cause_of(RULE_VOLTAGE_RISE, FIELD_UNKNOWN);
}

static void move(struct fusion *fusion, struct lowest want, struct lowest guard)
{
	const bool guarded = guard.mv != 0 && guard.mv < want.mv;
	const int64_t target_uv = (guarded ? guard.mv : want.mv) * 1000;

	fusion->voltage_cause[0] = guarded ? guard.cause : want.cause;
	if (fusion->charge_voltage_uv == 0)
		fusion->charge_voltage_uv = target_uv;
	if (target_uv > fusion->charge_voltage_uv) {
		rise_to(fusion, target_uv);
		return;
	}
	fusion->voltage_permitted_ms = -1;
	if (want.mv * 1000 < fusion->charge_voltage_uv)
		fall_to(fusion, want, want.cause.rule == RULE_FLOAT || fusion->all_finished);
	if (guard.mv != 0 && guard.mv * 1000 <= fusion->charge_voltage_uv) {
		fusion->charge_voltage_uv = guard.mv * 1000;
		fusion->voltage_cause[0] = guard.cause;
	}
}

/* What comes next: while the voltage moves, where it goes to; else the lowest of another cause. */
static struct bound next_charge_voltage(const struct fusion *fusion, struct lowest want,
					const struct lowest *guard)
{
	const enum rule rule = fusion->voltage_cause[0].rule;

	lower(&want, guard->mv, guard->cause);
	lower(&want, guard->next_mv, guard->next_cause);
	if (rule == RULE_VOLTAGE_RISE || rule == RULE_VOLTAGE_FALL)
		return (struct bound){(int32_t)want.mv, want.cause};
	return want.next_mv ? (struct bound){(int32_t)want.next_mv, want.next_cause} : bound_none();
}

/* The highest voltage that anybody asks discharge to end at, and the one below. */
static void limit_discharge(struct fusion *fusion)
{
	struct bound end = {fusion->config.cells_in_series * fusion->config.cell_undervoltage_mv,
			    cause_of(RULE_DISCHARGE_END, FIELD_UNKNOWN)};
	struct bound next = bound_none();

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];
		struct bound asked = {slot->discharge_voltage_mv,
				      cause_of(RULE_PACK_REQUEST, i + 1)};

		if (!slot->has_good || slot->isolated)
			continue;
		if (asked.value > end.value) {
			next = end;
			end = asked;
		} else if (asked.value > next.value) {
			next = asked;
		}
	}
	fusion->discharge_voltage_mv = end.value;
	fusion->voltage_cause[1] = end.cause;
	fusion->voltage_next[1] = next;
}

void fusion_limit_voltage(struct fusion *fusion)
{
	const struct lowest guard = protective_limit(fusion);
	const struct lowest want = fusion->recovering ? guard : stage_target(fusion);

	if (want.mv == 0) { /* nobody is online: nothing to say, and what was reached stays */
		fusion->charge_voltage_mv = fusion->discharge_voltage_mv = FIELD_UNKNOWN;
		fusion->voltage_cause[0] = cause_of(RULE_NO_DATA, FIELD_UNKNOWN);
		fusion->voltage_cause[1] = fusion->voltage_cause[0];
		fusion->voltage_next[0] = fusion->voltage_next[1] = bound_none();
		return;
	}
	move(fusion, want, guard);
	limit_discharge(fusion);
	fusion->voltage_next[0] = next_charge_voltage(fusion, want, &guard);
	fusion->charge_voltage_mv = (int32_t)(fusion->charge_voltage_uv / 1000);
	if (fusion->all_finished)
		fusion->stage = fusion->voltage_cause[0].rule == RULE_VOLTAGE_FALL ? CHARGE_FLOAT
										   : CHARGE_DONE;
}
