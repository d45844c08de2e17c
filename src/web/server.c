// SPDX-License-Identifier: Apache-2.0
/* The server: the table of routes, what is refused before a handler sees it, start and stop. One
 * thread of libmicrohttpd serves all connections; a ticker thread feeds the event
 * stream, ends requests that take for ever and watches the age of the snapshot. */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "http.h"
#include "onepack/clock.h"
#include "onepack/err.h"

#define CONNECTION_MEMORY 16384
#define TICK_S            1

static const char too_large_upload[] = "A release may have at most 2 MiB.";
static const char too_large[] = "The body may have at most 4096 bytes. Send less.";

static const struct route routes[] = {
	{"GET", "/api/v1/battery", api_battery, false, 0},
	{"GET", "/api/v1/packs/#", api_pack, false, 0},
	{"GET", "/api/v1/protocols", api_protocols, false, 0},
	{"GET", "/api/v1/history", api_history, false, 0},
	{"GET", "/api/v1/events", api_events, false, 0},
	{"GET", "/api/v1/reasons", api_reasons, false, 0},
	{"GET", "/api/v1/config", api_config, false, 0},
	{"GET", "/api/v1/inverters", api_inverters, false, 0},
	{"GET", "/api/v1/buses", api_buses, false, 0},
	{"GET", "/api/v1/stream", api_stream, false, 0},
	{"GET", "/api/v1/samples", api_samples, false, 0},
	{"GET", "/api/v1/session", api_session, false, 0},
	{"POST", "/api/v1/login", api_login, false, 0},
	{"POST", "/api/v1/logout", api_logout, false, 0},
	{"POST", "/api/v1/demo", api_demo, true, 0},
	{"GET", "/api/v1/update", api_update, false, 0},
	{"POST", "/api/v1/update", api_update_begin, true, WEB_MAX_RELEASE},
	{"POST", "/api/v1/update/stop", api_update_stop, true, 0},
	{"GET", "/metrics", api_metrics, false, 0},
	{"GET", "/healthz", api_health, false, 0},
};

/* Everything else outside /api/ is a file. */
static const struct route file_route = {"GET", "", serve_file, false, 0};

/* --- finding the route --- */

static bool route_matches(const struct route *route, const char *path, int *number)
{
	const size_t length = strlen(route->path);
	int64_t value;

	if (route->path[length - 1] != '#')
		return strcmp(route->path, path) == 0;
	if (strncmp(route->path, path, length - 1) != 0 ||
	    !check_number(path + length - 1, 0, INT32_MAX, &value))
		return false;
	*number = (int)value;
	return true;
}

static bool method_fits(const struct request *request, const struct route *route)
{
	if (strcmp(route->method, "GET") == 0 && strcmp(request->method, "HEAD") == 0)
		return true;
	return strcmp(route->method, request->method) == 0;
}

/* One path may have several methods; without the right one, the first is told. */
static const struct route *find_route(struct request *request)
{
	const struct route *found = NULL;

	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
		if ((!found || method_fits(request, &routes[i])) &&
		    route_matches(&routes[i], request->path, &request->number))
			found = &routes[i];
	if (found)
		return found;
	return strncmp(request->path, "/api/", 5) == 0 ? NULL : &file_route;
}

/* --- refusing --- */

/* Status 0 = not refused. */
struct refusal {
	unsigned status;
	const char *sentence;
};

/* A POST must come from our own page: a foreign one cannot add the header, nor send JSON, without
 * asking first, and nobody answers it. */
static struct refusal refuse_post(const struct request *request)
{
	const char *mark = request_header(request, "X-OnePack");
	const char *origin = request_header(request, "Origin");
	const char *length = request_header(request, "Content-Length");
	const size_t max_upload = request->route->max_upload;
	int64_t bytes;

	if (!mark || strcmp(mark, "1") != 0)
		return (struct refusal){MHD_HTTP_FORBIDDEN,
					"Add the header 'X-OnePack: 1' to requests "
					"that change something."};
	if (origin && !check_origin(origin, request_header(request, "Host")))
		return (struct refusal){MHD_HTTP_FORBIDDEN, "This request comes from another site. "
							    "Open the gateway's own page."};
	if (max_upload == 0 && !check_is_json(request_header(request, "Content-Type")))
		return (struct refusal){
			MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
			"Send a JSON object with 'Content-Type: application/json'."};
	if (length &&
	    !check_number(length, 0, max_upload ? (int64_t)max_upload : WEB_MAX_BODY, &bytes))
		return (struct refusal){MHD_HTTP_CONTENT_TOO_LARGE,
					max_upload ? too_large_upload : too_large};
	return (struct refusal){0, NULL};
}

static struct refusal refuse(const struct request *request)
{
	struct refusal refusal = {0, NULL};

	if (request->url_too_long)
		return (struct refusal){
			MHD_HTTP_URI_TOO_LONG,
			"The URL may have at most 2048 characters. Ask for less at a time."};
	if (!check_host(request_header(request, "Host"), request->web->host_names))
		return (struct refusal){
			MHD_HTTP_MISDIRECTED_REQUEST,
			"This gateway does not know itself by that name. Use its IP address, or add "
			"the name to web.host_names in its configuration."};
	if (!request->route)
		return (struct refusal){
			MHD_HTTP_NOT_FOUND,
			"There is nothing at this address. docs/api.md lists what there is."};
	if (!method_fits(request, request->route))
		return (struct refusal){
			MHD_HTTP_METHOD_NOT_ALLOWED,
			"This address is used in another way; see the Allow header."};
	if (strcmp(request->route->method, "POST") == 0)
		refusal = refuse_post(request);
	if (!refusal.status && request->route->needs_login && !request_is_logged_in(request))
		return (struct refusal){MHD_HTTP_UNAUTHORIZED, "Please log in first."};
	return refusal;
}

/* --- one request --- */

/* The first thing that libmicrohttpd tells of a request; the answer becomes its context. */
static void *begin_request(void *arg, const char *url, struct MHD_Connection *connection)
{
	struct request *request = calloc(1, sizeof *request);

	if (request) {
		request->web = arg;
		request->connection = connection;
		request->url_too_long = strlen(url) > WEB_MAX_URL;
	}
	return request;
}

static void end_request(void *arg, struct MHD_Connection *connection, void **context,
			enum MHD_RequestTerminationCode why)
{
	struct web *web = arg;

	(void)why;
	if (*context)
		free(((struct request *)*context)->upload);
	free(*context);
	*context = NULL;
	guard_note_request(web->guard, connection, false);
}

static enum MHD_Result first_look(struct request *request, const char *method, const char *path)
{
	request->is_known = true;
	request->method = method;
	request->path = path;
	request->route = find_route(request);
	const struct refusal refusal = refuse(request);
	if (!refusal.status)
		return MHD_YES;
	guard_note_request(request->web->guard, request->connection, true);
	return reply_error(request, refusal.status, "%s", refusal.sentence);
}

/* Grows by doubling. False when there is no memory. */
static bool keep_upload(struct request *request, const char *bytes, size_t count)
{
	if (request->body_size + count > request->upload_room) {
		const size_t room = 2 * (request->body_size + count);
		uint8_t *upload = realloc(request->upload, room);

		if (!upload)
			return false;
		request->upload = upload;
		request->upload_room = room;
	}
	memcpy(request->upload + request->body_size, bytes, count);
	return true;
}

static bool keep_body(struct request *request, const char *bytes, size_t count)
{
	const size_t upload = request->route->max_upload;

	if (upload && request->body_size + count <= upload && !keep_upload(request, bytes, count))
		return false;
	if (!upload && request->body_size + count <= WEB_MAX_BODY)
		memcpy(request->body + request->body_size, bytes, count);
	request->body_size += count;
	return true;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *path,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **context)
{
	struct request *request = *context;
	struct web *web = arg;

	(void)version;
	if (!request)
		return MHD_NO;
	if (!request->is_known)
		return first_look(request, method, path);
	if (!request->route) /* was answered already */
		return MHD_NO;

	const size_t max = request->route->max_upload ? request->route->max_upload : WEB_MAX_BODY;

	if (*upload_size > 0) {
		const bool kept = keep_body(request, upload, *upload_size);

		*upload_size = 0;
		return kept && request->body_size <= max + 15 * (size_t)WEB_MAX_BODY ? MHD_YES
										     : MHD_NO;
	}
	guard_note_request(web->guard, connection, true);
	if (request->body_size > max)
		return reply_error(request, MHD_HTTP_CONTENT_TOO_LARGE, "%s",
				   request->route->max_upload ? too_large_upload : too_large);
	return request->route->handler(request);
}

/* --- the ticker --- */

static void watch_snapshot(struct web *web, uint64_t *seen, int64_t now_ms)
{
	const uint64_t number = board_wait(web->board, *seen, 0);

	if (number != *seen)
		web->snapshot_ms = now_ms;
	*seen = number;
}

static bool pause_a_tick(struct web *web)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += TICK_S;
	pthread_mutex_lock(&web->lock);
	while (!web->stopping &&
	       pthread_cond_timedwait(&web->stop_news, &web->lock, &until) != ETIMEDOUT)
		;
	const bool stopping = web->stopping;
	pthread_mutex_unlock(&web->lock);
	return stopping;
}

static void *tick(void *arg)
{
	struct web *web = arg;
	uint64_t seen = 0;

	pthread_setname_np(pthread_self(), "web-ticker");
	do {
		const int64_t now_ms = clock_monotonic_ms();

		watch_snapshot(web, &seen, now_ms);
		stream_tick(web->stream, now_ms);
		samples_tick(web->samples);
		guard_tick(web->guard, now_ms);
	} while (!pause_a_tick(web));
	return NULL;
}

/* --- start and stop --- */

static void collect_names(struct web *web)
{
	char host[WEB_TEXT_SIZE / 2] = "";
	const char *gateway = web->config.gateway[0] ? web->config.gateway : "localhost";

	if (gethostname(host, sizeof host - 1) < 0 || !host[0])
		snprintf(host, sizeof host, "localhost");
	snprintf(web->host_names, sizeof web->host_names, "localhost %s %s.local %s %s.local %s",
		 host, host, gateway, gateway, web->config.host_names);
}

/* poll, not epoll: libmicrohttpd 0.9.75 with edge-triggered epoll overlooks the end of a connection
 * that comes together with its last bytes, and keeps the place until the time-out. */
static struct MHD_Daemon *start_daemon(struct web *web, int socket)
{
	return MHD_start_daemon(
		MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, web,
		MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)WEB_MAX_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		(unsigned)WEB_MAX_PER_ADDRESS, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)web->config.timeout_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_URI_LOG_CALLBACK, begin_request, web,
		MHD_OPTION_NOTIFY_COMPLETED, end_request, web, MHD_OPTION_NOTIFY_CONNECTION,
		guard_notify, web->guard, MHD_OPTION_END);
}

static int start_parts(struct web *web, char *why, size_t why_size)
{
	int socket;

	web->guard = guard_new(web->config.timeout_s * 4000LL / 3);
	web->stream = stream_new(web);
	web->samples = samples_new(board_tape(web->board));
	if (!web->guard || !web->stream || !web->samples || sodium_init() < 0) {
		snprintf(why, why_size, "no memory for the web server");
		return -ENOMEM;
	}
	socket = listen_open(web->config.listen, &web->port, why, why_size);
	if (socket < 0)
		return socket;
	web->daemon = start_daemon(web, socket);
	if (!web->daemon) {
		close(socket);
		snprintf(why, why_size, "libmicrohttpd does not start on %s", web->config.listen);
		return -EIO;
	}
	if (pthread_create(&web->ticker, NULL, tick, web) != 0) {
		snprintf(why, why_size, "no thread for the web server");
		return -EAGAIN;
	}
	web->ticking = true;
	return 0;
}

static void init_lock(struct web *web)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&web->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&web->stop_news, &attributes);
	pthread_condattr_destroy(&attributes);
}

int web_start(const struct web_config *config, struct board *board, struct store *store,
	      struct web **out, char *why, size_t why_size)
{
	struct web *web = calloc(1, sizeof *web);
	int result;

	if (!web) {
		snprintf(why, why_size, "no memory for the web server");
		return -ENOMEM;
	}
	web->config = *config;
	if (web->config.timeout_s <= 0)
		web->config.timeout_s = WEB_TIMEOUT_S;
	web->board = board;
	web->store = store;
	init_lock(web);
	collect_names(web);
	result = start_parts(web, why, why_size);
	if (result < 0) {
		web_stop(web);
		return result;
	}
	*out = web;
	return 0;
}

void web_stop(struct web *web)
{
	if (!web)
		return;
	pthread_mutex_lock(&web->lock);
	web->stopping = true;
	pthread_cond_signal(&web->stop_news);
	pthread_mutex_unlock(&web->lock);
	if (web->ticking)
		pthread_join(web->ticker, NULL);
	if (web->stream)
		stream_close(web->stream);
	if (web->samples)
		samples_close(web->samples);
	if (web->daemon)
		MHD_stop_daemon(web->daemon);
	stream_free(web->stream);
	samples_free(web->samples);
	guard_free(web->guard);
	pthread_cond_destroy(&web->stop_news);
	pthread_mutex_destroy(&web->lock);
	free(web);
}

int web_port(const struct web *web)
{
	return web->port;
}
