// SPDX-License-Identifier: Apache-2.0
/* Orders, and the life of the job; what it says of itself is update_status.c's. */
#include "update_desk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "onepack/clock.h"
#include "update_status.h"

#define OWN_PROTOCOL  "pack/onepack"
#define KEY_TEXT      4096
#define PRESENT_MS    5000  /* a pack that gave a sample so lately is there */
#define GATHER_MS     30000 /* after a restart the packs are waited for so long */
#define LOWERED_MS    3000  /* for the inverters to follow a lower limit */
#define WINDOW_MS     60000 /* the bus is judged by the last one to two minutes */
#define ENOUGH        50    /* exchanges, to judge a bus by */
#define PPM           1000000
#define PASSWORD_SIZE 8
#define LEVEL         2 /* installer */

/* --- files --- */

static void path_of(const struct update_desk *desk, const char *name, char path[UPDATE_PATH])
{
	path[0] = '\0';
	if (desk->config.folder[0] &&
	    snprintf(path, UPDATE_PATH, "%s/%s", desk->config.folder, name) >= UPDATE_PATH)
		path[0] = '\0';
}

static int save_release(const char *path, const uint8_t *bytes, size_t size)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, bytes, size) != (ssize_t)size || fsync(fd) != 0)
		err = errno ? -errno : -EIO;
	if (close(fd) != 0 && !err)
		err = -errno;
	return err;
}

static uint8_t *load_file(const char *path, size_t *size)
{
	const size_t room = RELEASE_IMAGES * (size_t)IMAGE_SIZE_MAX;
	uint8_t *bytes = malloc(room);
	FILE *file = fopen(path, "re");

	*size = bytes && file ? fread(bytes, 1, room, file) : 0;
	if (file)
		(void)fclose(file);
	if (*size > 0)
		return bytes;
	free(bytes);
	return NULL;
}

/* So that a restart goes on; without it, one must be ordered anew. */
static void save(struct update_desk *desk, size_t size)
{
	char path[UPDATE_PATH];

	path_of(desk, "update.img", desk->order.release);
	path_of(desk, "update.json", path);
	if (path[0] && save_release(desk->order.release, desk->bytes, size) == 0)
		(void)update_order_save(path, &desk->order);
}

static void forget_files(struct update_desk *desk)
{
	char path[UPDATE_PATH];

	path_of(desk, "update.json", path);
	if (path[0]) {
		(void)update_order_remove(path);
		(void)unlink(desk->order.release);
	}
}

/* --- orders --- */

static int read_key(struct update_desk *desk, char *why, size_t why_size)
{
	char pem[KEY_TEXT] = "";
	FILE *file = fopen(desk->config.key, "re");

	if (!file) {
		snprintf(why, why_size, "%s: %s", desk->config.key, strerror(errno));
		return -EINVAL;
	}
	pem[fread(pem, 1, sizeof pem - 1, file)] = '\0';
	(void)fclose(file);
	if (image_key_from_pem(pem, desk->key[0]) == 0)
		return 0;
	snprintf(why, why_size, "%s holds no Ed25519 key", desk->config.key);
	return -EINVAL;
}

static int check_release(const struct update_desk *desk, const uint8_t *bytes, size_t size,
			 struct release *release, char *why, size_t why_size)
{
	if (release_read(bytes, size, release) < 0) {
		snprintf(why, why_size, "This is no release, or not all of one.");
		return -EINVAL;
	}
	for (int i = 0; i < release->count; i++)
		if (image_verify(&release->images[i], desk->key, 1) < 0) {
			snprintf(why, why_size,
				 "The release is damaged, or not signed with the maker's key.");
			return -EINVAL;
		}
	return 0;
}

static bool is_wanted(const struct table *table, const struct rack_update_wish *wish, int slot)
{
	if (wish->packs)
		return wish->packs >> (slot + 1) & 1;
	return table->slots[slot].taken &&
	       strcmp(table->lines[table->slots[slot].bus].protocol, OWN_PROTOCOL) == 0;
}

/* Which addresses on which line. */
static int choose_packs(const struct table *table, const struct rack_update_wish *wish,
			struct update_order *order, int *line, char *why, size_t why_size)
{
	*line = -1;
	order->count = 0;
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct table_slot *slot = &table->slots[i];

		if (!is_wanted(table, wish, i))
			continue;
		if (!slot->taken || strcmp(table->lines[slot->bus].protocol, OWN_PROTOCOL) != 0) {
			snprintf(why, why_size, "Pack %d is not one with this project's firmware.",
				 i + 1);
			return -EINVAL;
		}
		if (*line >= 0 && slot->bus != *line) {
			snprintf(why, why_size,
				 "Pack %d is on another line than the packs before it. Update one "
				 "line at a time.",
				 i + 1);
			return -EINVAL;
		}
		*line = slot->bus;
		order->units[order->count++] = (uint8_t)slot->address;
	}
	if (order->count > 0)
		return 0;
	snprintf(why, why_size, "There is no pack with this project's firmware.");
	return -EINVAL;
}

bool desk_is_running(const struct update_desk *desk)
{
	return desk->status.state == RACK_UPDATE_WAITING ||
	       desk->status.state == RACK_UPDATE_RUNNING;
}

/* The order stands: `bytes` are the desk's from now on. */
static void accept(struct update_desk *desk, const struct table *table, uint8_t *bytes, size_t size,
		   int64_t now_ms)
{
	const struct release *release = &desk->release;

	free(desk->bytes);
	desk->bytes = bytes;
	(void)release_read(bytes, size, &desk->release); /* was good a moment ago */
	desk->ordered_ms = now_ms;
	desk->stopping = false;
	desk->left_ms = 0;
	memset(desk->confirmed, 0, sizeof desk->confirmed);
	snprintf(desk->order.bus, sizeof desk->order.bus, "%s",
		 table->lines[desk->line].status.name);
	status_begin(&desk->status, table, desk->line, &desk->order,
		     &release->images[0].facts.version);
}

int desk_order(struct update_desk *desk, struct table *table, const struct rack_update_wish *wish,
	       const uint8_t *release, size_t size, int64_t now_ms, char *why, size_t why_size)
{
	struct update_order order = {.broadcast = wish->broadcast,
				     .allow_older = wish->allow_older,
				     .allow_alone = wish->allow_alone};
	struct release parts;
	uint8_t *copy;
	int line;

	if (!desk->enabled) {
		snprintf(why, why_size,
			 "This gateway has no key of the maker. Set update.key in "
			 "its configuration.");
		return -EINVAL;
	}
	if (desk_is_running(desk)) {
		snprintf(why, why_size, "An update is running already. Wait for it, or stop it.");
		return -EBUSY;
	}
	if (check_release(desk, release, size, &parts, why, why_size) < 0 ||
	    choose_packs(table, wish, &order, &line, why, why_size) < 0)
		return -EINVAL;
	copy = malloc(size);
	if (!copy) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	memcpy(copy, release, size);
	desk->order = order;
	desk->line = line;
	desk->taken_up = false;
	accept(desk, table, copy, size, now_ms);
	save(desk, size);
	return 0;
}

/* What a restart interrupted. */
static void take_up(struct update_desk *desk, struct table *table, int64_t now_ms)
{
	char path[UPDATE_PATH], why[160];
	struct update_order order;
	struct release parts;
	uint8_t *bytes;
	size_t size;

	path_of(desk, "update.json", path);
	if (!path[0] || update_order_load(path, &order) < 0)
		return;
	bytes = load_file(order.release, &size);
	for (int i = 0; bytes && i < table->line_count; i++) {
		if (strcmp(table->lines[i].status.name, order.bus) != 0 ||
		    check_release(desk, bytes, size, &parts, why, sizeof why) < 0)
			continue;
		desk->order = order;
		desk->line = i;
		desk->taken_up = true;
		accept(desk, table, bytes, size, now_ms);
		return;
	}
	free(bytes);
	(void)update_order_remove(path);
}

int desk_enable(struct update_desk *desk, const struct rack_update_config *config,
		struct table *table, int64_t now_ms, char *why, size_t why_size)
{
	desk->config = *config;
	if (!config->key[0])
		return 0;
	if (read_key(desk, why, why_size) < 0)
		return -EINVAL;
	desk->enabled = true;
	take_up(desk, table, now_ms);
	return 0;
}

void desk_close(struct update_desk *desk)
{
	free(desk->bytes);
	desk->bytes = NULL;
}

int desk_stop(struct update_desk *desk, char *why, size_t why_size)
{
	if (desk->status.state == RACK_UPDATE_RUNNING &&
	    desk->job.packs[desk->job.current].progress >= UPDATE_LEAVES &&
	    desk->job.packs[desk->job.current].progress <= UPDATE_ON_TRIAL) {
		snprintf(why, why_size,
			 "A pack restarts or is on trial. Wait a minute and try again.");
		return -EBUSY;
	}
	desk->stopping = desk_is_running(desk);
	return 0;
}

/* --- the lines --- */

void desk_seen(struct update_desk *desk, int line, int address, int64_t now_ms)
{
	desk->seen_ms[line][address] = now_ms;
}

static void copy_counters(struct desk_window *window, const struct table *table, int64_t now_ms)
{
	window->begun_ms = now_ms;
	for (int i = 0; i < table->line_count; i++)
		memcpy(window->address[i], table->lines[i].status.address,
		       sizeof window->address[i]);
}

void desk_tick(struct update_desk *desk, const struct table *table, int64_t now_ms)
{
	if (desk->windows[1].begun_ms > 0 && now_ms - desk->windows[1].begun_ms < WINDOW_MS)
		return;
	desk->windows[0] = desk->windows[1];
	copy_counters(&desk->windows[1], table, now_ms);
}

/* Silence counts where somebody answers: an empty place is not the bus' fault. */
static uint32_t errors_ppm(const struct update_desk *desk, const struct table *table)
{
	const int line = desk->line;
	uint64_t answers = 0, errors = 0;

	for (int i = 0; i < BUS_MAX_ADDRESS; i++) {
		const struct bus_address_status *now = &table->lines[line].status.address[i];
		const struct bus_address_status *then = &desk->windows[0].address[line][i];
		const uint64_t answered = now->answers - then->answers;

		if (answered < ENOUGH)
			continue;
		answers += answered;
		for (int cause = BUS_CAUSE_TIMEOUT; cause <= BUS_CAUSE_FORMAT; cause++)
			errors += now->errors[cause] - then->errors[cause];
	}
	return answers ? (uint32_t)(errors * PPM / (answers + errors)) : 0;
}

/* --- the job --- */

static bool are_all_there(const struct update_desk *desk, int64_t now_ms)
{
	for (int i = 0; i < desk->order.count; i++) {
		const int unit = desk->order.units[i];
		const int64_t seen_ms =
			unit < BUS_MAX_ADDRESS ? desk->seen_ms[desk->line][unit] : 0;

		if (seen_ms == 0 || now_ms - seen_ms > PRESENT_MS)
			return false;
	}
	return true;
}

static void begin_job(struct update_desk *desk, const struct table *table, int32_t online,
		      uint32_t baud, int64_t now_ms)
{
	struct update_options options = {
		.baud = (int32_t)baud,
		.level = LEVEL,
		.key_length = PASSWORD_SIZE,
		.broadcast = desk->order.broadcast,
		.allow_older = desk->order.allow_older,
		.allow_alone = desk->order.allow_alone,
		.bus_errors_ppm = errors_ppm(desk, table),
		.packs_in_service = online,
		.check_ms = desk->config.watch_ms,
	};

	memcpy(options.key, desk->config.password, PASSWORD_SIZE);
	(void)update_begin(&desk->job, &desk->release, &options, desk->order.units,
			   desk->order.count, now_ms); /* all of it was checked */
	desk->status.state = RACK_UPDATE_RUNNING;
}

static void end(struct update_desk *desk, struct table *table, bool good)
{
	desk->status.state = good ? RACK_UPDATE_DONE : RACK_UPDATE_FAILED;
	desk->status.ended_ms = clock_wall_ms();
	table->leaving = 0;
	forget_files(desk);
	status_post_end(&desk->status, table, desk->line);
}

/* Whose share the fusion must do without. */
static void tell_leaving(struct update_desk *desk, struct table *table)
{
	const int index = update_leaving(&desk->job);
	const uint32_t leaving =
		index < 0 ? 0 : UINT32_C(1) << (desk->status.packs[index].pack - 1);

	if (leaving != table->leaving)
		desk->left_ms = 0;
	table->leaving = leaving;
}

void desk_taken(struct update_desk *desk, const struct table *table, int64_t now_ms)
{
	if (table->leaving && desk->left_ms == 0)
		desk->left_ms = now_ms;
}

struct update_job *desk_job(struct update_desk *desk, struct table *table, int line, int32_t online,
			    uint32_t baud, int64_t now_ms)
{
	if (line != desk->line || !desk_is_running(desk))
		return NULL;
	if (desk->stopping) {
		snprintf(desk->status.error, sizeof desk->status.error,
			 "It was stopped. The packs keep what they have.");
		end(desk, table, false);
		return NULL;
	}
	if (desk->status.state == RACK_UPDATE_WAITING) {
		/* after a restart nobody is in service yet */
		const bool ready = !desk->taken_up || (are_all_there(desk, now_ms) &&
						       online >= desk->order.count);

		if (!ready && now_ms - desk->ordered_ms < GATHER_MS)
			return NULL;
		begin_job(desk, table, online, baud, now_ms);
	}
	if (desk->left_ms > 0 && now_ms - desk->left_ms >= LOWERED_MS)
		update_lowered(&desk->job);
	return &desk->job;
}

void desk_step(struct update_desk *desk, struct table *table)
{
	if (desk->status.state != RACK_UPDATE_RUNNING)
		return;
	tell_leaving(desk, table);
	status_follow(&desk->status, &desk->job);
	for (int i = 0; i < desk->job.count; i++)
		if (!desk->confirmed[i] && desk->job.packs[i].progress == UPDATE_CONFIRMED) {
			desk->confirmed[i] = true;
			status_post_confirmed(&desk->status, table, desk->line, i);
		}
	if (desk->job.state != UPDATE_RUNNING)
		end(desk, table, desk->job.state == UPDATE_SUCCEEDED);
}
