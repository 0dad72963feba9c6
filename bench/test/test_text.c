/* Small readers: numbers, choices, lines, notes, the command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/init.h"
#include "bench/meter.h"
#include "bench/system.h"
#include "bench/text.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool number(const char *text, uint64_t *v)
{
	return u64_parse(text, strlen(text), v);
}

static void whole_numbers_only(void **state)
{
	static const char *const bad[] = {"",
	                                  "-1",
	                                  "+1",
	                                  " 1",
	                                  "1 ",
	                                  "1x",
	                                  "0x1",
	                                  "1.0",
	                                  "1e3",
	                                  "18446744073709551616",
	                                  "99999999999999999999999"};
	uint64_t v;

	(void)state;
	assert_true(number("0", &v) && v == 0);
	assert_true(number("007", &v) && v == 7);
	assert_true(number("18446744073709551615", &v) && v == UINT64_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(number(bad[i], &v));
}

static void choices(void **state)
{
	char out[16];

	(void)state;
	choice_parse("always [madvise] never", out, sizeof(out));
	assert_string_equal(out, "madvise");
	choice_parse("[always]", out, sizeof(out));
	assert_string_equal(out, "always");
	choice_parse("always madvise never", out, sizeof(out));
	assert_string_equal(out, "");
	choice_parse("a [never ends", out, sizeof(out));
	assert_string_equal(out, "");
	choice_parse("[a-word-longer-than-the-array]", out, sizeof(out));
	assert_string_equal(out, "");
}

static void values_of_lines(void **state)
{
	static const char vmstat[] = "thp_split_page_failed 7\nthp_split_page 3\nthp_split_pmd x\n"
	                             "MemTotal:       2115948 kB\nlast 9";
	uint64_t v;

	(void)state;
	assert_true(line_value(vmstat, "thp_split_page", &v) && v == 3);
	assert_true(line_value(vmstat, "thp_split_page_failed", &v) && v == 7);
	assert_true(line_value(vmstat, "MemTotal:", &v) && v == 2115948);
	assert_true(line_value(vmstat, "last", &v) && v == 9);
	assert_false(line_value(vmstat, "thp_split_pmd", &v));
	assert_false(line_value(vmstat, "thp_split", &v));
	assert_false(line_value(vmstat, "split_page", &v));
	assert_false(line_value("", "last", &v));
	assert_false(line_value("last", "last", &v));
}

static void lines_of_any_length(void **state)
{
	static char text[20000];
	struct lines l;
	size_t total = 0;
	int pipes[2];
	char *line;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	memset(text, 'a', sizeof(text));
	text[0] = text[5] = '\n';
	assert_int_equal(fd_write_all(pipes[1], text, sizeof(text)), 0);
	close(pipes[1]);
	lines_init(&l, pipes[0]);
	assert_string_equal(lines_next(&l), "");
	assert_string_equal(lines_next(&l), "aaaa");
	while ((line = lines_next(&l)))
		total += strlen(line);
	assert_int_equal(total, sizeof(text) - 6);
	assert_null(lines_next(&l));
	close(pipes[0]);
}

static void build_ids(void **state)
{
	struct {
		Elf64_Nhdr a;
		char aname[8];
		char adesc[4];
		Elf64_Nhdr b;
		char bname[4];
		unsigned char bdesc[20];
	} notes = {
	        .a = {.n_namesz = 6, .n_descsz = 3, .n_type = NT_GNU_BUILD_ID},
	        .aname = "Linux",
	        .b = {.n_namesz = 4, .n_descsz = 20, .n_type = NT_GNU_BUILD_ID},
	        .bname = "GNU",
	};
	char out[65];

	(void)state;
	for (int i = 0; i < 20; i++)
		notes.bdesc[i] = (unsigned char)(i == 19 ? 0x0a : 0xf0 + i);
	build_id_from_notes(&notes, sizeof(notes), out, sizeof(out));
	assert_string_equal(out, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff0001020a");
	/* Cut anywhere it is none, and nothing is read past the cut. */
	for (size_t n = 0; n < sizeof(notes); n++) {
		build_id_from_notes(&notes, n, out, sizeof(out));
		assert_string_equal(out, "");
	}
	notes.b.n_descsz = 0xffffffff;
	build_id_from_notes(&notes, sizeof(notes), out, sizeof(out));
	assert_string_equal(out, "");
	notes.a.n_namesz = 0xfffffffe;
	build_id_from_notes(&notes, sizeof(notes), out, sizeof(out));
	assert_string_equal(out, "");
}

static void metric_words(void **state)
{
	(void)state;
	assert_int_equal(metric_find("instructions"), METRIC_INSTRUCTIONS);
	assert_int_equal(metric_find("ns"), METRIC_NS);
	assert_int_equal(metric_find("ns----------"), METRIC_NS);
	assert_int_equal(metric_find("instruction"), -1);
	assert_int_equal(metric_find("-ns"), -1);
	assert_int_equal(metric_find("---"), -1);
	assert_int_equal(metric_find(""), -1);
}

static void command_line(void **state)
{
	static const struct {
		const char *line, *why;
	} wrong[] = {
	        {"foldwatch.nonce=0123",
	         "command line: foldwatch.nonce: expected 16 lower-case hex digits, got \"0123\""},
	        {"foldwatch.nonce=0123456789ABCDEF", "command line: foldwatch.nonce"},
	        {"foldwatch.nonce=0123456789abcdef0", "command line: foldwatch.nonce"},
	        {"foldwatch.nonce=", "command line: foldwatch.nonce"},
	        {"foldwatch.phase=99999", "command line: foldwatch.phase"},
	        {"foldwatch.phase=-001", "command line: foldwatch.phase"},
	        {"foldwatch.metric=seconds", "command line: foldwatch.metric"},
	        {"foldwatch.phase=0001 foldwatch.phase=0001",
	         "command line: foldwatch.phase: given twice"},
	};
	struct init_words words;
	struct reason w = {""};

	(void)state;
	assert_true(init_words("console=ttyAMA0 foldwatch.nonce=0123456789abcdef "
	                       "foldwatch.phase=0042 foldwatch.metric=ns---------- panic=-1\n",
	                       &words, &w));
	assert_string_equal(words.nonce, "0123456789abcdef");
	assert_int_equal(words.phase, 42);
	assert_int_equal(words.metric, METRIC_NS);
	assert_true(init_words("", &words, &w));
	assert_string_equal(words.nonce, "0000000000000000");
	assert_int_equal(words.phase, 0);
	assert_int_equal(words.metric, METRIC_INSTRUCTIONS);
	/* only as a word of its own */
	assert_true(init_words("xfoldwatch.phase=77", &words, &w));
	assert_int_equal(words.phase, 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(init_words(wrong[i].line, &words, &w));
		if (strncmp(w.text, wrong[i].why, strlen(wrong[i].why)))
			fail_msg("\"%s\": expected \"%s\", got \"%s\"", wrong[i].line, wrong[i].why,
			         w.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(whole_numbers_only), cmocka_unit_test(choices),
	        cmocka_unit_test(values_of_lines),    cmocka_unit_test(lines_of_any_length),
	        cmocka_unit_test(build_ids),          cmocka_unit_test(metric_words),
	        cmocka_unit_test(command_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
