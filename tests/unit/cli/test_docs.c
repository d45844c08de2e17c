// SPDX-License-Identifier: Apache-2.0
/* The committed pages of docs/protocols are what the program makes of the protocol files, the notes
 * and the vectors today. When this fails: `./dev docs`, look at the difference, commit it. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "onepack/wire.h"

#define PAGES ONEPACK_SOURCE_DIR "/docs/protocols/"
#define SIZE  300000

static char *read_all(FILE *file)
{
	char *text = malloc(SIZE);
	size_t count;

	assert_non_null(text);
	assert_non_null(file);
	count = fread(text, 1, SIZE - 1, file);
	assert_true(count < SIZE - 1);
	text[count] = '\0';
	return text;
}

static char *made(const char *arguments, int *status)
{
	char command[900], *text;
	FILE *pipe;

	snprintf(command, sizeof command, ONEPACK_BINARY_DIR "/bin/onepack wire doc %s 2>&1",
		 arguments);
	pipe = popen(command, "r");
	text = read_all(pipe);
	*status = WEXITSTATUS(pclose(pipe));
	return text;
}

static void compare(const char *page, const char *arguments)
{
	char path[400], with_tree[500], *is, *should;
	int status;
	FILE *file;

	snprintf(path, sizeof path, PAGES "%s.md", page);
	snprintf(with_tree, sizeof with_tree, "%s --tree " ONEPACK_SOURCE_DIR, arguments);
	file = fopen(path, "r");
	if (!file)
		fail_msg("docs/protocols/%s.md is missing: ./dev docs", page);
	is = read_all(file);
	fclose(file);
	should = made(with_tree, &status);
	assert_int_equal(status, 0);
	if (strcmp(is, should) != 0)
		fail_msg("docs/protocols/%s.md is not what its sources make: ./dev docs", page);
	free(is);
	free(should);
}

static void pages_are_up_to_date(void **state)
{
	char **ids;
	const int count = wire_list_ids(&ids);

	(void)state;
	assert_true(count > 20);
	for (int i = 0; i < count; i++)
		compare(ids[i], ids[i]);
	wire_free_ids(ids, count);
}

static void the_index_is_up_to_date(void **state)
{
	(void)state;
	compare("README", "--index");
}

static void every_protocol_has_notes(void **state)
{
	char **ids, path[400];
	const int count = wire_list_ids(&ids);

	(void)state;
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof path, PAGES "notes/%s.md", ids[i]);
		if (access(path, R_OK) != 0)
			fail_msg("%s: brands, wiring, settings and quirks are missing", path);
	}
	wire_free_ids(ids, count);
}

/* Sources of vectors: said in a line, in the title, or not at all. */
static void vectors_are_counted_by_source(void **state)
{
	char folder[] = "/tmp/onepack-docs-XXXXXX", command[700], *text;
	int status;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(command, sizeof command,
		 "mkdir -p %s/tests/vectors/can && printf '%%s\\n' 'case a' 'source captured' "
		 "'case b (capture of a JK)' 'case c (V2.8 text)' 'case d' 'source vendor' "
		 "'case e (constructed from a capture)' 'case f' > "
		 "%s/tests/vectors/can/afore-2.3.txt",
		 folder, folder);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof command, "--index --tree %s", folder);
	text = made(command, &status);
	assert_int_equal(status, 0);
	assert_non_null(strstr(text, "| inferred |  | 2 | 2 | 2 |\n"));
	free(text);
	snprintf(command, sizeof command, "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

static void a_page_needs_no_tree(void **state)
{
	int status;
	char *text = made("can/pylon-lv-1.2", &status);

	(void)state;
	assert_int_equal(status, 0);
	assert_non_null(strstr(text, "# PYLON low voltage V1.2\n"));
	assert_non_null(strstr(text, "| `pad` | `no`, `yes` | `no` | 8 data bytes"));
	assert_non_null(strstr(text, "\n0x351  limits  battery -> inverter, every 1000 ms\n"));
	free(text);
	text = made("", &status);
	assert_int_equal(status, 2);
	free(text);
	text = made("can/none", &status);
	assert_int_equal(status, 1);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_up_to_date),
		cmocka_unit_test(the_index_is_up_to_date),
		cmocka_unit_test(every_protocol_has_notes),
		cmocka_unit_test(vectors_are_counted_by_source),
		cmocka_unit_test(a_page_needs_no_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
