// SPDX-License-Identifier: Apache-2.0
/* The MQTT feed: one thread that publishes what the board shows. Topics below BASE/GATEWAY:
 *   availability   "online" / "offline", retained; the last will
 *   battery        the battery object (without "packs"), every `interval_ms`
 *   pack/N         one pack object, every `interval_ms`; pack/N/cells its cells and temperatures,
 * every minute event          one event object each, QoS 1 and Home Assistant device discovery
 * (2024.11 and newer) below `discovery_prefix`.
 *
 * A broker that is away, slow or refuses us costs nobody but this thread: live values are skipped,
 * events wait on the board (the newest 256), reconnecting backs off from 1 s to 2 min. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "onepack/board.h"

#define MQTT_TEXT_SIZE 256

struct mqtt_config {
	bool enabled;
	char host[MQTT_TEXT_SIZE];
	int port;                                                /* 1883, or 8883 with TLS */
	char username[MQTT_TEXT_SIZE], password[MQTT_TEXT_SIZE]; /* "" = none */
	char ca_file[MQTT_TEXT_SIZE]; /* set = TLS, the host name is always checked */
	char cert_file[MQTT_TEXT_SIZE], key_file[MQTT_TEXT_SIZE];
	char base[MQTT_TEXT_SIZE];             /* "onepack" */
	char gateway[FIELD_TEXT_SIZE];         /* the gateway's id, one topic level */
	char discovery_prefix[MQTT_TEXT_SIZE]; /* "homeassistant"; "" = no discovery */
	int32_t interval_ms;                   /* 5000 */
};

struct mqtt;

/* Starts the thread. Fails only for reasons that the user must mend (`why`), not for an absent
 * broker. */
int mqtt_start(const struct mqtt_config *config, struct board *board, struct mqtt **out, char *why,
	       size_t why_size);

/* Says "offline" if it can, and stops; at most about a second. NULL is fine. The board must be
 * closed before. */
void mqtt_stop(struct mqtt *mqtt);

/* Connected to the broker right now? */
bool mqtt_is_connected(struct mqtt *mqtt);

/* Pure: the discovery message of the whole battery, and of one pack (1..16). New references. */
json_t *mqtt_discovery_battery(const struct mqtt_config *config);
json_t *mqtt_discovery_pack(const struct mqtt_config *config, const struct pack *pack);
