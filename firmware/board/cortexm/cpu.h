// SPDX-License-Identifier: Apache-2.0
/* What every Cortex-M3 and M4 has inside: interrupt controller, system timer, reset. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/board/cortexm/reg.h"

#define FW_CPU_VTOR  0xE000ED08u
#define FW_CPU_AIRCR 0xE000ED0Cu
#define FW_CPU_ISER  0xE000E100u
#define FW_CPU_ICER  0xE000E180u

static inline void fw_cpu_mask(void)
{
	__asm volatile("cpsid i" ::: "memory");
}

static inline void fw_cpu_unmask(void)
{
	__asm volatile("cpsie i" ::: "memory");
}

/* Masks; returns what fw_cpu_restore() takes. */
static inline uint32_t fw_cpu_save(void)
{
	uint32_t primask;

	__asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(primask)::"memory");
	return primask;
}

static inline void fw_cpu_restore(uint32_t primask)
{
	__asm volatile("msr primask, %0" ::"r"(primask) : "memory");
}

static inline uint32_t fw_cpu_stack(void)
{
	uint32_t pointer;

	__asm volatile("mov %0, sp" : "=r"(pointer));
	return pointer;
}

static inline void fw_cpu_wait(void)
{
	__asm volatile("dsb\n\twfi" ::: "memory");
}

static inline void fw_cpu_enable(uint32_t interrupt)
{
	fw_reg_write(FW_CPU_ISER + interrupt / 32 * 4, 1u << interrupt % 32);
}

/* time.c: the system timer as a clock and an alarm in one. `hz` is what it counts with, a whole
 * number of MHz. */
void fw_time_start(uint32_t hz);
uint64_t fw_time_us(void);

/* The same without the division, for interrupts: with interrupts masked, or in one. */
uint64_t fw_time_cycles(void);
uint64_t fw_time_in_us(uint64_t cycles);

/* With interrupts masked: the next interrupt of the timer comes at this time, or earlier. */
void fw_time_alarm(uint64_t at_us);

/* sleep.c: set by an interrupt that the main loop should look after. */
extern volatile bool fw_wake;

/* startup.c: the handlers that every vector table begins with. */
extern uint32_t fw_stack_top[]; /* of the linker script; the first word of the table */
extern bool fw_ram_good;        /* what the test at the start found */
#define FW_STACK_FILL 0x5AC35AC3u
void fw_start(void);
void fw_fault(void);
void fw_tick(void);
