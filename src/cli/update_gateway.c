// SPDX-License-Identifier: Apache-2.0
/* Hands a release to the gateway and shows how the update goes on. The update lives in the gateway:
 * this command may be ended and started again to look (`--watch`). */
#include "update_gateway.h"

#include <getopt.h>
#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image.h"
#include "onepack/rack.h"
#include "post.h"
#include "sim_stop.h"

#define FILE_MAX    ((size_t)RELEASE_IMAGES * IMAGE_SIZE_MAX)
#define LOOK_MS     500
#define PATIENCE    60 /* looks without an answer: the gateway may restart */
#define BAR         30
#define SECRET_SIZE 1024

static const char help[] =
	"usage: onepack update FILE --login FILE [--packs 1-16] [--url URL] [OPTION]...\n"
	"       onepack update --watch [--url URL]\n"
	"       onepack update --stop --login FILE [--url URL]\n"
	"\n"
	"Has the gateway bring a release into packs of this project. The packs stay in service while\n"
	"they receive it; then one at a time leaves the bank, restarts, is watched for a minute and\n"
	"confirmed. The first failure ends it. This command only looks on: end it as you like.\n"
	"\n"
	"  --login FILE   file with the password of the gateway's page\n"
	"  --packs LIST   numbers of packs, e.g. 1-16 or 1,3,5-8 (default: all that can be)\n"
	"  --url URL      the gateway (http://127.0.0.1:8080)\n"
	"  --broadcast    send to all at once, then repair what is missing\n"
	"  --older        also when a pack runs a newer version\n"
	"  --alone        also when there is only one pack, whose restart cuts the supply\n"
	"  --watch        only show how it goes on\n"
	"  --stop         end it; packs keep what they have\n"
	"\n"
	"Without a gateway, over a serial line of its own: onepack update --port --help\n";

struct order {
	const char *file, *url, *login, *packs;
	bool broadcast, older, alone, watch, stop;
};

void update_gateway_help(void)
{
	fputs(help, stdout);
}

static int complain(const char *about, const char *what)
{
	fprintf(stderr, "onepack update: %s: %s\n", about, what);
	return 1;
}

static bool take_option(struct order *o, int option)
{
	switch (option) {
	case 'u': o->url = optarg; return true;
	case 'n': o->login = optarg; return true;
	case 'l': o->packs = optarg; return true;
	case 'b': o->broadcast = true; return true;
	case 'o': o->older = true; return true;
	case 'a': o->alone = true; return true;
	case 'w': o->watch = true; return true;
	case 's': o->stop = true; return true;
	default: return false;
	}
}

/* 0, or the exit status. */
static int take_options(struct order *o, int argc, char **argv)
{
	static const struct option options[] = {
		{"url", required_argument, NULL, 'u'},
		{"login", required_argument, NULL, 'n'},
		{"packs", required_argument, NULL, 'l'},
		{"broadcast", no_argument, NULL, 'b'},
		{"older", no_argument, NULL, 'o'},
		{"alone", no_argument, NULL, 'a'},
		{"watch", no_argument, NULL, 'w'},
		{"stop", no_argument, NULL, 's'},
		{NULL, 0, NULL, 0},
	};

	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
		if (!take_option(o, option))
			return 2;

	const int files = o->watch || o->stop ? 0 : 1;

	if (optind + files != argc || (!o->watch && !o->login)) {
		fputs(help, stderr);
		return 2;
	}
	o->file = files ? argv[optind] : NULL;
	return 0;
}

/* --- the order --- */

static struct post *login(const struct order *o)
{
	char password[SECRET_SIZE] = "", why[FETCH_WHY_SIZE];
	FILE *file = fopen(o->login, "re");
	struct post *post;

	if (!file || !fgets(password, sizeof password, file)) {
		(void)complain(o->login, "holds no password");
		if (file)
			(void)fclose(file);
		return NULL;
	}
	(void)fclose(file);
	password[strcspn(password, "\r\n")] = '\0';
	post = post_login(o->url, password, why);
	explicit_bzero(password, sizeof password);
	if (!post)
		(void)complain(o->url, why);
	return post;
}

static void *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "re");
	uint8_t *bytes = malloc(FILE_MAX);

	*size = file && bytes ? fread(bytes, 1, FILE_MAX, file) : 0;
	if (file)
		(void)fclose(file);
	if (*size > 0)
		return bytes;
	free(bytes);
	(void)complain(path, "cannot be read, or is empty");
	return NULL;
}

/* POSTs what was wanted; 0 or 1. */
static int say(const struct order *o, const char *path, const void *bytes, size_t size)
{
	struct post *post = login(o);
	char why[FETCH_WHY_SIZE], *answer;

	if (!post)
		return 1;
	answer = post_send(post, path, o->stop ? "application/json" : "application/octet-stream",
			   bytes, size, why);
	post_close(post);
	if (!answer)
		return complain("refused", why);
	free(answer);
	return 0;
}

static int order(const struct order *o)
{
	char path[FETCH_PATH_SIZE];
	size_t size;
	void *bytes = read_file(o->file, &size);
	int result;

	if (!bytes)
		return 1;
	if (snprintf(path, sizeof path, "/api/v1/update?broadcast=%d&older=%d&alone=%d%s%s",
		     o->broadcast, o->older, o->alone, o->packs ? "&packs=" : "",
		     o->packs ? o->packs : "") >= (int)sizeof path)
		result = complain("--packs", "is too long");
	else
		result = say(o, path, bytes, size);
	free(bytes);
	return result;
}

/* --- looking on --- */

/* What was shown last. */
struct shown {
	char progress[ONEPACK_MAX_PACKS + 1][32];
	int percent;
	bool bar; /* a line without its end is on the screen */
};

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static void end_bar(struct shown *shown)
{
	if (shown->bar)
		putchar('\n');
	shown->bar = false;
}

/* A line for each change; on a terminal, a bar below them. */
static void show(struct shown *shown, const json_t *status)
{
	const int percent = (int)json_integer_value(json_object_get(status, "percent"));
	const bool terminal = isatty(STDOUT_FILENO) == 1;
	const json_t *pack;
	size_t i;

	json_array_foreach(json_object_get(status, "packs"), i, pack)
	{
		const int number = (int)json_integer_value(json_object_get(pack, "pack"));
		const char *progress = text_of(pack, "progress");

		if (number < 0 || number > ONEPACK_MAX_PACKS ||
		    strcmp(progress, shown->progress[number]) == 0)
			continue;
		snprintf(shown->progress[number], sizeof shown->progress[number], "%s", progress);
		if (shown->bar)
			fputs("\r\033[K", stdout);
		shown->bar = false;
		printf("pack %d: %s\n", number, progress);
	}
	if (terminal) {
		const int full = percent * BAR / 100;

		printf("\r[%.*s%.*s] %3d %%  do not power off", full,
		       "##############################", BAR - full,
		       "..............................", percent);
		shown->bar = true;
	} else if (percent / 10 > shown->percent / 10) {
		printf("%d %%\n", percent);
	}
	shown->percent = percent;
	(void)fflush(stdout);
}

/* -1 = it goes on; else the exit status. */
static int judge(struct shown *shown, const json_t *status)
{
	const char *state = text_of(status, "state");

	if (strcmp(state, "waiting") == 0 || strcmp(state, "running") == 0)
		return -1;
	end_bar(shown);
	if (strcmp(state, "done") == 0) {
		printf("done: all packs run %s\n", text_of(status, "version"));
		return 0;
	}
	if (strcmp(state, "none") == 0)
		return complain("nothing to watch", "no update since the gateway started");
	return complain("ended", text_of(status, "error"));
}

/* One look; results as judge(). */
static int look(const struct order *o, struct shown *shown, int *misses)
{
	char why[FETCH_WHY_SIZE], *text = fetch_text(o->url, "/api/v1/update", why);
	json_t *status = text ? json_loads(text, 0, NULL) : NULL;
	int result = -1;

	free(text);
	if (status) {
		*misses = 0;
		show(shown, status);
		result = judge(shown, status);
	} else if (++*misses >= PATIENCE) {
		end_bar(shown);
		result = complain(o->url, why);
	}
	json_decref(status);
	return result;
}

static int watch(const struct order *o)
{
	struct pollfd stop = {.fd = sim_stop_fd(0), .events = POLLIN};
	struct shown shown = {0};
	int result = -1, misses = 0;

	while (result < 0) {
		result = look(o, &shown, &misses);
		if (result < 0 && poll(&stop, 1, LOOK_MS) > 0) {
			end_bar(&shown);
			printf("The update goes on in the gateway. Look again with --watch.\n");
			result = 0;
		}
	}
	(void)close(stop.fd);
	return result;
}

int update_gateway(int argc, char **argv)
{
	struct order o = {.url = FETCH_URL};
	int result = take_options(&o, argc, argv);

	if (result != 0)
		return result;
	if (o.stop)
		return say(&o, "/api/v1/update/stop", "{}", 2);
	if (!o.watch && order(&o) != 0)
		return 1;
	return watch(&o);
}
