// SPDX-License-Identifier: Apache-2.0
/* A protocol as a page of Markdown, for docs/protocols: facts and options as tables, messages as
 * `onepack wire show` prints them. Made from the loaded protocol alone. */
#include <string.h>

#include "show.h"

/* A cell of a table: a bar would end it. */
static void put_cell(FILE *out, const char *text)
{
	for (; *text; text++)
		fprintf(out, *text == '|' ? "\\|" : "%c", *text);
}

static void page_row(FILE *out, const char *name, const char *text)
{
	fprintf(out, "| %s | ", name);
	put_cell(out, text);
	fputs(" |\n", out);
}

static void page_facts(const struct wire *wire, FILE *out)
{
	fprintf(out, "| | |\n|---|---|\n| id | `%s` |\n", wire->id);
	page_row(out, "maturity", wire->maturity);
	page_row(out, "source", wire->source);
	fputs("| bus | ", out);
	show_bus(wire, out);
	fputs(" |\n", out);
	if (wire->scope == WIRE_OF_PACK)
		return;
	if (wire->silence_ms)
		fprintf(out, "| silent | %g s after the last fresh data |\n",
			wire->silence_ms / 1000.0);
	if (wire->inverter_lost_ms)
		fprintf(out, "| inverter lost | when unheard for %g s |\n",
			wire->inverter_lost_ms / 1000.0);
}

static void page_option(const struct option *option, FILE *out)
{
	fprintf(out, "| `%s` | ", option->name);
	if (option->kind == OPTION_RANGE)
		fprintf(out, "%d to %d | %d | ", option->low, option->high, option->fallback);
	for (int i = 0; i < option->choice_count; i++)
		fprintf(out, "%s`%s`", i ? ", " : "", option->choices[i]);
	if (option->kind != OPTION_RANGE)
		fprintf(out, " | `%s` | ", option->choices[option->fallback]);
	put_cell(out, option->help);
	fputs(" |\n", out);
}

static void page_options(const struct wire *wire, FILE *out)
{
	if (!wire->option_count)
		return;
	fputs("\n## Options\n\n"
	      "In the configuration: `options: {NAME: VALUE}` of the inverter; for `onepack wire` "
	      "and `onepack monitor`: `--option NAME=VALUE`.\n\n"
	      "| option | values | default | what it does |\n|---|---|---|---|\n",
	      out);
	for (int i = 0; i < wire->option_count; i++)
		page_option(&wire->options[i], out);
}

void wire_page(const struct wire *wire, FILE *out)
{
	page_facts(wire, out);
	page_options(wire, out);
	fputs("\n## Messages\n\n"
	      "In sending order. The first column is the byte (and bit) where a value begins; after "
	      "`unknown:` stands what is sent when the battery does not know it.\n\n```text",
	      out);
	for (int i = 0; i < wire->message_count; i++)
		show_message(wire, i, out);
	fputs("```\n", out);
}
