// SPDX-License-Identifier: Apache-2.0
/* The real lease page against lease_states.table, which the Spin model is made from: every row is
 * driven and says what the model's link says, and in random runs nothing happens that is no row. */
#include "table.h"

#include <unistd.h>

#include "onepack/lease.h"

#define LIMIT_MA  40000
#define RUNS      100
#define RUN_STEPS 200

static struct table table;
static struct lease_page *page;
static int page_fd = -1;
static int64_t now_ms;

static void new_page(void)
{
	if (page_fd >= 0)
		close(page_fd); /* the page itself stays mapped, as pages do */
	page_fd = lease_create();
	assert_true(page_fd >= 0);
	page = lease_map(page_fd);
	assert_non_null(page);
	now_ms = 100000;
}

static void publish(void)
{
	struct battery battery;

	battery_clear(&battery);
	battery.charge_current_limit_ma = battery.discharge_current_limit_ma = LIMIT_MA;
	battery.charge_allowed = battery.discharge_allowed = 1;
	lease_publish(page, &battery, now_ms);
}

/* What the link reads now; and that it says no current whenever the model's link does. */
static const char *look(void)
{
	static const char *const words[] = {
		[LEASE_NONE] = "none",
		[LEASE_VALID] = "valid",
		[LEASE_EXPIRED] = "expired",
		[LEASE_REVOKED] = "revoked",
	};
	struct battery battery;
	const enum lease_state state = lease_read(page, now_ms, &battery, NULL);
	const int32_t limit_ma = battery.charge_current_limit_ma;

	if (state == LEASE_VALID) {
		assert_int_equal(limit_ma, LIMIT_MA);
	} else if (state == LEASE_NONE) {
		assert_int_equal(limit_ma, FIELD_UNKNOWN); /* which goes out as no current */
	} else {
		assert_int_equal(limit_ma, 0);
		assert_int_equal(battery.discharge_current_limit_ma, 0);
		assert_int_equal(battery.charge_allowed, 0);
	}
	return words[state];
}

static void happen(const char *event)
{
	if (strcmp(event, "publish") == 0)
		publish();
	else if (strcmp(event, "revoke") == 0)
		lease_revoke(page);
	else if (strcmp(event, "expire") == 0)
		now_ms += LEASE_TTL_MS + 1;
	else
		assert_string_equal(event, "wait");
}

static void reach(const char *state)
{
	new_page();
	if (strcmp(state, "none") != 0)
		publish();
	if (strcmp(state, "expired") == 0)
		happen("expire");
	if (strcmp(state, "revoked") == 0)
		lease_revoke(page);
	assert_string_equal(look(), state);
}

static void every_row_of_the_table_happens(void **state)
{
	(void)state;
	for (int i = 0; i < table.row_count; i++) {
		const struct table_row *row = &table.rows[i];

		reach(row->from);
		happen(row->event);
		if (strcmp(look(), row->to) != 0)
			fail_msg("%s, %s: the table says %s, the page %s", row->from, row->event,
				 row->to, look());
	}
}

/* The lease ends after LEASE_TTL_MS, to the millisecond, and with it within the promised 3 s. */
static void it_lasts_as_long_as_promised(void **state)
{
	(void)state;
	assert_true(LEASE_TTL_MS < 3000);
	reach("valid");
	now_ms += LEASE_TTL_MS;
	assert_string_equal(look(), "valid");
	now_ms++;
	assert_string_equal(look(), "expired");
}

static uint32_t seed = 1;

static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525U + 1013904223U;
	return (seed >> 8) % below;
}

static void nothing_else_happens_in_random_runs(void **state)
{
	char before[TABLE_WORD];

	(void)state;
	for (int run = 0; run < RUNS; run++) {
		new_page();
		strcpy(before, "none");
		for (int n = 0; n < RUN_STEPS; n++) {
			const bool answered = draw(3) == 0;

			if (answered && draw(50) == 0)
				lease_revoke(page);
			else if (answered)
				publish();
			else
				now_ms += draw(2 * LEASE_TTL_MS);
			const char *now = look();

			if (!table_allows(&table, before, now, answered))
				fail_msg("run %d, step %d: %s -> %s", run, n, before, now);
			snprintf(before, sizeof before, "%s", now);
		}
	}
}

/* Rows that a page cannot be brought to: a copy that is torn, a renewal from the future. */
static void what_cannot_be_judged_is_expired(void **state)
{
	(void)state;
	assert_int_equal(lease_judge(LEASE_COPY_TORN, false, 0), LEASE_EXPIRED);
	assert_int_equal(lease_judge(LEASE_COPY_TORN, true, 0), LEASE_REVOKED);
	assert_int_equal(lease_judge(LEASE_COPY_WHOLE, false, -2 * LEASE_TTL_MS), LEASE_EXPIRED);
}

static int set_up(void **state)
{
	(void)state;
	table_read(&table, "lease_states.table");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_table_happens),
		cmocka_unit_test(it_lasts_as_long_as_promised),
		cmocka_unit_test(nothing_else_happens_in_random_runs),
		cmocka_unit_test(what_cannot_be_judged_is_expired),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
