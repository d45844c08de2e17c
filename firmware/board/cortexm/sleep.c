// SPDX-License-Identifier: Apache-2.0
/* Sleeping without losing a byte: interrupts are masked while it is decided, and a masked interrupt
 * ends the wait all the same. */
#include "firmware/board/board.h"
#include "firmware/board/cortexm/cpu.h"
#include "firmware/board/uart.h"

uint64_t fw_board_now_us(void)
{
	return fw_time_us();
}

void fw_board_sleep(uint64_t until_us)
{
	fw_cpu_mask();
	if (!fw_uart_waiting(FW_PORT_BUS) && !fw_uart_waiting(FW_PORT_AFE)) {
		fw_time_alarm(until_us);
		fw_cpu_wait();
	}
	fw_cpu_unmask();
}
