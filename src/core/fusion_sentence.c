// SPDX-License-Identifier: Apache-2.0
/* The sentence of each reason, in words that an owner understands: as a statement ("Charging is
 * limited to 63.2 A because ..."), or as what would be without the present cause ("Otherwise
 * charging would be limited to ..."). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fusion_state.h"

#define NUMBER_SIZE 24 /* 19 digits, sign, point */

struct number {
	char text[NUMBER_SIZE];
};

/* A number in thousandths with so many decimals, cut off as limits are. By hand: several numbers
 * are written in every step. */
static struct number decimal(int64_t thousandths, int decimals)
{
	uint64_t size = thousandths < 0 ? (uint64_t)-thousandths : (uint64_t)thousandths;
	struct number number = {""};
	char *at = number.text + sizeof number.text - 1;

	for (int i = decimals; i < 3; i++)
		size /= 10;
	*at = '\0';
	for (int place = 0; size > 0 || place <= decimals; place++) {
		*--at = (char)('0' + size % 10);
		size /= 10;
		if (place == decimals - 1)
			*--at = '.';
	}
	if (thousandths < 0)
		*--at = '-';
	memmove(number.text, at, strlen(at) + 1);
	return number;
}

/* 63249 -> "63.2"; -10500 -> "-10.5" */
static struct number tenths(int64_t thousandths)
{
	return decimal(thousandths, 1);
}

/* 3512 -> "3.512" */
static struct number thousandths(int32_t value)
{
	return decimal(value, 3);
}

/* 55200 -> "55.2", 55215 -> "55.21" */
static struct number hundredths(int32_t value)
{
	return decimal(value, value % 100 >= 10 ? 2 : 1);
}

/* One sentence in the making. */
struct sentence {
	enum limit limit;
	int32_t value;
	enum mood mood;
	char *text;       /* REASON_TEXT_SIZE */
	char opening[80]; /* "Charging is limited to 63.2 A", "Otherwise charging would go up to
			     ..." */
};

__attribute__((format(printf, 2, 3))) static void say(const struct sentence *sentence,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(sentence->text, REASON_TEXT_SIZE, format, args);
	va_end(args);
}

static void open_with(struct sentence *sentence, const char *subject, const char *verb,
		      struct number number, const char *unit)
{
	char *at = stpcpy(sentence->opening, subject);

	at = stpcpy(at, verb);
	at = stpcpy(at, number.text);
	stpcpy(at, unit);
}

static void open_sentence(struct sentence *sentence)
{
	static const char *const subjects[2][LIMIT_COUNT] = {
		{"Charging is", "Discharging is", "Charging goes", "Discharging ends"},
		{"Otherwise charging would be", "Otherwise discharging would be",
		 "Otherwise charging would go", "Otherwise discharging would end"}};
	const char *subject = subjects[sentence->mood == MOOD_WOULD_BE][sentence->limit];

	if (sentence->limit == LIMIT_CHARGE_VOLTAGE)
		open_with(sentence, subject, " up to ", hundredths(sentence->value), " V");
	else if (sentence->limit == LIMIT_DISCHARGE_VOLTAGE)
		open_with(sentence, subject, " at ", hundredths(sentence->value), " V");
	else if (sentence->value == 0)
		open_with(sentence, subject, " stopped", (struct number){""}, "");
	else
		open_with(sentence, subject, " limited to ", tenths(sentence->value), " A");
}

/* Sentences about what one pack reports of itself. */
static void say_pack(const struct sentence *sentence, const struct cause *cause)
{
	const char *start = sentence->opening;
	const int pack = (int)cause->pack, cell = (int)cause->cell;

	switch (cause->rule) {
	case RULE_PACK_LIMIT:
		say(sentence, "%s because the BMS of pack %d permits no current.", start, pack);
		break;
	case RULE_CELL_VOLTAGE:
		say(sentence, "%s because cell %d of pack %d is at %s V, %s its limit.", start,
		    cell, pack, thousandths(cause->value).text, sentence->value ? "near" : "at");
		break;
	case RULE_CELL_RECOVERY:
		say(sentence,
		    "%s because a cell of pack %d came near its limit; cell %d, at %s V, "
		    "has to recover first.",
		    start, pack, cell, thousandths(cause->value).text);
		break;
	case RULE_TEMPERATURE:
		say(sentence, "%s because pack %d has %s degC.", start, pack,
		    tenths(cause->value).text);
		break;
	case RULE_MOS_TEMPERATURE:
		say(sentence, "%s because the power switches of pack %d have %s degC.", start, pack,
		    tenths(cause->value).text);
		break;
	case RULE_PROTECTION:
		say(sentence, "%s because the BMS of pack %d reports a protection.", start, pack);
		break;
	case RULE_CRITICAL_CELL:
		say(sentence,
		    "%s because a cell of pack %d was far beyond its limit; its BMS should "
		    "be checked.",
		    start, pack);
		break;
	case RULE_STALE:
		say(sentence, "%s because pack %d has not answered for %s s.", start, pack,
		    tenths(cause->value).text);
		break;
	case RULE_SILENT:
		say(sentence, "%s because pack %d is silent and may still be connected.", start,
		    pack);
		break;
	default: break;
	}
}

/* Sentences about what is not known of a pack. */
static void say_missing(const struct sentence *sentence, const struct cause *cause)
{
	const char *start = sentence->opening;
	const int pack = (int)cause->pack;

	switch (cause->rule) {
	case RULE_UNSTATED_LIMIT:
		say(sentence, "%s because pack %d did not state its limit.", start, pack);
		break;
	case RULE_UNKNOWN_CELLS:
		say(sentence, "%s because the cell voltages of pack %d are not known.", start,
		    pack);
		break;
	case RULE_UNKNOWN_TEMPERATURE:
		say(sentence, "%s because the temperature of pack %d is not known.", start, pack);
		break;
	case RULE_UNKNOWN_CAPACITY:
		say(sentence, "%s because the capacity of pack %d is not known.", start, pack);
		break;
	case RULE_CELL_COUNT:
		say(sentence,
		    "%s because pack %d has %d cells in series, which is not what is "
		    "configured.",
		    start, pack, (int)cause->value);
		break;
	default: break;
	}
}

/* Sentences about packs together. */
static void say_rack(const struct sentence *sentence, const struct cause *cause)
{
	const char *start = sentence->opening;
	const int pack = (int)cause->pack;

	switch (cause->rule) {
	case RULE_FULL:
		say(sentence, sentence->mood == MOOD_IS
				      ? "All packs may take their full current."
				      : "Otherwise all packs could take their full current.");
		break;
	case RULE_SHARE:
		say(sentence, "%s because pack %d takes %s %% of it and is then at its own limit.",
		    start, pack, tenths(cause->value).text);
		break;
	case RULE_MIN:
		say(sentence, "%s because every pack counts like pack %d, the weakest.", start,
		    pack);
		break;
	case RULE_CIRCULATING:
		say(sentence, "%s because packs %d and %d charge each other: pack %d has %s A.",
		    start, pack, (int)cause->other, pack, tenths(cause->value).text);
		break;
	case RULE_OVERCURRENT:
		say(sentence, "%s because pack %d takes %s A, more than it may.", start, pack,
		    tenths(cause->value).text);
		break;
	case RULE_N_MINUS_1:
		say(sentence, "%s so that pack %d stays within its limit when another one fails.",
		    start, pack);
		break;
	case RULE_REST:
		say(sentence, "%s because pack %d rests to balance its cells.", start, pack);
		break;
	case RULE_LOSS:
		say(sentence, "%s because pack %d has been silent for longer than you permit.",
		    start, pack);
		break;
	case RULE_RECOVERY:
		say(sentence, "%s, to wake the packs that fell silent when they were empty.",
		    start);
		break;
	default: break;
	}
}

/* Sentences about the battery as a whole. */
static void say_battery(const struct fusion *fusion, const struct sentence *sentence,
			const struct cause *cause)
{
	const char *start = sentence->opening;
	const bool charge = sentence->limit == LIMIT_CHARGE_CURRENT;

	switch (cause->rule) {
	case RULE_USER_CAP: say(sentence, "%s, the most that you permit.", start); break;
	case RULE_BLOCKED:
		say(sentence, "%s because all packs have switched %s off.", start,
		    charge ? "charging" : "discharging");
		break;
	case RULE_JOINING: say(sentence, "%s until the packs have been checked.", start); break;
	case RULE_QUORUM: say(sentence, "%s because too few packs answer.", start); break;
	case RULE_NO_DATA:
		say(sentence, "%s",
		    fusion->accepted_count ? "No pack answers any more."
					   : "No pack has answered yet.");
		break;
	default: break;
	}
}

static void say_voltage(const struct sentence *sentence, const struct cause *cause)
{
	const char *start = sentence->opening;
	const struct number value = hundredths(sentence->value);
	const int pack = (int)cause->pack;
	const bool is = sentence->mood == MOOD_IS;

	switch (cause->rule) {
	case RULE_CHARGE_TARGET:
	case RULE_DISCHARGE_END: say(sentence, "%s.", start); break;
	case RULE_PACK_REQUEST:
		say(sentence, is ? "Pack %d asks for %s V." : "Otherwise pack %d asks for %s V.",
		    pack, value.text);
		break;
	case RULE_FLOAT:
		if (is && cause->pack != FIELD_UNKNOWN)
			say(sentence, "Pack %d is full; the battery is held at %s V.", pack,
			    value.text);
		else
			say(sentence,
			    is ? "All packs are full; the battery is held at %s V."
			       : "Otherwise the full battery would be held at %s V.",
			    value.text);
		break;
	case RULE_CELL_EXCESS:
		say(sentence, "%s because cell %d of pack %d is too high, at %s V.", start,
		    (int)cause->cell, pack, thousandths(cause->value).text);
		break;
	case RULE_SILENT_VOLTAGE:
		say(sentence, "%s because nobody sees the cells of pack %d, which is silent.",
		    start, pack);
		break;
	case RULE_VOLTAGE_RISE:
		say(sentence, "The charge voltage rises again, slowly; now %s V.", value.text);
		break;
	case RULE_VOLTAGE_FALL:
		say(sentence, "All packs are full; the voltage is lowered slowly, now %s V.",
		    value.text);
		break;
	default: break;
	}
}

/* A current on its way up; the value of the cause is where to. */
static void say_ramp(const struct fusion *fusion, const struct sentence *sentence,
		     const struct cause *cause)
{
	const char *what = sentence->limit == LIMIT_CHARGE_CURRENT ? "Charging" : "Discharging";
	const struct number now = tenths(sentence->value), goal = tenths(cause->value);

	switch (cause->rule) {
	case RULE_HOLD:
		say(sentence, "%s stays at %s A; after a dip it waits %d s before it rises.", what,
		    now.text, (int)(fusion->config.rise_hold_ms / 1000));
		break;
	case RULE_RISING:
		say(sentence, "%s is raised slowly: %s A now, up to %s A.", what, now.text,
		    goal.text);
		break;
	case RULE_SMALL:
		say(sentence, "%s is stopped because only %s A would be permitted.", what,
		    goal.text);
		break;
	default: break;
	}
}

void fusion_say(const struct fusion *fusion, enum limit limit, int32_t value,
		const struct cause *cause, enum mood mood, char text[REASON_TEXT_SIZE])
{
	struct sentence sentence = {.limit = limit, .value = value, .mood = mood, .text = text};

	open_sentence(&sentence);
	if (limit == LIMIT_CHARGE_VOLTAGE || limit == LIMIT_DISCHARGE_VOLTAGE) {
		say_voltage(&sentence, cause);
	} else {
		say_pack(&sentence, cause);
		say_missing(&sentence, cause);
		say_rack(&sentence, cause);
		say_ramp(fusion, &sentence, cause);
	}
	say_battery(fusion, &sentence, cause);
}
