// SPDX-License-Identifier: Apache-2.0
/* Rows become steps. */
#include "steps.h"

void steps_start(struct steps *steps, enum store_series series, const int *columns, int count,
		 int32_t step_s, step_fn *done, void *arg)
{
	*steps = (struct steps){.step_s = step_s, .count = count, .done = done, .arg = arg};
	for (int i = 0; i < count; i++)
		steps->rollup[i] = column_at(series, columns ? columns[i] : i).rollup;
}

int steps_end(struct steps *steps)
{
	int32_t values[STORE_MAX_COLUMNS];

	if (!steps->open)
		return 0;
	for (int i = 0; i < steps->count; i++)
		values[i] = rollup_result(&steps->sums[i], steps->rollup[i]);
	steps->open = false;
	steps->rows++;
	return steps->done(steps->arg, steps->start_s, values);
}

int steps_add(struct steps *steps, int64_t time_s, const int32_t *values)
{
	const int64_t start_s = time_s - time_s % steps->step_s;
	int result = 0;

	if (steps->open && start_s != steps->start_s)
		result = steps_end(steps);
	if (!steps->open) {
		steps->open = true;
		steps->start_s = start_s;
		for (int i = 0; i < steps->count; i++)
			rollup_start(&steps->sums[i]);
	}
	for (int i = 0; i < steps->count; i++)
		rollup_add(&steps->sums[i], values[i]);
	return result;
}
