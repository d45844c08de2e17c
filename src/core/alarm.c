// SPDX-License-Identifier: Apache-2.0
/* The alarm table of alarm.h at run time. */
#include "onepack/alarm.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name, *meaning;
} alarms[] = {
#define X(name, meaning) [ALARM_##name] = {#name, meaning},
	ONEPACK_ALARMS(X)
#undef X
};

const char *alarm_name(enum alarm alarm)
{
	return (unsigned)alarm < ALARM_COUNT ? alarms[alarm].name : NULL;
}

const char *alarm_meaning(enum alarm alarm)
{
	return (unsigned)alarm < ALARM_COUNT ? alarms[alarm].meaning : NULL;
}

int alarm_by_name(const char *name)
{
	for (int i = 0; i < ALARM_COUNT; i++)
		if (strcmp(alarms[i].name, name) == 0)
			return i;
	return -1;
}
