// SPDX-License-Identifier: Apache-2.0
/* What an update says of itself to people: the status, and its events. Pure. */
#pragma once

#include "order_file.h"
#include "table.h"

void status_begin(struct rack_update_status *status, const struct table *table, int line,
		  const struct update_order *order, const struct image_version *version);
void status_follow(struct rack_update_status *status, const struct update_job *job);
void status_post_confirmed(const struct rack_update_status *status, struct table *table, int line,
			   int index);
void status_post_end(const struct rack_update_status *status, struct table *table, int line);
