// SPDX-License-Identifier: Apache-2.0
/* The `battery:` part of the configuration file, as the daemon and `onepack fuse` read it. */
#pragma once

#include <stdio.h>

#include "onepack/doc.h"
#include "onepack/fusion.h"

/* Reads the mapping at `battery` (NULL or empty = all defaults). Every mistake is complained about
 * at its place. Returns 0, or ERR_FORMAT after complaints; `out` is untouched then. */
int fusion_config_load(struct doc *doc, const yaml_node_t *battery, struct fusion_config *out);

/* The `battery:` part of a whole configuration file; the rest of it is not looked at. NULL = all
 * defaults. Returns 0, or ERR_FORMAT after complaints. */
int fusion_config_load_file(const char *path, struct fusion_config *out, FILE *complaints);

/* All keys as a Markdown table: docs/fusion.md contains exactly this text. */
void fusion_config_describe(FILE *out);
