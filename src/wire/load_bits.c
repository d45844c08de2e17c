// SPDX-License-Identifier: Apache-2.0
/* Loading of `bits:` and `pairs:`: the small language of their values (protocols/README.md). */
#include <stdlib.h>
#include <string.h>

#include "load.h"

#define WORD_SIZE 64

/* "7", "7-4" or "4-7" -> position and width. */
static bool load_place(struct loader *load, const yaml_node_t *key, const struct item *item,
		       struct bit *bit)
{
	const char *text = doc_text(key);
	const int highest = item->size * 8 - (item->kind == ITEM_PAIRS ? 2 : 1);
	char *end = NULL;
	long a = text ? strtol(text, &end, 10) : -1, b = a;

	if (text && end != text && *end == '-')
		b = strtol(end + 1, &end, 10);
	if (!text || end == text || *end || a < 0 || b < 0 || a > highest || b > highest) {
		doc_complain(load->doc, key, "'%s' is not a place among bits 0 to %d",
			     text ? text : "this", highest);
		return false;
	}
	if (item->kind == ITEM_PAIRS && a != b) {
		doc_complain(load->doc, key, "a pair is named by its lower bit alone");
		return false;
	}
	bit->low = (uint8_t)(a < b ? a : b);
	bit->width = (uint8_t)(labs(a - b) + (item->kind == ITEM_PAIRS ? 2 : 1));
	return true;
}

static void load_alarms(struct loader *load, const yaml_node_t *node, const char *rest,
			struct bit *bit)
{
	const int errors = doc_errors(load->doc);
	char word[WORD_SIZE];
	alarm_set *names = &bit->named;

	while (load_word(&rest, word, sizeof word)) {
		const int alarm = alarm_by_name(word);

		if (strcmp(word, "also") == 0)
			names = &bit->also;
		else if (strcmp(word, "read") == 0)
			names = &bit->read;
		else if (strcmp(word, "other") == 0)
			bit->other = true;
		else if (strcmp(word, "no_data") == 0)
			bit->no_data = true;
		else if (alarm < 0)
			doc_complain(load->doc, node, "there is no alarm '%s'; see alarm.h", word);
		else
			*names |= ALARM_BIT(alarm);
	}
	if (!(bit->named | bit->also | bit->read) && !bit->other && !bit->no_data &&
	    doc_errors(load->doc) == errors)
		doc_complain(load->doc, node, "names of alarms are missing behind the first word");
}

/* "state standby=1 charging=2" */
static void load_range_words(struct loader *load, const yaml_node_t *node, const char *rest,
			     struct bit *bit)
{
	char word[WORD_SIZE];

	while (load_word(&rest, word, sizeof word)) {
		char *equals = strchr(word, '='), *end = NULL;
		long raw = equals ? strtol(equals + 1, &end, 0) : -1;
		int value;

		if (equals)
			*equals = '\0';
		value = unit_value(bit->quantity.unit, word);
		if (!equals || end == equals + 1 || *end || value < 0 || raw < 0 ||
		    raw >= (long)1 << bit->width || bit->word_count == WIRE_MAX_RANGE_WORDS) {
			doc_complain(load->doc, node,
				     "'%s' is not WORD=NUMBER with a word of '%s' and a number "
				     "that fits in %d bits",
				     word, bit->quantity.name, bit->width);
			continue;
		}
		bit->words[bit->word_count].field = value;
		bit->words[bit->word_count++].raw = (int32_t)raw;
	}
}

/* "force_charge=soft" */
static void load_field_is(struct loader *load, const yaml_node_t *node, const char *word,
			  struct bit *bit)
{
	const char *equals = strchr(word, '=');

	bit->kind = BIT_FIELD_IS;
	if (!load_name(load, node, word, (int)(equals - word), &bit->quantity))
		return;
	bit->value = unit_value(bit->quantity.unit, equals + 1);
	if (bit->value < 0)
		doc_complain(load->doc, node, "'%s' is not a word of '%s'", equals + 1,
			     bit->quantity.name);
	if (bit->quantity.offset == NO_MEMBER)
		doc_complain(load->doc, node, "'%s' has no place to be read into",
			     bit->quantity.name);
}

static void load_flag(struct loader *load, const yaml_node_t *node, const char *rest,
		      struct bit *bit)
{
	char word[WORD_SIZE];

	bit->kind = BIT_FLAG;
	load_word(&rest, word, sizeof word);
	if (strcmp(word, "not") == 0) {
		bit->inverted = true;
		if (!load_word(&rest, word, sizeof word)) {
			doc_complain(load->doc, node, "a flag is missing behind 'not'");
			return;
		}
	}
	if (!load_name(load, node, word, -1, &bit->quantity))
		return;
	if (bit->width > 1) {
		bit->kind = BIT_RANGE;
		load_range_words(load, node, rest, bit);
	} else if (bit->quantity.unit != UNIT_FLAG) {
		doc_complain(load->doc, node,
			     "'%s' is more than one bit: give a range (7-4) or "
			     "a word of it (%s=...)",
			     word, word);
	}
}

static int severity_of(const char *word)
{
	if (strcmp(word, "protection") == 0)
		return BIT_PROTECTION;
	if (strcmp(word, "warning") == 0)
		return BIT_WARNING;
	return strcmp(word, "alarm") == 0 ? BIT_PROTECTION | BIT_WARNING : 0;
}

static void load_bit(struct loader *load, const yaml_node_t *node, struct bit *bit)
{
	const char *text = doc_text(node), *rest = text;
	char word[WORD_SIZE] = "";
	char *end;
	long number;

	if (!text || !load_word(&rest, word, sizeof word)) {
		doc_complain(load->doc, node, "what this bit means is missing");
		return;
	}
	bit->severity = (uint8_t)severity_of(word);
	if (bit->severity) {
		bit->kind = BIT_ALARM;
		load_alarms(load, node, rest, bit);
		return;
	}
	number = strtol(word, &end, 0);
	if (end != word && !*end) {
		bit->kind = BIT_CONST;
		bit->value = (int32_t)number;
		if (number < 0 || number >= (long)1 << bit->width)
			doc_complain(load->doc, node, "%ld does not fit in %d bits", number,
				     bit->width);
		return;
	}
	if (strchr(word, '='))
		load_field_is(load, node, word, bit);
	else
		load_flag(load, node, text, bit);
}

static void check_overlap(struct loader *load, const yaml_node_t *key, const struct bit *bits,
			  int n)
{
	for (int i = 0; i < n; i++)
		if (bits[i].low < bits[n].low + bits[n].width &&
		    bits[n].low < bits[i].low + bits[i].width) {
			doc_complain(load->doc, key, "this overlaps with bit %d above",
				     bits[i].low);
			return;
		}
}

void load_bits(struct loader *load, const yaml_node_t *map, struct item *item)
{
	const int count = doc_map_size(map);
	struct bit *bits = wire_keep(load->wire, (size_t)(count + 1) * sizeof *bits);

	if (!doc_is_map(map) || !count || !bits) {
		doc_complain(load->doc, map,
			     "bits and what they mean are expected: {0: ..., 1: ...}");
		return;
	}
	item->bits = bits;
	for (int i = 0; i < count; i++) {
		const yaml_node_t *key, *value;
		struct bit *bit = &bits[item->bit_count];

		doc_map_pair(load->doc, map, i, &key, &value);
		if (!load_place(load, key, item, bit))
			continue;
		load_bit(load, value, bit);
		if (item->kind == ITEM_PAIRS && bit->kind != BIT_ALARM && bit->kind != BIT_CONST)
			doc_complain(load->doc, value, "a pair is an alarm or a number 0 to 3");
		check_overlap(load, key, bits, item->bit_count++);
	}
}
