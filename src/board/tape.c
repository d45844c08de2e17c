// SPDX-License-Identifier: Apache-2.0
/* The tape as three rings with counters that never turn back: steps, and the packs and errors that
 * they hold. With 16 packs on one fast line (some 8 answers and 20 steps a second) it keeps about
 * four minutes in 2 MB. */
#include "onepack/tape.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define STEPS  4096
#define PACKS  2048
#define ERRORS 2048

struct step {
	int64_t now_ms, wall_ms;
	int32_t bus_current_ma;
	bool acknowledge;
	int32_t pack_count, error_count;
	uint64_t first_pack, first_error;
};

struct tape {
	pthread_mutex_t lock;
	uint64_t step_count, pack_count, error_count; /* ever written */
	struct step steps[STEPS];
	struct pack packs[PACKS];
	struct bus_error errors[ERRORS];
};

struct tape *tape_new(void)
{
	struct tape *tape = calloc(1, sizeof *tape);

	if (tape)
		pthread_mutex_init(&tape->lock, NULL);
	return tape;
}

void tape_free(struct tape *tape)
{
	if (!tape)
		return;
	pthread_mutex_destroy(&tape->lock);
	free(tape);
}

void tape_write(struct tape *tape, const struct fusion_input *input, int64_t wall_ms)
{
	pthread_mutex_lock(&tape->lock);
	tape->steps[tape->step_count++ % STEPS] = (struct step){
		.now_ms = input->now_ms,
		.wall_ms = wall_ms,
		.bus_current_ma = input->bus_current_ma,
		.acknowledge = input->acknowledge,
		.pack_count = input->pack_count,
		.error_count = input->error_count,
		.first_pack = tape->pack_count,
		.first_error = tape->error_count,
	};
	for (int i = 0; i < input->pack_count; i++)
		tape->packs[tape->pack_count++ % PACKS] = input->packs[i];
	for (int i = 0; i < input->error_count; i++)
		tape->errors[tape->error_count++ % ERRORS] = input->errors[i];
	pthread_mutex_unlock(&tape->lock);
}

uint64_t tape_end(struct tape *tape)
{
	pthread_mutex_lock(&tape->lock);
	const uint64_t end = tape->step_count;
	pthread_mutex_unlock(&tape->lock);
	return end;
}

/* Nothing of step `number` (which was written) has been overwritten. */
static bool is_whole(const struct tape *tape, uint64_t number)
{
	const struct step *step = &tape->steps[number % STEPS];

	return tape->step_count - number <= STEPS && tape->pack_count - step->first_pack <= PACKS &&
	       tape->error_count - step->first_error <= ERRORS;
}

static void copy_step(const struct tape *tape, uint64_t number, struct tape_step *out)
{
	const struct step *step = &tape->steps[number % STEPS];
	struct fusion_input *input = &out->input;

	fusion_input_clear(input);
	input->now_ms = step->now_ms;
	input->bus_current_ma = step->bus_current_ma;
	input->acknowledge = step->acknowledge;
	input->pack_count = step->pack_count;
	input->error_count = step->error_count;
	for (int i = 0; i < step->pack_count; i++)
		input->packs[i] = tape->packs[(step->first_pack + (uint64_t)i) % PACKS];
	for (int i = 0; i < step->error_count; i++)
		input->errors[i] = tape->errors[(step->first_error + (uint64_t)i) % ERRORS];
	out->wall_ms = step->wall_ms;
}

/* The first step from `number` on that can be read, or the end. */
static uint64_t first_whole(const struct tape *tape, uint64_t number)
{
	if (tape->step_count > STEPS && number < tape->step_count - STEPS)
		number = tape->step_count - STEPS;
	while (number < tape->step_count && !is_whole(tape, number))
		number++;
	return number;
}

uint64_t tape_oldest(struct tape *tape)
{
	pthread_mutex_lock(&tape->lock);
	const uint64_t oldest = first_whole(tape, 0);
	pthread_mutex_unlock(&tape->lock);
	return oldest;
}

bool tape_read(struct tape *tape, uint64_t *position, struct tape_step *out)
{
	uint64_t number;
	bool found;

	pthread_mutex_lock(&tape->lock);
	number = first_whole(tape, *position);
	found = number < tape->step_count;
	if (found) {
		copy_step(tape, number, out);
		out->lost = number - *position;
		*position = number + 1;
	}
	pthread_mutex_unlock(&tape->lock);
	return found;
}
