// SPDX-License-Identifier: Apache-2.0
/* The rack of rack.h. Packs have four cells and a quarter of the resistance, which shares currents
 * as sixteen do and takes a quarter of the time. */
#include "rack.h"

#include <math.h>
#include <string.h>

#define CELLS        4
#define WIRING_OHM   0.00325 /* a quarter of 13 milliohm, at 280 Ah */
#define REFERENCE_AH 280.0
#define REACTION_S   1.0  /* the inverter hears the limits once a second */
#define SLEW_PER_S   0.25 /* C per second */
#define SETTLED_S    0.5

static double between(struct sim_random *random, double low, double high)
{
	return (low + high) / 2 + sim_random_spread(random, (high - low) / 2);
}

static void make_pack(struct rack *rack, int number, double capacity_ah, double soc)
{
	struct sim_random *random = &rack->random;
	struct sim_pack *pack = &rack->packs[number];
	struct pack_settings *settings = &pack->bms.settings;
	const double spread = between(random, 0.6, 1.7);
	double c_rate = sim_random_chance(random, 200000) ? 0.12 : between(random, 0.3, 0.6);

	sim_pack_init(pack,
		      &(struct sim_pack_make){.number = number + 1,
					      .cell_count = CELLS,
					      .capacity_ah = capacity_ah,
					      .soc = soc + sim_random_spread(random, 0.02),
					      .ambient_c = 24},
		      random);
	pack->wiring_ohm = WIRING_OHM * REFERENCE_AH / capacity_ah * spread;
	for (int i = 0; i < CELLS; i++) {
		pack->cells[i].r0_ohm *= REFERENCE_AH / capacity_ah;
		pack->cells[i].r1_ohm *= REFERENCE_AH / capacity_ah;
	}
	pack->heat_held = true;
	settings->charge_overcurrent_ma = (int32_t)(c_rate * capacity_ah * 1000);
	settings->discharge_overcurrent_ma = (int32_t)(c_rate * capacity_ah * 1200);
	rack->limit_a[number][CHARGE] = settings->charge_overcurrent_ma / 1000.0;
	rack->limit_a[number][DISCHARGE] = settings->discharge_overcurrent_ma / 1000.0;
	rack->total_ah += capacity_ah;
}

void rack_init(struct rack *rack, uint64_t seed, bool learns)
{
	static const double sizes_ah[] = {100, 200, 280, 314};
	static const double cycles_s[] = {1, 2, 5};
	struct sim_random *random = &rack->random;
	struct fusion_config config;

	memset(rack, 0, sizeof *rack);
	random->state = seed;
	rack->learns = learns;
	rack->cells = CELLS;
	rack->count = 2 + (int)(sim_random_next(random) % 15);
	const bool mixed = sim_random_chance(random, 300000);
	const double one_ah = sizes_ah[sim_random_next(random) % 4];
	const double soc = between(random, 0.3, 0.8);

	for (int i = 0; i < rack->count; i++)
		make_pack(rack, i, mixed ? sizes_ah[sim_random_next(random) % 4] : one_ah, soc);
	rack->poll_s = cycles_s[sim_random_next(random) % 3] / rack->count;
	fusion_config_default(&config);
	config.cells_in_series = CELLS;
	fusion_init(&rack->fusion, &config);
}

static void ask(struct rack *rack)
{
	static struct fusion_input input;
	const int number =
		rack->fusion.started ? (int)lround(rack->time_s / rack->poll_s) % rack->count : 0;

	fusion_input_clear(&input);
	input.now_ms = (int64_t)(rack->time_s * 1000);
	bms_report(&rack->packs[number].bms, &input.packs[0]);
	input.packs[0].pack = input.packs[0].address = number + 1;
	input.pack_count = 1;
	for (int i = 0; i < rack->count && !rack->learns; i++)
		rack->fusion.slots[i].share.factor_ppm = 1000000;
	fusion_step(&rack->fusion, &input, &rack->out);
}

/* Sun and load: a level for minutes, and on top of it what is switched on and off. */
static void want(struct rack *rack)
{
	struct sim_random *random = &rack->random;

	if (rack->time_s >= rack->next_base_s) {
		rack->base_a = sim_random_chance(random, 250000)
				       ? 0
				       : sim_random_spread(random, 0.5) * rack->total_ah;
		rack->next_base_s = rack->time_s + between(random, 30, 400);
	}
	if (rack->time_s >= rack->next_wish_s) {
		rack->wish_a = rack->base_a + sim_random_spread(random, 0.04) * rack->total_ah;
		rack->next_wish_s = rack->time_s + between(random, 5, 60);
	}
}

static void react(struct rack *rack)
{
	const double reach_a = SLEW_PER_S * rack->total_ah * rack->poll_s;
	double goal_a;

	want(rack);
	if (rack->time_s >= rack->next_heard_s) {
		rack->heard_charge_a = rack->out.charge_current_limit_ma / 1000.0;
		rack->heard_discharge_a = rack->out.discharge_current_limit_ma / 1000.0;
		rack->next_heard_s = rack->time_s + REACTION_S;
	}
	goal_a = fmax(-rack->heard_discharge_a, fmin(rack->heard_charge_a, rack->wish_a));
	rack->bus_a += fmax(-reach_a, fmin(reach_a, goal_a - rack->bus_a));
}

/* Above its own limit for longer than it takes to ask everybody and to react. */
static void judge(struct rack *rack, int i)
{
	const struct sim_pack *pack = &rack->packs[i];
	const enum direction direction = pack->current_a > 0 ? CHARGE : DISCHARGE;
	const double over = fabs(pack->current_a) / rack->limit_a[i][direction] - 1;

	if (over <= 0) {
		rack->over_s[i] = 0;
		return;
	}
	rack->over_s[i] += rack->poll_s;
	if (rack->over_s[i] <= rack->poll_s * rack->count + REACTION_S + SETTLED_S)
		return;
	rack->longest_over_s = fmax(rack->longest_over_s, rack->over_s[i]);
	rack->worst_over = fmax(rack->worst_over, over);
}

void rack_step(struct rack *rack)
{
	struct sim_branch branches[ONEPACK_MAX_PACKS];
	struct plant_demand demand = {.charge_voltage_v = 100, .discharge_voltage_v = 1};
	double bus_v;

	ask(rack);
	react(rack);
	demand.current_a = rack->bus_a;
	for (int i = 0; i < rack->count; i++)
		branches[i] = sim_pack_branch(&rack->packs[i]);
	bus_v = plant_solve(branches, rack->count, &demand, &rack->bus_a);
	for (int i = 0; i < rack->count; i++) {
		sim_pack_step(&rack->packs[i], sim_branch_current_a(&branches[i], bus_v), bus_v,
			      rack->poll_s, &rack->random);
		judge(rack, i);
	}
	rack->time_s += rack->poll_s;
}

static bool conducts(const struct sim_branch *branch)
{
	return branch->may_charge && branch->may_discharge;
}

double rack_true_share(const struct rack *rack, int pack)
{
	double sum = 0;

	for (int i = 0; i < rack->count; i++)
		sum += 1 / sim_pack_branch(&rack->packs[i]).ohm;
	return 1 / sim_pack_branch(&rack->packs[pack]).ohm / sum;
}

double rack_true_limit_a(const struct rack *rack, enum direction direction, double headroom)
{
	const double sign = direction == CHARGE ? 1 : -1;
	double reach_v = INFINITY, sum_a = 0; /* how far the bus may go before somebody is full */

	for (int i = 0; i < rack->count; i++) {
		const struct sim_branch branch = sim_pack_branch(&rack->packs[i]);
		const double limit_a =
			rack->fusion.slots[i].limit_ma[direction] / 1000.0 / headroom;

		if (conducts(&branch))
			reach_v = fmin(reach_v, sign * branch.emf_v + limit_a * branch.ohm);
	}
	for (int i = 0; i < rack->count; i++) {
		const struct sim_branch branch = sim_pack_branch(&rack->packs[i]);

		if (conducts(&branch))
			sum_a += (reach_v - sign * branch.emf_v) / branch.ohm;
	}
	return fmax(0, sum_a);
}
