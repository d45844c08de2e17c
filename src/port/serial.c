// SPDX-License-Identifier: Apache-2.0
/* Serial lines: termios in the form that half-duplex buses need, and reads and writes with a time
 * limit. A hang-up (USB adapter pulled out, other end of a pty closed) is told from silence by the
 * tty rules: with VMIN = 1 a non-blocking read of an idle line is EAGAIN, end of file is a hang-up.
 *
 * It does not frame, retry or reopen; src/rack and src/inverter do. */
#include "onepack/port.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "onepack/clock.h"
#include "port_private.h"

#define PTY_MAJOR_FIRST 136 /* Unix98 pty slaves, Documentation/admin-guide/devices.txt */
#define PTY_MAJOR_LAST  143

static speed_t speed_of(uint32_t baud)
{
	static const struct {
		uint32_t baud;
		speed_t speed;
	} table[] = {
		{1200, B1200},       {2400, B2400},       {4800, B4800},       {9600, B9600},
		{19200, B19200},     {38400, B38400},     {57600, B57600},     {115200, B115200},
		{230400, B230400},   {460800, B460800},   {500000, B500000},   {576000, B576000},
		{921600, B921600},   {1000000, B1000000}, {1152000, B1152000}, {1500000, B1500000},
		{2000000, B2000000}, {2500000, B2500000}, {3000000, B3000000}, {3500000, B3500000},
		{4000000, B4000000},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].baud == baud)
			return table[i].speed;
	return B0;
}

/* One user at a time. The lock keeps a second gateway out; TIOCEXCL keeps programs out that do not
 * lock. A pty does not get the latter: it would outlive us while a simulator holds the same side
 * open, and lock out the next open. */
static int take(int fd)
{
	struct stat st;

	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (major(st.st_rdev) < PTY_MAJOR_FIRST || major(st.st_rdev) > PTY_MAJOR_LAST)
		(void)ioctl(fd, TIOCEXCL); /* the lock is what counts */
	return 0;
}

static int set_raw(int fd, speed_t speed)
{
	struct termios tio;

	if (tcgetattr(fd, &tio) < 0)
		return -errno;
	cfmakeraw(&tio); /* 8 bits, no parity, VMIN = 1, VTIME = 0 */
	tio.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS);
	tio.c_cflag |= CLOCAL | CREAD;
	tio.c_iflag |= IGNBRK; /* a break is noise, not a zero byte */
	if (cfsetispeed(&tio, speed) < 0 || cfsetospeed(&tio, speed) < 0 ||
	    tcsetattr(fd, TCSANOW, &tio) < 0 || tcgetattr(fd, &tio) < 0)
		return -errno;
	/* tcsetattr succeeds when it could do anything at all */
	return cfgetospeed(&tio) == speed && (tio.c_cflag & CSIZE) == CS8 ? 0 : -EINVAL;
}

/* Both are wishes: USB adapters switch direction by themselves and ptys have no hardware. */
static void tune(int fd, bool rs485)
{
	struct serial_rs485 mode;
	struct serial_struct info;

	if (rs485 && ioctl(fd, TIOCGRS485, &mode) == 0 && !(mode.flags & SER_RS485_ENABLED)) {
		mode.flags |= SER_RS485_ENABLED | SER_RS485_RTS_ON_SEND;
		(void)ioctl(fd, TIOCSRS485, &mode);
	}
	/* else an FTDI adapter holds the end of an answer back for 16 ms */
	if (ioctl(fd, TIOCGSERIAL, &info) == 0) {
		info.flags = (int)((unsigned)info.flags | ASYNC_LOW_LATENCY);
		(void)ioctl(fd, TIOCSSERIAL, &info);
	}
}

int serial_open_line(const char *path, uint32_t baud, bool rs485)
{
	speed_t speed = speed_of(baud);
	int fd, err;

	if (speed == B0)
		return -EINVAL;
	fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = isatty(fd) ? take(fd) : -ENOTTY;
	if (!err)
		err = set_raw(fd, speed);
	if (err) {
		close(fd);
		return err;
	}
	tune(fd, rs485);
	(void)tcflush(fd, TCIOFLUSH);
	return fd;
}

int serial_open(const char *path, uint32_t baud)
{
	return serial_open_line(path, baud, true);
}

int serial_set_parity(int fd, bool even)
{
	struct termios tio;

	if (!even)
		return 0;
	if (tcgetattr(fd, &tio) < 0)
		return -errno;
	tio.c_cflag |= PARENB;
	tio.c_cflag &= ~(tcflag_t)PARODD;
	tio.c_iflag |= INPCK | IGNPAR;
	return tcsetattr(fd, TCSANOW, &tio) < 0 ? -errno : 0;
}

/* Waits for one kind of event: 1, 0 = time is up, -errno. Only poll itself is waited for; what
 * read or write then say decides about hang-ups. */
static int wait_for(int fd, short events, int64_t deadline_us)
{
	for (;;) {
		int64_t left_us = deadline_us - clock_monotonic_us();
		struct timespec left = {0};
		struct pollfd p = {.fd = fd, .events = events};
		int n;

		if (left_us > 0) {
			left.tv_sec = (time_t)(left_us / 1000000);
			left.tv_nsec = (long)(left_us % 1000000) * 1000;
		}
		n = ppoll(&p, 1, &left, NULL);
		if (n >= 0)
			return n;
		if (errno != EINTR)
			return -errno;
	}
}

int serial_write(int fd, const uint8_t *bytes, size_t count, int timeout_ms)
{
	int64_t deadline_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;

	while (count > 0) {
		ssize_t n = write(fd, bytes, count);
		int ready;

		if (n > 0) {
			bytes += n;
			count -= (size_t)n;
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		ready = wait_for(fd, POLLOUT, deadline_us);
		if (ready <= 0)
			return ready < 0 ? ready : -ETIMEDOUT;
	}
	return 0;
}

int serial_read(int fd, uint8_t *bytes, size_t size, int timeout_ms)
{
	int64_t deadline_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;

	for (;;) {
		ssize_t n = read(fd, bytes, size);
		int ready;

		if (n > 0)
			return (int)n;
		if (n == 0)
			return -EIO; /* hang-up */
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		ready = wait_for(fd, POLLIN, deadline_us);
		if (ready <= 0)
			return ready;
	}
}

void serial_drain(int fd)
{
	uint8_t rubbish[256];

	/* What the driver holds is dropped by the flush, what the line discipline already has by
	 * reading. */
	(void)tcflush(fd, TCIFLUSH);
	while (read(fd, rubbish, sizeof rubbish) > 0)
		;
}
