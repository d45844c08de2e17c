// SPDX-License-Identifier: Apache-2.0
/* Sleeping without losing an event: interrupts are masked while it is decided, and a masked
 * interrupt ends the wait all the same. */
#include "firmware/board/board.h"
#include "firmware/board/cortexm/cpu.h"

volatile bool fw_wake;

uint64_t fw_board_now_us(void)
{
	return fw_time_us();
}

void fw_board_sleep(uint64_t until_us)
{
	fw_cpu_mask();
	fw_time_alarm(until_us);
	while (!fw_wake) {
		fw_cpu_wait();
		fw_cpu_unmask(); /* the interrupt is served here */
		fw_cpu_mask();
	}
	fw_wake = false;
	fw_cpu_unmask();
}
