// SPDX-License-Identifier: Apache-2.0
/* GET through libcurl, with sentences instead of codes. */
#include "fetch.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_S 10
#define QUIET_S   20 /* a stream that says nothing for so long is broken */

struct transfer {
	CURL *curl;
	fetch_fn *take;
	void *arg;
	bool ended; /* by `take` */
	long status;
	char *refusal; /* the body of an answer that is not 200 */
	size_t refusal_size;
	FILE *refusal_out;
};

static size_t on_bytes(char *bytes, size_t one, size_t size, void *arg)
{
	struct transfer *transfer = arg;

	(void)one;
	curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &transfer->status);
	if (transfer->status != 200)
		return fwrite(bytes, 1, size, transfer->refusal_out);
	transfer->ended = !transfer->take(transfer->arg, bytes, size);
	return transfer->ended ? 0 : size;
}

static int on_time(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up)
{
	struct transfer *transfer = arg;

	(void)total;
	(void)now;
	(void)up_total;
	(void)up;
	transfer->ended |= !transfer->take(transfer->arg, "", 0);
	return transfer->ended;
}

static void set_up(struct transfer *transfer, const char *base, const char *path)
{
	CURL *curl = transfer->curl;
	const size_t length = strlen(base);
	char url[FETCH_PATH_SIZE * 2];

	snprintf(url, sizeof url, "%.*s%s", (int)(length - (length && base[length - 1] == '/')),
		 base, path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "onepack/" ONEPACK_VERSION);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)QUIET_S);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_time);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

/* {"error": "sentence"} of our API, or just the status. */
static void tell_refusal(const struct transfer *transfer, char *why)
{
	json_t *json = json_loadb(transfer->refusal, transfer->refusal_size, 0, NULL);
	const char *sentence = json_string_value(json_object_get(json, "error"));

	if (sentence)
		snprintf(why, FETCH_WHY_SIZE, "%s", sentence);
	else
		snprintf(why, FETCH_WHY_SIZE, "the answer is HTTP %ld: is this a OnePack gateway?",
			 transfer->status);
	json_decref(json);
}

static enum fetch_end outcome(struct transfer *transfer, CURLcode result, char *why)
{
	if (transfer->ended)
		return FETCH_TAKEN;
	if (transfer->status != 0 && transfer->status != 200) {
		tell_refusal(transfer, why);
		return transfer->status == 503 ? FETCH_BROKEN : FETCH_REFUSED;
	}
	snprintf(why, FETCH_WHY_SIZE, "%s",
		 result == CURLE_OK ? "the gateway ended the connection"
				    : curl_easy_strerror(result));
	switch (result) {
	case CURLE_OK: return FETCH_WHOLE;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_PEER_FAILED_VERIFICATION: return FETCH_REFUSED;
	default: return FETCH_BROKEN;
	}
}

enum fetch_end fetch_stream(const char *base, const char *path, fetch_fn *take, void *arg,
			    char why[FETCH_WHY_SIZE])
{
	struct transfer transfer = {.curl = curl_easy_init(), .take = take, .arg = arg};
	enum fetch_end end = FETCH_BROKEN;

	snprintf(why, FETCH_WHY_SIZE, "out of memory");
	transfer.refusal_out = open_memstream(&transfer.refusal, &transfer.refusal_size);
	if (transfer.curl && transfer.refusal_out) {
		set_up(&transfer, base, path);
		const CURLcode result = curl_easy_perform(transfer.curl);

		curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &transfer.status);
		fflush(transfer.refusal_out);
		end = outcome(&transfer, result, why);
	}
	if (transfer.refusal_out)
		fclose(transfer.refusal_out);
	free(transfer.refusal);
	curl_easy_cleanup(transfer.curl);
	return end;
}

static bool append(void *arg, const char *bytes, size_t size)
{
	return fwrite(bytes, 1, size, arg) == size;
}

char *fetch_text(const char *base, const char *path, char why[FETCH_WHY_SIZE])
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	enum fetch_end end = FETCH_BROKEN;

	if (out) {
		end = fetch_stream(base, path, append, out, why);
		fclose(out);
	} else {
		snprintf(why, FETCH_WHY_SIZE, "out of memory");
	}
	if (end == FETCH_WHOLE && size > 0)
		return text;
	free(text);
	return NULL;
}
