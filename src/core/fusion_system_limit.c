// SPDX-License-Identifier: Apache-2.0
/* F, I, J: from pack limits to the limit of the battery. Packs in parallel share a current by their
 * resistance and circulate one by their voltages: flow_i = a_i + b_i x total. So pack i is inside
 * its limit while total <= (L_i - a_i) / b_i, and the smallest of these is the limit of all. b is
 * the pack's share (fusion_share.c), a its drift (fusion_drift.c).
 *
 * A pack of which nobody knows whether it conducts counts both ways: without it the others take its
 * share, with it there is one more limit to keep.
 *
 * The search is made twice: as things are, and again without the cause that was found, which tells
 * what would limit next. */
#include "fusion_drift.h"

#define TIE_MA      50         /* below the resolution of a sentence: the sum counts as reached */
#define NO_LIMIT_MA 1000000000 /* of a pack whose only cause is lifted */

/* A limit of one pack, and what it comes from. */
struct own_limit {
	int64_t ma;
	struct cause cause;
};

struct search {
	struct fusion *fusion;
	const struct network *network;
	const struct cause *lifted; /* NULL in the search that counts */
	struct own_limit own[ONEPACK_MAX_PACKS];
	int64_t sum_ma;         /* of the members' limits */
	struct cause sum_cause; /* the words for when that sum binds */
	int64_t ma;
	struct cause cause;
};

static int index_of(const struct search *search, const struct slot *slot)
{
	return (int)(slot - search->fusion->slots);
}

static bool is_lifted(const struct search *search, const struct cause *cause)
{
	return search->lifted && search->lifted->rule == cause->rule &&
	       search->lifted->pack == cause->pack;
}

static void lower(struct search *search, int64_t ma, struct cause cause)
{
	if (ma < 0)
		ma = 0;
	if (ma >= search->ma || is_lifted(search, &cause))
		return;
	search->ma = ma;
	search->cause = cause;
}

/* Whether lifting the found cause lifts the limit of this pack, too. */
static bool loses_limit(const struct search *search, const struct slot *slot,
			const struct cause *cause)
{
	const bool stated = cause->rule == RULE_PACK_LIMIT && cause->value > 0;

	if (!search->lifted)
		return false;
	if (search->lifted->rule == RULE_FULL)
		return stated;
	if (search->lifted->pack != slot_number(search->fusion, slot))
		return false;
	return search->lifted->rule == cause->rule || search->lifted->rule == RULE_MIN ||
	       (stated && search->lifted->rule == RULE_SHARE);
}

static struct own_limit own_limit_of(const struct search *search, const struct slot *slot)
{
	const enum direction direction = search->network->direction;
	const struct bound *next = &slot->next[direction];

	if (!loses_limit(search, slot, &slot->cause[direction]))
		return (struct own_limit){slot->limit_ma[direction], slot->cause[direction]};
	if (next->value == FIELD_UNKNOWN)
		return (struct own_limit){NO_LIMIT_MA, slot->cause[direction]};
	return (struct own_limit){next->value, next->cause};
}

/* `slot` has too much current: if it comes from another pack, both are named. */
static void report_circulating(const struct search *search, const struct slot *slot,
			       struct cause *cause)
{
	const struct network *network = search->network;
	const int32_t giver = network_giver(search->fusion, network);

	if (giver == FIELD_UNKNOWN || giver == slot_number(search->fusion, slot))
		return;
	*cause = cause_of(RULE_CIRCULATING, slot_number(search->fusion, slot));
	cause->other = giver;
	cause->value = slot_flow(slot, network->direction);
	if (search->lifted)
		return;
	search->fusion->circulating[0] = cause->pack;
	search->fusion->circulating[1] = giver;
}

/* The words for a pack that is the tightest: what lowered its own limit, else its share. */
static struct cause cause_of_pack(const struct search *search, const struct slot *slot)
{
	const struct network *network = search->network;
	const int64_t own = share_weight(&slot->share);
	const bool inside = slot->presence[network->direction] == PRESENCE_SURE;
	struct cause cause = search->own[index_of(search, slot)].cause;

	if (cause.rule != RULE_PACK_LIMIT || cause.value == 0)
		return cause;
	cause = cause_of(RULE_SHARE, slot_number(search->fusion, slot));
	cause.value = (int32_t)scale(own, 100000, network->weight + (inside ? 0 : own));
	return cause;
}

/* The sum binds: the word goes to the pack that was lowered most, if any was. */
static void begin_with_sum(struct search *search)
{
	const enum direction direction = search->network->direction;
	int64_t least_ma = INT64_MAX;

	search->sum_cause = cause_of(RULE_FULL, FIELD_UNKNOWN);
	search->sum_ma = 0;
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &search->fusion->slots[i];

		if (slot->presence[direction] != PRESENCE_NONE)
			search->own[i] = own_limit_of(search, slot);
		if (slot->presence[direction] != PRESENCE_SURE)
			continue;
		const struct own_limit limit = search->own[i];

		search->sum_ma += limit.ma;
		if (limit.ma >= least_ma || (limit.cause.rule == RULE_PACK_LIMIT && limit.ma > 0))
			continue;
		least_ma = limit.ma;
		search->sum_cause = limit.cause;
	}
	search->ma = search->sum_ma;
	search->cause = search->sum_cause;
}

static void apply_share(struct search *search, const struct slot *slot)
{
	const struct network *network = search->network;
	const int64_t own = share_weight(&slot->share);
	const int64_t limit_ma = search->own[index_of(search, slot)].ma;
	const int64_t drift_ma = network->drift_ma[index_of(search, slot)];
	const int64_t total_ma = scale(limit_ma - drift_ma, network->weight, own);

	if (total_ma < search->ma || drift_ma > limit_ma) {
		struct cause cause = cause_of_pack(search, slot);

		if (drift_ma > limit_ma && slot_flow(slot, network->direction) > SOURCE_FLOOR_MA)
			report_circulating(search, slot, &cause);
		if (total_ma + TIE_MA >= search->sum_ma && drift_ma <= 0)
			cause = search->sum_cause;
		lower(search, total_ma, cause);
	}
	if (network->wide_weight > network->weight)
		lower(search,
		      scale(limit_ma - slot->drift[network->direction].certain_ma,
			    network->wide_weight, own),
		      cause_of_pack(search, slot));
}

/* A pack that perhaps conducts. */
static void apply_doubtful(struct search *search, const struct slot *slot)
{
	const struct network *network = search->network;
	const int64_t own = share_weight(&slot->share);
	const int64_t limit_ma = search->own[index_of(search, slot)].ma;
	const int64_t room_ma = limit_ma - drift_of_doubtful(slot, network);

	lower(search, scale(room_ma, network->weight + own, own), cause_of_pack(search, slot));
	if (network->wide_weight > network->weight + own) /* others perhaps conduct, too */
		lower(search,
		      scale(limit_ma - drift_of_doubtful_wide(slot, network), network->wide_weight,
			    own),
		      cause_of_pack(search, slot));
}

static int64_t trip_current(const struct slot *slot, enum direction direction)
{
	const struct pack *pack = &slot->good;
	const int32_t set_ma = direction == CHARGE ? pack->settings.charge_overcurrent_ma
						   : pack->settings.discharge_overcurrent_ma;
	const int32_t stated_ma = direction == CHARGE ? pack->charge_current_limit_ma
						      : pack->discharge_current_limit_ma;

	if (set_ma != FIELD_UNKNOWN)
		return set_ma;
	return stated_ma == FIELD_UNKNOWN ? 0 : stated_ma;
}

/* How far above its limit a pack may be before the guard acts: measurement noise, 1 % of its
 * capacity, but never more than a quarter of the way from the limit to where its BMS trips. */
static int64_t guard_margin(const struct slot *slot, enum direction direction)
{
	const int64_t noise_ma = slot_capacity(slot) / 100;
	const int64_t room_ma = (trip_current(slot, direction) - slot->limit_ma[direction]) / 4;

	if (room_ma <= 0)
		return 0;
	return room_ma < noise_ma ? room_ma : noise_ma;
}

/* Needs no model: whoever has too much current now, the total must shrink by the same part. It is
 * never fed back into any estimate. */
static void apply_guard(struct search *search, const struct slot *slot)
{
	const struct network *network = search->network;
	const int64_t flow_ma = slot_flow(slot, network->direction);
	const int64_t limit_ma = slot->limit_ma[network->direction];
	const int64_t margin_ma = guard_margin(slot, network->direction);
	int64_t total_ma = network->heard_ma + network->doubtful_ma;
	struct cause cause = cause_of(RULE_OVERCURRENT, slot_number(search->fusion, slot));

	if (slot->silent || flow_ma <= limit_ma + margin_ma)
		return;
	if (slot->presence[network->direction] == PRESENCE_PERHAPS || !network_is_on_time(slot))
		total_ma += flow_ma;
	cause.value = (int32_t)flow_ma;
	report_circulating(search, slot, &cause);
	lower(search, total_ma > 0 ? scale(total_ma, limit_ma, flow_ma) : 0, cause);
}

/* What a pack takes beyond its share, as far as anybody knows; what it takes less is no reserve. */
static int64_t debit_of(const struct search *search, const struct slot *slot)
{
	const enum direction direction = search->network->direction;
	const int64_t certain_ma = slot->drift[direction].certain_ma;
	const int64_t now_ma = slot->presence[direction] == PRESENCE_SURE
				       ? search->network->drift_ma[index_of(search, slot)]
				       : drift_of_doubtful(slot, search->network);

	return now_ma > certain_ma ? now_ma : certain_ma;
}

/* N-1: when any one of the others trips, its current goes to the rest by their shares, and this one
 * must not trip after it: trip >= a_j + b_j x total + (a_k + b_k x total) x b_j / (1 - b_k). */
static void apply_n_minus_1(struct search *search, const struct slot *slot)
{
	const struct network *network = search->network;
	const enum direction direction = network->direction;
	const int64_t own = share_weight(&slot->share);
	const int64_t weight =
		network->weight + (slot->presence[direction] == PRESENCE_SURE ? 0 : own);
	const int64_t room_ma = trip_current(slot, direction) - debit_of(search, slot);

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *other = &search->fusion->slots[i];
		const int64_t lost = other->presence[direction] == PRESENCE_SURE
					     ? share_weight(&other->share)
					     : 0;

		if (other != slot && other->presence[direction] != PRESENCE_NONE)
			lower(search, scale(room_ma, weight - lost, own) - debit_of(search, other),
			      cause_of(RULE_N_MINUS_1, slot_number(search->fusion, slot)));
	}
}

static void apply_packs(struct search *search)
{
	const struct network *network = search->network;
	const struct fusion_config *config = &search->fusion->config;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &search->fusion->slots[i];

		if (slot->presence[network->direction] == PRESENCE_NONE)
			continue;
		if (slot->presence[network->direction] == PRESENCE_PERHAPS)
			apply_doubtful(search, slot);
		else if (config->limit_rule == LIMIT_RULE_SHARE)
			apply_share(search, slot);
		if (config->limit_rule == LIMIT_RULE_MIN)
			lower(search, search->own[i].ma * __builtin_popcount(network->members),
			      cause_of(RULE_MIN, i + 1));
		apply_guard(search, slot);
		if (config->n_minus_1 == 1)
			apply_n_minus_1(search, slot);
	}
}

/* Rules that look at the battery, not at one pack's current. */
static void apply_policies(struct search *search)
{
	const struct fusion *fusion = search->fusion;
	const struct fusion_config *config = &fusion->config;
	const enum direction direction = search->network->direction;
	const int32_t cap_ma = direction == CHARGE ? config->charge_current_max_ma
						   : config->discharge_current_max_ma;

	if (cap_ma != FIELD_UNKNOWN)
		lower(search, cap_ma, cause_of(RULE_USER_CAP, FIELD_UNKNOWN));
	for (int i = 0; i < ONEPACK_MAX_PACKS && config->rest_for_balancing == 1; i++)
		if (direction == CHARGE &&
		    (fusion->slots[i].rests_by_switch || fusion->slots[i].rests_by_limit))
			lower(search, 0, cause_of(RULE_REST, i + 1));
	for (int i = 0; i < ONEPACK_MAX_PACKS && config->loss_hold_ms != FIELD_UNKNOWN; i++) {
		const struct slot *slot = &fusion->slots[i];

		if (slot->accepted && slot->silent && !slot->isolated &&
		    slot->age_ms > config->loss_hold_ms)
			lower(search, 0, cause_of(RULE_LOSS, i + 1));
	}
	if (!fusion->quorum)
		lower(search, 0, cause_of(RULE_QUORUM, FIELD_UNKNOWN));
}

static struct bound find_limit(struct fusion *fusion, const struct network *network,
			       const struct cause *lifted)
{
	struct search search = {.fusion = fusion, .network = network, .lifted = lifted};

	begin_with_sum(&search);
	apply_packs(&search);
	search.ma += network->outside_ma;
	if (search.ma < 0)
		search.ma = 0;
	apply_policies(&search);
	return (struct bound){saturate_ma(search.ma), search.cause};
}

/* Nobody conducts: the reason depends on whether there is anybody. */
static struct cause cause_of_nothing(const struct fusion *fusion)
{
	enum rule rule = RULE_NO_DATA;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		if (slot_is_online(&fusion->slots[i]))
			return cause_of(RULE_BLOCKED, FIELD_UNKNOWN);
		if (fusion->slots[i].state == PACK_CANDIDATE)
			rule = RULE_JOINING;
	}
	return cause_of(rule, FIELD_UNKNOWN);
}

static void limit_direction(struct fusion *fusion, enum direction direction)
{
	struct network network = network_build(fusion, direction);
	struct bound found = {0, cause_of_nothing(fusion)}, next = bound_none();

	drift_update(fusion, &network);
	if (network.members) {
		found = find_limit(fusion, &network, NULL);
		next = find_limit(fusion, &network, &found.cause);
	}
	fusion->sum_ma[direction] = saturate_ma(network.sum_ma);
	fusion->target_ma[direction] = found.value;
	fusion->cause[direction] = found.cause;
	fusion->next[direction] = next.value < NO_LIMIT_MA ? next : bound_none();
}

void fusion_limit_system(struct fusion *fusion)
{
	fusion->circulating[0] = fusion->circulating[1] = FIELD_UNKNOWN;
	fusion->quorum = fusion_has_quorum(fusion);
	limit_direction(fusion, CHARGE);
	limit_direction(fusion, DISCHARGE);
}
