// SPDX-License-Identifier: Apache-2.0
/* What a name in a protocol file means: derived values first, then the vocabulary. */
#include <string.h>

#include "derived.h"

/* The tables of a scope, NULL-terminated. */
static const struct derived *const *tables_of(enum scope scope)
{
	static const struct derived *const of_battery[] = {derived_limits,   derived_battery,
							   derived_serial,   derived_any,
							   derived_settings, NULL},
					   *const of_pack[] = {derived_pack, derived_any, NULL},
					   *const of_inverter[] = {derived_any, NULL};

	switch (scope) {
	case SCOPE_BATTERY: return of_battery;
	case SCOPE_PACK: return of_pack;
	case SCOPE_INVERTER: break;
	}
	return of_inverter;
}

/* The n-th row of a scope, NULL behind the last. */
static const struct derived *row_of(enum scope scope, int n)
{
	for (const struct derived *const *table = tables_of(scope); *table; table++)
		for (const struct derived *row = *table; row->quantity.name; row++)
			if (n-- == 0)
				return row;
	return NULL;
}

static bool find_field(const char *name, const struct field_table *table, size_t base,
		       struct quantity *out)
{
	const struct field *field = field_find(table, name);

	if (field)
		*out = (struct quantity){field->name, field->unit, base + field->offset, NULL,
					 NULL};
	return field != NULL;
}

bool quantity_find(const char *name, enum scope scope, int repeat, struct quantity *out)
{
	const struct derived *row;

	for (int i = 0; (row = row_of(scope, i)); i++) {
		if (strcmp(row->quantity.name, name) != 0 ||
		    (row->repeat >= 0 && row->repeat != repeat))
			continue;
		*out = row->quantity;
		return true;
	}
	switch (scope) {
	case SCOPE_BATTERY: return find_field(name, &field_battery, 0, out);
	case SCOPE_INVERTER: return find_field(name, &field_inverter, 0, out);
	case SCOPE_PACK: break;
	}
	return find_field(name, &field_pack, 0, out) ||
	       find_field(name, &field_settings, offsetof(struct pack, settings), out);
}

const char *quantity_derived(enum scope scope, int n, const char **meaning)
{
	const struct derived *row = row_of(scope, n);

	if (row)
		*meaning = row->meaning;
	return row ? row->quantity.name : NULL;
}
