// SPDX-License-Identifier: Apache-2.0
/* Absurd values through every message of every protocol of the tree, under the sanitizers: nothing
 * overflows, nothing grows beyond its size, and what comes out can be read. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "layout.h"

#define ROUNDS 200

static uint32_t next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static int32_t absurd(uint32_t *state)
{
	static const int32_t values[] = {INT32_MAX, -INT32_MAX, FIELD_UNKNOWN, 0, 1, -1, 1000, 16};

	if (next(state) % 4 == 0)
		return (int32_t)next(state);
	return values[next(state) % (sizeof values / sizeof values[0])];
}

static void fill(void *object, const struct field_table *table, uint32_t *state)
{
	for (size_t i = 0; i < table->field_count; i++)
		field_set(object, &table->fields[i], absurd(state));
	for (size_t i = 0; i < table->text_count; i++) {
		char *text = (char *)object + table->texts[i].offset;

		for (uint32_t n = 0, length = next(state) % FIELD_TEXT_SIZE; n < length; n++)
			text[n] = (char)(1 + next(state) % 255);
	}
}

static void fill_pack(struct pack *pack, uint32_t *state)
{
	pack_clear(pack);
	fill(pack, &field_pack, state);
	fill(&pack->settings, &field_settings, state);
	pack->cell_count = (int32_t)(next(state) % (ONEPACK_MAX_CELLS + 1));
	for (int i = 0; i < pack->cell_count; i++)
		pack->cells_mv[i] = absurd(state);
	pack->temperature_count = (int32_t)(next(state) % (ONEPACK_MAX_TEMPERATURES + 1));
	for (int i = 0; i < pack->temperature_count; i++)
		pack->temperatures_mC[i] = absurd(state);
	pack->protections = next(state);
	pack->warnings = next(state);
}

static void fill_battery(struct battery *battery, uint32_t *state)
{
	battery_clear(battery);
	fill(battery, &field_battery, state);
	battery->protections = next(state);
	battery->warnings = next(state);
	battery->pack_count = (int32_t)(next(state) % (ONEPACK_MAX_PACKS + 1));
	for (int i = 0; i < battery->pack_count; i++)
		fill_pack(&battery->packs[i], state);
}

static void try_message(const struct wire *wire, const struct message *message,
			const struct wire_context *ctx, uint32_t *state)
{
	static struct battery battery;
	static struct pack pack;
	static struct wire_values values;
	static uint8_t bytes[WIRE_MAX_FRAME], unknown[WIRE_MAX_FRAME];
	struct inverter_view view;
	const void *who = message->scope == SCOPE_BATTERY ? (void *)&battery
			  : message->scope == SCOPE_PACK  ? (void *)&pack
							  : (void *)&view;
	int size;

	fill_battery(&battery, state);
	fill_pack(&pack, state);
	inverter_view_clear(&view);
	fill(&view, &field_inverter, state);
	size = layout_encode(wire, message, ctx, wire->order, who, bytes, sizeof bytes, unknown);
	assert_in_range(size, 0, layout_size(message, ctx));
	for (size_t i = 0; i < sizeof bytes; i++)
		if (i >= (size_t)size || next(state) % 8 == 0)
			bytes[i] = (uint8_t)next(state);
	wire_values_clear(&values);
	layout_decode(wire, message, ctx, wire->order, bytes, next(state) % sizeof bytes,
		      next(state) % 4, &values);
}

static void absurd_values(void **state)
{
	uint32_t random = 4711;
	char **ids;
	const int count = wire_list_ids(&ids);

	(void)state;
	assert_true(count >= 6);
	for (int i = 0; i < count; i++) {
		struct wire *wire = wire_load(ids[i], stderr);
		struct wire_context ctx;

		assert_non_null(wire);
		wire_context_init(wire, &ctx);
		for (int round = 0; round < ROUNDS; round++) {
			ctx.uptime_ms = next(&random);
			ctx.local_time_s = next(&random);
			for (int m = 0; m < wire->message_count; m++)
				try_message(wire, &wire->messages[m], &ctx, &random);
		}
		wire_free(wire);
	}
	wire_free_ids(ids, count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absurd_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
