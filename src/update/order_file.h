// SPDX-License-Identifier: Apache-2.0
/* What somebody ordered, in a file, so that a gateway that restarts in the middle of a job begins
 * it again; the packs know how far each of them is. Keys are not kept. JSON, written so that a
 * power cut leaves the old file or the new one. */
#pragma once

#include "campaign.h"

#define UPDATE_PATH 256
#define UPDATE_BUS  32

struct update_order {
	char release[UPDATE_PATH]; /* path of the file */
	char bus[UPDATE_BUS];      /* name of the line; "" = there is only one */
	uint8_t units[UPDATE_PACKS];
	int count;
	bool broadcast, allow_older, allow_alone;
};

/* 0, or -errno. */
int update_order_save(const char *path, const struct update_order *order);

/* 0; -ENOENT when there is none; ERR_FORMAT when it is not readable as one. */
int update_order_load(const char *path, struct update_order *order);

/* When the job has ended; a file that is not there is fine. */
int update_order_remove(const char *path);
