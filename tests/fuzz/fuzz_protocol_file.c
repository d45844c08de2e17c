// SPDX-License-Identifier: Apache-2.0
/* Protocol files of any content: refused or loaded, and what was loaded can be shown, exported and
 * used. */
#include <stdlib.h>
#include <string.h>

#include "wire_internal.h"

static void use(const struct wire *wire, FILE *null)
{
	static struct wire_values values;
	static uint8_t bytes[WIRE_MAX_LAYOUT], unknown[WIRE_MAX_LAYOUT];
	static struct battery battery;
	static struct pack pack;
	struct inverter_view view;
	struct wire_context ctx;

	wire_show(wire, null);
	wire_dbc(wire, null);
	wire_context_init(wire, &ctx);
	wire_values_clear(&values);
	battery_clear(&battery);
	pack_clear(&pack);
	inverter_view_clear(&view);
	for (int i = 0; i < wire_message_count(wire); i++) {
		const struct message *message = &wire->messages[i];
		const void *who = message->scope == SCOPE_BATTERY ? (void *)&battery
				  : message->scope == SCOPE_PACK  ? (void *)&pack
								  : (void *)&view;
		const int size = layout_encode(wire, message, &ctx, wire->order, who, bytes,
					       sizeof bytes, unknown);

		if (size > layout_size(message, &ctx))
			abort();
		if (size > 0)
			layout_decode(wire, message, &ctx, wire->order, bytes, (size_t)size, 0,
				      &values);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *null;
	struct doc *doc;
	struct wire *wire;

	if (!null)
		null = fopen("/dev/null", "w");
	doc = doc_parse("fuzz/f.yaml", (const char *)data, size, null);
	wire = doc ? wire_load_doc(doc, "fuzz/f.yaml") : NULL;
	doc_free(doc);
	if (wire)
		use(wire, null);
	wire_free(wire);
	return 0;
}
