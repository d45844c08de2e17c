// SPDX-License-Identifier: Apache-2.0
/* C: the measurements of the battery, from the packs that are online. Nothing of a pack that is
 * lost or only a candidate gets into them. Sums that nobody contributes to are unknown, not zero.
 */
#include <stdlib.h>
#include <string.h>

#include "fusion_state.h"

#define TRUST_FULL_MPCT 90000 /* a pack that ended its charge below this needs calibration */
#define EMPTY_HOLD_MPCT 1000  /* shown until the lowest cell says empty */
#define STANDBY_MA      500
#define ENERGY_STEP_MS  10000
#define MS_PER_HOUR     3600000

struct mean {
	int64_t sum, weight;
};

static void mean_add(struct mean *mean, int32_t value, int64_t weight)
{
	if (value == FIELD_UNKNOWN)
		return;
	mean->sum += value * weight;
	mean->weight += weight;
}

static int32_t mean_of(const struct mean *mean)
{
	const int64_t half = mean->sum < 0 ? -mean->weight / 2 : mean->weight / 2;

	return mean->weight ? (int32_t)((mean->sum + half) / mean->weight) : FIELD_UNKNOWN;
}

static bool has_closed_switch(const struct slot *slot)
{
	return slot->good.charge_mos == 1 || slot->good.discharge_mos == 1;
}

/* Whether the packs are so close that none of them can be far from their median. */
static bool are_close(const struct fusion *fusion)
{
	int32_t lowest = INT32_MAX, highest = 0;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];

		if (!slot_is_online(slot))
			continue;
		if (slot->good.voltage_mv < lowest)
			lowest = slot->good.voltage_mv;
		if (slot->good.voltage_mv > highest)
			highest = slot->good.voltage_mv;
	}
	return highest - (int64_t)lowest <= fusion->config.voltage_outlier_mv;
}

static void write_voltage(const struct fusion *fusion, struct battery *out)
{
	const bool close = are_close(fusion);
	const int64_t median_mv = close ? 0 : fusion_bus_voltage(fusion);
	struct mean closed = {0}, any = {0};

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];
		const int64_t weight = slot_capacity(slot);

		if (!slot_is_online(slot))
			continue;
		mean_add(&any, slot->good.voltage_mv, weight);
		if (!slot->silent && has_closed_switch(slot) &&
		    (close ||
		     llabs(slot->good.voltage_mv - median_mv) <= fusion->config.voltage_outlier_mv))
			mean_add(&closed, slot->good.voltage_mv, weight);
	}
	out->voltage_mv = mean_of(closed.weight ? &closed : &any);
}

static void write_current(const struct fusion *fusion, struct battery *out)
{
	int64_t sum_ma = 0;
	bool any = false;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];

		if (!slot_is_online(slot) || slot->silent)
			continue;
		sum_ma += slot->good.current_ma;
		any = true;
	}
	if (!any)
		return;
	out->current_ma = saturate_ma(sum_ma);
	out->power_mw = saturate_ma((int64_t)out->voltage_mv * sum_ma / 1000);
}

static void note_cell(struct battery *out, int32_t pack, struct cell_extreme min,
		      struct cell_extreme max)
{
	if (out->cell_min_mv == FIELD_UNKNOWN || min.mv < out->cell_min_mv) {
		out->cell_min_mv = min.mv;
		out->cell_min_pack = pack;
		out->cell_min_cell = min.cell;
	}
	if (max.mv > out->cell_max_mv) {
		out->cell_max_mv = max.mv;
		out->cell_max_pack = pack;
		out->cell_max_cell = max.cell;
	}
}

static void note_temperature(struct battery *out, int32_t pack, int32_t mC)
{
	if (out->temperature_min_mC == FIELD_UNKNOWN || mC < out->temperature_min_mC) {
		out->temperature_min_mC = mC;
		out->temperature_min_pack = pack;
	}
	if (mC > out->temperature_max_mC) {
		out->temperature_max_mC = mC;
		out->temperature_max_pack = pack;
	}
}

/* True extremes, each with the pack it belongs to; the means are for display. */
static void write_extremes(const struct fusion *fusion, struct battery *out)
{
	struct mean cells = {0}, temperatures = {0};

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];
		const struct pack *pack = &slot->good;

		if (!slot_is_online(slot))
			continue;
		if (slot->cells.is_complete)
			note_cell(out, i + 1, slot->cells.min, slot->cells.max);
		cells.sum += slot->cells.sum_mv;
		cells.weight += slot->cells.known;
		for (int t = 0; t < pack->temperature_count; t++) {
			mean_add(&temperatures, pack->temperatures_mC[t], 1);
			if (pack->temperatures_mC[t] != FIELD_UNKNOWN)
				note_temperature(out, i + 1, pack->temperatures_mC[t]);
		}
		if (pack->mos_temperature_mC > out->mos_temperature_max_mC)
			out->mos_temperature_max_mC = pack->mos_temperature_mC;
	}
	out->cell_mean_mv = mean_of(&cells);
	out->temperature_mC = mean_of(&temperatures);
}

/* A pack's charge; one that ended its charge is full, less what was taken out since. */
static int32_t charge_of(const struct slot *slot)
{
	const struct pack *pack = &slot->good;
	int64_t charge_mah = pack->remaining_mah;

	if (charge_mah == FIELD_UNKNOWN && pack->soc_mpct != FIELD_UNKNOWN)
		charge_mah = scale(slot->capacity_mah, pack->soc_mpct, 100000);
	if (charge_mah == FIELD_UNKNOWN)
		return FIELD_UNKNOWN;
	if (charge_mah > slot->capacity_mah)
		charge_mah = slot->capacity_mah;
	if (slot->finished &&
	    charge_mah * 100000 >= (int64_t)slot->capacity_mah * TRUST_FULL_MPCT) {
		const int64_t full_mah = slot->capacity_mah - slot->drawn_mams / MS_PER_HOUR;

		return (int32_t)(charge_mah > full_mah ? charge_mah : full_mah);
	}
	return (int32_t)charge_mah;
}

static void write_sums(const struct fusion *fusion, struct battery *out)
{
	int64_t capacity_mah = 0, remaining_mah = 0;
	bool capacity = false, remaining = false;
	struct mean soh = {0}, cycles = {0};

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];

		if (!slot_is_online(slot))
			continue;
		mean_add(&soh, slot->good.soh_mpct, slot_capacity(slot));
		mean_add(&cycles, slot->good.cycles, slot_capacity(slot));
		if (slot->capacity_mah != FIELD_UNKNOWN) {
			capacity_mah += slot->capacity_mah;
			capacity = true;
		}
		if (slot->good.remaining_mah != FIELD_UNKNOWN) {
			remaining_mah += slot->good.remaining_mah;
			remaining = true;
		} else if (slot->capacity_mah != FIELD_UNKNOWN &&
			   slot->good.soc_mpct != FIELD_UNKNOWN) {
			remaining_mah += scale(slot->capacity_mah, slot->good.soc_mpct, 100000);
			remaining = true;
		}
	}
	out->capacity_mah = capacity ? saturate_ma(capacity_mah) : FIELD_UNKNOWN;
	out->remaining_mah = remaining ? saturate_ma(remaining_mah) : FIELD_UNKNOWN;
	out->soh_mpct = mean_of(&soh);
	out->cycles = mean_of(&cycles);
}

/* Sum of charge over sum of capacity, of the packs that can discharge or of all. */
static int32_t compute_soc(const struct fusion *fusion, bool usable_only)
{
	int64_t charge_mah = 0, capacity_mah = 0;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];

		if (!slot_is_online(slot) || slot->capacity_mah == FIELD_UNKNOWN ||
		    (usable_only && slot->good.discharge_mos == 0) ||
		    charge_of(slot) == FIELD_UNKNOWN)
			continue;
		charge_mah += charge_of(slot);
		capacity_mah += slot->capacity_mah;
	}
	return capacity_mah ? (int32_t)(charge_mah * 100000 / capacity_mah) : FIELD_UNKNOWN;
}

static bool is_empty(const struct fusion *fusion)
{
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];

		if (slot_is_online(slot) && slot->good.discharge_mos != 0 && slot_is_empty(slot))
			return true;
	}
	return false;
}

/* The ends of the scale are promises: 100 when nothing more goes in, 0 when nothing more comes out.
 */
static int32_t wanted_soc(const struct fusion *fusion)
{
	const bool usable = fusion->config.soc_basis == SOC_BASIS_USABLE;
	int32_t soc_mpct = compute_soc(fusion, usable);

	if (soc_mpct == FIELD_UNKNOWN) /* all packs refuse discharge: show what there is */
		soc_mpct = compute_soc(fusion, false);
	if (soc_mpct == FIELD_UNKNOWN)
		return FIELD_UNKNOWN;
	if (!fusion->all_finished && soc_mpct > fusion->config.soc_hold_mpct)
		soc_mpct = fusion->config.soc_hold_mpct;
	if (is_empty(fusion))
		return 0;
	return soc_mpct < EMPTY_HOLD_MPCT ? EMPTY_HOLD_MPCT : soc_mpct;
}

static void write_soc(struct fusion *fusion, struct battery *out)
{
	const int32_t wanted = wanted_soc(fusion);
	const int64_t step = fusion->elapsed_ms * fusion->config.soc_slew_pct_per_s;
	int64_t shown = fusion->soc_mpct;

	if (wanted == FIELD_UNKNOWN || shown == FIELD_UNKNOWN)
		shown = wanted;
	else if (wanted > shown)
		shown = wanted - shown > step ? shown + step : wanted;
	else
		shown = shown - wanted > step ? shown - step : wanted;
	fusion->soc_mpct = out->soc_mpct = (int32_t)shown;
}

static void write_counts(const struct fusion *fusion, struct battery *out)
{
	out->packs_total = fusion->config.packs_expected != FIELD_UNKNOWN
				   ? fusion->config.packs_expected
				   : fusion->accepted_count;
	out->packs_online = out->packs_blocking_charge = out->packs_blocking_discharge = 0;
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];

		if (!slot_is_online(slot))
			continue;
		out->packs_online++;
		out->packs_blocking_charge += slot->good.charge_mos == 0;
		out->packs_blocking_discharge += slot->good.discharge_mos == 0;
	}
	out->cells_in_series = fusion->config.cells_in_series;
}

static void count(int64_t *rest_mwms, int32_t *wh, int64_t energy_mwms)
{
	const int64_t mwms_per_wh = INT64_C(1000) * MS_PER_HOUR;

	*rest_mwms += energy_mwms;
	if (*wh < INT32_MAX - 100000)
		*wh += (int32_t)(*rest_mwms / mwms_per_wh);
	*rest_mwms %= mwms_per_wh;
}

static void write_energy(struct fusion *fusion, struct battery *out)
{
	const int64_t step_ms =
		fusion->elapsed_ms < ENERGY_STEP_MS ? fusion->elapsed_ms : ENERGY_STEP_MS;

	if (out->power_mw != FIELD_UNKNOWN && out->power_mw > 0)
		count(&fusion->charged_mwms, &fusion->charged_wh, out->power_mw * step_ms);
	if (out->power_mw != FIELD_UNKNOWN && out->power_mw < 0)
		count(&fusion->discharged_mwms, &fusion->discharged_wh, -out->power_mw * step_ms);
	out->energy_charged_wh = fusion->charged_wh;
	out->energy_discharged_wh = fusion->discharged_wh;
}

static void write_state(const struct fusion *fusion, struct battery *out)
{
	if (out->packs_online == 0)
		out->state = BATTERY_NO_DATA;
	else if (out->current_ma == FIELD_UNKNOWN)
		out->state = BATTERY_STANDBY;
	else if (out->current_ma >= STANDBY_MA)
		out->state = BATTERY_CHARGING;
	else
		out->state = out->current_ma <= -STANDBY_MA ? BATTERY_DISCHARGING : BATTERY_STANDBY;
	out->charge_stage = out->packs_online ? (int32_t)fusion->stage : FIELD_UNKNOWN;
}

static void write_limits(const struct fusion *fusion, struct battery *out)
{
	out->charge_current_limit_ma = (int32_t)(fusion->ramp[CHARGE].value_ua / 1000);
	out->discharge_current_limit_ma = (int32_t)(fusion->ramp[DISCHARGE].value_ua / 1000);
	out->charge_allowed = out->charge_current_limit_ma > 0;
	out->discharge_allowed = out->discharge_current_limit_ma > 0;
	out->charge_voltage_limit_mv = fusion->charge_voltage_mv;
	out->discharge_voltage_limit_mv = fusion->discharge_voltage_mv;
}

/* The share of a current step, over the packs on the bus, whatever their switches do. */
static int32_t share_mpct(const struct fusion *fusion, const struct slot *slot)
{
	int64_t total = 0;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		if (slot_is_online(&fusion->slots[i]))
			total += share_weight(&fusion->slots[i].share);
	return slot_is_online(slot) ? (int32_t)scale(share_weight(&slot->share), 100000, total)
				    : FIELD_UNKNOWN;
}

/* A pack that is not believed shows who it is, not what it last measured. */
static void write_pack(const struct fusion *fusion, const struct slot *slot, struct pack *out)
{
	*out = slot->good;
	if (!slot_is_online(slot) && slot->state != PACK_CANDIDATE) {
		pack_clear(out);
		for (size_t i = 0; i < field_pack.text_count; i++)
			memcpy((char *)out + field_pack.texts[i].offset,
			       (const char *)&slot->good + field_pack.texts[i].offset,
			       FIELD_TEXT_SIZE);
		out->address = slot->good.address;
	}
	out->pack = slot_number(fusion, slot);
	out->state = (int32_t)slot->state;
	out->age_ms = slot->has_good ? saturate_ma(slot->age_ms) : FIELD_UNKNOWN;
	out->share_mpct = share_mpct(fusion, slot);
	out->share_confidence_mpct =
		slot_is_online(slot) ? share_confidence(&slot->share) : FIELD_UNKNOWN;
}

void fusion_write_values(struct fusion *fusion, struct battery *out)
{
	/* battery_clear, less what is written anyway: packs are most of it */
	memset(out, 0, offsetof(struct battery, packs));
	field_clear(out, &field_battery);
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		if (fusion->slots[i].seen)
			write_pack(fusion, &fusion->slots[i], &out->packs[out->pack_count++]);
	memset(&out->packs[out->pack_count], 0,
	       (size_t)(ONEPACK_MAX_PACKS - out->pack_count) * sizeof out->packs[0]);
	write_counts(fusion, out);
	write_limits(fusion, out);
	write_voltage(fusion, out);
	write_current(fusion, out);
	write_sums(fusion, out);
	write_extremes(fusion, out);
	write_soc(fusion, out);
	write_energy(fusion, out);
	write_state(fusion, out);
}
