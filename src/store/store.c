// SPDX-License-Identifier: Apache-2.0
/* The writer thread: looks at the board once a second, queues what is worth keeping, commits in
 * batches, and keeps trying when the disk does not want. The decisions about time and disk are
 * here; what a row looks like is in sample.c, how it is written in writer.c. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onepack/clock.h"
#include "onepack/err.h"
#include "queue.h"
#include "writer.h"

#define TICK_MS       1000
#define MAX_SAMPLES   360 /* an hour */
#define MAX_EVENTS    256 /* as many as the board keeps */
#define MAX_REASONS   256
#define EVENTS_A_TIME 16

#define SANE_CLOCK_MS 1704067200000LL /* 2024-01-01: before this the clock was never set */

#define RETRY_FIRST_MS 1000
#define RETRY_LAST_MS  60000

/* Alarms are committed at once, but a flapping one must not wear out the disk. */
#define URGENT_BURST     20
#define URGENT_REFILL_MS 30000

/* An event with the moment that it was seen, by which a wrong time is put right later. */
struct queued_event {
	int64_t monotonic_ms;
	struct batch_event row;
};

struct store {
	struct store_config config;
	struct board *board;
	pthread_t thread;
	pthread_mutex_t lock; /* guards the next four; only the thread changes `reasons` */
	pthread_cond_t stop_news;
	bool stopping;
	struct store_status status;
	int64_t event_base;
	struct queue reasons;
	/* the rest belongs to the thread */
	bool event_base_known;
	struct writer writer;
	struct queue samples, events;
	struct reason_memory memory;
	struct battery battery;
	struct batch_event *commit_events;
	uint64_t seen_event;
	int64_t last_sample_bucket;
	int64_t batch_started_ms; /* when the oldest thing in the queues came; 0 = empty */
	bool urgent;
	int urgent_tokens;
	int64_t urgent_refilled_ms;
	int64_t retry_at_ms, retry_pause_ms;
};

struct times {
	int64_t monotonic_ms, wall_ms;
};

void store_config_default(struct store_config *config)
{
	*config = (struct store_config){
		.sample_ms = 10000,
		.batch_ms = 60000,
		.keep_10s_days = 7,
		.keep_1m_days = 90,
		.keep_15m_days = 3650,
		.keep_reason_days = 90,
		.keep_event_days = 3650,
	};
}

const char *store_state_name(enum store_state state)
{
	static const char *const names[] = {"starting", "working", "waiting_for_clock", "failed"};

	return (unsigned)state <= STORE_FAILED ? names[state] : "failed";
}

void store_get_status(struct store *store, struct store_status *out)
{
	pthread_mutex_lock(&store->lock);
	*out = store->status;
	pthread_mutex_unlock(&store->lock);
}

int64_t store_event_base(struct store *store)
{
	pthread_mutex_lock(&store->lock);
	const int64_t base = store->event_base;
	pthread_mutex_unlock(&store->lock);
	return base;
}

int store_pending_reasons(struct store *store, int64_t from_s, int64_t to_s,
			  store_reason_fn *reason, void *arg)
{
	int count = 0;

	pthread_mutex_lock(&store->lock);
	const struct reason_row *rows = (const struct reason_row *)store->reasons.items;
	for (int i = 0; i < store->reasons.count; i++) {
		const int64_t time_s = rows[i].wall_ms / 1000;

		if (time_s < from_s || time_s >= to_s)
			continue;
		reason(arg, time_s, &rows[i].reason);
		count++;
	}
	pthread_mutex_unlock(&store->lock);
	return count;
}

/* --- collecting --- */

static void note_news(struct store *store, int64_t now_ms)
{
	if (store->batch_started_ms == 0)
		store->batch_started_ms = now_ms;
}

static void collect_events(struct store *store, const struct times *now)
{
	struct event events[EVENTS_A_TIME];
	uint64_t last;
	int count;

	while ((count = board_events(store->board, store->seen_event, events, EVENTS_A_TIME,
				     &last)) > 0) {
		for (int i = 0; i < count; i++) {
			struct queued_event queued = {.monotonic_ms = now->monotonic_ms};

			queued.row.id = (int64_t)last - count + 1 + i;
			queued.row.event = events[i];
			queue_push(&store->events, &queued);
			if (events[i].severity != EVENT_INFO)
				store->urgent = true;
		}
		store->seen_event = last;
		note_news(store, now->monotonic_ms);
	}
}

static void collect_reasons(struct store *store, const struct times *now, bool thorough)
{
	struct reason changed[LIMIT_COUNT];
	const int count = reason_changes(&store->memory, &store->battery, thorough, changed);

	for (int i = 0; i < count; i++) {
		const struct reason_row row = {now->monotonic_ms, now->wall_ms, changed[i]};

		pthread_mutex_lock(&store->lock);
		queue_push(&store->reasons, &row);
		pthread_mutex_unlock(&store->lock);
		note_news(store, now->monotonic_ms);
	}
}

static void collect(struct store *store, const struct times *now)
{
	const int64_t bucket = now->wall_ms / store->config.sample_ms;
	const bool due = bucket != store->last_sample_bucket;
	struct sample sample;

	collect_events(store, now);
	if (board_battery(store->board, &store->battery) == 0)
		return;
	collect_reasons(store, now, due);
	if (!due)
		return;
	store->last_sample_bucket = bucket;
	sample_take(&store->battery, now->monotonic_ms, now->wall_ms, &sample);
	queue_push(&store->samples, &sample);
	note_news(store, now->monotonic_ms);
}

/* --- committing --- */

static int64_t put_right(int64_t wall_ms, int64_t monotonic_ms, const struct times *now)
{
	return wall_ms >= SANE_CLOCK_MS ? wall_ms
					: now->wall_ms - (now->monotonic_ms - monotonic_ms);
}

/* Rows that came before the clock was set get the time they would have had. */
static void put_times_right(struct store *store, const struct times *now)
{
	struct sample *samples = (struct sample *)store->samples.items;
	struct reason_row *reasons = (struct reason_row *)store->reasons.items;
	const struct queued_event *events = (const struct queued_event *)store->events.items;

	for (int i = 0; i < store->samples.count; i++)
		samples[i].wall_ms = put_right(samples[i].wall_ms, samples[i].monotonic_ms, now);
	pthread_mutex_lock(&store->lock);
	for (int i = 0; i < store->reasons.count; i++)
		reasons[i].wall_ms = put_right(reasons[i].wall_ms, reasons[i].monotonic_ms, now);
	pthread_mutex_unlock(&store->lock);
	for (int i = 0; i < store->events.count; i++) {
		struct batch_event *row = &store->commit_events[i];

		*row = events[i].row;
		row->id += store->event_base;
		row->event.time_ms = put_right(row->event.time_ms, events[i].monotonic_ms, now);
	}
}

static void post(struct store *store, enum event_severity severity, const char *kind,
		 const char *text, const char *detail)
{
	struct event event = {.time_ms = clock_wall_ms(), .severity = severity};

	event.pack = FIELD_UNKNOWN;
	snprintf(event.kind, sizeof event.kind, "%s", kind);
	snprintf(event.text, sizeof event.text, "%s%s", text, detail);
	board_post_event(store->board, &event);
}

static void set_state(struct store *store, enum store_state state, const char *detail)
{
	pthread_mutex_lock(&store->lock);
	const enum store_state was = store->status.state;
	store->status.state = state;
	snprintf(store->status.detail, sizeof store->status.detail, "%s", detail);
	store->status.samples_dropped = store->samples.dropped;
	if (state == STORE_FAILED)
		store->status.failures++;
	pthread_mutex_unlock(&store->lock);
	if (state == STORE_FAILED && was != STORE_FAILED)
		post(store, EVENT_WARNING, "history_stopped",
		     "The history is not written: ", detail);
	if (state == STORE_WORKING && was == STORE_FAILED)
		post(store, EVENT_INFO, "history_resumed", "The history is written again", "");
}

static void fail(struct store *store, const struct times *now, const char *detail)
{
	writer_close(&store->writer);
	store->retry_pause_ms = store->retry_pause_ms ? store->retry_pause_ms * 2 : RETRY_FIRST_MS;
	if (store->retry_pause_ms > RETRY_LAST_MS)
		store->retry_pause_ms = RETRY_LAST_MS;
	store->retry_at_ms = now->monotonic_ms + store->retry_pause_ms;
	set_state(store, STORE_FAILED, detail);
}

static bool open_file(struct store *store, const struct times *now)
{
	char why[STORE_DETAIL_SIZE];
	bool moved_aside;

	if (store->writer.db)
		return true;
	if (writer_open(&store->writer, store->config.path, &moved_aside, why, sizeof why) !=
	    SQLITE_OK) {
		fail(store, now, why);
		return false;
	}
	if (moved_aside)
		post(store, EVENT_WARNING, "history_malformed",
		     "The history file was damaged. It was put aside and a new one was started",
		     "");
	pthread_mutex_lock(&store->lock);
	if (!store->event_base_known)
		store->event_base = store->writer.last_event_id;
	store->event_base_known = true;
	pthread_mutex_unlock(&store->lock);
	return true;
}

static void succeed(struct store *store, const struct times *now)
{
	pthread_mutex_lock(&store->lock);
	store->status.samples_written += (uint64_t)store->samples.count;
	store->status.events_written += (uint64_t)store->events.count;
	store->status.commits++;
	store->status.last_commit_ms = now->monotonic_ms;
	store->reasons.count = 0;
	pthread_mutex_unlock(&store->lock);
	store->samples.count = store->events.count = 0;
	store->batch_started_ms = 0;
	store->urgent = false;
	store->retry_pause_ms = 0;
	set_state(store, STORE_WORKING, "");
}

static void commit(struct store *store, const struct times *now)
{
	char detail[STORE_DETAIL_SIZE];

	if (!open_file(store, now))
		return;
	if (now->wall_ms < SANE_CLOCK_MS) {
		set_state(store, STORE_WAITING_FOR_CLOCK, "the clock of this computer is not set");
		return;
	}
	put_times_right(store, now);
	const struct batch batch = {
		.samples = (const struct sample *)store->samples.items,
		.sample_count = store->samples.count,
		.events = store->commit_events,
		.event_count = store->events.count,
		.reasons = (const struct reason_row *)store->reasons.items,
		.reason_count = store->reasons.count,
	};
	if (writer_commit(&store->writer, &store->config, &batch, now->wall_ms / 1000) ==
	    SQLITE_OK) {
		succeed(store, now);
		return;
	}
	snprintf(detail, sizeof detail, "%.*s: %s", STORE_DETAIL_SIZE / 2, store->config.path,
		 sqlite3_errmsg(store->writer.db)); /* the reason must fit */
	fail(store, now, detail);
}

static bool take_urgent_token(struct store *store, int64_t now_ms)
{
	while (now_ms - store->urgent_refilled_ms >= URGENT_REFILL_MS) {
		store->urgent_refilled_ms += URGENT_REFILL_MS;
		if (store->urgent_tokens < URGENT_BURST)
			store->urgent_tokens++;
	}
	if (store->urgent_tokens == 0)
		return false;
	store->urgent_tokens--;
	return true;
}

static bool is_commit_due(struct store *store, int64_t now_ms)
{
	if (now_ms < store->retry_at_ms)
		return false;
	if (!store->writer.db) /* at start, so that a bad disk is known early */
		return true;
	if (store->batch_started_ms == 0)
		return false;
	if (now_ms - store->batch_started_ms >= store->config.batch_ms)
		return true;
	return store->urgent && take_urgent_token(store, now_ms);
}

/* --- the thread --- */

static void read_times(struct times *now)
{
	now->monotonic_ms = clock_monotonic_ms();
	now->wall_ms = clock_wall_ms();
}

/* True when it is time to stop. */
static bool pause_a_tick(struct store *store, int64_t tick_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)(tick_ms % 1000) * 1000000;
	until.tv_sec += tick_ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&store->lock);
	while (!store->stopping &&
	       pthread_cond_timedwait(&store->stop_news, &store->lock, &until) != ETIMEDOUT)
		;
	const bool stopping = store->stopping;
	pthread_mutex_unlock(&store->lock);
	return stopping;
}

static void *run(void *arg)
{
	struct store *store = arg;
	const int64_t tick_ms =
		store->config.sample_ms < TICK_MS ? store->config.sample_ms : TICK_MS;
	struct times now;
	bool stopping;

	pthread_setname_np(pthread_self(), "store");
	read_times(&now);
	store->urgent_refilled_ms = now.monotonic_ms;
	do {
		stopping = pause_a_tick(store, tick_ms);
		read_times(&now);
		collect(store, &now);
		if (stopping || is_commit_due(store, now.monotonic_ms))
			commit(store, &now);
	} while (!stopping);
	writer_close(&store->writer);
	return NULL;
}

/* --- start and stop --- */

static const char *config_error(const struct store_config *config)
{
	if (config->path[0] == '\0')
		return "the store needs a path";
	if (config->sample_ms < 1 || config->batch_ms < 0)
		return "sample_ms must be at least 1 and batch_ms at least 0";
	if (config->keep_10s_days < 1 || config->keep_1m_days < 1 || config->keep_15m_days < 1 ||
	    config->keep_reason_days < 1 || config->keep_event_days < 1)
		return "each keep_..._days must be at least 1";
	return NULL;
}

static void store_free(struct store *store)
{
	queue_free(&store->samples);
	queue_free(&store->events);
	queue_free(&store->reasons);
	free(store->commit_events);
	pthread_cond_destroy(&store->stop_news);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

static int allocate(struct store *store)
{
	store->commit_events = calloc(MAX_EVENTS, sizeof *store->commit_events);
	if (!store->commit_events ||
	    queue_init(&store->samples, sizeof(struct sample), MAX_SAMPLES) < 0 ||
	    queue_init(&store->events, sizeof(struct queued_event), MAX_EVENTS) < 0 ||
	    queue_init(&store->reasons, sizeof(struct reason_row), MAX_REASONS) < 0)
		return -ENOMEM;
	return 0;
}

int store_start(const struct store_config *config, struct board *board, struct store **out,
		char *why, size_t why_size)
{
	const char *mistake = config_error(config);
	struct store *store = mistake ? NULL : calloc(1, sizeof *store);
	pthread_condattr_t attributes;
	int result;

	if (!store) {
		snprintf(why, why_size, "%s", mistake ? mistake : "no memory");
		return mistake ? ERR_FORMAT : -ENOMEM;
	}
	store->config = *config;
	store->board = board;
	store->urgent_tokens = URGENT_BURST;
	pthread_mutex_init(&store->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&store->stop_news, &attributes);
	pthread_condattr_destroy(&attributes);
	result = allocate(store);
	if (result == 0)
		result = -pthread_create(&store->thread, NULL, run, store);
	if (result < 0) {
		snprintf(why, why_size, "the history cannot start: %s", strerror(-result));
		store_free(store);
		return result;
	}
	*out = store;
	return 0;
}

void store_stop(struct store *store)
{
	if (!store)
		return;
	pthread_mutex_lock(&store->lock);
	store->stopping = true;
	pthread_cond_signal(&store->stop_news);
	pthread_mutex_unlock(&store->lock);
	pthread_join(store->thread, NULL);
	store_free(store);
}
