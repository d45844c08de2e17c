// SPDX-License-Identifier: Apache-2.0
/* The pack's side of an update: what PREPARE refuses, chunks in any order, going on after a
 * restart, trial, confirmation and every way back. */
#include <sodium.h>
#include <string.h>

#include "../cmocka_all.h"
#include "core/modbus.h"
#include "update_rig.h"

#define CODE_SIZE 5001

static struct rig_maker maker;
static struct rig_image first, second;
static struct rig rig;

static int setup(void **state)
{
	(void)state;
	rig_init(&rig, &maker, &first, 4, 1);
	assert_int_equal(rig.running, 0);
	assert_int_equal(fw_update_take_event(&rig.update), FW_BOOTED_STATE_LOST);
	return 0;
}

static int phase(void)
{
	return rig_word(&rig, 0x3006);
}

static int bad(void)
{
	return rig_word(&rig, 0x3007);
}

static void start_trial(void)
{
	assert_int_equal(rig_load(&rig, &second), FW_PHASE_VERIFIED);
	assert_int_equal(rig_command(&rig, FW_UPDATE_ACTIVATE), 0);
	assert_true(rig.update.restart);
	rig_boot(&rig, FW_BOOT_COMMAND);
	assert_int_equal(rig.running, 1);
	assert_int_equal(phase(), FW_PHASE_TRIAL);
}

static void test_a_whole_update(void **state)
{
	(void)state;
	assert_int_equal(phase(), FW_PHASE_IDLE);
	assert_int_equal(rig_long(&rig, 0x3032), RIG_ADDRESS_B);
	assert_int_equal(rig_word(&rig, 0x3020), 0x0101);
	assert_int_equal(rig_word(&rig, 0x3021), 7);
	assert_int_equal(rig_long(&rig, 0x3022), 0x00020003);
	start_trial();
	assert_int_equal(fw_update_image_state(&rig.update), 1);
	assert_int_equal(rig_word(&rig, 0x301F), 600);
	assert_int_equal(rig_word(&rig, 0x3020), 0x0102);
	assert_int_equal(rig_word(&rig, 0x3028), 0x0101);
	assert_int_equal(rig_long(&rig, 0x3030), 1);
	assert_int_equal(fw_update_take_event(&rig.update), FW_BOOTED_ACTIVATED);
	assert_int_equal(fw_update_take_event(&rig.update), FW_BOOTED_NONE);
	assert_int_equal(rig_command(&rig, FW_UPDATE_CONFIRM), 0);
	assert_int_equal(rig_command(&rig, FW_UPDATE_CONFIRM), 0);
	assert_int_equal(rig_long(&rig, 0x3030), 2);
	assert_int_equal(rig_long(&rig, 0x3032), RIG_ADDRESS_A);
	for (int i = 0; i < 5; i++) {
		rig_boot(&rig, FW_BOOT_POWER);
		assert_int_equal(rig.running, 1);
		assert_int_equal(rig.choice.listen_ms, 0);
		assert_int_equal(rig.choice.vectors, RIG_ADDRESS_B + IMAGE_HEADER_SIZE);
		assert_int_equal(fw_update_image_state(&rig.update), 0);
	}
}

/* A gateway that missed the answer asks once more, before or after the restart. */
static void test_activate_and_revert_once_more(void **state)
{
	(void)state;
	assert_int_equal(rig_load(&rig, &second), FW_PHASE_VERIFIED);
	assert_int_equal(rig_command(&rig, FW_UPDATE_ACTIVATE), 0);
	assert_int_equal(rig_command(&rig, FW_UPDATE_ACTIVATE), 0);
	assert_int_equal(rig_command(&rig, FW_UPDATE_REVERT), FW_BUSY);
	rig_boot(&rig, FW_BOOT_COMMAND);
	assert_int_equal(rig.running, 1);
	assert_int_equal(rig_command(&rig, FW_UPDATE_ACTIVATE), 0);
	assert_false(rig.update.restart);
	assert_int_equal(phase(), FW_PHASE_TRIAL);
	assert_int_equal(rig_command(&rig, FW_UPDATE_REVERT), 0);
	assert_int_equal(rig_command(&rig, FW_UPDATE_REVERT), 0);
	assert_int_equal(rig_command(&rig, FW_UPDATE_ACTIVATE), FW_BUSY);
	rig_boot(&rig, FW_BOOT_COMMAND);
	assert_int_equal(rig.running, 0);
	assert_int_equal(rig_command(&rig, FW_UPDATE_ACTIVATE), FW_FAILURE);
	assert_int_equal(bad(), FW_BAD_STATE);
}

static void expect_refused(struct image_facts facts, int why)
{
	static struct rig_image image;

	rig_sign(&image, &facts, CODE_SIZE, &maker);
	rig_offer(&rig, &image, 0);
	assert_int_equal(rig_command(&rig, FW_UPDATE_PREPARE), FW_FAILURE);
	assert_int_equal(bad(), why);
	assert_int_equal(phase(), FW_PHASE_IDLE);
	assert_int_equal(rig.torn.bytes[FW_AREA_SLOT_B][0], 0xff);
	/* a gateway that lies about it does not get further than the check */
	struct rig_image lie = image;

	lie.view.facts = rig_facts(1, 2);
	assert_int_equal(rig_load(&rig, &lie), FW_PHASE_FAILED);
	assert_int_equal(bad(), why);
	assert_int_equal(rig_command(&rig, FW_UPDATE_ACTIVATE), FW_FAILURE);
	/* and one that gets it into the boot state is stopped by the loader */
	rig.update.state.active = 1;
	rig.update.state.trial = true;
	rig.update.state.boots_left = 3;
	rig.update.state.job = FW_JOB_NONE;
	assert_true(fw_boot_state_save(&rig.torn.flash, &rig.update.state));
	rig_boot(&rig, FW_BOOT_COMMAND);
	assert_int_equal(rig.running, 0);
	assert_int_equal(rig.choice.bad[1], why);
	assert_int_equal(fw_update_take_event(&rig.update), FW_BOOTED_REVERTED_IMAGE);
}

static void test_what_does_not_fit_is_refused_three_times(void **state)
{
	struct image_facts facts = rig_facts(1, 2);

	facts.device_class = 0x0999;
	expect_refused(facts, FW_BAD_CLASS);
	(void)setup(state);
	facts = rig_facts(1, 2);
	facts.hardware_min = 4;
	expect_refused(facts, FW_BAD_HARDWARE);
	(void)setup(state);
	facts = rig_facts(1, 2);
	facts.security_counter = 0;
	expect_refused(facts, FW_BAD_VERSION);
	(void)setup(state);
	facts = rig_facts(1, 2);
	facts.loader_min = RIG_LOADER + 1;
	expect_refused(facts, FW_BAD_LOADER);
}

static void test_now_is_not_the_time(void **state)
{
	struct fw_update_pack pack = {.refuse = true, .soc_cpct = 5000};

	(void)state;
	rig_offer(&rig, &second, 0);
	(void)fw_update_tick(&rig.update, &pack, rig.now_ms);
	assert_int_equal(rig_command(&rig, FW_UPDATE_PREPARE), FW_FAILURE);
	assert_int_equal(bad(), FW_BAD_BATTERY);
	pack = (struct fw_update_pack){.soc_cpct = 500};
	(void)fw_update_tick(&rig.update, &pack, rig.now_ms);
	assert_int_equal(rig_command(&rig, FW_UPDATE_PREPARE), FW_FAILURE);
	pack.soc_cpct = 501;
	(void)fw_update_tick(&rig.update, &pack, rig.now_ms);
	assert_int_equal(rig_command(&rig, FW_UPDATE_PREPARE), 0);
	assert_int_equal(phase(), FW_PHASE_ERASING);
}

static void test_who_may_not_write(void **state)
{
	const uint16_t word = FW_UPDATE_PREPARE;

	(void)state;
	assert_int_equal(fw_update_write(&rig.update, 0x3000, 1, &word, 1, false), FW_LOCKED);
	assert_int_equal(bad(), FW_BAD_LEVEL);
	assert_int_equal(fw_update_write(&rig.update, 0x3000, 1, &word, 3, true),
			 FW_ILLEGAL_REGISTER);
	assert_int_equal(fw_update_write(&rig.update, 0x3020, 1, &word, 3, false),
			 FW_ILLEGAL_REGISTER);
	assert_int_equal(rig_command(&rig, 99), FW_ILLEGAL_VALUE);
	assert_int_equal(rig_command(&rig, FW_UPDATE_ACTIVATE), FW_FAILURE);
	assert_int_equal(bad(), FW_BAD_STATE);
	assert_int_equal(rig_command(&rig, FW_UPDATE_REVERT), FW_FAILURE);
}

static void prepare(uint16_t flags)
{
	rig_offer(&rig, &second, flags);
	assert_int_equal(rig_command(&rig, FW_UPDATE_PREPARE), 0);
	assert_int_equal(rig_chunk(&rig, &second, 0, false), FW_BUSY);
	rig_work(&rig);
	assert_int_equal(phase(), FW_PHASE_READY);
}

static uint32_t chunks(void)
{
	return (second.size + FW_CHUNK - 1) / FW_CHUNK;
}

static void expect_verified(void)
{
	assert_int_equal(phase(), FW_PHASE_COMPLETE);
	rig_work(&rig);
	assert_int_equal(rig_long(&rig, 0x3004), second.size);
	assert_int_equal(rig_command(&rig, FW_UPDATE_VERIFY), 0);
	rig_work(&rig);
	assert_int_equal(phase(), FW_PHASE_VERIFIED);
	assert_memory_equal(rig.torn.bytes[FW_AREA_SLOT_B], second.bytes, second.size);
}

static void test_chunks_in_any_order_twice_and_lost(void **state)
{
	(void)state;
	prepare(0);
	for (int round = 0; round < 200 && phase() != FW_PHASE_COMPLETE; round++) {
		const uint32_t chunk = torn_random(&rig.torn) % chunks();

		for (uint32_t i = 0; i < torn_random(&rig.torn) % 3; i++)
			assert_int_equal(rig_chunk(&rig, &second, chunk, false), 0);
		rig_work(&rig);
	}
	for (uint32_t chunk = 0; chunk < chunks(); chunk++)
		if (!rig_has(&rig, chunk))
			assert_int_equal(rig_chunk(&rig, &second, chunk, false), 0);
	assert_int_equal(rig_chunk(&rig, &second, 3, false), 0); /* late */
	expect_verified();
}

static void test_chunks_that_cannot_be(void **state)
{
	uint16_t words[2 + FW_CHUNK / 2] = {0, 7};

	(void)state;
	prepare(0);
	assert_int_equal(fw_update_write(&rig.update, 0x3080, 114, words, 3, false),
			 FW_ILLEGAL_VALUE);
	assert_int_equal(bad(), FW_BAD_OFFSET);
	words[0] = 0x7fff;
	words[1] = 0xffe0;
	assert_int_equal(fw_update_write(&rig.update, 0x3080, 114, words, 3, false),
			 FW_ILLEGAL_VALUE);
	words[0] = words[1] = 0;
	assert_int_equal(fw_update_write(&rig.update, 0x3080, 50, words, 3, false),
			 FW_ILLEGAL_VALUE);
	assert_int_equal(fw_update_write(&rig.update, 0x3080, 2, words, 3, false),
			 FW_ILLEGAL_VALUE);
	assert_int_equal(fw_update_write(&rig.update, 0x3081, 3, words, 3, false),
			 FW_ILLEGAL_REGISTER);
	assert_int_equal(phase(), FW_PHASE_READY);
}

static void test_broadcast_only_after_its_flag(void **state)
{
	(void)state;
	prepare(0);
	assert_int_equal(rig_chunk(&rig, &second, 0, true), FW_BUSY);
	assert_false(rig_has(&rig, 0));
	rig_offer(&rig, &second, FW_OFFER_BROADCAST);
	assert_int_equal(rig_command(&rig, FW_UPDATE_PREPARE), 0);
	for (uint32_t chunk = 0; chunk < chunks(); chunk++)
		if (chunk % 5 != 2)
			assert_int_equal(rig_chunk(&rig, &second, chunk, true), 0);
	rig_work(&rig);
	assert_int_equal(phase(), FW_PHASE_RECEIVING);
	assert_int_equal(rig_long(&rig, 0x3004), 2 * FW_CHUNK);
	for (uint32_t chunk = 0; chunk < chunks(); chunk++) {
		assert_int_equal(rig_has(&rig, chunk), chunk % 5 != 2);
		if (!rig_has(&rig, chunk))
			assert_int_equal(rig_chunk(&rig, &second, chunk, false), 0);
	}
	expect_verified();
}

static bool is_blank(uint32_t chunk)
{
	for (int i = 0; i < FW_CHUNK; i++)
		if (second.bytes[chunk * FW_CHUNK + (uint32_t)i] != 0xff)
			return false;
	return true;
}

/* What was received before a restart need not come again: at most the last chunk, and those that
 * hold 0xFF only. The battery and the offer are looked at again, the slot is not erased. */
static void test_a_restart_goes_on(void **state)
{
	uint32_t again = 0, blank = 0;

	(void)state;
	prepare(0);
	for (uint32_t chunk = 0; chunk < chunks() / 2; chunk++)
		assert_int_equal(rig_chunk(&rig, &second, chunk, false), 0);
	rig_boot(&rig, FW_BOOT_POWER);
	assert_int_equal(phase(), FW_PHASE_ERASING); /* looks what is there */
	assert_int_equal(rig_chunk(&rig, &second, 0, false), FW_BUSY);
	rig_work(&rig);
	assert_int_equal(phase(), FW_PHASE_RECEIVING);

	const int erases = rig.torn.page_erases;

	rig_offer(&rig, &second, 0);
	assert_int_equal(rig_command(&rig, FW_UPDATE_PREPARE), 0);
	assert_int_equal(phase(), FW_PHASE_RECEIVING);
	for (uint32_t chunk = 0; chunk < chunks(); chunk++) {
		if (rig_has(&rig, chunk))
			continue;
		again += chunk < chunks() / 2;
		blank += chunk < chunks() / 2 && is_blank(chunk);
		assert_int_equal(rig_chunk(&rig, &second, chunk, false), 0);
	}
	assert_int_equal(again, blank + 1);
	assert_int_equal(rig.torn.page_erases, erases);
	expect_verified();
}

static void test_a_page_that_holds_something_else_is_erased(void **state)
{
	(void)state;
	prepare(0);
	for (uint32_t chunk = 0; chunk < 12; chunk++)
		assert_int_equal(rig_chunk(&rig, &second, chunk, false), 0);
	rig.torn.bytes[FW_AREA_SLOT_B][12 * FW_CHUNK + 9] = 0x12;
	assert_int_equal(rig_chunk(&rig, &second, 12, false), FW_BUSY);
	rig_work(&rig);
	assert_int_equal(phase(), FW_PHASE_RECEIVING);
	assert_true(rig_has(&rig, 8));
	assert_false(rig_has(&rig, 9)); /* 2016..2239 reaches into the page at 2048 */
	for (uint32_t chunk = 0; chunk < chunks(); chunk++)
		if (!rig_has(&rig, chunk))
			assert_int_equal(rig_chunk(&rig, &second, chunk, false), 0);
	expect_verified();
}

static void test_a_wrong_hash_begins_anew(void **state)
{
	(void)state;
	second.bytes[3000] ^= 1;
	assert_int_equal(rig_load(&rig, &second), FW_PHASE_FAILED);
	assert_int_equal(bad(), FW_BAD_HASH);
	second.bytes[3000] ^= 1;
	assert_int_equal(rig_load(&rig, &second), FW_PHASE_VERIFIED);
}

static void test_not_confirmed_in_time(void **state)
{
	struct fw_update_pack pack = {.soc_cpct = 5000};

	(void)state;
	start_trial();
	(void)fw_update_tick(&rig.update, &pack, rig.now_ms + FW_TRIAL_MS - 2);
	assert_false(rig.update.restart);
	assert_int_equal(rig_word(&rig, 0x301F), 1);
	(void)fw_update_tick(&rig.update, &pack, rig.now_ms + FW_TRIAL_MS);
	assert_true(rig.update.restart);
	assert_int_equal(rig_command(&rig, FW_UPDATE_CONFIRM), FW_BUSY);
	rig_boot(&rig, FW_BOOT_COMMAND);
	assert_int_equal(rig.running, 0);
	assert_int_equal(fw_update_take_event(&rig.update), FW_BOOTED_REVERTED_TIME);
	assert_int_equal(fw_update_image_state(&rig.update), 0);
}

static void test_reverted_by_command(void **state)
{
	(void)state;
	start_trial();
	assert_int_equal(rig_command(&rig, FW_UPDATE_PREPARE), FW_FAILURE);
	assert_int_equal(rig_command(&rig, FW_UPDATE_ERASE), FW_FAILURE);
	assert_int_equal(rig_command(&rig, FW_UPDATE_REVERT), 0);
	rig_boot(&rig, FW_BOOT_COMMAND);
	assert_int_equal(rig.running, 0);
	assert_int_equal(fw_update_take_event(&rig.update), FW_BOOTED_REVERTED_COMMAND);
}

static void test_three_starts_without_confirmation(void **state)
{
	(void)state;
	start_trial();
	for (int i = 0; i < 2; i++) {
		rig_boot(&rig, FW_BOOT_POWER);
		assert_int_equal(rig.running, 1);
	}
	rig_boot(&rig, FW_BOOT_POWER);
	assert_int_equal(rig.running, 0);
	assert_int_equal(fw_update_take_event(&rig.update), FW_BOOTED_REVERTED_BOOTS);
	rig_boot(&rig, FW_BOOT_POWER);
	assert_int_equal(rig.running, 0);
}

static void test_a_watchdog_reset_on_trial(void **state)
{
	(void)state;
	start_trial();
	rig_boot(&rig, FW_BOOT_WATCHDOG);
	assert_int_equal(rig.running, 0);
	assert_int_equal(fw_update_take_event(&rig.update), FW_BOOTED_REVERTED_WATCHDOG);
}

static void test_a_confirmed_image_that_breaks(void **state)
{
	(void)state;
	start_trial();
	assert_int_equal(rig_command(&rig, FW_UPDATE_CONFIRM), 0);
	rig_boot(&rig, FW_BOOT_WATCHDOG);
	assert_int_equal(rig.running, 1);
	assert_int_equal(rig.choice.listen_ms, FW_BOOT_LISTEN_MS);
	/* the old image has a lower counter: no way back to it */
	rig.torn.bytes[FW_AREA_SLOT_B][1000] ^= 1;
	rig_boot(&rig, FW_BOOT_POWER);
	assert_int_equal(rig.running, -1);
	assert_int_equal(rig.choice.bad[0], FW_BAD_VERSION);
	assert_int_equal(rig.choice.bad[1], FW_BAD_HASH);
	assert_int_equal(fw_update_image_state(&rig.update), 2);
}

static void test_the_other_slot_helps_when_it_may(void **state)
{
	static struct rig_image equal;
	struct image_facts facts = rig_facts(1, 2);

	(void)state;
	facts.security_counter = 1;
	rig_sign(&equal, &facts, CODE_SIZE, &maker);
	assert_int_equal(rig_load(&rig, &equal), FW_PHASE_VERIFIED);
	assert_int_equal(rig_command(&rig, FW_UPDATE_ACTIVATE), 0);
	rig_boot(&rig, FW_BOOT_COMMAND);
	assert_int_equal(rig_command(&rig, FW_UPDATE_CONFIRM), 0);
	rig.torn.bytes[FW_AREA_SLOT_B][1000] ^= 1;
	rig_boot(&rig, FW_BOOT_POWER);
	assert_int_equal(rig.running, 0);
	assert_int_equal(fw_update_take_event(&rig.update), FW_BOOTED_FALLBACK);
}

static void test_nothing_to_go_back_to(void **state)
{
	(void)state;
	start_trial();
	memset(rig.torn.bytes[FW_AREA_SLOT_A], 0, 4096);
	for (int i = 0; i < 6; i++) {
		rig_boot(&rig, FW_BOOT_POWER);
		assert_int_equal(rig.running, 1);
	}
	assert_int_equal(rig.choice.listen_ms, FW_BOOT_LISTEN_MS);
	assert_int_equal(rig_command(&rig, FW_UPDATE_CONFIRM), 0);
	rig_boot(&rig, FW_BOOT_POWER);
	assert_int_equal(rig.choice.listen_ms, 0);
}

static void test_both_states_lost_take_the_newest(void **state)
{
	(void)state;
	start_trial();
	memset(rig.torn.bytes[FW_AREA_BOOT_STATE], 0x55, TORN_AREA_SIZE);
	rig_boot(&rig, FW_BOOT_POWER);
	assert_int_equal(rig.running, 1);
	assert_int_equal(fw_update_take_event(&rig.update), FW_BOOTED_STATE_LOST);
	assert_int_equal(rig_long(&rig, 0x3030), 2);
}

static void write_unlock(const uint8_t code[8])
{
	uint16_t words[4];

	for (int i = 0; i < 4; i++)
		words[i] = (uint16_t)(code[2 * i] << 8 | code[2 * i + 1]);
	assert_int_equal(fw_update_write(&rig.update, 0x303B, 4, words, 2, false), 0);
}

/* As the maker's service makes the code: from uid, nonce, hash. */
static void make_unlock(const struct rig_image *image, const uint8_t key[32], uint8_t mac[32])
{
	const uint32_t nonce = rig_long(&rig, 0x3039);
	uint8_t text[40] = {0x12, 0x34, 0x56, 0x78};

	for (int i = 0; i < 4; i++)
		text[4 + i] = (uint8_t)(nonce >> (24 - 8 * i));
	memcpy(text + 8, image->view.hash, 32);
	crypto_auth_hmacsha256(mac, text, sizeof text, key);
}

/* A board whose factory record is empty or lost: its key is one that everybody knows. */
static void test_a_key_that_nobody_wrote_unlocks_nothing(void **state)
{
	static struct rig_image forced;
	struct image_facts facts = rig_facts(1, 0);
	uint8_t key[32], mac[32];

	(void)state;
	rig_sign(&forced, &facts, CODE_SIZE, &maker);
	rig.update.config.unlock_key = key;
	for (int filled = 0; filled < 2; filled++) {
		memset(key, filled ? 0xff : 0x00, sizeof key);
		make_unlock(&forced, key, mac);
		rig_offer(&rig, &forced, 0);
		write_unlock(mac);
		assert_int_equal(rig_command(&rig, FW_UPDATE_PREPARE), FW_FAILURE);
		assert_int_equal(bad(), FW_BAD_UNLOCK);
		key[31] ^= 1;
		make_unlock(&forced, key, mac);
		rig_offer(&rig, &forced, 0);
		write_unlock(mac);
		assert_int_equal(rig_command(&rig, FW_UPDATE_PREPARE), 0);
		assert_int_equal(rig_command(&rig, FW_UPDATE_ABORT), 0);
	}
}

static void test_an_unlock_code_lets_one_image_in(void **state)
{
	static const uint8_t key[32] = "a key that this board has inside";
	static struct rig_image forced;
	struct image_facts facts = rig_facts(1, 0);
	uint8_t mac[32];

	(void)state;
	facts.device_class = 0x0200;
	rig_sign(&forced, &facts, CODE_SIZE, &maker);
	make_unlock(&forced, key, mac);
	mac[3] ^= 1;
	rig_offer(&rig, &forced, 0);
	write_unlock(mac);
	assert_int_equal(rig_command(&rig, FW_UPDATE_PREPARE), FW_FAILURE);
	assert_int_equal(bad(), FW_BAD_UNLOCK);
	mac[3] ^= 1;
	write_unlock(mac);
	assert_int_equal(rig_load(&rig, &forced), FW_PHASE_VERIFIED);
	assert_int_equal(rig_command(&rig, FW_UPDATE_ACTIVATE), 0);
	rig_boot(&rig, FW_BOOT_COMMAND);
	assert_int_equal(rig.running, 1);
	assert_int_equal(rig_command(&rig, FW_UPDATE_CONFIRM), 0);
	assert_int_equal(rig_long(&rig, 0x3030), 0); /* the counter went down with it */
	rig_boot(&rig, FW_BOOT_POWER);
	assert_int_equal(rig.running, 1);
}

static void test_abort_and_erase(void **state)
{
	(void)state;
	prepare(0);
	assert_int_equal(rig_chunk(&rig, &second, 0, false), 0);
	assert_int_equal(rig_command(&rig, FW_UPDATE_ABORT), 0);
	assert_int_equal(phase(), FW_PHASE_IDLE);
	assert_int_equal(rig_chunk(&rig, &second, 1, false), FW_FAILURE);
	rig_boot(&rig, FW_BOOT_POWER);
	assert_int_equal(phase(), FW_PHASE_IDLE);
	assert_int_equal(rig_command(&rig, FW_UPDATE_ERASE), 0);
	rig_work(&rig);
	assert_int_equal(phase(), FW_PHASE_IDLE);
	assert_int_equal(rig.torn.bytes[FW_AREA_SLOT_B][0], 0xff);
	assert_int_equal(rig_command(&rig, FW_UPDATE_VERIFY), 0);
	rig_work(&rig);
	assert_int_equal(phase(), FW_PHASE_FAILED);
	assert_int_equal(bad(), FW_BAD_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_whole_update, setup),
		cmocka_unit_test_setup(test_what_does_not_fit_is_refused_three_times, setup),
		cmocka_unit_test_setup(test_now_is_not_the_time, setup),
		cmocka_unit_test_setup(test_who_may_not_write, setup),
		cmocka_unit_test_setup(test_chunks_in_any_order_twice_and_lost, setup),
		cmocka_unit_test_setup(test_chunks_that_cannot_be, setup),
		cmocka_unit_test_setup(test_broadcast_only_after_its_flag, setup),
		cmocka_unit_test_setup(test_a_restart_goes_on, setup),
		cmocka_unit_test_setup(test_a_page_that_holds_something_else_is_erased, setup),
		cmocka_unit_test_setup(test_a_wrong_hash_begins_anew, setup),
		cmocka_unit_test_setup(test_not_confirmed_in_time, setup),
		cmocka_unit_test_setup(test_reverted_by_command, setup),
		cmocka_unit_test_setup(test_three_starts_without_confirmation, setup),
		cmocka_unit_test_setup(test_a_watchdog_reset_on_trial, setup),
		cmocka_unit_test_setup(test_a_confirmed_image_that_breaks, setup),
		cmocka_unit_test_setup(test_the_other_slot_helps_when_it_may, setup),
		cmocka_unit_test_setup(test_nothing_to_go_back_to, setup),
		cmocka_unit_test_setup(test_both_states_lost_take_the_newest, setup),
		cmocka_unit_test_setup(test_activate_and_revert_once_more, setup),
		cmocka_unit_test_setup(test_a_key_that_nobody_wrote_unlocks_nothing, setup),
		cmocka_unit_test_setup(test_an_unlock_code_lets_one_image_in, setup),
		cmocka_unit_test_setup(test_abort_and_erase, setup),
	};
	struct image_facts facts = rig_facts(0, 1);

	rig_make_maker(&maker);
	rig_sign(&first, &facts, CODE_SIZE, &maker);
	facts = rig_facts(1, 2);
	rig_sign(&second, &facts, CODE_SIZE + 1000, &maker);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
