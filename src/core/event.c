// SPDX-License-Identifier: Apache-2.0
/* Events from two snapshots. Only what an owner would want to be told: packs coming and going,
 * alarms, permission to charge and discharge, the stage of the charge cycle. */
#include "onepack/event.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct writer {
	struct event *out;
	int count, max;
	int64_t time_ms;
};

const char *event_severity_name(enum event_severity severity)
{
	static const char *const names[] = {"info", "warning", "alarm"};

	return (unsigned)severity <= EVENT_ALARM ? names[severity] : "info";
}

__attribute__((format(printf, 5, 6))) static void add(struct writer *writer,
						      enum event_severity severity, int32_t pack,
						      const char *kind, const char *format, ...)
{
	va_list args;

	if (writer->count == writer->max)
		return;
	struct event *event = &writer->out[writer->count++];
	memset(event, 0, sizeof *event);
	event->time_ms = writer->time_ms;
	event->severity = severity;
	event->pack = pack;
	snprintf(event->kind, sizeof event->kind, "%s", kind);
	va_start(args, format);
	vsnprintf(event->text, sizeof event->text, format, args);
	va_end(args);
}

static void compare_alarms(struct writer *writer, int32_t pack, alarm_set before, alarm_set after,
			   enum event_severity severity)
{
	char who[24] = "The battery";

	if (pack != FIELD_UNKNOWN)
		snprintf(who, sizeof who, "Pack %d", (int)pack);
	for (int i = 0; i < ALARM_COUNT; i++) {
		const alarm_set bit = ALARM_BIT(i);

		if ((before ^ after) & bit)
			add(writer, after & bit ? severity : EVENT_INFO, pack,
			    alarm_name((enum alarm)i), "%s: %s%s", who,
			    alarm_meaning((enum alarm)i), after & bit ? "" : " - over");
	}
}

static enum event_severity state_severity(int32_t state)
{
	switch (state) {
	case PACK_LOST:
	case PACK_QUARANTINED: return EVENT_ALARM;
	case PACK_HELD: return EVENT_WARNING;
	default: return EVENT_INFO;
	}
}

static const struct pack *find_pack(const struct battery *battery, int32_t number)
{
	for (int i = 0; i < battery->pack_count; i++)
		if (battery->packs[i].pack == number)
			return &battery->packs[i];
	return NULL;
}

static void compare_pack(struct writer *writer, const struct pack *before, const struct pack *after)
{
	const int32_t was = before ? before->state : PACK_ABSENT;
	const char *word = unit_word(UNIT_PACK_STATE, after->state);
	char kind[EVENT_KIND_SIZE];

	if (after->state != was && word) {
		snprintf(kind, sizeof kind, "pack_%s", word);
		add(writer, state_severity(after->state), after->pack, kind, "Pack %d is %s",
		    (int)after->pack, word);
	}
	compare_alarms(writer, after->pack, before ? before->protections : 0, after->protections,
		       EVENT_ALARM);
	compare_alarms(writer, after->pack, before ? before->warnings : 0, after->warnings,
		       EVENT_WARNING);
}

static const char *reason_text(const struct battery *battery, enum limit limit)
{
	for (int i = 0; i < battery->reason_count; i++)
		if (battery->reasons[i].limit == limit)
			return battery->reasons[i].text;
	return "";
}

static void compare_permission(struct writer *writer, const struct battery *after, int32_t was,
			       int32_t is, enum limit limit, const char *what)
{
	char kind[EVENT_KIND_SIZE];

	if (was == is)
		return;
	snprintf(kind, sizeof kind, "%s_%s", what, is == 1 ? "allowed" : "blocked");
	add(writer, is == 1 ? EVENT_INFO : EVENT_WARNING, FIELD_UNKNOWN, kind, "%c%s is %s. %s",
	    what[0] - 'a' + 'A', what + 1, is == 1 ? "allowed" : "blocked",
	    reason_text(after, limit));
}

static void compare_stage(struct writer *writer, const struct battery *before,
			  const struct battery *after)
{
	const char *word = unit_word(UNIT_CHARGE_STAGE, after->charge_stage);

	if (after->charge_stage != before->charge_stage && word)
		add(writer, EVENT_INFO, FIELD_UNKNOWN, "charge_stage", "Charge stage is now %s",
		    word);
}

int event_compare(const struct battery *before, const struct battery *after, struct event *out,
		  int max)
{
	struct writer writer = {.out = out, .max = max, .time_ms = after->time_ms};

	if (before->time_ms == 0)
		return 0;
	for (int i = 0; i < after->pack_count; i++)
		compare_pack(&writer, find_pack(before, after->packs[i].pack), &after->packs[i]);
	compare_alarms(&writer, FIELD_UNKNOWN, before->protections, after->protections,
		       EVENT_ALARM);
	compare_alarms(&writer, FIELD_UNKNOWN, before->warnings, after->warnings, EVENT_WARNING);
	compare_permission(&writer, after, before->charge_allowed, after->charge_allowed,
			   LIMIT_CHARGE_CURRENT, "charge");
	compare_permission(&writer, after, before->discharge_allowed, after->discharge_allowed,
			   LIMIT_DISCHARGE_CURRENT, "discharge");
	compare_stage(&writer, before, after);
	return writer.count;
}
