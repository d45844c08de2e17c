// SPDX-License-Identifier: Apache-2.0
/* Orders of updates: what is taken, what is refused and in which words; what survives a restart;
 * how a bus is judged; whose share of the limits goes. Packs do not answer here. */
#include "rack/update_desk.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../cmocka_all.h"

#define CODE 2000
#define ROOM ((size_t)2 * (CODE + 2048))

static struct table table;
static struct update_desk desk;
static struct rack_update_config config;
static char folder[64];
static uint8_t secret[IMAGE_SECRET_SIZE], release[ROOM];
static size_t release_size;
static char why[200];

static void make_release(const uint8_t *with)
{
	static const uint32_t slots[] = {0x08020000, 0x08040000};
	static uint8_t code[CODE];

	release_size = 0;
	for (int i = 0; i < 2; i++) {
		const struct image_facts facts = {.load_address = slots[i],
						  .version = {.major = 3, .minor = 1},
						  .device_class = 1,
						  .hardware_max = 9};
		const int size = image_make(&facts, code, CODE, with, release + release_size,
					    ROOM - release_size);

		assert_true(size > 0);
		release_size += (size_t)size;
	}
}

static void add_pack(int number, int line, int address)
{
	struct table_slot *slot = &table.slots[number - 1];

	slot->taken = true;
	slot->bus = line;
	slot->address = address;
	slot->sample.pack = number;
}

/* Packs 1 to 3 on the first line, 4 on the second, 5 a JK pack on the third. */
static int setup(void **state)
{
	static const char *const names[] = {"a", "b", "jk"};
	char pem[IMAGE_PEM_SIZE];
	FILE *file;

	(void)state;
	if (sodium_init() < 0)
		return -1;
	memset(&table, 0, sizeof table);
	memset(&desk, 0, sizeof desk);
	memset(&config, 0, sizeof config);
	table.line_count = 3;
	for (int i = 0; i < 3; i++) {
		snprintf(table.lines[i].status.name, FIELD_TEXT_SIZE, "%s", names[i]);
		snprintf(table.lines[i].protocol, FIELD_TEXT_SIZE, "%s",
			 i < 2 ? "pack/onepack" : "pack/jk-pb");
	}
	for (int i = 1; i <= 3; i++)
		add_pack(i, 0, 10 + i);
	add_pack(4, 1, 1);
	add_pack(5, 2, 1);
	strcpy(folder, "/tmp/onepack-desk-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(config.folder, sizeof config.folder, "%s", folder);
	snprintf(config.key, sizeof config.key, "%s/key.pem", folder);
	snprintf(config.password, sizeof config.password, "inst");
	image_key_make(secret);
	image_secret_to_pem(secret, pem);
	file = fopen(config.key, "w");
	if (!file || fputs(pem, file) < 0 || fclose(file) != 0)
		return -1;
	make_release(secret);
	return desk_enable(&desk, &config, &table, 1000, why, sizeof why);
}

static int teardown(void **state)
{
	static const char *const names[] = {"key.pem", "update.json", "update.img"};
	char path[128];

	(void)state;
	desk_close(&desk);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	return rmdir(folder);
}

static int order(uint32_t packs)
{
	const struct rack_update_wish wish = {.packs = packs};

	return desk_order(&desk, &table, &wish, release, release_size, 2000, why, sizeof why);
}

static void test_an_order(void **state)
{
	(void)state;
	assert_int_equal(order(2 | 8), 0); /* packs 1 and 3 */
	assert_int_equal(desk.status.state, RACK_UPDATE_WAITING);
	assert_string_equal(desk.status.version, "3.1.0");
	assert_string_equal(desk.status.bus, "a");
	assert_int_equal(desk.status.pack_count, 2);
	assert_int_equal(desk.status.packs[1].pack, 3);
	assert_int_equal(desk.status.packs[1].address, 13);
	assert_int_equal(order(2), -EBUSY);
	/* the other lines have nothing to do with it */
	assert_null(desk_job(&desk, &table, 1, 4, 115200, 3000));
	assert_non_null(desk_job(&desk, &table, 0, 4, 115200, 3000));
	assert_int_equal(desk.job.count, 2);
	assert_int_equal(desk.job.packs[1].unit, 13);
	assert_int_equal(desk.job.options.packs_in_service, 4);
}

static void test_what_is_refused(void **state)
{
	uint8_t stranger[IMAGE_SECRET_SIZE];

	(void)state;
	assert_int_equal(order(0), -EINVAL); /* all are on two lines */
	assert_non_null(strstr(why, "another line"));
	assert_int_equal(order(1 << 5), -EINVAL);
	assert_non_null(strstr(why, "Pack 5 is not one"));
	assert_int_equal(order(1 << 6), -EINVAL);
	release[700]++;
	assert_int_equal(order(2), -EINVAL);
	assert_non_null(strstr(why, "damaged"));
	release_size -= 100;
	assert_int_equal(order(2), -EINVAL);
	assert_non_null(strstr(why, "no release"));
	image_key_make(stranger);
	make_release(stranger);
	assert_int_equal(order(2), -EINVAL);
	assert_non_null(strstr(why, "not signed"));
	assert_int_equal(desk.status.state, RACK_UPDATE_NONE);
	table.slots[3].taken = false;
	make_release(secret);
	assert_int_equal(order(0), 0); /* all that can be */
	assert_int_equal(desk.status.pack_count, 3);
}

static void test_without_a_key(void **state)
{
	struct update_desk other = {0};
	const struct rack_update_wish wish = {0};

	(void)state;
	config.key[0] = '\0';
	assert_int_equal(desk_enable(&other, &config, &table, 1, why, sizeof why), 0);
	assert_int_equal(
		desk_order(&other, &table, &wish, release, release_size, 1, why, sizeof why),
		-EINVAL);
	snprintf(config.key, sizeof config.key, "%s/nothing", folder);
	assert_int_equal(desk_enable(&other, &config, &table, 1, why, sizeof why), -EINVAL);
}

static void see_all(int64_t now_ms)
{
	for (int i = 11; i <= 13; i++)
		desk_seen(&desk, 0, i, now_ms);
}

/* The next gateway waits until all packs are in service, but not for ever. */
static void test_a_restart(void **state)
{
	(void)state;
	assert_int_equal(order(2 | 4 | 8), 0);
	desk_close(&desk);
	for (int patient = 0; patient < 2; patient++) {
		memset(&desk, 0, sizeof desk);
		assert_int_equal(desk_enable(&desk, &config, &table, 100000, why, sizeof why), 0);
		assert_int_equal(desk.status.state, RACK_UPDATE_WAITING);
		assert_int_equal(desk.status.pack_count, 3);
		assert_null(desk_job(&desk, &table, 0, -1, 115200, 100100));
		see_all(101000);
		assert_null(desk_job(&desk, &table, 0, 2, 115200, 101100));
		if (patient)
			assert_non_null(desk_job(&desk, &table, 0, 2, 115200, 131000));
		else
			assert_non_null(desk_job(&desk, &table, 0, 3, 115200, 102000));
		assert_int_equal(desk.status.state, RACK_UPDATE_RUNNING);
		desk_close(&desk);
	}
}

static void test_an_end_is_kept_and_told(void **state)
{
	char path[128];

	(void)state;
	assert_int_equal(order(2), 0);
	snprintf(path, sizeof path, "%s/update.json", folder);
	assert_int_equal(access(path, R_OK), 0);
	assert_int_equal(desk_stop(&desk, why, sizeof why), 0);
	assert_null(desk_job(&desk, &table, 0, 4, 115200, 3000));
	assert_int_equal(desk.status.state, RACK_UPDATE_FAILED);
	assert_int_not_equal(access(path, R_OK), 0);
	assert_int_equal(table.event_count, 1);
	assert_string_equal(table.events[0].kind, "update_failed");
	assert_int_equal(order(2), 0); /* another one may be ordered */
}

static void pass_errors(uint64_t answers, uint64_t damaged, uint64_t silent_elsewhere)
{
	table.lines[0].status.address[11].answers += answers;
	table.lines[0].status.address[11].errors[BUS_CAUSE_CHECKSUM] += damaged;
	table.lines[0].status.address[7].errors[BUS_CAUSE_TIMEOUT] += silent_elsewhere;
}

/* Bad answers of the last minutes count, not old ones, and not the silence of an empty place. */
static void test_a_bus_is_judged(void **state)
{
	(void)state;
	pass_errors(1000, 500, 0);
	for (int64_t ms = 1000; ms <= 200000; ms += 1000)
		desk_tick(&desk, &table, ms);
	pass_errors(1000, 5, 900);
	assert_int_equal(order(2), 0);
	assert_non_null(desk_job(&desk, &table, 0, 4, 115200, 200000));
	assert_int_equal(desk.job.options.bus_errors_ppm, 4975);
	assert_int_equal(desk.job.state, UPDATE_RUNNING);
	(void)desk_stop(&desk, why, sizeof why);
	assert_null(desk_job(&desk, &table, 0, 4, 115200, 200000));
	pass_errors(1000, 100, 0);
	assert_int_equal(order(2), 0);
	assert_non_null(desk_job(&desk, &table, 0, 4, 115200, 200000));
	desk_step(&desk, &table);
	assert_int_equal(desk.status.state, RACK_UPDATE_FAILED);
	assert_non_null(strstr(desk.status.error, "too many errors"));
}

/* The pack that leaves counts as switched off, and may go three seconds after that was taken. */
static void test_a_pack_leaves(void **state)
{
	static struct fusion_input input;

	(void)state;
	assert_int_equal(order(2 | 8), 0);
	assert_non_null(desk_job(&desk, &table, 0, 4, 115200, 10000));
	desk.job.stage = 5; /* STAGE_ACTIVATE */
	desk.job.current = 1;
	desk.job.packs[1].progress = UPDATE_LEAVES;
	desk_step(&desk, &table);
	assert_int_equal(table.leaving, 4); /* pack 3 */
	assert_int_equal(desk_stop(&desk, why, sizeof why), -EBUSY);
	for (int i = 0; i < 3; i++) {
		table.slots[i].sample.charge_mos = table.slots[i].sample.discharge_mos = 1;
		table.slots[i].fresh = true;
	}
	table_take(&table, &input);
	desk_taken(&desk, &table, 11000);
	assert_int_equal(input.packs[0].charge_mos, 1);
	assert_int_equal(input.packs[2].charge_mos, 0);
	assert_int_equal(input.packs[2].discharge_mos, 0);
	(void)desk_job(&desk, &table, 0, 4, 115200, 13900);
	assert_false(desk.job.lowered);
	(void)desk_job(&desk, &table, 0, 4, 115200, 14000);
	assert_true(desk.job.lowered);
	desk.job.packs[1].progress = UPDATE_ON_TRIAL;
	desk_step(&desk, &table);
	assert_int_equal(table.leaving, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_an_order),
		TEST(test_what_is_refused),
		TEST(test_without_a_key),
		TEST(test_a_restart),
		TEST(test_an_end_is_kept_and_told),
		TEST(test_a_bus_is_judged),
		TEST(test_a_pack_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
