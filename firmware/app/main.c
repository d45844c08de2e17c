// SPDX-License-Identifier: Apache-2.0
/* Bring-up: answers one register so that boards, ports and front end are proved. */
#include "firmware/board/afe.h"
#include "firmware/board/board.h"
#include "firmware/board/uart.h"

#include <string.h>

static uint8_t frame[256], answer[256];
static struct fw_measurement m;

static uint32_t crc16(const uint8_t *bytes, uint32_t count)
{
	uint32_t crc = 0xFFFF;

	for (uint32_t i = 0; i < count; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xA001 : crc >> 1;
	}
	return crc;
}

static uint32_t serve(uint32_t count)
{
	uint32_t n, crc, reg;

	if (count < 8 || crc16(frame, count) != 0 || frame[0] != m.dip || frame[1] != 3)
		return 0;
	n = frame[5];
	reg = (uint32_t)frame[2] << 8 | frame[3];
	answer[0] = frame[0];
	answer[1] = 3;
	answer[2] = (uint8_t)(2 * n);
	for (uint32_t i = 0; i < n && i < 120; i++) {
		uint32_t v = reg + i < FW_MAX_CELLS ? (uint32_t)m.cells_mv[reg + i] : m.sequence;
		answer[3 + 2 * i] = (uint8_t)(v >> 8);
		answer[4 + 2 * i] = (uint8_t)v;
	}
	crc = crc16(answer, 3 + 2 * n);
	answer[3 + 2 * n] = (uint8_t)crc;
	answer[4 + 2 * n] = (uint8_t)(crc >> 8);
	return 5 + 2 * n;
}

int main(void)
{
	struct fw_outputs o = {.charge_mos = true, .discharge_mos = true};
	uint32_t count = 0;
	uint64_t silence;

	fw_board_start();
	fw_board_flash();
	fw_uart_open(FW_PORT_BUS, 115200);
	silence = fw_board_silence_us(115200);
	fw_afe_start();
	for (;;) {
		uint64_t now = fw_board_now_us(), until = now + 1000000;

		fw_board_feed_watchdog();
		if (fw_uart_waiting(FW_PORT_AFE) > 0) {
			if (now >= fw_uart_heard_us(FW_PORT_AFE) + 500) {
				if (fw_afe_take(&m))
					fw_afe_put(&o);
			} else {
				until = fw_uart_heard_us(FW_PORT_AFE) + 500;
			}
		}
		if (fw_uart_waiting(FW_PORT_BUS) > 0) {
			uint64_t end = fw_uart_heard_us(FW_PORT_BUS) + silence;
			if (now >= end) {
				count = fw_uart_read(FW_PORT_BUS, frame, 256);
				uint32_t n = serve(count);
				if (n > 0)
					fw_uart_send(FW_PORT_BUS, answer, n);
			} else if (end < until)
				until = end;
		}
		fw_board_sleep(until);
	}
}
