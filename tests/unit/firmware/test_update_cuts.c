// SPDX-License-Identifier: Apache-2.0
/* The power is cut at random moments of whole updates, several times in each. After every cut the
 * pack must start its old or its new image, and in the end the new one, without any help but that
 * of a patient gateway. The argument is the number of updates; the campaign takes 1000. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "update_rig.h"

#define DEFAULT_CASES 150
#define CODE_SIZE     5001 /* odd: a last chunk and a last unit that are not full */
#define STEPS_MAX     4000

static int cases = DEFAULT_CASES;
static struct rig_maker maker;
static struct rig_image first, release[2];

/* Bytes of flash work in an update that nobody disturbs. */
static int64_t undisturbed(struct rig *rig)
{
	rig_init(rig, &maker, &first, 4, 1);

	const uint64_t before = rig->torn.worked;

	for (int i = 0; i < STEPS_MAX; i++)
		if (rig_step(rig, release))
			return (int64_t)(rig->torn.worked - before);
	fail_msg("the update does not end");
	return 0;
}

/* What runs must be one of the two, bit for bit. */
static void check_running(const struct rig *rig)
{
	assert_in_range(rig->running, 0, 1);

	const uint8_t *bytes = rig->torn.bytes[rig->running];
	const bool is_first = rig->running == 0 && memcmp(bytes, first.bytes, first.size) == 0;
	const bool is_new =
		memcmp(bytes, release[rig->running].bytes, release[rig->running].size) == 0;

	assert_true(is_first || is_new);
}

/* Half of the cuts come soon after one another: in the repair of the last one, and in trials. */
static int64_t cut_after(struct rig *rig, int64_t work)
{
	const uint32_t random = torn_random(&rig->torn);

	if (rig->update.restart || rig->update.phase == FW_PHASE_TRIAL)
		return random % 320; /* two copies of the boot state */
	return random % 2 ? random % 300 : random % work;
}

static void test_power_cuts(void **state)
{
	static struct rig rig;
	const int64_t work = undisturbed(&rig);
	static const uint32_t units[] = {1, 4, 8};
	int cuts = 0, reverts = 0;

	(void)state;
	for (int i = 0; i < cases; i++) {
		int left = 1 + i % 8, boots;
		bool done = false;

		rig_init(&rig, &maker, &first, units[i % 3], (uint32_t)i * 7919U + 1);
		rig.torn.checks_itself = i % 2 != 0;
		for (int step = 0; step < STEPS_MAX && !done; step++) {
			if (left > 0 && rig.torn.cut_after < 0 && !rig.torn.dead) {
				rig.torn.cut_after = cut_after(&rig, work);
				left--;
			}
			boots = rig.boots;
			done = rig_step(&rig, release);
			if (rig.boots != boots) {
				cuts++;
				check_running(&rig);
				reverts += rig.update.state.event == FW_BOOTED_REVERTED_BOOTS;
			}
		}
		assert_true(done);
		check_running(&rig);
		assert_true(rig.update.state.security_counter == 2);
	}
	assert_true(cuts > 3 * cases);
	assert_true(cases < 1000 || reverts > 0);
	printf("%d updates, %d restarts, %d reverts after too many starts\n", cases, cuts, reverts);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_power_cuts)};
	struct image_facts facts = rig_facts(0, 1);

	if (argc == 2)
		cases = atoi(argv[1]);
	rig_make_maker(&maker);
	rig_sign(&first, &facts, CODE_SIZE, &maker);
	for (int slot = 0; slot < 2; slot++) {
		facts = rig_facts(slot, 2);
		rig_sign(&release[slot], &facts, CODE_SIZE + 1000, &maker);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
