// SPDX-License-Identifier: Apache-2.0
/* What the loading files share. Every function complains through the document and goes on. */
#pragma once

#include "layout.h"

struct loader {
	struct doc *doc;
	struct wire *wire;
	struct message *message;
	enum scope scope; /* of names at this place */
	int repeat;       /* enum repeat_of around this place, -1 = none */
};

/* The `fields:` of a map; NULL and *count 0 when there are none. */
const struct item *load_items(struct loader *load, const yaml_node_t *map, int *count);

/* `messages:` */
void load_messages(struct loader *load, const yaml_node_t *list);

/* `options:`, and a {name: value} of `when:`. */
void load_options(struct loader *load, const yaml_node_t *map);
bool load_when(struct loader *load, const yaml_node_t *map, struct condition *out);

/* `as: u16be`: a number type. */
bool load_number_type(struct loader *load, const yaml_node_t *node, struct item *item);

/* `unit: 0.1 V` for a quantity of this unit: how many vocabulary steps one raw step is. */
bool load_unit(struct loader *load, const yaml_node_t *node, enum unit unit, struct item *item);

/* A number as the public writes it ("51.2" V, "3" cells, "soft"), in the vocabulary's unit. */
bool load_public_value(struct loader *load, const yaml_node_t *node, enum unit unit, int64_t *out);

/* A name of the vocabulary at this place; complains with the nearest valid one. `length` -1 = all
 * of it. */
bool load_name(struct loader *load, const yaml_node_t *at, const char *name, int length,
	       struct quantity *out);

/* `modbus: {...}` and `pylon: {...}`: the settings that serial framings share and their own. */
void load_modbus(struct doc *doc, const yaml_node_t *node, struct wire *wire);
void load_line_only(struct doc *doc, const yaml_node_t *node, struct wire *wire);
void load_pylon(struct doc *doc, const yaml_node_t *node, struct wire *wire);

/* `{is: NAME, ...}`, its type already loaded. */
void load_value(struct loader *load, const yaml_node_t *map, struct item *item);

/* A raw number, which may be written as it stands on the wire: 0x8000 is allowed for an s16. */
bool load_raw(struct loader *load, const yaml_node_t *node, const struct item *item, int64_t *raw);

/* `bits:` and `pairs:` */
void load_bits(struct loader *load, const yaml_node_t *map, struct item *item);

/* Splits the next word of *rest (spaces between words) into `word`; false at the end. */
bool load_word(const char **rest, char *word, size_t size);
