// SPDX-License-Identifier: Apache-2.0
/* A: what is believed. An answer is taken whole or not at all: it must be complete, possible, and
 * not too surprising. What is refused leaves the last good answer standing, and that one ages. */
#include "fusion_state.h"

#include <stdlib.h>
#include <string.h>

#define CURRENT_BOUND_MA 1000000  /* where nothing is known about the pack */
#define LARGEST          10000000 /* mA of a limit, mAh of a capacity: more is no pack */

/* 0x7FFF and 0xFFFF as they look in the usual scales of a 16-bit current. */
static bool is_sentinel(int32_t value)
{
	static const int32_t sentinels[] = {32767, 65535, 327670, 655350, 3276700, 6553500};

	for (size_t i = 0; i < sizeof sentinels / sizeof sentinels[0]; i++)
		if (abs(value) == sentinels[i])
			return true;
	return false;
}

/* A limit that is no limit is not known: the pack then allows nothing. */
static int32_t sane_limit(int32_t limit_ma)
{
	return limit_ma < 0 || limit_ma > LARGEST || is_sentinel(limit_ma) ? FIELD_UNKNOWN
									   : limit_ma;
}

static int32_t at_least(int32_t value, int32_t lowest)
{
	return value < lowest ? FIELD_UNKNOWN : value;
}

/* What came in, with impossible side values made unknown. */
static void clean(struct pack *pack)
{
	pack->charge_current_limit_ma = sane_limit(pack->charge_current_limit_ma);
	pack->discharge_current_limit_ma = sane_limit(pack->discharge_current_limit_ma);
	pack->charge_voltage_limit_mv = at_least(pack->charge_voltage_limit_mv, 1);
	pack->discharge_voltage_limit_mv = at_least(pack->discharge_voltage_limit_mv, 1);
	pack->settings.charge_overcurrent_ma = sane_limit(pack->settings.charge_overcurrent_ma);
	pack->settings.discharge_overcurrent_ma =
		sane_limit(pack->settings.discharge_overcurrent_ma);
	pack->capacity_mah =
		pack->capacity_mah > LARGEST ? FIELD_UNKNOWN : at_least(pack->capacity_mah, 1);
	pack->remaining_mah = at_least(pack->remaining_mah, 0);
	pack->cycles = at_least(pack->cycles, 0);
	pack->soh_mpct = pack->soh_mpct > 100000 ? FIELD_UNKNOWN : at_least(pack->soh_mpct, 0);
	if (pack->cell_count > ONEPACK_MAX_CELLS || pack->cell_count < 0)
		pack->cell_count = 0;
	if (pack->temperature_count > ONEPACK_MAX_TEMPERATURES || pack->temperature_count < 0)
		pack->temperature_count = 0;
}

static int known_temperatures(const struct pack *pack)
{
	int known = 0;

	for (int i = 0; i < pack->temperature_count; i++)
		known += pack->temperatures_mC[i] != FIELD_UNKNOWN;
	return known;
}

/* A pack that has told its cells and temperatures must go on doing so; one that never did is shown
 * but gets no current (E). */
static bool is_complete(const struct slot *slot, const struct pack *pack, const struct cells *cells)
{
	if (pack->voltage_mv == FIELD_UNKNOWN || pack->current_ma == FIELD_UNKNOWN)
		return false;
	if (slot->cell_count && (pack->cell_count != slot->cell_count || !cells->is_complete))
		return false;
	return known_temperatures(pack) >= slot->temperature_count;
}

/* A multiple of the trip current, which is the largest that the pack ever told of or 1 C. */
static int64_t current_bound(const struct fusion_config *config, const struct slot *slot,
			     const struct pack *pack)
{
	const int32_t told[] = {slot->stated_max_ma,
				slot->capacity_mah,
				pack->charge_current_limit_ma,
				pack->discharge_current_limit_ma,
				pack->capacity_mah,
				pack->settings.charge_overcurrent_ma,
				pack->settings.discharge_overcurrent_ma};
	int32_t trip_ma = 0;

	for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
		if (told[i] > trip_ma)
			trip_ma = told[i];
	return trip_ma ? scale(trip_ma, config->current_possible_mpct, 100000) : CURRENT_BOUND_MA;
}

static bool cells_are_possible(const struct fusion_config *config, const struct pack *pack,
			       const struct cells *cells)
{
	const int64_t part_mv = (int64_t)pack->voltage_mv * 15 / 1000;

	if (cells->known && (cells->min.mv < config->cell_possible_min_mv ||
			     cells->max.mv > config->cell_possible_max_mv))
		return false;
	return !cells->is_complete ||
	       llabs(cells->sum_mv - pack->voltage_mv) <=
		       (part_mv > config->sum_tolerance_mv ? part_mv : config->sum_tolerance_mv);
}

static bool temperature_is_possible(const struct fusion_config *config, int32_t mC)
{
	return mC == FIELD_UNKNOWN || (mC >= config->temperature_possible_min_mC &&
				       mC <= config->temperature_possible_max_mC);
}

static bool is_plausible(const struct fusion_config *config, const struct slot *slot,
			 const struct pack *pack, const struct cells *all)
{
	const int cells = pack->cell_count ? pack->cell_count : config->cells_in_series;

	for (int i = 0; i < pack->temperature_count; i++)
		if (!temperature_is_possible(config, pack->temperatures_mC[i]))
			return false;
	if (!temperature_is_possible(config, pack->mos_temperature_mC))
		return false;
	if (pack->soc_mpct != FIELD_UNKNOWN && (pack->soc_mpct < 0 || pack->soc_mpct > 100000))
		return false;
	if (pack->voltage_mv < cells * config->cell_possible_min_mv ||
	    pack->voltage_mv > cells * config->cell_possible_max_mv)
		return false;
	if (is_sentinel(pack->current_ma) ||
	    labs(pack->current_ma) > current_bound(config, slot, pack))
		return false;
	return cells_are_possible(config, pack, all);
}

/* A step, or a value that was told before and is not any more: what is left out must not get by
 * where what is said would have to be confirmed. */
static bool is_surprising(int32_t from, int32_t to, int32_t step)
{
	if (from == FIELD_UNKNOWN)
		return false;
	return to == FIELD_UNKNOWN || abs(from - to) > step;
}

static bool has_moved(const struct fusion_config *config, const struct pack *from,
		      const struct pack *to)
{
	for (int i = 0; i < from->cell_count && i < to->cell_count; i++)
		if (is_surprising(from->cells_mv[i], to->cells_mv[i], config->cell_surprise_mv))
			return true;
	for (int i = 0; i < from->temperature_count && i < to->temperature_count; i++)
		if (is_surprising(from->temperatures_mC[i], to->temperatures_mC[i],
				  config->temperature_surprise_mC))
			return true;
	return is_surprising(from->soc_mpct, to->soc_mpct, config->soc_surprise_mpct);
}

/* Asymmetric belief. A surprise has to be confirmed by its like: what is worse acts on the second
 * answer, what takes a danger back on the third. */
static bool is_confirmed(struct fusion *fusion, struct slot *slot, const struct pack *pack,
			 const struct cells *cells)
{
	const struct fusion_config *config = &fusion->config;
	const bool danger = cells_are_dangerous(config, cells);
	const bool known = slot->has_good && fusion->now_ms - slot->good_ms < config->lost_ms;
	const bool was_danger = known && cells_are_dangerous(config, &slot->cells);

	if (danger == was_danger && !(known && has_moved(config, &slot->good, pack))) {
		slot->doubt_count = 0;
		return true;
	}
	if (slot->doubt_count) {
		const struct cells doubt = pack_cells(&slot->doubt);

		if (has_moved(config, &slot->doubt, pack) ||
		    danger != cells_are_dangerous(config, &doubt))
			slot->doubt_count = 0;
	}
	slot->doubt = *pack;
	slot->doubt_count++;
	if (slot->doubt_count <
	    (was_danger && !danger ? config->confirm_better : config->confirm_worse))
		return false;
	slot->doubt_count = 0;
	return true;
}

static void keep(int32_t *kept, int32_t value)
{
	if (value != FIELD_UNKNOWN)
		*kept = value;
}

static void keep_settings(struct pack_settings *now, const struct pack_settings *before)
{
	for (size_t i = 0; i < field_settings.field_count; i++) {
		const struct field *field = &field_settings.fields[i];

		if (field_get(now, field) == FIELD_UNKNOWN)
			field_set(now, field, field_get(before, field));
	}
}

static void keep_texts(struct pack *now, const struct pack *before)
{
	for (size_t i = 0; i < field_pack.text_count; i++) {
		char *text = (char *)now + field_pack.texts[i].offset;

		if (!text[0])
			memcpy(text, (const char *)before + field_pack.texts[i].offset,
			       FIELD_TEXT_SIZE);
	}
}

static void remember(struct slot *slot)
{
	const struct pack *pack = &slot->good;

	keep(&slot->capacity_mah, pack->capacity_mah);
	keep(&slot->charge_voltage_mv, pack->charge_voltage_limit_mv);
	keep(&slot->discharge_voltage_mv, pack->discharge_voltage_limit_mv);
	keep(&slot->mos_temperature_mC, pack->mos_temperature_mC);
	slot->states_limit[CHARGE] |= pack->charge_current_limit_ma != FIELD_UNKNOWN;
	slot->states_limit[DISCHARGE] |= pack->discharge_current_limit_ma != FIELD_UNKNOWN;
	if (pack->charge_current_limit_ma > slot->stated_max_ma)
		slot->stated_max_ma = pack->charge_current_limit_ma;
	if (pack->discharge_current_limit_ma > slot->stated_max_ma)
		slot->stated_max_ma = pack->discharge_current_limit_ma;
	if (pack->charge_mos != FIELD_UNKNOWN)
		slot->rests_by_switch = pack->charge_mos == 0;
	if (pack->charge_current_limit_ma != FIELD_UNKNOWN)
		slot->rests_by_limit = pack->charge_current_limit_ma == 0;
	if (slot->cells.is_complete)
		slot->cell_count = pack->cell_count;
	slot->temperature_count = known_temperatures(pack);
}

static void commit(struct fusion *fusion, struct slot *slot, const struct pack *pack,
		   const struct cells *cells)
{
	struct pack next = *pack;

	if (slot->has_good) {
		keep_settings(&next.settings, &slot->good.settings);
		keep_texts(&next, &slot->good);
	}
	slot->good = next;
	slot->cells = *cells;
	slot->has_good = true;
	slot->good_ms = fusion->now_ms;
	slot->answered = true;
	slot->good_cycles++;
	slot->isolated = false;
	slot->quiet_ms = 0;
	remember(slot);
}

/* The middle one of the last intervals. */
static int32_t middle_interval(const struct slot *slot)
{
	int32_t sorted[CYCLE_SAMPLES];

	for (int i = 0; i < slot->interval_count; i++) {
		int at = i;

		for (; at > 0 && sorted[at - 1] > slot->interval_ms[i]; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = slot->interval_ms[i];
	}
	return sorted[(slot->interval_count - 1) / 2];
}

static void note_interval(struct slot *slot, int64_t now_ms)
{
	const int64_t interval_ms = now_ms - slot->answer_ms;

	if (slot->seen && interval_ms > 0) {
		memmove(&slot->interval_ms[1], &slot->interval_ms[0],
			sizeof slot->interval_ms - sizeof slot->interval_ms[0]);
		slot->interval_ms[0] =
			interval_ms > CYCLE_MAX_MS ? CYCLE_MAX_MS : (int32_t)interval_ms;
		if (slot->interval_count < CYCLE_SAMPLES)
			slot->interval_count++;
		slot->cycle_ms = middle_interval(slot);
	}
	if (!slot->seen)
		slot->first_ms = now_ms;
	slot->answer_ms = now_ms;
	slot->seen = true;
}

static void refuse(const struct fusion *fusion, struct slot *slot)
{
	slot->good_in_row = 0;
	slot->doubt_count = 0;
	if (++slot->bad_in_row >= fusion->config.quarantine_after &&
	    slot->quarantine == QUARANTINE_NONE)
		slot->quarantine = QUARANTINE_GARBAGE;
}

/* Quarantine ends after enough good answers in a row; the pack then starts as a candidate. */
static bool is_excluded(struct fusion *fusion, struct slot *slot)
{
	if (slot->quarantine == QUARANTINE_NONE)
		return false;
	if (slot->quarantine == QUARANTINE_DUPLICATE &&
	    fusion->now_ms - slot->duplicate_ms < fusion->config.duplicate_memory_ms)
		return true;
	if (slot->good_in_row < fusion->config.quarantine_until)
		return true;
	slot->quarantine = QUARANTINE_NONE;
	slot->state = PACK_PROBING;
	slot->good_cycles = 0;
	return false;
}

/* Another pack in the place of the old one, of which nothing counts for it. But the old one stays,
 * and goes on limiting, until the new one has told something that stands by itself: three answers
 * that are worth nothing must not take a pack out of the network. */
static void exchange(struct fusion *fusion, struct slot *slot, const struct pack *pack,
		     const struct cells *cells)
{
	struct slot blank = *slot;

	slot_forget(&blank);
	if (!is_complete(&blank, pack, cells) ||
	    !is_plausible(&fusion->config, &blank, pack, cells)) {
		refuse(fusion, slot);
		return;
	}
	slot->bad_in_row = 0;
	slot->good_in_row++;
	if (is_excluded(fusion, slot))
		return;
	slot_forget(slot);
	commit(fusion, slot, pack, cells);
}

static void admit(struct fusion *fusion, struct slot *slot, const struct pack *answer)
{
	struct pack pack = *answer;
	struct cells cells;

	note_interval(slot, fusion->now_ms);
	clean(&pack);
	cells = pack_cells(&pack);
	if (!slot->has_good) { /* somebody to show, even if nothing is believed yet */
		slot->good.address = pack.address;
		keep_texts(&slot->good, &pack);
	}
	switch (fusion_identify(fusion, slot, &pack)) {
	case IDENTITY_STRANGER: return;
	case IDENTITY_EXCHANGED: exchange(fusion, slot, &pack, &cells); return;
	case IDENTITY_SAME: break;
	}
	if (!is_complete(slot, &pack, &cells) ||
	    !is_plausible(&fusion->config, slot, &pack, &cells)) {
		refuse(fusion, slot);
		return;
	}
	slot->bad_in_row = 0;
	slot->good_in_row++;
	if (!is_excluded(fusion, slot) && is_confirmed(fusion, slot, &pack, &cells))
		commit(fusion, slot, &pack, &cells);
}

void fusion_admit(struct fusion *fusion, const struct fusion_input *input)
{
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		fusion->slots[i].answered = false;
	fusion_note_errors(fusion, input);
	for (int i = 0; i < input->pack_count && i < ONEPACK_MAX_PACKS; i++) {
		const int32_t number = input->packs[i].pack;

		if (number >= 1 && number <= ONEPACK_MAX_PACKS)
			admit(fusion, &fusion->slots[number - 1], &input->packs[i]);
	}
}
