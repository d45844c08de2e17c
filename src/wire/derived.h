// SPDX-License-Identifier: Apache-2.0
/* Names that protocol files may use besides the vocabulary, in tables of one row each; what the
 * files that make them share. */
#pragma once

#include "layout.h"

struct derived {
	struct quantity quantity;
	int repeat;          /* exists only inside this `repeat:`, -1 = everywhere */
	const char *meaning; /* one line */
};

/* Each ends with a row without a name. */
extern const struct derived derived_limits[], derived_battery[], derived_serial[],
	derived_settings[], derived_pack[], derived_any[];

static inline const struct battery *battery_of(const struct layout *at)
{
	return at->source;
}

static inline const struct pack *pack_of(const struct layout *at)
{
	return at->source;
}

static inline bool known(int32_t value)
{
	return value != FIELD_UNKNOWN;
}

static inline int32_t known_or(int32_t value, int32_t other)
{
	return known(value) ? value : other;
}

static inline int32_t narrow(int64_t value)
{
	if (value > INT32_MAX)
		return INT32_MAX;
	return value < -INT32_MAX ? -INT32_MAX : (int32_t)value;
}

static inline int32_t difference(int32_t high, int32_t low)
{
	return known(high) && known(low) ? narrow((int64_t)high - low) : FIELD_UNKNOWN;
}

/* Charge and discharge as two magnitudes, of a battery or a pack. */
int32_t derived_charge_current(const struct layout *at);
int32_t derived_discharge_current(const struct layout *at);
void derived_set_charge_current(const struct layout *at, int32_t value);
void derived_set_discharge_current(const struct layout *at, int32_t value);

/* Bit 0 for the first cell that is known, of a battery or a pack. */
int32_t derived_cells_present(const struct layout *at);

/* The least (sign 1) or the greatest (sign -1) of an int32_t at that place of struct pack, over the
 * packs that know it. */
int32_t derived_extreme(const struct battery *battery, size_t offset, int sign);

/* The pack that is read into: of a battery seen as one pack, its first. */
struct pack *derived_pack_to_write(const struct layout *at);
