// SPDX-License-Identifier: Apache-2.0
/* `bits:` and `pairs:`: flags, alarms and small numbers inside one raw number. */
#include <string.h>

#include "layout.h"

#define PAIR_ACTIVE 1
#define PAIR_FINE   2

static alarm_set alarms_of(const struct layout *at, int severity)
{
	const struct battery *battery = at->source;
	const struct pack *pack = at->source;

	if (at->scope == SCOPE_INVERTER)
		return 0;
	if (at->scope == SCOPE_PACK)
		return severity == BIT_PROTECTION ? pack->protections : pack->warnings;
	return severity == BIT_PROTECTION ? battery->protections : battery->warnings;
}

/* Alarms of a severity that have a bit of their own among these items, under these options. */
static alarm_set named_alarms(const struct layout *at, const struct item *items, int count,
			      int severity)
{
	alarm_set set = 0;

	for (int i = 0; i < count; i++) {
		const struct item *item = &items[i];

		if (item->kind == ITEM_REPEAT ||
		    (item->kind == ITEM_WHEN && condition_holds(&item->when, at->ctx)))
			set |= named_alarms(at, item->items, item->item_count, severity);
		for (int b = 0; b < item->bit_count; b++)
			if (item->bits[b].severity & severity)
				set |= item->bits[b].named | item->bits[b].also;
	}
	return set;
}

static bool has_other(const struct layout *at, alarm_set set, int severity)
{
	return set & ~named_alarms(at, at->message->items, at->message->item_count, severity);
}

static bool alarm_is_active(const struct layout *at, const struct bit *bit)
{
	if (bit->no_data && at->scope == SCOPE_BATTERY && battery_is_mute(at->source))
		return true;
	for (int severity = BIT_PROTECTION; severity <= BIT_WARNING; severity++) {
		const alarm_set set = alarms_of(at, severity);

		if (!set || !(bit->severity & severity))
			continue;
		if (set & (bit->named | bit->also))
			return true;
		if (bit->other && has_other(at, set, severity))
			return true;
	}
	return false;
}

static int64_t range_to_raw(const struct layout *at, const struct bit *bit)
{
	const int32_t value = quantity_get(at, &bit->quantity);
	const int64_t highest = ((int64_t)1 << bit->width) - 1;
	int64_t raw = value;

	if (value == FIELD_UNKNOWN)
		return 0;
	for (int i = 0; i < bit->word_count; i++)
		if (bit->words[i].field == value)
			return bit->words[i].raw;
	if (bit->word_count)
		return 0;
	if (unit_is_thousandths(bit->quantity.unit))
		raw = (raw + 500) / 1000;
	return raw < 0 ? 0 : raw > highest ? highest : raw;
}

static int64_t bit_to_raw(const struct layout *at, const struct bit *bit)
{
	int32_t value;

	switch (bit->kind) {
	case BIT_CONST: return bit->value;
	case BIT_ALARM: return alarm_is_active(at, bit);
	case BIT_RANGE: return range_to_raw(at, bit);
	case BIT_FIELD_IS: return quantity_get(at, &bit->quantity) == bit->value;
	case BIT_FLAG:
		value = quantity_get(at, &bit->quantity);
		return value == FIELD_UNKNOWN ? bit->inverted : (value != 0) != bit->inverted;
	}
	return 0;
}

int64_t bits_encode(const struct layout *at, const struct item *item)
{
	uint64_t raw = 0;

	for (int i = 0; i < item->bit_count; i++) {
		const struct bit *bit = &item->bits[i];
		int64_t part = bit_to_raw(at, bit);

		if (item->kind == ITEM_PAIRS && bit->kind == BIT_ALARM)
			part = part ? PAIR_ACTIVE : PAIR_FINE;
		raw |= (uint64_t)part << bit->low;
	}
	return (int64_t)raw;
}

static void read_alarm(struct layout *at, const struct bit *bit, bool active)
{
	/* one bit for both severities: the more serious reading */
	const int severity = bit->severity & BIT_PROTECTION ? BIT_PROTECTION : BIT_WARNING;

	if (!(bit->named | bit->read))
		return;
	at->said_alarms[severity] = true;
	at->clear[severity] |= bit->named;
	if (active)
		at->set[severity] |= bit->named | bit->read;
}

static void read_range(struct layout *at, const struct bit *bit, int32_t raw)
{
	for (int i = 0; i < bit->word_count; i++) {
		if (bit->words[i].raw != raw)
			continue;
		quantity_set(at, &bit->quantity, bit->words[i].field);
		return; /* of several words for one number, the first is meant */
	}
	if (bit->word_count)
		return;
	if (unit_is_thousandths(bit->quantity.unit))
		raw = raw > INT32_MAX / 1000 ? INT32_MAX : raw * 1000;
	quantity_set(at, &bit->quantity, raw);
}

/* `force_charge=soft`: the bit says so, or says nothing; without any such bit it is "none". */
static void read_field_is(struct layout *at, const struct bit *bit, bool active)
{
	const char *word = unit_word(bit->quantity.unit, 0);
	int32_t now;

	if (active) {
		quantity_set(at, &bit->quantity, bit->value);
		return;
	}
	memcpy(&now, (const char *)at->target + bit->quantity.offset, sizeof now);
	if ((now == FIELD_UNKNOWN || now == bit->value) && word && strcmp(word, "none") == 0)
		quantity_set(at, &bit->quantity, 0);
}

static void read_bit(struct layout *at, const struct bit *bit, int32_t raw)
{
	switch (bit->kind) {
	case BIT_CONST: break;
	case BIT_ALARM: read_alarm(at, bit, raw != 0); break;
	case BIT_RANGE: read_range(at, bit, raw); break;
	case BIT_FIELD_IS: read_field_is(at, bit, raw != 0); break;
	case BIT_FLAG: quantity_set(at, &bit->quantity, (raw != 0) != bit->inverted); break;
	}
}

void bits_decode(struct layout *at, const struct item *item, int64_t raw)
{
	for (int i = 0; i < item->bit_count; i++) {
		const struct bit *bit = &item->bits[i];
		const uint64_t mask = ((uint64_t)1 << bit->width) - 1;
		const uint32_t part = (uint32_t)((uint64_t)raw >> bit->low & mask);

		if (item->kind == ITEM_BITS || bit->kind != BIT_ALARM)
			read_bit(at, bit, (int32_t)part);
		else if (part == PAIR_ACTIVE || part == PAIR_FINE)
			read_alarm(at, bit, part == PAIR_ACTIVE);
	}
}
