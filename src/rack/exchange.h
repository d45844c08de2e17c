// SPDX-License-Identifier: Apache-2.0
/* One question to a pack and its answer, on a real tty. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "modbus_master.h"
#include "onepack/wire.h"

#define EXCHANGE_REQUEST 128
#define EXCHANGE_ANSWER  (WIRE_MAX_FRAME + EXCHANGE_REQUEST) /* with the echo of the request */

struct exchange {
	/* set by the owner */
	int fd;      /* the tty */
	int stop_fd; /* readable = give up at once; -1 = none */
	uint32_t baud;
	const struct wire *wire;
	struct wire_context ctx; /* `final` is the exchange's own */
	struct modbus_master modbus;
	/* the last exchange */
	int64_t active_us; /* when the line was last used */
	size_t request_count, count;
	uint8_t request[EXCHANGE_REQUEST];
	uint8_t bytes[EXCHANGE_ANSWER]; /* everything heard since the question */
};

/* Throws away what was received before, asks, and waits until the answer is whole, wrong, or
 * late. >0: it is good, and `out` has it. Else what wire_response says; ERR_TIMEOUT when nothing
 * came, ERR_FORMAT when something came that never became an answer; -ECANCELED by stop_fd; -errno
 * when the port is gone. `out` is untouched then. */
int exchange_run(struct exchange *exchange, int message, int address, int32_t timeout_us,
		 struct wire_values *out);

/* Reads the last good answer once more, into another place. */
int exchange_read_again(struct exchange *exchange, int message, int address,
			struct wire_values *out);

/* What was heard behind the echo of the question, if there was one. */
const uint8_t *exchange_heard(const struct exchange *exchange, size_t *count);
