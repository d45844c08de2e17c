// SPDX-License-Identifier: Apache-2.0
/* Hashes and signatures against the examples of their standards, and what those do not show:
 * streaming in any pieces, the CRC's check value, comparison. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "crypto/crc32.h"
#include "crypto/ed25519.h"
#include "crypto/equal.h"
#include "crypto/hmac.h"
#include "crypto/sha256.h"
#include "crypto/sha512.h"

#define MAX_BYTES 512

struct bytes {
	size_t count;
	uint8_t at[MAX_BYTES];
};

static struct bytes from_hex(const char *text)
{
	struct bytes out = {0};

	if (strcmp(text, "-") == 0)
		return out;
	assert_true(strlen(text) % 2 == 0 && strlen(text) / 2 <= MAX_BYTES);
	for (; *text != '\0'; text += 2) {
		const char pair[3] = {text[0], text[1], '\0'};

		out.at[out.count++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return out;
}

static void check_sha256(const struct bytes *message, const struct bytes *digest)
{
	uint8_t out[FW_SHA256_SIZE];

	for (size_t cut = 0; cut <= message->count; cut++) {
		struct fw_sha256 sha;

		fw_sha256_init(&sha);
		fw_sha256_update(&sha, message->at, cut);
		fw_sha256_update(&sha, message->at + cut, message->count - cut);
		fw_sha256_final(&sha, out);
		assert_memory_equal(out, digest->at, sizeof out);
	}
}

static void check_sha512(const struct bytes *message, const struct bytes *digest)
{
	uint8_t out[FW_SHA512_SIZE];

	for (size_t cut = 0; cut <= message->count; cut++) {
		struct fw_sha512 sha;

		fw_sha512_init(&sha);
		fw_sha512_update(&sha, message->at, cut);
		fw_sha512_update(&sha, message->at + cut, message->count - cut);
		fw_sha512_final(&sha, out);
		assert_memory_equal(out, digest->at, sizeof out);
	}
}

static void check_million(bool wide, const struct bytes *digest)
{
	static const char tenth[10] = "aaaaaaaaaa";
	struct fw_sha256 narrow_sha;
	struct fw_sha512 wide_sha;
	uint8_t out[FW_SHA512_SIZE];

	fw_sha256_init(&narrow_sha);
	fw_sha512_init(&wide_sha);
	for (int i = 0; i < 100000; i++) {
		if (wide)
			fw_sha512_update(&wide_sha, tenth, sizeof tenth);
		else
			fw_sha256_update(&narrow_sha, tenth, sizeof tenth);
	}
	if (wide)
		fw_sha512_final(&wide_sha, out);
	else
		fw_sha256_final(&narrow_sha, out);
	assert_memory_equal(out, digest->at, digest->count);
}

static void check_hmac(const struct bytes *key, const struct bytes *data, const struct bytes *mac)
{
	uint8_t out[FW_SHA256_SIZE];

	fw_hmac_sha256(key->at, key->count, data->at, data->count, out);
	assert_memory_equal(out, mac->at, sizeof out);
}

static void check_ed25519(const struct bytes *key, const struct bytes *message,
			  struct bytes *signature)
{
	struct fw_ed25519 check;
	int steps = 1;

	assert_true(fw_ed25519_verify(signature->at, key->at, message->at, message->count));
	assert_true(fw_ed25519_start(&check, signature->at, key->at, message->at, message->count));
	while (fw_ed25519_step(&check, 7) > 0)
		steps++;
	assert_int_equal(steps, (FW_ED25519_STEPS + 6) / 7);
	assert_true(fw_ed25519_finish(&check));
	for (size_t bit = 0; bit < 8 * FW_ED25519_SIGNATURE_SIZE; bit += 11) {
		signature->at[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(
			fw_ed25519_verify(signature->at, key->at, message->at, message->count));
		signature->at[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* One line of the file; false when it has no such kind. */
static bool check_vector(char *line)
{
	char *words[5] = {0}, *rest = line;

	for (int i = 0; i < 5; i++)
		words[i] = strtok_r(rest, " \n", &rest);
	if (!words[0])
		return false;
	struct bytes a = from_hex(words[1]), b = from_hex(words[2]),
		     c = words[3] ? from_hex(words[3]) : (struct bytes){0};

	if (strcmp(words[0], "sha256") == 0)
		check_sha256(&a, &b);
	else if (strcmp(words[0], "sha512") == 0)
		check_sha512(&a, &b);
	else if (strcmp(words[0], "million256") == 0 || strcmp(words[0], "million512") == 0)
		check_million(words[0][7] == '5', &b);
	else if (strcmp(words[0], "hmac") == 0)
		check_hmac(&a, &b, &c);
	else if (strcmp(words[0], "ed25519") == 0)
		check_ed25519(&a, &b, &c);
	else
		return false;
	return true;
}

static void test_the_standards_examples(void **state)
{
	FILE *file = fopen(ONEPACK_SOURCE_DIR "/tests/vectors/firmware/crypto.txt", "r");
	char line[2048];
	int count = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof line, file))
		if (line[0] != '#') {
			assert_true(check_vector(line));
			count++;
		}
	(void)fclose(file);
	assert_int_equal(count, 20);
}

static void test_crc32(void **state)
{
	static const char check[] = "123456789";

	(void)state;
	assert_int_equal(fw_crc32(0, check, 9), 0xcbf43926);
	assert_int_equal(fw_crc32(fw_crc32(0, check, 4), check + 4, 5), 0xcbf43926);
	assert_int_equal(fw_crc32(0, check, 0), 0);
}

static void test_equal(void **state)
{
	const uint8_t a[4] = {1, 2, 3, 4};

	(void)state;
	for (int i = 0; i < 4; i++) {
		uint8_t b[4] = {1, 2, 3, 4};

		assert_true(fw_equal(a, b, 4));
		b[i] ^= 0x80;
		assert_false(fw_equal(a, b, 4));
		assert_true(fw_equal(a, b, (size_t)i));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_standards_examples),
		cmocka_unit_test(test_crc32),
		cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
