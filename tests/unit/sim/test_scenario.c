// SPDX-License-Identifier: Apache-2.0
/* Scenario files: what is read, what is refused and where, and that writing and reading again gives
 * exactly the same; the plant and the day that a scenario means. */
#include "sim/scenario.h"

#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "onepack/err.h"
#include "sim/swarm.h"

#define DAY_MS INT64_C(86400000)

static int parse(const char *text, char *complaints, size_t size, struct scenario *out)
{
	FILE *errors = fmemopen(complaints, size, "w");
	int err;

	memset(complaints, 0, size);
	err = scenario_parse("test.yaml", text, strlen(text), errors, out);
	fclose(errors);
	return err;
}

static const char example[] =
	"title: two packs of 72 and 28 %\n"
	"seed: 9\n"
	"duration_s: 600.5\n"
	"inverter: can/victron-20170717\n"
	"rack:\n"
	"  packs:\n"
	"    - {capacity_ah: 100, wiring_mohm: 8.5, charge_a: 50}\n"
	"    - {count: 2, capacity_ah: 280, soc_pct: 60}\n"
	"weather: {mean_c: -5}\n"
	"power: {steps: [[0, 5000], [60, -3000]]}\n"
	"battery: {limit_rule: sum, rise_hold_s: 10}\n"
	"faults:\n"
	"  - {kind: cable_growing, pack: 2, start_s: 100, end_s: 200, magnitude: 40}\n"
	"  - {kind: cell_wrong, pack: 1, cell: 3, start_s: 5, magnitude: -0.25}\n"
	"  - {kind: gateway_crash, start_s: 10, end_s: 12}\n";

static void a_file_says_everything(void **state)
{
	char complaints[2000];
	struct scenario s;

	(void)state;
	assert_int_equal(parse(example, complaints, sizeof complaints, &s), 0);
	assert_string_equal(complaints, "");
	assert_int_equal(s.pack_count, 3);
	assert_int_equal(s.packs[0].wiring_uohm, 8500);
	assert_int_equal(s.packs[2].capacity_mah, 280000);
	assert_int_equal(s.packs[2].charge_ma, 157000);
	assert_int_equal(s.duration_ms, 600500);
	assert_int_equal(s.battery.limit_rule, LIMIT_RULE_SUM);
	assert_int_equal(s.battery.rise_hold_ms, 10000);
	assert_int_equal(s.mean_mC, -5000);
	assert_int_equal(s.fault_count, 3);
	assert_int_equal(s.faults[0].kind, FAULT_cable_growing);
	assert_int_equal(s.faults[0].milli, 40000);
	assert_int_equal(s.faults[1].milli, -250);
	assert_int_equal(s.faults[1].end_ms, 600500);
	assert_true(scenario_power_w(&s, 59999) == 5000);
	assert_true(scenario_power_w(&s, 60000) == -3000);
}

static void mistakes_are_shown_at_their_place(void **state)
{
	static const struct {
		const char *text, *complaint;
	} table[] = {
		{"rack: {packs: [{capacity_ah: 0.1}]}", "test.yaml:1:"},
		{"rack: {packs: []}", "at least one pack"},
		{"rack: {packs: [{count: 9}, {count: 8}]}", "16 packs are the most"},
		{"faults:\n  - {kind: gremlins}", "gremlins is no kind of fault"},
		{"faults:\n  - {kind: trip, magnitude: 3}", "trip has no magnitude"},
		{"faults:\n  - {kind: cable, pack: 1}", "cable needs a magnitude, 5 to 200 mohm"},
		{"faults:\n  - {kind: cable, pack: 1, magnitude: 999}", "test.yaml:2:"},
		{"faults:\n  - {kind: trip, pack: 5}", "test.yaml:2:"},
		{"faults:\n  - {kind: trip, start_s: 9, end_s: 9}", "end_s must be after start_s"},
		{"power: {steps: [[5, 1], [5, 2]]}", "must rise"},
		{"battery: {limit_rule: best}", "'best' is not possible"},
		{"weather: {rain: 3}", "rain"},
		{"[1, 2]", "a scenario is a mapping"},
	};
	char complaints[4000];
	struct scenario s, before;

	(void)state;
	memset(&s, 7, sizeof s);
	before = s;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		assert_int_equal(parse(table[i].text, complaints, sizeof complaints, &s),
				 ERR_FORMAT);
		if (!strstr(complaints, table[i].complaint))
			fail_msg("%s: %s", table[i].text, complaints);
		assert_memory_equal(&s, &before, sizeof s);
	}
}

/* Compared by writing it once more: members that padding separates have no bytes to compare. */
static void assert_round_trip(const struct scenario *s)
{
	char *text = NULL, *again = NULL, complaints[2000];
	size_t length = 0, length_again = 0;
	struct scenario read;
	FILE *out = open_memstream(&text, &length);

	scenario_write(s, out);
	fclose(out);
	if (parse(text, complaints, sizeof complaints, &read) != 0)
		fail_msg("%s\n%s", complaints, text);
	out = open_memstream(&again, &length_again);
	scenario_write(&read, out);
	fclose(out);
	assert_string_equal(text, again);
	assert_int_equal(read.fault_count, s->fault_count);
	for (int i = 0; i < s->fault_count; i++) {
		assert_int_equal(read.faults[i].kind, s->faults[i].kind);
		assert_int_equal(read.faults[i].pack, s->faults[i].pack);
		assert_int_equal(read.faults[i].start_ms, s->faults[i].start_ms);
		assert_int_equal(read.faults[i].milli, s->faults[i].milli);
	}
	assert_memory_equal(read.packs, s->packs, sizeof read.packs[0] * (size_t)s->pack_count);
	assert_memory_equal(&read.battery.charge_cell, &s->battery.charge_cell,
			    sizeof s->battery.charge_cell);
	free(text);
	free(again);
}

static void what_is_written_reads_back(void **state)
{
	char complaints[2000];
	struct scenario s;

	(void)state;
	assert_int_equal(parse(example, complaints, sizeof complaints, &s), 0);
	assert_round_trip(&s);
	strcpy(s.title, "say \"it\" \\ twice");
	assert_round_trip(&s);
	for (uint64_t seed = 1; seed <= 200; seed++) {
		swarm_draw(seed, DAY_MS, FAULT_ALL_KINDS, &s);
		assert_round_trip(&s);
	}
}

static void the_plant_is_as_described(void **state)
{
	char complaints[2000];
	struct plant plant, again;
	struct scenario s;

	(void)state;
	assert_int_equal(parse(example, complaints, sizeof complaints, &s), 0);
	scenario_build(&s, &plant);
	assert_int_equal(plant.pack_count, 3);
	assert_true(plant.packs[0].wiring_ohm == 0.0085);
	assert_int_equal(plant.packs[0].bms.settings.charge_overcurrent_ma, 50000);
	assert_float_equal(sim_pack_soc(&plant.packs[1]), 0.6, 0.01);
	assert_float_equal(plant.packs[0].cell_c, -8, 4);
	scenario_build(&s, &again);
	assert_memory_equal(&plant, &again, sizeof plant);
}

static void a_day_has_sun_and_night(void **state)
{
	struct scenario s;
	double most_w = -1e9, least_w = 1e9;

	(void)state;
	scenario_default(&s);
	s.start_ms = 0;
	for (int64_t ms = 0; ms < DAY_MS; ms += 10000) {
		double w = scenario_power_w(&s, ms);

		most_w = w > most_w ? w : most_w;
		least_w = w < least_w ? w : least_w;
		if (ms < 5 * DAY_MS / 24)
			assert_true(w < 0);
	}
	assert_true(most_w > 0.7 * s.sun_w);
	assert_true(least_w < -0.7 * s.load_w);
	assert_float_equal(scenario_ambient_c(&s, DAY_MS / 6), 16, 0.01);
	assert_float_equal(scenario_ambient_c(&s, DAY_MS * 16 / 24), 24, 0.01);
}

/* The example in docs/simulation.md is one. */
static void the_documented_example_works(void **state)
{
	static char text[100000];
	char complaints[2000];
	struct scenario s;
	FILE *page = fopen(ONEPACK_SOURCE_DIR "/docs/simulation.md", "r");
	char *begin, *end;

	(void)state;
	assert_non_null(page);
	text[fread(text, 1, sizeof text - 1, page)] = '\0';
	fclose(page);
	begin = strstr(text, "```yaml\n");
	assert_non_null(begin);
	begin += strlen("```yaml\n");
	end = strstr(begin, "```");
	assert_non_null(end);
	*end = '\0';
	if (parse(begin, complaints, sizeof complaints, &s) != 0)
		fail_msg("%s", complaints);
	assert_int_equal(s.pack_count, 3);
	assert_int_equal(s.fault_count, 3);
	assert_round_trip(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_says_everything),
		cmocka_unit_test(mistakes_are_shown_at_their_place),
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(the_plant_is_as_described),
		cmocka_unit_test(the_documented_example_works),
		cmocka_unit_test(a_day_has_sun_and_night),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
