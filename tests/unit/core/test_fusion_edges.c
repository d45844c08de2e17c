// SPDX-License-Identifier: Apache-2.0
/* The exact edges of the rules: the last value that is still taken, and the first that is not.
 * Found by changing the rules by one and seeing that nobody noticed (tests/mutation). */
#include "fusion_rig.h"

/* A settled pack gives one odd answer, with a fresh second pack beside it. */
static bool is_taken(void (*change)(struct pack *, int32_t), int32_t value)
{
	static struct rig rig;
	struct pack odd = rig_pack(1);

	rig_init(&rig, 2);
	rig.config.cell_surprise_mv = 2000;
	rig.config.temperature_surprise_mC = 1000000;
	rig.config.cell_overvoltage_mv = 4300;
	rig.config.cell_undervoltage_mv = 1500;
	rig.config.confirm_worse = 1;
	rig.config.confirm_better = 1;
	rig_configure(&rig);
	change(&odd, value);
	rig_run(&rig, 5);
	rig.packs[0] = odd;
	rig_run(&rig, 1);
	return rig.fusion.slots[0].answered;
}

static void cell(struct pack *pack, int32_t mv)
{
	rig_set_cell(pack, 5, mv);
}

static void first_temperature(struct pack *pack, int32_t mC)
{
	pack->temperatures_mC[0] = mC;
}

static void mos_temperature(struct pack *pack, int32_t mC)
{
	pack->mos_temperature_mC = mC;
}

static void charge_state(struct pack *pack, int32_t mpct)
{
	pack->soc_mpct = mpct;
}

static void pack_voltage(struct pack *pack, int32_t mv)
{
	pack->voltage_mv = mv;
}

static void flow(struct pack *pack, int32_t ma)
{
	pack->current_ma = ma;
}

static void possible_values_have_exact_edges(void **state)
{
	static const struct {
		void (*change)(struct pack *, int32_t);
		int32_t good, bad;
	} rows[] = {
		{cell, 1500, 1499},
		{cell, 4500, 4501},
		{first_temperature, -40000, -40001},
		{first_temperature, 120000, 120001},
		{mos_temperature, -40000, -40001},
		{mos_temperature, 120000, 120001},
		{charge_state, 0, -1},
		{charge_state, 100000, 100001},
		{flow, 420000, 420001}, /* 1.5 C of 280 Ah */
		{flow, -420000, -420001},
		{flow, 32766, 32767}, /* 0x7FFF is no value */
		{flow, 65534, -65535},
		{pack_voltage, 53603, 53605}, /* 1.5 % of it, more than the cells' 52.8 V */
		{pack_voltage, 52020, 52019},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_true(is_taken(rows[i].change, rows[i].good));
		assert_false(is_taken(rows[i].change, rows[i].bad));
	}
}

static void voltage_without_cells(struct pack *pack, int32_t mv)
{
	pack->cell_count = 0;
	pack->voltage_mv = mv;
}

/* A pack that never told its cells: its voltage alone has to be possible. */
static void a_pack_without_cells_has_edges_too(void **state)
{
	static const int32_t good_mv[] = {16 * 1500, 16 * 4500};
	static const int32_t bad_mv[] = {16 * 1500 - 1, 16 * 4500 + 1};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct rig rig;

		rig_init(&rig, 1);
		voltage_without_cells(&rig.packs[0], good_mv[i]);
		rig_run(&rig, 1);
		assert_true(rig.fusion.slots[0].has_good);
		rig_init(&rig, 1);
		voltage_without_cells(&rig.packs[0], bad_mv[i]);
		rig_run(&rig, 1);
		assert_false(rig.fusion.slots[0].has_good);
	}
}

static void side_values_have_edges(void **state)
{
	struct rig rig;
	struct pack *pack = &rig.packs[0];

	(void)state;
	rig_init(&rig, 1);
	pack->soh_mpct = 100000;
	pack->cycles = 0;
	pack->remaining_mah = 0;
	pack->capacity_mah = 10000000;
	rig_run(&rig, 3);
	assert_int_equal(rig.out.soh_mpct, 100000);
	assert_int_equal(rig.out.cycles, 0);
	assert_int_equal(rig.out.remaining_mah, 0);
	assert_int_equal(rig.out.capacity_mah, 10000000);
	pack->soh_mpct = 100001;
	pack->cycles = -1;
	pack->remaining_mah = -1;
	pack->capacity_mah = 10000001;
	pack->soc_mpct = FIELD_UNKNOWN;
	rig_run(&rig, 3);
	assert_int_equal(rig.out.soh_mpct, FIELD_UNKNOWN);
	assert_int_equal(rig.out.cycles, FIELD_UNKNOWN);
	assert_int_equal(rig.out.remaining_mah, FIELD_UNKNOWN);
	assert_int_equal(rig.out.capacity_mah, 10000000); /* as it was told last */
	rig_init(&rig, 1);
	pack->charge_current_limit_ma = 10000001;
	pack->discharge_current_limit_ma = -1;
	rig_run(&rig, 3);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "unstated_limit");
	assert_string_equal(rig_rule(&rig, LIMIT_DISCHARGE_CURRENT), "unstated_limit");
	pack->charge_current_limit_ma = 10000000;
	pack->discharge_current_limit_ma = 0;
	rig_run(&rig, 3);
	assert_int_equal(rig.fusion.cause[CHARGE].rule, RULE_TEMPERATURE); /* 140 A of 10 kA */
	assert_string_equal(rig_rule(&rig, LIMIT_DISCHARGE_CURRENT), "pack_limit");
}

static void as_many_cells_and_sensors_as_fit(void **state)
{
	struct rig rig;
	struct pack *pack = &rig.packs[0];

	(void)state;
	rig_init(&rig, 1);
	rig.config.cells_in_series = ONEPACK_MAX_CELLS;
	rig_configure(&rig);
	pack->cell_count = ONEPACK_MAX_CELLS;
	pack->temperature_count = ONEPACK_MAX_TEMPERATURES;
	pack->voltage_mv = ONEPACK_MAX_CELLS * 3300;
	for (int i = 0; i < ONEPACK_MAX_CELLS; i++)
		pack->cells_mv[i] = 3300 + i;
	for (int i = 0; i < ONEPACK_MAX_TEMPERATURES; i++)
		pack->temperatures_mC[i] = 20000 + i;
	pack->voltage_mv += 31 * 16;
	rig_run(&rig, 3);
	assert_int_equal(rig.out.cell_max_cell, 32);
	assert_int_equal(rig.out.cell_max_mv, 3331);
	assert_int_equal(rig.out.temperature_max_mC, 20007);
	assert_true(rig.out.charge_current_limit_ma > 0);
}

/* One mA is a permission, none is not. */
static void the_smallest_current_is_one(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.config.start_current_ma = 0;
	rig.config.charge_current_max_ma = 1;
	rig.config.discharge_current_max_ma = 0;
	rig_configure(&rig);
	rig_run(&rig, 10);
	assert_int_equal(rig.out.charge_current_limit_ma, 1);
	assert_int_equal(rig.out.charge_allowed, 1);
	assert_int_equal(rig.out.discharge_allowed, 0);
}

static void float_is_reached_and_not_passed(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.config.float_fall_per_min_mv = 700;
	rig_configure(&rig);
	rig_run(&rig, 60);
	rig_set_cells(&rig.packs[0], 3450);
	rig_run(&rig, 61);
	assert_int_equal(rig.out.charge_stage, CHARGE_FLOAT);
	for (int i = 0; i < 200; i++) {
		const int64_t before_uv = rig.fusion.charge_voltage_uv;

		rig_run(&rig, 1);
		assert_true(rig.fusion.charge_voltage_uv >= 53600000);
		if (rig.fusion.charge_voltage_uv > 53600000)
			assert_int_equal(before_uv - rig.fusion.charge_voltage_uv, 700000 / 60);
	}
	assert_int_equal(rig.out.charge_voltage_limit_mv, 53600);
	assert_int_equal(rig.out.charge_stage, CHARGE_DONE);
}

static void energy_goes_on_from_what_is_set(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.packs[0].current_ma = 50000; /* 2640 W: 0.733 Wh a second */
	rig_run(&rig, 3);                /* one of them before it joined */
	fusion_set_energy(&rig.fusion, 1000, 500);
	rig_run(&rig, 1);
	assert_int_equal(rig.out.energy_charged_wh, 1000); /* the rest of before is gone */
	rig_run(&rig, 1);
	assert_int_equal(rig.out.energy_charged_wh, 1001);
	assert_int_equal(rig.out.energy_discharged_wh, 500);
}

/* Time may begin at 0: nothing that happens there is "never". */
static void time_may_begin_at_zero(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	rig.input.error_count = 1;
	snprintf(rig.input.errors[0].bus, sizeof rig.input.errors[0].bus, "rack");
	rig.input.errors[0].kind = BUS_ERROR_FOREIGN_REQUEST;
	rig.input.errors[0].count = 1;
	rig_step(&rig, 0);
	rig.input.error_count = 0;
	assert_true(rig.out.warnings & ALARM_BIT(ALARM_second_master));
	rig_step(&rig, 59999);
	assert_true(rig.out.warnings & ALARM_BIT(ALARM_second_master));
	rig_step(&rig, 1);
	assert_false(rig.out.warnings & ALARM_BIT(ALARM_second_master));
}

/* The pause begins anew when the permission goes away, also at zero. */
static void a_permission_that_goes_away_starts_the_pause_anew(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 1);
	rig.packs[0].charge_current_limit_ma = 0;
	rig_run(&rig, 1);
	rig.packs[0].charge_current_limit_ma = 50000;
	rig_run(&rig, 20);
	rig.packs[0].charge_current_limit_ma = 3000; /* too small to start with */
	rig_run(&rig, 1);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "too_small");
	rig.packs[0].charge_current_limit_ma = 50000;
	rig_run(&rig, 30);
	assert_int_equal(rig.out.charge_current_limit_ma, 0);
	rig_run(&rig, 1);
	assert_true(rig.out.charge_current_limit_ma > 0);
}

/* Any pack may be the one that takes no part in a step, or whose loss matters most. */
static void the_first_pack_counts_as_the_others_do(void **state)
{
	(void)state;
	for (int odd = 0; odd < 3; odd++) {
		struct rig rig;

		rig_settle(&rig, 3);
		for (int i = 0; i < 8; i++) {
			for (int k = 0; k < 3; k++)
				rig.packs[k].current_ma = k == odd || i % 2 ? 0 : 60000;
			rig_run(&rig, 6);
		}
		assert_int_equal(rig.fusion.slots[1].share.evidence, 0);
		rig_init(&rig, 3);
		rig.config.n_minus_1 = 1;
		rig_configure(&rig);
		rig.packs[odd].capacity_mah = 560000;
		rig.packs[odd].charge_current_limit_ma = 200000;
		rig_run(&rig, 5);
		assert_int_equal(rig.fusion.target_ma[CHARGE],
				 200000); /* half of it is lost with it */
	}
}

/* A critical cell does not hide what the BMS says. */
static void all_dangers_are_told(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 1);
	rig.packs[0].protections = ALARM_BIT(ALARM_charge_overtemperature);
	rig_set_cell(&rig.packs[0], 4, 3750);
	rig_run(&rig, 3);
	assert_true(rig.out.protections & ALARM_BIT(ALARM_charge_overtemperature));
	assert_true(rig.out.protections & ALARM_BIT(ALARM_cell_overvoltage));
}

/* A pack that a meter showed to be gone comes back: it counts again, and has to be missed anew. */
static void a_pack_that_comes_back_counts_again(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 4);
	for (int i = 0; i < 4; i++)
		rig.packs[i].current_ma = 30000;
	rig.absent[3] = true;
	rig.input.bus_current_ma = 90000;
	rig_run(&rig, 71);
	assert_true(rig.fusion.slots[3].isolated);
	assert_int_equal(rig.fusion.target_ma[CHARGE], 285000);
	rig.absent[3] = false;
	rig.packs[3].charge_current_limit_ma = 20000;
	rig.input.bus_current_ma = 120000;
	rig_run(&rig, 2);
	assert_false(rig.fusion.slots[3].isolated);
	assert_true(rig.fusion.target_ma[CHARGE] <= 90000);
	rig.absent[3] = true;
	rig.input.bus_current_ma = 90000;
	rig_run(&rig, 60);
	assert_false(rig.fusion.slots[3].isolated);
	rig_run(&rig, 12);
	assert_true(rig.fusion.slots[3].isolated);
}

/* Answers agree within C/200: 1400 mA of 280 Ah; 500 mA in a small pack. */
static void plateaus_have_an_exact_width(void **state)
{
	static const struct {
		int32_t capacity_mah, agree_ma;
	} rows[] = {{280000, 1400}, {90000, 500}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (int32_t over = 0; over < 2; over++) {
			struct rig rig;

			rig_init(&rig, 2);
			rig.packs[0].capacity_mah = rig.packs[1].capacity_mah =
				rows[i].capacity_mah;
			rig_run(&rig, 5);
			assert_int_equal(rig.fusion.slots[0].share.count, PLATEAU_ANSWERS + 1);
			rig.packs[0].current_ma = -(rows[i].agree_ma + over);
			rig_run(&rig, 1);
			assert_int_equal(rig.fusion.slots[0].share.count,
					 over ? 0 : PLATEAU_ANSWERS + 1);
		}
	}
}

/* A pack is in the mean up to half a volt from the median, all packs counted. */
static void the_mean_voltage_has_an_edge(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 3);
	rig.config.join_voltage_mv = 2000;
	rig.config.refuse_voltage_mv = 2000;
	rig_configure(&rig);
	rig.packs[2].voltage_mv = 52800 + 500;
	rig_run(&rig, 3);
	assert_int_equal(rig.out.packs_online, 3);
	assert_int_equal(rig.out.voltage_mv, 52967);
	rig.packs[2].voltage_mv = 52800 + 501;
	rig_run(&rig, 1);
	assert_int_equal(rig.out.voltage_mv, 52800);
	rig.packs[2].voltage_mv = 52800 - 501;
	rig_run(&rig, 1);
	assert_int_equal(rig.out.voltage_mv, 52800);
}

/* A limit that was stated once has to go on being stated, in both directions. */
static void a_limit_that_vanishes_permits_nothing(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 1);
	rig.packs[0].settings.charge_overcurrent_ma = 80000;
	rig.packs[0].settings.discharge_overcurrent_ma = 80000;
	rig_run(&rig, 1);
	assert_int_equal(rig.fusion.target_ma[DISCHARGE], 76000);
	rig.packs[0].charge_current_limit_ma = FIELD_UNKNOWN;
	rig.packs[0].discharge_current_limit_ma = FIELD_UNKNOWN;
	rig_run(&rig, 1);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "unstated_limit");
	assert_string_equal(rig_rule(&rig, LIMIT_DISCHARGE_CURRENT), "unstated_limit");
	rig_init(&rig,
		 1); /* in one that never did, a trip current that is none does not stand in */
	rig.packs[0].charge_current_limit_ma = FIELD_UNKNOWN;
	rig.packs[0].discharge_current_limit_ma = FIELD_UNKNOWN;
	rig.packs[0].settings.charge_overcurrent_ma = 65535;
	rig.packs[0].settings.discharge_overcurrent_ma = 6553500;
	rig_run(&rig, 5);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "unstated_limit");
	assert_string_equal(rig_rule(&rig, LIMIT_DISCHARGE_CURRENT), "unstated_limit");
}

/* Two serial numbers at one address of one bus: both are suspect, whichever comes first. */
static void twins_are_both_excluded(void **state)
{
	(void)state;
	for (int old = 0; old < 3; old++) {
		const int new = (old + 1) % 3;
		struct rig rig;

		rig_init(&rig, 3);
		rig.absent[new] = true;
		rig.packs[new].address = rig.packs[old].address;
		rig_run(&rig, 5);
		rig.absent[new] = false;
		rig_run(&rig, 3);
		assert_int_equal(rig_state(&rig, old + 1), PACK_QUARANTINED);
		assert_int_equal(rig_state(&rig, new + 1), PACK_QUARANTINED);
		assert_int_not_equal(rig_state(&rig, (old + 2) % 3 + 1), PACK_QUARANTINED);
	}
}

/* On another bus, or without a serial number, it is no twin. */
static void others_are_no_twins(void **state)
{
	struct rig rig;

	(void)state;
	for (int what = 0; what < 3; what++) {
		rig_init(&rig, 2);
		rig.absent[1] = true;
		rig.packs[1].address = 1;
		if (what == 0)
			snprintf(rig.packs[1].bus, sizeof rig.packs[1].bus, "other");
		if (what == 1)
			rig.packs[1].serial[0] = 0;
		if (what == 2)
			rig.packs[0].bus[0] = rig.packs[1].bus[0] = 0;
		rig_run(&rig, 5);
		rig.absent[1] = false;
		rig_run(&rig, 3);
		assert_int_equal(rig_state(&rig, 1), PACK_ACTIVE);
		assert_int_equal(rig_state(&rig, 2), PACK_ACTIVE);
	}
}

/* A pack that does not tell its capacity shares like the mean of the others. */
static void an_unknown_capacity_is_the_mean(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 3);
	rig.packs[1].capacity_mah = 140000;
	rig.packs[2].capacity_mah = FIELD_UNKNOWN;
	rig_run(&rig, 3);
	assert_int_equal(rig.fusion.slots[2].share.prior_mah, 210000);
	assert_int_equal(rig_out(&rig, 3)->share_mpct, 33333);
	rig_init(&rig, 1);
	rig.packs[0].capacity_mah = FIELD_UNKNOWN;
	rig_run(&rig, 3);
	assert_int_equal(rig.fusion.slots[0].share.prior_mah, 1);
}

static void a_pack_that_is_gone_asks_for_nothing(void **state)
{
	struct rig rig;

	(void)state;
	rig_settle(&rig, 4);
	for (int i = 0; i < 4; i++)
		rig.packs[i].current_ma = 30000;
	rig.packs[3].discharge_voltage_limit_mv = 46000;
	rig_run(&rig, 1);
	assert_int_equal(rig.out.discharge_voltage_limit_mv, 46000);
	rig.absent[3] = true;
	rig.input.bus_current_ma = 90000;
	rig_run(&rig, 65);
	assert_int_equal(rig.out.discharge_voltage_limit_mv, 46000); /* it may still be there */
	rig_run(&rig, 8);
	assert_int_equal(rig.out.discharge_voltage_limit_mv, 41600);
	assert_string_equal(rig_reason(&rig, LIMIT_DISCHARGE_VOLTAGE)->runner_up.rule, "");
}

/* The timing belongs to the place on the bus, not to the pack that sits there. */
static void an_exchanged_pack_keeps_the_timing(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1);
	for (int i = 0; i < 10; i++)
		rig_step(&rig, 4000);
	assert_int_equal(rig.fusion.slots[0].fresh_ms, 8000);
	snprintf(rig.packs[0].serial, sizeof rig.packs[0].serial, "NEW");
	for (int i = 0; i < 3; i++)
		rig_step(&rig, 4000);
	assert_int_equal(rig.fusion.slots[0].fresh_ms, 8000);
	rig_step(&rig, 1000); /* one odd interval is no new cycle */
	assert_int_equal(rig.fusion.slots[0].fresh_ms, 8000);
}

/* Zero is left at C/50 of a small battery, 2 A of 100 Ah. */
static void a_small_battery_starts_with_little(void **state)
{
	(void)state;
	for (int32_t less = 0; less < 2; less++) {
		struct rig rig;

		rig_init(&rig, 1);
		rig.config.limit_headroom_mpct = 100000;
		rig_configure(&rig);
		rig.packs[0].capacity_mah = 100000;
		rig.packs[0].charge_current_limit_ma = 2000 - less;
		rig_run(&rig, 60);
		assert_int_equal(rig.out.charge_current_limit_ma, less ? 0 : 2000);
	}
}

static void the_first_pack_may_be_the_lost_one(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 3);
	rig.config.loss_hold_ms = 0;
	rig_configure(&rig);
	rig_run(&rig, 60);
	rig.absent[0] = true;
	rig_run(&rig, 12);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "loss_hold");
	assert_int_equal(rig_reason(&rig, LIMIT_CHARGE_CURRENT)->pack, 1);
}

/* The hour of a way back from empty counts from the last answer of any of the packs. */
static void the_last_answer_of_any_pack_counts(void **state)
{
	(void)state;
	for (int first = 0; first < 2; first++) {
		struct rig rig;

		rig_init(&rig, 2);
		rig.config.recovery_current_ma = 2000;
		rig.config.quorum_mpct = 100000;
		rig_configure(&rig);
		rig_run(&rig, 60);
		for (int32_t mv = 3200; mv > 2800; mv -= 100) {
			rig_set_cells(&rig.packs[0], mv);
			rig_set_cells(&rig.packs[1], mv);
			rig_run(&rig, 1);
		}
		rig_set_cells(&rig.packs[0], 2790);
		rig_set_cells(&rig.packs[1], 2790);
		rig_run(&rig, 3);
		rig.absent[first] = true;
		rig_run(&rig, 1000);
		rig.absent[!first] = true;
		rig_run(&rig, 3600);
		assert_int_equal(rig.out.charge_current_limit_ma, 2000);
		rig_run(&rig, 1);
		assert_int_equal(rig.out.charge_current_limit_ma, 0);
	}
}

/* More charge than fits is no charge. */
static void a_count_beyond_the_capacity_is_cut(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig.packs[0].remaining_mah = 400000;
	rig.packs[1].remaining_mah = 0;
	rig_run(&rig, 5);
	assert_int_equal(rig.out.soc_mpct, 50000);
}

/* Near its target a pack may take C/20 and give C/50. */
static void the_tail_of_a_charge_has_edges(void **state)
{
	static const struct {
		int32_t ma;
		bool ends;
	} rows[] = {{14000, true}, {14001, false}, {-5600, true}, {-5601, false}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig rig;

		rig_settle(&rig, 1);
		rig_set_cells(&rig.packs[0], 3430); /* 20 mV below */
		rig.packs[0].current_ma = rows[i].ma;
		rig_run(&rig, 62);
		assert_int_equal(rig.fusion.slots[0].finished, rows[i].ends);
	}
}

/* A meter says something only when the share of the missing pack were more than twice the noise. */
static void a_meter_has_an_edge(void **state)
{
	(void)state;
	for (int32_t less = 0; less < 2; less++) {
		struct rig rig;

		rig_init(&rig, 2);
		rig.config.learn_shares = 0;
		rig_configure(&rig);
		rig_run(&rig, 60);
		rig.absent[1] = true;
		rig.packs[0].current_ma = rig.input.bus_current_ma = 12002 - 2 * less;
		rig_run(&rig, 80);
		assert_int_equal(rig.fusion.slots[1].isolated, !less);
	}
}

static void smaller_edges(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2); /* no health left is a health; charge follows from its percentage */
	for (int i = 0; i < 2; i++) {
		rig.packs[i].soh_mpct = 0;
		rig.packs[i].remaining_mah = FIELD_UNKNOWN;
	}
	rig_run(&rig, 5);
	assert_int_equal(rig.out.soh_mpct, 0);
	assert_int_equal(rig.out.remaining_mah, 2 * 168000);
	rig_init(&rig, 1);
	rig.packs[0].cell_count = 15;
	rig.packs[0].voltage_mv = 15 * 3300;
	rig_run(&rig, 5);
	assert_string_equal(
		rig_reason(&rig, LIMIT_CHARGE_CURRENT)->text,
		"Charging is stopped because pack 1 has 15 cells in series, which is not "
		"what is configured.");
	rig_settle(&rig, 1); /* forgiven after exactly ten minutes */
	rig_set_cell(&rig.packs[0], 4, 3750);
	rig_run(&rig, 2);
	rig_set_cell(&rig.packs[0], 4, 3300);
	rig_run(&rig, 2);
	const int64_t last_ms = rig.fusion.slots[0].critical_ms[CHARGE];

	rig_step(&rig, last_ms + 600000 - 1 - rig.now_ms);
	assert_int_equal(rig.fusion.slots[0].limit_ma[CHARGE], 0);
	rig_step(&rig, 1);
	assert_int_equal(rig.fusion.slots[0].limit_ma[CHARGE], 95000);
}

/* The same pack under two numbers is one pack, not two at one address. */
static void a_pack_is_not_its_own_twin(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig.absent[1] = true;
	rig.packs[1] = rig.packs[0];
	rig.packs[1].pack = 2;
	rig_run(&rig, 5);
	rig.absent[1] = false;
	rig_run(&rig, 3);
	assert_int_not_equal(rig_state(&rig, 1), PACK_QUARANTINED);
	assert_int_not_equal(rig_state(&rig, 2), PACK_QUARANTINED);
}

/* With 200 A on the bus 4 A may be missing, 2 %. */
static void a_meter_may_be_off_by_a_part(void **state)
{
	(void)state;
	for (int32_t over = 0; over < 2; over++) {
		struct rig rig;

		rig_init(&rig, 2);
		rig.config.learn_shares = 0;
		rig_configure(&rig);
		rig_run(&rig, 60);
		rig.absent[1] = true;
		rig.input.bus_current_ma = 200000;
		rig.packs[0].current_ma = 200000 - 4000 - over;
		rig_run(&rig, 80);
		assert_int_equal(rig.fusion.slots[1].isolated, !over);
	}
}

/* All switches open: the voltage of the bus is half-way between two equal packs. */
static void blocked_packs_have_a_median_too(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig.packs[1].voltage_mv += 400;
	for (int i = 0; i < 2; i++)
		rig.packs[i].charge_mos = rig.packs[i].discharge_mos = 0;
	rig_run(&rig, 5);
	assert_int_equal(rig.out.packs_online, 2);
	assert_int_equal(fusion_bus_voltage(&rig.fusion), 53000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(possible_values_have_exact_edges),
		cmocka_unit_test(a_pack_without_cells_has_edges_too),
		cmocka_unit_test(side_values_have_edges),
		cmocka_unit_test(as_many_cells_and_sensors_as_fit),
		cmocka_unit_test(the_smallest_current_is_one),
		cmocka_unit_test(float_is_reached_and_not_passed),
		cmocka_unit_test(energy_goes_on_from_what_is_set),
		cmocka_unit_test(time_may_begin_at_zero),
		cmocka_unit_test(a_permission_that_goes_away_starts_the_pause_anew),
		cmocka_unit_test(the_first_pack_counts_as_the_others_do),
		cmocka_unit_test(all_dangers_are_told),
		cmocka_unit_test(a_pack_that_comes_back_counts_again),
		cmocka_unit_test(plateaus_have_an_exact_width),
		cmocka_unit_test(the_mean_voltage_has_an_edge),
		cmocka_unit_test(a_limit_that_vanishes_permits_nothing),
		cmocka_unit_test(twins_are_both_excluded),
		cmocka_unit_test(others_are_no_twins),
		cmocka_unit_test(an_unknown_capacity_is_the_mean),
		cmocka_unit_test(a_pack_that_is_gone_asks_for_nothing),
		cmocka_unit_test(an_exchanged_pack_keeps_the_timing),
		cmocka_unit_test(a_small_battery_starts_with_little),
		cmocka_unit_test(the_first_pack_may_be_the_lost_one),
		cmocka_unit_test(the_last_answer_of_any_pack_counts),
		cmocka_unit_test(a_count_beyond_the_capacity_is_cut),
		cmocka_unit_test(the_tail_of_a_charge_has_edges),
		cmocka_unit_test(a_meter_has_an_edge),
		cmocka_unit_test(smaller_edges),
		cmocka_unit_test(a_pack_is_not_its_own_twin),
		cmocka_unit_test(a_meter_may_be_off_by_a_part),
		cmocka_unit_test(blocked_packs_have_a_median_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
