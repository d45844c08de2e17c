// SPDX-License-Identifier: Apache-2.0
/* Dropping moves the whole array: it is rare (the disk has failed for long) and some 300 kB. */
#include "queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int queue_init(struct queue *queue, size_t item_size, int max)
{
	*queue = (struct queue){.item_size = item_size, .max = max};
	queue->items = calloc((size_t)max, item_size);
	return queue->items ? 0 : -ENOMEM;
}

void queue_free(struct queue *queue)
{
	free(queue->items);
	*queue = (struct queue){0};
}

void queue_push(struct queue *queue, const void *item)
{
	if (queue->count == queue->max) {
		queue->count--;
		queue->dropped++;
		memmove(queue->items, queue->items + queue->item_size,
			(size_t)queue->count * queue->item_size);
	}
	memcpy(queue->items + (size_t)queue->count * queue->item_size, item, queue->item_size);
	queue->count++;
}
