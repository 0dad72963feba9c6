/* Configuration files: what is taken, and for each fault its line and sentence. */
#include "lib/conf.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/test/mutate.h"
#include "lib/test/tmpdir.h"

static const char *const kinds[] = {"soft", "hard", NULL};

struct top {
	char *name, *dir;
	int64_t jobs, bytes;
	bool builds;
	struct conf_list trees;
	int kind;
};

struct board {
	char name[65];
	int kind;
	int64_t must;
	struct conf_list labels;
};

struct all {
	struct top top;
	struct board board[3];
	size_t boards;
	bool opened;
};

static const struct conf_key top_keys[] = {
        {"name", CONF_STR, offsetof(struct top, name), 1, 8, NULL, NULL, "a name"},
        {"dir", CONF_STR, offsetof(struct top, dir), 0, 0, "/preset dir", NULL, "a directory"},
        {"jobs", CONF_INT, offsetof(struct top, jobs), -5, 100, "7", NULL, "jobs"},
        {"bytes", CONF_INT, offsetof(struct top, bytes), 0, INT64_MAX, NULL, NULL, "bytes"},
        {"builds", CONF_BOOL, offsetof(struct top, builds), 0, 0, "yes", NULL, "builds"},
        {"trees", CONF_LIST, offsetof(struct top, trees), 0, 0, "a b", NULL, "trees"},
        {"kind", CONF_ENUM, offsetof(struct top, kind), 0, 0, "hard", kinds, "kind"},
        {0},
};

static const struct conf_key board_keys[] = {
        {"kind", CONF_ENUM, offsetof(struct board, kind), 0, 0, NULL, kinds, "kind"},
        {"must", CONF_INT, offsetof(struct board, must), 1, 9, NULL, NULL, "given or refused"},
        {"labels", CONF_LIST, offsetof(struct board, labels), 0, 0, NULL, NULL, "labels"},
        {0},
};

static void *open_top(void *ctx, const char *name, struct why *w)
{
	struct all *a = ctx;

	(void)w;
	if (name || a->opened)
		abort();
	a->opened = true;
	return &a->top;
}

static void *open_board(void *ctx, const char *name, struct why *w)
{
	struct all *a = ctx;

	if (a->boards == ARRAY_SIZE(a->board)) {
		err_set(w, ERR_INPUT, "more than %zu boards", a->boards);
		return NULL;
	}
	snprintf(a->board[a->boards].name, sizeof(a->board[0].name), "%s", name);
	return &a->board[a->boards++];
}

static void *open_never(void *ctx, const char *name, struct why *w)
{
	(void)ctx;
	(void)name;
	(void)w;
	return NULL;
}

static const struct conf_block blocks[] = {
        {NULL, top_keys, open_top},
        {"board", board_keys, open_board},
        {"never", board_keys, open_never},
};

static void release(struct all *a)
{
	conf_release(top_keys, &a->top);
	for (size_t i = 0; i < a->boards; i++)
		conf_release(board_keys, &a->board[i]);
	*a = (struct all){0};
}

static enum err parse(const char *text, struct all *a, struct why *w)
{
	*a = (struct all){0};
	return conf_parse("f", text, strlen(text), blocks, ARRAY_SIZE(blocks), a, w);
}

static void presets(void **state)
{
	struct all a;
	struct why w;

	(void)state;
	assert_int_equal(parse("", &a, &w), OK);
	assert_null(a.top.name);
	assert_string_equal(a.top.dir, "/preset dir");
	assert_int_equal(a.top.jobs, 7);
	assert_int_equal(a.top.bytes, 0);
	assert_true(a.top.builds);
	assert_int_equal(a.top.trees.count, 2);
	assert_string_equal(a.top.trees.items[1], "b");
	assert_int_equal(a.top.kind, 1);
	release(&a);
	assert_int_equal(parse("# nothing", &a, NULL), OK);
	release(&a);
}

static void takes_all(void **state)
{
	static const char text[] = "\xef\xbb\xbf# a comment\r\n"
	                           "  name=  n\xc3\xa9 # a comment\n"
	                           "dir = \"/a b#c \\\"q\\\" \\\\ = \"   # a comment\n"
	                           "\n \t \njobs\t=\t-5\n"
	                           "bytes = 3G\n"
	                           "builds = off\n"
	                           "trees = https://x/#frag  file:///y\n"
	                           "trees = \"z\ttab\"\n"
	                           "trees =\n"
	                           "kind = soft\n"
	                           "[board qemu-det.1_a]# a comment\n"
	                           "kind = hard\nmust = 9\n"
	                           " [ board \t b ] \n"
	                           "kind = soft\nmust = 1\nlabels = virtual ci\n"
	                           "[board c]\nmust=1\nkind=hard";
	struct all a;
	struct why w = {""};

	(void)state;
	if (parse(text, &a, &w) != OK)
		fail_msg("%s", w.text);
	assert_string_equal(a.top.name, "n\xc3\xa9");
	assert_string_equal(a.top.dir, "/a b#c \"q\" \\ = ");
	assert_int_equal(a.top.jobs, -5);
	assert_int_equal(a.top.bytes, INT64_C(3) << 30);
	assert_false(a.top.builds);
	assert_int_equal(a.top.trees.count, 4);
	assert_string_equal(a.top.trees.items[0], "https://x/#frag");
	assert_string_equal(a.top.trees.items[1], "file:///y");
	assert_string_equal(a.top.trees.items[3], "tab");
	assert_int_equal(a.top.kind, 0);
	assert_int_equal(a.boards, 3);
	assert_string_equal(a.board[0].name, "qemu-det.1_a");
	assert_int_equal(a.board[0].kind, 1);
	assert_int_equal(a.board[0].labels.count, 0);
	assert_string_equal(a.board[1].name, "b");
	assert_int_equal(a.board[1].labels.count, 2);
	assert_string_equal(a.board[2].name, "c");
	release(&a);
	assert_null(a.top.dir);
	/* an empty list takes the preset away; a blank value may be a string */
	assert_int_equal(parse("trees =\ndir =\n", &a, &w), OK);
	assert_int_equal(a.top.trees.count, 0);
	assert_string_equal(a.top.dir, "");
	release(&a);
}

#define LONG_NAME "[board aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BOARD(n)  "[board " n "]\nkind=soft\nmust=1\n"

static void refuses(void **state)
{
	static const struct {
		const char *text, *sentence;
	} bad[] = {
	        {"nme = x", "f:1: unknown key \"nme\""},
	        {"\n\nname", "f:3: expected key = value, got \"name\""},
	        {"= x", "f:1: unknown key \"\""},
	        {"name = a\njobs = 1\nname = b", "f:3: name: is given twice"},
	        {"name = a\nname = a", "f:2: name: is given twice"},
	        {"name =", "f:1: name: expected 1 to 8 bytes of text, got 0"},
	        {"name = 123456789", "f:1: name: expected 1 to 8 bytes of text, got 9"},
	        {"name = # x", "f:1: name: expected 1 to 8 bytes of text, got 0"},
	        {"name = \"x", "f:1: name: the quote is not closed"},
	        {"name = \"x\\", "f:1: name: in quotes a backslash stands before \\ or \" only"},
	        {"name = \"x\\n\"", "f:1: name: in quotes a backslash stands before \\ or \" only"},
	        {"name = \"x\" y", "f:1: name: text follows the closing quote"},
	        {"name = \"x\"#y", "f:1: name: text follows the closing quote"},
	        {"jobs = 101", "f:1: jobs: expected a whole number from -5 to 100, got \"101\""},
	        {"jobs = -6", "f:1: jobs: expected a whole number from -5 to 100, got \"-6\""},
	        {"jobs = +1", "f:1: jobs: expected a whole number"},
	        {"jobs = 1.0", "f:1: jobs: expected a whole number"},
	        {"jobs = 0x1", "f:1: jobs: expected a whole number"},
	        {"jobs = ", "f:1: jobs: expected a whole number"},
	        {"jobs = -", "f:1: jobs: expected a whole number"},
	        {"jobs = --1", "f:1: jobs: expected a whole number"},
	        {"jobs = nan", "f:1: jobs: expected a whole number"},
	        {"jobs = 1 2", "f:1: jobs: expected a whole number"},
	        {"bytes = 1T", "f:1: bytes: expected a whole number"},
	        {"bytes = 8589934592G", "f:1: bytes: expected a whole number"},
	        {"bytes = 9223372036854775808", "f:1: bytes: expected a whole number"},
	        {"bytes = 18446744073709551617", "f:1: bytes: expected a whole number"},
	        {"builds = maybe", "f:1: builds: expected yes or no, got \"maybe\""},
	        {"builds = YES", "f:1: builds: expected yes or no"},
	        {"kind = medium", "f:1: kind: expected one of soft, hard, got \"medium\""},
	        {"kind =", "f:1: kind: expected one of soft, hard, got \"\""},
	        {"name = \x01", "f:1: byte 8, 0x01, is a control character"},
	        {"name = a\x7f", "f:1: byte 9, 0x7f, is a control character"},
	        {"name = a\rb", "f:1: byte 9, 0x0d, is a control character"},
	        {"jobs = 1\n# \xff", "f:2: byte 3, 0xff, is not UTF-8"},
	        {"name = \xed\xa0\x80", "f:1: byte 8, 0xed, is not UTF-8"},
	        {"[board", "f:1: expected a section [kind name] and nothing after it"},
	        {"[board x] y", "f:1: expected a section [kind name] and nothing after it"},
	        {"[]", "f:1: unknown section \"\""},
	        {"[bord x]", "f:1: unknown section \"bord\""},
	        {"[board]", "f:1: expected a name for the section \"board\""},
	        {"[board X]", "f:1: expected a name for the section \"board\""},
	        {"[board a b]", "f:1: expected a name for the section \"board\""},
	        {"[board ../a]", "f:1: expected a name for the section \"board\""},
	        {LONG_NAME "a]", "f:1: expected a name for the section \"board\""},
	        {BOARD("x") BOARD("y") BOARD("x"), "f:7: section [board x] is given twice"},
	        {BOARD("a") BOARD("b") BOARD("c") BOARD("d"), "f:10: more than 3 boards"},
	        {"\n[never x]", "f:2: never \"x\" is not wanted here"},
	        {"\n[board x]\nkind = soft\n", "f:2: \"must\" must be given in section x"},
	        {"[board x]\nmust = 1\n" BOARD("y"), "f:1: \"kind\" must be given in section x"},
	        {"[board x]\nmust = 0\n", "f:2: must: expected a whole number from 1 to 9"},
	        {"[board x]\nname = y\n", "f:2: unknown key \"name\""},
	};
	struct all a;
	struct why w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *want = bad[i].sentence;

		if (parse(bad[i].text, &a, &w) != ERR_INPUT)
			fail_msg("%s: was taken", bad[i].text);
		if (!str_starts(w.text, want))
			fail_msg("%s: said: %s", bad[i].text, w.text);
		release(&a);
		assert_int_equal(parse(bad[i].text, &a, NULL), ERR_INPUT);
		release(&a);
	}
	/* a name of 64 is the longest */
	assert_int_equal(parse(LONG_NAME "]\nkind=soft\nmust=1\n", &a, &w), OK);
	assert_int_equal(strlen(a.board[0].name), 64);
	release(&a);
	/* one name for two kinds, or as the end of another, is no repetition */
	assert_int_equal(parse(BOARD("xa") BOARD("a"), &a, &w), OK);
	release(&a);
	assert_int_equal(conf_parse("f", "name = a\0b", 10, blocks, 3, &a, &w), ERR_INPUT);
	assert_string_equal(w.text, "f:1: byte 9, 0x00, is a control character");
	release(&a);
	/* only sections: nothing may stand before the first */
	assert_int_equal(conf_parse("f", "must = 1", 8, blocks + 1, 1, &a, &w), ERR_INPUT);
	assert_string_equal(w.text, "f:1: \"must\" stands outside of a section");
}

static void reads_files(void **state)
{
	const char *path = in(*state, "x.conf");
	char *big = xmalloc((1 << 20) + 1);
	struct all a = {0};
	char want[5000];
	struct why w;

	put_file(path, "jobs = 1\njobs = x\n", 18);
	assert_int_equal(conf_read(path, blocks, 3, &a, &w), ERR_INPUT);
	snprintf(want, sizeof(want), "%s:2: jobs: is given twice", path);
	assert_string_equal(w.text, want);
	release(&a);
	memset(big, '\n', (1 << 20) + 1);
	put_file(path, big, 1 << 20);
	assert_int_equal(conf_read(path, blocks, 3, &a, &w), OK);
	release(&a);
	put_file(path, big, (1 << 20) + 1);
	assert_int_equal(conf_read(path, blocks, 3, &a, &w), ERR_TOO_LARGE);
	assert_int_equal(conf_parse("f", big, (1 << 20) + 1, blocks, 3, &a, &w), ERR_TOO_LARGE);
	assert_int_equal(conf_read(in(*state, "none"), blocks, 3, &a, &w), ERR_NOT_FOUND);
	free(big);
}

static void sizes_and_numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
		const char *back;
	} good[] = {
	        {"0", 0, "0"},
	        {"4096", 4096, "4K"},
	        {"4097", 4097, "4097"},
	        {"256M", 256 << 20, "256M"},
	        {"1024M", 1 << 30, "1G"},
	        {"1536M", UINT64_C(1536) << 20, "1536M"},
	        {"007K", 7 << 10, "7K"},
	        {"17179869183G", UINT64_C(17179869183) << 30, "17179869183G"},
	        {"18446744073709551615", UINT64_MAX, "18446744073709551615"},
	};
	static const char *const bad[] = {
	        "",    "-1",  "+1",  "1.5G",         "1GB",
	        "1 G", "G",   " 1",  "1 ",           "1k",
	        "0x1", "1e3", "nan", "17179869184G", "18446744073709551616"};
	int64_t v = 77;
	char out[32];
	uint64_t n;
	struct why w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(size_parse(good[i].text, &n, &w), OK);
		assert_int_equal(n, good[i].bytes);
		size_format(n, out, sizeof(out));
		assert_string_equal(out, good[i].back);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(size_parse(bad[i], &n, &w), ERR_INPUT);
	assert_int_equal(int_parse("-9223372036854775808", INT64_MIN, INT64_MAX, &v, &w), OK);
	assert_true(v == INT64_MIN);
	assert_int_equal(int_parse("9223372036854775807", INT64_MIN, INT64_MAX, &v, &w), OK);
	assert_true(v == INT64_MAX);
	assert_int_equal(int_parse("-0", 0, 5, &v, &w), OK);
	assert_int_equal(v, 0);
	v = 77;
	assert_int_equal(int_parse("-9223372036854775809", INT64_MIN, INT64_MAX, &v, &w),
	                 ERR_INPUT);
	assert_int_equal(int_parse("9223372036854775808", INT64_MIN, INT64_MAX, &v, &w), ERR_INPUT);
	assert_int_equal(int_parse("1K", 0, 5000, &v, &w), ERR_INPUT);
	assert_int_equal(int_parse("6", 0, 5, &v, &w), ERR_INPUT);
	assert_string_equal(w.text, "expected a whole number from 0 to 5, got \"6\"");
	assert_int_equal(int_parse("", 0, 5, &v, &w), ERR_INPUT);
	assert_int_equal(int_parse(" 1", 0, 5, &v, &w), ERR_INPUT);
	assert_int_equal(v, 77);
}

static void mutated(const char *data, size_t len)
{
	struct all a = {0};
	struct why w = {""};

	if (conf_parse("f", data, len, blocks, ARRAY_SIZE(blocks), &a, &w) != OK) {
		assert_true(str_starts(w.text, "f:"));
	} else {
		assert_true(a.top.jobs >= -5 && a.top.jobs <= 100);
		for (size_t i = 0; i < a.boards; i++)
			assert_true(a.board[i].must >= 1 && a.board[i].must <= 9);
	}
	release(&a);
}

static void survives_mutation(void **state)
{
	static const char text[] = "name = n # c\ndir = \"/a b\\\"\"\njobs = -5\nbytes = 3G\n"
	                           "builds = off\ntrees = a b\ntrees = c\n[board x]\nkind = soft\n"
	                           "must = 4\n[board y]\nkind = hard\nmust = 1\nlabels = a\n";

	(void)state;
	mutate(text, sizeof(text) - 1, 8000, mutated);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(presets),
	        cmocka_unit_test(takes_all),
	        cmocka_unit_test(refuses),
	        cmocka_unit_test_setup_teardown(reads_files, tmpdir_setup, tmpdir_teardown),
	        cmocka_unit_test(sizes_and_numbers),
	        cmocka_unit_test(survives_mutation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
