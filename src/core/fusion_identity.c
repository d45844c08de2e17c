// SPDX-License-Identifier: Apache-2.0
/* N: who answers. Two packs at one address show as properties that alternate, as two serial numbers
 * at one place, or as checksum losses tied to one address; a second master shows as requests that
 * nobody here sent. A pack that was exchanged for another starts anew. */
#include "fusion_state.h"

#include <stdlib.h>
#include <string.h>

#define SWAPS_OF_DUPLICATES 2
#define CHECKSUM_LOSS       2 /* what one lost answer counts; a good one takes 1 back */
#define CHECKSUM_SUSPECT    20
#define CHECKSUM_CAP        40

/* FNV-1a, as a number that is never FIELD_UNKNOWN; unknown for an empty text. */
static int32_t text_mark(const char *text)
{
	uint32_t hash = 2166136261U;

	if (!text[0])
		return FIELD_UNKNOWN;
	for (int i = 0; i < FIELD_TEXT_SIZE && text[i]; i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619U;
	return (int32_t)(hash & INT32_MAX);
}

static bool is_same(int32_t a, int32_t b, int32_t tolerance)
{
	return a != FIELD_UNKNOWN && b != FIELD_UNKNOWN && abs(a - b) <= tolerance;
}

/* Notes a property; true when it has gone back and forth. */
static bool alternates(struct mark *mark, int32_t value, int32_t tolerance, int64_t now_ms,
		       int32_t memory_ms)
{
	if (value == FIELD_UNKNOWN || is_same(value, mark->now, tolerance))
		return false;
	if (now_ms - mark->swap_ms > memory_ms)
		mark->swaps = 0;
	if (is_same(value, mark->before, tolerance)) {
		mark->swaps++;
		mark->swap_ms = now_ms;
	}
	mark->before = mark->now;
	mark->now = value;
	return mark->swaps >= SWAPS_OF_DUPLICATES;
}

static void set_duplicate(struct fusion *fusion, struct slot *slot)
{
	slot->quarantine = QUARANTINE_DUPLICATE;
	slot->duplicate_ms = fusion->now_ms;
	slot->good_in_row = 0;
}

/* Another place with the same bus and address and another serial, that has answered since this one
 * appeared. */
static bool has_twin(struct fusion *fusion, struct slot *slot, const struct pack *pack)
{
	bool found = false;

	if (!pack->bus[0] || pack->address == FIELD_UNKNOWN || !pack->serial[0])
		return false;
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		struct slot *other = &fusion->slots[i];

		if (other == slot || !other->seen || other->good.address != pack->address ||
		    strcmp(other->good.bus, pack->bus) != 0 || !other->good.serial[0] ||
		    strcmp(other->good.serial, pack->serial) == 0)
			continue;
		if (other->answer_ms <= slot->first_ms ||
		    fusion->now_ms - other->answer_ms > fusion->config.duplicate_memory_ms)
			continue;
		set_duplicate(fusion, other);
		found = true;
	}
	return found;
}

enum identity fusion_identify(struct fusion *fusion, struct slot *slot, const struct pack *pack)
{
	const int64_t now_ms = fusion->now_ms;
	const int32_t serial = text_mark(pack->serial);
	const int32_t tolerance_mah =
		pack->capacity_mah == FIELD_UNKNOWN ? 0 : pack->capacity_mah / 50;
	const int32_t memory_ms = fusion->config.duplicate_memory_ms;
	bool duplicate = alternates(&slot->serial, serial, 0, now_ms, memory_ms);

	duplicate |=
		alternates(&slot->capacity, pack->capacity_mah, tolerance_mah, now_ms, memory_ms);
	duplicate |= alternates(&slot->cycles, pack->cycles, 1, now_ms, memory_ms);
	duplicate |= has_twin(fusion, slot, pack);
	if (duplicate)
		set_duplicate(fusion, slot);
	if (slot->checksum_score > 0)
		slot->checksum_score--;
	if (!slot->has_good || serial == FIELD_UNKNOWN || !slot->good.serial[0] ||
	    serial == text_mark(slot->good.serial)) {
		slot->stranger_count = 0;
		return IDENTITY_SAME;
	}
	if (slot->stranger != serial)
		slot->stranger_count = 0;
	slot->stranger = serial;
	if (slot->stranger_count < SAME_TO_REPLACE)
		slot->stranger_count++;
	return slot->stranger_count < SAME_TO_REPLACE ? IDENTITY_STRANGER : IDENTITY_EXCHANGED;
}

static struct slot *find_slot(struct fusion *fusion, const struct bus_error *error)
{
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		struct slot *slot = &fusion->slots[i];

		if (slot->seen && slot->good.address == error->address &&
		    strcmp(slot->good.bus, error->bus) == 0)
			return slot;
	}
	return NULL;
}

/* Losses that strike one address only; a noisy line strikes all. */
static bool is_tied_to(const struct fusion *fusion, const struct slot *slot)
{
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *other = &fusion->slots[i];

		if (other != slot && other->checksum_score >= CHECKSUM_SUSPECT / 2 &&
		    strcmp(other->good.bus, slot->good.bus) == 0)
			return false;
	}
	return true;
}

void fusion_note_errors(struct fusion *fusion, const struct fusion_input *input)
{
	for (int i = 0; i < input->error_count && i < FUSION_MAX_BUS_ERRORS; i++) {
		const struct bus_error *error = &input->errors[i];
		struct slot *slot = find_slot(fusion, error);

		if (error->kind == BUS_ERROR_FOREIGN_REQUEST && error->count > 0)
			fusion->foreign_ms = fusion->now_ms;
		if (error->kind != BUS_ERROR_CHECKSUM || !slot || error->count <= 0)
			continue;
		const int32_t losses = error->count > CHECKSUM_CAP ? CHECKSUM_CAP : error->count;

		slot->checksum_score += CHECKSUM_LOSS * losses;
		if (slot->checksum_score > CHECKSUM_CAP)
			slot->checksum_score = CHECKSUM_CAP;
		if (slot->checksum_score >= CHECKSUM_SUSPECT && is_tied_to(fusion, slot))
			set_duplicate(fusion, slot);
	}
}
