// SPDX-License-Identifier: Apache-2.0
/* Ptys carry no speed: byte timing is the business of line.c. */
#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static int make_raw(int fd)
{
	struct termios tio;

	if (tcgetattr(fd, &tio) < 0)
		return -errno;
	cfmakeraw(&tio);
	return tcsetattr(fd, TCSANOW, &tio) < 0 ? -errno : 0;
}

static int make_link(const char *target, const char *link)
{
	struct stat st;

	if (lstat(link, &st) == 0) {
		if (!S_ISLNK(st.st_mode))
			return -EEXIST;
		unlink(link);
	}
	return symlink(target, link) < 0 ? -errno : 0;
}

int sim_pty_open(struct sim_pty *pty, const char *link)
{
	char name[64];
	int err;

	*pty = (struct sim_pty){.held = -1};
	pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (pty->master < 0)
		return -errno;
	if (grantpt(pty->master) < 0 || unlockpt(pty->master) < 0 ||
	    ptsname_r(pty->master, name, sizeof name) != 0) {
		err = -errno;
		goto out;
	}
	pty->held = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	err = pty->held < 0 ? -errno : make_raw(pty->held);
	if (!err)
		err = make_link(name, link);
	if (!err)
		snprintf(pty->link, sizeof pty->link, "%s", link);
out:
	if (err)
		sim_pty_close(pty);
	return err;
}

void sim_pty_close(struct sim_pty *pty)
{
	if (pty->link[0] != '\0')
		unlink(pty->link);
	if (pty->held >= 0)
		close(pty->held);
	if (pty->master >= 0)
		close(pty->master);
	*pty = (struct sim_pty){.master = -1, .held = -1};
}

size_t sim_pty_read(struct sim_pty *pty, uint8_t *bytes, size_t size)
{
	ssize_t n = read(pty->master, bytes, size);

	return n > 0 ? (size_t)n : 0;
}

void sim_pty_write(struct sim_pty *pty, const uint8_t *bytes, size_t count)
{
	ssize_t n = write(pty->master, bytes, count);

	(void)n; /* a full buffer loses bytes, as a real receiver that nobody reads */
}
