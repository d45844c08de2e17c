// SPDX-License-Identifier: Apache-2.0
/* The story of a log. Values wander from step to step, so they are told once a second; everything
 * that a person would call an event is told when it happens. */
#include "replay_fast.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "onepack/sample_log.h"

#define TELL_MS 1000

struct story {
	FILE *out;
	struct fusion *fusion;
	struct sample_log_reader reader;
	struct fusion_input input;
	struct battery now, before;
	int64_t first_ms, told_ms; /* of the log */
	bool begun;
};

/* --- what changed --- */

__attribute__((format(printf, 2, 3))) static void tell(const struct story *story,
						       const char *format, ...);

static void tell(const struct story *story, const char *format, ...)
{
	const int64_t ms = story->input.now_ms - story->first_ms;
	va_list args;

	fprintf(story->out, "%6lld.%03d  ", (long long)(ms / 1000), (int)(ms % 1000));
	va_start(args, format);
	vfprintf(story->out, format, args);
	va_end(args);
	fputc('\n', story->out);
}

static void tell_alarms(const struct story *story, const char *whose, const char *what,
			alarm_set before, alarm_set now)
{
	for (int i = 0; i < ALARM_COUNT; i++)
		if ((before ^ now) & ALARM_BIT(i))
			tell(story, "%s: %s %s %s", whose, what, alarm_name((enum alarm)i),
			     now & ALARM_BIT(i) ? "begins" : "ends");
}

static const struct pack *pack_before(const struct story *story, int32_t number)
{
	for (int i = 0; i < story->before.pack_count; i++)
		if (story->before.packs[i].pack == number)
			return &story->before.packs[i];
	return NULL;
}

static void tell_packs(const struct story *story)
{
	for (int i = 0; i < story->now.pack_count; i++) {
		const struct pack *now = &story->now.packs[i];
		const struct pack *before = pack_before(story, now->pack);
		const int32_t state = before ? before->state : PACK_ABSENT;
		char name[16];

		snprintf(name, sizeof name, "pack %d", (int)now->pack);
		if (state != now->state)
			tell(story, "%s: %s -> %s", name, unit_word(UNIT_PACK_STATE, state),
			     unit_word(UNIT_PACK_STATE, now->state));
		tell_alarms(story, name, "protection", before ? before->protections : 0,
			    now->protections);
		tell_alarms(story, name, "warning", before ? before->warnings : 0, now->warnings);
	}
}

static bool is_same(const struct reason *a, const struct reason *b)
{
	return a->pack == b->pack && a->cell == b->cell && strcmp(a->rule, b->rule) == 0;
}

static void tell_reasons(const struct story *story)
{
	for (int i = 0; i < story->now.reason_count; i++) {
		const struct reason *reason = &story->now.reasons[i];

		if (i < story->before.reason_count && is_same(reason, &story->before.reasons[i]))
			continue;
		tell(story, "%s (%s): %s", limit_name(reason->limit), reason->rule, reason->text);
	}
}

/* --- what is --- */

static void print_value(FILE *out, int32_t value, const char *unit)
{
	if (value == FIELD_UNKNOWN)
		fprintf(out, " - %s", unit);
	else
		fprintf(out, " %.3f %s", value / 1000.0, unit);
}

static void tell_values(struct story *story)
{
	const struct battery *now = &story->now;
	const int64_t ms = story->input.now_ms - story->first_ms;

	if (story->begun && story->input.now_ms - story->told_ms < TELL_MS)
		return;
	story->told_ms = story->input.now_ms;
	fprintf(story->out, "%6lld.%03d  =", (long long)(ms / 1000), (int)(ms % 1000));
	print_value(story->out, now->voltage_mv, "V");
	print_value(story->out, now->current_ma, "A");
	print_value(story->out, now->soc_mpct, "%");
	fputs(" | charge", story->out);
	print_value(story->out, now->charge_current_limit_ma, "A");
	print_value(story->out, now->charge_voltage_limit_mv, "V");
	fputs(" | discharge", story->out);
	print_value(story->out, now->discharge_current_limit_ma, "A");
	print_value(story->out, now->discharge_voltage_limit_mv, "V");
	fprintf(story->out, " | %s, %d packs\n", unit_word(UNIT_BATTERY_STATE, now->state),
		(int)now->packs_online);
}

static void step(struct story *story)
{
	if (!story->begun)
		story->first_ms = story->input.now_ms;
	fusion_step(story->fusion, &story->input, &story->now);
	tell_packs(story);
	if (story->now.state != story->before.state)
		tell(story, "battery: %s", unit_word(UNIT_BATTERY_STATE, story->now.state));
	tell_alarms(story, "battery", "protection", story->before.protections,
		    story->now.protections);
	tell_alarms(story, "battery", "warning", story->before.warnings, story->now.warnings);
	tell_reasons(story);
	tell_values(story);
	story->before = story->now;
	story->begun = true;
}

int replay_tell(FILE *log, const struct fusion_config *config, FILE *out)
{
	struct story *story = calloc(1, sizeof *story);
	char *text = NULL;
	size_t room = 0;
	ssize_t length;
	int status = -1;

	if (!story)
		return -1;
	story->fusion = calloc(1, fusion_size());
	if (story->fusion) {
		story->out = out;
		story->reader.complaints = stderr;
		battery_clear(&story->before);
		fusion_init(story->fusion, config);
		while ((length = getline(&text, &room, log)) >= 0) {
			sample_log_read(&story->reader, text, (size_t)length, &story->input);
			step(story);
		}
		status = ferror(out) ? -1 : 0;
	}
	free(text);
	free(story->fusion);
	free(story);
	return status;
}

/* --- comparing --- */

/* Length of the line at `at`, without its end; `*next` moves behind it. */
static int line_at(const char *at, const char **next)
{
	const size_t length = strcspn(at, "\n");

	*next = at + length + (at[length] == '\n');
	return (int)length;
}

static bool find_difference(const char *wanted, const char *got, const char *expect,
			    FILE *complaints)
{
	for (int number = 1; *wanted || *got; number++) {
		const char *wanted_line = wanted, *got_line = got;
		const int wanted_length = line_at(wanted, &wanted);
		const int got_length = line_at(got, &got);

		if (wanted_length == got_length &&
		    memcmp(wanted_line, got_line, (size_t)got_length) == 0)
			continue;
		fprintf(complaints, "%s:%d: the fusion decides otherwise\n- %.*s\n+ %.*s\n", expect,
			number, wanted_length, wanted_line, got_length, got_line);
		return true;
	}
	return false;
}

static char *read_whole(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (!file)
		return NULL;
	if (getdelim(&text, &room, '\0', file) < 0 && !ferror(file)) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	return text;
}

int replay_compare(FILE *log, const struct fusion_config *config, const char *expect,
		   FILE *complaints)
{
	char *wanted = read_whole(expect), *got = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&got, &size);
	int status = 1;

	if (!wanted || !out) {
		fprintf(complaints, "%s: %s\n", expect, strerror(errno));
		goto out;
	}
	if (replay_tell(log, config, out) < 0 || fclose(out) == EOF) {
		fputs("out of memory\n", complaints);
		out = NULL;
		goto out;
	}
	out = NULL;
	status = find_difference(wanted, got, expect, complaints);
out:
	if (out)
		fclose(out);
	free(wanted);
	free(got);
	return status;
}
