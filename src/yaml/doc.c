// SPDX-License-Identifier: Apache-2.0
/* YAML documents with places: libyaml parses, this file finds nodes and words complaints. It knows
 * nothing of what the documents mean. */
#include "onepack/doc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct doc {
	yaml_document_t yaml;
	const yaml_node_t *root;
	char *name;
	FILE *errors;
	int error_count;
};

static const yaml_node_t empty_map = {.type = YAML_MAPPING_NODE};

void doc_complain(struct doc *doc, const yaml_node_t *node, const char *format, ...)
{
	va_list args;

	doc->error_count++;
	if (!doc->errors)
		return;
	fprintf(doc->errors, "%s:%zu:%zu: ", doc->name, node ? node->start_mark.line + 1 : 1,
		node ? node->start_mark.column + 1 : 1);
	va_start(args, format);
	vfprintf(doc->errors, format, args);
	va_end(args);
	fputc('\n', doc->errors);
}

static void complain_parser(struct doc *doc, const yaml_parser_t *parser)
{
	const yaml_mark_t mark = parser->problem_mark;
	yaml_node_t at = {.start_mark = mark};

	doc_complain(doc, &at, "not YAML: %s%s%s", parser->problem ? parser->problem : "unreadable",
		     parser->context ? " " : "", parser->context ? parser->context : "");
}

static struct doc *doc_new(const char *name, FILE *errors)
{
	struct doc *doc = calloc(1, sizeof *doc);

	if (!doc || !(doc->name = strdup(name))) {
		free(doc);
		return NULL;
	}
	doc->errors = errors;
	return doc;
}

static struct doc *doc_finish(struct doc *doc, yaml_parser_t *parser)
{
	if (!yaml_parser_load(parser, &doc->yaml)) {
		complain_parser(doc, parser);
		yaml_parser_delete(parser);
		free(doc->name);
		free(doc);
		return NULL;
	}
	yaml_parser_delete(parser);
	doc->root = yaml_document_get_root_node(&doc->yaml);
	if (!doc->root)
		doc->root = &empty_map;
	return doc;
}

struct doc *doc_parse(const char *name, const char *text, size_t length, FILE *errors)
{
	yaml_parser_t parser;
	struct doc *doc = doc_new(name, errors);

	if (!doc)
		return NULL;
	if (!yaml_parser_initialize(&parser)) {
		doc_free(doc);
		return NULL;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	return doc_finish(doc, &parser);
}

struct doc *doc_load(const char *path, FILE *errors)
{
	yaml_parser_t parser;
	struct doc *doc = doc_new(path, errors);
	FILE *file = fopen(path, "rb");

	if (!doc || !file || !yaml_parser_initialize(&parser)) {
		if (doc)
			doc_complain(doc, NULL, "cannot be read: %s", strerror(errno));
		if (file)
			fclose(file);
		doc_free(doc);
		return NULL;
	}
	yaml_parser_set_input_file(&parser, file);
	doc = doc_finish(doc, &parser);
	fclose(file);
	return doc;
}

void doc_free(struct doc *doc)
{
	if (!doc)
		return;
	yaml_document_delete(&doc->yaml);
	free(doc->name);
	free(doc);
}

int doc_errors(const struct doc *doc)
{
	return doc->error_count;
}

FILE *doc_stream(const struct doc *doc)
{
	return doc->errors;
}

const yaml_node_t *doc_root(const struct doc *doc)
{
	return doc->root;
}

const yaml_node_t *doc_node(const struct doc *doc, int index)
{
	/* libyaml's getter is not const-correct; it does not change the document */
	return yaml_document_get_node((yaml_document_t *)&doc->yaml, index);
}

bool doc_is_map(const yaml_node_t *node)
{
	return node && node->type == YAML_MAPPING_NODE;
}

bool doc_is_list(const yaml_node_t *node)
{
	return node && node->type == YAML_SEQUENCE_NODE;
}

bool doc_is_scalar(const yaml_node_t *node)
{
	return node && node->type == YAML_SCALAR_NODE;
}

const char *doc_text(const yaml_node_t *node)
{
	return doc_is_scalar(node) ? (const char *)node->data.scalar.value : NULL;
}

int doc_map_size(const yaml_node_t *map)
{
	if (!doc_is_map(map) || !map->data.mapping.pairs.start)
		return 0;
	return (int)(map->data.mapping.pairs.top - map->data.mapping.pairs.start);
}

void doc_map_pair(const struct doc *doc, const yaml_node_t *map, int n, const yaml_node_t **key,
		  const yaml_node_t **value)
{
	const yaml_node_pair_t *pair = &map->data.mapping.pairs.start[n];

	*key = doc_node(doc, pair->key);
	*value = doc_node(doc, pair->value);
}

const yaml_node_t *doc_get(const struct doc *doc, const yaml_node_t *map, const char *key)
{
	const yaml_node_t *k, *v;

	for (int i = 0; i < doc_map_size(map); i++) {
		doc_map_pair(doc, map, i, &k, &v);
		if (doc_is_scalar(k) && strcmp(doc_text(k), key) == 0)
			return v;
	}
	return NULL;
}

static bool in_list(const char *text, const char *const list[])
{
	for (int i = 0; list[i]; i++)
		if (strcmp(text, list[i]) == 0)
			return true;
	return false;
}

static void complain_key(struct doc *doc, const yaml_node_t *key, const char *const keys[])
{
	char valid[512] = "";
	size_t used = 0;

	for (int i = 0; keys[i] && used < sizeof valid; i++)
		used += (size_t)snprintf(valid + used, sizeof valid - used, "%s%s", i ? ", " : "",
					 keys[i]);
	doc_complain(doc, key, "unknown key '%s'; possible here: %s",
		     doc_text(key) ? doc_text(key) : "?", valid);
}

void doc_check_keys(struct doc *doc, const yaml_node_t *map, const char *const keys[])
{
	const yaml_node_t *key, *value;

	for (int i = 0; i < doc_map_size(map); i++) {
		doc_map_pair(doc, map, i, &key, &value);
		if (!doc_is_scalar(key) || !in_list(doc_text(key), keys))
			complain_key(doc, key, keys);
		else if (doc_get(doc, map, doc_text(key)) != value)
			doc_complain(doc, key, "'%s' is given twice", doc_text(key));
	}
}

int doc_list_size(const yaml_node_t *list)
{
	if (!doc_is_list(list) || !list->data.sequence.items.start)
		return 0;
	return (int)(list->data.sequence.items.top - list->data.sequence.items.start);
}

const yaml_node_t *doc_list_item(const struct doc *doc, const yaml_node_t *list, int n)
{
	return doc_node(doc, list->data.sequence.items.start[n]);
}

bool doc_string(struct doc *doc, const yaml_node_t *node, const char **out)
{
	if (!doc_is_scalar(node)) {
		doc_complain(doc, node, "a text is expected here");
		return false;
	}
	*out = doc_text(node);
	return true;
}

bool doc_integer(struct doc *doc, const yaml_node_t *node, int64_t low, int64_t high, int64_t *out)
{
	const char *text = doc_text(node);
	char *end = NULL;
	int base = text && (strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0) ? 16 : 10;

	errno = 0;
	long long value = text ? strtoll(text, &end, base) : 0;
	if (!text || end == text || *end || errno) {
		doc_complain(doc, node, "'%s' is not a whole number", text ? text : "this");
		return false;
	}
	if (value < low || value > high) {
		doc_complain(doc, node, "%lld is outside %lld..%lld", value, (long long)low,
			     (long long)high);
		return false;
	}
	*out = value;
	return true;
}

bool doc_flag(struct doc *doc, const yaml_node_t *node, bool *out)
{
	static const char *const yes[] = {"yes", "true", "on", NULL}, *const no[] = {"no", "false",
										     "off", NULL};
	const char *text = doc_text(node);

	if (!text || (!in_list(text, yes) && !in_list(text, no))) {
		doc_complain(doc, node, "'%s' is neither yes nor no", text ? text : "this");
		return false;
	}
	*out = in_list(text, yes);
	return true;
}

bool doc_parse_thousandths(const char *text, int64_t *out)
{
	const bool negative = *text == '-';
	int64_t value = 0;
	int decimals = -1, digits = 0;

	for (text += negative || *text == '+'; *text; text++) {
		if (*text == '.' && decimals < 0) {
			decimals = 0;
			continue;
		}
		if (*text < '0' || *text > '9' || decimals == 3 || ++digits > 15)
			return false;
		value = value * 10 + (*text - '0');
		decimals += decimals >= 0;
	}
	if (!digits)
		return false;
	for (int i = decimals < 0 ? 0 : decimals; i < 3; i++)
		value *= 10;
	*out = negative ? -value : value;
	return true;
}

bool doc_thousandths(struct doc *doc, const yaml_node_t *node, int64_t low, int64_t high,
		     int64_t *out)
{
	const char *text = doc_text(node);
	int64_t value;

	if (!text || !doc_parse_thousandths(text, &value)) {
		doc_complain(doc, node, "'%s' is not a number with at most three decimals",
			     text ? text : "this");
		return false;
	}
	if (value < low || value > high) {
		doc_complain(doc, node, "%s is outside %g..%g", text, (double)low / 1000,
			     (double)high / 1000);
		return false;
	}
	*out = value;
	return true;
}
