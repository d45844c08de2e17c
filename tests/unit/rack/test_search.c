// SPDX-License-Identifier: Apache-2.0
/* The search against the firmware's own addressing, word by word: everybody is found however alike
 * their ids are, nobody is given an address that somebody has, and everybody keeps the one they
 * had. Answers that meet in a slot garble each other. */
#include "rack/search.h"

#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "core/addressing.h"
#include "core/bytes.h"
#include "rack/sync.h"
#include "sim/random.h"
#include "wire/rtu.h"

#define REG      0x0910
#define BAUD     115200
#define EVERY    (~UINT32_C(0) & ~UINT32_C(1))
#define SECOND   INT64_C(1000000)
#define PACKS    31
#define FEATURES 0x0040 /* enable line */

static struct site {
	struct search search;
	int count;
	bool powered[PACKS];
	struct fw_identity identity[PACKS];
	struct fw_settings settings[PACKS];
	struct fw_addressing packs[PACKS];
	uint8_t dips[PACKS];
	bool noisy; /* rubbish in every silence */
	bool echo;
	bool enable; /* the first pack's enable line */
	int64_t now_us;
	int said;
	uint8_t heard[PHRASE_HEARD];
	size_t heard_count;
	uint32_t polled;
} site;

static struct sim_random random_state;

/* --- the packs --- */

static void power(int i, bool on)
{
	site.powered[i] = on;
	if (on)
		fw_addressing_init(&site.packs[i], &site.identity[i], site.dips[i],
				   &site.settings[i]);
}

static void hear(const uint8_t *bytes, size_t count)
{
	memcpy(site.heard + site.heard_count, bytes, count);
	site.heard_count += count;
}

static bool is_enabled(int i)
{
	return i == 0 ? site.enable : site.powered[i - 1] && site.packs[i - 1].enable_out;
}

/* Those who answer in the same slot, or to the same question, spoil it. */
static void collide(const uint8_t *frame, size_t count, int speakers)
{
	uint8_t bytes[128];

	memcpy(bytes, frame, count);
	if (speakers > 1)
		for (size_t k = 2; k < count; k++)
			bytes[k] = (uint8_t)sim_random_next(&random_state);
	if (speakers > 0)
		hear(bytes, count);
}

static void obey(const struct phrase *phrase)
{
	uint8_t slots[16][13];
	int speakers[16] = {0};

	if (phrase->frame[1] != 0x10 || fw_get_u16be(phrase->frame + 2) != REG)
		return;
	for (int i = 0; i < site.count; i++) {
		struct fw_addressing_effect effect;
		int slot;

		if (!site.powered[i])
			continue;
		effect = fw_addressing_obey(&site.packs[i], phrase->frame + 7, false,
					    (uint64_t)site.now_us / 1000);
		slot = (int)(effect.slot_us / 3000);
		if (!effect.answer)
			continue;
		assert_in_range(slot, 0, 15);
		memcpy(slots[slot], "\xF7\x03\x08", 3);
		fw_addressing_write_id(&site.packs[i], slots[slot] + 3);
		rtu_seal(slots[slot], 11);
		speakers[slot]++;
	}
	for (int slot = 0; slot < 16; slot++)
		collide(slots[slot], 13, speakers[slot]);
}

static void fill(int i, uint16_t first, uint16_t words, uint8_t *out)
{
	memset(out, 0, 2 * (size_t)words);
	if (first == 0) { /* identity */
		fw_put_u16be(out, 0x504B);
		fw_put_u32be(out + 20, site.identity[i].uid32);
		out[40] = 'S';
		out[41] = (uint8_t)('A' + i);
		out[97] = site.dips[i];
		out[101] = (uint8_t)site.packs[i].position;
	} else if (first == 0x0904) {
		fw_addressing_write_id(&site.packs[i], out);
	} else {
		assert_int_equal(first, 0x0003);
		fw_put_u16be(out, site.identity[i].features);
		fw_put_u32be(out + 14, site.identity[i].uid32);
		site.packs[i].asked = true;
	}
}

static void answer(const struct phrase *phrase)
{
	const uint16_t first = fw_get_u16be(phrase->frame + 2);
	const uint16_t words = fw_get_u16be(phrase->frame + 4);
	uint8_t frame[256] = {phrase->frame[0], phrase->frame[1]};
	int speakers = 0;
	size_t count = 8;

	for (int i = 0; i < site.count; i++) {
		if (!site.powered[i] ||
		    !fw_addressing_is_mine(&site.packs[i], phrase->frame[0], is_enabled(i)))
			continue;
		speakers++;
		if (phrase->frame[1] == 0x03) {
			frame[2] = (uint8_t)(2 * words);
			fill(i, first, words, frame + 3);
			count = rtu_seal(frame, 3 + 2 * (size_t)words);
		} else {
			assert_int_equal(first, 0x0908);
			site.packs[i].enable_out = true;
			memcpy(frame, phrase->frame, 6);
			count = rtu_seal(frame, 6);
		}
	}
	collide(frame, count, speakers);
}

/* --- the gateway --- */

static void converse(int64_t until_us)
{
	struct phrase phrase;

	while (site.now_us < until_us) {
		if (!search_next(&site.search, site.now_us, &phrase)) {
			const int64_t due_us = search_due_us(&site.search);

			site.now_us = due_us > site.now_us ? due_us : site.now_us + 1000;
			continue;
		}
		assert_true(rtu_is_sealed(phrase.frame, phrase.count));
		site.said++;
		site.heard_count = 0;
		site.now_us += 3000;
		if (phrase.kind == PHRASE_ASK)
			answer(&phrase);
		else
			obey(&phrase);
		if (site.noisy && site.heard_count == 0)
			hear((const uint8_t *)"\x00\x55\xAA\x00\xFF\x00\x03\x01\x02\x03", 10);
		site.now_us += phrase.kind == PHRASE_TELL ? 0 : phrase.wait_us;
		search_heard(&site.search, &phrase, site.heard, site.heard_count, site.now_us);
		site.polled |= search_take_poll(&site.search);
	}
}

static void build(int count, uint64_t seed)
{
	memset(&site, 0, sizeof site);
	random_state.state = seed;
	site.count = count;
	site.now_us = SECOND;
	for (int i = 0; i < count; i++)
		site.identity[i].uid32 = (uint32_t)(sim_random_next(&random_state) >> 9);
	search_init(&site.search, REG, BAUD, EVERY);
	search_open(&site.search, site.now_us);
}

static void power_all(void)
{
	for (int i = 0; i < site.count; i++)
		power(i, true);
}

static void expect_distinct(void)
{
	uint32_t seen = 0;

	for (int i = 0; i < site.count; i++) {
		if (!site.powered[i])
			continue;
		assert_in_range(site.packs[i].address, 1, 31);
		assert_false(seen >> site.packs[i].address & 1);
		seen |= UINT32_C(1) << site.packs[i].address;
		assert_true(site.packs[i].muted);
		assert_int_equal(site.search.kept[site.packs[i].address], site.identity[i].uid32);
	}
	assert_int_equal(site.polled & seen, seen);
}

/* --- finding --- */

static void test_any_number_without_switches(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		for (int count = 1; count <= PACKS; count += 5) {
			build(count, seed);
			power_all();
			converse(site.now_us + 8 * SECOND);
			expect_distinct();
		}
}

static void test_ids_that_begin_alike(void **state)
{
	(void)state;
	for (unsigned same = 4; same <= 28; same += 4) {
		build(8, same);
		for (int i = 0; i < 8; i++)
			site.identity[i].uid32 = 0xABCDEF12U + ((uint32_t)i << (29 - same));
		power_all();
		converse(site.now_us + 30 * SECOND);
		expect_distinct();
	}
}

/* When nobody new is there, a search is one question each ten seconds. */
static void test_a_known_line_is_left_in_peace(void **state)
{
	(void)state;
	build(8, 1);
	power_all();
	converse(site.now_us + 20 * SECOND);
	site.said = 0;
	converse(site.now_us + 100 * SECOND);
	assert_in_range(site.said, 18, 22); /* window and search */
}

/* Rubbish is not a pack, and is not searched for ever. */
static void test_a_noisy_line(void **state)
{
	(void)state;
	build(0, 1);
	site.noisy = true;
	converse(site.now_us + 60 * SECOND);
	assert_int_equal(site.search.found_count, 0);
	assert_int_equal(site.polled, 0);
}

static void test_reading(void **state)
{
	uint8_t bytes[64] = {0x00, 0x11, 0xF7, 0x03};
	uint8_t *frame = bytes + 4;
	struct search_finding found[2];
	bool noise;

	(void)state;
	memcpy(frame, "\xF7\x03\x08\x12\x34\x56\x78\x01\x05\x07\x03", 11);
	rtu_seal(frame, 11);
	assert_int_equal(search_read(bytes, 17, found, 2, &noise), 1);
	assert_false(noise); /* four bytes may be a glitch */
	assert_int_equal(found[0].uid32, 0x12345678);
	assert_int_equal(found[0].device_class, 0x0105);
	assert_int_equal(found[0].address, 7);
	assert_int_equal(found[0].dip, 3);
	frame[5]++;
	assert_int_equal(search_read(bytes, 17, found, 2, &noise), 0);
	assert_true(noise);
	assert_int_equal(search_read(bytes, 0, found, 2, &noise), 0);
	assert_false(noise);
}

/* --- placing --- */

static void test_switches_are_respected(void **state)
{
	(void)state;
	build(6, 3);
	for (int i = 0; i < 6; i++)
		site.dips[i] = (uint8_t)(2 * i + 1);
	power_all();
	converse(site.now_us + 5 * SECOND);
	expect_distinct();
	for (int i = 0; i < 6; i++)
		assert_int_equal(site.packs[i].address, 2 * i + 1);
	assert_int_equal(site.search.event_count, 0);
}

static void test_equal_switches(void **state)
{
	struct search_event event;
	int twice = 0, given = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		build(4, seed);
		memcpy(site.dips, "\x01\x03\x03\x04", 4);
		power_all();
		converse(site.now_us + 6 * SECOND);
		expect_distinct();
		assert_int_equal(site.packs[0].address, 1);
		assert_int_equal(site.packs[3].address, 4);
		twice = given = 0;
		while (search_take_event(&site.search, &event)) {
			twice += strcmp(event.kind, "duplicate_address") == 0;
			given += strcmp(event.kind, "address_given") == 0;
			if (strcmp(event.kind, "duplicate_address") == 0)
				assert_true(strstr(event.text, "SB") && strstr(event.text, "SC"));
		}
		assert_int_equal(twice, 1);
		assert_int_equal(given, 1);
	}
}

/* All come back without addresses, in another order: everybody has the one of before. */
static void test_addresses_stay(void **state)
{
	uint8_t before[PACKS];

	(void)state;
	build(16, 5);
	memcpy(site.dips, "\x03\x03\x00\x03", 4);
	power_all();
	converse(site.now_us + 8 * SECOND);
	for (int i = 0; i < 16; i++)
		before[i] = site.packs[i].address;
	for (int round = 0; round < 3; round++) {
		search_init(&site.search, REG, BAUD, EVERY); /* the gateway starts anew, too */
		search_open(&site.search, site.now_us);
		power_all();
		converse(site.now_us + 8 * SECOND);
		expect_distinct();
		for (int i = 0; i < 16; i++)
			assert_int_equal(site.packs[i].address, before[i]);
	}
}

/* A muted pack that nobody knows of, because the table is lost, keeps its address. */
static void test_nobody_is_put_on_somebody(void **state)
{
	(void)state;
	build(2, 9);
	power(0, true);
	converse(site.now_us + 5 * SECOND);
	assert_int_equal(site.packs[0].address, 1);
	memset(site.search.kept, 0, sizeof site.search.kept);
	search_init(&site.search, REG, BAUD, EVERY);
	search_open(&site.search, site.now_us);
	power(1, true);
	converse(site.now_us + 5 * SECOND);
	assert_int_equal(site.packs[0].address, 1);
	assert_int_equal(site.packs[1].address, 2);
	assert_int_equal(site.polled, 6); /* the first was seen, and is polled again */
}

static void test_a_new_pack_takes_the_place_of_an_old_one(void **state)
{
	(void)state;
	build(3, 4);
	memcpy(site.dips, "\x05\x06\x05", 3);
	power(0, true);
	power(1, true);
	converse(site.now_us + 5 * SECOND);
	search_met(&site.search, 5);
	power(0, false);
	search_gone(&site.search, 5);
	power(2, true);
	converse(site.now_us + 12 * SECOND);
	assert_int_equal(site.packs[2].address, 5);
	expect_distinct();
}

static void test_the_order_of_the_enable_line(void **state)
{
	(void)state;
	build(16, 6);
	for (int i = 0; i < 16; i++)
		site.identity[i].features = FEATURES;
	site.enable = true;
	power_all();
	converse(site.now_us + 15 * SECOND);
	expect_distinct();
	for (int i = 0; i < 16; i++) {
		assert_int_equal(site.packs[i].address, i + 1);
		assert_int_equal(site.packs[i].position, i + 1);
	}
	/* a broken wire: the search finds those below it */
	build(6, 7);
	for (int i = 0; i < 6; i++)
		site.identity[i].features = i == 3 ? 0 : FEATURES;
	site.enable = false;
	power_all();
	converse(site.now_us + 15 * SECOND);
	expect_distinct();
}

static void test_addresses_of_the_user(void **state)
{
	(void)state;
	build(4, 2);
	search_init(&site.search, REG, BAUD, 0x1E0); /* 5 to 8 */
	power_all();
	converse(site.now_us + 6 * SECOND);
	for (int i = 0; i < 4; i++)
		assert_in_range(site.packs[i].address, 5, 8);
	expect_distinct();
	build(3, 2); /* one too many */
	search_init(&site.search, REG, BAUD, 0x60);
	power_all();
	converse(site.now_us + 6 * SECOND);
	assert_int_equal(site.polled, 0x60);
}

/* "auto" only looks. */
static void test_only_looking(void **state)
{
	(void)state;
	build(3, 2);
	site.search.only_looking = true;
	converse(site.now_us + 3 * SECOND);
	assert_int_equal(search_verdict(&site.search), SEARCH_NOBODY);
	power_all();
	converse(site.now_us + 11 * SECOND);
	assert_int_equal(search_verdict(&site.search), SEARCH_OWN);
	for (int i = 0; i < 3; i++)
		assert_int_equal(site.packs[i].address, FW_MODBUS_UNASSIGNED);
	build(0, 2);
	site.search.only_looking = true;
	search_met(&site.search, 3); /* answers polls, but not this */
	converse(site.now_us + SECOND);
	assert_int_equal(search_verdict(&site.search), SEARCH_OTHERS);
}

/* The frozen frames of the protocol. */
static void test_sync(void **state)
{
	const struct rack_word word = {.charge_allowed = true,
				       .discharge_allowed = true,
				       .packs = 16,
				       .voltage_mv = 53250,
				       .current_ma = -1300,
				       .time_ms = (INT64_C(0x0C000000) + 1577836800) * 1000};
	struct phrase phrase;

	(void)state;
	sync_say(&phrase, 0x0840, 1, &word);
	assert_int_equal(phrase.count, 23);
	assert_int_equal(phrase.kind, PHRASE_TELL);
	assert_memory_equal(phrase.frame,
			    "\x00\x10\x08\x40\x00\x07\x0E\x00\x01\x0C\x00\x00\x00\x00\x03\x00\x10"
			    "\x14\xCD\xFF\xF3\x97\xE3",
			    23);
	sync_say(&phrase, 0x0840, 2, NULL);
	assert_memory_equal(phrase.frame + 7, "\0\x02\0\0\0\0\0\0\0\0\xFF\xFF\x80\x00", 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_number_without_switches),
		cmocka_unit_test(test_ids_that_begin_alike),
		cmocka_unit_test(test_a_known_line_is_left_in_peace),
		cmocka_unit_test(test_a_noisy_line),
		cmocka_unit_test(test_reading),
		cmocka_unit_test(test_switches_are_respected),
		cmocka_unit_test(test_equal_switches),
		cmocka_unit_test(test_addresses_stay),
		cmocka_unit_test(test_nobody_is_put_on_somebody),
		cmocka_unit_test(test_a_new_pack_takes_the_place_of_an_old_one),
		cmocka_unit_test(test_the_order_of_the_enable_line),
		cmocka_unit_test(test_addresses_of_the_user),
		cmocka_unit_test(test_only_looking),
		cmocka_unit_test(test_sync),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
