// SPDX-License-Identifier: Apache-2.0
/* Charge is counted; voltage only speaks where it says something: at the full end (voltage held
 * while the current tails off), at the empty end, and after a long rest in the steep parts of the
 * curve. A count from one end to the other without a break measures the capacity.
 *
 * All counters saturate. Parts of a mAh are kept in mA*ms, so nothing is lost to rounding. */
#include "estimate.h"

#include "measure.h"

#define MA_MS_PER_MAH     3600000
#define NOISE_ma          50 /* below, the sensor says nothing */
#define OWN_ma            25 /* the electronics live from the cells, before the shunt */
#define LOSS_PER_MONTH_pm 20 /* self-discharge of resting cells, 2 % a month */
#define MS_PER_MONTH      INT64_C(2592000000)
#define KEPT_pm           999 /* of the charge that goes in; the ends correct what is wrong */
#define FULL_HOLD_ms      30000
#define FULL_TAIL_DIVISOR 20 /* full: voltage reached and current below C/20 */
#define FULL_OV_DIVISOR   5  /* full: protection tripped at less than C/5 */
#define FULL_MARGIN_mv    20 /* below the charge request, where chargers really stop */
#define EMPTY_HOLD_ms     5000
#define EMPTY_DIVISOR     2   /* above C/2 the voltage sags too much to say "empty" */
#define SAGGED_soc_cpct   500 /* then no more than this is left */
#define REST_ms           1800000
#define REST_DOUBT_mv     30 /* relaxation and hysteresis of a resting cell */
#define REST_DOUBT_cpct   500
#define NOT_FULL_cpct     9500      /* below, the next charge goes to the full voltage again */
#define LEARN_MAX_ms      172800000 /* 48 h: after that the sensor's offset has grown too big */
#define LEARN_MIN_dC      100       /* cold cells give less; that is not their age */
#define LEARN_LOW_pct     40
#define LEARN_HIGH_pct    120
#define RUN_PART_ms       1000

enum learn { LEARN_NOTHING, LEARN_FROM_FULL, LEARN_FROM_EMPTY };

/* Resting cell voltage at 0, 10, ... 100 %: typical of the chemistry, not of a maker. */
static const int16_t rest_mv[FW_CHEMISTRIES][11] = {
	[FW_LFP] = {2600, 3195, 3240, 3265, 3283, 3293, 3303, 3325, 3331, 3336, 3420},
	[FW_LI_ION] = {3000, 3450, 3550, 3600, 3650, 3700, 3780, 3880, 3970, 4060, 4180},
	[FW_LTO] = {1900, 2080, 2140, 2180, 2210, 2240, 2280, 2330, 2390, 2460, 2650},
};

int32_t fw_estimate_rest_soc_cpct(enum fw_chemistry chemistry, int32_t cell_mv)
{
	const int16_t *mv = rest_mv[chemistry];

	if (cell_mv <= mv[0])
		return 0;
	for (int i = 0; i < 10; i++)
		if (cell_mv < mv[i + 1])
			return i * 1000 + (cell_mv - mv[i]) * 1000 / (mv[i + 1] - mv[i]);
	return 10000;
}

static int32_t clamp(int32_t value, int32_t low, int32_t high)
{
	if (value < low)
		return low;
	return value > high ? high : value;
}

static int32_t design_mah(const struct fw_pack *pack)
{
	return pack->parameters.capacity_dAh * 100;
}

static int32_t share_mah(const struct fw_pack *pack, int32_t soc_cpct)
{
	return (int32_t)((int64_t)pack->counters.full_mah * soc_cpct / 10000);
}

static int32_t soc_cpct(const struct fw_pack *pack)
{
	return (int32_t)((int64_t)pack->counters.remaining_mah * 10000 / pack->counters.full_mah);
}

/* 100 % only when full, 0 % only when empty: what the counter alone says stops short of both. */
static void show(struct fw_pack *pack)
{
	int32_t shown = clamp(soc_cpct(pack), 1, 9999);
	int64_t health = (int64_t)pack->counters.full_mah * 1000 / design_mah(pack);

	if (pack->full && soc_cpct(pack) >= 10000)
		shown = 10000;
	if (pack->work.empty && pack->counters.remaining_mah == 0)
		shown = 0;
	pack->soc_cpct = (uint16_t)shown;
	pack->soh_pm = (uint16_t)clamp((int32_t)health, 0, 1000);
	if (soc_cpct(pack) < NOT_FULL_cpct)
		pack->full = pack->float_charge = false;
}

void fw_estimate_set_soc(struct fw_pack *pack, int32_t soc)
{
	struct fw_work *work = &pack->work;

	pack->counters.remaining_mah = share_mah(pack, soc);
	work->part_ma_ms = 0;
	work->guess = false;
	work->empty = soc == 0;
	work->learn_from = LEARN_NOTHING;
	pack->full = soc == 10000;
	pack->counters_due++;
	show(pack);
}

void fw_estimate_init(struct fw_pack *pack, const struct fw_counters *counters)
{
	struct fw_counters *mine = &pack->counters;
	int32_t design = design_mah(pack);

	if (counters)
		*mine = *counters;
	pack->work.guess = !counters;
	if (mine->full_mah < design * (int64_t)LEARN_LOW_pct / 100 ||
	    mine->full_mah > design * (int64_t)LEARN_HIGH_pct / 100)
		mine->full_mah = design;
	mine->remaining_mah =
		counters ? clamp(mine->remaining_mah, 0, mine->full_mah) : mine->full_mah / 2;
	if (mine->starts < UINT32_MAX)
		mine->starts++;
	pack->work.stored_mah = mine->remaining_mah;
	show(pack);
}

/* Throughput in whole Ah and a part; sticks at the end. */
static void total(uint32_t *ah, uint32_t *part_mah, uint32_t mah)
{
	*part_mah += mah;
	while (*part_mah >= 1000 && *ah < UINT32_MAX) {
		*part_mah -= 1000;
		(*ah)++;
	}
}

static void add_throughput(struct fw_pack *pack, int32_t mah)
{
	struct fw_counters *counters = &pack->counters;
	uint32_t amount = (uint32_t)(mah < 0 ? -mah : mah);

	if (mah > 0) {
		total(&counters->charged_ah, &counters->charged_part_mah, amount);
		return;
	}
	total(&counters->discharged_ah, &counters->discharged_part_mah, amount);
	counters->cycle_mah += amount;
	if (counters->cycle_mah >= (uint32_t)design_mah(pack)) {
		counters->cycle_mah -= (uint32_t)design_mah(pack);
		counters->cycles += counters->cycles < UINT32_MAX;
	}
}

/* Splits charge into whole mAh and what stays below; dt_ms is at most 10 s, so 64 bits suffice. */
static void count(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;
	int32_t ma = pack->measured.current_ma, dt_ms = (int32_t)work->dt_ms, whole;
	bool old = (pack->faults & FW_BIT(FW_FAULT_AFE)) != 0; /* then nothing flows */
	bool rests = old || ma == FW_UNKNOWN || (ma < NOISE_ma && ma > -NOISE_ma);
	int64_t charge = rests ? 0 : (int64_t)ma * dt_ms;

	if (charge > 0)
		charge = charge * KEPT_pm / 1000;
	charge -= (int64_t)OWN_ma * dt_ms;
	if (rests)
		charge -= (int64_t)pack->counters.remaining_mah * LOSS_PER_MONTH_pm *
			  (MA_MS_PER_MAH / 1000) * dt_ms / MS_PER_MONTH;
	charge += work->part_ma_ms;
	whole = (int32_t)(charge / MA_MS_PER_MAH);
	work->part_ma_ms = (int32_t)(charge % MA_MS_PER_MAH);
	if (whole == 0)
		return;
	pack->counters.remaining_mah =
		clamp(pack->counters.remaining_mah + whole, 0, pack->counters.full_mah);
	work->learn_mah = clamp(work->learn_mah + whole, -INT32_MAX / 2, INT32_MAX / 2);
	add_throughput(pack, whole);
	if (whole > 0)
		work->empty = false;
}

/* An end was reached: if the other end was the last one, the count between is the capacity. */
static void learn(struct fw_pack *pack, enum learn other, enum learn here)
{
	struct fw_work *work = &pack->work;
	int32_t mah = work->learn_mah < 0 ? -work->learn_mah : work->learn_mah;
	int64_t design = design_mah(pack);
	bool sound = work->learn_from == other && work->learn_ms < LEARN_MAX_ms &&
		     mah >= design * LEARN_LOW_pct / 100 && mah <= design * LEARN_HIGH_pct / 100;

	if (sound) { /* halfway: one odd cycle moves the capacity, but not all the way */
		pack->counters.full_mah += (mah - pack->counters.full_mah) / 2;
		fw_event_put(&pack->events, FW_SOURCE_PACK, FW_EVENT_LEARNED,
			     pack->counters.full_mah / 100,
			     (int32_t)((int64_t)pack->counters.full_mah * 1000 / design));
	}
	work->learn_from = (uint8_t)here;
	work->learn_mah = 0;
	work->learn_ms = 0;
}

static void at_full(struct fw_pack *pack)
{
	fw_event_put(&pack->events, FW_SOURCE_PACK, FW_EVENT_FULL, soc_cpct(pack) / 10, 0);
	learn(pack, LEARN_FROM_EMPTY, LEARN_FROM_FULL);
	pack->counters.remaining_mah = pack->counters.full_mah;
	pack->work.part_ma_ms = 0;
	pack->work.hold_ms = 0;
	pack->full = true;
	pack->counters_due++;
}

static void at_empty(struct fw_pack *pack)
{
	fw_event_put(&pack->events, FW_SOURCE_PACK, FW_EVENT_EMPTY, soc_cpct(pack) / 10, 0);
	learn(pack, LEARN_FROM_FULL, LEARN_FROM_EMPTY);
	pack->counters.remaining_mah = 0;
	pack->work.part_ma_ms = 0;
	pack->work.empty = true;
	pack->counters_due++;
}

static uint32_t hold(uint32_t *held_ms, bool condition, uint32_t dt_ms)
{
	if (!condition)
		*held_ms = 0;
	else if (*held_ms < UINT32_MAX / 2)
		*held_ms += dt_ms;
	return *held_ms;
}

/* Some defaults ask for less voltage than they call full: then the request decides. */
static int32_t full_mv(const struct fw_parameters *parameters)
{
	int32_t reached_mv = parameters->charge_request_mv - FULL_MARGIN_mv;

	return parameters->soc_full_mv < reached_mv ? parameters->soc_full_mv : reached_mv;
}

static void look_for_full(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;
	const struct fw_parameters *p = &pack->parameters;
	int32_t ma = pack->measured.current_ma;
	bool high = pack->values.cell_max_mv >= full_mv(p);
	bool tails = high && ma > 0 && ma <= design_mah(pack) / FULL_TAIL_DIVISOR;
	bool stopped = high && (pack->protections & FW_BIT(FW_CELL_OV)) && ma > NOISE_ma &&
		       ma <= design_mah(pack) / FULL_OV_DIVISOR;

	hold(&work->hold_ms, pack->full && !pack->float_charge, work->dt_ms);
	if (pack->full && work->hold_ms >= (uint32_t)p->charge_hold_dh * 360000)
		pack->float_charge = true;
	if (hold(&work->full_ms, tails, work->dt_ms) < FULL_HOLD_ms && !stopped)
		return;
	if (!pack->full || pack->counters.remaining_mah < pack->counters.full_mah)
		at_full(pack);
}

static void look_for_empty(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;
	int32_t ma = pack->measured.current_ma;
	bool gentle = ma >= -design_mah(pack) / EMPTY_DIVISOR;
	bool low = pack->values.cell_min_mv <= pack->parameters.soc_empty_mv && ma < -NOISE_ma;
	bool tripped = (pack->protections & FW_BIT(FW_CELL_UV)) && ma < -NOISE_ma;

	if (work->empty)
		return;
	if ((hold(&work->empty_ms, low && gentle, work->dt_ms) >= EMPTY_HOLD_ms) ||
	    (tripped && gentle)) {
		at_empty(pack);
		return;
	}
	if (tripped && soc_cpct(pack) > SAGGED_soc_cpct)
		fw_estimate_set_soc(pack, SAGGED_soc_cpct);
}

/* After half an hour's rest the voltage bounds the charge: narrowly where the curve is steep,
 * hardly at all where it is flat. */
static void look_at_rest(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;
	enum fw_chemistry chemistry = pack->parameters.chemistry;
	int32_t mean_mv = pack->values.cell_mean_mv, low, high;
	bool rests = !fw_measure_charging(pack) && !fw_measure_discharging(pack);

	if (hold(&work->rest_ms, rests, work->dt_ms) < REST_ms)
		return;
	work->rest_ms = 0;
	low = fw_estimate_rest_soc_cpct(chemistry, mean_mv - REST_DOUBT_mv) - REST_DOUBT_cpct;
	high = fw_estimate_rest_soc_cpct(chemistry, mean_mv + REST_DOUBT_mv) + REST_DOUBT_cpct;
	low = clamp(low, 0, 9900);
	high = clamp(high, 100, 10000);
	if (soc_cpct(pack) < low)
		fw_estimate_set_soc(pack, low);
	else if (soc_cpct(pack) > high)
		fw_estimate_set_soc(pack, high);
}

static void guess(struct fw_pack *pack)
{
	int32_t soc =
		fw_estimate_rest_soc_cpct(pack->parameters.chemistry, pack->values.cell_mean_mv);

	fw_estimate_set_soc(pack, clamp(soc, 100, 9900));
	fw_event_put(&pack->events, FW_SOURCE_PACK, FW_EVENT_SOC_GUESSED, soc / 10, 0);
}

static void age(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;

	if (work->learn_ms < UINT32_MAX / 2)
		work->learn_ms += work->dt_ms;
	if (pack->values.cell_min_dC == FW_UNKNOWN || pack->values.cell_min_dC < LEARN_MIN_dC)
		work->learn_from = LEARN_NOTHING;
	work->run_part_ms += work->dt_ms;
	while (work->run_part_ms >= RUN_PART_ms) {
		work->run_part_ms -= RUN_PART_ms;
		pack->counters.run_s += pack->counters.run_s < UINT32_MAX;
	}
}

void fw_estimate_step(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;
	int32_t moved_mah;

	count(pack);
	age(pack);
	if (pack->values.cells_complete && pack->measured.current_ma != FW_UNKNOWN) {
		if (work->guess)
			guess(pack);
		look_for_full(pack);
		look_for_empty(pack);
		look_at_rest(pack);
	}
	moved_mah = pack->counters.remaining_mah - work->stored_mah;
	if (moved_mah > design_mah(pack) / 100 || moved_mah < -design_mah(pack) / 100) {
		work->stored_mah = pack->counters.remaining_mah;
		pack->counters_due++;
	}
	show(pack);
}
