// SPDX-License-Identifier: Apache-2.0
/* One question to a pack and its answer, on a real tty. */
#pragma once

#include "answer.h"
#include "modbus_master.h"

struct exchange {
	/* set by the owner */
	int fd;      /* the tty */
	int stop_fd; /* readable = give up at once; -1 = none */
	uint32_t baud;
	struct modbus_master modbus;
	int64_t active_us; /* when the line was last used */
};

/* Throws away what was received before, sends the question that answer_begin() made, and waits
 * until the answer is whole, wrong, or late. >0: it is good, and `out` has it. Else what
 * answer_hear() and answer_end() say; -ECANCELED by stop_fd; -errno when the port is gone. `out` is
 * untouched then. */
int exchange_run(struct exchange *exchange, struct answer *answer, int32_t timeout_us,
		 struct wire_values *out);
