// SPDX-License-Identifier: Apache-2.0
/* The `inverters:` section: which protocol on which port, with the options for the inverter's
 * quirks. */
#include <stdio.h>
#include <string.h>

#include "config_read.h"

static void read_options(struct loader *loader, const yaml_node_t *map, const struct wire *wire,
			 struct config_inverter *inverter)
{
	const yaml_node_t *options = doc_get(loader->doc, map, "options"), *key, *value;
	struct wire_context context;
	char why[256];

	wire_context_init(wire, &context);
	for (int i = 0; i < doc_map_size(options); i++) {
		doc_map_pair(loader->doc, options, i, &key, &value);
		if (i == INVERTER_MAX_OPTIONS || !doc_text(key) || !doc_text(value)) {
			doc_complain(loader->doc, key, "options are name: value pairs, at most %d",
				     INVERTER_MAX_OPTIONS);
			return;
		}
		if (wire_set_option(wire, &context, doc_text(key), doc_text(value), why,
				    sizeof why) < 0)
			doc_complain(loader->doc, value, "%s", why);
		snprintf(inverter->options[i].name, sizeof inverter->options[i].name, "%s",
			 doc_text(key));
		snprintf(inverter->options[i].value, sizeof inverter->options[i].value, "%s",
			 doc_text(value));
		inverter->option_count = i + 1;
	}
}

/* A CAN protocol needs a CAN port and the reverse; the commonest mistake is a tty without its
 * slcan: prefix. */
static void check_kind(struct loader *loader, const yaml_node_t *map, const struct wire_info *info,
		       const char *port)
{
	const yaml_node_t *node = doc_get(loader->doc, map, "port");
	const bool slcan = strncmp(port, "slcan:", 6) == 0, tty = port[0] == '/';

	if (info->scope != WIRE_OF_BATTERY)
		doc_complain(loader->doc, doc_get(loader->doc, map, "protocol"),
			     "'%s' is a pack protocol, not an inverter's", info->id);
	else if (info->framing == WIRE_CAN && tty)
		doc_complain(
			loader->doc, node,
			"'%s' is CAN: use an interface like can0, or slcan:%s for an slcan adapter",
			info->id, port);
	else if (info->framing != WIRE_CAN && (slcan || !tty))
		doc_complain(loader->doc, node,
			     "'%s' is RS485: use a serial port like /dev/ttyUSB1", info->id);
}

static void read_profile(struct loader *loader, const yaml_node_t *map,
			 struct config_inverter *inverter)
{
	struct wire *wire = config_protocol(loader, map, inverter->protocol);
	struct wire_info info;

	if (!wire)
		return;
	wire_get_info(wire, &info);
	check_kind(loader, map, &info, inverter->port);
	read_options(loader, map, wire, inverter);
	wire_free(wire);
}

static void read_inverter(struct loader *loader, const yaml_node_t *map,
			  struct config_inverter *inverter)
{
	static const char *const keys[] = {"protocol", "port",    "bitrate", "baud",
					   "address",  "options", NULL};
	int64_t number;

	inverter->address = -1;
	if (!config_section(loader, map, keys))
		return;
	config_require(loader, map, "protocol", "protocol: can/pylon-lv-1.2");
	config_require(loader, map, "port", "port: can0");
	config_text(loader, map, "protocol", inverter->protocol, sizeof inverter->protocol);
	config_text(loader, map, "port", inverter->port, sizeof inverter->port);
	config_baud(loader, map, "baud", &inverter->bitrate);
	if (config_integer(loader, map, "bitrate", 10000, 1000000, &number))
		inverter->bitrate = (uint32_t)number;
	if (config_integer(loader, map, "address", 0, 255, &number))
		inverter->address = (int)number;
	if (inverter->protocol[0] && inverter->port[0])
		read_profile(loader, map, inverter);
	config_check_port(loader, map, inverter->port);
}

void config_inverters(struct loader *loader, const yaml_node_t *list)
{
	const int count = doc_list_size(list);

	if (list && !doc_is_list(list))
		doc_complain(
			loader->doc, list,
			"'inverters' is a list, for example\n  - {protocol: can/pylon-lv-1.2, port: can0}");
	if (count > STATUS_MAX_INVERTERS)
		doc_complain(loader->doc, list, "at most %d inverters are possible",
			     STATUS_MAX_INVERTERS);
	for (int i = 0; i < count && i < STATUS_MAX_INVERTERS; i++) {
		const yaml_node_t *item = doc_list_item(loader->doc, list, i);

		if (!doc_is_map(item))
			doc_complain(loader->doc, item,
				     "an inverter is {protocol: ..., port: ...}");
		read_inverter(loader, item, &loader->config->inverters[i]);
		loader->config->inverter_count = i + 1;
	}
}

int config_links(const struct config *config, struct inverter_config out[STATUS_MAX_INVERTERS])
{
	for (int i = 0; i < config->inverter_count; i++) {
		const struct config_inverter *from = &config->inverters[i];

		out[i] = (struct inverter_config){.protocol = from->protocol,
						  .port = from->port,
						  .bitrate = from->bitrate,
						  .address = from->address,
						  .option_count = from->option_count};
		for (int n = 0; n < from->option_count; n++)
			out[i].options[n] = (struct inverter_option){from->options[n].name,
								     from->options[n].value};
	}
	return config->inverter_count;
}
