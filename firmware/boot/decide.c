// SPDX-License-Identifier: Apache-2.0
/* The decision, see decide.h. The state in flash is changed before the image is started that it
 * speaks of, never after. */
#include "decide.h"

#include <string.h>

struct decision {
	const struct fw_flash *flash;
	struct fw_image_target *target;
	void (*alive)(void);
	struct fw_image_check *work;
	struct fw_boot_state state;
	struct fw_boot_choice choice;
};

static bool is_good(struct decision *d, int slot)
{
	const enum fw_area area = slot == 0 ? FW_AREA_SLOT_A : FW_AREA_SLOT_B;

	d->choice.bad[slot] = fw_image_check(d->work, d->flash, d->target, area, d->alive);
	return d->choice.bad[slot] == FW_GOOD;
}

static void use_state(struct decision *d)
{
	static const uint8_t nothing[8];

	d->target->security_counter = d->state.security_counter;
	d->target->exempt =
		memcmp(d->state.exempt, nothing, sizeof nothing) == 0 ? NULL : d->state.exempt;
}

/* The image that was checked last. */
static void choose(struct decision *d, int slot)
{
	d->choice.slot = slot;
	d->choice.vectors = d->work->image.load_address + d->work->image.header_size;
}

/* Takes a good image for good. A state that cannot be written does not keep it from starting. */
static void settle(struct decision *d, int slot, enum fw_boot_event event)
{
	d->state.active = (uint8_t)slot;
	d->state.trial = false;
	d->state.event = (uint8_t)event;
	(void)fw_boot_state_save(d->flash, &d->state);
	choose(d, slot);
}

static bool newer(const struct fw_image *a, const struct fw_image *b)
{
	const uint64_t va = (uint64_t)a->version.major << 56 | (uint64_t)a->version.minor << 48 |
			    (uint64_t)a->version.revision << 32 | a->version.build;
	const uint64_t vb = (uint64_t)b->version.major << 56 | (uint64_t)b->version.minor << 48 |
			    (uint64_t)b->version.revision << 32 | b->version.build;

	if (a->security_counter != b->security_counter)
		return a->security_counter > b->security_counter;
	return va > vb;
}

/* First start after production, or both copies of the state are lost. */
static void start_newest(struct decision *d)
{
	struct fw_image first;
	const bool good = is_good(d, 0);

	if (good)
		first = d->work->image;
	if (is_good(d, 1) && (!good || newer(&d->work->image, &first))) {
		d->state.security_counter = d->work->image.security_counter;
		settle(d, 1, FW_BOOTED_STATE_LOST);
	} else if (good) {
		d->work->image = first;
		d->state.security_counter = first.security_counter;
		settle(d, 0, FW_BOOTED_STATE_LOST);
	}
}

static void start_confirmed(struct decision *d, enum fw_boot_reason reason)
{
	const int active = d->state.active, other = 1 - active;

	if (is_good(d, active)) {
		choose(d, active);
		d->choice.listen_ms = reason == FW_BOOT_WATCHDOG ? FW_BOOT_LISTEN_MS : 0;
	} else if (is_good(d, other)) {
		d->state.job = FW_JOB_NONE;
		settle(d, other, FW_BOOTED_FALLBACK);
		d->choice.listen_ms = FW_BOOT_LISTEN_MS;
	}
}

/* FW_BOOTED_NONE = the trial goes on. */
static enum fw_boot_event why_revert(struct decision *d, enum fw_boot_reason reason)
{
	if (reason == FW_BOOT_WATCHDOG && d->state.boots_left < FW_TRIAL_BOOTS)
		return FW_BOOTED_REVERTED_WATCHDOG;
	if (d->state.boots_left == 0)
		return FW_BOOTED_REVERTED_BOOTS;
	return is_good(d, d->state.active) ? FW_BOOTED_NONE : FW_BOOTED_REVERTED_IMAGE;
}

static void start_trial(struct decision *d, enum fw_boot_reason reason)
{
	const int active = d->state.active;
	const enum fw_boot_event revert = why_revert(d, reason);

	if (revert == FW_BOOTED_NONE) {
		d->state.boots_left--;
		(void)fw_boot_state_save(d->flash, &d->state);
		choose(d, active);
		return;
	}
	if (is_good(d, 1 - active)) {
		settle(d, 1 - active, revert);
		return;
	}
	/* nothing to go back to: better a doubtful image than none, but listen first */
	if (revert != FW_BOOTED_REVERTED_IMAGE && is_good(d, active)) {
		choose(d, active);
		d->choice.listen_ms = FW_BOOT_LISTEN_MS;
	}
}

struct fw_boot_choice fw_boot_decide(const struct fw_flash *flash, struct fw_image_target *target,
				     enum fw_boot_reason reason, bool held, void (*alive)(void),
				     struct fw_image_check *work)
{
	struct decision d = {.flash = flash,
			     .target = target,
			     .alive = alive,
			     .work = work,
			     .choice = {.slot = -1}};
	const bool known = fw_boot_state_load(flash, &d.state);

	if (held)
		return d.choice;
	use_state(&d);
	if (d.state.loader_version != target->loader_version) {
		d.state.loader_version = target->loader_version;
		if (known)
			(void)fw_boot_state_save(flash, &d.state);
	}
	if (!known)
		start_newest(&d);
	else if (d.state.trial)
		start_trial(&d, reason);
	else
		start_confirmed(&d, reason);
	target->exempt = NULL; /* it pointed into what ends here */
	return d.choice;
}
