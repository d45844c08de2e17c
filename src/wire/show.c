// SPDX-License-Identifier: Apache-2.0
/* The readable table of `onepack wire show`, made from the loaded protocol alone, so that it cannot
 * disagree with what the codec does. */
#include <string.h>

#include "show.h"

static int show_items(const struct table *table, const struct item *items, int count, int at);

/* --- structure --- */

static void show_condition(const struct wire *wire, FILE *out, const struct condition *when)
{
	const struct option *found = &wire->options[when->option];

	fprintf(out, "%s%s", found->name, when->negated ? " not " : "=");
	if (found->kind == OPTION_RANGE)
		fprintf(out, "%d", when->value);
	else
		fputs(found->choices[when->value], out);
}

static int show_when(const struct table *table, const struct item *item, int at)
{
	struct table inside = *table;

	inside.depth++;
	fprintf(table->out, "  %*swith ", table->depth * 2, "");
	show_condition(table->wire, table->out, &item->when);
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
	if (item->kind == ITEM_WHEN)
		return show_when(table, item, at);
	if (item->kind == ITEM_REPEAT)
		return show_repeat(table, item, at);
	show_plain(table, item, at);
	return at + item->size;
}

/* Neighbouring branches of one option start at the same place. */
static int show_items(const struct table *table, const struct item *items, int count, int at)
{
	for (int i = 0; i < count; i++) {
		const bool branch = items[i].kind == ITEM_WHEN && i + 1 < count &&
				    items[i + 1].kind == ITEM_WHEN &&
				    items[i + 1].when.option == items[i].when.option;
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
	switch (message->framing) {
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
	case WIRE_JK4E: fprintf(out, "code 0x%02X  %s", message->id, message->name); break;
	case WIRE_NIU: fprintf(out, "offset %u  %s", message->id, message->name); break;
	case WIRE_DUAL: break;
	}
	if (message->record_type)
		fprintf(out, ", also as record type %d (trigger 0x%04X)", message->record_type,
			message->record_trigger);
	if (message->write_acknowledge)
		fprintf(out, ", writes are acknowledged and ignored");
	fprintf(out, "%s", asked[message->request]);
	if (message->refuse)
		fprintf(out, ", refused with return code %02X", message->refuse);
	if (message->when.option >= 0) {
		fprintf(out, ", with ");
		show_condition(table->wire, out, &message->when);
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

void show_bus(const struct wire *wire, FILE *out)
{
	switch (wire->framing) {
	case WIRE_CAN: fprintf(out, "CAN, %u bit/s", wire->bitrate); break;
	case WIRE_MODBUS:
		fprintf(out,
			"RS485, Modbus RTU, %u baud 8%c1, address %d, register numbers "
			"count %s",
			wire->bitrate, wire->even_parity ? 'E' : 'N', wire->default_address,
			wire->modbus.byte_registers ? "bytes" : "words");
		break;
	case WIRE_PYLON:
		fprintf(out, "RS485, Pylon ASCII, %u baud 8N1, address 0x%02X", wire->bitrate,
			(unsigned)wire->default_address);
		break;
	case WIRE_JK4E:
		fprintf(out, "RS485, JK 4E 57 frames, %u baud 8N1, terminal %d", wire->bitrate,
			wire->default_address);
		break;
	case WIRE_NIU:
		fprintf(out, "RS485, NIU 68 frames, %u baud 8%c1, address 0x%02X", wire->bitrate,
			wire->even_parity ? 'E' : 'N', (unsigned)wire->default_address);
		break;
	case WIRE_DUAL:
		fprintf(out,
			"RS485, %u baud 8N1, Modbus RTU at address %d or ASCII hex at 0x%02X, by "
			"the first byte",
			wire->bitrate, wire->default_address, (unsigned)wire->pylon.address);
		break;
	}
}

static void show_head(const struct wire *wire, FILE *out)
{
	fprintf(out, "%s  %s\n", wire->id, wire->title);
	fprintf(out, "  source     %s\n  maturity   %s\n", wire->source, wire->maturity);
	if (*wire->check_first)
		fprintf(out, "  check      %s\n", wire->check_first);
	fprintf(out, "  describes  %s\n", wire->scope == WIRE_OF_PACK ? "pack" : "battery");
	fputs("  bus        ", out);
	show_bus(wire, out);
	fputc('\n', out);
	if (wire->silence_ms)
		fprintf(out, "  silence    says nothing any more %d ms after the last fresh data\n",
			wire->silence_ms);
	if (wire->scope == WIRE_OF_BATTERY && wire->inverter_lost_ms)
		fprintf(out, "  inverter   counts as lost after %d ms\n", wire->inverter_lost_ms);
}

void show_message(const struct wire *wire, int index, FILE *out)
{
	const struct message *message = &wire->messages[index];
	const struct table table = {
		.out = out, .wire = wire, .message = message, .scope = message->scope};

	show_message_head(&table);
	show_items(&table, message->items, message->item_count, 0);
	if (message->from_inverter)
		fprintf(out, "  (heard)            inverter_alive\n");
}

void wire_show(const struct wire *wire, FILE *out)
{
	show_head(wire, out);
	show_options(wire, out);
	for (int i = 0; i < wire->message_count; i++)
		show_message(wire, i, out);
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
