// SPDX-License-Identifier: Apache-2.0
/* Both directions look for a frame; the one that begins first is taken. While one of them is inside
 * a frame that began even earlier, the line is left to go on: what looks like a frame inside of
 * another one is none. */
#include "monitor_split.h"

#include <string.h>

struct look {
	int result;
	size_t start;
};

static struct look look_for(const struct splitter *s, enum wire_side side, size_t count)
{
	struct look look = {.start = count};

	look.result = wire_scan(s->wire, side, s->bytes, count, &look.start);
	if (look.result == 0)
		look.start = count;
	return look;
}

void splitter_add(struct splitter *splitter, const uint8_t *bytes, size_t count)
{
	const size_t size = sizeof splitter->bytes;

	if (count > size) {
		bytes += count - size;
		count = size;
	}
	if (splitter->count + count > size) {
		const size_t out = splitter->count + count - size;

		splitter->count -= out;
		memmove(splitter->bytes, splitter->bytes + out, splitter->count);
	}
	memcpy(splitter->bytes + splitter->count, bytes, count);
	splitter->count += count;
}

static enum piece_kind give(struct splitter *splitter, size_t count, enum piece_kind kind,
			    enum wire_side side, struct piece *out)
{
	out->kind = kind;
	out->side = side;
	out->count = count;
	memcpy(out->bytes, splitter->bytes, count);
	splitter->count -= count;
	memmove(splitter->bytes, splitter->bytes + count, splitter->count);
	return kind;
}

/* The first `count` bytes are no frame: what are they? */
static enum piece_kind give_junk(struct splitter *splitter, size_t count, struct piece *out)
{
	const struct look slave = look_for(splitter, WIRE_FROM_SLAVE, count);
	const struct look master = look_for(splitter, WIRE_FROM_MASTER, count);
	const struct look *first = slave.start <= master.start ? &slave : &master;
	enum piece_kind kind = PIECE_NOISE;

	if (first->start == 0 && first->result == ERR_CHECKSUM)
		kind = PIECE_CHECKSUM;
	else if (first->start == 0 && first->result == ERR_INCOMPLETE && count > 2)
		kind = PIECE_SHORT;
	return give(splitter, count, kind, first == &slave ? WIRE_FROM_SLAVE : WIRE_FROM_MASTER,
		    out);
}

enum piece_kind splitter_next(struct splitter *splitter, bool quiet, struct piece *out)
{
	const struct look slave = look_for(splitter, WIRE_FROM_SLAVE, splitter->count);
	const struct look master = look_for(splitter, WIRE_FROM_MASTER, splitter->count);
	const struct look *first = &slave;
	bool inside;

	out->kind = PIECE_NONE;
	if (splitter->count == 0)
		return PIECE_NONE;
	if (slave.result <= 0 || (master.result > 0 && master.start < slave.start))
		first = &master;
	if (first->result <= 0)
		return quiet ? give_junk(splitter, splitter->count, out) : PIECE_NONE;
	inside = (slave.result == ERR_INCOMPLETE && slave.start < first->start) ||
		 (master.result == ERR_INCOMPLETE && master.start < first->start);
	if (inside && !quiet)
		return PIECE_NONE;
	if (first->start > 0)
		return give_junk(splitter, first->start, out);
	return give(splitter, (size_t)first->result, PIECE_FRAME,
		    first == &slave ? WIRE_FROM_SLAVE : WIRE_FROM_MASTER, out);
}
