// SPDX-License-Identifier: Apache-2.0
/* Many values of one column become one. Pure; unknown values do not count. */
#pragma once

#include "columns.h"

struct rollup_sum {
	int64_t sum;
	int32_t count, lowest, highest, last;
};

void rollup_start(struct rollup_sum *sum);
void rollup_add(struct rollup_sum *sum, int32_t value);

/* FIELD_UNKNOWN when nothing known was added. */
int32_t rollup_result(const struct rollup_sum *sum, enum rollup rollup);
