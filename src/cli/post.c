// SPDX-License-Identifier: Apache-2.0
/* POST through libcurl; the session's cookie is kept in its handle. */
#include "post.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_S 10
#define WHOLE_S   60

struct post {
	CURL *curl;
	char base[FETCH_PATH_SIZE];
};

static size_t on_bytes(char *bytes, size_t one, size_t size, void *out)
{
	return fwrite(bytes, one, size, out) * one;
}

static void set_up(CURL *curl, const char *url, struct curl_slist *headers, const void *bytes,
		   size_t size, FILE *out)
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "onepack/" ONEPACK_VERSION);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)WHOLE_S);
	curl_easy_setopt(curl, CURLOPT_COOKIEFILE, "");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
}

/* {"error": "sentence"}, or just the status. */
static void tell_refusal(const char *text, long status, char *why)
{
	json_t *json = json_loads(text, 0, NULL);
	const char *sentence = json_string_value(json_object_get(json, "error"));

	if (sentence)
		snprintf(why, FETCH_WHY_SIZE, "%s", sentence);
	else
		snprintf(why, FETCH_WHY_SIZE, "the answer is HTTP %ld: is this a OnePack gateway?",
			 status);
	json_decref(json);
}

static struct curl_slist *make_headers(const char *type)
{
	char line[128];

	snprintf(line, sizeof line, "Content-Type: %s", type);
	/* without Expect, the gateway's refusal comes before the body is sent */
	return curl_slist_append(curl_slist_append(curl_slist_append(NULL, line), "X-OnePack: 1"),
				 "Expect:");
}

char *post_send(struct post *post, const char *path, const char *type, const void *bytes,
		size_t size, char why[FETCH_WHY_SIZE])
{
	struct curl_slist *headers = make_headers(type);
	char url[2 * FETCH_PATH_SIZE], *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	CURLcode result = CURLE_OUT_OF_MEMORY;
	long status = 0;

	snprintf(url, sizeof url, "%s%s", post->base, path);
	if (out) {
		set_up(post->curl, url, headers, bytes, size, out);
		result = curl_easy_perform(post->curl);
		curl_easy_getinfo(post->curl, CURLINFO_RESPONSE_CODE, &status);
		(void)fclose(out);
	}
	curl_slist_free_all(headers);
	if (result == CURLE_OK && status / 100 == 2)
		return text;
	if (status != 0 && text)
		tell_refusal(text, status, why);
	else
		snprintf(why, FETCH_WHY_SIZE, "%s", curl_easy_strerror(result));
	free(text);
	return NULL;
}

struct post *post_login(const char *base, const char *password, char why[FETCH_WHY_SIZE])
{
	struct post *post = calloc(1, sizeof *post);
	json_t *json = json_pack("{s:s}", "password", password);
	char *body = json ? json_dumps(json, 0) : NULL, *answer = NULL;
	size_t length = strlen(base);

	snprintf(why, FETCH_WHY_SIZE, "out of memory");
	while (length > 0 && base[length - 1] == '/')
		length--;
	if (post && body) {
		snprintf(post->base, sizeof post->base, "%.*s", (int)length, base);
		post->curl = curl_easy_init();
	}
	if (post && post->curl)
		answer = post_send(post, "/api/v1/login", "application/json", body, strlen(body),
				   why);
	free(body);
	json_decref(json);
	if (!answer) {
		post_close(post);
		return NULL;
	}
	free(answer);
	return post;
}

void post_close(struct post *post)
{
	if (!post)
		return;
	curl_easy_cleanup(post->curl);
	free(post);
}
