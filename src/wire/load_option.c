// SPDX-License-Identifier: Apache-2.0
/* Loading of `options:` and of the conditions that name them. */
#include <stdlib.h>
#include <string.h>

#include "load.h"

static void load_choices(struct loader *load, const yaml_node_t *list, struct option *option)
{
	option->kind = OPTION_CHOICE;
	for (int i = 0; i < doc_list_size(list); i++) {
		const yaml_node_t *node = doc_list_item(load->doc, list, i);
		const char *word;

		if (i == WIRE_MAX_CHOICES)
			doc_complain(load->doc, node, "more than %d words", WIRE_MAX_CHOICES);
		if (i < WIRE_MAX_CHOICES && doc_string(load->doc, node, &word))
			option->choices[option->choice_count++] = wire_keep_text(load->wire, word);
	}
	if (option->choice_count < 2)
		doc_complain(load->doc, list, "`values:` needs at least two words: [a, b]");
}

static void load_range(struct loader *load, const yaml_node_t *list, struct option *option)
{
	int64_t low, high;

	option->kind = OPTION_RANGE;
	if (doc_list_size(list) != 2) {
		doc_complain(load->doc, list, "`range:` is [lowest, highest]");
		return;
	}
	if (!doc_integer(load->doc, doc_list_item(load->doc, list, 0), -INT32_MAX, INT32_MAX,
			 &low) ||
	    !doc_integer(load->doc, doc_list_item(load->doc, list, 1), low, INT32_MAX, &high))
		return;
	option->low = (int32_t)low;
	option->high = (int32_t)high;
}

/* A value of an option as the file or the user writes it. */
static bool option_value(const struct option *option, const char *text, int32_t *out)
{
	char *end;
	long number;

	for (int i = 0; i < option->choice_count; i++) {
		if (strcmp(option->choices[i], text) != 0)
			continue;
		*out = i;
		return true;
	}
	if (option->kind != OPTION_RANGE)
		return false;
	number = strtol(text, &end, 0);
	if (end == text || *end || number < option->low || number > option->high)
		return false;
	*out = (int32_t)number;
	return true;
}

static void possible_values(const struct option *option, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	if (option->kind == OPTION_RANGE)
		snprintf(text, size, "%d to %d", option->low, option->high);
	for (int i = 0; i < option->choice_count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
					 option->choices[i]);
}

static void load_option(struct loader *load, const yaml_node_t *key, const yaml_node_t *map)
{
	static const char *const keys[] = {"default", "values", "range", "help", NULL};
	struct option *option = &load->wire->options[load->wire->option_count++];
	const yaml_node_t *values = doc_get(load->doc, map, "values"),
			  *range = doc_get(load->doc, map, "range"),
			  *fallback = doc_get(load->doc, map, "default"),
			  *help = doc_get(load->doc, map, "help");
	char possible[256];

	option->name = wire_keep_text(load->wire, doc_text(key) ? doc_text(key) : "");
	if (!doc_is_map(map)) {
		doc_complain(load->doc, map, "an option is written like {default: no, help: ...}");
		return;
	}
	doc_check_keys(load->doc, map, keys);
	option->help = doc_text(help) ? wire_keep_text(load->wire, doc_text(help)) : "";
	if (values) {
		load_choices(load, values, option);
	} else if (range) {
		load_range(load, range, option);
	} else {
		option->choices[option->choice_count++] = "no";
		option->choices[option->choice_count++] = "yes";
	}
	if (fallback &&
	    option_value(option, doc_text(fallback) ? doc_text(fallback) : "", &option->fallback))
		return;
	possible_values(option, possible, sizeof possible);
	doc_complain(load->doc, fallback ? fallback : map, "`default:` must be one of: %s",
		     possible);
}

void load_options(struct loader *load, const yaml_node_t *map)
{
	if (map && !doc_is_map(map))
		doc_complain(load->doc, map, "options are written like {pad: {default: no}}");
	for (int i = 0; i < doc_map_size(map); i++) {
		const yaml_node_t *key, *value;

		doc_map_pair(load->doc, map, i, &key, &value);
		if (load->wire->option_count == WIRE_MAX_OPTIONS) {
			doc_complain(load->doc, key, "more than %d options", WIRE_MAX_OPTIONS);
			return;
		}
		load_option(load, key, value);
	}
}

static const struct option *find_option(const struct wire *wire, const char *name)
{
	for (int i = 0; i < wire->option_count; i++)
		if (strcmp(wire->options[i].name, name) == 0)
			return &wire->options[i];
	return NULL;
}

static void option_names(const struct wire *wire, char *text, size_t size)
{
	size_t used = 0;

	snprintf(text, size, "none");
	for (int i = 0; i < wire->option_count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
					 wire->options[i].name);
}

bool load_when(struct loader *load, const yaml_node_t *map, struct condition *out)
{
	const yaml_node_t *key, *wanted;
	const struct option *found;
	const char *text;
	char possible[256];

	if (doc_map_size(map) != 1) {
		doc_complain(load->doc, map, "`when:` is one option and its value: {pad: yes}");
		return false;
	}
	doc_map_pair(load->doc, map, 0, &key, &wanted);
	found = find_option(load->wire, doc_text(key) ? doc_text(key) : "");
	if (!found) {
		option_names(load->wire, possible, sizeof possible);
		doc_complain(load->doc, key, "there is no option '%s'; this file has: %s",
			     doc_text(key) ? doc_text(key) : "", possible);
		return false;
	}
	text = doc_text(wanted) ? doc_text(wanted) : "";
	out->negated = strncmp(text, "not ", 4) == 0;
	if (!option_value(found, text + (out->negated ? 4 : 0), &out->value)) {
		possible_values(found, possible, sizeof possible);
		doc_complain(load->doc, wanted, "'%s' can be: %s", found->name, possible);
		return false;
	}
	out->option = (int)(found - load->wire->options);
	return true;
}

/* --- at run time --- */

void wire_context_init(const struct wire *wire, struct wire_context *ctx)
{
	memset(ctx, 0, sizeof *ctx);
	ctx->address = -1;
	for (int i = 0; i < wire->option_count; i++)
		ctx->option[i] = wire->options[i].fallback;
}

int32_t wire_option(const struct wire *wire, const struct wire_context *ctx, const char *name,
		    int32_t fallback)
{
	const struct option *option = find_option(wire, name);

	return option ? ctx->option[option - wire->options] : fallback;
}

int wire_set_option(const struct wire *wire, struct wire_context *ctx, const char *name,
		    const char *value, char *why, size_t why_size)
{
	const struct option *option = find_option(wire, name);
	char possible[256];

	if (!option) {
		option_names(wire, possible, sizeof possible);
		snprintf(why, why_size, "%s has no option '%s'; it has: %s", wire->id, name,
			 possible);
		return ERR_FORMAT;
	}
	if (!option_value(option, value, &ctx->option[option - wire->options])) {
		possible_values(option, possible, sizeof possible);
		snprintf(why, why_size, "option '%s' cannot be '%s'; possible: %s", name, value,
			 possible);
		return ERR_FORMAT;
	}
	return 0;
}
