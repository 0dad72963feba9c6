/* lib/report: expected texts as files.
 *
 * The expected texts stand in lib/test/data/report/; `UPDATE=1 build/lib/test/
 * test_report` writes them anew, for a person to read before committing. */
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/report/report.h"
#include "lib/test/report_check.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DATA "lib/test/data/report/"

static struct cmp_cell *put(struct cmp *c, size_t board, const char *case_, size_t metric,
                            size_t kernel, double change, double std_rel)
{
	struct cmp_cell *x = cmp_add_cell(c, board, cmp_add_case(c, case_), metric, kernel);

	x->change = change;
	x->std_rel = std_rel;
	x->mean = 1000 * (1 + change);
	x->base_mean = 1000;
	x->tau = 0.01;
	x->boots = 2;
	x->runs = 8;
	x->verdict = kernel == c->baseline ? VERDICT_SAME : VERDICT_UNSURE;
	return x;
}

static void interval(struct cmp_cell *x, double low, double high, enum verdict v)
{
	x->low = low;
	x->high = high;
	x->at_most = high;
	x->level = 0.95;
	x->verdict = v;
}

static void no_number(struct cmp_cell *x, enum verdict v, const char *why)
{
	x->change = x->low = x->high = x->at_most = x->mean = x->std_rel = x->level = NAN;
	x->verdict = v;
	x->boots = x->runs = 0;
	free(x->why);
	x->why = xstrdup(why);
}

static size_t kernel(struct cmp *c, const char *name, const char *commit, const char *subject,
                     const char *config)
{
	size_t k = cmp_add_kernel(c, name);

	c->kernel[k].commit = xstrdup(commit);
	c->kernel[k].subject = xstrdup(subject);
	c->kernel[k].config = xstrdup(config);
	c->kernel[k].compiler = xstrdup("aarch64-linux-gnu-gcc (Debian 12.2.0-14) 12.2.0");
	return k;
}

/* The published figures of the fork-batching series (domain knowledge: mean and
 * stdev per machine and order), whose boots printed a bad page state. */
static struct cmp *sample_lists(void)
{
	static const struct {
		const char *case_;
		size_t board, kernel;
		double change, std;
	} t[] = {
	        {"fork/order=0,size=1G", 0, 0, 0, .007},
	        {"fork/order=0,size=1G", 0, 1, .032, .007},
	        {"fork/order=0,size=1G", 0, 2, .055, .011},
	        {"fork/order=0,size=1G", 1, 0, 0, .012},
	        {"fork/order=0,size=1G", 1, 1, .013, .020},
	        {"fork/order=0,size=1G", 1, 2, .035, .012},
	        {"fork/order=9,size=1G", 0, 0, 0, .001},
	        {"fork/order=9,size=1G", 0, 1, .005, .001},
	        {"fork/order=9,size=1G", 0, 2, -.103, .001},
	        {"fork/order=9,size=1G", 1, 0, 0, .011},
	        {"fork/order=9,size=1G", 1, 1, .009, .009},
	        {"fork/order=9,size=1G", 1, 2, -.356, .020},
	};
	struct cmp *c = cmp_new();

	c->submission = 1;
	c->complete = true;
	c->plan = (struct cmp_plan){2, 4, 100, 1};
	c->baseline = kernel(c, "mm-unstable", "0123456789abcdef0123456789abcdef01234567",
	                     "mm: a subject of the baseline", "defconfig");
	kernel(c, "hugetlb-rmap-cleanups", "1123456789abcdef0123456789abcdef01234567",
	       "mm/rmap: a subject of the cleanups", "defconfig");
	kernel(c, "fork-batching", "2123456789abcdef0123456789abcdef01234567",
	       "mm/memory: a subject of the batching", "defconfig");
	cmp_add_board(c, "Ampere Altra");
	cmp_add_board(c, "Apple M2 VM");
	cmp_add_metric(c, "ns");
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct cmp_cell *x =
		        put(c, t[i].board, t[i].case_, 0, t[i].kernel, t[i].change, t[i].std);

		if (t[i].kernel) {
			x->why = xstrdup("2 and 2 boots (baseline and this kernel): a verdict "
			                 "needs 3 of each");
			x->needed = 1;
		}
	}
	cmp_add_thrown(c, 0, 2, 41, -1,
	               "line 812: BUG: Bad page state in process gmain  pfn:12a094");
	cmp_add_thrown(c, 0, 2, 43, -1,
	               "line 812: BUG: Bad page state in process gmain  pfn:12a094");
	return c;
}

static struct cmp_cell *det(struct cmp *c, const char *case_, double std, double change, double low,
                            double high, enum verdict v)
{
	struct cmp_cell *x = put(c, 0, case_, 0, 0, 0, std);

	x->boots = x->runs = 8;
	x = put(c, 0, case_, 0, 1, change, std);
	interval(x, low, high, v);
	x->level = 0.9609375;
	x->tau = 0.001;
	x->boots = x->runs = 8;
	return x;
}

/* What `make run` compares, on the deterministic board. */
static struct cmp *sample_virtual(void)
{
	struct cmp *c = cmp_new();
	struct cmp_cell *x;

	c->submission = 7;
	c->complete = true;
	c->plan = (struct cmp_plan){8, 1, 5, 1};
	c->baseline = kernel(c, "contpte-n", "ab3456789abcdef0123456789abcdef012345678",
	                     "linux-source-6.12 6.12.57-1", "contpte-n");
	kernel(c, "contpte-y", "ab3456789abcdef0123456789abcdef012345678",
	       "linux-source-6.12 6.12.57-1", "contpte-y");
	cmp_add_board(c, "qemu-det");
	c->board[0].deterministic = c->board[0].emulated = true;
	cmp_add_metric(c, "instructions");
	det(c, "fork/order=0,size=256M", .0051, .0312, .0311, .0313, VERDICT_SLOWER);
	det(c, "fork/order=9,size=256M", .003, -.0181, -.0183, -.0180, VERDICT_FASTER);
	det(c, "munmap/order=0,size=256M", .008, .00004, -.0001, .0002, VERDICT_SAME);
	x = det(c, "munmap/order=9,size=256M", .002, .0008, -.0009, .0025, VERDICT_UNSURE);
	x->why = xstrdup("the interval holds both no change and one of more than 0.1%; about 5 "
	                 "more phases a kernel");
	x->needed = 5;
	x->invalid_boots = 1;
	x->boots = x->runs = 7;
	x->level = .953125;
	x = det(c, "mremap/order=0,size=16M,skew=4K", 0, 0, 0, 0, VERDICT_SAME);
	x = det(c, "mremap/order=9,size=16M,skew=4K", 0, 4.6942, 4.6941, 4.6943, VERDICT_SLOWER);
	x->skewed = true;
	x->mean_change = 4.75;
	x = det(c, "mremap/order=9,size=16M,align=64K", 0, -.0021, -.0023, -.0019, VERDICT_FASTER);
	for (size_t k = 0; k < 2; k++)
		no_number(put(c, 0, "fork/order=4,size=256M", 0, k, 0, 0), VERDICT_SKIP,
		          "this kernel has no mTHP control for order 4");
	no_number(put(c, 0, "mremap/order=9,size=16M,align=2M", 0, 0, 0, 0), VERDICT_INVALID,
	          "page 4097 of the region is not in a folio of order 9");
	no_number(put(c, 0, "mremap/order=9,size=16M,align=2M", 0, 1, 0, 0), VERDICT_INVALID,
	          "the baseline is invalid: page 4097 of the region is not in a folio of order 9");
	cmp_add_thrown(c, 0, 1, 12, 9, "the result lacks its end line: torn");
	cmp_standard_notes(c);
	return c;
}

/* Hardware and emulation in one comparison, three boards, orders swept. */
static struct cmp *sample_mixed(void)
{
	static const int orders[] = {0, 2, 3, 4, 5, 9};
	static const double change[] = {-.02, -.16, -.24, -.26, -.28, -.30};
	struct cmp *c = cmp_new();

	c->submission = 9;
	c->plan = (struct cmp_plan){3, 2, 30, 0};
	c->baseline = kernel(c, "base", "0123456789abcdef0123456789abcdef01234567", "mm: base",
	                     "defconfig");
	kernel(c, "contpte-v5-basic-unbatched-for-review", "", "", "defconfig");
	kernel(c, "contpte-v5-batch-inline-for-review", "", "", "defconfig");
	cmp_add_board(c, "altra");
	cmp_add_board(c, "qemu-fast");
	cmp_add_board(c, "xeon-4210r-lab-machine");
	c->board[1].emulated = true;
	cmp_add_metric(c, "ns");
	for (size_t b = 0; b < 3; b++) {
		for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
			char *name = xasprintf("fork/order=%d,size=1G", orders[i]);

			for (size_t k = 0; k < 3; k++) {
				struct cmp_cell *x =
				        put(c, b, name, 0, k, change[i] * (double)k, .004);

				x->boots = 3;
				if (k)
					interval(x, x->change - .004, x->change + .004,
					         VERDICT_FASTER);
			}
			free(name);
		}
	}
	cmp_standard_notes(c);
	return c;
}

static const struct {
	const char *name;
	struct cmp *(*make)(void);
} samples[] = {
        {"lists", sample_lists},
        {"virtual", sample_virtual},
        {"mixed", sample_mixed},
};

static void expect(const char *name, const struct buf *got)
{
	char *path = xasprintf(DATA "%s", name);
	struct buf want;
	struct why w;

	if (getenv("UPDATE"))
		assert_int_equal(file_write(path, got->data, got->len, 0644, &w), OK);
	buf_init(&want, 4 << 20);
	if (file_read(path, &want, &w) != OK)
		fail_msg("%s", w.text);
	if (want.len != got->len || memcmp(want.data, got->data, got->len) != 0)
		fail_msg("%s differs; got:\n%s", path, got->data);
	buf_release(&want);
	free(path);
}

static void texts_are_as_expected(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4 << 20);
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct cmp *c = samples[i].make();

		for (int t = REPORT_ALL; t < REPORT_TABLES; t++) {
			char *name = xasprintf("%s.%s.txt", samples[i].name,
			                       report_table_name((enum report_table)t));

			buf_reset(&out);
			report_text(c, (enum report_table)t, NULL, &out);
			report_check(&out, name);
			if (t != REPORT_ALL)
				expect(name, &out);
			free(name);
		}
		cmp_free(c);
	}
	buf_release(&out);
}

static void exports_are_as_expected(void **state)
{
	struct cmp *c = sample_virtual();
	struct report_opts o = {"https://bench.example.org/#/submissions/7"};
	struct buf out;

	(void)state;
	buf_init(&out, 4 << 20);
	report_csv(c, &out);
	expect("virtual.csv", &out);
	buf_reset(&out);
	report_markdown(c, REPORT_ALL, &o, &out);
	expect("virtual.md", &out);
	buf_release(&out);
	cmp_free(c);
}

/* The table of the lists to the letter: this one was posted. */
static void reply_is_the_lists_table(void **state)
{
	struct cmp *c = sample_lists();
	struct buf out;

	(void)state;
	buf_init(&out, 4 << 20);
	report_text(c, REPORT_REPLY, NULL, &out);
	assert_non_null(strstr(out.data, "fork, order-0, 1G, Ampere Altra:\n"
	                                 "\n"
	                                 "| kernel                |   mean_rel |   std_rel |\n"
	                                 "|:----------------------|-----------:|----------:|\n"
	                                 "| mm-unstable           |       0.0% |      0.7% |\n"
	                                 "| hugetlb-rmap-cleanups |       3.2% |      0.7% |\n"
	                                 "| fork-batching         |       5.5% |      1.1% |\n"));
	assert_non_null(strstr(out.data, "\npositive is slower\n"));
	assert_non_null(strstr(out.data, "per run: median of 100 iterations"));
	assert_non_null(
	        strstr(out.data, "BUG: Bad page\n    state in process gmain  pfn:12a094\n"));
	assert_null(strstr(out.data, "http"));
	buf_release(&out);
	cmp_free(c);
}

static void instructions_are_never_slower(void **state)
{
	struct cmp *c = sample_virtual();
	struct buf out;

	(void)state;
	buf_init(&out, 4 << 20);
	for (int t = REPORT_ALL; t < REPORT_TABLES; t++) {
		buf_reset(&out);
		report_text(c, (enum report_table)t, NULL, &out);
		assert_null(strstr(out.data, "slower"));
		assert_null(strstr(out.data, "faster"));
		assert_non_null(strstr(out.data, "\npositive is more instructions; emulated, not "
		                                 "time\n"));
		buf_reset(&out);
		report_markdown(c, (enum report_table)t, NULL, &out);
		assert_null(strstr(out.data, "slower"));
		assert_null(strstr(out.data, "faster"));
	}
	buf_reset(&out);
	report_csv(c, &out); /* JSON's words */
	assert_non_null(strstr(out.data, ",slower,"));
	buf_release(&out);
	cmp_free(c);
}

static void emulated_never_beside_hardware(void **state)
{
	struct cmp *c = sample_mixed();
	const char *hardware, *emulated;
	struct buf out;

	(void)state;
	buf_init(&out, 4 << 20);
	report_text(c, REPORT_COMMIT, NULL, &out);
	hardware = strstr(out.data, "positive is slower\n");
	emulated = strstr(out.data, "positive is slower; emulated, not hardware\n");
	assert_true(hardware && emulated && hardware < emulated);
	assert_true(strstr(out.data, "altra") < emulated);
	assert_true(strstr(out.data, "qemu-fast") > emulated);
	assert_int_equal(report_times(hardware, "qemu-fast"), 6 + 2); /* six tables, two notes */
	buf_release(&out);
	cmp_free(c);
}

static void address_only_when_given(void **state)
{
	struct cmp *c = sample_lists();
	struct report_opts o = {"https://bench.example.org/x"};
	struct buf out;

	(void)state;
	buf_init(&out, 4 << 20);
	report_text(c, REPORT_REPLY, &o, &out);
	assert_non_null(strstr(out.data, "\nhttps://bench.example.org/x\n"));
	buf_reset(&out);
	o.address = NULL;
	report_text(c, REPORT_ALL, &o, &out);
	assert_null(strstr(out.data, "http"));
	buf_release(&out);
	cmp_free(c);
}

static void nothing_to_show(void **state)
{
	struct cmp *c = cmp_new();
	struct buf out;

	(void)state;
	buf_init(&out, 4 << 20);
	for (int t = REPORT_ALL; t < REPORT_TABLES; t++) {
		buf_reset(&out);
		report_text(c, (enum report_table)t, NULL, &out);
		report_check(&out, "empty");
		assert_non_null(strstr(out.data, "No result yet."));
	}
	report_markdown(c, REPORT_ALL, NULL, &out);
	/* kernels and boards, but no boot yet */
	c->baseline = cmp_add_kernel(c, "base");
	cmp_add_kernel(c, "new");
	cmp_add_board(c, "qemu-det");
	cmp_add_metric(c, "instructions");
	cmp_add_case(c, "fork/order=0");
	buf_reset(&out);
	report_text(c, REPORT_ALL, NULL, &out);
	report_check(&out, "no cell");
	assert_non_null(strstr(out.data, "No result yet."));
	buf_release(&out);
	cmp_free(c);
}

static void a_full_buffer_is_told(void **state)
{
	struct cmp *c = sample_mixed();
	struct buf out;

	(void)state;
	buf_init(&out, 500);
	report_text(c, REPORT_ALL, NULL, &out);
	assert_true(out.full);
	assert_true(out.len <= 500);
	buf_release(&out);
	cmp_free(c);
}

static void table_words(void **state)
{
	enum report_table t;

	(void)state;
	for (int i = 0; i < REPORT_TABLES; i++) {
		assert_true(report_table_parse(report_table_name((enum report_table)i), &t));
		assert_int_equal(t, i);
	}
	assert_false(report_table_parse("", &t));
	assert_false(report_table_parse("Reply", &t));
	assert_false(report_table_parse(NULL, &t));
}

static void csv_defuses(void **state)
{
	struct cmp *c = cmp_new();
	struct cmp_cell *x;
	struct buf out;

	(void)state;
	c->baseline = cmp_add_kernel(c, "b");
	cmp_add_kernel(c, "=cmd|' /C calc'!A0");
	cmp_add_kernel(c, "a \"quoted\", name\nof two lines");
	cmp_add_kernel(c, "  @SUM(1)");
	cmp_add_kernel(c, "caf\xc3\xa9 \xff");
	cmp_add_board(c, "-2+3");
	cmp_add_metric(c, "ns");
	for (size_t k = 0; k < 5; k++) {
		x = put(c, 0, "fork/order=0", 0, k, -.1, NAN);
		x->std_rel = NAN;
	}
	buf_init(&out, 1 << 20);
	report_csv(c, &out);
	assert_non_null(strstr(out.data, "\r\n'-2+3,'=cmd|' /C calc'!A0,fork/order=0,ns,median,900,"
	                                 "-0.1,,,,2,0,8,unsure,,false,,1000,0.01,,,,\r\n"));
	assert_non_null(strstr(out.data, "\"a \"\"quoted\"\", name\nof two lines\""));
	assert_non_null(strstr(out.data, ",\"'  @SUM(1)\","));
	assert_non_null(strstr(out.data, ",caf\xc3\xa9 ?,"));
	assert_null(strstr(out.data, ",b,")); /* the baseline is no cell */
	buf_release(&out);
	cmp_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(texts_are_as_expected),
	        cmocka_unit_test(exports_are_as_expected),
	        cmocka_unit_test(reply_is_the_lists_table),
	        cmocka_unit_test(instructions_are_never_slower),
	        cmocka_unit_test(emulated_never_beside_hardware),
	        cmocka_unit_test(address_only_when_given),
	        cmocka_unit_test(nothing_to_show),
	        cmocka_unit_test(a_full_buffer_is_told),
	        cmocka_unit_test(table_words),
	        cmocka_unit_test(csv_defuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
