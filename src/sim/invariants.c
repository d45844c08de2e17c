// SPDX-License-Identifier: Apache-2.0
/* The invariants, each with its argument. They look at the truth of the plant, at what the engine
 * publishes and at what reaches the wire, and know nothing of the rules in between: a rule may
 * change, a promise may not. What a fault excuses is said where an invariant asks for it; which
 * fault gives which excuse, and for how long, is the table in truth.c.
 *
 * Two of them run steps again with other input; that machinery is in invariants_rerun.c. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/fusion_state.h" /* for the size of its memory, and its target in fall_late */
#include "invariants_state.h"
#include "onepack/lease.h"

#define NEVER     INT64_MIN
#define REPEAT_MS 600000 /* the same violation is told again after this */
#define NO_PACK   FIELD_UNKNOWN
#define REASON_MS 3000 /* a link sees a new snapshot and says it, in any protocol */
#define ANSWERS                                                                        \
	4 /* believed answers until the engine must have acted: it asks for three that \
	     agree before it takes a drift for one */
#define UNHEARD_MS 30000 /* an undisturbed pack is heard more often than this, by far */
#define SILENT_MS  15000 /* unheard for this long, a pack counts as silent: 10 s, and a reaction */
#define JUDGE_MS   5000  /* an excuse is looked at again after this */
#define SMALL_A    1.0   /* no current: rounding of a wire, offset of sensors */

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

static const struct reason *reason_of(const struct battery *battery, enum limit limit)
{
	for (int i = 0; i < battery->reason_count; i++)
		if (battery->reasons[i].limit == limit)
			return &battery->reasons[i];
	return NULL;
}

static const char *sentence(const struct invariants *inv, enum limit limit)
{
	const struct reason *reason = inv->has_published ? reason_of(&inv->published, limit) : NULL;

	return reason ? reason->text : "nothing published";
}

void invariants_break(struct invariants *inv, enum invariant which, int32_t pack, int64_t now_ms,
		      const char *format, ...)
{
	struct violation v = {.invariant = which, .time_ms = now_ms, .pack = pack};
	int64_t *told_ms = &inv->told_ms[which][pack == NO_PACK ? 0 : pack];
	size_t used;
	va_list list;

	if (*told_ms != NEVER && now_ms - *told_ms < REPEAT_MS)
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

static int32_t current_limit_ma(const struct battery *battery, bool charging)
{
	const int32_t ma =
		charging ? battery->charge_current_limit_ma : battery->discharge_current_limit_ma;

	return ma == FIELD_UNKNOWN ? 0 : ma;
}

/* What an obeying inverter may take: nothing once the lease has run out. */
static double effective_limit_a(const struct invariants *inv, bool charging, int64_t now_ms)
{
	if (inv->step_ms < 0 || now_ms - inv->step_ms > LEASE_TTL_MS)
		return 0;
	return current_limit_ma(&inv->published, charging) / 1000.0;
}

/* How long it takes from a new snapshot until the current is there: the link says it within a
 * second (on RS485: when it is asked), the machine moves within half a second, the plant steps. */
static int64_t reaction_ms(const struct sim_inverter *inverter, const struct scenario *scenario)
{
	const bool polls = strncmp(scenario->inverter, "rs485/", 6) == 0;

	return REASON_MS + 2000 + (polls ? inverter->lost_ms : 0);
}

static double bus_flow_a(const struct invariants_plant *now, bool charging)
{
	return charging ? now->plant->bus_a : -now->plant->bus_a;
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
		const int32_t ma = current_limit_ma(out, charging);
		const int32_t before_ma =
			inv->has_published ? current_limit_ma(&inv->published, charging) : 0;
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
		else if (ma > before_ma && inv->fell_ms[charging] != NEVER &&
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
		const struct reason *reason = reason_of(out, (enum limit)i);
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

		if (seen->has_last && now_ms - seen->last_ms <= LOST_MS * 2) {
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
		     out->soc_mpct != FIELD_UNKNOWN || current_limit_ma(out, true) > 0 ||
		     current_limit_ma(out, false) > 0))
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

		if (seen->last_ms != now_ms || pack->age_ms != 0 ||
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

/* --- the plant --- */

static bool is_excused(struct invariants *inv, enum invariant which, bool excused)
{
	if (excused)
		inv->figures.excused[which]++;
	return excused;
}

/* The gateway did what it can: it has allowed nothing in this direction for long enough, and
 * nothing flows over the bus. What a pack has then comes from other packs, from its own cells or
 * from the weather, and no limit changes it. The reason must say that current is not allowed. */
static bool acted_first(const struct invariants *inv, const struct invariants_plant *now,
			bool charging)
{
	const struct reason *reason = reason_of(
		&inv->published, charging ? LIMIT_CHARGE_CURRENT : LIMIT_DISCHARGE_CURRENT);

	return inv->zero_since_ms[charging] >= 0 &&
	       now->now_ms - inv->zero_since_ms[charging] >=
		       reaction_ms(now->inverter, inv->scenario) &&
	       bus_flow_a(now, charging) <= SMALL_A && reason && reason->value == 0 &&
	       reason->text[0];
}

/* The inverter takes more than it was told, and a fault of it says why. */
static bool inverter_errs(const struct invariants *inv, const struct invariants_plant *now,
			  bool charging, unsigned excuses)
{
	const double limit_a = effective_limit_a(inv, charging, now->now_ms);

	return (excuses & (EXCUSE(disobeys) | EXCUSE(deaf))) &&
	       bus_flow_a(now, charging) > limit_a * 1.02 + SMALL_A;
}

/* A pack that nobody hears may have a bad lead or other voltages than when it was last heard, and
 * so more than its share; that cannot be known. But its share by capacity of what flows must stay
 * within the half of its limit that it is given while silent. */
static bool share_is_small(const struct invariants_plant *now, int index, bool charging,
			   double limit_a)
{
	const struct plant *plant = now->plant;
	double capacity_ah = 0;

	for (int i = 0; i < plant->pack_count; i++)
		if (truth_conducts(&plant->packs[i]))
			capacity_ah += plant->packs[i].bms.full_ah;
	return bus_flow_a(now, charging) * plant->packs[index].bms.full_ah / capacity_ah <=
	       limit_a * 0.6;
}

/* Whether a pack may be above its limit all the same. */
static bool excuse_over(const struct invariants *inv, const struct invariants_plant *now, int index,
			bool charging, enum truth_part part, int64_t since_ms, double limit_a)
{
	const struct seen_pack *seen = &inv->packs[index];
	const unsigned all = truth_excuses(inv->scenario, index + 1, since_ms, now->now_ms);
	const unsigned lies = part == TRUTH_CELLS         ? EXCUSE(cells_lie)
			      : part == TRUTH_TEMPERATURE ? EXCUSE(heat_lies)
							  : 0;
	const unsigned blind = all & (EXCUSE(unheard) | EXCUSE(no_engine));

	if (all & (lies | EXCUSE(current_lies)))
		return true;
	if (acted_first(inv, now, charging) || inverter_errs(inv, now, charging, all))
		return true;
	if (seen->heard_ms < 0)
		return blind; /* unknown to this engine: it cannot be in any sum */
	if (now->now_ms - seen->heard_ms > SILENT_MS && part != TRUTH_BMS)
		return blind; /* nobody sees its cells and sensors */
	if (now->now_ms - seen->heard_ms > SILENT_MS)
		return blind && share_is_small(now, index, charging, limit_a);
	return all & EXCUSE(no_engine);
}

static const char *direction(bool charging)
{
	return charging ? "charging" : "discharging";
}

/* pack_over_limit: no pack carries more than its BMS trips at, or than the curves for its true
 * temperature and its cells allow, for longer than it takes to measure that and to react once.
 * Measured: four believed answers after it began (or half a minute, if none come and no fault keeps
 * them). Reacted: reaction_ms.
 *
 * Excused: a sensor that lies about just this, while it does. An inverter that takes more than it
 * was told because of a fault. A pack that a fault keeps from being heard, as long as its share by
 * capacity stays within half its limit. An engine that is away (the lease is another invariant).
 * And physics: with the limit at zero and the bus at rest, packs charge each other.
 *
 * loss_overloads is the same when it began just after another pack went: the rest must be relieved
 * within the same time. With n_minus_1 there is a stricter check below. */
static void judge_over(struct invariants *inv, const struct invariants_plant *now, int index,
		       bool charging, enum truth_part part, double flow_a, double limit_a)
{
	struct seen_pack *seen = &inv->packs[index];
	struct over *over = &seen->over[charging][part];
	const bool lost = inv->changed_ms != NEVER && over->since_ms >= inv->changed_ms &&
			  over->since_ms - inv->changed_ms <= 2000;
	const enum invariant which = lost ? INVARIANT_loss_overloads : INVARIANT_pack_over_limit;

	if (over->judged_ms >= 0 && now->now_ms - over->judged_ms < JUDGE_MS)
		return;
	over->judged_ms = now->now_ms;
	if (is_excused(inv, which,
		       excuse_over(inv, now, index, charging, part, over->since_ms, limit_a)))
		return;
	invariants_break(inv, which, index + 1, now->now_ms,
			 "%s with %.1f A for %lld ms, its %s allows %.1f A; heard %lld times "
			 "meanwhile; limit %.1f A, bus %.1f A",
			 direction(charging), flow_a, (long long)(now->now_ms - over->since_ms),
			 truth_part_name(part), limit_a,
			 (long long)(seen->answers - over->answers_before),
			 effective_limit_a(inv, charging, now->now_ms), now->plant->bus_a);
}

static void check_over(struct invariants *inv, const struct invariants_plant *now, int index,
		       bool charging, enum truth_part part)
{
	const struct sim_pack *pack = &now->plant->packs[index];
	struct seen_pack *seen = &inv->packs[index];
	struct over *over = &seen->over[charging][part];
	const double flow_a = charging ? pack->current_a : -pack->current_a;
	double limit_a;

	if (flow_a < SMALL_A || !truth_conducts(pack)) {
		over->acts = false;
		return;
	}
	inv->figures.checks[INVARIANT_pack_over_limit]++;
	limit_a = truth_limit_a(inv->scenario, pack, part, charging);
	if (flow_a <= limit_a) {
		over->acts = false;
		return;
	}
	if (!over->acts)
		*over = (struct over){true, now->now_ms, seen->answers, -1, -1};
	if (over->known_ms < 0 && seen->answers - over->answers_before >= ANSWERS)
		over->known_ms = now->now_ms;
	if (over->known_ms >= 0
		    ? now->now_ms - over->known_ms >= reaction_ms(now->inverter, inv->scenario)
		    : now->now_ms - over->since_ms >= UNHEARD_MS)
		judge_over(inv, now, index, charging, part, flow_a, limit_a);
}

/* Which direction a protection is about, and which lie of the pack explains it. */
static void sort_protection(enum alarm alarm, bool *charging, unsigned *lie)
{
	switch (alarm) {
	case ALARM_cell_overvoltage:
	case ALARM_pack_overvoltage:
		*charging = true;
		*lie = EXCUSE(cells_lie);
		break;
	case ALARM_cell_undervoltage:
	case ALARM_pack_undervoltage:
		*charging = false;
		*lie = EXCUSE(cells_lie);
		break;
	case ALARM_charge_overcurrent:
		*charging = true;
		*lie = EXCUSE(current_lies);
		break;
	case ALARM_discharge_overcurrent:
		*charging = false;
		*lie = EXCUSE(current_lies);
		break;
	default:
		*charging = alarm != ALARM_discharge_overtemperature;
		*lie = EXCUSE(heat_lies);
		break;
	}
}

static bool is_overcurrent(enum alarm alarm)
{
	return alarm == ALARM_charge_overcurrent || alarm == ALARM_discharge_overcurrent;
}

/* protection_used: the gateway's limits keep every pack so far from what its BMS protects against
 * that the BMS never has to act.
 *
 * Excused: the BMS acted on a sensor that lies. The gateway had acted first (nothing allowed,
 * nothing flowing). An inverter that errs, also by charging above its voltage. A pack that a fault
 * keeps from being heard, or an engine that is away; but while a pack is silent for a minute the
 * bus must not charge it above what silent packs are held at (3.375 V per cell). And over-current
 * protections just after the network changed, unless n_minus_1 promises more: they act faster than
 * sixteen packs can be asked. */
static bool excuse_protection(const struct invariants *inv, const struct invariants_plant *now,
			      int index, enum alarm alarm)
{
	const int64_t since_ms = now->now_ms - SILENT_MS;
	const struct seen_pack *seen = &inv->packs[index];
	const unsigned all = truth_excuses(inv->scenario, index + 1, since_ms, now->now_ms);
	const bool silent = seen->heard_ms < 0 || now->now_ms - seen->heard_ms > 60000;
	const double held_v = 3.40 * now->plant->packs[index].cell_count;
	bool charging;
	unsigned lie;

	sort_protection(alarm, &charging, &lie);
	if (all & lie)
		return true;
	if (acted_first(inv, now, charging) || inverter_errs(inv, now, charging, all) ||
	    (charging && (all & EXCUSE(overvolts))))
		return true;
	if (is_overcurrent(alarm) && inv->scenario->battery.n_minus_1 != 1 &&
	    ((inv->changed_ms != NEVER && inv->changed_ms >= since_ms) ||
	     truth_network_changed(inv->scenario, since_ms, now->now_ms)))
		return true;
	if (alarm == ALARM_cell_overvoltage && silent && now->plant->bus_v > held_v)
		return false;
	return all & (EXCUSE(unheard) | EXCUSE(no_engine) | EXCUSE(deaf));
}

static double cell_v(const struct bms *bms, bool highest)
{
	double v = bms->cells_v[0];

	for (int i = 1; i < bms->cell_count; i++)
		v = highest ? fmax(v, bms->cells_v[i]) : fmin(v, bms->cells_v[i]);
	return v;
}

static void check_protections(struct invariants *inv, const struct invariants_plant *now, int index)
{
	const struct sim_pack *pack = &now->plant->packs[index];
	struct seen_pack *seen = &inv->packs[index];
	const alarm_set fresh = pack->bms.protections & ~seen->protections;

	inv->figures.checks[INVARIANT_protection_used]++;
	seen->protections = pack->bms.protections;
	for (int alarm = 0; fresh >> alarm; alarm++) {
		if (!(fresh >> alarm & 1) ||
		    is_excused(inv, INVARIANT_protection_used,
			       excuse_protection(inv, now, index, (enum alarm)alarm)))
			continue;
		invariants_break(inv, INVARIANT_protection_used, index + 1, now->now_ms,
				 "%s: %.1f A, cells %.3f to %.3f V, %.1f degC; limits %.1f and "
				 "%.1f A, bus %.1f A, %.2f V",
				 alarm_name((enum alarm)alarm), pack->current_a,
				 cell_v(&pack->bms, false), cell_v(&pack->bms, true), pack->cell_c,
				 effective_limit_a(inv, true, now->now_ms),
				 effective_limit_a(inv, false, now->now_ms), now->plant->bus_a,
				 now->plant->bus_v);
	}
}

/* loss_overloads with n_minus_1: whichever pack goes next, the same current over the others leaves
 * each below its trip. Asked of the plant itself: the pack is taken out and the currents are solved
 * again. The gateway knows shares only as far as it has learned them: a pack whose true share is
 * larger than its part of the capacity is judged by the latter. Not asked while a fault hides
 * something. */
static void check_without(struct invariants *inv, const struct invariants_plant *now, int gone)
{
	const struct plant *plant = now->plant;
	const bool charging = plant->bus_a > 0;
	const double sign = charging ? 1 : -1;
	struct plant_demand demand = *now->demand;
	struct sim_branch rest[ONEPACK_MAX_PACKS] = {{0}};
	int number[ONEPACK_MAX_PACKS], count = 0;
	double bus_v, bus_a, capacity_ah = 0;

	for (int i = 0; i < plant->pack_count; i++) {
		if (i == gone || !truth_conducts(&plant->packs[i]))
			continue;
		capacity_ah += plant->packs[i].bms.full_ah;
		number[count] = i;
		rest[count++] = sim_pack_branch(&plant->packs[i]);
	}
	demand.current_a = plant->bus_a;
	bus_v = plant_solve(rest, count, &demand, &bus_a);
	inv->figures.checks[INVARIANT_loss_overloads] += count > 0;
	for (int i = 0; i < count; i++) {
		const struct sim_pack *pack = &plant->packs[number[i]];
		const double trip_a = truth_limit_a(inv->scenario, pack, TRUTH_BMS, charging);
		const double flow_a = sign * sim_branch_current_a(&rest[i], bus_v);
		const double share_a = sign * bus_a * pack->bms.full_ah / capacity_ah;

		if (fmin(flow_a, share_a) > 1.02 * trip_a)
			invariants_break(inv, INVARIANT_loss_overloads, number[i] + 1, now->now_ms,
					 "without pack %d it would have %.1f A of %.1f A", gone + 1,
					 flow_a, trip_a);
	}
}

static void check_single_losses(struct invariants *inv, const struct invariants_plant *now)
{
	const int64_t since_ms = now->now_ms - UNHEARD_MS;

	if (inv->scenario->battery.n_minus_1 != 1 || fabs(now->plant->bus_a) < SMALL_A ||
	    truth_excuses(inv->scenario, TRUTH_ANY_PACK, since_ms, now->now_ms) ||
	    truth_network_changed(inv->scenario, since_ms, now->now_ms))
		return;
	for (int gone = 0; gone < now->plant->pack_count; gone++)
		if (truth_conducts(&now->plant->packs[gone]))
			check_without(inv, now, gone);
}

/* energy_lost: what came in over the bus is in the cells or has become heat. A plant that invents
 * or loses energy would prove nothing about the gateway. */
static void check_energy(struct invariants *inv, const struct invariants_plant *now)
{
	const double room_j = 0.003, floor_j = 2000.0 * now->plant->pack_count;
	const double heat_j = plant_heat_j(now->plant), terminal_j = now->plant->terminal_j;
	const double energy_j = plant_stored_j(now->plant) + heat_j - terminal_j;

	inv->figures.checks[INVARIANT_energy_lost]++;
	inv->moved_j += fabs(terminal_j - inv->terminal_j) + heat_j - inv->heat_j;
	inv->terminal_j = terminal_j;
	inv->heat_j = heat_j;
	inv->energy_ms = now->now_ms;
	if (inv->energy_j == 0)
		inv->energy_j = energy_j;
	else if (fabs(energy_j - inv->energy_j) > room_j * inv->moved_j + floor_j)
		invariants_break(inv, INVARIANT_energy_lost, NO_PACK, now->now_ms,
				 "%.0f J of %.0f J that moved", energy_j - inv->energy_j,
				 inv->moved_j);
}

/* frames_stop: an engine that lives has something to say, if only zeros, and inverters take silence
 * for a fault after three seconds. On RS485 the inverter asks; one that does not gets no answer. */
static void check_frames(struct invariants *inv, const struct invariants_plant *now)
{
	const bool polls = strncmp(inv->scenario->inverter, "rs485/", 6) == 0;
	const bool asks = !now->effects->inverter_silent && !now->effects->inverter.off;
	const int64_t most_ms = polls ? now->inverter->lost_ms + 2000 : 3000;

	if (!inv->engine_lives || (polls && !asks)) {
		inv->frame_ms = now->now_ms;
		return;
	}
	inv->figures.checks[INVARIANT_frames_stop]++;
	if (now->now_ms - inv->frame_ms > most_ms &&
	    now->now_ms - inv->engine_since_ms > 2 * most_ms)
		invariants_break(inv, INVARIANT_frames_stop, NO_PACK, now->now_ms,
				 "nothing was said for %lld ms",
				 (long long)(now->now_ms - inv->frame_ms));
}

/* lease_ignored, at the other end: without an engine no current flows, once the lease has run out
 * and the inverter has heard so. */
static void check_stop(struct invariants *inv, const struct invariants_plant *now)
{
	const int64_t last_ms = inv->step_ms < 0 ? 0 : inv->step_ms;
	const int64_t since_ms = last_ms + LEASE_TTL_MS;
	const unsigned errs = truth_excuses(inv->scenario, 0, since_ms, now->now_ms) &
			      (EXCUSE(disobeys) | EXCUSE(deaf));

	if (now->now_ms - since_ms <= reaction_ms(now->inverter, inv->scenario) ||
	    fabs(now->demand->current_a) <= SMALL_A)
		return;
	inv->figures.checks[INVARIANT_lease_ignored]++;
	if (!is_excused(inv, INVARIANT_lease_ignored, errs))
		invariants_break(inv, INVARIANT_lease_ignored, NO_PACK, now->now_ms,
				 "the inverter takes %.1f A, %lld ms after the last step of the "
				 "engine",
				 now->demand->current_a, (long long)(now->now_ms - last_ms));
}

/* An engine that starts again knows nothing: what it publishes begins at zero, and so do we. */
static void note_engine(struct invariants *inv, const struct invariants_plant *now)
{
	const bool lives = !now->effects->gateway_down && !now->effects->engine_hung;

	if (lives && !inv->engine_lives)
		inv->engine_since_ms = now->now_ms;
	inv->engine_lives = lives;
	if (!now->effects->gateway_down)
		return;
	inv->has_published = false;
	inv->fell_ms[0] = inv->fell_ms[1] = NEVER;
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		inv->packs[i].has_last = false;
		inv->packs[i].heard_ms = -1;
	}
}

static void note_network(struct invariants *inv, const struct invariants_plant *now)
{
	bool swapped = false;

	for (int i = 0; i < now->plant->pack_count; i++) {
		struct seen_pack *seen = &inv->packs[i];
		const bool conducts = truth_conducts(&now->plant->packs[i]);
		const int32_t swap_mpct = now->effects->packs[i].swap_mpct;

		if (conducts != seen->conducted)
			inv->changed_ms = now->now_ms;
		swapped |= swap_mpct != seen->swap_mpct && swap_mpct != FIELD_UNKNOWN;
		seen->conducted = conducts;
		seen->swap_mpct = swap_mpct;
	}
	if (swapped) /* somebody brought or took charge by hand */
		inv->energy_j = 0;
}

static void note_zero(struct invariants *inv, int64_t now_ms)
{
	for (int charging = 0; charging < 2; charging++) {
		if (effective_limit_a(inv, charging, now_ms) > 0)
			inv->zero_since_ms[charging] = -1;
		else if (inv->zero_since_ms[charging] < 0)
			inv->zero_since_ms[charging] = now_ms;
	}
}

void invariants_on_plant(struct invariants *inv, const struct invariants_plant *now)
{
	note_engine(inv, now);
	note_network(inv, now);
	note_zero(inv, now->now_ms);
	check_frames(inv, now);
	check_stop(inv, now);
	for (int i = 0; i < now->plant->pack_count; i++) {
		for (int part = 0; part < TRUTH_PARTS; part++) {
			check_over(inv, now, i, true, (enum truth_part)part);
			check_over(inv, now, i, false, (enum truth_part)part);
		}
		check_protections(inv, now, i);
	}
	if (inv->energy_j == 0 || now->now_ms - inv->energy_ms >= 60000) {
		check_energy(inv, now);
		check_single_losses(inv, now);
	}
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
	inv->changed_ms = inv->fell_ms[0] = inv->fell_ms[1] = NEVER;
	for (int i = 0; i < INVARIANT_COUNT; i++)
		for (int k = 0; k <= ONEPACK_MAX_PACKS; k++)
			inv->told_ms[i][k] = NEVER;
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
