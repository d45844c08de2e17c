// SPDX-License-Identifier: Apache-2.0
/* The analog front end of a simulated pack whose BMS is the firmware: it measures the physical pack
 * for it and moves the switches as it says, be the firmware linked here or in an emulator behind a
 * link. What a front end does by itself is here, too: it cuts a short circuit, and it opens
 * everything when its processor has been silent for two seconds. Pure, in virtual time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/core/measurement.h"
#include "pack.h"
#include "random.h"

struct sim_afe {
	uint8_t dip;
	uint32_t sequence;
	bool shorted;                   /* a fault: the terminals are shorted */
	bool latched;                   /* it cut a short circuit and waits for its release */
	bool enable;                    /* EN_IN */
	bool charger;                   /* a charger's voltage is on the terminals */
	bool frozen;                    /* a fault: it repeats its last measurement */
	bool obeyed;                    /* somebody has told it what to do */
	uint32_t off_inputs, on_inputs; /* FW_INPUT_ bits held by somebody */
	uint32_t broken_sensors;        /* a fault: bit per enum fw_sensor */
	uint32_t broken_wires;          /* a fault: bit per cell */
	double terminal_v;              /* while nothing else holds the terminals */
	int64_t heard_ms;               /* from its processor */
	struct fw_outputs outputs;      /* as told last */
	struct fw_measurement last;
};

/* The pack is bare from now on, with all switches open. */
void sim_afe_init(struct sim_afe *afe, struct sim_pack *pack, uint8_t dip);

/* What it sees now; `bus_v` is 0 when nobody holds the bus. */
void sim_afe_measure(struct sim_afe *afe, const struct sim_pack *pack, double bus_v,
		     struct sim_random *random, struct fw_measurement *out);

/* Does what its processor says. */
void sim_afe_obey(struct sim_afe *afe, struct sim_pack *pack, const struct fw_outputs *outputs,
		  int64_t now_ms);

/* Lets time pass: short circuits, the terminals' voltage, a silent processor. After each step of
 * the plant. */
void sim_afe_step(struct sim_afe *afe, struct sim_pack *pack, double bus_v, int64_t now_ms,
		  double dt_s);
