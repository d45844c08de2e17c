// SPDX-License-Identifier: Apache-2.0
/* Reading of single values, and the checks that buses and inverters share. */
#include <stdlib.h>
#include <string.h>

#include "config_read.h"

/* Copies a text value into a fixed member; complains when it is too long. */
void config_text(struct loader *loader, const yaml_node_t *map, const char *key, char *out,
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

bool config_integer(struct loader *loader, const yaml_node_t *map, const char *key, int64_t low,
		    int64_t high, int64_t *out)
{
	const yaml_node_t *node = doc_get(loader->doc, map, key);

	return node && doc_integer(loader->doc, node, low, high, out);
}

/* True when `node` is a mapping; absent (NULL) is silently not one. */
bool config_section(struct loader *loader, const yaml_node_t *node, const char *const keys[])
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

void config_require(struct loader *loader, const yaml_node_t *map, const char *key,
		    const char *example)
{
	if (!doc_get(loader->doc, map, key))
		doc_complain(loader->doc, map, "'%s' is missing, for example %s", key, example);
}

/* Loads a protocol; one that does not exist is complained about at the place that names it, one
 * that has mistakes also with these, as FILE:LINE:COLUMN in its own file. */
struct wire *config_protocol(struct loader *loader, const yaml_node_t *map, const char *id)
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

/* A port may be used once. Compares with all earlier buses and inverters. */
void config_check_port(struct loader *loader, const yaml_node_t *map, const char *port)
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

void config_baud(struct loader *loader, const yaml_node_t *map, const char *key, uint32_t *out)
{
	static const int64_t bauds[] = {1200,  2400,   4800,   9600,   19200,  38400,
					57600, 115200, 230400, 460800, 500000, 921600};
	int64_t baud;

	if (!config_integer(loader, map, key, 1200, 1000000, &baud))
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
