// SPDX-License-Identifier: Apache-2.0
/* The invariants, each with its argument. They look at the truth of the plant, at what the engine
 * publishes and at what reaches the wire, and know nothing of the rules in between: a rule may
 * change, a promise may not. Here: what the engine publishes and what reaches the wire, which
 * nothing excuses. What packs go through is in invariants_plant.c, with its excuses; two promises
 * are kept by running steps again with other input, in invariants_rerun.c. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/fusion_state.h" /* for the size of its memory, and its target in fall_late */
#include "invariants_state.h"
#include "onepack/lease.h"

#define REPEAT_MS 600000 /* the same violation is told again after this */
#define NO_PACK   FIELD_UNKNOWN

static const char *const names[INVARIANT_COUNT] = {
#define X(name, promise) #name,
	SIM_INVARIANTS(X)
#undef X
};

static const char *const promises[INVARIANT_COUNT] = {
#define X(name, promise) promise,
	SIM_INVARIANTS(X)
#undef X
};

const char *invariant_name(enum invariant invariant)
{
	return names[invariant];
}

const char *invariant_promise(enum invariant invariant)
{
	return promises[invariant];
}

int invariant_by_name(const char *name)
{
	for (int i = 0; i < INVARIANT_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

/* --- common --- */

const struct reason *invariants_reason(const struct battery *battery, enum limit limit)
{
	for (int i = 0; i < battery->reason_count; i++)
		if (battery->reasons[i].limit == limit)
			return &battery->reasons[i];
	return NULL;
}

static const char *sentence(const struct invariants *inv, enum limit limit)
{
	const struct reason *reason =
		inv->has_published ? invariants_reason(&inv->published, limit) : NULL;

	return reason ? reason->text : "nothing published";
}

void invariants_break(struct invariants *inv, enum invariant which, int32_t pack, int64_t now_ms,
		      const char *format, ...)
{
	struct violation v = {.invariant = which, .time_ms = now_ms, .pack = pack};
	int64_t *told_ms = &inv->told_ms[which][pack == NO_PACK ? 0 : pack];
	size_t used;
	va_list list;

	if (*told_ms != INVARIANTS_NEVER && now_ms - *told_ms < REPEAT_MS)
		return;
	*told_ms = now_ms;
	inv->figures.violations[which]++;
	va_start(list, format);
	used = (size_t)vsnprintf(v.text, sizeof v.text, format, list);
	va_end(list);
	if (used < sizeof v.text)
		snprintf(v.text + used, sizeof v.text - used, " [charge: %s | discharge: %s]",
			 sentence(inv, LIMIT_CHARGE_CURRENT),
			 sentence(inv, LIMIT_DISCHARGE_CURRENT));
	if (inv->tell)
		inv->tell(inv->context, &v);
}

int32_t invariants_limit_ma(const struct battery *battery, bool charging)
{
	const int32_t ma =
		charging ? battery->charge_current_limit_ma : battery->discharge_current_limit_ma;

	return ma == FIELD_UNKNOWN ? 0 : ma;
}

/* --- what the engine publishes --- */

/* fall_late: a limit falls in the step in which its reasons say so, never by degrees: whatever the
 * reasons are, the published value is not above what they came to.
 *
 * rise_fast: after a fall a limit stays where it is for rise_hold_s, and then rises by at most
 * rise_pct_per_s of the sum of all pack limits: a flickering input must not make the battery pump.
 * The sum is taken over all packs of the rack, which is more than fusion may ever use. */
static void check_moves(struct invariants *inv, const struct battery *out, int64_t now_ms)
{
	const struct fusion_config *config = &inv->scenario->battery;
	const int64_t passed_ms = inv->has_published ? now_ms - inv->step_ms : 0;

	for (int charging = 0; charging < 2; charging++) {
		const int32_t ma = invariants_limit_ma(out, charging);
		const int32_t before_ma =
			inv->has_published ? invariants_limit_ma(&inv->published, charging) : 0;
		const int32_t target_ma = inv->fusion->target_ma[charging ? CHARGE : DISCHARGE];
		int64_t sum_ma = 0;

		for (int i = 0; i < inv->scenario->pack_count; i++)
			sum_ma += charging ? inv->scenario->packs[i].charge_ma
					   : inv->scenario->packs[i].discharge_ma;
		inv->figures.checks[INVARIANT_fall_late]++;
		inv->figures.checks[INVARIANT_rise_fast]++;
		if (ma > target_ma)
			invariants_break(inv, INVARIANT_fall_late, NO_PACK, now_ms,
					 "%s limit %d mA, but its rules came to %d mA",
					 charging ? "charge" : "discharge", ma, target_ma);
		if (ma > before_ma + sum_ma * config->rise_pct_per_s * passed_ms / 100000 + 2)
			invariants_break(inv, INVARIANT_rise_fast, NO_PACK, now_ms,
					 "%s limit from %d to %d mA within %lld ms",
					 charging ? "charge" : "discharge", before_ma, ma,
					 (long long)passed_ms);
		else if (ma > before_ma && inv->fell_ms[charging] != INVARIANTS_NEVER &&
			 now_ms - inv->fell_ms[charging] < config->rise_hold_ms)
			invariants_break(inv, INVARIANT_rise_fast, NO_PACK, now_ms,
					 "%s limit rises to %d mA only %lld ms after a fall",
					 charging ? "charge" : "discharge", ma,
					 (long long)(now_ms - inv->fell_ms[charging]));
		if (ma < before_ma)
			inv->fell_ms[charging] = now_ms;
	}
}

/* reason_missing: whoever asks why a limit is what it is gets exactly one answer, and it is about
 * the published value. */
static void check_reasons(struct invariants *inv, const struct battery *out, int64_t now_ms)
{
	const int32_t values[LIMIT_COUNT] = {
		out->charge_current_limit_ma, out->discharge_current_limit_ma,
		out->charge_voltage_limit_mv, out->discharge_voltage_limit_mv};

	inv->figures.checks[INVARIANT_reason_missing]++;
	for (int i = 0; i < LIMIT_COUNT; i++) {
		const struct reason *reason = invariants_reason(out, (enum limit)i);
		int count = 0;

		for (int k = 0; k < out->reason_count; k++)
			count += out->reasons[k].limit == (enum limit)i;
		if (count != 1 || reason->value != values[i] || !reason->text[0] ||
		    !reason->rule[0])
			invariants_break(inv, INVARIANT_reason_missing, NO_PACK, now_ms,
					 "%s is %d, %d reasons, the first about %d",
					 limit_name((enum limit)i), values[i], count,
					 reason ? reason->value : 0);
	}
}

/* old_data: what is older than 60 s is no measurement any more. A pack that has not answered for
 * longer is not online and shows no values, no extreme of the battery is one of its cells, and when
 * all packs are like that there are no values and no current at all. (That it is not hidden in a
 * mean or a sum is checked by invariants_rerun.c: other old values must not change what is
 * published.) */
static void check_age(struct invariants *inv, const struct battery *out, int64_t now_ms)
{
	bool any = false;

	inv->figures.checks[INVARIANT_old_data]++;
	for (int i = 0; i < out->pack_count; i++) {
		const struct pack *pack = &out->packs[i];
		const struct seen_pack *seen = &inv->packs[pack->pack - 1];

		if (seen->has_last && now_ms - seen->last_ms <= BAN_MS) {
			any = true;
			continue;
		}
		if (pack->state == PACK_ACTIVE || pack->state == PACK_HELD ||
		    pack->voltage_mv != FIELD_UNKNOWN || pack->current_ma != FIELD_UNKNOWN ||
		    pack->soc_mpct != FIELD_UNKNOWN || out->cell_max_pack == pack->pack ||
		    out->cell_min_pack == pack->pack || out->temperature_max_pack == pack->pack ||
		    out->temperature_min_pack == pack->pack)
			invariants_break(inv, INVARIANT_old_data, pack->pack, now_ms,
					 "state %s and values although its last answer is %lld ms "
					 "old",
					 unit_word(UNIT_PACK_STATE, pack->state),
					 (long long)(now_ms - seen->last_ms));
	}
	if (!any && (out->voltage_mv != FIELD_UNKNOWN || out->current_ma != FIELD_UNKNOWN ||
		     out->soc_mpct != FIELD_UNKNOWN || invariants_limit_ma(out, true) > 0 ||
		     invariants_limit_ma(out, false) > 0))
		invariants_break(inv, INVARIANT_old_data, NO_PACK, now_ms,
				 "no pack has answered for a minute, yet there are values");
}

void invariants_before_fusion(struct invariants *inv, const struct fusion *fusion,
			      const struct fusion_input *input)
{
	inv->fusion = fusion;
	inv->input = input;
	inv->steps++;
	inv->reruns = inv->every > 0 && inv->steps % inv->every == 0;
	if (inv->reruns)
		memcpy(inv->memory, fusion, sizeof *fusion);
}

/* What the engine believed in this step. */
static void note_answers(struct invariants *inv, const struct battery *out, int64_t now_ms)
{
	const struct fusion_input *input = inv->input;

	for (int i = 0; i < input->pack_count; i++) {
		struct seen_pack *seen = &inv->packs[input->packs[i].pack - 1];

		seen->last = input->packs[i];
		seen->has_last = true;
		seen->last_ms = now_ms;
	}
	for (int i = 0; i < out->pack_count; i++) {
		const struct pack *pack = &out->packs[i];
		struct seen_pack *seen = &inv->packs[pack->pack - 1];

		if (seen->last_ms != now_ms || seen->heard_ms == now_ms || pack->age_ms != 0 ||
		    (pack->state != PACK_ACTIVE && pack->state != PACK_CANDIDATE))
			continue;
		seen->heard_ms = now_ms;
		seen->answers++;
	}
}

void invariants_after_fusion(struct invariants *inv, const struct battery *out)
{
	const int64_t now_ms = inv->input->now_ms;

	check_moves(inv, out, now_ms);
	check_reasons(inv, out, now_ms);
	if (inv->reruns)
		invariants_rerun(inv, out);
	note_answers(inv, out, now_ms);
	check_age(inv, out, now_ms);
	inv->published = *out;
	inv->has_published = true;
	inv->step_ms = now_ms;
	inv->fusion = NULL;
	inv->input = NULL;
}

/* --- what reaches the wire --- */

/* lease_ignored: a link whose engine is silent must say "no current" by itself: silence is no
 * fail-safe, inverters go on with what they heard last. 100 mA are how Sofar's protocol says none.
 */
static void check_lease(struct invariants *inv, int64_t now_ms, const struct battery *said)
{
	const int32_t none_ma = 100;
	const bool charge = said->charge_allowed != 0 &&
			    said->charge_current_limit_ma != FIELD_UNKNOWN &&
			    abs(said->charge_current_limit_ma) > none_ma;
	const bool discharge = said->discharge_allowed != 0 &&
			       said->discharge_current_limit_ma != FIELD_UNKNOWN &&
			       abs(said->discharge_current_limit_ma) > none_ma;

	inv->figures.checks[INVARIANT_lease_ignored]++;
	if (charge || discharge)
		invariants_break(inv, INVARIANT_lease_ignored, NO_PACK, now_ms,
				 "%d mA charge and %d mA discharge said %lld ms after the last "
				 "step of the engine",
				 said->charge_current_limit_ma, said->discharge_current_limit_ma,
				 (long long)(inv->step_ms < 0 ? -1 : now_ms - inv->step_ms));
}

void invariants_on_frame(struct invariants *inv, int64_t now_ms, const struct wire_values *said,
			 bool lease_valid)
{
	const struct battery *b = &said->battery;
	const bool expired = inv->step_ms < 0 || now_ms - inv->step_ms > LEASE_TTL_MS + 500;

	inv->frame_ms = now_ms;
	/* zero_voltage: an inverter that is told 0 V takes it for a dead battery, keeps its old
	 * limits, or charges to its own idea of full. */
	inv->figures.checks[INVARIANT_zero_voltage]++;
	if (b->voltage_mv == 0 || b->charge_voltage_limit_mv == 0 ||
	    b->discharge_voltage_limit_mv == 0)
		invariants_break(inv, INVARIANT_zero_voltage, NO_PACK, now_ms,
				 "said: battery %d mV, charge to %d mV, discharge to %d mV",
				 b->voltage_mv, b->charge_voltage_limit_mv,
				 b->discharge_voltage_limit_mv);
	/* soc_range: what is outside makes inverters reject the frame or start the grid charger. */
	inv->figures.checks[INVARIANT_soc_range]++;
	if (b->soc_mpct != FIELD_UNKNOWN && (b->soc_mpct < 0 || b->soc_mpct > 100000))
		invariants_break(inv, INVARIANT_soc_range, NO_PACK, now_ms, "said: %d %%",
				 b->soc_mpct / 1000);
	if (!lease_valid || expired)
		check_lease(inv, now_ms, b);
}

/* --- life --- */

struct invariants *invariants_new(const struct scenario *scenario, int every, invariants_tell *tell,
				  void *context)
{
	struct invariants *inv = calloc(1, sizeof *inv);

	if (!inv)
		return NULL;
	inv->scenario = scenario;
	inv->every = every;
	inv->tell = tell;
	inv->context = context;
	inv->random.state = scenario->seed ^ 0x1F4A7C15;
	inv->step_ms = -1;
	inv->changed_ms = inv->fell_ms[0] = inv->fell_ms[1] = INVARIANTS_NEVER;
	for (int i = 0; i < INVARIANT_COUNT; i++)
		for (int k = 0; k <= ONEPACK_MAX_PACKS; k++)
			inv->told_ms[i][k] = INVARIANTS_NEVER;
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		inv->packs[i].heard_ms = -1;
		inv->packs[i].swap_mpct = FIELD_UNKNOWN;
	}
	inv->memory = malloc(sizeof *inv->memory);
	inv->scratch[0] = malloc(sizeof *inv->memory);
	inv->scratch[1] = malloc(sizeof *inv->memory);
	inv->changed = malloc(sizeof *inv->changed);
	if (inv->memory && inv->scratch[0] && inv->scratch[1] && inv->changed)
		return inv;
	invariants_free(inv);
	return NULL;
}

void invariants_free(struct invariants *inv)
{
	if (!inv)
		return;
	free(inv->memory);
	free(inv->scratch[0]);
	free(inv->scratch[1]);
	free(inv->changed);
	free(inv);
}

void invariants_get_figures(const struct invariants *inv, struct invariants_figures *out)
{
	*out = inv->figures;
}
