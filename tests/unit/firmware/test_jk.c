// SPDX-License-Identifier: Apache-2.0
/* The firmware as a JK pack, seen by the gateway: the wire codec with pack/jk-pb asks its records
 * and reads its registers, and finds the same pack as with pack/onepack. And the switches, which
 * are all that JK's tools may write. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "onepack/wire.h"
#include "server_rig.h"

#define UNIT SERVER_RIG_ADDRESS

struct jk_rig {
	struct server_rig server;
	struct wire *jk, *own;
};

static struct jk_rig *new_rig(void)
{
	struct jk_rig *rig = malloc(sizeof *rig);

	assert_non_null(rig);
	server_rig_ready(&rig->server);
	rig->jk = wire_load("pack/jk-pb", stderr);
	rig->own = wire_load("pack/onepack", stderr);
	assert_non_null(rig->jk);
	assert_non_null(rig->own);
	return rig;
}

static void end(struct jk_rig *rig)
{
	wire_free(rig->jk);
	wire_free(rig->own);
	free(rig);
}

/* Asks every message of a protocol and puts the answers together. */
static void read_pack(struct jk_rig *rig, const struct wire *wire, struct wire_values *out)
{
	uint8_t request[64];
	struct wire_context ctx;

	wire_context_init(wire, &ctx);
	wire_values_clear(out);
	for (int i = 0; i < wire_message_count(wire); i++) {
		const int count = wire_request(wire, i, &ctx, UNIT, request, sizeof request);

		assert_true(count > 0);
		assert_true(server_rig_say(&rig->server, request, (size_t)count) > 0);
		assert_int_equal(wire_response(wire, i, &ctx, UNIT, rig->server.answer,
					       rig->server.count, out),
				 (int)rig->server.count);
	}
}

/* JK has whole percents; everything else is the same. */
static void compare(const struct pack *jk, const struct pack *own)
{
	assert_int_equal(jk->address, own->address);
	assert_string_equal(jk->serial, own->serial);
	assert_string_equal(jk->model, own->model);
	assert_int_equal(jk->cell_count, own->cell_count);
	for (int i = 0; i < jk->cell_count; i++)
		assert_int_equal(jk->cells_mv[i], own->cells_mv[i]);
	assert_int_equal(jk->temperature_count, own->temperature_count);
	for (int i = 0; i < jk->temperature_count; i++)
		assert_int_equal(jk->temperatures_mC[i], own->temperatures_mC[i]);
	assert_int_equal(jk->mos_temperature_mC, own->mos_temperature_mC);
	assert_int_equal(jk->voltage_mv / 10, own->voltage_mv / 10);
	assert_int_equal(jk->current_ma, own->current_ma);
	assert_int_equal(jk->soc_mpct / 1000, own->soc_mpct / 1000);
	assert_true(abs(jk->soh_mpct - own->soh_mpct) <= 500);
	assert_int_equal(jk->remaining_mah, own->remaining_mah);
	assert_int_equal(jk->capacity_mah, own->capacity_mah);
	assert_int_equal(jk->cycles, own->cycles);
	assert_int_equal(jk->charge_mos, own->charge_mos);
	assert_int_equal(jk->discharge_mos, own->discharge_mos);
	assert_int_equal(jk->precharge, own->precharge);
	assert_int_equal(jk->heater, own->heater);
	assert_int_equal(jk->balancing != 0, own->balancing != 0);
	assert_int_equal(jk->balance_current_ma, own->balance_current_ma);
	assert_int_equal(jk->protections, own->protections);
}

static void compare_settings(const struct pack *jk, const struct pack *own)
{
	const struct pack_settings *a = &jk->settings, *b = &own->settings;

	assert_int_equal(a->cell_overvoltage_mv, b->cell_overvoltage_mv);
	assert_int_equal(a->cell_overvoltage_release_mv, b->cell_overvoltage_release_mv);
	assert_int_equal(a->cell_undervoltage_mv, b->cell_undervoltage_mv);
	assert_int_equal(a->cell_undervoltage_release_mv, b->cell_undervoltage_release_mv);
	assert_int_equal(a->charge_cell_mv, b->charge_cell_mv);
	assert_int_equal(a->float_cell_mv, b->float_cell_mv);
	assert_int_equal(a->power_off_cell_mv, b->power_off_cell_mv);
	assert_int_equal(a->balance_trigger_mv, b->balance_trigger_mv);
	assert_int_equal(a->balance_start_cell_mv, b->balance_start_cell_mv);
	assert_int_equal(a->balance_current_max_ma, b->balance_current_max_ma);
	assert_int_equal(a->charge_overcurrent_delay_ms, b->charge_overcurrent_delay_ms);
	assert_int_equal(a->discharge_overcurrent_delay_ms, b->discharge_overcurrent_delay_ms);
	assert_int_equal(a->charge_undertemperature_mC, b->charge_undertemperature_mC);
	assert_int_equal(a->discharge_overtemperature_release_mC,
			 b->discharge_overtemperature_release_mC);
	assert_int_equal(a->mos_overtemperature_mC, b->mos_overtemperature_mC);
	assert_int_equal(a->cell_count, b->cell_count);
	assert_int_equal(a->design_capacity_mah, b->design_capacity_mah);
	assert_int_equal(a->short_circuit_delay_us, b->short_circuit_delay_us);
	assert_int_equal(a->smart_sleep_delay_ms, b->smart_sleep_delay_ms);
	assert_int_equal(a->device_address, UNIT);
	assert_int_equal(a->charge_switch, 1);
	/* drivers take these for limits: never more than we allow */
	assert_int_equal(jk->charge_current_limit_ma, 100000);
	assert_int_equal(jk->discharge_current_limit_ma, 100000);
}

static void both_views_show_one_pack(void **state)
{
	static struct wire_values jk, own;
	struct jk_rig *rig = new_rig();
	struct server_rig *server = &rig->server;

	(void)state;
	for (int round = 0; round < 5; round++) {
		struct fw_measurement *in = &server->pack.in;

		if (round == 1)
			in->current_ma = -43210;
		if (round == 2) { /* cold, one sensor gone, cells apart */
			for (int i = 0; i < 16; i++)
				in->cells_mv[i] = 3250 + 3 * i;
			in->temperatures_dC[FW_SENSOR_CELL_1] = -73;
			in->temperatures_dC[FW_SENSOR_CELL_4] = FW_UNKNOWN;
			in->current_ma = 12345;
		}
		if (round == 3)
			in->cells_mv[9] = 3720; /* over-voltage */
		if (round == 4) {
			in->cells_mv[9] = 2300; /* and under-voltage */
			in->current_ma = FW_UNKNOWN;
		}
		server_rig_run(server, 20000);
		read_pack(rig, rig->jk, &jk);
		read_pack(rig, rig->own, &own);
		if (server->pack.pack.measured.current_ma == FW_UNKNOWN)
			jk.pack.current_ma = own.pack.current_ma; /* JK cannot say unknown */
		compare(&jk.pack, &own.pack);
		compare_settings(&jk.pack, &own.pack);
		assert_true(round < 3 || own.pack.protections != 0);
	}
	end(rig);
}

/* The same blocks by plain Modbus reads, as tools on a PC do: word by word what the record says,
 * the other way round. */
static void registers_say_what_records_say(void **state)
{
	static const struct {
		uint16_t trigger, first, bytes;
	} blocks[] = {{0x161E, 0x1000, 0x122}, {0x1620, 0x1200, 0x118}, {0x161C, 0x1400, 0x108}};
	struct jk_rig *rig = new_rig();
	struct wire_listener listener = {0};
	static struct wire_values plain, recorded;
	struct wire_context ctx;
	const uint16_t zero = 0;

	(void)state;
	rig->server.pack.in.current_ma = -1500;
	server_rig_run(&rig->server, 2000);
	wire_context_init(rig->jk, &ctx);
	wire_values_clear(&plain);
	wire_values_clear(&recorded);
	for (int b = 0; b < 3; b++) {
		uint8_t request[8] = {UNIT, FW_READ};

		for (uint16_t at = 0; at < blocks[b].bytes; at = (uint16_t)(at + 120)) {
			const uint16_t left = (uint16_t)(blocks[b].bytes - at);
			const uint16_t words = (uint16_t)((left < 120 ? left : 120) / 2);

			fw_put_u16be(request + 2, (uint32_t)blocks[b].first + at);
			fw_put_u16be(request + 4, words);
			fw_modbus_seal(request, 6);
			assert_int_equal(server_rig_say(&rig->server, request, 8), 5 + 2 * words);
			wire_decode_serial(rig->jk, &ctx, &listener, request, 8, &plain);
			wire_decode_serial(rig->jk, &ctx, &listener, rig->server.answer,
					   rig->server.count, &plain);
		}
		assert_int_equal(server_rig_write(&rig->server, UNIT, blocks[b].trigger, &zero, 1),
				 0xEB);
		assert_int_equal(rig->server.count, FW_JK_RECORD + 8);
		assert_int_equal(wire_decode_serial(rig->jk, &ctx, &listener, rig->server.answer,
						    rig->server.count, &recorded),
				 0);
	}
	assert_memory_equal(&plain.pack, &recorded.pack, sizeof plain.pack);
	assert_int_equal(plain.pack.current_ma, -1500);
	end(rig);
}

static int turn(struct server_rig *rig, uint16_t reg, uint16_t on)
{
	const uint16_t words[2] = {0, on};

	return server_rig_write(rig, UNIT, reg, words, 2);
}

static void switches_only_take_back_their_own(void **state)
{
	static const uint16_t stop[4] = {FW_COMMAND_SAFE_STOP, 1, 0, 0};
	static const uint16_t charge_off[4] = {FW_COMMAND_OUTPUTS, 2, FW_ALLOW_CHARGE, 0};
	struct jk_rig *jk = new_rig();
	struct server_rig *rig = &jk->server;
	const struct fw_outputs *out = &rig->pack.pack.outputs;

	(void)state;
	assert_int_equal(turn(rig, 0x1070, 1), FW_FINE); /* is on */
	assert_int_equal(turn(rig, 0x1070, 2), FW_ILLEGAL_VALUE);
	assert_int_equal(turn(rig, 0x1070, 0), FW_FINE);
	assert_int_equal(turn(rig, 0x1070, 0), FW_FINE);
	server_rig_run(rig, 1000);
	assert_false(out->charge_mos);
	assert_true(out->discharge_mos);
	assert_int_equal(turn(rig, 0x1070, 1), FW_FINE);
	assert_int_equal(turn(rig, 0x1074, 0), FW_FINE);
	server_rig_run(rig, 5000);
	assert_true(out->charge_mos);
	assert_false(out->discharge_mos);
	assert_int_equal(turn(rig, 0x1074, 1), FW_FINE);
	assert_int_equal(turn(rig, 0x1078, 0), FW_FINE);
	assert_int_equal(turn(rig, 0x1078, 1), FW_FINE);

	/* an operator turned it off */
	server_rig_login(rig, "888888");
	assert_int_equal(server_rig_write(rig, UNIT, 0x0820, charge_off, 4), FW_FINE);
	assert_int_equal(turn(rig, 0x1070, 0), FW_FINE);
	assert_int_equal(turn(rig, 0x1070, 1), FW_LOCKED);
	/* JK's off, then the safe stop: JK's on does not end it */
	assert_int_equal(turn(rig, 0x1074, 0), FW_FINE);
	assert_int_equal(server_rig_write(rig, UNIT, 0x0820, stop, 4), FW_FINE);
	assert_int_equal(turn(rig, 0x1074, 1), FW_LOCKED);
	server_rig_run(rig, 5000);
	assert_false(out->charge_mos);
	assert_false(out->discharge_mos);
	/* nothing else is written */
	for (uint32_t reg = 0x1000; reg < 0x1700; reg++)
		if (reg != 0x1070 && reg != 0x1074 && reg != 0x1078)
			assert_int_equal(turn(rig, (uint16_t)reg, 1) == FW_FINE, 0);
	end(jk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_views_show_one_pack),
		cmocka_unit_test(registers_say_what_records_say),
		cmocka_unit_test(switches_only_take_back_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
