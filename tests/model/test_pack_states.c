// SPDX-License-Identifier: Apache-2.0
/* The real fusion against pack_states.table, which the Spin model is made from: every row is
 * driven, and in random runs nothing happens that is no row. */
#include "table.h"

#include <stdlib.h>

#include "onepack/fusion.h"

#define PACKS     3 /* pack 1 is driven, the others keep it company */
#define STEP_MS   500
#define LOST_MS   30000
#define HERE_MV   53000
#define FAR_MV    49000 /* too far to join */
#define RUNS      100
#define RUN_STEPS 400

static struct table table;

struct bench {
	struct fusion *fusion;
	struct fusion_input input;
	struct battery battery;
	int64_t now_ms;
};

static struct bench bench;

static void bench_start(void)
{
	struct fusion_config config;

	fusion_config_default(&config);
	if (!bench.fusion)
		bench.fusion = malloc(fusion_size());
	assert_non_null(bench.fusion);
	fusion_init(bench.fusion, &config);
	fusion_input_clear(&bench.input);
	bench.now_ms = 1000;
}

static struct pack *add_answer(int number, int32_t voltage_mv)
{
	struct pack *pack = &bench.input.packs[bench.input.pack_count++];

	pack_clear(pack);
	pack->pack = pack->address = number;
	snprintf(pack->serial, sizeof pack->serial, "PACK%d", number);
	pack->voltage_mv = voltage_mv;
	pack->current_ma = 5000;
	pack->soc_mpct = 50000;
	pack->capacity_mah = 280000;
	pack->charge_current_limit_ma = pack->discharge_current_limit_ma = 100000;
	pack->charge_mos = pack->discharge_mos = 1;
	pack->cell_count = 16;
	for (int i = 0; i < 16; i++)
		pack->cells_mv[i] = voltage_mv / 16;
	pack->temperature_count = 1;
	pack->temperatures_mC[0] = 25000;
	return pack;
}

/* Ends the step and returns the state of pack `number` behind it. */
static const char *step_of(int number, int64_t after_ms)
{
	bench.now_ms += after_ms;
	bench.input.now_ms = bench.now_ms;
	fusion_step(bench.fusion, &bench.input, &bench.battery);
	fusion_input_clear(&bench.input);
	for (int i = 0; i < bench.battery.pack_count; i++)
		if (bench.battery.packs[i].pack == number)
			return unit_word(UNIT_PACK_STATE, bench.battery.packs[i].state);
	return "absent";
}

/* The company answers in every step, so that there is a bus voltage to compare with. */
static const char *step(int64_t after_ms)
{
	add_answer(2, HERE_MV);
	add_answer(3, HERE_MV);
	return step_of(1, after_ms);
}

/* --- what can come in --- */

static const char *good(int32_t voltage_mv)
{
	add_answer(1, voltage_mv);
	return step(STEP_MS);
}

static const char *bad(void)
{
	add_answer(1, HERE_MV)->current_ma = FIELD_UNKNOWN;
	return step(STEP_MS);
}

static const char *stranger(void)
{
	strcpy(add_answer(1, HERE_MV)->serial, "STRANGER");
	return step(STEP_MS);
}

static const char *surprise(void)
{
	struct pack *pack = add_answer(1, HERE_MV);

	pack->cells_mv[3] += 300;
	pack->voltage_mv += 300;
	return step(STEP_MS);
}

/* --- into a state --- */

static void repeat(const char *(*what)(void), int times)
{
	for (int i = 0; i < times; i++)
		what();
}

static const char *plain_good(void)
{
	return good(HERE_MV);
}

static void into_candidate(void)
{
	good(FAR_MV);
}

static void into_active(void)
{
	repeat(plain_good, 2);
}

static void into_held(void)
{
	into_active();
	for (int i = 0; i < 8; i++)
		step(STEP_MS);
}

static void into_lost(void)
{
	into_active();
	step(LOST_MS);
}

static void into_quarantined(void)
{
	into_active();
	repeat(bad, 3);
}

static void into_doubted(void)
{
	into_quarantined();
	repeat(plain_good, 9);
	surprise();
}

static void nothing(void)
{
}

static void into_probing(void)
{
	bad();
}

static const struct {
	const char *name;
	void (*into)(void);
} states[] = {
	{"absent", nothing},
	{"probing", into_probing},
	{"candidate", into_candidate},
	{"active", into_active},
	{"held", into_held},
	{"lost", into_lost},
	{"quarantined", into_quarantined},
};

/* --- one event --- */

static const char *event_silence(const char *from)
{
	(void)from;
	return step(STEP_MS);
}

static const char *event_stale(const char *from)
{
	(void)from;
	return step(3500);
}

static const char *event_gone(const char *from)
{
	if (strcmp(from, "probing") == 0)
		into_doubted();
	return step(LOST_MS);
}

static const char *event_bad(const char *from)
{
	(void)from;
	return bad();
}

static const char *event_garbage(const char *from)
{
	repeat(bad, strcmp(from, "probing") == 0 ? 1 : 2); /* into_probing was one already */
	return bad();
}

static const char *event_good(const char *from)
{
	return good(strcmp(from, "candidate") == 0 ? FAR_MV : HERE_MV);
}

static const char *event_joins(const char *from)
{
	(void)from;
	return good(HERE_MV); /* the second good answer, close to the others at last */
}

static const char *event_forgiven(const char *from)
{
	(void)from;
	repeat(plain_good, 9);
	return plain_good();
}

static const char *event_forgiven_in_doubt(const char *from)
{
	(void)from;
	repeat(plain_good, 9);
	return surprise();
}

/* So long after the last believed answer only a dangerous value is a surprise. */
static const char *event_forgiven_late(const char *from)
{
	(void)from;
	step(LOST_MS);
	repeat(plain_good, 9);
	add_answer(1, 16 * 3700);
	return step(STEP_MS);
}

static const char *event_replaced(const char *from)
{
	if (strcmp(from, "probing") == 0)
		into_doubted();
	repeat(stranger, 2);
	return stranger();
}

static const struct {
	const char *name;
	const char *(*happen)(const char *from);
} events[] = {
	{"silence", event_silence},
	{"stale", event_stale},
	{"gone", event_gone},
	{"bad", event_bad},
	{"garbage", event_garbage},
	{"good", event_good},
	{"joins", event_joins},
	{"forgiven", event_forgiven},
	{"forgiven_in_doubt", event_forgiven_in_doubt},
	{"forgiven_late", event_forgiven_late},
	{"replaced", event_replaced},
};

/* Brings pack 1 into a state; fails when that is not reached. */
static void reach(const char *name)
{
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		if (strcmp(states[i].name, name) != 0)
			continue;
		bench_start();
		step(STEP_MS);
		step(STEP_MS); /* the company is active */
		states[i].into();
		for (int k = 0; k < bench.battery.pack_count; k++)
			if (bench.battery.packs[k].pack == 1)
				assert_string_equal(
					unit_word(UNIT_PACK_STATE, bench.battery.packs[k].state),
					name);
		return;
	}
	fail_msg("no way into state %s", name);
}

static void every_row_of_the_table_happens(void **state)
{
	(void)state;
	for (int i = 0; i < table.row_count; i++) {
		const struct table_row *row = &table.rows[i];
		const char *to = NULL;

		reach(row->from);
		for (size_t k = 0; k < sizeof events / sizeof events[0]; k++)
			if (strcmp(events[k].name, row->event) == 0)
				to = events[k].happen(row->from);
		if (!to || strcmp(to, row->to) != 0)
			fail_msg("%s, %s: the table says %s, the fusion %s", row->from, row->event,
				 row->to, to ? to : "nothing");
	}
}

/* --- random runs --- */

static uint32_t seed;

static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525U + 1013904223U;
	return (seed >> 8) % below;
}

/* An answer as it may come from a pack that is fine, far away, broken, or another one. */
static void random_answer(int number)
{
	struct pack *pack = add_answer(number, draw(6) ? HERE_MV + (int32_t)draw(200) : FAR_MV);

	switch (draw(12)) {
	case 0: pack->current_ma = FIELD_UNKNOWN; break;
	case 1: pack->soc_mpct = 130000; break;
	case 2: pack->cells_mv[5] = 3900; break;
	case 3: strcpy(pack->serial, "STRANGER"); break;
	case 4: snprintf(pack->serial, sizeof pack->serial, "\x01%u", draw(1000)); break;
	case 5: pack->capacity_mah = 100000; break;
	case 6: pack->cell_count = 9; break;
	default: break;
	}
}

static int64_t random_pause(void)
{
	switch (draw(20)) {
	case 0: return 31000;
	case 1: return 12000;
	case 2: return 3500;
	default: return 200 + draw(800);
	}
}

/* With several temperaments, so that long silences and long healthy times both occur. */
static void nothing_else_happens_in_random_runs(void **state)
{
	char before[PACKS][TABLE_WORD];
	bool seen[TABLE_ROWS] = {false};
	int kinds = 0;

	(void)state;
	for (seed = 1; seed <= RUNS * 7919; seed += 7919) {
		const uint32_t first_seed = seed, rarely = 1 + draw(4), broken = draw(3);

		bench_start();
		for (int i = 0; i < PACKS; i++)
			strcpy(before[i], "absent");
		for (int n = 0; n < RUN_STEPS; n++) {
			const int64_t pause_ms = random_pause();
			bool answered[PACKS] = {false};

			for (int i = 0; i < PACKS; i++) {
				answered[i] = draw(rarely) == 0;
				if (answered[i] && draw(10) < broken)
					random_answer(i + 1);
				else if (answered[i])
					add_answer(i + 1, HERE_MV);
			}
			step_of(1, pause_ms);
			for (int i = 0; i < PACKS; i++) {
				const char *now = "absent";

				for (int k = 0; k < bench.battery.pack_count; k++)
					if (bench.battery.packs[k].pack == i + 1)
						now = unit_word(UNIT_PACK_STATE,
								bench.battery.packs[k].state);
				if (!table_allows(&table, before[i], now, answered[i]))
					fail_msg("seed %u, step %d, pack %d: %s -> %s %s an answer",
						 first_seed, n, i + 1, before[i], now,
						 answered[i] ? "with" : "without");
				for (int row = 0; row < table.row_count; row++)
					seen[row] |= strcmp(table.rows[row].from, before[i]) == 0 &&
						     strcmp(table.rows[row].to, now) == 0;
				snprintf(before[i], sizeof before[i], "%s", now);
			}
		}
		seed = first_seed;
	}
	for (int row = 0; row < table.row_count; row++)
		kinds += seen[row];
	assert_true(kinds > table.row_count * 3 / 4); /* else these runs prove little */
}

static int set_up(void **state)
{
	(void)state;
	table_read(&table, "pack_states.table");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(bench.fusion);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_table_happens),
		cmocka_unit_test(nothing_else_happens_in_random_runs),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
