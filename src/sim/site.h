// SPDX-License-Identifier: Apache-2.0
/* A whole simulated site in one process: packs on RS485 lines, inverters on CAN and RS485, sun and
 * load, and a socket that takes commands. site.c builds it, site_run.c lets it live in real time,
 * control.c changes it, site_status.c tells about it. */
#pragma once

#include <stdio.h>

#include "fw_bus.h"
#include "inverter_can.h"
#include "inverter_rs485.h"
#include "jk_bus.h"
#include "plant.h"
#include "profile.h"
#include "pty.h"
#include "slcan_adapter.h"

#define SITE_MAX_LINES     4
#define SITE_MAX_INVERTERS 8
#define SITE_NAME_SIZE     32

struct site_line_options {
	char name[SITE_NAME_SIZE];
	int first_address, last_address;
};

struct site_inverter_options {
	char protocol[64];
	char name[SITE_NAME_SIZE];
};

/* What the packs are. */
enum site_packs {
	SITE_ONEPACK, /* the firmware of this project, speaking pack/onepack */
	SITE_JK,
};

struct site_options {
	const char *directory;
	enum site_packs packs;
	struct site_line_options lines[SITE_MAX_LINES];
	int line_count;
	struct site_inverter_options inverters[SITE_MAX_INVERTERS];
	int inverter_count;
	uint32_t baud; /* of the pack lines; 0 = as the protocol says */
	uint64_t seed;
	double soc_pct;
	double speed; /* charge and heat move so many times faster than the clock */
};

/* A pack line and its tty. */
struct site_line {
	char name[SITE_NAME_SIZE];
	int first_address, last_address;
	uint32_t baud;
	struct sim_pty pty;
	enum site_packs packs;
	int pack_count;
	struct jk_bus jk;             /* either ... */
	struct firmware_bus firmware; /* ... or */
};

/* Stations on the line of an RS485 inverter. */
#define SITE_TTY_STATION      0
#define SITE_INVERTER_STATION 1

struct site_inverter {
	char protocol[64], name[SITE_NAME_SIZE];
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

struct site {
	enum site_packs packs;
	char directory[PTY_PATH_SIZE];
	struct wire *pack_wire;
	struct plant plant;
	struct profile profile;
	int line_count, inverter_count;
	struct site_line *lines;
	struct site_inverter *inverters;
	int control_fd;
	int64_t start_ns, step_ns; /* monotonic: of the start and of the last step of the plant */
};

/* Builds everything and opens the ports. Complaints go to `errors`. NULL when it cannot be. */
struct site *site_open(const struct site_options *options, FILE *errors);
void site_close(struct site *site); /* NULL is fine */

/* What was made, and a gateway configuration that fits. */
void site_show(const struct site *site, FILE *out);

/* Lives until `stop_fd` (a signalfd, say) becomes readable: 0 or -errno. */
int site_run(struct site *site, int stop_fd);

/* The belief of an inverter, whatever its kind. */
struct sim_inverter *site_inverter_core(struct site_inverter *inverter);

/* One command as in onepack/sim.h; the answer is one line without an end of line. */
void site_command(struct site *site, const char *command, char *answer, size_t size);

/* The truth as JSON on one line. */
void site_status(const struct site *site, char *answer, size_t size);

/* The bytes of a pack line, whatever its kind. */
struct line *site_line_wire(struct site_line *line);

/* Where a pack (from 1) is: indexes of its line and of its station there. */
void site_find(const struct site *site, int pack, int *line, int *station);
