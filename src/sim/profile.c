// SPDX-License-Identifier: Apache-2.0
/* The compressed day starts in the morning: four minutes of sun that peaks a little below what
 * the packs may take (`sun` goes beyond), four minutes of evening with a load that they can give.
 */
#include "profile.h"

#include <math.h>

#define MORNING      0.04 /* share of the day that has passed at the start: some sun at once */
#define SUN_PEAK     0.9
#define EVENING_PEAK 1.0
#define BASE_LOAD    0.08

/* A parabola from 0 over 1 back to 0 while x goes from 0 to 1; the day begins again at 2. */
static double hump(double x)
{
	x = x >= 2 ? x - 2 : x;
	return fmax(0, 4 * x * (1 - x));
}

double profile_power_w(struct profile *profile, int64_t now_ms)
{
	double day = (double)(now_ms % PROFILE_DAY_MS) / PROFILE_DAY_MS + MORNING;
	double sun = hump(2 * day), evening = hump(2 * day - 1);

	if (!profile->fixed_sun)
		profile->sun_w = sun * SUN_PEAK * profile->scale_w;
	if (!profile->fixed_load)
		profile->load_w = (BASE_LOAD + evening * EVENING_PEAK) * profile->scale_w;
	return profile->sun_w - profile->load_w;
}
