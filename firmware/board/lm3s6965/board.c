// SPDX-License-Identifier: Apache-2.0
/* The LM3S6965 board, which proves that a port is thin. It is only ever run in the emulator
 * (lm3s6965evb), so its storage is the emulator's; clock, serial ports and watchdog are those of
 * the part and are modelled. Facts: data sheet of the part, chapters 6, 9, 11, 12. */
#include "firmware/board/board.h"

#include "firmware/board/cortexm/cpu.h"
#include "firmware/board/emulator/emulator.h"
#include "firmware/board/lm3s6965/layout.h"

#define RIS   0x400FE050u
#define RESC  0x400FE05Cu
#define RCC   0x400FE060u
#define RCGC0 0x400FE100u
#define RCGC1 0x400FE104u
#define RCGC2 0x400FE108u

#define RCC_BYPASS  (1u << 11)
#define RCC_PLL_OFF (1u << 13 | 1u << 12)
#define RCC_DIVIDE  (1u << 22)
#define RCC_50_MHZ  (3u << 23 | 1u << 22 | 0xEu << 6) /* 200 MHz by 4, from a crystal of 8 MHz */
#define RIS_LOCKED  (1u << 6)
#define CPU_HZ      50000000u
#define LOCK_ROUNDS 100000

#define RESC_PIN       (1u << 0)
#define RESC_POWER     (1u << 1)
#define RESC_BROWN_OUT (1u << 2)
#define RESC_WATCHDOG  (1u << 3)
#define RESC_SOFTWARE  (1u << 4)

#define WDT_LOAD    0x40000000u
#define WDT_CTL     0x40000008u
#define WDT_ICR     0x4000000Cu
#define WDT_RESETS  3u            /* the first time-out warns, the second resets */
#define WDT_2_S     (2u * CPU_HZ) /* twice that is four */
#define RCGC0_WDT   (1u << 3)
#define RCGC1_UARTS 3u
#define RCGC2_A_D   (1u << 0 | 1u << 3)
#define GPIOA_AFSEL 0x40004420u
#define GPIOA_DEN   0x4000451Cu
#define GPIOD_AFSEL 0x40007420u
#define GPIOD_DEN   0x4000751Cu
#define UART0_PINS  0x03u
#define UART1_PINS  0x0Cu

static bool set_clock(void)
{
	bool locked = false;

	fw_reg_set(RCC, RCC_BYPASS);
	fw_reg_clear(RCC, RCC_DIVIDE);
	fw_reg_write(RCC, RCC_BYPASS | RCC_50_MHZ); /* PLL on, main oscillator */
	for (int i = 0; i < LOCK_ROUNDS && !locked; i++)
		locked = (fw_reg_read(RIS) & RIS_LOCKED) != 0;
	fw_reg_clear(RCC, RCC_BYPASS);
	return locked;
}

bool fw_board_start(void)
{
	bool good = set_clock();

	fw_reg_set(RCGC0, RCGC0_WDT);
	fw_reg_set(RCGC1, RCGC1_UARTS);
	fw_reg_set(RCGC2, RCGC2_A_D);
	fw_reg_set(GPIOA_AFSEL, UART0_PINS);
	fw_reg_set(GPIOA_DEN, UART0_PINS);
	fw_reg_set(GPIOD_AFSEL, UART1_PINS);
	fw_reg_set(GPIOD_DEN, UART1_PINS);
	fw_reg_write(WDT_LOAD, WDT_2_S);
	fw_reg_write(WDT_CTL, WDT_RESETS);
	fw_time_start(CPU_HZ);
	fw_cpu_unmask();
	return good;
}

enum fw_boot_reason fw_board_boot_reason(void)
{
	const uint32_t why = fw_reg_read(RESC);

	if ((why & RESC_WATCHDOG) != 0)
		return FW_BOOT_WATCHDOG;
	if ((why & RESC_SOFTWARE) != 0)
		return FW_BOOT_COMMAND;
	if ((why & (RESC_POWER | RESC_BROWN_OUT)) == RESC_BROWN_OUT)
		return FW_BOOT_BROWN_OUT;
	if ((why & (RESC_POWER | RESC_PIN)) == RESC_PIN)
		return FW_BOOT_BUTTON;
	return fw_emulator_boot_reason(); /* each start of the emulator looks like power on */
}

void fw_board_feed_watchdog(void)
{
	fw_reg_write(WDT_ICR, 1);
}

void fw_board_unique_id(uint8_t id[12])
{
	fw_emulator_unique_id(id);
}

const struct fw_flash *fw_board_flash(void)
{
	static const struct fw_emulator_area areas[FW_AREAS] = {
		[FW_AREA_SLOT_A] = {FW_SLOT_A_AT, FW_SLOT_PAGE, FW_SLOT_PAGES},
		[FW_AREA_SLOT_B] = {FW_SLOT_B_AT, FW_SLOT_PAGE, FW_SLOT_PAGES},
		[FW_AREA_BOOT_STATE] = {FW_BOOT_STATE_AT, FW_BOOT_STATE_PAGE, FW_BOOT_STATE_PAGES},
		[FW_AREA_PARAMETERS] = {FW_PARAMETERS_AT, FW_DATA_PAGE, FW_PARAMETERS_PAGES},
		[FW_AREA_FACTORY] = {FW_FACTORY_AT, FW_DATA_PAGE, FW_FACTORY_PAGES},
		[FW_AREA_COUNTERS] = {FW_COUNTERS_AT, FW_DATA_PAGE, FW_COUNTERS_PAGES},
		[FW_AREA_LOG] = {FW_LOG_AT, FW_DATA_PAGE, FW_LOG_PAGES},
		[FW_AREA_SNAPSHOTS] = {FW_SNAPSHOTS_AT, FW_DATA_PAGE, FW_SNAPSHOTS_PAGES},
	};

	return fw_emulator_flash(areas);
}

uint32_t fw_board_slot_address(enum fw_area slot)
{
	return slot == FW_AREA_SLOT_B ? FW_SLOT_B_AT : FW_SLOT_A_AT;
}

bool fw_board_button(void)
{
	return fw_emulator_button();
}

uint32_t fw_board_silence_us(uint32_t baud)
{
	return fw_emulator_silence_us(baud);
}
