// SPDX-License-Identifier: Apache-2.0
/* Loading of `messages:` and of the settings of the serial framings. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "jk_record.h"
#include "load.h"
#include "pylon_frame.h"
#include "table.h"

#define MAX_CAN_ID 0x1FFFFFFF
#define MAX_STD_ID 0x7FF

static const char *const can_keys[] = {"id",       "name",    "help",   "when",
				       "from",     "fields",  "length", "period_ms",
				       "extended", "id_plus", "zeros",  NULL};
static const char *const modbus_keys[] = {"registers", "name",   "help",   "when",  "from",
					  "fields",    "length", "record", "write", NULL};
static const char *const pylon_keys[] = {"command", "name",   "help",    "when",   "from",
					 "fields",  "length", "request", "refuse", NULL};

static const char *const jk4e_keys[] = {"code", "name",   "help",   "when",
					"from", "fields", "length", NULL};
static const char *const niu_keys[] = {"offset", "name",   "help",   "when",
				       "from",   "fields", "length", NULL};

static const char *const *keys_of(enum wire_framing framing)
{
	switch (framing) {
	case WIRE_CAN: return can_keys;
	case WIRE_MODBUS: return modbus_keys;
	case WIRE_PYLON: return pylon_keys;
	case WIRE_JK4E: return jk4e_keys;
	case WIRE_NIU: return niu_keys;
	case WIRE_DUAL: break;
	}
	return can_keys;
}

/* The two of a dual protocol are told apart by the key of their messages. */
static const struct framing_ops *ops_of(const struct loader *load, const yaml_node_t *map,
					enum wire_framing *framing)
{
	*framing = load->wire->framing;
	if (*framing != WIRE_DUAL)
		return load->wire->ops;
	*framing = doc_get(load->doc, map, framing_pylon.message_key) ? WIRE_PYLON : WIRE_MODBUS;
	return *framing == WIRE_PYLON ? &framing_pylon : &framing_modbus;
}

/* --- keys of each framing --- */

static void load_can_keys(struct loader *load, const yaml_node_t *map, struct message *message)
{
	const yaml_node_t *period = doc_get(load->doc, map, "period_ms"),
			  *extended = doc_get(load->doc, map, "extended"),
			  *plus = doc_get(load->doc, map, "id_plus"),
			  *zeros = doc_get(load->doc, map, "zeros");
	int64_t number;

	message->period_ms = load->wire->can.period_ms;
	if (period && doc_integer(load->doc, period, 0, 3600000, &number))
		message->period_ms = (int32_t)number;
	message->extended = message->id > MAX_STD_ID;
	if (extended && doc_flag(load->doc, extended, &message->extended) && !message->extended &&
	    message->id > MAX_STD_ID)
		doc_complain(load->doc, extended, "this id has more than 11 bits");
	message->id_plus_address = plus != NULL;
	if (plus && (!doc_text(plus) || strcmp(doc_text(plus), "address") != 0))
		doc_complain(load->doc, plus, "only the address can be added: `id_plus: address`");
	message->withhold_zeros = zeros != NULL;
	if (zeros && (!doc_text(zeros) || strcmp(doc_text(zeros), "withhold") != 0))
		doc_complain(load->doc, zeros, "`zeros:` can only be `withhold`");
}

static void load_record(struct loader *load, const yaml_node_t *map, struct message *message)
{
	static const char *const keys[] = {"type", "trigger", NULL};
	int64_t type, trigger;

	if (!map)
		return;
	doc_check_keys(load->doc, map, keys);
	if (!doc_get(load->doc, map, "type") || !doc_get(load->doc, map, "trigger")) {
		doc_complain(load->doc, map, "a record is written {type: 2, trigger: 0x1620}");
		return;
	}
	if (doc_integer(load->doc, doc_get(load->doc, map, "type"), 1, 255, &type) &&
	    doc_integer(load->doc, doc_get(load->doc, map, "trigger"), 0, 0xFFFF, &trigger)) {
		message->record_type = (int)type;
		message->record_trigger = (uint32_t)trigger;
	}
}

static void load_request(struct loader *load, const yaml_node_t *node, struct message *message)
{
	static const char *const words[] = {[PYLON_ASKS_ADDRESS] = "address",
					    [PYLON_ASKS_MODULE] = "module",
					    [PYLON_ASKS_ALL] = "all",
					    [PYLON_ASKS_SYSTEM] = "system"};
	const char *text = doc_text(node);

	if (!node)
		return;
	for (int i = PYLON_ASKS_ADDRESS; text && i <= PYLON_ASKS_SYSTEM; i++) {
		if (strcmp(text, words[i]) != 0)
			continue;
		message->request = (enum pylon_asks)i;
		return;
	}
	doc_complain(load->doc, node, "`request:` is one of: address, module, all, system");
}

static void load_serial_keys(struct loader *load, const yaml_node_t *map, struct message *message)
{
	const yaml_node_t *write = doc_get(load->doc, map, "write"),
			  *refuse = doc_get(load->doc, map, "refuse");
	int64_t number;

	load_record(load, doc_get(load->doc, map, "record"), message);
	if (write && !(message->write_acknowledge =
			       doc_text(write) && strcmp(doc_text(write), "acknowledge") == 0))
		doc_complain(load->doc, write, "`write:` can only be `acknowledge`");
	load_request(load, doc_get(load->doc, map, "request"), message);
	if (refuse && doc_integer(load->doc, refuse, 1, 255, &number))
		message->refuse = (int)number;
}

/* --- checks --- */

static int fullest_size(const struct item *items, int count);

static int item_size(const struct item *item)
{
	static const int most[] = {ONEPACK_MAX_CELLS, ONEPACK_MAX_TEMPERATURES, ONEPACK_MAX_PACKS};

	if (item->kind == ITEM_WHEN)
		return fullest_size(item->items, item->item_count);
	if (item->kind == ITEM_REPEAT)
		return item->counted_size + (item->count ? item->count : most[item->repeat]) *
						    fullest_size(item->items, item->item_count);
	return item->size;
}

static bool exclude_each_other(const struct item *a, const struct item *b)
{
	if (a->kind != ITEM_WHEN || b->kind != ITEM_WHEN || a->when.option != b->when.option)
		return false;
	if (a->when.negated || b->when.negated)
		return a->when.value == b->when.value && a->when.negated != b->when.negated;
	return a->when.value != b->when.value;
}

/* Branches of the same option exclude each other: of neighbouring `when`s only the longest counts.
 */
static int fullest_size(const struct item *items, int count)
{
	int size = 0;

	for (int i = 0; i < count; i++) {
		int longest = item_size(&items[i]);

		while (i + 1 < count && exclude_each_other(&items[i], &items[i + 1])) {
			i++;
			if (item_size(&items[i]) > longest)
				longest = item_size(&items[i]);
		}
		size += longest;
	}
	return size;
}

static int size_of(const struct message *message)
{
	const int size = fullest_size(message->items, message->item_count);

	return size > message->length ? size : message->length;
}

static bool same_id(const struct wire *wire, const struct message *a, const struct message *b)
{

	if (a->framing != b->framing)
		return false;
	if (a->framing == WIRE_MODBUS && a->from_inverter != b->from_inverter)
		return false; /* a register may be read one way and written another */
	if (a->framing != WIRE_MODBUS && a->framing != WIRE_NIU)
		return a->id == b->id && a->extended == b->extended && a->request == b->request;
	const size_t place_a = table_place(wire, a->framing, a->id),
		     place_b = table_place(wire, b->framing, b->id);

	return place_a < place_b + (size_t)size_of(b) && place_b < place_a + (size_t)size_of(a);
}

static void check_message(struct loader *load, const yaml_node_t *map,
			  const struct message *message)
{
	struct wire *wire = load->wire;
	const int most = message->framing == WIRE_CAN     ? 8
			 : message->framing == WIRE_PYLON ? PYLON_MAX_INFO
							  : WIRE_MAX_LAYOUT;
	const int size = fullest_size(message->items, message->item_count);

	if (size_of(message) > most)
		doc_complain(load->doc, map, "the fields are %d bytes long, at most %d fit",
			     size_of(message), most);
	else if (message->record_type && size_of(message) > JK_RECORD_DATA)
		doc_complain(load->doc, map, "the fields are %d bytes long, a record holds %d",
			     size_of(message), JK_RECORD_DATA);
	else if (message->length && size > message->length)
		doc_complain(load->doc, map, "the fields are %d bytes long, `length:` says %d",
			     size, message->length);
	for (const struct message *other = wire->messages; other < message; other++)
		if (same_id(wire, other, message)) {
			doc_complain(load->doc, map, "0x%X overlaps with message '%s' above",
				     message->id, other->name);
			return;
		}
}

/* --- messages --- */

static bool load_id(struct loader *load, const yaml_node_t *map, struct message *message)
{
	const char *key = ops_of(load, map, &message->framing)->message_key;
	const yaml_node_t *node = doc_get(load->doc, map, key);
	const int64_t highest = message->framing == WIRE_CAN      ? MAX_CAN_ID
				: message->framing != WIRE_MODBUS ? 0xFF
								  : 0xFFFF;
	int64_t number;

	if (!node) {
		doc_complain(load->doc, map, "a message needs `%s:`", key);
		return false;
	}
	if (!doc_integer(load->doc, node, 0, highest, &number))
		return false;
	message->id = (uint32_t)number;
	return true;
}

/* Names become identifiers in a DBC file. */
static void load_name_of(struct loader *load, const yaml_node_t *map, struct message *message)
{
	const yaml_node_t *node = doc_get(load->doc, map, "name");
	const char *text = doc_text(node);

	message->name = "";
	if (!node) {
		doc_complain(load->doc, map, "a message needs a `name:`");
		return;
	}
	if (!text || !isalpha((unsigned char)text[0]) ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") !=
		    strlen(text)) {
		doc_complain(load->doc, node, "a name is made of letters, digits and _");
		return;
	}
	message->name = wire_keep_text(load->wire, text);
	for (const struct message *other = load->wire->messages; other < message; other++)
		if (strcmp(other->name, message->name) == 0)
			doc_complain(load->doc, map, "there is a message '%s' already", text);
}

static void load_from(struct loader *load, const yaml_node_t *node, struct message *message)
{
	message->scope = load->wire->scope == WIRE_OF_PACK ? SCOPE_PACK : SCOPE_BATTERY;
	if (!node)
		return;
	message->from_inverter = doc_text(node) && strcmp(doc_text(node), "inverter") == 0;
	if (message->from_inverter)
		message->scope = SCOPE_INVERTER;
	else
		doc_complain(load->doc, node, "`from:` can only be `inverter`");
}

static void load_message(struct loader *load, const yaml_node_t *map, struct message *message)
{
	const yaml_node_t *help = doc_get(load->doc, map, "help"),
			  *when = doc_get(load->doc, map, "when"),
			  *length = doc_get(load->doc, map, "length");
	int64_t number;

	message->when.option = -1;
	message->name = "";
	if (!doc_is_map(map)) {
		doc_complain(load->doc, map,
			     "a message is written like {id: 0x351, name: limits, "
			     "fields: [...]}");
		return;
	}
	const bool has_id = load_id(load, map, message);

	doc_check_keys(load->doc, map, keys_of(message->framing));
	if (!has_id)
		return;
	load_name_of(load, map, message);
	message->help = doc_text(help) ? wire_keep_text(load->wire, doc_text(help)) : NULL;
	load_from(load, doc_get(load->doc, map, "from"), message);
	if (when)
		load_when(load, when, &message->when);
	if (length && doc_integer(load->doc, length, 1, WIRE_MAX_LAYOUT, &number))
		message->length = (int)number;
	if (load->wire->framing == WIRE_CAN)
		load_can_keys(load, map, message);
	else
		load_serial_keys(load, map, message);
	load->message = message;
	load->scope = message->scope;
	load->repeat = -1;
	if (!message->refuse)
		message->items = load_items(load, map, &message->item_count);
	check_message(load, map, message);
}

void load_messages(struct loader *load, const yaml_node_t *list)
{
	const int count = doc_list_size(list);
	struct wire *wire = load->wire;
	const int before = wire->message_count; /* of included files */
	struct message *messages;

	if (!count || before + count > WIRE_MAX_MESSAGES) {
		doc_complain(load->doc, list, "`messages:` with 1 to %d messages is expected",
			     WIRE_MAX_MESSAGES);
		return;
	}
	messages = wire_keep(wire, (size_t)(before + count) * sizeof *messages);
	if (!messages)
		return;
	if (before)
		memcpy(messages, wire->messages, (size_t)before * sizeof *messages);
	wire->messages = messages;
	for (int i = 0; i < count; i++, wire->message_count++)
		load_message(load, doc_list_item(load->doc, list, i), &messages[before + i]);
}

/* --- settings of the serial framings --- */

/* "1-16" or "5" */
static void load_addresses(struct doc *doc, const yaml_node_t *node, struct wire *wire)
{
	const char *text = doc_text(node);
	char *end = NULL;
	long first, last;

	if (!node)
		return;
	first = last = text ? strtol(text, &end, 0) : -1;
	if (text && *end == '-')
		last = strtol(end + 1, &end, 0);
	if (!text || end == text || *end || first < 0 || last < first || last > 255) {
		doc_complain(doc, node, "addresses are written like 1-16");
		return;
	}
	wire->first_address = (int)first;
	wire->last_address = (int)last;
}

static bool word_of(struct doc *doc, const yaml_node_t *node, const char *no, const char *yes)
{
	const char *text = doc_text(node);

	if (!node || (text && strcmp(text, no) == 0))
		return false;
	if (text && strcmp(text, yes) == 0)
		return true;
	doc_complain(doc, node, "this is `%s` or `%s`", no, yes);
	return false;
}

static void load_line(struct doc *doc, const yaml_node_t *map, struct wire *wire)
{
	const yaml_node_t *baud = doc_get(doc, map, "baud"),
			  *address = doc_get(doc, map, "address");
	int64_t number;

	if (!baud)
		doc_complain(doc, map, "`baud:` is missing");
	else if (doc_integer(doc, baud, 300, 1000000, &number))
		wire->bitrate = (uint32_t)number;
	if (!address)
		doc_complain(doc, map, "`address:`, the default of this protocol, is missing");
	else if (doc_integer(doc, address, 0, 255, &number))
		wire->default_address = (int)number;
	load_addresses(doc, doc_get(doc, map, "addresses"), wire);
	wire->even_parity = word_of(doc, doc_get(doc, map, "parity"), "none", "even");
}

void load_line_only(struct doc *doc, const yaml_node_t *node, struct wire *wire)
{
	static const char *const keys[] = {"baud", "parity", "address", "addresses", NULL};

	doc_check_keys(doc, node, keys);
	load_line(doc, node, wire);
}

static void load_functions(struct doc *doc, const yaml_node_t *list, struct wire *wire)
{
	wire->modbus.functions = list ? 0 : 1u << 3;
	for (int i = 0; i < doc_list_size(list); i++) {
		int64_t number;

		if (doc_integer(doc, doc_list_item(doc, list, i), 1, 31, &number))
			wire->modbus.functions |= 1u << number;
	}
	if (!wire->modbus.functions)
		doc_complain(doc, list, "functions are a list like [3, 16]");
}

static void load_us(struct doc *doc, const yaml_node_t *node, int32_t *out)
{
	int64_t us;

	if (node && doc_thousandths(doc, node, 0, 10000 * 1000, &us))
		*out = (int32_t)us;
}

static void load_register(struct doc *doc, const yaml_node_t *node, int *out)
{
	int64_t number;

	if (node && doc_integer(doc, node, 0, 0xFFFF, &number))
		*out = (int)number;
}

/* How packs want to be asked, and what their master says besides. */
static void load_polling(struct doc *doc, const yaml_node_t *node, struct wire_polling *polling)
{
	load_us(doc, doc_get(doc, node, "gap_ms"), &polling->gap_us);
	load_us(doc, doc_get(doc, node, "reaction_ms"), &polling->reaction_us);
	load_us(doc, doc_get(doc, node, "cycle_ms"), &polling->cycle_us);
	load_register(doc, doc_get(doc, node, "counter"), &polling->counter_register);
	load_register(doc, doc_get(doc, node, "sync"), &polling->sync_register);
	load_register(doc, doc_get(doc, node, "search"), &polling->search_register);
}

void load_modbus(struct doc *doc, const yaml_node_t *node, struct wire *wire)
{
	static const char *const keys[] = {"baud",        "parity",    "address",  "addresses",
					   "register",    "functions", "max",      "refuse",
					   "dialect",     "gap_ms",    "cycle_ms", "counter",
					   "reaction_ms", "sync",      "search",   NULL};
	const yaml_node_t *max = doc_get(doc, node, "max"), *refuse = doc_get(doc, node, "refuse");
	int64_t number;

	doc_check_keys(doc, node, keys);
	load_line(doc, node, wire);
	wire->modbus.byte_registers = word_of(doc, doc_get(doc, node, "register"), "word", "byte");
	wire->modbus.voltronic = word_of(doc, doc_get(doc, node, "dialect"), "none", "voltronic");
	load_functions(doc, doc_get(doc, node, "functions"), wire);
	load_polling(doc, node, &wire->polling);
	wire->modbus.max_words = 125;
	wire->modbus.refuse = 2;
	if (max && doc_integer(doc, max, 1, 125, &number))
		wire->modbus.max_words = (int)number;
	if (refuse && doc_integer(doc, refuse, 1, 255, &number))
		wire->modbus.refuse = (int)number;
}

void load_pylon(struct doc *doc, const yaml_node_t *node, struct wire *wire)
{
	static const char *const keys[] = {"baud", "address", "addresses", "version",
					   "cid1", "masters", NULL};
	const yaml_node_t *version = doc_get(doc, node, "version"),
			  *cid1 = doc_get(doc, node, "cid1");
	int64_t number;

	doc_check_keys(doc, node, keys);
	load_line(doc, node, wire);
	wire->pylon = (struct pylon_settings){
		.version = 0x20, .cid1 = 0x46, .address = wire->default_address};
	wire->pylon.any_master = word_of(doc, doc_get(doc, node, "masters"), "one", "any");
	if (cid1 && doc_integer(doc, cid1, 0, 255, &number))
		wire->pylon.cid1 = (int)number;
	if (doc_text(version) && strcmp(doc_text(version), "asked") == 0)
		wire->pylon.version = -1;
	else if (version && doc_integer(doc, version, 0, 255, &number))
		wire->pylon.version = (int)number;
}
