// SPDX-License-Identifier: Apache-2.0
/* The readable table of `onepack wire show`: one line per field. Positions are byte.bit within the
 * message. */
#include <inttypes.h>
#include <string.h>

#include "show.h"

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

void show_help(const struct table *table, const struct item *item)
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
	switch (table->message->framing) {
	case WIRE_CAN: return "frame withheld";
	case WIRE_MODBUS:
	case WIRE_JK4E:
	case WIRE_NIU: return "silence";
	case WIRE_PYLON: return "return code 91";
	case WIRE_DUAL: break;
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
	if (bit->read)
		fputs(bit->named || bit->also ? ", read as" : " only read, as", out);
	show_alarm_names(out, bit->read);
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

void show_plain(const struct table *table, const struct item *item, int at)
{
	switch (item->kind) {
	case ITEM_VALUE: show_value(table, item, at); break;
	case ITEM_TEXT:
	case ITEM_VERSION:
	case ITEM_LITERAL: show_text(table, item, at); break;
	case ITEM_BITS:
	case ITEM_PAIRS: show_bits(table, item, at); break;
	case ITEM_CONST:
	case ITEM_SKIP:
	case ITEM_HOOK: show_fixed(table, item, at); break;
	case ITEM_REPEAT:
	case ITEM_WHEN: break;
	}
}
