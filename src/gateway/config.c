// SPDX-License-Identifier: Apache-2.0
/* Reads onepack.yaml. Goes through the whole file, so that a user sees every mistake at once;
 * whatever cannot work is refused here, before anything is started. Protocol files are loaded to
 * check ids and options. */
#include "config.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "onepack/doc.h"
#include "onepack/fusion_config.h"
#include "onepack/wire.h"

#define DEFAULT_STORE "/var/lib/onepack/history.db"

struct loader {
	struct doc *doc;
	struct config *config;
	FILE *errors;
};

/* Copies a text value into a fixed member; complains when it is too long. */
static void read_text(struct loader *loader, const yaml_node_t *map, const char *key, char *out,
		      size_t size)
{
	const yaml_node_t *node = doc_get(loader->doc, map, key);
	const char *text;

	if (!node || !doc_string(loader->doc, node, &text))
		return;
	if (strlen(text) >= size)
		doc_complain(loader->doc, node, "'%s' is too long; at most %zu characters", key,
			     size - 1);
	else
		memcpy(out, text, strlen(text) + 1);
}

static bool read_integer(struct loader *loader, const yaml_node_t *map, const char *key,
			 int64_t low, int64_t high, int64_t *out)
{
	const yaml_node_t *node = doc_get(loader->doc, map, key);

	return node && doc_integer(loader->doc, node, low, high, out);
}

/* True when `node` is a mapping; absent (NULL) is silently not one. */
static bool section(struct loader *loader, const yaml_node_t *node, const char *const keys[])
{
	if (!node)
		return false;
	if (!doc_is_map(node)) {
		doc_complain(loader->doc, node, "key: value pairs are expected here");
		return false;
	}
	doc_check_keys(loader->doc, node, keys);
	return true;
}

static void require(struct loader *loader, const yaml_node_t *map, const char *key,
		    const char *example)
{
	if (!doc_get(loader->doc, map, key))
		doc_complain(loader->doc, map, "'%s' is missing, for example %s", key, example);
}

/* --- addresses: auto | 5 | 1-16 | 1,3,5-7 | [1, 2, 3] --- */

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

/* --- ports --- */

/* A port may be used once. Compares with all earlier buses and inverters. */
static void check_port(struct loader *loader, const yaml_node_t *map, const char *port)
{
	const struct config *config = loader->config;
	int uses = 0;

	for (int i = 0; i < config->bus_count; i++)
		uses += strcmp(config->buses[i].port, port) == 0;
	for (int i = 0; i < config->inverter_count; i++)
		uses += strcmp(config->inverters[i].port, port) == 0;
	if (port[0] && uses > 0)
		doc_complain(loader->doc, doc_get(loader->doc, map, "port"),
			     "port '%s' is already used above; each line needs its own", port);
}

static void read_baud(struct loader *loader, const yaml_node_t *map, const char *key, uint32_t *out)
{
	static const int64_t bauds[] = {1200,  2400,   4800,   9600,   19200,  38400,
					57600, 115200, 230400, 460800, 500000, 921600};
	int64_t baud;

	if (!read_integer(loader, map, key, 1200, 1000000, &baud))
		return;
	for (size_t i = 0; i < sizeof bauds / sizeof bauds[0]; i++)
		if (bauds[i] == baud) {
			*out = (uint32_t)baud;
			return;
		}
	doc_complain(loader->doc, doc_get(loader->doc, map, key),
		     "%lld is not a usual bit rate; RS485 packs use 9600 or 115200",
		     (long long)baud);
}

/* --- buses --- */

/* Loads a protocol; one that does not exist is complained about at the place that names it, one
 * that has mistakes also with these, as FILE:LINE:COLUMN in its own file. */
static struct wire *load_protocol(struct loader *loader, const yaml_node_t *map, const char *id)
{
	const yaml_node_t *node = doc_get(loader->doc, map, "protocol");
	char *mistakes = NULL;
	size_t size = 0;
	FILE *text = open_memstream(&mistakes, &size);
	struct wire *wire = text ? wire_load(id, text) : NULL;

	if (text)
		fclose(text);
	if (!wire && mistakes && strstr(mistakes, ".yaml:")) {
		if (loader->errors)
			fputs(mistakes, loader->errors);
		doc_complain(loader->doc, node, "the file of protocol '%s' has mistakes", id);
	} else if (!wire) {
		doc_complain(loader->doc, node,
			     "there is no protocol '%s'; `onepack wire list` names them", id);
	}
	free(mistakes);
	return wire;
}

static void check_pack_protocol(struct loader *loader, const yaml_node_t *map, const char *id)
{
	struct wire *wire;
	struct wire_info info;
	const yaml_node_t *node = doc_get(loader->doc, map, "protocol");

	if (strcmp(id, "auto") == 0)
		return;
	wire = load_protocol(loader, map, id);
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

	if (!section(loader, map, keys))
		return;
	require(loader, map, "port", "port: /dev/ttyUSB0");
	snprintf(bus->name, sizeof bus->name, "bus%d", number);
	snprintf(bus->protocol, sizeof bus->protocol, "auto");
	read_text(loader, map, "name", bus->name, sizeof bus->name);
	read_text(loader, map, "port", bus->port, sizeof bus->port);
	read_text(loader, map, "protocol", bus->protocol, sizeof bus->protocol);
	read_baud(loader, map, "baud", &bus->baud);
	read_addresses(loader, map, &bus->addresses);
	check_pack_protocol(loader, map, bus->protocol);
	check_port(loader, map, bus->port);
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

static void read_buses(struct loader *loader, const yaml_node_t *list)
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

/* --- inverters --- */

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
	struct wire *wire = load_protocol(loader, map, inverter->protocol);
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
	if (!section(loader, map, keys))
		return;
	require(loader, map, "protocol", "protocol: can/pylon-lv-1.2");
	require(loader, map, "port", "port: can0");
	read_text(loader, map, "protocol", inverter->protocol, sizeof inverter->protocol);
	read_text(loader, map, "port", inverter->port, sizeof inverter->port);
	read_baud(loader, map, "baud", &inverter->bitrate);
	if (read_integer(loader, map, "bitrate", 10000, 1000000, &number))
		inverter->bitrate = (uint32_t)number;
	if (read_integer(loader, map, "address", 0, 255, &number))
		inverter->address = (int)number;
	if (inverter->protocol[0] && inverter->port[0])
		read_profile(loader, map, inverter);
	check_port(loader, map, inverter->port);
}

static void read_inverters(struct loader *loader, const yaml_node_t *list)
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

/* --- web, mqtt, store, identity --- */

static void read_web(struct loader *loader, const yaml_node_t *map)
{
	static const char *const keys[] = {"listen",       "root",       "password_hash",
					   "demo_control", "host_names", NULL};
	struct web_config *web = &loader->config->web;

	if (!section(loader, map, keys))
		return;
	read_text(loader, map, "listen", web->listen, sizeof web->listen);
	read_text(loader, map, "root", web->root, sizeof web->root);
	read_text(loader, map, "password_hash", web->password_hash, sizeof web->password_hash);
	read_text(loader, map, "demo_control", web->demo_control, sizeof web->demo_control);
	read_text(loader, map, "host_names", web->host_names, sizeof web->host_names);
}

static void read_mqtt(struct loader *loader, const yaml_node_t *map)
{
	static const char *const keys[] = {
		"host",     "port", "username",         "password",   "ca_file", "cert_file",
		"key_file", "base", "discovery_prefix", "interval_s", NULL};
	struct mqtt_config *mqtt = &loader->config->mqtt;
	const yaml_node_t *node;
	int64_t number;

	if (!section(loader, map, keys))
		return;
	require(loader, map, "host", "host: homeassistant.local");
	read_text(loader, map, "host", mqtt->host, sizeof mqtt->host);
	read_text(loader, map, "username", mqtt->username, sizeof mqtt->username);
	read_text(loader, map, "password", mqtt->password, sizeof mqtt->password);
	read_text(loader, map, "ca_file", mqtt->ca_file, sizeof mqtt->ca_file);
	read_text(loader, map, "cert_file", mqtt->cert_file, sizeof mqtt->cert_file);
	read_text(loader, map, "key_file", mqtt->key_file, sizeof mqtt->key_file);
	read_text(loader, map, "base", mqtt->base, sizeof mqtt->base);
	read_text(loader, map, "discovery_prefix", mqtt->discovery_prefix,
		  sizeof mqtt->discovery_prefix);
	mqtt->port = mqtt->ca_file[0] ? 8883 : 1883;
	if (read_integer(loader, map, "port", 1, 65535, &number))
		mqtt->port = (int)number;
	node = doc_get(loader->doc, map, "interval_s");
	if (node && doc_thousandths(loader->doc, node, 1000, 3600000, &number))
		mqtt->interval_ms = (int32_t)number;
	mqtt->enabled = true;
}

static void read_store(struct loader *loader, const yaml_node_t *map)
{
	static const char *const keys[] = {"path", NULL};

	if (section(loader, map, keys))
		read_text(loader, map, "path", loader->config->store.path,
			  sizeof loader->config->store.path);
}

static void read_identity(struct loader *loader, const yaml_node_t *map)
{
	static const char *const keys[] = {"gateway", "manufacturer", "model", "serial", NULL};
	struct config *config = loader->config;

	if (!section(loader, map, keys))
		return;
	read_text(loader, map, "gateway", config->gateway, sizeof config->gateway);
	read_text(loader, map, "manufacturer", config->identity.manufacturer,
		  sizeof config->identity.manufacturer);
	read_text(loader, map, "model", config->identity.model, sizeof config->identity.model);
	read_text(loader, map, "serial", config->identity.serial, sizeof config->identity.serial);
	for (const char *c = config->gateway; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_') {
			doc_complain(
				loader->doc, doc_get(loader->doc, map, "gateway"),
				"the gateway's name may have letters, digits, - and _ (it becomes a topic)");
			break;
		}
}

/* The host's name as far as it can be part of a topic. */
static void default_gateway(char name[FIELD_TEXT_SIZE])
{
	if (gethostname(name, FIELD_TEXT_SIZE - 1) != 0 || !name[0])
		strcpy(name, "gateway");
	name[FIELD_TEXT_SIZE - 1] = '\0';
	for (char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
			*c = '-';
}

/* The dashboard's files: beside the build when run from a build tree, else where the package puts
 * them. */
static void default_web_root(char *out, size_t size)
{
	char self[PATH_MAX];
	const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);

	snprintf(out, size, "/usr/share/onepack/web");
	if (length <= 0)
		return;
	self[length] = '\0';
	for (int up = 0; up < 4; up++) { /* build/bin/onepackd, build/test/bin/onepackd */
		char *slash = strrchr(self, '/'), candidate[PATH_MAX + 32];

		if (!slash)
			return;
		*slash = '\0';
		snprintf(candidate, sizeof candidate, "%s/web/dist/index.html", self);
		if (access(candidate, R_OK) == 0 && strlen(candidate) < size) {
			*strrchr(candidate, '/') = '\0';
			snprintf(out, size, "%s", candidate);
			return;
		}
	}
}

static void set_defaults(struct config *config)
{
	memset(config, 0, sizeof *config);
	default_gateway(config->gateway);
	strcpy(config->identity.manufacturer, "OnePack");
	strcpy(config->identity.model, "OnePack");
	fusion_config_default(&config->fusion);
	strcpy(config->web.listen, "127.0.0.1:8080");
	default_web_root(config->web.root, sizeof config->web.root);
	strcpy(config->mqtt.base, "onepack");
	strcpy(config->mqtt.discovery_prefix, "homeassistant");
	config->mqtt.interval_ms = 5000;
	store_config_default(&config->store);
	strcpy(config->store.path, DEFAULT_STORE);
}

static void read_all(struct loader *loader)
{
	static const char *const keys[] = {"identity", "buses", "inverters", "battery",
					   "web",      "mqtt",  "store",     NULL};
	const yaml_node_t *root = doc_root(loader->doc);
	struct config *config = loader->config;

	if (!section(loader, root, keys))
		return;
	read_identity(loader, doc_get(loader->doc, root, "identity"));
	read_buses(loader, doc_get(loader->doc, root, "buses"));
	read_inverters(loader, doc_get(loader->doc, root, "inverters"));
	if (doc_get(loader->doc, root, "battery"))
		fusion_config_load(loader->doc, doc_get(loader->doc, root, "battery"),
				   &config->fusion);
	read_web(loader, doc_get(loader->doc, root, "web"));
	read_mqtt(loader, doc_get(loader->doc, root, "mqtt"));
	read_store(loader, doc_get(loader->doc, root, "store"));
	memcpy(config->mqtt.gateway, config->gateway, sizeof config->gateway);
	snprintf(config->web.gateway, sizeof config->web.gateway, "%s", config->gateway);
	snprintf(config->web.store_path, sizeof config->web.store_path, "%s", config->store.path);
}

bool config_load(const char *path, struct config *out, FILE *errors)
{
	struct loader loader = {.doc = doc_load(path, errors), .config = out, .errors = errors};
	bool good;

	if (!loader.doc)
		return false;
	set_defaults(out);
	read_all(&loader);
	good = doc_errors(loader.doc) == 0;
	doc_free(loader.doc);
	return good;
}

int config_inverters(const struct config *config, struct inverter_config out[STATUS_MAX_INVERTERS])
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
