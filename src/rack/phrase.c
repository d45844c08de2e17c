// SPDX-License-Identifier: Apache-2.0
/* See phrase.h. */
#include "phrase.h"

#include "wire/bytes.h"
#include "wire/rtu.h"

#define EXCEPTION 5 /* bytes */
#define REPLY_US  60000 /* as in protocols/pack/onepack.yaml */

void phrase_write(struct phrase *phrase, uint8_t unit, int first, const uint16_t *words, int count)
{
	uint8_t *frame = phrase->frame;

	frame[0] = unit;
	frame[1] = RTU_WRITE;
	put_u16be(frame + 2, (uint16_t)first);
	put_u16be(frame + 4, (uint16_t)count);
	frame[6] = (uint8_t)(2 * count);
	for (int i = 0; i < count; i++)
		put_u16be(frame + 7 + 2 * i, words[i]);
	phrase->count = rtu_seal(frame, (size_t)(7 + 2 * count));
	phrase->kind = unit == 0 ? PHRASE_TELL : PHRASE_ASK;
	phrase->answer_count = 8;
	phrase->wait_us = unit == 0 ? 0 : REPLY_US;
}

void phrase_read(struct phrase *phrase, uint8_t unit, int first, int count)
{
	uint8_t *frame = phrase->frame;

	frame[0] = unit;
	frame[1] = RTU_READ_HOLDING;
	put_u16be(frame + 2, (uint16_t)first);
	put_u16be(frame + 4, (uint16_t)count);
	phrase->count = rtu_seal(frame, 6);
	phrase->kind = PHRASE_ASK;
	phrase->answer_count = (size_t)(5 + 2 * count);
	phrase->wait_us = REPLY_US;
}

const uint8_t *phrase_words(const struct phrase *phrase, const uint8_t *bytes, size_t count)
{
	const size_t wanted = phrase->answer_count;

	/* noise may precede it */
	for (; count >= wanted; bytes++, count--)
		if (bytes[0] == phrase->frame[0] && bytes[1] == phrase->frame[1] &&
		    bytes[2] == wanted - 5 && rtu_is_sealed(bytes, wanted))
			return bytes + 3;
	return NULL;
}

int phrase_is_whole(const struct phrase *phrase, const uint8_t *bytes, size_t count)
{
	if (phrase->kind != PHRASE_ASK)
		return 0;
	if (count >= phrase->answer_count)
		return 1;
	return count == EXCEPTION && bytes[0] == phrase->frame[0] &&
	       bytes[1] == (phrase->frame[1] | RTU_REFUSED) && rtu_is_sealed(bytes, EXCEPTION);
}
