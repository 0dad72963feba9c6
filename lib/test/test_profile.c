/* Symbols of ELF files, and instructions folded by them. */
#include "lib/mem.h"
#include "lib/profile.h"
#include "lib/test/elf_file.h"
#include "lib/test/tmpdir.h"

#include <elf.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define K UINT64_C(0xffff800080000000)

static struct symbols *load(const char *path)
{
	struct symbols *s;
	struct why w;

	if (symbols_load(path, &s, &w) != OK)
		fail_msg("%s", w.text);
	return s;
}

static const struct elf_symbol kernel_a[] = {
        {"copy_pte", K + 0x100, 0x40, STT_FUNC, STB_LOCAL},
        {"$x", K + 0x100, 0, STT_NOTYPE, STB_LOCAL},
        {"el1h_64_irq", K + 0x200, 0, STT_NOTYPE, STB_LOCAL},
        {".Lloop", K + 0x210, 0, STT_NOTYPE, STB_LOCAL},
        {"__alias_of_zap", K + 0x300, 0x20, STT_FUNC, STB_LOCAL},
        {"zap", K + 0x300, 0x20, STT_FUNC, STB_GLOBAL},
        {"a_table", K + 0x400, 8, STT_OBJECT, STB_GLOBAL},
};
static const struct elf_symbol kernel_b[] = {
        {"copy_pte", K + 0x100, 0x60, STT_FUNC, STB_LOCAL},
        {"contpte_convert", K + 0x180, 0x20, STT_FUNC, STB_LOCAL},
        {"zap", K + 0x300, 0x20, STT_FUNC, STB_GLOBAL},
};

static void symbols_by_address(void **state)
{
	const char *path = in(*state, "vmlinux");
	struct symbols *s;

	elf_file(path, kernel_a, ARRAY_SIZE(kernel_a));
	s = load(path);
	assert_null(symbols_at(s, K));
	assert_string_equal(symbols_at(s, K + 0x100)->name, "copy_pte");
	assert_string_equal(symbols_at(s, K + 0x13c)->name, "copy_pte");
	assert_null(symbols_at(s, K + 0x140)); /* behind its end */
	/* a label of assembler has no end but the next */
	assert_string_equal(symbols_at(s, K + 0x2fc)->name, "el1h_64_irq");
	assert_string_equal(symbols_at(s, K + 0x300)->name, "zap");
	assert_null(symbols_at(s, K + 0x404));
	assert_int_equal(symbols_find(s, "el1h_64_irq")->address, K + 0x200);
	assert_null(symbols_find(s, "a_table"));
	assert_null(symbols_find(s, "$x"));
	symbols_free(s);
}

static void files_that_are_none(void **state)
{
	const char *path = in(*state, "x");
	struct symbols *s;
	struct why w;

	put_file(path, "no ELF", 6);
	assert_int_equal(symbols_load(path, &s, &w), ERR_INPUT);
	assert_non_null(strstr(w.text, "no ELF"));
	put_file(path, "", 0);
	assert_int_equal(symbols_load(path, &s, &w), ERR_INPUT);
	elf_file(path, NULL, 0);
	assert_int_equal(symbols_load(path, &s, &w), ERR_INPUT);
	assert_non_null(strstr(w.text, "stripped"));
	assert_int_equal(symbols_load(in(*state, "missing"), &s, &w), ERR_INPUT);
	/* torn anywhere: an error or fewer symbols, and nothing worse */
	elf_file(path, kernel_a, ARRAY_SIZE(kernel_a));
	{
		char *whole = get_file(path);
		struct symbols *all = load(path);

		symbols_free(all);
		for (size_t n = 1; n < 400; n += 7) {
			put_file(path, whole, n);
			if (symbols_load(path, &s, &w) == OK)
				symbols_free(s);
		}
		free(whole);
	}
}

#define PROFILE_A                      \
	"windows 2 4\n"                \
	"other 0 0\n"                  \
	"irq 20 0\n"                   \
	"switches 0 0\n"               \
	"ffff800080000100 200 4\n"     \
	"ffff800080000104 200 0 dsb\n" \
	"ffff800080000300 40 40\n"     \
	"ffff800080000310 6 0 tlbi\n"  \
	"400100 10 4\n"                \
	"ffff80008000f000 2 0\n"       \
	"end\n"
#define PROFILE_B                      \
	"windows 2 4\n"                \
	"other 4 0\n"                  \
	"irq 20 0\n"                   \
	"switches 1 0\n"               \
	"ffff800080000100 300 4\n"     \
	"ffff800080000104 300 0 dsb\n" \
	"ffff800080000180 100 0\n"     \
	"ffff800080000300 40 40\n"     \
	"ffff800080000310 6 0 tlbi\n"  \
	"400100 10 4\n"                \
	"end\n"

static struct profile fold(const char *text, const struct symbols *s)
{
	struct profile p;
	struct why w;

	if (profile_fold(text, strlen(text), s, &p, &w) != OK)
		fail_msg("%s", w.text);
	return p;
}

static const struct profile_row *row(const struct profile *p, const char *function)
{
	for (size_t i = 0; i < p->rows; i++)
		if (str_eq(p->row[i].function, function))
			return &p->row[i];
	fail_msg("there is no row %s", function);
	return NULL;
}

#define IS(a, b) assert_true(fabs((a) - (b)) < 1e-9)

static void folded_a_window(void **state)
{
	const char *path = in(*state, "a");
	struct symbols *s;
	struct profile p;

	elf_file(path, kernel_a, ARRAY_SIZE(kernel_a));
	s = load(path);
	p = fold(PROFILE_A, s);
	/* 200 / 2 - 4 / 4, and 200 / 2 */
	IS(row(&p, "copy_pte")->instructions, 99 + 100);
	IS(row(&p, "copy_pte")->calls, 99);
	assert_int_equal(row(&p, "copy_pte")->size, 0x40);
	IS(row(&p, "zap")->instructions, 20 - 10 + 3);
	IS(row(&p, "zap")->calls, 10);
	IS(row(&p, PROFILE_USER)->instructions, 5 - 1);
	IS(row(&p, PROFILE_UNKNOWN)->instructions, 1);
	IS(row(&p, PROFILE_OTHERS)->instructions, 10);
	IS(p.total, 199 + 13 + 4 + 1 + 10);
	IS(p.tlbi, 3);
	IS(p.dsb, 100);
	assert_int_equal(p.windows, 2);
	profile_release(&p);
	symbols_free(s);
}

static void movers_sum_to_the_whole(void **state)
{
	const char *pa = in(*state, "a"), *pb = in(*state, "b");
	struct symbols *sa, *sb;
	struct profile a, b;
	struct mover *m;
	double sum = 0;
	size_t n;

	elf_file(pa, kernel_a, ARRAY_SIZE(kernel_a));
	elf_file(pb, kernel_b, ARRAY_SIZE(kernel_b));
	sa = load(pa);
	sb = load(pb);
	a = fold(PROFILE_A, sa);
	b = fold(PROFILE_B, sb);
	m = profile_movers(&a, sa, &b, sb, &n);
	assert_string_equal(m[0].function, "copy_pte");
	IS(m[0].b - m[0].a, 100);
	assert_int_equal(m[0].size_a, 0x40);
	assert_int_equal(m[0].size_b, 0x60);
	assert_string_equal(m[1].function, "contpte_convert");
	IS(m[1].a, 0);
	IS(m[1].b, 50);
	IS(m[1].calls_b, 50);
	assert_int_equal(m[1].size_a, 0);
	assert_string_equal(m[2].function, PROFILE_OTHERS);
	IS(m[2].b - m[2].a, 2);
	for (size_t i = 0; i < n; i++)
		sum += m[i].b - m[i].a;
	IS(sum, b.total - a.total);
	free(m);
	profile_release(&a);
	profile_release(&b);
	symbols_free(sa);
	symbols_free(sb);
}

static void bad_profiles(void **state)
{
	static const struct {
		const char *text, *has;
	} bad[] = {
	        {"", "torn"},
	        {"windows 2 4\n", "torn"},
	        {"windows 0 64\nend\n", "no window was counted"},
	        {"other 1 1\nend\n", "line 1: expected \"windows"},
	        {"windows 2 4\nxyz\nend\n", "line 2: expected an address"},
	        {"windows 2 4\nffff 1\nend\n", "line 2"},
	        {"windows 2 4\nffff 1 2 what\nend\n", "line 2"},
	        {"windows 2 4\nend\nffff 1 2\n", "line 3: something follows the end"},
	        {"windows 2 4 5\nend\n", "line 1"},
	};
	const char *path = in(*state, "a");
	struct symbols *s;

	elf_file(path, kernel_a, ARRAY_SIZE(kernel_a));
	s = load(path);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct profile p;
		struct why w;

		assert_int_equal(profile_fold(bad[i].text, strlen(bad[i].text), s, &p, &w),
		                 ERR_INPUT);
		if (!strstr(w.text, bad[i].has))
			fail_msg("%zu: %s", i, w.text);
		assert_int_equal(p.rows, 0);
	}
	symbols_free(s);
}

int main(void)
{
#define in_dir(t) cmocka_unit_test_setup_teardown(t, tmpdir_setup, tmpdir_teardown)
	const struct CMUnitTest tests[] = {
	        in_dir(symbols_by_address), in_dir(files_that_are_none),
	        in_dir(folded_a_window),    in_dir(movers_sum_to_the_whole),
	        in_dir(bad_profiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
