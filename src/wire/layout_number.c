// SPDX-License-Identifier: Apache-2.0
/* One number: vocabulary value <-> raw number <-> bytes. Rounding goes to the safe side of each
 * field, out-of-range values stop at the end of the type. */
#include <string.h>

#include "layout.h"

#define FULL_MPCT 100000
#define MAX_CELLS 1000 /* in series; more is a misread number */

int64_t number_low(const struct item *item)
{
	return item->is_signed ? -((int64_t)1 << (item->size * 8 - 1)) : 0;
}

int64_t number_high(const struct item *item)
{
	return ((int64_t)1 << (item->size * 8 - item->is_signed)) - 1;
}

static int64_t divide_down(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

static int64_t divide(int64_t value, int64_t by, enum rounding rounding)
{
	if (by == 1)
		return value;
	switch (rounding) {
	case ROUND_DOWN: return divide_down(value, by);
	case ROUND_UP: return -divide_down(-value, by);
	case ROUND_NEAREST: break;
	}
	return value < 0 ? -((-value + by / 2) / by) : (value + by / 2) / by; /* halves: outwards */
}

static int64_t hold(int64_t value, int64_t low, int64_t high)
{
	if (value < low)
		return low;
	return value > high ? high : value;
}

/* The product, or the end of the range on its side. */
static int64_t multiply(int64_t a, int64_t b)
{
	int64_t product;

	if (__builtin_mul_overflow(a, b, &product))
		return (a < 0) == (b < 0) ? INT64_MAX : -INT64_MAX;
	return product;
}

/* Whether a value per cell can be made into one of the pack, and back. */
static bool cells_are_known(int32_t cells)
{
	return cells != FIELD_UNKNOWN && cells > 0 && cells <= MAX_CELLS;
}

static bool is_invalid(const struct item *item, int64_t raw)
{
	for (int i = 0; i < item->invalid_count; i++)
		if (item->invalid[i] == raw)
			return true;
	return false;
}

/* Holds the raw number in the type, one step inside where the end itself means "not a value". */
static int64_t saturate(const struct item *item, int64_t raw)
{
	const int64_t held = hold(raw, number_low(item), number_high(item));

	if (held == raw || !is_invalid(item, held))
		return held;
	return held < raw ? held - 1 : held + 1;
}

static bool word_to_raw(const struct item *item, int32_t value, int64_t *raw)
{
	for (int i = 0; i < item->word_count; i++) {
		if (item->words[i].field != value)
			continue;
		*raw = item->words[i].raw;
		return true;
	}
	return false;
}

bool number_to_raw(const struct item *item, const struct quantity *quantity, int32_t value,
		   int32_t cells, int64_t *raw)
{
	int64_t step = item->unit_step, number = value;

	if (item->word_count)
		return word_to_raw(item, value, raw);
	if (item->per_cell && !cells_are_known(cells))
		return false;
	if (item->per_cell)
		step *= cells;
	if (item->absolute && number < 0)
		number = -number;
	number = hold(number, item->min, item->max);
	number = divide(number, step, item->rounding);
	if (quantity->unit == UNIT_PCT && value < FULL_MPCT && number * step >= FULL_MPCT &&
	    strcmp(quantity->name, "soc") == 0)
		number = (FULL_MPCT - 1) / step; /* full only when it is full */
	*raw = saturate(item, (item->negative ? -number : number) + item->offset);
	return true;
}

bool number_from_raw(const struct item *item, int64_t raw, int32_t cells, int32_t *value)
{
	if (is_invalid(item, raw) || (item->per_cell && !cells_are_known(cells)))
		return false;
	for (int i = 0; i < item->word_count; i++) {
		if (item->words[i].raw != raw)
			continue;
		*value = item->words[i].field;
		return true;
	}
	if (item->word_count)
		return false;
	raw = multiply(multiply(raw - item->offset, item->unit_step), item->per_cell ? cells : 1);
	if (item->negative)
		raw = -raw;
	if (item->absolute && raw < 0)
		raw = -raw;
	*value = (int32_t)hold(raw, -INT32_MAX, INT32_MAX);
	return true;
}
