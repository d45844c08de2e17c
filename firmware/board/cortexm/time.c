// SPDX-License-Identifier: Apache-2.0
/* Time without a periodic tick. The 24-bit system timer counts down one segment after the other;
 * every segment is as long as nothing is due, so that an idle pack wakes about ten times a second
 * and not a thousand times. A segment that ran out starts again by itself, and nothing is lost as
 * long as somebody looks at the clock at least once per segment: the interrupt at its end does.
 * (A flash controller that stalls the processor for longer makes the clock slow by that much.)
 *
 * Starting a segment costs a few cycles between reading the old and starting the new one: they are
 * counted as RESTART_CYCLES, an estimate that leaves some parts per million. */
#include "firmware/board/cortexm/cpu.h"

#define CSR            0xE000E010u
#define RVR            0xE000E014u
#define CVR            0xE000E018u
#define CSR_ON         0x7u /* counts processor clocks, interrupts at zero */
#define CSR_WRAPPED    (1u << 16)
#define LONGEST        0xFFFFFFu
#define SHORTEST       2000u /* cycles; an alarm that is nearer comes that late */
#define RESTART_CYCLES 12u

static struct {
	uint64_t base;    /* cycles before this segment */
	uint32_t segment; /* cycles of this segment */
	uint32_t mhz;
} clock;

/* The counter reads 0 for one cycle before it starts
 * again, when the flag is up already: 0 belongs to the segment that begins. */
uint64_t fw_time_cycles(void)
{
	uint32_t before = fw_reg_read(CVR), after;

	if ((fw_reg_read(CSR) & CSR_WRAPPED) != 0) /* reading takes the flag down */
		clock.base += clock.segment;
	after = fw_reg_read(CVR);
	/* Ran out between the two: the flag came up after it was read. */
	if ((after == 0 || after > before) && (fw_reg_read(CSR) & CSR_WRAPPED) != 0)
		clock.base += clock.segment;
	return clock.base + (after == 0 ? 0 : clock.segment - after);
}

static void begin(uint32_t segment)
{
	clock.segment = segment;
	fw_reg_write(RVR, segment - 1u);
	fw_reg_write(CVR, 0); /* loads the new value with the next clock, without an interrupt */
}

void fw_time_start(uint32_t hz)
{
	clock.mhz = hz / 1000000u;
	begin(LONGEST);
	fw_reg_write(CSR, CSR_ON);
}

uint64_t fw_time_in_us(uint64_t cycles)
{
	return cycles / clock.mhz;
}

uint64_t fw_time_us(void)
{
	const uint32_t saved = fw_cpu_save();
	const uint64_t now = fw_time_cycles();

	fw_cpu_restore(saved);
	return fw_time_in_us(now);
}

void fw_time_alarm(uint64_t at_us)
{
	const uint64_t now = fw_time_cycles();
	uint64_t wait = at_us * clock.mhz;

	wait = wait > now + SHORTEST ? wait - now : SHORTEST;
	clock.base = now + RESTART_CYCLES;
	begin(wait < LONGEST ? (uint32_t)wait : LONGEST);
}

/* Somebody has to look once per segment. */
void fw_tick(void)
{
	(void)fw_time_cycles();
	fw_wake = true;
}
