// SPDX-License-Identifier: Apache-2.0
/* Each attempt changes a copy and keeps it if it still fails. A scenario that fails is cut off just
 * after it does, which makes all later attempts cheaper. */
#include "shrink.h"

#include <string.h>

#include "onepack/err.h"

#define AFTER_MS 1000 /* that stay after the failure */

struct shrink {
	struct scenario *best;
	struct scenario trial;
	int tries, most_tries;
	shrink_fails *fails;
	shrink_progress *progress;
	void *context;
};

/* Keeps the trial if it fails. */
static bool attempt(struct shrink *shrink)
{
	int64_t when_ms;

	if (shrink->tries >= shrink->most_tries)
		return false;
	shrink->tries++;
	when_ms = shrink->fails(shrink->context, &shrink->trial);
	if (when_ms < 0)
		return false;
	if (when_ms + AFTER_MS < shrink->trial.duration_ms)
		shrink->trial.duration_ms = when_ms + AFTER_MS;
	*shrink->best = shrink->trial;
	if (shrink->progress)
		shrink->progress(shrink->context, shrink->best, shrink->tries);
	return true;
}

static void drop_fault(struct scenario *s, int first, int count)
{
	memmove(&s->faults[first], &s->faults[first + count],
		(size_t)(s->fault_count - first - count) * sizeof s->faults[0]);
	s->fault_count -= count;
}

/* Faults that begin after the end do nothing. */
static void drop_late_faults(struct scenario *s)
{
	for (int i = s->fault_count - 1; i >= 0; i--)
		if (s->faults[i].start_ms >= s->duration_ms)
			drop_fault(s, i, 1);
}

/* Ever smaller runs of neighbours. */
static bool try_faults(struct shrink *shrink)
{
	bool any = false;

	drop_late_faults(shrink->best);
	for (int size = shrink->best->fault_count; size > 0; size /= 2)
		for (int first = 0; first < shrink->best->fault_count;) {
			const int rest = shrink->best->fault_count - first;

			shrink->trial = *shrink->best;
			drop_fault(&shrink->trial, first, size < rest ? size : rest);
			if (attempt(shrink))
				any = true;
			else
				first += size;
		}
	return any;
}

/* Without a pack the others get lower numbers, in faults, too. */
static void drop_pack(struct scenario *s, int number)
{
	memmove(&s->packs[number - 1], &s->packs[number],
		(size_t)(s->pack_count - number) * sizeof s->packs[0]);
	s->pack_count--;
	for (int i = s->fault_count - 1; i >= 0; i--) {
		struct fault *fault = &s->faults[i];
		const bool duplicate = fault->kind == FAULT_duplicate_address;

		if (fault->pack == number || (duplicate && fault->milli == number * 1000)) {
			drop_fault(s, i, 1);
			continue;
		}
		if (fault->pack > number)
			fault->pack--;
		if (duplicate && fault->milli > number * 1000)
			fault->milli -= 1000;
	}
	if (s->battery.packs_expected != FIELD_UNKNOWN && s->battery.packs_expected > s->pack_count)
		s->battery.packs_expected = s->pack_count;
}

static bool try_packs(struct shrink *shrink)
{
	bool any = false;

	for (int number = shrink->best->pack_count; number > 0; number--) {
		if (shrink->best->pack_count == 1)
			break;
		shrink->trial = *shrink->best;
		drop_pack(&shrink->trial, number);
		any |= attempt(shrink);
	}
	return any;
}

static bool try_settings(struct shrink *shrink)
{
	struct fusion_config normal;
	bool any = false;

	fusion_config_default(&normal);
	for (int i = 0; i < fusion_key_count; i++) {
		const size_t offset = fusion_keys[i].offset;
		char *mine = (char *)&shrink->trial.battery + offset;
		const char *usual = (const char *)&normal + offset;

		shrink->trial = *shrink->best;
		if (memcmp(mine, usual, sizeof(int32_t)) == 0)
			continue;
		memcpy(mine, usual, sizeof(int32_t));
		fusion_config_default_curves(&shrink->trial.battery);
		any |= attempt(shrink);
	}
	return any;
}

/* The plainest site: a mild day without clouds, a Pylontech-type inverter. */
static bool try_site(struct shrink *shrink)
{
	struct scenario plain;
	bool any = false;

	scenario_default(&plain);
	shrink->trial = *shrink->best;
	shrink->trial.cloud_mpct = 0;
	if (shrink->best->cloud_mpct > 0)
		any |= attempt(shrink);
	shrink->trial = *shrink->best;
	memcpy(shrink->trial.inverter, plain.inverter, sizeof plain.inverter);
	if (strcmp(shrink->best->inverter, plain.inverter) != 0)
		any |= attempt(shrink);
	shrink->trial = *shrink->best;
	shrink->trial.swing_mC = 0;
	if (shrink->best->swing_mC > 0)
		any |= attempt(shrink);
	return any;
}

/* Shorter faults: the first half is enough, or the second. */
static bool try_lengths(struct shrink *shrink)
{
	bool any = false;

	for (int i = 0; i < shrink->best->fault_count; i++) {
		const struct fault *fault = &shrink->best->faults[i];
		const int64_t middle_ms = (fault->start_ms + fault->end_ms) / 2000 * 1000;

		if (fault->end_ms - fault->start_ms < 4000)
			continue;
		shrink->trial = *shrink->best;
		shrink->trial.faults[i].end_ms = middle_ms;
		if (attempt(shrink)) {
			any = true;
			continue;
		}
		shrink->trial = *shrink->best;
		shrink->trial.faults[i].start_ms = middle_ms;
		any |= attempt(shrink);
	}
	return any;
}

int shrink_scenario(struct scenario *scenario, int most_tries, shrink_fails *fails,
		    shrink_progress *progress, void *context)
{
	struct shrink shrink = {.best = scenario,
				.most_tries = most_tries,
				.fails = fails,
				.progress = progress,
				.context = context};
	bool any;

	shrink.trial = *scenario;
	if (!attempt(&shrink))
		return ERR_UNKNOWN;
	do {
		any = try_faults(&shrink);
		any |= try_packs(&shrink);
		any |= try_settings(&shrink);
		any |= try_site(&shrink);
		any |= try_lengths(&shrink);
	} while (any && shrink.tries < most_tries);
	return shrink.tries;
}
