// SPDX-License-Identifier: Apache-2.0
/* A rack of packs that run the firmware's core, on a half-duplex line with real byte timing and
 * real time, behind a pty: what a gateway meets on its RS485 adapter. Each pack has its loader, two
 * slots and flash; cells are at rest. Unlike src/sim there is no plant, and everything can be
 * pulled and put back. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "boot/decide.h"
#include "boot/loader.h"
#include "core/server.h"
#include "image.h"
#include "sim/line.h"
#include "sim/pty.h"
#include "torn_flash.h"

#define FW_RACK_PACKS 16
#define FW_RACK_PATH  64
#define FW_RACK_IMAGE 32768
#define FW_RACK_CLASS 0x0105

struct fw_rack_pack {
	struct torn_flash torn;
	struct fw_identity identity;
	struct fw_pack pack;
	struct fw_server server;
	struct fw_update update;
	struct fw_loader loader;
	struct fw_measurement in;
	bool powered, frozen; /* frozen: the front end gives no new samples, and nobody notices */
	int slot;             /* that runs; -1 = loader */
	int64_t start_us, step_us, tick_us, blocked_us, heard_us;
	int starts;
};

struct fw_rack {
	char directory[FW_RACK_PATH - 8], link[FW_RACK_PATH];
	struct sim_pty pty;
	struct line line;
	uint32_t baud;
	int count, stop_fd;
	bool stop;
	pthread_t thread;
	pthread_mutex_t lock; /* of everything below */
	bool enable;          /* the enable line of the first pack */
	struct fw_rack_pack packs[FW_RACK_PACKS];
	uint8_t key[1][IMAGE_KEY_SIZE], secret[IMAGE_SECRET_SIZE];
	uint32_t requests, syncs; /* heard from the master */
	uint8_t last_sync[14];
};

/* Packs 1..count with these switches (NULL: 0 for all), without power; the line is there. */
void fw_rack_start(struct fw_rack *rack, int count, uint32_t baud, const uint8_t *dips);
void fw_rack_stop(struct fw_rack *rack);

/* Pack index (from 0) gets or loses its power, at once. */
void fw_rack_power(struct fw_rack *rack, int index, bool on);

/* The address in use; 247 = none, 0 = without power or in its loader. */
int fw_rack_address(struct fw_rack *rack, int index);

/* A release for both slots of that version, signed with the rack's key: its size. */
size_t fw_rack_release(struct fw_rack *rack, uint8_t major, uint32_t code_size, uint8_t *out);
