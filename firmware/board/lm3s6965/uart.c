// SPDX-License-Identifier: Apache-2.0
/* UART0 (RS485, with a transceiver that switches its direction by itself: the part has no interrupt
 * for the end of the last bit) and UART1 (front end): PL011 cells with FIFOs of 16 bytes. */
#include "firmware/board/cortexm/cpu.h"
#include "firmware/board/lm3s6965/vectors.h"
#include "firmware/board/uart_state.h"

#define DR   0x00u
#define FR   0x18u
#define IBRD 0x24u
#define FBRD 0x28u
#define LCRH 0x2Cu
#define CTL  0x30u
#define IM   0x38u
#define ICR  0x44u

#define DR_BAD       0xF00u
#define FR_EMPTY     (1u << 4)
#define FR_FULL      (1u << 5)
#define LCRH_8N1     (3u << 5 | 1u << 4) /* with FIFO */
#define CTL_ON       (1u << 9 | 1u << 8 | 1u)
#define INT_RECEIVED (1u << 4 | 1u << 6) /* FIFO half full, or something in it for a while */
#define INT_AGED     (1u << 6)           /* the second of them; the first ends by reading */
#define INT_SENDING  (1u << 5)           /* the FIFO for sending has room */
#define CPU_HZ       50000000u
#define FIFO         16

static const struct {
	uint32_t at, interrupt;
} ports[FW_PORTS] = {{0x4000C000u, 5}, {0x4000D000u, 6}};

void fw_uart_open(enum fw_port port, uint32_t baud)
{
	const uint32_t at = ports[port].at, divisor = (CPU_HZ * 4u + baud / 2) / baud; /* 1/64 */

	fw_reg_write(at + CTL, 0);
	fw_reg_write(at + IBRD, divisor / 64);
	fw_reg_write(at + FBRD, divisor % 64);
	fw_reg_write(at + LCRH, LCRH_8N1);
	fw_reg_write(at + IM, INT_RECEIVED);
	fw_reg_write(at + CTL, CTL_ON);
	fw_uart_state[port].busy = false;
	fw_cpu_enable(ports[port].interrupt);
}

/* With interrupts masked. */
static void feed(enum fw_port port)
{
	struct fw_uart_state *state = &fw_uart_state[port];
	const uint32_t at = ports[port].at;

	while (state->left > 0 && (fw_reg_read(at + FR) & FR_FULL) == 0) {
		fw_reg_write(at + DR, *state->sending);
		state->sending++;
		state->left--;
	}
	state->busy = state->left > 0;
	fw_wake = fw_wake || !state->busy;
	fw_reg_write(at + IM, INT_RECEIVED | (state->busy ? INT_SENDING : 0u));
}

bool fw_uart_send(enum fw_port port, const uint8_t *bytes, uint32_t count)
{
	struct fw_uart_state *state = &fw_uart_state[port];
	uint32_t saved;

	if (state->busy || count == 0)
		return false;
	saved = fw_cpu_save();
	state->busy = true;
	state->sending = bytes;
	state->left = count;
	feed(port);
	fw_cpu_restore(saved);
	return true;
}

static void serve(enum fw_port port)
{
	const uint32_t at = ports[port].at;

	fw_reg_write(at + ICR, INT_AGED | INT_SENDING);
	for (int i = 0; i < FIFO && (fw_reg_read(at + FR) & FR_EMPTY) == 0; i++) {
		const uint32_t data = fw_reg_read(at + DR);

		fw_uart_heard(port, (uint8_t)data, (data & DR_BAD) == 0);
	}
	if (fw_uart_state[port].busy)
		feed(port);
}

void fw_uart0(void)
{
	serve(FW_PORT_BUS);
}

void fw_uart1(void)
{
	serve(FW_PORT_AFE);
}
