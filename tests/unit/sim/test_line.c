// SPDX-License-Identifier: Apache-2.0
/* The virtual RS485 line: bytes take their time, talkers collide, faults spoil; and over a real pty
 * a burst takes about as long as on a real wire. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "near.h"
#include "onepack/clock.h"
#include "onepack/err.h"
#include "onepack/port.h"
#include "sim/line.h"
#include "sim/pty.h"

#define BYTE_NS INT64_C(86805) /* 10 bits at 115200 bit/s */

struct record {
	struct line *line;
	int talkers[64];
	int64_t end_ns[64];
	int runs;
	uint8_t bytes[4096];
	size_t count;
	bool answer; /* station 1 answers the first run 10 ms later */
};

static void heard(void *context, int talker, int64_t end_ns, const uint8_t *bytes, size_t count)
{
	struct record *r = context;

	r->talkers[r->runs] = talker;
	r->end_ns[r->runs++] = end_ns;
	memcpy(r->bytes + r->count, bytes, count);
	r->count += count;
	if (r->answer && r->runs == 1)
		line_send(r->line, 1, end_ns + 10000000, (const uint8_t *)"yes", 3);
}

static struct line *new_line(void)
{
	struct line *line = malloc(sizeof *line);

	assert_non_null(line);
	line_init(line, 115200, 3, 1);
	return line;
}

static void bytes_take_their_time(void **state)
{
	struct line *line = new_line();
	struct record r = {0};

	(void)state;
	assert_int_equal(line->byte_ns, BYTE_NS);
	assert_int_equal(line_next_ns(line), LINE_NEVER);
	line_send(line, 0, 1000, (const uint8_t *)"hello", 5);
	assert_int_equal(line_next_ns(line), 1000 + BYTE_NS);
	assert_int_equal(line_quiet_ns(line), 1000 + 5 * BYTE_NS);
	line_run(line, 1000 + BYTE_NS - 1, heard, &r);
	assert_int_equal(r.count, 0);
	line_run(line, 1000 + 3 * BYTE_NS, heard, &r);
	assert_int_equal(r.count, 3);
	assert_int_equal(r.end_ns[0], 1000 + 3 * BYTE_NS);
	line_run(line, 1000 + 5 * BYTE_NS, heard, &r);
	assert_int_equal(r.count, 5);
	assert_memory_equal(r.bytes, "hello", 5);
	assert_int_equal(line_next_ns(line), LINE_NEVER);
	free(line);
}

/* Even when the line is run late, an answer starts where it belongs, and is heard at once. */
static void answer_comes_after_its_question(void **state)
{
	struct line *line = new_line();
	struct record r = {.line = line, .answer = true};

	(void)state;
	line_send(line, 0, 0, (const uint8_t *)"who?", 4);
	line_run(line, 50000000, heard, &r);
	assert_int_equal(r.runs, 2);
	assert_int_equal(r.talkers[0], 0);
	assert_int_equal(r.talkers[1], 1);
	assert_int_equal(r.end_ns[1], 4 * BYTE_NS + 10000000 + 3 * BYTE_NS);
	assert_memory_equal(r.bytes, "who?yes", 7);
	free(line);
}

static void two_talkers_garble_each_other(void **state)
{
	struct line *line = new_line();
	struct record r = {0};

	(void)state;
	line_send(line, 1, 0, (const uint8_t *)"aaaa", 4);
	line_send(line, 2, 2 * BYTE_NS + 5, (const uint8_t *)"bbbb", 4);
	line_run(line, 100 * BYTE_NS, heard, &r);
	assert_int_equal(r.talkers[0], 1);
	assert_memory_equal(r.bytes, "aa", 2);
	assert_int_equal(r.talkers[1], LINE_GARBLED);
	assert_int_equal(line->garbled, 2);
	assert_int_equal(r.talkers[r.runs - 1], 2);
	assert_int_equal(r.count, 6); /* two clean, two garbled, two clean */
	free(line);
}

static void noise_and_loss_hit_as_often_as_asked(void **state)
{
	struct line *line = new_line();
	struct record r = {0};
	uint8_t zeros[4000] = {0};
	size_t flipped = 0;

	(void)state;
	line->noise_ppm = 100000;
	line->drop_ppm = 100000;
	line_send(line, 0, 0, zeros, sizeof zeros);
	line_run(line, 5000 * BYTE_NS, heard, &r);
	assert_in_range(r.count, 3450, 3750);
	for (size_t i = 0; i < r.count; i++)
		flipped += r.bytes[i] != 0;
	assert_in_range(flipped, 260, 460);
	free(line);
}

static void echo_is_an_option(void **state)
{
	struct line *line = new_line();

	(void)state;
	assert_false(line_hears(line, 0, 0));
	assert_true(line_hears(line, 0, 1));
	assert_true(line_hears(line, 0, LINE_GARBLED));
	line->echo = true;
	assert_true(line_hears(line, 0, 0));
	free(line);
}

static void full_queue_refuses(void **state)
{
	struct line *line = new_line();
	uint8_t bytes[LINE_QUEUE] = {0};

	(void)state;
	assert_int_equal(line_send(line, 0, 0, bytes, sizeof bytes), 0);
	assert_int_equal(line_send(line, 0, 0, bytes, 1), ERR_SPACE);
	free(line);
}

static void to_pty(void *context, int talker, int64_t end_ns, const uint8_t *bytes, size_t count)
{
	(void)talker;
	(void)end_ns;
	sim_pty_write(context, bytes, count);
}

/* 308 bytes at 115200 bit/s are 26.7 ms; a busy machine may take longer, never less. */
static void burst_over_a_pty_takes_its_time(void **state)
{
	char directory[] = "/tmp/onepack-sim-XXXXXX", path[64];
	struct line *line = new_line();
	struct sim_pty pty;
	uint8_t bytes[308] = {0};
	size_t count = 0;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/line", directory);
	assert_int_equal(sim_pty_open(&pty, path), 0);
	int fd = serial_open(path, 115200);

	assert_true(fd >= 0);
	int64_t start_us = clock_monotonic_us(), end_us = start_us;

	line_send(line, 1, start_us * 1000, bytes, sizeof bytes);
	while (count < sizeof bytes && end_us - start_us < 5000000) {
		int n;

		line_run(line, clock_monotonic_us() * 1000, to_pty, &pty);
		n = serial_read(fd, bytes, sizeof bytes, 1);
		assert_true(n >= 0);
		count += (size_t)n;
		end_us = clock_monotonic_us();
	}
	assert_int_equal(count, sizeof bytes);
	assert_in_range(end_us - start_us, 26700, 1000000);
	close(fd);
	sim_pty_close(&pty);
	assert_int_equal(access(path, F_OK), -1);
	rmdir(directory);
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_take_their_time),
		cmocka_unit_test(answer_comes_after_its_question),
		cmocka_unit_test(two_talkers_garble_each_other),
		cmocka_unit_test(noise_and_loss_hit_as_often_as_asked),
		cmocka_unit_test(echo_is_an_option),
		cmocka_unit_test(full_queue_refuses),
		cmocka_unit_test(burst_over_a_pty_takes_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
