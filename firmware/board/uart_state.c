// SPDX-License-Identifier: Apache-2.0
#include "firmware/board/uart_state.h"

#include "firmware/board/cortexm/cpu.h"

struct fw_uart_state fw_uart_state[FW_PORTS];

void fw_uart_heard(enum fw_port port, uint8_t byte, bool good)
{
	struct fw_uart_state *state = &fw_uart_state[port];
	uint32_t waiting;

	/* On a half-duplex line we hear ourselves, depending on the transceiver. */
	if (port == FW_PORT_BUS && state->busy)
		return;
	state->heard = fw_time_cycles();
	if (!good || !fw_ring_put(&state->received, byte))
		state->lost++;
	waiting = state->received.put - state->received.taken;
	if (waiting == 1 || waiting == FW_RING_SIZE * 3 / 4)
		fw_wake = true;
}

uint32_t fw_uart_read(enum fw_port port, uint8_t *bytes, uint32_t size)
{
	return fw_ring_take(&fw_uart_state[port].received, bytes, size);
}

uint64_t fw_uart_heard_us(enum fw_port port)
{
	const uint32_t saved = fw_cpu_save();
	const uint64_t heard = fw_uart_state[port].heard;

	fw_cpu_restore(saved);
	return fw_time_in_us(heard);
}

uint32_t fw_uart_waiting(enum fw_port port)
{
	const struct fw_ring *ring = &fw_uart_state[port].received;

	return ring->put - ring->taken;
}

bool fw_uart_sending(enum fw_port port)
{
	return fw_uart_state[port].busy;
}

uint32_t fw_uart_lost(enum fw_port port)
{
	return fw_uart_state[port].lost;
}
