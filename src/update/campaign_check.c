// SPDX-License-Identifier: Apache-2.0
/* What a pack's words mean for an update. Registers: docs/protocols/pack/onepack.md and
 * docs/firmware/update.md. */
#include <string.h>

#include "campaign_private.h"
#include "wire/bytes.h"

#define IDENTITY_MAGIC 0x504B
#define LOADER         2 /* image state */
#define STATE_LOADER   10
#define UNKNOWN        0xFFFF
#define SOC_LOW_CPCT   1000
#define SOC_HIGH_CPCT  9500
#define CELL_LOW_MV    1000
#define CELL_HIGH_MV   4600

static uint16_t word(const uint8_t *words, size_t index)
{
	return get_u16be(words + 2 * index);
}

static uint32_t two_words(const uint8_t *words, size_t index)
{
	return (uint32_t)word(words, index) << 16 | word(words, index + 1);
}

/* Registers 0000..0033. */
enum update_error update_take_identity(struct update_pack *pack, const uint8_t *words)
{
	if (word(words, 0) != IDENTITY_MAGIC)
		return UPDATE_NOT_OURS;
	pack->device_class = word(words, 0x02);
	pack->uid32 = two_words(words, 0x0A);
	pack->hardware = word(words, 0x1C);
	pack->loader = word(words, 0x1F);
	pack->in_loader = word(words, 0x33) == LOADER;
	return UPDATE_FINE;
}

/* Registers 0100..0117. Before the start the charge must leave room; on trial the pack must
 * measure. */
enum update_error update_condition(const uint8_t *words, bool before)
{
	const uint16_t state = word(words, 1), soc_cpct = word(words, 0x0E);

	if (state == STATE_LOADER)
		return before ? UPDATE_FINE : UPDATE_REVERTED;
	if (two_words(words, 4) != 0 || two_words(words, 6) != 0)
		return before ? UPDATE_PROTECTED : UPDATE_SICK;
	if (before && soc_cpct != UNKNOWN && (soc_cpct < SOC_LOW_CPCT || soc_cpct > SOC_HIGH_CPCT))
		return UPDATE_CHARGE;
	if (!before && (word(words, 0x15) < CELL_LOW_MV || word(words, 0x14) > CELL_HIGH_MV))
		return UPDATE_SICK;
	return UPDATE_FINE;
}

/* The release's image that a pack runs, by the first 8 bytes of its hash; NULL = another one. */
const struct image *update_running_image(const struct update_job *job,
					 const struct update_pack *pack, const uint8_t *hash)
{
	if (pack->in_loader)
		return NULL;
	for (int i = 0; i < job->release->count; i++) {
		const struct image *image = &job->release->images[i];

		if (image->facts.device_class == pack->device_class &&
		    memcmp(image->hash, hash, 8) == 0)
			return image;
	}
	return NULL;
}

static bool is_older(const struct image_version *a, const struct image_version *b)
{
	if (a->major != b->major)
		return a->major < b->major;
	if (a->minor != b->minor)
		return a->minor < b->minor;
	if (a->revision != b->revision)
		return a->revision < b->revision;
	return a->build < b->build;
}

/* Registers 3020..3033. */
enum update_error update_choose_image(const struct update_job *job, struct update_pack *pack,
				      const uint8_t *words)
{
	const struct image_version runs = {words[0], words[1], word(words, 1), two_words(words, 2)};
	const struct image *image =
		release_find(job->release, pack->device_class, two_words(words, 0x12));

	if (pack->progress == UPDATE_WAITS)
		pack->from = runs;
	if (!image)
		return UPDATE_NO_IMAGE;
	pack->image = image;
	if (pack->hardware < image->facts.hardware_min ||
	    pack->hardware > image->facts.hardware_max || pack->loader < image->facts.loader_min ||
	    image->facts.security_counter < two_words(words, 0x10))
		return UPDATE_MISFIT;
	if (!pack->in_loader && !job->options.allow_older && is_older(&image->facts.version, &runs))
		return UPDATE_OLDER;
	return UPDATE_FINE;
}
