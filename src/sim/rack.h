// SPDX-License-Identifier: Apache-2.0
/* A whole simulated site in one process: packs on RS485 lines, inverters on CAN and RS485, sun and
 * load, and a socket that takes commands. rack.c builds it, rack_run.c lets it live in real time,
 * control.c changes it, rack_status.c tells about it. */
#pragma once

#include <stdio.h>

#include "inverter_can.h"
#include "inverter_rs485.h"
#include "jk_bus.h"
#include "plant.h"
#include "profile.h"
#include "pty.h"
#include "slcan_adapter.h"

#define RACK_MAX_LINES     4
#define RACK_MAX_INVERTERS 8
#define RACK_NAME_SIZE     32

struct rack_line_options {
	char name[RACK_NAME_SIZE];
	int first_address, last_address;
};

struct rack_inverter_options {
	char protocol[64];
	char name[RACK_NAME_SIZE];
};

struct rack_options {
	const char *directory;
	struct rack_line_options lines[RACK_MAX_LINES];
	int line_count;
	struct rack_inverter_options inverters[RACK_MAX_INVERTERS];
	int inverter_count;
	uint32_t baud; /* of the pack lines; 0 = as the protocol says */
	uint64_t seed;
	double soc_pct;
	double speed; /* the plant ages so many times faster than the clock; buses do not */
};

/* A pack line and its tty. */
struct rack_line {
	char name[RACK_NAME_SIZE];
	int first_address, last_address;
	uint32_t baud;
	struct sim_pty pty;
	struct jk_bus bus;
};

/* Stations on the line of an RS485 inverter. */
#define RACK_TTY_STATION      0
#define RACK_INVERTER_STATION 1

struct rack_inverter {
	char protocol[64], name[RACK_NAME_SIZE];
	struct wire *wire;
	struct wire_info info;
	struct sim_pty pty;
	/* CAN */
	struct inverter_can can;
	struct slcan_adapter adapter;
	/* RS485 */
	struct inverter_rs485 rs485;
	struct line line;
};

struct sim_rack {
	char directory[PTY_PATH_SIZE];
	struct wire *pack_wire;
	struct plant plant;
	struct profile profile;
	double speed;
	int line_count, inverter_count;
	struct rack_line *lines;
	struct rack_inverter *inverters;
	int control_fd;
	int64_t start_ns, step_ns; /* monotonic: of the start and of the last step of the plant */
};

/* Builds everything and opens the ports. Complaints go to `errors`. NULL when it cannot be. */
struct sim_rack *sim_rack_open(const struct rack_options *options, FILE *errors);
void sim_rack_close(struct sim_rack *rack); /* NULL is fine */

/* What was made, and a gateway configuration that fits. */
void sim_rack_show(const struct sim_rack *rack, FILE *out);

/* Lives until `stop_fd` (a signalfd, say) becomes readable: 0 or -errno. */
int sim_rack_run(struct sim_rack *rack, int stop_fd);

/* The belief of an inverter, whatever its kind. */
struct sim_inverter *rack_inverter_core(struct rack_inverter *inverter);

/* One command as in onepack/sim.h; the answer is one line without an end of line. */
void sim_rack_command(struct sim_rack *rack, const char *command, char *answer, size_t size);

/* The truth as JSON on one line. */
void sim_rack_status(const struct sim_rack *rack, char *answer, size_t size);

/* Where a pack (from 1) is: indexes of its line and of its station there. */
void sim_rack_find(const struct sim_rack *rack, int pack, int *line, int *station);
