// SPDX-License-Identifier: Apache-2.0
/* A pack as far as updates go: a flash that can be cut, the loader's decision, the update server of
 * the image that runs. And images for it, signed by a key that is made for the test. */
#pragma once

#include "boot/decide.h"
#include "core/update.h"
#include "image.h"
#include "torn_flash.h"

#define RIG_CLASS     0x0105
#define RIG_HARDWARE  3
#define RIG_LOADER    2
#define RIG_ADDRESS_A 0x08008000U
#define RIG_ADDRESS_B 0x08018000U
#define RIG_IMAGE_MAX 65536
#define RIG_UID       0x12345678U

struct rig_image {
	uint8_t bytes[RIG_IMAGE_MAX];
	uint32_t size;
	struct image view;
};

struct rig_maker {
	uint8_t secret[IMAGE_SECRET_SIZE];
	uint8_t key[1][IMAGE_KEY_SIZE];
};

struct rig {
	struct torn_flash torn;
	const struct rig_maker *maker;
	struct fw_update update;
	int running; /* slot; -1 = loader */
	struct fw_boot_choice choice;
	uint64_t now_ms;
	int boots;
};

void rig_make_maker(struct rig_maker *maker);

/* An image that fits the rig; change facts with rig_sign. The code depends on the version, and a
 * good part of it is 0xFF. */
struct image_facts rig_facts(int slot, uint8_t minor);
void rig_sign(struct rig_image *image, const struct image_facts *facts, uint32_t code_size,
	      const struct rig_maker *maker);

/* A pack that runs `first` in slot A, started by its loader. */
void rig_init(struct rig *rig, const struct rig_maker *maker, const struct rig_image *first,
	      uint32_t program_unit, uint32_t seed);
struct fw_update_config rig_config(struct rig *rig, int running);

/* The restart of a processor: power comes back, the loader decides, the update server starts. */
void rig_boot(struct rig *rig, enum fw_boot_reason reason);

/* A second of background work, or until there is none. */
void rig_work(struct rig *rig);

/* Registers, as the application's map would reach them: with an installer's authorization. */
uint16_t rig_word(const struct rig *rig, uint16_t reg);
uint32_t rig_long(const struct rig *rig, uint16_t reg);
int rig_command(struct rig *rig, uint16_t command);
void rig_offer(struct rig *rig, const struct rig_image *image, uint16_t flags);
int rig_chunk(struct rig *rig, const struct rig_image *image, uint32_t chunk, bool broadcast);
bool rig_has(const struct rig *rig, uint32_t chunk);
/* Prepares, sends every chunk, verifies; the phase. */
int rig_load(struct rig *rig, const struct rig_image *image);

/* A gateway that does not give up: the next step towards `release` (its images for A and B), also
 * over restarts and power cuts. Returns true when it runs and is confirmed. */
bool rig_step(struct rig *rig, const struct rig_image release[2]);
