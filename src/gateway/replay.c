// SPDX-License-Identifier: Apache-2.0
/* The log is read one line ahead; its time runs `speed` times as fast as the clock. */
#include "replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onepack/sample_log.h"

struct replay {
	FILE *log;
	double speed;
	struct sample_log_reader reader;
	struct fusion_input next; /* not taken yet */
	bool has_next, begun;
	int64_t first_ms;   /* of the log */
	int64_t started_ms; /* of the clock */
	int64_t line_ms;    /* of the log: the line that was given last */
	int64_t last_ms;    /* and the step, which may fill a pause behind it */
	char *text;
	size_t room;
};

static void read_ahead(struct replay *replay)
{
	const ssize_t length = getline(&replay->text, &replay->room, replay->log);

	replay->has_next = length >= 0;
	if (replay->has_next)
		sample_log_read(&replay->reader, replay->text, (size_t)length, &replay->next);
}

int replay_open(const char *path, double speed, struct replay **out, char *why, size_t why_size)
{
	struct replay *replay = calloc(1, sizeof *replay);
	int status = 0;

	if (!replay) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	replay->speed = speed;
	replay->reader.complaints = stderr;
	replay->log = fopen(path, "re");
	if (!replay->log) {
		status = -errno;
		snprintf(why, why_size, "%s: %s", path, strerror(errno));
		goto out;
	}
	read_ahead(replay);
	if (!replay->has_next) {
		status = -EINVAL;
		snprintf(why, why_size, "%s is empty: no line to replay", path);
	}
out:
	if (status < 0)
		replay_close(replay);
	else
		*out = replay;
	return status;
}

void replay_close(struct replay *replay)
{
	if (!replay)
		return;
	if (replay->log)
		fclose(replay->log);
	free(replay->text);
	free(replay);
}

enum replay_result replay_take(struct replay *replay, int64_t now_ms, struct fusion_input *input)
{
	int64_t log_ms;

	if (!replay->has_next)
		return REPLAY_END;
	if (!replay->begun) {
		replay->begun = true;
		replay->first_ms = replay->line_ms = replay->last_ms = replay->next.now_ms;
		replay->started_ms = now_ms;
	}
	log_ms =
		replay->first_ms + (int64_t)((double)(now_ms - replay->started_ms) * replay->speed);
	if (replay->next.now_ms <= log_ms) {
		*input = replay->next;
		if (input->now_ms > replay->last_ms)
			replay->line_ms = replay->last_ms = input->now_ms;
		read_ahead(replay);
		return REPLAY_STEP;
	}
	if (replay->next.now_ms - replay->line_ms <= REPLAY_PAUSE_MS ||
	    log_ms - replay->last_ms < REPLAY_FILL_MS)
		return REPLAY_NOTHING;
	fusion_input_clear(input);
	replay->last_ms += REPLAY_FILL_MS;
	input->now_ms = replay->last_ms;
	return REPLAY_STEP;
}
