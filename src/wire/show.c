// SPDX-License-Identifier: Apache-2.0
/* The readable table of `onepack wire show`, made from the loaded protocol alone, so that it cannot
 * disagree with what the codec does. Positions are byte.bit within the message. */
#include <inttypes.h>
#include <string.h>

#include "layout.h"

struct table {
	FILE *out;
	const struct wire *wire;
	const struct message *message;
	enum scope scope;
	int depth; /* of conditions and repeats, for indenting */
};

static int show_items(const struct table *table, const struct item *items, int count, int at);

/* The public key of a quantity ("voltage_v"), or its name when it is derived. */
static const char *key_of(enum scope scope, const struct quantity *quantity)
{
	static const struct field_table *const tables[] = {&field_battery, &field_pack,
							   &field_inverter};
	const struct field *field = field_find(tables[scope], quantity->name);

	if (!field && scope == SCOPE_PACK)
		field = field_find(&field_settings, quantity->name);
	return field ? field->json : quantity->name;
}

/* One line of the table: place, type, then what it is. */
static void begin(const struct table *table, const char *place, const char *type)
{
	fprintf(table->out, "  %*s%-8s %-9s ", table->depth * 2, "", place, type);
}

static void byte_place(int at, char text[16])
{
	snprintf(text, 16, "%d", at);
}

static void number_type(const struct table *table, const struct item *item, char text[16])
{
	const enum byte_order order =
		item->order < 0 ? table->wire->order : (enum byte_order)item->order;

	snprintf(text, 16, "%c%d%s", item->is_signed ? 's' : 'u', item->size * 8,
		 item->size == 1         ? ""
		 : order == ORDER_LITTLE ? "le"
					 : "be");
}

static void show_help(const struct table *table, const struct item *item)
{
	if (item->help)
		fprintf(table->out, "  # %s", item->help);
	fputc('\n', table->out);
}

/* --- numbers --- */

/* Thousandths as people write them: "0.01 V", "100 Wh". */
static void show_public(FILE *out, int64_t value, enum unit unit)
{
	const char *word = unit_word(unit, (int32_t)value);

	if (word)
		fputs(word, out);
	else if (!unit_is_thousandths(unit))
		fprintf(out, "%" PRId64, value);
	else
		fprintf(out, "%g %s", (double)value / 1000, unit_symbol(unit));
}

/* What one step is worth: the vocabulary's step count in the unit that the file uses. */
static void show_step(const struct table *table, const struct item *item)
{
	const enum unit unit = item->quantities[0].unit;

	if (unit_is_thousandths(unit)) {
		fputs("  ", table->out);
		show_public(table->out, item->unit_step, unit);
		fputs(" per step", table->out);
	} else if (item->unit_step != 1) {
		fprintf(table->out, "  %d per step", item->unit_step);
	}
	if (item->offset)
		fprintf(table->out, "%+" PRId64, item->offset);
}

static void show_modifiers(const struct table *table, const struct item *item)
{
	const enum unit unit = item->quantities[0].unit;

	if (item->per_cell)
		fputs(", per cell", table->out);
	if (item->negative)
		fputs(", sign turned", table->out);
	if (item->only_sent)
		fputs(", only sent", table->out);
	if (item->absolute)
		fputs(", magnitude", table->out);
	if (item->rounding != ROUND_NEAREST)
		fputs(item->rounding == ROUND_DOWN ? ", rounded down" : ", rounded up", table->out);
	if (item->min > INT32_MIN && !(unit == UNIT_PCT && item->min == 0)) {
		fputs(", at least ", table->out);
		show_public(table->out, item->min, unit);
	}
	if (item->max < INT32_MAX && !(unit == UNIT_PCT && item->max == 100000)) {
		fputs(", at most ", table->out);
		show_public(table->out, item->max, unit);
	}
	for (int i = 0; i < item->word_count; i++)
		fprintf(table->out, "%s %d = %s", i ? "," : " ", item->words[i].raw,
			unit_word(unit, item->words[i].field)
				? unit_word(unit, item->words[i].field)
				: "?");
}

static void show_raw(FILE *out, const struct item *item, int64_t raw)
{
	const uint64_t mask = ((uint64_t)1 << item->size * 8) - 1;

	fprintf(out, "raw 0x%0*" PRIX64, item->size * 2, (uint64_t)raw & mask);
}

static const char *withheld(const struct table *table)
{
	switch (table->wire->framing) {
	case WIRE_CAN: return "frame withheld";
	case WIRE_MODBUS: return "silence";
	case WIRE_PYLON: return "return code 91";
	}
	return "";
}

static bool is_never_unknown(const struct quantity *quantity)
{
	return strcmp(quantity->name, "charge_current_limit") == 0 ||
	       strcmp(quantity->name, "discharge_current_limit") == 0;
}

static void show_unknown(const struct table *table, const struct item *item)
{
	if (table->message->from_inverter)
		return;
	if (table->scope == SCOPE_BATTERY && is_never_unknown(&item->quantities[0])) {
		fputs("; unknown or not allowed: 0", table->out);
		return;
	}
	fputs("; unknown: ", table->out);
	for (int i = 0; i < item->substitute_count; i++) {
		const struct substitute *substitute = &item->substitutes[i];

		fputs(i ? ", else " : "", table->out);
		if (substitute->kind == SUBSTITUTE_QUANTITY)
			fputs(substitute->quantity.name, table->out);
		else if (substitute->kind == SUBSTITUTE_RAW)
			show_raw(table->out, item, substitute->number);
		else
			show_public(table->out, substitute->number, item->quantities[0].unit);
	}
	if (!item->substitute_count)
		fputs(withheld(table), table->out);
	else if (item->substitutes[item->substitute_count - 1].kind == SUBSTITUTE_QUANTITY)
		fprintf(table->out, ", else %s", withheld(table));
}

static void show_value(const struct table *table, const struct item *item, int at)
{
	char place[16], type[16];

	byte_place(at, place);
	number_type(table, item, type);
	begin(table, place, type);
	for (int i = 0; i < item->quantity_count; i++)
		fprintf(table->out, "%s%s", i ? " | " : "",
			key_of(table->scope, &item->quantities[i]));
	show_step(table, item);
	show_modifiers(table, item);
	for (int i = 0; i < item->invalid_count; i++) {
		fputs(i ? ", " : "; no value: ", table->out);
		show_raw(table->out, item, item->invalid[i]);
	}
	show_unknown(table, item);
	show_help(table, item);
}

/* --- texts, constants, gaps --- */

static void show_text(const struct table *table, const struct item *item, int at)
{
	char place[16], type[16];

	byte_place(at, place);
	snprintf(type, sizeof type, "%s%d", item->kind == ITEM_VERSION ? "version" : "char",
		 item->size);
	begin(table, place, type);
	if (item->kind == ITEM_LITERAL)
		fprintf(table->out, "\"%s\"", item->fallback);
	else
		fputs(item->text->name, table->out);
	if (item->part)
		fprintf(table->out, " from character %d", item->part + 1);
	if (item->always)
		fprintf(table->out, ", sent as \"%s\"", item->always);
	else if (item->kind != ITEM_LITERAL && item->fallback)
		fprintf(table->out, "; unknown: \"%s\"", item->fallback);
	else if (item->kind != ITEM_LITERAL)
		fprintf(table->out, "; unknown: %s", withheld(table));
	show_help(table, item);
}

static void show_fixed(const struct table *table, const struct item *item, int at)
{
	char place[16], type[16] = "";

	byte_place(at, place);
	if (item->kind == ITEM_CONST)
		number_type(table, item, type);
	else
		snprintf(type, sizeof type, "%d byte%s", item->size, item->size > 1 ? "s" : "");
	begin(table, place, type);
	if (item->kind == ITEM_CONST)
		show_raw(table->out, item, item->constant);
	else if (item->kind == ITEM_HOOK)
		fprintf(table->out, "%s: %s", item->hook->name, item->hook->meaning);
	else
		fputs("0, not read", table->out);
	show_help(table, item);
}

/* --- bits --- */

static void show_alarm_names(FILE *out, alarm_set set)
{
	for (int i = 0; i < ALARM_COUNT; i++)
		if (set & ALARM_BIT(i))
			fprintf(out, " %s", alarm_name((enum alarm)i));
}

static void show_alarm(FILE *out, const struct bit *bit)
{
	fputs(bit->severity == BIT_PROTECTION ? "protection"
	      : bit->severity == BIT_WARNING  ? "warning"
					      : "alarm",
	      out);
	show_alarm_names(out, bit->named);
	if (bit->also || bit->other || bit->no_data)
		fputs(bit->named ? ", also for" : "", out);
	show_alarm_names(out, bit->also);
	if (bit->other)
		fputs(" any without a bit of its own", out);
	if (bit->no_data)
		fputs(" a battery without data", out);
}

static void show_bit_meaning(const struct table *table, const struct bit *bit)
{
	switch (bit->kind) {
	case BIT_CONST: fprintf(table->out, "%d", bit->value); break;
	case BIT_ALARM: show_alarm(table->out, bit); break;
	case BIT_FLAG:
		fprintf(table->out, "%s%s", bit->inverted ? "not " : "",
			key_of(table->scope, &bit->quantity));
		break;
	case BIT_FIELD_IS:
		fprintf(table->out, "%s is %s", key_of(table->scope, &bit->quantity),
			unit_word(bit->quantity.unit, bit->value));
		break;
	case BIT_RANGE:
		fputs(key_of(table->scope, &bit->quantity), table->out);
		for (int i = 0; i < bit->word_count; i++)
			fprintf(table->out, " %d=%s", bit->words[i].raw,
				unit_word(bit->quantity.unit, bit->words[i].field));
		break;
	}
}

static void show_bits(const struct table *table, const struct item *item, int at)
{
	const enum byte_order order =
		item->order < 0 ? table->wire->order : (enum byte_order)item->order;
	const bool pairs = item->kind == ITEM_PAIRS;
	char place[24], type[16];

	byte_place(at, place);
	number_type(table, item, type);
	begin(table, place, type);
	fputs(pairs ? "pairs of bits: 01 active, 10 fine, 00 not said" : "bits", table->out);
	show_help(table, item);
	for (int i = 0; i < item->bit_count; i++) {
		const struct bit *bit = &item->bits[i];
		const int byte =
			order == ORDER_LITTLE ? bit->low / 8 : item->size - 1 - bit->low / 8;
		const int last = bit->low % 8 + bit->width - 1;

		if (bit->width > 1)
			snprintf(place, sizeof place, "%d.%d-%d", at + byte, bit->low % 8, last);
		else
			snprintf(place, sizeof place, "%d.%d", at + byte, bit->low % 8);
		begin(table, place, "");
		show_bit_meaning(table, bit);
		fputc('\n', table->out);
	}
}

/* --- structure --- */

static void show_choice(const struct wire *wire, FILE *out, int option, int32_t value)
{
	const struct option *found = &wire->options[option];

	fprintf(out, "%s=", found->name);
	if (found->kind == OPTION_RANGE)
		fprintf(out, "%d", value);
	else
		fputs(found->choices[value], out);
}

static int show_when(const struct table *table, const struct item *item, int at)
{
	struct table inside = *table;

	inside.depth++;
	fprintf(table->out, "  %*swith ", table->depth * 2, "");
	show_choice(table->wire, table->out, item->option, item->option_value);
	fputs(":\n", table->out);
	return show_items(&inside, item->items, item->item_count, at);
}

static int show_repeat(const struct table *table, const struct item *item, int at)
{
	static const char *const words[] = {"cells", "temperatures", "packs"};
	struct table inside = *table;
	int end;

	inside.depth++;
	if (item->repeat == REPEAT_PACKS)
		inside.scope = SCOPE_PACK;
	fprintf(table->out, "  %*s%-8d each of the %s", table->depth * 2, "", at,
		words[item->repeat]);
	if (item->count)
		fprintf(table->out, " %d to %d", item->first + 1, item->first + item->count);
	if (item->counted_size)
		fprintf(table->out, ", their number in front (u%d)", item->counted_size * 8);
	show_help(table, item);
	at += item->counted_size;
	end = show_items(&inside, item->items, item->item_count, at);
	return at + (end - at) * (item->count ? item->count : 1);
}

static int show_item(const struct table *table, const struct item *item, int at)
{
	switch (item->kind) {
	case ITEM_WHEN: return show_when(table, item, at);
	case ITEM_REPEAT: return show_repeat(table, item, at);
	case ITEM_VALUE: show_value(table, item, at); break;
	case ITEM_TEXT:
	case ITEM_VERSION:
	case ITEM_LITERAL: show_text(table, item, at); break;
	case ITEM_BITS:
	case ITEM_PAIRS: show_bits(table, item, at); break;
	case ITEM_CONST:
	case ITEM_SKIP:
	case ITEM_HOOK: show_fixed(table, item, at); break;
	}
	return at + item->size;
}

/* Neighbouring branches of one option start at the same place. */
static int show_items(const struct table *table, const struct item *items, int count, int at)
{
	for (int i = 0; i < count; i++) {
		const bool branch = items[i].kind == ITEM_WHEN && i + 1 < count &&
				    items[i + 1].kind == ITEM_WHEN &&
				    items[i + 1].option == items[i].option;
		const int next = show_item(table, &items[i], at);

		if (!branch)
			at = next;
	}
	return at;
}

/* --- messages and the head --- */

static void show_message_head(const struct table *table)
{
	static const char *const asked[] = {
		[PYLON_ASKS_NOTHING] = "",
		[PYLON_ASKS_ADDRESS] = ", the question names the address",
		[PYLON_ASKS_MODULE] = ", the question names the address, or FF for all modules",
		[PYLON_ASKS_ALL] = ", the question is FF",
		[PYLON_ASKS_SYSTEM] = ", only asked of the master of a group"};
	const struct message *message = table->message;
	FILE *out = table->out;

	fprintf(out, "\n");
	switch (table->wire->framing) {
	case WIRE_CAN:
		fprintf(out, message->extended ? "0x%08X" : "0x%03X", message->id);
		fprintf(out, "%s  %s", message->id_plus_address ? " + address" : "", message->name);
		fprintf(out,
			message->from_inverter ? "  inverter -> battery" : "  battery -> inverter");
		if (message->period_ms)
			fprintf(out, ", every %d ms", message->period_ms);
		else
			fprintf(out, ", only read");
		break;
	case WIRE_MODBUS: fprintf(out, "registers 0x%04X  %s", message->id, message->name); break;
	case WIRE_PYLON: fprintf(out, "command 0x%02X  %s", message->id, message->name); break;
	}
	if (message->record_type)
		fprintf(out, ", also as record type %d (trigger 0x%04X)", message->record_type,
			message->record_trigger);
	if (message->write_acknowledge)
		fprintf(out, ", writes are acknowledged and ignored");
	fprintf(out, "%s", asked[message->request]);
	if (message->refuse)
		fprintf(out, ", refused with return code %02X", message->refuse);
	if (message->when_option >= 0) {
		fprintf(out, ", with ");
		show_choice(table->wire, out, message->when_option, message->when_value);
	}
	if (message->length)
		fprintf(out, ", %d bytes", message->length);
	fprintf(out, "%s%s\n", message->help ? "  # " : "", message->help ? message->help : "");
}

static void show_options(const struct wire *wire, FILE *out)
{
	if (wire->option_count)
		fprintf(out, "\noptions (--option NAME=VALUE)\n");
	for (int i = 0; i < wire->option_count; i++) {
		const struct option *option = &wire->options[i];

		fprintf(out, "  %s: ", option->name);
		if (option->kind == OPTION_RANGE)
			fprintf(out, "%d to %d", option->low, option->high);
		for (int c = 0; c < option->choice_count; c++)
			fprintf(out, "%s%s", c ? " | " : "", option->choices[c]);
		fprintf(out, " (default ");
		if (option->kind == OPTION_RANGE)
			fprintf(out, "%d", option->fallback);
		else
			fputs(option->choices[option->fallback], out);
		fprintf(out, ")%s%s\n", option->help[0] ? "  # " : "", option->help);
	}
}

static void show_head(const struct wire *wire, FILE *out)
{
	fprintf(out, "%s  %s\n", wire->id, wire->title);
	fprintf(out, "  source     %s\n  maturity   %s\n", wire->source, wire->maturity);
	fprintf(out, "  describes  %s\n", wire->scope == WIRE_OF_PACK ? "pack" : "battery");
	switch (wire->framing) {
	case WIRE_CAN: fprintf(out, "  bus        CAN, %u bit/s\n", wire->bitrate); break;
	case WIRE_MODBUS:
		fprintf(out,
			"  bus        RS485, Modbus RTU, %u baud 8%c1, address %d, register numbers "
			"count %s\n",
			wire->bitrate, wire->modbus.even_parity ? 'E' : 'N', wire->default_address,
			wire->modbus.byte_registers ? "bytes" : "words");
		break;
	case WIRE_PYLON:
		fprintf(out, "  bus        RS485, Pylon ASCII, %u baud 8N1, address 0x%02X\n",
			wire->bitrate, (unsigned)wire->default_address);
		break;
	}
	if (wire->silence_ms)
		fprintf(out, "  silence    says nothing any more %d ms after the last fresh data\n",
			wire->silence_ms);
	if (wire->scope == WIRE_OF_BATTERY)
		fprintf(out, "  inverter   counts as lost after %d ms\n", wire->inverter_lost_ms);
}

void wire_show(const struct wire *wire, FILE *out)
{
	show_head(wire, out);
	show_options(wire, out);
	for (int i = 0; i < wire->message_count; i++) {
		const struct message *message = &wire->messages[i];
		const struct table table = {
			.out = out, .wire = wire, .message = message, .scope = message->scope};

		show_message_head(&table);
		show_items(&table, message->items, message->item_count, 0);
		if (message->from_inverter)
			fprintf(out, "  (heard)            inverter_alive\n");
	}
}

/* --- names --- */

static void show_table(const char *title, const struct field_table *table, FILE *out)
{
	fprintf(out, "%s\n", title);
	for (size_t i = 0; i < table->field_count; i++)
		fprintf(out, "  %-28s %-8s %s\n", table->fields[i].name,
			unit_symbol(table->fields[i].unit), table->fields[i].meaning);
	for (size_t i = 0; i < table->text_count; i++)
		fprintf(out, "  %-28s text\n", table->texts[i].name);
}

static void show_derived(const char *title, enum scope scope, FILE *out)
{
	const char *name, *meaning;

	fprintf(out, "%s, derived\n", title);
	for (int i = 0; (name = quantity_derived(scope, i, &meaning)); i++)
		fprintf(out, "  %-28s          %s\n", name, meaning);
}

void wire_show_names(FILE *out)
{
	show_table("battery", &field_battery, out);
	show_derived("battery", SCOPE_BATTERY, out);
	show_table("pack", &field_pack, out);
	show_table("pack settings", &field_settings, out);
	show_derived("pack", SCOPE_PACK, out);
	show_table("inverter", &field_inverter, out);
	fprintf(out, "hooks\n");
	for (int i = 0; hook_row(i); i++)
		fprintf(out, "  %-28s %d bytes  %s\n", hook_row(i)->name, hook_row(i)->size,
			hook_row(i)->meaning);
	fprintf(out, "alarms\n");
	for (int i = 0; i < ALARM_COUNT; i++)
		fprintf(out, "  %-28s          %s\n", alarm_name((enum alarm)i),
			alarm_meaning((enum alarm)i));
}
