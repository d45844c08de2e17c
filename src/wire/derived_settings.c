// SPDX-License-Identifier: Apache-2.0
/* The settings of the packs' BMS as values of the battery: for each name of the settings table the
 * lowest and the highest over the packs. Inverters that ask for thresholds get those that the packs
 * work with. What is read goes to the settings of the first pack. */
#include "derived.h"

#define OFFSET(name, unit) offsetof(struct pack, settings.FIELD_MEMBER(name, unit))

#define X(name, unit, meaning)                                                        \
	static int32_t get_lowest_##name(const struct layout *at)                     \
	{                                                                             \
		return derived_extreme(battery_of(at), OFFSET(name, unit), 1);        \
	}                                                                             \
	static int32_t get_highest_##name(const struct layout *at)                    \
	{                                                                             \
		return derived_extreme(battery_of(at), OFFSET(name, unit), -1);       \
	}                                                                             \
	static void set_##name(const struct layout *at, int32_t value)                \
	{                                                                             \
		derived_pack_to_write(at)->settings.FIELD_MEMBER(name, unit) = value; \
	}
ONEPACK_SETTING_FIELDS(X)
#undef X

const struct derived derived_settings[] = {
#define X(name, unit, meaning)                                                               \
	{{"lowest_" #name, UNIT_##unit, NO_MEMBER, get_lowest_##name, set_##name},           \
	 -1,                                                                                 \
	 "lowest setting of the packs"},                                                     \
		{{"highest_" #name, UNIT_##unit, NO_MEMBER, get_highest_##name, set_##name}, \
		 -1,                                                                         \
		 "highest setting of the packs"},
	ONEPACK_SETTING_FIELDS(X)
#undef X
		{{NULL, 0, 0, NULL, NULL}, -1, NULL},
};
