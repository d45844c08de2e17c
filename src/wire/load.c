// SPDX-License-Identifier: Apache-2.0
/* From a protocol file to a struct wire: the top level, and the memory behind it. The schema is
 * explained in protocols/README.md. */
#include "load.h"

#include <stdlib.h>
#include <string.h>

static const struct framing_ops *const framings[] = {
	[WIRE_CAN] = &framing_can,   [WIRE_MODBUS] = &framing_modbus, [WIRE_PYLON] = &framing_pylon,
	[WIRE_DUAL] = &framing_dual, [WIRE_JK4E] = &framing_jk4e,     [WIRE_NIU] = &framing_niu,
};

#define FRAMING_COUNT ((int)(sizeof framings / sizeof framings[0]))

/* --- memory --- */

void *wire_keep(struct wire *wire, size_t size)
{
	void **list = realloc(wire->owned, (size_t)(wire->owned_count + 1) * sizeof *list);
	void *memory = list ? calloc(1, size) : NULL;

	if (list)
		wire->owned = list;
	if (memory)
		list[wire->owned_count++] = memory;
	return memory;
}

const char *wire_keep_text(struct wire *wire, const char *text)
{
	char *copy = wire_keep(wire, strlen(text) + 1);

	if (copy)
		memcpy(copy, text, strlen(text) + 1);
	return copy ? copy : "";
}

void wire_free(struct wire *wire)
{
	if (!wire)
		return;
	for (int i = 0; i < wire->owned_count; i++)
		free(wire->owned[i]);
	free(wire->owned);
	free(wire->id);
	free(wire);
}

/* --- top level --- */

static void load_text(struct loader *load, const char *key, const char **out)
{
	const yaml_node_t *root = doc_root(load->doc), *node = doc_get(load->doc, root, key);
	const char *text;

	*out = "";
	if (!node)
		doc_complain(load->doc, root, "`%s:` is missing", key);
	else if (doc_string(load->doc, node, &text))
		*out = wire_keep_text(load->wire, text);
}

/* A key whose value is one of some words; the first is the default. Returns its index. */
static int load_choice(struct loader *load, const char *key, const char *const words[])
{
	const yaml_node_t *node = doc_get(load->doc, doc_root(load->doc), key);
	char list[128] = "";

	if (!node)
		return 0;
	for (int i = 0; words[i]; i++) {
		if (doc_text(node) && strcmp(doc_text(node), words[i]) == 0)
			return i;
		strncat(list, i ? ", " : "", sizeof list - strlen(list) - 1);
		strncat(list, words[i], sizeof list - strlen(list) - 1);
	}
	doc_complain(load->doc, node, "`%s:` is one of: %s", key, list);
	return 0;
}

static void load_info(struct loader *load)
{
	static const char *const maturities[] = {"user", "tested", "vendor-text", "inferred", NULL};
	static const char *const scopes[] = {"battery", "pack", NULL};
	static const char *const orders[] = {"", "little", "big", NULL};
	const yaml_node_t *root = doc_root(load->doc);
	const yaml_node_t *silence = doc_get(load->doc, root, "silence_ms"),
			  *lost = doc_get(load->doc, root, "inverter_lost_ms"),
			  *check = doc_get(load->doc, root, "check_first");
	struct wire *wire = load->wire;
	int order;
	int64_t number;

	load_text(load, "title", &wire->title);
	load_text(load, "source", &wire->source);
	wire->check_first = doc_text(check) ? wire_keep_text(wire, doc_text(check)) : "";
	wire->maturity = maturities[load_choice(load, "maturity", maturities)];
	wire->scope = load_choice(load, "describes", scopes) ? WIRE_OF_PACK : WIRE_OF_BATTERY;
	order = load_choice(load, "order", orders);
	if (order)
		wire->order = order == 1 ? ORDER_LITTLE : ORDER_BIG;
	else
		wire->order = wire->ops->order;
	wire->inverter_lost_ms = 60000;
	if (silence && doc_integer(load->doc, silence, 0, INT32_MAX, &number))
		wire->silence_ms = (int32_t)number;
	if (lost && doc_integer(load->doc, lost, 0, INT32_MAX, &number))
		wire->inverter_lost_ms = (int32_t)number;
}

static void load_settings(struct loader *load, const yaml_node_t *node,
			  const struct framing_ops *ops)
{
	if (!doc_is_map(node))
		doc_complain(load->doc, node, "settings in braces are expected here");
	else if (ops->load)
		ops->load(load->doc, node, load->wire);
}

/* One of `can:`, `modbus:`, `pylon:`, or the two last together. */
static bool load_framing(struct loader *load)
{
	const yaml_node_t *root = doc_root(load->doc), *found = NULL, *first = NULL;
	struct wire *wire = load->wire;

	wire->default_address = wire->first_address = wire->last_address = -1;
	wire->polling.counter_register = wire->polling.sync_register =
		wire->polling.search_register = -1;
	for (int i = 0; i < FRAMING_COUNT; i++) {
		const yaml_node_t *node =
			framings[i]->key ? doc_get(load->doc, root, framings[i]->key) : NULL;

		if (!node)
			continue;
		first = found;
		if (found && wire->framing == WIRE_MODBUS && i == WIRE_PYLON)
			wire->framing = WIRE_DUAL;
		else if (found)
			doc_complain(load->doc, node, "`%s:` and `%s:` exclude each other",
				     framings[wire->framing]->key, framings[i]->key);
		else
			wire->framing = (enum wire_framing)i;
		found = node;
	}
	wire->ops = framings[wire->framing];
	if (!found) {
		doc_complain(load->doc, root,
			     "which bus? `can: {bitrate: 500000, period_ms: "
			     "1000}`, `modbus: {...}`, `pylon: {...}`, `jk4e: "
			     "{...}` or `niu: {...}`");
	} else if (wire->framing != WIRE_DUAL) {
		load_settings(load, found, wire->ops);
	} else { /* Modbus last: its address is the protocol's */
		load_settings(load, found, &framing_pylon);
		load_settings(load, first, &framing_modbus);
	}
	return found != NULL;
}

#define PATH_SIZE 1500

/* Options and messages of another file, as if they stood here; what else it says does not matter.
 */
static void include(struct loader *load, const yaml_node_t *node)
{
	const char *id = doc_text(node);
	char path[PATH_SIZE];
	struct loader other = *load;

	if (!id || !wire_find(id, path, sizeof path)) {
		doc_complain(load->doc, node, "there is no protocol of that id to include");
		return;
	}
	other.doc = doc_load(path, doc_stream(load->doc));
	if (!other.doc) {
		doc_complain(load->doc, node, "%s cannot be read", path);
		return;
	}
	load_options(&other, doc_get(other.doc, doc_root(other.doc), "options"));
	load_messages(&other, doc_get(other.doc, doc_root(other.doc), "messages"));
	if (doc_errors(other.doc))
		doc_complain(load->doc, node, "%s does not fit here", path);
	doc_free(other.doc);
}

static void load_all(struct loader *load)
{
	static const char *const keys[] = {
		"title",      "source",           "maturity", "check_first", "describes", "order",
		"silence_ms", "inverter_lost_ms", "can",      "modbus",      "pylon",     "options",
		"messages",   "include",          "jk4e",     "niu",         NULL};
	const yaml_node_t *root = doc_root(load->doc),
			  *messages = doc_get(load->doc, root, "messages"),
			  *list = doc_get(load->doc, root, "include");

	if (!doc_is_map(root)) {
		doc_complain(load->doc, root, "a protocol file starts with `title: ...`");
		return;
	}
	doc_check_keys(load->doc, root, keys);
	if (!load_framing(load))
		return;
	load_info(load);
	load_options(load, doc_get(load->doc, root, "options"));
	for (int i = 0; i < doc_list_size(list); i++)
		include(load, doc_list_item(load->doc, list, i));
	if (messages || !list)
		load_messages(load, messages ? messages : root);
	if (load->wire->ops->check)
		load->wire->ops->check(load->doc, load->wire);
}

/* ".../can/pylon.yaml" -> "can/pylon" */
static char *id_of(const char *path)
{
	const char *last = strrchr(path, '/'), *start = path;
	const size_t length = strlen(path);
	const bool yaml = length > 5 && strcmp(path + length - 5, ".yaml") == 0;

	for (const char *p = path; last && p < last; p++)
		if (*p == '/')
			start = p + 1;
	return strndup(start, strlen(start) - (yaml ? 5 : 0));
}

struct wire *wire_load_doc(struct doc *doc, const char *path)
{
	struct loader load = {.doc = doc, .wire = calloc(1, sizeof(struct wire)), .repeat = -1};

	if (!load.wire)
		return NULL;
	load.wire->id = id_of(path);
	load_all(&load);
	if (!load.wire->id || doc_errors(doc)) {
		wire_free(load.wire);
		return NULL;
	}
	return load.wire;
}

struct wire *wire_load_file(const char *path, FILE *errors)
{
	struct doc *doc = doc_load(path, errors);
	struct wire *wire = doc ? wire_load_doc(doc, path) : NULL;

	doc_free(doc);
	return wire;
}
