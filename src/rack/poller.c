// SPDX-License-Identifier: Apache-2.0
/* JK packs were seen to miss questions and to send stale bytes with a pause of 50 ms between
 * exchanges, none with 75 and more; what is used here is patient enough for any other pack, too. */
#include "poller.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define AUTO_PROTOCOL   "pack/jk-pb"
#define GAP_US          100000
#define SILENCE_BITS    39      /* 3.5 characters of 11 bits ... */
#define SILENCE_US      1750    /* ... and not less */
#define FROZEN_POLLS    5       /* with the same counter ... */
#define FROZEN_US       2000000 /* ... over so long at least */
#define LISTEN_FIRST_US 1000000 /* the slowest known master asks every 400 ms */
#define BITS_OF_BYTE    10
#define US_PER_S        INT64_C(1000000)

/* --- set-up --- */

static enum schedule_role role_of(const char *name)
{
	if (strcmp(name, "settings") == 0)
		return SCHEDULE_SETTINGS;
	return strcmp(name, "about") == 0 ? SCHEDULE_ABOUT : SCHEDULE_LIVE;
}

/* Everything that can be asked for is, by the role that its name says. */
static int choose_messages(struct poller *p)
{
	struct schedule_config *config = &p->config;
	int longest = 0;

	for (int i = 0; i < wire_message_count(p->wire); i++) {
		struct wire_message_info info;
		int length = wire_response_length(p->wire, i);
		int asked = answer_begin(&p->answer, i, 1);

		wire_get_message(p->wire, i, &info);
		if (asked <= 0 || config->message_count == SCHEDULE_MAX_MESSAGES)
			continue;
		config->messages[config->message_count].index = i;
		config->messages[config->message_count++].role = role_of(info.name);
		length = asked + (length > 0 ? length : WIRE_MAX_FRAME);
		longest = length > longest ? length : longest;
	}
	config->answer_us = (int32_t)(US_PER_S * BITS_OF_BYTE * longest / p->baud);
	return config->message_count;
}

static uint32_t addresses_of(const struct wire_info *info)
{
	uint32_t mask = 0;

	for (int i = info->first_address; i >= 0 && i <= info->last_address; i++)
		if (i < SCHEDULE_ADDRESSES)
			mask |= UINT32_C(1) << i;
	return mask;
}

static int set_options(struct poller *p, const struct rack_bus_config *config, char *why,
		       size_t why_size)
{
	for (int i = 0; i < config->option_count; i++)
		if (wire_set_option(p->wire, &p->answer.ctx, config->options[i].name,
				    config->options[i].value, why, why_size) < 0)
			return -EINVAL;
	return 0;
}

bool poller_is_auto(const struct rack_bus_config *config)
{
	return config->protocol[0] == '\0' || strcmp(config->protocol, "auto") == 0;
}

const char *poller_protocol(const struct rack_bus_config *config)
{
	return poller_is_auto(config) ? AUTO_PROTOCOL : config->protocol;
}

static int32_t gap_us(const struct poller *p)
{
	int32_t least_us = (int32_t)(US_PER_S * SILENCE_BITS / p->baud);

	if (p->polling.gap_us == 0)
		return GAP_US;
	if (least_us < SILENCE_US)
		least_us = SILENCE_US;
	return p->polling.gap_us > least_us ? p->polling.gap_us : least_us;
}

/* Everything that depends on the protocol. */
static void use_wire(struct poller *p, const struct wire *wire)
{
	struct wire_info info;

	wire_get_info(wire, &info);
	p->wire = p->answer.wire = wire;
	p->polling = info.polling;
	wire_context_init(wire, &p->answer.ctx);
	wire_values_clear(&p->values);
	p->config = (struct schedule_config){
		.addresses = p->wanted ? p->wanted : addresses_of(&info),
		.gap_us = gap_us(p),
		.listen_us = LISTEN_FIRST_US,
		.cycle_us = p->cycle_us ? p->cycle_us : info.polling.cycle_us,
		.reaction_us = info.polling.reaction_us,
		.shy = info.polling.search_register >= 0,
	};
	/* with a single pack, an answer that nobody signed can only be its own */
	p->answer.ctx.alone = (p->config.addresses & (p->config.addresses - 1)) == 0;
	p->searching = info.polling.search_register >= 0;
	if (p->searching)
		search_init(&p->search, info.polling.search_register, p->baud, p->config.addresses);
}

int poller_init(struct poller *p, const struct wire *wire, const struct rack_bus_config *config,
		char *why, size_t why_size)
{
	struct wire_info info;

	wire_get_info(wire, &info);
	p->first_wire = wire;
	p->baud = config->baud ? config->baud : info.bitrate;
	p->listed = config->addresses != 0;
	p->wanted = config->addresses;
	p->cycle_us = config->cycle_ms * 1000;
	if (p->baud > 0)
		use_wire(p, wire);
	if (info.scope != WIRE_OF_PACK || p->baud == 0 || choose_messages(p) == 0) {
		snprintf(why, why_size, "protocol %s is not one that packs can be polled with",
			 info.id);
		return -EINVAL;
	}
	if (p->config.addresses == 0) {
		snprintf(why, why_size, "protocol %s says no addresses: list them", info.id);
		return -EINVAL;
	}
	if (set_options(p, config, why, why_size) < 0)
		return -EINVAL;
	p->first_ctx = p->answer.ctx;
	return 0;
}

void poller_start(struct poller *p, int64_t now_us)
{
	schedule_init(&p->schedule, &p->config, now_us);
}

/* "auto" begins with the first protocol, and looks who is there. */
static void look_for_own_packs(struct poller *p, int64_t now_us)
{
	struct wire_info info;

	if (!p->own_wire)
		return;
	if (p->wire != p->first_wire)
		poller_use(p, p->first_wire, now_us);
	wire_get_info(p->own_wire, &info);
	search_init(&p->search, info.polling.search_register, p->baud,
		    p->wanted ? p->wanted : addresses_of(&info));
	p->search.only_looking = true;
	p->searching = true;
}

void poller_use(struct poller *p, const struct wire *wire, int64_t now_us)
{
	const int64_t listen_us = p->schedule.listen_us;
	struct wire_info info;

	use_wire(p, wire);
	if (wire == p->first_wire)
		p->answer.ctx = p->first_ctx; /* with its options */
	if (choose_messages(p) == 0)
		return; /* cannot be: the protocols of "auto" have messages */
	schedule_init(&p->schedule, &p->config, now_us);
	p->schedule.listen_us = listen_us;
	p->synced_cycles = p->reported_cycles = 0;
	p->asking = false;
	if (p->searching)
		search_open(&p->search, now_us);
	wire_get_info(wire, &info);
	if (p->reports->protocol)
		p->reports->protocol(p->context, p->number, info.id);
}

void poller_open(struct poller *p, int64_t now_us)
{
	ear_clear(&p->ear);
	overhear_start(&p->overhear);
	p->asking = false;
	p->talker = POLLER_NOBODY;
	p->jk_master = false;
	p->answered = false;
	memset(p->pulses, 0, sizeof p->pulses);
	schedule_restart(&p->schedule, now_us);
	look_for_own_packs(p, now_us);
	if (p->searching)
		search_open(&p->search, now_us);
	p->reports->state(p->context, p->number, LINK_UP,
			  schedule_is_listening(&p->schedule, now_us) ? "listening first" : "");
}

/* --- what nobody asked for --- */

/* Samples that another master's questions bring. */
static void overhear(struct poller *p, const uint8_t *bytes, size_t count)
{
	struct overhear *o = &p->overhear;

	overhear_add(o, bytes, count);
	while (overhear_next(o, p->wire, &p->answer.ctx)) {
		const struct pack *pack = &o->values.pack;

		p->jk_master |= pack->address == 0;
		p->reports->answer(p->context, p->number, pack->address, 1, true);
		p->reports->sample(p->context, p->number, pack->address, pack);
	}
}

/* A question in these bytes means hands off, but ears open. */
static void heard_others(struct poller *p, const uint8_t *bytes, size_t count, int64_t now_us)
{
	int questions = ear_hear(&p->ear, p->wire, bytes, count);

	if (questions > 0) {
		if (!schedule_is_listening(&p->schedule, now_us)) {
			overhear_start(&p->overhear);
			p->jk_master = false;
		}
		schedule_foreign(&p->schedule, now_us);
		p->answer.ctx.alone = false;
	}
	if (schedule_is_listening(&p->schedule, now_us))
		overhear(p, bytes, count);
	if (questions > 0)
		p->reports->foreign(p->context, p->number, questions, p->jk_master);
}

/* --- results --- */

static enum schedule_result result_of(int result)
{
	if (result > 0)
		return SCHEDULE_ANSWERED;
	return result == ERR_TIMEOUT ? SCHEDULE_SILENT : SCHEDULE_DAMAGED;
}

bool poller_is_port_error(int result)
{
	return result < 0 && result > ERR_NOT_MINE;
}

/* What a pack says about itself besides live data is part of its later samples, too. */
static void remember(struct poller *p)
{
	struct pack live = p->values.pack;

	p->values.pack = p->known[p->step.address];
	if (answer_read_again(&p->answer, &p->values) > 0)
		p->known[p->step.address] = p->values.pack;
	p->values.pack = live;
}

/* A failed answer may hold somebody else's question. */
static void search_failure(struct poller *p, int64_t now_us)
{
	size_t count;
	const uint8_t *heard = answer_heard(&p->answer, &count);

	heard_others(p, heard, count, now_us);
	ear_clear(&p->ear);
}

/* The counter of measurements in a live answer; false when there is none. */
static bool read_counter(const struct poller *p, uint16_t *out)
{
	struct wire_message_info info;
	const uint8_t *heard;
	size_t count, at;

	if (p->polling.counter_register < 0 || p->step.role != SCHEDULE_LIVE)
		return false;
	wire_get_message(p->wire, p->step.message, &info);
	heard = answer_heard(&p->answer, &count);
	at = 3 + 2 * ((size_t)p->polling.counter_register - info.id);
	if ((uint32_t)p->polling.counter_register < info.id || at + 2 > count)
		return false;
	*out = (uint16_t)(heard[at] << 8 | heard[at + 1]);
	return true;
}

static void tell_frozen(struct poller *p, int address)
{
	struct search_event event = {.address = address, .severity = EVENT_WARNING};

	snprintf(event.kind, sizeof event.kind, "pack_frozen");
	snprintf(event.text, sizeof event.text,
		 "The pack at address %d answers, but its measurements stand still: they are not "
		 "used.",
		 address);
	if (p->reports->event)
		p->reports->event(p->context, p->number, &event);
}

/* A pack whose measurements stand still says nothing about its cells. */
static bool is_frozen(struct poller *p, int address, int64_t now_us)
{
	struct poller_pulse *pulse = &p->pulses[address];
	uint16_t counter;

	if (!read_counter(p, &counter))
		return pulse->frozen;
	if (pulse->since_us == 0 || counter != pulse->counter)
		*pulse = (struct poller_pulse){counter, 0, now_us, false};
	else if (++pulse->same >= FROZEN_POLLS && now_us - pulse->since_us >= FROZEN_US &&
		 !pulse->frozen) {
		pulse->frozen = true;
		tell_frozen(p, address);
	}
	return pulse->frozen;
}

/* Who has begun or ceased to answer. */
static void notice(struct poller *p, int address, bool was_known)
{
	const bool is_known = p->schedule.addresses[address].known;

	if (is_known == was_known)
		return;
	if (is_known)
		search_met(&p->search, address);
	else
		search_gone(&p->search, address);
}

void poller_done(struct poller *p, int result, int64_t active_us, int64_t now_us)
{
	int address = p->step.address;
	bool expected = p->listed || p->schedule.addresses[address].had;
	bool was_known = p->schedule.addresses[address].known;
	bool complete;

	p->asking = false;
	p->polled = true;
	p->reports->answer(p->context, p->number, address, result, expected);
	if (poller_is_port_error(result))
		return;
	schedule_heard(&p->schedule, active_us);
	if (result > 0 && p->step.role != SCHEDULE_LIVE)
		remember(p);
	complete = schedule_done(&p->schedule, now_us, result_of(result));
	if (p->searching)
		notice(p, address, was_known);
	if (result > 0 && is_frozen(p, address, now_us))
		complete = false;
	if (result > 0)
		p->answered = true;
	else
		search_failure(p, now_us);
	if (complete)
		p->reports->sample(p->context, p->number, address, &p->values.pack);
}

/* --- time and bytes --- */

static bool knows_anybody(const struct poller *p)
{
	for (int i = 0; i < SCHEDULE_ADDRESSES; i++)
		if (p->schedule.addresses[i].known)
			return true;
	return false;
}

static void report_cycle(struct poller *p, int64_t now_us)
{
	const struct schedule *schedule = &p->schedule;

	if (schedule->cycles == p->reported_cycles || schedule_is_listening(schedule, now_us))
		return;
	p->reported_cycles = schedule->cycles;
	p->reports->cycle(p->context, p->number, schedule->cycle_us / 1000, schedule->cycles);
	p->reports->state(p->context, p->number, LINK_UP,
			  knows_anybody(p) ? "" : "no pack answers");
}

int64_t poller_due_us(struct poller *p, int64_t now_us)
{
	int64_t talk_us;

	if (p->asking || p->talker)
		return p->deadline_us;
	p->step = schedule_next(&p->schedule, now_us);
	report_cycle(p, now_us);
	talk_us = poller_talk_due_us(p, now_us);
	return talk_us < p->step.at_us ? talk_us : p->step.at_us;
}

/* Begins the question of p->step; its length, or an error. */
static int ask(struct poller *p, int64_t now_us)
{
	int address = p->step.address;
	int n;

	if (p->step.stranger)
		pack_clear(&p->known[address]);
	if (p->step.first)
		p->values.pack = p->known[address];
	ear_clear(&p->ear);
	n = answer_begin(&p->answer, p->step.message, address);
	p->request = p->answer.request;
	p->deadline_us = now_us + p->step.timeout_us;
	p->active_us = now_us;
	if (n > 0)
		p->active_us += US_PER_S * BITS_OF_BYTE * n / p->baud;
	p->asking = true;
	return n;
}

size_t poller_turn(struct poller *p, int64_t now_us)
{
	int n;

	if (now_us < poller_due_us(p, now_us))
		return 0;
	if (p->asking) {
		poller_done(p, answer_end(&p->answer, &p->values), p->active_us, now_us);
		return 0;
	}
	if (p->talker) {
		poller_talk_end(p, now_us);
		return 0;
	}
	if (poller_talk_due_us(p, now_us) <= now_us) {
		size_t count = poller_talk_begin(p, now_us);

		if (count > 0)
			return count;
	}
	if (now_us < p->step.at_us)
		return 0;
	if (p->step.kind != SCHEDULE_ASK)
		return 0;
	n = ask(p, now_us);
	if (n > 0)
		return (size_t)n;
	poller_done(p, n, now_us, now_us);
	return 0;
}

void poller_hear(struct poller *p, const uint8_t *bytes, size_t count, int64_t now_us)
{
	int result;

	if (p->talker) {
		poller_talk_hear(p, bytes, count, now_us);
		return;
	}
	if (!p->asking) {
		schedule_heard(&p->schedule, now_us);
		heard_others(p, bytes, count, now_us);
		return;
	}
	p->active_us = now_us;
	result = answer_hear(&p->answer, bytes, count, &p->values);
	if (result != ERR_INCOMPLETE)
		poller_done(p, result, now_us, now_us);
}
