// SPDX-License-Identifier: Apache-2.0
/* A serial NOR flash (W25Q16 and the many like it) on SPI1: PA4 select, PA5 clock, PA6 in, PA7 out,
 * 21 MHz. Pages of 256 bytes are programmed in up to 3 ms, sectors of 4 KiB erased in up to 400 ms;
 * both are waited for, with the watchdog in mind. Facts: data sheet of the W25Q16JV; RM0090, 28.
 *
 * Not run by the emulator: tests/unit/firmware plays the chip. */
#include "firmware/board/cortexm/reg.h"
#include "firmware/board/stm32f405/flash.h"
#include "firmware/board/stm32f405/part.h"

#define SPI1_CR1 0x40013000u
#define SPI1_SR  0x40013008u
#define SPI1_DR  0x4001300Cu

#define SPI1_ON        (1u << 12)                              /* in RCC_APB2ENR */
#define CR1_ON         (1u << 2 | 1u << 3 | 3u << 8 | 1u << 6) /* master, by 4, select by us */
#define SR_RECEIVED    1u
#define SR_EMPTY       2u
#define SELECT         (1u << (4 + 16)) /* low */
#define RELEASE        (1u << 4)
#define BYTE_ROUNDS    10000
#define READY_ROUNDS   1000000 /* of two bytes at 21 MHz: about a second */
#define CHIP_PAGE      256u
#define CMD_PROGRAM    0x02u
#define CMD_READ       0x03u
#define CMD_STATUS     0x05u
#define CMD_ALLOW      0x06u
#define CMD_ERASE_4K   0x20u
#define CMD_IDENTITY   0x9Fu
#define STATUS_BUSY    1u
#define PINS_ALTERNATE (2u << 10 | 2u << 12 | 2u << 14)

/* One byte each way; a port that stands still gives what an empty bus would. */
static uint8_t swap(uint8_t byte)
{
	for (int i = 0; i < BYTE_ROUNDS && (fw_reg_read(SPI1_SR) & SR_EMPTY) == 0; i++)
		continue;
	fw_reg_write(SPI1_DR, byte);
	for (int i = 0; i < BYTE_ROUNDS; i++)
		if ((fw_reg_read(SPI1_SR) & SR_RECEIVED) != 0)
			return (uint8_t)fw_reg_read(SPI1_DR);
	return 0xFF;
}

static void begin(uint8_t command)
{
	fw_reg_write(GPIOA + GPIO_BSRR, SELECT);
	swap(command);
}

static void begin_at(uint8_t command, uint32_t at)
{
	begin(command);
	swap((uint8_t)(at >> 16));
	swap((uint8_t)(at >> 8));
	swap((uint8_t)at);
}

static void end(void)
{
	fw_reg_write(GPIOA + GPIO_BSRR, RELEASE);
}

static int wait_ready(void)
{
	uint8_t status = STATUS_BUSY;

	begin(CMD_STATUS);
	for (int i = 0; i < READY_ROUNDS && (status & STATUS_BUSY) != 0; i++)
		status = swap(0);
	end();
	return (status & STATUS_BUSY) == 0 ? 0 : -1;
}

static void allow(void)
{
	begin(CMD_ALLOW);
	end();
}

int fw_nor_start(void)
{
	uint8_t maker;

	fw_reg_set(RCC_APB2ENR, SPI1_ON);
	fw_reg_write(GPIOA + GPIO_BSRR, RELEASE);
	fw_reg_set(GPIOA + GPIO_AFRL, 0x55500000u);
	fw_reg_set(GPIOA + GPIO_MODER, 1u << 8 | PINS_ALTERNATE);
	fw_reg_write(SPI1_CR1, CR1_ON);
	begin(CMD_IDENTITY);
	maker = swap(0);
	end();
	return maker == 0 || maker == 0xFF ? -1 : wait_ready();
}

int fw_nor_read(uint32_t at, uint8_t *bytes, uint32_t count)
{
	begin_at(CMD_READ, at);
	for (uint32_t i = 0; i < count; i++)
		bytes[i] = swap(0);
	end();
	return 0;
}

int fw_nor_program(uint32_t at, const uint8_t *bytes, uint32_t count)
{
	int err = 0;

	for (uint32_t done = 0, part; err == 0 && done < count; done += part) {
		part = CHIP_PAGE - (at + done) % CHIP_PAGE; /* a page does not run over */
		part = part < count - done ? part : count - done;
		allow();
		begin_at(CMD_PROGRAM, at + done);
		for (uint32_t i = 0; i < part; i++)
			swap(bytes[done + i]);
		end();
		err = wait_ready();
	}
	return err;
}

int fw_nor_erase(uint32_t at)
{
	allow();
	begin_at(CMD_ERASE_4K, at);
	end();
	return wait_ready();
}
