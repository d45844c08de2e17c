// SPDX-License-Identifier: Apache-2.0
/* The public functions that are the same for every framing: facts about a protocol, and the
 * hand-over to its framing. */
#include <string.h>

#include "wire_internal.h"

void wire_get_info(const struct wire *wire, struct wire_info *out)
{
	*out = (struct wire_info){.id = wire->id,
				  .title = wire->title,
				  .source = wire->source,
				  .maturity = wire->maturity,
				  .check_first = wire->check_first,
				  .framing = wire->framing,
				  .scope = wire->scope,
				  .bitrate = wire->bitrate,
				  .default_address = wire->default_address,
				  .even_parity = wire->even_parity,
				  .home_address = pylon_home_address(wire),
				  .first_address = wire->first_address,
				  .last_address = wire->last_address,
				  .silence_ms = wire->silence_ms,
				  .inverter_lost_ms = wire->inverter_lost_ms,
				  .polling = wire->polling};
}

void wire_values_clear(struct wire_values *values)
{
	memset(values, 0, sizeof *values);
	battery_clear(&values->battery);
	pack_clear(&values->pack);
	inverter_view_clear(&values->inverter);
}

int wire_message_count(const struct wire *wire)
{
	return wire->message_count;
}

void wire_get_message(const struct wire *wire, int index, struct wire_message_info *out)
{
	const struct message *message = &wire->messages[index];

	*out = (struct wire_message_info){.name = message->name,
					  .id = message->id,
					  .extended = message->extended,
					  .from_inverter = message->from_inverter,
					  .id_plus_address = message->id_plus_address,
					  .record_type = message->record_type,
					  .record_trigger = message->record_trigger,
					  .period_ms = message->period_ms};
}

int wire_address(const struct wire *wire, const struct wire_context *ctx)
{
	return ctx->address >= 0 ? ctx->address : wire->default_address;
}

bool condition_holds(const struct condition *when, const struct wire_context *ctx)
{
	return when->option < 0 || (ctx->option[when->option] == when->value) != when->negated;
}

bool message_is_on(const struct message *message, const struct wire_context *ctx)
{
	return condition_holds(&message->when, ctx);
}

int wire_scan(const struct wire *wire, enum wire_side side, const uint8_t *bytes, size_t count,
	      size_t *start)
{
	return wire->ops->scan ? wire->ops->scan(wire, side, bytes, count, start) : ERR_UNSUPPORTED;
}

int wire_answer(const struct wire *wire, const struct wire_context *ctx, const void *who,
		const uint8_t *frame, size_t count, uint8_t *out, size_t size)
{
	return wire->ops->answer ? wire->ops->answer(wire, ctx, who, frame, count, out, size)
				 : ERR_UNSUPPORTED;
}

int wire_request(const struct wire *wire, int index, const struct wire_context *ctx, int address,
		 uint8_t *out, size_t size)
{
	return wire->ops->request ? wire->ops->request(wire, index, ctx, address, out, size)
				  : ERR_UNSUPPORTED;
}

int wire_response(const struct wire *wire, int index, const struct wire_context *ctx, int address,
		  const uint8_t *bytes, size_t count, struct wire_values *out)
{
	return wire->ops->response
		       ? wire->ops->response(wire, index, ctx, address, bytes, count, out)
		       : ERR_UNSUPPORTED;
}

int wire_response_length(const struct wire *wire, int index)
{
	return wire->ops->response_length ? wire->ops->response_length(wire, index) : 0;
}

int wire_decode_serial(const struct wire *wire, const struct wire_context *ctx,
		       struct wire_listener *listener, const uint8_t *frame, size_t count,
		       struct wire_values *out)
{
	return wire->ops->decode ? wire->ops->decode(wire, ctx, listener, frame, count, out)
				 : ERR_UNSUPPORTED;
}
