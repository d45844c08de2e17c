// SPDX-License-Identifier: Apache-2.0
/* The forms of a time, one after another. */
#include "why_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY_S 86400

/* "14:03", "14:03:20" into the fields; what follows, or NULL. */
static const char *read_clock(const char *text, struct tm *fields)
{
	int used = 0;

	fields->tm_sec = 0;
	if (sscanf(text, "%2d:%2d%n", &fields->tm_hour, &fields->tm_min, &used) != 2)
		return NULL;
	text += used;
	if (*text == ':') {
		if (sscanf(text, ":%2d%n", &fields->tm_sec, &used) != 1)
			return NULL;
		text += used;
	}
	if (fields->tm_hour < 0 || fields->tm_hour > 23 || fields->tm_min < 0 ||
	    fields->tm_min > 59 || fields->tm_sec < 0 || fields->tm_sec > 60)
		return NULL;
	return text;
}

static bool read_today(const char *text, int64_t now_s, int64_t *out)
{
	const time_t now = (time_t)now_s;
	struct tm fields;
	const char *rest;

	localtime_r(&now, &fields);
	rest = read_clock(text, &fields);
	if (!rest || *rest)
		return false;
	fields.tm_isdst = -1;
	*out = (int64_t)mktime(&fields);
	if (*out > now_s) { /* yesterday; a day may have 23 or 25 hours */
		fields.tm_mday--;
		fields.tm_isdst = -1;
		*out = (int64_t)mktime(&fields);
	}
	return true;
}

static bool read_date(const char *text, int64_t *out)
{
	struct tm fields = {.tm_isdst = -1};
	const char *rest;
	int used = 0;

	if (sscanf(text, "%4d-%2d-%2d%n", &fields.tm_year, &fields.tm_mon, &fields.tm_mday,
		   &used) != 3 ||
	    (text[used] != ' ' && text[used] != 'T'))
		return false;
	rest = read_clock(text + used + 1, &fields);
	if (!rest || fields.tm_year < 1970 || fields.tm_mon < 1 || fields.tm_mon > 12 ||
	    fields.tm_mday < 1 || fields.tm_mday > 31)
		return false;
	fields.tm_year -= 1900;
	fields.tm_mon -= 1;
	if (strcmp(rest, "Z") == 0)
		*out = (int64_t)timegm(&fields);
	else if (!*rest)
		*out = (int64_t)mktime(&fields);
	else
		return false;
	return true;
}

static bool read_ago(const char *text, int64_t now_s, int64_t *out)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}};
	char *rest;
	long number;

	if (text[0] != '-')
		return false;
	number = strtol(text + 1, &rest, 10);
	if (rest == text + 1 || number < 0 || number > 1000000)
		return false;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (rest[0] == units[i].letter && !rest[1]) {
			*out = now_s - number * units[i].seconds;
			return true;
		}
	return false;
}

static bool read_seconds(const char *text, int64_t *out)
{
	char *rest;
	const long long number = strtoll(text, &rest, 10);

	if (rest == text || *rest || number < 0 || strlen(text) > 11)
		return false;
	*out = number;
	return true;
}

bool why_parse_time(const char *text, int64_t now_s, int64_t *out)
{
	return read_today(text, now_s, out) || read_date(text, out) || read_ago(text, now_s, out) ||
	       read_seconds(text, out);
}
