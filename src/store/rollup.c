// SPDX-License-Identifier: Apache-2.0
/* Mean, extremes, last. In C rather than in SQL, so that tables and queries share one rule. */
#include "rollup.h"

void rollup_start(struct rollup_sum *sum)
{
	*sum = (struct rollup_sum){.last = FIELD_UNKNOWN};
}

void rollup_add(struct rollup_sum *sum, int32_t value)
{
	if (value == FIELD_UNKNOWN)
		return;
	if (sum->count == 0 || value < sum->lowest)
		sum->lowest = value;
	if (sum->count == 0 || value > sum->highest)
		sum->highest = value;
	sum->last = value;
	sum->sum += value;
	sum->count++;
}

int32_t rollup_result(const struct rollup_sum *sum, enum rollup rollup)
{
	if (sum->count == 0)
		return FIELD_UNKNOWN;
	switch (rollup) {
	case ROLLUP_MIN: return sum->lowest;
	case ROLLUP_MAX: return sum->highest;
	case ROLLUP_LAST: return sum->last;
	case ROLLUP_MEAN: break;
	}
	const int64_t half = sum->sum < 0 ? -(sum->count / 2) : sum->count / 2;
	return (int32_t)((sum->sum + half) / sum->count);
}
