// SPDX-License-Identifier: Apache-2.0
/* Serial lines on real ptys: transparency, exclusiveness, time limits, hang-ups. */
#include "onepack/port.h"

#include <errno.h>
#include <string.h>

#include "onepack/clock.h"
#include "pty_pair.h"

static void test_open_refuses(void **state)
{
	struct pty_pair pty;

	(void)state;
	pty_open(&pty);
	assert_int_equal(serial_open(pty.path, 9601), -EINVAL);
	assert_int_equal(serial_open(pty.path, 0), -EINVAL);
	assert_int_equal(serial_open("/dev/null", 9600), -ENOTTY);
	assert_int_equal(serial_open("/nowhere/tty", 9600), -ENOENT);
	close(pty.master);
}

static void test_second_open_is_busy(void **state)
{
	struct pty_pair pty;
	int fd, again;

	(void)state;
	pty_open(&pty);
	fd = serial_open(pty.path, 115200);
	assert_true(fd >= 0);
	assert_int_equal(serial_open(pty.path, 115200), -EBUSY);
	close(fd);
	again = serial_open(pty.path, 9600);
	assert_true(again >= 0);
	close(again);
	close(pty.master);
}

static void test_parity_is_asked_for(void **state)
{
	struct pty_pair pty;
	uint8_t byte = 0;
	int fd;

	(void)state;
	assert_int_equal(serial_set_parity(-1, false), 0);
	assert_int_equal(serial_set_parity(-1, true), -EBADF);
	pty_open(&pty);
	fd = serial_open(pty.path, 9600);
	assert_int_equal(serial_set_parity(fd, true), 0);
	pty_say(&pty, "x", 1);
	assert_int_equal(serial_read(fd, &byte, 1, 1000), 1);
	assert_int_equal(byte, 'x');
	close(fd);
	close(pty.master);
}

static void test_every_byte_passes_both_ways(void **state)
{
	struct pty_pair pty;
	uint8_t all[256], back[257];
	size_t got = 0;
	int fd;

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	pty_open(&pty);
	fd = serial_open(pty.path, 115200);
	assert_true(fd >= 0);
	assert_int_equal(serial_write(fd, all, sizeof all, 1000), 0);
	assert_int_equal(pty_take(&pty, (char *)back, sizeof all), sizeof all);
	assert_memory_equal(back, all, sizeof all);
	pty_say(&pty, all, sizeof all);
	while (got < sizeof all) {
		int n = serial_read(fd, back + got, sizeof all - got, 1000);

		assert_true(n > 0);
		got += (size_t)n;
	}
	assert_memory_equal(back, all, sizeof all);
	close(fd);
	close(pty.master);
}

static void test_time_limits(void **state)
{
	static const uint8_t zeros[65536];
	struct pty_pair pty;
	uint8_t byte;
	int64_t start_us, took_us;
	int fd, err = 0;

	(void)state;
	pty_open(&pty);
	fd = serial_open(pty.path, 115200);
	start_us = clock_monotonic_us();
	assert_int_equal(serial_read(fd, &byte, 1, 30), 0);
	took_us = clock_monotonic_us() - start_us;
	assert_in_range(took_us, 30000, 300000);
	assert_int_equal(serial_read(fd, &byte, 1, 0), 0);
	for (int i = 0; i < 64 && err == 0; i++) /* nobody reads: the kernel's buffers fill */
		err = serial_write(fd, zeros, sizeof zeros, 30);
	assert_int_equal(err, -ETIMEDOUT);
	close(fd);
	close(pty.master);
}

static void test_drain_forgets_the_past(void **state)
{
	struct pty_pair pty;
	uint8_t byte = 0;
	int fd;

	(void)state;
	pty_open(&pty);
	fd = serial_open(pty.path, 115200);
	pty_say(&pty, "old bytes", 9);
	assert_int_equal(serial_read(fd, &byte, 1, 1000), 1);
	serial_drain(fd);
	pty_say(&pty, "N", 1);
	assert_int_equal(serial_read(fd, &byte, 1, 1000), 1);
	assert_int_equal(byte, 'N');
	close(fd);
	close(pty.master);
}

static void test_hang_up_is_told(void **state)
{
	struct pty_pair pty;
	uint8_t byte;
	int fd;

	(void)state;
	pty_open(&pty);
	fd = serial_open(pty.path, 115200);
	pty_say(&pty, "x", 1);
	assert_int_equal(serial_read(fd, &byte, 1, 1000), 1);
	close(pty.master);
	assert_int_equal(serial_read(fd, &byte, 1, 1000), -EIO);
	assert_int_equal(serial_write(fd, &byte, 1, 1000), -EIO);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_refuses),
		cmocka_unit_test(test_second_open_is_busy),
		cmocka_unit_test(test_parity_is_asked_for),
		cmocka_unit_test(test_every_byte_passes_both_ways),
		cmocka_unit_test(test_time_limits),
		cmocka_unit_test(test_drain_forgets_the_past),
		cmocka_unit_test(test_hang_up_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
