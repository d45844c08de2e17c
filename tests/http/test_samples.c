// SPDX-License-Identifier: Apache-2.0
/* The log of what comes in: every step, in order, as `onepack fuse` reads it; and recorders that do
 * not read cost nobody else anything. */
#include "site.h"

#include "onepack/sample_log.h"

static char heard[4000000];
static struct fusion_input input;

static int listen_in(const char *path)
{
	char text[200];
	const int fd = client_connect();

	snprintf(text, sizeof text, "GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n",
		 path); /* no chunks */
	client_send(fd, text);
	return fd;
}

/* Appends what comes until the text is there. */
static void hear_until(int fd, const char *text, int64_t ms)
{
	const int64_t end_ms = clock_monotonic_ms() + ms;
	const struct timeval patience = {.tv_usec = 20000};
	size_t used = strlen(heard);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	while (!strstr(heard, text)) {
		const ssize_t count = recv(fd, heard + used, sizeof heard - 1 - used, 0);

		if (count > 0)
			used += (size_t)count;
		heard[used] = '\0';
		if (clock_monotonic_ms() > end_ms)
			fail_msg("no %s in\n%.3000s", text, heard);
	}
}

static void write_step(int32_t number, int packs)
{
	fusion_input_clear(&input);
	input.now_ms = 1000 + number;
	input.pack_count = packs;
	for (int i = 0; i < packs; i++) {
		input.packs[i].pack = i + 1;
		input.packs[i].voltage_mv = number;
	}
	tape_write(board_tape(site.board), &input, 1767225600000 + number);
}

static void every_step_comes_in_order(void **state)
{
	char mark[64];

	(void)state;
	heard[0] = '\0';
	site_start();
	const int fd = listen_in("/api/v1/samples");
	hear_until(fd, "\r\n\r\n", 2000);
	assert_non_null(strstr(heard, "Content-Type: application/x-ndjson"));
	for (int32_t i = 0; i < 500; i++)
		write_step(i, i % 3);
	hear_until(fd, "{\"t\":1767225600.499,", 4000);
	for (int i = 1, at = 0; i < 500;
	     i++) { /* t: from the first step on, by the engine's time */
		snprintf(mark, sizeof mark, "{\"t\":%.15g,\"packs\":[",
			 1767225600.0 + (double)i / 1000);
		const char *found = strstr(heard + at, mark);

		assert_non_null(found);
		at = (int)(found - heard);
		if (i % 3)
			assert_memory_equal(found + strlen(mark), "{\"pack\":1,\"voltage_v\":", 22);
	}
	assert_null(strstr(heard, "lost"));
	close(fd);
}

static void the_past_is_there_when_asked_for(void **state)
{
	(void)state;
	for (int32_t i = 0; i < 50; i++)
		write_step(i, 1);
	site_start();
	heard[0] = '\0';
	const int fd = listen_in("/api/v1/samples?past=1");
	hear_until(fd, "\"voltage_v\":0.049}", 2000);
	assert_non_null(strstr(heard, "\"voltage_v\":0.0}"));
	close(fd);
	get("/api/v1/samples?past=yes");
	assert_refused(400);
}

static void a_gap_is_told(void **state)
{
	(void)state;
	site_start();
	heard[0] = '\0';
	const int fd = listen_in("/api/v1/samples");
	hear_until(fd, "\r\n\r\n", 2000);
	for (int32_t i = 0; i < 10000; i++) /* faster than anybody looks */
		write_step(i, 1);
	hear_until(fd, "\"lost\":", 4000);
	hear_until(fd, "\"voltage_v\":9.999}", 4000);
	close(fd);
}

static void only_so_many_may_record(void **state)
{
	int fds[4];

	(void)state;
	site_start();
	for (int i = 0; i < 4; i++) {
		heard[0] = '\0';
		fds[i] = listen_in("/api/v1/samples");
		hear_until(fds[i], "200 OK", 2000);
	}
	get("/api/v1/samples");
	assert_refused(503);
	assert_int_equal(get("/api/v1/battery"), 200);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
}

/* A recorder that takes nothing is dropped; meanwhile the writer never waits. */
static void who_does_not_read_is_dropped(void **state)
{
	const int small = 2048;
	bool dropped = false;

	(void)state;
	site.config.timeout_s = 1;
	site_start();
	for (int i = 0; i < 4; i++) {
		const int fd = client_connect();

		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
		client_send(fd, "GET /api/v1/samples HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
	}
	for (int32_t i = 0; i < 80 && !dropped; i++) {
		const int64_t start_ms = clock_monotonic_ms();

		for (int32_t j = 0; j < 100; j++)
			write_step(i * 100 + j, 16);
		assert_true(clock_monotonic_ms() - start_ms < 1000);
		sleep_ms(100);
		if (i < 15)
			continue;
		heard[0] = '\0';
		const int fd = listen_in("/api/v1/samples");

		hear_until(fd, "\r\n\r\n", 2000);
		dropped = strstr(heard, "200 OK") != NULL;
		close(fd);
	}
	assert_true(dropped);
}

static void stopping_ends_the_recordings(void **state)
{
	(void)state;
	site_start();
	heard[0] = '\0';
	const int fd = listen_in("/api/v1/samples");
	hear_until(fd, "\r\n\r\n", 2000);
	const int64_t start_ms = clock_monotonic_ms();
	web_stop(site.web);
	site.web = NULL;
	assert_true(clock_monotonic_ms() - start_ms < 2000);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SERVED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		SERVED(every_step_comes_in_order),
		SERVED(the_past_is_there_when_asked_for),
		SERVED(a_gap_is_told),
		SERVED(only_so_many_may_record),
		SERVED(who_does_not_read_is_dropped),
		SERVED(stopping_ends_the_recordings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
