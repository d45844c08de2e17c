// SPDX-License-Identifier: Apache-2.0
/* The echo of our own bytes is removed, whatever surrounds it and however it is cut, and nothing
 * else. */
#include "../cmocka_all.h"

#include <string.h>

#include "echo.h"

#define UNTIL_US 1000

/* Feeds `received` in pieces of `piece` bytes at now_us and compares what comes out. */
static void check(const char *sent, const char *received, const char *expected, size_t piece,
		  int64_t now_us)
{
	struct echo echo;
	char out[512];
	size_t n = 0;
	size_t count = strlen(received);

	memset(&echo, 0, sizeof echo);
	echo_expect(&echo, (const uint8_t *)sent, strlen(sent), UNTIL_US);
	for (size_t at = 0; at < count; at += piece)
		n += echo_strip(&echo, (const uint8_t *)received + at,
				count - at < piece ? count - at : piece, now_us,
				(uint8_t *)out + n);
	out[n] = 0;
	assert_string_equal(out, expected);
}

static void the_echo_goes_and_the_rest_stays(void **state)
{
	static const struct {
		const char *sent, *received, *expected;
	} rows[] = {
		{"~2002A", "~2002A", ""},
		{"~2002A", "~2002A~2002B", "~2002B"}, /* the next question begins alike */
		{"~2002A", "~2002B?", "~2002B?"},     /* no echo, but the next question */
		{"~2002A", "xx~2002A~2002B", "xx~2002B"},
		{"~2002A", "~20~2002A!", "~20!"}, /* a start that was none */
		{"aab", "aaab!", "a!"},
		{"abab~", "ababab~!", "ab!"},
		{"~2002A", "~2002A~2002A", "~2002A"}, /* once only */
		{"", "abc", "abc"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t piece = 1; piece <= 8; piece++)
			check(rows[i].sent, rows[i].received, rows[i].expected, piece, 0);
}

static void late_bytes_are_no_echo(void **state)
{
	(void)state;
	check("~2002A", "~2002A", "~2002A", 3, UNTIL_US + 1);
}

static void held_bytes_come_out_when_the_time_is_over(void **state)
{
	struct echo echo;
	uint8_t out[32];

	(void)state;
	memset(&echo, 0, sizeof echo);
	echo_expect(&echo, (const uint8_t *)"~2002A", 6, UNTIL_US);
	assert_int_equal(echo_strip(&echo, (const uint8_t *)"~200", 4, 0, out), 0);
	assert_int_equal(echo_strip(&echo, (const uint8_t *)"2A", 2, UNTIL_US + 1, out), 6);
	assert_memory_equal(out, "~2002A", 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_echo_goes_and_the_rest_stays),
		cmocka_unit_test(late_bytes_are_no_echo),
		cmocka_unit_test(held_bytes_come_out_when_the_time_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
