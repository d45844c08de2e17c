// SPDX-License-Identifier: Apache-2.0
/* Server-sent events. Once a second the newest battery and inverters become one text each, shared
 * by all clients; a client only remembers which versions it has had. So a slow client skips
 * snapshots instead of filling a queue, and one that does not take even a single message in time is
 * dropped. Idle connections are suspended (a content callback that says "nothing" would be asked
 * again at once) and resumed by the ticker. */
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "onepack/clock.h"
#include "onepack/json.h"

#define BLOCK_SIZE       8192
#define COMMENT_EVERY_MS 10000
#define EVENTS_A_TIME    16

enum topic { TOPIC_HELLO, TOPIC_BATTERY, TOPIC_INVERTERS, TOPIC_COMMENT, TOPIC_COUNT };

/* A text in use by the stream and by the clients that are sending it. */
struct message {
	int users;
	size_t size;
	char *text;
};

struct client {
	struct client *next;
	struct stream *stream;
	struct MHD_Connection *connection;
	bool suspended;
	uint64_t had[TOPIC_COUNT]; /* versions */
	uint64_t event_had;        /* number on the board */
	struct message *sending;
	size_t sent;
	int64_t sending_since_ms;
};

struct stream {
	struct web *web;
	pthread_mutex_t lock; /* of everything here */
	struct client *clients;
	int count;
	bool closing;
	struct message *newest[TOPIC_COUNT];
	uint64_t version[TOPIC_COUNT];
	uint64_t event_newest;
	uint64_t battery_seen; /* the board's number of the newest battery */
	int64_t last_message_ms;
};

/* --- messages --- */

static void message_drop(struct message *message)
{
	if (!message || --message->users > 0)
		return;
	free(message->text);
	free(message);
}

/* One event of that name; takes over `json`. */
static struct message *message_make(const char *name, json_t *json)
{
	struct message *message = calloc(1, sizeof *message);
	FILE *out = message ? open_memstream(&message->text, &message->size) : NULL;

	if (out) {
		fprintf(out, "event: %s\ndata: ", name);
		json_dumpf(json, out, ONEPACK_JSON_FLAGS);
		fputs("\n\n", out);
		fclose(out);
		message->users = 1;
	} else {
		free(message);
		message = NULL;
	}
	json_decref(json);
	return message;
}

static struct message *message_copy(const char *text)
{
	struct message *message = calloc(1, sizeof *message);

	if (!message)
		return NULL;
	message->text = strdup(text);
	message->size = strlen(text);
	message->users = 1;
	if (message->text)
		return message;
	free(message);
	return NULL;
}

static void publish(struct stream *stream, enum topic topic, struct message *message,
		    int64_t now_ms)
{
	if (!message)
		return;
	message_drop(stream->newest[topic]);
	stream->newest[topic] = message;
	stream->version[topic]++;
	stream->last_message_ms = now_ms;
}

static void publish_inverters(struct stream *stream, int64_t now_ms)
{
	struct inverter_status inverters[STATUS_MAX_INVERTERS];
	const int count = board_inverters(stream->web->board, inverters);
	json_t *list = json_array();

	for (int i = 0; i < count; i++)
		json_array_append_new(list, json_from_inverter(&inverters[i], i + 1, now_ms));
	publish(stream, TOPIC_INVERTERS, message_make("inverters", list), now_ms);
}

/* Makes the texts new, as far as there is news. */
static void refresh(struct stream *stream, int64_t now_ms)
{
	struct battery battery;
	const uint64_t number = board_battery(stream->web->board, &battery);

	if (number != stream->battery_seen) {
		stream->battery_seen = number;
		publish(stream, TOPIC_BATTERY, message_make("battery", json_from_battery(&battery)),
			now_ms);
	}
	publish_inverters(stream, now_ms);
	if (now_ms - stream->last_message_ms >= COMMENT_EVERY_MS)
		publish(stream, TOPIC_COMMENT, message_copy(": still here\n\n"), now_ms);
}

static void count_events(struct stream *stream)
{
	struct event events[EVENTS_A_TIME];

	while (board_events(stream->web->board, stream->event_newest, events, EVENTS_A_TIME,
			    &stream->event_newest) > 0)
		;
}

/* --- one client --- */

static struct message *next_event(struct client *client)
{
	struct web *web = client->stream->web;
	struct event event;

	if (board_events(web->board, client->event_had, &event, 1, &client->event_had) == 0)
		return NULL;
	return message_make("event", event_json(web, client->event_had, &event));
}

static bool has_news(const struct client *client)
{
	const struct stream *stream = client->stream;

	if (client->event_had < stream->event_newest)
		return true;
	for (int i = 0; i < TOPIC_COUNT; i++)
		if (client->had[i] != stream->version[i])
			return true;
	return false;
}

/* The next message to send, counted as used; NULL = nothing new. */
static struct message *next_message(struct client *client)
{
	struct stream *stream = client->stream;

	for (int i = 0; i < TOPIC_COUNT; i++) {
		if (client->had[i] == stream->version[i])
			continue;
		client->had[i] = stream->version[i];
		stream->newest[i]->users++;
		return stream->newest[i];
	}
	return client->event_had < stream->event_newest ? next_event(client) : NULL;
}

static ssize_t fill(struct client *client, char *out, size_t max)
{
	const int64_t now_ms = clock_monotonic_ms();
	struct stream *stream = client->stream;
	size_t count;

	if (stream->closing)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (!client->sending) {
		client->sending = next_message(client);
		client->sent = 0;
		client->sending_since_ms = now_ms;
	}
	if (!client->sending) {
		MHD_suspend_connection(client->connection);
		client->suspended = true;
		return 0;
	}
	if (now_ms - client->sending_since_ms > stream->web->config.timeout_s * 1000LL)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	count = client->sending->size - client->sent;
	if (count > max)
		count = max;
	memcpy(out, client->sending->text + client->sent, count);
	client->sent += count;
	if (client->sent == client->sending->size) {
		message_drop(client->sending);
		client->sending = NULL;
	}
	return (ssize_t)count;
}

static ssize_t read_content(void *arg, uint64_t position, char *out, size_t max)
{
	struct client *client = arg;

	(void)position;
	pthread_mutex_lock(&client->stream->lock);
	const ssize_t result = fill(client, out, max);
	pthread_mutex_unlock(&client->stream->lock);
	return result;
}

static void forget(void *arg)
{
	struct client *client = arg, **link;
	struct stream *stream = client->stream;

	pthread_mutex_lock(&stream->lock);
	for (link = &stream->clients; *link != client; link = &(*link)->next)
		;
	*link = client->next;
	stream->count--;
	message_drop(client->sending);
	pthread_mutex_unlock(&stream->lock);
	free(client);
}

static struct client *admit(struct stream *stream, struct MHD_Connection *connection)
{
	struct client *client = NULL;

	pthread_mutex_lock(&stream->lock);
	if (!stream->closing && stream->count < WEB_MAX_STREAMS)
		client = calloc(1, sizeof *client);
	if (client) {
		if (stream->count == 0) /* nobody has listened: the texts may be old */
			refresh(stream, clock_monotonic_ms());
		client->stream = stream;
		client->connection = connection;
		client->had[TOPIC_COMMENT] = stream->version[TOPIC_COMMENT];
		client->event_had = stream->event_newest;
		client->next = stream->clients;
		stream->clients = client;
		stream->count++;
	}
	pthread_mutex_unlock(&stream->lock);
	return client;
}

enum MHD_Result api_stream(struct request *request)
{
	struct MHD_Response *response;
	struct client *client;

	if (strcmp(request->method, "HEAD") == 0)
		return reply_text(request, MHD_HTTP_OK, "text/event-stream", strdup(""), 0);
	client = admit(request->web->stream, request->connection);
	if (!client)
		return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
				   "%d pages are listening already. Close one of them.",
				   WEB_MAX_STREAMS);
	request_limit_socket(request);
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_content,
						     client, forget);
	if (!response) {
		forget(client);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", "text/event-stream");
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "X-Accel-Buffering", "no"); /* for a proxy in between */
	return reply_response(request, MHD_HTTP_OK, response);
}

/* --- the whole --- */

static void wake(struct client *client)
{
	if (!client->suspended)
		return;
	client->suspended = false;
	MHD_resume_connection(client->connection);
}

struct stream *stream_new(struct web *web)
{
	struct stream *stream = calloc(1, sizeof *stream);

	if (!stream)
		return NULL;
	stream->web = web;
	pthread_mutex_init(&stream->lock, NULL);
	publish(stream, TOPIC_HELLO, message_copy("retry: 2000\n\n"), 0);
	return stream;
}

void stream_tick(struct stream *stream, int64_t now_ms)
{
	pthread_mutex_lock(&stream->lock);
	count_events(stream);
	if (stream->count > 0)
		refresh(stream, now_ms);
	for (struct client *client = stream->clients; client; client = client->next)
		if (has_news(client))
			wake(client);
	pthread_mutex_unlock(&stream->lock);
}

int stream_count(struct stream *stream)
{
	pthread_mutex_lock(&stream->lock);
	const int count = stream->count;
	pthread_mutex_unlock(&stream->lock);
	return count;
}

void stream_close(struct stream *stream)
{
	pthread_mutex_lock(&stream->lock);
	stream->closing = true;
	for (struct client *client = stream->clients; client; client = client->next)
		wake(client);
	pthread_mutex_unlock(&stream->lock);
}

void stream_free(struct stream *stream)
{
	if (!stream)
		return;
	for (int i = 0; i < TOPIC_COUNT; i++)
		message_drop(stream->newest[i]);
	pthread_mutex_destroy(&stream->lock);
	free(stream);
}
