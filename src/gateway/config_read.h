// SPDX-License-Identifier: Apache-2.0
/* What the files that read onepack.yaml share. All complain at the place of the mistake and go on.
 */
#pragma once

#include "onepack/doc.h"
#include "onepack/wire.h"

#include "config.h"

struct loader {
	struct doc *doc;
	struct config *config;
	FILE *errors;
};

/* Copies the text at a key, if it is there, into a fixed member; too long is a mistake. */
void config_text(struct loader *loader, const yaml_node_t *map, const char *key, char *out,
		 size_t size);

/* True and *out set when the key is there and a whole number within low..high. */
bool config_integer(struct loader *loader, const yaml_node_t *map, const char *key, int64_t low,
		    int64_t high, int64_t *out);

/* True when `node` is a mapping; its keys are checked against the NULL-terminated list. NULL is
 * silently not one. */
bool config_section(struct loader *loader, const yaml_node_t *node, const char *const keys[]);

/* Complains when the key is missing; the example shows what is wanted. */
void config_require(struct loader *loader, const yaml_node_t *map, const char *key,
		    const char *example);

/* Loads the protocol that map's `protocol` names; NULL after complaints. */
struct wire *config_protocol(struct loader *loader, const yaml_node_t *map, const char *id);

/* A port may be used once: compares with all earlier buses and inverters. */
void config_check_port(struct loader *loader, const yaml_node_t *map, const char *port);

/* A serial bit rate that Linux and real devices know. */
void config_baud(struct loader *loader, const yaml_node_t *map, const char *key, uint32_t *out);

/* The two sections with files of their own. */
void config_buses(struct loader *loader, const yaml_node_t *list);
void config_inverters(struct loader *loader, const yaml_node_t *list);
