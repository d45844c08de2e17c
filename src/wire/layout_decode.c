// SPDX-License-Identifier: Apache-2.0
/* Reading the bytes of one message: walks the items of a protocol file in order. Only what the
 * bytes say is written. No allocation, no knowledge of frames. */
#include <string.h>

#include "layout.h"

static void decode_items(struct layout *at, const struct item *items, int count);

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
