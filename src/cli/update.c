// SPDX-License-Identifier: Apache-2.0
/* onepack update --port: brings a release into packs over a serial line that nobody else uses, e.g.
 * on a bench or while the gateway is stopped. The job itself is src/update/campaign.c. Without
 * --port a gateway does it, see update_gateway.c. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign.h"
#include "command.h"
#include "image_text.h"
#include "onepack/clock.h"
#include "onepack/port.h"
#include "sim_stop.h"
#include "update_gateway.h"

#define FILE_MAX   (RELEASE_IMAGES * IMAGE_SIZE_MAX)
#define SILENCE_MS 4 /* between frames; the pack needs 1.75 */
#define WRITE_MS   1000
#define SECRET_MAX 128

static const char help[] =
	"usage: onepack update FILE --port TTY --key KEY.pem [OPTION]...\n"
	"\n"
	"Brings a release (`onepack image make`) into packs of this project, over a serial line that\n"
	"nobody else uses. Packs stay in service while they receive it; then one at a time restarts,\n"
	"is watched for a minute and confirmed. The first failure ends it. Run it again to go on.\n"
	"\n"
	"  --port TTY         the RS485 line\n"
	"  --key KEY.pem      the maker's key, public or private: nothing else is sent to a pack\n"
	"  --packs LIST       addresses, e.g. 1-16 or 1,3,5-8 (default 1)\n"
	"  --baud N           (115200)\n"
	"  --password FILE    file with the installer's password, 8 characters at most\n"
	"  --factory-key FILE file with the factory key, 64 hex digits, instead\n"
	"  --broadcast        send to all at once, then repair what is missing\n"
	"  --older            also when a pack runs a newer version\n"
	"  --alone            also when there is only one pack, whose restart cuts the supply\n"
	"\n"
	"  onepack update pack-1.2.0.img --port /dev/ttyUSB0 --key maker.pem --packs 1-16 \\\n"
	"      --password installer.txt --broadcast\n";

struct session {
	const char *file, *port, *key;
	struct update_options options;
	uint8_t units[UPDATE_PACKS];
	int count;
	uint8_t *bytes;
	struct release release;
	struct update_job job;
	int stop_fd;
	enum update_progress shown[UPDATE_PACKS];
	int32_t shown_percent;
};

static int complain(const char *about, const char *what)
{
	fprintf(stderr, "onepack update: %s: %s\n", about, what);
	return 1;
}

/* --- options --- */

/* Whole file as text; 0, or 1 when it cannot be read. */
static int read_text(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");

	if (!file)
		return complain(path, strerror(errno));

	const size_t count = fread(text, 1, size - 1, file);

	text[count] = '\0';
	(void)fclose(file);
	return 0;
}

static bool add_range(struct session *s, uint16_t low, uint16_t high)
{
	if (low < 1 || high > 247 || high - low >= UPDATE_PACKS - s->count)
		return false;
	for (uint16_t unit = low; unit <= high; unit++)
		s->units[s->count++] = (uint8_t)unit;
	return true;
}

static bool take_packs(struct session *s, const char *list)
{
	char copy[256], *rest = copy;
	uint16_t low, high;

	if (strlen(list) >= sizeof copy)
		return false;
	(void)snprintf(copy, sizeof copy, "%s", list);
	s->count = 0;
	for (const char *word; (word = strtok_r(rest, ",", &rest)) != NULL;)
		if (image_text_range(word, &low, &high) < 0 || !add_range(s, low, high))
			return false;
	return s->count > 0;
}

static bool take_password(struct session *s, const char *path)
{
	char text[SECRET_MAX] = "";

	if (read_text(path, text, sizeof text) != 0)
		return false;
	text[strcspn(text, "\r\n")] = '\0';

	const size_t length = strlen(text);

	if (length > 0 && length <= 8) { /* a password is eight characters, filled up with zeros */
		memcpy(s->options.key, text, length);
		s->options.key_length = 8;
		s->options.level = 2;
	}
	sodium_memzero(text, sizeof text);
	return s->options.key_length > 0;
}

static bool take_factory_key(struct session *s, const char *path)
{
	char text[SECRET_MAX] = "";
	size_t length = 0;

	if (read_text(path, text, sizeof text) != 0 ||
	    sodium_hex2bin(s->options.key, sizeof s->options.key, text, strlen(text), " \r\n",
			   &length, NULL) != 0 ||
	    length != sizeof s->options.key)
		return false;
	sodium_memzero(text, sizeof text);
	s->options.key_length = sizeof s->options.key;
	s->options.level = 3;
	return true;
}

static bool take_baud(struct session *s, const char *text)
{
	uint32_t baud;

	if (image_text_number(text, strlen(text), 1000000, &baud) < 0)
		return false;
	s->options.baud = (int32_t)baud;
	return true;
}

static bool take_option(struct session *s, int option)
{
	switch (option) {
	case 'p': s->port = optarg; return true;
	case 'k': s->key = optarg; return true;
	case 'l': return take_packs(s, optarg);
	case 'r': return take_baud(s, optarg);
	case 'w': return take_password(s, optarg);
	case 'f': return take_factory_key(s, optarg);
	case 'b': s->options.broadcast = true; return true;
	case 'o': s->options.allow_older = true; return true;
	case 'a': s->options.allow_alone = true; return true;
	default: return false;
	}
}

/* 0, or the exit status. */
static int take_options(struct session *s, int argc, char **argv)
{
	static const struct option options[] = {
		{"port", required_argument, NULL, 'p'},
		{"key", required_argument, NULL, 'k'},
		{"packs", required_argument, NULL, 'l'},
		{"baud", required_argument, NULL, 'r'},
		{"password", required_argument, NULL, 'w'},
		{"factory-key", required_argument, NULL, 'f'},
		{"broadcast", no_argument, NULL, 'b'},
		{"older", no_argument, NULL, 'o'},
		{"alone", no_argument, NULL, 'a'},
		{NULL, 0, NULL, 0},
	};

	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
		if (!take_option(s, option)) {
			if (option != '?' && optarg)
				(void)complain(optarg, "cannot be used for that option");
			return 2;
		}
	if (optind + 1 != argc || !s->port || !s->key) {
		fputs(help, stderr);
		return 2;
	}
	s->file = argv[optind];
	s->options.packs_in_service = s->count;
	return 0;
}

/* --- the release --- */

static int read_release(struct session *s)
{
	uint8_t key[1][IMAGE_KEY_SIZE];
	char pem[2048];
	FILE *file = fopen(s->file, "rb");
	size_t count;

	s->bytes = malloc(FILE_MAX);
	if (!file || !s->bytes) {
		if (file)
			(void)fclose(file);
		return complain(s->file, strerror(errno));
	}
	count = fread(s->bytes, 1, FILE_MAX, file);
	(void)fclose(file);
	if (release_read(s->bytes, count, &s->release) < 0)
		return complain(s->file, "is no release, or not all of one");
	if (read_text(s->key, pem, sizeof pem) != 0)
		return 1;
	if (image_key_from_pem(pem, key[0]) < 0)
		return complain(s->key, "holds no Ed25519 key");
	for (int i = 0; i < s->release.count; i++)
		if (image_verify(&s->release.images[i], key, 1) < 0)
			return complain(s->file, "is damaged, or not signed with that key");
	return 0;
}

/* --- the bus --- */

/* Waits so long; true when somebody wants the end. */
static bool is_stopped(const struct session *s, int64_t ms)
{
	struct pollfd stop = {.fd = s->stop_fd, .events = POLLIN};

	return poll(&stop, 1, (int)ms) > 0;
}

/* Sends, and collects an answer until it is complete or the time is up. 0, or -errno. */
static int exchange(struct session *s, int fd, const struct update_step *step)
{
	uint8_t bytes[2 * UPDATE_FRAME];
	size_t count = 0;
	const int64_t wire_ms = (int64_t)step->length * 10000 / s->options.baud + 1;
	int result;

	serial_drain(fd);
	result = serial_write(fd, step->frame, step->length, WRITE_MS);
	if (result < 0)
		return result;

	const bool answered = step->kind == UPDATE_STEP_SEND;
	const int64_t end_ms =
		clock_monotonic_ms() + wire_ms + (answered ? step->answer_ms : SILENCE_MS);

	while (clock_monotonic_ms() < end_ms && count < sizeof bytes) {
		const bool refused = count == 5 && (bytes[1] & 0x80) != 0;

		if (answered && (count >= step->answer_bytes || refused))
			break;
		result = serial_read(fd, bytes + count, sizeof bytes - count,
				     (int)(end_ms - clock_monotonic_ms()));
		if (result < 0)
			return result;
		count += (size_t)result;
	}
	update_answer(&s->job, clock_monotonic_ms(), answered ? bytes : NULL, answered ? count : 0);
	return 0;
}

/* A line for each change, and for every tenth of the job. */
static void show(struct session *s)
{
	const int32_t percent = update_percent(&s->job) / 10 * 10;

	for (int i = 0; i < s->job.count; i++) {
		const struct update_pack *pack = &s->job.packs[i];

		if (pack->progress == s->shown[i])
			continue;
		s->shown[i] = pack->progress;
		printf("pack %d: %s\n", pack->unit, update_progress_text(pack->progress));
	}
	if (percent > s->shown_percent) {
		s->shown_percent = percent;
		printf("%d %%\n", percent);
	}
	(void)fflush(stdout);
}

static int run(struct session *s, int fd)
{
	struct update_step step;
	int result = 0;

	bool stopped = false;

	while (!stopped && result == 0) {
		const int64_t now_ms = clock_monotonic_ms();

		update_next(&s->job, now_ms, &step);
		show(s);
		if (step.kind == UPDATE_STEP_DONE)
			break;
		if (step.kind == UPDATE_STEP_WAIT) {
			stopped =
				is_stopped(s, step.until_ms > now_ms ? step.until_ms - now_ms : 1);
			continue;
		}
		result = exchange(s, fd, &step);
		stopped = is_stopped(s, SILENCE_MS);
	}
	if (result < 0)
		return complain(s->port, strerror(-result));
	if (stopped)
		return complain("stopped", "packs keep what they have; run it again to go on");
	for (int i = 0; i < s->job.count; i++) {
		const struct update_pack *pack = &s->job.packs[i];

		if (pack->error != UPDATE_FINE)
			fprintf(stderr, "onepack update: pack %d %s%s%s\n", pack->unit,
				update_error_text(pack->error), pack->why ? ": " : "",
				update_why_text(pack->why));
	}
	return s->job.state != UPDATE_SUCCEEDED;
}

static int update(struct session *s, int argc, char **argv)
{
	int fd, result;

	s->options.baud = 115200;
	s->units[0] = 1;
	s->count = 1;
	result = take_options(s, argc, argv);
	if (result == 0)
		result = read_release(s);
	if (result != 0)
		return result;
	s->stop_fd = sim_stop_fd(0);
	if (s->stop_fd < 0)
		return complain("signals", strerror(errno));
	fd = serial_open(s->port, (uint32_t)s->options.baud);
	if (fd < 0) {
		(void)close(s->stop_fd);
		return complain(s->port, strerror(-fd));
	}
	(void)update_begin(&s->job, &s->release, &s->options, s->units, s->count,
			   clock_monotonic_ms());
	result = run(s, fd);
	(void)close(fd);
	(void)close(s->stop_fd);
	return result;
}

static bool has_argument(int argc, char **argv, const char *wanted)
{
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], wanted, strlen(wanted)) == 0)
			return true;
	return false;
}

int command_update(int argc, char **argv)
{
	const bool line = has_argument(argc, argv, "--port");
	struct session *session;
	int result;

	if (has_argument(argc, argv, "--help")) {
		if (line)
			fputs(help, stdout);
		else
			update_gateway_help();
		return 0;
	}
	if (!line)
		return update_gateway(argc, argv);
	if (sodium_init() < 0)
		return complain("libsodium", "cannot start");
	session = calloc(1, sizeof *session);
	if (!session)
		return complain("memory", strerror(errno));
	result = update(session, argc, argv);
	free(session->bytes);
	sodium_memzero(session, sizeof *session); /* the key */
	free(session);
	return result;
}
