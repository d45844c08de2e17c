// SPDX-License-Identifier: Apache-2.0
/* Settings in flash: what was written comes back, a cut at any byte leaves the old or the new set,
 * other layouts are understood as far as they go. Counters too. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "core/counters.h"
#include "core/store.h"
#include "torn_flash.h"

#define PAGE 1024

static struct torn_flash *new_flash(uint32_t unit)
{
	struct torn_flash *torn = malloc(sizeof *torn);

	assert_non_null(torn);
	torn_init(torn, PAGE, 2, unit, 7);
	return torn;
}

static void other_settings(struct fw_settings *settings, int32_t variant)
{
	fw_parameters_default(&settings->parameters, FW_LTO);
	settings->parameters.charge_limit_dA = 500 + variant;
	settings->parameters.charge_ut_dC = -150;
	settings->calibration = (struct fw_calibration){.present = true,
							.voltage_ppm = -1234 - variant,
							.current_ppm = 70000,
							.current_zero_ma = -35};
	settings->address = 17;
	settings->position = 3;
	memcpy(settings->password[0], "operator", 8);
	memcpy(settings->password[1], "inst\0\0\0", 8);
}

static void assert_same(const struct fw_settings *a, const struct fw_settings *b)
{
	for (int i = 0; i < fw_parameter_count; i++)
		assert_memory_equal((const char *)&a->parameters + fw_parameter_rows[i].offset,
				    (const char *)&b->parameters + fw_parameter_rows[i].offset, 4);
	assert_int_equal(a->parameters.chemistry, b->parameters.chemistry);
	assert_int_equal(a->calibration.present, b->calibration.present);
	assert_int_equal(a->calibration.voltage_ppm, b->calibration.voltage_ppm);
	assert_int_equal(a->calibration.current_ppm, b->calibration.current_ppm);
	assert_int_equal(a->calibration.current_zero_ma, b->calibration.current_zero_ma);
	assert_int_equal(a->address, b->address);
	assert_int_equal(a->position, b->position);
	assert_memory_equal(a->password, b->password, sizeof a->password);
}

static void what_was_written_comes_back(void **state)
{
	struct torn_flash *torn = new_flash(4);
	static struct fw_settings settings, read;
	struct fw_store store;

	(void)state;
	fw_store_init(&store, &torn->flash);
	assert_int_equal(fw_store_load(&store, &settings), FW_STORED_NOTHING);
	assert_int_equal(settings.parameters.cell_ov_mv, 3600);
	assert_false(settings.calibration.present);
	for (int32_t i = 0; i < 5; i++) {
		other_settings(&settings, i);
		assert_true(fw_store_save(&store, &settings));
		fw_store_init(&store, &torn->flash);
		assert_int_equal(fw_store_load(&store, &read), FW_STORED);
		assert_same(&read, &settings);
	}
	free(torn);
}

static int reads_left;
static int (*good_read)(void *, enum fw_area, uint32_t, void *, uint32_t);

static int read_fails_later(void *context, enum fw_area area, uint32_t at, void *bytes,
			    uint32_t count)
{
	return reads_left-- > 0 ? good_read(context, area, at, bytes, count) : -1;
}

/* Whichever of both it is, it is whole. */
static void a_cut_leaves_one_whole(void **state)
{
	static struct fw_settings old, new, read;
	int seen_old = 0, seen_new = 0;

	(void)state;
	for (int pass = 0; pass < 5; pass++) {
		const uint32_t unit = pass == 4 ? 8 : 1u << pass;
		struct torn_flash *torn = new_flash(unit);
		struct fw_store store;

		torn->checks_itself = pass == 4;
		fw_store_init(&store, &torn->flash);
		other_settings(&old, 0);
		assert_true(fw_store_save(&store, &old));
		for (int64_t cut = 0; cut < 600; cut++) {
			other_settings(&new, (int32_t)(cut + 1));
			torn->cut_after = cut;

			const bool kept = fw_store_save(&store, &new);

			torn_power_on(torn);
			fw_store_init(&store, &torn->flash);
			assert_int_equal(fw_store_load(&store, &read), FW_STORED);
			if (read.parameters.charge_limit_dA == new.parameters.charge_limit_dA) {
				assert_same(&read, &new);
				old = new;
				seen_new++;
			} else {
				assert_false(kept);
				assert_same(&read, &old);
				seen_old++;
			}
		}
		free(torn);
	}
	assert_true(seen_old > 1000);
	assert_true(seen_new > 50);
}

static void both_lost_is_told(void **state)
{
	struct torn_flash *torn = new_flash(4);
	static struct fw_settings settings;
	struct fw_store store;

	(void)state;
	fw_store_init(&store, &torn->flash);
	other_settings(&settings, 0);
	fw_store_save(&store, &settings);
	fw_store_save(&store, &settings);
	torn->bytes[FW_AREA_PARAMETERS][100] ^= 1;
	assert_int_equal(fw_store_load(&store, &settings), FW_STORED);
	torn->bytes[FW_AREA_PARAMETERS][PAGE + 100] ^= 1;
	assert_int_equal(fw_store_load(&store, &settings), FW_STORED_LOST);
	assert_int_equal(settings.parameters.charge_limit_dA, 1000);
	free(torn);
}

/* Another firmware had a limit in whole amperes elsewhere, and a register that we do not know. */
static void other_layouts_are_understood(void **state)
{
	static const struct fw_move moves[] = {
		{.up_to = 1, .from = 0x022E, .to = 0x022F, .times = 1, .divided_by = 5},
		{.up_to = 1, .from = 0x0271, .to = 0x0999, .times = 1, .divided_by = 1}};
	struct torn_flash *torn = new_flash(4);
	static struct fw_settings settings, read;
	struct fw_store store;

	(void)state;
	fw_store_init(&store, &torn->flash);
	fw_parameters_default(&settings.parameters, FW_LFP);
	settings.parameters.charge_limit_dA = 1005;
	settings.parameters.capacity_dAh = 2800;
	assert_true(fw_store_save(&store, &settings));

	fw_store_init(&store, &torn->flash);
	store.moves = moves;
	store.move_count = 2;
	store.layout = 2;
	assert_int_equal(fw_store_load(&store, &read), FW_STORED);
	assert_int_equal(read.parameters.charge_limit_dA, 1000); /* missing: its default */
	assert_int_equal(read.parameters.capacity_dAh, 1000);    /* its new place is unknown */
	assert_true(fw_store_save(&store, &read));

	fw_store_init(&store, &torn->flash);
	store.moves = moves;
	store.move_count = 2;
	store.layout = 2;
	assert_int_equal(fw_store_load(&store, &read), FW_STORED);
	settings.parameters.discharge_limit_dA = 777;
	assert_true(fw_store_save(&store, &settings)); /* written in layout 2: nothing moves */
	assert_int_equal(fw_store_load(&store, &read), FW_STORED);
	assert_int_equal(read.parameters.discharge_limit_dA, 777);
	assert_int_equal(read.parameters.charge_limit_dA, 1005);
	free(torn);
}

static void values_that_cannot_be_are_left_out(void **state)
{
	struct torn_flash *torn = new_flash(4);
	static struct fw_settings settings, read;
	struct fw_store store;

	(void)state;
	fw_store_init(&store, &torn->flash);
	other_settings(&settings, 0);
	settings.parameters.sleep_h = 73;
	assert_true(fw_store_save(&store, &settings));
	assert_int_equal(fw_store_load(&store, &read), FW_STORED);
	assert_int_equal(read.parameters.sleep_h, 24);
	assert_int_equal(read.parameters.charge_limit_dA, 500);
	/* a set that breaks a rule is worth nothing; who is who stays */
	settings.parameters.cell_ov_release_mv = settings.parameters.cell_ov_mv;
	assert_true(fw_store_save(&store, &settings));
	assert_int_equal(fw_store_load(&store, &read), FW_STORED_LOST);
	assert_int_equal(read.parameters.charge_limit_dA, 1000);
	assert_int_equal(read.parameters.chemistry, FW_LTO);
	assert_int_equal(read.address, 17);
	assert_true(store.twins); /* defaults are not written over what somebody may want back */
	free(torn);
}

/* Somebody lowered a limit. Years later one copy rots, whichever it is. */
static void a_rotten_copy_does_not_bring_old_limits_back(void **state)
{
	(void)state;
	for (uint32_t half = 0; half < 2; half++) {
		struct torn_flash *torn = new_flash(4);
		static struct fw_settings settings, read;
		struct fw_store store;

		fw_store_init(&store, &torn->flash);
		other_settings(&settings, 0);
		assert_true(fw_store_save(&store, &settings));
		settings.parameters.charge_limit_dA = 123;
		assert_true(fw_store_save(&store, &settings));
		assert_false(store.twins);
		assert_true(fw_store_mirror(&store, &settings));
		torn->bytes[FW_AREA_PARAMETERS][half * PAGE + 100] ^= 1;
		fw_store_init(&store, &torn->flash);
		assert_int_equal(fw_store_load(&store, &read), FW_STORED);
		assert_same(&read, &settings);
		assert_false(store.twins); /* and is healed */
		assert_true(fw_store_mirror(&store, &read));
		torn->bytes[FW_AREA_PARAMETERS][!half * PAGE + 100] ^= 1;
		fw_store_init(&store, &torn->flash);
		assert_int_equal(fw_store_load(&store, &read), FW_STORED);
		assert_same(&read, &settings);
		free(torn);
	}
}

/* The part gives the copy when it is checked, and fails when it is read. */
static void what_cannot_be_read_is_not_half_taken(void **state)
{
	struct torn_flash *torn = new_flash(4);
	static struct fw_settings settings, read;
	struct fw_store store;

	(void)state;
	fw_store_init(&store, &torn->flash);
	other_settings(&settings, 0);
	assert_true(fw_store_save(&store, &settings));
	assert_true(fw_store_mirror(&store, &settings));
	good_read = torn->flash.read;
	torn->flash.read = read_fails_later;
	for (int reads = 1; reads < 60; reads++) {
		reads_left = reads;
		fw_store_init(&store, &torn->flash);
		if (fw_store_load(&store, &read) == FW_STORED) {
			assert_same(&read, &settings);
			continue;
		}
		assert_int_equal(read.parameters.charge_limit_dA, 1000);
		assert_int_equal(read.address, 0);
	}
	free(torn);
}

static void it_is_stored_two_seconds_later(void **state)
{
	struct torn_flash *torn = new_flash(4);
	struct fw_store store;

	(void)state;
	fw_store_init(&store, &torn->flash);
	assert_false(fw_store_is_due(&store, 5000));
	fw_store_touch(&store, 1000);
	fw_store_touch(&store, 2500);
	assert_false(fw_store_is_due(&store, 4499));
	assert_true(fw_store_is_due(&store, 4500));
	free(torn);
}

static void counters_survive(void **state)
{
	struct torn_flash *torn = new_flash(8);
	struct fw_counter_ring ring;
	struct fw_counters counters = {0}, read;
	uint32_t time_s = 0;
	uint32_t kept = 0;

	(void)state;
	assert_false(fw_counters_open(&ring, &torn->flash, &read, &time_s));
	for (uint32_t n = 1; n <= 2000; n++) {
		counters.remaining_mah = -(int32_t)n;
		counters.run_s = n;
		counters.emergency_run_s[2] = n + 1;
		counters.bank_seen = n & 1;
		torn->cut_after = n % 3 ? -1 : (int64_t)(torn_random(torn) % 80);
		if (fw_counters_keep(&ring, &counters, n + 5))
			kept = n;
		torn_power_on(torn);
		assert_true(fw_counters_open(&ring, &torn->flash, &read, &time_s));
		assert_true(read.run_s == kept || read.run_s == n);
		kept = read.run_s;
		assert_int_equal(read.remaining_mah, -(int32_t)kept);
		assert_int_equal(read.emergency_run_s[2], kept + 1);
		assert_int_equal(read.bank_seen, kept & 1);
		assert_int_equal(time_s, kept + 5);
	}
	free(torn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_comes_back),
		cmocka_unit_test(a_cut_leaves_one_whole),
		cmocka_unit_test(both_lost_is_told),
		cmocka_unit_test(other_layouts_are_understood),
		cmocka_unit_test(values_that_cannot_be_are_left_out),
		cmocka_unit_test(a_rotten_copy_does_not_bring_old_limits_back),
		cmocka_unit_test(what_cannot_be_read_is_not_half_taken),
		cmocka_unit_test(it_is_stored_two_seconds_later),
		cmocka_unit_test(counters_survive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
