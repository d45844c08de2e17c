// SPDX-License-Identifier: Apache-2.0
/* libmicrohttpd ends a connection that says nothing for a while, but one byte every ten seconds
 * keeps it alive for ever. Here each request has a time in which it must be complete; after that
 * the socket is shut down and libmicrohttpd sees it closed. */
#include <stdlib.h>
#include <sys/socket.h>

#include "http.h"
#include "onepack/clock.h"

struct slot {
	bool in_use;
	int fd;
	int64_t waiting_since_ms; /* for the rest of a request; 0 = it is complete */
};

struct guard {
	int64_t request_ms;
	pthread_mutex_t lock; /* of the slots */
	struct slot slots[WEB_MAX_CONNECTIONS];
};

struct guard *guard_new(int64_t request_ms)
{
	struct guard *guard = calloc(1, sizeof *guard);

	if (!guard)
		return NULL;
	guard->request_ms = request_ms;
	pthread_mutex_init(&guard->lock, NULL);
	return guard;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	pthread_mutex_destroy(&guard->lock);
	free(guard);
}

static void start(struct guard *guard, struct MHD_Connection *connection, void **context)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	for (int i = 0; info && i < WEB_MAX_CONNECTIONS; i++) {
		struct slot *slot = &guard->slots[i];

		if (slot->in_use)
			continue;
		*slot = (struct slot){true, info->connect_fd, clock_monotonic_ms()};
		*context = slot;
		return;
	}
}

void guard_notify(void *arg, struct MHD_Connection *connection, void **context,
		  enum MHD_ConnectionNotificationCode what)
{
	struct guard *guard = arg;

	pthread_mutex_lock(&guard->lock);
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		start(guard, connection, context);
	else if (*context)
		((struct slot *)*context)->in_use = false;
	pthread_mutex_unlock(&guard->lock);
}

void guard_note_request(struct guard *guard, struct MHD_Connection *connection, bool complete)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct slot *slot = info ? info->socket_context : NULL;

	if (!slot)
		return;
	pthread_mutex_lock(&guard->lock);
	slot->waiting_since_ms = complete ? 0 : clock_monotonic_ms();
	pthread_mutex_unlock(&guard->lock);
}

void guard_tick(struct guard *guard, int64_t now_ms)
{
	pthread_mutex_lock(&guard->lock);
	for (int i = 0; i < WEB_MAX_CONNECTIONS; i++) {
		const struct slot *slot = &guard->slots[i];

		if (slot->in_use && slot->waiting_since_ms &&
		    now_ms - slot->waiting_since_ms > guard->request_ms)
			shutdown(slot->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&guard->lock);
}
