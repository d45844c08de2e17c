// SPDX-License-Identifier: Apache-2.0
/* The wire is walked from byte to byte in the order in which they start; bytes that overlap are
 * merged into one garbled byte, as on a real bus, where a low level wins and framing is lost. */
#include "line.h"

#include <string.h>

#include "onepack/err.h"

#define BITS_PER_BYTE 10  /* start, 8 data, stop */
#define RUN_SIZE      512 /* a JK answer in one piece */

/* Bytes in a row from one talker, not handed out yet. */
struct run {
	int talker;
	int64_t end_ns;
	size_t count;
	uint8_t bytes[RUN_SIZE];
};

void line_init(struct line *line, uint32_t baud, int station_count, uint64_t seed)
{
	memset(line, 0, sizeof *line);
	line->byte_ns = BITS_PER_BYTE * INT64_C(1000000000) / baud;
	line->station_count = station_count;
	line->random.state = seed;
}

static unsigned waiting(const struct line_station *station)
{
	return station->head - station->tail;
}

/* How many of `count` bytes from place `at` on lie in a row in the ring. */
static size_t in_a_row(unsigned at, size_t count)
{
	const size_t room = LINE_QUEUE - at % LINE_QUEUE;

	return count < room ? count : room;
}

int line_send(struct line *line, int station, int64_t start_ns, const uint8_t *bytes, size_t count)
{
	struct line_station *s = &line->stations[station];

	if (count > LINE_QUEUE - waiting(s))
		return ERR_SPACE;
	if (waiting(s) == 0 && start_ns > s->next_ns)
		s->next_ns = start_ns;
	const size_t first = in_a_row(s->head, count);

	memcpy(s->queue + s->head % LINE_QUEUE, bytes, first);
	memcpy(s->queue, bytes + first, count - first);
	s->head += (unsigned)count;
	if (count > 0)
		line->talking |= UINT32_C(1) << station;
	return 0;
}

/* The next of these stations; takes it out of the set. -1 = none. */
static int next_of(uint32_t *set)
{
	int station = *set ? __builtin_ctz(*set) : -1;

	*set &= *set - 1;
	return station;
}

/* The station whose next byte starts first, or -1. */
static int first_talker(const struct line *line)
{
	uint32_t set = line->talking;
	int first = -1;

	for (int i = next_of(&set); i >= 0; i = next_of(&set))
		if (first < 0 || line->stations[i].next_ns < line->stations[first].next_ns)
			first = i;
	return first;
}

static uint8_t take_byte(struct line *line, int number)
{
	struct line_station *station = &line->stations[number];
	uint8_t byte = station->queue[station->tail++ % LINE_QUEUE];

	station->next_ns += line->byte_ns;
	if (waiting(station) == 0)
		line->talking &= ~(UINT32_C(1) << number);
	return byte;
}

/* The byte that starts first and all that overlap it, as one. */
static uint8_t take(struct line *line, int *talker)
{
	int64_t end_ns = line->stations[*talker].next_ns + line->byte_ns;
	uint8_t byte = take_byte(line, *talker);
	uint32_t others = line->talking & ~(UINT32_C(1) << *talker);

	for (int i = next_of(&others); i >= 0; i = next_of(&others)) {
		if (line->stations[i].next_ns >= end_ns)
			continue;
		byte &= take_byte(line, i);
		*talker = LINE_GARBLED;
	}
	if (*talker == LINE_GARBLED) {
		byte ^= (uint8_t)sim_random_next(&line->random);
		line->garbled++;
	}
	return byte;
}

static void hand_out(struct run *run, line_heard *heard, void *context)
{
	size_t count = run->count;

	run->count = 0;
	if (count > 0)
		heard(context, run->talker, run->end_ns, run->bytes, count);
}

/* Puts a byte that has passed into the run; noise may have changed or lost it. */
static void add(struct line *line, struct run *run, uint8_t byte)
{
	line->bytes++;
	if (sim_random_chance(&line->random, line->drop_ppm))
		return;
	if (sim_random_chance(&line->random, line->noise_ppm))
		byte ^= (uint8_t)(1u << (sim_random_next(&line->random) & 7));
	run->bytes[run->count++] = byte;
}

static bool is_lonely(const struct line *line)
{
	return line->talking != 0 && (line->talking & (line->talking - 1)) == 0 &&
	       line->noise_ppm == 0 && line->drop_ppm == 0;
}

/* The short way for a single talker on a clean line: all that has passed, at once. False when
 * nothing has. */
static bool take_all(struct line *line, int64_t now_ns, struct run *run)
{
	int number = __builtin_ctz(line->talking);
	struct line_station *s = &line->stations[number];
	int64_t passed = (now_ns - s->next_ns) / line->byte_ns;
	size_t count = waiting(s);

	if (passed <= 0 || s->next_ns > now_ns)
		return false;
	if ((int64_t)count > passed)
		count = (size_t)passed;
	if (count > RUN_SIZE)
		count = RUN_SIZE;
	const size_t first = in_a_row(s->tail, count);

	memcpy(run->bytes, s->queue + s->tail % LINE_QUEUE, first);
	memcpy(run->bytes + first, s->queue, count - first);
	s->tail += (unsigned)count;
	s->next_ns += (int64_t)count * line->byte_ns;
	if (waiting(s) == 0)
		line->talking = 0;
	line->bytes += count;
	run->count = count;
	run->talker = number;
	run->end_ns = s->next_ns;
	return true;
}

void line_run(struct line *line, int64_t now_ns, line_heard *heard, void *context)
{
	struct run run;

	run.count = 0;
	for (;;) {
		if (run.count == 0 && is_lonely(line)) {
			if (!take_all(line, now_ns, &run))
				return;
			hand_out(&run, heard, context); /* which may send */
			continue;
		}
		int talker = first_talker(line);
		int64_t start_ns = talker < 0 ? 0 : line->stations[talker].next_ns;

		if (talker < 0 || start_ns + line->byte_ns > now_ns) {
			if (run.count == 0)
				return;
			hand_out(&run, heard, context); /* which may send */
			continue;
		}
		/* A pause ends a run as another talker does: answers start at its end. */
		if (run.count > 0 &&
		    (start_ns > run.end_ns || run.count == RUN_SIZE || talker != run.talker)) {
			hand_out(&run, heard, context);
			continue;
		}
		uint8_t byte = take(line, &talker);

		if (run.count > 0 && talker != run.talker)
			hand_out(&run, heard, context);
		run.talker = talker;
		run.end_ns = start_ns + line->byte_ns;
		add(line, &run, byte);
	}
}

int64_t line_next_ns(const struct line *line)
{
	int talker = first_talker(line);

	return talker < 0 ? LINE_NEVER : line->stations[talker].next_ns + line->byte_ns;
}

int64_t line_quiet_ns(const struct line *line)
{
	int64_t quiet_ns = LINE_NEVER;
	uint32_t set = line->talking;

	for (int i = next_of(&set); i >= 0; i = next_of(&set)) {
		const struct line_station *s = &line->stations[i];
		int64_t end_ns = s->next_ns + line->byte_ns * (int64_t)waiting(s);

		if (quiet_ns == LINE_NEVER || end_ns > quiet_ns)
			quiet_ns = end_ns;
	}
	return quiet_ns;
}

bool line_hears(const struct line *line, int station, int talker)
{
	return talker != station || line->echo;
}

void line_hush(struct line *line, int station)
{
	line->stations[station].tail = line->stations[station].head;
	line->talking &= ~(UINT32_C(1) << station);
}
