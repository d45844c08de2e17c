// SPDX-License-Identifier: Apache-2.0
/* The feed against a real mosquitto broker: availability, last will, values, events, a broker that
 * comes late. */
#include "../cmocka_all.h"

#include <arpa/inet.h>
#include <mosquitto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "onepack/board_writer.h"
#include "onepack/clock.h"
#include "onepack/mqtt.h"

#define PATIENCE_MS 8000

struct bench {
	int port;
	pid_t broker;
	struct board *board;
	struct mqtt_config config;
	struct mosquitto *listener;
	char wanted[128], payload[65536]; /* the last message on the wanted topic */
};

static int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void start_broker(struct bench *bench)
{
	char port[16];

	snprintf(port, sizeof port, "%d", bench->port);
	bench->broker = fork();
	if (bench->broker == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(1);
		execlp("mosquitto", "mosquitto", "-p", port, (char *)NULL);
		execl("/usr/sbin/mosquitto", "mosquitto", "-p", port, (char *)NULL);
		_exit(127);
	}
}

static void stop_broker(struct bench *bench)
{
	kill(bench->broker, SIGTERM);
	waitpid(bench->broker, NULL, 0);
}

static void on_message(struct mosquitto *client, void *argument,
		       const struct mosquitto_message *message)
{
	struct bench *bench = argument;

	(void)client;
	if (strcmp(message->topic, bench->wanted) == 0)
		snprintf(bench->payload, sizeof bench->payload, "%.*s", message->payloadlen,
			 (char *)message->payload);
}

static void start_listener(struct bench *bench)
{
	const int64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;

	bench->listener = mosquitto_new(NULL, true, bench);
	mosquitto_message_callback_set(bench->listener, on_message);
	while (mosquitto_connect(bench->listener, "127.0.0.1", bench->port, 30) !=
	       MOSQ_ERR_SUCCESS) {
		assert_true(clock_monotonic_ms() < end_ms);
		usleep(20000);
	}
	mosquitto_subscribe(bench->listener, NULL, "#", 0);
}

/* Waits until a message on the topic (below the base, or absolute with a leading '/') contains
 * `needle`. */
static void expect(struct bench *bench, const char *topic, const char *needle)
{
	const int64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;

	if (topic[0] == '/')
		snprintf(bench->wanted, sizeof bench->wanted, "%s", topic + 1);
	else
		snprintf(bench->wanted, sizeof bench->wanted, "onepack/g1/%s", topic);
	bench->payload[0] = '\0';
	while (!strstr(bench->payload, needle) || !bench->payload[0]) {
		if (clock_monotonic_ms() > end_ms)
			fail_msg("no '%s' on %s, last was '%s'", needle, bench->wanted,
				 bench->payload);
		mosquitto_loop(bench->listener, 50, 1);
	}
}

static void publish_snapshot(struct bench *bench)
{
	struct battery battery;

	battery_clear(&battery);
	battery.time_ms = clock_wall_ms();
	battery.voltage_mv = 53240;
	battery.pack_count = 1;
	pack_clear(&battery.packs[0]);
	battery.packs[0].pack = 1;
	battery.packs[0].cell_count = 1;
	battery.packs[0].cells_mv[0] = 3327;
	board_publish(bench->board, &battery);
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);

	mosquitto_lib_init();
	bench->port = free_port();
	bench->board = board_new();
	bench->config = (struct mqtt_config){.enabled = true,
					     .host = "127.0.0.1",
					     .port = bench->port,
					     .base = "onepack",
					     .gateway = "g1",
					     .discovery_prefix = "homeassistant",
					     .interval_ms = 500};
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	mosquitto_destroy(bench->listener);
	board_free(bench->board);
	stop_broker(bench);
	mosquitto_lib_cleanup();
	free(bench);
	return 0;
}

static void values_events_and_availability_arrive(void **state)
{
	struct bench *bench = *state;
	const struct event event = {.pack = 3, .kind = "pack_lost", .text = "Pack 3 is lost"};
	struct mqtt *mqtt;
	char why[128];

	start_broker(bench);
	start_listener(bench);
	assert_int_equal(mqtt_start(&bench->config, bench->board, &mqtt, why, sizeof why), 0);
	publish_snapshot(bench);
	expect(bench, "availability", "online");
	expect(bench, "battery", "\"voltage_v\":53.24");
	expect(bench, "pack/1", "\"pack\":1");
	board_post_event(bench->board, &event);
	expect(bench, "event", "Pack 3 is lost");
	mosquitto_publish(bench->listener, NULL, "homeassistant/status", 6, "online", 0, false);
	expect(bench, "/homeassistant/device/onepack_g1_pack_1/config", "via_device");
	board_close(bench->board);
	mqtt_stop(mqtt);
	expect(bench, "availability", "offline");
}

static void a_late_broker_gets_the_waiting_events(void **state)
{
	struct bench *bench = *state;
	const struct event event = {
		.pack = FIELD_UNKNOWN, .kind = "early", .text = "before the broker"};
	struct mqtt *mqtt;
	char why[128];

	board_post_event(bench->board, &event);
	publish_snapshot(bench);
	assert_int_equal(mqtt_start(&bench->config, bench->board, &mqtt, why, sizeof why), 0);
	usleep(200000);
	assert_false(mqtt_is_connected(mqtt));
	start_broker(bench);
	start_listener(bench);
	expect(bench, "event", "before the broker");
	board_close(bench->board);
	mqtt_stop(mqtt);
}

static void a_missing_ca_file_is_the_users_mistake(void **state)
{
	struct bench *bench = *state;
	struct mqtt *mqtt = NULL;
	char why[128] = "";

	start_broker(bench);
	snprintf(bench->config.ca_file, sizeof bench->config.ca_file, "/nonexistent/ca.pem");
	assert_true(mqtt_start(&bench->config, bench->board, &mqtt, why, sizeof why) < 0);
	assert_null(mqtt);
	assert_non_null(strstr(why, "MQTT"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(values_events_and_availability_arrive, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_late_broker_gets_the_waiting_events, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_missing_ca_file_is_the_users_mistake, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
