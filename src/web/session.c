// SPDX-License-Identifier: Apache-2.0
/* Sessions and login pauses. Random numbers and hashes from libsodium. */
#include "session.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define TOKEN_BYTES   16
#define FIRST_FREE    2 /* a slip of the finger costs nothing */
#define PAUSE_MS      1000
#define FORGIVE_MS    3600000LL /* without failures for this long: as if never seen */
#define MAX_DOUBLINGS 20

static void hash_token(const char *token, unsigned char hash[32])
{
	crypto_generichash(hash, 32, (const unsigned char *)token, strlen(token), NULL, 0);
}

static bool is_alive(const struct session *session, int64_t now_ms)
{
	return session->in_use && now_ms - session->used_ms < SESSION_IDLE_MS &&
	       now_ms - session->started_ms < SESSION_LIFE_MS;
}

void session_start(struct sessions *sessions, int64_t now_ms, char token[SESSION_TOKEN_SIZE])
{
	unsigned char bytes[TOKEN_BYTES];
	struct session *place = &sessions->list[0];

	for (int i = 0; i < SESSION_MAX && is_alive(place, now_ms); i++) {
		struct session *other = &sessions->list[i];

		if (!is_alive(other, now_ms) || other->used_ms < place->used_ms)
			place = other;
	}
	randombytes_buf(bytes, sizeof bytes);
	sodium_bin2hex(token, SESSION_TOKEN_SIZE, bytes, sizeof bytes);
	*place = (struct session){.started_ms = now_ms, .used_ms = now_ms, .in_use = true};
	hash_token(token, place->hash);
}

static struct session *find(struct sessions *sessions, const char *token)
{
	unsigned char hash[32];
	struct session *found = NULL;

	if (!token || strlen(token) != SESSION_TOKEN_SIZE - 1)
		return NULL;
	hash_token(token, hash);
	for (int i = 0; i < SESSION_MAX; i++)
		if (sessions->list[i].in_use &&
		    sodium_memcmp(hash, sessions->list[i].hash, sizeof hash) == 0)
			found = &sessions->list[i];
	return found;
}

bool session_check(struct sessions *sessions, const char *token, int64_t now_ms)
{
	struct session *session = find(sessions, token);

	if (!session)
		return false;
	if (!is_alive(session, now_ms)) {
		session->in_use = false;
		return false;
	}
	session->used_ms = now_ms;
	return true;
}

void session_end(struct sessions *sessions, const char *token)
{
	struct session *session = find(sessions, token);

	if (session)
		session->in_use = false;
}

/* --- pauses --- */

static int64_t wait_of(const struct login_pause *pause, int64_t now_ms)
{
	return pause->until_ms > now_ms ? pause->until_ms - now_ms : 0;
}

int64_t login_wait_ms(const struct logins *logins, const char *address, int64_t now_ms)
{
	int64_t wait_ms = wait_of(&logins->everybody, now_ms);

	for (int i = 0; i < LOGIN_ADDRESSES; i++)
		if (strcmp(logins->list[i].address, address) == 0 &&
		    wait_of(&logins->list[i], now_ms) > wait_ms)
			wait_ms = wait_of(&logins->list[i], now_ms);
	return wait_ms;
}

static void add_failure(struct login_pause *pause, int64_t max_ms, int64_t now_ms)
{
	int64_t pause_ms = 0;

	if (now_ms - pause->failed_ms > FORGIVE_MS)
		pause->failures = 0;
	pause->failed_ms = now_ms;
	if (pause->failures < MAX_DOUBLINGS)
		pause->failures++;
	if (pause->failures > FIRST_FREE)
		pause_ms = (int64_t)PAUSE_MS << (pause->failures - FIRST_FREE - 1);
	pause->until_ms = now_ms + (pause_ms < max_ms ? pause_ms : max_ms);
}

/* The entry of the address, or the one that failed longest ago, made new. */
static struct login_pause *entry_of(struct logins *logins, const char *address)
{
	struct login_pause *oldest = &logins->list[0];

	for (int i = 0; i < LOGIN_ADDRESSES; i++) {
		struct login_pause *entry = &logins->list[i];

		if (strcmp(entry->address, address) == 0)
			return entry;
		if (entry->failed_ms < oldest->failed_ms)
			oldest = entry;
	}
	memset(oldest, 0, sizeof *oldest);
	snprintf(oldest->address, sizeof oldest->address, "%s", address);
	return oldest;
}

void login_note(struct logins *logins, const char *address, bool right, int64_t now_ms)
{
	struct login_pause *entry = entry_of(logins, address);

	if (right) {
		memset(entry, 0, sizeof *entry);
		return;
	}
	add_failure(entry, LOGIN_PAUSE_MAX_MS, now_ms);
	add_failure(&logins->everybody, LOGIN_ALL_MAX_MS, now_ms);
}
