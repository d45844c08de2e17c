// SPDX-License-Identifier: Apache-2.0
/* The frames between board and front end: bytes as docs/firmware/afe-link.md has them, values at
 * the ends of their ranges, and a reader that any bytes cannot confuse for longer than a frame. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "firmware/board/afe_frame.h"
#include "firmware/board/ring.h"

static struct fw_measurement sample(void)
{
	struct fw_measurement m = {.sequence = 0x01020304,
				   .cell_count = 2,
				   .terminal_mv = 53000,
				   .current_ma = -1500,
				   .heater_ma = FW_UNKNOWN,
				   .inputs = FW_INPUT_KEY,
				   .dip = 5};

	for (int i = 0; i < FW_MAX_CELLS; i++) {
		m.cells_mv[i] = i < 2 ? 3300 + i : FW_UNKNOWN;
		m.wire_dmohm[i] = i < 2 ? 50 : FW_UNKNOWN;
	}
	for (int i = 0; i < FW_SENSORS; i++)
		m.temperatures_dC[i] = i == FW_SENSOR_MOS_2 ? FW_UNKNOWN : -100 + i;
	return m;
}

static enum fw_afe_kind feed(struct fw_afe_reader *reader, const uint8_t *bytes, uint32_t count)
{
	enum fw_afe_kind kind = FW_AFE_NOTHING;

	for (uint32_t i = 0; i < count; i++) {
		enum fw_afe_kind now = fw_afe_read(reader, bytes[i]);

		kind = now != FW_AFE_NOTHING ? now : kind;
	}
	return kind;
}

static void a_measurement_has_the_bytes_of_the_specification(void **state)
{
	static const uint8_t expected[] = {
		0xA5, 0x4D, 46,                                 /* start, kind, count */
		0x04, 0x03, 0x02, 0x01, 0x08, 0x00, 0x00, 0x00, /* sequence, inputs */
		0x08, 0xCF, 0x00, 0x00, 0x24, 0xFA, 0xFF, 0xFF, /* terminals, current */
		5,    2,    0x00, 0x80, 0x00, 0x00, /* switches, cells, heater, balancer */
		0x9C, 0xFF, 0x9D, 0xFF, 0x9E, 0xFF, 0x9F, 0xFF, /* temperatures */
		0xA0, 0xFF, 0xA1, 0xFF, 0x00, 0x80, 0xA3, 0xFF, /* one is unknown */
		0xE4, 0x0C, 0x32, 0x00, 0xE5, 0x0C, 0x32, 0x00, /* cells and their wires */
	};
	const struct fw_measurement m = sample();
	uint8_t frame[FW_AFE_MAX_FRAME];

	(void)state;
	assert_int_equal(fw_afe_write_measurement(&m, frame), sizeof expected + 2);
	assert_memory_equal(frame, expected, sizeof expected);
}

static void measurements_come_back_as_they_were(void **state)
{
	struct fw_measurement m = sample(), back;
	struct fw_afe_reader reader = {0};
	uint8_t frame[FW_AFE_MAX_FRAME];

	(void)state;
	for (m.cell_count = 0; m.cell_count <= FW_MAX_CELLS; m.cell_count++) {
		for (int i = 0; i < FW_MAX_CELLS; i++) {
			bool there = i < m.cell_count && i % 5 != 4;

			m.cells_mv[i] = there ? 2500 + 70 * i : FW_UNKNOWN;
			m.wire_dmohm[i] = i < m.cell_count ? 30 + i : FW_UNKNOWN;
		}
		uint32_t count = fw_afe_write_measurement(&m, frame);

		assert_in_range(count, 1, FW_AFE_MAX_FRAME);
		assert_int_equal(feed(&reader, frame, count), FW_AFE_MEASUREMENT);
		assert_true(fw_afe_get_measurement(&reader, &back));
		assert_memory_equal(&back, &m, sizeof m);
	}
	assert_int_equal(reader.errors, 0);
}

static void outputs_come_back_as_they_were(void **state)
{
	struct fw_afe_reader reader = {0};
	uint8_t frame[FW_AFE_MAX_FRAME];
	uint32_t sequence;

	(void)state;
	for (int bit = 0; bit < 12; bit++) {
		struct fw_outputs back, o = {.charge_mos = bit == 0,
					     .discharge_mos = bit == 1,
					     .precharge = bit == 2,
					     .heater = bit == 3,
					     .limiter = bit == 4,
					     .buzzer = bit == 5,
					     .dry_contact = {bit == 6, bit == 7},
					     .enable_out = bit == 8,
					     .release_short_circuit = bit == 9,
					     .power_off = bit == 10,
					     .sleep = bit == 11,
					     .balance_cells = 0x800001,
					     .balance_ma = 2000,
					     .balance_from = bit == 0 ? -1 : bit,
					     .balance_to = 23,
					     .limiter_ma = 10000,
					     .leds = FW_LED_L6};
		uint32_t count = fw_afe_write_outputs(&o, 77, frame);

		assert_int_equal(feed(&reader, frame, count), FW_AFE_OUTPUTS);
		assert_true(fw_afe_get_outputs(&reader, &back, &sequence));
		assert_int_equal(sequence, 77);
		assert_int_equal(back.charge_mos, o.charge_mos);
		assert_int_equal(back.discharge_mos, o.discharge_mos);
		assert_int_equal(back.precharge, o.precharge);
		assert_int_equal(back.heater, o.heater);
		assert_int_equal(back.limiter, o.limiter);
		assert_int_equal(back.buzzer, o.buzzer);
		assert_int_equal(back.dry_contact[0], o.dry_contact[0]);
		assert_int_equal(back.dry_contact[1], o.dry_contact[1]);
		assert_int_equal(back.enable_out, o.enable_out);
		assert_int_equal(back.release_short_circuit, o.release_short_circuit);
		assert_int_equal(back.power_off, o.power_off);
		assert_int_equal(back.sleep, o.sleep);
		assert_int_equal(back.balance_cells, o.balance_cells);
		assert_int_equal(back.balance_ma, o.balance_ma);
		assert_int_equal(back.balance_from, o.balance_from);
		assert_int_equal(back.balance_to, o.balance_to);
		assert_int_equal(back.limiter_ma, o.limiter_ma);
		assert_int_equal(back.leds, o.leds);
	}
}

static void values_beyond_a_field_are_held_at_its_end(void **state)
{
	struct fw_measurement m = sample(), back;
	struct fw_afe_reader reader = {0};
	uint8_t frame[FW_AFE_MAX_FRAME];

	(void)state;
	m.cells_mv[0] = 1000000;
	m.cells_mv[1] = -1000000;
	assert_int_equal(feed(&reader, frame, fw_afe_write_measurement(&m, frame)),
			 FW_AFE_MEASUREMENT);
	assert_true(fw_afe_get_measurement(&reader, &back));
	assert_int_equal(back.cells_mv[0], INT16_MAX);
	assert_int_equal(back.cells_mv[1], INT16_MIN + 1);
	m.cell_count = 1000;
	assert_in_range(fw_afe_write_measurement(&m, frame), 1, FW_AFE_MAX_FRAME);
	m.cell_count = -1;
	assert_in_range(fw_afe_write_measurement(&m, frame), 1, FW_AFE_MAX_FRAME);
}

static void damage_never_passes_and_is_over_soon(void **state)
{
	const struct fw_measurement m = sample();
	uint8_t frame[FW_AFE_MAX_FRAME];
	const uint32_t count = fw_afe_write_measurement(&m, frame);

	(void)state;
	for (uint32_t i = 0; i < 8 * count; i++) { /* every single bit */
		struct fw_afe_reader reader = {0};
		int good = 0;

		frame[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(feed(&reader, frame, count), FW_AFE_NOTHING);
		frame[i / 8] ^= (uint8_t)(1u << i % 8);
		/* a wrong count may swallow what follows, up to one longest frame */
		for (int again = 0; again < 5; again++)
			good += feed(&reader, frame, count) == FW_AFE_MEASUREMENT;
		assert_in_range(good, 1, 5);
		assert_int_equal(feed(&reader, frame, count), FW_AFE_MEASUREMENT);
	}
}

static void any_bytes_do_no_harm(void **state)
{
	struct fw_afe_reader reader = {0};
	struct fw_measurement m;
	struct fw_outputs o;
	uint32_t seed = 1, sequence;

	(void)state;
	for (int i = 0; i < 1000000; i++) {
		seed = seed * 1664525u + 1013904223u;
		uint8_t byte = (uint8_t)(seed >> 24);

		if (byte < 0x20) /* more often what a frame begins with */
			byte = (const uint8_t[]){0xA5, 0x4D, 0x4F, 24}[byte % 4];
		switch (fw_afe_read(&reader, byte)) {
		case FW_AFE_MEASUREMENT: (void)fw_afe_get_measurement(&reader, &m); break;
		case FW_AFE_OUTPUTS: (void)fw_afe_get_outputs(&reader, &o, &sequence); break;
		case FW_AFE_NOTHING: break;
		}
		assert_in_range(reader.count, 0, FW_AFE_MAX_FRAME);
	}
	assert_true(reader.errors > 1000);
}

static void a_ring_keeps_what_fits(void **state)
{
	struct fw_ring *ring = calloc(1, sizeof *ring);
	uint8_t bytes[FW_RING_SIZE];

	(void)state;
	assert_non_null(ring);
	ring->put = ring->taken = UINT32_MAX - 100; /* the indexes wrap on the way */
	for (uint32_t i = 0; i < FW_RING_SIZE; i++)
		assert_true(fw_ring_put(ring, (uint8_t)i));
	assert_false(fw_ring_put(ring, 0));
	assert_int_equal(fw_ring_take(ring, bytes, 10), 10);
	assert_int_equal(bytes[9], 9);
	assert_true(fw_ring_put(ring, 99));
	assert_int_equal(fw_ring_take(ring, bytes, sizeof bytes), FW_RING_SIZE - 9);
	assert_int_equal(bytes[0], 10);
	assert_int_equal(bytes[FW_RING_SIZE - 10], 99);
	assert_int_equal(fw_ring_take(ring, bytes, sizeof bytes), 0);
	free(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_measurement_has_the_bytes_of_the_specification),
		cmocka_unit_test(measurements_come_back_as_they_were),
		cmocka_unit_test(outputs_come_back_as_they_were),
		cmocka_unit_test(values_beyond_a_field_are_held_at_its_end),
		cmocka_unit_test(damage_never_passes_and_is_over_soon),
		cmocka_unit_test(any_bytes_do_no_harm),
		cmocka_unit_test(a_ring_keeps_what_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
