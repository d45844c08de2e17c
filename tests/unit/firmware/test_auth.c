// SPDX-License-Identifier: Apache-2.0
/* Levels: won by password or response, faded by time, and a lock for those who guess. */
#include "../cmocka_all.h"

#include <string.h>

#include "core/auth.h"

#define MINUTE UINT64_C(60000)
#define UID    0x12345678

static const struct fw_secrets secrets = {.key = {1, 2, 3}, .installer = "inst0001"};

struct rig {
	struct fw_settings settings;
	struct fw_auth auth;
};

static void start(struct rig *rig, const struct fw_secrets *with)
{
	memset(rig, 0, sizeof *rig);
	fw_auth_init(&rig->auth, with, &rig->settings, UID, 1);
}

static bool say(struct rig *rig, const char *password, uint64_t now_ms)
{
	uint8_t bytes[FW_PASSWORD] = {0};

	memcpy(bytes, password, strlen(password));
	return fw_auth_password(&rig->auth, bytes, now_ms);
}

static void passwords_give_levels(void **state)
{
	struct rig rig;

	(void)state;
	start(&rig, &secrets);
	assert_true(fw_auth_is_default(&rig.settings));
	assert_false(say(&rig, "", 0));
	assert_false(say(&rig, "88888", 0));
	assert_int_equal(fw_auth_level(&rig.auth, 0), FW_LEVEL_NONE);
	assert_true(say(&rig, "888888", 0));
	assert_int_equal(fw_auth_level(&rig.auth, 0), FW_LEVEL_OPERATOR);
	assert_true(say(&rig, "inst0001", 0));
	assert_int_equal(fw_auth_level(&rig.auth, 0), FW_LEVEL_INSTALLER);
	memcpy(rig.settings.password[FW_PASSWORD_OPERATOR], "mine\0\0\0", 8);
	memcpy(rig.settings.password[FW_PASSWORD_INSTALLER], "other\0\0", 8);
	assert_false(fw_auth_is_default(&rig.settings));
	assert_false(say(&rig, "888888", 0));
	assert_false(say(&rig, "inst0001", 0));
	assert_int_equal(rig.auth.wrong, 4);
}

static void levels_fade(void **state)
{
	struct rig rig;

	(void)state;
	start(&rig, &secrets);
	say(&rig, "inst0001", 1000);
	assert_int_equal(fw_auth_level(&rig.auth, 120999), FW_LEVEL_INSTALLER);
	fw_auth_used(&rig.auth, 120999);
	assert_int_equal(fw_auth_level(&rig.auth, 240998), FW_LEVEL_INSTALLER);
	/* the lower password does not keep the higher level alive */
	assert_true(say(&rig, "888888", 240998));
	assert_int_equal(fw_auth_level(&rig.auth, 240999), FW_LEVEL_NONE);
}

static void guessing_locks(void **state)
{
	uint64_t now_ms = MINUTE, lock_ms = MINUTE;
	struct rig rig;

	(void)state;
	start(&rig, &secrets);
	for (int lock = 0; lock < 9; lock++) {
		for (int i = 0; i < 5; i++) {
			assert_false(fw_auth_is_locked(&rig.auth, now_ms));
			assert_false(say(&rig, "guess", now_ms));
			/* the operator's password does not help to guess the installer's */
			if (i < 4)
				assert_true(say(&rig, "888888", now_ms));
		}
		assert_true(fw_auth_is_locked(&rig.auth, now_ms));
		assert_false(say(&rig, "888888", now_ms + lock_ms - 1));
		now_ms += lock_ms;
		lock_ms = lock_ms * 2 < 60 * MINUTE ? lock_ms * 2 : 60 * MINUTE;
	}
	/* slow guessing does not lock: four in ten minutes */
	now_ms += 25 * 60 * MINUTE;
	assert_false(say(&rig, "guess", now_ms));
	assert_int_equal(rig.auth.lock_ms, MINUTE);
	now_ms += 11 * MINUTE;
	for (int i = 0; i < 40; i++) {
		assert_false(say(&rig, "guess", now_ms));
		assert_false(fw_auth_is_locked(&rig.auth, now_ms));
		now_ms += 151000;
	}
}

static void responses_give_levels(void **state)
{
	static const char installer[8] = "inst0001", operator[8] = "888888";
	static const struct fw_secrets none = {.key = {0}};
	uint8_t answer[FW_AUTH_RESPONSE], before[FW_AUTH_NONCE];
	struct rig rig;

	(void)state;
	start(&rig, &secrets);
	memcpy(before, rig.auth.nonce, sizeof before);
	fw_auth_answer(secrets.key, FW_AUTH_KEY, rig.auth.nonce, UID, FW_LEVEL_FACTORY, answer);
	assert_false(fw_auth_respond(&rig.auth, FW_LEVEL_INSTALLER, answer, 0));
	assert_memory_not_equal(before, rig.auth.nonce, sizeof before);
	assert_false(fw_auth_respond(&rig.auth, FW_LEVEL_FACTORY, answer, 0)); /* an old nonce's */
	fw_auth_answer(secrets.key, FW_AUTH_KEY, rig.auth.nonce, UID, FW_LEVEL_FACTORY, answer);
	assert_true(fw_auth_respond(&rig.auth, FW_LEVEL_FACTORY, answer, 0));
	assert_int_equal(fw_auth_level(&rig.auth, 0), FW_LEVEL_FACTORY);
	assert_false(fw_auth_respond(&rig.auth, FW_LEVEL_FACTORY, answer, 0)); /* only once */

	start(&rig, &secrets);
	fw_auth_answer((const uint8_t *)installer, 8, rig.auth.nonce, UID, FW_LEVEL_INSTALLER,
		       answer);
	assert_true(fw_auth_respond(&rig.auth, FW_LEVEL_INSTALLER, answer, 0));
	fw_auth_answer((const uint8_t *)operator, 8, rig.auth.nonce, UID + 1, FW_LEVEL_OPERATOR,
		       answer);
	assert_false(fw_auth_respond(&rig.auth, FW_LEVEL_OPERATOR, answer, 0)); /* another pack's */

	/* without secrets nobody becomes installer or factory */
	start(&rig, &none);
	assert_false(say(&rig, "", 0));
	fw_auth_answer(none.key, FW_AUTH_KEY, rig.auth.nonce, UID, FW_LEVEL_FACTORY, answer);
	assert_false(fw_auth_respond(&rig.auth, FW_LEVEL_FACTORY, answer, 0));
	fw_auth_answer((const uint8_t *)none.installer, 8, rig.auth.nonce, UID, FW_LEVEL_INSTALLER,
		       answer);
	assert_false(fw_auth_respond(&rig.auth, FW_LEVEL_INSTALLER, answer, 0));
	fw_auth_answer(none.key, FW_AUTH_KEY, rig.auth.nonce, UID, FW_LEVEL_NONE, answer);
	assert_false(fw_auth_respond(&rig.auth, FW_LEVEL_NONE, answer, 0));
}

/* Worked out with Python: hmac.new(bytes([1, 2, 3] + 29 * [0]), bytes.fromhex(
 * '01020304' '12345678' '0003'), 'sha256').digest()[:8] */
static void a_response_worked_out_elsewhere(void **state)
{
	static const uint8_t nonce[4] = {1, 2, 3, 4};
	static const uint8_t wanted[8] = {0x3A, 0xA4, 0x61, 0x3E, 0xD8, 0x89, 0xD2, 0xE2};
	uint8_t answer[FW_AUTH_RESPONSE];

	(void)state;
	fw_auth_answer(secrets.key, FW_AUTH_KEY, nonce, UID, FW_LEVEL_FACTORY, answer);
	assert_memory_equal(answer, wanted, 8);
}

static void nonces_differ(void **state)
{
	struct rig a, b;

	(void)state;
	start(&a, &secrets);
	memset(&b, 0, sizeof b);
	fw_auth_init(&b.auth, &secrets, &b.settings, UID, 2);
	assert_memory_not_equal(a.auth.nonce, b.auth.nonce, FW_AUTH_NONCE);
	fw_auth_init(&b.auth, &secrets, &b.settings, UID + 1, 1);
	assert_memory_not_equal(a.auth.nonce, b.auth.nonce, FW_AUTH_NONCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passwords_give_levels),
		cmocka_unit_test(levels_fade),
		cmocka_unit_test(guessing_locks),
		cmocka_unit_test(responses_give_levels),
		cmocka_unit_test(a_response_worked_out_elsewhere),
		cmocka_unit_test(nonces_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
