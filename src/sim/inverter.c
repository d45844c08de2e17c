// SPDX-License-Identifier: Apache-2.0
/* A limit that was never said is zero, and a charge voltage that was never said forbids charging:
 * an inverter without a battery's word does nothing. Three seconds are what a Victron GX waits;
 * other brands wait longer, so a gateway that satisfies this one satisfies them.
 *
 * One that overshoots, ignores zero or restarts is a fault (struct inverter_faults). */
#include "inverter.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define RISE_A_PER_S 200.0
#define FALL_A_PER_S 2000.0 /* stops a full rack in less than half a second */
#define LOWEST_BUS_V 40.0   /* of the machine itself, if the battery says nothing */
#define LOWEST_V     10     /* less or more is no battery of theirs */
#define HIGHEST_V    80
#define DOUBT_MS     3000 /* a complaint stays so long */

void sim_inverter_init(struct sim_inverter *inverter, const struct wire *wire)
{
	struct wire_info info;

	memset(inverter, 0, sizeof *inverter);
	wire_get_info(wire, &info);
	inverter->brand = brand_of(info.id);
	inverter->wire = wire;
	wire_context_init(wire, &inverter->ctx);
	wire_values_clear(&inverter->believed);
	inverter->limits_ms = INVERTER_NEVER;
	inverter->lost_ms = inverter->brand->lost_ms;
	inverter->started_ms = inverter->nonsense_ms = INVERTER_NEVER;
	for (int i = 0; i < BRAND_MAX_NEEDS; i++)
		inverter->need_ms[i] = INVERTER_NEVER;
}

void sim_inverter_set_faults(struct sim_inverter *inverter, const struct inverter_faults *faults)
{
	if (faults->off && !inverter->faults.off) {
		wire_values_clear(&inverter->believed);
		inverter->limits_ms = INVERTER_NEVER;
		inverter->current_a = 0;
	}
	inverter->faults = *faults;
}

void sim_copy_values(struct wire_values *to, const struct wire_values *from)
{
	const size_t packs = (size_t)from->battery.pack_count * sizeof from->battery.packs[0];
	const size_t behind = offsetof(struct wire_values, pack);

	memcpy(&to->battery, &from->battery, offsetof(struct battery, packs) + packs);
	memcpy((char *)to + behind, (const char *)from + behind, sizeof *to - behind);
}

void sim_inverter_listen(const struct sim_inverter *inverter, struct wire_values *said)
{
	sim_copy_values(said, &inverter->believed);
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

void sim_inverter_doubt(struct sim_inverter *inverter, const char *what, int64_t now_ms)
{
	inverter->nonsense_ms = now_ms;
	snprintf(inverter->nonsense, sizeof inverter->nonsense, "%s", what);
}

static bool is_outside(int32_t value, int32_t low, int32_t high)
{
	return value != FIELD_UNKNOWN && (value < low || value > high);
}

/* The fault, other than the brands that do so: each limit on its own, and it counts as heard. */
static void ignore_zero(struct battery *said, const struct battery *old)
{
	if (said->charge_current_limit_ma == 0 || said->charge_allowed == 0) {
		said->charge_current_limit_ma = old->charge_current_limit_ma;
		said->charge_allowed = old->charge_allowed;
	}
	if (said->discharge_current_limit_ma == 0 || said->discharge_allowed == 0) {
		said->discharge_current_limit_ma = old->discharge_current_limit_ma;
		said->discharge_allowed = old->discharge_allowed;
	}
}

/* What a machine of this brand does not believe stays as it was. */
static void doubt_values(struct sim_inverter *inverter, struct battery *said, int64_t now_ms)
{
	const struct brand *brand = inverter->brand;
	const struct battery *old = &inverter->believed.battery;
	char text[INVERTER_TEXT_SIZE];

	if (is_outside(said->charge_voltage_limit_mv, brand->low_mv, brand->high_mv)) {
		snprintf(text, sizeof text, "a charge voltage of %.1f V; the limits before it stay",
			 said->charge_voltage_limit_mv / 1000.0);
		sim_inverter_doubt(inverter, text, now_ms);
		said->charge_voltage_limit_mv = old->charge_voltage_limit_mv;
		said->discharge_voltage_limit_mv = old->discharge_voltage_limit_mv;
		said->charge_current_limit_ma = FIELD_UNKNOWN;
		said->discharge_current_limit_ma = FIELD_UNKNOWN;
	}
	if (is_outside(said->voltage_mv, LOWEST_V * 1000, HIGHEST_V * 1000)) {
		snprintf(text, sizeof text, "a battery of %.1f V", said->voltage_mv / 1000.0);
		sim_inverter_doubt(inverter, text, now_ms);
		said->voltage_mv = old->voltage_mv;
	}
	if (is_outside(said->soc_mpct, 0, 100000)) {
		snprintf(text, sizeof text, "a state of charge of %.1f %%",
			 said->soc_mpct / 1000.0);
		sim_inverter_doubt(inverter, text, now_ms);
		said->soc_mpct = old->soc_mpct;
	}
	if (inverter->faults.ignores_zero)
		ignore_zero(said, old);
	if (brand->ignores_zero && said->charge_current_limit_ma == 0 &&
	    said->discharge_current_limit_ma == 0) {
		sim_inverter_doubt(inverter, "limits that are all zero are ignored", now_ms);
		said->charge_current_limit_ma = FIELD_UNKNOWN;
		said->discharge_current_limit_ma = FIELD_UNKNOWN;
	}
}

static void note_needs(struct sim_inverter *inverter, uint32_t id, int64_t now_ms)
{
	for (int i = 0; i < BRAND_MAX_NEEDS && inverter->brand->needs[i]; i++)
		if (inverter->brand->needs[i] == id)
			inverter->need_ms[i] = now_ms;
}

void sim_inverter_heard(struct sim_inverter *inverter, uint32_t id, struct wire_values *said,
			int64_t now_ms)
{
	const struct brand *brand = inverter->brand;
	const struct battery *old = &inverter->believed.battery;
	struct battery *new = &said->battery;
	bool charge_said, discharge_said;

	if (inverter->faults.off)
		return;
	inverter->understood++;
	note_needs(inverter, id, now_ms);
	doubt_values(inverter, new, now_ms);
	charge_said = keep(&new->charge_current_limit_ma, old->charge_current_limit_ma);
	discharge_said = keep(&new->discharge_current_limit_ma, old->discharge_current_limit_ma);
	sim_copy_values(&inverter->believed, said);
	if (charge_said || discharge_said || brand->own_discharge_ma)
		inverter->limits_ms = now_ms;
}

bool sim_inverter_is_fed(const struct sim_inverter *inverter, int64_t now_ms)
{
	return inverter->limits_ms != INVERTER_NEVER &&
	       now_ms - inverter->limits_ms < inverter->lost_ms;
}

/* `own_ma` is what a machine takes when the protocol cannot say more than yes or no. */
static double limit_a(int32_t limit_ma, int32_t allowed, int32_t own_ma)
{
	if (limit_ma == FIELD_UNKNOWN && allowed == 1)
		limit_ma = own_ma;
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
	const struct brand *brand = inverter->brand;
	double charge_a =
		limit_a(b->charge_current_limit_ma, b->charge_allowed, brand->own_charge_ma);
	double discharge_a = limit_a(b->discharge_current_limit_ma, b->discharge_allowed,
				     brand->own_discharge_ma);

	if (b->charge_voltage_limit_mv != FIELD_UNKNOWN)
		demand.charge_voltage_v = b->charge_voltage_limit_mv / 1000.0;
	else if (brand->own_charge_mv)
		demand.charge_voltage_v = brand->own_charge_mv / 1000.0;
	else
		charge_a = 0;
	if (b->discharge_voltage_limit_mv != FIELD_UNKNOWN)
		demand.discharge_voltage_v = b->discharge_voltage_limit_mv / 1000.0;
	if (!sim_inverter_is_fed(inverter, now_ms))
		charge_a = discharge_a = 0;
	charge_a *= 1 + inverter->faults.overshoot;
	discharge_a *= 1 + inverter->faults.overshoot;
	demand.charge_voltage_v += inverter->faults.overvoltage_v;
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

/* --- complaints --- */

struct complaint {
	inverter_tell *tell;
	void *context;
	const struct brand *brand;
	int count;
};

static void complain(struct complaint *c, const char *code, const char *about)
{
	char text[INVERTER_TEXT_SIZE + 80];

	snprintf(text, sizeof text, "%s: %s%s%s", c->brand->name, code, about ? ": " : "",
		 about ? about : "");
	c->tell(c->context, text);
	c->count++;
}

static bool is_old(const struct sim_inverter *inverter, int64_t heard_ms, int64_t now_ms)
{
	const int64_t since_ms = heard_ms > inverter->started_ms ? heard_ms : inverter->started_ms;

	return now_ms - since_ms >= inverter->lost_ms;
}

static void complain_of_missing(const struct sim_inverter *inverter, int64_t now_ms,
				struct complaint *c)
{
	char text[64];
	bool any = false;

	for (int i = 0; i < BRAND_MAX_NEEDS && c->brand->needs[i]; i++) {
		if (!is_old(inverter, inverter->need_ms[i], now_ms))
			continue;
		snprintf(text, sizeof text, "0x%03X is missing", c->brand->needs[i]);
		complain(c, c->brand->lost, text);
		any = true;
	}
	if (!any && is_old(inverter, inverter->limits_ms, now_ms))
		complain(c, c->brand->lost, "no limits");
}

static void complain_of_orders(const struct sim_inverter *inverter, struct complaint *c)
{
	const struct battery *b = &inverter->believed.battery;

	if (c->brand->no_charge && (b->charge_current_limit_ma == 0 || b->charge_allowed == 0))
		complain(c, c->brand->no_charge, NULL);
	if (c->brand->no_discharge &&
	    (b->discharge_current_limit_ma == 0 || b->discharge_allowed == 0))
		complain(c, c->brand->no_discharge, NULL);
	if (c->brand->must_charge && b->force_charge > FORCE_NONE)
		complain(c, c->brand->must_charge, NULL);
}

int sim_inverter_complain(struct sim_inverter *inverter, int64_t now_ms, inverter_tell *tell,
			  void *context)
{
	struct complaint c = {tell, context, inverter->brand, 0};

	if (inverter->started_ms == INVERTER_NEVER)
		inverter->started_ms = now_ms;
	complain_of_missing(inverter, now_ms, &c);
	if (inverter->nonsense_ms != INVERTER_NEVER && now_ms - inverter->nonsense_ms < DOUBT_MS)
		complain(&c, inverter->brand->nonsense, inverter->nonsense);
	if (sim_inverter_is_fed(inverter, now_ms))
		complain_of_orders(inverter, &c);
	return c.count;
}
