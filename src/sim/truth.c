// SPDX-License-Identifier: Apache-2.0
/* Excuses, and the true limits of a pack. An excuse begins with its fault and ends a little after
 * it: a pack that was not heard has to be believed again, an inverter that was deaf has to hear a
 * frame. A kind of fault that is not in the table excuses nothing. */
#include "truth.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* After the fault, until ... */
#define SENSE_MS  20000 /* ... the right values are believed: three answers, and a reaction */
#define HEAR_MS   30000 /* ... the pack is believed again: ten good answers end a quarantine, ... */
#define LONG_MS   120000 /* ... a minute without collisions that of duplicates */
#define ENGINE_MS 15000  /* ... all packs were asked again */
#define LINK_MS   5000   /* ... the inverter has heard and obeyed */

static const struct {
	enum fault_kind kind;
	unsigned excuses;
	int32_t tail_ms;
} table[] = {
	{FAULT_answer_lost, EXCUSE(unheard), HEAR_MS},
	{FAULT_answer_late, EXCUSE(unheard), HEAR_MS},
	{FAULT_answer_garbled, EXCUSE(unheard), HEAR_MS},
	{FAULT_answer_truncated, EXCUSE(unheard), HEAR_MS},
	{FAULT_answer_doubled, EXCUSE(unheard), HEAR_MS}, /* it tramples on the next answer */
	{FAULT_answer_foreign, EXCUSE(unheard), LONG_MS},
	{FAULT_duplicate_address, EXCUSE(unheard), LONG_MS},
	{FAULT_line_noise, EXCUSE(unheard), HEAR_MS},
	{FAULT_line_drop, EXCUSE(unheard), HEAR_MS},
	{FAULT_second_master, EXCUSE(unheard), HEAR_MS},
	{FAULT_silent, EXCUSE(unheard), HEAR_MS},
	/* A frozen report is a lie about everything; spikes are refused, and cost answers. */
	{FAULT_report_frozen, EXCUSE(current_lies) | EXCUSE(cells_lie) | EXCUSE(heat_lies),
	 SENSE_MS},
	{FAULT_report_spike, EXCUSE(unheard), HEAR_MS},
	{FAULT_current_frozen, EXCUSE(current_lies), SENSE_MS},
	{FAULT_current_drift, EXCUSE(current_lies), SENSE_MS},
	{FAULT_current_wrong, EXCUSE(current_lies), SENSE_MS},
	{FAULT_cell_frozen, EXCUSE(cells_lie), SENSE_MS},
	{FAULT_cell_drift, EXCUSE(cells_lie), SENSE_MS},
	{FAULT_cell_wrong, EXCUSE(cells_lie), SENSE_MS},
	{FAULT_heat_frozen, EXCUSE(heat_lies), SENSE_MS},
	{FAULT_heat_drift, EXCUSE(heat_lies), SENSE_MS},
	{FAULT_heat_wrong, EXCUSE(heat_lies), SENSE_MS},
	{FAULT_vanish, EXCUSE(unheard), HEAR_MS},
	{FAULT_swap, EXCUSE(unheard), HEAR_MS},
	{FAULT_inverter_ignores_zero, EXCUSE(disobeys), LINK_MS},
	{FAULT_inverter_overshoots, EXCUSE(disobeys), LINK_MS},
	{FAULT_inverter_overvolts, EXCUSE(overvolts), LINK_MS},
	{FAULT_inverter_deaf, EXCUSE(deaf), LINK_MS},
	{FAULT_link_crash, EXCUSE(deaf), LINK_MS}, /* to the inverter it is the same */
	{FAULT_gateway_crash, EXCUSE(no_engine), ENGINE_MS},
	{FAULT_engine_hung, EXCUSE(no_engine), ENGINE_MS},
};

static bool hits(const struct fault *fault, int32_t pack)
{
	if (fault->pack == 0 || fault->pack == pack || pack == TRUTH_ANY_PACK)
		return true;
	return fault->kind == FAULT_duplicate_address && fault->milli / 1000 == pack;
}

static unsigned excuses_of(const struct fault *fault, int64_t since_ms, int64_t now_ms)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (table[i].kind == fault->kind && fault->start_ms <= now_ms &&
		    since_ms < fault->end_ms + table[i].tail_ms)
			return table[i].excuses;
	return 0;
}

unsigned truth_excuses(const struct scenario *scenario, int32_t pack, int64_t since_ms,
		       int64_t now_ms)
{
	unsigned excuses = 0;

	for (int i = 0; i < scenario->fault_count; i++)
		if (hits(&scenario->faults[i], pack))
			excuses |= excuses_of(&scenario->faults[i], since_ms, now_ms);
	return excuses;
}

bool truth_network_changed(const struct scenario *scenario, int64_t since_ms, int64_t now_ms)
{
	const uint64_t kinds = UINT64_C(1) << FAULT_block_charge |
			       UINT64_C(1) << FAULT_block_discharge | UINT64_C(1) << FAULT_trip |
			       UINT64_C(1) << FAULT_vanish | UINT64_C(1) << FAULT_swap |
			       UINT64_C(1) << FAULT_limiting | UINT64_C(1) << FAULT_cable |
			       UINT64_C(1) << FAULT_cable_growing;

	for (int i = 0; i < scenario->fault_count; i++) {
		const struct fault *fault = &scenario->faults[i];
		const bool began = fault->start_ms >= since_ms && fault->start_ms <= now_ms;
		const bool ended = fault->end_ms >= since_ms && fault->end_ms <= now_ms;

		if (kinds >> fault->kind & 1 && (began || ended))
			return true;
	}
	return false;
}

void truth_name_excuses(unsigned excuses, char *text, size_t size)
{
	static const char *const names[] = {
#define X(name, meaning) #name,
		TRUTH_EXCUSES(X)
#undef X
	};
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof names / sizeof names[0] && used < size; i++)
		if (excuses & 1u << i)
			used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "",
						 names[i]);
}

/* --- limits --- */

#define SENSOR_PART  0.005  /* a current sensor is that good ... */
#define SENSOR_A     0.15   /* ... and that */
#define NOISE_PART   0.0125 /* of the capacity: what fusion takes for noise, with some room */
#define HEAT_ROOM_MC 1500   /* probes sit at other places than the mean */
#define CELL_ROOM_MV 4      /* noise and rounding */

static double temperature_limit_a(const struct scenario *s, const struct sim_pack *pack,
				  bool charging)
{
	const struct curve *curve =
		charging ? &s->battery.charge_temperature : &s->battery.discharge_temperature;
	const int32_t mC = (int32_t)lround(pack->cell_c * 1000);
	int32_t ppm = curve_at(curve, mC);

	for (int side = -1; side <= 1; side += 2) {
		int32_t other = curve_at(curve, mC + side * HEAT_ROOM_MC);

		ppm = other > ppm ? other : ppm;
	}
	return pack->bms.full_ah * (ppm / 1e6 + NOISE_PART);
}

static double cell_limit_a(const struct scenario *s, const struct sim_pack *pack, double bms_a,
			   bool charging)
{
	const struct bms *bms = &pack->bms;
	double edge_v = bms->cells_v[0];
	int32_t mv;

	for (int i = 1; i < bms->cell_count; i++)
		edge_v = charging ? fmax(edge_v, bms->cells_v[i]) : fmin(edge_v, bms->cells_v[i]);
	mv = (int32_t)lround(edge_v * 1000) + (charging ? -CELL_ROOM_MV : CELL_ROOM_MV);
	return bms_a *
		       curve_at(charging ? &s->battery.charge_cell : &s->battery.discharge_cell,
				mv) /
		       1e6 +
	       pack->bms.full_ah * NOISE_PART;
}

double truth_limit_a(const struct scenario *scenario, const struct sim_pack *pack,
		     enum truth_part part, bool charging)
{
	const struct pack_settings *settings = &pack->bms.settings;
	const double bms_a =
		(charging ? settings->charge_overcurrent_ma : settings->discharge_overcurrent_ma) /
		1000.0;

	switch (part) {
	case TRUTH_TEMPERATURE: return temperature_limit_a(scenario, pack, charging);
	case TRUTH_CELLS: return cell_limit_a(scenario, pack, bms_a, charging);
	case TRUTH_BMS: break;
	}
	return bms_a * (1 + SENSOR_PART) + SENSOR_A;
}

const char *truth_part_name(enum truth_part part)
{
	static const char *const names[] = {"BMS", "temperature", "cell voltage"};

	return names[part];
}

bool truth_conducts(const struct sim_pack *pack)
{
	return (pack->bms.charge_mos || pack->bms.discharge_mos) && !pack->unplugged;
}
