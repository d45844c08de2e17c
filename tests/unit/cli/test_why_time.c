// SPDX-License-Identifier: Apache-2.0
/* A moment as people say it, in a time zone with summer time. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <time.h>

#include "why_time.h"

#define NOW_S 1777730400 /* 2026-05-02 14:00:00 UTC, 16:00 in Berlin */

static void times_as_people_say_them(void **state)
{
	static const struct {
		const char *text;
		int64_t ago_s;
	} rows[] = {
		{"16:00", 0},
		{"15:59:30", 30},
		{"16:01", 86400 - 60}, /* not yet today: yesterday */
		{"2026-05-02 15:00", 3600},
		{"2026-05-02T15:00:10", 3590},
		{"2026-05-02T13:00Z", 3600},
		{"-90s", 90},
		{"-10m", 600},
		{"-2h", 7200},
		{"-3d", 259200},
		{"1777730000", 400},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t at_s = -1;

		if (!why_parse_time(rows[i].text, NOW_S, &at_s))
			fail_msg("%s is not understood", rows[i].text);
		if (NOW_S - at_s != rows[i].ago_s)
			fail_msg("%s is %lld s ago", rows[i].text, (long long)(NOW_S - at_s));
	}
}

static void summer_time_begins_between_two_clock_times(void **state)
{
	int64_t before_s, after_s;

	(void)state;
	assert_true(why_parse_time("2026-03-29 01:59", NOW_S, &before_s));
	assert_true(why_parse_time("2026-03-29 03:01", NOW_S, &after_s));
	assert_int_equal(after_s - before_s, 120);
}

static void nonsense_is_refused(void **state)
{
	static const char *const texts[] = {
		"",           "noon", "25:00",       "12:60",
		"12:5x",      "-5",   "-m",          "2026-13-01 12:00",
		"2026-05-02", "1e9",  "-1777730000", "2026-05-02 12:00+2",
		"12:00 "};
	int64_t at_s = 77;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (why_parse_time(texts[i], NOW_S, &at_s))
			fail_msg("'%s' is taken for a time", texts[i]);
	assert_int_equal(at_s, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_as_people_say_them),
		cmocka_unit_test(summer_time_begins_between_two_clock_times),
		cmocka_unit_test(nonsense_is_refused),
	};

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1); /* Berlin, without a zone database */
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
