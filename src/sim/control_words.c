// SPDX-License-Identifier: Apache-2.0
/* The words of a command, turned into numbers, packs and lines; what is wrong with them becomes the
 * answer. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"

void call_say(const struct call *call, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(call->answer, call->size, format, arguments);
	va_end(arguments);
}

void call_ok(const struct call *call)
{
	call_say(call, "ok");
}

/* --- words to values; false = the answer is written --- */

bool call_number(const struct call *call, int word, double low, double high, double *out)
{
	const char *text = word < call->count ? call->words[word] : "";
	char *end;
	double value = strtod(text, &end);

	if (*text == '\0' || *end != '\0' || !(value >= low && value <= high)) {
		call_say(call, "error: '%s' should be a number from %.10g to %.10g; usage: %s",
			 text, low, high, call->usage);
		return false;
	}
	*out = value;
	return true;
}

bool call_integer(const struct call *call, int word, int low, int high, int *out)
{
	double value;

	if (!call_number(call, word, low, high, &value))
		return false;
	if (value != (int)value) {
		call_say(call, "error: '%s' should be a whole number", call->words[word]);
		return false;
	}
	*out = (int)value;
	return true;
}

bool call_pack(const struct call *call, int word, struct sim_pack **out)
{
	int number;

	if (!call_integer(call, word, 1, call->site->plant.pack_count, &number))
		return false;
	*out = &call->site->plant.packs[number - 1];
	return true;
}

bool call_switch(const struct call *call, int word, bool *out)
{
	const char *text = word < call->count ? call->words[word] : "";

	if (strcmp(text, "on") != 0 && strcmp(text, "off") != 0) {
		call_say(call, "error: '%s' should be on or off; usage: %s", text, call->usage);
		return false;
	}
	*out = strcmp(text, "on") == 0;
	return true;
}

bool call_station(const struct call *call, int word, struct call_station *out)
{
	struct site *site = call->site;
	struct site_line *on;
	int pack, line, station;

	if (!call_integer(call, word, 1, site->plant.pack_count, &pack))
		return false;
	site_find(site, pack, &line, &station);
	on = &site->lines[line];
	*out = (struct call_station){0};
	if (site->packs == SITE_JK)
		out->jk = &on->jk.stations[station];
	else
		out->firmware = &on->firmware.stations[station];
	return true;
}

/* The kinds of packs differ in what can be done to them. */
bool call_kind(const struct call *call, enum site_packs kind)
{
	if (call->site->packs == kind)
		return true;
	call_say(call, "error: `%s` is for %s (onepack sim rack --packs %s)", call->words[0],
		 kind == SITE_JK ? "JK packs" : "packs with our firmware",
		 kind == SITE_JK ? "jk" : "onepack");
	return false;
}

bool call_firmware(const struct call *call, int word, struct sim_firmware **out)
{
	struct call_station station;

	if (!call_kind(call, SITE_ONEPACK) || !call_station(call, word, &station))
		return false;
	*out = &station.firmware->firmware;
	return true;
}

/* The next pack line that a command means (all, or the one that word `word` names), or NULL. */
struct site_line *call_next_line(const struct call *call, int word, struct site_line *line)
{
	struct site_line *end = call->site->lines + call->site->line_count;

	for (line = line ? line + 1 : call->site->lines; line < end; line++)
		if (word >= call->count || strcmp(call->words[word], line->name) == 0)
			return line;
	return NULL;
}

bool call_check_line(const struct call *call, int word)
{
	if (call_next_line(call, word, NULL))
		return true;
	call_say(call, "error: there is no pack line '%s'; `status` lists them", call->words[word]);
	return false;
}
