// SPDX-License-Identifier: Apache-2.0
/* YAML documents: values are found, mistakes are named with their place. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "onepack/doc.h"

struct fixture {
	char *complaints;
	size_t size;
	FILE *errors;
};

static struct doc *parse(struct fixture *fixture, const char *text)
{
	fixture->errors = open_memstream(&fixture->complaints, &fixture->size);
	return doc_parse("f.yaml", text, strlen(text), fixture->errors);
}

static void finish(struct fixture *fixture, struct doc *doc, const char *complaints)
{
	fclose(fixture->errors);
	assert_string_equal(fixture->complaints, complaints);
	free(fixture->complaints);
	doc_free(doc);
}

static void values_are_found(void **state)
{
	struct fixture fixture;
	struct doc *doc = parse(&fixture, "a: 0x1F\nb: yes\nc: -53.1\nd: [x, y]\n");
	const yaml_node_t *root = doc_root(doc);
	int64_t number = 0;
	bool flag = false;

	(void)state;
	assert_true(doc_integer(doc, doc_get(doc, root, "a"), 0, 100, &number));
	assert_int_equal(number, 31);
	assert_true(doc_flag(doc, doc_get(doc, root, "b"), &flag));
	assert_true(flag);
	assert_true(doc_thousandths(doc, doc_get(doc, root, "c"), -100000, 0, &number));
	assert_int_equal(number, -53100);
	assert_int_equal(doc_list_size(doc_get(doc, root, "d")), 2);
	assert_string_equal(doc_text(doc_list_item(doc, doc_get(doc, root, "d"), 1)), "y");
	assert_null(doc_get(doc, root, "e"));
	finish(&fixture, doc, "");
}

static void mistakes_have_a_place_and_a_reason(void **state)
{
	struct fixture fixture;
	struct doc *doc = parse(&fixture, "a: x\nb: 300\nc: 1.2345\nd: maybe\nz: 1\na: 2\n");
	static const char *const keys[] = {"a", "b", "c", "d", NULL};
	const yaml_node_t *root = doc_root(doc);
	int64_t number = 7;
	bool flag;

	(void)state;
	assert_false(doc_integer(doc, doc_get(doc, root, "a"), 0, 9, &number));
	assert_false(doc_integer(doc, doc_get(doc, root, "b"), 0, 255, &number));
	assert_false(doc_thousandths(doc, doc_get(doc, root, "c"), 0, 9000, &number));
	assert_false(doc_flag(doc, doc_get(doc, root, "d"), &flag));
	doc_check_keys(doc, root, keys);
	assert_int_equal(number, 7);
	assert_int_equal(doc_errors(doc), 6);
	finish(&fixture, doc,
	       "f.yaml:1:4: 'x' is not a whole number\n"
	       "f.yaml:2:4: 300 is outside 0..255\n"
	       "f.yaml:3:4: '1.2345' is not a number with at most three decimals\n"
	       "f.yaml:4:4: 'maybe' is neither yes nor no\n"
	       "f.yaml:5:1: unknown key 'z'; possible here: a, b, c, d\n"
	       "f.yaml:6:1: 'a' is given twice\n");
}

static void broken_yaml_is_refused(void **state)
{
	struct fixture fixture;
	struct doc *doc = parse(&fixture, "a: [1, 2\nb: {\n");

	(void)state;
	assert_null(doc);
	fclose(fixture.errors);
	assert_memory_equal(fixture.complaints, "f.yaml:", 7);
	assert_non_null(strstr(fixture.complaints, "not YAML"));
	free(fixture.complaints);
}

static void a_missing_file_is_told(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture.errors = open_memstream(&fixture.complaints, &fixture.size);
	assert_null(doc_load("/nonexistent/x.yaml", fixture.errors));
	finish(&fixture, NULL,
	       "/nonexistent/x.yaml:1:1: cannot be read: No such file or directory\n");
}

static void an_empty_file_is_an_empty_mapping(void **state)
{
	struct fixture fixture;
	struct doc *doc = parse(&fixture, "# nothing\n");

	(void)state;
	assert_true(doc_is_map(doc_root(doc)));
	assert_int_equal(doc_map_size(doc_root(doc)), 0);
	finish(&fixture, doc, "");
}

static void thousandths_are_exact(void **state)
{
	static const struct {
		const char *text;
		bool good;
		int64_t value;
	} rows[] = {{"53.1", true, 53100}, {"-0.001", true, -1}, {"7", true, 7000},
		    {".5", true, 500},     {"1.", true, 1000},   {"", false, 0},
		    {"1.2.3", false, 0},   {"1e3", false, 0},    {"0.0001", false, 0},
		    {"-", false, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t value = 0;

		assert_int_equal(doc_parse_thousandths(rows[i].text, &value), rows[i].good);
		assert_int_equal(value, rows[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_found),
		cmocka_unit_test(mistakes_have_a_place_and_a_reason),
		cmocka_unit_test(broken_yaml_is_refused),
		cmocka_unit_test(a_missing_file_is_told),
		cmocka_unit_test(thousandths_are_exact),
		cmocka_unit_test(an_empty_file_is_an_empty_mapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
