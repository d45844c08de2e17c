// SPDX-License-Identifier: Apache-2.0
/* The configuration file of onepackd as one plain struct. Every key: docs/configuration.md. */
#pragma once

#include <stdio.h>

#include "onepack/battery.h"
#include "onepack/fusion.h"
#include "onepack/inverter.h"
#include "onepack/mqtt.h"
#include "onepack/rack.h"
#include "onepack/store.h"
#include "onepack/web.h"

#define CONFIG_PORT_SIZE 128

/* An inverter as the file says it; config_links makes what links_start wants. */
struct config_inverter {
	char protocol[STATUS_TEXT_SIZE];
	char port[CONFIG_PORT_SIZE];
	uint32_t bitrate; /* 0 = the protocol's */
	int address;      /* -1 = the protocol's */
	int option_count;
	struct {
		char name[FIELD_TEXT_SIZE], value[FIELD_TEXT_SIZE];
	} options[INVERTER_MAX_OPTIONS];
};

struct config {
	char gateway[FIELD_TEXT_SIZE]; /* id in topics and on the page */
	struct {
		char manufacturer[FIELD_TEXT_SIZE], model[FIELD_TEXT_SIZE], serial[FIELD_TEXT_SIZE];
	} identity;
	int bus_count;
	struct rack_bus_config buses[STATUS_MAX_BUSES];
	int inverter_count;
	struct config_inverter inverters[STATUS_MAX_INVERTERS];
	struct {
		char log[CONFIG_PORT_SIZE *
			 2]; /* a recorded log in place of the buses; "" = none */
		double speed;
	} replay; /* not in the file: `onepack replay` sets it */
	struct fusion_config fusion;
	struct web_config web;
	struct mqtt_config mqtt;
	struct store_config store;
	struct rack_update_config update;
};

/* What a file without keys would mean. */
void config_default(struct config *config);

/* Reads and checks the whole file, protocols and their options included. True, or false after
 * printing every mistake to `errors` as FILE:LINE:COLUMN: reason. */
bool config_load(const char *path, struct config *out, FILE *errors);

/* The inverters in the form of inverter.h; the texts stay in `config`. Returns their number. */
int config_links(const struct config *config, struct inverter_config out[STATUS_MAX_INVERTERS]);
