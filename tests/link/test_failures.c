// SPDX-License-Identifier: Apache-2.0
/* The engine is killed, stopped or hangs: zero limits are on the wire within 3 s and stay there, on
 * every protocol; they come back only with a living engine. */
#include "harness.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "onepack/clock.h"

#define PROMISED_US 3000000
#define WATCH_MS    4500

struct watched {
	struct can_fixture fixture;
	int64_t first_zero_us; /* 0 = none yet */
	int64_t last_frame_us;
	int limits_after_zero; /* frames with current after the first zero: must stay 0 */
	int frozen;            /* frames with current after the promised time: must stay 0 */
	int zeros;
};

static void watch(struct watched *w, int64_t failed_us)
{
	struct heard_frame frame;

	while (hear_frame(&w->fixture.end, 2, &frame)) {
		w->last_frame_us = frame.at_us;
		if (frame.message.id == 0x35C && w->first_zero_us &&
		    frame.at_us - w->first_zero_us > 500000)
			assert_int_equal(frame.message.data[0], 0); /* nothing allowed */
		if (frame.message.id != 0x351)
			continue;
		if (charge_limit_da(&frame.message) == 0 &&
		    discharge_limit_da(&frame.message) == 0) {
			assert_true(frame.message.data[0] || frame.message.data[1]); /* a voltage */
			w->zeros++;
			if (!w->first_zero_us)
				w->first_zero_us = frame.at_us;
			continue;
		}
		w->limits_after_zero += w->first_zero_us != 0;
		w->frozen += frame.at_us - failed_us > PROMISED_US;
	}
}

static void the_engine_fails_in_every_way(void **state)
{
	enum { KILLED, STOPPED, HUNG, KILLED_VICTRON, WAYS };
	static const char *const names[WAYS] = {"kill -9", "SIGSTOP", "hang", "kill -9, Victron"};
	static struct watched w[WAYS];
	int64_t failed_us;

	(void)state;
	for (int i = 0; i < WAYS; i++)
		can_start(&w[i].fixture,
			  i == KILLED_VICTRON ? "can/victron-20170717" : "can/pylon-lv-1.2",
			  100000);
	for (int i = 0; i < WAYS; i++)
		can_settle(&w[i].fixture, 1000);

	failed_us = clock_monotonic_us();
	engine_kill(&w[KILLED].fixture.engine, SIGKILL);
	engine_kill(&w[STOPPED].fixture.engine, SIGSTOP);
	atomic_store(&w[HUNG].fixture.engine.control->hang, true);
	engine_kill(&w[KILLED_VICTRON].fixture.engine, SIGKILL);
	while (clock_monotonic_us() - failed_us < INT64_C(1000) * WATCH_MS)
		for (int i = 0; i < WAYS; i++)
			watch(&w[i], failed_us);

	for (int i = 0; i < WAYS; i++) {
		printf("%s: zero after %lld ms\n", names[i],
		       (long long)(w[i].first_zero_us - failed_us) / 1000);
		assert_in_range(w[i].first_zero_us - failed_us, 1, PROMISED_US);
		assert_int_equal(w[i].limits_after_zero, 0);
		assert_int_equal(w[i].frozen, 0);
		assert_true(w[i].zeros >= 2); /* it goes on telling */
		assert_true(clock_monotonic_us() - w[i].last_frame_us < 1500000);
	}

	/* back to life */
	engine_kill(&w[STOPPED].fixture.engine, SIGCONT);
	atomic_store(&w[HUNG].fixture.engine.control->hang, false);
	can_settle(&w[STOPPED].fixture, 1000);
	can_settle(&w[HUNG].fixture, 1000);
	can_stop(&w[STOPPED].fixture);
	can_stop(&w[HUNG].fixture);

	/* An orphan is ended as a link is: with a last full set. */
	for (int i = 0; i < WAYS; i += KILLED_VICTRON) {
		pid_t pid;

		assert_int_equal(find_links(w[i].fixture.port, &pid, 1), 1);
		kill(pid, SIGTERM);
		assert_true(links_are_gone(w[i].fixture.port, 2000));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_engine_fails_in_every_way)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
