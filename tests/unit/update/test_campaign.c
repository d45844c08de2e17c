// SPDX-License-Identifier: Apache-2.0
/* Jobs on racks of whole packs: loading one by one and by broadcast, over noise, power cuts and a
 * gateway that dies; activation one pack at a time; every reason to refuse or to stop. */
#include <string.h>

#include "../cmocka_all.h"
#include "update_rack.h"

#define CODE 9001

static struct rack rack;

static void expect_all_new(void)
{
	assert_int_equal(rack.job.state, UPDATE_SUCCEEDED);
	assert_int_equal(update_percent(&rack.job), 100);
	assert_int_equal(update_leaving(&rack.job), -1);
	for (int i = 0; i < rack.count; i++) {
		assert_true(rack_runs_new(&rack.packs[i]));
		assert_int_equal(rack.job.packs[i].progress, UPDATE_CONFIRMED);
	}
}

static void test_one_by_one(void **state)
{
	const struct update_options options = rack_options();

	(void)state;
	rack_init(&rack, 3, CODE);
	rack_begin(&rack, &options);
	assert_in_range((int)rack_run(&rack, NULL), 180, 240); /* a minute of trial each */
	expect_all_new();
	assert_int_equal(rack.leaving_seen, 3);
	assert_int_equal(rack.job.retries, 0);
	assert_true(rack.polls_answered > 3000);
	/* once more: nothing to do */
	rack_begin(&rack, &options);
	assert_in_range((int)rack_run(&rack, NULL), 0, 2);
	expect_all_new();
	assert_int_equal(rack.leaving_seen, 0);
}

static void test_by_broadcast_over_noise(void **state)
{
	struct update_options options = rack_options();

	(void)state;
	rack_init(&rack, 4, CODE);
	rack.line.noise_ppm = 100; /* two of a hundred chunks are lost at each pack */
	options.broadcast = true;
	rack_begin(&rack, &options);
	(void)rack_run(&rack, NULL);
	expect_all_new();
	assert_true(rack.job.retries > 0);
	/* 42 chunks once, and some more */
	assert_true(rack.job.bytes_sent < 2 * 4 * CODE);
}

static bool half_of_the_second(struct rack *r)
{
	return r->job.packs[1].percent >= 50;
}

static bool any_receives(struct rack *r)
{
	return r->job.packs[0].percent >= 30;
}

static void test_a_gateway_that_dies_goes_on(void **state)
{
	const struct update_options options = rack_options();

	(void)state;
	rack_init(&rack, 2, CODE);
	rack_begin(&rack, &options);
	(void)rack_run(&rack, half_of_the_second);
	rack_pass(&rack, 3000);
	rack_begin(&rack, &options);
	(void)rack_run(&rack, half_of_the_second);
	assert_true(rack.job.bytes_sent < 3000); /* questions and little else */
	assert_true(rack_run(&rack, NULL) > 60);
	expect_all_new();
	assert_true(rack.job.bytes_sent < CODE + 6000);
}

static bool first_on_trial(struct rack *r)
{
	return r->job.packs[0].progress == UPDATE_ON_TRIAL;
}

static void test_a_gateway_that_dies_in_a_trial_confirms_it(void **state)
{
	const struct update_options options = rack_options();

	(void)state;
	rack_init(&rack, 1, CODE);
	rack_begin(&rack, &options);
	(void)rack_run(&rack, first_on_trial);
	rack_pass(&rack, 20000);
	rack_begin(&rack, &options);
	(void)rack_run(&rack, NULL);
	expect_all_new();
	assert_int_equal(rack.packs[0].restarts, 2);
}

static void test_a_pack_without_power_for_a_while(void **state)
{
	const struct update_options options = rack_options();

	(void)state;
	rack_init(&rack, 2, CODE);
	rack_begin(&rack, &options);
	(void)rack_run(&rack, any_receives);
	rack.packs[0].torn.cut_after = 100; /* in the middle of a chunk */
	rack_cut(&rack.packs[0], rack.now_ns / 1000000, 8000);
	(void)rack_run(&rack, NULL);
	expect_all_new();

	rack_init(&rack, 2, CODE);
	rack_begin(&rack, &options);
	(void)rack_run(&rack, any_receives);
	rack_cut(&rack.packs[0], rack.now_ns / 1000000, 100000);
	(void)rack_run(&rack, NULL);
	assert_int_equal(rack.job.state, UPDATE_STOPPED);
	assert_int_equal(rack.job.packs[0].error, UPDATE_NO_ANSWER);
	assert_int_equal(rack.packs[1].slot, 0);
}

static void test_a_pack_that_is_ill_with_the_new_image(void **state)
{
	const struct update_options options = rack_options();

	(void)state;
	rack_init(&rack, 3, CODE);
	rack.packs[1].ill_with_new = true;
	rack_begin(&rack, &options);
	(void)rack_run(&rack, NULL);
	assert_int_equal(rack.job.state, UPDATE_STOPPED);
	assert_int_equal(rack.job.packs[1].error, UPDATE_SICK);
	assert_true(rack_runs_new(&rack.packs[0]));
	assert_int_equal(rack.packs[2].slot, 0);
	assert_int_equal(rack.job.packs[2].progress, UPDATE_LOADED);
	rack_pass(&rack, 5000);
	assert_int_equal(rack.packs[1].slot, 0); /* sent back at once */
	assert_int_equal(rack.packs[1].update.phase, FW_PHASE_IDLE);
}

static void test_an_empty_pack_is_repaired(void **state)
{
	struct update_options options = rack_options();

	(void)state;
	rack_init(&rack, 2, CODE);
	memset(rack.packs[0].torn.bytes[FW_AREA_SLOT_A], 0xff, TORN_AREA_SIZE);
	rack_cut(&rack.packs[0], rack.now_ns / 1000000, 100);
	rack_pass(&rack, 3000);
	assert_int_equal(rack.packs[0].slot, -1);
	rack_begin(&rack, &options);
	(void)rack_run(&rack, NULL);
	expect_all_new();
}

/* One pack, from its application or from its loader, with one request or one answer lost. The
 * number of exchanges. */
static uint64_t run_with_a_loss(bool from_loader, uint64_t request, uint64_t answer)
{
	const struct update_options options = rack_options();

	rack_init(&rack, 1, 500);
	rack.poll_others = false;
	if (from_loader) {
		memset(rack.packs[0].torn.bytes[FW_AREA_SLOT_A], 0xff, TORN_AREA_SIZE);
		rack_cut(&rack.packs[0], rack.now_ns / 1000000, 100);
		rack_pass(&rack, 3000);
	}
	rack.lose_request = request;
	rack.lose_answer = answer;
	rack_begin(&rack, &options);
	(void)rack_run(&rack, NULL);
	if (rack.job.state != UPDATE_SUCCEEDED)
		print_error("request %d or answer %d lost: %s\n", (int)request, (int)answer,
			    update_error_text(rack.job.packs[0].error));
	expect_all_new();
	assert_int_equal(rack.packs[0].server.auth.wrong, 0);
	return rack.job.exchanges;
}

static void test_whatever_is_lost_once_is_asked_again(void **state)
{
	(void)state;
	for (int from_loader = 0; from_loader < 2; from_loader++) {
		const uint64_t exchanges = run_with_a_loss(from_loader, 0, 0);

		assert_in_range(exchanges, 30, 100);
		for (uint64_t n = 1; n <= exchanges; n++) {
			(void)run_with_a_loss(from_loader, n, 0);
			(void)run_with_a_loss(from_loader, 0, n);
		}
	}
}

/* Expects that nothing was sent but questions. */
static void expect_refused(const struct update_options *options, int pack, enum update_error error)
{
	rack_begin(&rack, options);
	(void)rack_run(&rack, NULL);
	assert_int_equal(rack.job.state, UPDATE_STOPPED);
	assert_int_equal(rack.job.packs[pack].error, error);
	assert_true(strlen(update_error_text(error)) > 5);
	for (int i = 0; i < rack.count; i++)
		assert_int_equal(rack.packs[i].update.phase, FW_PHASE_IDLE);
}

static void test_refusals(void **state)
{
	struct update_options options = rack_options();

	(void)state;
	rack_init(&rack, 2, CODE);
	options.bus_errors_ppm = 10001;
	expect_refused(&options, 0, UPDATE_BAD_BUS);
	options = rack_options();
	options.packs_in_service = 1;
	expect_refused(&options, 0, UPDATE_ALONE);
	options = rack_options();
	options.key[0] = 'I';
	expect_refused(&options, 0, UPDATE_LOCKED);
	options.key_length = 0;
	expect_refused(&options, 0, UPDATE_LOCKED);
	options = rack_options();
	rack.packs[1].ill_with_new = true;
	rack.packs[1].slot = 1; /* only for its measurement */
	rack_pass(&rack, 5000);
	expect_refused(&options, 1, UPDATE_PROTECTED);
	rack_init(&rack, 2, CODE);
	rack.packs[1].identity.device_class++;
	expect_refused(&options, 1, UPDATE_MIXED);
	rack.packs[0].identity.device_class++;
	expect_refused(&options, 0, UPDATE_NO_IMAGE);
	rack_init(&rack, 2, CODE);
	rack.packs[1].identity.hardware_revision = 10;
	expect_refused(&options, 1, UPDATE_MISFIT);
	rack.packs[1].identity.hardware_revision = 3;
	rack.packs[1].dark = true;
	rack.packs[1].boot_ms = INT64_MAX / 2000000;
	expect_refused(&options, 1, UPDATE_NO_ANSWER);
}

static void test_charge_and_version(void **state)
{
	struct update_options options = rack_options();

	(void)state;
	rack_init(&rack, 1, CODE);
	rack.packs[0].pack.counters.remaining_mah = rack.packs[0].pack.counters.full_mah * 97 / 100;
	rack_pass(&rack, 500);
	expect_refused(&options, 0, UPDATE_CHARGE);
	rack.packs[0].pack.counters.remaining_mah = rack.packs[0].pack.counters.full_mah / 2;
	rack_pass(&rack, 500);
	rack.packs[0].update.image[0].version.major = 3;
	expect_refused(&options, 0, UPDATE_OLDER);
	options.allow_older = true;
	rack_begin(&rack, &options);
	(void)rack_run(&rack, NULL);
	expect_all_new();
}

static void test_words(void **state)
{
	(void)state;
	for (int i = UPDATE_NO_ANSWER; i <= UPDATE_SETTINGS_LOST; i++)
		assert_true(strlen(update_error_text((enum update_error)i)) > 5);
	for (int i = UPDATE_WAITS; i <= UPDATE_CONFIRMED; i++)
		assert_true(strlen(update_progress_text((enum update_progress)i)) > 4);
	assert_string_equal(update_why_text(FW_BAD_HASH), "hash");
	assert_string_equal(update_why_text(FW_BAD_UNLOCK), "unlock code");
	assert_string_equal(update_why_text(200), "unknown reason");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_by_broadcast_over_noise),
		cmocka_unit_test(test_a_gateway_that_dies_goes_on),
		cmocka_unit_test(test_a_gateway_that_dies_in_a_trial_confirms_it),
		cmocka_unit_test(test_a_pack_without_power_for_a_while),
		cmocka_unit_test(test_a_pack_that_is_ill_with_the_new_image),
		cmocka_unit_test(test_an_empty_pack_is_repaired),
		cmocka_unit_test(test_whatever_is_lost_once_is_asked_again),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_charge_and_version),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
