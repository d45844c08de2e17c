// SPDX-License-Identifier: Apache-2.0
/* The world as a whole: the same scenario is the same run; the gateway in it meets its packs,
 * drives its inverter, and what happens to it has the consequences that it has in reality. */
#include "sim/world.h"

#include <stdlib.h>

#include "../cmocka_all.h"
#include "near.h"
#include "sim/world_state.h"

static struct scenario scenario;
static struct world_options options;
static struct world *world;

static int set_up(void **state)
{
	(void)state;
	scenario_default(&scenario);
	world_options_default(&options);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_free(world);
	world = NULL;
	return 0;
}

static void add_fault(enum fault_kind kind, int pack, int64_t start_s, int64_t end_s, int32_t milli)
{
	scenario.faults[scenario.fault_count++] = (struct fault){
		.kind = kind,
		.pack = pack,
		.start_ms = start_s * 1000,
		.end_ms = end_s * 1000,
		.milli = milli,
	};
}

/* Steady sun, so that a current flows. */
static void shine(int32_t power_w)
{
	scenario.step_count = 1;
	scenario.steps[0] = (struct scenario_step){0, power_w};
}

static void start(void)
{
	world_free(world);
	world = world_new(&scenario, &options, stderr);
	assert_non_null(world);
}

static void run_to(double time_s)
{
	world_run(world, (int64_t)(time_s * 1000));
	assert_int_equal(world_now_ms(world), (int64_t)(time_s * 1000));
}

static struct world_figures figures(void)
{
	struct world_figures f;

	world_get_figures(world, &f);
	return f;
}

static uint64_t digest_of_run(double time_s)
{
	start();
	run_to(time_s);
	return figures().digest;
}

static const struct battery *told(void)
{
	return &world_inverter_core(world)->believed.battery;
}

/* --- one seed, one run --- */

static void test_the_same_again(void **state)
{
	uint64_t once, in_parts;

	(void)state;
	add_fault(FAULT_answer_garbled, 2, 60, 300, 50000);
	add_fault(FAULT_line_noise, 0, 200, 400, 2000000);
	once = digest_of_run(600);
	start();
	for (int s = 1; s <= 600; s++)
		run_to(s);
	in_parts = figures().digest;
	assert_true(once == in_parts);
	scenario.seed++;
	assert_true(once != digest_of_run(600));
}

/* --- a day without faults --- */

static void test_packs_are_met_and_the_inverter_works(void **state)
{
	static const char *const inverters[] = {"can/pylon-lv-1.2", "can/victron-20170717",
						"can/deye-lv-1.0", "rs485/pylon-lv-3.3",
						"rs485/voltronic-20200325"};

	(void)state;
	shine(4000);
	for (size_t i = 0; i < sizeof inverters / sizeof inverters[0]; i++) {
		snprintf(scenario.inverter, sizeof scenario.inverter, "%s", inverters[i]);
		start();
		run_to(120);
		assert_int_equal(world_battery(world)->packs_online, 4);
		assert_true(sim_inverter_is_fed(world_inverter_core(world), 120000));
		assert_true(figures().frames > 100);
		assert_near(world_plant(world)->bus_a, 4000 / world_plant(world)->bus_v, 2);
		assert_near(world_battery(world)->current_ma, world_plant(world)->bus_a * 1000,
			    1500);
	}
}

static void test_sixteen_packs_on_two_lines(void **state)
{
	(void)state;
	for (int i = 4; i < 16; i++)
		scenario_default_pack(&scenario.packs[i]);
	scenario.pack_count = 16;
	start();
	assert_int_equal(world->line_count, 2);
	run_to(60);
	assert_int_equal(world_battery(world)->packs_online, 16);
	for (int i = 0; i < 16; i++)
		assert_int_equal(world_battery(world)->packs[i].address, i % 8 + 1);
}

static uint64_t polls_between(double from_s, double to_s)
{
	uint64_t before;

	run_to(from_s);
	before = figures().polls;
	run_to(to_s);
	return figures().polls - before;
}

static void test_a_poll_cycle_takes_its_pace(void **state)
{
	(void)state;
	shine(4000);
	scenario.step_count = 2;
	scenario.steps[1] = (struct scenario_step){900 * 1000, -4000};
	start();
	assert_in_range(polls_between(10, 28), 4 * 9, 4 * 10 + 8); /* something new */
	assert_in_range(polls_between(100, 700), 4 * 100, 4 * 100 + 60);
	assert_in_range(polls_between(902, 920), 4 * 9, 4 * 9 + 8);
	assert_in_range(polls_between(1000, 1600), 4 * 100, 4 * 100 + 60);
	assert_true(figures().calm_ms > 1400000);
	options.cycle_ms = options.calm_cycle_ms = 0; /* as the line can: some 140 ms each */
	start();
	assert_in_range(polls_between(60, 660), 4000, 4400);
}

/* A change is seen as soon as if nothing had ever been slower. */
static void test_calm_ends_at_once(void **state)
{
	double seen_s[2] = {0, 0};

	(void)state;
	shine(4000);
	scenario.step_count = 2;
	scenario.steps[1] = (struct scenario_step){900 * 1000, -4000};
	for (int quick = 0; quick < 2; quick++) {
		if (quick)
			options.calm_cycle_ms = options.cycle_ms;
		start();
		for (seen_s[quick] = 900; seen_s[quick] < 910; seen_s[quick] += 0.1) {
			run_to(seen_s[quick]);
			if (world_battery(world)->current_ma < 0)
				break;
		}
	}
	assert_true(seen_s[0] <= seen_s[1] + 1 && seen_s[0] < 904);
}

static void test_energy_is_conserved(void **state)
{
	struct world_figures f;

	(void)state;
	start();
	run_to(4 * 3600);
	f = figures();
	assert_true(f.heat_j > 1000);
	assert_near(f.start_j + f.terminal_j, f.stored_j + f.heat_j, 1e-5 * f.start_j);
}

/* --- the gateway's own troubles --- */

/* Without an engine the link says zero when the lease ends, and the inverter obeys. */
static void expect_zero_while(int64_t from_s, int64_t to_s)
{
	run_to((double)from_s - 0.01);
	assert_true(told()->charge_current_limit_ma > 50000);
	assert_true(world_plant(world)->bus_a > 50);
	run_to((double)from_s + 3);
	assert_int_equal(told()->charge_current_limit_ma, 0);
	assert_int_equal(told()->discharge_current_limit_ma, 0);
	run_to((double)from_s + 5);
	assert_near(world_plant(world)->bus_a, 0, 0.001);
	run_to((double)to_s - 0.01);
	assert_int_equal(told()->charge_current_limit_ma, 0);
}

static void test_a_crash_ends_in_zero_and_passes(void **state)
{
	int32_t counted_wh;
	uint64_t frames;

	(void)state;
	shine(5000);
	add_fault(FAULT_gateway_crash, 0, 1200, 1230, 0);
	start();
	run_to(1199);
	counted_wh = world_battery(world)->energy_charged_wh;
	assert_true(counted_wh > 500);
	frames = figures().frames;
	expect_zero_while(1200, 1230);
	assert_true(figures().frames > frames + 100); /* the link goes on */
	run_to(1231);
	/* counted on from what had reached the disk, a minute before at the most */
	assert_in_range(world_battery(world)->energy_charged_wh, counted_wh - 5000 / 60 - 1,
			counted_wh);
	assert_int_equal(world_battery(world)->packs_online, 0);
	run_to(1400);
	assert_int_equal(figures().restarts, 1);
	assert_int_equal(world_battery(world)->packs_online, 4);
	assert_true(world_plant(world)->bus_a > 50);
}

static void test_a_hung_engine_ends_in_zero_and_goes_on(void **state)
{
	(void)state;
	shine(5000);
	add_fault(FAULT_engine_hung, 0, 600, 620, 0);
	start();
	expect_zero_while(600, 620);
	run_to(700);
	assert_int_equal(figures().restarts, 0);
	assert_true(world_plant(world)->bus_a > 50);
}

/* Without a link nobody tells the inverter anything: it stops by itself, and starts again. */
static void test_a_link_crash_stops_the_inverter(void **state)
{
	static const char *const inverters[] = {"can/pylon-lv-1.2", "rs485/pylon-lv-3.3"};
	uint64_t frames;

	(void)state;
	shine(5000);
	add_fault(FAULT_link_crash, 0, 600, 630, 0);
	for (int i = 0; i < 2; i++) {
		snprintf(scenario.inverter, sizeof scenario.inverter, "%s", inverters[i]);
		start();
		run_to(600);
		assert_true(world_plant(world)->bus_a > 50);
		frames = figures().frames;
		run_to(629);
		assert_int_equal(figures().frames, frames);
		assert_near(world_plant(world)->bus_a, 0, 0.001);
		assert_int_equal(world_battery(world)->packs_online, 4);
		run_to(700);
		assert_int_equal(figures().restarts, 0);
		assert_true(world_plant(world)->bus_a > 50);
	}
}

/* A slow disk loses what it had not written, and nothing else. */
static void test_a_slow_disk_matters_after_a_crash_only(void **state)
{
	uint64_t quick;

	(void)state;
	shine(5000);
	quick = digest_of_run(900);
	add_fault(FAULT_slow_disk, 0, 0, 2000, 10000000);
	assert_true(quick == digest_of_run(900));
	add_fault(FAULT_gateway_crash, 0, 1200, 1201, 0);
	start();
	run_to(1202);
	assert_true(world_battery(world)->energy_charged_wh > 1000);
}

static void test_a_clock_jump_shows_in_time_only(void **state)
{
	uint64_t steady;

	(void)state;
	options.calm_cycle_ms = options.cycle_ms; /* a fault, even this one, ends calm */
	options.calm_engine_ms = options.engine_ms;
	options.calm_plant_ms = options.plant_ms;
	steady = digest_of_run(600);
	add_fault(FAULT_clock_jump, 0, 300, 500, -86400000);
	start();
	run_to(400);
	assert_true(world_battery(world)->time_ms < WORLD_WALL_START_MS);
	run_to(600);
	assert_true(world_battery(world)->time_ms > WORLD_WALL_START_MS);
	assert_true(steady == figures().digest);
}

/* --- lines and inverter --- */

static void test_another_master_silences_the_poller(void **state)
{
	uint64_t polls, samples;

	(void)state;
	add_fault(FAULT_second_master, 0, 100, 200, 0);
	start();
	run_to(105);
	polls = figures().polls;
	samples = figures().samples;
	run_to(199);
	assert_int_equal(figures().polls, polls);
	assert_true(figures().samples > samples + 20); /* overheard */
	assert_true(world_battery(world)->warnings & ALARM_BIT(ALARM_second_master));
	run_to(260);
	assert_true(figures().polls > polls + 20);
}

static void test_a_silent_pack_is_held_then_lost(void **state)
{
	(void)state;
	add_fault(FAULT_silent, 3, 100, 300, 0);
	start();
	run_to(200);
	assert_int_equal(world_battery(world)->packs_online, 3);
	run_to(400);
	assert_int_equal(world_battery(world)->packs_online, 4);
}

static void test_a_pack_at_another_address_is_no_other_pack(void **state)
{
	(void)state;
	add_fault(FAULT_duplicate_address, 3, 100, 400, 2000); /* answers as pack 2 */
	start();
	run_to(300);
	assert_int_equal(world_battery(world)->packs[2].state, PACK_LOST);
	assert_true(world_battery(world)->charge_current_limit_ma <
		    4 * scenario.packs[0].charge_ma);
}

static void test_a_deaf_or_silent_inverter_comes_back(void **state)
{
	(void)state;
	shine(5000);
	add_fault(FAULT_inverter_deaf, 0, 100, 130, 0);
	add_fault(FAULT_inverter_silent, 0, 200, 400, 0);
	start();
	run_to(128);
	assert_false(sim_inverter_is_fed(world_inverter_core(world), 128000));
	assert_near(world_plant(world)->bus_a, 0, 0.001);
	run_to(180);
	assert_true(world_plant(world)->bus_a > 50);
	run_to(399);
	assert_true(world_battery(world)->warnings & ALARM_BIT(ALARM_inverter_lost));
	run_to(410);
	assert_false(world_battery(world)->warnings & ALARM_BIT(ALARM_inverter_lost));
}

static void test_stops_when_told(void **state)
{
	(void)state;
	start();
	run_to(10);
	world_stop(world);
	run_to(20); /* only what was running */
}

static void test_complains_about_what_cannot_be(void **state)
{
	FILE *errors = tmpfile();

	(void)state;
	snprintf(scenario.inverter, sizeof scenario.inverter, "pack/jk-pb");
	assert_null(world_new(&scenario, &options, errors));
	snprintf(scenario.inverter, sizeof scenario.inverter, "can/no-such");
	assert_null(world_new(&scenario, &options, errors));
	assert_true(ftell(errors) > 20);
	fclose(errors);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_same_again),
		TEST(test_packs_are_met_and_the_inverter_works),
		TEST(test_sixteen_packs_on_two_lines),
		TEST(test_a_poll_cycle_takes_its_pace),
		TEST(test_calm_ends_at_once),
		TEST(test_energy_is_conserved),
		TEST(test_a_crash_ends_in_zero_and_passes),
		TEST(test_a_hung_engine_ends_in_zero_and_goes_on),
		TEST(test_a_link_crash_stops_the_inverter),
		TEST(test_a_slow_disk_matters_after_a_crash_only),
		TEST(test_a_clock_jump_shows_in_time_only),
		TEST(test_another_master_silences_the_poller),
		TEST(test_a_silent_pack_is_held_then_lost),
		TEST(test_a_pack_at_another_address_is_no_other_pack),
		TEST(test_a_deaf_or_silent_inverter_comes_back),
		TEST(test_stops_when_told),
		TEST(test_complains_about_what_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
