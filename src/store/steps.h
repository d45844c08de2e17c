// SPDX-License-Identifier: Apache-2.0
/* Rows of one series, in order of time, become one row per step. Used to fill the coarser tables
 * and to answer queries. */
#pragma once

#include "rollup.h"

typedef int step_fn(void *arg, int64_t time_s, const int32_t *values);

struct steps {
	int32_t step_s;
	int count;
	enum rollup rollup[STORE_MAX_COLUMNS];
	struct rollup_sum sums[STORE_MAX_COLUMNS];
	int64_t start_s; /* of the open step */
	bool open;
	int rows; /* finished steps */
	step_fn *done;
	void *arg;
};

/* `columns` NULL = all `count` of the series, in their order. `done` gets each finished step; what
 * it returns, if not 0, stops the work. */
void steps_start(struct steps *steps, enum store_series series, const int *columns, int count,
		 int32_t step_s, step_fn *done, void *arg);
int steps_add(struct steps *steps, int64_t time_s, const int32_t *values);
int steps_end(struct steps *steps);
