// SPDX-License-Identifier: Apache-2.0
/* Server-sent events: what arrives, how often, and that listeners that do not listen cost nothing.
 */
#include "site.h"

#include <sys/resource.h>

/* Opens a stream; the first bytes have come when it returns. */
static int listen_in(void)
{
	const int fd = client_connect();

	client_send(fd, "GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
	return fd;
}

static char heard[2000000];

/* Appends what comes within the time. */
static void hear_for(int fd, int64_t ms)
{
	const int64_t end_ms = clock_monotonic_ms() + ms;
	const struct timeval patience = {.tv_usec = 20000};
	size_t used = strlen(heard);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	while (clock_monotonic_ms() < end_ms) {
		const ssize_t count = recv(fd, heard + used, sizeof heard - 1 - used, 0);

		if (count > 0)
			used += (size_t)count;
		heard[used] = '\0';
	}
}

static void hear_until(int fd, const char *text, int64_t ms)
{
	const int64_t end_ms = clock_monotonic_ms() + ms;

	while (!strstr(heard, text)) {
		hear_for(fd, 20);
		if (clock_monotonic_ms() > end_ms)
			fail_msg("no %s in\n%.3000s", text, heard);
	}
}

static int count_of(const char *text)
{
	int count = 0;

	for (const char *at = strstr(heard, text); at; at = strstr(at + 1, text))
		count++;
	return count;
}

static void a_listener_gets_battery_inverters_and_events(void **state)
{
	(void)state;
	heard[0] = '\0';
	publish_rack(53250);
	site_start();
	const int fd = listen_in();
	hear_until(fd, "event: battery\ndata: {", 2000);
	assert_non_null(strstr(heard, "200 OK"));
	assert_non_null(strstr(heard, "Content-Type: text/event-stream"));
	assert_non_null(strstr(heard, "retry: "));
	assert_non_null(strstr(heard, "\"voltage_v\":53.25,"));
	hear_until(fd, "event: inverters\ndata: []\n\n", 2000);
	publish_rack(53251);
	hear_until(fd, "\"voltage_v\":53.251,", 2500);
	post_event(EVENT_ALARM, "pack_lost");
	hear_until(fd, "event: event\ndata: {", 2500);
	hear_until(fd, "\"kind\":\"pack_lost\"", 1000);
	assert_non_null(strstr(heard, "\"id\":1"));
	close(fd);
}

static void at_most_one_battery_a_second(void **state)
{
	(void)state;
	heard[0] = '\0';
	publish_rack(53000);
	site_start();
	const int fd = listen_in();
	for (int i = 0; i < 100; i++) {
		publish_rack(53000 + i);
		hear_for(fd, 20);
	}
	assert_in_range(count_of("event: battery"), 2, 4);
	close(fd);
}

static void an_unchanged_battery_is_not_repeated(void **state)
{
	(void)state;
	heard[0] = '\0';
	publish_rack(53000);
	site_start();
	const int fd = listen_in();
	hear_for(fd, 2100);
	assert_int_equal(count_of("event: battery"), 1);
	close(fd);
}

static void only_so_many_may_listen_and_others_are_served(void **state)
{
	int fds[8];

	(void)state;
	publish_rack(53250);
	site_start();
	for (int i = 0; i < 8; i++) {
		heard[0] = '\0';
		fds[i] = listen_in();
		hear_until(fds[i], "event: battery", 2000);
	}
	get("/api/v1/stream");
	assert_refused(503);
	assert_int_equal(get("/api/v1/battery"), 200);
	close(fds[0]);
	for (int i = 0; i < 50; i++) { /* noticed when something is sent to it */
		heard[0] = '\0';
		publish_rack(53250 + i);
		fds[0] = listen_in();
		hear_for(fds[0], 100);
		if (strstr(heard, "200 OK"))
			break;
		close(fds[0]);
	}
	assert_non_null(strstr(heard, "200 OK"));
	for (int i = 0; i < 8; i++)
		close(fds[i]);
}

/* A client that takes nothing: its socket fills, then it is dropped; meanwhile others are served.
 */
static void who_does_not_listen_is_dropped(void **state)
{
	const int small = 2048;
	bool dropped = false;

	(void)state;
	site.config.timeout_s = 1;
	publish_rack(53250);
	site_start();
	const int fd = client_connect();
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	client_send(fd, "GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
	for (int i = 0; i < 80 && !dropped; i++) {
		for (int j = 0; j < 60; j++)
			post_event(EVENT_INFO, "noise");
		sleep_ms(100);
		assert_int_equal(get("/metrics"), 200);
		dropped = i > 10 && strstr(answer.body, "onepack_web_streams 0\n");
	}
	assert_true(dropped);
	close(fd);
}

static int64_t cpu_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000 +
	       usage.ru_stime.tv_sec * 1000 + usage.ru_stime.tv_usec / 1000;
}

static void waiting_costs_no_processor_time(void **state)
{
	int fds[4];

	(void)state;
	publish_rack(53250);
	site_start();
	for (int i = 0; i < 4; i++)
		fds[i] = listen_in();
	sleep_ms(300);
	const int64_t before_ms = cpu_ms();
	sleep_ms(1000);
	assert_in_range(cpu_ms() - before_ms, 0, 200); /* a spinning thread would take 1000 */
	for (int i = 0; i < 4; i++)
		close(fds[i]);
}

static void stopping_ends_the_streams(void **state)
{
	int fds[3];

	(void)state;
	publish_rack(53250);
	site_start();
	for (int i = 0; i < 3; i++) {
		heard[0] = '\0';
		fds[i] = listen_in();
		hear_until(fds[i], "event: inverters", 2000);
	}
	const int64_t start_ms = clock_monotonic_ms();
	web_stop(site.web);
	site.web = NULL;
	assert_true(clock_monotonic_ms() - start_ms < 2000);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SERVED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		SERVED(a_listener_gets_battery_inverters_and_events),
		SERVED(at_most_one_battery_a_second),
		SERVED(an_unchanged_battery_is_not_repeated),
		SERVED(only_so_many_may_listen_and_others_are_served),
		SERVED(who_does_not_listen_is_dropped),
		SERVED(waiting_costs_no_processor_time),
		SERVED(stopping_ends_the_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
