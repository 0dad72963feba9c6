#include "agent/makelog.h"

#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_objects(void **state)
{
	static const struct {
		const char *line;
		bool object;
	} lines[] = {
	        {"  CC      mm/memory.o", true},
	        {"  AS      arch/arm64/kernel/entry.o", true},
	        {"  AR      mm/built-in.a", true},
	        {"  LD      vmlinux.o", true},
	        {"  CC [M]  fs/ext4/inode.o", true},
	        {"  HOSTCC  scripts/kconfig/conf.o", false},
	        {"  CC      scripts/mod/devicetable-offsets.s", false},
	        {"  GEN     Makefile", false},
	        {"  LD      vmlinux", false},
	        {"  CHK     x.o", false},
	        {"CC mm/memory.o", false},
	        {" CC      mm/memory.o", false},
	        {"", false},
	        {" ", false},
	        {"  ", false},
	        {"  CC", false},
	        {"  CC      ", false},
	};
	struct makelog m = {.objects = 0};
	int64_t want = 0;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		if (makelog_line(&m, lines[i].line) != lines[i].object)
			fail_msg("\"%s\"", lines[i].line);
		want += lines[i].object;
	}
	assert_int_equal(m.objects, want);
	assert_string_equal(m.current, "fs/ext4/inode.o");
}

static void test_errors_are_quoted(void **state)
{
	static const char *const lines[] = {
	        "/src/mm/memory.c: In function 'copy_pte_range':",
	        "/src/mm/memory.c:812:9: warning: unused variable 'x' [-Wunused-variable]",
	        "/src/mm/memory.c:813:9: error: 'y' undeclared (first use in this function)",
	        "../mm/mremap.c:9:10: fatal error: linux/none.h: No such file or directory",
	        "make[3]: *** [/src/scripts/Makefile.build:229: mm/memory.o] Error 1",
	        "aarch64-linux-gnu-ld: mm/a.o: undefined reference to `b'",
	        "/src/mm/z.c:1:1: error: a fourth",
	};
	struct makelog m = {.objects = 0};
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lines); i++)
		makelog_line(&m, lines[i]);
	buf_init(&out, 4096);
	makelog_sentence(&m, &out);
	assert_string_equal(
	        out.data, "mm/memory.c:813:9: error: 'y' undeclared (first use in this function); "
	                  "mm/mremap.c:9:10: fatal error: linux/none.h: No such file or directory; "
	                  "aarch64-linux-gnu-ld: mm/a.o: undefined reference to `b'");
	assert_int_equal(m.errors, 4);
	buf_release(&out);
}

static void test_make_itself(void **state)
{
	struct makelog m = {.objects = 0};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	makelog_sentence(&m, &out);
	assert_string_equal(out.data, "");
	makelog_line(&m, "make: *** No rule to make target 'Image'.  Stop.");
	makelog_line(&m, "make: *** another");
	makelog_sentence(&m, &out);
	assert_string_equal(out.data, "make: *** No rule to make target 'Image'.  Stop.");
	buf_release(&out);
}

static void test_long_and_broken_lines(void **state)
{
	struct makelog m = {.objects = 0};
	char line[3000];

	(void)state;
	memset(line, 'a', sizeof(line));
	memcpy(line, "x.c:1: error: ", 14);
	memcpy(line + 238, "\xc3\xa4", 2); /* where it is cut */
	line[sizeof(line) - 1] = '\0';
	makelog_line(&m, line);
	assert_int_equal(m.errors, 1);
	assert_int_equal(strlen(m.error[0]), 238);
	makelog_line(&m, "y.c:1: error: \xff\x1b[31m");
	assert_string_equal(m.error[1], "y.c:1: error: \xef\xbf\xbd\xef\xbf\xbd[31m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_objects),
	        cmocka_unit_test(test_errors_are_quoted),
	        cmocka_unit_test(test_make_itself),
	        cmocka_unit_test(test_long_and_broken_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
