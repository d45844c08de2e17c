// SPDX-License-Identifier: Apache-2.0
/* Packs in parallel: sharing against solutions worked out by hand, the voltage window, what is left
 * when a pack is pulled, the energy balance, and that a seed means one plant. */
#include "../cmocka_all.h"

#include <math.h>
#include <string.h>

#include "near.h"
#include "sim/plant.h"

static const struct plant_demand rest = {.charge_voltage_v = 58, .discharge_voltage_v = 40};

static struct plant_demand want(double current_a)
{
	struct plant_demand demand = rest;

	demand.current_a = current_a;
	return demand;
}

static struct sim_branch source(double emf_v, double ohm)
{
	return (struct sim_branch){
		.emf_v = emf_v, .ohm = ohm, .may_charge = true, .may_discharge = true};
}

static void unequal_resistances_share_72_to_28(void **state)
{
	const struct sim_branch b[] = {source(52, 0.028), source(52, 0.072)};
	struct plant_demand demand = want(100);
	double current_a, v = plant_solve(b, 2, &demand, &current_a);

	(void)state;
	assert_near(current_a, 100, 1e-9);
	assert_near(sim_branch_current_a(&b[0], v), 72, 1e-4);
	assert_near(sim_branch_current_a(&b[1], v), 28, 1e-4);
}

/* 25 milliohm each, one joins three that are 0.5 V higher: 0.5 V / (25 + 25/3) mOhm = 15 A. */
static void joining_pack_draws_15_a(void **state)
{
	const struct sim_branch b[] = {source(52.5, 0.025), source(52.5, 0.025),
				       source(52.5, 0.025), source(52.0, 0.025)};
	double current_a, v = plant_solve(b, 4, &rest, &current_a);

	(void)state;
	assert_near(current_a, 0, 1e-9);
	assert_near(sim_branch_current_a(&b[3], v), 15, 1e-4);
	assert_near(sim_branch_current_a(&b[0], v), -5, 1e-4);
}

static void open_switch_passes_one_direction(void **state)
{
	struct sim_branch b[] = {source(52, 0.025), source(52, 0.025)};
	struct plant_demand charge = want(50), discharge = want(-50);
	double current_a, v;

	(void)state;
	b[0].may_charge = false;
	v = plant_solve(b, 2, &charge, &current_a);
	assert_near(sim_branch_current_a(&b[1], v), 50, 1e-3);
	v = plant_solve(b, 2, &discharge, &current_a);
	assert_near(sim_branch_current_a(&b[1], v), -25, 1e-3);
}

static void window_limits_the_current(void **state)
{
	const struct sim_branch b[] = {source(55.1, 0.025), source(55.1, 0.025)};
	struct plant_demand demand = {
		.current_a = 100, .charge_voltage_v = 55.2, .discharge_voltage_v = 40};
	double current_a, v = plant_solve(b, 2, &demand, &current_a);

	(void)state;
	assert_near(v, 55.2, 1e-6);
	assert_near(current_a, 8, 1e-3);
	demand.charge_voltage_v = 54; /* below the packs: a charger does not discharge them */
	plant_solve(b, 2, &demand, &current_a);
	assert_near(current_a, 0, 1e-9);
	demand = (struct plant_demand){
		.current_a = -1000, .charge_voltage_v = 57, .discharge_voltage_v = 54};
	v = plant_solve(b, 2, &demand, &current_a);
	assert_near(v, 54, 1e-6);
	assert_near(current_a, -88, 1e-3);
}

static void nothing_connected_is_a_dead_bus(void **state)
{
	struct plant_demand demand = want(50);
	double current_a;

	(void)state;
	assert_near(plant_solve(NULL, 0, &demand, &current_a), 0, 0);
	assert_near(current_a, 0, 0);
}

static void new_plant(struct plant *plant, int packs, double soc)
{
	plant_init(plant, &(struct plant_make){.pack_count = packs,
					       .cell_count = 16,
					       .capacity_ah = 314,
					       .soc = soc,
					       .ambient_c = 22,
					       .seed = 7});
}

static void sixteen_packs_carry_the_current(void **state)
{
	struct plant plant;
	struct plant_demand demand = want(-320);
	double sum_a = 0;

	(void)state;
	new_plant(&plant, 16, 0.6);
	for (int i = 0; i < 300; i++)
		plant_step(&plant, &demand, 0.1);
	for (int i = 0; i < 16; i++) {
		sum_a += plant.packs[i].current_a;
		assert_true(plant.packs[i].current_a < -10 && plant.packs[i].current_a > -30);
	}
	assert_near(sum_a, -320, 1e-3);
	assert_near(plant.bus_a, -320, 1e-3);
	assert_true(plant.bus_v > 51 && plant.bus_v < 53.5);
}

static void unplugged_pack_leaves_muted_pack_stays(void **state)
{
	struct plant plant;
	struct plant_demand demand = want(-60);

	(void)state;
	new_plant(&plant, 3, 0.6);
	plant.packs[0].unplugged = true;
	plant.packs[1].muted = true;
	plant_step(&plant, &demand, 0.1);
	assert_near(plant.packs[0].current_a, 0, 1e-12);
	assert_true(plant.packs[1].current_a < -20);
	assert_near(plant.packs[1].current_a + plant.packs[2].current_a, -60, 1e-3);
}

/* Half an hour of charging, half an hour of discharging, packs with unlike charge. */
static void energy_is_conserved(void **state)
{
	struct plant plant;
	struct plant_demand charge = want(120), discharge = want(-150);

	(void)state;
	new_plant(&plant, 4, 0.5);
	for (int c = 0; c < 16; c++)
		plant.packs[2].cells[c].soc += 0.1;
	plant.packs[0].cells[5].soc += 0.15; /* makes the balancer work */
	double before_j = plant_stored_j(&plant) + plant_heat_j(&plant), moved_j = 0;

	for (int i = 0; i < 36000; i++) {
		plant_step(&plant, i < 18000 ? &charge : &discharge, 0.1);
		moved_j += fabs(plant.bus_v * plant.bus_a) * 0.1;
	}
	assert_true(plant.packs[0].bms.balancing);
	assert_true(plant_heat_j(&plant) > 10000);
	assert_near(plant_stored_j(&plant) + plant_heat_j(&plant), before_j + plant.terminal_j,
		    moved_j * 1e-4);
}

static void overcharge_ends_in_protection(void **state)
{
	struct plant plant;
	struct plant_demand demand = {
		.current_a = 60, .charge_voltage_v = 62, .discharge_voltage_v = 40};

	(void)state;
	new_plant(&plant, 2, 0.97);
	for (int i = 0; i < 3600; i++)
		plant_step(&plant, &demand, 1);
	assert_true(plant.packs[0].bms.ever_protections & ALARM_BIT(ALARM_cell_overvoltage));
	assert_near(plant.bus_a, 0, 1e-3);
	for (int c = 0; c < 16; c++)
		assert_true(plant.packs[0].bms.cells_v[c] < 3.8);
}

/* Ten times the haste: ten times the charge moved, the same voltages and delays. */
static void haste_moves_charge_only(void **state)
{
	struct plant_make make = {.pack_count = 1,
				  .cell_count = 16,
				  .capacity_ah = 314,
				  .soc = 0.5,
				  .ambient_c = 22,
				  .seed = 7};
	struct plant_demand demand = want(30);
	struct plant slow, fast;

	(void)state;
	plant_init(&slow, &make);
	make.haste = 10;
	plant_init(&fast, &make);
	double slow_soc = sim_pack_soc(&slow.packs[0]), fast_soc = sim_pack_soc(&fast.packs[0]);
	double counted_ah = fast.packs[0].bms.counted_ah;

	for (int i = 0; i < 600; i++) {
		plant_step(&slow, &demand, 0.1);
		plant_step(&fast, &demand, 0.1);
	}
	assert_near(fast.packs[0].cells[0].rc_v, slow.packs[0].cells[0].rc_v, 1e-6);
	assert_near((sim_pack_soc(&fast.packs[0]) - fast_soc) /
			    (sim_pack_soc(&slow.packs[0]) - slow_soc),
		    10, 0.01);
	assert_near(fast.packs[0].bms.counted_ah - counted_ah, 5, 0.1);
	assert_true(fast.packs[0].bms.protections == 0);
}

static void seed_means_one_plant(void **state)
{
	struct plant a, b;
	struct plant_demand demand = want(80);

	(void)state;
	new_plant(&a, 16, 0.5);
	new_plant(&b, 16, 0.5);
	for (int i = 0; i < 100; i++) {
		plant_step(&a, &demand, 0.5);
		plant_step(&b, &demand, 0.25);
		plant_step(&b, &demand, 0.25);
	}
	assert_near(a.bus_v, b.bus_v, 1e-3);
	new_plant(&b, 16, 0.5);
	for (int i = 0; i < 100; i++)
		plant_step(&b, &demand, 0.5);
	assert_memory_equal(&a.bus_v, &b.bus_v, sizeof a.bus_v);
	assert_memory_equal(a.packs[15].bms.cells_v, b.packs[15].bms.cells_v,
			    sizeof a.packs[15].bms.cells_v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unequal_resistances_share_72_to_28),
		cmocka_unit_test(joining_pack_draws_15_a),
		cmocka_unit_test(open_switch_passes_one_direction),
		cmocka_unit_test(window_limits_the_current),
		cmocka_unit_test(nothing_connected_is_a_dead_bus),
		cmocka_unit_test(sixteen_packs_carry_the_current),
		cmocka_unit_test(unplugged_pack_leaves_muted_pack_stays),
		cmocka_unit_test(energy_is_conserved),
		cmocka_unit_test(overcharge_ends_in_protection),
		cmocka_unit_test(haste_moves_charge_only),
		cmocka_unit_test(seed_means_one_plant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
