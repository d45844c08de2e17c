// SPDX-License-Identifier: Apache-2.0
/* Hand-over of a port between processes: free, refused, left, and hung. */
#include "../cmocka_all.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "announce.h"
#include "onepack/clock.h"

enum manner { LEAVES, STAYS_ON, HANGS };

/* Holds the port's name in a child; returns when it does. */
static pid_t hold(const char *port, enum manner manner)
{
	char why[128];
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct pollfd p = {.fd = announce_claim(port, why, sizeof why), .events = POLLIN};

		(void)!write(ready[1], "x", 1);
		for (;;) {
			if (manner == HANGS)
				pause();
			poll(&p, 1, -1);
			int fd = announce_accept(p.fd);
			struct pollfd q = {.fd = fd, .events = POLLIN};
			poll(&q, 1, 1000);
			if (!announce_is_leave(fd))
				_exit(1);
			if (manner == LEAVES)
				_exit(0);
			announce_refuse(fd);
		}
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void port_name(char *port, size_t size)
{
	static int number;

	snprintf(port, size, "test-%d-%d", (int)getpid(), ++number);
}

static void a_free_port_is_had_at_once(void **state)
{
	char port[64];
	char why[128] = "";
	int64_t start_ms = clock_monotonic_ms();
	int fd;

	(void)state;
	port_name(port, sizeof port);
	fd = announce_claim(port, why, sizeof why);
	assert_true(fd >= 0);
	close(fd);
	fd = announce_claim(port, why, sizeof why);
	assert_true(fd >= 0);
	close(fd);
	assert_true(clock_monotonic_ms() - start_ms < 500);
}

static void the_old_one_leaves(void **state)
{
	char port[64];
	char why[128] = "";
	int status;
	pid_t pid;
	int fd;

	(void)state;
	port_name(port, sizeof port);
	pid = hold(port, LEAVES);
	fd = announce_claim(port, why, sizeof why);
	assert_true(fd >= 0);
	close(fd);
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void the_old_one_stays(void **state)
{
	char port[64];
	char why[128] = "";
	char expected[128];
	pid_t pid;

	(void)state;
	port_name(port, sizeof port);
	pid = hold(port, STAYS_ON);
	assert_int_equal(announce_claim(port, why, sizeof why), -EBUSY);
	snprintf(expected, sizeof expected, "in use by process %d of another gateway", (int)pid);
	assert_string_equal(why, expected);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void one_that_hangs_is_killed(void **state)
{
	char port[64];
	char why[128] = "";
	int64_t start_ms = clock_monotonic_ms();
	int status;
	pid_t pid;
	int fd;

	(void)state;
	port_name(port, sizeof port);
	pid = hold(port, HANGS);
	fd = announce_claim(port, why, sizeof why);
	assert_true(fd >= 0);
	close(fd);
	assert_in_range(clock_monotonic_ms() - start_ms, ANNOUNCE_PATIENCE_MS, 3000);
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void one_name_for_all_names_of_a_tty(void **state)
{
	char link[64];
	char port[80];
	char why[128] = "";
	pid_t pid;

	(void)state;
	snprintf(link, sizeof link, "/tmp/onepack-announce-%d", (int)getpid());
	assert_int_equal(symlink("/dev/null", link), 0);
	pid = hold("slcan:/dev/null", STAYS_ON);
	snprintf(port, sizeof port, "%s", link);
	assert_int_equal(announce_claim(port, why, sizeof why), -EBUSY);
	unlink(link);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void long_names_do_not_overflow(void **state)
{
	char port[300];
	char why[128] = "";
	int fd;

	(void)state;
	memset(port, 'x', sizeof port);
	snprintf(port + 280, 20, "%d", (int)getpid());
	fd = announce_claim(port, why, sizeof why);
	assert_true(fd >= 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_free_port_is_had_at_once),
		cmocka_unit_test(the_old_one_leaves),
		cmocka_unit_test(the_old_one_stays),
		cmocka_unit_test(one_that_hangs_is_killed),
		cmocka_unit_test(one_name_for_all_names_of_a_tty),
		cmocka_unit_test(long_names_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
