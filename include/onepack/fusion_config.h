// SPDX-License-Identifier: Apache-2.0
/* The `battery:` part of the configuration file, as the daemon and `onepack fuse` read it. */
#pragma once

#include <stdio.h>

#include "onepack/doc.h"
#include "onepack/fusion.h"

/* A key of `battery:` that is one of some words; the member is that word's number. */
struct fusion_choice {
	const char *json;
	const char *const *words; /* NULL-terminated */
	int normal;
	size_t offset; /* of the enum in struct fusion_config */
	const char *meaning;
};

extern const struct fusion_choice fusion_choices[];
extern const int fusion_choice_count;

/* A key of `battery:` that is a list of points. The default depends on other keys
 * (fusion_config_default_curves). */
struct fusion_curve {
	const char *json;
	size_t offset;                 /* of the struct curve in struct fusion_config */
	int64_t x_low, x_high, y_high; /* thousandths; y_low is 0 */
	const char *units;             /* of x and y, for people */
	const char *meaning;
};

extern const struct fusion_curve fusion_curves[];
extern const int fusion_curve_count;

#define FUSION_CHOICES_GROUP "Choices and tables" /* the heading of both */

/* Reads the mapping at `battery` (NULL or empty = all defaults). Every mistake is complained about
 * at its place. Returns 0, or ERR_FORMAT after complaints; `out` is untouched then. */
int fusion_config_load(struct doc *doc, const yaml_node_t *battery, struct fusion_config *out);

/* The `battery:` part of a whole configuration file; the rest of it is not looked at. NULL = all
 * defaults. Returns 0, or ERR_FORMAT after complaints. */
int fusion_config_load_file(const char *path, struct fusion_config *out, FILE *complaints);

/* All keys as a Markdown table: docs/fusion.md contains exactly this text. */
void fusion_config_describe(FILE *out);
