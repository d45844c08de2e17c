// SPDX-License-Identifier: Apache-2.0
/* One question and answer in plain Modbus RTU, carried by libmodbus over a tty that is open
 * already.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODBUS_MASTER_ANSWER 260 /* bytes that an answer can have, libmodbus' own bound */

struct modbus_master {
	struct _modbus *modbus;
	bool echo; /* the adapter sends back what it sends; found out by itself */
};

/* `fd` stays the caller's. 0 or -errno. */
int modbus_master_open(struct modbus_master *master, int fd, const char *port, uint32_t baud);
void modbus_master_close(struct modbus_master *master);

/* Sends a whole request (with its CRC) and waits for the frame that answers it. Its length, with
 * CRC; ERR_TIMEOUT, ERR_CHECKSUM, ERR_FORMAT, ERR_NOT_MINE (another unit's), or -errno when the
 * port is gone. */
int modbus_master_ask(struct modbus_master *master, const uint8_t *request, size_t count,
		      int32_t timeout_us, uint8_t answer[MODBUS_MASTER_ANSWER]);
