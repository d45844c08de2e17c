// SPDX-License-Identifier: Apache-2.0
/* Who may do what: levels 1 operator, 2 installer, 3 factory, won with a password or, better, with
 * the answer to a challenge (the bus can be tapped). Five wrong tries within ten minutes lock
 * everybody out for a minute, then two, up to an hour. A level fades after two minutes without use.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

#define FW_AUTH_KEY      32 /* bytes of the factory key */
#define FW_AUTH_NONCE    4
#define FW_AUTH_RESPONSE 8
#define FW_AUTH_TRIES    5

enum fw_level { FW_LEVEL_NONE, FW_LEVEL_OPERATOR, FW_LEVEL_INSTALLER, FW_LEVEL_FACTORY };

/* From FW_AREA_FACTORY; never readable over any bus. */
struct fw_secrets {
	uint8_t key[FW_AUTH_KEY];    /* all 00 or all FF: no factory level */
	char installer[FW_PASSWORD]; /* the installer's first password, on the label; all 00 or all
					FF: none, the factory must set one */
};

struct fw_auth {
	const struct fw_secrets *secrets;
	const struct fw_settings *settings; /* the passwords */
	uint32_t uid32;
	enum fw_level level;
	uint64_t level_ms; /* last use of the level */
	uint8_t nonce[FW_AUTH_NONCE];
	uint32_t nonces;                  /* made so far */
	uint16_t wrong;                   /* tries since the start; sticks at the end */
	uint64_t wrong_ms[FW_AUTH_TRIES]; /* when, a ring */
	uint8_t recent;                   /* entries of it */
	uint64_t last_wrong_ms;
	uint64_t locked_until_ms;
	uint32_t lock_ms; /* the next lock's length; short again after a day without wrong tries
			   */
};

/* `seed` makes the nonces differ from those of every earlier start: the power-on count. */
void fw_auth_init(struct fw_auth *auth, const struct fw_secrets *secrets,
		  const struct fw_settings *settings, uint32_t uid32, uint32_t seed);

/* The level now. */
enum fw_level fw_auth_level(struct fw_auth *auth, uint64_t now_ms);

/* Something that needed this level was done: it lasts another two minutes. */
void fw_auth_used(struct fw_auth *auth, uint64_t now_ms);

/* Tries a password; the level it gives is never lower than the one held. false: wrong, or locked.
 */
bool fw_auth_password(struct fw_auth *auth, const uint8_t password[FW_PASSWORD], uint64_t now_ms);

/* Tries the answer to the nonce for a level. The nonce changes, right or wrong. */
bool fw_auth_respond(struct fw_auth *auth, enum fw_level level,
		     const uint8_t response[FW_AUTH_RESPONSE], uint64_t now_ms);

bool fw_auth_is_locked(const struct fw_auth *auth, uint64_t now_ms);

/* The right answer, for masters and tests: HMAC-SHA256 with the level's key (password, or factory
 * key) over nonce, uid32 and level (16 bits), big-endian; its first 8 bytes. */
void fw_auth_answer(const uint8_t *key, uint32_t key_length, const uint8_t nonce[FW_AUTH_NONCE],
		    uint32_t uid32, enum fw_level level, uint8_t out[FW_AUTH_RESPONSE]);

/* Whether the operator's password is still the one that everybody knows. */
bool fw_auth_is_default(const struct fw_settings *settings);
