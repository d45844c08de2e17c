// SPDX-License-Identifier: Apache-2.0
/* A limit that was never said is zero, and a charge voltage that was never said forbids charging:
 * an inverter without a battery's word does nothing. Three seconds are what a Victron GX waits;
 * other brands wait longer, so a gateway that satisfies this one satisfies them.
 *
 * It does not overshoot, ignore zero or restart: such inverters are faults for later. */
#include "inverter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define RISE_A_PER_S 200.0
#define FALL_A_PER_S 2000.0 /* stops a full rack in less than half a second */
#define LOWEST_BUS_V 40.0   /* of the machine itself, if the battery says nothing */

void sim_inverter_init(struct sim_inverter *inverter, const struct wire *wire)
{
	memset(inverter, 0, sizeof *inverter);
	inverter->wire = wire;
	wire_context_init(wire, &inverter->ctx);
	wire_values_clear(&inverter->believed);
	inverter->limits_ms = INVERTER_NEVER;
	inverter->lost_ms = INVERTER_LOST_MS;
}

void sim_inverter_listen(const struct sim_inverter *inverter, struct wire_values *said)
{
	*said = inverter->believed;
	said->battery.charge_current_limit_ma = FIELD_UNKNOWN;
	said->battery.discharge_current_limit_ma = FIELD_UNKNOWN;
}

/* Puts a value that was not said now back in place; true if it was said. */
static bool keep(int32_t *said, int32_t believed)
{
	if (*said != FIELD_UNKNOWN)
		return true;
	*said = believed;
	return false;
}

void sim_inverter_heard(struct sim_inverter *inverter, const struct wire_values *said,
			int64_t now_ms)
{
	struct battery *old = &inverter->believed.battery;
	int32_t charge_ma = said->battery.charge_current_limit_ma;
	int32_t discharge_ma = said->battery.discharge_current_limit_ma;
	bool charge_said = keep(&charge_ma, old->charge_current_limit_ma);
	bool discharge_said = keep(&discharge_ma, old->discharge_current_limit_ma);

	inverter->understood++;
	inverter->believed = *said;
	old->charge_current_limit_ma = charge_ma;
	old->discharge_current_limit_ma = discharge_ma;
	if (charge_said || discharge_said)
		inverter->limits_ms = now_ms;
}

bool sim_inverter_is_fed(const struct sim_inverter *inverter, int64_t now_ms)
{
	return inverter->limits_ms != INVERTER_NEVER &&
	       now_ms - inverter->limits_ms < inverter->lost_ms;
}

static double limit_a(int32_t limit_ma, int32_t allowed)
{
	return limit_ma == FIELD_UNKNOWN || allowed == 0 ? 0 : fabs(limit_ma / 1000.0);
}

static double towards(double from, double to, double dt_s)
{
	bool falls = fabs(to) < fabs(from) || from * to < 0;
	double step = (falls ? FALL_A_PER_S : RISE_A_PER_S) * dt_s;

	return from + fmax(-step, fmin(step, to - from));
}

struct plant_demand sim_inverter_demand(struct sim_inverter *inverter, double wish_a,
					int64_t now_ms, double dt_s)
{
	const struct battery *b = &inverter->believed.battery;
	struct plant_demand demand = {.discharge_voltage_v = LOWEST_BUS_V};
	double charge_a = limit_a(b->charge_current_limit_ma, b->charge_allowed);
	double discharge_a = limit_a(b->discharge_current_limit_ma, b->discharge_allowed);

	if (b->charge_voltage_limit_mv == FIELD_UNKNOWN)
		charge_a = 0;
	else
		demand.charge_voltage_v = b->charge_voltage_limit_mv / 1000.0;
	if (b->discharge_voltage_limit_mv != FIELD_UNKNOWN)
		demand.discharge_voltage_v = b->discharge_voltage_limit_mv / 1000.0;
	if (!sim_inverter_is_fed(inverter, now_ms))
		charge_a = discharge_a = 0;
	inverter->current_a =
		towards(inverter->current_a, fmax(-discharge_a, fmin(charge_a, wish_a)), dt_s);
	demand.current_a = inverter->current_a;
	return demand;
}

/* "53.2 V", or "?" for what was never said. */
static const char *put(char *text, size_t size, int32_t thousandths, const char *unit)
{
	if (thousandths == FIELD_UNKNOWN)
		snprintf(text, size, "?");
	else
		snprintf(text, size, "%.1f %s", thousandths / 1000.0, unit);
	return text;
}

void sim_inverter_describe(const struct sim_inverter *inverter, int64_t now_ms, char *text,
			   size_t size)
{
	const struct battery *b = &inverter->believed.battery;
	char soc[24], volt[24], cvl[24], ccl[24], dcl[24];

	if (inverter->limits_ms == INVERTER_NEVER) {
		snprintf(text, size, "no battery heard yet");
		return;
	}
	snprintf(text, size,
		 "%s: battery %s, %s; may charge %s up to %s%s, discharge %s%s; wants %+.1f A",
		 sim_inverter_is_fed(inverter, now_ms) ? "connected" : "BATTERY LOST",
		 put(soc, sizeof soc, b->soc_mpct, "%"), put(volt, sizeof volt, b->voltage_mv, "V"),
		 put(ccl, sizeof ccl, b->charge_current_limit_ma, "A"),
		 put(cvl, sizeof cvl, b->charge_voltage_limit_mv, "V"),
		 b->charge_allowed == 0 ? " (blocked)" : "",
		 put(dcl, sizeof dcl, b->discharge_current_limit_ma, "A"),
		 b->discharge_allowed == 0 ? " (blocked)" : "", inverter->current_a);
}
