// SPDX-License-Identifier: Apache-2.0
/* H, J: how a current limit moves. Down at once. Up only after a pause that follows every fall and
 * starts again with every dip, and then slowly. And the quorum that both limits hang on. */
#include "fusion_state.h"

#define START_PART  50    /* leaving zero takes 1/50 C in a small battery */
#define STEP_MAX_MS 10000 /* a longer pause between two steps earns no more rise */

static void stay_at_zero(struct ramp *ramp)
{
	ramp->permitted_ms = -1;
	ramp->phase = RULE_SMALL;
}

static void fall(struct ramp *ramp, int64_t target_ua)
{
	if (target_ua < ramp->value_ua)
		ramp->fell = true;
	ramp->value_ua = target_ua;
	ramp->permitted_ms = -1;
	ramp->phase = RULE_FULL;
}

static bool is_waiting(const struct fusion *fusion, struct ramp *ramp)
{
	if (!ramp->fell)
		return false;
	if (ramp->permitted_ms < 0)
		ramp->permitted_ms = fusion->now_ms;
	if (fusion->now_ms - ramp->permitted_ms < fusion->config.rise_hold_ms) {
		ramp->phase = RULE_HOLD;
		return true;
	}
	ramp->fell = false;
	return false;
}

static void rise(const struct fusion *fusion, struct ramp *ramp, int64_t target_ua, int64_t sum_ua)
{
	const int64_t step_ms = fusion->elapsed_ms < STEP_MAX_MS ? fusion->elapsed_ms : STEP_MAX_MS;

	ramp->value_ua += sum_ua / 100 * fusion->config.rise_pct_per_s * step_ms / 1000;
	ramp->phase = RULE_RISING;
	if (ramp->value_ua >= target_ua) {
		ramp->value_ua = target_ua;
		ramp->phase = RULE_FULL;
	}
}

/* From the capacity, not from the present limits: those shrink when packs are missing. */
static int64_t start_current(const struct fusion *fusion)
{
	int64_t part_ma = 0;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		if (fusion->slots[i].accepted)
			part_ma += slot_capacity(&fusion->slots[i]) / START_PART;
	return part_ma < fusion->config.start_current_ma ? part_ma
							 : fusion->config.start_current_ma;
}

static void move(const struct fusion *fusion, struct ramp *ramp, int64_t target_ma, int64_t sum_ma)
{
	if (target_ma * 1000 <= ramp->value_ua)
		fall(ramp, target_ma * 1000);
	else if (ramp->value_ua == 0 && target_ma < start_current(fusion))
		stay_at_zero(ramp);
	else if (!is_waiting(fusion, ramp))
		rise(fusion, ramp, target_ma * 1000, sum_ma * 1000);
}

void fusion_shape(struct fusion *fusion)
{
	for (int d = 0; d < DIRECTIONS; d++)
		move(fusion, &fusion->ramp[d], fusion->target_ma[d], fusion->sum_ma[d]);
	if (fusion->recovering) { /* too little to be worth a ramp, and there is no sum */
		fusion->ramp[CHARGE].value_ua = fusion->target_ma[CHARGE] * INT64_C(1000);
		fusion->ramp[CHARGE].phase = RULE_FULL;
	}
}

/* Expected is what was ever accepted, and as many more packs of mean size as the owner says. */
bool fusion_has_quorum(const struct fusion *fusion)
{
	int64_t expected_mah = 0, active_mah = 0;
	int accepted = 0;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];
		const int64_t weight = slot_capacity(slot);

		if (!slot->accepted)
			continue;
		accepted++;
		expected_mah += weight;
		if (slot_is_online(slot) && !slot->silent)
			active_mah += weight;
	}
	if (accepted && fusion->config.packs_expected > accepted)
		expected_mah +=
			expected_mah / accepted * (fusion->config.packs_expected - accepted);
	return active_mah * 100000 >= expected_mah * fusion->config.quorum_mpct;
}
