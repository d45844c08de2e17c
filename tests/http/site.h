// SPDX-License-Identifier: Apache-2.0
/* A gateway's web server on a free port over a board that the test fills, and a client on plain
 * sockets. One site per test program; set_up and tear_down are cmocka fixtures. */
#pragma once

#include "cmocka_all.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "onepack/board_writer.h"
#include "onepack/clock.h"
#include "onepack/web.h"

#define PASSWORD "correct horse battery"

struct site {
	char folder[64];
	struct board *board;
	struct store *store;
	struct web *web;
	struct web_config config;
	struct store_config store_config;
};

static struct site site;

/* --- the site --- */

static inline void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", site.folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* Folder, board and configuration; the test may change the configuration before site_start. */
static inline int set_up(void **state)
{
	static char hash[WEB_HASH_SIZE];

	(void)state;
	memset(&site, 0, sizeof site);
	strcpy(site.folder, "/tmp/onepack-http-XXXXXX");
	if (!mkdtemp(site.folder) || (!hash[0] && web_hash_password(PASSWORD, hash) < 0))
		return -1;
	site.board = board_new();
	strcpy(site.config.listen, "127.0.0.1:0");
	strcpy(site.config.gateway, "shed");
	strcpy(site.config.password_hash, hash);
	snprintf(site.config.root, sizeof site.config.root, "%s", site.folder);
	write_file("index.html", "<!doctype html><title>OnePack</title>");
	return 0;
}

static inline void site_start(void)
{
	char why[200] = "";

	if (web_start(&site.config, site.board, site.store, &site.web, why, sizeof why) < 0)
		fail_msg("%s", why);
}

static inline void site_start_store(void)
{
	char why[200] = "";

	store_config_default(&site.store_config);
	snprintf(site.store_config.path, sizeof site.store_config.path, "%s/history.db",
		 site.folder);
	snprintf(site.config.store_path, sizeof site.config.store_path, "%s",
		 site.store_config.path);
	site.store_config.sample_ms = 50;
	site.store_config.batch_ms = 50;
	if (store_start(&site.store_config, site.board, &site.store, why, sizeof why) < 0)
		fail_msg("%s", why);
}

static inline int tear_down(void **state)
{
	char command[128];

	(void)state;
	web_stop(site.web);
	store_stop(site.store);
	board_free(site.board);
	snprintf(command, sizeof command, "rm -rf '%s'", site.folder);
	return system(command);
}

static inline void publish_rack(int32_t voltage_mv)
{
	struct battery battery;

	battery_clear(&battery);
	battery.time_ms = clock_wall_ms();
	battery.state = BATTERY_CHARGING;
	battery.voltage_mv = voltage_mv;
	battery.current_ma = -12345;
	battery.packs_online = 2;
	battery.charge_allowed = 1;
	battery.energy_charged_wh = 1234567;
	battery.warnings = ALARM_BIT(ALARM_pack_lost);
	battery.pack_count = 2;
	for (int i = 0; i < 2; i++) {
		struct pack *pack = &battery.packs[i];

		pack_clear(pack);
		pack->pack = i + 1;
		pack->address = i + 1;
		pack->state = PACK_ACTIVE;
		pack->voltage_mv = voltage_mv - i;
		pack->cell_count = 2;
		pack->cells_mv[0] = 3301;
		pack->cells_mv[1] = FIELD_UNKNOWN;
		pack->temperature_count = 1;
		pack->temperatures_mC[0] = -5500;
		pack->settings.cell_overvoltage_mv = 3650;
		strcpy(pack->bus, "rack");
		strcpy(pack->serial, "A\"1\\");
	}
	board_publish(site.board, &battery);
}

static inline void post_event(enum event_severity severity, const char *kind)
{
	struct event event = {.time_ms = clock_wall_ms(), .severity = severity};

	event.pack = FIELD_UNKNOWN;
	strcpy(event.kind, kind);
	strcpy(event.text, "Something happened");
	board_post_event(site.board, &event);
}

/* --- the client --- */

struct answer {
	int status;        /* 0 = the server closed without one */
	char head[4096];   /* status line and headers */
	char body[600000]; /* chunks put together are not needed: only the stream has them */
	size_t body_size;
};

static struct answer answer;

static inline int client_connect(void)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
				       .sin_port = htons((uint16_t)web_port(site.web)),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct timeval patience = {.tv_sec = 8};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

static inline void client_send(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		const ssize_t sent = send(fd, text, left, MSG_NOSIGNAL);

		if (sent <= 0)
			return; /* the server has had enough; its answer may still be there */
		text += sent;
		left -= (size_t)sent;
	}
}

/* Reads all until the server closes, into `answer`; returns the status. */
static inline int client_finish(int fd)
{
	static char all[sizeof answer.head + sizeof answer.body];
	size_t used = 0;
	ssize_t count;
	char *body;

	while ((count = recv(fd, all + used, sizeof all - 1 - used, 0)) > 0)
		used += (size_t)count;
	close(fd);
	all[used] = '\0';
	memset(&answer, 0, sizeof answer);
	body = strstr(all, "\r\n\r\n");
	if (!body || sscanf(all, "HTTP/1.%*d %d", &answer.status) != 1)
		return 0;
	body[2] = '\0';
	snprintf(answer.head, sizeof answer.head, "%.*s", (int)sizeof answer.head - 1, all);
	answer.body_size = used - (size_t)(body + 4 - all);
	memcpy(answer.body, body + 4, answer.body_size);
	return answer.status;
}

/* `headers` are whole lines, or "". */
static inline int ask(const char *method, const char *path, const char *headers, const char *body)
{
	static char text[70000];
	const int fd = client_connect();

	snprintf(text, sizeof text,
		 "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%s\r\n%s", method, path,
		 headers, body);
	client_send(fd, text);
	return client_finish(fd);
}

static inline int get(const char *path)
{
	return ask("GET", path, "", "");
}

/* As the dashboard posts; `more` are further header lines, e.g. a cookie. */
static inline int post(const char *path, const char *more, const char *body)
{
	char headers[600];

	snprintf(headers, sizeof headers,
		 "X-OnePack: 1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s",
		 (int)strlen(body), more);
	return ask("POST", path, headers, body);
}

static inline bool has_header(const char *line)
{
	return strstr(answer.head, line) != NULL;
}

/* The body as JSON; the caller frees it. */
static inline json_t *body_json(void)
{
	json_t *json = json_loadb(answer.body, answer.body_size, JSON_DECODE_ANY, NULL);

	if (!json)
		fail_msg("no JSON: %s", answer.body);
	return json;
}

/* The answer is a refusal with a sentence in JSON. */
static inline void assert_refused(int status)
{
	json_t *json;

	assert_int_equal(answer.status, status);
	json = body_json();
	assert_true(strlen(json_string_value(json_object_get(json, "error"))) > 10);
	json_decref(json);
}

static inline void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}
