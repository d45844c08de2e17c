// SPDX-License-Identifier: Apache-2.0
/* Protections as JK packs have them: a trip level, a delay, and a release level or time for each.
 * The preset values are those of the LFP column in captures of such packs. Left out: short circuit,
 * pre-charge, heating, smart sleep. */
#include "bms.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SECONDS_PER_HOUR 3600.0
#define VOLTAGE_DELAY_S  1.0  /* a cell must be out of bounds for this long */
#define HEAT_DELAY_S     3.0  /* a temperature, for this long */
#define POWER_OFF_S      10.0 /* below the power-off voltage until the pack leaves */
#define CELL_NOISE_V     0.0005
#define CURRENT_NOISE_A  0.03
#define HEAT_NOISE_C     0.1
#define LEAK_A           0.001
#define CURRENT_GAIN     0.003 /* error of the current sensor, full width */
#define CURRENT_OFFSET_A 0.05
#define WAKE_V           0.5  /* a charger this far above the pack wakes it */
#define PACK_HEADROOM_V  0.02 /* per cell: the pack trips after its cells would */

/* A protection that compares one measured value with two levels. Above `trip` is bad when the
 * release lies below it, otherwise below is bad. */
struct guard {
	enum alarm alarm;
	bool blocks_charge, blocks_discharge;
	double value, trip, release, delay_s;
};

static double volts(int32_t mv)
{
	return mv / 1000.0;
}

static double celsius(int32_t mC)
{
	return mC / 1000.0;
}

static double lowest_v(const struct bms *bms)
{
	return bms->cells_v[bms->low_cell];
}

static double highest_v(const struct bms *bms)
{
	return bms->cells_v[bms->high_cell];
}

static void preset(struct pack_settings *s, int cell_count, double capacity_ah)
{
	*s = (struct pack_settings){
		.smart_sleep_cell_mv = 3500,
		.cell_undervoltage_mv = 2580,
		.cell_undervoltage_release_mv = 2620,
		.cell_overvoltage_mv = 3650,
		.cell_overvoltage_release_mv = 3580,
		.balance_trigger_mv = 10,
		.soc_full_cell_mv = 3590,
		.soc_empty_cell_mv = 2600,
		.charge_cell_mv = 3600,
		.float_cell_mv = 3500,
		.power_off_cell_mv = 2500,
		.charge_overcurrent_ma = 40000,
		.charge_overcurrent_delay_ms = 3000,
		.charge_overcurrent_release_ms = 60000,
		.discharge_overcurrent_ma = 150000,
		.discharge_overcurrent_delay_ms = 300000,
		.discharge_overcurrent_release_ms = 60000,
		.short_circuit_release_ms = 5000,
		.short_circuit_delay_us = 1500,
		.balance_current_max_ma = 1000,
		.balance_start_cell_mv = 3000,
		.charge_overtemperature_mC = 70000,
		.charge_overtemperature_release_mC = 60000,
		.discharge_overtemperature_mC = 70000,
		.discharge_overtemperature_release_mC = 60000,
		.charge_undertemperature_mC = 2000,
		.charge_undertemperature_release_mC = 7000,
		.mos_overtemperature_mC = 80000,
		.mos_overtemperature_release_mC = 70000,
		.cell_count = cell_count,
		.charge_switch = 1,
		.discharge_switch = 1,
		.balance_switch = 1,
		.heating_switch = 0,
		.design_capacity_mah = (int32_t)lround(capacity_ah * 1000),
		.device_address = FIELD_UNKNOWN,
		.precharge_time_ms = 0,
		.smart_sleep_delay_ms = 24 * 3600 * 1000,
	};
}

void bms_init(struct bms *bms, int number, int cell_count, double capacity_ah, double soc,
	      struct sim_random *random)
{
	memset(bms, 0, sizeof *bms);
	preset(&bms->settings, cell_count, capacity_ah);
	bms->powered = bms->charge_mos = bms->discharge_mos = true;
	bms->cell_count = cell_count;
	bms->haste = 1;
	bms->full_ah = capacity_ah;
	bms->counted_ah = soc * capacity_ah;
	bms->cycled_ah = capacity_ah * (60 + sim_random_spread(random, 5));
	bms->current_gain = 1 + sim_random_spread(random, CURRENT_GAIN);
	bms->current_offset_a = sim_random_spread(random, CURRENT_OFFSET_A);
	snprintf(bms->serial, sizeof bms->serial, "40119%06d", 490000 + number);
}

static double measured_current_a(const struct bms *bms, double current_a, struct sim_random *random)
{
	/* What leaks through open switches is below what the sensor shows. */
	if (fabs(current_a) < LEAK_A)
		return 0;
	return current_a * bms->current_gain + bms->current_offset_a +
	       sim_random_spread(random, CURRENT_NOISE_A);
}

static bool is_faulty_cell(const struct bms_faults *faults, int index)
{
	return faults->cell == 0 || faults->cell == index + 1;
}

/* The noise is drawn whether a sensor stands still or not, so that a fault changes nothing else. */
static void measure(struct bms *bms, const struct bms_input *in, struct sim_random *random)
{
	const struct bms_faults *faults = &bms->faults;
	double current_a, cell_c, mos_c;

	bms->cell_count = in->cell_count;
	bms->voltage_v = 0;
	bms->low_cell = bms->high_cell = 0;
	for (int i = 0; i < in->cell_count; i++) {
		double v = in->cells_v[i] + sim_random_spread(random, CELL_NOISE_V);

		if (is_faulty_cell(faults, i))
			v = faults->cells_frozen ? bms->cells_v[i] : v + faults->cells_v;
		bms->cells_v[i] = v;
		bms->voltage_v += v;
		if (v > highest_v(bms))
			bms->high_cell = i;
		if (v < lowest_v(bms))
			bms->low_cell = i;
	}
	current_a = measured_current_a(bms, in->current_a, random);
	if (!faults->current_frozen)
		bms->current_a = current_a * (1 + faults->current_part) + faults->current_a;
	cell_c = in->cell_c + sim_random_spread(random, HEAT_NOISE_C);
	mos_c = in->mos_c + sim_random_spread(random, HEAT_NOISE_C);
	if (!faults->heat_frozen) {
		bms->cell_c = cell_c + faults->heat_k;
		bms->mos_c = mos_c + faults->heat_k;
	}
	bms->spike = SPIKE_NONE;
	if (sim_random_chance(random, faults->spike_ppm))
		bms->spike = 1 + (enum bms_spike)(sim_random_next(random) % (SPIKE_KINDS - 1));
}

static void count_charge(struct bms *bms, double dt_s)
{
	double moved_ah = bms->haste * bms->current_a * dt_s / SECONDS_PER_HOUR;
	double mean_v = bms->voltage_v / bms->cell_count;

	if (bms->faults.soc_frozen)
		return;
	bms->counted_ah = fmin(fmax(bms->counted_ah + moved_ah, 0), bms->full_ah);
	if (moved_ah > 0)
		bms->cycled_ah += moved_ah;
	if (mean_v >= volts(bms->settings.soc_full_cell_mv))
		bms->counted_ah = bms->full_ah;
	if (lowest_v(bms) <= volts(bms->settings.soc_empty_cell_mv))
		bms->counted_ah = 0;
}

/* A condition must hold for its delay to act, and the timer tells since when it acts. */
static bool timer_step(struct bms_timer *timer, bool bad, bool released, double delay_s,
		       double dt_s)
{
	if (timer->active) {
		timer->held_s += dt_s;
		if (released)
			*timer = (struct bms_timer){0};
		return timer->active;
	}
	timer->held_s = bad ? timer->held_s + dt_s : 0;
	if (bad && timer->held_s >= delay_s)
		*timer = (struct bms_timer){.active = true};
	return timer->active;
}

/* Over-current acts after its delay and tries again after its release time. */
static bool overcurrent_step(struct bms_timer *timer, double current_a, int32_t limit_ma,
			     int32_t delay_ms, int32_t release_ms, double dt_s)
{
	return timer_step(timer, current_a > limit_ma / 1000.0,
			  timer->held_s >= release_ms / 1000.0, delay_ms / 1000.0, dt_s);
}

static void list_guards(const struct bms *bms, struct guard guards[BMS_GUARDS])
{
	const struct pack_settings *s = &bms->settings;
	double low_v = lowest_v(bms);
	double high_v = highest_v(bms);
	double mean_v = bms->voltage_v / bms->cell_count;
	const struct guard list[BMS_GUARDS] = {
		{ALARM_cell_overvoltage, true, false, high_v, volts(s->cell_overvoltage_mv),
		 volts(s->cell_overvoltage_release_mv), VOLTAGE_DELAY_S},
		{ALARM_cell_undervoltage, false, true, low_v, volts(s->cell_undervoltage_mv),
		 volts(s->cell_undervoltage_release_mv), VOLTAGE_DELAY_S},
		{ALARM_pack_overvoltage, true, false, mean_v,
		 volts(s->cell_overvoltage_mv) + PACK_HEADROOM_V,
		 volts(s->cell_overvoltage_release_mv), VOLTAGE_DELAY_S},
		{ALARM_pack_undervoltage, false, true, mean_v,
		 volts(s->cell_undervoltage_mv) - PACK_HEADROOM_V,
		 volts(s->cell_undervoltage_release_mv), VOLTAGE_DELAY_S},
		{ALARM_charge_overtemperature, true, false, bms->cell_c,
		 celsius(s->charge_overtemperature_mC),
		 celsius(s->charge_overtemperature_release_mC), HEAT_DELAY_S},
		{ALARM_charge_undertemperature, true, false, bms->cell_c,
		 celsius(s->charge_undertemperature_mC),
		 celsius(s->charge_undertemperature_release_mC), HEAT_DELAY_S},
		{ALARM_discharge_overtemperature, false, true, bms->cell_c,
		 celsius(s->discharge_overtemperature_mC),
		 celsius(s->discharge_overtemperature_release_mC), HEAT_DELAY_S},
		{ALARM_mos_overtemperature, true, true, bms->mos_c,
		 celsius(s->mos_overtemperature_mC), celsius(s->mos_overtemperature_release_mC),
		 HEAT_DELAY_S},
	};

	memcpy(guards, list, sizeof list);
}

static void protect(struct bms *bms, double dt_s)
{
	const struct pack_settings *s = &bms->settings;
	struct guard guards[BMS_GUARDS];
	bool charge = s->charge_switch == 1 && !bms->faults.keep_charge_open;
	bool discharge = s->discharge_switch == 1 && !bms->faults.keep_discharge_open;

	bms->protections = 0;
	list_guards(bms, guards);
	for (int i = 0; i < BMS_GUARDS; i++) {
		const struct guard *g = &guards[i];
		bool high = g->release <= g->trip;
		bool bad = high ? g->value >= g->trip : g->value <= g->trip;
		bool released = high ? g->value < g->release : g->value > g->release;

		if (!timer_step(&bms->guard[i], bad, released, g->delay_s, dt_s))
			continue;
		bms->protections |= ALARM_BIT(g->alarm);
		charge = charge && !g->blocks_charge;
		discharge = discharge && !g->blocks_discharge;
	}
	if (overcurrent_step(&bms->charge_overcurrent, bms->current_a, s->charge_overcurrent_ma,
			     s->charge_overcurrent_delay_ms, s->charge_overcurrent_release_ms,
			     dt_s)) {
		bms->protections |= ALARM_BIT(ALARM_charge_overcurrent);
		charge = false;
	}
	if (overcurrent_step(&bms->discharge_overcurrent, -bms->current_a,
			     s->discharge_overcurrent_ma, s->discharge_overcurrent_delay_ms,
			     s->discharge_overcurrent_release_ms, dt_s)) {
		bms->protections |= ALARM_BIT(ALARM_discharge_overcurrent);
		discharge = false;
	}
	bms->ever_protections |= bms->protections;
	bms->charge_mos = charge;
	bms->discharge_mos = discharge;
}

/* Empty cells switch the pack off; a charger on the bus wakes it. */
static void power(struct bms *bms, const struct bms_input *in, double dt_s)
{
	bool empty = lowest_v(bms) < volts(bms->settings.power_off_cell_mv);
	bool charger = in->bus_v > bms->voltage_v + WAKE_V;

	bms->powered = !timer_step(&bms->power_off, empty && !charger, charger, POWER_OFF_S, dt_s);
	if (!bms->powered)
		bms->charge_mos = bms->discharge_mos = bms->balancing = false;
}

/* Moves charge from the highest cell to the lowest, as an active balancer does. */
static void balance(struct bms *bms)
{
	const struct pack_settings *s = &bms->settings;
	bms->balancing = s->balance_switch == 1 &&
			 highest_v(bms) >= volts(s->balance_start_cell_mv) &&
			 highest_v(bms) - lowest_v(bms) >= volts(s->balance_trigger_mv);
	bms->balance_from = bms->high_cell;
	bms->balance_to = bms->low_cell;
	bms->balance_a = bms->balancing ? s->balance_current_max_ma / 1000.0 : 0;
}

void bms_set_faults(struct bms *bms, const struct bms_faults *faults)
{
	if (faults->report_frozen && !bms->faults.report_frozen)
		bms_report(bms, &bms->frozen);
	bms->faults = *faults;
}

void bms_step(struct bms *bms, const struct bms_input *in, double dt_s, struct sim_random *random)
{
	measure(bms, in, random);
	count_charge(bms, dt_s);
	protect(bms, dt_s);
	balance(bms);
	power(bms, in, dt_s);
}

static int32_t milli(double value)
{
	return (int32_t)lround(value * 1000);
}

static void report_sensors(const struct bms *bms, struct pack *out)
{
	/* Probes sit at different places of the pack. */
	static const double place_c[] = {0.0, 0.4, 0.7, -0.3};

	out->cell_count = bms->cell_count;
	for (int i = 0; i < bms->cell_count; i++)
		out->cells_mv[i] = milli(bms->cells_v[i]);
	out->temperature_count = (int32_t)(sizeof place_c / sizeof place_c[0]);
	for (int i = 0; i < out->temperature_count; i++)
		out->temperatures_mC[i] = milli(bms->cell_c + place_c[i]) / 100 * 100;
	out->mos_temperature_mC = milli(bms->mos_c) / 100 * 100;
}

/* Readings as owners report them from packs whose other values are fine. */
static void report_spike(enum bms_spike spike, struct pack *out)
{
	switch (spike) {
	case SPIKE_SOC_0: out->soc_mpct = out->remaining_mah = 0; break;
	case SPIKE_CURRENT: out->current_ma = -655350; break;
	case SPIKE_CELL_0: out->cells_mv[0] = 0; break;
	case SPIKE_CELL_HIGH: out->cells_mv[0] = 4200; break;
	case SPIKE_COLD: out->temperatures_mC[0] = -40000; break;
	case SPIKE_NONE:
	case SPIKE_KINDS: break;
	}
}

void bms_report(const struct bms *bms, struct pack *out)
{
	const struct pack_settings *s = &bms->settings;
	double charge_ah = bms->counted_ah + bms->faults.soc_pct / 100 * bms->full_ah;

	if (bms->faults.report_frozen) {
		*out = bms->frozen;
		return;
	}
	charge_ah = fmin(fmax(charge_ah, 0), bms->full_ah);
	pack_clear(out);
	report_sensors(bms, out);
	out->voltage_mv = milli(bms->voltage_v);
	out->current_ma = milli(bms->current_a);
	out->soc_mpct = (int32_t)(100 * charge_ah / bms->full_ah) * 1000;
	out->soh_mpct = 100000;
	out->capacity_mah = milli(bms->full_ah);
	out->remaining_mah = milli(charge_ah);
	out->cycles = (int32_t)(bms->cycled_ah / bms->full_ah);
	out->charge_voltage_limit_mv = s->charge_cell_mv * bms->cell_count;
	out->discharge_voltage_limit_mv = s->soc_empty_cell_mv * bms->cell_count;
	out->charge_current_limit_ma = s->charge_overcurrent_ma;
	out->discharge_current_limit_ma = s->discharge_overcurrent_ma;
	out->charge_mos = bms->charge_mos && !bms->faults.limits_charge;
	out->discharge_mos = bms->discharge_mos;
	out->precharge = 0;
	out->heater = 0;
	out->balancing = bms->balancing;
	out->balance_current_ma = milli(bms->balance_a);
	out->protections = bms->protections;
	out->settings = *s;
	memcpy(out->serial, bms->serial, sizeof out->serial);
	strcpy(out->model, "JK_PB2A16S20P");
	strcpy(out->hardware_version, "15A");
	strcpy(out->firmware_version, "15.41");
	report_spike(bms->spike, out);
}
