// SPDX-License-Identifier: Apache-2.0
/* Records in a ring of flash pages: numbers go on, the oldest go, and a power cut at any byte costs
 * nothing but the record that was being written. On all program units, with parts that only keep
 * garbage after a cut and parts that refuse to be read. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/log.h"
#include "core/ring.h"
#include "core/snapshot.h"
#include "torn_flash.h"

#define SIZE 16
#define PAGE 256

static struct torn_flash *new_flash(uint32_t page_size, uint32_t pages, uint32_t unit)
{
	struct torn_flash *torn = malloc(sizeof *torn);

	assert_non_null(torn);
	torn_init(torn, page_size, 2, unit, 1);
	torn->flash.page_count[FW_AREA_LOG] = pages;
	return torn;
}

static void fill(uint8_t record[SIZE], uint32_t value)
{
	memset(record, 0, SIZE);
	fw_put_u32be(record + 4, value);
	fw_put_u32be(record + 8, ~value);
}

static uint32_t value_of(const uint8_t record[SIZE])
{
	assert_int_equal(fw_get_u32be(record + 4), (uint32_t)~fw_get_u32be(record + 8));
	return fw_get_u32be(record + 4);
}

static void numbers_go_on(void **state)
{
	struct torn_flash *torn = new_flash(PAGE, 4, 4);
	struct fw_ring ring;
	uint8_t record[SIZE];

	(void)state;
	fw_ring_open(&ring, &torn->flash, FW_AREA_LOG, SIZE);
	assert_int_equal(fw_ring_newest(&ring), 0);
	assert_int_equal(fw_ring_oldest(&ring), 0);
	assert_int_equal(fw_ring_read(&ring, 0, record), 0);
	for (uint32_t n = 1; n <= 1000; n++) {
		fill(record, n * 7);
		assert_true(fw_ring_append(&ring, record));
		assert_int_equal(fw_ring_newest(&ring), n);
		/* three whole pages at least are kept, and all that is told can be read */
		assert_true(n - fw_ring_oldest(&ring) + 1 >= (n < 48 ? n : 48));
		assert_true(n - fw_ring_oldest(&ring) + 1 <= 64);
		assert_int_equal(fw_ring_read(&ring, 0, record), fw_ring_oldest(&ring));
		assert_int_equal(value_of(record), 7 * fw_ring_oldest(&ring));
		if (n % 3 == 0)
			fw_ring_prepare(&ring);
		if (n % 5 == 0)
			fw_ring_open(&ring, &torn->flash, FW_AREA_LOG, SIZE);
		assert_int_equal(fw_ring_read(&ring, n, record), n);
		assert_int_equal(value_of(record), n * 7);
		assert_int_equal(fw_ring_read(&ring, n + 1, record), 0);
	}
	free(torn);
}

static void clearing_hides_what_was(void **state)
{
	struct torn_flash *torn = new_flash(PAGE, 4, 4);
	struct fw_event event = {.code = 0x02C4};
	uint8_t record[FW_SNAPSHOT_RECORD];
	static const uint8_t live[FW_SNAPSHOT_LIVE + FW_SNAPSHOT_CELLS];
	struct fw_snapshots snapshots;
	struct fw_log log;

	(void)state;
	torn->flash.page_count[FW_AREA_SNAPSHOTS] = 8;
	fw_log_open(&log, &torn->flash);
	fw_snapshots_open(&snapshots, &torn->flash);
	for (uint32_t n = 1; n <= 50; n++) {
		fw_log_add(&log, n, &event);
		fw_snapshots_add(&snapshots, n, 0x0200, live);
	}
	event.code = FW_EVENT_LOG_CLEARED;
	fw_log_add(&log, 51, &event);
	fw_snapshots_clear(&snapshots, 51);
	for (int restart = 0; restart < 2; restart++) {
		assert_int_equal(fw_ring_oldest(&log.ring), 51);
		assert_int_equal(fw_ring_newest(&log.ring), 51);
		assert_int_equal(fw_log_read(&log, 0, record), 51);
		assert_int_equal(fw_ring_oldest(&snapshots.ring), 0);
		assert_int_equal(fw_snapshots_read(&snapshots, 0, record), 0);
		fw_log_open(&log, &torn->flash);
		fw_snapshots_open(&snapshots, &torn->flash);
	}
	assert_true(fw_snapshots_add(&snapshots, 52, 0x0201, live));
	assert_int_equal(fw_snapshots_read(&snapshots, 0, record), 52);
	free(torn);
}

static void cut_everywhere(uint32_t unit, bool checks_itself)
{
	struct torn_flash *torn = new_flash(PAGE, 4, unit);
	bool *kept = calloc(60000, sizeof *kept);
	uint32_t newest_kept = 0, cuts = 0;
	struct fw_ring ring;

	assert_non_null(kept);
	torn->checks_itself = checks_itself;
	fw_ring_open(&ring, &torn->flash, FW_AREA_LOG, SIZE);
	for (uint32_t round = 0; round < 4000; round++) {
		uint8_t record[SIZE];

		torn->cut_after = (int64_t)(torn_random(torn) % 120);
		while (!torn->dead) {
			fill(record, ring.next);
			if (!fw_ring_append(&ring, record))
				break;
			if (value_of(record) != fw_ring_newest(&ring))
				continue; /* a torn slot was stepped over: the record is another */
			kept[ring.newest] = true;
			newest_kept = ring.newest;
		}
		cuts += torn->dead;
		torn_power_on(torn);
		fw_ring_open(&ring, &torn->flash, FW_AREA_LOG, SIZE);
		assert_true(fw_ring_newest(&ring) >= newest_kept);
		for (uint32_t n = fw_ring_oldest(&ring); n && n <= newest_kept; n++) {
			const uint32_t number = fw_ring_read(&ring, n, record);

			if (kept[n] && newest_kept - n < 30)
				assert_int_equal(number, n);
		}
	}
	assert_true(cuts > 3000);
	assert_true(newest_kept > 3000);
	free(kept);
	free(torn);
}

static void cuts_cost_one_record(void **state)
{
	(void)state;
	for (uint32_t unit = 1; unit <= 8; unit *= 2)
		cut_everywhere(unit, false);
	cut_everywhere(8, true);
}

static void a_broken_part_is_reported(void **state)
{
	struct torn_flash *torn = new_flash(PAGE, 4, 4);
	struct fw_ring ring;
	uint8_t record[SIZE];

	(void)state;
	fw_ring_open(&ring, &torn->flash, FW_AREA_LOG, SIZE);
	torn->dead = true;
	fill(record, 1);
	assert_false(fw_ring_append(&ring, record));
	assert_true(ring.failed);
	torn_power_on(torn);
	fill(record, 1);
	assert_true(fw_ring_append(&ring, record));
	assert_false(ring.failed);
	torn->flash.page_count[FW_AREA_LOG] = 1; /* too small: erasing would lose everything */
	fw_ring_open(&ring, &torn->flash, FW_AREA_LOG, SIZE);
	assert_false(fw_ring_append(&ring, record));
	free(torn);
}

static void a_log_of_ten_thousand(void **state)
{
	/* 160 KiB in pages of 4 KiB do not fit the torn flash's area: as many pages as do, and
	   the numbers of the rest by the same rule */
	struct torn_flash *torn = new_flash(4096, 16, 8);
	struct fw_event event = {.code = 0x02C4, .source = FW_SOURCE_BUS, .v1 = -5, .v2 = 1234};
	uint8_t record[FW_LOG_RECORD];
	struct fw_log log;

	(void)state;
	fw_log_open(&log, &torn->flash);
	assert_int_equal(log.ring.slots, 16 * 256);
	for (uint32_t n = 1; n <= 6000; n++)
		assert_true(fw_log_add(&log, n + 1000, &event));
	assert_true(fw_ring_newest(&log.ring) - fw_ring_oldest(&log.ring) + 1 >= 15 * 256);
	assert_int_equal(fw_log_read(&log, 5000, record), 5000);
	assert_int_equal(fw_get_u32be(record), 5000);
	assert_int_equal(fw_get_u32be(record + 4), 6000);
	assert_int_equal(fw_get_u16be(record + 8), 0x02C4);
	assert_int_equal(fw_get_u16be(record + 10), FW_SOURCE_BUS);
	assert_int_equal((int16_t)fw_get_u16be(record + 12), -5);
	assert_int_equal(fw_get_u16be(record + 14), 1234);
	free(torn);
}

static void snapshots_are_kept_as_they_are_read(void **state)
{
	struct torn_flash *torn = new_flash(2048, 2, 8);
	uint8_t live[FW_SNAPSHOT_LIVE + FW_SNAPSHOT_CELLS], record[FW_SNAPSHOT_RECORD];
	struct fw_snapshots snapshots;

	(void)state;
	torn->flash.page_count[FW_AREA_SNAPSHOTS] = 5;
	for (size_t i = 0; i < sizeof live; i++)
		live[i] = (uint8_t)i;
	fw_snapshots_open(&snapshots, &torn->flash);
	for (uint32_t n = 1; n <= 200; n++)
		assert_true(fw_snapshots_add(&snapshots, n, 0x0201, live));
	assert_true(200 - fw_ring_oldest(&snapshots.ring) + 1 >= 50);
	fw_snapshots_open(&snapshots, &torn->flash);
	assert_int_equal(fw_snapshots_read(&snapshots, 180, record), 180);
	assert_int_equal(fw_get_u32be(record + 4), 180);
	assert_int_equal(fw_get_u16be(record + 8), 0x0201);
	assert_memory_equal(record + 10, live, sizeof live);
	free(torn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_go_on),
		cmocka_unit_test(clearing_hides_what_was),
		cmocka_unit_test(cuts_cost_one_record),
		cmocka_unit_test(a_broken_part_is_reported),
		cmocka_unit_test(a_log_of_ten_thousand),
		cmocka_unit_test(snapshots_are_kept_as_they_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
