// SPDX-License-Identifier: Apache-2.0
/* Keys as PEM (RFC 8410): a fixed DER prefix and 32 bytes. Nothing else is understood, no encrypted
 * keys. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "image.h"

#define BASE64 sodium_base64_VARIANT_ORIGINAL

static const uint8_t secret_der[16] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
				       0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
static const uint8_t public_der[12] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
				       0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

void image_key_make(uint8_t secret[IMAGE_SECRET_SIZE])
{
	uint8_t key[IMAGE_KEY_SIZE];

	crypto_sign_keypair(key, secret);
}

static void to_pem(const char *what, const uint8_t *prefix, size_t prefix_size,
		   const uint8_t bytes[32], char pem[IMAGE_PEM_SIZE])
{
	uint8_t der[64];
	char text[96];

	memcpy(der, prefix, prefix_size);
	memcpy(der + prefix_size, bytes, 32);
	sodium_bin2base64(text, sizeof text, der, prefix_size + 32, BASE64);
	(void)snprintf(pem, IMAGE_PEM_SIZE, "-----BEGIN %s KEY-----\n%s\n-----END %s KEY-----\n",
		       what, text, what);
	sodium_memzero(der, sizeof der);
	sodium_memzero(text, sizeof text);
}

void image_secret_to_pem(const uint8_t secret[IMAGE_SECRET_SIZE], char pem[IMAGE_PEM_SIZE])
{
	to_pem("PRIVATE", secret_der, sizeof secret_der, secret, pem);
}

void image_key_to_pem(const uint8_t key[IMAGE_KEY_SIZE], char pem[IMAGE_PEM_SIZE])
{
	to_pem("PUBLIC", public_der, sizeof public_der, key, pem);
}

static int from_pem(const char *pem, const char *what, const uint8_t *prefix, size_t prefix_size,
		    uint8_t out[32])
{
	char head[64];
	uint8_t der[96];
	size_t length = 0;
	const char *end;

	(void)snprintf(head, sizeof head, "-----BEGIN %s KEY-----", what);

	const char *begin = strstr(pem, head);

	if (!begin)
		return ERR_FORMAT;
	begin += strlen(head);
	if (sodium_base642bin(der, sizeof der, begin, strlen(begin), "\r\n \t", &length, &end,
			      BASE64) != 0 ||
	    strncmp(end, "-----END", 8) != 0 || length != prefix_size + 32 ||
	    memcmp(der, prefix, prefix_size) != 0)
		return ERR_FORMAT;
	memcpy(out, der + prefix_size, 32);
	sodium_memzero(der, sizeof der);
	return 0;
}

int image_secret_from_pem(const char *pem, uint8_t secret[IMAGE_SECRET_SIZE])
{
	uint8_t seed[32], key[IMAGE_KEY_SIZE];
	const int result = from_pem(pem, "PRIVATE", secret_der, sizeof secret_der, seed);

	if (result < 0)
		return result;
	crypto_sign_seed_keypair(key, secret, seed);
	sodium_memzero(seed, sizeof seed);
	return 0;
}

int image_key_from_pem(const char *pem, uint8_t key[IMAGE_KEY_SIZE])
{
	uint8_t secret[IMAGE_SECRET_SIZE];

	if (from_pem(pem, "PUBLIC", public_der, sizeof public_der, key) == 0)
		return 0;

	const int result = image_secret_from_pem(pem, secret);

	if (result == 0)
		memcpy(key, secret + 32, IMAGE_KEY_SIZE);
	sodium_memzero(secret, sizeof secret);
	return result;
}
