// SPDX-License-Identifier: Apache-2.0
/* Answers and what handlers ask about a request. Every answer carries the same security headers. */
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "check.h"
#include "http.h"
#include "onepack/clock.h"
#include "onepack/json.h"

#define SOCKET_BUFFER 32768

static const char *const headers[][2] = {
	{"Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
				    "form-action 'self'; object-src 'none'"},
	{"X-Frame-Options", "DENY"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
};

const char *request_header(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *request_argument(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

bool request_number(const struct request *request, const char *name, int64_t lowest,
		    int64_t highest, int64_t *value)
{
	const char *text = request_argument(request, name);

	return !text || check_number(text, lowest, highest, value);
}

struct store_reader *request_open_history(struct request *request, enum MHD_Result *result)
{
	struct store_reader *reader = NULL;
	char why[STORE_DETAIL_SIZE];

	if (!request->web->config.store_path[0])
		*result = reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
				      "This gateway keeps no history. Set store.path in its "
				      "configuration.");
	else if (store_reader_open(request->web->config.store_path, &reader, why, sizeof why) < 0)
		*result = reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
				      "The history cannot be read: %s", why);
	return reader;
}

bool request_is_logged_in(const struct request *request)
{
	const char *token = MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND,
							"onepack_session");

	return session_check(&request->web->sessions, token, clock_monotonic_ms());
}

void request_address(const struct request *request, char address[LOGIN_ADDRESS_SIZE])
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	socklen_t size = sizeof(struct sockaddr_in);

	if (info && info->client_addr->sa_family == AF_INET6)
		size = sizeof(struct sockaddr_in6);
	if (!info || getnameinfo(info->client_addr, size, address, LOGIN_ADDRESS_SIZE, NULL, 0,
				 NI_NUMERICHOST) != 0)
		snprintf(address, LOGIN_ADDRESS_SIZE, "an unknown address");
}

void request_limit_socket(const struct request *request)
{
	const int size = SOCKET_BUFFER;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (info)
		setsockopt(info->connect_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

void request_leave_event(const struct request *request, enum event_severity severity,
			 const char *kind, const char *format, ...)
{
	struct event event = {.time_ms = clock_wall_ms(), .severity = severity};
	va_list args;

	event.pack = FIELD_UNKNOWN;
	snprintf(event.kind, sizeof event.kind, "%s", kind);
	va_start(args, format);
	vsnprintf(event.text, sizeof event.text, format, args);
	va_end(args);
	board_post_event(request->web->board, &event);
}

enum MHD_Result reply_response(struct request *request, unsigned status,
			       struct MHD_Response *response)
{
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
		MHD_add_response_header(response, headers[i][0], headers[i][1]);
	result = MHD_queue_response(request->connection, status, response);
	MHD_destroy_response(response);
	return result;
}

enum MHD_Result reply_text(struct request *request, unsigned status, const char *type, char *text,
			   size_t size)
{
	struct MHD_Response *response;

	if (!text)
		return MHD_NO;
	response = MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", type);
	MHD_add_response_header(response, "Cache-Control", "no-store");
	return reply_response(request, status, response);
}

enum MHD_Result reply_json(struct request *request, unsigned status, json_t *json)
{
	char *text = json ? json_dumps(json, ONEPACK_JSON_FLAGS) : NULL;

	json_decref(json);
	return reply_text(request, status, "application/json", text, text ? strlen(text) : 0);
}

/* A refusal that asks for more than words. */
static void add_hints(struct MHD_Response *response, const struct request *request, unsigned status)
{
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED && request->route)
		MHD_add_response_header(response, "Allow",
					strcmp(request->route->method, "GET") == 0
						? "GET, HEAD"
						: request->route->method);
}

enum MHD_Result reply_error(struct request *request, unsigned status, const char *format, ...)
{
	struct MHD_Response *response;
	char sentence[300];
	json_t *json;
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof sentence, format, args);
	va_end(args);
	json = json_pack("{s:s}", "error", sentence);
	if (!json) /* what the client sent was no UTF-8 */
		json = json_pack("{s:s}", "error", "The request is not valid text.");
	char *text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (!text)
		return MHD_NO;
	response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", "application/json");
	MHD_add_response_header(response, "Cache-Control", "no-store");
	add_hints(response, request, status);
	return reply_response(request, status, response);
}

enum MHD_Result reply_empty(struct request *request, const char *cookie)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

	if (response && cookie)
		MHD_add_response_header(response, "Set-Cookie", cookie);
	return reply_response(request, MHD_HTTP_NO_CONTENT, response);
}

void print_decimal(FILE *out, int32_t thousandths)
{
	const int64_t size = thousandths < 0 ? -(int64_t)thousandths : thousandths;

	fprintf(out, "%s%d.%03d", thousandths < 0 ? "-" : "", (int)(size / 1000),
		(int)(size % 1000));
}

void print_json_value(FILE *out, enum unit unit, int32_t value)
{
	const char *word = unit_word(unit, value);

	if (value == FIELD_UNKNOWN)
		fputs("null", out);
	else if (unit_is_thousandths(unit))
		print_decimal(out, value);
	else if (unit == UNIT_FLAG)
		fputs(value ? "true" : "false", out);
	else if (word)
		fprintf(out, "\"%s\"", word);
	else
		fprintf(out, "%d", (int)value);
}
