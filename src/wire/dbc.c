// SPDX-License-Identifier: Apache-2.0
/* A CAN protocol as a DBC file (Vector's text format, as cantools, canmatrix and SavvyCAN read it),
 * with the default options. Signals are named like the JSON keys; texts become 64-bit numbers,
 * because DBC knows no characters. */
#include <stdlib.h>
#include <string.h>

#include "layout.h"

#define MAX_SIGNALS 64 /* one per bit */
#define NAME_SIZE   96

struct signal {
	char name[NAME_SIZE];
	int low, width; /* from the least significant bit of the number at `byte` */
	int byte, size;
	bool is_signed, big_endian;
	double factor, offset;
	const char *unit;
	const struct item *words; /* `values:` */
	bool pair;
};

struct frame {
	const struct message *message;
	struct signal signals[MAX_SIGNALS];
	int count;
};

struct walk {
	const struct wire *wire;
	const struct wire_context *ctx;
	struct frame *frame;
	enum scope scope;
	int at, index;
};

static void walk_items(struct walk *walk, const struct item *items, int count);

static const char *key_of(enum scope scope, const char *name)
{
	static const struct field_table *const tables[] = {&field_battery, &field_pack,
							   &field_inverter};
	const struct field *field = field_find(tables[scope], name);

	/* the derived charge voltages are the limit to everybody else */
	if (!field && strncmp(name, "charge_voltage", 14) == 0)
		field = field_find(&field_battery, "charge_voltage_limit");
	return field ? field->json : name;
}

/* Names are C identifiers, each once in a frame: soc_pct, soc_pct_2. */
static struct signal *add(struct walk *walk, const struct item *item, const char *name)
{
	struct frame *frame = walk->frame;
	struct signal *signal = &frame->signals[frame->count];
	int same = 1;

	if (frame->count == MAX_SIGNALS)
		return NULL;
	memset(signal, 0, sizeof *signal);
	for (int i = 0; i < frame->count; i++)
		same += strncmp(frame->signals[i].name, name, strlen(name)) == 0 &&
			(frame->signals[i].name[strlen(name)] == '\0' ||
			 frame->signals[i].name[strlen(name)] == '_');
	if (same > 1)
		snprintf(signal->name, NAME_SIZE, "%.80s_%d", name, same);
	else
		snprintf(signal->name, NAME_SIZE, "%.80s", name);
	signal->byte = walk->at;
	signal->size = item->size;
	signal->width = item->size * 8;
	signal->is_signed = item->is_signed;
	signal->big_endian = item->size > 1 && (item->order < 0 ? walk->wire->order == ORDER_BIG
								: item->order == ORDER_BIG);
	signal->factor = 1;
	signal->unit = "";
	frame->count++;
	return signal;
}

static void add_value(struct walk *walk, const struct item *item)
{
	const struct quantity *quantity = &item->quantities[0];
	const char *key = key_of(walk->scope, quantity->name);
	char name[NAME_SIZE];
	struct signal *signal;

	if (walk->index)
		snprintf(name, sizeof name, "%s_%d", key, walk->index);
	else
		snprintf(name, sizeof name, "%s", key);
	signal = add(walk, item, name);
	if (!signal)
		return;
	signal->factor =
		unit_is_thousandths(quantity->unit) ? item->unit_step / 1000.0 : item->unit_step;
	if (item->negative)
		signal->factor = -signal->factor;
	signal->offset = item->offset ? -(double)item->offset * signal->factor : 0;
	signal->unit = unit_symbol(quantity->unit);
	signal->words = item->word_count ? item : NULL;
}

static void bit_name(const struct walk *walk, const struct bit *bit, char name[NAME_SIZE])
{
	const alarm_set set = bit->named ? bit->named : bit->also ? bit->also : bit->read;
	int alarm = 0;

	switch (bit->kind) {
	case BIT_CONST: snprintf(name, NAME_SIZE, "fixed_%d", bit->low); return;
	case BIT_FLAG:
		snprintf(name, NAME_SIZE, "%s%s", bit->inverted ? "not_" : "",
			 key_of(walk->scope, bit->quantity.name));
		return;
	case BIT_RANGE:
		snprintf(name, NAME_SIZE, "%s", key_of(walk->scope, bit->quantity.name));
		return;
	case BIT_FIELD_IS:
		snprintf(name, NAME_SIZE, "%s_%s", key_of(walk->scope, bit->quantity.name),
			 unit_word(bit->quantity.unit, bit->value));
		return;
	case BIT_ALARM: break;
	}
	while (set && !(set & ALARM_BIT(alarm)))
		alarm++;
	snprintf(name, NAME_SIZE, "%s_%s",
		 bit->severity == BIT_PROTECTION ? "protection"
		 : bit->severity == BIT_WARNING  ? "warning"
						 : "alarm",
		 set            ? alarm_name((enum alarm)alarm)
		 : bit->no_data ? "no_data"
				: "other");
}

static void add_bits(struct walk *walk, const struct item *item)
{
	for (int i = 0; i < item->bit_count; i++) {
		const struct bit *bit = &item->bits[i];
		char name[NAME_SIZE];
		struct signal *signal;

		bit_name(walk, bit, name);
		signal = add(walk, item, name);
		if (!signal)
			return;
		signal->low = bit->low;
		signal->width = bit->width;
		signal->is_signed = false;
		signal->pair = item->kind == ITEM_PAIRS;
	}
}

static void add_text(struct walk *walk, const struct item *item)
{
	char name[NAME_SIZE];

	snprintf(name, sizeof name, "%s_text",
		 item->kind == ITEM_HOOK    ? item->hook->name
		 : item->text && item->part ? item->text->name
		 : item->text               ? item->text->name
					    : "fixed");
	add(walk, item, name);
}

static void walk_repeat(struct walk *walk, const struct item *item)
{
	walk->at += item->counted_size;
	for (int i = 0; i < item->count; i++) {
		walk->index = item->first + i + 1;
		walk_items(walk, item->items, item->item_count);
	}
	walk->index = 0;
}

static void walk_items(struct walk *walk, const struct item *items, int count)
{
	for (int i = 0; i < count; i++) {
		const struct item *item = &items[i];

		switch (item->kind) {
		case ITEM_WHEN:
			if (condition_holds(&item->when, walk->ctx))
				walk_items(walk, item->items, item->item_count);
			continue;
		case ITEM_REPEAT: walk_repeat(walk, item); continue;
		case ITEM_VALUE: add_value(walk, item); break;
		case ITEM_BITS:
		case ITEM_PAIRS: add_bits(walk, item); break;
		case ITEM_TEXT:
		case ITEM_VERSION:
		case ITEM_HOOK: add_text(walk, item); break;
		case ITEM_LITERAL:
		case ITEM_CONST:
		case ITEM_SKIP: break;
		}
		walk->at += item->size;
	}
}

/* DBC counts little-endian signals from their lowest bit, big-endian ones from their highest, in
 * bits of the frame where bit 7 of byte 0 is number 7. */
static int start_bit(const struct signal *signal)
{
	const int high = signal->low + signal->width - 1;

	if (!signal->big_endian)
		return signal->byte * 8 + signal->low;
	return (signal->byte + signal->size - 1 - high / 8) * 8 + high % 8;
}

static void print_number(FILE *out, double number)
{
	fprintf(out, "%.9g", number);
}

static void print_signal(FILE *out, const struct signal *signal, const char *receiver)
{
	fprintf(out, " SG_ %s : %d|%d@%d%c (", signal->name, start_bit(signal), signal->width,
		signal->big_endian ? 0 : 1, signal->is_signed ? '-' : '+');
	print_number(out, signal->factor);
	fputc(',', out);
	print_number(out, signal->offset);
	fprintf(out, ") [0|0] \"%s\" %s\n", signal->unit, receiver);
}

static uint32_t dbc_id(const struct message *message)
{
	return message->id | (message->extended ? 0x80000000u : 0);
}

static void print_values(FILE *out, const struct frame *frame)
{
	for (int i = 0; i < frame->count; i++) {
		const struct signal *signal = &frame->signals[i];

		if (!signal->pair && !signal->words)
			continue;
		fprintf(out, "VAL_ %u %s", dbc_id(frame->message), signal->name);
		if (signal->pair)
			fprintf(out, " 0 \"not said\" 1 \"active\" 2 \"fine\"");
		for (int w = 0; signal->words && w < signal->words->word_count; w++) {
			const char *word = unit_word(signal->words->quantities[0].unit,
						     signal->words->words[w].field);

			fprintf(out, " %d \"%s\"", signal->words->words[w].raw, word ? word : "?");
		}
		fputs(" ;\n", out);
	}
}

static void fill(const struct wire *wire, const struct wire_context *ctx,
		 const struct message *message, struct frame *frame)
{
	struct walk walk = {.wire = wire, .ctx = ctx, .frame = frame, .scope = message->scope};

	frame->message = message;
	frame->count = 0;
	walk_items(&walk, message->items, message->item_count);
}

static void print_text(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc(*text == '"' ? '\'' : *text, out);
}

int wire_dbc(const struct wire *wire, FILE *out)
{
	struct wire_context ctx;
	struct frame *frame = NULL;

	if (wire->framing != WIRE_CAN)
		return ERR_UNSUPPORTED;
	frame = malloc(sizeof *frame);
	if (!frame)
		return ERR_SPACE;
	wire_context_init(wire, &ctx);
	fputs("VERSION \"\"\n\nNS_ :\n\nBS_:\n\nBU_: battery inverter\n\n", out);
	for (int i = 0; i < wire->message_count; i++) {
		const struct message *message = &wire->messages[i];
		const char *sender = message->from_inverter ? "inverter" : "battery";
		const char *receiver = message->from_inverter ? "battery" : "inverter";

		fill(wire, &ctx, message, frame);
		fprintf(out, "BO_ %u %s: %d %s\n", dbc_id(message), message->name,
			layout_size(message, &ctx), sender);
		for (int s = 0; s < frame->count; s++)
			print_signal(out, &frame->signals[s], receiver);
		fputc('\n', out);
	}
	fputs("CM_ \"", out);
	print_text(out, wire->title);
	fputs("; ", out);
	print_text(out, wire->source);
	fputs("\";\nBA_DEF_ BO_ \"GenMsgCycleTime\" INT 0 3600000;\n"
	      "BA_DEF_DEF_ \"GenMsgCycleTime\" 0;\n",
	      out);
	for (int i = 0; i < wire->message_count; i++)
		fprintf(out, "BA_ \"GenMsgCycleTime\" BO_ %u %d;\n", dbc_id(&wire->messages[i]),
			wire->messages[i].period_ms);
	for (int i = 0; i < wire->message_count; i++) {
		fill(wire, &ctx, &wire->messages[i], frame);
		print_values(out, frame);
	}
	free(frame);
	return 0;
}
