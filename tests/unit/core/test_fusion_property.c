// SPDX-License-Identifier: Apache-2.0
/* The promise, on random racks: missing, stale or worse input never raises a limit. Each step is
 * made several times from the same memory: as it came, with one pack repeating its last good
 * answer, with that pack missing, and with one of its fields unknown. What is missing may leave the
 * limit where the old answer or the new one would have put it, never higher. The other invariants
 * of a published battery are checked along the way.
 *
 * Three honest exceptions are kept out of the random inputs. A drift counts once three answers
 * agree on it, so a missing answer delays that. A missing pack changes the voltage that a joining
 * pack compares itself with, so who may join can depend on it. And the pause after a fall is
 * memory: over many steps the rules' own limit is compared, not the published one. */
#include "fusion_rig.h"

#include <stdlib.h>

#define RACKS 100
#define STEPS 150
#define DARK  100

#define ROUNDING_MA 5 /* shares in parts of a million, scaled to other sets of packs */

static uint32_t seed;

static int32_t draw(int32_t low, int32_t high)
{
	seed = seed * 1664525U + 1013904223U;
	return low + (int32_t)((seed >> 8) % (uint32_t)(high - low + 1));
}

static bool chance(int percent)
{
	return draw(1, 100) <= percent;
}

static void draw_rack(struct rig *rig)
{
	rig_init(rig, draw(1, 8));
	rig->config.limit_rule = chance(70) ? LIMIT_RULE_SHARE : (enum limit_rule)draw(0, 2);
	rig->config.n_minus_1 = chance(20);
	rig->config.rest_for_balancing = chance(10);
	rig->config.rise_hold_ms = chance(50) ? 30000 : draw(0, 5000);
	rig->config.join_time_ms = chance(50) ? 10000 : 0;
	rig->config.charge_current_max_ma = chance(20) ? draw(0, 300000) : FIELD_UNKNOWN;
	rig_configure(rig);
	for (int i = 0; i < rig->count; i++) {
		struct pack *pack = &rig->packs[i];

		pack->capacity_mah = draw(50000, 320000);
		pack->remaining_mah = pack->capacity_mah / 100 * 60;
		pack->charge_current_limit_ma = draw(5000, 150000);
		pack->discharge_current_limit_ma = draw(5000, 150000);
		if (chance(50))
			pack->charge_voltage_limit_mv = draw(52000, 58000);
	}
}

static void disturb_pack(struct pack *pack)
{
	if (chance(3))
		rig_set_cells(pack, draw(3200, 3420));
	if (chance(3))
		rig_set_cell(pack, draw(1, 16), draw(2700, 3700));
	if (chance(2))
		pack->charge_mos = draw(0, 1);
	if (chance(2))
		pack->discharge_mos = draw(0, 1);
	if (chance(2))
		pack->temperatures_mC[draw(0, 1)] = draw(-5000, 65000);
	if (chance(2))
		pack->charge_current_limit_ma = draw(0, 150000);
	if (chance(1))
		pack->soc_mpct = draw(0, 100000);
	if (chance(1))
		pack->mos_temperature_mC = draw(20000, 95000);
}

/* Unequal cables: every other rack shares its current quite differently from its capacities. */
static bool is_skewed(const struct rig *rig)
{
	return rig->count % 2;
}

static int64_t conductance(const struct rig *rig, int i)
{
	static const int32_t parts[] = {100, 100, 130, 80, 100, 115, 90, 100};

	return (int64_t)rig->packs[i].capacity_mah * (is_skewed(rig) ? parts[i] : 100);
}

/* The total as the packs share it; a pack with an open switch takes no part. */
static void share_current(struct rig *rig, int32_t total_ma)
{
	int32_t was_ma[ONEPACK_MAX_PACKS];
	int64_t weight = 0;

	for (int i = 0; i < rig->count; i++) {
		struct pack *pack = &rig->packs[i];

		was_ma[i] = pack->current_ma;
		pack->current_ma = (total_ma > 0 ? pack->charge_mos : pack->discharge_mos) == 1;
		weight += pack->current_ma * conductance(rig, i);
	}
	for (int i = 0; i < rig->count && weight; i++)
		if (rig->packs[i].current_ma)
			rig->packs[i].current_ma =
				(int32_t)scale(total_ma, conductance(rig, i), weight);
	for (int i = 0; i < rig->count; i++)
		if (rig->packs[i].current_ma != was_ma[i])
			memset(rig->absent, 0, sizeof rig->absent); /* no drift from skew */
}

static void disturb(struct rig *rig)
{
	static const int32_t loads_ma[] = {0, 60000, -60000, 200000, -200000};

	if (chance(10))
		rig->load_ma = loads_ma[draw(0, 4)];
	for (int i = 0; i < rig->count; i++) {
		if (chance(20))
			disturb_pack(&rig->packs[i]);
		rig->absent[i] = rig->absent[i] ? !chance(20) : chance(3);
	}
	share_current(rig, rig->load_ma);
}

/* Packs at different states of charge feed each other. */
static void circulate(struct rig *rig)
{
	for (int i = 0; i + 1 < rig->count; i += 2) {
		const int32_t extra_ma = draw(-40000, 40000);
		struct pack *one = &rig->packs[i], *other = one + 1;

		if (!one->charge_mos || !one->discharge_mos || !other->charge_mos ||
		    !other->discharge_mos)
			continue; /* an open switch breaks the circle */
		one->current_ma += extra_ma;
		other->current_ma -= extra_ma;
	}
}

static int find(const struct fusion_input *input, int32_t number)
{
	for (int i = 0; i < input->pack_count; i++)
		if (input->packs[i].pack == number)
			return i;
	return -1;
}

static struct fusion_input without(const struct fusion_input *input, int at)
{
	struct fusion_input less = *input;

	less.packs[at] = less.packs[--less.pack_count];
	return less;
}

static struct fusion_input with(const struct fusion_input *input, int at, const struct pack *pack)
{
	struct fusion_input other = *input;

	other.packs[at] = *pack;
	return other;
}

/* One field of the pack becomes unknown: any number, or a cell, or a sensor, or the switches. */
static struct pack forget_something(const struct pack *pack)
{
	struct pack less = *pack;
	const int what = draw(0, (int)field_pack.field_count + 2);

	if (what < (int)field_pack.field_count)
		field_set(&less, &field_pack.fields[what], FIELD_UNKNOWN);
	else if (what == (int)field_pack.field_count)
		less.cells_mv[draw(0, 15)] = FIELD_UNKNOWN;
	else if (what == (int)field_pack.field_count + 1)
		less.temperatures_mC[draw(0, 1)] = FIELD_UNKNOWN;
	else
		less.cell_count = less.temperature_count = 0;
	less.pack = pack->pack;
	return less;
}

static int64_t largest(int64_t a, int64_t b, int64_t c)
{
	const int64_t ab = a > b ? a : b;

	return ab > c ? ab : c;
}

/* `less` knows less than `full` and `old`; nothing may be higher than both and than it was. A doubt
 * that the missing answer would have confirmed leaves the limit where it was. */
static void assert_no_higher(const struct fusion *before, const struct fusion *less,
			     const struct fusion *full, const struct fusion *old)
{
	for (int d = 0; d < DIRECTIONS; d++)
		assert_true(less->target_ma[d] <=
			    largest(before->target_ma[d], full->target_ma[d], old->target_ma[d]));
	assert_true(less->charge_voltage_mv <= largest(before->charge_voltage_mv,
						       full->charge_voltage_mv,
						       old->charge_voltage_mv));
	assert_true(less->discharge_voltage_mv == FIELD_UNKNOWN ||
		    less->discharge_voltage_mv >= full->discharge_voltage_mv ||
		    less->discharge_voltage_mv >= old->discharge_voltage_mv);
}

static void step_copy(const struct fusion *before, const struct fusion_input *input,
		      struct fusion *after)
{
	struct battery out;

	memcpy(after, before, sizeof *after);
	fusion_step(after, input, &out);
}

/* `skewed`: packs do not share as their capacities say, so that there always are drifts whose third
 * answer may be the missing one. */
static void compare_forks(const struct fusion *before, const struct fusion_input *input,
			  bool skewed)
{
	static struct fusion full, old, less;
	const int32_t number = draw(1, 8);
	const int at = find(input, number);
	const struct slot *slot = &before->slots[number - 1];

	if (at < 0 || !slot->has_good)
		return;
	struct pack last = slot->good, forgotten = forget_something(&input->packs[at]);
	struct fusion_input repeat, missing = without(input, at), unknown;

	last.pack = number;
	repeat = with(input, at, &last);
	unknown = with(input, at, &forgotten);
	step_copy(before, input, &full);
	step_copy(before, &repeat, &old);
	step_copy(before, &missing, &less);
	if (!skewed)
		assert_no_higher(before, &less, &full, &old);
	step_copy(before, &unknown, &less);
	assert_no_higher(before, &less, &full, &old);
}

static void check_battery(const struct rig *rig, const struct fusion *before)
{
	const struct fusion *now = &rig->fusion;
	const struct battery *out = &rig->out;

	for (int d = 0; d < DIRECTIONS; d++) {
		const int64_t value = now->ramp[d].value_ua, was = before->ramp[d].value_ua;
		int64_t sum_ma = 0;

		for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
			sum_ma += now->slots[i].has_good ? now->slots[i].limit_ma[d] : 0;
		assert_true(value >= 0 && value <= sum_ma * 1000);
		assert_true(value <= now->target_ma[d] * INT64_C(1000)); /* falls at once */
		if (value > was)
			assert_true(value - was <= sum_ma * 20 * now->elapsed_ms / 1000 + 1000);
	}
	assert_int_equal(out->reason_count, LIMIT_COUNT);
	for (int i = 0; i < LIMIT_COUNT; i++) {
		assert_int_equal(out->reasons[i].limit, i);
		assert_true(out->reasons[i].text[0] && out->reasons[i].rule[0]);
	}
	if (out->soc_mpct != FIELD_UNKNOWN) {
		assert_true(out->soc_mpct >= 0 && out->soc_mpct <= 100000);
		if (before->soc_mpct != FIELD_UNKNOWN)
			assert_true(abs(out->soc_mpct - before->soc_mpct) <= now->elapsed_ms);
	}
	assert_true((out->packs_online == 0) == (out->charge_voltage_limit_mv == FIELD_UNKNOWN));
	assert_true(out->packs_online == 0 || out->charge_voltage_limit_mv > 0);
	assert_int_equal(out->state == BATTERY_NO_DATA, out->packs_online == 0);
}

/* F's own prediction: at the limit that was found, no member exceeds its own. */
static void check_prediction(const struct fusion *fusion)
{
	for (int d = 0; d < DIRECTIONS && fusion->config.limit_rule == LIMIT_RULE_SHARE; d++) {
		int64_t weight = 0;
		bool sources = false;

		for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
			const struct slot *slot = &fusion->slots[i];

			if (slot->presence[d] == PRESENCE_SURE)
				weight += share_weight(&slot->share);
			else if (slot->has_good && slot_flow(slot, (enum direction)d) > 0)
				sources = true;
		}
		for (int i = 0; i < ONEPACK_MAX_PACKS && !sources; i++) {
			const struct slot *slot = &fusion->slots[i];
			int64_t least = INT64_MAX; /* of what the last answers say it takes extra */

			if (slot->presence[d] != PRESENCE_SURE)
				continue;
			for (int k = 0; k < slot->drift[d].count; k++)
				if (slot->drift[d].flow_ma[k] < least)
					least = slot->drift[d].flow_ma[k];
			if (least == INT64_MAX || least < share_weight(&slot->share) / 100 ||
			    slot->drift[d].count < DRIFT_SAMPLES)
				least = 0;
			const int64_t flow =
				scale(fusion->target_ma[d], share_weight(&slot->share), weight);

			if (fusion->target_ma[d] > 0 && least > 0)
				assert_true(flow + least <= slot->limit_ma[d] + 1);
		}
	}
}

static void random_racks_keep_the_promise(void **state)
{
	static struct rig rig;
	static struct fusion before;

	(void)state;
	for (uint32_t rack = 1; rack <= RACKS; rack++) {
		seed = rack * 7919;
		draw_rack(&rig);
		for (int step = 0; step < STEPS; step++) {
			struct fusion_input input;

			disturb(&rig);
			before = rig.fusion;
			rig_step(&rig, chance(80) ? 1000 : draw(100, 6000));
			input = rig.input;
			check_battery(&rig, &before);
			check_prediction(&rig.fusion);
			compare_forks(&before, &input, is_skewed(&rig));
		}
	}
}

static struct fusion_input later(const struct fusion_input *input, int64_t now_ms)
{
	struct fusion_input next = *input;

	next.now_ms = now_ms;
	return next;
}

/* From a random moment on, one pack either repeats itself for ever or is gone. */
static void a_pack_that_goes_dark_raises_nothing(void **state)
{
	static struct rig rig;
	static struct fusion heard, dark;
	struct battery out;

	(void)state;
	for (uint32_t rack = 1; rack <= RACKS; rack++) {
		seed = rack * 104729;
		draw_rack(&rig);
		rig.config.quorum_mpct = 0;
		rig_configure(&rig);
		rig_run(&rig, 40);
		for (int step = 0; step < draw(5, 40); step++) {
			disturb(&rig);
			memset(rig.absent, 0, sizeof rig.absent);
			rig_step(&rig, 1000);
		}
		circulate(&rig);
		rig_run(&rig, 4); /* no doubts are left */
		heard = dark = rig.fusion;
		for (int step = 0; step < DARK; step++) {
			const int victim = rig.count > 1 ? (int)rack % rig.count : 0;
			struct fusion_input input = rig.input, less;

			input = later(&input, rig.now_ms += 1000);
			less = without(&input, victim);
			fusion_step(&heard, &input, &out);
			fusion_step(&dark, &less, &out);
			for (int d = 0; d < DIRECTIONS; d++)
				assert_true(dark.target_ma[d] <= heard.target_ma[d] + ROUNDING_MA);
			if (dark.charge_voltage_mv != FIELD_UNKNOWN)
				assert_true(dark.charge_voltage_uv <= heard.charge_voltage_uv);
		}
	}
}

/* The same inputs give the same bytes, whatever was in the memory before. */
static void the_same_inputs_give_the_same_bytes(void **state)
{
	static struct rig rig;
	static struct fusion twin;
	struct battery out;

	(void)state;
	seed = 42;
	draw_rack(&rig);
	memset(&twin, 0xA5, sizeof twin);
	fusion_init(&twin, &rig.config);
	for (int step = 0; step < STEPS; step++) {
		disturb(&rig);
		rig_step(&rig, 1000);
		fusion_step(&twin, &rig.input, &out);
		assert_memory_equal(&out, &rig.out, sizeof out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_racks_keep_the_promise),
		cmocka_unit_test(a_pack_that_goes_dark_raises_nothing),
		cmocka_unit_test(the_same_inputs_give_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
