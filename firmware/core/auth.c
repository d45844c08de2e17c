// SPDX-License-Identifier: Apache-2.0
/* Authorization; see auth.h. Secrets are compared in constant time. */
#include "auth.h"

#include <string.h>

#include "bytes.h"
#include "crypto/equal.h"
#include "crypto/hmac.h"

#define LEVEL_MS     (120 * UINT64_C(1000))
#define WINDOW_MS    (600 * UINT64_C(1000))
#define LOCK_MS      UINT32_C(60000)
#define LOCK_LAST_MS UINT32_C(3600000)
#define FORGET_MS    (24 * UINT64_C(3600000))

static const char default_operator[FW_PASSWORD] = {'8', '8', '8', '8', '8', '8'};

static bool is_all(const void *bytes, size_t count, uint8_t value)
{
	for (size_t i = 0; i < count; i++)
		if (((const uint8_t *)bytes)[i] != value)
			return false;
	return true;
}

static bool is_unset(const void *bytes, size_t count)
{
	return is_all(bytes, count, 0) || is_all(bytes, count, 0xFF);
}

bool fw_auth_is_default(const struct fw_settings *settings)
{
	const char *password = settings->password[FW_PASSWORD_OPERATOR];

	return is_unset(password, FW_PASSWORD) ||
	       memcmp(password, default_operator, FW_PASSWORD) == 0;
}

/* What proves a level; its length, 0 when nothing does. */
static uint32_t key_of(const struct fw_auth *auth, enum fw_level level, const uint8_t **key)
{
	const char *password = NULL;

	switch (level) {
	case FW_LEVEL_OPERATOR:
		password = auth->settings->password[FW_PASSWORD_OPERATOR];
		if (is_unset(password, FW_PASSWORD))
			password = default_operator;
		break;
	case FW_LEVEL_INSTALLER:
		password = auth->settings->password[FW_PASSWORD_INSTALLER];
		if (is_unset(password, FW_PASSWORD))
			password = auth->secrets->installer;
		if (is_unset(password, FW_PASSWORD))
			return 0;
		break;
	case FW_LEVEL_FACTORY:
		*key = auth->secrets->key;
		return is_unset(*key, FW_AUTH_KEY) ? 0 : FW_AUTH_KEY;
	case FW_LEVEL_NONE: return 0;
	}
	*key = (const uint8_t *)password;
	return FW_PASSWORD;
}

/* Nobody without the factory key can tell the next nonce, and none comes twice. */
static void new_nonce(struct fw_auth *auth, uint32_t seed)
{
	uint8_t data[12], digest[FW_SHA256_SIZE];

	auth->nonces++;
	fw_put_u32be(data, auth->uid32);
	fw_put_u32be(data + 4, seed);
	fw_put_u32be(data + 8, auth->nonces);
	fw_hmac_sha256(auth->secrets->key, FW_AUTH_KEY, data, sizeof data, digest);
	for (int i = 0; i < FW_AUTH_NONCE; i++)
		auth->nonce[i] ^= digest[i];
}

void fw_auth_init(struct fw_auth *auth, const struct fw_secrets *secrets,
		  const struct fw_settings *settings, uint32_t uid32, uint32_t seed)
{
	memset(auth, 0, sizeof *auth);
	auth->secrets = secrets;
	auth->settings = settings;
	auth->uid32 = uid32;
	auth->lock_ms = LOCK_MS;
	new_nonce(auth, seed);
}

enum fw_level fw_auth_level(struct fw_auth *auth, uint64_t now_ms)
{
	if (auth->level != FW_LEVEL_NONE && now_ms - auth->level_ms >= LEVEL_MS)
		auth->level = FW_LEVEL_NONE;
	return auth->level;
}

void fw_auth_used(struct fw_auth *auth, uint64_t now_ms)
{
	auth->level_ms = now_ms;
}

bool fw_auth_is_locked(const struct fw_auth *auth, uint64_t now_ms)
{
	return now_ms < auth->locked_until_ms;
}

static void count_wrong(struct fw_auth *auth, uint64_t now_ms)
{
	int kept = 0;

	if (auth->wrong < UINT16_MAX)
		auth->wrong++;
	if (now_ms - auth->last_wrong_ms >= FORGET_MS)
		auth->lock_ms = LOCK_MS;
	auth->last_wrong_ms = now_ms;
	for (int i = 0; i < auth->recent; i++)
		if (now_ms - auth->wrong_ms[i] < WINDOW_MS)
			auth->wrong_ms[kept++] = auth->wrong_ms[i];
	auth->wrong_ms[kept++] = now_ms;
	auth->recent = (uint8_t)kept;
	if (kept < FW_AUTH_TRIES)
		return;
	auth->recent = 0;
	auth->locked_until_ms = now_ms + auth->lock_ms;
	auth->lock_ms = auth->lock_ms * 2 < LOCK_LAST_MS ? auth->lock_ms * 2 : LOCK_LAST_MS;
}

/* A right try does not pay for wrong ones: who knows the operator's password may not guess the
 * installer's for ever. Nor does it keep a higher level alive. */
static void grant(struct fw_auth *auth, enum fw_level level, uint64_t now_ms)
{
	if (level < fw_auth_level(auth, now_ms))
		return;
	auth->level = level;
	auth->level_ms = now_ms;
}

bool fw_auth_password(struct fw_auth *auth, const uint8_t password[FW_PASSWORD], uint64_t now_ms)
{
	enum fw_level granted = FW_LEVEL_NONE;

	if (fw_auth_is_locked(auth, now_ms))
		return false;
	for (int level = FW_LEVEL_OPERATOR; level <= FW_LEVEL_INSTALLER; level++) {
		const uint8_t *key;
		const uint32_t length = key_of(auth, (enum fw_level)level, &key);

		if (length && fw_equal(key, password, FW_PASSWORD))
			granted = (enum fw_level)level;
	}
	if (granted == FW_LEVEL_NONE) {
		count_wrong(auth, now_ms);
		return false;
	}
	grant(auth, granted, now_ms);
	return true;
}

void fw_auth_answer(const uint8_t *key, uint32_t key_length, const uint8_t nonce[FW_AUTH_NONCE],
		    uint32_t uid32, enum fw_level level, uint8_t out[FW_AUTH_RESPONSE])
{
	uint8_t data[FW_AUTH_NONCE + 6], digest[FW_SHA256_SIZE];

	memcpy(data, nonce, FW_AUTH_NONCE);
	fw_put_u32be(data + FW_AUTH_NONCE, uid32);
	fw_put_u16be(data + FW_AUTH_NONCE + 4, (uint32_t)level);
	fw_hmac_sha256(key, key_length, data, sizeof data, digest);
	memcpy(out, digest, FW_AUTH_RESPONSE);
}

bool fw_auth_respond(struct fw_auth *auth, enum fw_level level,
		     const uint8_t response[FW_AUTH_RESPONSE], uint64_t now_ms)
{
	uint8_t wanted[FW_AUTH_RESPONSE];
	const uint8_t *key;
	uint32_t length;

	if (fw_auth_is_locked(auth, now_ms))
		return false;
	length = key_of(auth, level, &key);
	if (length)
		fw_auth_answer(key, length, auth->nonce, auth->uid32, level, wanted);
	new_nonce(auth, (uint32_t)now_ms);
	if (length == 0 || !fw_equal(wanted, response, FW_AUTH_RESPONSE)) {
		count_wrong(auth, now_ms);
		return false;
	}
	grant(auth, level, now_ms);
	return true;
}
