// SPDX-License-Identifier: Apache-2.0
/* The MCUboot container, read and written. Records are laid down in the order of imgtool: security
 * counter, device class and our own under the hash; hash, key hash and signature behind it. */
#include "image.h"

#include <sodium.h>
#include <string.h>

#define MAGIC           0x96F3B83DU
#define HEADER          32U
#define HEADER_MAX      1024U
#define ROM_FIXED       0x100U
#define PROTECTED_MAGIC 0x6908U
#define PLAIN_MAGIC     0x6907U

#define PROTECTED_SIZE (4 + 8 + 20 + 12)
#define PLAIN_SIZE     (4 + 36 + 36 + 68)

/* UUID of our device classes; the last two bytes are the class. */
static const uint8_t class_uuid[14] = {0xf1, 0xd6, 0xb3, 0xa2, 0x5c, 0x0e, 0x8b,
				       0x47, 0x9a, 0x6d, 0x30, 0xe5, 0xc2, 0xf0};

static const uint8_t public_der[12] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
				       0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

static void put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value & 0xffff);
	put16(p + 2, value >> 16);
}

static unsigned get16(const uint8_t *p)
{
	return p[0] | (unsigned)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static uint8_t *put_record(uint8_t *p, unsigned type, const void *value, unsigned length)
{
	put16(p, type);
	put16(p + 2, length);
	memcpy(p + 4, value, length);
	return p + 4 + length;
}

static void key_hash(const uint8_t key[IMAGE_KEY_SIZE], uint8_t out[IMAGE_HASH_SIZE])
{
	uint8_t der[sizeof public_der + IMAGE_KEY_SIZE];

	memcpy(der, public_der, sizeof public_der);
	memcpy(der + sizeof public_der, key, IMAGE_KEY_SIZE);
	crypto_hash_sha256(out, der, sizeof der);
}

static void put_header(uint8_t *out, const struct image_facts *facts, size_t code_size)
{
	memset(out, 0, HEADER);
	memset(out + HEADER, 0xff, IMAGE_HEADER_SIZE - HEADER);
	put32(out, MAGIC);
	put32(out + 4, facts->load_address);
	put16(out + 8, IMAGE_HEADER_SIZE);
	put16(out + 10, PROTECTED_SIZE);
	put32(out + 12, (uint32_t)code_size);
	put32(out + 16, ROM_FIXED);
	out[20] = facts->version.major;
	out[21] = facts->version.minor;
	put16(out + 22, facts->version.revision);
	put32(out + 24, facts->version.build);
}

static uint8_t *put_protected(uint8_t *p, const struct image_facts *facts)
{
	uint8_t counter[4], uuid[16], limits[8];

	put16(p, PROTECTED_MAGIC);
	put16(p + 2, PROTECTED_SIZE);
	put32(counter, facts->security_counter);
	memcpy(uuid, class_uuid, sizeof class_uuid);
	uuid[14] = (uint8_t)(facts->device_class >> 8);
	uuid[15] = (uint8_t)facts->device_class;
	put16(limits, facts->hardware_min);
	put16(limits + 2, facts->hardware_max);
	put16(limits + 4, facts->loader_min);
	put16(limits + 6, facts->parameter_layout);
	p = put_record(p + 4, 0x50, counter, sizeof counter);
	p = put_record(p, 0x81, uuid, sizeof uuid);
	return put_record(p, 0xA0, limits, sizeof limits);
}

int image_make(const struct image_facts *facts, const uint8_t *code, size_t code_size,
	       const uint8_t secret[IMAGE_SECRET_SIZE], uint8_t *out, size_t size)
{
	const size_t hashed = IMAGE_HEADER_SIZE + code_size + PROTECTED_SIZE;
	uint8_t hash[IMAGE_HASH_SIZE], by[IMAGE_HASH_SIZE], signature[crypto_sign_BYTES];

	if (code_size > IMAGE_SIZE_MAX || hashed + PLAIN_SIZE > size ||
	    hashed + PLAIN_SIZE > IMAGE_SIZE_MAX)
		return ERR_SPACE;
	put_header(out, facts, code_size);
	memcpy(out + IMAGE_HEADER_SIZE, code, code_size);

	uint8_t *p = put_protected(out + IMAGE_HEADER_SIZE + code_size, facts);

	crypto_hash_sha256(hash, out, hashed);
	key_hash(secret + 32, by); /* libsodium keeps the public key there */
	crypto_sign_detached(signature, NULL, hash, sizeof hash, secret);
	put16(p, PLAIN_MAGIC);
	put16(p + 2, PLAIN_SIZE);
	p = put_record(p + 4, 0x10, hash, sizeof hash);
	p = put_record(p, 0x01, by, sizeof by);
	p = put_record(p, 0x24, signature, sizeof signature);
	return (int)(p - out);
}

/* Records that we know, as bits: an image has each of them once. */
enum {
	SEEN_COUNTER = 1,
	SEEN_CLASS = 2,
	SEEN_LIMITS = 4,
	SEEN_HASH = 8,
	SEEN_KEY = 16,
	SEEN_SIGNATURE = 32,
	SEEN_ALL = 63
};

static int take(struct image *image, unsigned type, const uint8_t *value, unsigned length)
{
	switch (type << 16 | length) {
	case 0x500004: image->facts.security_counter = get32(value); return SEEN_COUNTER;
	case 0x810010:
		if (memcmp(value, class_uuid, sizeof class_uuid) != 0)
			return ERR_FORMAT;
		image->facts.device_class = (uint16_t)(value[14] << 8 | value[15]);
		return SEEN_CLASS;
	case 0xA00008:
		image->facts.hardware_min = (uint16_t)get16(value);
		image->facts.hardware_max = (uint16_t)get16(value + 2);
		image->facts.loader_min = (uint16_t)get16(value + 4);
		image->facts.parameter_layout = (uint16_t)get16(value + 6);
		return SEEN_LIMITS;
	case 0x100020: memcpy(image->hash, value, length); return SEEN_HASH;
	case 0x010020: memcpy(image->key_hash, value, length); return SEEN_KEY;
	case 0x240040: memcpy(image->signature, value, length); return SEEN_SIGNATURE;
	default: break;
	}
	/* another record, or one of ours with a length that it cannot have */
	return type == 0x50 || type == 0x81 || type == 0xA0 || type == 0x10 || type == 0x01 ||
			       type == 0x24
		       ? ERR_FORMAT
		       : 0;
}

/* One group of records: its size. *seen collects; `allowed` is what may be in it. */
static int read_group(struct image *image, const uint8_t *bytes, size_t count, unsigned magic,
		      int allowed, int *seen)
{
	if (count < 4)
		return ERR_INCOMPLETE;

	const size_t size = get16(bytes + 2);

	if (get16(bytes) != magic || size < 4 || size > 1024)
		return ERR_FORMAT;
	if (size > count)
		return ERR_INCOMPLETE;
	for (size_t at = 4; at < size;) {
		if (size - at < 4 || get16(bytes + at + 2) > size - at - 4)
			return ERR_FORMAT;

		const unsigned length = get16(bytes + at + 2);
		const int what = take(image, get16(bytes + at), bytes + at + 4, length);

		if (what < 0 || (what & ~allowed) != 0 || (what & *seen) != 0)
			return ERR_FORMAT;
		*seen |= what;
		at += 4 + length;
	}
	return (int)size;
}

int image_read(const uint8_t *bytes, size_t count, struct image *image)
{
	struct image out = {.bytes = bytes};
	int seen = 0;

	if (count < HEADER)
		return ERR_INCOMPLETE;
	out.header_size = get16(bytes + 8);

	const size_t protected_size = get16(bytes + 10), code_size = get32(bytes + 12);

	if (get32(bytes) != MAGIC || get32(bytes + 16) != ROM_FIXED || out.header_size < HEADER ||
	    out.header_size > HEADER_MAX || code_size < 8 || code_size > IMAGE_SIZE_MAX)
		return ERR_FORMAT;
	if (out.header_size + code_size > count)
		return ERR_INCOMPLETE;
	out.facts.load_address = get32(bytes + 4);
	out.facts.version = (struct image_version){bytes[20], bytes[21],
						   (uint16_t)get16(bytes + 22), get32(bytes + 24)};
	out.size = out.header_size + code_size;

	int size = read_group(&out, bytes + out.size, count - out.size, PROTECTED_MAGIC,
			      SEEN_COUNTER | SEEN_CLASS | SEEN_LIMITS, &seen);

	if (size < 0)
		return size;
	if ((size_t)size != protected_size)
		return ERR_FORMAT;
	out.size += (size_t)size;
	out.hashed_size = out.size;
	size = read_group(&out, bytes + out.size, count - out.size, PLAIN_MAGIC,
			  SEEN_HASH | SEEN_KEY | SEEN_SIGNATURE, &seen);
	if (size < 0)
		return size;
	out.size += (size_t)size;
	if (seen != SEEN_ALL || out.size > IMAGE_SIZE_MAX)
		return ERR_FORMAT;
	*image = out;
	return (int)out.size;
}

int image_verify(const struct image *image, const uint8_t (*keys)[IMAGE_KEY_SIZE], int key_count)
{
	uint8_t hash[IMAGE_HASH_SIZE], by[IMAGE_HASH_SIZE];

	crypto_hash_sha256(hash, image->bytes, image->hashed_size);
	if (memcmp(hash, image->hash, sizeof hash) != 0)
		return ERR_CHECKSUM;
	for (int i = 0; i < key_count; i++) {
		key_hash(keys[i], by);
		if (memcmp(by, image->key_hash, sizeof by) != 0)
			continue;
		return crypto_sign_verify_detached(image->signature, hash, sizeof hash, keys[i]) ==
				       0
			       ? i
			       : ERR_FOREIGN;
	}
	return ERR_NOT_MINE;
}

int release_read(const uint8_t *bytes, size_t count, struct release *release)
{
	struct release out = {0};

	for (size_t at = 0; at < count;) {
		if (out.count == RELEASE_IMAGES)
			return ERR_SPACE;

		const int size = image_read(bytes + at, count - at, &out.images[out.count]);

		if (size < 0)
			return size;
		out.count++;
		at += (size_t)size;
	}
	if (out.count == 0)
		return ERR_INCOMPLETE;
	*release = out;
	return out.count;
}

const struct image *release_find(const struct release *release, uint16_t device_class,
				 uint32_t load_address)
{
	for (int i = 0; i < release->count; i++)
		if (release->images[i].facts.device_class == device_class &&
		    release->images[i].facts.load_address == load_address)
			return &release->images[i];
	return NULL;
}
