// SPDX-License-Identifier: Apache-2.0
/* Records of JK packs; see jk_record.h. */
#include "jk_record.h"

#include <string.h>

#include "bytes.h"
#include "rtu.h"

static const uint8_t magic[4] = {0x55, 0xAA, 0xEB, 0x90};

/* Trigger registers: 161C about, 161E settings, 1620 live data, 1622 and 1624 logs; and the presets
 * 160A, 160C, 160E, which a pack also answers with its settings. */
static bool is_trigger(uint16_t start)
{
	return start % 2 == 0 &&
	       ((start >= 0x161C && start <= 0x1624) || (start >= 0x160A && start <= 0x160E));
}

static uint8_t record_sum(const uint8_t *record)
{
	unsigned sum = 0;

	for (size_t i = 0; i < JK_RECORD_SIZE - 1; i++)
		sum += record[i];
	return (uint8_t)sum;
}

static bool is_good_record(const uint8_t *record)
{
	return memcmp(record, magic, sizeof magic) == 0 &&
	       record[JK_RECORD_SIZE - 1] == record_sum(record);
}

int jk_build_trigger(uint8_t unit, uint16_t trigger, uint8_t *out, size_t size)
{
	static const uint8_t zero[2];

	return rtu_build_write(unit, trigger, zero, 1, out, size);
}

int jk_build_answer(uint8_t unit, uint16_t trigger, uint8_t type, const uint8_t *data, size_t count,
		    uint8_t *out, size_t size)
{
	if (size < JK_RECORD_SIZE + JK_ACK_SIZE || count > JK_RECORD_DATA)
		return ERR_SPACE;
	memset(out, 0, JK_RECORD_SIZE);
	memcpy(out, magic, sizeof magic);
	out[4] = type;
	memcpy(out + JK_RECORD_HEAD, data, count);
	out[JK_RECORD_SIZE - 1] = record_sum(out);
	return JK_RECORD_SIZE + rtu_build_acknowledge(unit, RTU_WRITE, trigger, 1,
						      out + JK_RECORD_SIZE, JK_ACK_SIZE);
}

/* Whether a good acknowledge of any trigger lies here. */
static bool is_acknowledge(const uint8_t *bytes, size_t count)
{
	return count >= JK_ACK_SIZE && bytes[1] == RTU_WRITE && is_trigger(get_u16be(bytes + 2)) &&
	       rtu_is_sealed(bytes, JK_ACK_SIZE);
}

/* The acknowledge within the window after a record, or NULL. */
static const uint8_t *acknowledge_after(const uint8_t *bytes, size_t count)
{
	for (size_t at = 0; at + JK_ACK_SIZE <= count && at + JK_ACK_SIZE <= JK_ACK_WINDOW; at++)
		if (is_acknowledge(bytes + at, count - at))
			return bytes + at;
	return NULL;
}

/* The offset of the next place that begins like a record, `count` when there is none. */
static size_t find_magic(const uint8_t *bytes, size_t count, size_t at)
{
	for (; at < count; at++) {
		size_t left = count - at < sizeof magic ? count - at : sizeof magic;

		if (memcmp(bytes + at, magic, left) == 0)
			break;
	}
	return at;
}

/* What the bytes before a record say: our own trigger may be heard once, as an echo; any other one
 * is another master's. An exception of our unit ends the wait. */
static int judge_before(const uint8_t *bytes, size_t count, const struct jk_question *question)
{
	uint8_t own[JK_TRIGGER_SIZE];
	bool echoed = false;

	if (count == 0)
		return 0; /* the usual case */
	jk_build_trigger(question->unit, question->trigger, own, sizeof own);
	for (size_t at = 0; at + 5 <= count; at++) {
		const uint8_t *here = bytes + at;

		if (here[0] == question->unit && here[1] == (RTU_WRITE | RTU_REFUSED) &&
		    rtu_is_sealed(here, 5))
			return here[2] == RTU_ILLEGAL_FUNCTION ? ERR_UNSUPPORTED : ERR_RANGE;
		if (count - at < JK_TRIGGER_SIZE || here[1] != RTU_WRITE ||
		    !is_trigger(get_u16be(here + 2)) || !rtu_is_sealed(here, JK_TRIGGER_SIZE))
			continue;
		if (echoed || memcmp(here, own, sizeof own) != 0)
			return ERR_FOREIGN;
		echoed = true;
		at += JK_TRIGGER_SIZE - 1;
	}
	return 0;
}

/* Whether an acknowledge lies anywhere in the bytes: then what came before it was a whole answer,
 * however damaged. */
static bool has_acknowledge(const uint8_t *bytes, size_t count)
{
	for (size_t at = 0; at + JK_ACK_SIZE <= count; at++)
		if (is_acknowledge(bytes + at, count - at))
			return true;
	return false;
}

/* Who signed the good record at the beginning of the bytes: the bytes used, or why it is not
 * accepted. */
static int judge_signature(const uint8_t *bytes, size_t count, const struct jk_question *question)
{
	const uint8_t *after = bytes + JK_RECORD_SIZE;
	size_t left = count - JK_RECORD_SIZE;
	const uint8_t *acknowledge = acknowledge_after(after, left);
	const bool is_address = get_u32le(bytes + JK_ADDRESS_AT) == question->unit;

	if (acknowledge) {
		if (acknowledge[0] == 0 && question->unit != 0)
			return ERR_FOREIGN; /* a master announces itself to its slaves */
		if (acknowledge[0] != question->unit)
			return ERR_NOT_MINE;
		if (get_u16be(acknowledge + 2) != question->trigger)
			return ERR_FOREIGN;
		if (question->type == JK_TYPE_SETTINGS && !is_address)
			return ERR_NOT_MINE; /* overlapping answers of two packs */
		return (int)(acknowledge - bytes) + JK_ACK_SIZE;
	}
	if (left < JK_ACK_WINDOW && !question->final)
		return ERR_INCOMPLETE;
	if (question->alone || (question->type == JK_TYPE_SETTINGS && is_address))
		return JK_RECORD_SIZE;
	return ERR_UNKNOWN;
}

int jk_find_answer(const uint8_t *bytes, size_t count, const struct jk_question *question,
		   const uint8_t **record)
{
	size_t at = find_magic(bytes, count, 0);
	int result = judge_before(bytes, at, question);

	if (result)
		return result;
	for (; at < count; at = find_magic(bytes, count, at + 1)) {
		if (count - at < JK_RECORD_SIZE) {
			bool cut = question->final || has_acknowledge(bytes + at, count - at);

			return cut ? ERR_CHECKSUM : ERR_INCOMPLETE;
		}
		if (!is_good_record(bytes + at)) {
			result = ERR_CHECKSUM; /* unless the true beginning is further on */
			continue;
		}
		if (bytes[at + 4] != question->type)
			return ERR_FOREIGN;
		result = judge_signature(bytes + at, count - at, question);
		if (result <= 0)
			return result;
		*record = bytes + at;
		return (int)at + result;
	}
	return result ? result : ERR_INCOMPLETE;
}

int jk_scan(const uint8_t *bytes, size_t count, size_t *start)
{
	int result = 0;

	for (size_t at = find_magic(bytes, count, 0); at < count;
	     at = find_magic(bytes, count, at + 1)) {
		if (count - at >= JK_RECORD_SIZE && is_good_record(bytes + at)) {
			const uint8_t *after = bytes + at + JK_RECORD_SIZE;
			size_t left = count - at - JK_RECORD_SIZE;
			const uint8_t *acknowledge = acknowledge_after(after, left);

			*start = at;
			if (acknowledge)
				return (int)(acknowledge - (bytes + at)) + JK_ACK_SIZE;
			return left >= JK_ACK_WINDOW ? JK_RECORD_SIZE : ERR_INCOMPLETE;
		}
		if (result)
			continue;
		*start = at;
		result = count - at < JK_RECORD_SIZE ? ERR_INCOMPLETE : ERR_CHECKSUM;
	}
	return result;
}

int jk_read(const uint8_t *frame, size_t count, int *signer)
{
	if (count < JK_RECORD_SIZE || memcmp(frame, magic, sizeof magic) != 0)
		return ERR_FORMAT;
	if (!is_good_record(frame))
		return ERR_CHECKSUM;

	const uint8_t *acknowledge =
		acknowledge_after(frame + JK_RECORD_SIZE, count - JK_RECORD_SIZE);

	*signer = acknowledge ? acknowledge[0] : -1;
	return frame[4];
}
