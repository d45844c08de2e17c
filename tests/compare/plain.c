// SPDX-License-Identifier: Apache-2.0
/* Sum, N x min and ratio, as plain.h says. An answer counts for a minute, as in most of these
 * programs. The ratio's multiplier is the one of the field report: a pack above its limit has its
 * resistance multiplied by limit / current, at each answer, and nothing ever takes that back. */
#include "plain.h"

#include <math.h>
#include <string.h>

#define FORGET_MS 60000
#define PPM       1e6

void plain_init(struct plain *plain, enum plain_rule rule, const struct fusion_config *config)
{
	memset(plain, 0, sizeof *plain);
	plain->rule = rule;
	plain->config = config;
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		plain->heard_ms[i] = -1;
}

static bool conducts(const struct pack *pack, bool charging)
{
	return (charging ? pack->charge_mos : pack->discharge_mos) != 0;
}

/* What the pack's BMS states, less what cells and temperatures ask for; 0 behind an open switch. */
static double limit_a(const struct fusion_config *config, const struct pack *pack, bool charging)
{
	const struct curve *cell = charging ? &config->charge_cell : &config->discharge_cell;
	const struct curve *heat =
		charging ? &config->charge_temperature : &config->discharge_temperature;
	const double stated_a =
		(charging ? pack->charge_current_limit_ma : pack->discharge_current_limit_ma) /
		1000.0;
	double a = stated_a;

	if (!conducts(pack, charging))
		return 0;
	for (int i = 0; i < pack->cell_count; i++)
		a = fmin(a, stated_a * curve_at(cell, pack->cells_mv[i]) / PPM);
	for (int i = 0; i < pack->temperature_count; i++)
		a = fmin(a, pack->capacity_mah / 1000.0 * curve_at(heat, pack->temperatures_mC[i]) /
				    PPM);
	return a;
}

/* The estimate learns from overloads only; the fit of the original was not accepted in the report.
 */
static void learn(struct plain *plain, const struct pack *pack, int index)
{
	const bool charging = pack->current_ma > 0;
	const double most_a = limit_a(plain->config, pack, charging);
	const double flow_a = fabs(pack->current_ma / 1000.0);

	if (plain->ohm[index] == 0)
		plain->ohm[index] = 1e6 / pack->capacity_mah;
	if (flow_a > most_a && most_a > 0)
		plain->ohm[index] *= most_a / flow_a;
}

static void hear(struct plain *plain, const struct fusion_input *input)
{
	for (int i = 0; i < input->pack_count; i++) {
		const struct pack *pack = &input->packs[i];
		const int index = pack->pack - 1;

		plain->packs[index] = *pack;
		plain->heard_ms[index] = input->now_ms;
		learn(plain, pack, index);
	}
}

static bool is_known(const struct plain *plain, int index, int64_t now_ms)
{
	return plain->heard_ms[index] >= 0 && now_ms - plain->heard_ms[index] <= FORGET_MS;
}

static double siemens(const struct plain *plain, int64_t now_ms, bool charging)
{
	double sum = 0;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		if (is_known(plain, i, now_ms) && conducts(&plain->packs[i], charging))
			sum += 1 / plain->ohm[i];
	return sum;
}

static double battery_limit_a(const struct plain *plain, int64_t now_ms, bool charging)
{
	const double all = siemens(plain, now_ms, charging);
	double sum_a = 0, least_a = INFINITY, share_a = INFINITY;
	int count = 0;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct pack *pack = &plain->packs[i];
		double a;

		if (!is_known(plain, i, now_ms))
			continue;
		a = limit_a(plain->config, pack, charging);
		count++;
		sum_a += a;
		least_a = fmin(least_a, a);
		if (conducts(pack, charging))
			share_a = fmin(share_a, a * all * plain->ohm[i]);
	}
	if (count == 0 || all == 0)
		return 0;
	if (plain->rule == PLAIN_SUM)
		return sum_a;
	return plain->rule == PLAIN_MIN ? count * least_a : share_a;
}

void plain_finish(struct battery *battery, const struct fusion_config *config)
{
	battery->charge_allowed = battery->charge_current_limit_ma > 0;
	battery->discharge_allowed = battery->discharge_current_limit_ma > 0;
	if (battery->charge_voltage_limit_mv != FIELD_UNKNOWN)
		battery->charge_voltage_limit_mv =
			config->charge_target_cell_mv * config->cells_in_series;
}

void plain_decide(void *context, const struct fusion_input *input, struct battery *battery)
{
	struct plain *plain = context;

	hear(plain, input);
	battery->charge_current_limit_ma =
		(int32_t)lround(1000 * battery_limit_a(plain, input->now_ms, true));
	battery->discharge_current_limit_ma =
		(int32_t)lround(1000 * battery_limit_a(plain, input->now_ms, false));
	plain_finish(battery, plain->config);
}
