// SPDX-License-Identifier: Apache-2.0
/* What the parts of the server share: the server, one request, answers. Handlers run in the one
 * thread of libmicrohttpd; the ticker thread touches only `stream`, `samples`, `guard` and
 * `health`. */
#pragma once

#include <jansson.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include "onepack/rack.h"
#include "onepack/web.h"
#include "session.h"

#define WEB_MAX_CONNECTIONS 32
#define WEB_MAX_PER_ADDRESS 16
#define WEB_MAX_STREAMS     8
#define WEB_MAX_RECORDERS   4
#define WEB_MAX_BODY        4096
#define WEB_MAX_RELEASE     (2 << 20) /* of a firmware upload, from somebody who is logged in */
#define WEB_MAX_URL         2048
#define WEB_LAST_TIME_S     99999999999LL /* the year 5138 */
#define WEB_TIMEOUT_S       15            /* if the configuration does not say */
#define WEB_HEALTHY_MS      10000         /* a snapshot may be this old */

struct guard;
struct stream;
struct samples;

struct web {
	struct web_config config;
	char host_names[3 * WEB_TEXT_SIZE]; /* all names that count as ours */
	struct board *board;
	struct store *store;
	struct MHD_Daemon *daemon;
	int port;
	struct guard *guard;
	struct stream *stream;
	struct samples *samples;
	struct sessions sessions;
	struct logins logins;
	_Atomic int64_t snapshot_ms; /* monotonic, when the newest snapshot came; 0 = never */
	pthread_t ticker;
	pthread_mutex_t lock; /* of `stopping` */
	pthread_cond_t stop_news;
	bool ticking, stopping;
};

struct request;

/* Answers the request: what the reply_... functions returned. */
typedef enum MHD_Result handler_fn(struct request *request);

struct route {
	const char *method; /* "GET" serves HEAD, too */
	const char *path;   /* a last part "#" stands for a number */
	handler_fn *handler;
	bool needs_login;
	size_t max_upload; /* the body is that many bytes of anything at most; 0 = JSON,
			    * WEB_MAX_BODY
			    */
};

struct request {
	struct web *web;
	struct MHD_Connection *connection;
	const char *method, *path;
	const struct route *route;
	int number; /* what "#" stood for */
	bool is_known, url_too_long;
	size_t body_size; /* more than WEB_MAX_BODY = too much, and not kept */
	char body[WEB_MAX_BODY + 1];
	uint8_t *upload; /* in place of the body where the route wants one; `body_size` bytes */
	size_t upload_room;
};

const char *request_header(const struct request *request, const char *name); /* NULL = none */
const char *request_argument(const struct request *request, const char *name);

/* Reads a number from the URL; true when it is absent (the default stays) or good. */
bool request_number(const struct request *request, const char *name, int64_t lowest,
		    int64_t highest, int64_t *value);

/* The history, to be closed; or NULL, and `*result` is what was answered. Opened per request: that
 * costs a millisecond and survives everything that may happen to the file. */
struct store_reader *request_open_history(struct request *request, enum MHD_Result *result);

bool request_is_logged_in(const struct request *request);
void request_address(const struct request *request, char address[LOGIN_ADDRESS_SIZE]);

/* For an answer without end: keeps the kernel from holding much of it back for a slow client. What
 * waits is old news, or better kept here. */
void request_limit_socket(const struct request *request);

/* Leaves an event about something that a person did. */
__attribute__((format(printf, 4, 5))) void request_leave_event(const struct request *request,
							       enum event_severity severity,
							       const char *kind, const char *format,
							       ...);

/* Answers. They take over what they are given. `error` is a sentence that tells the next step. */
enum MHD_Result reply_json(struct request *request, unsigned status, json_t *json);
enum MHD_Result reply_text(struct request *request, unsigned status, const char *type, char *text,
			   size_t size); /* malloc'ed */
__attribute__((format(printf, 3, 4))) enum MHD_Result reply_error(struct request *request,
								  unsigned status,
								  const char *format, ...);
enum MHD_Result reply_empty(struct request *request, const char *cookie); /* 204 */
enum MHD_Result reply_response(struct request *request, unsigned status,
			       struct MHD_Response *response);

/* Prints a value as the public sees it: 53.25, "charging", true, null. */
void print_json_value(FILE *out, enum unit unit, int32_t value);
void print_decimal(FILE *out, int32_t thousandths);

/* The handlers. */
handler_fn api_config;
handler_fn api_battery, api_pack, api_protocols, api_inverters, api_buses, api_health;
handler_fn api_history, api_events, api_reasons;
handler_fn api_session, api_login, api_logout, api_demo;
handler_fn api_metrics, api_stream, api_samples;
handler_fn api_update, api_update_begin, api_update_stop;
handler_fn serve_file;

/* The public id of the event with that number on the board. */
json_t *event_json(const struct web *web, uint64_t number, const struct event *event);

/* --- the event stream (stream.c) --- */

struct stream *stream_new(struct web *web);
void stream_tick(struct stream *stream, int64_t now_ms); /* once a second */
void stream_close(struct stream *stream); /* ends all streams; before the daemon stops */
void stream_free(struct stream *stream);
int stream_count(struct stream *stream);

/* --- the log of what comes in (samples.c) --- */

struct samples *samples_new(struct tape *tape);
void samples_tick(struct samples *samples);  /* once a second */
void samples_close(struct samples *samples); /* ends all recordings; before the daemon stops */
void samples_free(struct samples *samples);

/* --- connections that take too long (guard.c) --- */

struct guard *guard_new(int64_t request_ms); /* how long a request may take to come in */
void guard_free(struct guard *guard);
void guard_notify(void *guard, struct MHD_Connection *connection, void **context,
		  enum MHD_ConnectionNotificationCode what);
void guard_note_request(struct guard *guard, struct MHD_Connection *connection, bool complete);
void guard_tick(struct guard *guard, int64_t now_ms);

/* --- start (listen.c) --- */

/* Opens "address:port". The socket, or -errno / ERR_FORMAT with a sentence. */
int listen_open(const char *text, int *port, char *why, size_t why_size);
