// SPDX-License-Identifier: Apache-2.0
/* The slcan port against a pty whose master side plays the adapter: blind set-up, every way of
 * answering, noise, states, an adapter that hangs and one that is pulled out. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "onepack/clock.h"
#include "onepack/port.h"
#include "pty_pair.h"

#define SET_UP "\r\r\rC\rS6\rO\r"

static const struct can_message limits = {
	.id = 0x351, .length = 8, .data = {0x02, 0x14, 0x74, 0x0E, 0xEC, 0x09, 0xE0, 0x01}};
static const char limits_text[] = "t35180214740EEC09E001\r";

static struct can_port *open_port(struct pty_pair *pty)
{
	char name[80], text[64], why[128] = "";
	struct can_port *port = NULL;

	pty_open(pty);
	snprintf(name, sizeof name, "slcan:%s", pty->path);
	assert_int_equal(can_port_open(name, 500000, &port, why, sizeof why), 0);
	assert_int_equal(pty_take(pty, text, strlen(SET_UP)), strlen(SET_UP));
	assert_string_equal(text, SET_UP);
	return port;
}

static void say(struct pty_pair *pty, const char *text)
{
	pty_say(pty, text, strlen(text));
}

/* The next frame, waiting up to a second. */
static int receive(struct can_port *port, struct can_message *out)
{
	for (;;) {
		struct pollfd p = {.fd = can_port_fd(port), .events = POLLIN};
		int n = can_port_receive(port, out);

		if (n != 0)
			return n;
		if (poll(&p, 1, 1000) <= 0)
			return 0;
	}
}

static void test_open_says_why(void **state)
{
	struct can_port *port = NULL;
	char why[128] = "";

	(void)state;
	assert_int_equal(can_port_open("slcan:/nowhere/tty", 500000, &port, why, sizeof why),
			 -ENOENT);
	assert_non_null(strstr(why, "/nowhere/tty"));
	assert_int_equal(can_port_open("slcan:/dev/null", 123456, &port, why, sizeof why), -EINVAL);
	assert_non_null(strstr(why, "123456"));
	assert_null(port);
	can_port_close(NULL);
}

static void test_send_and_receive(void **state)
{
	struct can_message in = {0};
	struct can_status status;
	struct pty_pair pty;
	struct can_port *port = open_port(&pty);
	char text[64];

	(void)state;
	assert_int_equal(can_port_send(port, &limits), 0);
	pty_take(&pty, text, strlen(limits_text));
	assert_string_equal(text, limits_text);
	/* acknowledges of all kinds, noise, an overlong line, two glued frames, half a frame */
	say(&pty, "\r");
	say(&pty, "z\rZ\r\a\xff\xfe\r");
	for (int i = 0; i < 10; i++)
		say(&pty, "t305812345");
	say(&pty, "\rt30580000000000000000\rT18FF50E51A5\rt3");
	assert_int_equal(receive(port, &in), 1);
	assert_int_equal(in.id, 0x305);
	assert_int_equal(receive(port, &in), 1);
	assert_int_equal(in.id, 0x18FF50E5);
	assert_true(in.extended);
	assert_int_equal(can_port_receive(port, &in), 0);
	say(&pty, "061AB\r");
	assert_int_equal(receive(port, &in), 1);
	assert_int_equal(in.id, 0x306);
	assert_int_equal(in.data[0], 0xAB);
	can_port_status(port, &status);
	assert_int_equal(status.sent, 1);
	assert_int_equal(status.received, 3);
	assert_int_equal(status.state, CAN_ACTIVE);
	can_port_close(port);
	close(pty.master);
}

static void test_bus_off_and_recovery(void **state)
{
	struct can_message in;
	struct can_status status;
	struct pty_pair pty;
	struct can_port *port = open_port(&pty);
	int64_t now_ms = clock_monotonic_ms();
	char text[64];

	(void)state;
	say(&pty, "e1a\rsp128000\rsb000256\rt3050\r");
	assert_int_equal(receive(port, &in), 1);
	can_port_status(port, &status);
	assert_int_equal(status.state, CAN_BUS_OFF);
	assert_int_equal(status.bus_offs, 1);
	assert_int_equal(status.bus_errors, 1);
	assert_int_equal(can_port_send(port, &limits), -ENETDOWN);
	can_port_tick(port, now_ms);
	pty_take(&pty, text, strlen(SET_UP));
	assert_string_equal(text, SET_UP);
	assert_int_equal(can_port_send(port, &limits), 0);
	can_port_status(port, &status);
	assert_int_equal(status.state, CAN_ACTIVE);
	assert_int_equal(status.dropped, 1);
	say(&pty, "sb000256\rt3050\r");
	assert_int_equal(receive(port, &in), 1);
	pty_take(&pty, text, strlen(limits_text));
	can_port_tick(port, now_ms + 500); /* not more often than once a second */
	can_port_status(port, &status);
	assert_int_equal(status.state, CAN_BUS_OFF);
	can_port_close(port);
	close(pty.master);
}

/* A command that the hung adapter's queue took half is ended by a CR before the next one, so the
 * adapter cannot read two halves as one frame. */
static void test_hung_adapter_drops(void **state)
{
	struct can_status status;
	struct pty_pair pty;
	struct can_port *port = open_port(&pty);
	char text[8192];
	char last = 0;
	int err = 0;

	(void)state;
	for (int i = 0; i < 100000 && err == 0; i++)
		err = can_port_send(port, &limits);
	assert_int_equal(err, -ENOBUFS);
	can_port_status(port, &status);
	assert_int_equal(status.dropped, 1);
	for (ssize_t n; (n = read(pty.master, text, sizeof text)) > 0;)
		last = text[n - 1];
	assert_int_equal(can_port_send(port, &limits), 0);
	assert_true(pty_take(&pty, text, strlen(limits_text)) > 0);
	assert_int_equal(text[0], last == '\r' ? 't' : '\r');
	can_port_close(port);
	close(pty.master);
}

static void test_unplugged(void **state)
{
	struct can_message in;
	struct can_status status;
	struct pty_pair pty;
	struct can_port *port = open_port(&pty);

	(void)state;
	close(pty.master);
	assert_true(receive(port, &in) < 0);
	assert_true(can_port_send(port, &limits) < 0);
	can_port_tick(port, clock_monotonic_ms());
	can_port_status(port, &status);
	assert_int_equal(status.state, CAN_DOWN);
	can_port_close(port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_says_why),
		cmocka_unit_test(test_send_and_receive),
		cmocka_unit_test(test_bus_off_and_recovery),
		cmocka_unit_test(test_hung_adapter_drops),
		cmocka_unit_test(test_unplugged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
