// SPDX-License-Identifier: Apache-2.0
/* The update routes: who may upload what, and the words of every refusal. That an update works is
 * tests/system/test_update.py's business. */
#include "site.h"

#include "onepack/rack.h"

static char cookie[200];
static struct rack *rack;

static void log_in(void)
{
	const char *set;

	assert_int_equal(post("/api/v1/login", "", "{\"password\": \"" PASSWORD "\"}"), 204);
	set = strstr(answer.head, "Set-Cookie: ");
	assert_non_null(set);
	snprintf(cookie, sizeof cookie, "Cookie: %.*s\r\n", (int)strcspn(set + 12, ";"), set + 12);
}

/* A rack whose only port is not there. */
static void start_with_rack(void)
{
	struct rack_bus_config bus = {.name = "rack"};
	char why[200] = "";

	snprintf(bus.port, sizeof bus.port, "%.40s/no-tty", site.folder);
	if (rack_start(&bus, 1, -1, &rack, why, sizeof why) < 0)
		fail_msg("%s", why);
	site.config.rack = rack;
	site_start();
	log_in();
}

static int stop_rack(void **state)
{
	web_stop(site.web);
	site.web = NULL;
	rack_stop(rack);
	rack = NULL;
	return tear_down(state);
}

static int upload(const char *path, const char *more, size_t size)
{
	static char block[65536];
	char head[700];
	const int fd = client_connect();

	memset(block, 'x', sizeof block - 1);
	snprintf(head, sizeof head,
		 "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX-OnePack: 1\r\n"
		 "Content-Type: application/octet-stream\r\nContent-Length: %zu\r\n%s\r\n",
		 path, size, more);
	client_send(fd, head);
	for (size_t sent = 0; sent < size; sent += strlen(block)) {
		block[size - sent < sizeof block - 1 ? size - sent : sizeof block - 1] = '\0';
		client_send(fd, block);
	}
	return client_finish(fd);
}

static void assert_says(const char *words)
{
	if (!strstr(answer.body, words))
		fail_msg("'%s' is not in: %s", words, answer.body);
}

static void what_is_told_without_an_update(void **state)
{
	json_t *json;

	(void)state;
	site_start();
	assert_int_equal(get("/api/v1/update"), 200);
	json = body_json();
	assert_string_equal(json_string_value(json_object_get(json, "state")), "none");
	assert_true(json_is_null(json_object_get(json, "version")));
	assert_int_equal(json_array_size(json_object_get(json, "packs")), 0);
	json_decref(json);
	/* a replayed log has no packs */
	log_in();
	upload("/api/v1/update", cookie, 100);
	assert_refused(404);
	post("/api/v1/update/stop", cookie, "{}");
	assert_refused(404);
}

static void who_may_not(void **state)
{
	(void)state;
	start_with_rack();
	upload("/api/v1/update", "", 100);
	assert_refused(401);
	post("/api/v1/update/stop", "", "{}");
	assert_refused(401);
	assert_int_equal(ask("POST", "/api/v1/update", cookie, ""), 403); /* no X-OnePack */
	upload("/api/v1/update", "Origin: http://evil.example\r\n", 100);
	assert_refused(403);
	assert_int_equal(ask("DELETE", "/api/v1/update", cookie, ""), 405);
}

static void what_is_refused(void **state)
{
	(void)state;
	start_with_rack();
	upload("/api/v1/update?packs=0", cookie, 100);
	assert_refused(400);
	for (const char *const *packs =
		     (const char *const[]){"17", "3-2", "1-", "x", "1,,2", "", "1-99", NULL};
	     *packs; packs++) {
		char path[64];

		snprintf(path, sizeof path, "/api/v1/update?packs=%s", *packs);
		upload(path, cookie, 100);
		assert_refused(400);
		assert_says("numbers from 1 to 16");
	}
	upload("/api/v1/update?packs=1-3,5", cookie, 100);
	assert_refused(400);
	assert_says("no key of the maker");
	upload("/api/v1/update", cookie, 0);
	assert_refused(400);
	upload("/api/v1/update", cookie, 1 << 20); /* arrives whole */
	assert_refused(400);
	upload("/api/v1/update", cookie, (2 << 20) + 1);
	assert_refused(413);
	assert_says("2 MiB");
	assert_int_equal(post("/api/v1/update/stop", cookie, "{}"), 204);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_told_without_an_update, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_may_not, set_up, stop_rack),
		cmocka_unit_test_setup_teardown(what_is_refused, set_up, stop_rack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
