// SPDX-License-Identifier: Apache-2.0
/* F, the a_i: how much more or less than its share a pack takes, because its cells stand higher or
 * lower than those of the others. Packs are asked one after another, so a load step between two
 * answers looks like a difference between packs. Hence only what the last three answers of a pack
 * agree on counts: the smallest of three of one sign, nothing when the signs differ. While a pack
 * has missed its turn, nothing is learned.
 *
 * A pack that takes more than its share lowers the limit (a debit). One that takes less raises it
 * (a credit), and a credit must be certain: every pack fresh and in its turn, nobody silent, the
 * set of packs unchanged for three answers. Half of a difference may be a wrong share instead, so a
 * credit that was seen while current flowed the other way is reduced by what twice the share would
 * explain. */
#include <string.h>

#include "fusion_drift.h"

/* Parts of the capacity per hour that count as none: what sensors and timing leave. To err with a
 * credit raises a limit, with a debit lowers it. */
#define SMALL_DEBIT  400
#define SMALL_CREDIT 100

static void push(struct drift *drift, int64_t flow_ma, int64_t credit_ma)
{
	memmove(&drift->flow_ma[1], &drift->flow_ma[0],
		sizeof drift->flow_ma - sizeof drift->flow_ma[0]);
	memmove(&drift->credit_ma[1], &drift->credit_ma[0],
		sizeof drift->credit_ma - sizeof drift->credit_ma[0]);
	drift->flow_ma[0] = saturate_ma(flow_ma);
	drift->credit_ma[0] = saturate_ma(credit_ma);
	if (drift->count < DRIFT_SAMPLES)
		drift->count++;
	if (drift->since_change < DRIFT_SAMPLES)
		drift->since_change++;
}

/* What all of the last answers agree on. */
static int64_t agreed(const int32_t samples_ma[DRIFT_SAMPLES], int32_t count)
{
	int64_t value = samples_ma[0];

	if (count < DRIFT_SAMPLES)
		return 0;
	for (int i = 1; i < DRIFT_SAMPLES; i++) {
		const int64_t next = samples_ma[i];

		if ((next > 0) != (value > 0))
			return 0;
		if (value > 0 ? next < value : next > value)
			value = next;
	}
	return value;
}

static int64_t drift_of(const struct slot *slot, const struct network *network)
{
	const struct drift *drift = &slot->drift[network->direction];
	const int64_t debit_ma = agreed(drift->flow_ma, drift->count);
	const int64_t credit_ma = agreed(drift->credit_ma, drift->count);

	if (debit_ma >= 0)
		return debit_ma > slot_capacity(slot) / SMALL_DEBIT ? debit_ma : 0;
	if (!network->is_certain || !network->is_complete || drift->since_change < DRIFT_SAMPLES)
		return 0;
	return credit_ma < -slot_capacity(slot) / SMALL_CREDIT ? credit_ma : 0;
}

/* One answer: what the pack took beyond its share. Seen while current flows the other way, half of
 * a difference may be a wrong share, so a credit leaves out what twice the share would explain. */
static void take_in(struct slot *slot, const struct network *network)
{
	const enum direction direction = network->direction;
	const int64_t share_ma =
		scale(network->free_ma, share_weight(&slot->share), network->free_weight);
	const int64_t flow_ma = slot_flow(slot, direction) - share_ma;

	push(&slot->drift[direction], flow_ma, share_ma < 0 ? flow_ma - share_ma : flow_ma);
}

/* `total_ma` flows through `weight`, this pack included. */
static int64_t beyond_share(const struct slot *slot, enum direction direction, int64_t total_ma,
			    int64_t weight)
{
	return slot_flow(slot, direction) - scale(total_ma, share_weight(&slot->share), weight);
}

static int64_t worst_debit(const struct slot *slot, enum direction direction, int64_t total_ma,
			   int64_t weight)
{
	const struct drift *drift = &slot->drift[direction];
	int64_t worst_ma = drift->certain_ma;

	for (int i = 0; i < drift->count; i++)
		if (drift->flow_ma[i] > worst_ma)
			worst_ma = drift->flow_ma[i];
	if (!slot->silent && drift_is_visible(slot, direction)) {
		const int64_t now_ma = beyond_share(slot, direction, total_ma, weight);

		worst_ma = now_ma > worst_ma ? now_ma : worst_ma;
	}
	return worst_ma;
}

int64_t drift_of_doubtful(const struct slot *slot, const struct network *network)
{
	const enum direction direction = network->direction;

	return worst_debit(slot, direction, network->free_ma + slot_flow(slot, direction),
			   network->free_weight + share_weight(&slot->share));
}

int64_t drift_of_doubtful_wide(const struct slot *slot, const struct network *network)
{
	return worst_debit(slot, network->direction, network->wide_free_ma,
			   network->wide_free_weight);
}

static void shift(struct drift *drift, int64_t flow_ma, bool is_back)
{
	for (int i = 0; i < DRIFT_SAMPLES; i++) {
		drift->flow_ma[i] = saturate_ma(drift->flow_ma[i] + flow_ma);
		drift->credit_ma[i] =
			saturate_ma(drift->credit_ma[i] + (is_back ? 2 * flow_ma : flow_ma));
	}
}

void drift_shift(struct slot *slot, int64_t charge_ma, int64_t total_ma)
{
	shift(&slot->drift[CHARGE], charge_ma, total_ma < 0);
	shift(&slot->drift[DISCHARGE], -charge_ma, total_ma > 0);
}

/* What stands when somebody falls silent. A pack that only perhaps conducts has a debit as certain
 * as anybody's while all are heard: what it takes is no secret, only whether it belongs to us. */
static void remember(struct slot *slot, const struct network *network, int64_t drift_ma)
{
	const enum direction direction = network->direction;

	if (!network->is_certain) {
		if (!network->is_heard || slot->presence[direction] != PRESENCE_PERHAPS ||
		    !drift_is_visible(slot, direction))
			return;
		drift_ma = beyond_share(slot, direction, network->wide_free_ma,
					network->wide_free_weight);
	}
	slot->drift[direction].certain_ma = saturate_ma(drift_ma > 0 ? drift_ma : 0);
}

void drift_update(struct fusion *fusion, struct network *network)
{
	const enum direction direction = network->direction;
	const bool changed = network->members != fusion->network[direction];

	fusion->network[direction] = network->members;
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		struct slot *slot = &fusion->slots[i];
		struct drift *drift = &slot->drift[direction];

		if (changed)
			drift->since_change = 0;
		if (slot->answered && slot->presence[direction] == PRESENCE_SURE &&
		    network->is_complete && drift_is_visible(slot, direction))
			take_in(slot, network);
		network->drift_ma[i] = drift_of(slot, network);
		remember(slot, network, network->drift_ma[i]);
	}
}
