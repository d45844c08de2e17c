// SPDX-License-Identifier: Apache-2.0
/* The commands of an update and its background work. What must survive a power cut is in the boot
 * state before it takes effect, so that a cut leaves either the old plan or the new one. */
#include "update.h"

#include <string.h>

#include "../crypto/equal.h"
#include "../crypto/hmac.h"
#include "bytes.h"
#include "modbus.h"
#include "update_private.h"

#define SOC_MIN_CPCT 500

static const uint8_t nothing[8];

int fw_update_refuse(struct fw_update *update, enum fw_bad bad)
{
	update->bad = bad;
	return bad == FW_BAD_LEVEL ? FW_LOCKED : FW_FAILURE;
}

static bool save(struct fw_update *update)
{
	if (!fw_boot_state_save(update->config.flash, &update->state)) {
		update->bad = FW_BAD_FLASH;
		return false;
	}
	return true;
}

/* Changes the state in flash, or not at all. */
static int save_or_restore(struct fw_update *update, const struct fw_boot_state *before)
{
	if (save(update))
		return 0;
	update->state = *before;
	return FW_FAILURE;
}

static const struct fw_image_target *target(struct fw_update *update)
{
	struct fw_image_target *t = &update->config.target;

	t->security_counter = update->state.security_counter;
	t->exempt = memcmp(update->state.exempt, nothing, sizeof nothing) == 0
			    ? NULL
			    : update->state.exempt;
	return t;
}

static void look_at_images(struct fw_update *update)
{
	for (int slot = 0; slot < 2; slot++)
		update->has_image[slot] = fw_image_read(update->config.flash,
							slot == 0 ? FW_AREA_SLOT_A : FW_AREA_SLOT_B,
							&update->image[slot]) == FW_GOOD;
}

void fw_update_init(struct fw_update *update, const struct fw_update_config *config,
		    uint64_t now_ms)
{
	const bool loader = config->running < 0;

	memset(update, 0, sizeof *update);
	update->config = *config;
	update->now_ms = now_ms;
	update->pack.soc_cpct = -1;
	(void)fw_boot_state_load(config->flash, &update->state);
	if (!loader)
		update->config.target.loader_version = update->state.loader_version;
	if (!loader && update->state.active != config->running) {
		/* started without a loader */
		update->state.active = (uint8_t)config->running;
		update->state.trial = false;
	}
	/* never over an image that may be needed: in the loader the one on trial goes first */
	update->slot = loader && update->state.trial ? update->state.active
						     : (uint8_t)(1 - update->state.active);
	look_at_images(update);
	if (!loader && update->state.trial) {
		update->phase = FW_PHASE_TRIAL;
		update->trial_end_ms = now_ms + FW_TRIAL_MS;
	} else if (update->state.job == FW_JOB_RECEIVING) {
		fw_update_take_up(update);
	} else if (update->state.job == FW_JOB_ERASING) {
		update->phase = FW_PHASE_ERASING;
		update->pages = update->config.flash->page_count[fw_update_area(update)];
	}
}

int fw_update_image_state(const struct fw_update *update)
{
	if (update->config.running < 0)
		return 2;
	return update->phase == FW_PHASE_TRIAL;
}

enum fw_boot_event fw_update_take_event(struct fw_update *update)
{
	const enum fw_boot_event event = (enum fw_boot_event)update->state.event;

	if (event == FW_BOOTED_NONE)
		return event;
	update->state.event = FW_BOOTED_NONE;
	(void)save(update);
	return event;
}

/* --- commands --- */

/* A key that production did not write is one that everybody has. */
static bool has_unlock_key(const struct fw_update *update)
{
	const uint8_t *key = update->config.unlock_key;
	int same = 1;

	if (!key || (key[0] != 0x00 && key[0] != 0xff))
		return key != NULL;
	while (same < FW_UPDATE_UNLOCK_KEY && key[same] == key[0])
		same++;
	return same < FW_UPDATE_UNLOCK_KEY;
}

/* The code for an image that does not fit: 64 bits of HMAC(key, uid, nonce, hash). The nonce is the
 * number of the boot state's copy, which moves when the code was used. */
static bool is_unlocked(const struct fw_update *update)
{
	uint8_t text[8 + FW_SHA256_SIZE], mac[FW_SHA256_SIZE];

	if (!has_unlock_key(update))
		return false;
	fw_put_u32be(text, update->config.uid32);
	fw_put_u32be(text + 4, update->state.sequence);
	memcpy(text + 8, update->offer.hash, FW_SHA256_SIZE);
	fw_hmac_sha256(update->config.unlock_key, FW_UPDATE_UNLOCK_KEY, text, sizeof text, mac);
	return fw_equal(mac, update->unlock, sizeof update->unlock);
}

static enum fw_bad offer_fits(struct fw_update *update)
{
	const struct fw_offer *offer = &update->offer;
	const struct fw_image_target *t = target(update);

	if (offer->loader_min > t->loader_version)
		return FW_BAD_LOADER;
	if (offer->size < FW_IMAGE_HEADER || offer->size > fw_update_size(update) ||
	    offer->size > FW_CHUNKS * FW_CHUNK)
		return FW_BAD_SIZE;
	if (is_unlocked(update))
		return FW_GOOD;
	if (memcmp(update->unlock, nothing, sizeof nothing) != 0)
		return FW_BAD_UNLOCK;
	if (offer->device_class != t->device_class)
		return FW_BAD_CLASS;
	if (t->hardware_revision < offer->hardware_min ||
	    t->hardware_revision > offer->hardware_max)
		return FW_BAD_HARDWARE;
	return offer->security_counter < t->security_counter ? FW_BAD_VERSION : FW_GOOD;
}

static bool is_same_job(const struct fw_update *update)
{
	const struct fw_offer *a = &update->offer, *b = &update->state.offer;

	return update->state.job != FW_JOB_NONE && update->phase != FW_PHASE_FAILED &&
	       a->size == b->size && memcmp(a->hash, b->hash, sizeof a->hash) == 0;
}

static int prepare(struct fw_update *update)
{
	const struct fw_boot_state before = update->state;
	const uint32_t page_size = update->config.flash->page_size[fw_update_area(update)];

	if (update->phase == FW_PHASE_TRIAL || update->phase == FW_PHASE_VERIFYING)
		return fw_update_refuse(update, FW_BAD_STATE);
	if (update->pack.refuse ||
	    (update->pack.soc_cpct >= 0 && update->pack.soc_cpct <= SOC_MIN_CPCT))
		return fw_update_refuse(update, FW_BAD_BATTERY);
	if (is_same_job(update)) {
		update->state.offer.flags = update->offer.flags;
		update->bad = FW_GOOD;
		return 0;
	}

	const enum fw_bad bad = offer_fits(update);

	if (bad != FW_GOOD)
		return fw_update_refuse(update, bad);
	update->state.offer = update->offer;
	update->state.job = FW_JOB_ERASING;
	update->state.address = update->pack.address;
	memcpy(update->state.exempt, is_unlocked(update) ? update->offer.hash : nothing,
	       sizeof update->state.exempt);
	memset(update->unlock, 0, sizeof update->unlock);
	if (save_or_restore(update, &before) != 0)
		return FW_FAILURE;
	update->has_image[update->slot] = false;
	update->page = 0;
	update->pages = (update->offer.size + page_size - 1) / page_size;
	update->in_between = false;
	update->phase = FW_PHASE_ERASING;
	update->bad = FW_GOOD;
	return 0;
}

static int verify(struct fw_update *update)
{
	if (update->phase == FW_PHASE_VERIFYING || update->phase == FW_PHASE_VERIFIED)
		return 0;
	if (update->phase != FW_PHASE_COMPLETE && update->phase != FW_PHASE_IDLE)
		return fw_update_refuse(update, FW_BAD_STATE);
	fw_image_check_start(&update->check, update->config.flash, target(update),
			     fw_update_area(update));
	update->phase = FW_PHASE_VERIFYING;
	update->bad = FW_GOOD;
	return 0;
}

static int activate(struct fw_update *update)
{
	const struct fw_boot_state before = update->state;

	/* once more, because the answer to the first was lost, perhaps by the restart */
	if (update->state.trial && (update->restart || update->phase == FW_PHASE_TRIAL))
		return 0;
	if (update->restart)
		return FW_BUSY; /* on its way back */
	if (update->phase != FW_PHASE_VERIFIED)
		return fw_update_refuse(update, FW_BAD_STATE);
	if (update->pack.refuse)
		return fw_update_refuse(update, FW_BAD_BATTERY);
	update->state.active = update->slot;
	update->state.trial = true;
	update->state.boots_left = FW_TRIAL_BOOTS;
	update->state.event = FW_BOOTED_ACTIVATED;
	update->state.address = update->pack.address;
	update->state.job = FW_JOB_NONE;
	if (save_or_restore(update, &before) != 0)
		return FW_FAILURE;
	update->restart = true;
	return 0;
}

/* An unlock code may have let an image with a lower counter in; from then on that one counts. */
static int confirm(struct fw_update *update)
{
	const struct fw_boot_state before = update->state;
	const struct fw_image *image = &update->image[update->state.active];

	if (update->config.running >= 0 && !update->state.trial)
		return 0;
	if (update->phase != FW_PHASE_TRIAL || update->restart)
		return fw_update_refuse(update, FW_BAD_STATE);

	const bool exempt = memcmp(image->hash, update->state.exempt, sizeof nothing) == 0;

	if (!exempt)
		memset(update->state.exempt, 0, sizeof update->state.exempt);
	if (exempt || image->security_counter > update->state.security_counter)
		update->state.security_counter = image->security_counter;
	update->state.trial = false;
	update->state.event = FW_BOOTED_CONFIRMED;
	if (save_or_restore(update, &before) != 0)
		return FW_FAILURE;
	update->phase = FW_PHASE_IDLE;
	return 0;
}

static int revert(struct fw_update *update, enum fw_boot_event event)
{
	const struct fw_boot_state before = update->state;

	if (update->restart)
		return update->state.trial ? FW_BUSY : 0;
	if (update->phase != FW_PHASE_TRIAL || !update->has_image[update->slot])
		return fw_update_refuse(update, FW_BAD_STATE);
	update->state.active = update->slot;
	update->state.trial = false;
	update->state.event = (uint8_t)event;
	if (save_or_restore(update, &before) != 0)
		return FW_FAILURE;
	update->restart = true;
	return 0;
}

static int abort_job(struct fw_update *update)
{
	const struct fw_boot_state before = update->state;

	if (update->phase == FW_PHASE_TRIAL || update->restart)
		return fw_update_refuse(update, FW_BAD_STATE);
	update->state.job = FW_JOB_NONE;
	if (before.job != FW_JOB_NONE && save_or_restore(update, &before) != 0)
		return FW_FAILURE;
	update->phase = FW_PHASE_IDLE;
	update->pages = 0;
	update->scan = update->chunks;
	update->bad = FW_GOOD;
	return 0;
}

static int erase_other(struct fw_update *update)
{
	const int result = abort_job(update);

	if (result != 0)
		return result;
	update->has_image[update->slot] = false;
	update->page = 0;
	update->pages = update->config.flash->page_count[fw_update_area(update)];
	update->phase = FW_PHASE_ERASING;
	return 0;
}

int fw_update_command(struct fw_update *update, uint16_t command)
{
	if (update->restart && command != FW_UPDATE_ACTIVATE && command != FW_UPDATE_REVERT)
		return FW_BUSY;
	switch (command) {
	case FW_UPDATE_PREPARE: return prepare(update);
	case FW_UPDATE_VERIFY: return verify(update);
	case FW_UPDATE_ACTIVATE: return activate(update);
	case FW_UPDATE_CONFIRM: return confirm(update);
	case FW_UPDATE_ABORT: return abort_job(update);
	case FW_UPDATE_REVERT: return revert(update, FW_BOOTED_REVERTED_COMMAND);
	case FW_UPDATE_ERASE: return erase_other(update);
	default: return FW_ILLEGAL_VALUE;
	}
}

/* --- background --- */

static void end_erase(struct fw_update *update)
{
	if (update->state.job == FW_JOB_NONE) {
		update->phase = FW_PHASE_IDLE;
		return;
	}
	update->state.job = FW_JOB_RECEIVING;
	if (!save(update)) {
		update->state.job = FW_JOB_ERASING;
		update->phase = FW_PHASE_FAILED;
	} else if (update->in_between) {
		update->phase = FW_PHASE_RECEIVING;
	} else {
		fw_update_begin(update);
	}
	update->in_between = false;
}

static bool verify_step(struct fw_update *update)
{
	const int result = fw_image_check_step(&update->check);
	const bool job = update->state.job != FW_JOB_NONE;

	if (result == FW_CHECKING)
		return true;
	update->bad = (enum fw_bad)result;
	if (result == FW_GOOD && job &&
	    memcmp(update->check.image.hash, update->state.offer.hash, FW_SHA256_SIZE) != 0)
		update->bad = FW_BAD_HASH; /* an image, but not the promised one */
	update->phase = update->bad == FW_GOOD ? FW_PHASE_VERIFIED : FW_PHASE_FAILED;
	if (update->bad == FW_GOOD) {
		update->image[update->slot] = update->check.image;
		update->has_image[update->slot] = true;
	}
	return false;
}

bool fw_update_tick(struct fw_update *update, const struct fw_update_pack *pack, uint64_t now_ms)
{
	update->pack = *pack;
	update->now_ms = now_ms;
	switch (update->phase) {
	case FW_PHASE_TRIAL:
		if (now_ms >= update->trial_end_ms)
			(void)revert(update, FW_BOOTED_REVERTED_TIME);
		return false;
	case FW_PHASE_ERASING:
		if (fw_update_erase_step(update))
			return true;
		if (update->phase == FW_PHASE_ERASING)
			end_erase(update);
		return false;
	case FW_PHASE_VERIFYING: return verify_step(update);
	case FW_PHASE_READY:
	case FW_PHASE_RECEIVING:
	case FW_PHASE_COMPLETE:
	case FW_PHASE_VERIFIED: return fw_update_scan_step(update) || fw_update_crc_step(update);
	case FW_PHASE_IDLE:
	case FW_PHASE_FAILED: return false;
	}
	return false;
}
