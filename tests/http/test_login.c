// SPDX-License-Identifier: Apache-2.0
/* Login, sessions, the demo's commands, and what keeps strangers' pages out. */
#include "site.h"

#include <pthread.h>
#include <sys/un.h>

static char cookie[200];

/* Logs in and keeps the cookie as a header line. */
static void log_in(void)
{
	char *found;

	assert_int_equal(post("/api/v1/login", "", "{\"password\": \"" PASSWORD "\"}"), 204);
	found = strstr(answer.head, "Set-Cookie: ");
	assert_non_null(found);
	snprintf(cookie, sizeof cookie, "Cookie: %.*s\r\n", (int)strcspn(found + 12, ";"),
		 found + 12);
}

static bool is_authenticated(void)
{
	assert_int_equal(ask("GET", "/api/v1/session", cookie, ""), 200);
	json_t *json = body_json();
	const bool result = json_is_true(json_object_get(json, "authenticated"));
	json_decref(json);
	return result;
}

static const char *newest_event_kind(void)
{
	static struct event event;
	uint64_t last = 0;

	while (board_events(site.board, last, &event, 1, &last) > 0)
		;
	return event.kind;
}

static void login_gives_a_session_and_logout_ends_it(void **state)
{
	(void)state;
	site_start();
	cookie[0] = '\0';
	assert_false(is_authenticated());
	assert_non_null(strstr(answer.body, "\"login_configured\":true"));
	assert_non_null(strstr(answer.body, "\"demo\":false"));
	assert_non_null(strstr(answer.body, "\"gateway\":\"shed\""));
	assert_non_null(strstr(answer.body, "\"version\":\"" ONEPACK_VERSION "\""));
	log_in();
	assert_true(has_header("HttpOnly"));
	assert_true(has_header("SameSite=Strict"));
	assert_string_equal(newest_event_kind(), "login");
	assert_true(is_authenticated());
	assert_int_equal(post("/api/v1/logout", cookie, "{}"), 204);
	assert_true(has_header("Max-Age=0"));
	assert_false(is_authenticated());
}

static void wrong_passwords_slow_down(void **state)
{
	(void)state;
	site_start();
	for (int i = 0; i < 3; i++) {
		post("/api/v1/login", "", "{\"password\": \"wrong horse\"}");
		assert_refused(401);
	}
	assert_string_equal(newest_event_kind(), "login_failed");
	post("/api/v1/login", "", "{\"password\": \"" PASSWORD "\"}");
	assert_refused(429);
	sleep_ms(1100);
	assert_int_equal(post("/api/v1/login", "", "{\"password\": \"" PASSWORD "\"}"), 204);
}

static void without_a_password_nobody_logs_in(void **state)
{
	(void)state;
	site.config.password_hash[0] = '\0';
	site_start();
	post("/api/v1/login", "", "{\"password\": \"\"}");
	assert_refused(403);
}

static void nonsense_is_no_password(void **state)
{
	static const char *const bodies[] = {
		"", "{}", "[]", "null", "{\"password\": 7}", "{\"password\": \"x\"", "\xff\xfe",
	};

	(void)state;
	site_start();
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		post("/api/v1/login", "", bodies[i]);
		assert_refused(400);
	}
}

static void foreign_pages_stay_out(void **state)
{
	static const struct {
		const char *headers;
		int status;
	} table[] = {
		{"Content-Type: application/json\r\n", 403},
		{"X-OnePack: 2\r\nContent-Type: application/json\r\n", 403},
		{"X-OnePack: 1\r\n", 415},
		{"X-OnePack: 1\r\nContent-Type: text/plain\r\n", 415},
		{"X-OnePack: 1\r\nContent-Type: application/json\r\n"
		 "Origin: http://evil.example\r\n",
		 403},
		{"X-OnePack: 1\r\nContent-Type: application/json\r\nOrigin: null\r\n", 403},
		{"X-OnePack: 1\r\nContent-Type: application/json\r\nOrigin: http://127.0.0.1\r\n",
		 204},
	};
	static const char body[] = "{\"password\": \"" PASSWORD "\"}";
	char headers[300];

	(void)state;
	site_start();
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		snprintf(headers, sizeof headers, "Content-Length: %d\r\n%s", (int)strlen(body),
			 table[i].headers);
		assert_int_equal(ask("POST", "/api/v1/login", headers, body), table[i].status);
		if (table[i].status != 204)
			assert_refused(table[i].status);
	}
}

static int get_as(const char *host)
{
	char text[200];
	const int fd = client_connect();

	snprintf(text, sizeof text,
		 "GET /api/v1/battery HTTP/1.1\r\nHost: %s\r\n"
		 "Connection: close\r\n\r\n",
		 host);
	client_send(fd, text);
	return client_finish(fd);
}

static void a_rebound_name_is_refused(void **state)
{
	(void)state;
	strcpy(site.config.host_names, "battery.example");
	site_start();
	assert_int_equal(get_as("localhost"), 200);
	assert_int_equal(get_as("192.0.2.1:8080"), 200);
	assert_int_equal(get_as("shed.local"), 200);
	assert_int_equal(get_as("battery.example"), 200);
	get_as("evil.example");
	assert_refused(421);
}

/* --- the demo --- */

struct simulator {
	int fd;
	const char *answer; /* NULL = silence */
	char heard[300];
	pthread_t thread;
};

static void *simulate(void *arg)
{
	struct simulator *simulator = arg;
	struct sockaddr_un from;
	socklen_t size = sizeof from;
	const ssize_t count = recvfrom(simulator->fd, simulator->heard, sizeof simulator->heard - 1,
				       0, (struct sockaddr *)&from, &size);

	if (count > 0 && simulator->answer)
		sendto(simulator->fd, simulator->answer, strlen(simulator->answer), 0,
		       (struct sockaddr *)&from, size);
	return NULL;
}

static void simulator_start(struct simulator *simulator, const char *text)
{
	struct sockaddr_un own = {.sun_family = AF_UNIX};

	*simulator = (struct simulator){.answer = text};
	snprintf(own.sun_path, sizeof own.sun_path, "%s/control", site.folder);
	unlink(own.sun_path);
	simulator->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(simulator->fd, (struct sockaddr *)&own, sizeof own), 0);
	assert_int_equal(pthread_create(&simulator->thread, NULL, simulate, simulator), 0);
}

static void simulator_stop(struct simulator *simulator)
{
	pthread_join(simulator->thread, NULL);
	close(simulator->fd);
}

static void demo_commands_reach_the_simulator(void **state)
{
	struct simulator simulator;

	(void)state;
	snprintf(site.config.demo_control, sizeof site.config.demo_control, "%s/control",
		 site.folder);
	site_start();
	post("/api/v1/demo", "", "{\"command\": \"unplug 3\"}");
	assert_refused(401);
	log_in();
	post("/api/v1/demo", cookie, "{\"command\": \"unplug 3\"}");
	assert_refused(502); /* nobody there */

	simulator_start(&simulator, "ok\n");
	assert_int_equal(post("/api/v1/demo", cookie, "{\"command\": \"unplug 3\"}"), 204);
	simulator_stop(&simulator);
	assert_string_equal(simulator.heard, "unplug 3");
	assert_string_equal(newest_event_kind(), "demo_command");

	simulator_start(&simulator, "error: there is no pack 99\n");
	post("/api/v1/demo", cookie, "{\"command\": \"unplug 99\"}");
	assert_refused(502);
	assert_non_null(strstr(answer.body, "there is no pack 99"));
	simulator_stop(&simulator);

	simulator_start(&simulator, NULL);
	post("/api/v1/demo", cookie, "{\"command\": \"unplug 3\"}");
	assert_refused(502);
	simulator_stop(&simulator);

	post("/api/v1/demo", cookie, "{\"command\": \"unplug 3\\nplug 3\"}");
	assert_refused(400);
}

static void without_a_demo_there_is_nothing_to_command(void **state)
{
	(void)state;
	site_start();
	log_in();
	post("/api/v1/demo", cookie, "{\"command\": \"unplug 3\"}");
	assert_refused(404);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SERVED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		SERVED(login_gives_a_session_and_logout_ends_it),
		SERVED(wrong_passwords_slow_down),
		SERVED(without_a_password_nobody_logs_in),
		SERVED(nonsense_is_no_password),
		SERVED(foreign_pages_stay_out),
		SERVED(a_rebound_name_is_refused),
		SERVED(demo_commands_reach_the_simulator),
		SERVED(without_a_demo_there_is_nothing_to_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
