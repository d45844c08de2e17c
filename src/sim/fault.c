// SPDX-License-Identifier: Apache-2.0
/* From a list of faults to what they do at one moment, and from there into the models. Answers are
 * spoiled as bytes, so that the checks of the wire are tested, too. */
#include "fault.h"

#include <math.h>
#include <string.h>

#include "onepack/err.h"

#define PPM_PER_PCT 10000

static const struct fault_info infos[FAULT_KINDS] = {
#define X(name, target, unit, low, high, shortest, longest, meaning) \
	{#name, FAULT_OF_##target, unit, low, high, shortest, longest, meaning},
	SIM_FAULTS(X)
#undef X
};

_Static_assert(FAULT_KINDS <= 64, "a mask of kinds is one uint64_t");

const struct fault_info *fault_info(enum fault_kind kind)
{
	return &infos[kind];
}

static int find(const char *name, size_t length)
{
	for (int kind = 0; kind < FAULT_KINDS; kind++)
		if (strlen(infos[kind].name) == length &&
		    strncmp(infos[kind].name, name, length) == 0)
			return kind;
	return -1;
}

int fault_by_name(const char *name)
{
	return find(name, strlen(name));
}

int fault_parse_kinds(const char *text, uint64_t *kinds)
{
	uint64_t found = 0;

	if (strcmp(text, "all") == 0 || strcmp(text, "none") == 0) {
		*kinds = text[0] == 'a' ? FAULT_ALL_KINDS : 0;
		return 0;
	}
	for (;;) {
		size_t length = strcspn(text, ",");
		int kind = find(text, length);

		if (kind < 0)
			return ERR_FORMAT;
		found |= UINT64_C(1) << kind;
		if (text[length] == '\0')
			break;
		text += length + 1;
	}
	*kinds = found;
	return 0;
}

/* From 0 at the start to 1 at the end, for faults that grow. */
static double grown(const struct fault *fault, int64_t now_ms)
{
	return (double)(now_ms - fault->start_ms) / (double)(fault->end_ms - fault->start_ms);
}

/* Faults of one pack, without those of its answers. */
static void add_to_pack(const struct fault *fault, double part, struct fault_pack *out)
{
	const double value = fault->milli / 1000.0;
	struct bms_faults *bms = &out->bms;

	switch (fault->kind) {
	case FAULT_report_frozen: bms->report_frozen = true; break;
	case FAULT_report_spike: bms->spike_ppm = (uint32_t)(value * PPM_PER_PCT); break;
	case FAULT_current_frozen: bms->current_frozen = true; break;
	case FAULT_current_drift: bms->current_a = value * part; break;
	case FAULT_current_wrong: bms->current_part = value / 100; break;
	case FAULT_cell_frozen:
		bms->cells_frozen = true;
		bms->cell = fault->cell;
		break;
	case FAULT_cell_drift:
	case FAULT_cell_wrong:
		bms->cells_v = fault->kind == FAULT_cell_drift ? value * part : value;
		bms->cell = fault->cell;
		break;
	case FAULT_heat_frozen: bms->heat_frozen = true; break;
	case FAULT_heat_drift: bms->heat_k = value * part; break;
	case FAULT_heat_wrong: bms->heat_k = value; break;
	case FAULT_soc_frozen: bms->soc_frozen = true; break;
	case FAULT_soc_drift: bms->soc_pct = value * part; break;
	case FAULT_soc_wrong: bms->soc_pct = value; break;
	case FAULT_block_charge: bms->keep_charge_open = true; break;
	case FAULT_block_discharge: bms->keep_discharge_open = true; break;
	case FAULT_trip: bms->keep_charge_open = bms->keep_discharge_open = true; break;
	case FAULT_silent: out->muted = true; break;
	case FAULT_vanish: out->unplugged = true; break;
	case FAULT_swap:
		out->unplugged = true;
		out->swap_mpct = fault->milli;
		break;
	case FAULT_limiting:
		out->limiting_a = value;
		bms->limits_charge = true;
		break;
	case FAULT_cable: out->cable_ohm += value / 1000; break;
	case FAULT_cable_growing: out->cable_ohm += value / 1000 * part; break;
	case FAULT_cell_leak:
		out->leak_a = value;
		out->leak_cell = fault->cell;
		break;
	case FAULT_cell_resistance:
		out->cell_ohm = value / 1000 * part;
		out->ohm_cell = fault->cell;
		break;
	case FAULT_overheating: out->heat_w += value; break;
	case FAULT_hot_weather: out->ambient_k += value; break;
	case FAULT_cold_weather: out->ambient_k -= value; break;
	default: break;
	}
}

static void add_to_answers(const struct fault *fault, struct fault_answers *out)
{
	const int32_t value = fault->milli / 1000;
	const uint32_t ppm = (uint32_t)fault->milli * (PPM_PER_PCT / 1000);

	switch (fault->kind) {
	case FAULT_answer_lost: out->lost_ppm = ppm; break;
	case FAULT_answer_late: out->late_ms = value; break;
	case FAULT_answer_garbled: out->garbled_ppm = ppm; break;
	case FAULT_answer_truncated: out->truncated_ppm = ppm; break;
	case FAULT_answer_doubled: out->doubled_ppm = ppm; break;
	case FAULT_answer_foreign: out->foreign_ppm = ppm; break;
	case FAULT_duplicate_address: out->as_pack = value; break;
	default: break;
	}
}

static void add_to_site(const struct fault *fault, struct fault_effects *out)
{
	const double value = fault->milli / 1000.0;

	switch (fault->kind) {
	case FAULT_line_noise: out->noise_ppm = (uint32_t)value; break;
	case FAULT_line_drop: out->drop_ppm = (uint32_t)value; break;
	case FAULT_second_master: out->second_master = true; break;
	case FAULT_inverter_ignores_zero: out->inverter.ignores_zero = true; break;
	case FAULT_inverter_overshoots: out->inverter.overshoot = value / 100; break;
	case FAULT_inverter_overvolts: out->inverter.overvoltage_v = value; break;
	case FAULT_inverter_restarts: out->inverter.off = true; break;
	case FAULT_inverter_silent: out->inverter_silent = true; break;
	case FAULT_inverter_deaf: out->inverter_deaf = true; break;
	case FAULT_gateway_crash: out->gateway_down = true; break;
	case FAULT_engine_hung: out->engine_hung = true; break;
	case FAULT_link_crash: out->link_down = true; break;
	case FAULT_clock_jump: out->clock_shift_ms = fault->milli; break;
	case FAULT_slow_disk: out->disk_ms = (int32_t)value; break;
	default: break;
	}
}

void fault_effects_at(const struct fault *faults, int count, int64_t now_ms,
		      struct fault_effects *out)
{
	memset(out, 0, sizeof *out);
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		out->packs[i].swap_mpct = FIELD_UNKNOWN;
	for (int f = 0; f < count; f++) {
		const struct fault *fault = &faults[f];
		const int first = fault->pack ? fault->pack - 1 : 0;
		const int last = fault->pack ? fault->pack : ONEPACK_MAX_PACKS;

		if (!fault_acts(fault, now_ms))
			continue;
		add_to_site(fault, out);
		for (int i = first; i < last; i++) {
			add_to_pack(fault, grown(fault, now_ms), &out->packs[i]);
			add_to_answers(fault, &out->packs[i].answers);
		}
	}
}

/* Somebody charged or emptied the pack while it was out, evenly. */
static void recharge(struct sim_pack *pack, double soc)
{
	double shift = soc - sim_pack_soc(pack);

	for (int i = 0; i < pack->cell_count; i++)
		pack->cells[i].soc += shift;
	pack->bms.counted_ah = soc * pack->bms.full_ah;
}

static void apply_to_pack(const struct fault_pack *now, const struct fault_pack *before,
			  struct sim_pack *pack)
{
	bms_set_faults(&pack->bms, &now->bms);
	pack->muted = now->muted;
	pack->unplugged = now->unplugged;
	if (before->swap_mpct != now->swap_mpct && now->swap_mpct != FIELD_UNKNOWN)
		recharge(pack, now->swap_mpct / 100000.0);
	pack->limiting_a = now->limiting_a;
	pack->cable_ohm = now->cable_ohm;
	pack->heater_w = now->heat_w;
	pack->ambient_k = now->ambient_k;
	for (int i = 0; i < pack->cell_count; i++) {
		struct cell *cell = &pack->cells[i];
		bool leaks = now->leak_cell == 0 || now->leak_cell == i + 1;
		bool resists = now->ohm_cell == 0 || now->ohm_cell == i + 1;

		cell->leak_a = leaks ? now->leak_a : 0;
		cell->fault_ohm = resists ? now->cell_ohm : 0;
	}
}

void fault_apply(const struct fault_effects *effects, const struct fault_effects *before,
		 struct plant *plant, struct sim_inverter *inverter)
{
	for (int i = 0; i < plant->pack_count; i++)
		apply_to_pack(&effects->packs[i], &before->packs[i], &plant->packs[i]);
	if (inverter)
		sim_inverter_set_faults(inverter, &effects->inverter);
}

bool fault_is_foreign(const struct fault_answers *answers, struct sim_random *random)
{
	return sim_random_chance(random, answers->foreign_ppm);
}

int fault_spoil(const struct fault_answers *answers, struct sim_random *random, uint8_t *bytes,
		size_t *count)
{
	if (*count == 0 || sim_random_chance(random, answers->lost_ppm))
		return 0;
	if (sim_random_chance(random, answers->truncated_ppm))
		*count = (size_t)(sim_random_next(random) % *count);
	if (*count > 0 && sim_random_chance(random, answers->garbled_ppm)) {
		const int flips = 1 + (int)(sim_random_next(random) % 8);

		for (int i = 0; i < flips; i++)
			bytes[sim_random_next(random) % *count] ^=
				(uint8_t)(1u << (sim_random_next(random) & 7));
	}
	if (*count == 0)
		return 0;
	return sim_random_chance(random, answers->doubled_ppm) ? 2 : 1;
}
