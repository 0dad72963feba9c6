/* foldwatch scan-log as a program: its exit codes are a contract. */
#include "cli/test/run.h"

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/test/tmpdir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define CLEAN "[    0.000000] Booting Linux on physical CPU 0x0\n[    1.0] random: crng init done\n"
#define BAD   "[    0.278] BUG: Bad page state in process gmain  pfn:12a094\n"

static const char *log_of(void **state, const char *name, const void *data, size_t len)
{
	const char *path = in(*state, name);

	put_file(path, data, len);
	return path;
}

#define log_text(state, name, text) log_of(state, name, text, sizeof(text) - 1)

static void code(void **state, const char *path, int want)
{
	struct ran r;

	run_cli(&r, *state, "scan-log", path, NULL);
	if (r.code != want)
		fail_msg("%s: exit %d, not %d: %s%s", path, r.code, want, r.out, r.err);
	ran_release(&r);
}

static void says_clean(void **state)
{
	struct ran r;
	json_t *root;

	code(state, log_text(state, "clean", CLEAN), 0);
	code(state, log_text(state, "empty", ""), 0);
	code(state, log_text(state, "nul", "a\0b\0\xff\xfe\n\0"), 0);
	run_cli(&r, *state, "scan-log", in(*state, "clean"), NULL);
	assert_string_equal(r.out, "");
	assert_string_equal(r.err, "");
	ran_release(&r);
	run_cli(&r, *state, "scan-log", "--json", in(*state, "empty"), NULL);
	root = expect_json(&r);
	assert_int_equal(json_object_size(root), 1);
	assert_true(json_is_array(json_object_get(root, "faults")));
	assert_int_equal(json_array_size(json_object_get(root, "faults")), 0);
	json_decref(root);
	ran_release(&r);
}

static void finds_faults(void **state)
{
	struct ran r;
	json_t *root, *f;

	code(state, log_text(state, "bad", CLEAN BAD), 1);
	code(state, log_text(state, "bare", "BUG: Bad page state in process x"), 1);
	run_cli(&r, *state, "scan-log", in(*state, "bad"), NULL);
	assert_int_equal(r.code, 1);
	assert_true(str_starts(r.out, "3: "));
	assert_non_null(strstr(r.out, "BUG: Bad page state in process gmain  pfn:12a094\n"));
	assert_string_equal(r.err, "");
	ran_release(&r);
	run_cli(&r, *state, "scan-log", in(*state, "bad"), "--json", NULL);
	assert_int_equal(r.code, 1);
	root = json_loads(r.out, 0, NULL);
	assert_int_equal(json_object_size(root), 1);
	assert_int_equal(json_array_size(json_object_get(root, "faults")), 1);
	f = json_array_get(json_object_get(root, "faults"), 0);
	assert_int_equal(json_integer_value(json_object_get(f, "line")), 3);
	assert_true(json_is_string(json_object_get(f, "kind")));
	assert_non_null(json_object_get(f, "function"));
	assert_non_null(strstr(json_string_value(json_object_get(f, "text")), "Bad page state"));
	json_decref(root);
	ran_release(&r);
}

static void reads_any_bytes(void **state)
{
	size_t n = 24 << 20;
	char *big = xmalloc(n + 256);
	struct ran r;
	json_t *root;

	code(state, log_text(state, "nuls", "\0\0\0\n" BAD "\0\0"), 1);
	code(state, log_text(state, "latin", "\xe9\xff\xc0\x80 x\n" BAD), 1);
	/* one line without an end, a fault behind it */
	memset(big, 'x', n);
	code(state, log_of(state, "endless", big, n), 0);
	memcpy(big + n, "\n" BAD, sizeof("\n" BAD));
	code(state, log_of(state, "endless", big, n + sizeof("\n" BAD) - 1), 1);
	free(big);
	/* what the terminal gets holds no control characters, JSON stays JSON */
	log_text(state, "wild", "BUG: Bad page state \x1b[2J\xff in process \x01x\n");
	run_cli(&r, *state, "scan-log", in(*state, "wild"), NULL);
	assert_int_equal(r.code, 1);
	assert_null(strchr(r.out, '\x1b'));
	ran_release(&r);
	run_cli(&r, *state, "scan-log", "--json", in(*state, "wild"), NULL);
	assert_int_equal(r.code, 1);
	root = json_loads(r.out, 0, NULL);
	assert_non_null(root);
	json_decref(root);
	ran_release(&r);
}

static void counts_more_than_it_shows(void **state)
{
	struct buf b;
	struct ran r;
	json_t *root;

	buf_init(&b, 1 << 20);
	for (int i = 0; i < 1500; i++)
		buf_addf(&b, "[%d.0] BUG: Bad page map in process p%d  pte:0 pmd:0\nquiet\n", i, i);
	log_of(state, "many", b.data, b.len);
	buf_release(&b);
	run_cli(&r, *state, "scan-log", "--json", in(*state, "many"), NULL);
	assert_int_equal(r.code, 1);
	root = json_loads(r.out, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(root, "faults")), 1000);
	assert_int_equal(json_integer_value(json_object_get(root, "total")), 1500);
	json_decref(root);
	ran_release(&r);
	run_cli(&r, *state, "scan-log", in(*state, "many"), NULL);
	assert_non_null(strstr(r.out, "1500 faults in all, 1000 shown\n"));
	ran_release(&r);
}

static void knows_several_boots(void **state)
{
	static const char text[] = "[    0.000000] Linux version 6.12.1 (a@b)\nx\n"
	                           "[    0.000000] Linux version 6.12.1 (a@b)\ny\n";
	struct ran r;

	log_of(state, "two", text, sizeof(text) - 1);
	code(state, in(*state, "two"), 1);
	run_cli(&r, *state, "scan-log", "--many-boots", in(*state, "two"), NULL);
	assert_int_equal(r.code, 0);
	ran_release(&r);
}

static void says_when_it_cannot(void **state)
{
	struct ran r;
	json_t *root, *error;

	run_cli(&r, *state, "scan-log", "missing", NULL);
	expect_fail(&r, 2, "cannot read \"missing\"");
	ran_release(&r);
	run_cli(&r, *state, "scan-log", "--json", "missing", NULL);
	expect_fail(&r, 2, "cannot read \"missing\"");
	root = json_loads(r.out, 0, NULL);
	error = json_object_get(root, "error");
	assert_string_equal(json_string_value(json_object_get(error, "code")), "input");
	assert_non_null(strstr(json_string_value(json_object_get(error, "message")), "missing"));
	json_decref(root);
	ran_release(&r);
	run_cli(&r, *state, "scan-log", *state, NULL);
	expect_fail(&r, 2, "cannot read");
	ran_release(&r);
	run_cli(&r, *state, "scan-log", NULL);
	expect_fail(&r, 2, "needs FILE|-");
	ran_release(&r);
	run_cli(&r, *state, "scan-log", "a", "b", NULL);
	expect_fail(&r, 2, "does not take \"b\"");
	ran_release(&r);
	/* 1 would say that there are faults */
	log_text(state, "bad", BAD);
	run_to(&r, "/dev/full", *state, "scan-log", in(*state, "bad"), NULL);
	expect_fail(&r, 2, "cannot write to standard output");
	ran_release(&r);
	run_to(&r, "/dev/full", *state, "scan-log", "--json", in(*state, "bad"), NULL);
	expect_fail(&r, 2, "cannot write to standard output");
	ran_release(&r);
	/* standard input is empty here */
	run_cli(&r, *state, "scan-log", "-", NULL);
	assert_int_equal(r.code, 0);
	ran_release(&r);
}

int main(void)
{
#define in_dir(t) cmocka_unit_test_setup_teardown(t, tmpdir_setup, tmpdir_teardown)
	const struct CMUnitTest tests[] = {
	        in_dir(says_clean),          in_dir(finds_faults),
	        in_dir(reads_any_bytes),     in_dir(counts_more_than_it_shows),
	        in_dir(knows_several_boots), in_dir(says_when_it_cannot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
