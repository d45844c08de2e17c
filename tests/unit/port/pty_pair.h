// SPDX-License-Identifier: Apache-2.0
/* A real pty for tests: the test is the device on the master side, the code under test opens the
 * path of the other. */
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "../cmocka_all.h"

struct pty_pair {
	int master;
	char path[64];
};

static inline void pty_open(struct pty_pair *pty)
{
	pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	assert_true(pty->master >= 0);
	assert_int_equal(grantpt(pty->master), 0);
	assert_int_equal(unlockpt(pty->master), 0);
	assert_int_equal(ptsname_r(pty->master, pty->path, sizeof pty->path), 0);
}

/* What the other side wrote, waiting up to a second for `count` bytes; a final zero is added. */
static inline size_t pty_take(struct pty_pair *pty, char *out, size_t count)
{
	size_t got = 0;

	while (got < count) {
		struct pollfd p = {.fd = pty->master, .events = POLLIN};
		ssize_t n;

		if (poll(&p, 1, 1000) <= 0)
			break;
		n = read(pty->master, out + got, count - got);
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	out[got] = '\0';
	return got;
}

static inline void pty_say(struct pty_pair *pty, const void *bytes, size_t count)
{
	assert_int_equal(write(pty->master, bytes, count), count);
}
