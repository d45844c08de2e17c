// SPDX-License-Identifier: Apache-2.0
/* A rack of emulated packs: each runs the real image of the firmware in an emulator of its own, all
 * of them on one half-duplex RS485 line with real byte timing, with one physical plant behind their
 * front ends, and with a tty for the gateway. emulated_rack.c builds it and lets it live in real
 * time, emulated_control.c obeys and tells. */
#pragma once

#include <stdio.h>

#include "afe.h"
#include "emulator.h"
#include "firmware/board/afe_frame.h"
#include "line.h"
#include "plant.h"
#include "pty.h"

#define RACK_TIMINGS 1024 /* of the newest answers */

struct emulated_rack_options {
	const char *directory, *image, *machine;
	int packs, first_address;
	uint32_t baud;
	uint64_t seed;
	double soc_pct, capacity_ah, speed, current_a;
};

struct emulated_pack {
	struct emulator emulator;
	struct sim_afe afe;
	struct fw_afe_reader reader;
	int64_t restart_ns; /* when the power comes back; LINE_NEVER = not by itself */
	unsigned resets;    /* by itself */
};

struct emulated_rack {
	char directory[PTY_PATH_SIZE];
	int pack_count;
	struct emulated_pack packs[ONEPACK_MAX_PACKS]; /* pack n is packs[n - 1] */
	struct plant plant;
	struct plant_demand demand;
	struct line line;
	uint32_t baud;
	struct sim_pty pty;
	int control_fd;
	int64_t step_ns;
	/* how long the packs take to begin an answer, from the end of the request on the wire */
	int64_t asked_ns; /* end of the last request; 0 = answered */
	uint64_t answers;
	int64_t turnarounds_ns[RACK_TIMINGS];
};

/* Complaints go to `errors`; NULL when it cannot be. */
struct emulated_rack *emulated_rack_open(const struct emulated_rack_options *options, FILE *errors);
void emulated_rack_close(struct emulated_rack *rack); /* NULL is fine */

/* What was made, and a gateway configuration that fits. */
void emulated_rack_show(const struct emulated_rack *rack, FILE *out);

/* Lives until `stop_fd` becomes readable: 0, or -errno. */
int emulated_rack_run(struct emulated_rack *rack, int stop_fd);

/* One command as in onepack/sim.h; the answer is one line without an end of line. */
void emulated_rack_command(struct emulated_rack *rack, const char *command, char *answer,
			   size_t size);
