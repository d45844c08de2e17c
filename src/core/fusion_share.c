// SPDX-License-Identifier: Apache-2.0
/* G, the b_i: the part of a current step that each pack takes, learned from plateau to plateau.
 *
 * Packs are asked one after another, so samples of one moment do not exist. But while the load
 * stands still the moment does not matter: a plateau is reached when the last three answers of
 * every pack agree. The step from one plateau to the next, seen in all packs, is free of skew, and
 * the voltages of the cells, which drift, are nearly the same on both sides. What is measured at
 * the very edge of a plateau belongs to neither side.
 *
 * A step counts by its square, so that many small ones weigh as much as one large one with the same
 * noise; the capacity counts like one step of C/10. What was learned is bounded to half and twice
 * the share that the capacity says: a current sensor that shows too little makes its pack's share
 * look small, and this is how far it can raise the limit. The guard against too much current
 * (fusion_system_limit.c) never enters here. */
#include "fusion_drift.h"

#include <stdlib.h>
#include <string.h>

#define PPM          1000000
#define ABSURD       4      /* a part of a step beyond this times the capacity's says is none */
#define AGREE_PARTS  200    /* answers agree within 1/200 C ... */
#define AGREE_MA     500    /* ... or this, the noise of small packs */
#define APART_MS     120000 /* between the two plateaus */
#define PRIOR        10000  /* evidence in the capacity: (1/10 C)^2 */
#define EVIDENCE_MAX 300000 /* what is older is forgotten */
#define SURPRISE_PPM 250000 /* off by this: what was believed is believed half */

void share_set(struct share *share, int64_t prior_mah, int32_t factor_ppm)
{
	const int64_t weight = prior_mah * factor_ppm / PPM;

	share->prior_mah = prior_mah;
	share->factor_ppm = factor_ppm;
	share->weight = weight > 0 ? weight : 1;
}

int32_t share_confidence(const struct share *share)
{
	return (int32_t)((int64_t)share->evidence * 100000 / (share->evidence + PRIOR));
}

/* Who shows its share: both switches closed, fresh, of known size. */
static bool is_member(const struct slot *slot)
{
	return slot->state == PACK_ACTIVE && !slot->silent && slot->capacity_mah > 0 &&
	       slot->presence[CHARGE] == PRESENCE_SURE &&
	       slot->presence[DISCHARGE] == PRESENCE_SURE;
}

static uint32_t find_members(const struct fusion *fusion)
{
	uint32_t members = 0;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		if (is_member(&fusion->slots[i]))
			members |= UINT32_C(1) << i;
	return members;
}

static bool agrees(const struct slot *slot)
{
	const int64_t part_ma = slot_capacity(slot) / AGREE_PARTS;
	const int64_t tolerance_ma = part_ma > AGREE_MA ? part_ma : AGREE_MA;

	for (int i = 0; i < slot->share.count && i < PLATEAU_ANSWERS; i++)
		if (llabs((int64_t)slot->good.current_ma - slot->share.flow_ma[i]) > tolerance_ma)
			return false;
	return true;
}

static void push(struct share *share, int32_t flow_ma)
{
	memmove(&share->flow_ma[1], &share->flow_ma[0], sizeof share->flow_ma - sizeof flow_ma);
	share->flow_ma[0] = flow_ma;
	if (share->count <= PLATEAU_ANSWERS)
		share->count++;
}

static int32_t mean_from(const struct share *share, int first)
{
	int64_t sum_ma = 0;

	for (int i = 0; i < PLATEAU_ANSWERS; i++)
		sum_ma += share->flow_ma[first + i];
	return (int32_t)(sum_ma / PLATEAU_ANSWERS);
}

/* The load has moved: what stood still until now is the plateau before, if it was one. */
static void break_plateau(struct fusion *fusion)
{
	struct plateau *plateau = &fusion->plateau;
	bool complete = true;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		if (plateau->members >> i & 1)
			complete &= fusion->slots[i].share.count > PLATEAU_ANSWERS;
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		struct share *share = &fusion->slots[i].share;

		if (complete && (plateau->members >> i & 1))
			share->before_ma = mean_from(share, 1);
		share->count = 0;
	}
	plateau->has_before |= complete;
	if (complete)
		plateau->before_ms = fusion->now_ms;
}

/* Takes in the answers of this step. True when this completes a plateau: every member has given
 * three answers that agree. */
static bool follow_plateau(struct fusion *fusion)
{
	bool moved = false, all = true, newly = false;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		if (fusion->plateau.members >> i & 1 && fusion->slots[i].answered)
			moved |= !agrees(&fusion->slots[i]);
	if (moved) {
		break_plateau(fusion);
		return false; /* nobody knows which of these answers are older than the step */
	}
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		struct slot *slot = &fusion->slots[i];

		if (!(fusion->plateau.members >> i & 1))
			continue;
		if (slot->answered) {
			newly |= slot->share.count == PLATEAU_ANSWERS - 1;
			push(&slot->share, slot->good.current_ma);
		}
		all &= slot->share.count >= PLATEAU_ANSWERS;
	}
	return all && newly;
}

static int32_t clamp_factor(const struct fusion_config *config, int64_t factor_ppm)
{
	const int32_t lowest_ppm = config->share_min_mpct * 10;
	const int32_t highest_ppm = config->share_max_mpct * 10;

	if (factor_ppm < lowest_ppm)
		return lowest_ppm;
	return factor_ppm > highest_ppm ? highest_ppm : (int32_t)factor_ppm;
}

/* A step between two plateaus: how much of it each member took. */
struct step {
	int64_t total_ma, now_ma; /* the step itself, and the current after it */
	int64_t capacity_mah, weight;
	int32_t evidence;
};

static struct step measure_step(const struct fusion *fusion)
{
	struct step step = {0};

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];

		if (!(fusion->plateau.members >> i & 1))
			continue;
		step.total_ma += mean_from(&slot->share, 0) - slot->share.before_ma;
		step.now_ma += mean_from(&slot->share, 0);
		step.capacity_mah += slot_capacity(slot);
		step.weight += share_weight(&slot->share);
	}
	const int64_t size = scale(llabs(step.total_ma), 1000, step.capacity_mah); /* C/1000 */

	step.evidence = size > 1000 ? PPM : (int32_t)(size * size);
	return step;
}

/* The factor that a pack's part of the step stands for. */
static int64_t seen_factor(const struct slot *slot, const struct step *step)
{
	const int64_t part_ma = mean_from(&slot->share, 0) - slot->share.before_ma;
	const int64_t weight = scale(part_ma, step->weight, step->total_ma);

	return scale(weight, PPM, slot_capacity(slot));
}

/* A member that takes nothing of a step, or several times what it could, shows no share: its sensor
 * stands still, or its BMS limits the current by itself. Then the others' parts are wrong as well.
 */
static bool is_credible(const struct fusion *fusion, const struct step *step)
{
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		if (!(fusion->plateau.members >> i & 1))
			continue;
		const int64_t factor_ppm = seen_factor(&fusion->slots[i], step);

		if (factor_ppm < PPM / ABSURD || factor_ppm > INT64_C(1) * PPM * ABSURD)
			return false;
	}
	return true;
}

static void learn(const struct fusion_config *config, struct share *share, int64_t seen_ppm,
		  int32_t evidence)
{
	const int64_t off_ppm = clamp_factor(config, seen_ppm) - share->factor_ppm;

	if (llabs(off_ppm) > SURPRISE_PPM)
		share->evidence /= 2;
	share_set(share, share->prior_mah,
		  share->factor_ppm + (int32_t)scale(off_ppm, evidence,
						     (int64_t)share->evidence + evidence + PRIOR));
	share->evidence = share->evidence > EVIDENCE_MAX - evidence ? EVIDENCE_MAX
								    : share->evidence + evidence;
}

/* The members together keep their weight against the packs that took no part. What the new shares
 * explain of the present currents is no drift any more. */
static void learn_all(struct fusion *fusion, const struct step *step)
{
	int64_t old[ONEPACK_MAX_PACKS], seen_ppm[ONEPACK_MAX_PACKS], weight = 0;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		old[i] = share_weight(&fusion->slots[i].share);
		seen_ppm[i] = seen_factor(&fusion->slots[i], step);
	}
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		if (fusion->plateau.members >> i & 1) {
			learn(&fusion->config, &fusion->slots[i].share, seen_ppm[i],
			      step->evidence);
			weight += share_weight(&fusion->slots[i].share);
		}
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		struct share *share = &fusion->slots[i].share;

		if (!(fusion->plateau.members >> i & 1))
			continue;
		share_set(share, share->prior_mah,
			  clamp_factor(&fusion->config,
				       scale(share->factor_ppm, step->weight, weight)));
		drift_shift(&fusion->slots[i],
			    scale(step->now_ma, old[i] - share_weight(share), step->weight),
			    step->now_ma);
	}
}

void fusion_learn_shares(struct fusion *fusion)
{
	const uint32_t members = fusion->config.learn_shares == 1 ? find_members(fusion) : 0;
	struct plateau *plateau = &fusion->plateau;

	if (members != plateau->members) { /* whatever was seen, it was another network */
		plateau->members = members;
		plateau->has_before = false;
		for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
			fusion->slots[i].share.count = 0;
	}
	if (!follow_plateau(fusion) || !plateau->has_before ||
	    fusion->now_ms - plateau->before_ms > APART_MS)
		return;
	const struct step step = measure_step(fusion);

	if (llabs(step.total_ma) >=
		    scale(step.capacity_mah, fusion->config.share_step_mpct, 100000) &&
	    is_credible(fusion, &step))
		learn_all(fusion, &step);
}
