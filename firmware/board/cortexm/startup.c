// SPDX-License-Identifier: Apache-2.0
/* From reset to main(). A fault of the processor ends in a reset as the watchdog would make it: a
 * pack that hangs with its MOSFETs closed is worse than one that starts again. */
#include "firmware/board/board.h"
#include "firmware/board/cortexm/cpu.h"

#define RESET_KEY (0x05FAu << 16 | 1u << 2) /* SYSRESETREQ */

extern uint32_t fw_data_from[], fw_data_start[], fw_data_end[], fw_bss_start[], fw_bss_end[];
extern uint32_t fw_stack_bottom[];
extern const uint32_t fw_vectors[];

bool fw_ram_good;

int main(void);

/* Every bit of every word as 0 and as 1, and different words at different addresses. What was there
 * is lost. */
static bool keeps(volatile uint32_t *from, const volatile uint32_t *to)
{
	bool good = true;

	for (volatile uint32_t *p = from; p != to; p++)
		*p = (uint32_t)p;
	for (volatile uint32_t *p = from; p != to; p++) {
		good = good && *p == (uint32_t)p;
		*p = ~(uint32_t)p;
	}
	for (volatile uint32_t *p = from; p != to; p++)
		good = good && *p == ~(uint32_t)p;
	return good;
}

/* What lies below the stack pointer is not in use yet. */
static void fill_stack(void)
{
	const uint32_t end = fw_cpu_stack() - 4;

	for (volatile uint32_t *p = fw_stack_bottom; (uint32_t)p < end; p++)
		*p = FW_STACK_FILL;
}

void fw_start(void)
{
	const uint32_t *from = fw_data_from;
	const bool good = keeps(fw_data_start, fw_bss_end);

	for (uint32_t *to = fw_data_start; to != fw_data_end; to++)
		*to = *from++;
	for (uint32_t *to = fw_bss_start; to != fw_bss_end; to++)
		*to = 0;
	fw_ram_good = good;
	fill_stack();
	fw_reg_write(FW_CPU_VTOR, (uint32_t)fw_vectors);
	main();
	fw_board_reset();
}

_Noreturn void fw_board_reset(void)
{
	__asm volatile("dsb" ::: "memory");
	fw_reg_write(FW_CPU_AIRCR, RESET_KEY);
	for (;;)
		fw_cpu_wait();
}

void fw_fault(void)
{
	fw_board_reset();
}

_Noreturn void fw_board_start_image(uint32_t vectors)
{
	const uint32_t stack = fw_reg_read(vectors), entry = fw_reg_read(vectors + 4);

	fw_cpu_mask();
	fw_reg_write(0xE000E010u, 0); /* no system timer */
	for (uint32_t i = 0; i < 3; i++)
		fw_reg_write(FW_CPU_ICER + 4 * i, UINT32_MAX);
	fw_reg_write(FW_CPU_VTOR, vectors);
	__asm volatile("msr msp, %0\n\tcpsie i\n\tbx %1" ::"r"(stack), "r"(entry) : "memory");
	__builtin_unreachable();
}
