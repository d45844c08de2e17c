// SPDX-License-Identifier: Apache-2.0
/* Who is logged in, and how long one waits after wrong passwords. Times are arguments (monotonic
 * milliseconds). Not thread-safe: only the server's thread uses it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SESSION_TOKEN_SIZE 33         /* 128 bits in hex, and a zero */
#define SESSION_IDLE_MS    1800000LL  /* 30 minutes */
#define SESSION_LIFE_MS    43200000LL /* 12 hours */
#define SESSION_MAX        16

struct session {
	unsigned char hash[32]; /* of the token; the token itself is kept nowhere */
	int64_t started_ms, used_ms;
	bool in_use;
};

struct sessions {
	struct session list[SESSION_MAX];
};

/* Starts a session; when there are too many, the one that was used longest ago ends. */
void session_start(struct sessions *sessions, int64_t now_ms, char token[SESSION_TOKEN_SIZE]);

/* Is it a living session? Notes that it was used. NULL and nonsense are fine. */
bool session_check(struct sessions *sessions, const char *token, int64_t now_ms);
void session_end(struct sessions *sessions, const char *token);

/* Wrong passwords. The pause doubles with each, per address up to 15 minutes, and for everybody
 * together up to 4 s, so that many addresses are no way round and nobody is locked out for long. */
#define LOGIN_ADDRESS_SIZE 48
#define LOGIN_ADDRESSES    32
#define LOGIN_PAUSE_MAX_MS 900000LL
#define LOGIN_ALL_MAX_MS   4000

struct login_pause {
	char address[LOGIN_ADDRESS_SIZE];
	int failures;
	int64_t until_ms, failed_ms;
};

struct logins {
	struct login_pause everybody;
	struct login_pause list[LOGIN_ADDRESSES];
};

/* How long this address still has to wait before it may try; 0 = now. */
int64_t login_wait_ms(const struct logins *logins, const char *address, int64_t now_ms);
void login_note(struct logins *logins, const char *address, bool right, int64_t now_ms);
