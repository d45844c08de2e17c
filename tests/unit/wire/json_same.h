// SPDX-License-Identifier: Apache-2.0
/* Equality of JSON values where 1 and 1.0 are the same number. */
#pragma once

#include <jansson.h>
#include <math.h>
#include <stdbool.h>

static inline bool json_same(const json_t *a, const json_t *b)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_number(a) && json_is_number(b))
		return fabs(json_number_value(a) - json_number_value(b)) < 1e-9;
	if (json_is_array(a) && json_array_size(a) == json_array_size(b)) {
		json_array_foreach(a, i, value)
		{
			if (!json_same(value, json_array_get(b, i)))
				return false;
		}
		return true;
	}
	if (!json_is_object(a))
		return json_equal(a, b);
	json_object_foreach((json_t *)a, key, value)
	{
		if (!json_same(value, json_object_get(b, key)))
			return false;
	}
	return json_object_size(a) == json_object_size(b);
}
