// SPDX-License-Identifier: Apache-2.0
/* The MQTT thread: connects, announces, publishes. libmosquitto's own thread moves the bytes and
 * reconnects; ours waits on the board. Discovery and last will: docs/mqtt.md. */
#include "onepack/mqtt.h"

#include <errno.h>
#include <mosquitto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onepack/board_writer.h"
#include "onepack/clock.h"
#include "onepack/json.h"

#define CELLS_INTERVAL_MS 60000
#define RECONNECT_MIN_S   1
#define RECONNECT_MAX_S \
	120 /* reliability: back-off with jitter protects a broker after its restart */
#define CONNECT_RETRY_MS   2000
#define KEEPALIVE_S        30
#define MAX_EVENTS_AT_ONCE 32
#define TOPIC_SIZE         640

struct mqtt {
	struct mqtt_config config;
	struct board *board;
	struct mosquitto *client;
	pthread_t thread;
	bool started_loop;
	atomic_bool connected;
	atomic_bool announce; /* availability and discovery are due */
	uint64_t seen_event;
	uint32_t discovered_packs; /* bit n: pack n + 1 was announced since the last connect */
	int64_t next_values_ms, next_cells_ms, next_connect_ms;
	struct battery battery; /* the copy that is being published */
};

static void topic_of(const struct mqtt *mqtt, char topic[TOPIC_SIZE], const char *end)
{
	snprintf(topic, TOPIC_SIZE, "%s/%s/%s", mqtt->config.base, mqtt->config.gateway, end);
}

static int publish(struct mqtt *mqtt, const char *topic, const char *text, int qos, bool retain)
{
	return mosquitto_publish(mqtt->client, NULL, topic, (int)strlen(text), text, qos, retain);
}

/* Takes over the reference. */
static int publish_json(struct mqtt *mqtt, const char *topic, json_t *json, int qos, bool retain)
{
	char *text = json_dumps(json, ONEPACK_JSON_FLAGS);
	int result = text ? publish(mqtt, topic, text, qos, retain) : MOSQ_ERR_NOMEM;

	free(text);
	json_decref(json);
	return result;
}

static void on_connect(struct mosquitto *client, void *argument, int code)
{
	struct mqtt *mqtt = argument;
	char topic[TOPIC_SIZE];

	if (code != 0)
		return; /* refused: libmosquitto tries again with back-off */
	if (mqtt->config.discovery_prefix[0]) {
		snprintf(topic, sizeof topic, "%s/status", mqtt->config.discovery_prefix);
		mosquitto_subscribe(client, NULL, topic, 0);
	}
	atomic_store(&mqtt->announce, true);
	atomic_store(&mqtt->connected, true);
}

static void on_disconnect(struct mosquitto *client, void *argument, int code)
{
	struct mqtt *mqtt = argument;

	(void)client;
	(void)code;
	atomic_store(&mqtt->connected, false);
}

/* The only subscription is Home Assistant's birth message: it wants to hear everything again. */
static void on_message(struct mosquitto *client, void *argument,
		       const struct mosquitto_message *message)
{
	struct mqtt *mqtt = argument;

	(void)client;
	if (message->payloadlen == 6 && memcmp(message->payload, "online", 6) == 0)
		atomic_store(&mqtt->announce, true);
}

static void announce(struct mqtt *mqtt)
{
	char topic[TOPIC_SIZE];

	topic_of(mqtt, topic, "availability");
	publish(mqtt, topic, "online", 1, true);
	mqtt->discovered_packs = 0;
	mqtt->next_values_ms = mqtt->next_cells_ms = 0;
	if (!mqtt->config.discovery_prefix[0])
		return;
	snprintf(topic, sizeof topic, "%s/device/onepack_%s/config", mqtt->config.discovery_prefix,
		 mqtt->config.gateway);
	publish_json(mqtt, topic, mqtt_discovery_battery(&mqtt->config), 1, true);
}

static void discover_pack(struct mqtt *mqtt, const struct pack *pack)
{
	const uint32_t bit = 1u << (unsigned)(pack->pack - 1);
	char topic[TOPIC_SIZE];

	if (!mqtt->config.discovery_prefix[0] || mqtt->discovered_packs & bit)
		return;
	snprintf(topic, sizeof topic, "%s/device/onepack_%s_pack_%d/config",
		 mqtt->config.discovery_prefix, mqtt->config.gateway, (int)pack->pack);
	if (publish_json(mqtt, topic, mqtt_discovery_pack(&mqtt->config, pack), 1, true) ==
	    MOSQ_ERR_SUCCESS)
		mqtt->discovered_packs |= bit;
}

static json_t *cells_of(const struct pack *pack)
{
	json_t *all = json_from_pack(pack), *json = json_object();

	json_object_set(json, "cells_v", json_object_get(all, "cells_v"));
	json_object_set(json, "temperatures_c", json_object_get(all, "temperatures_c"));
	json_decref(all);
	return json;
}

static void publish_values(struct mqtt *mqtt, bool with_cells)
{
	char topic[TOPIC_SIZE], end[32];

	topic_of(mqtt, topic, "battery");
	publish_json(mqtt, topic, json_from_battery_without_packs(&mqtt->battery), 0, false);
	for (int i = 0; i < mqtt->battery.pack_count; i++) {
		const struct pack *pack = &mqtt->battery.packs[i];

		if (pack->pack < 1 || pack->pack > ONEPACK_MAX_PACKS)
			continue;
		discover_pack(mqtt, pack);
		snprintf(end, sizeof end, "pack/%d", (int)pack->pack);
		topic_of(mqtt, topic, end);
		publish_json(mqtt, topic, json_from_pack(pack), 0, false);
		if (!with_cells)
			continue;
		snprintf(end, sizeof end, "pack/%d/cells", (int)pack->pack);
		topic_of(mqtt, topic, end);
		publish_json(mqtt, topic, cells_of(pack), 0, false);
	}
}

/* Events stay on the board until they could be handed over, so a short absence of the broker loses
 * none. */
static void publish_events(struct mqtt *mqtt)
{
	struct event events[MAX_EVENTS_AT_ONCE];
	char topic[TOPIC_SIZE];
	uint64_t last;
	const int count =
		board_events(mqtt->board, mqtt->seen_event, events, MAX_EVENTS_AT_ONCE, &last);

	topic_of(mqtt, topic, "event");
	for (int i = 0; i < count; i++) {
		if (publish_json(mqtt, topic, json_from_event(&events[i]), 1, false) !=
		    MOSQ_ERR_SUCCESS)
			return;
		mqtt->seen_event = last - (uint64_t)(count - 1 - i);
	}
}

/* The first connection; after it libmosquitto reconnects by itself. Blocks for DNS and TCP: that is
 * why we are a thread of our own. */
static void try_connect(struct mqtt *mqtt, int64_t now_ms)
{
	if (mqtt->started_loop || now_ms < mqtt->next_connect_ms)
		return;
	mqtt->next_connect_ms = now_ms + CONNECT_RETRY_MS;
	if (mosquitto_connect_async(mqtt->client, mqtt->config.host, mqtt->config.port,
				    KEEPALIVE_S) != MOSQ_ERR_SUCCESS)
		return;
	mqtt->started_loop = mosquitto_loop_start(mqtt->client) == MOSQ_ERR_SUCCESS;
}

static void work(struct mqtt *mqtt)
{
	const int64_t now_ms = clock_monotonic_ms();

	try_connect(mqtt, now_ms);
	if (!atomic_load(&mqtt->connected))
		return;
	if (atomic_exchange(&mqtt->announce, false))
		announce(mqtt);
	publish_events(mqtt);
	if (now_ms < mqtt->next_values_ms || board_battery(mqtt->board, &mqtt->battery) == 0)
		return;
	const bool with_cells = now_ms >= mqtt->next_cells_ms;
	mqtt->next_values_ms = now_ms + mqtt->config.interval_ms;
	if (with_cells)
		mqtt->next_cells_ms = now_ms + CELLS_INTERVAL_MS;
	publish_values(mqtt, with_cells);
}

static void *run(void *argument)
{
	struct mqtt *mqtt = argument;
	uint64_t seen = 0;
	int64_t next_ms = 0;

	/* Twice a second is plenty; the wait is on the board so that closing it ends us at once. */
	while (!board_is_closed(mqtt->board)) {
		const int64_t now_ms = clock_monotonic_ms();

		if (now_ms >= next_ms) {
			work(mqtt);
			next_ms = now_ms + 500;
		}
		seen = board_wait(mqtt->board, seen,
				  (int)(next_ms > now_ms ? next_ms - now_ms : 1));
	}
	return NULL;
}

static int set_up_client(struct mqtt *mqtt)
{
	const struct mqtt_config *config = &mqtt->config;
	char topic[TOPIC_SIZE];
	int result = MOSQ_ERR_SUCCESS;

	topic_of(mqtt, topic, "availability");
	mosquitto_connect_callback_set(mqtt->client, on_connect);
	mosquitto_disconnect_callback_set(mqtt->client, on_disconnect);
	mosquitto_message_callback_set(mqtt->client, on_message);
	mosquitto_reconnect_delay_set(mqtt->client, RECONNECT_MIN_S, RECONNECT_MAX_S, true);
	result = mosquitto_will_set(mqtt->client, topic, 7, "offline", 1, true);
	if (result == MOSQ_ERR_SUCCESS && config->username[0])
		result =
			mosquitto_username_pw_set(mqtt->client, config->username, config->password);
	if (result == MOSQ_ERR_SUCCESS && config->ca_file[0])
		result = mosquitto_tls_set(mqtt->client, config->ca_file, NULL,
					   config->cert_file[0] ? config->cert_file : NULL,
					   config->key_file[0] ? config->key_file : NULL, NULL);
	return result;
}

int mqtt_start(const struct mqtt_config *config, struct board *board, struct mqtt **out, char *why,
	       size_t why_size)
{
	struct mqtt *mqtt = calloc(1, sizeof *mqtt);
	int result;

	if (!mqtt)
		return -ENOMEM;
	mosquitto_lib_init();
	mqtt->config = *config;
	mqtt->board = board;
	mqtt->client = mosquitto_new(NULL, true, mqtt);
	result = mqtt->client ? set_up_client(mqtt) : MOSQ_ERR_NOMEM;
	if (result != MOSQ_ERR_SUCCESS) {
		snprintf(why, why_size, "MQTT cannot be set up: %s", mosquitto_strerror(result));
		goto fail;
	}
	if (pthread_create(&mqtt->thread, NULL, run, mqtt) != 0) {
		snprintf(why, why_size, "no thread for MQTT");
		goto fail;
	}
	*out = mqtt;
	return 0;
fail:
	mosquitto_destroy(mqtt->client);
	mosquitto_lib_cleanup();
	free(mqtt);
	return -EINVAL;
}

bool mqtt_is_connected(struct mqtt *mqtt)
{
	return mqtt && atomic_load(&mqtt->connected);
}

void mqtt_stop(struct mqtt *mqtt)
{
	char topic[TOPIC_SIZE];

	if (!mqtt)
		return;
	pthread_join(mqtt->thread, NULL);
	if (atomic_load(&mqtt->connected)) {
		topic_of(mqtt, topic, "availability");
		publish(mqtt, topic, "offline", 1, true);
	}
	mosquitto_disconnect(mqtt->client);
	if (mqtt->started_loop)
		mosquitto_loop_stop(mqtt->client, !atomic_load(&mqtt->connected));
	mosquitto_destroy(mqtt->client);
	mosquitto_lib_cleanup();
	free(mqtt);
}
