// SPDX-License-Identifier: Apache-2.0
/* The log of what comes in, while it comes in: the lines of `onepack fuse`, step by step from the
 * tape of the board, so that nothing is lost between two looks. A reader that falls behind keeps
 * its place on the tape; if that is overwritten, its next line says how many steps are missing. */
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "onepack/sample_log.h"

#define BLOCK_SIZE 8192
#define PART_SIZE  32768 /* about so much text is made at a time */

struct recorder {
	struct recorder *next;
	struct samples *samples;
	struct MHD_Connection *connection;
	bool suspended;
	bool begun;
	int64_t offset_ms; /* from the engine's time to wall time, as it was at the first step */
	uint64_t position; /* on the tape */
	struct sample_log_writer writer;
	struct tape_step step;
	char *text; /* lines that are being sent */
	size_t size, sent;
};

struct samples {
	struct tape *tape;
	pthread_mutex_t lock; /* of everything here */
	struct recorder *recorders;
	int count;
	bool closing;
};

/* --- one recorder --- */

/* The next lines as one text; false when nothing has happened or memory is short. */
static bool make_text(struct recorder *recorder)
{
	struct tape_step *step = &recorder->step;
	FILE *out;
	int status = 0;

	free(recorder->text);
	recorder->text = NULL;
	recorder->size = recorder->sent = 0;
	out = open_memstream(&recorder->text, &recorder->size);
	if (!out)
		return false;
	while (status == 0 && ftell(out) < PART_SIZE &&
	       tape_read(recorder->samples->tape, &recorder->position, step)) {
		if (!recorder->begun) /* a clock that is set later must not bend the log */
			recorder->offset_ms = step->wall_ms - step->input.now_ms;
		recorder->begun = true;
		status = sample_log_write(&recorder->writer, out,
					  step->input.now_ms + recorder->offset_ms, &step->input,
					  step->lost);
	}
	fclose(out);
	return recorder->size > 0;
}

static ssize_t fill(struct recorder *recorder, char *out, size_t max)
{
	size_t count;

	if (recorder->samples->closing)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (recorder->sent == recorder->size && !make_text(recorder)) {
		MHD_suspend_connection(recorder->connection);
		recorder->suspended = true;
		return 0;
	}
	count = recorder->size - recorder->sent;
	if (count > max)
		count = max;
	memcpy(out, recorder->text + recorder->sent, count);
	recorder->sent += count;
	return (ssize_t)count;
}

static ssize_t read_content(void *arg, uint64_t position, char *out, size_t max)
{
	struct recorder *recorder = arg;

	(void)position;
	pthread_mutex_lock(&recorder->samples->lock);
	const ssize_t result = fill(recorder, out, max);
	pthread_mutex_unlock(&recorder->samples->lock);
	return result;
}

static void forget(void *arg)
{
	struct recorder *recorder = arg, **link;
	struct samples *samples = recorder->samples;

	pthread_mutex_lock(&samples->lock);
	for (link = &samples->recorders; *link != recorder; link = &(*link)->next)
		;
	*link = recorder->next;
	samples->count--;
	pthread_mutex_unlock(&samples->lock);
	free(recorder->text);
	free(recorder);
}

static struct recorder *admit(struct samples *samples, struct MHD_Connection *connection, bool past)
{
	struct recorder *recorder = NULL;

	pthread_mutex_lock(&samples->lock);
	if (!samples->closing && samples->count < WEB_MAX_RECORDERS)
		recorder = calloc(1, sizeof *recorder);
	if (recorder) {
		recorder->samples = samples;
		recorder->connection = connection;
		recorder->position = past ? tape_oldest(samples->tape) : tape_end(samples->tape);
		sample_log_begin(&recorder->writer);
		recorder->next = samples->recorders;
		samples->recorders = recorder;
		samples->count++;
	}
	pthread_mutex_unlock(&samples->lock);
	return recorder;
}

enum MHD_Result api_samples(struct request *request)
{
	const char *past = request_argument(request, "past");
	struct MHD_Response *response;
	struct recorder *recorder;

	if (past && strcmp(past, "1") != 0 && strcmp(past, "0") != 0)
		return reply_error(request, MHD_HTTP_BAD_REQUEST,
				   "'past' is 1 (begin with what is remembered) or 0.");
	if (strcmp(request->method, "HEAD") == 0)
		return reply_text(request, MHD_HTTP_OK, "application/x-ndjson", strdup(""), 0);
	recorder = admit(request->web->samples, request->connection, past && *past == '1');
	if (!recorder)
		return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
				   "%d recordings are running already. End one of them.",
				   WEB_MAX_RECORDERS);
	request_limit_socket(request);
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_content,
						     recorder, forget);
	if (!response) {
		forget(recorder);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", "application/x-ndjson");
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "X-Accel-Buffering", "no"); /* for a proxy in between */
	return reply_response(request, MHD_HTTP_OK, response);
}

/* --- the whole --- */

static void wake(struct recorder *recorder)
{
	if (!recorder->suspended)
		return;
	recorder->suspended = false;
	MHD_resume_connection(recorder->connection);
}

static void wake_all(struct samples *samples)
{
	for (struct recorder *one = samples->recorders; one; one = one->next)
		wake(one);
}

struct samples *samples_new(struct tape *tape)
{
	struct samples *samples = calloc(1, sizeof *samples);

	if (!samples)
		return NULL;
	samples->tape = tape;
	pthread_mutex_init(&samples->lock, NULL);
	return samples;
}

void samples_tick(struct samples *samples)
{
	pthread_mutex_lock(&samples->lock);
	wake_all(samples);
	pthread_mutex_unlock(&samples->lock);
}

void samples_close(struct samples *samples)
{
	pthread_mutex_lock(&samples->lock);
	samples->closing = true;
	wake_all(samples);
	pthread_mutex_unlock(&samples->lock);
}

void samples_free(struct samples *samples)
{
	if (!samples)
		return;
	pthread_mutex_destroy(&samples->lock);
	free(samples);
}
