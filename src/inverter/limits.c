// SPDX-License-Identifier: Apache-2.0
/* Comparing limits, and finding their messages; see limits.h. */
#include "limits.h"

#include <string.h>

/* What the inverter is told: nothing is allowed that is not known. */
static int32_t current_ma(int32_t limit_ma, int32_t allowed)
{
	return allowed == 0 || limit_ma == FIELD_UNKNOWN ? 0 : limit_ma;
}

/* The end of discharge; not known is as strict as can be. */
static int32_t end_mv(int32_t limit_mv)
{
	return limit_mv == FIELD_UNKNOWN ? INT32_MAX : limit_mv;
}

bool limits_fell(const struct battery *before, const struct battery *after)
{
	/* FIELD_UNKNOWN is the lowest number: a charge voltage that gets lost counts as fallen. */
	return current_ma(after->charge_current_limit_ma, after->charge_allowed) <
		       current_ma(before->charge_current_limit_ma, before->charge_allowed) ||
	       current_ma(after->discharge_current_limit_ma, after->discharge_allowed) <
		       current_ma(before->discharge_current_limit_ma, before->discharge_allowed) ||
	       after->charge_voltage_limit_mv < before->charge_voltage_limit_mv ||
	       end_mv(after->discharge_voltage_limit_mv) >
		       end_mv(before->discharge_voltage_limit_mv);
}

static void a_battery(struct battery *battery)
{
	battery_clear(battery);
	battery->state = BATTERY_STANDBY;
	battery->voltage_mv = 53000;
	battery->current_ma = 0;
	battery->soc_mpct = 50000;
	battery->soh_mpct = 100000;
	battery->capacity_mah = 280000;
	battery->remaining_mah = 140000;
	battery->temperature_mC = 20000;
	battery->cells_in_series = 16;
	battery->packs_total = 1;
	battery->packs_online = 1;
	battery->charge_voltage_limit_mv = 55000;
	battery->discharge_voltage_limit_mv = 46000;
	battery->charge_current_limit_ma = 100000;
	battery->discharge_current_limit_ma = 100000;
	battery->charge_allowed = 1;
	battery->discharge_allowed = 1;
	battery->force_charge = FORCE_NONE;
	battery->full_charge_request = 0;
}

uint64_t limits_messages(const struct wire *wire, const struct wire_context *ctx)
{
	int count = wire_message_count(wire) < 64 ? wire_message_count(wire) : 64;
	struct battery open;
	struct battery shut;
	uint64_t set = 0;

	a_battery(&open);
	shut = open;
	shut.charge_current_limit_ma = 0;
	shut.discharge_current_limit_ma = 0;
	shut.charge_allowed = 0;
	shut.discharge_allowed = 0;
	for (int i = 0; i < count; i++) {
		struct can_message a = {0};
		struct can_message b = {0};
		struct wire_message_info info;

		wire_get_message(wire, i, &info);
		if (info.from_inverter)
			continue;
		if (wire_encode_can(wire, i, ctx, &open, &a) !=
			    wire_encode_can(wire, i, ctx, &shut, &b) ||
		    memcmp(&a.data, &b.data, sizeof a.data) != 0)
			set |= (uint64_t)1 << i;
	}
	return set;
}
