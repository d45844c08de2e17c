// SPDX-License-Identifier: Apache-2.0
/* A simulated pack whose BMS is this project's firmware, linked into this program: the physical
 * pack (pack.h), its front end (afe.h), a flash, and the firmware's own pack, protocol and update
 * servers between them, as the boards' main() puts them together. Pure, in virtual time.
 *
 * What the firmware measures, counts and protects is also written into the physical pack's
 * `struct bms`, so that those who look there (status, invariants) need not care which kind of BMS
 * a pack has. Sensor faults are taken from there, too (`bms.faults`); and a charge that somebody
 * else writes there (`bms.counted_ah`) is told to the firmware.
 *
 * The code of an image in a slot is not run: which image is chosen, tried and reverted is real. */
#pragma once

#include "afe.h"
#include "firmware/core/factory.h"
#include "firmware/core/server.h"
#include "fw_flash.h"
#include "line.h"

struct sim_firmware_make {
	int number; /* from 1: serial and unique number */
	uint8_t switches;
	uint32_t baud;
	int32_t charge_ma, discharge_ma;  /* where it trips, and what it allows; 0 = the preset */
	int32_t cold_mC, cold_release_mC; /* no charging below; both 0 = the preset */
	uint64_t seed;
};

struct sim_firmware {
	struct sim_pack *body;
	struct sim_afe afe;
	struct sim_flash flash;
	struct sim_random random; /* of its sensors */
	int slot;                 /* of the running image */
	bool running;
	int64_t start_ns;  /* 0 of the firmware's clock */
	int64_t step_ns;   /* last step of the front end */
	int64_t return_ns; /* when its power comes back; LINE_NEVER = not by itself */
	unsigned starts;
	double fault_heat_w; /* something in the pack makes heat */
	double counted_ah;   /* as the firmware said last */
	struct fw_factory factory;
	struct fw_identity identity;
	struct fw_secrets secrets;
	struct fw_measurement measured;
	struct fw_pack pack;
	struct fw_server server;
	struct fw_update update;
};

/* As it leaves production, with the charge that its cells have; starts with the first step. 0, or
 * ERR_SPACE; to be closed in both cases. It points into itself: do not copy. */
int sim_firmware_open(struct sim_firmware *firmware, struct sim_pack *body,
		      const struct sim_firmware_make *make);
void sim_firmware_close(struct sim_firmware *firmware); /* one that is all zeros is fine */

/* The front end measures, the firmware decides, the front end obeys. About ten times a second.
 * `bus_v` is 0 when nobody holds the bus; `enable` is EN_IN. */
void sim_firmware_step(struct sim_firmware *firmware, double bus_v, bool enable, int64_t now_ns);

/* Bytes on its line, the last of which ended at `end_ns`. */
void sim_firmware_hear(struct sim_firmware *firmware, const uint8_t *bytes, size_t count,
		       int64_t end_ns);

/* What it begins to say by `now_ns`: bytes and *at_ns, or 0. */
size_t sim_firmware_say(struct sim_firmware *firmware, int64_t now_ns, const uint8_t **bytes,
			int64_t *at_ns);

/* When it may say something, LINE_NEVER if it hears nothing before. */
int64_t sim_firmware_due_ns(const struct sim_firmware *firmware);

/* Its supply fails now and comes back at `return_ns` (LINE_NEVER = not by itself; with a cable out
 * of the processor's supply the switches open at once). */
void sim_firmware_cut(struct sim_firmware *firmware, int64_t now_ns, int64_t return_ns);

/* The processor starts anew, as after a watchdog or a button; one that was off, too. */
void sim_firmware_restart(struct sim_firmware *firmware, enum fw_boot_reason reason,
			  int64_t now_ns);

/* Address switches, read at once (a real pack reads them when it starts). */
void sim_firmware_set_switches(struct sim_firmware *firmware, uint8_t switches);

/* Its address on the line; 247 = it waits to be given one. */
int sim_firmware_address(const struct sim_firmware *firmware);

/* On the line: neither pulled nor muted nor off. */
bool sim_firmware_is_silent(const struct sim_firmware *firmware);
