// SPDX-License-Identifier: Apache-2.0
/* Loading of `fields:`: one function per kind of item. */
#include <stdlib.h>
#include <string.h>

#include "load.h"

#define MAX_ALTERNATIVES 4

typedef void item_loader(struct loader *load, const yaml_node_t *map, struct item *item);

/* --- values --- */

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
	if (!map)
		return;
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
		item->words[item->word_count].raw = (int32_t)raw;
		item->words[item->word_count++].field = (int32_t)field;
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

/* Raw numbers may be written as they stand on the wire: 0x8000 is allowed for an s16. */
static bool load_raw(struct loader *load, const yaml_node_t *node, const struct item *item,
		     int64_t *raw)
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

static void load_value(struct loader *load, const yaml_node_t *map, struct item *item)
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

/* --- texts --- */

static const struct field_text *find_text(const struct loader *load, const char *name)
{
	static const struct field_table *const tables[] = {&field_battery, &field_pack,
							   &field_inverter};

	return field_find_text(tables[load->scope], name);
}

/* "char8", "version2": the number behind, 0 if it is not that. */
static int sized(const char *text, const char *prefix, int most)
{
	const size_t length = strlen(prefix);
	char *end;
	long size;

	if (!text || strncmp(text, prefix, length) != 0)
		return 0;
	size = strtol(text + length, &end, 10);
	return end != text + length && !*end && size >= 1 && size <= most ? (int)size : 0;
}

static void load_pad(struct loader *load, const yaml_node_t *node, struct item *item)
{
	const char *text = doc_text(node);

	if (!node)
		return;
	if (text && strcmp(text, "space") == 0)
		item->pad = ' ';
	else if (!text || strcmp(text, "zero") != 0)
		doc_complain(load->doc, node, "a text is filled with: space, zero");
}

static void load_text(struct loader *load, const yaml_node_t *map, struct item *item)
{
	static const char *const keys[] = {"is",     "as",   "pad",  "default",
					   "always", "part", "help", NULL};
	const yaml_node_t *as = doc_get(load->doc, map, "as"),
			  *part = doc_get(load->doc, map, "part");
	const char *fallback = doc_text(doc_get(load->doc, map, "default")),
		   *always = doc_text(doc_get(load->doc, map, "always"));
	int64_t number = 0;

	doc_check_keys(load->doc, map, keys);
	item->kind = sized(doc_text(as), "version", 8) ? ITEM_VERSION : ITEM_TEXT;
	item->size = (uint16_t)(sized(doc_text(as), "version", 8) +
				sized(doc_text(as), "char", FIELD_TEXT_SIZE - 1));
	if (!item->size)
		doc_complain(load->doc, as ? as : map,
			     "a text needs `as:` char1 to char%d, or version1 to version8",
			     FIELD_TEXT_SIZE - 1);
	item->text = find_text(load, doc_text(doc_get(load->doc, map, "is")));
	load_pad(load, doc_get(load->doc, map, "pad"), item);
	item->fallback = fallback ? wire_keep_text(load->wire, fallback) : NULL;
	item->always = always ? wire_keep_text(load->wire, always) : NULL;
	if (part && doc_integer(load->doc, part, 0, FIELD_TEXT_SIZE - 2, &number))
		item->part = (uint8_t)number;
}

static void load_literal(struct loader *load, const yaml_node_t *map, struct item *item)
{
	static const char *const keys[] = {"text", "as", "pad", "help", NULL};
	const yaml_node_t *as = doc_get(load->doc, map, "as");
	const char *text = "";

	doc_check_keys(load->doc, map, keys);
	if (!doc_string(load->doc, doc_get(load->doc, map, "text"), &text))
		return;
	item->fallback = wire_keep_text(load->wire, text);
	item->size = (uint16_t)(as ? sized(doc_text(as), "char", 255) : (int)strlen(text));
	if (!item->size || item->size < strlen(text))
		doc_complain(load->doc, as ? as : map, "the text does not fit: `as: char%zu`",
			     strlen(text));
	load_pad(load, doc_get(load->doc, map, "pad"), item);
}

/* --- the others --- */

static void load_const(struct loader *load, const yaml_node_t *map, struct item *item)
{
	static const char *const keys[] = {"const", "as", "help", NULL};

	doc_check_keys(load->doc, map, keys);
	if (item->size)
		load_raw(load, doc_get(load->doc, map, "const"), item, &item->constant);
}

static void load_skip(struct loader *load, const yaml_node_t *map, struct item *item)
{
	static const char *const keys[] = {"skip", "help", NULL};
	int64_t size;

	doc_check_keys(load->doc, map, keys);
	if (doc_integer(load->doc, doc_get(load->doc, map, "skip"), 1, WIRE_MAX_LAYOUT, &size))
		item->size = (uint16_t)size;
}

static void load_bit_item(struct loader *load, const yaml_node_t *map, struct item *item)
{
	static const char *const keys[] = {"bits", "pairs", "as", "help", NULL};
	const char *key = item->kind == ITEM_PAIRS ? "pairs" : "bits";

	doc_check_keys(load->doc, map, keys);
	item->is_signed = false;
	if (item->size)
		load_bits(load, doc_get(load->doc, map, key), item);
}

static void load_hook(struct loader *load, const yaml_node_t *map, struct item *item)
{
	static const char *const keys[] = {"hook", "help", NULL};
	const yaml_node_t *node = doc_get(load->doc, map, "hook");

	doc_check_keys(load->doc, map, keys);
	item->hook = doc_text(node) ? hook_find(doc_text(node), load->scope) : NULL;
	if (item->hook)
		item->size = (uint16_t)item->hook->size;
	else
		doc_complain(load->doc, node,
			     "there is no hook of that name for this; see "
			     "src/wire/hooks.c");
}

static void load_when_item(struct loader *load, const yaml_node_t *map, struct item *item)
{
	static const char *const keys[] = {"when", "fields", "help", NULL};

	doc_check_keys(load->doc, map, keys);
	load_when(load, doc_get(load->doc, map, "when"), &item->option, &item->option_value);
	item->items = load_items(load, map, &item->item_count);
}

static bool load_repeat_what(struct loader *load, const yaml_node_t *node, struct item *item)
{
	static const char *const words[] = {"cells", "temperatures", "packs"};
	const char *text = doc_text(node);

	for (int i = 0; text && i < 3; i++) {
		if (strcmp(text, words[i]) != 0)
			continue;
		item->repeat = (enum repeat_of)i;
		if (item->repeat == REPEAT_PACKS && load->scope != SCOPE_BATTERY)
			break;
		return true;
	}
	doc_complain(load->doc, node, "what can be repeated: cells, temperatures%s",
		     load->scope == SCOPE_BATTERY ? ", packs" : "");
	return false;
}

static void load_repeat(struct loader *load, const yaml_node_t *map, struct item *item)
{
	static const char *const keys[] = {"repeat", "count", "first", "counted",
					   "fields", "help",  NULL};
	static const int most[] = {ONEPACK_MAX_CELLS, ONEPACK_MAX_TEMPERATURES, ONEPACK_MAX_PACKS};
	const yaml_node_t *count = doc_get(load->doc, map, "count"),
			  *first = doc_get(load->doc, map, "first"),
			  *counted = doc_get(load->doc, map, "counted");
	struct loader inside = *load;
	struct item number = {0};
	int64_t n;

	doc_check_keys(load->doc, map, keys);
	if (!load_repeat_what(load, doc_get(load->doc, map, "repeat"), item))
		return;
	if (count && doc_integer(load->doc, count, 1, most[item->repeat], &n))
		item->count = (int)n;
	if (first && doc_integer(load->doc, first, 1, most[item->repeat], &n))
		item->first = (int)n - 1;
	if (counted && load_number_type(load, counted, &number))
		item->counted_size = (uint8_t)number.size;
	if (!count && !counted)
		doc_complain(load->doc, map, "how many? Say `count: 16` or `counted: u8`");
	inside.repeat = (int)item->repeat;
	if (item->repeat == REPEAT_PACKS)
		inside.scope = SCOPE_PACK;
	item->items = load_items(&inside, map, &item->item_count);
}

/* --- dispatch --- */

static const struct {
	const char *key;
	enum item_kind kind;
	bool number; /* `as:` is the type of a number */
	item_loader *load;
} kinds[] = {
	{"const", ITEM_CONST, true, load_const},    {"text", ITEM_LITERAL, false, load_literal},
	{"skip", ITEM_SKIP, false, load_skip},      {"bits", ITEM_BITS, true, load_bit_item},
	{"pairs", ITEM_PAIRS, true, load_bit_item}, {"repeat", ITEM_REPEAT, false, load_repeat},
	{"when", ITEM_WHEN, false, load_when_item}, {"hook", ITEM_HOOK, false, load_hook},
};

#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

static void load_number(struct loader *load, const yaml_node_t *map, struct item *item)
{
	const yaml_node_t *as = doc_get(load->doc, map, "as");

	if (as)
		load_number_type(load, as, item);
	else
		doc_complain(load->doc, map, "`as:` is missing, for example `as: u16`");
}

static void load_item(struct loader *load, const yaml_node_t *map, struct item *item)
{
	const yaml_node_t *help = doc_get(load->doc, map, "help"),
			  *is = doc_get(load->doc, map, "is");

	item->order = -1;
	item->help = doc_text(help) ? wire_keep_text(load->wire, doc_text(help)) : NULL;
	if (!doc_is_map(map)) {
		doc_complain(load->doc, map,
			     "a field is written like {is: soc, as: u16, unit: 1 %%}");
		return;
	}
	if (doc_text(is) && find_text(load, doc_text(is))) {
		load_text(load, map, item);
		return;
	}
	if (doc_text(is)) {
		item->kind = ITEM_VALUE;
		load_number(load, map, item);
		if (item->size)
			load_value(load, map, item);
		return;
	}
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (!doc_get(load->doc, map, kinds[i].key))
			continue;
		item->kind = kinds[i].kind;
		if (kinds[i].number)
			load_number(load, map, item);
		kinds[i].load(load, map, item);
		return;
	}
	doc_complain(load->doc, map,
		     "what is this field? One of these keys is needed: is, const, "
		     "text, skip, bits, pairs, repeat, when, hook");
}

const struct item *load_items(struct loader *load, const yaml_node_t *map, int *count)
{
	const yaml_node_t *list = doc_get(load->doc, map, "fields");
	const int size = doc_list_size(list);
	struct item *items;

	*count = 0;
	if (!doc_is_list(list) || (!size && load->wire->framing != WIRE_PYLON)) {
		doc_complain(load->doc, list ? list : map,
			     "`fields:` with a list of fields is expected");
		return NULL;
	}
	items = wire_keep(load->wire, (size_t)(size + 1) * sizeof *items);
	if (!items)
		return NULL;
	for (int i = 0; i < size; i++)
		load_item(load, doc_list_item(load->doc, list, i), &items[i]);
	*count = size;
	return items;
}
