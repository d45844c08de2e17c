// SPDX-License-Identifier: Apache-2.0
/* The same inputs give the same battery, in every build and on every machine. Random racks with
 * random settings get everything that can come in, nonsense included, and each rack's whole output
 * is one number, compared with tests/vectors/fusion/trace.txt. Any change of a rule changes
 * numbers: then it has to be meant, and `ONEPACK_ACCEPT=1 core_fusion_trace` writes the file anew.
 */
#include "fusion_rig.h"

#define RACKS 32
#define STEPS 500
#define PATH  ONEPACK_SOURCE_DIR "/tests/vectors/fusion/trace.txt"

static uint64_t state;

/* SplitMix64: the same everywhere. */
static uint32_t draw_bits(void)
{
	uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return (uint32_t)((z ^ (z >> 31)) >> 32);
}

static int32_t draw(int32_t low, int32_t high)
{
	return low + (int32_t)(draw_bits() % ((uint32_t)high - (uint32_t)low + 1));
}

static bool chance(int percent)
{
	return draw(1, 100) <= percent;
}

/* Each key stays at its default, or goes anywhere between half and twice that, or anywhere. */
static void draw_setting(const struct fusion_key *key, struct fusion_config *config)
{
	const int64_t low = key->normal > 0 ? key->normal / 2 : key->low;
	const int64_t high = key->normal > 0 ? (int64_t)key->normal * 2 : key->high;
	int32_t value = key->normal;

	if (chance(15))
		value = draw(low > key->low ? (int32_t)low : key->low,
			     high < key->high ? (int32_t)high : key->high);
	else if (chance(2))
		value = draw(key->low, key->high);
	memcpy((char *)config + key->offset, &value, sizeof value);
}

static void draw_config(struct fusion_config *config)
{
	fusion_config_default(config);
	for (int i = 0; i < fusion_key_count; i++)
		draw_setting(&fusion_keys[i], config);
	config->cells_in_series = 16;
	config->limit_rule = chance(70) ? LIMIT_RULE_SHARE : (enum limit_rule)draw(0, 2);
	config->soc_basis = (enum soc_basis)draw(0, 1);
	config->cvl_policy = chance(60) ? CVL_UNFINISHED : (enum cvl_policy)draw(0, 2);
	fusion_config_default_curves(config);
}

static void draw_rack(struct rig *rig)
{
	rig_init(rig, chance(15) ? ONEPACK_MAX_PACKS : draw(1, ONEPACK_MAX_PACKS));
	draw_config(&rig->config);
	rig_configure(rig);
	for (int i = 0; i < rig->count; i++) {
		struct pack *pack = &rig->packs[i];

		pack->capacity_mah = chance(60) ? 280000 : draw(50000, 320000);
		pack->remaining_mah = pack->capacity_mah / 100 * draw(5, 95);
		pack->soc_mpct = chance(80) ? 60000 : draw(0, 100000);
		pack->charge_current_limit_ma = draw(5000, 150000);
		pack->discharge_current_limit_ma = draw(5000, 150000);
		if (chance(50))
			pack->charge_voltage_limit_mv = draw(52000, 58000);
		if (chance(30))
			pack->discharge_voltage_limit_mv = draw(40000, 46000);
		if (chance(30))
			pack->settings.charge_overcurrent_ma = draw(20000, 200000);
		if (chance(30))
			pack->settings.discharge_overcurrent_ma = draw(20000, 200000);
		rig->absent[i] = chance(20);
	}
}

/* What happens to all packs for a while, so that charges end and batteries run empty. */
static void change_all(struct rig *rig)
{
	static const int32_t cells_mv[] = {3300, 3300, 3455, 3448, 3360, 3200, 2900, 2780, 2590};
	const int32_t mv = cells_mv[draw(0, 8)], mC = chance(80) ? 25000 : draw(-10000, 62000);

	for (int i = 0; i < rig->count; i++) {
		struct pack *pack = &rig->packs[i];

		rig_set_cells(pack, mv + draw(-3, 3));
		pack->temperatures_mC[0] = pack->temperatures_mC[1] = mC + draw(-500, 500);
		pack->protections = 0;
		pack->charge_mos = pack->discharge_mos = 1;
		pack->soc_mpct = mv > 3400 ? 99000 : draw(1000, 90000);
		pack->remaining_mah = pack->capacity_mah / 100 * (pack->soc_mpct / 1000);
	}
	rig->load_ma = chance(60) ? draw(-3000, 3000) : draw(-400000, 400000);
}

/* What a pack may do for a while. */
static void change_pack(struct pack *pack)
{
	switch (draw(0, 15)) {
	case 0: rig_set_cells(pack, draw(3200, 3440)); break;
	case 1: rig_set_cell(pack, draw(1, 16), draw(2500, 3800)); break;
	case 2: pack->charge_mos = chance(20) ? FIELD_UNKNOWN : draw(0, 1); break;
	case 3: pack->discharge_mos = chance(20) ? FIELD_UNKNOWN : draw(0, 1); break;
	case 4: pack->charge_mos = pack->discharge_mos = 1; break;
	case 5: pack->temperatures_mC[draw(0, 1)] = draw(-25000, 65000); break;
	case 6: pack->temperatures_mC[0] = pack->temperatures_mC[1] = draw(15000, 30000); break;
	case 7: pack->charge_current_limit_ma = draw(0, 150000); break;
	case 8: pack->soc_mpct = chance(10) ? FIELD_UNKNOWN : draw(0, 100000); break;
	case 9: pack->mos_temperature_mC = draw(20000, 95000); break;
	case 10: pack->protections = chance(70) ? 0 : ALARM_BIT(draw(0, ALARM_COUNT - 1)); break;
	case 11: pack->warnings = chance(70) ? 0 : ALARM_BIT(draw(0, ALARM_COUNT - 1)); break;
	case 12: rig_set_cells(pack, 3300); break;
	case 13: rig_set_cells(pack, chance(50) ? 3450 : 2790); break;
	case 14: pack->charge_voltage_limit_mv = draw(52000, 58000); break;
	default: rig_set_cells(pack, 3300 + draw(-3, 3)); break;
	}
}

/* The packs share a load by hidden resistances, and some drive currents through each other. */
static void share_load(struct rig *rig)
{
	int64_t weight = 0;

	for (int i = 0; i < rig->count; i++)
		weight += rig->packs[i].capacity_mah / 100 * (70 + 13 * i % 60);
	for (int i = 0; i < rig->count; i++) {
		struct pack *pack = &rig->packs[i];
		const bool closed =
			(rig->load_ma > 0 ? pack->charge_mos : pack->discharge_mos) != 0;

		pack->current_ma =
			closed ? (int32_t)scale(rig->load_ma,
						pack->capacity_mah / 100 * (70 + 13 * i % 60),
						weight)
			       : 0;
		pack->current_ma += chance(30) ? draw(-150, 150) : 0;
		if (i % 5 == 4 && rig->load_ma % 3 == 0)
			pack->current_ma += 15000;
	}
}

/* One answer that is not what the pack says. */
static void spoil(struct pack *pack)
{
	switch (draw(0, 9)) {
	case 0: pack->cells_mv[draw(0, 15)] = draw(-100, 70000); break;
	case 1: pack->current_ma = chance(50) ? 3276700 : draw(-2000000, 2000000); break;
	case 2: pack->soc_mpct = draw(-1000, 200000); break;
	case 3:
		field_set(pack, &field_pack.fields[draw(1, (int)field_pack.field_count - 1)],
			  FIELD_UNKNOWN);
		break;
	case 4: pack->cell_count = draw(-2, 40); break;
	case 5: snprintf(pack->serial, sizeof pack->serial, "X%d", draw(1, 3)); break;
	case 6: pack->capacity_mah = draw(-5, 20000000); break;
	case 7: pack->temperatures_mC[0] = draw(-300000, 300000); break;
	case 8: pack->charge_current_limit_ma = chance(50) ? 65535 : draw(-5, 20000000); break;
	default: pack->cycles = draw(-5, 1000); break;
	}
}

static void add_errors(struct fusion_input *input)
{
	input->error_count = chance(10) ? draw(1, 3) : 0;
	for (int i = 0; i < input->error_count; i++) {
		struct bus_error *error = &input->errors[i];

		snprintf(error->bus, sizeof error->bus, chance(90) ? "rack" : "other");
		error->address = draw(1, 16);
		error->kind = (enum bus_error_kind)draw(0, BUS_ERROR_KINDS - 1);
		error->count = draw(-1, 12);
	}
}

static void live(struct rig *rig)
{
	static const int32_t loads_ma[] = {0, 60000, -60000, 200000, -200000, 30000, 900000};
	struct fusion_input *input = &rig->input;

	int64_t sum_ma = 0;

	if (chance(1))
		change_all(rig);
	if (chance(6))
		rig->load_ma = loads_ma[draw(0, 6)] + draw(0, 5000);
	for (int i = 0; i < rig->count; i++) {
		if (chance(4))
			change_pack(&rig->packs[i]);
		rig->absent[i] = rig->absent[i] ? !chance(i % 3 ? 12 : 1) : chance(1);
	}
	share_load(rig);
	for (int i = 0; i < rig->count; i++)
		sum_ma += rig->absent[i] ? 0 : rig->packs[i].current_ma;
	input->bus_current_ma =
		rig->count % 3 && chance(95)
			? saturate_ma(sum_ma + draw(-500, 500) + (chance(1) ? 20000 : 0))
			: FIELD_UNKNOWN;
	input->acknowledge = chance(1);
	add_errors(input);
	rig->now_ms += chance(95) ? 1000 : draw(0, 20000);
	rig->now_ms += draw(1, 1000) == 1 ? INT64_C(1000) * draw(0, 3000000) : 0;
	input->now_ms = chance(98) ? rig->now_ms : rig->now_ms - 5000;
	input->pack_count = 0;
	for (int i = 0; i < rig->count; i++) {
		if (rig->absent[i] || chance(1))
			continue;
		input->packs[input->pack_count] = rig->packs[i];
		if (chance(1))
			spoil(&input->packs[input->pack_count]);
		input->pack_count++;
	}
	fusion_step(&rig->fusion, input, &rig->out);
}

/* FNV-1a over values, not over memory: padding and byte order are the machine's. */
static uint64_t add(uint64_t hash, uint64_t value)
{
	for (int i = 0; i < 8; i++, value >>= 8)
		hash = (hash ^ (value & 0xFF)) * UINT64_C(0x100000001B3);
	return hash;
}

static uint64_t add_text(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
	return add(hash, 0);
}

static uint64_t add_fields(uint64_t hash, const void *object, const struct field_table *table)
{
	for (size_t i = 0; i < table->field_count; i++)
		hash = add(hash, (uint64_t)field_get(object, &table->fields[i]));
	for (size_t i = 0; i < table->text_count; i++)
		hash = add_text(hash, (const char *)object + table->texts[i].offset);
	return hash;
}

static uint64_t add_pack(uint64_t hash, const struct pack *pack)
{
	hash = add_fields(hash, pack, &field_pack);
	hash = add_fields(hash, &pack->settings, &field_settings);
	for (int i = 0; i < pack->cell_count; i++)
		hash = add(hash, (uint64_t)pack->cells_mv[i]);
	for (int i = 0; i < pack->temperature_count; i++)
		hash = add(hash, (uint64_t)pack->temperatures_mC[i]);
	return add(add(hash, pack->protections), pack->warnings);
}

static uint64_t add_reason(uint64_t hash, const struct reason *reason)
{
	const struct runner_up *next = &reason->runner_up;

	hash = add(add(hash, (uint64_t)reason->limit), (uint64_t)reason->value);
	hash = add(add(hash, (uint64_t)reason->pack), (uint64_t)reason->cell);
	hash = add_text(add_text(hash, reason->rule), reason->text);
	hash = add(add(hash, (uint64_t)next->value), (uint64_t)next->pack);
	return add_text(add_text(add(hash, (uint64_t)next->cell), next->rule), next->text);
}

static uint64_t add_battery(uint64_t hash, const struct battery *battery)
{
	hash = add_fields(hash, battery, &field_battery);
	hash = add(add(hash, battery->protections), battery->warnings);
	for (int i = 0; i < battery->reason_count; i++)
		hash = add_reason(hash, &battery->reasons[i]);
	for (int i = 0; i < battery->pack_count; i++)
		hash = add_pack(hash, &battery->packs[i]);
	return hash;
}

static uint64_t run(uint32_t number)
{
	static struct rig rig;
	uint64_t hash = UINT64_C(0xCBF29CE484222325);

	state = number;
	draw_rack(&rig);
	for (int step = 0; step < STEPS; step++) {
		live(&rig);
		hash = add_battery(hash, &rig.out);
	}
	return hash;
}

static void accept_all(void)
{
	FILE *file = fopen(PATH, "w");

	assert_non_null(file);
	fputs("# SPDX-License-Identifier: Apache-2.0\n"
	      "# One number for all that the fusion says in each random rack of "
	      "tests/unit/core/test_fusion_trace.c.\n",
	      file);
	for (uint32_t rack = 1; rack <= RACKS; rack++)
		fprintf(file, "%016llx\n", (unsigned long long)run(rack));
	fclose(file);
}

static void all_racks_say_what_they_said(void **unused)
{
	char line[200];
	FILE *file;

	(void)unused;
	if (getenv("ONEPACK_ACCEPT"))
		accept_all();
	file = fopen(PATH, "r");
	assert_non_null(file);
	for (uint32_t rack = 1; rack <= RACKS; rack++) {
		do
			assert_non_null(fgets(line, sizeof line, file));
		while (line[0] == '#');
		if (run(rack) != strtoull(line, NULL, 16))
			fail_msg("rack %u says something else than in " PATH
				 "; if that is meant: ONEPACK_ACCEPT=1 core_fusion_trace",
				 rack);
	}
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_racks_say_what_they_said)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
