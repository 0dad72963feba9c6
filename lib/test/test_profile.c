/* Symbols of ELF files, and instructions folded by them. */
#include "lib/mem.h"
#include "lib/profile.h"
#include "lib/profile_plugin.h"
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
	"run 2 4\n"                    \
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
	"run 2 4\n"                    \
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

static struct profiles fold(const char *text, const struct symbols *s)
{
	struct profiles p;
	struct why w;

	if (profiles_fold(text, strlen(text), s, &p, &w) != OK)
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
	struct profiles all;
	struct profile p;

	elf_file(path, kernel_a, ARRAY_SIZE(kernel_a));
	s = load(path);
	all = fold(PROFILE_A, s);
	assert_int_equal(all.runs, 1);
	p = all.run[0];
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
	profiles_release(&all);
	symbols_free(s);
}

static void movers_sum_to_the_whole(void **state)
{
	const char *pa = in(*state, "a"), *pb = in(*state, "b");
	struct symbols *sa, *sb;
	struct profiles as, bs;
	struct profile a, b;
	struct mover *m;
	double sum = 0;
	size_t n;

	elf_file(pa, kernel_a, ARRAY_SIZE(kernel_a));
	elf_file(pb, kernel_b, ARRAY_SIZE(kernel_b));
	sa = load(pa);
	sb = load(pb);
	as = fold(PROFILE_A, sa);
	bs = fold(PROFILE_B, sb);
	a = as.run[0];
	b = bs.run[0];
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
	profiles_release(&as);
	profiles_release(&bs);
	symbols_free(sa);
	symbols_free(sb);
}

/* A run that came to no window keeps its place; what is kept is read back. */
static void runs_keep_their_places(void **state)
{
	static const char text[] = "run 0 64\nother 0 0\nirq 0 0\nswitches 0 0\n" PROFILE_A;
	const char *path = in(*state, "a");
	struct symbols *s;
	struct profiles p, again;
	struct why w;
	char *json;

	elf_file(path, kernel_a, ARRAY_SIZE(kernel_a));
	s = load(path);
	p = fold(text, s);
	assert_int_equal(p.runs, 2);
	assert_int_equal(p.run[0].windows, 0);
	assert_int_equal(p.run[0].rows, 0);
	json = profiles_json(&p);
	if (profiles_read(json, strlen(json), &again, &w) != OK)
		fail_msg("%s", w.text);
	assert_int_equal(again.runs, 2);
	assert_int_equal(again.run[0].rows, 0);
	assert_int_equal(again.run[1].rows, p.run[1].rows);
	assert_int_equal(again.run[1].windows, 2);
	IS(again.run[1].total, p.run[1].total);
	IS(again.run[1].tlbi, 3);
	IS(row(&again.run[1], "copy_pte")->calls, 99);
	profiles_release(&again);
	profiles_release(&p);
	symbols_free(s);
	free(json);
}

static void bad_profiles(void **state)
{
	static const struct {
		const char *text, *has;
	} bad[] = {
	        {"", "torn"},
	        {"run 2 4\n", "torn"},
	        {"other 1 1\nend\n", "line 1: expected \"run"},
	        {"run 2 4\nxyz\nend\n", "line 2: expected an address"},
	        {"run 0 4\nffff 1 2\nend\n", "line 2: expected an address"},
	        {"run 2 4\nffff 1\nend\n", "line 2"},
	        {"run 2 4\nffff 1 2 what\nend\n", "line 2"},
	        {"run 2 4\nend\nffff 1 2\n", "line 3: something follows the end"},
	        {"run 2 4 5\nend\n", "line 1"},
	};
	static const struct {
		const char *text, *has;
	} kept[] = {
	        {"", ""},
	        {"{}", "format"},
	        {"{\"format\":2,\"runs\":[]}", "format"},
	        {"{\"format\":1,\"runs\":[{}]}", "runs[0].windows"},
	        {"{\"format\":1,\"runs\":[{\"windows\":-1,\"switches\":0,\"tlbi\":0,\"dsb\":0,"
	         "\"rows\":[]}]}",
	         "runs[0].windows"},
	        {"{\"format\":1,\"runs\":[{\"windows\":1,\"switches\":0,\"tlbi\":0,\"dsb\":0,"
	         "\"rows\":[[\"f\",1]]}]}",
	         "runs[0].rows[0]"},
	        {"{\"format\":1,\"runs\":[{\"windows\":1,\"switches\":0,\"tlbi\":0,\"dsb\":0,"
	         "\"rows\":[[\"f\",1,2],[3,1,2]]}]}",
	         "runs[0].rows[1]"},
	};
	const char *path = in(*state, "a");
	struct symbols *s;
	struct profiles p;
	struct why w;

	elf_file(path, kernel_a, ARRAY_SIZE(kernel_a));
	s = load(path);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(profiles_fold(bad[i].text, strlen(bad[i].text), s, &p, &w),
		                 ERR_INPUT);
		if (!strstr(w.text, bad[i].has))
			fail_msg("%zu: %s", i, w.text);
		assert_int_equal(p.runs, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		assert_int_equal(profiles_read(kept[i].text, strlen(kept[i].text), &p, &w),
		                 ERR_INPUT);
		if (!strstr(w.text, kept[i].has))
			fail_msg("kept %zu: %s", i, w.text);
		assert_int_equal(p.runs, 0);
	}
	symbols_free(s);
}

/* What QEMU is told: addresses of both, paths with their commas doubled. */
static void plugin_words(void **state)
{
	static const struct elf_symbol own[] = {
	        {"meter_start", 0x400100, 8, STT_FUNC, STB_GLOBAL},
	        {"meter_stop", 0x400200, 8, STT_FUNC, STB_GLOBAL},
	        {"suite_next_run", 0x400300, 8, STT_FUNC, STB_GLOBAL},
	        {"meter_wide", 0x400400, 8, STT_FUNC, STB_GLOBAL},
	};
	static const struct elf_symbol entry[] = {
	        {"el1h_64_irq", K + 0x200, 0, STT_NOTYPE, STB_LOCAL},
	        {"el0t_64_irq", K + 0x280, 0, STT_NOTYPE, STB_LOCAL},
	        {"cpu_switch_to", K + 0x300, 0, STT_NOTYPE, STB_GLOBAL},
	};
	struct profile_plugin p = {.plugin = "/a/p.so", .out = "/x,y/out", .runs = "/x/runs"};
	struct symbols *s;
	struct why w;
	char *words;

	p.foldbench = in(*state, "foldbench");
	elf_file(p.foldbench, own, ARRAY_SIZE(own));
	elf_file(in(*state, "vmlinux"), entry, ARRAY_SIZE(entry));
	p.kernel = s = load(in(*state, "vmlinux"));
	assert_int_equal(profile_plugin_words(&p, &words, &w), OK);
	assert_string_equal(words, "/a/p.so,out=/x,,y/out,runs=/x/runs,begin=0x400100,end=0x400200,"
	                           "run=0x400300,wide=0x400400,switch=0xffff800080000300,"
	                           "irq=0xffff800080000200,irq=0xffff800080000280");
	free(words);
	elf_file(p.foldbench, own, 3);
	assert_int_equal(profile_plugin_words(&p, &words, &w), ERR_INPUT);
	assert_non_null(strstr(w.text, "the foldbench has no function \"meter_wide\""));
	symbols_free(s);
	words = profile_plugin_runs("# a plan\nfork/order=0,size=1M runs=2 iterations=7 warmup=3\n"
	                            "\nmunmap/order=0 warmup=0\nksm/order=0");
	assert_string_equal(words, "3 7\n3 7\n1 5\n1 5\n");
	free(words);
}

int main(void)
{
#define in_dir(t) cmocka_unit_test_setup_teardown(t, tmpdir_setup, tmpdir_teardown)
	const struct CMUnitTest tests[] = {
	        in_dir(symbols_by_address),     in_dir(files_that_are_none),
	        in_dir(folded_a_window),        in_dir(movers_sum_to_the_whole),
	        in_dir(runs_keep_their_places), in_dir(bad_profiles),
	        in_dir(plugin_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
