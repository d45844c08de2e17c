// SPDX-License-Identifier: Apache-2.0
/* A bounded queue of equal items that forgets the oldest when it is full. Items lie one after
 * another, so a batch can be handed over as an array. Not thread-safe. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct queue {
	char *items;
	size_t item_size;
	int count, max;
	uint64_t dropped;
};

int queue_init(struct queue *queue, size_t item_size, int max); /* 0, or -ENOMEM */
void queue_free(struct queue *queue);
void queue_push(struct queue *queue, const void *item);
