// SPDX-License-Identifier: Apache-2.0
/* `onepack wire`: protocols without hardware. Arguments, and the sub-commands that need no input.
 */
#include "wire.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static const char help_text[] =
	"usage: onepack wire list [--json]\n"
	"       onepack wire show ID            the protocol as a table (--names: names for files)\n"
	"       onepack wire check FILE         mistakes as FILE:LINE:COLUMN: what\n"
	"       onepack wire encode ID [--option K=V]... [--battery FILE]\n"
	"       onepack wire decode ID [--option K=V]... [--address N] [--from bms|inverter]\n"
	"       onepack wire answer ID [--option K=V]... [--address N] --battery FILE\n"
	"       onepack wire dbc ID             a DBC file (CAN only)\n"
	"       onepack wire doc ID | --index [--tree DIR]   a page of docs/protocols; DIR = sources\n"
	"\n"
	"ID is a protocol's id as `list` shows it, or a path that ends in .yaml.\n"
	"encode  battery JSON on stdin -> CAN frames, one a line; several objects, one a line, give\n"
	"        blocks with an empty line between\n"
	"decode  frames on stdin (351#1402..., candump logs; RS485: hex) -> one JSON object\n"
	"answer  requests in hex on stdin, one a line -> answers in hex, or - for silence\n"
	"\n"
	"examples: echo '{\"soc_pct\": 50}' | onepack wire encode can/pylon-lv-1.2 --option pad=yes\n"
	"          candump can0 | head -50 | onepack wire decode can/pylon-lv-1.2\n"
	"          echo '01 03 00 15 00 01 95 CE' | onepack wire answer rs485/growatt-2.01 --battery "
	"b.json\n";

static int usage(const char *what, const char *detail)
{
	fprintf(stderr, "onepack wire: %s%s; `onepack wire --help` explains\n", what, detail);
	return 2;
}

struct wire *command_wire_open(const struct wire_args *args, struct wire_context *ctx)
{
	const size_t length = strlen(args->what);
	struct wire *wire = length > 5 && strcmp(args->what + length - 5, ".yaml") == 0
				    ? wire_load_file(args->what, stderr)
				    : wire_load(args->what, stderr);

	if (!wire)
		return NULL;
	wire_context_init(wire, ctx);
	ctx->address = args->address;
	for (int i = 0; i < args->option_count; i++) {
		const char *equals = strchr(args->options[i], '=');
		char name[64], why[512];

		snprintf(name, sizeof name, "%.*s", (int)(equals - args->options[i]),
			 args->options[i]);
		if (wire_set_option(wire, ctx, name, equals + 1, why, sizeof why)) {
			fprintf(stderr, "onepack wire: %s\n", why);
			wire_free(wire);
			return NULL;
		}
	}
	return wire;
}

/* --- list --- */

static json_t *list_row(const struct wire_info *info)
{
	const bool can = info->framing == WIRE_CAN;

	return json_pack("{ss ss ss si ss}", "id", info->id, "title", info->title, "bus",
			 can ? "can" : "rs485", can ? "bitrate" : "baud", (int)info->bitrate,
			 "maturity", info->maturity);
}

static int list(const struct wire_args *args)
{
	json_t *rows = json_array();
	char **ids;
	const int count = wire_list_ids(&ids);

	for (int i = 0; i < count; i++) {
		struct wire *wire = wire_load(ids[i], stderr);
		struct wire_info info;

		if (!wire)
			continue; /* its mistakes were printed; the others are still of use */
		wire_get_info(wire, &info);
		if (args->json)
			json_array_append_new(rows, list_row(&info));
		else
			printf("%-24s %-6s %7u  %-12s %s\n", info.id,
			       info.framing == WIRE_CAN ? "can" : "rs485", info.bitrate,
			       info.maturity, info.title);
		wire_free(wire);
	}
	if (args->json) {
		json_dumpf(rows, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(rows);
	wire_free_ids(ids, count);
	return 0;
}

/* --- show, check, dbc --- */

static int show(const struct wire_args *args)
{
	struct wire_context ctx;
	struct wire *wire;

	if (args->names) {
		wire_show_names(stdout);
		return 0;
	}
	wire = command_wire_open(args, &ctx);
	if (!wire)
		return 1;
	wire_show(wire, stdout);
	wire_free(wire);
	return 0;
}

static int check(const struct wire_args *args)
{
	struct wire *wire = wire_load_file(args->what, stdout);
	const int status = wire == NULL;

	wire_free(wire);
	return status;
}

static int dbc(const struct wire_args *args)
{
	struct wire_context ctx;
	struct wire *wire = command_wire_open(args, &ctx);
	int err;

	if (!wire)
		return 1;
	err = wire_dbc(wire, stdout);
	if (err)
		fprintf(stderr, "onepack wire: %s is not a CAN protocol\n", args->what);
	wire_free(wire);
	return err != 0;
}

/* --- arguments --- */

static const struct {
	const char *name;
	int (*run)(const struct wire_args *args);
	bool needs_what, needs_battery;
} subcommands[] = {
	{"list", list, false, false},
	{"show", show, true, false},
	{"check", check, true, false},
	{"encode", command_wire_encode, true, false},
	{"decode", command_wire_decode, true, false},
	{"answer", command_wire_answer, true, true},
	{"dbc", dbc, true, false},
	{"doc", command_wire_doc, false, false},
};

#define SUBCOMMAND_COUNT ((int)(sizeof subcommands / sizeof subcommands[0]))

static int parse_value(struct wire_args *args, const char *name, const char *value)
{
	char *end;

	if (strcmp(name, "--battery") == 0) {
		args->battery_path = value;
	} else if (strcmp(name, "--tree") == 0) {
		args->tree = value;
	} else if (strcmp(name, "--option") == 0) {
		if (!strchr(value, '=') || args->option_count == WIRE_MAX_OPTIONS)
			return usage("options are written K=V, not ", value);
		args->options[args->option_count++] = value;
	} else if (strcmp(name, "--address") == 0) {
		args->address = (int)strtol(value, &end, 0);
		if (end == value || *end || args->address < 0 || args->address > 255)
			return usage("no address: ", value);
	} else if (strcmp(name, "--from") == 0) {
		args->from_inverter = strcmp(value, "inverter") == 0;
		if (!args->from_inverter && strcmp(value, "bms") != 0)
			return usage("--from is bms or inverter, not ", value);
	} else {
		return usage("unknown argument ", name);
	}
	return 0;
}

static int parse(int argc, char **argv, struct wire_args *args)
{
	for (int i = 0; i < argc; i++) {
		int status = 0;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			args->help = true;
		else if (strcmp(argv[i], "--json") == 0)
			args->json = true;
		else if (strcmp(argv[i], "--names") == 0)
			args->names = true;
		else if (strcmp(argv[i], "--index") == 0)
			args->index = true;
		else if (argv[i][0] != '-' && !args->what)
			args->what = argv[i];
		else if (argv[i][0] != '-')
			status = usage("one argument too many: ", argv[i]);
		else if (i + 1 == argc)
			status = usage("a value is missing behind ", argv[i]);
		else
			status = parse_value(args, argv[i], argv[i + 1]), i++;
		if (status)
			return status;
	}
	return 0;
}

int command_wire(int argc, char **argv)
{
	struct wire_args args = {.address = -1};
	const char *name = argc > 1 ? argv[1] : "";
	int status = argc > 2 ? parse(argc - 2, argv + 2, &args) : 0;

	if (status)
		return status;
	if (args.help || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		fputs(help_text, stdout);
		return 0;
	}
	for (int i = 0; i < SUBCOMMAND_COUNT; i++) {
		if (strcmp(subcommands[i].name, name) != 0)
			continue;
		if (subcommands[i].needs_what && !args.what && !args.names)
			return usage("which protocol? Missing behind ", name);
		if (subcommands[i].needs_battery && !args.battery_path)
			return usage("--battery FILE is missing", "");
		return subcommands[i].run(&args);
	}
	return usage(name[0] ? "there is no sub-command " : "what should be done?", name);
}
