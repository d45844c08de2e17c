// SPDX-License-Identifier: Apache-2.0
/* See sync.h; the block is described in docs/protocols/pack/onepack.md. */
#include "sync.h"

#define EPOCH_S       INT64_C(1577836800) /* 2020-01-01 UTC */
#define VOLTAGE_STEP  10                  /* mV */
#define CURRENT_STEP  100                 /* mA */
#define NO_VOLTAGE    0xFFFF
#define NO_CURRENT    0x8000
#define LAST_VOLTAGE  0xFFFE
#define CURRENT_BOUND 0x7FFF

enum {
	CHARGE_ALLOWED = 1 << 0,
	DISCHARGE_ALLOWED = 1 << 1,
	FORCE_CHARGE = 1 << 2,
	UPDATE = 1 << 4,
	INVERTER_LOST = 1 << 5
};

static uint32_t seconds(const struct rack_word *word)
{
	const int64_t time_s = word->time_ms / 1000 - EPOCH_S;

	return time_s > 0 && time_s <= UINT32_MAX ? (uint32_t)time_s : 0;
}

static uint16_t flags(const struct rack_word *word)
{
	return (uint16_t)((word->charge_allowed ? CHARGE_ALLOWED : 0) |
			  (word->discharge_allowed ? DISCHARGE_ALLOWED : 0) |
			  (word->force_charge ? FORCE_CHARGE : 0) | (word->update ? UPDATE : 0) |
			  (word->inverter_lost ? INVERTER_LOST : 0));
}

static uint16_t voltage(int32_t mv)
{
	if (mv < 0) /* FIELD_UNKNOWN included */
		return NO_VOLTAGE;
	mv = (mv + VOLTAGE_STEP / 2) / VOLTAGE_STEP;
	return mv < LAST_VOLTAGE ? (uint16_t)mv : LAST_VOLTAGE;
}

static uint16_t current(int32_t ma)
{
	if (ma == FIELD_UNKNOWN)
		return NO_CURRENT;
	ma = (ma + (ma < 0 ? -CURRENT_STEP : CURRENT_STEP) / 2) / CURRENT_STEP;
	if (ma > CURRENT_BOUND)
		ma = CURRENT_BOUND;
	return (uint16_t)(ma < -CURRENT_BOUND ? -CURRENT_BOUND : ma);
}

void sync_say(struct phrase *phrase, int first_register, uint16_t heartbeat,
	      const struct rack_word *word)
{
	uint16_t words[SYNC_WORDS] = {heartbeat, 0, 0, 0, 0, NO_VOLTAGE, NO_CURRENT};

	if (word) {
		words[1] = (uint16_t)(seconds(word) >> 16);
		words[2] = (uint16_t)seconds(word);
		words[3] = flags(word);
		words[4] = (uint16_t)word->packs;
		words[5] = voltage(word->voltage_mv);
		words[6] = current(word->current_ma);
	}
	phrase_write(phrase, 0, first_register, words, SYNC_WORDS);
}
