// SPDX-License-Identifier: Apache-2.0
/* Orders survive a restart; what is no order is said to be none. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "order_file.h"

static char folder[] = "/tmp/onepack-order-XXXXXX";
static char path[64];

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof path, "%s/order.json", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static void test_what_is_saved_is_loaded(void **state)
{
	const struct update_order order = {.release = "/var/lib/onepack/pack 1.2.0.img",
					   .units = {1, 5, 247},
					   .count = 3,
					   .broadcast = true,
					   .allow_alone = true};
	struct update_order loaded;

	(void)state;
	assert_int_equal(update_order_load(path, &loaded), -ENOENT);
	assert_int_equal(update_order_remove(path), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(update_order_save(path, &order), 0);
	assert_int_equal(update_order_load(path, &loaded), 0);
	assert_string_equal(loaded.release, order.release);
	assert_memory_equal(loaded.units, order.units, sizeof order.units);
	assert_int_equal(loaded.count, 3);
	assert_true(loaded.broadcast && loaded.allow_alone && !loaded.allow_older);
	assert_int_equal(update_order_remove(path), 0);
	assert_int_equal(update_order_load(path, &loaded), -ENOENT);
	assert_int_equal(update_order_save("/nowhere/order.json", &order), -ENOENT);
}

static void test_what_is_no_order(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{\"release\": \"a\", \"packs\": [], \"broadcast\": true, \"allow_older\": false, \"allow_alone\": false}",
		"{\"release\": \"a\", \"packs\": [0], \"broadcast\": true, \"allow_older\": false, \"allow_alone\": false}",
		"{\"release\": \"a\", \"packs\": [248], \"broadcast\": true, \"allow_older\": false, \"allow_alone\": false}",
		"{\"release\": 1, \"packs\": [1], \"broadcast\": true, \"allow_older\": false, \"allow_alone\": false}",
		"{\"release\": \"a\", \"packs\": [1], \"broadcast\": true}",
	};
	struct update_order loaded = {.count = 77};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		FILE *file = fopen(path, "w");

		assert_non_null(file);
		assert_true(fputs(texts[i], file) >= 0);
		assert_int_equal(fclose(file), 0);
		assert_int_equal(update_order_load(path, &loaded), ERR_FORMAT);
		assert_int_equal(loaded.count, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_saved_is_loaded),
		cmocka_unit_test(test_what_is_no_order),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
