// SPDX-License-Identifier: Apache-2.0
/* A rack of whole packs (loader or application, with their flash) on one line in virtual time, and
 * a gateway that runs a job on it and polls the packs whenever the job leaves the bus free. */
#pragma once

#include "boot/decide.h"
#include "boot/loader.h"
#include "campaign.h"
#include "core/server.h"
#include "line.h"
#include "torn_flash.h"

#define RACK_PACKS     16
#define RACK_CLASS     0x0105
#define RACK_IMAGE_MAX 65536
#define RACK_SLOT_A    0x08008000U
#define RACK_SLOT_B    0x08018000U

struct rack_pack {
	struct torn_flash torn;
	struct fw_identity identity;
	struct fw_pack pack;
	struct fw_server server;
	struct fw_update update;
	struct fw_loader loader;
	struct fw_measurement in;
	int slot;  /* that runs; -1 = loader */
	bool dark; /* without power, or restarting */
	int64_t boot_ms, step_ms, tick_ms, blocked_ms;
	int64_t heard_us;
	int restarts;
	bool ill_with_new; /* a cell is empty as soon as slot B runs */
};

struct rack {
	struct line line;
	int count;
	struct rack_pack packs[RACK_PACKS];
	uint8_t key[1][IMAGE_KEY_SIZE];
	uint8_t secret[IMAGE_SECRET_SIZE];
	uint8_t images[3][RACK_IMAGE_MAX]; /* 1.0 for slot A, 2.0 for A and B */
	uint8_t file[2 * RACK_IMAGE_MAX];  /* the release */
	struct release release;
	struct update_job job;
	int64_t now_ns;

	/* the gateway */
	uint8_t heard[512];
	size_t heard_count;
	enum { RACK_FREE, RACK_JOB, RACK_SHOUT, RACK_POLL } doing;
	struct update_step step;
	int64_t request_end_ns, give_up_ns;
	int polled;
	uint64_t polls, polls_answered;
	bool poll_others;
	uint64_t lose_request, lose_answer; /* of the job's exchange with that number; 0 = none */
	int leaving_seen;                   /* packs that were named as leaving */
	uint8_t last_leaving;
};

/* Packs 1..count at 115200 that run image 1.0, an image of so many bytes of code. */
void rack_init(struct rack *rack, int count, uint32_t code_size);
struct update_options rack_options(void);
void rack_begin(struct rack *rack, const struct update_options *options);

/* Until the job has ended, or until `stop` says so (NULL = never); virtual seconds. */
double rack_run(struct rack *rack, bool (*stop)(struct rack *rack));
void rack_pass(struct rack *rack, int64_t ms); /* time without a job */
void rack_cut(struct rack_pack *pack, int64_t now_ms, int64_t back_ms);
bool rack_runs_new(const struct rack_pack *pack);
