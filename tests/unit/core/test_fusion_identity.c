// SPDX-License-Identifier: Apache-2.0
/* N: duplicates, exchanged packs and other masters. */
#include "fusion_rig.h"

static bool is_duplicate(const struct rig *rig, int number)
{
	return rig_state(rig, number) == PACK_QUARANTINED &&
	       (rig_out(rig, number)->warnings & ALARM_BIT(ALARM_pack_duplicate_address)) &&
	       (rig->out.warnings & ALARM_BIT(ALARM_pack_duplicate_address));
}

static void set_serial(struct pack *pack, int odd)
{
	snprintf(pack->serial, sizeof pack->serial, odd ? "TWIN-B" : "TWIN-A");
}

static void set_capacity(struct pack *pack, int odd)
{
	pack->capacity_mah = odd ? 314000 : 280000;
}

static void set_cycles(struct pack *pack, int odd)
{
	pack->cycles = odd ? 500 : 100;
}

static void what_alternates_is_two_packs(void **state)
{
	static void (*const set[])(struct pack *, int) = {set_serial, set_capacity, set_cycles};

	(void)state;
	for (size_t i = 0; i < sizeof set / sizeof set[0]; i++) {
		struct rig rig;

		rig_settle(&rig, 2);
		for (int k = 0; k < 6; k++) {
			set[i](&rig.packs[1], k % 2);
			rig_run(&rig, 1);
		}
		assert_true(is_duplicate(&rig, 2));
		assert_int_equal(rig_state(&rig, 1), PACK_ACTIVE);
		rig_run(&rig, 59); /* it stays until nothing has alternated for a minute */
		assert_true(is_duplicate(&rig, 2));
		rig_run(&rig, 20);
		assert_int_equal(rig_state(&rig, 2), PACK_ACTIVE);
	}
}

static void what_changes_slowly_is_one_pack(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 1);
	for (int k = 0; k < 10; k++) {
		rig.packs[0].capacity_mah = 280000 + (k % 2) * 3000; /* 1 % */
		rig.packs[0].cycles++;
		rig_run(&rig, 1);
		assert_int_equal(rig_state(&rig, 1), PACK_ACTIVE);
	}
	for (int k = 0; k < 4; k++) { /* relearned now and then, minutes apart */
		set_capacity(&rig.packs[0], k % 2);
		rig_run(&rig, 90);
		assert_int_equal(rig_state(&rig, 1), PACK_ACTIVE);
	}
	for (int k = 0; k < 6; k++) { /* a serial that is read only now and then */
		rig.packs[0].serial[0] = k % 2 ? 'S' : '\0';
		rig_run(&rig, 1);
		assert_int_equal(rig_state(&rig, 1), PACK_ACTIVE);
	}
}

/* Auto-numbered logs give each serial a place of its own: one address, two places. */
static void two_serials_at_one_address_are_two_packs(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 3);
	rig.packs[2].address = 2;
	rig_run(&rig, 5);
	assert_int_equal(rig_state(&rig, 1), PACK_ACTIVE);
	assert_true(is_duplicate(&rig, 2));
	assert_true(is_duplicate(&rig, 3));
}

/* A pack was exchanged, and the log gives the new serial a new place: the old one has fallen
 * silent. */
static void one_serial_after_the_other_is_an_exchange(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.absent[1] = true;
	rig_run(&rig, 3);
	rig.count = 3;
	rig.packs[2] = rig_pack(3);
	rig.packs[2].address = 2;
	rig_run(&rig, 20);
	assert_int_equal(rig_state(&rig, 2), PACK_HELD);
	assert_int_equal(rig_state(&rig, 3), PACK_ACTIVE);
}

static void the_same_address_on_two_buses_is_fine(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig.packs[1].address = 1;
	snprintf(rig.packs[1].bus, sizeof rig.packs[1].bus, "other");
	rig_run(&rig, 5);
	assert_int_equal(rig_state(&rig, 2), PACK_ACTIVE);
}

static void an_exchanged_pack_starts_anew(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig_set_cell(&rig.packs[1], 1, 3100); /* leaves a latch behind */
	rig_run(&rig, 3);
	rig.packs[1] = rig_pack(2);
	snprintf(rig.packs[1].serial, sizeof rig.packs[1].serial, "NEW");
	rig.packs[1].capacity_mah = 100000;
	rig_run(&rig, 2); /* could still be a slip */
	assert_string_equal(rig_out(&rig, 2)->serial, "SN002");
	rig_run(&rig, 1);
	assert_string_equal(rig_out(&rig, 2)->serial, "NEW");
	assert_int_equal(rig_state(&rig, 2), PACK_CANDIDATE);
	rig_run(&rig, 12);
	assert_int_equal(rig_state(&rig, 2), PACK_ACTIVE);
	assert_int_equal(rig.out.capacity_mah, 380000);
	assert_int_equal(rig.fusion.slots[1].latch_ppm[DISCHARGE], 1000000);
	assert_int_equal(rig.out.packs_total, 2);
}

static void lose_checksums(struct rig *rig, int32_t address, int count)
{
	struct bus_error *error = &rig->input.errors[rig->input.error_count++];

	memset(error, 0, sizeof *error);
	snprintf(error->bus, sizeof error->bus, "rack");
	error->address = address;
	error->kind = BUS_ERROR_CHECKSUM;
	error->count = count;
}

static void checksum_losses_at_one_address_are_two_packs(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 3);
	lose_checksums(&rig, 2, 2);
	lose_checksums(&rig, 9, 2); /* nobody there */
	rig_run(&rig, 5);
	assert_int_equal(rig_state(&rig, 2), PACK_ACTIVE);
	rig_run(&rig, 5);
	assert_true(is_duplicate(&rig, 2));
	assert_int_equal(rig_state(&rig, 1), PACK_ACTIVE);
	rig.input.error_count = 0;
	rig_run(&rig, 90);
	assert_int_equal(rig_state(&rig, 2), PACK_ACTIVE);
}

static void a_noisy_line_is_not_a_duplicate(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 3);
	for (int32_t address = 1; address <= 3; address++)
		lose_checksums(&rig, address, 3);
	rig.input.errors[0].count = 0;
	rig_run(&rig, 20);
	for (int number = 1; number <= 3; number++)
		assert_int_equal(rig_state(&rig, number), PACK_ACTIVE);
}

static void another_master_is_reported_for_a_minute(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 1);
	rig.input.error_count = 1;
	rig.input.errors[0] = (struct bus_error){.bus = "rack",
						 .address = FIELD_UNKNOWN,
						 .kind = BUS_ERROR_FOREIGN_REQUEST,
						 .count = 1};
	rig_run(&rig, 1);
	assert_true(rig.out.warnings & ALARM_BIT(ALARM_second_master));
	rig.input.errors[0].kind = BUS_ERROR_TIMEOUT;
	rig_run(&rig, 59);
	assert_true(rig.out.warnings & ALARM_BIT(ALARM_second_master));
	rig_run(&rig, 1);
	assert_false(rig.out.warnings & ALARM_BIT(ALARM_second_master));
}

/* Another serial three times, but the third answer is worth nothing: the old pack stays and limits.
 */
static void an_exchange_needs_a_good_answer(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.packs[0].charge_current_limit_ma = 20000;
	rig_run(&rig, 1);
	snprintf(rig.packs[0].serial, sizeof rig.packs[0].serial, "NEW");
	rig.packs[0].charge_current_limit_ma = 100000;
	rig_run(&rig, 2);
	rig.packs[0].soc_mpct = 255000;
	rig_run(&rig, 1);
	assert_string_equal(rig_out(&rig, 1)->serial, "SN001");
	assert_int_equal(rig.fusion.slots[0].bad_in_row, 1);
	assert_true(rig.fusion.target_ma[CHARGE] <= 38000);
	rig.packs[0].soc_mpct = 60000;
	rig_run(&rig, 1);
	assert_string_equal(rig_out(&rig, 1)->serial, "NEW");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_alternates_is_two_packs),
		cmocka_unit_test(what_changes_slowly_is_one_pack),
		cmocka_unit_test(two_serials_at_one_address_are_two_packs),
		cmocka_unit_test(one_serial_after_the_other_is_an_exchange),
		cmocka_unit_test(the_same_address_on_two_buses_is_fine),
		cmocka_unit_test(an_exchanged_pack_starts_anew),
		cmocka_unit_test(checksum_losses_at_one_address_are_two_packs),
		cmocka_unit_test(a_noisy_line_is_not_a_duplicate),
		cmocka_unit_test(another_master_is_reported_for_a_minute),
		cmocka_unit_test(an_exchange_needs_a_good_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
