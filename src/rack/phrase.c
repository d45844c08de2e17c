// SPDX-License-Identifier: Apache-2.0
/* See phrase.h. */
#include "phrase.h"

#include <string.h>

#include "wire/bytes.h"
#include "wire/rtu.h"

#define EXCEPTION   5 /* bytes */
#define ACKNOWLEDGE 8
#define REPLY_US    60000 /* as in protocols/pack/onepack.yaml */

void phrase_write(struct phrase *phrase, uint8_t unit, int first, const uint16_t *words, int count)
{
	uint8_t *frame = phrase->frame;

	frame[0] = unit;
	frame[1] = RTU_WRITE;
	put_u16be(frame + 2, (uint16_t)first);
	put_u16be(frame + 4, (uint16_t)count);
	frame[6] = (uint8_t)(2 * count);
	for (int i = 0; i < count; i++)
		put_u16be(frame + 7 + 2 * (size_t)i, words[i]);
	phrase->count = rtu_seal(frame, 7 + 2 * (size_t)count);
	phrase->kind = unit == 0 ? PHRASE_TELL : PHRASE_ASK;
	phrase->answer_count = ACKNOWLEDGE;
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
	phrase->answer_count = 5 + 2 * (size_t)count;
	phrase->wait_us = REPLY_US;
}

const uint8_t *phrase_words(const struct phrase *phrase, const uint8_t *bytes, size_t count)
{
	const size_t wanted = phrase->answer_count;

	/* noise may precede it */
	for (; count >= wanted; bytes++, count--)
		if (bytes[0] == phrase->frame[0] && bytes[1] == RTU_READ_HOLDING &&
		    bytes[2] == wanted - 5 && rtu_is_sealed(bytes, wanted))
			return bytes + 3;
	return NULL;
}

static bool is_acknowledge(const struct phrase *phrase, const uint8_t *bytes, size_t count)
{
	for (; count >= ACKNOWLEDGE; bytes++, count--)
		if (memcmp(bytes, phrase->frame, ACKNOWLEDGE - 2) == 0 &&
		    rtu_is_sealed(bytes, ACKNOWLEDGE))
			return true;
	return false;
}

static bool is_exception(const struct phrase *phrase, const uint8_t *bytes, size_t count)
{
	return count == EXCEPTION && bytes[0] == phrase->frame[0] &&
	       bytes[1] == (phrase->frame[1] | RTU_REFUSED) && rtu_is_sealed(bytes, EXCEPTION);
}

bool phrase_is_whole(const struct phrase *phrase, const uint8_t *bytes, size_t count)
{
	if (phrase->kind != PHRASE_ASK)
		return false;
	if (is_exception(phrase, bytes, count))
		return true;
	return phrase->frame[1] == RTU_WRITE ? is_acknowledge(phrase, bytes, count)
					     : phrase_words(phrase, bytes, count) != NULL;
}
