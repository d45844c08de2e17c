// SPDX-License-Identifier: Apache-2.0
/* A log through the fusion at once, told as a story: what changed when, and why. */
#pragma once

#include <stdio.h>

#include "onepack/fusion.h"

/* One line per change (states of packs, alarms, rules of limits with their sentence) and one a
 * second with the values. The same log gives the same bytes. 0, or -1 when memory is short. */
int replay_tell(FILE *log, const struct fusion_config *config, FILE *out);

/* The same, compared with the file `expect`; the first difference is told on `complaints`. 0 = the
 * same, 1 = different or unreadable. */
int replay_compare(FILE *log, const struct fusion_config *config, const char *expect,
		   FILE *complaints);
