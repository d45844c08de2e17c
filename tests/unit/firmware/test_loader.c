// SPDX-License-Identifier: Apache-2.0
/* The loader on the bus: it is found and recognised, an image is loaded into an empty pack by
 * frames alone, and what is none of its business stays unanswered. */
#include <string.h>

#include "../cmocka_all.h"
#include "boot/loader.h"
#include "core/bytes.h"
#include "update_rig.h"

static struct rig_maker maker;
static struct rig_image image;
static struct rig rig;
static struct fw_loader loader;
static const struct fw_identity identity = {.device_class = RIG_CLASS,
					    .chip_id = {1, 2, 0x01020304},
					    .uid32 = RIG_UID,
					    .model = "OP-16S",
					    .serial = "SN123",
					    .hardware_revision = RIG_HARDWARE,
					    .loader_version = RIG_LOADER};
static uint8_t answer[FW_MODBUS_FRAME];
static size_t answer_length;

static int setup(void **state)
{
	struct fw_update_config config;

	(void)state;
	rig_init(&rig, &maker, NULL, 8, 1);
	assert_int_equal(rig.running, -1);
	config = rig_config(&rig, -1);
	fw_loader_init(&loader, &config, &identity, 3, 0);
	return 0;
}

static void ask(const uint8_t *bytes, size_t count)
{
	uint8_t frame[FW_MODBUS_FRAME];

	memcpy(frame, bytes, count);
	fw_loader_hear(&loader, frame, fw_modbus_seal(frame, count));
	answer_length = fw_loader_answer(&loader, answer);
}

static uint16_t read_word(uint16_t reg)
{
	const uint8_t request[] = {3, FW_READ, (uint8_t)(reg >> 8), (uint8_t)reg, 0, 1};

	ask(request, sizeof request);
	assert_int_equal(answer_length, 7);
	assert_int_equal(answer[0], 3);
	return fw_get_u16be(answer + 3);
}

/* An exception code, 0 = acknowledged. */
static int write_words(uint8_t unit, uint16_t reg, const uint16_t *words, uint16_t count)
{
	uint8_t request[FW_MODBUS_FRAME] = {unit, FW_WRITE,       (uint8_t)(reg >> 8), (uint8_t)reg,
					    0,    (uint8_t)count, (uint8_t)(2 * count)};

	for (uint16_t i = 0; i < count; i++)
		fw_put_u16be(request + 7 + 2 * i, words[i]);
	ask(request, 7U + 2U * count);
	if (unit == 0)
		return answer_length == 0 ? 0 : -1;
	assert_true(answer_length > 0);
	return answer[1] & FW_REFUSED ? answer[2] : 0;
}

static void work(void)
{
	for (int i = 0; i < 1000 && fw_loader_tick(&loader, 1); i++)
		continue;
}

static void test_it_says_what_it_is(void **state)
{
	(void)state;
	assert_int_equal(read_word(0x0000), 0x504B);
	assert_int_equal(read_word(0x0002), RIG_CLASS);
	assert_int_equal(read_word(0x0008), 0x0102);
	assert_int_equal(read_word(0x000A), RIG_UID >> 16);
	assert_int_equal(read_word(0x000C), 'O' << 8 | 'P');
	assert_int_equal(read_word(0x001C), RIG_HARDWARE);
	assert_int_equal(read_word(0x001F), RIG_LOADER);
	assert_int_equal(read_word(0x0033), 2);
	assert_int_equal(read_word(0x0101), 10);
	assert_int_equal(read_word(0x0108), 0);
	assert_int_equal(read_word(0x3006), FW_PHASE_IDLE);
	assert_false(loader.addressed);
}

static void test_what_it_does_not_answer(void **state)
{
	static const uint8_t other[] = {4, FW_READ, 0, 0, 0, 1}, far[] = {3, FW_READ, 2, 0, 0, 1},
			     strange[] = {3, 0x2B, 14, 1, 0}, all[] = {0, FW_READ, 0, 0, 0, 1},
			     empty[] = {3, FW_READ, 0, 0, 0, 0};

	(void)state;
	ask(other, sizeof other);
	assert_int_equal(answer_length, 0);
	ask(all, sizeof all);
	assert_int_equal(answer_length, 0);
	ask(far, sizeof far);
	assert_int_equal(answer[2], FW_ILLEGAL_REGISTER);
	ask(strange, sizeof strange);
	assert_int_equal(answer[2], FW_ILLEGAL_FUNCTION);
	ask(empty, sizeof empty);
	assert_int_equal(answer[2], FW_ILLEGAL_VALUE);
	/* noise before a frame, and a torn one */
	fw_loader_hear(&loader, (const uint8_t *)"\x03\x03\x00", 3);
	assert_int_equal(read_word(0x0000), 0x504B);
	fw_loader_hear(&loader, (const uint8_t *)"\x03\x03\x00\x00", 4);
	assert_int_equal(fw_loader_answer(&loader, answer), 0);
}

static void offer(void)
{
	const struct image_facts *facts = &image.view.facts;
	uint16_t words[21] = {0};
	const uint16_t size[2] = {(uint16_t)(image.size >> 16), (uint16_t)image.size};
	const uint16_t limits[5] = {0, (uint16_t)facts->security_counter, facts->hardware_min,
				    facts->hardware_max, facts->loader_min};

	for (int i = 0; i < 16; i++)
		words[i] = fw_get_u16be(image.view.hash + 2 * i);
	words[20] = facts->device_class;
	assert_int_equal(write_words(3, 0x3002, size, 2), 0);
	assert_int_equal(write_words(3, 0x300A, words, 21), 0);
	assert_int_equal(write_words(3, 0x3034, limits, 5), 0);
}

static uint16_t command(uint16_t code)
{
	const int result = write_words(3, 0x3000, &code, 1);

	work();
	return (uint16_t)result;
}

static void send(uint8_t unit, uint32_t chunk)
{
	const uint32_t at = chunk * FW_CHUNK, left = image.size - at;
	uint16_t words[2 + FW_CHUNK / 2] = {(uint16_t)(at >> 16), (uint16_t)at};

	for (uint32_t i = 0; i < FW_CHUNK && i < left; i++)
		words[2 + i / 2] |= (uint16_t)(image.bytes[at + i] << (i % 2 == 0 ? 8 : 0));
	assert_int_equal(write_words(unit, 0x3080, words, 2 + FW_CHUNK / 2), 0);
}

static void test_an_empty_pack_is_repaired(void **state)
{
	static const uint16_t restart[4] = {0x40, 1, 0x5253, 0x5431}, other[4] = {0x41, 1, 0, 0};

	(void)state;
	assert_int_equal(read_word(0x3032) << 16 | read_word(0x3033), RIG_ADDRESS_B);
	offer();
	assert_true(loader.addressed);
	assert_int_equal(command(FW_UPDATE_PREPARE), 0);
	for (uint32_t chunk = 0; chunk * FW_CHUNK < image.size; chunk++)
		send(3, chunk);
	assert_int_equal(command(FW_UPDATE_VERIFY), 0);
	assert_int_equal(read_word(0x3006), FW_PHASE_VERIFIED);
	assert_int_equal(command(FW_UPDATE_ACTIVATE), 0);
	assert_true(loader.restart);
	rig_boot(&rig, FW_BOOT_COMMAND);
	assert_int_equal(rig.running, 1);
	assert_int_equal(rig_command(&rig, FW_UPDATE_CONFIRM), 0);

	/* the address was kept; held in the loader, a command lets it go on */
	struct fw_update_config config = rig_config(&rig, -1);

	fw_loader_init(&loader, &config, &identity, 9, 0);
	assert_int_equal(loader.address, 3);
	assert_int_equal(write_words(3, 0x0820, other, 4), FW_ILLEGAL_VALUE);
	assert_false(loader.restart);
	assert_int_equal(write_words(3, 0x0820, restart, 4), 0);
	assert_true(loader.restart);
}

static void test_broadcast_repairs_too(void **state)
{
	const uint16_t flag = FW_OFFER_BROADCAST;

	(void)state;
	assert_int_equal(write_words(3, 0x3001, &flag, 1), 0);
	offer();
	assert_int_equal(command(FW_UPDATE_PREPARE), 0);
	for (uint32_t chunk = 0; chunk * FW_CHUNK < image.size; chunk++)
		send(0, chunk);
	assert_int_equal(command(FW_UPDATE_VERIFY), 0);
	assert_int_equal(read_word(0x3006), FW_PHASE_VERIFIED);
}

/* With the button held on a pack whose image is on trial, the good old one is not written over. */
static void test_the_image_on_trial_goes_first(void **state)
{
	struct fw_boot_state boot = {.active = 1, .trial = true, .boots_left = 2};
	struct fw_update_config config = rig_config(&rig, -1);

	(void)state;
	assert_true(fw_boot_state_save(&rig.torn.flash, &boot));
	fw_loader_init(&loader, &config, &identity, 3, 0);
	assert_int_equal(read_word(0x3032) << 16 | read_word(0x3033), RIG_ADDRESS_B);
	boot.trial = false;
	assert_true(fw_boot_state_save(&rig.torn.flash, &boot));
	fw_loader_init(&loader, &config, &identity, 0, 0);
	assert_int_equal(loader.address, FW_MODBUS_UNASSIGNED);
	assert_int_equal(loader.update.slot, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_it_says_what_it_is, setup),
		cmocka_unit_test_setup(test_what_it_does_not_answer, setup),
		cmocka_unit_test_setup(test_an_empty_pack_is_repaired, setup),
		cmocka_unit_test_setup(test_broadcast_repairs_too, setup),
		cmocka_unit_test_setup(test_the_image_on_trial_goes_first, setup),
	};
	const struct image_facts facts = rig_facts(1, 1);

	rig_make_maker(&maker);
	rig_sign(&image, &facts, 3001, &maker);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
