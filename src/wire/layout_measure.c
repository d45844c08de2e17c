// SPDX-License-Identifier: Apache-2.0
/* How long a message is: at its fullest, and by the counts that stand in its bytes. */
#include "layout.h"

/* --- at its fullest --- */

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
		else if (condition_holds(&item->when, ctx))
			size += items_size(item->items, item->item_count, ctx);
	}
	return size;
}

int layout_size(const struct message *message, const struct wire_context *ctx)
{
	const int size = items_size(message->items, message->item_count, ctx);

	return size > message->length ? size : message->length;
}

/* --- by its bytes --- */

struct tape {
	const struct wire_context *ctx;
	enum byte_order order;
	const uint8_t *bytes;
	size_t count, at;
};

static bool measure_items(struct tape *tape, const struct item *items, int count);

static bool measure_repeat(struct tape *tape, const struct item *item)
{
	int64_t rounds = item->count;

	if (item->counted_size) {
		if (tape->at + item->counted_size > tape->count)
			return false;
		rounds = bytes_get(tape->bytes + tape->at, item->counted_size, tape->order, false);
		tape->at += item->counted_size;
	}
	for (; rounds > 0 && tape->at <= tape->count; rounds--)
		if (!measure_items(tape, item->items, item->item_count))
			return false;
	return true;
}

static bool measure_hook(struct tape *tape, const struct item *item)
{
	int size = item->hook->size;

	if (item->hook->measure) {
		if (tape->at > tape->count)
			return false;
		size = item->hook->measure(tape->bytes + tape->at, tape->count - tape->at);
	}
	if (size < 0)
		return false;
	tape->at += (size_t)size;
	return true;
}

static bool measure_items(struct tape *tape, const struct item *items, int count)
{
	for (int i = 0; i < count; i++) {
		const struct item *item = &items[i];

		switch (item->kind) {
		case ITEM_REPEAT:
			if (!measure_repeat(tape, item))
				return false;
			break;
		case ITEM_WHEN:
			if (condition_holds(&item->when, tape->ctx) &&
			    !measure_items(tape, item->items, item->item_count))
				return false;
			break;
		case ITEM_HOOK:
			if (!measure_hook(tape, item))
				return false;
			break;
		default: tape->at += item->size; break;
		}
	}
	return true;
}

int layout_measure(const struct message *message, const struct wire_context *ctx,
		   enum byte_order order, const uint8_t *bytes, size_t count)
{
	struct tape tape = {ctx, order, bytes, count, 0};

	if (!measure_items(&tape, message->items, message->item_count))
		return -1;
	return tape.at < (size_t)message->length ? message->length : (int)tape.at;
}
