// SPDX-License-Identifier: Apache-2.0
/* Each invariant can fail: a bug is planted, and is told with its name; and without a bug nothing
 * is told. The worlds here are small (small_world.h); tests/sim runs whole ones. */
#include "sim/invariants.h"

#include <stdlib.h>

#include "../cmocka_all.h"
#include "core/fusion_state.h"
#include "small_world.h"

static void assert_only(const struct small_world *world, enum invariant which)
{
	for (int i = 0; i < INVARIANT_COUNT; i++) {
		if (i == (int)which && world->count[i] == 0)
			fail_msg("%s was not told", invariant_name((enum invariant)i));
		if (i != (int)which && world->count[i] > 0)
			fail_msg("%s was told, too: %s", invariant_name((enum invariant)i),
				 world->last.text);
	}
}

static void assert_nothing(const struct small_world *world)
{
	for (int i = 0; i < INVARIANT_COUNT; i++)
		if (world->count[i] > 0)
			fail_msg("%s: pack %d at %lld ms: %s", invariant_name((enum invariant)i),
				 world->last.pack, (long long)world->last.time_ms,
				 world->last.text);
}

static void names_can_be_found(void **state)
{
	(void)state;
	for (int i = 0; i < INVARIANT_COUNT; i++)
		assert_int_equal(invariant_by_name(invariant_name((enum invariant)i)), i);
	assert_int_equal(invariant_by_name("luck"), -1);
}

static void a_sound_world_is_left_alone(void **state)
{
	struct invariants_figures figures;
	struct small_world world;

	(void)state;
	small_init(&world);
	small_begin(&world);
	small_run(&world, 1800);
	assert_nothing(&world);
	assert_true(world.plant.bus_a > 100);
	invariants_get_figures(world.invariants, &figures);
	assert_true(figures.checks[INVARIANT_pack_over_limit] > 1000);
	assert_true(figures.checks[INVARIANT_missing_raises] > 100);
	small_end(&world);
}

/* --- pack_over_limit, loss_overloads, protection_used --- */

/* 72 and 28 %: half the wiring, more than twice the capacity, but the same limit. */
static void make_unequal(struct small_world *world)
{
	small_init(world);
	world->scenario.pack_count = 2;
	world->scenario.steps[0].power_w = -30000; /* charging would end at the charge voltage */
	world->scenario.packs[1].capacity_mah = 314000 * 28 / 72;
	world->scenario.packs[1].wiring_uohm = 33000;
	world->scenario.packs[1].cell_uohm = 1150;
}

/* The sum of the limits would be too much here; the guard notices and keeps to the promise. */
static void no_rule_overloads_a_pack_for_long(void **state)
{
	const enum limit_rule rules[] = {LIMIT_RULE_SHARE, LIMIT_RULE_SUM, LIMIT_RULE_MIN};
	struct small_world world;

	(void)state;
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		make_unequal(&world);
		world.scenario.battery.limit_rule = rules[i];
		small_begin(&world);
		small_run(&world, 600);
		assert_nothing(&world);
		small_end(&world);
	}
}

/* A gateway that does not see what it does: it allows 400 A whatever happens. */
static void allow_too_much(struct small_world *world, struct battery *battery)
{
	(void)world;
	battery->discharge_current_limit_ma = 400000;
	for (int i = 0; i < battery->reason_count; i++)
		if (battery->reasons[i].limit == LIMIT_DISCHARGE_CURRENT)
			battery->reasons[i].value = 400000;
}

static void patient_bms(struct small_world *world)
{
	for (int i = 0; i < world->plant.pack_count; i++)
		world->plant.packs[i].bms.settings.discharge_overcurrent_delay_ms = 3600000;
}

static void too_much_current_is_told(void **state)
{
	struct small_world world;

	(void)state;
	make_unequal(&world);
	small_begin(&world);
	patient_bms(&world);
	world.on_battery = allow_too_much;
	small_run(&world, 60);
	assert_true(world.count[INVARIANT_pack_over_limit] > 0);
	assert_true(world.count[INVARIANT_fall_late] > 0);
	assert_non_null(strstr(world.last.text, "charge:"));
	small_end(&world);
}

static void a_lying_sensor_excuses_its_own_pack_only(void **state)
{
	struct small_world world;

	(void)state;
	small_init(&world);
	world.scenario.pack_count = 2;
	world.scenario.steps[0].power_w = -30000;
	world.scenario.packs[1].wiring_uohm = 60000;
	world.scenario.battery.limit_rule = LIMIT_RULE_SUM; /* and the guard sees half of it */
	world.scenario.fault_count = 1;
	world.scenario.faults[0] = (struct fault){
		.kind = FAULT_current_wrong, .pack = 1, .end_ms = 3600000, .milli = -50000};
	small_begin(&world);
	patient_bms(&world);
	small_run(&world, 300);
	assert_true(world.plant.packs[0].current_a < -165); /* it does carry too much */
	assert_nothing(&world);
	world.scenario.faults[0].pack = 2; /* now nothing excuses pack 1 */
	world.on_battery = allow_too_much;
	small_run(&world, 60);
	assert_true(world.count[INVARIANT_pack_over_limit] > 0);
	small_end(&world);
}

static void look_away(struct small_world *world)
{
	for (int i = 0; i < world->input.pack_count; i++)
		world->input.packs[i].cells_mv[3] = world->input.packs[i].cells_mv[2];
}

static void a_used_protection_is_told(void **state)
{
	struct small_world world;

	(void)state;
	small_init(&world);
	world.scenario.packs[1].soc_mpct = 97000;
	small_begin(&world);
	world.plant.packs[1].cells[3].soc = 0.985;
	world.on_input = look_away; /* a bug in reading cells */
	small_run(&world, 600);
	assert_true(world.count[INVARIANT_protection_used] > 0);
	assert_int_equal(world.last.pack, 2);
	assert_non_null(strstr(world.last.text, "cell_overvoltage"));
	small_end(&world);
}

/* The rest is overloaded when a pack goes, and nobody does anything about it. */
static int32_t stubborn_ma;

static void stay(struct small_world *world, struct battery *battery)
{
	if (world->now_ms < 200000)
		stubborn_ma = battery->discharge_current_limit_ma;
	battery->discharge_current_limit_ma = stubborn_ma;
	for (int i = 0; i < battery->reason_count; i++)
		if (battery->reasons[i].limit == LIMIT_DISCHARGE_CURRENT)
			battery->reasons[i].value = stubborn_ma;
}

static void a_loss_that_overloads_is_told(void **state)
{
	struct small_world world;

	(void)state;
	small_init(&world);
	world.scenario.steps[0].power_w = -40000;
	world.scenario.fault_count = 1;
	world.scenario.faults[0] = (struct fault){
		.kind = FAULT_trip, .pack = 2, .start_ms = 300000, .end_ms = 3600000};
	small_begin(&world);
	patient_bms(&world);
	small_run(&world, 290);
	assert_nothing(&world);
	world.on_battery = stay;
	stubborn_ma = world.battery.discharge_current_limit_ma;
	small_run(&world, 60);
	assert_true(world.count[INVARIANT_loss_overloads] > 0);
	assert_int_equal(world.count[INVARIANT_pack_over_limit], 0);
	small_end(&world);
}

static void n_minus_1_is_asked_of_the_plant(void **state)
{
	struct small_world world;

	(void)state;
	small_init(&world);
	world.scenario.steps[0].power_w = -40000;
	world.scenario.battery.n_minus_1 = 1;
	small_begin(&world);
	small_run(&world, 600);
	assert_nothing(&world);
	small_end(&world);

	small_init(&world);
	world.scenario.steps[0].power_w = -40000;
	small_begin(&world);
	world.scenario.battery.n_minus_1 = 1; /* promised, but the engine does not know */
	small_run(&world, 600);
	assert_only(&world, INVARIANT_loss_overloads);
	small_end(&world);
}

/* --- missing_raises, old_data --- */

/* A bug that takes a pack for gone unless it answers in the same step. */
static void forget_at_once(struct small_world *world)
{
	world->fusion->slots[2].isolated = true;
}

static void a_forgotten_pack_is_told(void **state)
{
	struct small_world world;

	(void)state;
	small_init(&world);
	world.scenario.steps[0].power_w = -10000;
	world.scenario.packs[2].discharge_ma = 20000; /* the tightest */
	small_begin(&world);
	small_run(&world, 600);
	assert_nothing(&world);
	world.on_input = forget_at_once;
	small_run(&world, 600);
	assert_only(&world, INVARIANT_missing_raises);
	small_end(&world);
}

/* An answer that turns into nothing but the age of what was there. */
static void keep_showing(struct small_world *world, struct battery *battery)
{
	static struct battery before;

	if (world->now_ms < 100000)
		before = *battery;
	for (int i = 0; i < battery->pack_count && world->now_ms >= 100000; i++)
		if (battery->packs[i].state == PACK_LOST)
			battery->packs[i] = before.packs[i];
}

static void old_values_are_told(void **state)
{
	struct small_world world;

	(void)state;
	small_init(&world);
	world.scenario.fault_count = 1;
	world.scenario.faults[0] = (struct fault){
		.kind = FAULT_silent, .pack = 2, .start_ms = 110000, .end_ms = 3600000};
	small_begin(&world);
	world.on_battery = keep_showing;
	small_run(&world, 165);
	assert_int_equal(world.count[INVARIANT_old_data], 0);
	small_run(&world, 60);
	assert_only(&world, INVARIANT_old_data);
	assert_int_equal(world.last.pack, 2);
	small_end(&world);
}

/* Hidden in a mean: only running the step again with other old values shows it. */
static void count_the_lost(struct small_world *world, struct battery *battery)
{
	const struct slot *slot = &world->fusion->slots[1];

	if (slot->state == PACK_LOST && battery->current_ma != FIELD_UNKNOWN)
		battery->current_ma += slot->good.current_ma + 1000;
}

static void hidden_old_values_are_told(void **state)
{
	struct small_world world;

	(void)state;
	small_init(&world);
	world.scenario.fault_count = 1;
	world.scenario.faults[0] = (struct fault){
		.kind = FAULT_silent, .pack = 2, .start_ms = 110000, .end_ms = 3600000};
	small_begin(&world);
	world.on_battery = count_the_lost;
	small_run(&world, 300);
	assert_only(&world, INVARIANT_old_data);
	assert_non_null(strstr(world.last.text, "current_ma"));
	small_end(&world);
}

/* --- fall_late, rise_fast, reason_missing --- */

static void rush(struct small_world *world, struct battery *battery)
{
	struct ramp *ramp = &world->fusion->ramp[CHARGE];

	(void)battery;
	if (world->now_ms % 20000 == 0) /* the pause is forgotten */
		ramp->value_ua = world->fusion->target_ma[CHARGE] * INT64_C(900);
	else if (world->now_ms % 20000 == 1000)
		ramp->value_ua = world->fusion->target_ma[CHARGE] * INT64_C(1000);
}

static void fast_rises_are_told(void **state)
{
	struct small_world world;

	(void)state;
	small_init(&world);
	small_begin(&world);
	small_run(&world, 300);
	assert_nothing(&world);
	world.on_battery = rush;
	small_run(&world, 60);
	assert_only(&world, INVARIANT_rise_fast);
	small_end(&world);
}

static void late_falls_are_told(void **state)
{
	struct small_world world;

	(void)state;
	small_init(&world);
	world.scenario.fault_count = 1;
	world.scenario.faults[0] = (struct fault){
		.kind = FAULT_block_discharge, .pack = 2, .start_ms = 200000, .end_ms = 3600000};
	small_begin(&world);
	patient_bms(&world);
	world.on_battery = stay;
	small_run(&world, 205);
	assert_true(world.count[INVARIANT_fall_late] > 0);
	small_end(&world);
}

static void wrong_value(struct small_world *world, struct battery *battery)
{
	(void)world;
	battery->reasons[0].value -= 100;
}

static void two_answers(struct small_world *world, struct battery *battery)
{
	(void)world;
	battery->reasons[1].limit = battery->reasons[0].limit;
}

static void reasons_that_do_not_fit_are_told(void **state)
{
	void (*const lies[])(struct small_world *, struct battery *) = {wrong_value, two_answers};
	struct small_world world;

	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		small_init(&world);
		small_begin(&world);
		world.on_battery = lies[i];
		small_run(&world, 30);
		assert_only(&world, INVARIANT_reason_missing);
		small_end(&world);
	}
}

/* --- the wire --- */

static void say_no_voltage(struct small_world *world, struct wire_values *said)
{
	(void)world;
	said->battery.charge_voltage_limit_mv = 0;
}

static void say_too_full(struct small_world *world, struct wire_values *said)
{
	(void)world;
	said->battery.soc_mpct = 101000;
}

static void nonsense_on_the_wire_is_told(void **state)
{
	struct small_world world;

	(void)state;
	small_init(&world);
	small_begin(&world);
	world.on_frame = say_no_voltage;
	small_run(&world, 30);
	assert_only(&world, INVARIANT_zero_voltage);
	small_end(&world);

	small_init(&world);
	small_begin(&world);
	world.on_frame = say_too_full;
	small_run(&world, 30);
	assert_only(&world, INVARIANT_soc_range);
	small_end(&world);
}

static void silence_is_told(void **state)
{
	struct small_world world;

	(void)state;
	small_init(&world);
	small_begin(&world);
	small_run(&world, 60);
	assert_nothing(&world);
	world.mute_link = true;
	small_run(&world, 10);
	assert_only(&world, INVARIANT_frames_stop);
	small_end(&world);
}

/* A dead engine whose link says the old limits on and on. */
static void a_lease_that_does_not_end_is_told(void **state)
{
	struct small_world world;

	(void)state;
	small_init(&world);
	world.scenario.fault_count = 1;
	world.scenario.faults[0] =
		(struct fault){.kind = FAULT_engine_hung, .start_ms = 300000, .end_ms = 360000};
	small_begin(&world);
	small_run(&world, 400);
	assert_nothing(&world);
	small_end(&world);

	small_init(&world);
	world.scenario.fault_count = 1;
	world.scenario.faults[0] =
		(struct fault){.kind = FAULT_engine_hung, .start_ms = 300000, .end_ms = 360000};
	small_begin(&world);
	world.obey_dead_engine = true;
	small_run(&world, 350);
	assert_only(&world, INVARIANT_lease_ignored);
	small_end(&world);
}

/* --- energy --- */

static void leak(struct small_world *world)
{
	world->plant.packs[0].cells[0].soc += 2e-5;
}

static void energy_from_nowhere_is_told(void **state)
{
	struct small_world world;

	(void)state;
	small_init(&world);
	small_begin(&world);
	world.on_plant = leak;
	small_run(&world, 1200);
	assert_only(&world, INVARIANT_energy_lost);
	small_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_can_be_found),
		cmocka_unit_test(a_sound_world_is_left_alone),
		cmocka_unit_test(no_rule_overloads_a_pack_for_long),
		cmocka_unit_test(too_much_current_is_told),
		cmocka_unit_test(a_lying_sensor_excuses_its_own_pack_only),
		cmocka_unit_test(a_used_protection_is_told),
		cmocka_unit_test(a_loss_that_overloads_is_told),
		cmocka_unit_test(n_minus_1_is_asked_of_the_plant),
		cmocka_unit_test(a_forgotten_pack_is_told),
		cmocka_unit_test(old_values_are_told),
		cmocka_unit_test(hidden_old_values_are_told),
		cmocka_unit_test(fast_rises_are_told),
		cmocka_unit_test(late_falls_are_told),
		cmocka_unit_test(reasons_that_do_not_fit_are_told),
		cmocka_unit_test(nonsense_on_the_wire_is_told),
		cmocka_unit_test(silence_is_told),
		cmocka_unit_test(a_lease_that_does_not_end_is_told),
		cmocka_unit_test(energy_from_nowhere_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
