// SPDX-License-Identifier: Apache-2.0
/* What is said to a pack in each phase: one request. */
#include <string.h>

#include "campaign_private.h"
#include "wire/bytes.h"
#include "wire/rtu.h"

#define EVERYBODY 0 /* as a unit */

enum command { PREPARE = 1, VERIFY, ACTIVATE, CONFIRM, ABORT, REVERT };

static void ask_read(struct update_job *job, uint16_t start, uint16_t words)
{
	job->length = (size_t)rtu_build_read(update_current(job)->unit, RTU_READ_HOLDING, start,
					     words, job->frame, sizeof job->frame);
	job->answer_bytes = 5U + 2U * words;
}

static void ask_write(struct update_job *job, uint8_t unit, uint16_t start, const uint8_t *data,
		      uint16_t words)
{
	job->length =
		(size_t)rtu_build_write(unit, start, data, words, job->frame, sizeof job->frame);
	job->answer_bytes = 8;
}

static void ask_command(struct update_job *job, enum command command)
{
	uint8_t data[2];

	put_u16be(data, (uint16_t)command);
	ask_write(job, update_current(job)->unit, 0x3000, data, 1);
}

static void put_u32be(uint8_t *p, uint32_t value)
{
	put_u16be(p, (uint16_t)(value >> 16));
	put_u16be(p + 2, (uint16_t)value);
}

static void ask_offer_size(struct update_job *job)
{
	uint8_t data[6];

	put_u16be(data, job->options.broadcast);
	put_u32be(data + 2, (uint32_t)update_current(job)->image->size);
	ask_write(job, update_current(job)->unit, 0x3001, data, 3);
}

/* Hash, version, class. */
static void ask_offer_hash(struct update_job *job)
{
	const struct image *image = update_current(job)->image;
	uint8_t data[42];

	memcpy(data, image->hash, 32);
	data[32] = image->facts.version.major;
	data[33] = image->facts.version.minor;
	put_u16be(data + 34, image->facts.version.revision);
	put_u32be(data + 36, image->facts.version.build);
	put_u16be(data + 40, image->facts.device_class);
	ask_write(job, update_current(job)->unit, 0x300A, data, 21);
}

static void ask_offer_limits(struct update_job *job)
{
	const struct image_facts *facts = &update_current(job)->image->facts;
	uint8_t data[10];

	put_u32be(data, facts->security_counter);
	put_u16be(data + 4, facts->hardware_min);
	put_u16be(data + 6, facts->hardware_max);
	put_u16be(data + 8, facts->loader_min);
	ask_write(job, update_current(job)->unit, 0x3034, data, 5);
}

static uint32_t chunk_count(const struct image *image)
{
	return (uint32_t)((image->size + UPDATE_CHUNK - 1) / UPDATE_CHUNK);
}

/* The next chunk that a bitmap lacks, from job->chunk on; false when there is none. */
bool update_find_missing(struct update_job *job, const struct image *image, const uint8_t *bitmap)
{
	const uint32_t count = chunk_count(image);

	while (job->chunk < count && (bitmap[job->chunk / 8] & 1U << job->chunk % 8) != 0)
		job->chunk++;
	return job->chunk < count;
}

static void ask_chunk(struct update_job *job, uint8_t unit, const struct image *image)
{
	const size_t at = (size_t)job->chunk * UPDATE_CHUNK, left = image->size - at;
	const size_t size = left < UPDATE_CHUNK ? left : UPDATE_CHUNK;
	uint8_t data[4 + UPDATE_CHUNK] = {0};

	put_u32be(data, (uint32_t)at);
	memcpy(data + 4, image->bytes + at, size);
	ask_write(job, unit, 0x3080, data, (uint16_t)(2 + (size + 1) / 2));
}

bool update_shout(struct update_job *job)
{
	if (!update_find_missing(job, job->group, job->group_bitmap))
		return false;
	ask_chunk(job, EVERYBODY, job->group);
	job->chunk++;
	return true;
}

void update_ask(struct update_job *job)
{
	switch ((enum phase)job->phase) {
	case PHASE_IDENTIFY:
	case PHASE_RESTART: ask_read(job, 0x0000, 0x34); break;
	case PHASE_LOOK:
	case PHASE_RUNNING:
	case PHASE_CONFIRMED: ask_read(job, 0x3004, 0x30); break;
	case PHASE_CONDITION:
	case PHASE_WATCH: ask_read(job, 0x0100, 0x18); break;
	case PHASE_NONCE: ask_read(job, 0x0806, 2); break;
	case PHASE_RESPOND:
		ask_write(job, update_current(job)->unit, 0x0808, job->response, 5);
		break;
	case PHASE_OFFER_SIZE: ask_offer_size(job); break;
	case PHASE_OFFER_HASH: ask_offer_hash(job); break;
	case PHASE_OFFER_LIMITS: ask_offer_limits(job); break;
	case PHASE_PREPARE: ask_command(job, PREPARE); break;
	case PHASE_ERASING:
	case PHASE_VERIFYING:
	case PHASE_WHY: ask_read(job, 0x3004, 6); break;
	case PHASE_BITMAP: ask_read(job, 0x3040, UPDATE_CHUNKS / 16); break;
	case PHASE_SEND:
		ask_chunk(job, update_current(job)->unit, update_current(job)->image);
		break;
	case PHASE_VERIFY: ask_command(job, VERIFY); break;
	case PHASE_SETTINGS_1:
	case PHASE_WATCH_SETTINGS_1: ask_read(job, 0x0200, SETTINGS_FIRST); break;
	case PHASE_SETTINGS_2:
	case PHASE_WATCH_SETTINGS_2:
		ask_read(job, 0x0200 + SETTINGS_FIRST, UPDATE_SETTINGS - SETTINGS_FIRST);
		break;
	case PHASE_LEAVING: break;
	case PHASE_ACTIVATE: ask_command(job, ACTIVATE); break;
	case PHASE_CONFIRM: ask_command(job, CONFIRM); break;
	case PHASE_REVERT: ask_command(job, REVERT); break;
	}
}
