#include "agent/watch.h"

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct buf lines;

static void line(void *ctx, const char *text)
{
	(void)ctx;
	buf_addf(&lines, "[%s]", text);
}

static enum err run(struct watch *wt, const char *script, int *status, struct why *w)
{
	const char *argv[] = {"sh", "-c", script, NULL};

	wt->name = "the script";
	wt->argv = argv;
	wt->line = line;
	buf_reset(&lines);
	return watch_run(wt, status, w);
}

static void test_lines(void **state)
{
	struct watch wt = {.timeout_s = 60};
	struct why w;
	int status;

	(void)state;
	buf_init(&lines, 1 << 20);
	assert_int_equal(run(&wt, "printf 'a\\rb\\n\\n c\\r\\nlast' >&2; exit 3", &status, &w), OK);
	assert_int_equal(WEXITSTATUS(status), 3);
	assert_string_equal(lines.data, "[a][b][ c][last]");
	assert_int_equal(run(&wt, "kill -9 $$", &status, &w), OK);
	assert_true(WIFSIGNALED(status));
	/* One line of a megabyte is cut, and the next is there. */
	assert_int_equal(
	        run(&wt, "head -c 1000000 /dev/zero | tr '\\0' x; echo; echo next", &status, &w),
	        OK);
	assert_int_equal(lines.len, 2 + WATCH_LINE + 6);
	assert_true(str_ends(lines.data, "[next]"));
}

static void test_no_program(void **state)
{
	const char *argv[] = {"no-such-program-anywhere", NULL};
	struct watch wt = {.name = "x", .argv = argv};
	struct why w;
	int status;

	(void)state;
	assert_int_equal(watch_run(&wt, &status, &w), ERR_IO);
}

static void test_time(void **state)
{
	struct watch wt = {.timeout_s = 1};
	int64_t before = clock_mono_ns();
	struct why w;
	int status;

	(void)state;
	assert_int_equal(run(&wt, "sleep 60", &status, &w), ERR_TIMEOUT);
	assert_string_equal(w.text, "the script did not end within 1 s");
	assert_true(clock_mono_ns() - before < 20 * NS_PER_S);
}

static void test_memory_of_all(void **state)
{
	/* Two that are each below the limit. */
	static const char script[] =
	        "for i in 1 2; do (head -c 60000000 /dev/zero | tail -c 60000000 | sleep 60) & "
	        "done; "
	        "for i in 1 2; do perl -e '$x = \"a\" x 60000000; sleep 60' & done; wait";
	struct watch wt = {.timeout_s = 60, .memory_max = 100 << 20};
	struct why w;
	int status;

	(void)state;
	assert_int_equal(run(&wt, script, &status, &w), ERR_TOO_LARGE);
	assert_non_null(strstr(w.text, "took more memory than the 100M"));
}

static void test_processes_of_all(void **state)
{
	struct watch wt = {.timeout_s = 60, .processes_max = 20};
	struct why w;
	int status;

	(void)state;
	assert_int_equal(run(&wt, "for i in $(seq 40); do sleep 60 & done; wait", &status, &w),
	                 ERR_TOO_LARGE);
	assert_non_null(strstr(w.text, "more than the 20 processes"));
}

static void test_disk(void **state)
{
	char dir[] = "/var/tmp/foldwatch-watch-XXXXXX", *script;
	struct watch wt = {.timeout_s = 60, .disk_max = 1 << 20, .disk_key = "a_key"};
	struct why w;
	int status;

	(void)state;
	assert_non_null(mkdtemp(dir));
	wt.disk[0] = dir;
	script = xasprintf("head -c 3000000 /dev/zero > %s/x; sleep 60", dir);
	assert_int_equal(run(&wt, script, &status, &w), ERR_TOO_LARGE);
	assert_string_equal(w.text, "the script wrote more than the 1M it is given (a_key)");
	free(script);
	/* No disk has so much. */
	wt.disk_max = 0;
	wt.disk_reserve = INT64_MAX;
	assert_int_equal(run(&wt, "sleep 60", &status, &w), ERR_NO_SPACE);
	assert_int_equal(dir_remove(dir, &w), OK);
	buf_release(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_lines),
	        cmocka_unit_test(test_no_program),
	        cmocka_unit_test(test_time),
	        cmocka_unit_test(test_memory_of_all),
	        cmocka_unit_test(test_processes_of_all),
	        cmocka_unit_test(test_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
