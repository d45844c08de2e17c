// SPDX-License-Identifier: Apache-2.0
/* Loading of what belongs to one number: its type, its unit, its name, values written by people. */
#include <stdlib.h>
#include <string.h>

#include "load.h"

bool load_word(const char **rest, char *word, size_t size)
{
	size_t length;

	*rest += strspn(*rest, " ");
	length = strcspn(*rest, " ");
	if (!length)
		return false;
	snprintf(word, size, "%.*s", (int)length, *rest);
	*rest += length;
	return true;
}

/* --- types --- */

bool load_number_type(struct loader *load, const yaml_node_t *node, struct item *item)
{
	static const char *const widths[] = {"8", "16", "24", "32"};
	const char *text = doc_text(node);

	item->order = -1;
	for (size_t i = 0; text && (*text == 'u' || *text == 's') && i < 4; i++) {
		const size_t length = strlen(widths[i]);
		const char *order = text + 1 + length;

		if (strncmp(text + 1, widths[i], length) != 0)
			continue;
		if (strcmp(order, "le") == 0)
			item->order = ORDER_LITTLE;
		else if (strcmp(order, "be") == 0)
			item->order = ORDER_BIG;
		else if (*order)
			break;
		item->is_signed = *text == 's';
		item->size = (uint16_t)(i + 1);
		return true;
	}
	doc_complain(load->doc, node,
		     "'%s' is not a type of number; possible: u8 s8 u16 s16 u24 s24 u32 s32, with "
		     "le or be behind",
		     text ? text : "this");
	return false;
}

/* --- units --- */

/* `steps` is how many thousandths (of the public unit) 1 of this unit is. */
static const struct {
	const char *symbol;
	enum unit unit;
	int64_t steps;
} symbols[] = {
	{"V", UNIT_V, 1000},    {"mV", UNIT_V, 1},       {"A", UNIT_A, 1000},
	{"mA", UNIT_A, 1},      {"W", UNIT_W, 1000},     {"kW", UNIT_W, 1000000},
	{"mW", UNIT_W, 1},      {"Ah", UNIT_AH, 1000},   {"mAh", UNIT_AH, 1},
	{"Wh", UNIT_KWH, 1},    {"kWh", UNIT_KWH, 1000}, {"%", UNIT_PCT, 1000},
	{"degC", UNIT_C, 1000}, {"K", UNIT_C, 1000},     {"s", UNIT_S, 1000},
	{"ms", UNIT_S, 1},      {"min", UNIT_S, 60000},  {"h", UNIT_S, 3600000},
};

#define SYMBOL_COUNT (sizeof symbols / sizeof symbols[0])

static void complain_unit(struct loader *load, const yaml_node_t *node, enum unit unit)
{
	char fitting[64] = "";
	size_t used = 0;

	for (size_t i = 0; i < SYMBOL_COUNT && used < sizeof fitting; i++)
		if (symbols[i].unit == unit)
			used += (size_t)snprintf(fitting + used, sizeof fitting - used, "%s%s",
						 used ? ", " : "", symbols[i].symbol);
	if (used)
		doc_complain(load->doc, node,
			     "'%s' is no unit for this; write a number and one of: %s",
			     doc_text(node) ? doc_text(node) : "this", fitting);
	else
		doc_complain(load->doc, node, "'%s' is no unit for a count: write a whole number",
			     doc_text(node) ? doc_text(node) : "this");
}

static bool find_symbol(const char *symbol, enum unit unit, int64_t *steps)
{
	for (size_t i = 0; i < SYMBOL_COUNT; i++) {
		if (symbols[i].unit != unit || strcmp(symbols[i].symbol, symbol) != 0)
			continue;
		*steps = symbols[i].steps;
		return true;
	}
	*steps = 1;
	return !*symbol && !unit_is_thousandths(unit);
}

bool load_unit(struct loader *load, const yaml_node_t *node, enum unit unit, struct item *item)
{
	const char *text = doc_text(node);
	char number[24] = "", symbol[8] = "";
	int64_t thousandths, steps;

	if (!text || !load_word(&text, number, sizeof number)) {
		complain_unit(load, node, unit);
		return false;
	}
	load_word(&text, symbol, sizeof symbol);
	if (!doc_parse_thousandths(number, &thousandths) || thousandths <= 0 ||
	    thousandths > 1000000000 || !find_symbol(symbol, unit, &steps)) {
		complain_unit(load, node, unit);
		return false;
	}
	thousandths *= steps;
	if (thousandths % 1000 || thousandths / 1000 > INT32_MAX) {
		doc_complain(load->doc, node, "a step of %s is finer than OnePack counts",
			     doc_text(node));
		return false;
	}
	item->unit_step = (int32_t)(thousandths / 1000);
	snprintf(item->unit_symbol, sizeof item->unit_symbol, "%s", symbol);
	return true;
}

/* --- names --- */

static void complain_name(struct loader *load, const yaml_node_t *at, const char *name)
{
	static const struct field_table *const tables[] = {&field_battery, &field_pack,
							   &field_inverter};
	const struct field_table *table = tables[load->scope];
	const char *guess = NULL, *meaning, *derived;

	if (strcmp(name, "cell") == 0 || strcmp(name, "sensor") == 0) {
		doc_complain(load->doc, at, "'%s' only exists inside `repeat: %s`", name,
			     *name == 'c' ? "cells" : "temperatures");
		return;
	}

	/* the first name that begins or ends alike is usually the one that was meant */
	for (size_t i = 0; i < table->field_count && !guess; i++)
		if (strncmp(table->fields[i].name, name, 4) == 0 ||
		    strstr(table->fields[i].name, name))
			guess = table->fields[i].name;
	for (int i = 0; !guess && (derived = quantity_derived(load->scope, i, &meaning)); i++)
		if (strncmp(derived, name, 4) == 0)
			guess = derived;
	doc_complain(load->doc, at, "there is no %s value '%s'%s%s%s",
		     load->scope == SCOPE_PACK       ? "pack"
		     : load->scope == SCOPE_INVERTER ? "inverter"
						     : "battery",
		     name, guess ? "; did you mean '" : "; `onepack wire show --names` lists them",
		     guess ? guess : "", guess ? "'?" : "");
}

bool load_name(struct loader *load, const yaml_node_t *at, const char *name, int length,
	       struct quantity *out)
{
	char text[WIRE_MAX_NAME];

	snprintf(text, sizeof text, "%.*s", length < 0 ? WIRE_MAX_NAME : length, name);
	if (quantity_find(text, load->scope, load->repeat, out))
		return true;
	complain_name(load, at, text);
	return false;
}

/* --- values --- */

bool load_public_value(struct loader *load, const yaml_node_t *node, enum unit unit, int64_t *out)
{
	const char *text = doc_text(node);
	const int word = text ? unit_value(unit, text) : -1;

	if (word >= 0) {
		*out = word;
		return true;
	}
	if (unit == UNIT_FLAG) {
		bool flag;

		if (!doc_flag(load->doc, node, &flag))
			return false;
		*out = flag;
		return true;
	}
	if (unit_is_thousandths(unit))
		return doc_thousandths(load->doc, node, -INT32_MAX, INT32_MAX, out);
	return doc_integer(load->doc, node, -INT32_MAX, INT32_MAX, out);
}
