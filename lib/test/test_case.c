/* The words of a case: what is taken, what is refused and with which sentence. */
#include "lib/case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/test/mutate.h"

static void takes_and_prints(void **state)
{
	static const struct {
		const char *text, *canonical;
		uint64_t bytes;
	} good[] = {
	        {"fork/order=9,size=256M", "fork/order=9,size=256M", 256ull << 20},
	        {"fork/size=256M,order=9", "fork/order=9,size=256M", 256ull << 20},
	        {"fork/order=0", "fork/order=0", 1ull << 30},
	        {"fork/order=04,size=1024M", "fork/order=4,size=1G", 1ull << 30},
	        {"fork/order=2,size=2M", "fork/order=2,size=2M", 2ull << 20},
	        {"munmap/order=2,size=68719476736", "munmap/order=2,size=64G", 64ull << 30},
	        {"munmap/order=2", "munmap/order=2", 1ull << 30},
	        {"munmap/order=9,size=2050M", "munmap/order=9,size=2050M", 2050ull << 20},
	        {"mremap/order=9,size=16M,skew=4K", "mremap/order=9,size=16M,skew=4K", 16ull << 20},
	        {"mremap/skew=4096,order=9", "mremap/order=9,skew=4K", 16ull << 20},
	        {"mremap/order=0,skew=60K", "mremap/order=0,skew=60K", 16ull << 20},
	        {"mremap/order=0,skew=2044K", "mremap/order=0,skew=2044K", 16ull << 20},
	        {"mremap/order=0,align=32768K", "mremap/order=0,align=32M", 16ull << 20},
	        {"munmap/order=0,block=2048K", "munmap/order=0,block=2M", 1ull << 30},
	        {"mremap/order=0,align=65536", "mremap/order=0,align=64K", 16ull << 20},
	        {"mremap/order=0,align=2048K,size=1M", "mremap/order=0,size=1M,align=2M", 1 << 20},
	        {"mremap/order=0,align=2M,size=1088K", "mremap/order=0,size=1088K,align=2M",
	         1088 << 10},
	        {"munmap/block=4096,order=9", "munmap/order=9,block=4K", 1ull << 30},
	        {"dontneed/mode=each-page,order=9,size=64M",
	         "dontneed/order=9,size=64M,mode=each-page", 64ull << 20},
	        {"dontneed/order=0,block=60K", "dontneed/order=0,block=60K", 1ull << 30},
	        {"moved/mode=fork,skew=4K,order=4", "moved/order=4,skew=4K,mode=fork", 16ull << 20},
	};
	char err[400], text[CASE_TEXT];
	struct bench_case c, again;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		strncpy(err, "old", sizeof(err));
		if (case_parse(good[i].text, &c, err, sizeof(err)) != 0)
			fail_msg("%s: refused: %s", good[i].text, err);
		assert_string_equal(err, "");
		case_format(&c, text, sizeof(text));
		assert_string_equal(text, good[i].canonical);
		assert_int_equal(case_bytes(&c), good[i].bytes);
		assert_int_equal(case_parse(text, &again, err, sizeof(err)), 0);
		assert_ptr_equal(again.bench, c.bench);
		assert_int_equal(again.given, c.given);
		assert_memory_equal(again.value, c.value, sizeof(c.value));
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *text, *sentence;
	} bad[] = {
	        {"", "a case is empty; expected for instance \"fork/order=9,size=256M\""},
	        {"/", "/: unknown benchmark \"\"; known are "},
	        {"frok/order=9",
	         "frok/order=9: unknown benchmark \"frok\"; known are fork, munmap, mremap"},
	        {"Fork/order=9", "Fork/order=9: unknown benchmark \"Fork\""},
	        {" fork/order=9", " fork/order=9: unknown benchmark \" fork\""},
	        {"fork", "fork: fork needs order"},
	        {"fork/", "fork/: expected parameter=value, got \"\""},
	        {"fork/order", "fork/order: expected parameter=value, got \"order\""},
	        {"fork/order=9,", "fork/order=9,: expected parameter=value, got \"\""},
	        {"fork/order=9,,size=2M",
	         "fork/order=9,,size=2M: expected parameter=value, got \"\""},
	        {"fork/=9", "fork/=9: fork knows no parameter \"\"; it takes order, size"},
	        {"fork/order=", "fork/order=: order: expected a number from 0 to 9, got \"\""},
	        {"fork/order=7x",
	         "fork/order=7x: order: expected a number from 0 to 9, got \"7x\""},
	        {"fork/order=9K",
	         "fork/order=9K: order: expected a number from 0 to 9, got \"9K\""},
	        {"fork/order=10",
	         "fork/order=10: order: expected a number from 0 to 9, got \"10\""},
	        {"fork/order=-1",
	         "fork/order=-1: order: expected a number from 0 to 9, got \"-1\""},
	        {"fork/order=+2",
	         "fork/order=+2: order: expected a number from 0 to 9, got \"+2\""},
	        {"fork/order=1",
	         "fork/order=1: order: expected one of 0, 2, 3, 4, 5, 6, 7, 8, 9, got \"1\""},
	        {"fork/order=9 ",
	         "fork/order=9 : order: expected a number from 0 to 9, got \"9 \""},
	        {"fork/order=9/size=2M",
	         "fork/order=9/size=2M: order: expected a number from 0 to 9"},
	        {"fork/order=2,order=2", "fork/order=2,order=2: order is given twice"},
	        {"fork/order=2,size=2M,skew=4K", "fork/order=2,size=2M,skew=4K: fork knows no "
	                                         "parameter \"skew\"; it takes order, size"},
	        {"fork/order=2,colour=red", "fork/order=2,colour=red: fork knows no parameter "
	                                    "\"colour\"; it takes order, size"},
	        {"fork/order=2,size=1M",
	         "fork/order=2,size=1M: size: expected bytes from 2M to 64G, got \"1M\""},
	        {"fork/order=2,size=3M",
	         "fork/order=2,size=3M: size: expected a multiple of 2M, got \"3M\""},
	        {"fork/order=2,size=65G",
	         "fork/order=2,size=65G: size: expected bytes from 2M to 64G"},
	        {"fork/order=2,size=M",
	         "fork/order=2,size=M: size: expected bytes from 2M to 64G, got \"M\""},
	        {"fork/order=2,size=2m", "fork/order=2,size=2m: size: expected bytes"},
	        {"fork/order=2,size=1.5G", "fork/order=2,size=1.5G: size: expected bytes"},
	        {"fork/order=2,size=2MB", "fork/order=2,size=2MB: size: expected bytes"},
	        {"fork/order=2,size=nan", "fork/order=2,size=nan: size: expected bytes"},
	        {"fork/order=2,size=9223372036854775807G", NULL},
	        {"fork/order=2,size=9223372036854775808", NULL},
	        {"fork/order=2,size=18446744073711648768", NULL}, /* 2^64 + 2M */
	        {"fork/order=2,size=18014398509484032K", NULL},   /* the same */
	        {"mremap/order=9", "mremap/order=9: mremap needs exactly one of skew, align"},
	        {"mremap/order=9,skew=4K,align=64K",
	         "mremap/order=9,skew=4K,align=64K: mremap needs exactly one of skew, align"},
	        {"mremap/skew=4K", "mremap/skew=4K: mremap needs order"},
	        {"mremap/order=9,skew=0",
	         "mremap/order=9,skew=0: skew: expected bytes from 4K to 2044K, got \"0\""},
	        {"mremap/order=9,skew=2M",
	         "mremap/order=9,skew=2M: skew: expected bytes from 4K to 2044K"},
	        {"mremap/order=9,skew=5000",
	         "mremap/order=9,skew=5000: skew: expected a multiple of 4K"},
	        {"mremap/order=9,align=128K",
	         "mremap/order=9,align=128K: align: expected one of 64K, 2M, 32M, 512M"},
	        {"mremap/order=9,align=64K,size=512K",
	         "mremap/order=9,align=64K,size=512K: size: expected bytes from 1M to 64G"},
	        {"dontneed/order=9", "dontneed/order=9: dontneed needs exactly one of block, mode"},
	        {"dontneed/order=9,mode=whole,block=4K",
	         "dontneed/order=9,mode=whole,block=4K: dontneed needs exactly one of block, mode"},
	        {"dontneed/order=9,mode=half", "dontneed/order=9,mode=half: mode: expected one of "
	                                       "whole, each-page, got \"half\""},
	        {"split/order=9", "split/order=9: split needs mode"},
	        {"munmap/order=9,block=2052K",
	         "munmap/order=9,block=2052K: block: expected bytes from 4K to 2M, got \"2052K\""},
	        {"fork\n/order=9", "fork?/order=9: unknown benchmark \"fork?\""},
	        {"f\xc3\xb6rk/order=9", "f??rk/order=9: unknown benchmark \"f??rk\""},
	};
	char err[400];
	struct bench_case c;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&c, 0x5a, sizeof(c));
		if (case_parse(bad[i].text, &c, err, sizeof(err)) != -1)
			fail_msg("%s: was taken", bad[i].text);
		assert_int_equal(c.given, 0x5a5a5a5a); /* what failed leaves nothing */
		if (bad[i].sentence && strncmp(err, bad[i].sentence, strlen(bad[i].sentence)) != 0)
			fail_msg("%s: said: %s", bad[i].text, err);
	}
}

static void bounds_what_it_writes(void **state)
{
	char *text = malloc(100001), small[8] = "xxxxxxx", err[400];
	struct bench_case c;

	(void)state;
	memset(text, 'a', 100000);
	text[100000] = '\0';
	assert_int_equal(case_parse(text, &c, err, sizeof(err)), -1);
	assert_true(strlen(err) < 350);
	memcpy(text, "fork/order=", 11);
	assert_int_equal(case_parse(text, &c, err, sizeof(err)), -1);
	assert_true(strlen(err) < 350);
	assert_int_equal(case_parse(text, &c, small, 4), -1);
	assert_int_equal(strlen(small), 3);
	assert_string_equal(small + 4, "xxx");
	free(text);
}

/* The tables are what --help, the web form and the planner show. */
static void tables_hold_together(void **state)
{
	const struct case_param_def *p = case_param_table();
	const struct case_bench_def *b;
	size_t n;

	(void)state;
	for (int i = 0; i < PARAM_COUNT; i++) {
		assert_non_null(p[i].name);
		assert_non_null(p[i].help);
		assert_true(p[i].min <= p[i].max);
		for (size_t k = 0; k < p[i].only_count; k++)
			assert_true(p[i].only[k] >= p[i].min && p[i].only[k] <= p[i].max);
	}
	b = case_bench_table(&n);
	assert_true(n >= 3);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(b[i].name);
		size_t longest = len;

		assert_ptr_equal(case_bench_find(b[i].name), &b[i]);
		assert_int_equal(strspn(b[i].name, "abcdefghijklmnopqrstuvwxyz0123456789-"), len);
		assert_non_null(b[i].help);
		assert_int_equal(b[i].must & ~b[i].takes, 0);
		assert_int_equal(b[i].one_of & ~b[i].takes, 0);
		assert_true(b[i].takes < 1u << PARAM_COUNT);
		if (b[i].takes & 1u << PARAM_SIZE) {
			assert_true(b[i].size >= b[i].size_min && b[i].size <= p[PARAM_SIZE].max);
			assert_int_equal(b[i].size % b[i].size_step, 0);
		}
		if (b[i].takes & 1u << PARAM_MODE)
			assert_non_null(case_words(&b[i], PARAM_MODE));
		/* no canonical text is ever cut: 11 digits, or a word of at most 16 */
		for (int k = 0; k < PARAM_COUNT; k++)
			if (b[i].takes & 1u << k)
				longest += strlen(p[k].name) + 2 + 16;
		assert_true(longest < CASE_TEXT);
	}
	assert_null(case_bench_find("nothing"));
	assert_null(case_bench_find(""));
	assert_null(case_bench_find("for"));
}

/* Whatever is taken has a canonical text, and that text is a fixed point. */
static void mutated(const char *data, size_t len)
{
	char err[400], once[CASE_TEXT], twice[CASE_TEXT], *text = mutate_text(data, len);
	struct bench_case c;

	if (case_parse(text, &c, err, sizeof(err)) == 0) {
		case_format(&c, once, sizeof(once));
		assert_int_equal(case_parse(once, &c, err, sizeof(err)), 0);
		case_format(&c, twice, sizeof(twice));
		assert_string_equal(once, twice);
	} else {
		assert_true(strlen(err) > 0);
		for (const char *p = err; *p; p++)
			assert_true(*p >= 0x20 && *p < 0x7f);
	}
	free(text);
}

static void survives_mutation(void **state)
{
	(void)state;
	mutate("fork/order=9,size=256M", 22, 4000, mutated);
	mutate("mremap/order=0,size=16M,skew=4K", 31, 4000, mutated);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(takes_and_prints),      cmocka_unit_test(refuses),
	        cmocka_unit_test(bounds_what_it_writes), cmocka_unit_test(tables_hold_together),
	        cmocka_unit_test(survives_mutation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
