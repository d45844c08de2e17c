// SPDX-License-Identifier: Apache-2.0
/* Register block 0x3000: which word is where. 32-bit numbers high word first, bytes high byte
 * first, bit 0 of the bitmap's first word = chunk 0. */
#include <string.h>

#include "modbus.h"
#include "update_private.h"

enum reg {
	COMMAND = 0x3000,
	FLAGS = 0x3001,
	SIZE = 0x3002,
	NEXT_OFFSET = 0x3004,
	PHASE = 0x3006,
	BAD = 0x3007,
	CRC = 0x3008,
	HASH = 0x300A,
	VERSION = 0x301A,
	DEVICE_CLASS = 0x301E,
	TRIAL_S = 0x301F,
	RUNNING = 0x3020,     /* version 4, hash 4 */
	OTHER = 0x3028,       /* the same */
	COUNTER = 0x3030,     /* lowest security counter that is accepted */
	ADDRESS = 0x3032,     /* load address that an update must have */
	NEW_COUNTER = 0x3034, /* of the offered image */
	NEW_HARDWARE_MIN = 0x3036,
	NEW_HARDWARE_MAX = 0x3037,
	NEW_LOADER_MIN = 0x3038,
	NONCE = 0x3039,
	UNLOCK = 0x303B,
	CHUNK_BYTES = 0x303F,
	BITMAP = 0x3040,
	WINDOW = 0x3080,
};

#define BITMAP_WORDS (FW_CHUNKS / 16)

static uint16_t half(uint32_t value, int index)
{
	return (uint16_t)(index == 0 ? value >> 16 : value);
}

static uint16_t pair(const uint8_t *bytes, size_t index)
{
	return (uint16_t)(bytes[2 * index] << 8 | bytes[2 * index + 1]);
}

static uint16_t version_word(const struct fw_version *version, int index)
{
	switch (index) {
	case 0: return (uint16_t)(version->major << 8 | version->minor);
	case 1: return version->revision;
	default: return half(version->build, index - 2);
	}
}

static uint16_t image_word(const struct fw_update *update, int slot, int index)
{
	if (slot < 0 || !update->has_image[slot])
		return 0;
	return index < 4 ? version_word(&update->image[slot].version, index)
			 : pair(update->image[slot].hash, (size_t)index - 4);
}

static uint16_t bitmap_word(const struct fw_update *update, size_t index)
{
	if (update->state.job != FW_JOB_RECEIVING)
		return 0;
	return (uint16_t)(update->bitmap[2 * index] | update->bitmap[2 * index + 1] << 8);
}

static uint16_t trial_s(const struct fw_update *update)
{
	if (update->phase != FW_PHASE_TRIAL || update->now_ms >= update->trial_end_ms)
		return 0;
	return (uint16_t)((update->trial_end_ms - update->now_ms + 999) / 1000);
}

/* After a restart nothing is known before everything was looked at. */
static uint16_t phase_word(const struct fw_update *update)
{
	if (update->scan < update->chunks && update->phase == FW_PHASE_RECEIVING)
		return FW_PHASE_ERASING;
	return (uint16_t)update->phase;
}

static uint16_t status_word(const struct fw_update *update, unsigned reg)
{
	switch (reg) {
	case NEXT_OFFSET:
	case NEXT_OFFSET + 1: return half(update->crc_at, (int)reg - NEXT_OFFSET);
	case PHASE: return phase_word(update);
	case BAD: return (uint16_t)update->bad;
	case CRC:
	case CRC + 1: return half(update->crc, (int)reg - CRC);
	case TRIAL_S: return trial_s(update);
	case COUNTER:
	case COUNTER + 1: return half(update->state.security_counter, (int)reg - COUNTER);
	case ADDRESS:
	case ADDRESS + 1:
		return half(update->config.target.slot_address[update->slot], (int)reg - ADDRESS);
	case NONCE:
	case NONCE + 1: return half(update->state.sequence, (int)reg - NONCE);
	case CHUNK_BYTES: return FW_CHUNK;
	default: return 0;
	}
}

static uint16_t offer_word(const struct fw_offer *offer, unsigned reg)
{
	switch (reg) {
	case FLAGS: return offer->flags;
	case SIZE:
	case SIZE + 1: return half(offer->size, (int)reg - SIZE);
	case DEVICE_CLASS: return offer->device_class;
	case NEW_COUNTER:
	case NEW_COUNTER + 1: return half(offer->security_counter, (int)reg - NEW_COUNTER);
	case NEW_HARDWARE_MIN: return offer->hardware_min;
	case NEW_HARDWARE_MAX: return offer->hardware_max;
	case NEW_LOADER_MIN: return offer->loader_min;
	default: return 0;
	}
}

/* What was written, or what a job from before a restart says. */
static const struct fw_offer *shown_offer(const struct fw_update *update)
{
	return update->state.job != FW_JOB_NONE && update->offer.size == 0 ? &update->state.offer
									   : &update->offer;
}

static uint16_t word(const struct fw_update *update, unsigned reg)
{
	const struct fw_offer *offer = shown_offer(update);

	if (reg >= HASH && reg < HASH + 16)
		return pair(offer->hash, reg - HASH);
	if (reg >= VERSION && reg < VERSION + 4)
		return version_word(&offer->version, (int)reg - VERSION);
	if (reg >= RUNNING && reg < RUNNING + 8)
		return image_word(update, update->config.running, (int)reg - RUNNING);
	if (reg >= OTHER && reg < OTHER + 8)
		return image_word(update, update->slot, (int)reg - OTHER);
	if (reg >= BITMAP && reg < BITMAP + BITMAP_WORDS)
		return bitmap_word(update, reg - BITMAP);
	return (uint16_t)(status_word(update, reg) | offer_word(offer, reg));
}

void fw_update_read(const struct fw_update *update, uint16_t start, uint16_t count, uint16_t *words)
{
	for (uint16_t i = 0; i < count; i++)
		words[i] = word(update, (unsigned)start + i);
}

static void set_half(uint32_t *value, unsigned index, uint16_t word)
{
	*value = index == 0 ? (*value & 0xffff) | (uint32_t)word << 16
			    : (*value & 0xffff0000) | word;
}

static void set_pair(uint8_t *bytes, size_t index, uint16_t word)
{
	bytes[2 * index] = (uint8_t)(word >> 8);
	bytes[2 * index + 1] = (uint8_t)word;
}

static void set_version(struct fw_version *version, unsigned index, uint16_t word)
{
	if (index == 0) {
		version->major = (uint8_t)(word >> 8);
		version->minor = (uint8_t)word;
	} else if (index == 1) {
		version->revision = word;
	} else {
		set_half(&version->build, index - 2, word);
	}
}

/* False when the register cannot be written. */
static bool set_word(struct fw_update *update, unsigned reg, uint16_t word)
{
	struct fw_offer *offer = &update->offer;

	if (reg >= HASH && reg < HASH + 16)
		set_pair(offer->hash, reg - HASH, word);
	else if (reg >= VERSION && reg < VERSION + 4)
		set_version(&offer->version, reg - VERSION, word);
	else if (reg >= UNLOCK && reg < UNLOCK + 4)
		set_pair(update->unlock, reg - UNLOCK, word);
	else
		switch (reg) {
		case COMMAND: break; /* when all others are set */
		case FLAGS: offer->flags = word & FW_OFFER_BROADCAST; break;
		case SIZE:
		case SIZE + 1: set_half(&offer->size, reg - SIZE, word); break;
		case DEVICE_CLASS: offer->device_class = word; break;
		case NEW_COUNTER:
		case NEW_COUNTER + 1:
			set_half(&offer->security_counter, reg - NEW_COUNTER, word);
			break;
		case NEW_HARDWARE_MIN: offer->hardware_min = word; break;
		case NEW_HARDWARE_MAX: offer->hardware_max = word; break;
		case NEW_LOADER_MIN: offer->loader_min = word; break;
		default: return false;
		}
	return true;
}

/* Offset, then bytes. */
static int write_chunk(struct fw_update *update, uint16_t count, const uint16_t *words,
		       bool broadcast)
{
	const bool wanted = (update->state.offer.flags & FW_OFFER_BROADCAST) != 0;
	uint8_t bytes[FW_CHUNK];

	if (count < 3 || 2 * (count - 2) > FW_CHUNK)
		return FW_ILLEGAL_VALUE;
	if (update->restart || (broadcast && !wanted))
		return FW_BUSY;
	for (uint16_t i = 2; i < count; i++)
		set_pair(bytes, i - 2U, words[i]);
	return fw_update_chunk(update, (uint32_t)words[0] << 16 | words[1], bytes,
			       2U * (count - 2U));
}

int fw_update_write(struct fw_update *update, uint16_t start, uint16_t count, const uint16_t *words,
		    int level, bool broadcast)
{
	if (start == WINDOW)
		return write_chunk(update, count, words, broadcast);
	if (broadcast)
		return FW_ILLEGAL_REGISTER;
	if (level < FW_UPDATE_LEVEL)
		return fw_update_refuse(update, FW_BAD_LEVEL);
	for (uint16_t i = 0; i < count; i++)
		if (!set_word(update, (unsigned)start + i, words[i]))
			return FW_ILLEGAL_REGISTER;
	return start == COMMAND ? fw_update_command(update, words[0]) : 0;
}
