// SPDX-License-Identifier: Apache-2.0
/* Hand-over of a port from one link process to the next; see announce.h. */
#include "announce.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "onepack/clock.h"

#define LEAVE  "leave"
#define STAYS  "stays"
#define PREFIX "onepack-link/"

/* Abstract name: a zero byte first, nothing in the file system, gone with its process. */
static socklen_t name_of(const char *port, struct sockaddr_un *address)
{
	const char *path = strncmp(port, "slcan:", 6) == 0 ? port + 6 : port;
	char real[PATH_MAX];
	size_t room = sizeof address->sun_path - 1 - sizeof PREFIX;
	size_t length;
	int n;

	if (!realpath(path, real)) /* a CAN interface, or not plugged in */
		snprintf(real, sizeof real, "%s", path);
	length = strlen(real);
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(address->sun_path + 1, sizeof address->sun_path - 1, PREFIX "%s",
		     length > room ? real + length - room : real);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

static int new_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

/* The process at the other end, if it is one of ours; 0 if not. */
static pid_t peer(int fd)
{
	struct ucred who;
	socklen_t size = sizeof who;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
		return 0;
	return who.uid == geteuid() || who.uid == 0 ? who.pid : 0;
}

static int listen_as(const struct sockaddr_un *address, socklen_t length)
{
	int fd = new_socket();
	int error;

	if (fd < 0)
		return fd;
	if (bind(fd, (const struct sockaddr *)address, length) == 0 && listen(fd, 4) == 0)
		return fd;
	error = errno;
	close(fd);
	return -error;
}

/* Kills exactly the process at the other end: the descriptor is had before the connection is looked
 * at again, so the number cannot have been given to another one meanwhile. */
static void kill_peer(int fd, pid_t pid)
{
	int process = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {.fd = fd};

	if (process < 0)
		return;
	if (poll(&p, 1, 0) == 0)
		(void)syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
	close(process);
}

/* 0: the one that has the name has left, or is leaving. -EBUSY: it stays. */
static int ask_to_leave(const struct sockaddr_un *address, socklen_t length, char *why,
			size_t why_size)
{
	char answer[sizeof STAYS] = "";
	struct pollfd p = {.events = POLLIN};
	pid_t pid;
	int err = 0;

	p.fd = new_socket();
	if (p.fd < 0)
		return p.fd;
	if (connect(p.fd, (const struct sockaddr *)address, length) < 0)
		goto out; /* gone in this moment */
	pid = peer(p.fd);
	if (pid == 0) {
		snprintf(why, why_size, "its name is taken by a process of another user");
		err = -EBUSY;
		goto out;
	}
	(void)send(p.fd, LEAVE, strlen(LEAVE), MSG_NOSIGNAL);
	if (poll(&p, 1, ANNOUNCE_PATIENCE_MS) == 0) {
		kill_peer(p.fd, pid);
	} else if (recv(p.fd, answer, sizeof answer - 1, 0) > 0 && strcmp(answer, STAYS) == 0) {
		snprintf(why, why_size, "in use by process %d of another gateway", (int)pid);
		err = -EBUSY;
	}
out:
	close(p.fd);
	return err;
}

int announce_claim(const char *port, char *why, size_t why_size)
{
	int64_t end_ms = clock_monotonic_ms() + (int64_t)2 * ANNOUNCE_PATIENCE_MS;
	struct sockaddr_un address;
	socklen_t length = name_of(port, &address);

	for (;;) {
		int fd = listen_as(&address, length);
		int err;

		if (fd >= 0)
			return fd;
		if (fd != -EADDRINUSE || clock_monotonic_ms() > end_ms) {
			snprintf(why, why_size, "%s", strerror(-fd));
			return fd;
		}
		err = ask_to_leave(&address, length, why, why_size);
		if (err)
			return err;
		(void)poll(NULL, 0, 5); /* it closed the connection; its name goes with its exit */
	}
}

int announce_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0 && peer(fd) == 0) {
		close(fd);
		return -1;
	}
	return fd;
}

bool announce_is_leave(int connection)
{
	char wish[sizeof LEAVE] = "";

	return recv(connection, wish, sizeof wish - 1, 0) == (ssize_t)strlen(LEAVE) &&
	       strcmp(wish, LEAVE) == 0;
}

void announce_refuse(int connection)
{
	(void)send(connection, STAYS, strlen(STAYS), MSG_NOSIGNAL);
	close(connection);
}
