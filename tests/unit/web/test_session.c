// SPDX-License-Identifier: Apache-2.0
/* Sessions end by themselves, and guessing passwords gets slow. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "onepack/err.h"
#include "onepack/web.h"
#include "session.h"

#define START_MS 1000000LL
#define HOUR_MS  3600000LL

static void a_session_lives_while_it_is_used(void **state)
{
	struct sessions sessions = {0};
	char token[SESSION_TOKEN_SIZE];
	int64_t now_ms = START_MS;

	(void)state;
	session_start(&sessions, now_ms, token);
	assert_int_equal(strlen(token), 32);
	while (now_ms < START_MS + SESSION_LIFE_MS - SESSION_IDLE_MS) {
		now_ms += SESSION_IDLE_MS - 1;
		assert_true(session_check(&sessions, token, now_ms));
	}
	assert_false(session_check(&sessions, token, START_MS + SESSION_LIFE_MS));
	assert_false(session_check(&sessions, token, START_MS)); /* over is over */
}

static void an_idle_session_ends(void **state)
{
	struct sessions sessions = {0};
	char token[SESSION_TOKEN_SIZE];

	(void)state;
	session_start(&sessions, START_MS, token);
	assert_false(session_check(&sessions, token, START_MS + SESSION_IDLE_MS));
}

static void logout_and_nonsense(void **state)
{
	struct sessions sessions = {0};
	char token[SESSION_TOKEN_SIZE], other[SESSION_TOKEN_SIZE];

	(void)state;
	assert_false(session_check(&sessions, NULL, START_MS));
	assert_false(session_check(&sessions, "", START_MS));
	assert_false(session_check(&sessions, "00000000000000000000000000000000", START_MS));
	session_start(&sessions, START_MS, token);
	session_start(&sessions, START_MS, other);
	assert_string_not_equal(token, other);
	session_end(&sessions, "nonsense");
	session_end(&sessions, token);
	assert_false(session_check(&sessions, token, START_MS));
	assert_true(session_check(&sessions, other, START_MS));
}

static void the_token_is_not_kept(void **state)
{
	struct sessions sessions = {0};
	char token[SESSION_TOKEN_SIZE];

	(void)state;
	session_start(&sessions, START_MS, token);
	for (size_t i = 0; i + 8 <= sizeof sessions; i++)
		assert_memory_not_equal((const char *)&sessions + i, token, 8);
}

static void too_many_sessions_end_the_one_used_longest_ago(void **state)
{
	struct sessions sessions = {0};
	char tokens[SESSION_MAX + 1][SESSION_TOKEN_SIZE];

	(void)state;
	for (int i = 0; i < SESSION_MAX; i++)
		session_start(&sessions, START_MS + i, tokens[i]);
	assert_true(session_check(&sessions, tokens[0], START_MS + 100));
	session_start(&sessions, START_MS + 101, tokens[SESSION_MAX]);
	assert_true(session_check(&sessions, tokens[0], START_MS + 102));
	assert_false(session_check(&sessions, tokens[1], START_MS + 102));
	assert_true(session_check(&sessions, tokens[SESSION_MAX], START_MS + 102));
}

static void pauses_double_and_have_an_end(void **state)
{
	static const int64_t expected_ms[] = {0, 0, 1000, 2000, 4000, 8000, 16000};
	struct logins logins = {0};
	int64_t now_ms = START_MS;

	(void)state;
	for (size_t i = 0; i < sizeof expected_ms / sizeof expected_ms[0]; i++) {
		assert_int_equal(login_wait_ms(&logins, "a", now_ms), 0);
		login_note(&logins, "a", false, now_ms);
		assert_int_equal(login_wait_ms(&logins, "a", now_ms), expected_ms[i]);
		now_ms += expected_ms[i];
	}
	for (int i = 0; i < 40; i++)
		login_note(&logins, "a", false, now_ms);
	assert_int_equal(login_wait_ms(&logins, "a", now_ms), LOGIN_PAUSE_MAX_MS);
	assert_int_equal(login_wait_ms(&logins, "b", now_ms), LOGIN_ALL_MAX_MS);
	assert_int_equal(login_wait_ms(&logins, "a", now_ms + LOGIN_PAUSE_MAX_MS), 0);
	now_ms += LOGIN_PAUSE_MAX_MS;
	login_note(&logins, "a", true, now_ms);
	login_note(&logins, "a", false, now_ms);
	assert_int_equal(login_wait_ms(&logins, "a", now_ms), LOGIN_ALL_MAX_MS);
}

static void failures_are_forgotten(void **state)
{
	struct logins logins = {0};

	(void)state;
	for (int i = 0; i < 10; i++)
		login_note(&logins, "a", false, START_MS);
	login_note(&logins, "a", false, START_MS + HOUR_MS + 1);
	assert_int_equal(login_wait_ms(&logins, "a", START_MS + HOUR_MS + 1), 0);
}

static void many_addresses_are_no_way_round(void **state)
{
	struct logins logins = {0};
	char address[LOGIN_ADDRESS_SIZE];
	int64_t now_ms = START_MS;
	int tried = 0;

	(void)state;
	/* a thousand addresses that try whenever they may, for an hour */
	for (int i = 0; now_ms < START_MS + HOUR_MS; i++) {
		snprintf(address, sizeof address, "2001:db8::%x", (unsigned)i % 1000);
		if (login_wait_ms(&logins, address, now_ms) == 0) {
			login_note(&logins, address, false, now_ms);
			tried++;
		} else {
			now_ms += 100;
		}
	}
	assert_in_range(tried, 800, 1000);
}

static void passwords_are_hashed(void **state)
{
	char hash[WEB_HASH_SIZE], other[WEB_HASH_SIZE];

	(void)state;
	assert_int_equal(web_hash_password("correct horse", hash), 0);
	assert_int_equal(web_hash_password("correct horse", other), 0);
	assert_string_not_equal(hash, other);
	assert_non_null(strstr(hash, "$argon2id$"));
	assert_int_equal(web_hash_password("short", hash), ERR_RANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_lives_while_it_is_used),
		cmocka_unit_test(an_idle_session_ends),
		cmocka_unit_test(logout_and_nonsense),
		cmocka_unit_test(the_token_is_not_kept),
		cmocka_unit_test(too_many_sessions_end_the_one_used_longest_ago),
		cmocka_unit_test(pauses_double_and_have_an_end),
		cmocka_unit_test(failures_are_forgotten),
		cmocka_unit_test(many_addresses_are_no_way_round),
		cmocka_unit_test(passwords_are_hashed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
