// SPDX-License-Identifier: Apache-2.0
/* Hostile and clumsy clients: malformed, oversized, slow, many. After each, the server serves. */
#include "site.h"

static void assert_serves(void)
{
	/* connections that were closed just now may still count */
	for (int i = 0; i < 800 && get("/api/v1/battery") != 200; i++)
		sleep_ms(10);
	assert_int_equal(answer.status, 200);
}

static void wrong_addresses_and_methods(void **state)
{
	(void)state;
	site_start();
	get("/api/v1/nothing");
	assert_refused(404);
	get("/api/v2/battery");
	assert_refused(404);
	ask("DELETE", "/api/v1/battery", "", "");
	assert_refused(405);
	assert_true(has_header("Allow: GET, HEAD"));
	get("/api/v1/login");
	assert_refused(405);
	assert_true(has_header("Allow: POST"));
	post("/", "", "{}");
	assert_refused(405);
	ask("OPTIONS", "/api/v1/login", "", "");
	assert_refused(405);
	assert_serves();
}

static void malformed_requests_do_no_harm(void **state)
{
	static const char *const texts[] = {
		"\r\n\r\n",
		"GET\r\n\r\n",
		"GET /api/v1/battery HTTP/9.9\r\n\r\n",
		"GET /api/v1/battery HTTP/1.1\r\n\r\n", /* no Host */
		"GET /api/v1/battery HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
		"POST /api/v1/login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-OnePack: 1\r\n"
		"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"POST /api/v1/login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-OnePack: 1\r\n"
		"Content-Type: application/json\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", /* somebody tries TLS */
		"GET /%zz%00%2 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
		"GET /api/v1/history?fields=%%%&=&& HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		"Connection: close\r\n\r\n",
	};

	(void)state;
	site.config.timeout_s = 1;
	site_start();
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		const int fd = client_connect();

		client_send(fd, texts[i]);
		shutdown(fd, SHUT_WR);
		client_finish(fd);
		if (answer.status != 0 && (answer.status < 400 || answer.status > 599))
			fail_msg("%s: %d", texts[i], answer.status);
	}
	assert_serves();
}

static void oversized_requests_are_refused(void **state)
{
	static char big[60000];
	char path[3000], headers[300];

	(void)state;
	site_start();
	memset(path, 'a', sizeof path);
	path[0] = '/';
	path[sizeof path - 1] = '\0';
	get(path);
	assert_refused(414);
	memset(big, ' ', sizeof big);
	big[5000] = '\0';
	post("/api/v1/login", "", big);
	assert_refused(413);
	/* the same in chunks, where the size is not told before */
	snprintf(headers, sizeof headers,
		 "X-OnePack: 1\r\nContent-Type: application/json\r\n"
		 "Transfer-Encoding: chunked\r\n");
	char *chunk = malloc(6000);
	snprintf(chunk, 6000, "1388\r\n%.5000s\r\n0\r\n\r\n", big);
	ask("POST", "/api/v1/login", headers, chunk);
	free(chunk);
	assert_refused(413);
	/* headers beyond all measure: libmicrohttpd refuses in its own words */
	memset(big, 'x', sizeof big);
	memcpy(big, "X-Big: ", 7);
	strcpy(big + sizeof big - 3, "\r\n");
	ask("GET", "/api/v1/battery", big, "");
	assert_true(answer.status >= 400 || answer.status == 0);
	assert_serves();
}

static void an_endless_body_is_cut_off(void **state)
{
	static char part[1000];
	int sent = 0;

	(void)state;
	site_start();
	const int fd = client_connect();
	client_send(fd, "POST /api/v1/login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-OnePack: 1\r\n"
			"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
	memset(part, ' ', sizeof part);
	while (sent < 10000 && send(fd, "3e8\r\n", 5, MSG_NOSIGNAL) == 5 &&
	       send(fd, part, sizeof part, MSG_NOSIGNAL) == sizeof part &&
	       send(fd, "\r\n", 2, MSG_NOSIGNAL) == 2)
		sent++;
	assert_true(sent < 10000);
	close(fd);
	assert_serves();
}

/* How long until the server closes a connection, ms. */
static int64_t closed_after_ms(int fd)
{
	const int64_t start_ms = clock_monotonic_ms();

	client_finish(fd);
	return clock_monotonic_ms() - start_ms;
}

static void silent_connections_end(void **state)
{
	(void)state;
	site.config.timeout_s = 1;
	site_start();
	assert_in_range(closed_after_ms(client_connect()), 500, 4000);
	assert_serves();
}

/* One byte now and then would keep a connection for ever. */
static void trickling_requests_end(void **state)
{
	const char *text =
		"GET /api/v1/battery HTTP/1.1\r\nHost: 127.0.0.1\r\nX: aaaaaaaaaaaaaaaaaa";
	int sent = 0;

	(void)state;
	site.config.timeout_s = 1;
	site_start();
	const int fd = client_connect();
	while (sent < 60 && send(fd, text + sent, 1, MSG_NOSIGNAL) == 1) {
		sent++;
		sleep_ms(100);
	}
	assert_in_range(sent, 10, 40); /* 1.3 s, seen once a second */
	close(fd);
	assert_serves();
}

static void many_connections_are_limited_and_go_again(void **state)
{
	int fds[64], served = 0;

	(void)state;
	site_start();
	for (int i = 0; i < 64; i++) {
		fds[i] = client_connect();
		client_send(fds[i], "GET /api/v1/battery HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
	}
	for (int i = 0; i < 64; i++) {
		char byte;
		const struct timeval patience = {.tv_usec = 50000};

		setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
		served += recv(fds[i], &byte, 1, 0) == 1;
	}
	assert_int_equal(served, 16); /* per address */
	for (int i = 0; i < 64; i++)
		close(fds[i]);
	for (int i = 0; i < 20; i++)
		assert_serves();
}

static void half_a_request_and_gone(void **state)
{
	(void)state;
	site_start();
	for (int i = 0; i < 100; i++) {
		const int fd = client_connect();

		client_send(fd, i % 2 ? "POST /api/v1/login HTTP/1.1\r\nHost: 127.0.0.1\r\n"
					"X-OnePack: 1\r\nContent-Type: application/json\r\n"
					"Content-Length: 100\r\n\r\n{\"pass"
				      : "GET /api/v1/bat");
		close(fd);
	}
	assert_serves();
}

static void wrong_addresses_to_listen_on(void **state)
{
	static const char *const wrong[] = {
		"", "8080", "127.0.0.1", "127.0.0.1:http", "256.0.0.1:80", "192.0.2.1:8080"};
	struct web *other = NULL;
	char why[200];

	(void)state;
	site_start();
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		snprintf(site.config.listen, sizeof site.config.listen, "%s", wrong[i]);
		why[0] = '\0';
		assert_true(web_start(&site.config, site.board, NULL, &other, why, sizeof why) < 0);
		assert_true(strlen(why) > 10);
	}
	snprintf(site.config.listen, sizeof site.config.listen, "127.0.0.1:%d", web_port(site.web));
	assert_true(web_start(&site.config, site.board, NULL, &other, why, sizeof why) < 0);
	assert_non_null(strstr(why, "in use"));
	assert_null(other);
	web_stop(NULL);
}

static void it_listens_on_ipv6_too(void **state)
{
	const struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = loopback};
	int fd;

	(void)state;
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof to) < 0)
		skip(); /* a machine without IPv6 */
	close(fd);
	strcpy(site.config.listen, "[::]:0");
	site_start();
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	to.sin6_port = htons((uint16_t)web_port(site.web));
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	client_send(fd, "GET /api/v1/battery HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n");
	assert_int_equal(client_finish(fd), 200);
	assert_serves(); /* and on IPv4 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SERVED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		SERVED(wrong_addresses_and_methods),
		SERVED(malformed_requests_do_no_harm),
		SERVED(oversized_requests_are_refused),
		SERVED(an_endless_body_is_cut_off),
		SERVED(silent_connections_end),
		SERVED(trickling_requests_end),
		SERVED(many_connections_are_limited_and_go_again),
		SERVED(half_a_request_and_gone),
		SERVED(wrong_addresses_to_listen_on),
		SERVED(it_listens_on_ipv6_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
