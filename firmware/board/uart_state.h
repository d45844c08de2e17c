// SPDX-License-Identifier: Apache-2.0
/* For the drivers of serial ports: what is the same on every part. uart_state.c has the main loop's
 * side of uart.h that needs no register. */
#pragma once

#include "firmware/board/ring.h"
#include "firmware/board/uart.h"

struct fw_uart_state {
	struct fw_ring received;
	volatile uint64_t heard; /* cycles; read with interrupts masked */
	volatile uint32_t lost;
	const uint8_t *volatile sending; /* the next byte to go */
	volatile uint32_t left;          /* bytes still to go */
	volatile bool busy;              /* until the last bit has left */
};

extern struct fw_uart_state fw_uart_state[FW_PORTS];

/* A byte came, or (good = false) something that is no byte. */
void fw_uart_heard(enum fw_port port, uint8_t byte, bool good);
