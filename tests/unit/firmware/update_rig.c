// SPDX-License-Identifier: Apache-2.0
/* See update_rig.h. */
#include "update_rig.h"

#include <sodium.h>
#include <string.h>

#include "../cmocka_all.h"

#define PAGE_SIZE  1024
#define SLOT_PAGES 16

static const uint8_t unlock_key[32] = "a key that this board has inside";

void rig_make_maker(struct rig_maker *maker)
{
	assert_true(sodium_init() >= 0);
	crypto_sign_keypair(maker->key[0], maker->secret);
}

struct image_facts rig_facts(int slot, uint8_t minor)
{
	return (struct image_facts){
		.load_address = slot == 0 ? RIG_ADDRESS_A : RIG_ADDRESS_B,
		.version = {.major = 1, .minor = minor, .revision = 7, .build = 0x00020003},
		.security_counter = minor,
		.device_class = RIG_CLASS,
		.hardware_min = 2,
		.hardware_max = 4,
		.loader_min = 1,
		.parameter_layout = 1,
	};
}

void rig_sign(struct rig_image *image, const struct image_facts *facts, uint32_t code_size,
	      const struct rig_maker *maker)
{
	static uint8_t code[RIG_IMAGE_MAX];
	uint32_t random = facts->version.minor * 77U + facts->load_address;

	for (uint32_t i = 0; i < code_size; i++) {
		random = random * 1664525U + 1013904223U;
		code[i] = i % 1500 < 700 ? 0xff : (uint8_t)(random >> 16);
	}
	const int size = image_make(facts, code, code_size, maker->secret, image->bytes,
				    sizeof image->bytes);

	assert_true(size > 0);
	image->size = (uint32_t)size;
	assert_int_equal(image_read(image->bytes, image->size, &image->view), size);
}

struct fw_update_config rig_config(struct rig *rig, int running)
{
	return (struct fw_update_config){
		.flash = &rig->torn.flash,
		.target = {.device_class = RIG_CLASS,
			   .hardware_revision = RIG_HARDWARE,
			   .loader_version = RIG_LOADER,
			   .slot_address = {RIG_ADDRESS_A, RIG_ADDRESS_B},
			   .keys = rig->maker->key,
			   .key_count = 1},
		.running = running,
		.unlock_key = unlock_key,
		.uid32 = RIG_UID,
	};
}

void rig_boot(struct rig *rig, enum fw_boot_reason reason)
{
	struct fw_update_config config = rig_config(rig, -1);
	struct fw_image_check work;

	torn_power_on(&rig->torn);
	rig->choice = fw_boot_decide(&rig->torn.flash, &config.target, reason, false, NULL, &work);
	rig->running = rig->choice.slot;
	rig->boots++;
	config = rig_config(rig, rig->running);
	fw_update_init(&rig->update, &config, rig->now_ms);
}

void rig_init(struct rig *rig, const struct rig_maker *maker, const struct rig_image *first,
	      uint32_t program_unit, uint32_t seed)
{
	torn_init(&rig->torn, PAGE_SIZE, SLOT_PAGES, program_unit, seed);
	rig->maker = maker;
	rig->now_ms = 1000;
	rig->boots = 0;
	if (first)
		torn_put(&rig->torn, FW_AREA_SLOT_A, 0, first->bytes, first->size);
	rig_boot(rig, FW_BOOT_POWER);
}

void rig_work(struct rig *rig)
{
	const struct fw_update_pack pack = {.soc_cpct = 5000, .address = 5};

	for (int i = 0; i < 1000; i++) {
		rig->now_ms++;
		if (!fw_update_tick(&rig->update, &pack, rig->now_ms))
			break;
	}
}

uint16_t rig_word(const struct rig *rig, uint16_t reg)
{
	uint16_t word;

	fw_update_read(&rig->update, reg, 1, &word);
	return word;
}

uint32_t rig_long(const struct rig *rig, uint16_t reg)
{
	return (uint32_t)rig_word(rig, reg) << 16 | rig_word(rig, (uint16_t)(reg + 1));
}

static int write_words(struct rig *rig, uint16_t start, uint16_t count, const uint16_t *words)
{
	return fw_update_write(&rig->update, start, count, words, FW_UPDATE_LEVEL, false);
}

int rig_command(struct rig *rig, uint16_t command)
{
	return write_words(rig, 0x3000, 1, &command);
}

void rig_offer(struct rig *rig, const struct rig_image *image, uint16_t flags)
{
	const struct image_facts *facts = &image->view.facts;
	const struct image_version *v = &facts->version;
	uint16_t words[21] = {0};
	const uint16_t size[2] = {(uint16_t)(image->size >> 16), (uint16_t)image->size};
	const uint16_t limits[5] = {(uint16_t)(facts->security_counter >> 16),
				    (uint16_t)facts->security_counter, facts->hardware_min,
				    facts->hardware_max, facts->loader_min};

	for (int i = 0; i < 16; i++)
		words[i] = (uint16_t)(image->view.hash[2 * i] << 8 | image->view.hash[2 * i + 1]);
	words[16] = (uint16_t)(v->major << 8 | v->minor);
	words[17] = v->revision;
	words[18] = (uint16_t)(v->build >> 16);
	words[19] = (uint16_t)v->build;
	words[20] = facts->device_class;
	assert_int_equal(write_words(rig, 0x3001, 1, &flags), 0);
	assert_int_equal(write_words(rig, 0x3002, 2, size), 0);
	assert_int_equal(write_words(rig, 0x300A, 21, words), 0);
	assert_int_equal(write_words(rig, 0x3034, 5, limits), 0);
}

int rig_chunk(struct rig *rig, const struct rig_image *image, uint32_t chunk, bool broadcast)
{
	const uint32_t at = chunk * FW_CHUNK;
	const uint32_t left = image->size - at, size = left < FW_CHUNK ? left : FW_CHUNK;
	uint16_t words[2 + FW_CHUNK / 2] = {(uint16_t)(at >> 16), (uint16_t)at};
	const uint16_t count = (uint16_t)(2 + (size + 1) / 2);

	for (uint32_t i = 0; i < size; i++)
		words[2 + i / 2] |= (uint16_t)(image->bytes[at + i] << (i % 2 == 0 ? 8 : 0));
	return fw_update_write(&rig->update, 0x3080, count, words, 0, broadcast);
}

bool rig_has(const struct rig *rig, uint32_t chunk)
{
	return (rig_word(rig, (uint16_t)(0x3040 + chunk / 16)) >> chunk % 16 & 1) != 0;
}

int rig_load(struct rig *rig, const struct rig_image *image)
{
	rig_offer(rig, image, 0);
	if (rig_command(rig, FW_UPDATE_PREPARE) != 0)
		return rig_word(rig, 0x3006);
	rig_work(rig);
	for (uint32_t chunk = 0; chunk * FW_CHUNK < image->size; chunk++)
		assert_int_equal(rig_chunk(rig, image, chunk, false), 0);
	rig_work(rig);
	assert_int_equal(rig_command(rig, FW_UPDATE_VERIFY), 0);
	rig_work(rig);
	return rig_word(rig, 0x3006);
}

static void send_missing(struct rig *rig, const struct rig_image *image)
{
	for (uint32_t chunk = 0; chunk * FW_CHUNK < image->size; chunk++)
		if (!rig_has(rig, chunk)) {
			(void)rig_chunk(rig, image, chunk, false);
			return;
		}
}

static bool runs(const struct rig *rig, const struct rig_image release[2])
{
	return rig->running >= 0 && rig->update.has_image[rig->running] &&
	       memcmp(rig->update.image[rig->running].hash, release[rig->running].view.hash, 32) ==
		       0;
}

bool rig_step(struct rig *rig, const struct rig_image release[2])
{
	const struct rig_image *image;

	if (rig->torn.dead || rig->update.restart) {
		rig_boot(rig, rig->torn.dead ? FW_BOOT_POWER : FW_BOOT_COMMAND);
		return false;
	}
	rig_work(rig);
	image = &release[rig_long(rig, 0x3032) == RIG_ADDRESS_B];
	switch (rig_word(rig, 0x3006)) {
	case FW_PHASE_IDLE:
	case FW_PHASE_FAILED:
		if (runs(rig, release))
			return !rig->torn.dead;
		rig_offer(rig, image, 0);
		(void)rig_command(rig, FW_UPDATE_PREPARE);
		break;
	case FW_PHASE_READY:
	case FW_PHASE_RECEIVING: send_missing(rig, image); break;
	case FW_PHASE_COMPLETE: (void)rig_command(rig, FW_UPDATE_VERIFY); break;
	case FW_PHASE_VERIFIED: (void)rig_command(rig, FW_UPDATE_ACTIVATE); break;
	case FW_PHASE_TRIAL: (void)rig_command(rig, FW_UPDATE_CONFIRM); break;
	default: break;
	}
	return false;
}
