// SPDX-License-Identifier: Apache-2.0
/* Loading of `{is: NAME, as: TYPE, ...}`: a number of the vocabulary with all its modifiers. */
#include <stdlib.h>
#include <string.h>

#include "load.h"

#define MAX_ALTERNATIVES 4

static void load_names(struct loader *load, const yaml_node_t *node, struct item *item)
{
	struct quantity *list = wire_keep(load->wire, MAX_ALTERNATIVES * sizeof *list);
	const char *rest = doc_text(node);
	char word[WIRE_MAX_NAME];

	if (!list)
		return;
	item->quantities = list;
	while (load_word(&rest, word, sizeof word)) {
		if (strcmp(word, "|") == 0)
			continue;
		if (item->quantity_count == MAX_ALTERNATIVES) {
			doc_complain(load->doc, node, "more than %d names", MAX_ALTERNATIVES);
			return;
		}
		if (!load_name(load, node, word, -1, &list[item->quantity_count]))
			return;
		if (list[item->quantity_count++].unit != list[0].unit)
			doc_complain(load->doc, node, "'%s' and '%s' are different things",
				     list[0].name, word);
	}
}

static enum rounding rounding_of(const char *name)
{
	if (strncmp(name, "charge_voltage", 14) == 0 || strcmp(name, "charge_current_limit") == 0 ||
	    strcmp(name, "discharge_current_limit") == 0)
		return ROUND_DOWN;
	return strcmp(name, "discharge_voltage_limit") == 0 ? ROUND_UP : ROUND_NEAREST;
}

static void load_rounding(struct loader *load, const yaml_node_t *node, struct item *item)
{
	static const char *const words[] = {"nearest", "down", "up"};
	const char *text = doc_text(node);

	item->rounding = rounding_of(item->quantities[0].name);
	if (!node)
		return;
	for (int i = 0; text && i < 3; i++) {
		if (strcmp(text, words[i]) != 0)
			continue;
		item->rounding = (enum rounding)i;
		return;
	}
	doc_complain(load->doc, node, "rounding is one of: down, up, nearest");
}

static void load_limits(struct loader *load, const yaml_node_t *map, struct item *item)
{
	const enum unit unit = item->quantities[0].unit;
	const yaml_node_t *min = doc_get(load->doc, map, "min"),
			  *max = doc_get(load->doc, map, "max");

	item->min = unit == UNIT_PCT ? 0 : INT64_MIN / 2;
	item->max = unit == UNIT_PCT ? 100000 : INT64_MAX / 2;
	if (min)
		load_public_value(load, min, unit, &item->min);
	if (max)
		load_public_value(load, max, unit, &item->max);
	if (item->min > item->max)
		doc_complain(load->doc, max, "max is below min");
}

static void load_words(struct loader *load, const yaml_node_t *map, struct item *item)
{
	struct word *words;

	if (!map)
		return;
	words = wire_keep(load->wire, WIRE_MAX_WORDS * sizeof *words);
	if (!words)
		return;
	item->words = words;
	if (!doc_is_map(map)) {
		doc_complain(load->doc, map, "numbers and their words are expected: {1: standby}");
		return;
	}
	for (int i = 0; i < doc_map_size(map); i++) {
		const yaml_node_t *key, *value;
		int64_t raw, field;

		doc_map_pair(load->doc, map, i, &key, &value);
		if (i == WIRE_MAX_WORDS) {
			doc_complain(load->doc, key, "more than %d words", WIRE_MAX_WORDS);
			return;
		}
		if (!doc_integer(load->doc, key, number_low(item), number_high(item), &raw) ||
		    !load_public_value(load, value, item->quantities[0].unit, &field))
			continue;
		words[item->word_count++] = (struct word){(int32_t)field, (int32_t)raw};
	}
}

/* One node or a list of them. */
static int node_count(const yaml_node_t *node)
{
	return doc_is_list(node) ? doc_list_size(node) : node != NULL;
}

static const yaml_node_t *node_at(const struct loader *load, const yaml_node_t *node, int n)
{
	return doc_is_list(node) ? doc_list_item(load->doc, node, n) : node;
}

bool load_raw(struct loader *load, const yaml_node_t *node, const struct item *item, int64_t *raw)
{
	if (!doc_integer(load->doc, node, number_low(item), ((int64_t)1 << item->size * 8) - 1,
			 raw))
		return false;
	if (*raw > number_high(item))
		*raw -= (int64_t)1 << item->size * 8;
	return true;
}

static void load_invalid(struct loader *load, const yaml_node_t *node, struct item *item)
{
	const int count = node_count(node);
	int64_t *list;

	if (!count)
		return;
	list = wire_keep(load->wire, (size_t)count * sizeof *list);
	if (!list)
		return;
	item->invalid = list;
	for (int i = 0; i < count; i++)
		if (load_raw(load, node_at(load, node, i), item, &list[item->invalid_count]))
			item->invalid_count++;
}

static bool starts_like_name(const char *text, enum unit unit)
{
	return *text >= 'a' && *text <= 'z' && unit_value(unit, text) < 0 &&
	       (unit != UNIT_FLAG || (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0));
}

static bool load_substitute(struct loader *load, const yaml_node_t *node, struct item *item,
			    struct substitute *out)
{
	const enum unit unit = item->quantities[0].unit;
	const char *text = doc_text(node);

	if (text && strncmp(text, "0x", 2) == 0) {
		out->kind = SUBSTITUTE_RAW;
		return load_raw(load, node, item, &out->number);
	}
	if (!text || !starts_like_name(text, unit)) {
		out->kind = SUBSTITUTE_VALUE;
		return load_public_value(load, node, unit, &out->number);
	}
	out->kind = SUBSTITUTE_QUANTITY;
	if (!load_name(load, node, text, -1, &out->quantity))
		return false;
	if (out->quantity.unit != unit)
		doc_complain(load->doc, node, "'%s' cannot stand in for '%s'", text,
			     item->quantities[0].name);
	return true;
}

static void load_unknown(struct loader *load, const yaml_node_t *node, struct item *item)
{
	struct substitute *list;

	list = wire_keep(load->wire, WIRE_MAX_SUBSTITUTES * sizeof *list);
	if (!list)
		return;
	item->substitutes = list;
	for (int i = 0; i < node_count(node); i++) {
		const yaml_node_t *one = node_at(load, node, i);

		if (doc_text(one) && strcmp(doc_text(one), "withhold") == 0)
			return;
		if (item->substitute_count == WIRE_MAX_SUBSTITUTES) {
			doc_complain(load->doc, one, "more than %d", WIRE_MAX_SUBSTITUTES);
			return;
		}
		if (load_substitute(load, one, item, &list[item->substitute_count]))
			item->substitute_count++;
	}
	if (!node && item->invalid_count) /* "not a value" is how this file says unknown */
		list[item->substitute_count++] =
			(struct substitute){.kind = SUBSTITUTE_RAW, .number = item->invalid[0]};
}

static void load_yes(struct loader *load, const yaml_node_t *map, const char *key, bool *out)
{
	const yaml_node_t *node = doc_get(load->doc, map, key);

	if (node)
		doc_flag(load->doc, node, out);
}

static void load_per(struct loader *load, const yaml_node_t *node, struct item *item)
{
	if (!node)
		return;
	item->per_cell = doc_text(node) && strcmp(doc_text(node), "cell") == 0;
	if (!item->per_cell)
		doc_complain(load->doc, node, "`per:` is about cells only: write `per: cell`");
}

void load_value(struct loader *load, const yaml_node_t *map, struct item *item)
{
	static const char *const keys[] = {
		"is",  "as",    "unit",    "offset",  "negative", "abs",    "per",  "min",
		"max", "round", "invalid", "unknown", "help",     "values", "read", NULL};
	const yaml_node_t *unit = doc_get(load->doc, map, "unit"),
			  *offset = doc_get(load->doc, map, "offset");
	bool read = true;

	doc_check_keys(load->doc, map, keys);
	load_names(load, doc_get(load->doc, map, "is"), item);
	if (!item->quantity_count)
		return;
	load_words(load, doc_get(load->doc, map, "values"), item);
	item->unit_step = 1;
	if (unit)
		load_unit(load, unit, item->quantities[0].unit, item);
	else if (unit_is_thousandths(item->quantities[0].unit))
		doc_complain(load->doc, map, "'%s' needs a unit, for example `unit: 0.1 %s`",
			     item->quantities[0].name, unit_symbol(item->quantities[0].unit));
	if (offset)
		doc_integer(load->doc, offset, -INT32_MAX, INT32_MAX, &item->offset);
	load_yes(load, map, "negative", &item->negative);
	load_yes(load, map, "abs", &item->absolute);
	load_yes(load, map, "read", &read);
	item->only_sent = !read;
	load_per(load, doc_get(load->doc, map, "per"), item);
	load_limits(load, map, item);
	load_rounding(load, doc_get(load->doc, map, "round"), item);
	load_invalid(load, doc_get(load->doc, map, "invalid"), item);
	load_unknown(load, doc_get(load->doc, map, "unknown"), item);
	item->never_zero = strncmp(item->quantities[0].name, "charge_voltage", 14) == 0;
}
