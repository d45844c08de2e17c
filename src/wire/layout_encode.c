// SPDX-License-Identifier: Apache-2.0
/* Writing the bytes of one message: walks the items of a protocol file in order. No allocation, no
 * knowledge of frames. */
#include <string.h>

#include "layout.h"

#define CHARGE_VOLTAGE_FLOOR_MV 1000 /* less is no charge voltage: treated as unknown */

static int encode_items(struct layout *at, const struct item *items, int count);

/* Room for the next `size` bytes, or NULL. */
static uint8_t *claim(struct layout *at, size_t size)
{
	uint8_t *place = at->out + at->at;

	if (size > at->end - at->at)
		return NULL;
	at->at += size;
	return place;
}

static int put_number(struct layout *at, const struct item *item, int64_t raw)
{
	uint8_t *place = claim(at, item->size);

	if (!place)
		return ERR_SPACE;
	bytes_put(place, item->size, order_of(at, item), raw);
	return 0;
}

static int put_unknown(struct layout *at, size_t size)
{
	uint8_t *place;

	if (!at->unknown)
		return ERR_UNKNOWN;
	place = claim(at, size);
	if (!place)
		return ERR_SPACE;
	memset(place, 0, size);
	memset(at->unknown + (place - at->out), 1, size);
	return 0;
}

static int32_t cells_in_series(const struct layout *at)
{
	const struct battery *battery = at->source;
	const struct pack *pack = at->source;

	if (at->scope == SCOPE_INVERTER)
		return FIELD_UNKNOWN;
	if (at->scope == SCOPE_BATTERY)
		return battery->cells_in_series;
	return pack->cell_count ? pack->cell_count : pack->settings.cell_count;
}

/* Tries one quantity; a charge voltage of nothing is never taken. */
static bool try_value(const struct layout *at, const struct item *item,
		      const struct quantity *quantity, int32_t value, int64_t *raw)
{
	if (value == FIELD_UNKNOWN || (item->never_zero && value < CHARGE_VOLTAGE_FLOOR_MV))
		return false;
	return number_to_raw(item, quantity, value, cells_in_series(at), raw);
}

static bool try_substitute(const struct layout *at, const struct item *item,
			   const struct substitute *substitute, int64_t *raw)
{
	switch (substitute->kind) {
	case SUBSTITUTE_RAW: *raw = substitute->number; return true;
	case SUBSTITUTE_VALUE:
		return try_value(at, item, &item->quantities[0], (int32_t)substitute->number, raw);
	case SUBSTITUTE_QUANTITY:
		return try_value(at, item, &item->quantities[0],
				 quantity_get(at, &substitute->quantity), raw);
	}
	return false;
}

static int encode_value(struct layout *at, const struct item *item)
{
	int64_t raw;

	for (int i = 0; i < item->quantity_count; i++)
		if (try_value(at, item, &item->quantities[i],
			      quantity_get(at, &item->quantities[i]), &raw))
			return put_number(at, item, raw);
	for (int i = 0; i < item->substitute_count; i++)
		if (try_substitute(at, item, &item->substitutes[i], &raw))
			return put_number(at, item, raw);
	return put_unknown(at, item->size);
}

static const char *text_of(const struct layout *at, const struct item *item)
{
	const char *text = (const char *)at->source + item->text->offset;

	if (item->always)
		return item->always;
	return text[0] || !item->fallback ? text : item->fallback;
}

static int encode_text(struct layout *at, const struct item *item)
{
	const char *text = item->kind == ITEM_LITERAL ? item->fallback : text_of(at, item);
	const size_t length = strlen(text);
	uint8_t *place;

	if (!text[0] && item->kind == ITEM_TEXT && !item->fallback)
		return put_unknown(at, item->size);
	place = claim(at, item->size);
	if (!place)
		return ERR_SPACE;
	for (size_t i = 0; i < item->size; i++) {
		const size_t n = item->part + i;

		place[i] = n < length ? (uint8_t)text[n] : (uint8_t)item->pad;
		if (place[i] > 126)
			place[i] = '?'; /* the wire is ASCII */
	}
	return 0;
}

/* "1.23" -> 1, 23; whatever is no digit separates. */
static int encode_version(struct layout *at, const struct item *item)
{
	const char *text = text_of(at, item);
	uint8_t *place;

	if (!text[0])
		return put_unknown(at, item->size);
	place = claim(at, item->size);
	if (!place)
		return ERR_SPACE;
	for (size_t i = 0; i < item->size; i++) {
		int number = 0;

		text += strcspn(text, "0123456789");
		for (; *text >= '0' && *text <= '9'; text++)
			number = number > 255 ? number : number * 10 + (*text - '0');
		place[i] = (uint8_t)(number > 255 ? 255 : number);
	}
	return 0;
}

static int encode_zeros(struct layout *at, const struct item *item)
{
	uint8_t *place = claim(at, item->size);

	if (!place)
		return ERR_SPACE;
	memset(place, 0, item->size);
	return 0;
}

static int encode_hook(struct layout *at, const struct item *item)
{
	uint8_t bytes[LAYOUT_MAX_HOOK] = {0};
	int err = item->hook->encode(at, bytes);
	uint8_t *place;

	if (err)
		return err == ERR_UNKNOWN ? put_unknown(at, item->size) : err;
	size_t size = item->size;

	if (item->hook->measure)
		size = (size_t)item->hook->measure(bytes, size);
	place = claim(at, size);
	if (!place)
		return ERR_SPACE;
	memcpy(place, bytes, size);
	return 0;
}

/* Looks at the things to repeat: how many there are, and where they are taken from. */
static int find_elements(struct layout *at, const struct item *item,
			 int32_t elements[ONEPACK_MAX_CELLS])
{
	const struct battery *battery = at->source;
	const struct pack *pack = at->source;
	const bool is_battery = at->scope == SCOPE_BATTERY;

	at->elements = elements;
	switch (item->repeat) {
	case REPEAT_PACKS: return is_battery ? battery->pack_count : 0;
	case REPEAT_CELLS:
		if (is_battery)
			return battery_cells(battery, elements);
		at->elements = pack->cells_mv;
		return pack->cell_count;
	case REPEAT_TEMPERATURES:
		if (is_battery)
			return battery_sensors(battery, elements);
		at->elements = pack->temperatures_mC;
		return pack->temperature_count;
	}
	return 0;
}

static int encode_element(struct layout *at, const struct item *item, const struct battery *battery,
			  const struct pack *nobody)
{
	if (item->repeat == REPEAT_PACKS) {
		at->scope = SCOPE_PACK;
		at->source = at->index < battery->pack_count ? &battery->packs[at->index] : nobody;
	}
	return encode_items(at, item->items, item->item_count);
}

static int encode_elements(struct layout *at, const struct item *item, int count)
{
	const struct battery *battery = at->source;
	const enum scope scope = at->scope;
	struct pack nobody;
	int err = 0;

	if (item->repeat == REPEAT_PACKS)
		pack_clear(&nobody);
	for (int i = 0; i < count && !err; i++) {
		at->index = item->first + i;
		err = encode_element(at, item, battery, &nobody);
	}
	at->scope = scope;
	at->source = battery;
	return err;
}

static int encode_repeat(struct layout *at, const struct item *item)
{
	const struct layout outside = *at;
	int32_t elements[ONEPACK_MAX_CELLS];
	uint8_t *counted = claim(at, item->counted_size);
	int count, err;

	if (!counted)
		return ERR_SPACE;
	at->element_count = find_elements(at, item, elements);
	count = item->count ? item->count : at->element_count - item->first;
	if (count < 0)
		count = 0;
	bytes_put(counted, item->counted_size, at->order, count);
	err = encode_elements(at, item, count);
	at->index = outside.index;
	at->elements = outside.elements;
	at->element_count = outside.element_count;
	return err;
}

static int encode_item(struct layout *at, const struct item *item)
{
	switch (item->kind) {
	case ITEM_VALUE: return encode_value(at, item);
	case ITEM_TEXT:
	case ITEM_LITERAL: return encode_text(at, item);
	case ITEM_VERSION: return encode_version(at, item);
	case ITEM_CONST: return put_number(at, item, item->constant);
	case ITEM_SKIP: return encode_zeros(at, item);
	case ITEM_BITS:
	case ITEM_PAIRS: return put_number(at, item, bits_encode(at, item));
	case ITEM_REPEAT: return encode_repeat(at, item);
	case ITEM_HOOK: return encode_hook(at, item);
	case ITEM_WHEN:
		return item_is_on(at, item) ? encode_items(at, item->items, item->item_count) : 0;
	}
	return ERR_FORMAT;
}

static int encode_items(struct layout *at, const struct item *items, int count)
{
	int err = 0;

	for (int i = 0; i < count && !err; i++)
		err = encode_item(at, &items[i]);
	return err;
}

int layout_encode(const struct wire *wire, const struct message *message,
		  const struct wire_context *ctx, enum byte_order order, const void *who,
		  uint8_t *out, size_t size, uint8_t *unknown)
{
	struct layout at = {.wire = wire,
			    .message = message,
			    .ctx = ctx,
			    .order = order,
			    .scope = message->scope,
			    .source = who,
			    .out = out,
			    .unknown = unknown,
			    .end = size};
	int err;

	if (unknown)
		memset(unknown, 0, size);
	err = encode_items(&at, message->items, message->item_count);
	if (err)
		return err;
	if (message->length > (int)size)
		return ERR_SPACE;
	if (at.at >= (size_t)message->length)
		return (int)at.at;
	memset(out + at.at, 0, (size_t)message->length - at.at);
	return message->length;
}
