// SPDX-License-Identifier: Apache-2.0
/* What changes between two snapshots is told once, in words. */
#include "../cmocka_all.h"

#include <string.h>

#include "onepack/event.h"

#define MAX 8

static struct battery snapshot(int64_t time_ms)
{
	struct battery battery;

	battery_clear(&battery);
	battery.time_ms = time_ms;
	battery.charge_allowed = battery.discharge_allowed = 1;
	battery.charge_stage = CHARGE_BULK;
	battery.pack_count = 1;
	pack_clear(&battery.packs[0]);
	battery.packs[0].pack = 3;
	battery.packs[0].state = PACK_ACTIVE;
	return battery;
}

static void nothing_changed_nothing_said(void **state)
{
	struct battery before = snapshot(1000), after = snapshot(2000);
	struct event events[MAX];

	(void)state;
	assert_int_equal(event_compare(&before, &after, events, MAX), 0);
}

static void first_snapshot_says_nothing(void **state)
{
	struct battery before, after = snapshot(2000);
	struct event events[MAX];

	(void)state;
	battery_clear(&before);
	assert_int_equal(event_compare(&before, &after, events, MAX), 0);
}

static void lost_pack_is_an_alarm(void **state)
{
	struct battery before = snapshot(1000), after = snapshot(2000);
	struct event events[MAX];

	(void)state;
	after.packs[0].state = PACK_LOST;
	assert_int_equal(event_compare(&before, &after, events, MAX), 1);
	assert_string_equal(events[0].kind, "pack_lost");
	assert_string_equal(events[0].text, "Pack 3 is lost");
	assert_int_equal(events[0].severity, EVENT_ALARM);
	assert_int_equal(events[0].pack, 3);
	assert_int_equal(events[0].time_ms, 2000);
}

static void new_pack_is_told(void **state)
{
	struct battery before = snapshot(1000), after = snapshot(2000);
	struct event events[MAX];

	(void)state;
	before.pack_count = 0;
	assert_int_equal(event_compare(&before, &after, events, MAX), 1);
	assert_string_equal(events[0].kind, "pack_active");
}

static void alarms_come_and_go(void **state)
{
	struct battery before = snapshot(1000), after = snapshot(2000);
	struct event events[MAX];

	(void)state;
	before.packs[0].warnings = ALARM_BIT(ALARM_cell_overvoltage);
	after.protections = ALARM_BIT(ALARM_low_soc);
	assert_int_equal(event_compare(&before, &after, events, MAX), 2);
	assert_int_equal(events[0].severity, EVENT_INFO);
	assert_non_null(strstr(events[0].text, "over"));
	assert_string_equal(events[1].kind, "low_soc");
	assert_int_equal(events[1].severity, EVENT_ALARM);
}

static void blocked_charge_gives_the_reason(void **state)
{
	struct battery before = snapshot(1000), after = snapshot(2000);
	struct event events[MAX];

	(void)state;
	after.charge_allowed = 0;
	after.charge_stage = CHARGE_DONE;
	after.reason_count = 1;
	after.reasons[0].limit = LIMIT_CHARGE_CURRENT;
	strcpy(after.reasons[0].text, "Cell 7 is full.");
	assert_int_equal(event_compare(&before, &after, events, MAX), 2);
	assert_string_equal(events[0].kind, "charge_blocked");
	assert_string_equal(events[0].text, "Charge is blocked. Cell 7 is full.");
	assert_string_equal(events[1].kind, "charge_stage");
}

static void a_full_list_is_not_overrun(void **state)
{
	struct battery before = snapshot(1000), after = snapshot(2000);
	struct event events[2];

	(void)state;
	after.protections = ~(alarm_set)0;
	assert_int_equal(event_compare(&before, &after, events, 2), 2);
}

static void every_state_of_a_pack_has_its_severity(void **state)
{
	static const enum event_severity severities[] = {
		[PACK_ABSENT] = EVENT_INFO,    [PACK_PROBING] = EVENT_INFO,
		[PACK_CANDIDATE] = EVENT_INFO, [PACK_HELD] = EVENT_WARNING,
		[PACK_LOST] = EVENT_ALARM,     [PACK_QUARANTINED] = EVENT_ALARM};
	struct event events[MAX];

	(void)state;
	for (int32_t now = PACK_ABSENT; now <= PACK_QUARANTINED; now++) {
		struct battery before = snapshot(1000), after = snapshot(2000);

		after.packs[0].state = now;
		if (now == PACK_ACTIVE)
			continue;
		assert_int_equal(event_compare(&before, &after, events, MAX), 1);
		assert_int_equal(events[0].severity, severities[now]);
	}
	assert_string_equal(event_severity_name(EVENT_INFO), "info");
	assert_string_equal(event_severity_name(EVENT_WARNING), "warning");
	assert_string_equal(event_severity_name(EVENT_ALARM), "alarm");
	assert_string_equal(event_severity_name((enum event_severity)3), "info");
}

/* Packs are matched by their number, not by their place in the list. */
static void packs_are_known_by_their_number(void **state)
{
	struct battery before = snapshot(1000), after = snapshot(2000);
	struct event events[MAX];

	(void)state;
	before.pack_count = 2;
	before.packs[1] = before.packs[0];
	before.packs[0].pack = 1;
	before.packs[0].state = PACK_LOST;
	assert_int_equal(event_compare(&before, &after, events, MAX), 0);
	after.packs[0].state = FIELD_UNKNOWN; /* no word, nothing to tell */
	assert_int_equal(event_compare(&before, &after, events, MAX), 0);
}

static void a_pack_tells_its_alarms(void **state)
{
	struct battery before = snapshot(1000), after = snapshot(2000);
	struct event events[MAX];

	(void)state;
	after.packs[0].protections = ALARM_BIT(ALARM_cell_overvoltage);
	after.packs[0].warnings = ALARM_BIT(ALARM_cell_imbalance);
	assert_int_equal(event_compare(&before, &after, events, MAX), 2);
	assert_int_equal(events[0].severity, EVENT_ALARM);
	assert_int_equal(events[0].pack, 3);
	assert_memory_equal(events[0].text, "Pack 3: ", 8);
	assert_null(strstr(events[0].text, " - over"));
	assert_int_equal(events[1].severity, EVENT_WARNING);
	before = after;
	before.packs[0].warnings = 0;
	after.warnings = before.warnings = 1;
	after.packs[0].protections = 0;
	assert_int_equal(event_compare(&before, &after, events, MAX), 2);
	assert_non_null(strstr(events[0].text, " - over"));
	assert_int_equal(events[0].severity, EVENT_INFO);
	assert_null(strstr(events[1].text, " - over"));
	before.warnings = 0;
	before.packs[0] = after.packs[0];
	assert_int_equal(event_compare(&before, &after, events, MAX), 1);
	assert_memory_equal(events[0].text, "The battery: ", 13);
	assert_int_equal(events[0].pack, FIELD_UNKNOWN);
	assert_int_equal(events[0].severity, EVENT_WARNING);
}

static void permission_comes_back(void **state)
{
	struct battery before = snapshot(1000), after = snapshot(2000);
	struct event events[MAX];

	(void)state;
	before.charge_allowed = before.discharge_allowed = 0;
	after.reason_count = 2;
	after.reasons[0].limit = LIMIT_CHARGE_VOLTAGE;
	strcpy(after.reasons[0].text, "Wrong.");
	after.reasons[1].limit = LIMIT_DISCHARGE_CURRENT;
	strcpy(after.reasons[1].text, "Right.");
	assert_int_equal(event_compare(&before, &after, events, MAX), 2);
	assert_string_equal(events[0].kind, "charge_allowed");
	assert_string_equal(events[0].text, "Charge is allowed. ");
	assert_int_equal(events[0].severity, EVENT_INFO);
	assert_int_equal(events[0].pack, FIELD_UNKNOWN);
	assert_string_equal(events[1].kind, "discharge_allowed");
	assert_string_equal(events[1].text, "Discharge is allowed. Right.");
	after.discharge_allowed = 0;
	after.charge_allowed = 0;
	after.charge_stage = FIELD_UNKNOWN; /* no word, nothing to tell */
	assert_int_equal(event_compare(&before, &after, events, MAX), 0);
	before.discharge_allowed = 1;
	assert_int_equal(event_compare(&before, &after, events, MAX), 1);
	assert_string_equal(events[0].kind, "discharge_blocked");
	assert_int_equal(events[0].severity, EVENT_WARNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_changed_nothing_said),
		cmocka_unit_test(first_snapshot_says_nothing),
		cmocka_unit_test(lost_pack_is_an_alarm),
		cmocka_unit_test(new_pack_is_told),
		cmocka_unit_test(alarms_come_and_go),
		cmocka_unit_test(blocked_charge_gives_the_reason),
		cmocka_unit_test(a_full_list_is_not_overrun),
		cmocka_unit_test(every_state_of_a_pack_has_its_severity),
		cmocka_unit_test(packs_are_known_by_their_number),
		cmocka_unit_test(a_pack_tells_its_alarms),
		cmocka_unit_test(permission_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
