// SPDX-License-Identifier: Apache-2.0
/* USART1 (RS485) and USART2 (front end). Sending writes as long as the port takes bytes and lets
 * the interrupt go on when it does not; the last interrupt, when the last bit has left, turns the
 * RS485 driver off. The emulator takes everything at once and makes no interrupt for sending; the
 * same lines then end in the first call. */
#include "firmware/board/cortexm/cpu.h"
#include "firmware/board/stm32f405/part.h"
#include "firmware/board/stm32f405/vectors.h"
#include "firmware/board/uart_state.h"

#define SR  0x00u
#define DR  0x04u
#define BRR 0x08u
#define CR1 0x0Cu

#define SR_BAD      0x0Fu /* parity, framing, noise, overrun */
#define SR_OVERRUN  (1u << 3)
#define SR_RECEIVED (1u << 5)
#define SR_SENT     (1u << 6) /* the last bit has left */
#define SR_EMPTY    (1u << 7)

#define CR1_ON       (1u << 13 | 1u << 3 | 1u << 2) /* port, sender, receiver */
#define CR1_RECEIVED (1u << 5)
#define CR1_SENT     (1u << 6)
#define CR1_EMPTY    (1u << 7)

#define DRIVER_ON  (1u << 12)
#define DRIVER_OFF (1u << (12 + 16))

static const struct {
	uint32_t at, clock_hz, interrupt;
} ports[FW_PORTS] = {{USART1, FW_APB2_HZ, 37}, {USART2, FW_APB1_HZ, 38}};

void fw_uart_open(enum fw_port port, uint32_t baud)
{
	const uint32_t at = ports[port].at;

	fw_reg_write(at + CR1, 0);
	fw_reg_write(at + BRR, (ports[port].clock_hz + baud / 2) / baud);
	fw_reg_write(at + CR1, CR1_ON | CR1_RECEIVED);
	fw_uart_state[port].busy = false;
	fw_cpu_enable(ports[port].interrupt);
}

/* With interrupts masked. */
static void feed(enum fw_port port)
{
	struct fw_uart_state *state = &fw_uart_state[port];
	const uint32_t at = ports[port].at;

	while (state->left > 0 && (fw_reg_read(at + SR) & SR_EMPTY) != 0) {
		fw_reg_write(at + DR, *state->sending);
		state->sending++;
		state->left--;
	}
	if (state->left > 0) {
		fw_reg_set(at + CR1, CR1_EMPTY);
	} else if ((fw_reg_read(at + SR) & SR_SENT) == 0) {
		fw_reg_write(at + CR1, CR1_ON | CR1_RECEIVED | CR1_SENT);
	} else {
		fw_reg_write(at + CR1, CR1_ON | CR1_RECEIVED);
		if (port == FW_PORT_BUS)
			fw_reg_write(GPIOA + GPIO_BSRR, DRIVER_OFF);
		state->busy = false;
		fw_wake = true;
	}
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
	if (port == FW_PORT_BUS)
		fw_reg_write(GPIOA + GPIO_BSRR, DRIVER_ON);
	feed(port);
	fw_cpu_restore(saved);
	return true;
}

static void serve(enum fw_port port)
{
	const uint32_t at = ports[port].at, status = fw_reg_read(at + SR);

	/* Reading status, then data, is what clears the error bits. */
	if ((status & (SR_RECEIVED | SR_OVERRUN)) != 0)
		fw_uart_heard(port, (uint8_t)fw_reg_read(at + DR), (status & SR_BAD) == 0);
	if (fw_uart_state[port].busy)
		feed(port);
}

void fw_usart1(void)
{
	serve(FW_PORT_BUS);
}

void fw_usart2(void)
{
	serve(FW_PORT_AFE);
}
