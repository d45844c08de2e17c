// SPDX-License-Identifier: Apache-2.0
/* The step as a whole, through the public header only. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "onepack/fusion.h"

static struct fusion *new_fusion(void)
{
	struct fusion_config config;
	struct fusion *fusion = malloc(fusion_size());

	assert_non_null(fusion);
	fusion_config_default(&config);
	fusion_init(fusion, &config);
	return fusion;
}

static void add_pack(struct fusion_input *input, int32_t number)
{
	struct pack *pack = &input->packs[input->pack_count++];

	pack_clear(pack);
	pack->pack = number;
	pack->cell_count = 16;
	for (int i = 0; i < 16; i++)
		pack->cells_mv[i] = 3300;
	pack->voltage_mv = 52800;
	pack->current_ma = 5000;
	pack->soc_mpct = 50000;
	pack->capacity_mah = 280000;
	pack->charge_current_limit_ma = pack->discharge_current_limit_ma = 100000;
	pack->charge_mos = pack->discharge_mos = 1;
	pack->temperature_count = 1;
	pack->temperatures_mC[0] = 20000;
}

static void an_empty_input_is_an_empty_battery(void **state)
{
	struct fusion *fusion = new_fusion();
	struct fusion_input input;
	struct battery out;

	(void)state;
	memset(&input, 0xA5, sizeof input);
	fusion_input_clear(&input);
	assert_int_equal(input.pack_count, 0);
	assert_int_equal(input.error_count, 0);
	assert_int_equal(input.bus_current_ma, FIELD_UNKNOWN);
	assert_int_equal(input.packs[15].voltage_mv, FIELD_UNKNOWN);
	fusion_step(fusion, &input, &out);
	assert_int_equal(out.state, BATTERY_NO_DATA);
	assert_int_equal(out.time_ms, 0);
	assert_string_equal(out.serial, "");
	assert_int_equal(out.reason_count, LIMIT_COUNT);
	free(fusion);
}

/* Sixteen packs, in any order, come out in the order of their numbers. */
static void packs_come_out_in_order(void **state)
{
	struct fusion *fusion = new_fusion();
	struct fusion_input input;
	struct battery out;

	(void)state;
	for (int step = 0; step < 120; step++) {
		fusion_input_clear(&input);
		input.now_ms = (INT64_C(1) << 40) +
			       INT64_C(1000) * step; /* the machine may be up for years */
		for (int32_t i = 0; i < 16; i++)
			add_pack(&input, (i * 5) % 16 + 1);
		fusion_step(fusion, &input, &out);
	}
	assert_int_equal(out.pack_count, 16);
	for (int32_t i = 0; i < 16; i++)
		assert_int_equal(out.packs[i].pack, i + 1);
	assert_int_equal(out.packs_online, 16);
	assert_int_equal(out.charge_current_limit_ma, 16 * 95000);
	assert_int_equal(out.current_ma, 80000);
	free(fusion);
}

/* Numbers at the edge of their type do no harm. */
static void absurd_numbers_do_no_harm(void **state)
{
	static const int32_t values[] = {INT32_MAX, -INT32_MAX, FIELD_UNKNOWN, 0, -1};
	struct fusion *fusion = new_fusion();
	struct fusion_input input;
	struct battery out;

	(void)state;
	for (int step = 0; step < 500; step++) {
		fusion_input_clear(&input);
		input.now_ms = INT64_C(1000) * step;
		add_pack(&input, 1);
		add_pack(&input, 2);
		if (step > 20) {
			const struct field *field =
				&field_pack.fields[step % (int)field_pack.field_count];

			field_set(&input.packs[0], field, values[step % 5]);
			input.bus_current_ma = values[step % 5];
		}
		input.packs[0].pack = 1;
		fusion_step(fusion, &input, &out);
		assert_in_range(out.charge_current_limit_ma, 0, 190000);
		assert_in_range(out.discharge_current_limit_ma, 0, 190000);
	}
	free(fusion);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_input_is_an_empty_battery),
		cmocka_unit_test(packs_come_out_in_order),
		cmocka_unit_test(absurd_numbers_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
