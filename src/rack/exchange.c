// SPDX-License-Identifier: Apache-2.0
/* Bytes are collected until the codec is satisfied; the codec knows the frames, this file only
 * knows time. It sleeps for the bytes that must still pass the wire instead of waking up for every
 * few of them, and it does not wait for padding behind a whole answer. */
#include "exchange.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "onepack/clock.h"
#include "onepack/port.h"

#define WRITE_MS     100
#define BITS_OF_BYTE 10 /* 8N1 */

static int64_t wire_us(const struct exchange *x, size_t bytes)
{
	return (int64_t)bytes * BITS_OF_BYTE * 1000000 / x->baud;
}

/* Just behind the echo of the question, which noise may precede; the beginning when there is none.
 */
static const uint8_t *behind_echo(const struct exchange *x)
{
	const uint8_t *echo = memmem(x->bytes, x->count, x->request, x->request_count);

	return echo ? echo + x->request_count : x->bytes;
}

const uint8_t *exchange_heard(const struct exchange *x, size_t *count)
{
	const uint8_t *heard = behind_echo(x);

	*count = x->count - (size_t)(heard - x->bytes);
	return heard;
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
static int collect(struct exchange *x, size_t expected, int64_t deadline_us)
{
	int err, n;

	expected += (size_t)(behind_echo(x) - x->bytes);
	if (x->count > 0 && x->count + 1 < expected) {
		int64_t full_us = clock_monotonic_us() + wire_us(x, expected - x->count - 1);

		err = sleep_until(x, full_us < deadline_us ? full_us : deadline_us, 0);
		if (err)
			return err;
	}
	err = sleep_until(x, deadline_us, POLLIN);
	if (err)
		return err;
	n = serial_read(x->fd, x->bytes + x->count, sizeof x->bytes - x->count, 0);
	if (n > 0) {
		x->count += (size_t)n;
		x->active_us = clock_monotonic_us();
	}
	return n;
}

static int judge(struct exchange *x, int message, int address, struct wire_values *out)
{
	return wire_response(x->wire, message, &x->ctx, address, x->bytes, x->count, out);
}

/* Time is up: what is there may do; else say whether anything came at all. */
static int judge_finally(struct exchange *x, int message, int address, struct wire_values *out)
{
	size_t heard;
	int result;

	exchange_heard(x, &heard);
	if (heard == 0)
		return ERR_TIMEOUT;
	x->ctx.final = true;
	result = judge(x, message, address, out);
	return result == ERR_INCOMPLETE || result == 0 ? ERR_FORMAT : result;
}

static int await(struct exchange *x, int message, int address, int64_t deadline_us,
		 struct wire_values *out)
{
	size_t expected = (size_t)wire_response_length(x->wire, message);

	for (;;) {
		int n, result;

		if (x->count == sizeof x->bytes)
			return ERR_FORMAT;
		n = collect(x, expected, deadline_us);
		if (n < 0)
			return n;
		if (n > 0) {
			result = judge(x, message, address, out);
			if (result != ERR_INCOMPLETE && result != 0)
				return result;
		}
		if (clock_monotonic_us() >= deadline_us)
			return judge_finally(x, message, address, out);
	}
}

/* Plain reads of registers are libmodbus' business, records and ASCII are not. */
static bool is_register_read(const struct exchange *x)
{
	struct wire_info info;

	wire_get_info(x->wire, &info);
	return info.framing == WIRE_MODBUS && x->request_count > 2 &&
	       (x->request[1] == 0x03 || x->request[1] == 0x04);
}

static int ask_modbus(struct exchange *x, int message, int address, int32_t timeout_us,
		      struct wire_values *out)
{
	int n = modbus_master_ask(&x->modbus, x->request, x->request_count, timeout_us, x->bytes);
	int result;

	x->active_us = clock_monotonic_us();
	if (n < 0)
		return n;
	x->count = (size_t)n;
	result = judge(x, message, address, out);
	return result == ERR_INCOMPLETE || result == 0 ? ERR_FORMAT : result;
}

int exchange_run(struct exchange *x, int message, int address, int32_t timeout_us,
		 struct wire_values *out)
{
	int n = wire_request(x->wire, message, &x->ctx, address, x->request, sizeof x->request);
	int64_t start_us;

	if (n < 0)
		return n;
	x->request_count = (size_t)n;
	x->count = 0;
	x->ctx.final = false;
	serial_drain(x->fd);
	if (is_register_read(x))
		return ask_modbus(x, message, address, timeout_us, out);
	start_us = clock_monotonic_us();
	n = serial_write(x->fd, x->request, x->request_count, WRITE_MS);
	if (n < 0)
		return n;
	x->active_us = start_us + wire_us(x, x->request_count);
	return await(x, message, address, start_us + timeout_us, out);
}

int exchange_read_again(struct exchange *x, int message, int address, struct wire_values *out)
{
	return judge(x, message, address, out);
}
