// SPDX-License-Identifier: Apache-2.0
/* Why each limit is what it is: one public word and one sentence that an owner understands. The
 * words are listed in docs/fusion.md and do not change. */
#include <stdarg.h>
#include <stdio.h>

#include "fusion_state.h"

static const char *const words[] = {
	[RULE_FULL] = "full",
	[RULE_PACK_LIMIT] = "pack_limit",
	[RULE_CELL_VOLTAGE] = "cell_voltage",
	[RULE_CELL_RECOVERY] = "cell_recovery",
	[RULE_TEMPERATURE] = "temperature",
	[RULE_MOS_TEMPERATURE] = "mos_temperature",
	[RULE_PROTECTION] = "protection",
	[RULE_CRITICAL_CELL] = "critical_cell",
	[RULE_UNSTATED_LIMIT] = "unstated_limit",
	[RULE_UNKNOWN_CELLS] = "unknown_cells",
	[RULE_UNKNOWN_TEMPERATURE] = "unknown_temperature",
	[RULE_UNKNOWN_CAPACITY] = "unknown_capacity",
	[RULE_CELL_COUNT] = "cell_count",
	[RULE_STALE] = "stale",
	[RULE_SILENT] = "silent_pack",
	[RULE_SHARE] = "share",
	[RULE_MIN] = "min",
	[RULE_CIRCULATING] = "circulating",
	[RULE_OVERCURRENT] = "overcurrent",
	[RULE_N_MINUS_1] = "n_minus_1",
	[RULE_USER_CAP] = "user_cap",
	[RULE_REST] = "rest_for_balancing",
	[RULE_BLOCKED] = "blocked",
	[RULE_JOINING] = "joining",
	[RULE_QUORUM] = "quorum",
	[RULE_NO_DATA] = "no_data",
	[RULE_HOLD] = "hold",
	[RULE_RISING] = "rising",
	[RULE_SMALL] = "too_small",
	[RULE_CHARGE_TARGET] = "charge_target",
	[RULE_PACK_REQUEST] = "pack_request",
	[RULE_FLOAT] = "float",
	[RULE_CELL_EXCESS] = "cell_excess",
	[RULE_SILENT_VOLTAGE] = "silent_pack",
	[RULE_VOLTAGE_RISE] = "voltage_rising",
	[RULE_VOLTAGE_FALL] = "voltage_falling",
	[RULE_DISCHARGE_END] = "discharge_end",
};

#define NUMBER_SIZE 16

struct number {
	char text[NUMBER_SIZE];
};

/* 63249 -> "63.2", rounded down as limits are; -10500 -> "-10.5". */
static struct number tenths(int64_t thousandths)
{
	const int64_t size = thousandths < 0 ? -thousandths : thousandths;
	struct number number;

	snprintf(number.text, sizeof number.text, "%s%d.%d", thousandths < 0 ? "-" : "",
		 (int)(size / 1000), (int)(size % 1000 / 100));
	return number;
}

/* 3512 -> "3.512" */
static struct number thousandths(int32_t value)
{
	struct number number;

	snprintf(number.text, sizeof number.text, "%d.%03d", (int)(value / 1000),
		 (int)(value % 1000));
	return number;
}

/* 55200 -> "55.2", 55215 -> "55.21", rounded down */
static struct number hundredths(int32_t value)
{
	struct number number = tenths(value);

	if (value % 100 >= 10)
		snprintf(number.text, sizeof number.text, "%d.%02d", (int)(value / 1000),
			 (int)(value % 1000 / 10));
	return number;
}

__attribute__((format(printf, 2, 3))) static void say(struct reason *reason, const char *format,
						      ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason->text, sizeof reason->text, format, args);
	va_end(args);
}

/* "Charging is limited to 63.2 A" or "Charging is stopped". */
struct opening {
	char text[64];
};

static struct opening open_sentence(const struct reason *reason)
{
	const char *what = reason->limit == LIMIT_CHARGE_CURRENT ? "Charging" : "Discharging";
	struct opening opening;

	if (reason->value == 0)
		snprintf(opening.text, sizeof opening.text, "%s is stopped", what);
	else
		snprintf(opening.text, sizeof opening.text, "%s is limited to %s A", what,
			 tenths(reason->value).text);
	return opening;
}

/* Sentences about what one pack reports of itself. */
static void say_pack(struct reason *reason, const struct cause *cause)
{
	const struct opening opening = open_sentence(reason);
	const char *start = opening.text;
	const int pack = (int)cause->pack, cell = (int)cause->cell;

	switch (cause->rule) {
	case RULE_PACK_LIMIT:
		say(reason, "%s because the BMS of pack %d permits no current.", start, pack);
		break;
	case RULE_CELL_VOLTAGE:
		say(reason, "%s because cell %d of pack %d is at %s V, %s its limit.", start, cell,
		    pack, thousandths(cause->value).text, reason->value ? "near" : "at");
		break;
	case RULE_CELL_RECOVERY:
		say(reason,
		    "%s because a cell of pack %d came near its limit; cell %d, at %s V, "
		    "has to recover first.",
		    start, pack, cell, thousandths(cause->value).text);
		break;
	case RULE_TEMPERATURE:
		say(reason, "%s because pack %d has %s degC.", start, pack,
		    tenths(cause->value).text);
		break;
	case RULE_MOS_TEMPERATURE:
		say(reason, "%s because the power switches of pack %d have %s degC.", start, pack,
		    tenths(cause->value).text);
		break;
	case RULE_PROTECTION:
		say(reason, "%s because the BMS of pack %d reports a protection.", start, pack);
		break;
	case RULE_CRITICAL_CELL:
		say(reason,
		    "%s because a cell of pack %d was far beyond its limit; its BMS should "
		    "be checked.",
		    start, pack);
		break;
	case RULE_STALE:
		say(reason, "%s because pack %d has not answered for %s s.", start, pack,
		    tenths(cause->value).text);
		break;
	case RULE_SILENT:
		say(reason, "%s because pack %d is silent and may still be connected.", start,
		    pack);
		break;
	default: break;
	}
}

/* Sentences about what is not known of a pack. */
static void say_missing(struct reason *reason, const struct cause *cause)
{
	const struct opening opening = open_sentence(reason);
	const char *start = opening.text;
	const int pack = (int)cause->pack;

	switch (cause->rule) {
	case RULE_UNSTATED_LIMIT:
		say(reason, "%s because pack %d did not state its limit.", start, pack);
		break;
	case RULE_UNKNOWN_CELLS:
		say(reason, "%s because the cell voltages of pack %d are not known.", start, pack);
		break;
	case RULE_UNKNOWN_TEMPERATURE:
		say(reason, "%s because the temperature of pack %d is not known.", start, pack);
		break;
	case RULE_UNKNOWN_CAPACITY:
		say(reason, "%s because the capacity of pack %d is not known.", start, pack);
		break;
	case RULE_CELL_COUNT:
		say(reason,
		    "%s because pack %d has %d cells in series, which is not what is "
		    "configured.",
		    start, pack, (int)cause->value);
		break;
	default: break;
	}
}

/* Sentences about packs together. */
static void say_rack(struct reason *reason, const struct cause *cause)
{
	const struct opening opening = open_sentence(reason);
	const char *start = opening.text;
	const int pack = (int)cause->pack;

	switch (cause->rule) {
	case RULE_FULL: say(reason, "All packs may take their full current."); break;
	case RULE_SHARE:
		say(reason, "%s because pack %d takes %s %% of it and is then at its own limit.",
		    start, pack, tenths(cause->value).text);
		break;
	case RULE_MIN:
		say(reason, "%s because every pack counts like pack %d, the weakest.", start, pack);
		break;
	case RULE_CIRCULATING:
		say(reason, "%s because packs %d and %d charge each other: pack %d has %s A.",
		    start, pack, (int)cause->other, pack, tenths(cause->value).text);
		break;
	case RULE_OVERCURRENT:
		say(reason, "%s because pack %d takes %s A, more than it may.", start, pack,
		    tenths(cause->value).text);
		break;
	case RULE_N_MINUS_1:
		say(reason, "%s so that pack %d stays within its limit when another one fails.",
		    start, pack);
		break;
	case RULE_REST:
		say(reason, "%s because pack %d rests to balance its cells.", start, pack);
		break;
	default: break;
	}
}

/* Sentences about the battery as a whole. */
static void say_battery(const struct fusion *fusion, struct reason *reason,
			const struct cause *cause)
{
	const struct opening opening = open_sentence(reason);
	const char *start = opening.text;
	const bool charge = reason->limit == LIMIT_CHARGE_CURRENT;

	switch (cause->rule) {
	case RULE_USER_CAP: say(reason, "%s, the most that you permit.", start); break;
	case RULE_BLOCKED:
		say(reason, "%s because all packs have switched %s off.", start,
		    charge ? "charging" : "discharging");
		break;
	case RULE_JOINING: say(reason, "%s until the packs have been checked.", start); break;
	case RULE_QUORUM: say(reason, "%s because too few packs answer.", start); break;
	case RULE_NO_DATA:
		say(reason, "%s",
		    fusion->accepted_count ? "No pack answers any more."
					   : "No pack has answered yet.");
		break;
	default: break;
	}
}

static void say_voltage(struct reason *reason, const struct cause *cause)
{
	const struct number value = hundredths(reason->value);
	const int pack = (int)cause->pack;

	switch (cause->rule) {
	case RULE_CHARGE_TARGET: say(reason, "Charging goes up to %s V.", value.text); break;
	case RULE_PACK_REQUEST: say(reason, "Pack %d asks for %s V.", pack, value.text); break;
	case RULE_FLOAT:
		say(reason, "All packs are full; the battery is held at %s V.", value.text);
		break;
	case RULE_CELL_EXCESS:
		say(reason,
		    "Charging goes up to %s V because cell %d of pack %d is too high, at "
		    "%s V.",
		    value.text, (int)cause->cell, pack, thousandths(cause->value).text);
		break;
	case RULE_SILENT_VOLTAGE:
		say(reason,
		    "Charging goes up to %s V because nobody sees the cells of pack %d, "
		    "which is silent.",
		    value.text, pack);
		break;
	case RULE_VOLTAGE_RISE:
		say(reason, "The charge voltage rises again, slowly; now %s V.", value.text);
		break;
	case RULE_VOLTAGE_FALL:
		say(reason, "All packs are full; the voltage is lowered slowly, now %s V.",
		    value.text);
		break;
	case RULE_DISCHARGE_END: say(reason, "Discharging ends at %s V.", value.text); break;
	default: break;
	}
}

static void say_ramp(const struct fusion *fusion, struct reason *reason, enum direction direction)
{
	const struct ramp *ramp = &fusion->ramp[direction];
	const char *what = direction == CHARGE ? "Charging" : "Discharging";
	const struct number now = tenths(reason->value),
			    goal = tenths(fusion->target_ma[direction]);

	switch (ramp->phase) {
	case RULE_HOLD:
		say(reason, "%s stays at %s A; after a dip it waits %d s before it rises.", what,
		    now.text, (int)(fusion->config.rise_hold_ms / 1000));
		break;
	case RULE_RISING:
		say(reason, "%s is raised slowly: %s A now, up to %s A.", what, now.text,
		    goal.text);
		break;
	default:
		say(reason, "%s is stopped because only %s A would be permitted.", what, goal.text);
		break;
	}
}

static struct reason *add(struct battery *out, enum limit limit, int32_t value, enum rule rule,
			  const struct cause *cause)
{
	struct reason *reason = &out->reasons[out->reason_count++];

	reason->limit = limit;
	reason->value = value;
	reason->pack = cause->pack;
	reason->cell = cause->cell;
	snprintf(reason->rule, sizeof reason->rule, "%s", words[rule]);
	return reason;
}

static void add_current(const struct fusion *fusion, struct battery *out, enum direction direction)
{
	const struct ramp *ramp = &fusion->ramp[direction];
	const struct cause none = cause_of(ramp->phase, FIELD_UNKNOWN);
	const bool follows = ramp->phase == RULE_FULL; /* the value is what the rules say */
	const struct cause *cause = follows ? &fusion->cause[direction] : &none;
	struct reason *reason = direction == CHARGE
					? add(out, LIMIT_CHARGE_CURRENT,
					      out->charge_current_limit_ma, cause->rule, cause)
					: add(out, LIMIT_DISCHARGE_CURRENT,
					      out->discharge_current_limit_ma, cause->rule, cause);

	if (!follows) {
		say_ramp(fusion, reason, direction);
		return;
	}
	say_pack(reason, cause);
	say_missing(reason, cause);
	say_rack(reason, cause);
	say_battery(fusion, reason, cause);
}

static void add_voltage(const struct fusion *fusion, struct battery *out, enum limit limit,
			int32_t value, const struct cause *cause)
{
	struct reason *reason = add(out, limit, value, cause->rule, cause);

	say_voltage(reason, cause);
	if (cause->rule == RULE_NO_DATA)
		say_battery(fusion, reason, cause);
}

void fusion_write_reasons(const struct fusion *fusion, struct battery *out)
{
	add_current(fusion, out, CHARGE);
	add_current(fusion, out, DISCHARGE);
	add_voltage(fusion, out, LIMIT_CHARGE_VOLTAGE, out->charge_voltage_limit_mv,
		    &fusion->voltage_cause[0]);
	add_voltage(fusion, out, LIMIT_DISCHARGE_VOLTAGE, out->discharge_voltage_limit_mv,
		    &fusion->voltage_cause[1]);
}
