// SPDX-License-Identifier: Apache-2.0
/* The front end at the far end of the second serial port: the plant simulator, or a small processor
 * that has the real chip. */
#include "firmware/board/afe.h"

#include "firmware/board/afe_frame.h"
#include "firmware/board/uart.h"

static struct fw_afe_reader reader;
static uint32_t sequence; /* of the newest sample */
static uint8_t frame[FW_AFE_MAX_FRAME];

void fw_afe_start(void)
{
	fw_uart_open(FW_PORT_AFE, FW_AFE_BAUD);
}

bool fw_afe_take(struct fw_measurement *measurement)
{
	uint8_t bytes[32];
	bool fresh = false;
	uint32_t count;

	/* More than the ring holds cannot be there, but more may come meanwhile: bounded. */
	for (uint32_t total = 0; total < 1024; total += count) {
		count = fw_uart_read(FW_PORT_AFE, bytes, sizeof bytes);
		if (count == 0)
			break;
		for (uint32_t i = 0; i < count; i++) {
			if (fw_afe_read(&reader, bytes[i]) == FW_AFE_MEASUREMENT &&
			    fw_afe_get_measurement(&reader, measurement)) {
				sequence = measurement->sequence;
				fresh = true;
			}
		}
	}
	return fresh;
}

void fw_afe_put(const struct fw_outputs *outputs)
{
	uint32_t count;

	if (fw_uart_sending(FW_PORT_AFE))
		return; /* the next sample brings the next chance, before the front end gives up */
	count = fw_afe_write_outputs(outputs, sequence, frame);
	(void)fw_uart_send(FW_PORT_AFE, frame, count);
}

uint32_t fw_afe_errors(void)
{
	return reader.errors;
}
