// SPDX-License-Identifier: Apache-2.0
/* Packs find their addresses on one line: by search for their ids in any order of power-up, up to
 * 30 of them; by the enable line; two with the same switches; packs that come and go. Every byte
 * passes the simulated line, where those who speak together garble each other. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "line_rig.h"

#define SLOT_MS 3
#define SLOTS   16
#define SECOND  UINT64_C(1000000)

/* --- a small master --- */

struct census {
	struct line_rig *rig;
	uint32_t found[64];
	int count, rounds;
};

static void open_window(struct line_rig *rig)
{
	uint64_t end_us;

	line_rig_operate(rig, FW_ADDRESS_WINDOW, 5u << 16, 0, 0, 3000, &end_us);
}

/* The id in a clean answer of one slot, 0 = silence, 1 = noise: several packs. */
static uint32_t in_slot(const struct line_rig *rig, uint64_t end_us, int slot)
{
	uint8_t bytes[64];
	size_t count = 0;

	for (size_t i = 0; i < rig->heard_count; i++) {
		const uint64_t after_us = rig->heard_us[i] - end_us;

		if (after_us / 1000 / SLOT_MS == (uint64_t)slot && count < sizeof bytes)
			bytes[count++] = rig->heard[i];
	}
	if (count == 0)
		return 0;

	const struct fw_frame frame = fw_modbus_look(bytes, count, true);

	if (frame.kind != FW_FRAME_ANSWER || frame.length != FW_SEARCH_FRAME || count != 13)
		return 1;
	return fw_get_u32be(bytes + 3);
}

/* Searches until nobody who is not muted is left below this prefix; noise leads deeper. Those found
 * are muted. */
static void search(struct census *census)
{
	struct {
		uint32_t prefix;
		uint16_t bits;
	} todo[64] = {{0, 0}};
	int count = 1;

	while (count > 0) {
		const uint32_t prefix = todo[--count].prefix;
		const uint16_t bits = todo[count].bits;
		uint32_t ids[SLOTS];
		uint64_t end_us;

		open_window(census->rig);
		line_rig_operate(census->rig, FW_ADDRESS_SEARCH, prefix, bits, SLOT_MS,
				 (SLOTS + 2) * SLOT_MS * 1000, &end_us);
		census->rounds++;
		for (int slot = 0; slot < SLOTS; slot++)
			ids[slot] = in_slot(census->rig, end_us, slot);
		for (int slot = 0; slot < SLOTS; slot++) {
			if (ids[slot] == 1) {
				assert_true(count < 64 && bits < 32);
				todo[count].prefix = prefix | (uint32_t)slot << (28 - bits);
				todo[count++].bits = (uint16_t)(bits + 4);
			} else if (ids[slot]) {
				assert_true(census->count < 64);
				census->found[census->count++] = ids[slot];
				line_rig_operate(census->rig, FW_ADDRESS_MUTE, ids[slot], 0, 0,
						 3000, &end_us);
			}
		}
	}
}

static void assign(struct line_rig *rig, uint32_t uid32, uint16_t address, uint16_t position)
{
	uint64_t end_us;

	line_rig_operate(rig, FW_ADDRESS_ASSIGN, uid32, address, position, 3000, &end_us);
	assert_true(line_rig_read(rig, (uint8_t)address, 0x0904, 4));
	assert_int_equal(fw_get_u32be(rig->heard + 3), uid32);
	assert_int_equal(rig->heard[9], address);
}

/* Everybody is released, found and given an address; returns how long that took. */
static uint64_t enumerate(struct census *census)
{
	const uint64_t begin_us = census->rig->now_us;
	uint64_t end_us;

	census->count = 0;
	open_window(census->rig);
	line_rig_operate(census->rig, FW_ADDRESS_RELEASE, 0, 0, 0, 3000, &end_us);
	search(census);
	open_window(census->rig);
	for (int i = 0; i < census->count; i++)
		assign(census->rig, census->found[i], (uint16_t)(i + 1), 0);
	return census->rig->now_us - begin_us;
}

/* Each of 1..count answers, and they are all different packs. */
static void check_all_answer(struct line_rig *rig, int count)
{
	uint32_t ids[64];

	for (int i = 0; i < count; i++) {
		assert_true(line_rig_read(rig, (uint8_t)(i + 1), 0x000A, 2));
		ids[i] = fw_get_u32be(rig->heard + 3);
		for (int k = 0; k < i; k++)
			assert_int_not_equal(ids[k], ids[i]);
	}
}

static void power_up_in_any_order(struct line_rig *rig)
{
	for (int left = rig->pack_count; left > 0;) {
		const int index =
			(int)(sim_random_next(&rig->line.random) % (unsigned)rig->pack_count);

		if (rig->powered[index])
			continue;
		line_rig_power(rig, index, true);
		line_rig_run(rig, rig->now_us + sim_random_next(&rig->line.random) % 150000);
		left--;
	}
}

/* --- the search --- */

static void all_are_found(int packs, uint64_t seed, uint32_t same_bits)
{
	struct line_rig *rig = line_rig_new(packs, 115200, seed);
	struct census census = {.rig = rig};
	uint64_t took_us;

	for (int i = 0; i < packs && same_bits; i++) /* ids that begin alike collide for long */
		rig->packs[i].pack.identity.uid32 =
			(rig->packs[i].pack.identity.uid32 >> same_bits) |
			(i % 2 ? 0 : 0xABCDEF12u << (32 - same_bits));
	power_up_in_any_order(rig);
	took_us = enumerate(&census);
	assert_int_equal(census.count, packs);
	check_all_answer(rig, packs);
	assert_true(took_us < 5 * SECOND);
	for (int i = 0; i < packs; i++)
		assert_int_equal(rig->packs[i].server.addressing.source, FW_ADDRESS_UID);
	free(rig);
}

static void sixteen_in_any_order(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++)
		all_are_found(16, seed, 0);
	all_are_found(16, 7, 12);
}

static void thirty_of_them(void **state)
{
	(void)state;
	all_are_found(30, 1, 0);
	all_are_found(30, 2, 8);
}

/* Nobody listens to operations outside the window, nor to those for others. */
static void nothing_moves_outside_the_window(void **state)
{
	struct line_rig *rig = line_rig_new(2, 115200, 1);
	uint64_t end_us;

	(void)state;
	rig->packs[0].dip = 1;
	rig->packs[1].dip = 2;
	line_rig_power(rig, 0, true);
	line_rig_power(rig, 1, true);
	for (uint16_t operation = 1; operation < 16; operation++)
		line_rig_operate(rig, operation, rig->packs[0].pack.identity.uid32, 9, SLOT_MS,
				 60000, &end_us);
	assert_int_equal(rig->heard_count, 0);
	check_all_answer(rig, 2);
	open_window(rig);
	line_rig_run(rig, rig->now_us + 6 * SECOND);
	line_rig_operate(rig, FW_ADDRESS_RELEASE, 0, 0, 0, 3000, &end_us);
	check_all_answer(rig, 2);
	/* addresses outside 1..32 are not taken */
	open_window(rig);
	line_rig_operate(rig, FW_ADDRESS_ASSIGN, rig->packs[0].pack.identity.uid32, 33, 0, 3000,
			 &end_us);
	line_rig_operate(rig, FW_ADDRESS_ASSIGN, rig->packs[0].pack.identity.uid32, 0, 0, 3000,
			 &end_us);
	check_all_answer(rig, 2);
	free(rig);
}

/* Addresses are for this time only, unless the installer says keep. */
static void addresses_are_kept_by_the_installer(void **state)
{
	static const uint8_t login[] = {1,   FW_WRITE, 8,   0,   0,   4,   8,  'i',
					'n', 's',      't', '0', '0', '0', '1'};
	struct line_rig *rig = line_rig_new(3, 115200, 3);
	struct census census = {.rig = rig};
	uint64_t end_us;

	(void)state;
	power_up_in_any_order(rig);
	enumerate(&census);
	line_rig_say(rig, login, sizeof login, 25000);
	assert_int_equal(rig->heard_count, 8);
	open_window(rig);
	line_rig_operate(rig, FW_ADDRESS_STORE, 0, 0, 0, 3000, &end_us);
	line_rig_run(rig, rig->now_us + 3 * SECOND);
	for (int i = 0; i < 3; i++)
		line_rig_power(rig, i, true); /* again */
	for (int i = 0; i < 3; i++) {
		const bool kept = rig->packs[i].pack.identity.uid32 == census.found[0];

		assert_int_equal(rig->packs[i].server.addressing.address,
				 kept ? 1 : FW_MODBUS_UNASSIGNED);
		if (kept)
			assert_int_equal(rig->packs[i].server.addressing.source, FW_ADDRESS_STORED);
	}
	free(rig);
}

/* --- the same switches twice --- */

static void two_with_the_same_switches(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct line_rig *rig = line_rig_new(4, 115200, seed);
		struct census census = {.rig = rig};
		int polls = 0, good = 0, at_three = 0, lost = -1;

		for (int i = 0; i < 4; i++)
			rig->packs[i].dip = (uint8_t)(i == 3 ? 3 : i + 1);
		power_up_in_any_order(rig);
		line_rig_run(rig, rig->now_us + SECOND);
		for (; polls < 20 && good < 3; polls++)
			good += line_rig_read(rig, 3, 0x0100, 56);
		assert_true(good >= 3); /* three clean answers out of twenty polls at most */
		for (int i = 2; i < 4; i++) {
			const struct fw_addressing *a = &rig->packs[i].server.addressing;

			at_three += a->address == 3;
			if (a->address == FW_MODBUS_UNASSIGNED)
				lost = i;
		}
		assert_int_equal(at_three, 1);
		assert_true(lost >= 0);
		line_rig_run(rig, rig->now_us + SECOND / 2);
		assert_true(rig->packs[lost].pack.pack.warnings & FW_BIT(FW_ADDRESS_CONFLICT));
		assert_int_equal(rig->packs[lost].server.addressing.conflicts, 1);
		/* neighbours have not moved; the search finds all four and tells them apart */
		assert_true(line_rig_read(rig, 1, 0x0100, 56));
		assert_true(line_rig_read(rig, 2, 0x0100, 56));
		search(&census);
		assert_int_equal(census.count, 4);
		open_window(rig);
		assign(rig, rig->packs[lost].pack.identity.uid32, 4, 0);
		check_all_answer(rig, 4);
		line_rig_run(rig, rig->now_us + SECOND / 2);
		assert_false(rig->packs[lost].pack.pack.warnings & FW_BIT(FW_ADDRESS_CONFLICT));
		free(rig);
	}
}

/* --- coming and going --- */

static void packs_come_and_go(void **state)
{
	struct line_rig *rig = line_rig_new(5, 115200, 5);
	struct census census = {.rig = rig};

	(void)state;
	for (int i = 0; i < 4; i++)
		line_rig_power(rig, i, true);
	line_rig_run(rig, rig->now_us + SECOND);
	enumerate(&census);
	assert_int_equal(census.count, 4);
	/* the search in the background finds only who is new */
	census.count = census.rounds = 0;
	search(&census);
	assert_int_equal(census.count, 0);
	assert_int_equal(census.rounds, 1);
	line_rig_power(rig, 4, true);
	line_rig_run(rig, rig->now_us + SECOND);
	search(&census);
	assert_int_equal(census.count, 1);
	assert_int_equal(census.found[0], rig->packs[4].pack.identity.uid32);
	assign(rig, census.found[0], 5, 0);
	check_all_answer(rig, 5);
	/* one goes in the middle of its answer: the others are not disturbed */
	line_rig_say(rig, (const uint8_t[]){2, FW_READ, 1, 0, 0, 56}, 6, 4000);
	for (int i = 0; i < 5; i++)
		if (rig->packs[i].server.addressing.address == 2) {
			line_hush(&rig->line, i + 1);
			line_rig_power(rig, i, false);
		}
	assert_false(line_rig_read(rig, 2, 0x0100, 56));
	assert_true(line_rig_read(rig, 1, 0x0100, 56));
	assert_true(line_rig_read(rig, 5, 0x0100, 56));
	free(rig);
}

/* --- the enable line --- */

static void write_enable(struct line_rig *rig, uint8_t address)
{
	const uint8_t request[] = {address, FW_WRITE_ONE, 0x09, 0x08, 0, 1};

	line_rig_say(rig, request, sizeof request, 25000);
	assert_int_equal(rig->heard_count, 8);
	assert_int_equal(rig->heard[1], FW_WRITE_ONE);
	line_rig_run(rig, rig->now_us + 250000); /* the level settles */
}

/* Down the stack as far as somebody answers; how many. */
static int walk(struct line_rig *rig)
{
	uint64_t end_us;
	int count = 0;

	open_window(rig);
	line_rig_operate(rig, FW_ADDRESS_RELEASE, 0, 0, 0, 3000, &end_us);
	rig->enable = true;
	line_rig_run(rig, rig->now_us + 250000);
	while (line_rig_read(rig, FW_MODBUS_UNASSIGNED, 0x0904, 4)) {
		const uint32_t uid32 = fw_get_u32be(rig->heard + 3);

		count++;
		open_window(rig);
		assign(rig, uid32, (uint16_t)count, (uint16_t)count);
		write_enable(rig, (uint8_t)count);
	}
	return count;
}

static void the_enable_line_tells_the_order(void **state)
{
	struct line_rig *rig = line_rig_new(16, 115200, 8);
	struct census census = {.rig = rig};

	(void)state;
	for (int i = 0; i < 16; i++)
		rig->packs[i].pack.identity.features |= FW_HAS_ENABLE_LINE;
	power_up_in_any_order(rig);
	assert_int_equal(walk(rig), 16);
	for (int i = 0; i < 16; i++) {
		const struct fw_addressing *a = &rig->packs[i].server.addressing;

		assert_int_equal(a->address, i + 1);
		assert_int_equal(a->position, i + 1);
		assert_int_equal(a->source, FW_ADDRESS_ENABLE_LINE);
	}
	/* a wire is broken below the fifth: the search finds the others */
	rig->enabled_by[5] = 5;
	rig->packs[5].pack.pack.outputs.enable_out = false;
	assert_int_equal(walk(rig), 5);
	open_window(rig);
	census.count = 0;
	search(&census);
	assert_int_equal(census.count, 16); /* nobody was muted since the release */
	free(rig);
}

/* An answer that waits for its slot keeps the pack from writing to flash. */
static void slots_that_no_master_needs_are_not_waited_for(void **state)
{
	static const uint8_t window[12] = {0xAD, 0xD0, 0, 5};
	const struct fw_identity identity = {.uid32 = 0xF0000001};
	const struct fw_settings settings = {0};
	struct fw_addressing addressing;

	(void)state;
	fw_addressing_init(&addressing, &identity, 0, &settings);
	fw_addressing_obey(&addressing, window, false, 0);
	for (unsigned slot_ms = 0; slot_ms <= UINT16_MAX; slot_ms++) {
		const uint8_t search[12] = {
			0xAD, 0xD2, 0, 0, 0, 0, 0, 0, (uint8_t)(slot_ms >> 8), (uint8_t)slot_ms};
		const struct fw_addressing_effect effect =
			fw_addressing_obey(&addressing, search, false, 1000);

		assert_int_equal(effect.answer, slot_ms <= 100);
		assert_int_equal(effect.slot_us, slot_ms <= 100 ? 15 * 1000 * slot_ms : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sixteen_in_any_order),
		cmocka_unit_test(thirty_of_them),
		cmocka_unit_test(nothing_moves_outside_the_window),
		cmocka_unit_test(addresses_are_kept_by_the_installer),
		cmocka_unit_test(two_with_the_same_switches),
		cmocka_unit_test(packs_come_and_go),
		cmocka_unit_test(the_enable_line_tells_the_order),
		cmocka_unit_test(slots_that_no_master_needs_are_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
