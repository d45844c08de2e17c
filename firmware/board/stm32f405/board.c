// SPDX-License-Identifier: Apache-2.0
/* The STM32F405 board: pins, watchdog, reset. Pins other than those of the serial ports and the
 * button belong to the front end's driver (afe.h). */
#include "firmware/board/board.h"

#include "firmware/board/cortexm/cpu.h"
#include "firmware/board/stm32f405/layout.h"
#include "firmware/board/stm32f405/part.h"

#define GPIOA_ON  (1u << 0)
#define GPIOC_ON  (1u << 2)
#define USART2_ON (1u << 17)
#define USART1_ON (1u << 4)

#define IWDG_FEED   0xAAAAu
#define IWDG_UNLOCK 0x5555u
#define IWDG_GO     0xCCCCu
#define IWDG_BY_64  4u    /* of 32 kHz */
#define IWDG_4_S    2000u /* the oscillator is 17 to 47 kHz: 2.7 to 7.5 s */

static void set_pins(void)
{
	fw_reg_set(RCC_AHB1ENR, GPIOA_ON | GPIOC_ON);
	fw_reg_set(RCC_APB1ENR, USART2_ON);
	fw_reg_set(RCC_APB2ENR, USART1_ON);
	/* PA2, PA3, PA9, PA10 alternate function 7; PA12 output, low: the driver is off */
	fw_reg_set(GPIOA + GPIO_AFRL, 0x7700u);
	fw_reg_set(GPIOA + GPIO_AFRH, 0x0770u);
	fw_reg_write(GPIOA + GPIO_BSRR, 1u << (12 + 16));
	fw_reg_set(GPIOA + GPIO_MODER, 2u << 4 | 2u << 6 | 2u << 18 | 2u << 20 | 1u << 24);
	fw_reg_set(GPIOA + GPIO_PUPDR, 1u << 6 | 1u << 20); /* an open receiver reads idle */
	fw_reg_set(GPIOC + GPIO_PUPDR, 1u << (2 * FW_BUTTON_PIN));
}

/* Four seconds; it cannot be stopped any more, the loader hands it on to the application. */
static void start_watchdog(void)
{
	fw_reg_write(IWDG_KR, IWDG_GO);
	fw_reg_write(IWDG_KR, IWDG_UNLOCK);
	fw_reg_write(IWDG_PR, IWDG_BY_64);
	fw_reg_write(IWDG_RLR, IWDG_4_S);
	fw_board_feed_watchdog();
}

bool fw_board_start(void)
{
	bool good;

	start_watchdog();
	good = fw_part_clock();
	fw_time_start(FW_CPU_HZ);
	set_pins();
	fw_cpu_unmask();
	return good;
}

enum fw_boot_reason fw_board_boot_reason(void)
{
	return fw_part_boot_reason();
}

bool fw_board_button(void)
{
	return fw_part_button();
}

void fw_board_feed_watchdog(void)
{
	fw_reg_write(IWDG_KR, IWDG_FEED);
}

void fw_board_unique_id(uint8_t id[12])
{
	fw_part_unique_id(id);
}

const struct fw_flash *fw_board_flash(void)
{
	return fw_part_flash();
}

uint32_t fw_board_slot_address(enum fw_area slot)
{
	return slot == FW_AREA_SLOT_B ? FW_SLOT_B_AT : FW_SLOT_A_AT;
}

uint32_t fw_board_silence_us(uint32_t baud)
{
	return fw_part_silence_us(baud);
}
