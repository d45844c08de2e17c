// SPDX-License-Identifier: Apache-2.0
/* The RS485 kind of an inverter link: answers when it is asked. */
#include "link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "farewell.h"

#define CHUNK 256
#define WRITE_MS \
	300 /* a whole answer at 9600 baud takes 150 ms when the buffer of the driver is small */

static int serial_side_open(struct link *link, char *why, size_t why_size)
{
	int fd = serial_open(link->options.port, link->bitrate);
	int err = fd < 0 ? fd : serial_set_parity(fd, link->info.even_parity);

	if (err < 0) {
		snprintf(why, why_size, "%s", strerror(-err));
		if (fd >= 0)
			close(fd);
		return err;
	}
	link->serial.fd = fd;
	respond_reset(&link->serial.respond);
	return 0;
}

static void serial_side_close(struct link *link)
{
	close(link->serial.fd);
	link->serial.fd = -1;
}

static int serial_side_fd(const struct link *link)
{
	return link->serial.fd;
}

static int serial_side_receive(struct link *link, int64_t now_us)
{
	uint8_t bytes[CHUNK];
	int n;

	while ((n = serial_read(link->serial.fd, bytes, sizeof bytes, 0)) > 0)
		if (!link->hold.quiet)
			respond_receive(&link->serial.respond, bytes, (size_t)n, now_us);
	return n;
}

/* A request with a bad sum may have an answer as well, a return code: it is no sign of life. */
static void note_request(struct link *link, int64_t now_us)
{
	const struct respond *respond = &link->serial.respond;
	struct wire_listener listener = {0};

	wire_values_clear(&link->said);
	if (wire_decode_serial(link->wire, &respond->ctx, &listener, respond->request,
			       respond->request_count, &link->said) == ERR_CHECKSUM) {
		link->serial.bad_requests++;
		return;
	}
	link->heard.inverter.inverter_alive = 1;
	link_note_heard(link, now_us);
}

static void note_answer(struct link *link, const uint8_t *answer, size_t count, int64_t now_us)
{
	const struct respond *respond = &link->serial.respond;
	struct wire_listener listener = {0};

	link->status.sent_ms = now_us / 1000;
	wire_values_clear(&link->said);
	(void)wire_decode_serial(link->wire, &respond->ctx, &listener, respond->request,
				 respond->request_count, &link->said);
	if (wire_decode_serial(link->wire, &respond->ctx, &listener, answer, count, &link->said) ==
	    0)
		link_note_limits(link);
}

static int serial_side_send(struct link *link, int64_t now_us)
{
	struct respond *respond = &link->serial.respond;
	uint8_t answer[WIRE_MAX_FRAME];
	uint64_t asked;
	size_t count;
	int err;

	if (link->hold.quiet) {
		respond_reset(respond);
		return 0;
	}
	respond->ctx.local_time_s = link->ctx.local_time_s;
	respond->ctx.uptime_ms = link->ctx.uptime_ms;
	asked = respond->asked;
	count = respond_turn(respond, &link->hold.battery, now_us, answer);
	if (respond->asked != asked)
		note_request(link, now_us);
	if (count == 0)
		return 0;
	err = serial_write(link->serial.fd, answer, count, WRITE_MS);
	if (err == -ETIMEDOUT) {
		link->serial.write_errors++;
		return 0;
	}
	if (!err)
		note_answer(link, answer, count, now_us);
	return err;
}

static int64_t serial_side_next_us(const struct link *link)
{
	return respond_next_us(&link->serial.respond);
}

static bool serial_side_farewell(struct link *link, int64_t now_us)
{
	return farewell_is_done(&link->serial.respond.farewell, link->ending_ms, now_us / 1000);
}

static void serial_side_report(const struct link *link, struct inverter_status *status)
{
	status->link = LINK_UP;
	status->detail[0] = 0;
	status->frames_sent = link->serial.respond.answered;
	status->errors =
		link->serial.respond.errors + link->serial.bad_requests + link->serial.write_errors;
}

const struct link_kind link_serial = {serial_side_open,     serial_side_close, serial_side_fd,
				      serial_side_receive,  serial_side_send,  serial_side_next_us,
				      serial_side_farewell, serial_side_report};
