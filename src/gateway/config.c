// SPDX-License-Identifier: Apache-2.0
/* Reads onepack.yaml. Goes through the whole file, so that a user sees every mistake at once;
 * whatever cannot work is refused here, before anything is started. Protocol files are loaded to
 * check ids and options. */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "onepack/fusion_config.h"

#include "config_read.h"

#define DEFAULT_STORE "/var/lib/onepack/history.db"

static void read_web(struct loader *loader, const yaml_node_t *map)
{
	static const char *const keys[] = {"listen",       "root",       "password_hash",
					   "demo_control", "host_names", NULL};
	struct web_config *web = &loader->config->web;

	if (!config_section(loader, map, keys))
		return;
	config_text(loader, map, "listen", web->listen, sizeof web->listen);
	config_text(loader, map, "root", web->root, sizeof web->root);
	config_text(loader, map, "password_hash", web->password_hash, sizeof web->password_hash);
	config_text(loader, map, "demo_control", web->demo_control, sizeof web->demo_control);
	config_text(loader, map, "host_names", web->host_names, sizeof web->host_names);
}

static void read_mqtt(struct loader *loader, const yaml_node_t *map)
{
	static const char *const keys[] = {
		"host",     "port", "username",         "password",   "ca_file", "cert_file",
		"key_file", "base", "discovery_prefix", "interval_s", NULL};
	struct mqtt_config *mqtt = &loader->config->mqtt;
	const yaml_node_t *node;
	int64_t number;

	if (!config_section(loader, map, keys))
		return;
	config_require(loader, map, "host", "host: homeassistant.local");
	config_text(loader, map, "host", mqtt->host, sizeof mqtt->host);
	config_text(loader, map, "username", mqtt->username, sizeof mqtt->username);
	config_text(loader, map, "password", mqtt->password, sizeof mqtt->password);
	config_text(loader, map, "ca_file", mqtt->ca_file, sizeof mqtt->ca_file);
	config_text(loader, map, "cert_file", mqtt->cert_file, sizeof mqtt->cert_file);
	config_text(loader, map, "key_file", mqtt->key_file, sizeof mqtt->key_file);
	config_text(loader, map, "base", mqtt->base, sizeof mqtt->base);
	config_text(loader, map, "discovery_prefix", mqtt->discovery_prefix,
		    sizeof mqtt->discovery_prefix);
	mqtt->port = mqtt->ca_file[0] ? 8883 : 1883;
	if (config_integer(loader, map, "port", 1, 65535, &number))
		mqtt->port = (int)number;
	node = doc_get(loader->doc, map, "interval_s");
	if (node && doc_thousandths(loader->doc, node, 1000, 3600000, &number))
		mqtt->interval_ms = (int32_t)number;
	mqtt->enabled = true;
}

/* How long the history keeps what, and how much a power cut may cost. */
static void read_store(struct loader *loader, const yaml_node_t *map)
{
	static const char *const keys[] = {"path",         "batch_s",       "keep_10s_days",
					   "keep_1m_days", "keep_15m_days", NULL};
	struct store_config *store = &loader->config->store;
	const struct {
		const char *key;
		int64_t low, high;
		int32_t *days;
	} ages[] = {{"keep_10s_days", 1, 60, &store->keep_10s_days},
		    {"keep_1m_days", 1, 3650, &store->keep_1m_days},
		    {"keep_15m_days", 1, 36500, &store->keep_15m_days}};
	int64_t number;

	if (!config_section(loader, map, keys))
		return;
	config_text(loader, map, "path", store->path, sizeof store->path);
	if (config_integer(loader, map, "batch_s", 10, 3600, &number))
		store->batch_ms = (int32_t)number * 1000;
	for (size_t i = 0; i < sizeof ages / sizeof ages[0]; i++)
		if (config_integer(loader, map, ages[i].key, ages[i].low, ages[i].high, &number))
			*ages[i].days = (int32_t)number;
}

/* The installer's password of the packs, from a file of its own. */
static void read_pack_password(struct loader *loader, const yaml_node_t *map)
{
	char path[CONFIG_PORT_SIZE] = "", text[64] = "";
	struct rack_update_config *update = &loader->config->update;
	const yaml_node_t *node = doc_get(loader->doc, map, "password_file");
	FILE *file;

	config_text(loader, map, "password_file", path, sizeof path);
	if (!path[0])
		return;
	file = fopen(path, "re");
	if (!file || !fgets(text, sizeof text, file))
		text[0] = '\0';
	if (file)
		(void)fclose(file);
	text[strcspn(text, "\r\n")] = '\0';
	if (!text[0] || strlen(text) >= sizeof update->password)
		doc_complain(loader->doc, node,
			     "'%s' must be readable and hold the packs' installer password, one "
			     "to eight characters",
			     path);
	else
		strcpy(update->password, text);
}

/* Firmware of the packs. */
static void read_update(struct loader *loader, const yaml_node_t *map)
{
	static const char *const keys[] = {"key", "password_file", "watch_s", NULL};
	struct rack_update_config *update = &loader->config->update;
	int64_t number;

	if (!config_section(loader, map, keys))
		return;
	config_require(loader, map, "key", "key: /etc/onepack/maker.pem");
	config_text(loader, map, "key", update->key, sizeof update->key);
	read_pack_password(loader, map);
	if (config_integer(loader, map, "watch_s", 1, 600, &number))
		update->watch_ms = (int32_t)number * 1000;
}

static void read_identity(struct loader *loader, const yaml_node_t *map)
{
	static const char *const keys[] = {"gateway", "manufacturer", "model", "serial", NULL};
	struct config *config = loader->config;

	if (!config_section(loader, map, keys))
		return;
	config_text(loader, map, "gateway", config->gateway, sizeof config->gateway);
	config_text(loader, map, "manufacturer", config->identity.manufacturer,
		    sizeof config->identity.manufacturer);
	config_text(loader, map, "model", config->identity.model, sizeof config->identity.model);
	config_text(loader, map, "serial", config->identity.serial, sizeof config->identity.serial);
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

void config_default(struct config *config)
{
	memset(config, 0, sizeof *config);
	default_gateway(config->gateway);
	strcpy(config->identity.manufacturer, "OnePack");
	strcpy(config->identity.model, "OnePack");
	fusion_config_default(&config->fusion);
	config->web.battery = &config->fusion;
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
	static const char *const keys[] = {"identity", "buses", "inverters", "battery", "web",
					   "mqtt",     "store", "update",    NULL};
	const yaml_node_t *root = doc_root(loader->doc);
	struct config *config = loader->config;

	if (!config_section(loader, root, keys))
		return;
	read_identity(loader, doc_get(loader->doc, root, "identity"));
	config_buses(loader, doc_get(loader->doc, root, "buses"));
	config_inverters(loader, doc_get(loader->doc, root, "inverters"));
	if (doc_get(loader->doc, root, "battery"))
		fusion_config_load(loader->doc, doc_get(loader->doc, root, "battery"),
				   &config->fusion);
	read_web(loader, doc_get(loader->doc, root, "web"));
	read_mqtt(loader, doc_get(loader->doc, root, "mqtt"));
	read_store(loader, doc_get(loader->doc, root, "store"));
	read_update(loader, doc_get(loader->doc, root, "update"));
	memcpy(config->mqtt.gateway, config->gateway, sizeof config->gateway);
	snprintf(config->web.gateway, sizeof config->web.gateway, "%s", config->gateway);
	snprintf(config->web.store_path, sizeof config->web.store_path, "%s", config->store.path);
}

/* What must survive a restart is kept beside the history. */
static void place_state(struct config *config)
{
	const char *slash = strrchr(config->store.path, '/');
	const int length = slash ? (int)(slash - config->store.path) : 0;

	if (slash)
		snprintf(config->update.folder, sizeof config->update.folder, "%.*s", length,
			 config->store.path);
	for (int i = 0; slash && i < config->bus_count; i++) {
		struct rack_bus_config *bus = &config->buses[i];

		if (snprintf(bus->state, sizeof bus->state, "%.*s/addresses-%s", length,
			     config->store.path, bus->name) >= (int)sizeof bus->state) {
			bus->state[0] = '\0';
			continue;
		}
		for (char *c = bus->state + length + 1; *c; c++)
			if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
				*c = '-';
	}
}

bool config_load(const char *path, struct config *out, FILE *errors)
{
	struct loader loader = {.doc = doc_load(path, errors), .config = out, .errors = errors};
	bool good;

	if (!loader.doc)
		return false;
	config_default(out);
	read_all(&loader);
	place_state(out);
	good = doc_errors(loader.doc) == 0;
	doc_free(loader.doc);
	return good;
}
