// SPDX-License-Identifier: Apache-2.0
/* The vector table: stack, 15 exceptions, 43 interrupts. An interrupt that nobody asked for is a
 * fault. All have one priority, so that none interrupts another. */
#include "firmware/board/lm3s6965/vectors.h"
#include "firmware/board/cortexm/cpu.h"

#define INTERRUPTS 43
#define UART0      5
#define UART1      6

struct table {
	void *stack;
	void (*handlers[15 + INTERRUPTS])(void);
};

extern const struct table fw_vectors;

__attribute__((section(".fw_vectors"), used)) const struct table fw_vectors = {
	fw_stack_top,
	{
		[0] = fw_start,
		[1 ... 13] = fw_fault,
		[14] = fw_tick,
		[15 ... 15 + UART0 - 1] = fw_fault,
		[15 + UART0] = fw_uart0,
		[15 + UART1] = fw_uart1,
		[15 + UART1 + 1 ... 15 + INTERRUPTS - 1] = fw_fault,
	},
};
