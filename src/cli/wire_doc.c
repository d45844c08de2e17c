// SPDX-License-Identifier: Apache-2.0
/* `onepack wire doc`: the pages of docs/protocols. A page is made of the protocol file (its first
 * comment and what the codec knows) and of the notes that people wrote for it; the index counts the
 * test vectors by where they come from. `./dev docs` writes them all. */
#include <stdlib.h>
#include <string.h>

#include "wire.h"

#define PATH_SIZE 1024

static FILE *open_in_tree(const struct wire_args *args, const char *folder, const char *id,
			  const char *end)
{
	char path[PATH_SIZE];

	if (!args->tree)
		return NULL;
	snprintf(path, sizeof path, "%s/%s/%s%s", args->tree, folder, id, end);
	return fopen(path, "r");
}

/* --- one page --- */

/* The comment at the top of the protocol file: one paragraph, what to check first as another. */
static void put_comment(const struct wire_args *args, const char *id, FILE *out)
{
	static const char check[] = "Check first:", asked[] = "A user should check first:";
	FILE *file = open_in_tree(args, "protocols", id, ".yaml");
	char *line = NULL;
	size_t size = 0;
	bool any = false;

	while (file && getline(&line, &size, file) > 0 && line[0] == '#') {
		const char *text = line + 1 + strspn(line + 1, " ");

		if (strstr(text, "SPDX-License-Identifier") || *text == '\n')
			continue;
		if (strncmp(text, check, strlen(check)) == 0)
			fprintf(out, "%s**%s**%s", any ? "\n" : "", check, text + strlen(check));
		else if (strncmp(text, asked, strlen(asked)) == 0)
			fprintf(out, "%s**%s**%s", any ? "\n" : "", check, text + strlen(asked));
		else
			fputs(text, out);
		any = true;
	}
	if (any)
		fputc('\n', out);
	free(line);
	if (file)
		fclose(file);
}

/* The notes without their licence line. */
static void put_notes(const struct wire_args *args, const char *id, FILE *out)
{
	FILE *file = open_in_tree(args, "docs/protocols/notes", id, ".md");
	char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0)
		if (!strstr(line, "SPDX-License-Identifier"))
			fputs(line, out);
	if (file)
		fputc('\n', out);
	free(line);
	if (file)
		fclose(file);
}

static int put_page(const struct wire_args *args)
{
	struct wire_context ctx;
	struct wire_info info;
	struct wire *wire = command_wire_open(args, &ctx);

	if (!wire)
		return 1;
	wire_get_info(wire, &info);
	printf("<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
	       "<!-- Made by `./dev docs` from protocols/%s.yaml and docs/protocols/notes/%s.md: "
	       "change those. -->\n# %s\n\n",
	       info.id, info.id, info.title);
	put_comment(args, info.id, stdout);
	put_notes(args, info.id, stdout);
	fputs("## Facts\n\n", stdout);
	wire_page(wire, stdout);
	wire_free(wire);
	return 0;
}

/* --- the index --- */

struct vectors {
	int captured, vendor, worked;
};

static bool has_word(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strstr(text, *words))
			return true;
	return false;
}

/* A case says its source in a line of its own, or in its title. What was changed or put together
 * by hand counts as worked out, whatever it was made from. */
static void count_case(struct vectors *vectors, const char *text)
{
	static const char *const worked[] = {"worked", "constructed", "patched", "with byte", NULL};
	static const char *const captured[] = {"capture", NULL};
	static const char *const vendor[] = {"vendor", " text", "document", NULL};

	const bool changed = has_word(text, worked);

	if (!changed && has_word(text, captured))
		vectors->captured++;
	else if (!changed && has_word(text, vendor))
		vectors->vendor++;
	else
		vectors->worked++;
}

static struct vectors count_vectors(const struct wire_args *args, const char *id)
{
	FILE *file = open_in_tree(args, "tests/vectors", id, ".txt");
	struct vectors vectors = {0};
	char *line = NULL, *open = NULL; /* the case whose source is not known yet */
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		const bool is_source = strncmp(line, "source ", 7) == 0;

		if (strncmp(line, "case ", 5) != 0 && !is_source)
			continue;
		if (open && !is_source)
			count_case(&vectors, open);
		if (is_source)
			count_case(&vectors, line);
		free(open);
		open = is_source ? NULL : strdup(line);
	}
	if (open)
		count_case(&vectors, open);
	free(open);
	free(line);
	if (file)
		fclose(file);
	return vectors;
}

/* The line of the notes that begins with "Brands:". */
static void put_brands(const struct wire_args *args, const char *id)
{
	static const char key[] = "**Brands:** ";
	FILE *file = open_in_tree(args, "docs/protocols/notes", id, ".md");
	char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		printf("%.*s", (int)strcspn(line, "\n") - (int)strlen(key), line + strlen(key));
		break;
	}
	free(line);
	if (file)
		fclose(file);
}

static void put_row(const struct wire_args *args, const char *id, struct vectors *sum)
{
	struct wire *wire = wire_load(id, stderr);
	const struct vectors vectors = count_vectors(args, id);
	struct wire_info info;

	if (!wire)
		return;
	wire_get_info(wire, &info);
	printf("| [%s](%s.md) | %s | %s | ", id, id, info.title, info.maturity);
	put_brands(args, id);
	printf(" | %d | %d | %d |\n", vectors.captured, vectors.vendor, vectors.worked);
	sum->captured += vectors.captured;
	sum->vendor += vectors.vendor;
	sum->worked += vectors.worked;
	wire_free(wire);
}

static const char index_head[] =
	"<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
	"<!-- Made by `./dev docs` from protocols/, docs/protocols/notes/ and tests/vectors/: change "
	"those. -->\n"
	"# Protocols\n\n"
	"One page each: what to check first, wiring, settings of the inverter, quirks, options, and "
	"every field that is sent. Protocols under\n`can/` and `rs485/` are spoken towards inverters, "
	"those under `pack/` towards packs. A page says how far a protocol can be trusted:\n\n"
	"- **tested**: agrees with frames captured from real batteries or inverters;\n"
	"- **vendor-text**: written from the maker's own text, without captures;\n"
	"- **inferred**: the best reading of little evidence. Try it with the battery limits low and "
	"somebody watching, and with\n  `onepack monitor` on the bus.\n\n"
	"Before anything is wired, `onepack sim inverter --protocol ID --port PORT` plays the "
	"inverter of that brand, and afterwards\n`onepack monitor PORT --protocol ID` shows what "
	"both sides say.\n\n"
	"The last columns count the test cases by where their frames come from: *captured* on a "
	"real bus, printed in a *vendor's text*, or\n*worked out* by hand from the description.\n\n"
	"| id | title | maturity | brands | captured | vendor text | worked out |\n"
	"|---|---|---|---|--:|--:|--:|\n";

static int put_index(const struct wire_args *args)
{
	struct vectors sum = {0};
	char **ids;
	const int count = wire_list_ids(&ids);

	fputs(index_head, stdout);
	for (int i = 0; i < count; i++)
		put_row(args, ids[i], &sum);
	printf("| | | | | %d | %d | %d |\n", sum.captured, sum.vendor, sum.worked);
	wire_free_ids(ids, count);
	return 0;
}

int command_wire_doc(const struct wire_args *args)
{
	if (args->index == (args->what != NULL)) {
		fputs("onepack wire: doc takes an ID or --index\n", stderr);
		return 2;
	}
	return args->index ? put_index(args) : put_page(args);
}
