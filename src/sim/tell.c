// SPDX-License-Identifier: Apache-2.0
/* The asking side of the control socket. The asker's own address is one that the kernel makes up
 * (Linux abstract namespace), so that there is nothing to clean up. */
#include "onepack/sim.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MS 2000

static int exchange(int fd, const struct sockaddr_un *to, const char *command, char *answer,
		    size_t size)
{
	struct sockaddr_un own = {.sun_family = AF_UNIX};
	struct pollfd waiting = {.fd = fd, .events = POLLIN};
	ssize_t n;

	if (bind(fd, (struct sockaddr *)&own, sizeof own.sun_family) < 0 ||
	    connect(fd, (const struct sockaddr *)to, sizeof *to) < 0 ||
	    send(fd, command, strlen(command), 0) < 0)
		return -errno;
	if (poll(&waiting, 1, ANSWER_MS) == 0)
		return -ETIMEDOUT;
	n = recv(fd, answer, size - 1, 0);
	if (n < 0)
		return -errno;
	answer[n] = '\0';
	return 0;
}

int sim_tell(const char *directory, const char *command, char *answer, size_t size)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int n = snprintf(to.sun_path, sizeof to.sun_path, "%s/control", directory);
	int fd, err;

	if (n < 0 || (size_t)n >= sizeof to.sun_path)
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = exchange(fd, &to, command, answer, size);
	close(fd);
	return err;
}
