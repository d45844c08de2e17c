// SPDX-License-Identifier: Apache-2.0
/* Which hosts, origins, types, paths and numbers are let in. */
#include "../cmocka_all.h"

#include <string.h>

#include "check.h"

#define NAMES "localhost gateway gateway.local  home.example "

static void hosts(void **state)
{
	static const struct {
		const char *host;
		bool ours;
	} table[] = {
		{"127.0.0.1", true},
		{"192.0.2.7:8080", true},
		{"[::1]:8080", true},
		{"[fe80::1]", true},
		{"localhost", true},
		{"LocalHost:8080", true},
		{"gateway.local:80", true},
		{"gateway.", true},
		{"home.example:65535", true},
		{NULL, false},
		{"", false},
		{":80", false},
		{"evil.example", false},
		{"evil.example:8080", false},
		{"gateway.local.evil.example", false},
		{"gatewa", false},
		{"127.0.0.1.evil.example", false},
		{"127.0.0.1:", false},
		{"127.0.0.1:80x", false},
		{"127.0.0.1:123456", false},
		{"1.2.3", false},
		{"::1", false}, /* without brackets it is no host */
		{"[::1", false},
		{"[::1]80", false},
		{"[gateway]", false},
		{"gateway local", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (check_host(table[i].host, NAMES) != table[i].ours)
			fail_msg("%s", table[i].host ? table[i].host : "(none)");
}

static void a_host_of_any_length_is_safe(void **state)
{
	char host[1000];

	(void)state;
	memset(host, 'a', sizeof host);
	host[sizeof host - 1] = '\0';
	assert_false(check_host(host, NAMES));
}

static void origins(void **state)
{
	static const struct {
		const char *origin, *host;
		bool same;
	} table[] = {
		{"http://127.0.0.1:8080", "127.0.0.1:8080", true},
		{"https://Gateway.local", "gateway.local", true},
		{"http://127.0.0.1", "127.0.0.1:8080", false},
		{"http://evil.example", "127.0.0.1", false},
		{"http://127.0.0.1.evil.example", "127.0.0.1", false},
		{"null", "null", false},
		{"", "", false},
		{"file://", "", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (check_origin(table[i].origin, table[i].host) != table[i].same)
			fail_msg("%s", table[i].origin);
}

static void content_types(void **state)
{
	(void)state;
	assert_true(check_is_json("application/json"));
	assert_true(check_is_json("Application/JSON; charset=utf-8"));
	assert_false(check_is_json("application/jsonp"));
	assert_false(check_is_json("text/plain"));
	assert_false(check_is_json(""));
	assert_false(check_is_json(NULL));
}

static void file_paths(void **state)
{
	static const struct {
		const char *path;
		bool fine;
	} table[] = {
		{"/index.html", true},
		{"/assets/index-Bx_9.js", true},
		{"/a/b/c.txt", true},
		{"", false},
		{"/", false},
		{"index.html", false},
		{"/..", false},
		{"/../etc/passwd", false},
		{"/a/../../etc/passwd", false},
		{"/.git/config", false},
		{"/a/.hidden", false},
		{"//etc/passwd", false},
		{"/a/", false},
		{"/a\\..\\b", false},
		{"/a%2e%2e", false},
		{"/a b", false},
		{"/\xc3\xa4", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (check_file_path(table[i].path) != table[i].fine)
			fail_msg("%s", table[i].path);
}

static void numbers(void **state)
{
	int64_t value = 77;

	(void)state;
	assert_true(check_number("0", 0, 10, &value));
	assert_int_equal(value, 0);
	assert_true(check_number("-5", -10, 10, &value));
	assert_int_equal(value, -5);
	value = 77;
	assert_false(check_number("11", 0, 10, &value));
	assert_false(check_number("-1", 0, 10, &value));
	assert_false(check_number("", 0, 10, &value));
	assert_false(check_number("-", 0, 10, &value));
	assert_false(check_number(" 5", 0, 10, &value));
	assert_false(check_number("5 ", 0, 10, &value));
	assert_false(check_number("5x", 0, 10, &value));
	assert_false(check_number("0x5", 0, 10, &value));
	assert_false(check_number("99999999999999999999", INT64_MIN, INT64_MAX, &value));
	assert_int_equal(value, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts),      cmocka_unit_test(a_host_of_any_length_is_safe),
		cmocka_unit_test(origins),    cmocka_unit_test(content_types),
		cmocka_unit_test(file_paths), cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
