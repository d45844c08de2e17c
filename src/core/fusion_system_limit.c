// SPDX-License-Identifier: Apache-2.0
/* F, I, J: from pack limits to the limit of the battery. Packs in parallel share a current by their
 * resistance and circulate one by their voltages: flow_i = a_i + b_i x total. So pack i is inside
 * its limit while total <= (L_i - a_i) / b_i, and the smallest of these is the limit of all. b is
 * the pack's share (its capacity, until shares are learned), a its drift (fusion_drift.c).
 *
 * A pack of which nobody knows whether it conducts counts both ways: without it the others take its
 * share, with it there is one more limit to keep. */
#include "fusion_drift.h"

#define TIE_MA          50 /* below the resolution of a sentence: the sum counts as reached */
#define SOURCE_FLOOR_MA 1000

struct search {
	const struct network *network;
	struct cause sum; /* the words for when the sum of the pack limits binds */
	int64_t ma;
	struct cause cause;
};

static void lower(struct search *search, int64_t ma, struct cause cause)
{
	if (ma < 0)
		ma = 0;
	if (ma >= search->ma)
		return;
	search->ma = ma;
	search->cause = cause;
}

/* A pack with an open switch that takes current anyway limits it by itself (the 10 A mode of some
 * BMS): a current source beside the network. One that gives current while the rest takes some adds
 * to what they take. */
static int64_t flow_outside(const struct slot *slot, enum direction direction)
{
	const int64_t flow_ma = slot_flow(slot, direction), limit_ma = slot->limit_ma[direction];

	if (!slot->has_good || slot->isolated || slot_switch(slot, direction) == 1)
		return 0;
	if (flow_ma < 0)
		return flow_ma;
	if (flow_ma < SOURCE_FLOOR_MA || slot->state != PACK_ACTIVE ||
	    slot_switch(slot, direction) != 0)
		return 0;
	return flow_ma < limit_ma ? flow_ma : limit_ma;
}

static struct network build_network(const struct fusion *fusion, enum direction direction)
{
	struct network network = {.direction = direction, .is_complete = true, .is_certain = true};
	int64_t given_ma = 0;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];
		const int64_t outside_ma = flow_outside(slot, direction);

		given_ma += outside_ma < 0 ? outside_ma : 0;
		network.outside_ma += outside_ma > 0 ? outside_ma : 0;
		network.is_certain &= !slot->silent || slot->isolated;
		if (slot->presence[direction] == PRESENCE_NONE)
			continue;
		network.wide_weight += share_weight(&slot->share);
		if (slot->presence[direction] == PRESENCE_PERHAPS) {
			const int64_t flow_ma = slot_flow(slot, direction);

			network.is_certain = false;
			network.doubtful_ma += flow_ma < 0 ? flow_ma : 0;
			continue;
		}
		network.is_complete &= slot->age_ms <= slot->cycle_ms * 3 / 2;
		network.is_certain &= slot->state == PACK_ACTIVE;
		network.members |= UINT32_C(1) << i;
		network.weight += share_weight(&slot->share);
		network.flow_ma += slot_flow(slot, direction);
		network.sum_ma += slot->limit_ma[direction];
		if (drift_is_visible(slot, direction)) {
			network.free_weight += share_weight(&slot->share);
			network.free_ma += slot_flow(slot, direction);
		}
	}
	if (network.flow_ma + given_ma > 0) /* at rest nobody feeds the others */
		network.outside_ma += given_ma;
	return network;
}

/* The member whose current flows most against the direction: where a circulating current comes
 * from. */
static int32_t find_giver(const struct fusion *fusion, const struct network *network)
{
	int64_t least_ma = 0;
	int32_t found = FIELD_UNKNOWN;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];
		const int64_t flow_ma = slot->silent ? 0 : slot_flow(slot, network->direction);

		if (flow_ma < -SOURCE_FLOOR_MA && flow_ma < least_ma) {
			least_ma = flow_ma;
			found = i + 1;
		}
	}
	return found;
}

/* `slot` has too much current: if it comes from another pack, both are named. */
static void report_circulating(struct fusion *fusion, const struct network *network,
			       const struct slot *slot, struct cause *cause)
{
	const int32_t giver = find_giver(fusion, network);

	if (giver == FIELD_UNKNOWN || giver == slot_number(fusion, slot))
		return;
	*cause = cause_of(RULE_CIRCULATING, slot_number(fusion, slot));
	cause->other = giver;
	cause->value = slot_flow(slot, network->direction);
	fusion->circulating[0] = cause->pack;
	fusion->circulating[1] = giver;
}

/* The words for a pack that is the tightest: what lowered its own limit, else its share. */
static struct cause cause_of_pack(const struct fusion *fusion, const struct slot *slot,
				  const struct network *network)
{
	const int64_t own = share_weight(&slot->share);
	const bool inside = slot->presence[network->direction] == PRESENCE_SURE;
	struct cause cause = slot->cause[network->direction];

	if (cause.rule != RULE_PACK_LIMIT || cause.value == 0)
		return cause;
	cause = cause_of(RULE_SHARE, slot_number(fusion, slot));
	cause.value = (int32_t)scale(own, 100000, network->weight + (inside ? 0 : own));
	return cause;
}

/* The sum binds: the word goes to the pack that was lowered most, if any was. */
static struct cause cause_of_sum(const struct fusion *fusion, const struct network *network)
{
	struct cause found = cause_of(RULE_FULL, FIELD_UNKNOWN);
	int64_t least_ma = INT64_MAX;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];

		if (slot->presence[network->direction] != PRESENCE_SURE ||
		    slot->limit_ma[network->direction] >= least_ma ||
		    (slot->cause[network->direction].rule == RULE_PACK_LIMIT &&
		     slot->limit_ma[network->direction] > 0))
			continue;
		least_ma = slot->limit_ma[network->direction];
		found = slot->cause[network->direction];
	}
	return found;
}

static void apply_share(struct fusion *fusion, struct search *search, const struct slot *slot)
{
	const struct network *network = search->network;
	const int64_t own = share_weight(&slot->share);
	const int64_t limit_ma = slot->limit_ma[network->direction];
	const int64_t drift_ma = drift_of(slot, network);
	const int64_t total_ma = scale(limit_ma - drift_ma, network->weight, own);
	struct cause cause = cause_of_pack(fusion, slot, network);

	if (drift_ma > limit_ma && slot_flow(slot, network->direction) > SOURCE_FLOOR_MA)
		report_circulating(fusion, network, slot, &cause);
	if (total_ma + TIE_MA >= network->sum_ma && drift_ma <= 0)
		cause = search->sum;
	lower(search, total_ma, cause);
	if (network->wide_weight > network->weight)
		lower(search,
		      scale(limit_ma - slot->drift[network->direction].certain_ma,
			    network->wide_weight, own),
		      cause_of_pack(fusion, slot, network));
}

/* A pack that perhaps conducts. */
static void apply_doubtful(const struct fusion *fusion, struct search *search,
			   const struct slot *slot)
{
	const struct network *network = search->network;
	const int64_t own = share_weight(&slot->share);
	const int64_t room_ma =
		slot->limit_ma[network->direction] - drift_of_doubtful(slot, network);

	lower(search, scale(room_ma, network->weight + own, own),
	      cause_of_pack(fusion, slot, network));
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
	const int64_t noise_ma = share_weight(&slot->share) / 100;
	const int64_t room_ma = (trip_current(slot, direction) - slot->limit_ma[direction]) / 4;

	if (room_ma <= 0)
		return 0;
	return room_ma < noise_ma ? room_ma : noise_ma;
}

/* Needs no model: whoever has too much current now, the total must shrink by the same part. It is
 * never fed back into any estimate. */
static void apply_guard(struct fusion *fusion, struct search *search, const struct slot *slot)
{
	const struct network *network = search->network;
	const int64_t flow_ma = slot_flow(slot, network->direction);
	const int64_t limit_ma = slot->limit_ma[network->direction];
	const int64_t margin_ma = guard_margin(slot, network->direction);
	int64_t total_ma = network->flow_ma + network->doubtful_ma;
	struct cause cause = cause_of(RULE_OVERCURRENT, slot_number(fusion, slot));

	if (slot->silent || flow_ma <= limit_ma + margin_ma)
		return;
	if (slot->presence[network->direction] == PRESENCE_PERHAPS)
		total_ma += flow_ma;
	cause.value = (int32_t)flow_ma;
	report_circulating(fusion, network, slot, &cause);
	lower(search, total_ma > 0 ? scale(total_ma, limit_ma, flow_ma) : 0, cause);
}

/* N-1: when the largest of the others trips, this one must not trip after it. */
static void apply_n_minus_1(struct fusion *fusion, struct search *search, const struct slot *slot)
{
	const struct network *network = search->network;
	const int64_t own = share_weight(&slot->share);
	const bool inside = slot->presence[network->direction] == PRESENCE_SURE;
	const int64_t weight = network->weight + (inside ? 0 : own);
	int64_t largest = 0;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *other = &fusion->slots[i];

		if (other != slot && other->presence[network->direction] == PRESENCE_SURE &&
		    share_weight(&other->share) > largest)
			largest = share_weight(&other->share);
	}
	if (largest > 0)
		lower(search, scale(trip_current(slot, network->direction), weight - largest, own),
		      cause_of(RULE_N_MINUS_1, slot_number(fusion, slot)));
}

static void apply_packs(struct fusion *fusion, struct search *search)
{
	const struct network *network = search->network;
	const enum limit_rule rule = fusion->config.limit_rule;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];

		if (slot->presence[network->direction] == PRESENCE_NONE)
			continue;
		if (slot->presence[network->direction] == PRESENCE_PERHAPS)
			apply_doubtful(fusion, search, slot);
		else if (rule == LIMIT_RULE_SHARE)
			apply_share(fusion, search, slot);
		if (rule == LIMIT_RULE_MIN)
			lower(search,
			      (int64_t)slot->limit_ma[network->direction] *
				      __builtin_popcount(network->members),
			      cause_of(RULE_MIN, i + 1));
		apply_guard(fusion, search, slot);
		if (fusion->config.n_minus_1 == 1)
			apply_n_minus_1(fusion, search, slot);
	}
}

/* Rules that look at the battery, not at one pack's current. */
static void apply_policies(const struct fusion *fusion, struct search *search)
{
	const struct fusion_config *config = &fusion->config;
	const enum direction direction = search->network->direction;
	const int32_t cap_ma = direction == CHARGE ? config->charge_current_max_ma
						   : config->discharge_current_max_ma;

	if (cap_ma != FIELD_UNKNOWN)
		lower(search, cap_ma, cause_of(RULE_USER_CAP, FIELD_UNKNOWN));
	for (int i = 0; i < ONEPACK_MAX_PACKS && config->rest_for_balancing == 1; i++)
		if (direction == CHARGE && fusion->slots[i].rests)
			lower(search, 0, cause_of(RULE_REST, i + 1));
	if (!fusion->quorum)
		lower(search, 0, cause_of(RULE_QUORUM, FIELD_UNKNOWN));
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
	const struct network network = build_network(fusion, direction);
	const struct cause sum = cause_of_sum(fusion, &network);
	struct search search = {&network, sum, network.sum_ma, sum};

	drift_update(fusion, &network);
	fusion->sum_ma[direction] = saturate_ma(network.sum_ma);
	if (network.members == 0) {
		fusion->target_ma[direction] = 0;
		fusion->cause[direction] = cause_of_nothing(fusion);
		return;
	}
	apply_packs(fusion, &search);
	search.ma += network.outside_ma;
	if (search.ma < 0)
		search.ma = 0;
	apply_policies(fusion, &search);
	fusion->target_ma[direction] = saturate_ma(search.ma);
	fusion->cause[direction] = search.cause;
}

void fusion_limit_system(struct fusion *fusion)
{
	fusion->circulating[0] = fusion->circulating[1] = FIELD_UNKNOWN;
	fusion->quorum = fusion_has_quorum(fusion);
	limit_direction(fusion, CHARGE);
	limit_direction(fusion, DISCHARGE);
}
