// SPDX-License-Identifier: Apache-2.0
/* Carries a question and its answer over a tty; what is an answer is answer.c's business. It sleeps
 * for the bytes that must still pass the wire instead of waking up for every few of them, and it
 * does not wait for padding behind a whole answer. */
#include "exchange.h"

#include <errno.h>
#include <poll.h>

#include "onepack/clock.h"
#include "onepack/port.h"

#define WRITE_MS     100
#define CHUNK        512
#define BITS_OF_BYTE 10 /* 8N1 */

static int64_t wire_us(const struct exchange *x, size_t bytes)
{
	return (int64_t)bytes * BITS_OF_BYTE * 1000000 / x->baud;
}

/* Sleeps until then, for input too if asked: 0, or -ECANCELED. A hang-up ends it. */
static int sleep_until(const struct exchange *x, int64_t until_us, short events)
{
	int64_t left_us = until_us - clock_monotonic_us();
	struct pollfd p[2] = {{.fd = x->fd, .events = events},
			      {.fd = x->stop_fd, .events = POLLIN}};
	struct timespec left;

	if (left_us < 0)
		left_us = 0;
	left.tv_sec = (time_t)(left_us / 1000000);
	left.tv_nsec = (long)(left_us % 1000000) * 1000;
	if (ppoll(p, 2, &left, NULL) < 0)
		return errno == EINTR ? 0 : -errno;
	return p[1].revents ? -ECANCELED : 0;
}

/* Waits for more bytes: how many came, 0 at the deadline. */
static int collect(struct exchange *x, const struct answer *answer, uint8_t bytes[CHUNK],
		   int64_t deadline_us)
{
	size_t missing = answer_missing(answer);
	int err, n;

	if (missing > 1) {
		int64_t full_us = clock_monotonic_us() + wire_us(x, missing - 1);

		err = sleep_until(x, full_us < deadline_us ? full_us : deadline_us, 0);
		if (err)
			return err;
	}
	err = sleep_until(x, deadline_us, POLLIN);
	if (err)
		return err;
	n = serial_read(x->fd, bytes, CHUNK, 0);
	if (n > 0)
		x->active_us = clock_monotonic_us();
	return n;
}

static int await(struct exchange *x, struct answer *answer, int64_t deadline_us,
		 struct wire_values *out)
{
	uint8_t bytes[CHUNK];

	for (;;) {
		int n = collect(x, answer, bytes, deadline_us);
		int result = ERR_INCOMPLETE;

		if (n < 0)
			return n;
		if (n > 0)
			result = answer_hear(answer, bytes, (size_t)n, out);
		if (result != ERR_INCOMPLETE)
			return result;
		if (clock_monotonic_us() >= deadline_us)
			return answer_end(answer, out);
	}
}

/* Plain reads of registers are libmodbus' business, records and ASCII are not. */
static bool is_register_read(const struct answer *answer)
{
	struct wire_info info;

	wire_get_info(answer->wire, &info);
	return info.framing == WIRE_MODBUS && answer->request_count > 2 &&
	       (answer->request[1] == 0x03 || answer->request[1] == 0x04);
}

/* Nothing comes after what libmodbus took for a frame. */
static int ask_modbus(struct exchange *x, struct answer *answer, int32_t timeout_us,
		      struct wire_values *out)
{
	uint8_t frame[MODBUS_MASTER_ANSWER];
	int n = modbus_master_ask(&x->modbus, answer->request, answer->request_count, timeout_us,
				  frame);
	int result;

	x->active_us = clock_monotonic_us();
	if (n < 0)
		return n;
	result = answer_hear(answer, frame, (size_t)n, out);
	return result == ERR_INCOMPLETE ? ERR_FORMAT : result;
}

int exchange_run(struct exchange *x, struct answer *answer, int32_t timeout_us,
		 struct wire_values *out)
{
	int64_t start_us;
	int n;

	serial_drain(x->fd);
	if (is_register_read(answer))
		return ask_modbus(x, answer, timeout_us, out);
	start_us = clock_monotonic_us();
	n = serial_write(x->fd, answer->request, answer->request_count, WRITE_MS);
	if (n < 0)
		return n;
	x->active_us = start_us + wire_us(x, answer->request_count);
	return await(x, answer, start_us + timeout_us, out);
}
