// SPDX-License-Identifier: Apache-2.0
/* Named C for the rarer serial protocol files: China Tower's state of charge and
 * capacities. One row each, at the
 * end of this file. */
#include <string.h>

#include "bytes.h"
#include "derived.h"

/* --- China Tower: a state of charge that was seen in either byte of its register --- */

#define FULL_PCT 100

static int encode_soc(const struct layout *at, uint8_t *out)
{
	const int32_t soc_mpct = battery_of(at)->soc_mpct;
	int32_t soc_pct = soc_mpct / 1000 + (soc_mpct % 1000 >= 500);

	if (!known(soc_mpct))
		return ERR_UNKNOWN;
	if (soc_pct >= FULL_PCT)
		soc_pct = soc_mpct >= FULL_PCT * 1000 ? FULL_PCT : FULL_PCT - 1;
	if (soc_pct < 0)
		soc_pct = 0;
	out[wire_option(at->wire, at->ctx, "soc_byte", 0) ? 0 : 1] = (uint8_t)soc_pct;
	return 0;
}

static void decode_soc(const struct layout *at, const uint8_t *in)
{
	const uint8_t soc_pct = in[1] ? in[1] : in[0];

	if ((in[0] == 0 || in[1] == 0) && soc_pct <= FULL_PCT)
		((struct battery *)at->target)->soc_mpct = soc_pct * 1000;
}

/* --- YD/T 1363.3: capacities with the number of the items between them --- */

#define YDT_ITEMS 2

static const struct hook *both_capacities(void)
{
	return hook_find("capacities_10mah", SCOPE_BATTERY);
}

static int encode_ydt_capacities(const struct layout *at, uint8_t *out)
{
	uint8_t both[4];
	int err = both_capacities()->encode(at, both);

	if (err)
		return err;
	memcpy(out, both, 2);
	out[2] = YDT_ITEMS;
	memcpy(out + 3, both + 2, 2);
	return 0;
}

static void decode_ydt_capacities(const struct layout *at, const uint8_t *in)
{
	const uint8_t both[4] = {in[0], in[1], in[3], in[4]};

	both_capacities()->decode(at, both);
}

/* --- the table --- */

static const struct hook hooks[] = {
	{"soc_either_byte", "state of charge in the byte that the option soc_byte names", 2,
	 SCOPE_BATTERY, encode_soc, decode_soc, NULL},
	{"ydt_capacities", "remaining, 2, full in 10 mAh; above 655.35 Ah only their ratio", 5,
	 SCOPE_BATTERY, encode_ydt_capacities, decode_ydt_capacities, NULL},
};

#define HOOK_COUNT ((int)(sizeof hooks / sizeof hooks[0]))

const struct hook *hook_profile_row(int n)
{
	return n < HOOK_COUNT ? &hooks[n] : NULL;
}
