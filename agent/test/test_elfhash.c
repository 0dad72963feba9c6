#include "agent/elfhash.h"

#include "agent/test/steps.h"
#include "lib/buf.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/var/tmp/foldwatch-elf-XXXXXX";

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return dir_remove(dir, NULL) ? -1 : 0;
}

/* A little "kernel": a banner, uts names, a bug table and some code and data,
 * each of which a definition may change. */
static const char source[] =
        "#ifndef BANNER\n#define BANNER \"Linux version 6.12 (a@b) #1 Mon\"\n#endif\n"
        "#ifndef LINE\n#define LINE 12\n#endif\n#ifndef FLAGS\n#define FLAGS 1\n#endif\n"
        "#ifndef RELEASE\n#define RELEASE \"6.12.1\"\n#endif\n#ifndef NODE\n#define NODE "
        "\"(none)\"\n#endif\n#ifndef VALUE\n#define VALUE 7\n#endif\n"
        "const char linux_banner[64] = BANNER;\n"
        "struct { char f[6][65]; int count; } init_uts_ns = {{\"Linux\", NODE, RELEASE, \"#1 "
        "SMP Mon\", \"aarch64\", \"\"}, 1};\n"
        "struct bug { int addr, file; unsigned short line, flags; };\n"
        "__attribute__((section(\"__bug_table\"), used)) struct bug bugs[2] = {{1, 2, LINE, "
        "FLAGS}, {3, 4, LINE + 1, FLAGS}};\n"
        /* A note like the vDSO's, inside read-only data. */
        "#ifndef VDSO\n#define VDSO 5\n#endif\n"
        "const unsigned char vdso[36] = {4,0,0,0, 20,0,0,0, 3,0,0,0, 'G','N','U',0, VDSO, 1,2};\n"
        "int value = VALUE; int zero[100];\n"
        "int _start(void) { return value + zero[VALUE]; }\n";

static void make(const char *name, const char *defines, struct elf_facts *f)
{
	char *c = path_join(dir, "k.c"), *out = path_join(dir, name), *script;
	struct why w;

	assert_int_equal(file_write(c, source, sizeof(source) - 1, 0644, &w), OK);
	script = xasprintf("gcc -O1 -g -nostdlib -static -Wl,--build-id=sha1 %s -o '%s' '%s'",
	                   defines, out, c);
	run_ok(dir, "sh", "-c", script, NULL);
	if (elf_facts(out, true, f, &w))
		fail_msg("%s: %s", name, w.text);
	free(script);
	free(c);
	free(out);
}

static void test_masked(void **state)
{
	static const char *const same[] = {
	        "-DBANNER='\"Linux version 6.13 (c@d) #2 Tue\"'",
	        "-DLINE=400",
	        "-DRELEASE='\"6.13.0-rc1\"'",
	        "-DVDSO=99",
	        "-DNOTHING=1 -fdebug-prefix-map=a=b",
	        "-Wl,--build-id=0x00112233445566778899aabbccddeeff00112233",
	};
	struct elf_facts base, f;
	size_t i;

	(void)state;
	make("base", "", &base);
	assert_int_equal(strlen(base.build_id), 40);
	assert_true(base.sections >= 4);
	for (i = 0; i < ARRAY_SIZE(same); i++) {
		make("same", same[i], &f);
		if (!str_eq(base.section_hash, f.section_hash))
			fail_msg("%s changed the hash", same[i]);
	}
	assert_string_equal(f.build_id, "00112233445566778899aabbccddeeff00112233");
}

static void test_not_masked(void **state)
{
	static const char *const other[] = {"-DVALUE=8", "-DFLAGS=2", "-DNODE='\"host\"'", "-O0",
	                                    "-Wl,-Ttext-segment=0x800000"};
	struct elf_facts base, f;
	size_t i;

	(void)state;
	make("base", "", &base);
	for (i = 0; i < ARRAY_SIZE(other); i++) {
		make("other", other[i], &f);
		if (str_eq(base.section_hash, f.section_hash))
			fail_msg("%s did not change the hash", other[i]);
	}
}

/* Without CONFIG_DEBUG_BUGVERBOSE there are no lines to mask, and what stands
 * in their place counts. */
static void test_bug_table_without_lines(void **state)
{
	char *one = path_join(dir, "one"), *two = path_join(dir, "two");
	struct elf_facts a, b;
	struct why w;

	(void)state;
	make("one", "", &a);
	make("two", "-DLINE=400", &b);
	assert_int_equal(elf_facts(one, false, &a, &w), OK);
	assert_int_equal(elf_facts(two, false, &b, &w), OK);
	assert_string_not_equal(a.section_hash, b.section_hash);
	free(one);
	free(two);
}

static void test_stripped(void **state)
{
	char *one = path_join(dir, "one"), *two = path_join(dir, "two");
	struct elf_facts a, b;
	struct why w;

	(void)state;
	make("one", "-DRELEASE='\"\"'", &a);
	make("two", "-DRELEASE='\"\"' -DBANNER='\"Linux version 9 (longer than that) #1\"'", &b);
	run_ok(dir, "strip", "one", "two", NULL);
	assert_int_equal(elf_facts(one, true, &a, &w), OK);
	assert_int_equal(elf_facts(two, true, &b, &w), OK);
	assert_string_equal(a.section_hash, b.section_hash);
	free(one);
	free(two);
}

static void test_no_elf(void **state)
{
	static const unsigned char elf32[64] = {0x7f, 'E', 'L', 'F', 1, 1, 1};
	char *path = path_join(dir, "x"), *base = path_join(dir, "base");
	struct elf_facts f;
	struct buf b;
	struct why w;
	size_t n;

	(void)state;
	assert_int_equal(elf_facts(path, true, &f, &w), ERR_NOT_FOUND);
	assert_int_equal(file_write(path, "", 0, 0644, &w), OK);
	assert_int_equal(elf_facts(path, true, &f, &w), ERR_INPUT);
	assert_int_equal(file_write(path, "no elf at all", 13, 0644, &w), OK);
	assert_int_equal(elf_facts(path, true, &f, &w), ERR_INPUT);
	assert_non_null(strstr(w.text, "is no ELF file"));
	assert_int_equal(file_write(path, elf32, sizeof(elf32), 0644, &w), OK);
	assert_int_equal(elf_facts(path, true, &f, &w), ERR_INPUT);
	/* Cut anywhere, it is an error or it is not, but never a crash. */
	make("base", "", &f);
	buf_init(&b, 1 << 20);
	assert_int_equal(file_read(base, &b, &w), OK);
	for (n = 0; n < b.len; n += 509) {
		assert_int_equal(file_write(path, b.data, n, 0644, &w), OK);
		assert_int_equal(elf_facts(path, true, &f, &w), ERR_INPUT);
	}
	/* Every byte of the headers damaged in turn. */
	for (n = 0; n < 64; n++) {
		b.data[n] ^= 0x5a;
		assert_int_equal(file_write(path, b.data, b.len, 0644, &w), OK);
		(void)elf_facts(path, true, &f, &w);
		b.data[n] ^= 0x5a;
	}
	buf_release(&b);
	free(path);
	free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_masked),
	        cmocka_unit_test(test_not_masked),
	        cmocka_unit_test(test_bug_table_without_lines),
	        cmocka_unit_test(test_stripped),
	        cmocka_unit_test(test_no_elf),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
