// SPDX-License-Identifier: Apache-2.0
/* The storage driver of the real STM32F405 board against models of its two parts: the processor's
 * flash controller (keys, lock, busy, errors, sectors) and a serial NOR chip on SPI1 (write enable,
 * pages that wrap, busy). The models complain about everything that the parts would ignore. */
#include "../cmocka_all.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/board/cortexm/reg.h"
#include "firmware/board/stm32f405/flash.h"
#include "firmware/board/stm32f405/layout.h"

#define KEYR     0x40023C04u
#define SR       0x40023C0Cu
#define CR       0x40023C10u
#define LOCK     (1u << 31)
#define SEQUENCE (1u << 7) /* PGSERR */
#define SPI_SR   0x40013008u
#define SPI_DR   0x4001300Cu
#define PIN_SET  0x40020018u

struct chip {
	uint8_t memory[FW_NOR_SIZE];
	bool selected, enabled, absent;
	uint8_t bytes[4]; /* command and address */
	uint32_t count;   /* bytes since it was selected */
	uint8_t page[256];
	bool written[256];
	uint32_t at;
	int busy; /* status reads until it is ready */
	uint8_t answer;
};

static struct {
	uint8_t *flash;
	uint32_t cr, sr, key;
	int busy;            /* reads of SR until it is done */
	uint32_t fail_after; /* words; then a protection error */
	uint32_t words, erases;
	struct chip chip;
} hw;

/* --- the processor's flash controller --- */

static void erase_sector(uint32_t sector)
{
	static const uint32_t at[] = {0x00000, 0x04000, 0x08000, 0x0C000, 0x10000,
				      0x20000, 0x40000, 0x60000, 0x80000};

	assert_in_range(sector, 0, 7);
	memset(hw.flash + at[sector], 0xFF, at[sector + 1] - at[sector]);
	hw.erases++;
	hw.busy = 50;
}

static void write_cr(uint32_t value)
{
	if (hw.cr & LOCK) {
		assert_int_equal(value, LOCK); /* everything else would be lost */
		return;
	}
	assert_int_equal(hw.busy, 0);
	hw.cr = value;
	if ((value & (1u << 16 | 2u)) == (1u << 16 | 2u))
		erase_sector(value >> 3 & 0xF);
}

static void program_word(uint32_t address, uint32_t value)
{
	assert_int_equal(address % 4, 0);
	assert_int_equal(hw.busy, 0);
	if ((hw.cr & LOCK) || (hw.cr & 0x301) != 0x201) {
		hw.sr |= SEQUENCE;
		return;
	}
	if (hw.words++ == hw.fail_after) {
		hw.sr |= 1u << 4;
		return;
	}
	for (int i = 0; i < 4; i++)
		hw.flash[address - FW_FLASH_AT + (uint32_t)i] &= (uint8_t)(value >> 8 * i);
	hw.busy = 2;
}

/* --- the serial chip --- */

static uint32_t chip_address(const struct chip *c)
{
	return (uint32_t)c->bytes[1] << 16 | (uint32_t)c->bytes[2] << 8 | c->bytes[3];
}

static void chip_select(struct chip *c, bool selected)
{
	if (c->selected && !selected && c->count > 0) {
		uint8_t command = c->bytes[0];

		if (command == 0x06)
			c->enabled = true;
		if (command == 0x02 || command == 0x20) {
			assert_true(c->enabled);
			assert_true(c->count >= 4);
			c->enabled = false;
			c->busy = 3;
		}
		if (command == 0x20)
			memset(c->memory + chip_address(c) / 4096 * 4096, 0xFF, 4096);
		for (uint32_t i = 0; command == 0x02 && i < 256; i++)
			if (c->written[i])
				c->memory[chip_address(c) / 256 * 256 + i] &= c->page[i];
	}
	if (!c->selected && selected) {
		c->count = 0;
		memset(c->written, 0, sizeof c->written);
	}
	c->selected = selected;
}

static uint8_t chip_data(struct chip *c, uint8_t byte)
{
	uint32_t n = c->count - 4;

	if (c->bytes[0] == 0x03)
		return c->memory[chip_address(c) + n];
	if (c->bytes[0] == 0x02) {
		uint32_t place = (chip_address(c) + n) % 256; /* wraps within its page */

		assert_false(c->written[place]);
		c->page[place] = byte;
		c->written[place] = true;
	}
	return 0xFF;
}

static uint8_t chip_exchange(struct chip *c, uint8_t byte)
{
	uint8_t answer = 0xFF;

	if (!c->selected || c->absent)
		return 0xFF;
	if (c->count > 0 && c->bytes[0] == 0x05)
		answer = c->busy > 0 && c->busy-- > 0 ? 1 : 0;
	else if (c->count > 0 && c->bytes[0] == 0x9F)
		answer = 0xEF;
	else if (c->count >= 4)
		answer = chip_data(c, byte);
	if (c->count < 4)
		c->bytes[c->count] = byte;
	if (c->count == 0 && byte != 0x05)
		assert_int_equal(c->busy, 0); /* a busy chip hears nothing else */
	c->count++;
	return answer;
}

/* --- what the driver sees --- */

uint32_t fw_reg_read(uint32_t address)
{
	uint32_t word = 0;

	if (address >= FW_FLASH_AT && address < FW_FLASH_AT + FW_FLASH_SIZE) {
		memcpy(&word, hw.flash + (address - FW_FLASH_AT), 4);
		return word;
	}
	switch (address) {
	case SR: return hw.sr | (hw.busy > 0 && hw.busy-- > 0 ? 1u << 16 : 0);
	case CR: return hw.cr;
	case SPI_SR: return 3;
	case SPI_DR: return hw.chip.answer;
	default: return 0;
	}
}

void fw_reg_write(uint32_t address, uint32_t value)
{
	if (address >= FW_FLASH_AT && address < FW_FLASH_AT + FW_FLASH_SIZE) {
		program_word(address, value);
		return;
	}
	switch (address) {
	case KEYR:
		assert_int_equal(value, hw.key == 0 ? 0x45670123u : 0xCDEF89ABu);
		if (++hw.key == 2)
			hw.cr &= ~LOCK;
		break;
	case SR: hw.sr &= ~value; break;
	case CR:
		write_cr(value);
		if (value & LOCK)
			hw.key = 0;
		break;
	case SPI_DR: hw.chip.answer = chip_exchange(&hw.chip, (uint8_t)value); break;
	case PIN_SET:
		if (value & (1u << 20 | 1u << 4))
			chip_select(&hw.chip, (value & 1u << 20) != 0);
		break;
	default: break;
	}
}

/* --- the tests --- */

static int set_up(void **state)
{
	(void)state;
	memset(&hw, 0, sizeof hw);
	hw.flash = malloc(FW_FLASH_SIZE);
	hw.cr = LOCK;
	hw.fail_after = UINT32_MAX;
	memset(hw.chip.memory, 0, sizeof hw.chip.memory);
	if (hw.flash)
		memset(hw.flash, 0, FW_FLASH_SIZE);
	return hw.flash ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	free(hw.flash);
	return 0;
}

static void every_area_keeps_what_is_written(void **state)
{
	const struct fw_flash *flash = fw_stm32f405_flash();
	uint8_t bytes[600], back[600];

	(void)state;
	assert_non_null(flash);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7 + 1);
	for (int area = 0; area < FW_AREAS; area++)
		for (uint32_t page = 0; page < flash->page_count[area]; page++) {
			const uint32_t at = page * flash->page_size[area] + 252;

			assert_int_equal(flash->erase(NULL, area, page), 0);
			assert_int_equal(flash->read(NULL, area, at, back, sizeof back), 0);
			for (size_t i = 0; i < sizeof back; i++)
				assert_int_equal(back[i], 0xFF);
			assert_int_equal(flash->program(NULL, area, at, bytes, sizeof bytes), 0);
			assert_int_equal(flash->read(NULL, area, at, back, sizeof back), 0);
			assert_memory_equal(back, bytes, sizeof back);
			assert_true(hw.cr & LOCK);
		}
}

static void areas_do_not_touch_each_other(void **state)
{
	const struct fw_flash *flash = fw_stm32f405_flash();
	const uint8_t mark[4] = {1, 2, 3, 4};
	uint8_t back[4];

	(void)state;
	for (int area = 0; area < FW_AREAS; area++)
		for (uint32_t page = 0; page < flash->page_count[area]; page++)
			assert_int_equal(flash->erase(NULL, area, page), 0);
	for (int area = 0; area < FW_AREAS; area++) {
		const uint32_t last = flash->page_size[area] * flash->page_count[area] - 4;

		assert_int_equal(flash->program(NULL, area, 0, mark, 4), 0);
		assert_int_equal(flash->program(NULL, area, last, mark, 4), 0);
	}
	for (int area = 0; area < FW_AREAS; area++) {
		assert_int_equal(flash->erase(NULL, area, 0), 0);
		for (int other = 0; other < FW_AREAS; other++) {
			assert_int_equal(flash->read(NULL, other, 0, back, 4), 0);
			assert_int_equal(back[0], other == area ? 0xFF : 1);
		}
		assert_int_equal(flash->program(NULL, area, 0, mark, 4), 0);
	}
	for (size_t i = 0; i < FW_LOADER_SIZE; i++)
		assert_int_equal(hw.flash[i], 0); /* the loader is never written */
}

static void mistakes_are_refused(void **state)
{
	const struct fw_flash *flash = fw_stm32f405_flash();
	const uint32_t size = flash->page_size[FW_AREA_SLOT_A] * flash->page_count[FW_AREA_SLOT_A];
	uint8_t bytes[8] = {0};

	(void)state;
	assert_int_equal(flash->read(NULL, FW_AREA_SLOT_A, size - 4, bytes, 8), -1);
	assert_int_equal(flash->read(NULL, FW_AREA_SLOT_A, UINT32_MAX, bytes, 8), -1);
	assert_int_equal(flash->program(NULL, FW_AREA_SLOT_A, size, bytes, 4), -1);
	assert_int_equal(flash->program(NULL, FW_AREA_SLOT_A, 2, bytes, 4), -1);
	assert_int_equal(flash->program(NULL, FW_AREA_SLOT_A, 0, bytes, 3), -1);
	assert_int_equal(flash->erase(NULL, FW_AREA_LOG, flash->page_count[FW_AREA_LOG]), -1);
	assert_int_equal(hw.words + hw.erases, 0);
}

static void errors_of_the_parts_are_told(void **state)
{
	const struct fw_flash *flash = fw_stm32f405_flash();
	uint8_t bytes[16] = {0};

	(void)state;
	hw.fail_after = 2;
	assert_int_equal(flash->program(NULL, FW_AREA_SLOT_A, 0, bytes, sizeof bytes), -1);
	assert_int_equal(hw.words, 3); /* and nothing is written behind it */
	assert_true(hw.cr & LOCK);
	hw.fail_after = UINT32_MAX;
	assert_int_equal(flash->program(NULL, FW_AREA_SLOT_A, 0, bytes, sizeof bytes), 0);
	hw.chip.absent = true;
	assert_null(fw_stm32f405_flash());
	assert_int_equal(flash->erase(NULL, FW_AREA_LOG, 0), -1);
}

static void the_log_has_room_for_ten_thousand(void **state)
{
	(void)state;
	assert_true(FW_LOG_PAGES * FW_NOR_PAGE >= 10000 * 16 + 2 * FW_NOR_PAGE);
	assert_true(FW_LOG_AT + FW_LOG_PAGES * FW_NOR_PAGE <= FW_NOR_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_area_keeps_what_is_written, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(areas_do_not_touch_each_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(mistakes_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(errors_of_the_parts_are_told, set_up, tear_down),
		cmocka_unit_test(the_log_has_room_for_ten_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
