// SPDX-License-Identifier: Apache-2.0
/* The same step once more, from a copy of the same memory, with other input. Fusion is pure, so
 * this is exact: what differs in the result is the doing of what differs in the input.
 *
 * missing_raises: what a limit becomes without an answer, or with a senseless one in its place, is
 * compared with what it was before (and with what the rules had come to then: a limit on its way up
 * goes on), what it becomes with the real answer, and what it becomes when the pack repeats what it
 * said last. It must not be above all of them. (Above the real one alone it
 * may be: an answer with bad news lowers limits, and who has not heard it cannot.) The room of 1 %
 * is for bad news about another pack that only a complete round of answers can tell from noise: a
 * missing answer delays it by a round. Zero has no room.
 *
 * The same over time: two engines hear all packs repeat their last answers until nothing is news
 * any more (drifts agree, shares are learned, packs have joined); then one of them never hears one
 * of the packs again. At no moment may it allow more than the other does then, or than was allowed,
 * or on its way, when the silence began. */
#include <stdio.h>
#include <string.h>

#include "core/fusion_state.h"
#include "invariants_state.h"
#include "onepack/err.h"

#define QUIET_STEPS     40 /* until nothing is news any more */
#define SILENCE_STEPS   45 /* long enough to become held, silent and lost */
#define SILENCE_STEP_MS 1000
#define SILENCE_EVERY   5      /* of the steps that are run again, each so-many-th gets a silence */
#define TIGHTEST_PART   500000 /* ppm of the silences that hit the pack which limits the battery */
#define CHARGE_WORD     "charge current"
#define ROOM_PART       100 /* 1 %, see missing_raises */
#define ROOM_MA         500
#define ROOM_MV         2

enum change { CHANGE_REMOVE, CHANGE_SPOIL, CHANGE_REPEAT };

struct limits {
	int32_t charge_ma, discharge_ma, charge_mv;
};

static int32_t at_least(int32_t value, int32_t low)
{
	return value > low ? value : low;
}

static struct limits limits_of(const struct battery *b)
{
	return (struct limits){b->charge_current_limit_ma, b->discharge_current_limit_ma,
			       b->charge_voltage_limit_mv};
}

static struct limits higher(struct limits a, struct limits b)
{
	return (struct limits){at_least(a.charge_ma, b.charge_ma),
			       at_least(a.discharge_ma, b.discharge_ma),
			       at_least(a.charge_mv, b.charge_mv)};
}

static int32_t with_room(int32_t ma)
{
	return ma <= 0 ? 0 : ma + ma / ROOM_PART + ROOM_MA;
}

/* What was published last, or is on its way. */
static struct limits permitted(const struct battery *published, const struct fusion *memory)
{
	const struct limits targets = {memory->target_ma[CHARGE], memory->target_ma[DISCHARGE],
				       FIELD_UNKNOWN};

	return higher(limits_of(published), targets);
}

/* The word for the first that is above, or NULL. FIELD_UNKNOWN is below everything. */
static const char *above(struct limits a, struct limits most)
{
	if (a.charge_ma > with_room(most.charge_ma))
		return CHARGE_WORD;
	if (a.discharge_ma > with_room(most.discharge_ma))
		return "discharge current";
	if (most.charge_mv != FIELD_UNKNOWN && a.charge_mv > most.charge_mv + ROOM_MV)
		return "charge voltage";
	return NULL;
}

static void tell(struct invariants *inv, int32_t pack, const char *what, const char *how,
		 struct limits a, struct limits most)
{
	invariants_break(inv, INVARIANT_missing_raises, pack, inv->input->now_ms,
			 "%s: %s; %d and %d mA, %d mV instead of at most %d and %d mA, %d mV", what,
			 how, a.charge_ma, a.discharge_ma, a.charge_mv, most.charge_ma,
			 most.discharge_ma, most.charge_mv);
}

/* Values that cannot be, in an answer whose checksum was good. */
static void spoil(struct pack *pack)
{
	pack->cells_mv[0] = 0;
	pack->soc_mpct = 255000;
}

/* Changes the answers of the packs in `mask` (bit n = pack n). */
static void change_input(const struct invariants *inv, enum change change, uint32_t mask,
			 struct fusion_input *out)
{
	const struct fusion_input *in = inv->input;

	*out = *in;
	out->pack_count = 0;
	for (int i = 0; i < in->pack_count; i++) {
		const int32_t number = in->packs[i].pack;
		const struct seen_pack *seen = &inv->packs[number - 1];
		struct pack *pack = &out->packs[out->pack_count];

		*pack = in->packs[i];
		if (mask >> number & 1) {
			if (change == CHANGE_REMOVE || (change == CHANGE_REPEAT && !seen->has_last))
				continue;
			if (change == CHANGE_REPEAT)
				*pack = seen->last;
			else
				spoil(pack);
		}
		out->pack_count++;
	}
}

static struct limits limits_with(struct invariants *inv, enum change change, uint32_t mask)
{
	struct battery out;

	change_input(inv, change, mask, inv->changed);
	memcpy(inv->scratch[0], inv->memory, sizeof *inv->memory);
	fusion_step(inv->scratch[0], inv->changed, &out);
	return limits_of(&out);
}

static void check_missing(struct invariants *inv, const struct battery *real)
{
	const struct fusion_input *in = inv->input;
	const int which = (int)(sim_random_next(&inv->random) % (uint64_t)(in->pack_count + 1));
	const int32_t pack = which < in->pack_count ? in->packs[which].pack : FIELD_UNKNOWN;
	const uint32_t mask = pack == FIELD_UNKNOWN ? UINT32_MAX : UINT32_C(1) << pack;
	const bool senseless = sim_random_chance(&inv->random, 300000);
	struct limits most = limits_of(real), other;
	const char *what;

	inv->figures.checks[INVARIANT_missing_raises]++;
	other = limits_with(inv, senseless ? CHANGE_SPOIL : CHANGE_REMOVE, mask);
	if (!above(other, most))
		return;
	if (inv->has_published)
		most = higher(most, permitted(&inv->published, inv->memory));
	most = higher(most, limits_with(inv, CHANGE_REPEAT, mask));
	what = above(other, most);
	if (what)
		tell(inv, pack, what,
		     senseless ? "raised by a senseless answer"
			       : "raised by a "
				 "missing answer",
		     other, most);
}

/* One step of an engine that hears all packs that were heard lately repeat themselves, but
 * `silent`.
 */
static struct limits step_on(struct invariants *inv, struct fusion *fusion, int64_t now_ms,
			     int32_t silent, struct battery *out)
{
	struct fusion_input *input = inv->changed;

	input->now_ms = now_ms;
	input->pack_count = input->error_count = 0;
	input->bus_current_ma = FIELD_UNKNOWN;
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct seen_pack *seen = &inv->packs[i];

		if (seen->has_last && i + 1 != silent &&
		    inv->input->now_ms - seen->last_ms < fusion->config.lost_ms)
			input->packs[input->pack_count++] = seen->last;
	}
	fusion_step(fusion, input, out);
	return limits_of(out);
}

/* Why each of the two allows what it does. */
static void tell_silence(struct invariants *inv, int32_t pack, const char *what, int32_t seconds,
			 const struct battery *with, const struct battery *without,
			 struct limits most)
{
	const bool charging = strcmp(what, CHARGE_WORD) == 0;
	const enum limit limit = charging ? LIMIT_CHARGE_CURRENT : LIMIT_DISCHARGE_CURRENT;
	const struct reason *a = invariants_reason(without, limit);
	const struct reason *b = invariants_reason(with, limit);
	char how[400];

	snprintf(how, sizeof how, "raised by %d s of silence (%s | heard: %s)", seconds,
		 a ? a->text : "", b ? b->text : "");
	tell(inv, pack, what, how, limits_of(without), most);
}

/* Whose silence would matter most: often the pack that the reason of a limit names. */
static int32_t draw_pack(struct invariants *inv)
{
	const enum limit limit = sim_random_chance(&inv->random, 500000) ? LIMIT_CHARGE_CURRENT
									 : LIMIT_DISCHARGE_CURRENT;
	const struct reason *reason = invariants_reason(&inv->published, limit);

	if (sim_random_chance(&inv->random, TIGHTEST_PART) && reason &&
	    reason->pack != FIELD_UNKNOWN)
		return reason->pack;
	return 1 + (int32_t)(sim_random_next(&inv->random) % (uint64_t)inv->scenario->pack_count);
}

static void check_silence(struct invariants *inv)
{
	struct battery heard, unheard;
	struct limits first;
	int64_t step = 0;
	int32_t pack;

	if (!inv->has_published)
		return;
	pack = draw_pack(inv);
	if (!inv->packs[pack - 1].has_last)
		return;
	memcpy(inv->scratch[0], inv->memory, sizeof *inv->memory);
	for (; step < QUIET_STEPS; step++)
		step_on(inv, inv->scratch[0], inv->input->now_ms + step * SILENCE_STEP_MS, 0,
			&heard);
	memcpy(inv->scratch[1], inv->scratch[0], sizeof *inv->memory);
	first = permitted(&heard, inv->scratch[0]);
	for (; step < QUIET_STEPS + SILENCE_STEPS; step++) {
		const int64_t now_ms = inv->input->now_ms + step * SILENCE_STEP_MS;
		struct limits with = step_on(inv, inv->scratch[0], now_ms, 0, &heard);
		struct limits without = step_on(inv, inv->scratch[1], now_ms, pack, &unheard);
		const char *what = above(without, higher(with, first));

		inv->figures.checks[INVARIANT_missing_raises]++;
		if (!what)
			continue;
		tell_silence(inv, pack, what, (int32_t)(step - QUIET_STEPS), &heard, &unheard,
			     higher(with, first));
		return;
	}
}

/* --- old_data --- */

static void poison(struct pack *pack)
{
	pack->voltage_mv += 3000;
	pack->current_ma += 50000;
	pack->soc_mpct = 100000 - pack->soc_mpct;
	pack->remaining_mah /= 2;
	pack->soh_mpct /= 2;
	pack->mos_temperature_mC += 30000;
	for (int i = 0; i < pack->cell_count; i++)
		pack->cells_mv[i] += i % 2 ? 400 : -400;
	for (int i = 0; i < pack->temperature_count; i++)
		pack->temperatures_mC[i] += i % 2 ? 30000 : -30000;
}

/* All measured values of the battery; limits may be lower because of an old pack, so not those. */
static bool same_values(const struct battery *a, const struct battery *b, const char **what)
{
#define COMPARE(name)             \
	if (a->name != b->name) { \
		*what = #name;    \
		return false;     \
	}
	COMPARE(voltage_mv)
	COMPARE(current_ma)
	COMPARE(soc_mpct)
	COMPARE(soh_mpct)
	COMPARE(capacity_mah)
	COMPARE(remaining_mah)
	COMPARE(temperature_mC)
	COMPARE(temperature_min_mC)
	COMPARE(temperature_max_mC)
	COMPARE(mos_temperature_max_mC)
	COMPARE(cell_min_mv)
	COMPARE(cell_max_mv)
	COMPARE(cell_mean_mv)
	COMPARE(packs_online)
#undef COMPARE
	return true;
}

static void check_old(struct invariants *inv, const struct battery *real)
{
	struct fusion *fusion = inv->scratch[0];
	const char *what = "";
	struct battery out;
	bool any = false;

	memcpy(fusion, inv->memory, sizeof *fusion);
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		struct slot *slot = &fusion->slots[i];
		bool answers = false;

		for (int k = 0; k < inv->input->pack_count; k++)
			answers |= inv->input->packs[k].pack == i + 1;
		if (answers || !slot->has_good || inv->input->now_ms - slot->good_ms <= BAN_MS)
			continue;
		poison(&slot->good);
		any = true;
	}
	if (!any)
		return;
	inv->figures.checks[INVARIANT_old_data]++;
	fusion_step(fusion, inv->input, &out);
	if (!same_values(real, &out, &what))
		invariants_break(inv, INVARIANT_old_data, FIELD_UNKNOWN, inv->input->now_ms,
				 "%s depends on answers older than 60 s", what);
}

void invariants_rerun(struct invariants *inv, const struct battery *out)
{
	if (inv->input->pack_count > 0)
		check_missing(inv, out);
	check_old(inv, out);
	if (inv->steps / inv->every % SILENCE_EVERY == 0)
		check_silence(inv);
}
