// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a firmware image: the pack's reader and the gateway's must agree on what is one, and
 * on everything that it says of itself. */
#include <stdlib.h>
#include <string.h>

#include "core/image.h"
#include "image.h"

struct slot {
	const uint8_t *bytes;
	size_t count;
};

/* A slot is as large as the input, in pages of one byte. */
static int read_bytes(void *context, enum fw_area area, uint32_t at, void *bytes, uint32_t count)
{
	const struct slot *slot = context;

	(void)area;
	if (at > slot->count || count > slot->count - at)
		return -1;
	memcpy(bytes, slot->bytes + at, count);
	return 0;
}

static void require(int truth)
{
	if (!truth)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct slot slot = {bytes, count};
	const struct fw_flash flash = {.context = &slot,
				       .page_size[FW_AREA_SLOT_A] = 1,
				       .page_count[FW_AREA_SLOT_A] = (uint32_t)count,
				       .program_unit = 4,
				       .read = read_bytes};
	struct fw_image ours;
	struct image theirs;
	struct release release;
	const enum fw_bad bad = fw_image_read(&flash, FW_AREA_SLOT_A, &ours);
	const int size = image_read(bytes, count, &theirs);

	(void)release_read(bytes, count, &release);
	require((bad == FW_GOOD) == (size > 0));
	if (size <= 0)
		return 0;
	require(ours.size == (uint32_t)size && ours.hashed_size == theirs.hashed_size);
	require(ours.load_address == theirs.facts.load_address);
	require(ours.header_size == theirs.header_size);
	require(ours.security_counter == theirs.facts.security_counter);
	require(ours.device_class == theirs.facts.device_class);
	require(ours.hardware_min == theirs.facts.hardware_min);
	require(ours.hardware_max == theirs.facts.hardware_max);
	require(ours.loader_min == theirs.facts.loader_min);
	require(ours.version.build == theirs.facts.version.build);
	require(memcmp(ours.hash, theirs.hash, sizeof ours.hash) == 0);
	require(memcmp(ours.signature, theirs.signature, sizeof ours.signature) == 0);
	return 0;
}
