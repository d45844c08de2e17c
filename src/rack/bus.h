// SPDX-License-Identifier: Apache-2.0
/* One RS485 line and the thread that polls it. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "ear.h"
#include "exchange.h"
#include "onepack/rack.h"
#include "overhear.h"
#include "schedule.h"

/* What a bus reports; called from its thread. `context` is the rack's. */
struct bus_reports {
	/* A whole sample; `pack` has everything but its number, bus and protocol. */
	void (*sample)(void *context, int bus, int address, const struct pack *pack);
	/* One answer, good (result > 0) or not, from an address whose silence counts or not. */
	void (*answer)(void *context, int bus, int address, int result, bool expected);
	/* Another master asked something, and is a JK pack or not known to be one. */
	void (*foreign)(void *context, int bus, int questions, bool jk_master);
	void (*state)(void *context, int bus, enum link_state state, const char *detail);
	void (*cycle)(void *context, int bus, int64_t cycle_ms, uint64_t cycles);
};

struct bus {
	const struct bus_reports *reports;
	void *context;
	int number;
	char port[STATUS_TEXT_SIZE];
	bool listed; /* the addresses were listed by the user */
	int stop_fd;
	pthread_t thread;
	struct wire *wire; /* owned */
	struct exchange exchange;
	struct schedule_config schedule_config;
	struct schedule schedule;
	struct ear ear;
	struct overhear overhear; /* while another master asks */
	uint64_t reported_cycles;
	bool answered;                         /* since the port was opened */
	bool jk_master;                        /* a pack at address 0 was overheard */
	struct pack known[SCHEDULE_ADDRESSES]; /* settings and identity, as far as read */
	struct wire_values values;
};

/* Loads the protocol and sets everything up; no thread yet. -EINVAL with the reason in `why`. */
int bus_prepare(struct bus *bus, const struct rack_bus_config *config, char *why, size_t why_size);

/* The addresses that will be asked, known after bus_prepare. */
uint32_t bus_addresses(const struct bus *bus);

/* The thread: polls until stop_fd is readable. */
void *bus_run(void *bus);

void bus_release(struct bus *bus); /* after the thread has ended */
