// SPDX-License-Identifier: Apache-2.0
/* Many rows become one: mean, extremes, last; unknown values; gaps. Also the bounded queue. */
#include "fixture.h"

#include "queue.h"
#include "steps.h"

static void results_of_one_column(void **state)
{
	static const struct {
		int32_t values[4];
		int32_t mean, lowest, highest, last;
	} table[] = {
		{{1, 2, 3, 4}, 3, 1, 4, 4}, /* 2.5 rounds away from zero */
		{{-1, -2, -3, -4}, -3, -4, -1, -4},
		{{5, FIELD_UNKNOWN, 7, FIELD_UNKNOWN}, 6, 5, 7, 7},
		{{FIELD_UNKNOWN, FIELD_UNKNOWN, FIELD_UNKNOWN, FIELD_UNKNOWN},
		 FIELD_UNKNOWN,
		 FIELD_UNKNOWN,
		 FIELD_UNKNOWN,
		 FIELD_UNKNOWN},
		{{INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX},
		 INT32_MAX,
		 INT32_MAX,
		 INT32_MAX,
		 INT32_MAX},
	};
	struct rollup_sum sum;

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		rollup_start(&sum);
		for (int j = 0; j < 4; j++)
			rollup_add(&sum, table[i].values[j]);
		assert_int_equal(rollup_result(&sum, ROLLUP_MEAN), table[i].mean);
		assert_int_equal(rollup_result(&sum, ROLLUP_MIN), table[i].lowest);
		assert_int_equal(rollup_result(&sum, ROLLUP_MAX), table[i].highest);
		assert_int_equal(rollup_result(&sum, ROLLUP_LAST), table[i].last);
	}
}

static void the_vocabulary_says_how_to_roll_up(void **state)
{
	static const struct {
		const char *json;
		enum rollup rollup;
	} table[] = {
		{"voltage_v", ROLLUP_MEAN},     {"cell_min_v", ROLLUP_MIN},
		{"cell_max_v", ROLLUP_MAX},     {"temperature_min_c", ROLLUP_MIN},
		{"state", ROLLUP_LAST},         {"energy_charged_kwh", ROLLUP_LAST},
		{"cell_min_pack", ROLLUP_LAST},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		const int column = store_column_find(STORE_BATTERY, table[i].json);

		assert_int_equal(column_at(STORE_BATTERY, column).rollup, table[i].rollup);
	}
}

struct seen {
	int count;
	int64_t time_s[8];
	int32_t value[8];
};

static int note(void *arg, int64_t time_s, const int32_t *values)
{
	struct seen *seen = arg;

	seen->time_s[seen->count] = time_s;
	seen->value[seen->count++] = values[0];
	return 0;
}

static void steps_are_aligned_and_gaps_have_no_row(void **state)
{
	const int column = store_column_find(STORE_BATTERY, "voltage_v");
	struct seen seen = {0};
	struct steps steps;

	(void)state;
	steps_start(&steps, STORE_BATTERY, &column, 1, 60, note, &seen);
	for (int64_t time_s = 110; time_s < 140; time_s += 10)
		assert_int_equal(steps_add(&steps, time_s, &(int32_t){(int32_t)time_s}), 0);
	assert_int_equal(steps_add(&steps, 300, &(int32_t){7}), 0);
	assert_int_equal(steps_end(&steps), 0);
	assert_int_equal(steps_end(&steps), 0);
	assert_int_equal(seen.count, 3);
	assert_int_equal(steps.rows, 3);
	assert_int_equal(seen.time_s[0], 60);
	assert_int_equal(seen.value[0], 110);
	assert_int_equal(seen.time_s[1], 120);
	assert_int_equal(seen.value[1], 125);
	assert_int_equal(seen.time_s[2], 300);
	assert_int_equal(seen.value[2], 7);
}

static void a_full_queue_forgets_the_oldest(void **state)
{
	struct queue queue;

	(void)state;
	assert_int_equal(queue_init(&queue, sizeof(int), 3), 0);
	for (int i = 1; i <= 5; i++)
		queue_push(&queue, &i);
	assert_int_equal(queue.count, 3);
	assert_int_equal(queue.dropped, 2);
	for (int i = 0; i < 3; i++)
		assert_int_equal(((int *)queue.items)[i], i + 3);
	queue_free(&queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_of_one_column),
		cmocka_unit_test(the_vocabulary_says_how_to_roll_up),
		cmocka_unit_test(steps_are_aligned_and_gaps_have_no_row),
		cmocka_unit_test(a_full_queue_forgets_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
