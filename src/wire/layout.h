// SPDX-License-Identifier: Apache-2.0
/* Where encoding or decoding of one message stands: what derived values and hooks may look at. */
#pragma once

#include <string.h>

#include "wire_internal.h"

struct layout {
	const struct wire *wire;
	const struct message *message;
	const struct wire_context *ctx;
	enum byte_order order;
	enum scope scope; /* of the names here: a pack inside `repeat: packs` */

	/* encoding */
	const void *source; /* struct battery, pack or inverter_view, by scope */
	uint8_t *out;
	uint8_t *unknown; /* map of unknown bytes, or NULL: unknown is a failure */

	/* decoding */
	const uint8_t *in;
	size_t first;       /* place in the message of in[0] */
	void *target;       /* as source */
	alarm_set clear[3]; /* by severity bit: alarms that were spoken of ... */
	alarm_set set[3];   /* ... and are active */
	bool said_alarms[3];
	int read;         /* items understood */
	bool lacks_cells; /* a `per: cell` came before the number of cells */

	size_t at, end; /* next byte of the message; behind the last one that may be used */

	/* inside `repeat:` */
	int index;               /* 0-based element */
	const int32_t *elements; /* encoding: cells in mV or sensors in mC */
	int element_count;
};

#define NO_MEMBER SIZE_MAX /* offset of a quantity that has no place of its own */

/* The value that goes out, FIELD_UNKNOWN when there is none; and what a read value does. */
static inline int32_t quantity_get(const struct layout *at, const struct quantity *quantity)
{
	int32_t value;

	if (quantity->get)
		return quantity->get(at);
	memcpy(&value, (const char *)at->source + quantity->offset, sizeof value);
	return value;
}

static inline void quantity_set(const struct layout *at, const struct quantity *quantity,
				int32_t value)
{
	if (quantity->set)
		quantity->set(at, value);
	else if (quantity->offset != NO_MEMBER)
		memcpy((char *)at->target + quantity->offset, &value, sizeof value);
}

/* Finds a name: derived values first, then the vocabulary of the scope. `repeat` is what is
 * repeated around it, -1 = nothing (`cell` and `sensor` exist only there). False if there is no
 * such name. */
bool quantity_find(const char *name, enum scope scope, int repeat, struct quantity *out);

/* The n-th derived name of a scope with its one-line meaning, NULL behind the last. */
const char *quantity_derived(enum scope scope, int n, const char **meaning);

/* Local time as seconds since 1970 local: the context's, else that of the battery's own values; 0 =
 * unknown. */
int64_t layout_local_time_s(const struct layout *at);

/* True for a battery that says nothing: no data, or neither current limit is known. */
bool battery_is_mute(const struct battery *battery);

/* Sensors of a battery seen as one pack: power switches, hottest, coldest, mean from there on. */
int battery_sensors(const struct battery *battery, int32_t out[ONEPACK_MAX_TEMPERATURES]);

/* The byte order of a number, and whether the option of an ITEM_WHEN has its value. */
static inline enum byte_order order_of(const struct layout *at, const struct item *item)
{
	return item->order < 0 ? at->order : (enum byte_order)item->order;
}

static inline bool item_is_on(const struct layout *at, const struct item *item)
{
	return condition_holds(&item->when, at->ctx);
}

/* --- numbers (layout_number.c) --- */

/* Vocabulary value -> raw number, rounded and held inside the type. `cells` divides for `per:
 * cell`. False when that is not known. */
bool number_to_raw(const struct item *item, const struct quantity *quantity, int32_t value,
		   int32_t cells, int64_t *raw);

/* Raw -> vocabulary value; false when the raw number is not a value. */
bool number_from_raw(const struct item *item, int64_t raw, int32_t cells, int32_t *value);

/* Smallest and largest number of the type. */
int64_t number_low(const struct item *item);
int64_t number_high(const struct item *item);

static inline void bytes_put(uint8_t *out, int size, enum byte_order order, int64_t number)
{
	uint64_t left = (uint64_t)number;

	if (order == ORDER_LITTLE)
		for (int i = 0; i < size; i++, left >>= 8)
			out[i] = (uint8_t)left;
	else
		for (int i = size - 1; i >= 0; i--, left >>= 8)
			out[i] = (uint8_t)left;
}

static inline int64_t bytes_get(const uint8_t *in, int size, enum byte_order order, bool is_signed)
{
	uint64_t number = 0;

	if (order == ORDER_LITTLE)
		for (int i = size - 1; i >= 0; i--)
			number = number << 8 | in[i];
	else
		for (int i = 0; i < size; i++)
			number = number << 8 | in[i];
	if (is_signed && size < 8 && number >> (size * 8 - 1))
		number |= UINT64_MAX << (size * 8);
	return (int64_t)number;
}

/* --- bits (layout_bits.c) --- */

int64_t bits_encode(const struct layout *at, const struct item *item);
void bits_decode(struct layout *at, const struct item *item, int64_t raw);

/* --- hooks (hooks.c) --- */

#define LAYOUT_MAX_HOOK 128 /* bytes of one */

struct hook {
	const char *name, *meaning;
	int size; /* bytes; the most, when it varies */
	enum scope scope;
	int (*encode)(const struct layout *at, uint8_t *out); /* 0 or ERR_UNKNOWN */
	void (*decode)(const struct layout *at, const uint8_t *in);
	/* Where the size varies: the bytes that begin at `in`, of which `left` are there; -1 when
	 * they are too few to say. What is behind them is not sent. */
	int (*measure)(const uint8_t *in, size_t left);
};

const struct hook *hook_find(const char *name, enum scope scope);
const struct hook *hook_row(int n);         /* NULL behind the last */
const struct hook *hook_serial_row(int n);  /* those of hooks_serial.c, then ... */
const struct hook *hook_can_row(int n);     /* ... those of hooks_can.c, then ... */
const struct hook *hook_profile_row(int n); /* ... those of hooks_profiles.c */
