// SPDX-License-Identifier: Apache-2.0
/* The vector table: stack, 15 exceptions, 82 interrupts (RM0090, table 62). An interrupt that
 * nobody asked for is a fault. All have one priority, so that none interrupts another. */
#include "firmware/board/stm32f405/vectors.h"

#include "firmware/board/cortexm/cpu.h"

#define INTERRUPTS 82
#define USART1     37
#define USART2     38

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
		[15 ... 15 + USART1 - 1] = fw_fault,
		[15 + USART1] = fw_usart1,
		[15 + USART2] = fw_usart2,
		[15 + USART2 + 1 ... 15 + INTERRUPTS - 1] = fw_fault,
	},
};
