// SPDX-License-Identifier: Apache-2.0
/* What every simulated inverter has in common: it believes what its battery said last, wants to
 * charge or discharge as sun and load demand, and obeys. How it hears is in inverter_can.c and
 * inverter_rs485.c. Pure, in virtual time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "brand.h"
#include "onepack/wire.h"
#include "plant.h"

#define INVERTER_NEVER INT64_MIN

#define INVERTER_TEXT_SIZE 160

/* How it misbehaves; all zero = not. */
struct inverter_faults {
	bool off;             /* restarts: takes no current, hears nothing, and begins anew */
	bool ignores_zero;    /* a current limit of zero: the old one stays */
	double overshoot;     /* takes so much more than its limit, as a part of it */
	double overvoltage_v; /* charges to so much more than its limit */
};

struct sim_inverter {
	const struct brand *brand;
	const struct wire *wire;
	struct wire_context ctx;
	struct wire_values believed;  /* all that was said, newest wins */
	int64_t limits_ms;            /* when limits were heard last, INVERTER_NEVER = not yet */
	int64_t lost_ms;              /* without limits for this long it stops */
	double current_a;             /* wanted by it now, within the limits */
	uint64_t understood, refused; /* frames or answers */
	int64_t started_ms;           /* when it was first asked for complaints */
	int64_t need_ms[BRAND_MAX_NEEDS]; /* when what it insists on was heard last */
	int64_t nonsense_ms;              /* when something made no sense last, and what */
	char nonsense[INVERTER_TEXT_SIZE];
	struct inverter_faults faults;
};

void sim_inverter_init(struct sim_inverter *inverter, const struct wire *wire);

/* From now on these are its faults. One that goes off forgets all that it heard. */
void sim_inverter_set_faults(struct sim_inverter *inverter, const struct inverter_faults *faults);

/* What a frame or an answer is decoded into: all that is believed (some values make sense only with
 * others), without limits, so that it shows whether the frame said any. */
void sim_inverter_listen(const struct sim_inverter *inverter, struct wire_values *said);

/* Copies all but the places of packs that are not there, which are most of a battery. */
void sim_copy_values(struct wire_values *to, const struct wire_values *from);

/* Takes in what one frame or answer said, as far as it makes sense; what does not is taken out of
 * `said`. `id` is the CAN id, or 0. */
void sim_inverter_heard(struct sim_inverter *inverter, uint32_t id, struct wire_values *said,
			int64_t now_ms);

/* Notes something that a machine of this brand does not take. */
void sim_inverter_doubt(struct sim_inverter *inverter, const char *what, int64_t now_ms);

/* True while it has limits to work with. */
bool sim_inverter_is_fed(const struct sim_inverter *inverter, int64_t now_ms);

/* The current that sun and load ask for (positive = charge), within what it was told; it changes
 * with the speed of a real machine. */
struct plant_demand sim_inverter_demand(struct sim_inverter *inverter, double wish_a,
					int64_t now_ms, double dt_s);

/* One line for people: what it believes and what it does about it. */
void sim_inverter_describe(const struct sim_inverter *inverter, int64_t now_ms, char *text,
			   size_t size);

/* Everything it complains about now, as the display of its brand would: what is missing, what makes
 * no sense, what it may not do. Returns how many. */
typedef void inverter_tell(void *context, const char *text);
int sim_inverter_complain(struct sim_inverter *inverter, int64_t now_ms, inverter_tell *tell,
			  void *context);
