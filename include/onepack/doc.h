// SPDX-License-Identifier: Apache-2.0
/* YAML documents whose mistakes can be shown: a thin layer over libyaml that the configuration and
 * the protocol files share. Every complaint is one line, FILE:LINE:COLUMN: what is wrong and what
 * would be right, and is counted; a loader goes on after a mistake, so that a user sees all of them
 * at once, and fails at the end if doc_errors() is not 0. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <yaml.h>

struct doc;

/* Reads a whole file. A file that cannot be read or is not YAML is reported the same way; NULL
 * then. */
struct doc *doc_load(const char *path, FILE *errors);

/* The same for a text in memory; `name` stands for the file name in complaints. */
struct doc *doc_parse(const char *name, const char *text, size_t length, FILE *errors);
void doc_free(struct doc *doc);

int doc_errors(const struct doc *doc);
FILE *doc_stream(const struct doc *doc); /* where complaints go; NULL = nowhere */

/* Complains about a node (NULL = the whole file). */
void doc_complain(struct doc *doc, const yaml_node_t *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

const yaml_node_t *doc_root(
	const struct doc *doc); /* never NULL; an empty file is an empty mapping */
const yaml_node_t *doc_node(const struct doc *doc, int index);

bool doc_is_map(const yaml_node_t *node);
bool doc_is_list(const yaml_node_t *node);
bool doc_is_scalar(const yaml_node_t *node);

/* Mappings: the value of a key or NULL; the n-th pair; complaints about keys outside a
 * NULL-terminated list, and about keys given twice. */
const yaml_node_t *doc_get(const struct doc *doc, const yaml_node_t *map, const char *key);
int doc_map_size(const yaml_node_t *map);
void doc_map_pair(const struct doc *doc, const yaml_node_t *map, int n, const yaml_node_t **key,
		  const yaml_node_t **value);
void doc_check_keys(struct doc *doc, const yaml_node_t *map, const char *const keys[]);

/* Lists. */
int doc_list_size(const yaml_node_t *list);
const yaml_node_t *doc_list_item(const struct doc *doc, const yaml_node_t *list, int n);

/* The text of a scalar, NULL for anything else (without complaint). Owned by the document. */
const char *doc_text(const yaml_node_t *node);

/* Scalars with a complaint when they are not what is wanted: true and *out set, or false and *out
 * untouched. */
bool doc_string(struct doc *doc, const yaml_node_t *node, const char **out);
bool doc_integer(struct doc *doc, const yaml_node_t *node, int64_t low, int64_t high,
		 int64_t *out);                                     /* 10 or 0x0A */
bool doc_flag(struct doc *doc, const yaml_node_t *node, bool *out); /* yes no true false on off */

/* A decimal number as thousandths, exactly: 53.125 is 53125. More than three decimals are refused,
 * as is anything outside low..high (in thousandths). */
bool doc_thousandths(struct doc *doc, const yaml_node_t *node, int64_t low, int64_t high,
		     int64_t *out);

/* "12.5" -> 12500: the pure part of doc_thousandths. False when it is no such number. */
bool doc_parse_thousandths(const char *text, int64_t *out);
