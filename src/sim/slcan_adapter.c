// SPDX-License-Identifier: Apache-2.0
/* Commands: S0..S8 bit rate, O open, L listen only, C close, t/T frame, V v N F questions. Anything
 * else, and everything at the wrong time, is refused with BEL as the Lawicel manual says. */
#include "slcan_adapter.h"

#include <string.h>

#define BEL "\a"

void slcan_adapter_init(struct slcan_adapter *adapter, uint32_t bitrate)
{
	memset(adapter, 0, sizeof *adapter);
	adapter->bus_code = slcan_bitrate_code(bitrate);
	adapter->code = -1;
}

static bool on_bus(const struct slcan_adapter *adapter)
{
	return adapter->open && adapter->code == adapter->bus_code;
}

/* The answer to a frame; at another bit rate than the bus nobody hears it. */
static const char *take_frame(struct slcan_adapter *adapter, slcan_to_bus *bus, void *context)
{
	struct can_message message;

	if (!adapter->open || adapter->listening ||
	    slcan_parse(adapter->line, adapter->length, &message) != SLCAN_FRAME)
		return BEL;
	adapter->frames_in++;
	if (on_bus(adapter))
		bus(context, &message);
	if (adapter->answer == SLCAN_ANSWERS_CR)
		return "\r";
	return adapter->line[0] == 'T' ? "Z\r" : "z\r";
}

static const char *set_bitrate(struct slcan_adapter *adapter)
{
	if (adapter->open || adapter->length != 2 || adapter->line[1] < '0' ||
	    adapter->line[1] > '8')
		return BEL;
	adapter->code = adapter->line[1] - '0';
	return "\r";
}

static const char *set_open(struct slcan_adapter *adapter, bool open, bool listening)
{
	if (adapter->open == open || (open && adapter->code < 0))
		return BEL;
	adapter->open = open;
	adapter->listening = listening;
	return "\r";
}

static const char *take_line(struct slcan_adapter *adapter, slcan_to_bus *bus, void *context)
{
	switch (adapter->length > 0 ? adapter->line[0] : '\0') {
	case '\0': return "\r";
	case 't':
	case 'T': return take_frame(adapter, bus, context);
	case 'S': return set_bitrate(adapter);
	case 'O': return set_open(adapter, true, false);
	case 'L': return set_open(adapter, true, true);
	case 'C': return set_open(adapter, false, false);
	case 'V': return "V1013\r";
	case 'v': return "v0001\r";
	case 'N': return "NSIM1\r";
	case 'F': return "F00\r";
	default: return BEL;
	}
}

void slcan_adapter_feed(struct slcan_adapter *adapter, const uint8_t *bytes, size_t count,
			slcan_to_bus *bus, slcan_to_user *user, void *context)
{
	for (size_t i = 0; i < count; i++) {
		const char *answer;

		if (bytes[i] != '\r') {
			/* An overlong line is cut, and then refused as no command. */
			if (adapter->length < sizeof adapter->line)
				adapter->line[adapter->length++] = (char)bytes[i];
			continue;
		}
		answer = take_line(adapter, bus, context);
		adapter->length = 0;
		adapter->refused += answer[0] == '\a';
		if (adapter->answer != SLCAN_IS_MUTE)
			user(context, answer, strlen(answer));
	}
}

size_t slcan_adapter_frame(struct slcan_adapter *adapter, const struct can_message *message,
			   char text[SLCAN_FRAME_SIZE])
{
	if (!on_bus(adapter))
		return 0;
	adapter->frames_out++;
	return slcan_format(message, text);
}
