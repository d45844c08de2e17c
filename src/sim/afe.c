// SPDX-License-Identifier: Apache-2.0
/* Errors of the sensors are those of the other simulated packs (bms.c). A front end of the BQ769x2
 * class has a watchdog for its host; two seconds are a usual setting. */
#include "afe.h"

#include <math.h>
#include <string.h>

#define SILENCE_MS      2000
#define SHORT_A         550.0
#define CELL_NOISE_V    0.0005
#define CURRENT_NOISE_A 0.03
#define HEAT_NOISE_C    0.1
#define CHARGER_V       0.5  /* above the pack */
#define TERMINAL_TAU_S  0.25 /* pre-charging what is on the terminals */
#define DECAY_TAU_S     2.0
#define HEATER_W        250.0
#define BLEED_A         0.1
#define WIRE_DMOHM      50

static int32_t milli(double value)
{
	return (int32_t)lround(value * 1000);
}

static int32_t tenths(double value)
{
	return (int32_t)lround(value * 10);
}

void sim_afe_init(struct sim_afe *afe, struct sim_pack *pack, uint8_t dip)
{
	memset(afe, 0, sizeof *afe);
	afe->dip = dip;
	pack->bare = true;
	pack->bms.charge_mos = pack->bms.discharge_mos = pack->bms.balancing = false;
}

static bool is_closed(const struct sim_pack *pack)
{
	return pack->bms.charge_mos || pack->bms.discharge_mos;
}

static double terminal_v(const struct sim_afe *afe, const struct sim_pack *pack, double bus_v)
{
	if (is_closed(pack))
		return pack->voltage_v;
	return bus_v > 0 && !pack->unplugged ? bus_v : afe->terminal_v;
}

static void measure_heat(const struct sim_afe *afe, const struct sim_pack *pack,
			 struct sim_random *random, struct fw_measurement *out)
{
	static const double place_c[] = {0.0, 0.4, 0.7, -0.3}; /* of the probes in the cells */

	for (int i = 0; i < FW_SENSORS; i++) {
		double here_c = pack->mos_c;

		if (i <= FW_SENSOR_CELL_4)
			here_c = pack->cell_c + place_c[i];
		else if (i == FW_SENSOR_AMBIENT)
			here_c = pack->ambient_c + pack->ambient_k;
		else if (i == FW_SENSOR_BOARD)
			here_c = (pack->mos_c + pack->cell_c) / 2;
		out->temperatures_dC[i] =
			afe->broken_sensors >> i & 1
				? FW_UNKNOWN
				: tenths(here_c + sim_random_spread(random, HEAT_NOISE_C));
	}
}

static uint32_t inputs_of(const struct sim_afe *afe, const struct sim_pack *pack, double at_v)
{
	uint32_t inputs = FW_INPUT_KEY | FW_INPUT_MOS_SENSED;

	if (afe->latched)
		inputs |= FW_INPUT_SHORT_CIRCUIT;
	if (pack->current_a > CURRENT_NOISE_A || at_v > pack->voltage_v + CHARGER_V || afe->charger)
		inputs |= FW_INPUT_CHARGER;
	if (pack->current_a < -CURRENT_NOISE_A)
		inputs |= FW_INPUT_LOAD;
	if (afe->enable)
		inputs |= FW_INPUT_ENABLE;
	if (pack->bms.charge_mos)
		inputs |= FW_INPUT_CHARGE_MOS_CLOSED;
	if (pack->bms.discharge_mos)
		inputs |= FW_INPUT_DISCHARGE_MOS_CLOSED;
	return (inputs | afe->on_inputs) & ~afe->off_inputs;
}

void sim_afe_measure(struct sim_afe *afe, const struct sim_pack *pack, double bus_v,
		     struct sim_random *random, struct fw_measurement *out)
{
	double at_v = terminal_v(afe, pack, bus_v);
	double noise_a = is_closed(pack) ? sim_random_spread(random, CURRENT_NOISE_A) : 0;

	if (afe->frozen) {
		*out = afe->last;
		return;
	}
	*out = (struct fw_measurement){.sequence = ++afe->sequence, .dip = afe->dip};
	out->cell_count = pack->cell_count < FW_MAX_CELLS ? pack->cell_count : FW_MAX_CELLS;
	for (int i = 0; i < FW_MAX_CELLS; i++) {
		bool there = i < out->cell_count && !(afe->broken_wires >> i & 1);
		double noise_v = sim_random_spread(random, CELL_NOISE_V);

		out->cells_mv[i] = there ? milli(pack->cells_v[i] + noise_v) : FW_UNKNOWN;
		out->wire_dmohm[i] = there ? WIRE_DMOHM : FW_UNKNOWN;
	}
	out->terminal_mv = milli(at_v);
	out->current_ma = milli(is_closed(pack) ? pack->current_a + noise_a : 0);
	measure_heat(afe, pack, random, out);
	out->heater_ma = afe->outputs.heater ? milli(HEATER_W / fmax(pack->voltage_v, 1)) : 0;
	out->balance_ma = pack->bms.balancing ? milli(pack->bms.balance_a) : 0;
	out->inputs = inputs_of(afe, pack, at_v);
	afe->last = *out;
}

static int lowest_bit(uint32_t bits)
{
	int bit = 0;

	while (bit < 32 && !(bits >> bit & 1))
		bit++;
	return bit;
}

static void set_balancer(struct bms *bms, const struct fw_outputs *o)
{
	bool moves = o->balance_ma > 0 && o->balance_from >= 0;

	bms->balancing = moves || o->balance_cells != 0;
	bms->balance_a = moves ? o->balance_ma / 1000.0 : BLEED_A;
	bms->balance_from = moves ? o->balance_from : lowest_bit(o->balance_cells);
	bms->balance_to = moves ? o->balance_to : -1; /* a bleed resistor takes it */
}

static void apply(struct sim_afe *afe, struct sim_pack *pack)
{
	const struct fw_outputs *o = &afe->outputs;

	pack->bms.charge_mos = o->charge_mos && !afe->latched;
	pack->bms.discharge_mos = o->discharge_mos && !afe->latched;
	pack->bms.powered = !o->power_off;
	pack->heater_w = o->heater ? HEATER_W : 0;
	pack->limiting_a = o->limiter ? o->limiter_ma / 1000.0 : 0;
	set_balancer(&pack->bms, o);
}

void sim_afe_obey(struct sim_afe *afe, struct sim_pack *pack, const struct fw_outputs *outputs,
		  int64_t now_ms)
{
	afe->outputs = *outputs;
	afe->heard_ms = now_ms;
	afe->obeyed = true;
	if (outputs->release_short_circuit && !afe->shorted)
		afe->latched = false;
	apply(afe, pack);
}

void sim_afe_step(struct sim_afe *afe, struct sim_pack *pack, double bus_v, int64_t now_ms,
		  double dt_s)
{
	double wanted_v = afe->outputs.precharge ? pack->voltage_v : 0;
	double tau_s = afe->outputs.precharge ? TERMINAL_TAU_S : DECAY_TAU_S;

	if ((afe->shorted && is_closed(pack)) || fabs(pack->current_a) > SHORT_A)
		afe->latched = true;
	if (afe->obeyed && now_ms - afe->heard_ms > SILENCE_MS) {
		memset(&afe->outputs, 0, sizeof afe->outputs);
		afe->obeyed = false;
	}
	apply(afe, pack);
	if (is_closed(pack))
		wanted_v = pack->voltage_v;
	else if (bus_v > 0 && !pack->unplugged)
		wanted_v = bus_v;
	if (afe->shorted)
		wanted_v = 0;
	afe->terminal_v += (wanted_v - afe->terminal_v) * fmin(dt_s / tau_s, 1);
}
