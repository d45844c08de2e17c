// SPDX-License-Identifier: Apache-2.0
/* The pack's check of an image: right ones pass, every damage and every misfit has its own error,
 * and the gateway's reader (code of its own, libsodium) says the same about the form. */
#include <string.h>

#include "../cmocka_all.h"
#include "update_rig.h"

#define CODE_SIZE 3001

static struct rig_maker maker, stranger;
static struct rig_image image;
static struct torn_flash torn;

static enum fw_bad check(const uint8_t *bytes, uint32_t size, const uint8_t *exempt)
{
	const struct fw_image_target target = {.device_class = RIG_CLASS,
					       .hardware_revision = RIG_HARDWARE,
					       .loader_version = RIG_LOADER,
					       .security_counter = 1,
					       .slot_address = {RIG_ADDRESS_A, RIG_ADDRESS_B},
					       .keys = maker.key,
					       .key_count = 1,
					       .exempt = exempt};
	struct fw_image_check work;

	memset(torn.bytes[FW_AREA_SLOT_A], 0xff, TORN_AREA_SIZE);
	torn_put(&torn, FW_AREA_SLOT_A, 0, bytes, size);
	return fw_image_check(&work, &torn.flash, &target, FW_AREA_SLOT_A, NULL);
}

static enum fw_bad check_facts(const struct image_facts *facts)
{
	rig_sign(&image, facts, CODE_SIZE, &maker);
	return check(image.bytes, image.size, NULL);
}

static int setup(void **state)
{
	const struct image_facts facts = rig_facts(0, 1);

	(void)state;
	torn_init(&torn, 1024, 16, 4, 1);
	rig_sign(&image, &facts, CODE_SIZE, &maker);
	return 0;
}

static void test_a_right_image_passes(void **state)
{
	struct fw_image read;

	(void)state;
	assert_int_equal(check(image.bytes, image.size, NULL), FW_GOOD);
	assert_int_equal(fw_image_read(&torn.flash, FW_AREA_SLOT_A, &read), FW_GOOD);
	assert_int_equal(read.size, image.size);
	assert_int_equal(read.version.minor, 1);
	assert_int_equal(read.version.revision, 7);
	assert_int_equal(read.version.build, 0x00020003);
	assert_int_equal(read.device_class, RIG_CLASS);
	assert_int_equal(read.hardware_min, 2);
	assert_int_equal(read.hardware_max, 4);
	assert_int_equal(read.loader_min, 1);
	assert_int_equal(read.parameter_layout, 1);
	assert_int_equal(image_verify(&image.view, maker.key, 1), 0);
	assert_int_equal(image_verify(&image.view, stranger.key, 1), ERR_NOT_MINE);
}

/* Every bit of header and records, every 37th of the code and of the padding. */
static void test_every_flipped_bit_is_seen(void **state)
{
	static uint8_t bytes[RIG_IMAGE_MAX];
	const uint32_t records = IMAGE_HEADER_SIZE + CODE_SIZE;
	int tried = 0;

	(void)state;
	for (uint32_t bit = 0; bit < 8 * image.size;
	     bit += bit < 8 * 32 || bit >= 8 * records ? 1 : 37) {
		memcpy(bytes, image.bytes, image.size);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(check(bytes, image.size, NULL), FW_GOOD);
		tried++;

		struct image view;

		if (image_read(bytes, image.size, &view) > 0)
			assert_true(image_verify(&view, maker.key, 1) < 0);
	}
	assert_true(tried > 1500);
}

static void test_each_failure_has_its_error(void **state)
{
	static uint8_t bytes[RIG_IMAGE_MAX];

	(void)state;
	assert_int_equal(check((const uint8_t *)"", 0, NULL), FW_BAD_FORMAT);
	memcpy(bytes, image.bytes, image.size);
	bytes[IMAGE_HEADER_SIZE + 5] ^= 4;
	assert_int_equal(check(bytes, image.size, NULL), FW_BAD_HASH);
	memcpy(bytes, image.bytes, image.size);
	bytes[image.size - 40] ^= 4;
	assert_int_equal(check(bytes, image.size, NULL), FW_BAD_SIGNATURE);
	memcpy(bytes, image.bytes, image.size);
	bytes[15] = 1; /* 16 MiB of code */
	assert_int_equal(check(bytes, image.size, NULL), FW_BAD_SIZE);
	memcpy(bytes, image.bytes, image.size);
	bytes[10] ^= 8; /* protected records of another size than the header says */
	assert_int_equal(check(bytes, image.size, NULL), FW_BAD_FORMAT);

	struct image_facts facts = rig_facts(0, 1);

	rig_sign(&image, &facts, CODE_SIZE, &stranger);
	assert_int_equal(check(image.bytes, image.size, NULL), FW_BAD_SIGNATURE);
	facts.device_class++;
	assert_int_equal(check_facts(&facts), FW_BAD_CLASS);
	facts = rig_facts(0, 1);
	facts.hardware_min = RIG_HARDWARE + 1;
	facts.hardware_max = RIG_HARDWARE + 2;
	assert_int_equal(check_facts(&facts), FW_BAD_HARDWARE);
	facts.hardware_min = 0;
	facts.hardware_max = RIG_HARDWARE - 1;
	assert_int_equal(check_facts(&facts), FW_BAD_HARDWARE);
	facts = rig_facts(0, 0);
	assert_int_equal(check_facts(&facts), FW_BAD_VERSION);
	facts = rig_facts(0, 1);
	facts.loader_min = RIG_LOADER + 1;
	assert_int_equal(check_facts(&facts), FW_BAD_LOADER);
	facts = rig_facts(1, 1);
	assert_int_equal(check_facts(&facts), FW_BAD_ADDRESS);
}

/* An unlocked image may be of another class and older, but never for another slot. */
static void test_an_exemption_is_for_one_image(void **state)
{
	struct image_facts facts = rig_facts(0, 0);
	uint8_t hash[8];

	(void)state;
	facts.device_class++;
	rig_sign(&image, &facts, CODE_SIZE, &maker);
	memcpy(hash, image.view.hash, sizeof hash);
	assert_int_equal(check(image.bytes, image.size, hash), FW_GOOD);
	hash[0] ^= 1;
	assert_int_equal(check(image.bytes, image.size, hash), FW_BAD_CLASS);
	facts.load_address++;
	rig_sign(&image, &facts, CODE_SIZE, &maker);
	memcpy(hash, image.view.hash, sizeof hash);
	assert_int_equal(check(image.bytes, image.size, hash), FW_BAD_ADDRESS);
}

static void test_a_flash_error_is_told(void **state)
{
	(void)state;
	(void)check(image.bytes, image.size, NULL);
	for (uint32_t at = 0; at < image.size; at += 97) {
		const struct fw_image_target target = {.device_class = RIG_CLASS,
						       .hardware_revision = RIG_HARDWARE,
						       .loader_version = RIG_LOADER,
						       .slot_address = {RIG_ADDRESS_A},
						       .keys = maker.key,
						       .key_count = 1};
		struct fw_image_check work;

		torn.unreadable[FW_AREA_SLOT_A][at] = true;
		assert_int_equal(fw_image_check(&work, &torn.flash, &target, FW_AREA_SLOT_A, NULL),
				 FW_BAD_FLASH);
		torn.unreadable[FW_AREA_SLOT_A][at] = false;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_right_image_passes, setup),
		cmocka_unit_test_setup(test_every_flipped_bit_is_seen, setup),
		cmocka_unit_test_setup(test_each_failure_has_its_error, setup),
		cmocka_unit_test_setup(test_an_exemption_is_for_one_image, setup),
		cmocka_unit_test_setup(test_a_flash_error_is_told, setup),
	};

	rig_make_maker(&maker);
	rig_make_maker(&stranger);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
