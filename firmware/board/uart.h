// SPDX-License-Identifier: Apache-2.0
/* Two serial ports. Interrupts move bytes between the port and a ring or the sender's buffer;
 * everything else happens in the main loop. Received bytes that find the ring full are lost and
 * counted, as they would be on the wire. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum fw_port {
	FW_PORT_BUS, /* RS485, half duplex, with driver-enable */
	FW_PORT_AFE, /* the analog front end; full duplex */
	FW_PORTS
};

/* (Re)opens the port: 8N1. */
void fw_uart_open(enum fw_port port, uint32_t baud);

/* Takes at most `size` bytes out of the ring; how many. */
uint32_t fw_uart_read(enum fw_port port, uint8_t *bytes, uint32_t size);

/* When the newest byte came; 0 = none yet. */
uint64_t fw_uart_heard_us(enum fw_port port);

/* So many bytes wait in the ring. */
uint32_t fw_uart_waiting(enum fw_port port);

/* Begins to send; `bytes` must stay as they are until fw_uart_sending() is false. Refused (false)
 * while the port still sends. */
bool fw_uart_send(enum fw_port port, const uint8_t *bytes, uint32_t count);
bool fw_uart_sending(enum fw_port port);

/* Bytes lost to a full ring, a wrong stop bit or an overrun since the start. */
uint32_t fw_uart_lost(enum fw_port port);
