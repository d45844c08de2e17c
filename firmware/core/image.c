// SPDX-License-Identifier: Apache-2.0
/* Reads an image's header and records. Facts: MCUboot's design document. Stricter than MCUboot
 * where that costs nothing: every record that we know must be there once, in its own group. */
#include "image.h"

#include <string.h>

#include "bytes.h"

#define PROTECTED_MAGIC 0x6908
#define PLAIN_MAGIC     0x6907
#define GROUP_HEADER    4
#define RECORD_HEADER   4

#define KEY_HASH         0x0001
#define HASH             0x0010
#define SIGNATURE        0x0024
#define SECURITY_COUNTER 0x0050
#define DEVICE_CLASS     0x0081
#define LIMITS           0x00A0

/* A class is the end of a UUID; this is the rest of it (RFC 9562, version 8: our own making). */
static const uint8_t class_uuid[14] = {0xf1, 0xd6, 0xb3, 0xa2, 0x5c, 0x0e, 0x8b,
				       0x47, 0x9a, 0x6d, 0x30, 0xe5, 0xc2, 0xf0};

static enum fw_bad take_class(const uint8_t *value, struct fw_image *image)
{
	if (memcmp(value, class_uuid, sizeof class_uuid) != 0)
		return FW_BAD_CLASS;
	image->device_class = fw_get_u16be(value + sizeof class_uuid);
	return FW_GOOD;
}

static void take_limits(const uint8_t *value, struct fw_image *image)
{
	image->hardware_min = fw_get_u16le(value);
	image->hardware_max = fw_get_u16le(value + 2);
	image->loader_min = fw_get_u16le(value + 4);
	image->parameter_layout = fw_get_u16le(value + 6);
}

static enum fw_bad take(uint16_t type, const uint8_t *value, struct fw_image *image)
{
	switch (type) {
	case KEY_HASH: memcpy(image->key_hash, value, sizeof image->key_hash); break;
	case HASH: memcpy(image->hash, value, sizeof image->hash); break;
	case SIGNATURE: memcpy(image->signature, value, sizeof image->signature); break;
	case SECURITY_COUNTER: image->security_counter = fw_get_u32le(value); break;
	case DEVICE_CLASS: return take_class(value, image);
	case LIMITS: take_limits(value, image); break;
	default: break;
	}
	return FW_GOOD;
}

/* The records that we want, and where. */
static const struct {
	uint16_t type, length, group;
} wanted[] = {
	{SECURITY_COUNTER, 4, PROTECTED_MAGIC},
	{DEVICE_CLASS, 16, PROTECTED_MAGIC},
	{LIMITS, 8, PROTECTED_MAGIC},
	{HASH, FW_SHA256_SIZE, PLAIN_MAGIC},
	{KEY_HASH, FW_SHA256_SIZE, PLAIN_MAGIC},
	{SIGNATURE, FW_ED25519_SIGNATURE_SIZE, PLAIN_MAGIC},
};
#define WANTED     (sizeof wanted / sizeof *wanted)
#define ALL_WANTED ((1U << WANTED) - 1)

struct reader {
	const struct fw_flash *flash;
	enum fw_area slot;
	struct fw_image *image;
	unsigned seen; /* bits of wanted[] */
};

/* One record at `at`, whose header was read. */
static enum fw_bad read_record(struct reader *reader, uint32_t at, uint16_t group, uint16_t type,
			       uint16_t length)
{
	uint8_t value[FW_ED25519_SIGNATURE_SIZE];

	for (unsigned i = 0; i < WANTED; i++) {
		if (wanted[i].type != type)
			continue;
		if (wanted[i].length != length || wanted[i].group != group ||
		    (reader->seen & 1U << i) != 0)
			return FW_BAD_FORMAT;
		reader->seen |= 1U << i;
		if (reader->flash->read(reader->flash->context, reader->slot, at, value, length) <
		    0)
			return FW_BAD_FLASH;
		return take(type, value, reader->image);
	}
	return FW_GOOD; /* nothing that we need */
}

/* A group of records at *at, which moves behind it. `limit` is where the slot ends. */
static enum fw_bad read_group(struct reader *reader, uint32_t *at, uint32_t limit, uint16_t magic,
			      uint32_t *size)
{
	uint8_t head[RECORD_HEADER];

	if (limit - *at < GROUP_HEADER)
		return FW_BAD_SIZE;
	if (reader->flash->read(reader->flash->context, reader->slot, *at, head, sizeof head) < 0)
		return FW_BAD_FLASH;
	*size = fw_get_u16le(head + 2);
	if (fw_get_u16le(head) != magic || *size < GROUP_HEADER || *size > FW_IMAGE_RECORDS_MAX)
		return FW_BAD_FORMAT;
	if (*size > limit - *at)
		return FW_BAD_SIZE;

	const uint32_t end = *at + *size;

	for (*at += GROUP_HEADER; *at < end;) {
		if (end - *at < RECORD_HEADER)
			return FW_BAD_FORMAT;
		if (reader->flash->read(reader->flash->context, reader->slot, *at, head,
					sizeof head) < 0)
			return FW_BAD_FLASH;
		*at += RECORD_HEADER;

		const uint16_t length = fw_get_u16le(head + 2);

		if (length > end - *at)
			return FW_BAD_FORMAT;

		const enum fw_bad bad = read_record(reader, *at, magic, fw_get_u16le(head), length);

		if (bad != FW_GOOD)
			return bad;
		*at += length;
	}
	return FW_GOOD;
}

/* The header; *code_size and *protected_size are what follows it. */
static enum fw_bad read_header(const uint8_t *head, uint32_t limit, struct fw_image *image,
			       uint32_t *protected_size)
{
	const uint32_t code_size = fw_get_u32le(head + 12);

	if (fw_get_u32le(head) != FW_IMAGE_MAGIC || fw_get_u32le(head + 16) != FW_IMAGE_FIXED)
		return FW_BAD_FORMAT;
	image->load_address = fw_get_u32le(head + 4);
	image->header_size = fw_get_u16le(head + 8);
	*protected_size = fw_get_u16le(head + 10);
	image->version = (struct fw_version){head[20], head[21], fw_get_u16le(head + 22),
					     fw_get_u32le(head + 24)};
	if (image->header_size < FW_IMAGE_HEADER || image->header_size > FW_IMAGE_HEADER_MAX)
		return FW_BAD_FORMAT;
	if (code_size < 8 || image->header_size > limit || code_size > limit - image->header_size)
		return FW_BAD_SIZE;
	image->hashed_size = image->header_size + code_size; /* so far */
	return FW_GOOD;
}

enum fw_bad fw_image_read(const struct fw_flash *flash, enum fw_area slot, struct fw_image *image)
{
	const uint32_t limit = flash->page_size[slot] * flash->page_count[slot];
	struct reader reader = {.flash = flash, .slot = slot, .image = image};
	uint8_t head[FW_IMAGE_HEADER];
	uint32_t protected_size, size;

	if (limit < sizeof head || flash->read(flash->context, slot, 0, head, sizeof head) < 0)
		return FW_BAD_FLASH;

	enum fw_bad bad = read_header(head, limit, image, &protected_size);

	if (bad != FW_GOOD)
		return bad;
	image->size = image->hashed_size;
	bad = read_group(&reader, &image->size, limit, PROTECTED_MAGIC, &size);
	if (bad != FW_GOOD)
		return bad;
	if (size != protected_size)
		return FW_BAD_FORMAT;
	image->hashed_size = image->size;
	bad = read_group(&reader, &image->size, limit, PLAIN_MAGIC, &size);
	if (bad != FW_GOOD)
		return bad;
	return reader.seen == ALL_WANTED ? FW_GOOD : FW_BAD_FORMAT;
}

enum fw_bad fw_image_fits(const struct fw_image *image, const struct fw_image_target *target,
			  enum fw_area slot)
{
	if (image->load_address != target->slot_address[slot == FW_AREA_SLOT_B])
		return FW_BAD_ADDRESS;
	if (image->loader_min > target->loader_version)
		return FW_BAD_LOADER;
	if (target->exempt && memcmp(target->exempt, image->hash, 8) == 0)
		return FW_GOOD;
	if (image->device_class != target->device_class)
		return FW_BAD_CLASS;
	if (target->hardware_revision < image->hardware_min ||
	    target->hardware_revision > image->hardware_max)
		return FW_BAD_HARDWARE;
	if (image->security_counter < target->security_counter)
		return FW_BAD_VERSION;
	return FW_GOOD;
}
