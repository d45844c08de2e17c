// SPDX-License-Identifier: Apache-2.0
/* Loading of `fields:`: one function per kind of item. */
#include <stdlib.h>
#include <string.h>

#include "load.h"

typedef void item_loader(struct loader *load, const yaml_node_t *map, struct item *item);

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
	load_when(load, doc_get(load->doc, map, "when"), &item->when);
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
	if (!doc_is_list(list) || (!size && load->message->framing != WIRE_PYLON &&
				   load->message->framing != WIRE_JK4E)) {
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
