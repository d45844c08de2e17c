// SPDX-License-Identifier: Apache-2.0
/* The limits that a battery sends, with the rules that hold for every protocol: no current when
 * blocked or unknown, and a charge voltage that does no harm while nothing may be charged. */
#include "derived.h"

#define LEAST_VOLTAGE_MV 1000
#define NEAR_VOLTAGE_MV  200 /* Victron: a charge voltage further below makes a GX discharge */

bool battery_is_mute(const struct battery *battery)
{
	return battery->state == BATTERY_NO_DATA || (!known(battery->charge_current_limit_ma) &&
						     !known(battery->discharge_current_limit_ma));
}

static bool charge_is_blocked(const struct battery *battery)
{
	return battery->charge_allowed == 0 || !known(battery->charge_current_limit_ma);
}

static bool discharge_is_blocked(const struct battery *battery)
{
	return battery->discharge_allowed == 0 || !known(battery->discharge_current_limit_ma);
}

static int32_t get_charge_current_limit(const struct layout *at)
{
	const struct battery *battery = battery_of(at);

	return charge_is_blocked(battery) || battery->charge_current_limit_ma < 0
		       ? 0
		       : battery->charge_current_limit_ma;
}

static int32_t get_discharge_current_limit(const struct layout *at)
{
	const struct battery *battery = battery_of(at);

	return discharge_is_blocked(battery) || battery->discharge_current_limit_ma < 0
		       ? 0
		       : battery->discharge_current_limit_ma;
}

static int32_t get_charge_allowed(const struct layout *at)
{
	const struct battery *battery = battery_of(at);

	return battery->charge_allowed == 1 && !charge_is_blocked(battery);
}

static int32_t get_discharge_allowed(const struct layout *at)
{
	const struct battery *battery = battery_of(at);

	return battery->discharge_allowed == 1 && !discharge_is_blocked(battery);
}

/* The voltage of the battery, if it can be one. */
static int32_t present_voltage(const struct battery *battery)
{
	return battery->voltage_mv < LEAST_VOLTAGE_MV ? FIELD_UNKNOWN : battery->voltage_mv;
}

static int32_t get_charge_voltage_at_rest(const struct layout *at)
{
	const struct battery *battery = battery_of(at);
	const int32_t limit = battery->charge_voltage_limit_mv, voltage = present_voltage(battery);

	if (charge_is_blocked(battery) && discharge_is_blocked(battery) && known(voltage) &&
	    (!known(limit) || voltage < limit))
		return voltage;
	return limit;
}

static int32_t get_charge_voltage_held(const struct layout *at)
{
	const struct battery *battery = battery_of(at);
	const int32_t voltage = present_voltage(battery);
	int32_t target = battery->charge_voltage_limit_mv;

	if (!known(voltage))
		return target;
	if (!known(target) || (charge_is_blocked(battery) && target > voltage))
		target = voltage;
	return target < (int64_t)voltage - NEAR_VOLTAGE_MV ? voltage - NEAR_VOLTAGE_MV : target;
}

/* For inverters that take a stop of charging from the voltage as well. */
static int32_t get_charge_voltage_stopped(const struct layout *at)
{
	const struct battery *battery = battery_of(at);
	const int32_t limit = battery->charge_voltage_limit_mv, voltage = battery->voltage_mv;

	if (charge_is_blocked(battery) && known(voltage) && (!known(limit) || voltage < limit))
		return voltage;
	return limit;
}

/* For inverters that discharge down to this voltage whatever the discharge limit says. */
static int32_t get_charge_voltage_raised(const struct layout *at)
{
	const struct battery *battery = battery_of(at);
	const int32_t limit = battery->charge_voltage_limit_mv, voltage = battery->voltage_mv;

	if ((charge_is_blocked(battery) || discharge_is_blocked(battery)) && known(voltage) &&
	    (!known(limit) || voltage > limit))
		return voltage;
	return limit;
}

static void set_charge_voltage(const struct layout *at, int32_t value)
{
	((struct battery *)at->target)->charge_voltage_limit_mv = value;
}

#define OF(name) offsetof(struct battery, name)

const struct derived derived_limits[] = {
	{{"charge_current_limit", UNIT_A, OF(charge_current_limit_ma), get_charge_current_limit,
	  NULL},
	 -1,
	 "0 when charging is not allowed or the limit is unknown"},
	{{"discharge_current_limit", UNIT_A, OF(discharge_current_limit_ma),
	  get_discharge_current_limit, NULL},
	 -1,
	 "0 when discharging is not allowed or the limit is unknown"},
	{{"charge_allowed", UNIT_FLAG, OF(charge_allowed), get_charge_allowed, NULL},
	 -1,
	 "no when unknown, or when the limit is"},
	{{"discharge_allowed", UNIT_FLAG, OF(discharge_allowed), get_discharge_allowed, NULL},
	 -1,
	 "no when unknown, or when the limit is"},
	{{"charge_voltage_at_rest", UNIT_V, NO_MEMBER, get_charge_voltage_at_rest,
	  set_charge_voltage},
	 -1,
	 "charge_voltage_limit; the present voltage, if lower, while both directions are blocked"},
	{{"charge_voltage_held", UNIT_V, NO_MEMBER, get_charge_voltage_held, set_charge_voltage},
	 -1,
	 "charge_voltage_limit, at most the present voltage while charging is blocked, and never more than 0.2 V below it"},
	{{"charge_voltage_stopped", UNIT_V, NO_MEMBER, get_charge_voltage_stopped,
	  set_charge_voltage},
	 -1,
	 "charge_voltage_limit; the present voltage, if lower, while charging is blocked"},
	{{"charge_voltage_raised", UNIT_V, NO_MEMBER, get_charge_voltage_raised,
	  set_charge_voltage},
	 -1,
	 "charge_voltage_limit; the present voltage, if higher, while a direction is blocked"},
	{{NULL, 0, 0, NULL, NULL}, -1, NULL},
};
