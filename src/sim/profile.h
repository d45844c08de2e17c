// SPDX-License-Identifier: Apache-2.0
/* Sun and load: what the inverter wants from the battery. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PROFILE_DAY_MS 480000 /* a whole day in eight minutes */

struct profile {
	bool fixed_sun, fixed_load; /* set by hand, otherwise by the compressed day */
	double sun_w, load_w;       /* now */
	double scale_w; /* of the compressed day: what a pack is good for, times packs */
};

/* Power at a time of the compressed day: positive = the sun gives more than the load takes. */
double profile_power_w(struct profile *profile, int64_t now_ms);
