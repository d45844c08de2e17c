// SPDX-License-Identifier: Apache-2.0
/* QEMU models no flash controller that can write, so the firmware's storage in the emulator is the
 * file flash.bin, reached by semihosting; the processor's address space is loaded from it at each
 * start. `-no-reboot` turns a reset into the end of the process. */
#include "emulator.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "firmware/core/factory.h"
#include "firmware/core/measurement.h"

#define PROGRAM   "qemu-system-arm"
#define ERASED    0xFF
#define ARGUMENT  160
#define UID_BASE  0xE0000000u
#define RATING_MA 200000
#define FEATURES                                                                      \
	(FW_HAS_HEATER | FW_HAS_PRECHARGE | FW_HAS_ACTIVE_BALANCER | FW_HAS_LIMITER | \
	 FW_HAS_BUZZER | FW_HAS_DRY_CONTACTS | FW_HAS_ENABLE_LINE | FW_HAS_TERMINAL_SENSING)

static const char *const port_names[EMULATOR_PORTS] = {"bus", "afe"};

static const struct emulator_board boards[] = {
	/* 1 MiB of flash and 512 KiB of serial NOR */
	{"netduinoplus2", 0x08000000, 0x180000, 0x102000, 1, 0x2001FFF0},
	{"lm3s6965evb", 0x00000000, 0x40000, 0x39000, 2, 0x2000FFF0},
};

const struct emulator_board *emulator_board_find(const char *machine)
{
	for (size_t i = 0; i < sizeof boards / sizeof boards[0]; i++)
		if (strcmp(boards[i].machine, machine) == 0)
			return &boards[i];
	return NULL;
}

static int make_path(const struct emulator *e, const char *name, char *path, size_t size)
{
	int n = snprintf(path, size, "%s/%s", e->directory, name);

	return n > 0 && (size_t)n < size ? 0 : -ENAMETOOLONG;
}

/* What production would write: a pack that has everything, is calibrated, and whose factory key
 * and installer's password are known to every test. */
static void write_factory(const struct emulator *e, uint8_t *flash)
{
	struct fw_factory factory = {
		.identity = {.device_class = e->board->device_class,
			     .hardware_revision = 1,
			     .features = FEATURES,
			     .sensors = (1u << FW_SENSORS) - 1,
			     .max_charge_ma = RATING_MA,
			     .max_discharge_ma = RATING_MA,
			     .production_day = 2000,
			     .uid32 = UID_BASE + e->number,
			     .model = "ONEPACK EMULATED"},
		.calibration = {.present = true},
		.installer = {'1', '2', '3', '4', '5', '6', '7', '8'},
	};

	snprintf(factory.identity.serial, sizeof factory.identity.serial, "EMULATED%06u",
		 e->number % 1000000);
	memcpy(factory.key, "the factory key of emulated pack", sizeof factory.key);
	memcpy(factory.unlock, "the unlock key of emulated packs", sizeof factory.unlock);
	fw_factory_write(&factory, flash + e->board->factory);
}

/* A fresh flash: the image, the record of production, and the rest erased. */
static int make_flash(const struct emulator *e, const char *image)
{
	char path[PTY_PATH_SIZE];
	uint8_t *flash = NULL;
	FILE *in = NULL, *out = NULL;
	int err = make_path(e, "flash.bin", path, sizeof path);

	if (err || access(path, F_OK) == 0)
		return err;
	err = -ENOMEM;
	flash = malloc(e->board->flash_size);
	if (!flash)
		goto out;
	memset(flash, ERASED, e->board->flash_size);
	err = -ENOENT;
	in = fopen(image, "rb");
	if (!in)
		goto out;
	err = -EFBIG;
	if (fread(flash, 1, e->board->flash_size, in) == 0 || fgetc(in) != EOF)
		goto out;
	write_factory(e, flash);
	err = -EIO;
	out = fopen(path, "wb");
	if (out && fwrite(flash, 1, e->board->flash_size, out) == e->board->flash_size)
		err = 0;
out:
	if (out && fclose(out) != 0)
		err = -EIO;
	if (in)
		fclose(in);
	free(flash);
	return err;
}

static int listen_at(const struct emulator *e, enum emulator_port port)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, err = make_path(e, port_names[port], address.sun_path, sizeof address.sun_path);

	if (err)
		return err;
	unlink(address.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int emulator_open(struct emulator *e, const struct emulator_board *board, const char *directory,
		  uint32_t number, const char *image, FILE *errors)
{
	int err = 0;

	*e = (struct emulator){.board = board, .number = number, .process = -1};
	for (int i = 0; i < EMULATOR_PORTS; i++)
		e->listening[i] = e->ports[i] = -1;
	if (snprintf(e->directory, sizeof e->directory, "%s/pack-%u", directory, number) >=
	    (int)sizeof e->directory)
		err = -ENAMETOOLONG;
	if (!err && mkdir(e->directory, 0755) < 0 && errno != EEXIST)
		err = -errno;
	if (!err) {
		err = make_flash(e, image);
		if (err)
			fprintf(errors, "onepack sim: %s as a flash of %u bytes: %s\n", image,
				board->flash_size, strerror(-err));
	}
	for (enum emulator_port i = 0; !err && i < EMULATOR_PORTS; i++) {
		e->listening[i] = listen_at(e, i);
		err = e->listening[i] < 0 ? e->listening[i] : 0;
	}
	if (err)
		fprintf(errors, "onepack sim: %s: %s\n", e->directory, strerror(-err));
	return err;
}

static void hang_up(struct emulator *e)
{
	for (int i = 0; i < EMULATOR_PORTS; i++) {
		if (e->ports[i] >= 0)
			close(e->ports[i]);
		e->ports[i] = -1;
	}
}

void emulator_close(struct emulator *e)
{
	char path[PTY_PATH_SIZE];

	emulator_kill(e);
	for (enum emulator_port i = 0; i < EMULATOR_PORTS; i++) {
		if (e->listening[i] < 0)
			continue;
		close(e->listening[i]);
		e->listening[i] = -1;
		if (make_path(e, port_names[i], path, sizeof path) == 0)
			unlink(path);
	}
}

/* In the new process: becomes the emulator, or ends. It dies with its parent. */
static void become(const struct emulator *e, enum emulator_reason reason, pid_t parent)
{
	char flash[ARGUMENT], straps[3][ARGUMENT];
	const uint32_t words[3] = {e->number, reason, e->button};
	sigset_t none;
	int log;

	snprintf(flash, sizeof flash, "loader,file=flash.bin,addr=%#x,force-raw=on",
		 e->board->flash_address);
	for (unsigned i = 0; i < 3; i++)
		snprintf(straps[i], sizeof straps[i], "loader,addr=%#x,data=%u,data-len=4",
			 e->board->straps + 4 * i, words[i]);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || chdir(e->directory) < 0)
		_exit(1);
	log = open("emulator.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	execlp(PROGRAM, PROGRAM, "-M", e->board->machine, "-nodefaults", "-display", "none",
	       "-monitor", "none", "-no-reboot", "-semihosting-config", "enable=on,target=native",
	       "-device", flash, "-device", straps[0], "-device", straps[1], "-device", straps[2],
	       "-chardev", "socket,id=bus,path=bus", "-serial", "chardev:bus", "-chardev",
	       "socket,id=afe,path=afe", "-serial", "chardev:afe", (char *)NULL);
	fprintf(stderr, "%s: %s\n", PROGRAM, strerror(errno));
	_exit(127);
}

int emulator_start(struct emulator *e, enum emulator_reason reason)
{
	pid_t parent = getpid();

	if (e->pid)
		return -EALREADY;
	hang_up(e);
	e->pid = fork();
	if (e->pid == 0)
		become(e, reason, parent);
	if (e->pid < 0) {
		e->pid = 0;
		return -errno;
	}
	e->process = pidfd_open(e->pid, 0);
	if (e->process < 0) {
		int err = -errno;

		emulator_kill(e);
		return err;
	}
	e->starts++;
	return 0;
}

static int take_end(struct emulator *e)
{
	int status = -1;

	while (waitpid(e->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (e->process >= 0)
		close(e->process);
	e->process = -1;
	e->pid = 0;
	hang_up(e);
	return status;
}

void emulator_kill(struct emulator *e)
{
	if (!e->pid)
		return;
	kill(e->pid, SIGKILL);
	take_end(e);
}

bool emulator_reap(struct emulator *e)
{
	int status = take_end(e);

	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void emulator_accept(struct emulator *e, enum emulator_port port)
{
	int fd = accept4(e->listening[port], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (e->ports[port] >= 0)
		close(e->ports[port]);
	e->ports[port] = fd;
}

size_t emulator_read(struct emulator *e, enum emulator_port port, uint8_t *bytes, size_t size)
{
	ssize_t n = read(e->ports[port], bytes, size);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		close(e->ports[port]);
		e->ports[port] = -1;
	}
	return n > 0 ? (size_t)n : 0;
}

void emulator_write(struct emulator *e, enum emulator_port port, const uint8_t *bytes, size_t count)
{
	if (e->ports[port] >= 0)
		(void)!send(e->ports[port], bytes, count, MSG_NOSIGNAL);
}
