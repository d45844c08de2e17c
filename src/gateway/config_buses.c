// SPDX-License-Identifier: Apache-2.0
/* The `buses:` section: RS485 lines with packs, and their addresses (auto | 5 | 1-16 | 1,3,5-7 |
 * [1, 2, 3]). */
#include <stdio.h>
#include <string.h>

#include "config_read.h"

/* Adds "5" or "1-16" to the mask. */
static bool add_range(const char *text, size_t length, uint32_t *mask)
{
	char copy[16];
	unsigned first, last;
	int used = 0;

	if (length >= sizeof copy)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (sscanf(copy, "%2u - %2u%n", &first, &last, &used) != 2 || copy[used]) {
		if (sscanf(copy, "%2u%n", &first, &used) != 1 || copy[used])
			return false;
		last = first;
	}
	if (first < 1 || last >= BUS_MAX_ADDRESS || first > last)
		return false;
	for (unsigned address = first; address <= last; address++)
		*mask |= 1u << address;
	return true;
}

static bool parse_addresses(const char *text, uint32_t *mask)
{
	while (*text) {
		const size_t length = strcspn(text, ",");

		if (!add_range(text, length, mask))
			return false;
		text += length + (text[length] == ',');
	}
	return *mask != 0;
}

static void read_addresses(struct loader *loader, const yaml_node_t *map, uint32_t *mask)
{
	const yaml_node_t *node = doc_get(loader->doc, map, "addresses");
	const yaml_node_t *bad = NULL;

	*mask = 0;
	if (!node || (doc_text(node) && strcmp(doc_text(node), "auto") == 0))
		return;
	if (doc_is_scalar(node) && !parse_addresses(doc_text(node), mask))
		bad = node;
	for (int i = 0; i < doc_list_size(node); i++) {
		const yaml_node_t *item = doc_list_item(loader->doc, node, i);

		if (!doc_text(item) || !parse_addresses(doc_text(item), mask))
			bad = item;
	}
	if (bad || doc_is_map(node))
		doc_complain(
			loader->doc, bad ? bad : node,
			"addresses are auto, a number, a range or several: 1-8 or [1, 2, 5-7]; from 1 to %d",
			BUS_MAX_ADDRESS - 1);
}

static void check_pack_protocol(struct loader *loader, const yaml_node_t *map, const char *id)
{
	struct wire *wire;
	struct wire_info info;
	const yaml_node_t *node = doc_get(loader->doc, map, "protocol");

	if (strcmp(id, "auto") == 0)
		return;
	wire = config_protocol(loader, map, id);
	if (!wire)
		return;
	wire_get_info(wire, &info);
	if (info.scope != WIRE_OF_PACK || info.framing == WIRE_CAN)
		doc_complain(loader->doc, node,
			     "'%s' is not a serial pack protocol; use one that starts with pack/",
			     id);
	wire_free(wire);
}

static void read_bus(struct loader *loader, const yaml_node_t *map, struct rack_bus_config *bus,
		     int number)
{
	static const char *const keys[] = {"name", "port", "baud", "protocol", "addresses", NULL};

	if (!config_section(loader, map, keys))
		return;
	config_require(loader, map, "port", "port: /dev/ttyUSB0");
	snprintf(bus->name, sizeof bus->name, "bus%d", number);
	snprintf(bus->protocol, sizeof bus->protocol, "auto");
	config_text(loader, map, "name", bus->name, sizeof bus->name);
	config_text(loader, map, "port", bus->port, sizeof bus->port);
	config_text(loader, map, "protocol", bus->protocol, sizeof bus->protocol);
	config_baud(loader, map, "baud", &bus->baud);
	read_addresses(loader, map, &bus->addresses);
	check_pack_protocol(loader, map, bus->protocol);
	config_check_port(loader, map, bus->port);
}

/* Pack numbers are 1..16, so no more addresses can be listed; `auto` numbers what it finds. */
static void check_address_count(struct loader *loader, const yaml_node_t *list)
{
	int listed = 0;

	for (int i = 0; i < loader->config->bus_count; i++)
		listed += __builtin_popcount(loader->config->buses[i].addresses);
	if (listed > ONEPACK_MAX_PACKS)
		doc_complain(loader->doc, list,
			     "%d addresses are listed, but a rack has at most %d packs", listed,
			     ONEPACK_MAX_PACKS);
}

void config_buses(struct loader *loader, const yaml_node_t *list)
{
	const int count = doc_list_size(list);

	if (count == 0) {
		doc_complain(loader->doc, list,
			     "'buses' is missing: a list of RS485 lines with packs, for example\n"
			     "  buses:\n    - {name: rack, port: /dev/ttyUSB0}");
		return;
	}
	if (count > STATUS_MAX_BUSES)
		doc_complain(loader->doc, list, "at most %d buses are possible", STATUS_MAX_BUSES);
	for (int i = 0; i < count && i < STATUS_MAX_BUSES; i++) {
		const yaml_node_t *item = doc_list_item(loader->doc, list, i);

		if (!doc_is_map(item))
			doc_complain(loader->doc, item, "a bus is {name: ..., port: ...}");
		read_bus(loader, item, &loader->config->buses[i], i + 1);
		loader->config->bus_count = i + 1;
	}
	check_address_count(loader, list);
}
