// SPDX-License-Identifier: Apache-2.0
/* The invariants of the plant, each with its argument: what truly happens to the packs. What
 * excuses a breach is said at each; which fault gives which excuse, and for how long, is the table
 * in truth.c. Physics is an excuse only when the gateway had done all it can. */
#include <math.h>
#include <string.h>

#include "invariants_state.h"
#include "onepack/lease.h"

#define REASON_MS 3000 /* a link sees a new snapshot and says it, in any protocol */
#define ANSWERS                                                                        \
	4 /* believed answers until the engine must have acted: it asks for three that \
	     agree before it takes a drift for one */
#define UNHEARD_MS 30000 /* an undisturbed pack is heard more often than this, by far */
#define SILENT_MS  15000 /* unheard for this long, a pack counts as silent: 10 s, and a reaction */
#define JUDGE_MS   5000  /* an excuse is looked at again after this */
#define SETTLE_MS  5000  /* a change of current has gone through everything */
#define NEAR_PART  0.97  /* of its trip current: where a BMS may already count */
#define REST_PART  0.01  /* of the capacity per hour: no current, as far as sensors can tell */
#define SMALL_A    1.0   /* no current: rounding of a wire, offset of sensors */

/* What an obeying inverter may take: nothing once the lease has run out. */
static double effective_limit_a(const struct invariants *inv, bool charging, int64_t now_ms)
{
	if (inv->step_ms < 0 || now_ms - inv->step_ms > LEASE_TTL_MS)
		return 0;
	return invariants_limit_ma(&inv->published, charging) / 1000.0;
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

static bool is_excused(struct invariants *inv, enum invariant which, bool excused)
{
	if (excused)
		inv->figures.excused[which]++;
	return excused;
}

/* The gateway did what it can: it has allowed no current to speak of in this direction for long
 * enough, and nothing flows over the bus. What a pack has then comes from other packs, from its own
 * cells or from the weather, and no limit changes it. The reason must say that current is not
 * allowed. */
static bool acted_first(const struct invariants *inv, const struct invariants_plant *now,
			bool charging)
{
	const struct reason *reason = invariants_reason(
		&inv->published, charging ? LIMIT_CHARGE_CURRENT : LIMIT_DISCHARGE_CURRENT);

	return inv->zero_since_ms[charging] >= 0 &&
	       now->now_ms - inv->zero_since_ms[charging] >=
		       reaction_ms(now->inverter, inv->scenario) &&
	       bus_flow_a(now, charging) <= SMALL_A && reason && reason->value <= SMALL_A * 1000 &&
	       reason->text[0];
}

static bool is_long(int64_t since_ms, int64_t now_ms)
{
	return since_ms >= 0 && now_ms - since_ms >= SETTLE_MS;
}

/* For a while nothing has flowed over the bus in this direction: what the pack has comes from the
 * other packs, when a switch closed or a pack was plugged in. Or the pack itself has carried
 * nothing: its cells or the weather did it. No limit could have kept it. */
static bool is_physics(const struct invariants *inv, const struct invariants_plant *now, int index,
		       bool charging)
{
	return is_long(inv->rest_since_ms[charging], now->now_ms) ||
	       is_long(inv->packs[index].rest_since_ms[charging], now->now_ms);
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
			bool charging, enum truth_part part, double limit_a)
{
	const struct seen_pack *seen = &inv->packs[index];
	const struct over *over = &seen->over[charging][part];
	const unsigned all = truth_excuses(inv->scenario, index + 1, over->since_ms, now->now_ms);
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
	if (over->known_ms >= 0 && now->now_ms - seen->heard_ms <= SILENT_MS)
		return all & EXCUSE(no_engine);
	if (part != TRUTH_BMS)
		return blind; /* nobody sees its cells and sensors */
	return blind && share_is_small(now, index, charging, limit_a);
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
	const bool lost = inv->changed_ms != INVARIANTS_NEVER &&
			  over->since_ms >= inv->changed_ms &&
			  over->since_ms - inv->changed_ms <= 2000;
	const enum invariant which = lost ? INVARIANT_loss_overloads : INVARIANT_pack_over_limit;

	if (over->judged_ms >= 0 && now->now_ms - over->judged_ms < JUDGE_MS)
		return;
	over->judged_ms = now->now_ms;
	if (is_excused(inv, which, excuse_over(inv, now, index, charging, part, limit_a)))
		return;
	invariants_break(inv, which, index + 1, now->now_ms,
			 "%s with %.1f A for %lld ms, its %s allows %.1f A; heard %lld times "
			 "meanwhile; limit %.1f A, bus %.1f A",
			 direction(charging), flow_a, (long long)(now->now_ms - over->since_ms),
			 truth_part_name(part), limit_a,
			 (long long)(seen->answers - over->answers_before),
			 effective_limit_a(inv, charging, now->now_ms), now->plant->bus_a);
}

/* Keeps count of how long a pack has been above something, and what was heard meanwhile. */
static void note_over(struct over *over, const struct seen_pack *seen, bool above, int64_t now_ms)
{
	if (!above) {
		over->acts = false;
		return;
	}
	if (!over->acts)
		*over = (struct over){true, now_ms, seen->answers, -1, -1};
	if (over->known_ms < 0 && seen->answers - over->answers_before >= ANSWERS)
		over->known_ms = now_ms;
}

/* Measured and reacted to, or it should have been. */
static bool is_due(const struct invariants *inv, const struct over *over,
		   const struct invariants_plant *now)
{
	if (!over->acts)
		return false;
	if (over->known_ms >= 0)
		return now->now_ms - over->known_ms >= reaction_ms(now->inverter, inv->scenario);
	return now->now_ms - over->since_ms >= UNHEARD_MS;
}

static void check_over(struct invariants *inv, const struct invariants_plant *now, int index,
		       bool charging)
{
	const struct sim_pack *pack = &now->plant->packs[index];
	struct seen_pack *seen = &inv->packs[index];
	const double current_a = charging ? pack->current_a : -pack->current_a;
	const double flow_a = truth_conducts(pack) && current_a >= SMALL_A ? current_a : 0;

	inv->figures.checks[INVARIANT_pack_over_limit] += flow_a > 0;
	for (int i = 0; i < TRUTH_PARTS; i++) {
		const enum truth_part part = (enum truth_part)i;
		struct over *over = &seen->over[charging][part];
		double limit_a =
			flow_a > 0 ? truth_limit_a(inv->scenario, pack, part, charging) : 0;

		if (part == TRUTH_BMS)
			note_over(&seen->near[charging], seen, flow_a > limit_a * NEAR_PART,
				  now->now_ms);
		note_over(over, seen, flow_a > limit_a, now->now_ms);
		if (is_due(inv, over, now))
			judge_over(inv, now, index, charging, part, flow_a, limit_a);
	}
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
 * nothing flowing), or what the pack has comes from other packs, or it carried
 * nothing at all. An inverter that errs, also by
 * charging above its voltage. A pack that a fault keeps from being heard, or an engine that is
 * away; but while a pack is silent for a minute the bus must not charge it above what silent packs
 * are held at (3.375 V per cell). Over-current protections that act sooner than the pack was heard
 * and answered for (a JK waits 3 s, a rack is asked in 1 to 4): then pack_over_limit speaks. And
 * those just after the network changed, unless n_minus_1 promises more. And whoever chose
 * limit_rule sum or min: those do not look at single packs until the guard sees too much current.
 */
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
	if ((all & lie) || inv->scenario->battery.limit_rule != LIMIT_RULE_SHARE)
		return true;
	if (acted_first(inv, now, charging) || is_physics(inv, now, index, charging) ||
	    inverter_errs(inv, now, charging, all) || (charging && (all & EXCUSE(overvolts))))
		return true;
	if (is_overcurrent(alarm) && !is_due(inv, &seen->near[charging], now))
		return true;
	if (is_overcurrent(alarm) && inv->scenario->battery.n_minus_1 != 1 &&
	    ((inv->changed_ms != INVARIANTS_NEVER && inv->changed_ms >= since_ms) ||
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
		invariants_break(inv, INVARIANT_energy_lost, FIELD_UNKNOWN, now->now_ms,
				 "%.0f J of %.0f J that moved", energy_j - inv->energy_j,
				 inv->moved_j);
}

/* frames_stop: an engine that lives has something to say, if only zeros, and inverters take silence
 * for a fault after three seconds. On RS485 the inverter asks; one that does not gets no answer,
 * and a protocol that cannot say "unknown" says nothing while nothing is known (its page says so).
 */
static void check_frames(struct invariants *inv, const struct invariants_plant *now)
{
	const bool polls = strncmp(inv->scenario->inverter, "rs485/", 6) == 0;
	const bool asks = !now->effects->inverter_silent && !now->effects->inverter.off;
	const int64_t most_ms = polls ? now->inverter->lost_ms + 2000 : 3000;

	const bool knows = inv->has_published && inv->published.voltage_mv != FIELD_UNKNOWN;

	if (!inv->engine_lives || now->effects->link_down || (polls && !(asks && knows))) {
		inv->frame_ms = now->now_ms;
		return;
	}
	inv->figures.checks[INVARIANT_frames_stop]++;
	if (now->now_ms - inv->frame_ms > most_ms &&
	    now->now_ms - inv->engine_since_ms > 2 * most_ms)
		invariants_break(inv, INVARIANT_frames_stop, FIELD_UNKNOWN, now->now_ms,
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
		invariants_break(inv, INVARIANT_lease_ignored, FIELD_UNKNOWN, now->now_ms,
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
	inv->fell_ms[0] = inv->fell_ms[1] = INVARIANTS_NEVER;
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

static void note_flow(int64_t *rest_since_ms, bool flows, int64_t now_ms)
{
	if (flows)
		*rest_since_ms = -1;
	else if (*rest_since_ms < 0)
		*rest_since_ms = now_ms;
}

static void note_rest(struct invariants *inv, const struct invariants_plant *now)
{
	for (int charging = 0; charging < 2; charging++) {
		note_flow(&inv->rest_since_ms[charging], bus_flow_a(now, charging) > SMALL_A,
			  now->now_ms);
		for (int i = 0; i < now->plant->pack_count; i++) {
			const struct sim_pack *pack = &now->plant->packs[i];
			const double flow_a = charging ? pack->current_a : -pack->current_a;

			note_flow(&inv->packs[i].rest_since_ms[charging],
				  flow_a > pack->bms.full_ah * REST_PART, now->now_ms);
		}
	}
}

static void note_zero(struct invariants *inv, int64_t now_ms)
{
	for (int charging = 0; charging < 2; charging++) {
		if (effective_limit_a(inv, charging, now_ms) > SMALL_A)
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
	note_rest(inv, now);
	check_frames(inv, now);
	check_stop(inv, now);
	for (int i = 0; i < now->plant->pack_count; i++) {
		check_over(inv, now, i, true);
		check_over(inv, now, i, false);
		check_protections(inv, now, i);
	}
	if (inv->energy_j == 0 || now->now_ms - inv->energy_ms >= 60000) {
		check_energy(inv, now);
		check_single_losses(inv, now);
	}
}
