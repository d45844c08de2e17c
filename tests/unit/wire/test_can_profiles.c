// SPDX-License-Identifier: Apache-2.0
/* What holds for every CAN protocol of the tree, whoever wrote it: nothing known or nothing allowed
 * means no current and a plausible charge voltage, an alarm never changes its severity, numbers
 * stop at the end of their range, only full is full, and what was sent is read back to within half
 * a step of its own field. A new file is covered as soon as it is there. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "onepack/wire.h"
#include "wire_internal.h"

#define ROUNDS          200
#define LEAST_CHARGE_MV 1000
#define TENTH_MA        100 /* how some inverters must be told "no current" */

#define OF(name) offsetof(struct battery, name)

static struct battery battery;
static struct wire_values values;

/* --- helpers --- */

static int32_t get(const struct battery *from, size_t offset)
{
	int32_t value;

	memcpy(&value, (const char *)from + offset, sizeof value);
	return value;
}

static void set(struct battery *to, size_t offset, int32_t value)
{
	memcpy((char *)to + offset, &value, sizeof value);
}

/* Sends and reads everything; returns how many frames there were. */
static int round_trip(const struct wire *wire, const struct wire_context *ctx)
{
	int sent = 0;

	wire_values_clear(&values);
	for (int i = 0; i < wire_message_count(wire); i++) {
		struct can_message frame;

		if (wire_encode_can(wire, i, ctx, &battery, &frame) != 1)
			continue;
		sent++;
		if (wire_decode_can(wire, ctx, &frame, &values))
			fail_msg("%s: does not understand its own %X", wire->id, frame.id);
	}
	return sent;
}

typedef void protocol_test(const struct wire *wire, const struct wire_context *ctx);

/* Once more with each value of each option, the others at their defaults. */
static void with_every_option(const struct wire *wire, protocol_test *test)
{
	for (int i = 0; i < wire->option_count; i++)
		for (int value = 0; value < wire->options[i].choice_count; value++) {
			struct wire_context ctx;

			wire_context_init(wire, &ctx);
			if (value == ctx.option[i])
				continue;
			ctx.option[i] = value;
			test(wire, &ctx);
		}
}

static void for_every_protocol(protocol_test *test)
{
	char **ids;
	const int count = wire_list_ids(&ids);
	int run = 0;

	for (int i = 0; i < count; i++) {
		struct wire_context ctx;
		struct wire *wire;

		if (strncmp(ids[i], "can/", 4) != 0)
			continue;
		wire = wire_load(ids[i], stderr);
		assert_non_null(wire);
		wire_context_init(wire, &ctx);
		test(wire, &ctx);
		with_every_option(wire, test);
		wire_free(wire);
		run++;
	}
	wire_free_ids(ids, count);
	assert_true(run >= 18);
}

/* A battery of three packs in which nothing is special. */
static void good_battery(void)
{
	static const struct {
		size_t offset;
		int32_t value;
	} members[] = {
		{OF(state), BATTERY_CHARGING},
		{OF(voltage_mv), 53240},
		{OF(current_ma), 45600},
		{OF(soc_mpct), 87400},
		{OF(soh_mpct), 99000},
		{OF(capacity_mah), 600000},
		{OF(remaining_mah), 524000},
		{OF(cycles), 37},
		{OF(charge_voltage_limit_mv), 56000},
		{OF(discharge_voltage_limit_mv), 46000},
		{OF(charge_current_limit_ma), 120000},
		{OF(discharge_current_limit_ma), 150000},
		{OF(charge_allowed), 1},
		{OF(discharge_allowed), 1},
		{OF(force_charge), FORCE_NONE},
		{OF(full_charge_request), 0},
		{OF(temperature_mC), 22500},
		{OF(temperature_min_mC), 20000},
		{OF(temperature_max_mC), 25000},
		{OF(mos_temperature_max_mC), 31000},
		{OF(temperature_min_pack), 1},
		{OF(temperature_max_pack), 2},
		{OF(cells_in_series), 16},
		{OF(cell_min_mv), 3310},
		{OF(cell_max_mv), 3345},
		{OF(cell_mean_mv), 3327},
		{OF(cell_min_pack), 1},
		{OF(cell_min_cell), 3},
		{OF(cell_max_pack), 1},
		{OF(cell_max_cell), 12},
		{OF(packs_total), 3},
		{OF(packs_online), 3},
		{OF(packs_blocking_charge), 1},
		{OF(packs_blocking_discharge), 0},
		{OF(energy_charged_wh), 1200000},
		{OF(energy_discharged_wh), 1100000},
	};

	battery_clear(&battery);
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		set(&battery, members[i].offset, members[i].value);
	strcpy(battery.manufacturer, "JK");
	strcpy(battery.serial, "0123456789ABCDEF");
	strcpy(battery.model, "PB2A16S20P");
}

/* --- no data, nothing allowed --- */

/* 0, or 0.1 A where the option `stop` says so. */
static bool is_no_current(const struct wire *wire, const struct wire_context *ctx, int32_t limit_ma)
{
	for (int i = 0; i < wire->option_count; i++)
		if (strcmp(wire->options[i].name, "stop") == 0 &&
		    strcmp(wire->options[i].choices[ctx->option[i]], "tenth") == 0)
			return limit_ma == TENTH_MA;
	return limit_ma == 0 || limit_ma == FIELD_UNKNOWN; /* not every protocol has both */
}

static void check_stopped(const struct wire *wire, const struct wire_context *ctx, bool charge,
			  bool discharge)
{
	const struct battery *read = &values.battery;

	if (charge &&
	    (!is_no_current(wire, ctx, read->charge_current_limit_ma) || read->charge_allowed == 1))
		fail_msg("%s: charge is not stopped", wire->id);
	if (discharge && (!is_no_current(wire, ctx, read->discharge_current_limit_ma) ||
			  read->discharge_allowed == 1))
		fail_msg("%s: discharge is not stopped", wire->id);
	if (read->charge_voltage_limit_mv != FIELD_UNKNOWN &&
	    read->charge_voltage_limit_mv < LEAST_CHARGE_MV)
		fail_msg("%s: charge voltage of %d mV", wire->id, read->charge_voltage_limit_mv);
}

static void knows_nothing(const struct wire *wire, const struct wire_context *ctx)
{
	battery_clear(&battery);
	assert_true(round_trip(wire, ctx) > 0);
	check_stopped(wire, ctx, true, true);
	assert_int_equal(values.battery.soc_mpct, FIELD_UNKNOWN);
	assert_int_equal(values.battery.voltage_mv, FIELD_UNKNOWN);
	assert_int_equal(values.battery.temperature_mC, FIELD_UNKNOWN);
	if (!(values.battery.protections | values.battery.warnings))
		fail_msg("%s: says nothing about having no data", wire->id);
}

static void stops(const struct wire *wire, const struct wire_context *ctx)
{
	for (int block = 1; block <= 3; block++) {
		const bool charge = block & 1, discharge = block & 2;

		good_battery();
		battery.charge_allowed = !charge;
		battery.discharge_allowed = !discharge;
		round_trip(wire, ctx);
		check_stopped(wire, ctx, charge, discharge);
		if (!charge && values.battery.charge_current_limit_ma != FIELD_UNKNOWN)
			assert_int_equal(values.battery.charge_current_limit_ma, 120000);
		if (!discharge && values.battery.discharge_current_limit_ma != FIELD_UNKNOWN)
			assert_int_equal(values.battery.discharge_current_limit_ma, 150000);
		/* a stop does not ask for another charge voltage than now or later */
		if (values.battery.charge_voltage_limit_mv != FIELD_UNKNOWN)
			assert_in_range(values.battery.charge_voltage_limit_mv, 53200, 56000);
	}
}

/* A limit that is not known, a permission that is not known: no current. */
static void stops_in_doubt(const struct wire *wire, const struct wire_context *ctx)
{
	good_battery();
	battery.charge_current_limit_ma = FIELD_UNKNOWN;
	round_trip(wire, ctx);
	check_stopped(wire, ctx, true, false);
	good_battery();
	battery.discharge_current_limit_ma = FIELD_UNKNOWN;
	round_trip(wire, ctx);
	check_stopped(wire, ctx, false, true);
	good_battery();
	battery.charge_allowed = battery.discharge_allowed = FIELD_UNKNOWN;
	round_trip(wire, ctx);
	assert_true(values.battery.charge_allowed != 1);
	assert_true(values.battery.discharge_allowed != 1);
}

/* --- alarms --- */

/* Each alone: seen with its severity or not at all. Every protocol has a place for a protection
 * that has no bit of its own. */
static void keeps_severities(const struct wire *wire, const struct wire_context *ctx)
{
	for (int i = 0; i < ALARM_COUNT; i++) {
		good_battery();
		battery.protections = ALARM_BIT(i);
		round_trip(wire, ctx);
		if (values.battery.warnings || !values.battery.protections)
			fail_msg("%s: protection %s", wire->id, alarm_name((enum alarm)i));
		good_battery();
		battery.warnings = ALARM_BIT(i);
		round_trip(wire, ctx);
		if (values.battery.protections)
			fail_msg("%s: warning %s", wire->id, alarm_name((enum alarm)i));
	}
	good_battery();
	round_trip(wire, ctx);
	assert_true(!(values.battery.protections | values.battery.warnings));
}

/* --- extremes --- */

/* One member at a time goes out of every range: no frame disappears, and more never reads as less.
 */
static void never_wraps(const struct wire *wire, const struct wire_context *ctx)
{
	static const int32_t extremes[] = {-INT32_MAX, -40000000, -4000000, -1,
					   70000,      4000000,   40000000, INT32_MAX};
	int frames;

	for (size_t f = 0; f < field_battery.field_count; f++) {
		const size_t offset = field_battery.fields[f].offset;
		const enum unit unit = field_battery.fields[f].unit;

		if ((!unit_is_thousandths(unit) && unit != UNIT_COUNT) ||
		    offset == OF(cells_in_series)) /* says which cells there are at all */
			continue;
		for (size_t e = 0; e < sizeof extremes / sizeof *extremes; e++) {
			int32_t normal, read;

			if (unit == UNIT_COUNT && extremes[e] < 0)
				continue; /* there is no such number of anything */
			good_battery();
			frames = round_trip(wire, ctx);
			normal = get(&values.battery, offset);
			const int32_t before = get(&battery, offset);

			set(&battery, offset, extremes[e]);
			if (round_trip(wire, ctx) != frames)
				fail_msg("%s: %s %d makes a frame disappear", wire->id,
					 field_battery.fields[f].name, extremes[e]);
			read = get(&values.battery, offset);
			if (read == FIELD_UNKNOWN || normal == FIELD_UNKNOWN)
				continue;
			if (extremes[e] > before ? read < normal : read > normal)
				fail_msg("%s: %s %d is read as %d", wire->id,
					 field_battery.fields[f].name, extremes[e], read);
		}
	}
}

static void is_full_only_when_full(const struct wire *wire, const struct wire_context *ctx)
{
	static const int32_t nearly[] = {99000, 99499, 99500, 99900, 99999};

	for (size_t i = 0; i < sizeof nearly / sizeof *nearly; i++) {
		good_battery();
		battery.soc_mpct = nearly[i];
		round_trip(wire, ctx);
		assert_in_range(values.battery.soc_mpct, 99000, 99999);
	}
	battery.soc_mpct = 100000;
	round_trip(wire, ctx);
	assert_int_equal(values.battery.soc_mpct, 100000);
}

/* --- half a step --- */

/* The names of charge voltages are rules for one and the same member. */
static bool is_member(const struct quantity *quantity, size_t offset)
{
	if (strncmp(quantity->name, "charge_voltage", 14) == 0)
		return offset == OF(charge_voltage_limit_mv);
	return quantity->offset == offset && strcmp(quantity->name, "") != 0;
}

/* The coarsest step of a member in these fields: half of it, or all of it but one when the rounding
 * is one-sided; -1 when it is not there. */
static int64_t tolerance(const struct wire_context *ctx, const struct item *items, int count,
			 size_t offset)
{
	int64_t most = -1, here;

	for (int i = 0; i < count; i++) {
		const struct item *item = &items[i];

		here = -1;
		if (item->kind == ITEM_WHEN && condition_holds(&item->when, ctx))
			here = tolerance(ctx, item->items, item->item_count, offset);
		else if (item->kind == ITEM_VALUE && !item->only_sent &&
			 is_member(&item->quantities[0], offset))
			here = item->rounding == ROUND_NEAREST ? item->unit_step / 2
							       : item->unit_step - 1;
		if (here > most)
			most = here;
	}
	return most;
}

static int64_t tolerance_of(const struct wire *wire, const struct wire_context *ctx, size_t offset)
{
	int64_t most = -1;

	for (int i = 0; i < wire->message_count; i++) {
		const struct message *message = &wire->messages[i];
		int64_t here;

		if (message->scope != SCOPE_BATTERY || !message_is_on(message, ctx))
			continue;
		here = tolerance(ctx, message->items, message->item_count, offset);
		if (here > most)
			most = here;
	}
	return most;
}

/* What every protocol can carry. */
static const struct {
	size_t offset;
	int32_t low, high;
} ranges[] = {
	{OF(voltage_mv), 42000, 59000},
	{OF(current_ma), -390000, 390000},
	{OF(soc_mpct), 0, 98400},
	{OF(soh_mpct), 0, 100000},
	{OF(capacity_mah), 20000, 655000},
	{OF(cycles), 0, 9000},
	{OF(charge_voltage_limit_mv), 59500, 62900},
	{OF(discharge_voltage_limit_mv), 41000, 47900},
	{OF(charge_current_limit_ma), 200, 200000},
	{OF(discharge_current_limit_ma), 200, 1000000},
	{OF(temperature_mC), -39000, 120000},
	{OF(temperature_min_mC), -39000, 120000},
	{OF(temperature_max_mC), -39000, 120000},
	{OF(cell_min_mv), 500, 4500},
	{OF(cell_max_mv), 500, 4500},
	{OF(cell_min_cell), 1, 16},
	{OF(cell_max_cell), 1, 16},
	{OF(temperature_min_pack), 1, 16},
	{OF(temperature_max_pack), 1, 16},
	{OF(packs_online), 1, 16},
	{OF(packs_blocking_charge), 0, 16},
	{OF(packs_blocking_discharge), 0, 16},
	{OF(energy_charged_wh), 0, 2000000000},
	{OF(energy_discharged_wh), 0, 2000000000},
};

#define RANGE_COUNT (sizeof ranges / sizeof *ranges)

/* xorshift: small, and the same everywhere */
static uint32_t next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static int32_t between(uint32_t *state, int32_t low, int32_t high)
{
	return low + (int32_t)(next(state) % (uint32_t)(high - low + 1));
}

static void reads_what_it_sent(const struct wire *wire, const struct wire_context *ctx)
{
	uint32_t state = 0x1234567;
	int compared = 0;

	for (int round = 0; round < ROUNDS; round++) {
		good_battery();
		for (size_t i = 0; i < RANGE_COUNT; i++)
			set(&battery, ranges[i].offset,
			    between(&state, ranges[i].low, ranges[i].high));
		battery.remaining_mah = between(&state, 0, battery.capacity_mah);
		battery.packs_total = battery.packs_online;
		round_trip(wire, ctx);
		for (size_t i = 0; i < RANGE_COUNT; i++) {
			const int64_t allowed = tolerance_of(wire, ctx, ranges[i].offset);
			const int32_t sent = get(&battery, ranges[i].offset);
			const int32_t read = get(&values.battery, ranges[i].offset);

			if (allowed < 0 || read == FIELD_UNKNOWN)
				continue;
			compared++;
			if (llabs((int64_t)sent - read) > allowed)
				fail_msg("%s: range %zu, %d is read as %d", wire->id, i, sent,
					 read);
		}
	}
	assert_true(compared >= 6 * ROUNDS);
}

/* --- garbage, and who hears whom --- */

/* Any bytes in any length, under every id that is listened to. */
static void survives_garbage(const struct wire *wire, const struct wire_context *ctx)
{
	uint32_t state = 0xBADBAD;

	for (int round = 0; round < 20 * ROUNDS; round++) {
		const struct message *message =
			&wire->messages[next(&state) % (uint32_t)wire->message_count];
		struct can_message frame = {.id = message->id, .extended = message->extended};

		frame.length = (uint8_t)(next(&state) % 9);
		for (int i = 0; i < 8; i++)
			frame.data[i] = (uint8_t)next(&state);
		wire_values_clear(&values);
		wire_decode_can(wire, ctx, &frame, &values);
		assert_in_range(values.battery.pack_count, 0, ONEPACK_MAX_PACKS);
	}
}

/* Whoever has not seen it work says what a user should look at. */
static void owns_up(const struct wire *wire, const struct wire_context *ctx)
{
	struct wire_info info;

	(void)ctx;
	wire_get_info(wire, &info);
	if (strcmp(info.maturity, "tested") != 0 && !info.check_first[0])
		fail_msg("%s: needs `check_first:`", wire->id);
}

/* --- the tests --- */

#define EVERY(test)                            \
	static void every_##test(void **state) \
	{                                      \
		(void)state;                   \
		for_every_protocol(test);      \
	}

EVERY(knows_nothing)
EVERY(stops)
EVERY(stops_in_doubt)
EVERY(keeps_severities)
EVERY(never_wraps)
EVERY(is_full_only_when_full)
EVERY(reads_what_it_sent)
EVERY(survives_garbage)
EVERY(owns_up)

/* The two bit rates of JK are one protocol in two files. */
static void jk_differs_in_bit_rate_only(void **state)
{
	static const char *const own[] = {"#", "title:", "maturity:", "check_first:", "can:"};
	FILE *a = fopen(ONEPACK_SOURCE_DIR "/protocols/can/jk-2.0.yaml", "r"),
	     *b = fopen(ONEPACK_SOURCE_DIR "/protocols/can/jk-2.0-500k.yaml", "r");
	char left[400] = "", right[400] = "";
	int lines = 0;

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	while (!feof(a) || !feof(b)) {
		bool is_own[2] = {true, true};
		char *const text[2] = {left, right};
		FILE *const file[2] = {a, b};

		for (int n = 0; n < 2; n++)
			while (is_own[n]) {
				is_own[n] = false;
				if (!fgets(text[n], sizeof left, file[n]))
					snprintf(text[n], sizeof left, "end");
				for (size_t i = 0; i < sizeof own / sizeof *own; i++)
					is_own[n] |= strncmp(text[n], own[i], strlen(own[i])) == 0;
			}
		assert_string_equal(left, right);
		lines++;
	}
	assert_true(lines > 100);
	fclose(a);
	fclose(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_knows_nothing),
		cmocka_unit_test(every_stops),
		cmocka_unit_test(every_stops_in_doubt),
		cmocka_unit_test(every_keeps_severities),
		cmocka_unit_test(every_never_wraps),
		cmocka_unit_test(every_is_full_only_when_full),
		cmocka_unit_test(every_reads_what_it_sent),
		cmocka_unit_test(every_survives_garbage),
		cmocka_unit_test(every_owns_up),
		cmocka_unit_test(jk_differs_in_bit_rate_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
