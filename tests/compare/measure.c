// SPDX-License-Identifier: Apache-2.0
/* Looks at the plant, never at what the gateway believes. Less than an ampere in a pack is no
 * current: sensors have an offset, and an almost full pack has almost no limit. */
#include "measure.h"

#include <math.h>

#include "sim/truth.h"

#define SMALL_A    1.0
#define USUAL_V    51.2
#define LOWEST_V   10.0
#define ABOVE      1.05
#define AH_PER_AS  (1 / 3600.0)
#define FLOOR_PART 0.05 /* of the capacity: the current at which a charge ends anyway */

static double own_limit_a(const struct scenario *scenario, const struct sim_pack *pack,
			  bool charging)
{
	const struct fusion_config *battery = &scenario->battery;
	const struct pack_settings *settings = &pack->bms.settings;
	const double trip_a =
		(charging ? settings->charge_overcurrent_ma : settings->discharge_overcurrent_ma) /
		1000.0;
	const int32_t heat_ppm =
		curve_at(charging ? &battery->charge_temperature : &battery->discharge_temperature,
			 (int32_t)lround(pack->cell_c * 1000));
	double a = fmin(trip_a, pack->bms.full_ah * heat_ppm / 1e6);

	for (int i = 0; i < pack->cell_count; i++)
		a = fmin(a, trip_a *
				    curve_at(charging ? &battery->charge_cell
						      : &battery->discharge_cell,
					     (int32_t)lround(pack->bms.cells_v[i] * 1000)) /
				    1e6);
	return a;
}

/* Packs in parallel have one voltage: the total at which the first of them has what it may, or at
 * which the bus is where charging ends. */
double measure_possible_a(const struct scenario *scenario, const struct plant *plant, bool charging)
{
	const double sign = charging ? 1 : -1;
	const struct fusion_config *battery = &scenario->battery;
	const double full_v = battery->charge_target_cell_mv * battery->cells_in_series / 1000.0;
	double reach_v = charging ? full_v : INFINITY, sum_a = 0;

	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < plant->pack_count; i++) {
			const struct sim_pack *pack = &plant->packs[i];
			const struct sim_branch branch = sim_pack_branch(pack);

			if (!(charging ? branch.may_charge : branch.may_discharge))
				continue;
			if (pass == 0)
				reach_v = fmin(reach_v,
					       sign * branch.emf_v +
						       own_limit_a(scenario, pack, charging) *
							       branch.ohm);
			else
				sum_a += (reach_v - sign * branch.emf_v) / branch.ohm;
		}
	return fmax(0, sum_a);
}

/* Nobody is blamed for a trickle. */
static double judged_limit_a(const struct scenario *scenario, const struct sim_pack *pack,
			     bool charging)
{
	const int32_t trip_ma = charging ? pack->bms.settings.charge_overcurrent_ma
					 : pack->bms.settings.discharge_overcurrent_ma;

	return fmax(own_limit_a(scenario, pack, charging),
		    fmin(trip_ma / 1000.0, FLOOR_PART * pack->bms.full_ah));
}

static double part(double flow_a, double limit_a)
{
	return flow_a < SMALL_A ? 0 : flow_a / limit_a;
}

static void find_worst(const struct scenario *scenario, const struct plant *plant,
		       struct moment *out)
{
	out->worst_limit_a = 1;
	for (int i = 0; i < plant->pack_count; i++) {
		const struct sim_pack *pack = &plant->packs[i];
		const double flow_a = truth_conducts(pack) ? fabs(pack->current_a) : 0;
		const double most_a = judged_limit_a(scenario, pack, pack->current_a > 0);

		for (int k = 0; k < pack->cell_count; k++)
			out->cell_max_v = fmax(out->cell_max_v, pack->bms.cells_v[k]);
		if (part(flow_a, most_a) <= part(out->worst_a, out->worst_limit_a))
			continue;
		out->worst_pack = i + 1;
		out->worst_a = flow_a;
		out->worst_limit_a = most_a;
	}
}

struct moment measure_moment(const struct scenario *scenario, const struct world *world,
			     int64_t now_ms)
{
	const struct plant *plant = world_plant(world);
	const struct battery *battery = world_battery(world);
	const double wish_a = scenario_power_w(scenario, now_ms) /
			      (plant->bus_v > LOWEST_V ? plant->bus_v : USUAL_V);
	struct moment m = {.charging = wish_a > 0, .wish_a = fabs(wish_a)};

	m.possible_a = measure_possible_a(scenario, plant, m.charging);
	m.flow_a = m.charging ? plant->bus_a : -plant->bus_a;
	m.limit_a = (m.charging ? battery->charge_current_limit_ma
				: battery->discharge_current_limit_ma) /
		    1000.0;
	find_worst(scenario, plant, &m);
	return m;
}

static void count_protections(struct figures *figures, const struct plant *plant)
{
	for (int i = 0; i < plant->pack_count; i++) {
		const alarm_set now = plant->packs[i].bms.protections;

		figures->protections += __builtin_popcountll(now & ~figures->protections_now[i]);
		figures->protections_now[i] = now;
	}
}

void measure_add(struct figures *figures, const struct moment *moment, const struct plant *plant)
{
	if (part(moment->worst_a, moment->worst_limit_a) >
	    part(figures->peak.worst_a, fmax(figures->peak.worst_limit_a, 0.001)))
		figures->peak = *moment;
	figures->above_s += part(moment->worst_a, moment->worst_limit_a) > ABOVE;
	figures->moved_ah += fmax(0, moment->flow_a) * AH_PER_AS;
	figures->cell_max_v = fmax(figures->cell_max_v, moment->cell_max_v);
	count_protections(figures, plant);
}
