// SPDX-License-Identifier: Apache-2.0
/* The bytes of one message: walks the items of a protocol file in order, writing or reading. No
 * allocation, no knowledge of frames. */
#include "layout.h"

#include <string.h>

#define CHARGE_VOLTAGE_FLOOR_MV 1000 /* less is no charge voltage: treated as unknown */

static int encode_items(struct layout *at, const struct item *items, int count);
static void decode_items(struct layout *at, const struct item *items, int count);

static enum byte_order order_of(const struct layout *at, const struct item *item)
{
	return item->order < 0 ? at->order : (enum byte_order)item->order;
}

static bool item_is_on(const struct layout *at, const struct item *item)
{
	return at->ctx->option[item->option] == item->option_value;
}

/* --- encoding --- */

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
	uint8_t bytes[16] = {0};
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

static int encode_repeat(struct layout *at, const struct item *item)
{
	const struct layout outside = *at;
	int32_t elements[ONEPACK_MAX_CELLS];
	struct pack nobody;
	int count, err = 0;

	if (item->repeat == REPEAT_PACKS)
		pack_clear(&nobody);
	at->element_count = find_elements(at, item, elements);
	count = item->count ? item->count : at->element_count - item->first;
	if (count < 0)
		count = 0;
	if (item->counted_size) {
		uint8_t *place = claim(at, item->counted_size);

		if (!place)
			return ERR_SPACE;
		bytes_put(place, item->counted_size, at->order, count);
	}
	for (int i = 0; i < count && !err; i++) {
		at->index = item->first + i;
		err = encode_element(at, item, outside.source, &nobody);
	}
	at->scope = outside.scope;
	at->source = outside.source;
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
	while (at.at < (size_t)message->length)
		out[at.at++] = 0;
	return (int)at.at;
}

/* --- decoding --- */

/* The next `size` bytes, or NULL when they are not all there. Moves on in any case. */
static const uint8_t *take(struct layout *at, size_t size)
{
	const size_t start = at->at;

	at->at += size;
	if (start < at->first || at->at > at->end)
		return NULL;
	at->read++;
	return at->in + (start - at->first);
}

static int32_t cells_understood(const struct layout *at)
{
	const struct battery *battery = at->target;
	const struct pack *pack = at->target;

	if (at->scope == SCOPE_INVERTER)
		return FIELD_UNKNOWN;
	if (at->scope == SCOPE_BATTERY)
		return battery->cells_in_series;
	return pack->settings.cell_count != FIELD_UNKNOWN || !pack->cell_count
		       ? pack->settings.cell_count
		       : pack->cell_count;
}

static void decode_value(struct layout *at, const struct item *item, const uint8_t *bytes)
{
	const int64_t raw = bytes_get(bytes, item->size, order_of(at, item), item->is_signed);
	const int32_t cells = item->per_cell ? cells_understood(at) : FIELD_UNKNOWN;
	int32_t value;

	at->lacks_cells |= item->per_cell && cells == FIELD_UNKNOWN;
	if (item->only_sent || !number_from_raw(item, raw, cells, &value))
		return;
	if (item->quantities[0].unit == UNIT_FLAG)
		value = value != 0;
	quantity_set(at, &item->quantities[0], value);
}

/* A text may come in parts and in any order: each part goes to its place, and what is behind the
 * last visible character is cut off. */
static void decode_text(const struct layout *at, const struct item *item, const uint8_t *bytes)
{
	char *text = (char *)at->target + item->text->offset;
	size_t end = 0;
	bool ended = false;

	for (size_t i = 0; i < item->size && item->part + i < FIELD_TEXT_SIZE - 1; i++) {
		ended |= bytes[i] == 0 || bytes[i] == 0xFF; /* what is behind the end is no text */
		text[item->part + i] = ended ? '\0' : (char)bytes[i];
	}
	for (size_t i = 0; i < FIELD_TEXT_SIZE - 1; i++)
		if (text[i] != '\0' && text[i] != ' ')
			end = i + 1;
	for (size_t i = 0; i < end; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	memset(text + end, 0, FIELD_TEXT_SIZE - end);
}

static void decode_version(const struct layout *at, const struct item *item, const uint8_t *bytes)
{
	char text[FIELD_TEXT_SIZE] = "";
	size_t used = 0;
	int sum = 0;

	for (size_t i = 0; i < item->size && used < sizeof text - 5; i++) {
		sum += bytes[i];
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%d", i ? "." : "",
					 bytes[i]);
	}
	if (sum)
		memcpy((char *)at->target + item->text->offset, text, sizeof text);
}

static void store_alarms(const struct layout *at, alarm_set *protections, alarm_set *warnings)
{
	*protections = (*protections & ~at->clear[BIT_PROTECTION]) | at->set[BIT_PROTECTION];
	*warnings = (*warnings & ~at->clear[BIT_WARNING]) | at->set[BIT_WARNING];
}

static void decode_pack(struct layout *at, const struct item *item, struct battery *battery)
{
	const struct layout outside = *at;
	struct pack *pack;

	while (battery->pack_count <= at->index)
		pack_clear(&battery->packs[battery->pack_count++]);
	pack = &battery->packs[at->index];
	memset(at->clear, 0, sizeof at->clear);
	memset(at->set, 0, sizeof at->set);
	at->scope = SCOPE_PACK;
	at->target = pack;
	decode_items(at, item->items, item->item_count);
	store_alarms(at, &pack->protections, &pack->warnings);
	memcpy(at->clear, outside.clear, sizeof at->clear);
	memcpy(at->set, outside.set, sizeof at->set);
	at->scope = outside.scope;
	at->target = outside.target;
}

static void decode_repeat(struct layout *at, const struct item *item)
{
	const int index = at->index;
	int count = item->count ? item->count : ONEPACK_MAX_CELLS;

	if (item->counted_size) {
		const uint8_t *bytes = take(at, item->counted_size);

		if (!bytes) {
			at->at = at->end + 1; /* without the number nothing behind has a place */
			return;
		}
		count = (int)bytes_get(bytes, item->counted_size, at->order, false);
	}
	for (int i = 0; i < count && at->at <= at->end; i++) {
		at->index = item->first + i;
		if (item->repeat != REPEAT_PACKS)
			decode_items(at, item->items, item->item_count);
		else if (at->index < ONEPACK_MAX_PACKS)
			decode_pack(at, item, at->target);
	}
	at->index = index;
}

/* Bytes of an item that is neither repeated nor conditional; -1 when they are too few to say. */
static int size_here(const struct layout *at, const struct item *item)
{
	if (item->kind != ITEM_HOOK || !item->hook->measure)
		return item->size;
	if (at->at < at->first || at->at > at->end)
		return -1;
	return item->hook->measure(at->in + (at->at - at->first), at->end - at->at);
}

static void decode_plain(struct layout *at, const struct item *item)
{
	const int size = size_here(at, item);
	const uint8_t *bytes = size < 0 ? NULL : take(at, (size_t)size);

	if (size < 0)
		at->at = at->end + 1; /* nothing behind has a place */
	if (!bytes)
		return;
	switch (item->kind) {
	case ITEM_VALUE: decode_value(at, item, bytes); break;
	case ITEM_TEXT: decode_text(at, item, bytes); break;
	case ITEM_VERSION: decode_version(at, item, bytes); break;
	case ITEM_BITS:
	case ITEM_PAIRS:
		bits_decode(at, item, bytes_get(bytes, item->size, order_of(at, item), false));
		break;
	case ITEM_HOOK:
		if (item->hook->decode)
			item->hook->decode(at, bytes);
		break;
	case ITEM_CONST:
	case ITEM_LITERAL:
	case ITEM_SKIP:
	case ITEM_REPEAT:
	case ITEM_WHEN: break;
	}
}

static void decode_items(struct layout *at, const struct item *items, int count)
{
	for (int i = 0; i < count && at->at <= at->end; i++) {
		const struct item *item = &items[i];

		if (item->kind == ITEM_REPEAT)
			decode_repeat(at, item);
		else if (item->kind != ITEM_WHEN)
			decode_plain(at, item);
		else if (item_is_on(at, item))
			decode_items(at, item->items, item->item_count);
	}
}

int layout_decode(const struct wire *wire, const struct message *message,
		  const struct wire_context *ctx, enum byte_order order, const uint8_t *bytes,
		  size_t count, size_t first, struct wire_values *out)
{
	struct layout at = {.wire = wire,
			    .message = message,
			    .ctx = ctx,
			    .order = order,
			    .scope = message->scope,
			    .in = bytes,
			    .first = first,
			    .end = first + count};

	switch (message->scope) {
	case SCOPE_BATTERY: at.target = &out->battery; break;
	case SCOPE_PACK: at.target = &out->pack; break;
	case SCOPE_INVERTER: at.target = &out->inverter; break;
	}
	decode_items(&at, message->items, message->item_count);
	if (!at.read)
		return 0;
	if (at.lacks_cells && cells_understood(&at) != FIELD_UNKNOWN) {
		at.at = 0; /* the number of cells stands behind something per cell */
		decode_items(&at, message->items, message->item_count);
	}
	out->said_battery |= message->scope == SCOPE_BATTERY;
	out->said_pack |= message->scope == SCOPE_PACK;
	out->said_inverter |= message->scope == SCOPE_INVERTER;
	if (message->from_inverter)
		out->inverter.inverter_alive = 1;
	if (message->scope == SCOPE_BATTERY)
		store_alarms(&at, &out->battery.protections, &out->battery.warnings);
	if (message->scope == SCOPE_PACK)
		store_alarms(&at, &out->pack.protections, &out->pack.warnings);
	out->said_protections |= at.said_alarms[BIT_PROTECTION];
	out->said_warnings |= at.said_alarms[BIT_WARNING];
	return at.read;
}

/* --- size --- */

static int items_size(const struct item *items, int count, const struct wire_context *ctx)
{
	int size = 0;

	for (int i = 0; i < count; i++) {
		const struct item *item = &items[i];
		const int most = item->repeat == REPEAT_PACKS   ? ONEPACK_MAX_PACKS
				 : item->repeat == REPEAT_CELLS ? ONEPACK_MAX_CELLS
								: ONEPACK_MAX_TEMPERATURES;

		if (item->kind == ITEM_REPEAT)
			size += item->counted_size +
				(item->count ? item->count : most) *
					items_size(item->items, item->item_count, ctx);
		else if (item->kind != ITEM_WHEN)
			size += item->size;
		else if (ctx->option[item->option] == item->option_value)
			size += items_size(item->items, item->item_count, ctx);
	}
	return size;
}

int layout_size(const struct message *message, const struct wire_context *ctx)
{
	const int size = items_size(message->items, message->item_count, ctx);

	return size > message->length ? size : message->length;
}
