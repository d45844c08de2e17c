// SPDX-License-Identifier: Apache-2.0
/* Who may change something: session, login, logout; and the one thing there is to change so far,
 * the demo's rack. Rules after OWASP's cheat sheets on sessions and authentication. */
#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "http.h"
#include "onepack/clock.h"
#include "onepack/err.h"

/* Argon2id with 19 MiB and two passes: what a small board can afford and OWASP asks at least. */
#define HASH_PASSES       2
#define HASH_BYTES        19922944
#define MIN_PASSWORD      8
#define MAX_PASSWORD      1000
#define MAX_COMMAND       200
#define DEMO_ANSWER_MS    1000
#define SESSION_COOKIE    "onepack_session=%s; HttpOnly; SameSite=Strict; Path=/"
#define SESSION_NO_COOKIE "onepack_session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0"

_Static_assert(WEB_HASH_SIZE >= crypto_pwhash_STRBYTES, "a hash must fit");

int web_hash_password(const char *password, char hash[WEB_HASH_SIZE])
{
	const size_t length = strlen(password);

	if (length < MIN_PASSWORD || length > MAX_PASSWORD)
		return ERR_RANGE;
	if (sodium_init() < 0 ||
	    crypto_pwhash_str(hash, password, length, HASH_PASSES, HASH_BYTES) != 0)
		return -ENOMEM;
	return 0;
}

enum MHD_Result api_session(struct request *request)
{
	const struct web_config *config = &request->web->config;

	return reply_json(request, MHD_HTTP_OK,
			  json_pack("{s:b, s:b, s:b, s:s, s:s}", "authenticated",
				    request_is_logged_in(request), "login_configured",
				    config->password_hash[0] != '\0', "demo",
				    config->demo_control[0] != '\0', "version", ONEPACK_VERSION,
				    "gateway", config->gateway));
}

/* The text of one key of the body, which must be a JSON object; NULL otherwise. The caller frees
 * `body`. */
static const char *body_text(struct request *request, const char *key, json_t **body)
{
	*body = json_loadb(request->body, request->body_size, 0, NULL);
	return json_string_value(json_object_get(*body, key));
}

static enum MHD_Result judge_password(struct request *request, const char *password)
{
	struct web *web = request->web;
	char address[LOGIN_ADDRESS_SIZE], token[SESSION_TOKEN_SIZE], cookie[160];
	int64_t wait_ms;

	request_address(request, address);
	wait_ms = login_wait_ms(&web->logins, address, clock_monotonic_ms());
	if (wait_ms > 0)
		return reply_error(request, MHD_HTTP_TOO_MANY_REQUESTS,
				   "Too many wrong passwords. Wait %d s and try again.",
				   (int)(wait_ms / 1000) + 1);
	const bool right = crypto_pwhash_str_verify(web->config.password_hash, password,
						    strlen(password)) == 0;
	login_note(&web->logins, address, right, clock_monotonic_ms());
	if (!right) {
		request_leave_event(request, EVENT_WARNING, "login_failed",
				    "Somebody at %s tried a wrong password", address);
		return reply_error(request, MHD_HTTP_UNAUTHORIZED,
				   "The password is wrong. Try again.");
	}
	session_start(&web->sessions, clock_monotonic_ms(), token);
	request_leave_event(request, EVENT_INFO, "login", "Login from %s", address);
	snprintf(cookie, sizeof cookie, SESSION_COOKIE, token);
	return reply_empty(request, cookie);
}

enum MHD_Result api_login(struct request *request)
{
	enum MHD_Result result;
	const char *password;
	json_t *body;

	if (!request->web->config.password_hash[0])
		return reply_error(
			request, MHD_HTTP_FORBIDDEN,
			"No password is set. Make one with 'onepack password' and set it "
			"as web.password_hash in the configuration.");
	password = body_text(request, "password", &body);
	if (!password || strlen(password) > MAX_PASSWORD)
		result =
			reply_error(request, MHD_HTTP_BAD_REQUEST, "Send {\"password\": \"...\"}.");
	else
		result = judge_password(request, password);
	json_decref(body);
	sodium_memzero(request->body, sizeof request->body);
	return result;
}

enum MHD_Result api_logout(struct request *request)
{
	session_end(&request->web->sessions,
		    MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND,
						"onepack_session"));
	return reply_empty(request, SESSION_NO_COOKIE);
}

/* --- the demo --- */

/* Asks the simulator. Length of the answer, or -errno. Our own address is one that the kernel makes
 * up, so there is nothing to clean up. */
static ssize_t ask_simulator(const char *path, const char *command, char *answer, size_t size)
{
	struct sockaddr_un own = {.sun_family = AF_UNIX}, simulator = {.sun_family = AF_UNIX};
	struct pollfd waiting = {.events = POLLIN};
	ssize_t count = -ETIMEDOUT;

	if (strlen(path) >= sizeof simulator.sun_path)
		return -ENAMETOOLONG;
	memcpy(simulator.sun_path, path, strlen(path) + 1);
	waiting.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (waiting.fd < 0)
		return -errno;
	if (bind(waiting.fd, (struct sockaddr *)&own, sizeof own.sun_family) < 0 ||
	    connect(waiting.fd, (struct sockaddr *)&simulator, sizeof simulator) < 0 ||
	    send(waiting.fd, command, strlen(command), 0) < 0)
		count = -errno;
	else if (poll(&waiting, 1, DEMO_ANSWER_MS) > 0) {
		count = recv(waiting.fd, answer, size - 1, 0);
		if (count < 0)
			count = -errno;
	}
	close(waiting.fd);
	if (count >= 0)
		answer[count] = '\0';
	return count;
}

static bool is_command(const char *text)
{
	const size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return length > 0 && length <= MAX_COMMAND;
}

static enum MHD_Result send_command(struct request *request, const char *command)
{
	char answer[256], address[LOGIN_ADDRESS_SIZE];
	const ssize_t count =
		ask_simulator(request->web->config.demo_control, command, answer, sizeof answer);

	if (count < 0)
		return reply_error(request, MHD_HTTP_BAD_GATEWAY,
				   "The simulator does not answer (%s). Is the demo running?",
				   strerror((int)-count));
	answer[strcspn(answer, "\n")] = '\0';
	if (strncmp(answer, "ok", 2) != 0)
		return reply_error(request, MHD_HTTP_BAD_GATEWAY, "%s", answer);
	request_address(request, address);
	request_leave_event(request, EVENT_INFO, "demo_command", "Demo: %.80s (from %s)", command,
			    address);
	return reply_empty(request, NULL);
}

enum MHD_Result api_demo(struct request *request)
{
	enum MHD_Result result;
	const char *command;
	json_t *body;

	if (!request->web->config.demo_control[0])
		return reply_error(request, MHD_HTTP_NOT_FOUND,
				   "This gateway has real packs. Start ./dev demo for simulated "
				   "ones.");
	command = body_text(request, "command", &body);
	if (!command || !is_command(command))
		result = reply_error(request, MHD_HTTP_BAD_REQUEST,
				     "Send {\"command\": \"unplug 3\"}.");
	else
		result = send_command(request, command);
	json_decref(body);
	return result;
}
