// SPDX-License-Identifier: Apache-2.0
/* Thousands of random batteries and packs, asked and answered over every serial protocol: what the
 * master understands is what the slave was, within the step of the wire and rounded to the safe
 * side; blocked or unknown never becomes current; one wrong bit never becomes a value. */
#include "../cmocka_all.h"
#include "rtu.h"

#include <string.h>

#include "onepack/wire.h"

#define ROUNDS 1500

enum rounding_wanted { NEAR, DOWN, UP };

/* A field of struct battery or struct pack that a message says, and in which steps (mV, mA, ...).
 */
struct row {
	const char *field;
	int32_t step;
	enum rounding_wanted rounding;
};

struct subject {
	const char *id, *message;
	struct row rows[16];
};

static const struct subject subjects[] = {
	{"rs485/pylon-lv-3.3",
	 "analog",
	 {{"current", 100, NEAR},
	  {"voltage", 1, NEAR},
	  {"remaining", 1, NEAR},
	  {"capacity", 1, NEAR},
	  {"cycles", 1, NEAR}}},
	{"rs485/pylon-lv-3.3",
	 "parameters",
	 {{"charge_current_limit", 100, DOWN},
	  {"discharge_current_limit", 100, DOWN},
	  {"charge_voltage_limit", 1, DOWN},
	  {"discharge_voltage_limit", 1, UP}}},
	{"rs485/pylon-lv-3.3",
	 "management",
	 {{"charge_current_limit", 100, DOWN},
	  {"discharge_current_limit", 100, DOWN},
	  {"charge_voltage_limit", 1, DOWN},
	  {"discharge_voltage_limit", 1, UP},
	  {"charge_allowed", 1, NEAR},
	  {"discharge_allowed", 1, NEAR},
	  {"force_charge", 1, NEAR},
	  {"full_charge_request", 1, NEAR}}},
	{"rs485/pylon-lv-3.3",
	 "system_analog",
	 {{"voltage", 1, NEAR},
	  {"current", 10, NEAR},
	  {"soc", 1000, NEAR},
	  {"cycles", 1, NEAR},
	  {"soh", 1000, NEAR},
	  {"cell_max", 1, NEAR},
	  {"cell_min", 1, NEAR},
	  {"temperature", 100, NEAR},
	  {"temperature_max", 100, NEAR},
	  {"temperature_min", 100, NEAR},
	  {"mos_temperature_max", 100, NEAR}}},
	{"rs485/pylon-lv-3.3",
	 "system_management",
	 {{"charge_current_limit", 100, DOWN},
	  {"discharge_current_limit", 100, DOWN},
	  {"charge_voltage_limit", 1, DOWN},
	  {"discharge_voltage_limit", 1, UP},
	  {"charge_allowed", 1, NEAR},
	  {"discharge_allowed", 1, NEAR},
	  {"full_charge_request", 1, NEAR}}},
	{"rs485/growatt-2.01",
	 "status",
	 {{"state", 1, NEAR},
	  {"soc", 1000, NEAR},
	  {"voltage", 10, NEAR},
	  {"current", 10, NEAR},
	  {"charge_current_limit", 10, DOWN},
	  {"discharge_current_limit", 10, DOWN},
	  {"remaining", 10, NEAR},
	  {"capacity", 10, NEAR},
	  {"cycles", 1, NEAR},
	  {"soh", 1000, NEAR},
	  {"charge_voltage_limit", 10, DOWN},
	  {"cell_max", 1, NEAR},
	  {"cell_min", 1, NEAR},
	  {"cell_max_cell", 1, NEAR},
	  {"charge_allowed", 1, NEAR}}},
	{"rs485/jk-modbus-1.0",
	 "live",
	 {{"voltage", 1, NEAR},
	  {"current", 1, NEAR},
	  {"soc", 1000, NEAR},
	  {"soh", 1000, NEAR},
	  {"remaining", 1, NEAR},
	  {"capacity", 1, NEAR},
	  {"cycles", 1, NEAR},
	  {"temperature_max", 100, NEAR},
	  {"temperature_min", 100, NEAR},
	  {"mos_temperature_max", 100, NEAR},
	  {"charge_allowed", 1, NEAR},
	  {"discharge_allowed", 1, NEAR},
	  {"cell_min_cell", 1, NEAR}}},
	{"rs485/jk-modbus-1.0",
	 "settings",
	 {{"charge_current_limit", 1, DOWN},
	  {"discharge_current_limit", 1, DOWN},
	  {"charge_voltage_limit", 16, DOWN},
	  {"discharge_voltage_limit", 16, UP},
	  {"charge_allowed", 1, NEAR},
	  {"discharge_allowed", 1, NEAR},
	  {"capacity", 1, NEAR}}},
	{"rs485/pace-modbus-1.3",
	 "live",
	 {{"current", 10, NEAR},
	  {"voltage", 10, NEAR},
	  {"soc", 1000, NEAR},
	  {"soh", 1000, NEAR},
	  {"remaining", 10, NEAR},
	  {"capacity", 10, NEAR},
	  {"cycles", 1, NEAR},
	  {"state", 1, NEAR},
	  {"mos_temperature_max", 100, NEAR},
	  {"charge_allowed", 1, NEAR},
	  {"discharge_allowed", 1, NEAR}}},
	{"rs485/pace-modbus-1.3",
	 "thresholds",
	 {{"charge_voltage_limit", 1, DOWN},
	  {"discharge_voltage_limit", 1, UP},
	  {"charge_current_limit", 1000, DOWN},
	  {"discharge_current_limit", 1000, DOWN}}},
	{"rs485/china-tower-2.0",
	 "live",
	 {{"current", 10, NEAR},
	  {"voltage", 10, NEAR},
	  {"soc", 1000, NEAR},
	  {"soh", 1000, NEAR},
	  {"remaining", 10, NEAR},
	  {"state", 1, NEAR},
	  {"mos_temperature_max", 1000, NEAR},
	  {"charge_allowed", 1, NEAR},
	  {"discharge_allowed", 1, NEAR}}},
	{"rs485/china-tower-1.1",
	 "live",
	 {{"current", 10, NEAR},
	  {"voltage", 10, NEAR},
	  {"soc", 1000, NEAR},
	  {"remaining", 10, NEAR},
	  {"charge_allowed", 1, NEAR},
	  {"discharge_allowed", 1, NEAR}}},
	{"rs485/china-tower-1.1",
	 "analog",
	 {{"current", 10, NEAR},
	  {"voltage", 10, NEAR},
	  {"remaining", 10, NEAR},
	  {"capacity", 10, NEAR},
	  {"cycles", 1, NEAR}}},
	{"rs485/china-tower-1.1",
	 "parameters",
	 {{"charge_voltage_limit", 10, DOWN},
	  {"discharge_voltage_limit", 10, UP},
	  {"charge_current_limit", 10, DOWN},
	  {"discharge_current_limit", 10, DOWN}}},
	{"rs485/niu-u",
	 "live",
	 {{"voltage", 100, NEAR},
	  {"current", 100, NEAR},
	  {"soc", 1000, NEAR},
	  {"state", 1, NEAR},
	  {"mos_temperature_max", 1000, NEAR}}},
	{"rs485/niu-u",
	 "more",
	 {{"charge_voltage_limit", 10, DOWN},
	  {"charge_current_limit", 10, DOWN},
	  {"charge_allowed", 1, NEAR},
	  {"discharge_allowed", 1, NEAR},
	  {"cell_max", 1, NEAR},
	  {"cell_min", 1, NEAR},
	  {"cell_max_cell", 1, NEAR},
	  {"soh", 1000, NEAR}}},
	{"rs485/jk-4g-gps-4.2",
	 "all",
	 {{"voltage", 10, NEAR},
	  {"current", 10, NEAR},
	  {"soc", 1000, NEAR},
	  {"cycles", 1, NEAR},
	  {"capacity", 1000, NEAR},
	  {"charge_current_limit", 1000, DOWN},
	  {"discharge_current_limit", 1000, DOWN},
	  {"charge_allowed", 1, NEAR},
	  {"discharge_allowed", 1, NEAR},
	  {"mos_temperature_max", 1000, NEAR}}},
	{"rs485/voltronic-20200325",
	 "status",
	 {{"current", 100, NEAR},
	  {"voltage", 100, NEAR},
	  {"soc", 1000, NEAR},
	  {"capacity", 1, NEAR},
	  {"packs_online", 1, NEAR},
	  {"cells_in_series", 1, NEAR},
	  {"mos_temperature_max", 100, NEAR}}},
	{"rs485/voltronic-20200325",
	 "limits",
	 {{"charge_voltage_limit", 100, DOWN},
	  {"discharge_voltage_limit", 100, UP},
	  {"charge_current_limit", 100, DOWN},
	  {"discharge_current_limit", 100, DOWN},
	  {"charge_allowed", 1, NEAR},
	  {"discharge_allowed", 1, NEAR},
	  {"force_charge", 1, NEAR},
	  {"remaining", 1, NEAR}}},
	{"pack/jk-pb",
	 "live",
	 {{"voltage", 1, NEAR},
	  {"current", 1, NEAR},
	  {"soc", 1000, NEAR},
	  {"soh", 1000, NEAR},
	  {"remaining", 1, NEAR},
	  {"capacity", 1, NEAR},
	  {"cycles", 1, NEAR},
	  {"charge_mos", 1, NEAR},
	  {"discharge_mos", 1, NEAR},
	  {"precharge", 1, NEAR},
	  {"heater", 1, NEAR},
	  {"balancing", 1, NEAR},
	  {"balance_current", 1, NEAR},
	  {"mos_temperature", 100, NEAR}}},
};

/* --- random batteries --- */

static uint64_t seed;

static uint32_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16);
}

static int32_t between(int32_t low, int32_t high)
{
	return low + (int32_t)(next_random() % (uint32_t)(high - low + 1));
}

static int32_t random_value(const struct field *field)
{
	const char *name = field->name;

	switch (field->unit) {
	case UNIT_V:
		return strncmp(name, "cell_", 5) == 0 ? between(2500, 3700) : between(41000, 60000);
	case UNIT_A:
		if (strstr(name, "limit"))
			return between(-2000, 320000);
		return strcmp(name, "balance_current") == 0 ? between(-2000, 2000)
							    : between(-320000, 320000);
	case UNIT_PCT: return between(0, 100000);
	case UNIT_AH:
		return strcmp(name, "remaining") == 0 ? between(0, 300000)
						      : between(300000, 650000);
	case UNIT_C: return between(-25000, 70000);
	case UNIT_FLAG: return between(0, 1);
	case UNIT_BATTERY_STATE: return between(BATTERY_CHARGING, BATTERY_STANDBY);
	case UNIT_FORCE_CHARGE: return between(FORCE_NONE, FORCE_URGENT);
	default: return between(1, 16);
	}
}

/* `gaps` percent of the fields are unknown. */
static void fill(void *object, const struct field_table *table, int gaps)
{
	for (size_t i = 0; i < table->field_count; i++)
		field_set(object, &table->fields[i],
			  between(0, 99) < gaps ? FIELD_UNKNOWN : random_value(&table->fields[i]));
}

static void random_battery(struct battery *battery, int gaps)
{
	battery_clear(battery);
	fill(battery, &field_battery, gaps);
	battery->cells_in_series = 16;
	battery->protections = between(0, 3) ? 0 : (alarm_set)next_random() & 0x7FFFFFFF;
	battery->warnings = between(0, 3) ? 0 : (alarm_set)next_random() & 0x7FFFFFFF;
}

static void random_pack(struct pack *pack, int gaps)
{
	pack_clear(pack);
	fill(pack, &field_pack, gaps);
	fill(&pack->settings, &field_settings, 0);
	pack->cell_count = 16;
	for (int i = 0; i < 16; i++)
		pack->cells_mv[i] = between(2500, 3700);
	pack->temperature_count = 4;
	for (int i = 0; i < 4; i++)
		pack->temperatures_mC[i] = between(0, 9) ? between(-250, 700) * 100 : FIELD_UNKNOWN;
}

/* --- one question --- */

struct talk {
	struct wire *wire;
	struct wire_info info;
	struct wire_context ctx;
	const struct subject *subject;
	int index, address;
	uint8_t question[64], answer[WIRE_MAX_FRAME];
	int asked, answered;
};

static int message_index(const struct wire *wire, const char *name)
{
	for (int i = 0; i < wire_message_count(wire); i++) {
		struct wire_message_info info;

		wire_get_message(wire, i, &info);
		if (strcmp(info.name, name) == 0)
			return i;
	}
	fail_msg("no message %s", name);
	return -1;
}

static void open_talk(struct talk *talk, const struct subject *subject)
{
	memset(talk, 0, sizeof *talk);
	talk->subject = subject;
	talk->wire = wire_load(subject->id, stderr);
	assert_non_null(talk->wire);
	wire_get_info(talk->wire, &talk->info);
	wire_context_init(talk->wire, &talk->ctx);
	talk->index = message_index(talk->wire, subject->message);
	talk->address = talk->info.default_address;
	talk->asked = wire_request(talk->wire, talk->index, &talk->ctx, talk->address,
				   talk->question, sizeof talk->question);
	assert_true(talk->asked > 0);
}

static int ask(struct talk *talk, const void *who)
{
	talk->answered = wire_answer(talk->wire, &talk->ctx, who, talk->question,
				     (size_t)talk->asked, talk->answer, sizeof talk->answer);
	assert_true(talk->answered >= 0);
	return talk->answered;
}

static int understand(const struct talk *talk, const uint8_t *bytes, size_t count,
		      struct wire_values *values)
{
	wire_values_clear(values);
	return wire_response(talk->wire, talk->index, &talk->ctx, talk->address, bytes, count,
			     values);
}

/* --- what must hold --- */

static bool is_blocked(const struct battery *battery, const char *field)
{
	if (strncmp(field, "charge_", 7) == 0)
		return battery->charge_allowed != 1 ||
		       battery->charge_current_limit_ma == FIELD_UNKNOWN;
	return battery->discharge_allowed != 1 ||
	       battery->discharge_current_limit_ma == FIELD_UNKNOWN;
}

/* What the wire should say of a field: limits are 0 when blocked, flags are no when unknown. */
static int32_t wanted_value(const struct talk *talk, const struct row *row, const void *who,
			    const struct field *field)
{
	int32_t value = field_get(who, field);

	if (talk->info.scope == WIRE_OF_PACK)
		return value;
	if (strstr(row->field, "_allowed"))
		return value == 1 && !is_blocked(who, row->field);
	if (!strstr(row->field, "current_limit"))
		return value;
	const struct battery *battery = who;
	int32_t allowed =
		row->field[0] == 'c' ? battery->charge_allowed : battery->discharge_allowed;

	return allowed == 0 || value < 0 ? 0 : value;
}

static void check_row(const struct talk *talk, const struct row *row, const void *who,
		      const void *got_object)
{
	const struct field_table *table =
		talk->info.scope == WIRE_OF_PACK ? &field_pack : &field_battery;
	const struct field *field = field_find(table, row->field);

	assert_non_null(field);
	int32_t wanted = wanted_value(talk, row, who, field), got = field_get(got_object, field);
	int64_t off = (int64_t)got - wanted;
	bool good = true;

	if (strcmp(row->field, "charge_voltage_limit") == 0)
		assert_true(got > 1000);
	if (strcmp(row->field, "soc") == 0 && got == 100000)
		assert_int_equal(wanted, 100000);
	if (wanted == FIELD_UNKNOWN)
		return; /* what goes out for unknown is in the vectors */
	switch (row->rounding) {
	case NEAR:
		/* 99.6 % is sent as 99 */
		good = 2 * off <= row->step &&
		       -off * (strcmp(row->field, "soc") == 0 ? 1 : 2) <= row->step;
		break;
	case DOWN: good = off <= 0 && -off < row->step; break;
	case UP: good = off >= 0 && off < row->step; break;
	}
	if (!good)
		fail_msg("%s %s: %s was %d, understood %d", talk->subject->id,
			 talk->subject->message, row->field, wanted, got);
}

static void check_values(const struct talk *talk, const void *who, const struct wire_values *values)
{
	const void *got = talk->info.scope == WIRE_OF_PACK ? (const void *)&values->pack
							   : (const void *)&values->battery;

	for (const struct row *row = talk->subject->rows; row->field; row++)
		check_row(talk, row, who, got);
	if (talk->info.scope == WIRE_OF_PACK) {
		const struct pack *sent = who;

		assert_int_equal(values->pack.address, talk->address);
		assert_int_equal(values->pack.cell_count, 16);
		assert_memory_equal(values->pack.cells_mv, sent->cells_mv, 16 * sizeof(int32_t));
		for (int i = 0; i < 4; i++)
			assert_int_equal(i < values->pack.temperature_count
						 ? values->pack.temperatures_mC[i]
						 : FIELD_UNKNOWN,
					 sent->temperatures_mC[i]);
	}
}

/* The answer with an echo of the question and noise before it, the way adapters deliver it. */
static void check_noise(const struct talk *talk, const struct wire_values *clean)
{
	static const uint8_t noise[] = {0x00, 0xFF};
	static struct wire_values values;
	uint8_t bytes[WIRE_MAX_FRAME + 80];
	size_t count = 0;

	if (next_random() & 1) {
		memcpy(bytes, noise, sizeof noise);
		count = sizeof noise;
	}
	memcpy(bytes + count, talk->question, (size_t)talk->asked);
	count += (size_t)talk->asked;
	memcpy(bytes + count, talk->answer, (size_t)talk->answered);
	count += (size_t)talk->answered;
	assert_int_equal(understand(talk, bytes, count, &values), count);
	assert_memory_equal(&values, clean, sizeof values);
	size_t cut = (size_t)between(0, (int32_t)count - 1);

	if (understand(talk, bytes, cut, &values) != ERR_INCOMPLETE)
		fail_msg("%s %s: %zu of %zu bytes", talk->subject->id, talk->subject->message, cut,
			 count);
}

/* A Pylon sum in lower case is the same sum. */
static void check_damage(const struct talk *talk, const struct wire_values *clean)
{
	static struct wire_values values;
	uint8_t bytes[WIRE_MAX_FRAME];
	size_t at = (size_t)between(0, talk->answered - 1);

	memcpy(bytes, talk->answer, (size_t)talk->answered);
	bytes[at] ^= (uint8_t)(1 << between(0, 7));
	if (understand(talk, bytes, (size_t)talk->answered, &values) > 0)
		assert_memory_equal(&values, clean, sizeof values);
}

static void check_round(struct talk *talk, const void *who, bool complete)
{
	static struct wire_values values;
	const int answered = ask(talk, who);

	if (answered == 0) {
		assert_false(complete);
		return;
	}
	const int used = understand(talk, talk->answer, (size_t)answered, &values);

	if (used == ERR_UNKNOWN) { /* Pylon: return code 91 */
		assert_false(complete);
		return;
	}
	assert_int_equal(used, answered);
	check_values(talk, who, &values);
	check_noise(talk, &values);
	check_damage(talk, &values);
}

static void what_is_understood_is_what_was(void **state)
{
	(void)state;
	static struct battery battery;
	static struct pack pack;

	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
		struct talk talk;

		seed = 0x9E3779B97F4A7C15u + i;
		open_talk(&talk, &subjects[i]);
		for (int round = 0; round < ROUNDS; round++) {
			const int gaps = round % 2 ? 0 : 10;

			random_battery(&battery, gaps);
			random_pack(&pack, gaps);
			check_round(&talk,
				    talk.info.scope == WIRE_OF_PACK ? (const void *)&pack
								    : (const void *)&battery,
				    gaps == 0);
		}
		wire_free(talk.wire);
	}
}

/* Every prefix of a question is no frame, the whole is one, and nobody answers for another. */
static void questions_arrive_byte_by_byte(void **state)
{
	(void)state;
	static struct battery battery;
	static struct pack pack;

	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
		struct talk talk;
		size_t start = 99;

		seed = i + 1;
		open_talk(&talk, &subjects[i]);
		random_battery(&battery, 0);
		random_pack(&pack, 0);
		for (size_t count = 0; count < (size_t)talk.asked; count++)
			assert_true(wire_scan(talk.wire, WIRE_FROM_MASTER, talk.question, count,
					      &start) <= 0);
		assert_int_equal(wire_scan(talk.wire, WIRE_FROM_MASTER, talk.question,
					   (size_t)talk.asked, &start),
				 talk.asked);
		assert_int_equal(start, 0);
		if (talk.address == 0) { /* JK's terminal 0 is everybody */
			wire_free(talk.wire);
			continue;
		}
		talk.ctx.address = talk.address + 1;
		assert_int_equal(wire_answer(talk.wire, &talk.ctx,
					     talk.info.scope == WIRE_OF_PACK
						     ? (const void *)&pack
						     : (const void *)&battery,
					     talk.question, (size_t)talk.asked, talk.answer,
					     sizeof talk.answer),
				 ERR_NOT_MINE);
		wire_free(talk.wire);
	}
}

/* JK's records are the same towards an inverter and from a pack, and so is the map of both
 * revisions of China Tower. */
static bool is_same_answer(const struct subject *a, const struct subject *b)
{
	static const char *const families[] = {"jk", "china-tower"};

	if (a == b)
		return true;
	for (size_t i = 0; i < 2; i++)
		if (strcmp(a->message, b->message) == 0 && strstr(a->id, families[i]) &&
		    strstr(b->id, families[i]))
			return true;
	return false;
}

/* The answer to one question is never taken for the answer to another. */
static void answers_belong_to_their_questions(void **state)
{
	(void)state;
	static struct wire_values values;
	static struct battery battery;
	static struct pack pack;
	const size_t count = sizeof subjects / sizeof *subjects;

	seed = 7;
	random_battery(&battery, 0);
	random_pack(&pack, 0);
	for (size_t i = 0; i < count; i++) {
		struct talk asked;

		open_talk(&asked, &subjects[i]);
		for (size_t j = 0; j < count; j++) {
			struct talk other;

			open_talk(&other, &subjects[j]);
			ask(&other, other.info.scope == WIRE_OF_PACK ? (const void *)&pack
								     : (const void *)&battery);
			bool same = is_same_answer(&subjects[i], &subjects[j]);
			int result =
				understand(&asked, other.answer, (size_t)other.answered, &values);

			if ((result > 0) != same)
				fail_msg("%s %s answered by %s %s: %d", subjects[i].id,
					 subjects[i].message, subjects[j].id, subjects[j].message,
					 result);
			wire_free(other.wire);
		}
		wire_free(asked.wire);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_understood_is_what_was),
		cmocka_unit_test(questions_arrive_byte_by_byte),
		cmocka_unit_test(answers_belong_to_their_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
