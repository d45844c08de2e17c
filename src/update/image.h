// SPDX-License-Identifier: Apache-2.0
/* Firmware images on the gateway's side and for those who make releases: the same container as in
 * firmware/core/image.h, read and written by code of its own with libsodium, so that the two check
 * each other. Pure but for the random numbers of a new key.
 *
 * A release is a file with one or more images one behind the other, usually one for each slot. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "onepack/err.h"

#define IMAGE_KEY_SIZE    32 /* public */
#define IMAGE_SECRET_SIZE 64 /* as libsodium has it: seed and public key */
#define IMAGE_HASH_SIZE   32
#define IMAGE_SIZE_MAX    ((size_t)1024 * 224) /* what a pack's bitmap can count */
#define IMAGE_HEADER_SIZE 512 /* leaves the vector table aligned as the cores want it */
#define IMAGE_PEM_SIZE    160
#define RELEASE_IMAGES    8

struct image_version {
	uint8_t major, minor;
	uint16_t revision;
	uint32_t build;
};

/* What an image says of itself. */
struct image_facts {
	uint32_t load_address;
	struct image_version version;
	uint32_t security_counter;
	uint16_t device_class;
	uint16_t hardware_min, hardware_max;
	uint16_t loader_min;
	uint16_t parameter_layout;
};

struct image {
	struct image_facts facts;
	const uint8_t *bytes; /* the whole image, within the file */
	size_t size;
	size_t header_size, hashed_size;
	uint8_t hash[IMAGE_HASH_SIZE];
	uint8_t key_hash[IMAGE_HASH_SIZE];
	uint8_t signature[64];
};

struct release {
	struct image images[RELEASE_IMAGES];
	int count;
};

/* Wraps code and signs it: the image's size, or ERR_SPACE. */
int image_make(const struct image_facts *facts, const uint8_t *code, size_t code_size,
	       const uint8_t secret[IMAGE_SECRET_SIZE], uint8_t *out, size_t size);

/* Reads the image at the beginning of the bytes: its size; ERR_INCOMPLETE when the bytes end before
 * it does, ERR_FORMAT when it is none. Nothing is checked but its form. */
int image_read(const uint8_t *bytes, size_t count, struct image *image);

/* Hash and signature: the index of the key; ERR_CHECKSUM (damaged), ERR_NOT_MINE (signed by
 * somebody else), ERR_FOREIGN (the signature is wrong). */
int image_verify(const struct image *image, const uint8_t (*keys)[IMAGE_KEY_SIZE], int key_count);

/* Reads all images of a file: their number. Keeps pointers into the bytes. */
int release_read(const uint8_t *bytes, size_t count, struct release *release);

/* The one for a device class and a load address; NULL when there is none. */
const struct image *release_find(const struct release *release, uint16_t device_class,
				 uint32_t load_address);

/* Keys as PEM, the form that imgtool and openssl read. `pem` gets a zero-ended text. */
void image_key_make(uint8_t secret[IMAGE_SECRET_SIZE]);
void image_secret_to_pem(const uint8_t secret[IMAGE_SECRET_SIZE], char pem[IMAGE_PEM_SIZE]);
void image_key_to_pem(const uint8_t key[IMAGE_KEY_SIZE], char pem[IMAGE_PEM_SIZE]);
int image_secret_from_pem(const char *pem, uint8_t secret[IMAGE_SECRET_SIZE]);
/* Takes the secret form, too. */
int image_key_from_pem(const char *pem, uint8_t key[IMAGE_KEY_SIZE]);
