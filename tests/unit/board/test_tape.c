// SPDX-License-Identifier: Apache-2.0
/* The tape: every step comes back as it was, in order; who is too slow is told what is missing; the
 * writer never waits. */
#include "../cmocka_all.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "onepack/tape.h"

static struct fusion_input input;
static struct tape_step step;

/* Step `n` has n % 3 packs and n % 2 errors, all marked with n. */
static void write_step(struct tape *tape, int n)
{
	fusion_input_clear(&input);
	input.now_ms = n;
	input.bus_current_ma = n * 10;
	input.pack_count = n % 3;
	input.error_count = n % 2;
	for (int i = 0; i < input.pack_count; i++) {
		input.packs[i].pack = i + 1;
		input.packs[i].voltage_mv = n;
	}
	for (int i = 0; i < input.error_count; i++)
		input.errors[i].count = n;
	tape_write(tape, &input, 1000 + n);
}

static void assert_step(int n)
{
	assert_int_equal(step.input.now_ms, n);
	assert_int_equal(step.wall_ms, 1000 + n);
	assert_int_equal(step.input.bus_current_ma, n * 10);
	assert_int_equal(step.input.pack_count, n % 3);
	assert_int_equal(step.input.error_count, n % 2);
	for (int i = 0; i < step.input.pack_count; i++) {
		assert_int_equal(step.input.packs[i].pack, i + 1);
		assert_int_equal(step.input.packs[i].voltage_mv, n);
	}
	for (int i = 0; i < step.input.error_count; i++)
		assert_int_equal(step.input.errors[i].count, n);
}

static void steps_come_back_as_they_were(void **state)
{
	struct tape *tape = tape_new();
	uint64_t position = tape_end(tape);

	(void)state;
	assert_int_equal(position, 0);
	assert_false(tape_read(tape, &position, &step));
	for (int n = 0; n < 500; n++)
		write_step(tape, n);
	for (int n = 0; n < 500; n++) {
		assert_true(tape_read(tape, &position, &step));
		assert_int_equal(step.lost, 0);
		assert_step(n);
	}
	assert_false(tape_read(tape, &position, &step));
	assert_int_equal(position, tape_end(tape));
	assert_int_equal(tape_oldest(tape), 0);
	tape_free(tape);
}

static void who_is_too_slow_is_told_how_much_is_missing(void **state)
{
	struct tape *tape = tape_new();
	uint64_t position = 0;
	int expected;

	(void)state;
	for (int n = 0; n < 20000; n++)
		write_step(tape, n);
	assert_true(tape_read(tape, &position, &step));
	assert_true(step.lost > 10000 && step.lost < 19000);
	assert_int_equal(position, step.lost + 1);
	assert_int_equal(step.lost, tape_oldest(tape));
	assert_step((int)step.lost);
	for (expected = (int)step.lost + 1; tape_read(tape, &position, &step); expected++) {
		assert_int_equal(step.lost, 0);
		assert_step(expected);
	}
	assert_int_equal(expected, 20000);
	tape_free(tape);
}

/* Full steps use up the packs long before the steps. */
static void steps_with_many_packs_are_whole_or_gone(void **state)
{
	struct tape *tape = tape_new();
	uint64_t position = 0, lost;

	(void)state;
	for (int n = 0; n < 1000; n++) {
		fusion_input_clear(&input);
		input.now_ms = n;
		input.pack_count = ONEPACK_MAX_PACKS;
		for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
			input.packs[i].voltage_mv = n;
		tape_write(tape, &input, 0);
	}
	assert_true(tape_read(tape, &position, &step));
	lost = step.lost;
	assert_true(lost >= 800 && lost < 1000);
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		assert_int_equal(step.input.packs[i].voltage_mv, lost);
	tape_free(tape);
}

static void *write_many(void *tape)
{
	for (int n = 0; n < 30000; n++)
		write_step(tape, n);
	return NULL;
}

static void a_reader_beside_the_writer_sees_whole_steps(void **state)
{
	struct tape *tape = tape_new();
	uint64_t position = 0;
	pthread_t thread;
	int next = 0;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, write_many, tape), 0);
	while (next < 30000) {
		if (!tape_read(tape, &position, &step))
			continue;
		assert_int_equal(step.input.now_ms, next + (int64_t)step.lost);
		next = (int)step.input.now_ms + 1;
		assert_step(next - 1);
	}
	pthread_join(thread, NULL);
	tape_free(tape);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_come_back_as_they_were),
		cmocka_unit_test(who_is_too_slow_is_told_how_much_is_missing),
		cmocka_unit_test(steps_with_many_packs_are_whole_or_gone),
		cmocka_unit_test(a_reader_beside_the_writer_sees_whole_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
