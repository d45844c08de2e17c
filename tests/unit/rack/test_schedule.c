// SPDX-License-Identifier: Apache-2.0
/* The poll schedule in virtual time, against packs that answer after 10 ms and take 26.7 ms on the
 * wire (308 bytes at 115200): fairness, the mandatory gap, back-off, first contact, other masters.
 */
#include "rack/schedule.h"

#include <string.h>

#include "../cmocka_all.h"

#define MS       INT64_C(1000)
#define SECOND   INT64_C(1000000)
#define GAP_US   INT64_C(100000)
#define WIRE_US  INT64_C(27700) /* question and answer */
#define REACT_US INT64_C(10000)

enum { LIVE = 7, SETTINGS = 3, ABOUT = 5 }; /* numbers of the codec, in no order */

enum behaviour { ABSENT, HEALTHY, NOISY, NO_ABOUT, NO_SETTINGS };

struct line {
	struct schedule schedule;
	enum behaviour packs[SCHEDULE_ADDRESSES];
	int64_t now_us, quiet_us;
	uint64_t asked[SCHEDULE_ADDRESSES][8]; /* by address and codec number */
	uint64_t complete[SCHEDULE_ADDRESSES];
	int64_t last_complete_us[SCHEDULE_ADDRESSES], worst_us[SCHEDULE_ADDRESSES];
};

static const struct schedule_config config = {
	.addresses = 0xFFFE, /* 1..15 */
	.message_count = 3,
	.messages = {{LIVE, SCHEDULE_LIVE}, {SETTINGS, SCHEDULE_SETTINGS}, {ABOUT, SCHEDULE_ABOUT}},
	.gap_us = GAP_US,
	.answer_us = WIRE_US,
};

static void line_start(struct line *line, const char *behaviours)
{
	memset(line, 0, sizeof *line);
	for (int i = 1; *behaviours; i++, behaviours++)
		line->packs[i] = *behaviours == 'H'   ? HEALTHY
				 : *behaviours == 'n' ? NOISY
				 : *behaviours == 'a' ? NO_ABOUT
				 : *behaviours == 's' ? NO_SETTINGS
						      : ABSENT;
	line->now_us = 5000000;
	line->quiet_us = line->now_us;
	schedule_init(&line->schedule, &config, line->now_us);
}

static enum schedule_result behave(const struct line *line, const struct schedule_step *step)
{
	switch (line->packs[step->address]) {
	case ABSENT: return SCHEDULE_SILENT;
	case NOISY: return SCHEDULE_DAMAGED;
	case NO_ABOUT: return step->message == ABOUT ? SCHEDULE_SILENT : SCHEDULE_ANSWERED;
	case NO_SETTINGS: return step->message == SETTINGS ? SCHEDULE_SILENT : SCHEDULE_ANSWERED;
	case HEALTHY: break;
	}
	return SCHEDULE_ANSWERED;
}

static void count_complete(struct line *line, int address)
{
	int64_t since_us = line->now_us - line->last_complete_us[address];

	if (line->complete[address]++ > 0 && since_us > line->worst_us[address])
		line->worst_us[address] = since_us;
	line->last_complete_us[address] = line->now_us;
}

/* One step; checks the gap each time. */
static struct schedule_step line_step(struct line *line)
{
	struct schedule_step step = schedule_next(&line->schedule, line->now_us);
	enum schedule_result result;

	if (step.at_us > line->now_us)
		line->now_us = step.at_us;
	if (step.kind == SCHEDULE_LISTEN)
		return step;
	assert_true(line->now_us - line->quiet_us >= GAP_US);
	assert_true(config.addresses >> step.address & 1);
	result = behave(line, &step);
	line->asked[step.address][step.message]++;
	line->now_us += result == SCHEDULE_SILENT ? step.timeout_us : REACT_US + WIRE_US;
	line->quiet_us =
		result == SCHEDULE_SILENT ? line->now_us - step.timeout_us + 955 : line->now_us;
	schedule_heard(&line->schedule, line->quiet_us);
	if (schedule_done(&line->schedule, line->now_us, result))
		count_complete(line, step.address);
	return step;
}

static void line_run(struct line *line, int64_t duration_us)
{
	int64_t end_us = line->now_us + duration_us;

	while (line->now_us < end_us)
		line_step(line);
}

static void forget_figures(struct line *line)
{
	memset(line->asked, 0, sizeof line->asked);
	memset(line->complete, 0, sizeof line->complete);
	memset(line->worst_us, 0, sizeof line->worst_us);
}

static void test_fifteen_packs_take_wire_time_and_gaps(void **state)
{
	struct line line;
	int64_t bound_us = 15 * (GAP_US + REACT_US + WIRE_US);
	uint64_t cycles;

	(void)state;
	line_start(&line, "HHHHHHHHHHHHHHH");
	line_run(&line, 10 * SECOND);
	for (int i = 1; i <= 15; i++) { /* first contact is over */
		assert_true(line.complete[i] > 1);
		assert_int_equal(line.asked[i][SETTINGS], 1);
		assert_int_equal(line.asked[i][ABOUT], 1);
	}
	forget_figures(&line);
	cycles = line.schedule.cycles;
	line_run(&line, 40 * SECOND);
	assert_in_range(line.schedule.cycles - cycles, 18, 20);
	assert_in_range(line.schedule.cycle_us, bound_us, bound_us + 1000);
	for (int i = 1; i <= 15; i++) {
		assert_in_range(line.asked[i][LIVE], 18, 20);
		assert_in_range(line.worst_us[i], bound_us, bound_us + 1000);
	}
}

/* Whoever wants it slower gets whole cycles, evenly, with pauses between them. */
static void test_a_pace(void **state)
{
	struct line line;
	int64_t start_us;
	uint64_t cycles;

	(void)state;
	line_start(&line, "HHH");
	line.schedule.config.cycle_us = 4 * SECOND;
	line_run(&line, 20 * SECOND);
	cycles = line.schedule.cycles;
	start_us = line.schedule.cycle_start_us;
	forget_figures(&line);
	line_run(&line, 40 * SECOND);
	assert_in_range(line.schedule.cycles - cycles, 10, 11);
	assert_int_equal((line.schedule.cycle_start_us - start_us) % (4 * SECOND), 0);
	for (int i = 1; i <= 3; i++)
		assert_in_range(line.worst_us[i], 4 * SECOND, 4 * SECOND + GAP_US);
	assert_true(line.schedule.cycle_us < SECOND);

	/* in a hurry a pause ends at once, or when the shorter one would have */
	while (schedule_next(&line.schedule, line.now_us).kind == SCHEDULE_ASK)
		line_step(&line);
	start_us = line.schedule.rest_us;
	schedule_pace(&line.schedule, 3 * SECOND, line.now_us);
	assert_int_equal(line.schedule.rest_us, start_us - SECOND);
	schedule_pace(&line.schedule, 0, line.now_us);
	assert_int_equal(line.schedule.rest_us, line.now_us);
	assert_int_equal(schedule_next(&line.schedule, line.now_us).kind, SCHEDULE_ASK);
	schedule_pace(&line.schedule, 9 * SECOND, line.now_us); /* no pause to change */
	assert_int_equal(line.schedule.rest_us, line.now_us);
}

/* All fifteen in the first round have live data and settings asked: within 15 x 2 exchanges. */
static void test_first_contact_is_quick(void **state)
{
	struct line line;

	(void)state;
	line_start(&line, "HHHHHHHHHHHHHHH");
	line_run(&line, 30 * (GAP_US + REACT_US + WIRE_US));
	for (int i = 1; i <= 15; i++)
		assert_int_equal(line.complete[i], 1);
	line_start(&line, "..............H"); /* the last one waits for fourteen short tries */
	line_run(&line, 14 * (GAP_US + 2 * WIRE_US + REACT_US) + 400 * MS);
	assert_int_equal(line.complete[15], 1);
}

/* However many addresses are silent, all of them together cost a cycle one short try. */
static void test_silent_addresses_do_not_starve(void **state)
{
	(void)state;
	for (int silent = 0; silent < 15; silent++) {
		struct line line;
		char packs[16] = "HHHHHHHHHHHHHHH";
		int healthy = 15 - silent;
		int64_t bound_us =
			healthy * (GAP_US + REACT_US + WIRE_US) + (GAP_US + 100 * MS + WIRE_US);
		uint64_t probes = 0;

		memset(packs, '.', (size_t)silent);
		line_start(&line, packs);
		line_run(&line, 20 * SECOND);
		forget_figures(&line);
		line_run(&line, 30 * SECOND);
		for (int i = 1; i <= 15; i++) {
			if (i > silent)
				assert_true(line.worst_us[i] <= bound_us);
			else
				probes += line.asked[i][LIVE];
		}
		if (silent) /* each gets its share of the tries */
			for (int i = 1; i <= silent; i++)
				assert_in_range(line.asked[i][LIVE], probes / (unsigned)silent - 1,
						probes / (unsigned)silent + 1);
	}
}

/* A pack that falls silent costs one time-out a cycle: half a second once, then short ones, and
 * after three cycles nothing of its own. */
static void test_falling_silent_costs_little(void **state)
{
	struct line line;
	int64_t normal_us;
	uint64_t cycle;

	(void)state;
	line_start(&line, "HHHHHHHHHHHHHHH");
	line_run(&line, 20 * SECOND);
	normal_us = line.schedule.cycle_us;
	line.packs[4] = line.packs[9] = ABSENT;
	forget_figures(&line);
	cycle = line.schedule.cycles;
	while (line.schedule.cycles < cycle + 4) {
		line_step(&line);
		assert_true(line.schedule.cycle_us <= normal_us + SECOND);
	}
	assert_int_equal(line.asked[4][LIVE], 3);
	forget_figures(&line);
	line_run(&line, 20 * SECOND);
	assert_true(line.schedule.cycle_us < normal_us);
	assert_true(line.asked[4][LIVE] <= 6);
	line.packs[4] = line.packs[9] = HEALTHY;
	forget_figures(&line);
	line_run(&line, 6 * SECOND);
	assert_true(line.complete[4] > 0 && line.complete[9] > 0);
	/* it may be another pack now: its settings are read before it counts, then who it is */
	assert_int_equal(line.asked[4][SETTINGS], 1);
	assert_int_equal(line.asked[4][ABOUT], 1);
}

/* A cable comes back: nobody waits for fifteen background tries. */
static void test_all_come_back_together(void **state)
{
	struct line line;

	(void)state;
	line_start(&line, "HHHHHHHHHHHHHHH");
	line_run(&line, 20 * SECOND);
	for (int i = 1; i <= 15; i++)
		line.packs[i] = ABSENT;
	line_run(&line, 60 * SECOND);
	for (int i = 1; i <= 15; i++)
		line.packs[i] = HEALTHY;
	forget_figures(&line);
	line_run(&line, 5 * SECOND);
	for (int i = 1; i <= 15; i++)
		assert_true(line.complete[i] > 0);
}

static void test_settings_are_refreshed_one_by_one(void **state)
{
	struct line line;

	(void)state;
	line_start(&line, "HHHHHHHHHHHHHHH");
	line_run(&line, 20 * SECOND);
	forget_figures(&line);
	for (int i = 0; i < 300; i++) {
		uint64_t cycle = line.schedule.cycles, before = 0, after = 0;

		for (int a = 1; a <= 15; a++)
			before += line.asked[a][SETTINGS];
		while (line.schedule.cycles == cycle)
			line_step(&line);
		for (int a = 1; a <= 15; a++)
			after += line.asked[a][SETTINGS];
		assert_true(after - before <= 1);
	}
	/* 300 cycles take about 630 s: each was read about every minute */
	for (int i = 1; i <= 15; i++) {
		assert_in_range(line.asked[i][SETTINGS], 9, 11);
		assert_int_equal(line.asked[i][ABOUT], 0);
	}
}

/* Information that a pack does not give is asked for ever more rarely, and does not hold it back.
 */
static void test_patience_with_missing_messages(void **state)
{
	struct line line;

	(void)state;
	line_start(&line, "asH");
	line_run(&line, 60 * SECOND);
	assert_in_range(line.asked[1][ABOUT], 4, 7);
	assert_true(line.complete[1] > 50);
	assert_in_range(line.asked[2][SETTINGS], 4, 7);
	assert_true(line.asked[2][LIVE] > 50);
	assert_int_equal(line.complete[2], 0); /* never without its settings */
	line.packs[2] = HEALTHY;
	line_run(&line, 70 * SECOND);
	assert_true(line.complete[2] > 0);
}

/* Damaged answers: once more in the same turn, given up after three turns. */
static void test_damage_is_retried_once(void **state)
{
	struct line line;

	(void)state;
	line_start(&line, "HHH");
	line_run(&line, 20 * SECOND);
	line.packs[2] = NOISY;
	forget_figures(&line);
	line_run(&line, 4 * (GAP_US + REACT_US + WIRE_US) + 50 * MS);
	assert_int_equal(line.asked[2][LIVE], 2);
	assert_true(line.asked[1][LIVE] >= 1 && line.asked[3][LIVE] >= 1);
	line_run(&line, 60 * SECOND);
	assert_true(line.worst_us[1] < 5 * (GAP_US + REACT_US + WIRE_US) + 300 * MS);
}

static void test_another_master_silences_us(void **state)
{
	struct line line;
	struct schedule_step step;

	(void)state;
	line_start(&line, "HHH");
	line_run(&line, 10 * SECOND);
	(void)schedule_next(&line.schedule, line.now_us); /* a question was due */
	for (int i = 0; i < 20; i++) {                    /* it asks every 260 ms */
		schedule_heard(&line.schedule, line.now_us);
		schedule_foreign(&line.schedule, line.now_us);
		assert_false(schedule_done(&line.schedule, line.now_us, SCHEDULE_ANSWERED));
		step = schedule_next(&line.schedule, line.now_us);
		assert_int_equal(step.kind, SCHEDULE_LISTEN);
		assert_int_equal(step.at_us, line.now_us + 2000 * MS);
		assert_true(schedule_is_listening(&line.schedule, line.now_us));
		line.now_us += 260 * MS;
	}
	forget_figures(&line);
	line_step(&line); /* listens to the end */
	assert_false(schedule_is_listening(&line.schedule, line.now_us));
	line_run(&line, 10 * SECOND); /* two rounds over twelve absent ones take half of it */
	assert_int_equal(line.asked[1][SETTINGS], 1);
	assert_true(line.complete[1] > 5);
}

static void test_listens_before_the_first_question(void **state)
{
	struct schedule_config patient = config;
	struct schedule schedule;
	struct schedule_step step;

	(void)state;
	patient.listen_us = 1000 * MS;
	schedule_init(&schedule, &patient, 77);
	step = schedule_next(&schedule, 78);
	assert_int_equal(step.kind, SCHEDULE_LISTEN);
	assert_int_equal(step.at_us, 77 + 1000 * MS);
	step = schedule_next(&schedule, step.at_us);
	assert_int_equal(step.kind, SCHEDULE_ASK);
	assert_int_equal(step.address, 1);
	assert_true(step.stranger && step.first);
}

/* Every byte on the line moves the question, but a line that is never quiet is asked some day. */
static void test_noise_moves_the_gap(void **state)
{
	struct line line;
	struct schedule_step step, again;
	int64_t start_us;

	(void)state;
	line_start(&line, "HHH");
	line_run(&line, 1000 * MS);
	start_us = line.now_us;
	step = schedule_next(&line.schedule, start_us);
	schedule_heard(&line.schedule, start_us + 60 * MS);
	again = schedule_next(&line.schedule, start_us + 60 * MS);
	assert_int_equal(again.at_us, start_us + 60 * MS + GAP_US);
	assert_int_equal(again.address, step.address);
	for (int i = 0; i < 1000; i++)
		schedule_heard(&line.schedule, start_us + i * MS);
	assert_int_equal(schedule_next(&line.schedule, start_us + 1000 * MS).at_us,
			 start_us + 5 * GAP_US);
}

/* A protocol with its live data in two messages and no settings. */
static void test_two_live_messages(void **state)
{
	struct schedule_config two = config;
	struct schedule schedule;
	int64_t now_us = 0;
	int completed = 0;

	(void)state;
	two.addresses = 1 << 2;
	two.message_count = 2;
	two.messages[1].role = SCHEDULE_LIVE;
	schedule_init(&schedule, &two, now_us);
	for (int i = 0; i < 10; i++) {
		struct schedule_step step = schedule_next(&schedule, now_us);

		assert_int_equal(step.message, i % 2 ? SETTINGS : LIVE);
		assert_int_equal(step.first, i % 2 == 0);
		now_us = step.at_us + 30 * MS;
		schedule_heard(&schedule, now_us);
		completed += schedule_done(&schedule, now_us, SCHEDULE_ANSWERED);
		assert_int_equal(completed, (i + 1) / 2);
	}
}

static void test_nobody_to_ask(void **state)
{
	struct schedule_config none = config;
	struct schedule schedule;

	(void)state;
	none.addresses = 0;
	schedule_init(&schedule, &none, 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(schedule_next(&schedule, i * MS).kind, SCHEDULE_LISTEN);
}

/* Anything may happen to anybody: the gap is kept (line_step checks it), and a healthy pack never
 * waits longer than all others failing at once could make it. */
static void test_random_faults(void **state)
{
	struct line line;
	const int64_t turn_us = GAP_US + REACT_US + WIRE_US;
	const int64_t worst_us = INT64_C(15) * (2 * turn_us + 1000 * MS + GAP_US + WIRE_US);

	uint32_t dice = 4711; /* the same faults in every run */

	(void)state;
	line_start(&line, "HHHHHHHHHHHHHHH");
	for (int i = 0; i < 20000; i++) {
		dice = dice * 1664525 + 1013904223;
		if (dice >> 8 & 15)
			continue;
		line.packs[2 + (dice >> 12) % 14] = (enum behaviour)((dice >> 20) % 5);
		for (int steps = 0; steps < 20; steps++)
			line_step(&line);
	}
	assert_true(line.complete[1] > 500);
	assert_true(line.worst_us[1] < worst_us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fifteen_packs_take_wire_time_and_gaps),
		cmocka_unit_test(test_a_pace),
		cmocka_unit_test(test_first_contact_is_quick),
		cmocka_unit_test(test_silent_addresses_do_not_starve),
		cmocka_unit_test(test_falling_silent_costs_little),
		cmocka_unit_test(test_all_come_back_together),
		cmocka_unit_test(test_settings_are_refreshed_one_by_one),
		cmocka_unit_test(test_patience_with_missing_messages),
		cmocka_unit_test(test_damage_is_retried_once),
		cmocka_unit_test(test_another_master_silences_us),
		cmocka_unit_test(test_listens_before_the_first_question),
		cmocka_unit_test(test_noise_moves_the_gap),
		cmocka_unit_test(test_two_live_messages),
		cmocka_unit_test(test_nobody_to_ask),
		cmocka_unit_test(test_random_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
