// SPDX-License-Identifier: Apache-2.0
/* How well shares are learned on random racks, how long that takes, and what it is worth: the
 * limits against the exact physical maximum, with learning and without. Usage: share_campaign
 * [RACKS [MINUTES [FIRST_SEED]]]. Ends with 1 when a figure is outside its bound. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "rack.h"

#define RACKS      4
#define MINUTES    40
#define WARM_UP_S  1800
#define SAMPLE_S   10
#define GOOD_SHARE 0.05
#define HEADROOM   0.95 /* the default of limit_headroom_pct */

/* What has to hold, learned. */
#define SHARE_ERROR_MEDIAN 0.02
#define LOST_MEDIAN        0.05

struct figures {
	double *value;
	int count, room;
};

static void note(struct figures *figures, double value)
{
	if (figures->count == figures->room) {
		figures->room = figures->room ? 2 * figures->room : 1024;
		figures->value = realloc(figures->value, (size_t)figures->room * sizeof value);
		if (!figures->value)
			abort();
	}
	figures->value[figures->count++] = value;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quantile(struct figures *figures, double part)
{
	if (figures->count == 0)
		return NAN;
	qsort(figures->value, (size_t)figures->count, sizeof(double), compare);
	return figures->value[(int)(part * (figures->count - 1))];
}

struct result {
	struct figures error;      /* of each pack's share, at the end */
	struct figures learned_s;  /* until all shares of a rack are good */
	struct figures lost, over; /* of the limit, against the same pack limits */
	struct figures
		published; /* lost from the limit of the inverter, against what BMSs permit */
	struct figures confidence;
	double longest_over_s, worst_over;
	int racks;
};

static double share_error(const struct rack *rack, int pack)
{
	double sum = 0;

	for (int i = 0; i < rack->count; i++)
		sum += (double)share_weight(&rack->fusion.slots[i].share);
	return fabs((double)share_weight(&rack->fusion.slots[pack].share) / sum /
			    rack_true_share(rack, pack) -
		    1);
}

static double worst_share_error(const struct rack *rack)
{
	double worst = 0;

	for (int i = 0; i < rack->count; i++)
		worst = fmax(worst, share_error(rack, i));
	return worst;
}

static void sample(struct result *result, const struct rack *rack)
{
	for (int d = 0; d < DIRECTIONS; d++) {
		const double most_a = rack_true_limit_a(rack, (enum direction)d, 1);
		const double bms_a = rack_true_limit_a(rack, (enum direction)d, HEADROOM);
		const double target_a = rack->fusion.target_ma[d] / 1000.0;
		const double shown_a = (double)rack->fusion.ramp[d].value_ua / 1e6;

		if (most_a < 1)
			continue;
		note(&result->lost, fmax(0, 1 - target_a / most_a));
		note(&result->over, fmax(0, target_a / most_a - 1));
		note(&result->published, fmax(0, 1 - shown_a / bms_a));
	}
}

static void run(struct result *result, uint64_t seed, double end_s, bool learns)
{
	static struct rack rack;
	double next_s = WARM_UP_S, learned_s = -1;

	rack_init(&rack, seed, learns);
	while (rack.time_s < end_s) {
		rack_step(&rack);
		if (learned_s < 0 && worst_share_error(&rack) < GOOD_SHARE)
			learned_s = rack.time_s;
		if (rack.time_s < next_s)
			continue;
		next_s += SAMPLE_S;
		sample(result, &rack);
	}
	for (int i = 0; i < rack.count; i++) {
		note(&result->error, share_error(&rack, i));
		note(&result->confidence, rack.out.packs[i].share_confidence_mpct / 1e5);
	}
	if (learned_s >= 0)
		note(&result->learned_s, learned_s);
	result->racks++;
	result->longest_over_s = fmax(result->longest_over_s, rack.longest_over_s);
	result->worst_over = fmax(result->worst_over, rack.worst_over);
}

static void print(const char *name, struct result *r)
{
	printf("%s, %d racks:\n", name, r->racks);
	printf("  share of a pack: wrong by %.1f %% in the median, %.1f %% in 19 of 20 packs; all good "
	       "to 5 %% in %d racks, median after %.0f min; confidence %.0f %%\n",
	       100 * quantile(&r->error, 0.5), 100 * quantile(&r->error, 0.95), r->learned_s.count,
	       quantile(&r->learned_s, 0.5) / 60, 100 * quantile(&r->confidence, 0.5));
	printf("  usable current lost: median %.1f %%, mostly (90 %%) below %.1f %%; with headroom and "
	       "slow rises, against what the BMSs permit: median %.1f %%\n",
	       100 * quantile(&r->lost, 0.5), 100 * quantile(&r->lost, 0.9),
	       100 * quantile(&r->published, 0.5));
	printf("  limit above the physical one: mostly (90 %%) below %.1f %%, at worst %.1f %%\n",
	       100 * quantile(&r->over, 0.9), 100 * quantile(&r->over, 1));
	printf("  longest time of a pack above its own limit beyond one reaction: %.1f s (%.1f %%)\n",
	       r->longest_over_s, 100 * r->worst_over);
}

static void release(struct result *r)
{
	free(r->error.value);
	free(r->learned_s.value);
	free(r->lost.value);
	free(r->over.value);
	free(r->published.value);
	free(r->confidence.value);
}

int main(int argc, char **argv)
{
	const int racks = argc > 1 ? atoi(argv[1]) : RACKS;
	const double minutes = argc > 2 ? atof(argv[2]) : MINUTES;
	const uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	bool good = true;

	for (int learns = 0; learns < 2; learns++) {
		struct result r = {0};

		for (int i = 0; i < racks; i++)
			run(&r, first + (uint64_t)i, minutes * 60, learns);
		print(learns ? "learned shares" : "shares by capacity", &r);
		good &= r.longest_over_s == 0; /* with or without: the guard sees to that */
		if (learns)
			good &= quantile(&r.error, 0.5) <= SHARE_ERROR_MEDIAN &&
				quantile(&r.lost, 0.5) < LOST_MEDIAN;
		release(&r);
	}
	return good ? 0 : 1;
}
