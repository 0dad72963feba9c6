/* lib/stat: the rule, Welch at boot level, pairs by phase. Known answers were
 * computed with SciPy 1.10 and, for signed ranks, by enumerating all signs. */
#include "lib/mem.h"
#include "lib/stat/pairs.h"
#include "lib/stat/welch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NEAR(got, want) near_(got, want, 1e-9, __LINE__)
static void near_(double got, double want, double rel, int line)
{
	if (!(fabs(got - want) <= rel * fmax(1e-6, fabs(want))))
		fail_msg("line %d: got %.17g, want %.17g", line, got, want);
}

static const int64_t phases[] = {7, 9, 11, 13, 15, 17, 19, 21, 23};

static struct stat_side side(const double *x, size_t n)
{
	return (struct stat_side){.median = x, .phase = phases, .n = n};
}

static void words_go_both_ways(void **state)
{
	enum verdict v;

	(void)state;
	for (int i = 0; i < VERDICT_COUNT; i++) {
		assert_true(verdict_parse(verdict_name((enum verdict)i), &v));
		assert_int_equal(v, i);
	}
	assert_false(verdict_parse("slow", &v));
	assert_false(verdict_parse(NULL, &v));
	assert_string_equal(verdict_name((enum verdict)77), "invalid");
}

static void rule_table(void **state)
{
	static const struct {
		double change, low, high;
		enum verdict less, more;
	} t[] = {
	        {.02, .005, .04, VERDICT_SLOWER, VERDICT_FASTER},
	        {-.02, -.04, -.005, VERDICT_FASTER, VERDICT_SLOWER},
	        {.01, .01, .01, VERDICT_SLOWER, VERDICT_FASTER}, /* just tau, no width */
	        {-.01, -.01, -.01, VERDICT_FASTER, VERDICT_SLOWER},
	        {.009, .008, .0095, VERDICT_SAME, VERDICT_SAME}, /* a change, but below tau */
	        {0, -.01, .01, VERDICT_SAME, VERDICT_SAME},
	        {0, 0, 0, VERDICT_SAME, VERDICT_SAME},
	        {.009, .004, .014, VERDICT_UNSURE, VERDICT_UNSURE},
	        {.02, -.001, .041, VERDICT_UNSURE, VERDICT_UNSURE},
	        {.02, 0, .04, VERDICT_UNSURE, VERDICT_UNSURE}, /* 0 is not excluded */
	        {0, -.0101, .005, VERDICT_UNSURE, VERDICT_UNSURE},
	        {.5, NAN, NAN, VERDICT_UNSURE, VERDICT_UNSURE},
	        {NAN, NAN, NAN, VERDICT_UNSURE, VERDICT_UNSURE},
	};
	struct stat_rule less = stat_rule_default(), more = less, none = less;

	(void)state;
	NEAR(less.tau, .01);
	more.more_is_better = true;
	none.tau = NAN;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(stat_decide(t[i].change, t[i].low, t[i].high, &less), t[i].less);
		assert_int_equal(stat_decide(t[i].change, t[i].low, t[i].high, &more), t[i].more);
		assert_int_equal(stat_decide(t[i].change, t[i].low, t[i].high, &none),
		                 VERDICT_UNSURE);
	}
	NEAR(stat_tau(.01, NAN), .01);
	NEAR(stat_tau(.01, .03), .03);
	NEAR(stat_tau(.01, .001), .01);
}

static const double base5[] = {100.0, 101.2, 99.5, 100.7, 99.9};
static const double new6[] = {103.1, 102.2, 104.0, 101.9, 103.5, 102.7};

static void welch_known_answer(void **state)
{
	struct stat_rule rule = stat_rule_default();
	struct stat_side b = side(base5, 5), n = side(new6, 6);
	struct stat_result r;

	(void)state;
	stat_compare_boots(&b, &n, &rule, &r);
	NEAR(r.se, 0.004367086407874231);
	NEAR(r.df, 8.94894222488374);
	NEAR(r.change, 0.026325066131027898);
	NEAR(r.low, 0.016227143642629904);
	NEAR(r.high, 0.036523328429496495);
	NEAR(r.at_most, 0.034579527912134464);
	NEAR(r.level, .95);
	assert_int_equal(r.verdict, VERDICT_SLOWER);
	assert_int_equal(r.base_n, 5);
	assert_int_equal(r.new_n, 6);
	assert_int_equal(r.needed, -1);
	assert_string_equal(r.why, "");
	assert_false(r.skewed);
	assert_true(isnan(r.mean_change));

	rule.more_is_better = true;
	stat_compare_boots(&b, &n, &rule, &r);
	assert_int_equal(r.verdict, VERDICT_FASTER);
	NEAR(r.at_most, -0.018136463123903886);

	rule.more_is_better = false;
	rule.tau = .02; /* the interval reaches below tau, the change does not */
	stat_compare_boots(&b, &n, &rule, &r);
	assert_int_equal(r.verdict, VERDICT_SLOWER);
	rule.tau = .03;
	stat_compare_boots(&b, &n, &rule, &r);
	assert_int_equal(r.verdict, VERDICT_UNSURE);
	assert_non_null(strstr(r.why, "not surely one of 3%"));
	rule.tau = .04;
	stat_compare_boots(&b, &n, &rule, &r);
	assert_int_equal(r.verdict, VERDICT_SAME);
}

static void welch_is_symmetric_in_ln(void **state)
{
	struct stat_rule rule = stat_rule_default();
	struct stat_side b = side(base5, 5), n = side(new6, 6);
	struct stat_result there, back;

	(void)state;
	stat_compare_boots(&b, &n, &rule, &there);
	stat_compare_boots(&n, &b, &rule, &back);
	NEAR((1 + there.change) * (1 + back.change), 1);
	NEAR((1 + there.low) * (1 + back.high), 1);
	NEAR((1 + there.high) * (1 + back.low), 1);
	assert_int_equal(back.verdict, VERDICT_FASTER);
}

static void two_boots_are_a_table_not_a_verdict(void **state)
{
	struct stat_rule rule = stat_rule_default();
	struct stat_result r;

	(void)state;
	for (size_t nb = 1; nb <= 5; nb++) {
		for (size_t nn = 1; nn <= 6; nn++) {
			struct stat_side b = side(base5, nb), n = side(new6, nn);

			stat_compare_boots(&b, &n, &rule, &r);
			assert_true(isfinite(r.change));
			if (nb >= 3 && nn >= 3) {
				assert_true(isfinite(r.low));
				continue;
			}
			assert_int_equal(r.verdict, VERDICT_UNSURE);
			assert_true(isnan(r.low) && isnan(r.high) && isnan(r.at_most));
			assert_true(r.needed >= 1);
			assert_non_null(strstr(r.why, "a verdict needs 3"));
		}
	}
	/* even where they agree to the digit */
	stat_compare_boots(&(struct stat_side){.median = (double[]){5, 5}, .n = 2},
	                   &(struct stat_side){.median = (double[]){5, 5}, .n = 2}, &rule, &r);
	assert_int_equal(r.verdict, VERDICT_UNSURE);
	NEAR(r.change, 0);
	assert_int_equal(r.needed, 1);
}

static void boots_without_spread(void **state)
{
	struct stat_rule rule = stat_rule_default();
	struct stat_result r;

	(void)state;
	stat_compare_boots(&(struct stat_side){.median = (double[]){5, 5, 5}, .n = 3},
	                   &(struct stat_side){.median = (double[]){5, 5, 5}, .n = 3}, &rule, &r);
	assert_int_equal(r.verdict, VERDICT_SAME);
	NEAR(r.low, 0);
	NEAR(r.high, 0);
	NEAR(r.df, 4);
	stat_compare_boots(&(struct stat_side){.median = (double[]){5, 5, 5}, .n = 3},
	                   &(struct stat_side){.median = (double[]){6, 6, 6, 6}, .n = 4}, &rule,
	                   &r);
	assert_int_equal(r.verdict, VERDICT_SLOWER);
	NEAR(r.low, .2);
	NEAR(r.at_most, .2);
	/* one side only */
	stat_compare_boots(&(struct stat_side){.median = (double[]){5, 5, 5}, .n = 3},
	                   &(struct stat_side){.median = (double[]){6, 6.1, 5.9}, .n = 3}, &rule,
	                   &r);
	NEAR(r.df, 2);
	assert_int_equal(r.verdict, VERDICT_SLOWER);
}

static void numbers_without_a_logarithm(void **state)
{
	static const double bad[] = {0, -1, NAN, INFINITY};
	struct stat_rule rule = stat_rule_default();
	struct stat_side b = side(base5, 5), none = side(NULL, 0);
	struct stat_result r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		double x[] = {1, 2, bad[i], 4, 5, 6};
		struct stat_side n = side(x, 6);

		stat_compare_boots(&b, &n, &rule, &r);
		assert_int_equal(r.verdict, VERDICT_INVALID);
		assert_true(isnan(r.change) && isnan(r.low));
		assert_non_null(strstr(r.why, "not above 0"));
		stat_compare_phases(&n, &n, &rule, &r);
		assert_int_equal(r.verdict, VERDICT_INVALID);
		assert_true(isnan(r.change));
	}
	stat_compare_boots(&b, &none, &rule, &r);
	assert_int_equal(r.verdict, VERDICT_INVALID);
	assert_string_equal(r.why, "no valid boot of this kernel");
	stat_compare_boots(&none, &b, &rule, &r);
	assert_string_equal(r.why, "no valid boot of the baseline");
	stat_compare_phases(&b, &none, &rule, &r);
	assert_int_equal(r.verdict, VERDICT_INVALID);
	stat_compare_phases(&none, &none, &rule, &r);
	assert_int_equal(r.verdict, VERDICT_INVALID);
}

static void median_and_mean_disagree(void **state)
{
	static const double one[] = {100, 100.1, 99.9};
	static const double up[] = {102, 102.1, 101.9}, up4[] = {104, 104.1, 103.9};
	static const double down[] = {97, 97.1, 96.9}, near[] = {100.5, 100.6, 100.4};
	struct stat_rule rule = stat_rule_default();
	struct stat_side b = {.median = one, .mean = one, .n = 3};
	struct stat_result r;

	(void)state;
	/* reversed */
	stat_compare_boots(&b, &(struct stat_side){.median = up, .mean = down, .n = 3}, &rule, &r);
	assert_true(r.skewed);
	assert_int_equal(r.verdict, VERDICT_UNSURE);
	assert_string_equal(r.why, "the median of the iterations says +2.00%, their mean -3.00%");
	assert_true(r.change > 0 && r.mean_change < 0 && r.low > 0);
	stat_compare_boots(&b, &(struct stat_side){.median = down, .mean = up, .n = 3}, &rule, &r);
	assert_int_equal(r.verdict, VERDICT_UNSURE);
	/* further the same way: marked, and the verdict stands */
	stat_compare_boots(&b, &(struct stat_side){.median = up, .mean = up4, .n = 3}, &rule, &r);
	assert_true(r.skewed);
	assert_int_equal(r.verdict, VERDICT_SLOWER);
	/* within tau */
	stat_compare_boots(&b, &(struct stat_side){.median = one, .mean = near, .n = 3}, &rule, &r);
	assert_false(r.skewed);
	assert_int_equal(r.verdict, VERDICT_SAME);
	near_(r.mean_change, .005, 1e-5, __LINE__);
}

static void signed_rank_distribution(void **state)
{
	(void)state;
	/* n = 3: sums 0 1 2 3 3 4 5 6 of 8 */
	NEAR(stat_signed_rank_cdf(3, 0), 1 / 8.);
	NEAR(stat_signed_rank_cdf(3, 2), 3 / 8.);
	NEAR(stat_signed_rank_cdf(3, 3), 5 / 8.);
	NEAR(stat_signed_rank_cdf(3, 6), 1);
	NEAR(stat_signed_rank_cdf(3, 5), 7 / 8.);
	assert_true(stat_signed_rank_cdf(3, -1) == 0);
	NEAR(stat_signed_rank_cdf(3, 100), 1);
	/* published critical values: P(T <= 8) at n = 10 is .0244, P(T <= 52) at n = 20 .0242 */
	NEAR(stat_signed_rank_cdf(10, 8), 25 / 1024.);
	near_(stat_signed_rank_cdf(20, 52), .0242, 2e-3, __LINE__);
	/* symmetric about its middle */
	NEAR(stat_signed_rank_cdf(9, 22), .5);
	/* where the normal curve takes over; the exact answer by counting is .0231278 */
	assert_true(fabs(stat_signed_rank_cdf(257, 14200) - 0.023127809136686904) < 1e-4);
}

static void ranks_by_number_of_pairs(void **state)
{
	static const struct {
		unsigned int n, k;
		double covers;
	} t[] = {
	        {6, 1, .96875},   {7, 3, .953125},     {8, 4, .9609375},
	        {9, 6, .9609375}, {10, 9, .951171875}, {12, 14, .95751953125},
	};
	double covers;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(stat_signed_rank_k(t[i].n, .95, &covers), t[i].k);
		NEAR(covers, t[i].covers);
	}
	for (unsigned int n = 0; n < 6; n++) {
		assert_int_equal(stat_signed_rank_k(n, .95, &covers), 0);
		assert_true(isnan(covers));
	}
	for (unsigned int n = 6; n <= 270; n++) {
		assert_true(stat_signed_rank_k(n, .95, &covers) > 0);
		assert_true(covers >= .95 && covers < .97);
	}
}

static void walsh_averages(void **state)
{
	static const double d[] = {3, -1, 2};
	static const double want[] = {-1, .5, 1, 2, 2.5, 3};
	double w[6];

	(void)state;
	stat_walsh(d, 3, w);
	for (int i = 0; i < 6; i++)
		NEAR(w[i], want[i]);
}

static const double pbase[] = {1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007};
static const double pnew[] = {1010, 1012, 1009, 1015, 1011, 1013, 1008, 1014};

static void pairs_known_answer(void **state)
{
	struct stat_rule rule = stat_rule_default();
	struct stat_side b = side(pbase, 8), n = side(pnew, 8);
	struct stat_result r;

	(void)state;
	rule.tau = .001;
	stat_compare_phases(&b, &n, &rule, &r);
	NEAR(r.change, 0.008217325846882746);
	NEAR(r.low, 0.004483941254530583);
	NEAR(r.high, 0.010981576861684796);
	NEAR(r.at_most, 0.01000000000000001);
	NEAR(r.level, 0.9609375);
	assert_int_equal(r.verdict, VERDICT_SLOWER);
	assert_int_equal(r.base_n, 8);
	assert_int_equal(r.new_n, 8);
	rule.tau = .009;
	stat_compare_phases(&b, &n, &rule, &r);
	assert_int_equal(r.verdict, VERDICT_UNSURE);
	assert_non_null(strstr(r.why, "phase"));
	rule.tau = .011;
	stat_compare_phases(&b, &n, &rule, &r);
	assert_int_equal(r.verdict, VERDICT_SAME);
}

static void pairs_find_their_phase(void **state)
{
	/* shuffled, one phase twice (its replicate), one that the baseline lacks */
	static const int64_t sp[] = {21, 7, 99, 9, 19, 11, 7, 17, 13, 15};
	static const double sx[] = {1014, 1010, 5, 1012, 1008, 1009, 4444, 1013, 1015, 1011};
	struct stat_rule rule = stat_rule_default();
	struct stat_side b = side(pbase, 8), n = {.median = sx, .phase = sp, .n = 10};
	struct stat_result r;

	(void)state;
	stat_compare_phases(&b, &n, &rule, &r);
	assert_int_equal(r.new_n, 8);
	NEAR(r.change, 0.008217325846882746);
	NEAR(r.low, 0.004483941254530583);
	stat_compare_phases(&n, &b, &rule, &r);
	assert_int_equal(r.new_n, 8);
	NEAR(r.change, 1 / 1.008217325846882746 - 1);
}

static void pairs_by_their_number(void **state)
{
	struct stat_rule rule = stat_rule_default();
	struct stat_result r;

	(void)state;
	for (size_t n = 1; n <= 8; n++) {
		struct stat_side b = side(pbase, n), o = side(pnew, n);

		stat_compare_phases(&b, &o, &rule, &r);
		assert_true(isfinite(r.change));
		assert_int_equal(isnan(r.low), n < 6);
		assert_int_equal(isnan(r.high), n < 6);
		assert_int_equal(isnan(r.at_most), n < 6);
		if (n < 6) {
			assert_int_equal(r.verdict, VERDICT_UNSURE);
			assert_true(r.needed >= (long)(6 - n));
			assert_non_null(strstr(r.why, "a verdict needs 6"));
		}
	}
	stat_compare_phases(
	        &(struct stat_side){.median = pbase, .phase = (int64_t[]){1, 2}, .n = 2},
	        &(struct stat_side){.median = pbase, .phase = (int64_t[]){3, 4}, .n = 2}, &rule,
	        &r);
	assert_int_equal(r.verdict, VERDICT_INVALID);
	assert_string_equal(r.why, "no phase was measured on both kernels");
}

static void pairs_keep_ties_and_zeros(void **state)
{
	static const double even[] = {1000, 1001, 1002, 1003, 1004, 1005, 1006, 1014};
	struct stat_rule rule = stat_rule_default();
	struct stat_side b = side(pbase, 8), n = side(even, 8);
	struct stat_result r;

	(void)state;
	rule.tau = .001;
	stat_compare_phases(&b, &b, &rule, &r);
	assert_true(r.change == 0 && r.low == 0 && r.high == 0 && r.at_most == 0);
	assert_int_equal(r.verdict, VERDICT_SAME);
	/* one phase of eight moved: the interval still stands on zero */
	stat_compare_phases(&b, &n, &rule, &r);
	assert_true(r.change == 0 && r.low == 0);
	NEAR(r.high, sqrt(1014 / 1007.) - 1);
	assert_int_equal(r.verdict, VERDICT_UNSURE);
}

static void equal_images(void **state)
{
	struct stat_result r;

	(void)state;
	stat_same_image(&r);
	assert_true(r.change == 0);
	assert_true(isnan(r.low) && isnan(r.high) && isnan(r.at_most));
	assert_int_equal(r.verdict, VERDICT_SAME);
	assert_string_equal(r.why, "the two images are one binary");
	stat_no_number(&r, VERDICT_SKIP, "no mTHP control for order %d", 4);
	assert_true(isnan(r.change));
	assert_int_equal(r.verdict, VERDICT_SKIP);
	assert_string_equal(r.why, "no mTHP control for order 4");
}

static void unsure_says_how_many_more(void **state)
{
	static const double b[] = {100, 102, 98, 101, 99}, n[] = {101, 103, 99, 100, 100};
	struct stat_rule rule = stat_rule_default();
	struct stat_result r;
	struct stat_side sb = side(b, 5), sn = side(n, 5);

	(void)state;
	stat_compare_boots(&sb, &sn, &rule, &r);
	assert_int_equal(r.verdict, VERDICT_UNSURE);
	assert_in_range(r.needed, 20, 50); /* sd 1.5 %, wanted 1 %: 39 boots in all */
	assert_non_null(strstr(r.why, "; about "));
	assert_non_null(strstr(r.why, " more boots a kernel"));
	rule.wanted = .05; /* enough for that; then by the interval's own width */
	stat_compare_boots(&sb, &sn, &rule, &r);
	assert_true(r.needed >= 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(words_go_both_ways),
	        cmocka_unit_test(rule_table),
	        cmocka_unit_test(welch_known_answer),
	        cmocka_unit_test(welch_is_symmetric_in_ln),
	        cmocka_unit_test(two_boots_are_a_table_not_a_verdict),
	        cmocka_unit_test(boots_without_spread),
	        cmocka_unit_test(numbers_without_a_logarithm),
	        cmocka_unit_test(median_and_mean_disagree),
	        cmocka_unit_test(signed_rank_distribution),
	        cmocka_unit_test(ranks_by_number_of_pairs),
	        cmocka_unit_test(walsh_averages),
	        cmocka_unit_test(pairs_known_answer),
	        cmocka_unit_test(pairs_find_their_phase),
	        cmocka_unit_test(pairs_by_their_number),
	        cmocka_unit_test(pairs_keep_ties_and_zeros),
	        cmocka_unit_test(equal_images),
	        cmocka_unit_test(unsure_says_how_many_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
