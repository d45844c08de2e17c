// SPDX-License-Identifier: Apache-2.0
/* Each invariant can fail: a bug is planted, and is told with its name; and without a bug nothing is
 * told. The worlds here are small (small_world.h); tests/sim runs whole ones. */
#include "sim/invariants.h"

#include <stdlib.h>

#include "../cmocka_all.h"
#include "core/fusion_state.h"
#include "small_world.h"

static void assert_only(const struct small_world *world, enum invariant which)
{
	for (int i = 0; i < INVARIANT_COUNT; i++) {
		if (i == (int)which && world->count[i] == 0)
			fail_msg("%s was not told", invariant_name((enum invariant)i));
		if (i != (int)which && world->count[i] > 0)
			fail_msg("%s was told, too: %s", invariant_name((enum invariant)i),
				 world->last.text);
	}
}

static void assert_nothing(const struct small_world *world)
{
	for (int i = 0; i < INVARIANT_COUNT; i++)
		if (world->count[i] > 0)
			fail_msg("%s: pack %d at %lld ms: %s", invariant_name((enum invariant)i),
				 world->last.pack, (long long)world->last.time_ms,
				 world->last.text);
}

static void names_can_be_found(void **state)
{
	(void)state;
	for (int i = 0; i < INVARIANT_COUNT; i++)
		assert_int_equal(invariant_by_name(invariant_name((enum invariant)i)), i);
	assert_int_equal(invariant_by_name("luck"), -1);
}

static void a_sound_world_is_left_alone(void **state)
{
	struct invariants_figures figures;
	struct small_world world;

	(void)state;
	small_init(&world);
	world.scenario.n_steps_for_test = 0;
	small_begin(&world);
	small_run(&world, 1800);
	assert_nothing(&world);
	assert_true(world.plant.bus_a > 100);
	invariants_get_figures(world.invariants, &figures);
	assert_true(figures.checks[INVARIANT_pack_over_limit] > 1000);
	assert_true(figures.checks[INVARIANT_missing_raises] > 100);
	small_end(&world);
}
