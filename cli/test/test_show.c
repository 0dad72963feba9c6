/* What people read: progress lines, reasons, columns, paths. */
#include "cli/show.h"
#include "cli/table.h"
#include "cli/watch.h"

#include "lib/mem.h"
#include "lib/test/tmpdir.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *root = json_loads(text, 0, &error);

	if (!root)
		fail_msg("%d: %s", error.line, error.text);
	return root;
}

static void line_is(const char *text, const char *want)
{
	json_t *sub = parse(text);
	struct buf b;

	buf_init(&b, 65536);
	watch_line(sub, &b);
	assert_string_equal(b.data, want);
	buf_release(&b);
	json_decref(sub);
}

static void tells_progress(void **state)
{
	(void)state;
	line_is("{\"state\":\"building\",\"progress\":{\"jobs_done\":1,\"jobs_total\":4,"
	        "\"boots_done\":0,\"boots_total\":18,\"cases_done\":0,\"cases_total\":180,"
	        "\"elapsed_s\":92.1,\"expected_end_s\":null,\"active\":[{\"job\":31,\"kind\":"
	        "\"build\",\"kernel\":\"contpte-n\",\"board\":null,\"agent\":\"a\",\"step\":"
	        "\"compile\",\"done\":812,\"total\":2140,\"elapsed_s\":80.2}]}}",
	        "build contpte-n: compile, 812 of about 2140 objects, 1 m 20 s; boots 0 of 18, "
	        "cases 0 of 180; 1 m 32 s");
	/* no total before a config's first build */
	line_is("{\"state\":\"building\",\"progress\":{\"elapsed_s\":5,\"active\":[{\"kind\":"
	        "\"build\",\"kernel\":\"k\",\"step\":\"compile\",\"done\":7,\"total\":null,"
	        "\"elapsed_s\":4}]}}",
	        "build k: compile, 7 objects, 4 s; 5 s");
	/* what the step counts, not what the job makes */
	line_is("{\"state\":\"building\",\"progress\":{\"elapsed_s\":5,\"active\":[{\"kind\":"
	        "\"build\",\"kernel\":\"k\",\"step\":\"checkout\",\"done\":7,\"total\":90,"
	        "\"elapsed_s\":4}]}}",
	        "build k: checkout, 7 of 90 files, 4 s; 5 s");
	/* cases of a boot are counted, not estimated; several jobs side by side */
	line_is("{\"state\":\"booting\",\"progress\":{\"boots_done\":2,\"boots_total\":18,"
	        "\"elapsed_s\":10,\"active\":[{\"kind\":\"boot\",\"kernel\":\"k\",\"board\":"
	        "\"qemu-det\",\"step\":\"run\",\"done\":3,\"total\":10,\"elapsed_s\":2},"
	        "{\"kind\":\"build\",\"kernel\":\"m\",\"board\":null,\"step\":null,\"done\":null,"
	        "\"total\":null,\"elapsed_s\":1}]}}",
	        "boot k on qemu-det: run, 3 of 10 cases, 2 s; build m: starting, 1 s; "
	        "boots 2 of 18; 10 s");
	line_is("{\"state\":\"queued\",\"progress\":{\"elapsed_s\":0,\"active\":[]}}",
	        "queued: waiting for an agent; 0 s");
	line_is("{\"state\":\"resolving\",\"kernels\":[{\"name\":\"a\",\"why\":null},"
	        "{\"name\":\"f\",\"state\":\"failed\",\"why\":\"no such branch\"},"
	        "{\"name\":\"b\",\"state\":\"resolving\",\"why\":\"no agent that builds may fetch "
	        "from \\\"x\\\" yet\"}],"
	        "\"progress\":{\"elapsed_s\":3,\"expected_end_s\":200,\"active\":[]}}",
	        "resolving: waiting for an agent: no agent that builds may fetch from \"x\" yet; 3 "
	        "s");
	/* an answer of another version must not end us */
	line_is("{}", "queued: waiting for an agent; 0 s");
	line_is("{\"progress\":7,\"state\":null}", "queued: waiting for an agent; 0 s");
	line_is("{\"progress\":{\"active\":[3,null]}}",
	        "job : starting, 0 s; job : starting, 0 s; 0 s");
}

static void tells_the_expected_end(void **state)
{
	json_t *sub =
	        parse("{\"state\":\"booting\",\"progress\":{\"elapsed_s\":9,"
	              "\"expected_end_s\":125,\"active\":[{\"kind\":\"boot\",\"kernel\":\"k\"}]}}");
	struct buf b;
	const char *at;

	(void)state;
	buf_init(&b, 65536);
	watch_line(sub, &b);
	at = strstr(b.data, "; 9 s, about 2 m 05 s left (");
	assert_non_null(at);
	at = strchr(at, '(');
	assert_int_equal(strlen(at), strlen("(12:34)"));
	assert_true(at[3] == ':' && at[6] == ')');
	buf_release(&b);
	json_decref(sub);
}

static void reasons_are(const char *text, const char *want)
{
	json_t *sub = parse(text);
	struct buf b;

	buf_init(&b, WATCH_REASONS);
	watch_reasons(sub, &b);
	assert_string_equal(b.data, want);
	buf_release(&b);
	json_decref(sub);
}

static void tells_reasons_once(void **state)
{
	(void)state;
	reasons_are("{}", "");
	reasons_are("{\"kernels\":[{\"name\":\"a\",\"why\":null},{\"name\":\"b\",\"why\":\"\"}],"
	            "\"jobs\":[]}",
	            "");
	/* a build's reason is its kernel's; a boot that was tried twice fails once */
	reasons_are("{\"kernels\":[{\"name\":\"a\",\"why\":null},{\"name\":\"b\",\"why\":"
	            "\"mm/x.c:3:1: error\"}],\"jobs\":[{\"kind\":\"build\",\"state\":\"failed\","
	            "\"why\":\"mm/x.c:3:1: error\"},{\"kind\":\"boot\",\"state\":\"failed\","
	            "\"board\":\"q\",\"why\":\"no end\"},{\"kind\":\"boot\",\"state\":\"failed\","
	            "\"board\":\"q\",\"why\":\"no end\"},{\"kind\":\"boot\",\"state\":\"done\","
	            "\"board\":\"q\",\"why\":\"not told\"}],\"why\":\"no kernel is ready\"}",
	            "no kernel is ready\nkernel b: mm/x.c:3:1: error\nboot q: no end\n");
	/* one cause told by two kernels and the submission is told once */
	reasons_are("{\"kernels\":[{\"name\":\"a\",\"why\":\"no tree\"},{\"name\":\"b\",\"why\":"
	            "\"no tree\"}],\"why\":\"baseline \\\"a\\\": no tree\"}",
	            "baseline \"a\": no tree\n");
	/* the end of another reason is not the same reason */
	reasons_are("{\"jobs\":[{\"kind\":\"boot\",\"state\":\"failed\",\"board\":\"ab q\",\"why\":"
	            "\"ax\"},{\"kind\":\"q\",\"state\":\"failed\",\"board\":null,\"why\":\"x\"}]}",
	            "boot ab q: ax\nq: x\n");
}

static void failing_says_why(void **state)
{
	json_t *sub = parse("{\"id\":7,\"state\":\"failed\",\"kernels\":[{\"name\":\"a\",\"why\":"
	                    "\"one\"},{\"name\":\"b\",\"why\":\"two\"}]}");
	struct why w = {""};

	(void)state;
	assert_int_equal(show_failed(sub, &w), ERR_IO);
	assert_string_equal(w.text, "submission 7 failed: kernel a: one; kernel b: two");
	json_decref(sub);
	sub = parse("{\"id\":8,\"state\":\"cancelled\"}");
	assert_int_equal(show_failed(sub, &w), ERR_IO);
	assert_string_equal(w.text, "submission 8 cancelled");
	json_decref(sub);
}

/* Standard output of fn, as text; free() it. */
static char *printed(const char *dir, void (*fn)(void))
{
	const char *path = in(dir, "out");
	int keep, fd;

	fflush(stdout);
	keep = dup(STDOUT_FILENO);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(keep >= 0 && fd >= 0);
	dup2(fd, STDOUT_FILENO);
	fn();
	fflush(stdout);
	dup2(keep, STDOUT_FILENO);
	close(fd);
	close(keep);
	return get_file(path);
}

static void a_table(void)
{
	struct table t;

	table_init(&t, "ID", "NAME", "WHY");
	table_row(&t, "1", "\xc3\xa4\xc3\xb6", NULL);
	table_row(&t, "200", "longer", "a\tb\x1b[31m");
	table_row(&t, "3", "x", "");
	/* past the first allocation */
	for (int i = 0; i < 40; i++)
		table_row(&t, "7", "y", "");
	table_print(&t);
	table_release(&t);
}

static void a_head_alone(void)
{
	struct table t;

	table_init(&t, "A", "B");
	table_print(&t);
	table_release(&t);
	print_clean("x\r\ny");
	print_clean(NULL);
}

static void aligns_and_cleans(void **state)
{
	char *text = printed(*state, a_table), *want;
	struct buf b;

	buf_init(&b, 4096);
	buf_adds(&b, "ID   NAME    WHY\n"
	             "1    \xc3\xa4\xc3\xb6      -\n"
	             "200  longer  a b?[31m\n"
	             "3    x\n");
	for (int i = 0; i < 40; i++)
		buf_adds(&b, "7    y\n");
	want = buf_take(&b, NULL);
	assert_string_equal(text, want);
	free(text);
	free(want);
	buf_release(&b);
	text = printed(*state, a_head_alone);
	assert_string_equal(text, "A  B\nx? y\n-\n");
	free(text);
	text = clean_line("a\xc2\x9b"
	                  "31m\x7f\xc3\xa9\xc2\xa0");
	assert_string_equal(text, "a?31m?\xc3\xa9\xc2\xa0");
	free(text);
}

static void shortens_times(void **state)
{
	char out[12];

	(void)state;
	table_time("2026-02-02T08:07:56Z", out, sizeof(out));
	assert_string_equal(out, "02-02 08:07");
	table_time(NULL, out, sizeof(out));
	assert_string_equal(out, "-");
	table_time("2026", out, sizeof(out));
	assert_string_equal(out, "-");
	table_time("2026-02-02 08:07:56", out, sizeof(out));
	assert_string_equal(out, "-");
}

static void paths_are_encoded(void **state)
{
	char *path = api_path("/api/v1/boards", "a/../b c", "drain", NULL), *huge;
	int64_t id;
	struct why w;

	(void)state;
	assert_string_equal(path, "/api/v1/boards/a%2F..%2Fb%20c/drain");
	free(path);
	/* a part is never left out, however long */
	huge = xcalloc(100001, 1);
	memset(huge, '/', 100000);
	path = api_path("/x", huge, NULL);
	assert_int_equal(strlen(path), 300003);
	free(path);
	free(huge);
	path = list_path("/k", 20, 0);
	assert_string_equal(path, "/k?limit=20");
	free(path);
	path = list_path("/k", 5, 9);
	assert_string_equal(path, "/k?limit=5&before=9");
	free(path);
	assert_int_equal(arg_id("job", "31", &id, &w), OK);
	assert_int_equal(id, 31);
	assert_int_equal(arg_id("job", "0", &id, &w), ERR_INPUT);
	assert_int_equal(arg_id("job", "latest", &id, &w), ERR_INPUT);
	assert_string_equal(w.text, "job: expected a number, got \"latest\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(tells_progress),
	        cmocka_unit_test(tells_the_expected_end),
	        cmocka_unit_test(tells_reasons_once),
	        cmocka_unit_test(failing_says_why),
	        cmocka_unit_test_setup_teardown(aligns_and_cleans, tmpdir_setup, tmpdir_teardown),
	        cmocka_unit_test(shortens_times),
	        cmocka_unit_test(paths_are_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
