// SPDX-License-Identifier: Apache-2.0
/* One emulated board: a QEMU process that runs the real image of the firmware, two sockets for its
 * serial ports, and a file with the contents of its flash. A board that resets itself ends its
 * process and is started again, so that it finds in its flash what it wrote there; one that is
 * killed has lost its power. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "pty.h"

enum emulator_port { EMULATOR_BUS, EMULATOR_AFE, EMULATOR_PORTS };

/* Start reasons of register 0x002B that the emulator's user decides about. */
enum emulator_reason { EMULATOR_POWER = 0, EMULATOR_COMMAND = 3 };

struct emulator_board {
	const char *machine;    /* of QEMU */
	uint32_t flash_address; /* the file begins there in the processor's address space */
	uint32_t flash_size;    /* of the file: the processor's flash and what else the board has */
	uint32_t factory;       /* of what production writes, in the file */
	uint16_t device_class;
	uint32_t straps; /* four words at the end of the RAM; firmware/board/emulator */
};

struct emulator {
	const struct emulator_board *board;
	char directory[PTY_PATH_SIZE];
	uint32_t number; /* makes the board's unique number */
	bool button;     /* the reset button is held at the start */
	int listening[EMULATOR_PORTS], ports[EMULATOR_PORTS]; /* -1 = closed */
	pid_t pid;                                            /* 0 = not running */
	int process; /* pidfd: readable when the process has ended; -1 = not running */
	unsigned starts;
};

/* NULL when there is no such machine. */
const struct emulator_board *emulator_board_find(const char *machine);

/* Makes the folder, the sockets and, unless there is one, the flash from an image of its whole
 * contents. 0 or -errno, said on `errors`. A closed one has -1 in every descriptor. */
int emulator_open(struct emulator *emulator, const struct emulator_board *board,
		  const char *directory, uint32_t number, const char *image, FILE *errors);
void emulator_close(struct emulator *emulator);

/* Power on; 0 or -errno. */
int emulator_start(struct emulator *emulator, enum emulator_reason reason);

/* The power fails now, in the middle of whatever it does. */
void emulator_kill(struct emulator *emulator);

/* Takes the end of the process; true when it ended as a board that resets itself does. */
bool emulator_reap(struct emulator *emulator);

/* Accepts what waits at a listening port. */
void emulator_accept(struct emulator *emulator, enum emulator_port port);

/* Bytes from a port, 0 = none; and to it: what does not fit is lost. */
size_t emulator_read(struct emulator *emulator, enum emulator_port port, uint8_t *bytes,
		     size_t size);
void emulator_write(struct emulator *emulator, enum emulator_port port, const uint8_t *bytes,
		    size_t count);
